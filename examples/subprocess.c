/* Runs commands side by side, with input and output through pipes, a time limit, and an end that a command can't refuse.

     subprocess [--input TEXT] [--lines] [--limit S] [--grace S] [--max-bytes N] COMMAND...

   Each COMMAND is run by the shell. One that takes too long gets SIGTERM, after the grace time SIGKILL; so does every one that runs
   when Ctrl-C or SIGTERM comes. What it has written is printed when it has ended, or with --lines each line as it comes, behind the
   number of its command; then a line about its end on stderr.

   Exit code: 0 if all commands gave 0, else 1; 130 after Ctrl-C, 143 after SIGTERM. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "asyncx_process.h"
#include "args.h"

static struct { const char *input; int lines; double limit, grace; int most; } options = {"", 0, 60, 2, 1 << 20};

/* Both at once: a command may write before it has read all. */
struct feed { ax_frame frame; int *fds; };
AX_ASYNC(feed) {
    AX_BEGIN;
    AX_TRY(ax_write_all(me, my->fds[0], options.input, strlen(options.input))); /* AX_EPIPE: it does not want all */
    ax_close(me->loop, my->fds[0]);
    my->fds[0] = 0;
    AX_END;
}
struct lines { ax_frame frame; int *fds, number; ax_group g; ax_reader in; char line[4096]; };
AX_ASYNC(lines) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, feed, .fds = my->fds);
    ax_reader_init(&my->in, my->fds[1], my->line, sizeof my->line);
    AX_WHILE(ax_reader_line(me, &my->in)) {
        printf("%d: ", my->number);
        fwrite(my->in.data, 1, my->in.length, stdout);
        putchar('\n');
        fflush(stdout);
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
static ax_op talk(ax_task *me, int *fds, void *number) { return AX_CALL(lines, .fds = fds, .number = *(int *)number); }

struct job { ax_frame frame; int number; char *command, *argv[4]; ax_output out, err; struct ax_process process; int *failed; };
AX_ASYNC(job) {
    AX_BEGIN;
    my->out.max = my->err.max = (size_t)options.most;
    my->argv[0] = "/bin/sh", my->argv[1] = "-c", my->argv[2] = my->command;
    AX_AWAIT(AX_WITHIN(AX_SEC(options.limit), AX_CALL_IN(&my->process, ax_process, .argv = my->argv, .text = options.lines ? NULL : options.input,
                                                         .out = options.lines ? NULL : &my->out, .err = &my->err,
                                                         .talk = options.lines ? talk : NULL, .arg = &my->number, .grace = AX_SEC(options.grace))));
    AX_FINALLY:
    if (ax_leaving(me) < 0 || my->process.ended) ++*my->failed;
    if (my->out.size) fwrite(my->out.data, 1, my->out.size, stdout);
    if (my->err.size) fwrite(my->err.data, 1, my->err.size, stderr);
    if (my->out.cut || my->err.cut) complain("%s: more than %d bytes, the rest is dropped", my->command, options.most);
    if (ax_leaving(me) < 0) complain("%s: %s", my->command, ax_strerror(ax_leaving(me)));
    if (WIFSIGNALED(my->process.ended)) complain("%s: ended by signal %d", my->command, WTERMSIG(my->process.ended));
    else if (my->process.ended) complain("%s: exit code %d", my->command, WEXITSTATUS(my->process.ended));
    ax_output_free(&my->out);
    ax_output_free(&my->err);
    AX_END;
}

struct app { ax_frame frame; char **commands; int count, failed; ax_group jobs; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->jobs, AX_GROUP_COLLECT);
    for (; *my->commands; my->commands++)
        if (!AX_SPAWN(&my->jobs, job, .number = ++my->count, .command = *my->commands, .failed = &my->failed)) AX_RETURN(AX_ENOMEM);
    AX_AWAIT(ax_group_join(me, &my->jobs));
    AX_RETURN(my->failed > 0);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--input", ARG_TEXT, &options.input, 0, 0, "what each command gets as its input"},
        {"--lines", ARG_FLAG, &options.lines, 0, 0, "print each line of output (of at most 4095 bytes) as it comes, behind its command's number"},
        {"--limit", ARG_SECONDS, &options.limit, 0, 86400, "what a command may take"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "from SIGTERM to SIGKILL"},
        {"--max-bytes", ARG_NUMBER, &options.most, 1, 1 << 30, "of output and of errors that are kept, each"},
    };
    int first = ARGS_READ(argc, argv, "[OPTION]... COMMAND...", args, 1, 1000);
    return ax_exit(AX_RUN(app, .commands = argv + first));
}
