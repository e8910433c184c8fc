/* Runs commands side by side, with input and output through pipes, a time limit, and an end that a command can't refuse.

     subprocess [--input TEXT] [--limit S] [--grace S] [--max-bytes N] COMMAND...

   Each COMMAND is run by the shell. One that takes too long gets SIGTERM, after the grace time SIGKILL; so does every one that runs
   when Ctrl-C or SIGTERM comes. What it has written is printed when it has ended, and a line about its end on stderr.

   run_command, with what stands above it, is made to be copied. All three pipes are moved at the same time: else a command that
   fills one while we wait at another would hang. Exit code: 0 if all commands gave 0, else 1; 130 after Ctrl-C, 143 after SIGTERM. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- children: told by one task; SIGCHLD is caught before the first is born, so that none can end unheard ---- */

static ax_event child_ended; /* pulsed: some child has ended, look whether it was yours */

struct children { ax_frame frame; };
AX_ASYNC(children) {
    AX_BEGIN;
    AX_WHILE(ax_signal_wait(me, SIGCHLD)) {
        ax_event_set(&child_ended); /* several that end at once are one signal: each waiter asks for its own child */
        ax_event_clear(&child_ended);
    }
    AX_END;
}

struct output { char *data; size_t size, most; int cut; }; /* most bytes at data are kept, the rest is dropped: then it is cut */

struct wait_child { ax_frame frame; struct run_command *c; };
struct stop_child { ax_frame frame; struct run_command *c; struct wait_child wait; };
struct run_command {
    ax_frame frame;
    char *const *argv;
    const char *input;
    size_t input_size;
    struct output *out, *err;
    ax_time limit, grace;
    int *status;    /* as of waitpid */
    int result;
    int fds[3];     /* our ends of its pipes */
    pid_t pid;      /* 0: none, or it has ended */
    ax_group pumps;
    struct wait_child wait;
    struct stop_child stop; /* in the frame: the cleanup must not run out of memory */
};

AX_ASYNC(wait_child) {
    pid_t ended;
    AX_BEGIN;
    while (my->c->pid) {
        ended = waitpid(my->c->pid, my->c->status, WNOHANG);
        if (ended > 0 || (ended < 0 && errno != EINTR)) {
            my->c->pid = 0;
            AX_RETURN(ended > 0 ? 0 : -errno);
        }
        if (ended == 0) AX_AWAIT(ax_event_wait(me, &child_ended));
    }
    AX_END;
}

/* What can't be refused: SIGTERM, and SIGKILL when the grace time is over, or at once if this is cancelled. */
AX_ASYNC(stop_child) {
    struct run_command *c = my->c;
    AX_BEGIN;
    kill(-c->pid, SIGTERM); /* the group that it leads: a shell's own children, too */
    AX_TRY(AX_WITHIN(c->grace, AX_CALL_IN(&my->wait, wait_child, .c = c)));
    AX_FINALLY:
    if (c->pid) kill(-c->pid, SIGKILL);
    AX_TRY(AX_CALL_IN(&my->wait, wait_child, .c = c));
    AX_END;
}

struct feed { ax_frame frame; struct run_command *c; };
AX_ASYNC(feed) {
    struct run_command *c = my->c;
    AX_BEGIN;
    AX_TRY(ax_write_all(me, c->fds[0], c->input, c->input_size)); /* AX_EPIPE: it does not want to read all, which is its right */
    ax_close(me->loop, c->fds[0]);
    c->fds[0] = -1;
    AX_END;
}

struct collect { ax_frame frame; int fd; struct output *to; char rest[4096]; };
AX_ASYNC(collect) {
    struct output *to = my->to;
    AX_BEGIN;
    while (to->size < to->most) {
        AX_AWAIT(ax_read(me, my->fd, to->data + to->size, to->most - to->size));
        if (me->rc == 0) AX_RETURN(0);
        to->size += (size_t)me->rc;
    }
    AX_WHILE(ax_read(me, my->fd, my->rest, sizeof my->rest)) to->cut = 1; /* read on: a full pipe would hold it up */
    AX_END;
}

/* Starts it: its process id or an error, of exec too. Not fork: in a program with threads, only the little that posix_spawn
   does for us would be allowed between that and exec. */
static int spawn(char *const *argv, const int theirs[3]) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all, none;
    pid_t pid;
    int rc, i;
    if ((rc = posix_spawn_file_actions_init(&files)) != 0) return -rc;
    if ((rc = posix_spawnattr_init(&attr)) == 0) {
        sigemptyset(&none);
        sigfillset(&all);
        sigdelset(&all, SIGKILL);
        sigdelset(&all, SIGSTOP);
        for (i = 0; i < 3 && !rc; i++) rc = posix_spawn_file_actions_adddup2(&files, theirs[i], i);
        posix_spawnattr_setsigdefault(&attr, &all); /* what we ignore it would ignore as well */
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setpgroup(&attr, 0);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
        if (!rc) rc = posix_spawnp(&pid, argv[0], &files, &attr, argv, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc ? -rc : (int)pid;
}

/* Its pipes and itself: 0 or an error. */
static int start(struct run_command *c) {
    int theirs[3] = {-1, -1, -1}, rc = 0, i;
    for (i = 0; i < 3 && rc >= 0; i++) {
        int ends[2], its = i == 0 ? 0 : 1;
        if (pipe(ends) < 0) {
            rc = -errno;
            break;
        }
        theirs[i] = ends[its];
        c->fds[i] = ends[!its];
        rc = ax_nonblocking(c->fds[i]); /* close-on-exec, too: a second command that holds this pipe would keep it from ending */
        if (rc >= 0 && fcntl(theirs[i], F_SETFD, FD_CLOEXEC) < 0) rc = -errno;
    }
    if (rc >= 0) rc = spawn(c->argv, theirs);
    for (i = 0; i < 3; i++) if (theirs[i] >= 0) close(theirs[i]);
    if (rc > 0) c->pid = rc;
    return rc < 0 ? rc : 0;
}

/* Runs a command to its end: 0, with its status; AX_ETIMEDOUT if it had to be ended, then with a status too; or why it could not
   be run. However this is left, no child stays behind. */
AX_ASYNC(run_command) {
    int i;
    AX_BEGIN;
    my->fds[0] = my->fds[1] = my->fds[2] = -1;
    AX_AWAIT(ax_done(start(my)));
    ax_group_open(me, &my->pumps, AX_GROUP_COLLECT);
    AX_SPAWN(&my->pumps, feed, .c = my);
    AX_SPAWN(&my->pumps, collect, .fd = my->fds[1], .to = my->out);
    AX_SPAWN(&my->pumps, collect, .fd = my->fds[2], .to = my->err);
    AX_TRY(AX_WITHIN(my->limit, AX_CALL_IN(&my->wait, wait_child, .c = my)));
    if ((my->result = me->rc) == AX_ETIMEDOUT) AX_TRY(AX_CALL_IN(&my->stop, stop_child, .c = my)); /* its last words are heard */
    /* what is still in the pipes; something in the background may hold them open for ever */
    AX_TRY(AX_WITHIN(my->grace, ax_group_join(me, &my->pumps)));
    AX_RETURN(my->result);
    AX_FINALLY:
    if (my->pid) AX_TRY(AX_CALL_IN(&my->stop, stop_child, .c = my)); /* cancelled */
    for (i = 0; i < 3; i++) if (my->fds[i] >= 0) ax_close(me->loop, my->fds[i]);
    AX_END;
}

/* ---- the program ---- */

static struct { const char *input; double limit, grace; int most; } options = {"", 60, 2, 1 << 20};

struct job { ax_frame frame; char *command, *argv[4]; struct output out, err; int status, *failed; };
AX_ASYNC(job) {
    AX_BEGIN;
    my->out.most = my->err.most = (size_t)options.most;
    if (!(my->out.data = malloc(my->out.most)) || !(my->err.data = malloc(my->err.most))) AX_RETURN(AX_ENOMEM);
    my->argv[0] = "/bin/sh", my->argv[1] = "-c", my->argv[2] = my->command;
    AX_AWAIT(AX_CALL(run_command, .argv = my->argv, .input = options.input, .input_size = strlen(options.input), .out = &my->out,
                     .err = &my->err, .limit = AX_SEC(options.limit), .grace = AX_SEC(options.grace), .status = &my->status));
    AX_FINALLY:
    if (ax_leaving(me) < 0 || my->status) ++*my->failed;
    fwrite(my->out.data, 1, my->out.size, stdout);
    fwrite(my->err.data, 1, my->err.size, stderr);
    if (my->out.cut || my->err.cut) complain("%s: more than %d bytes, the rest is dropped", my->command, options.most);
    if (ax_leaving(me) < 0) complain("%s: %s", my->command, ax_strerror(ax_leaving(me)));
    if (WIFSIGNALED(my->status)) complain("%s: ended by signal %d", my->command, WTERMSIG(my->status));
    else if (my->status) complain("%s: exit code %d", my->command, WEXITSTATUS(my->status));
    free(my->out.data);
    free(my->err.data);
    AX_END;
}

struct app { ax_frame frame; char **commands; int failed; ax_group reaping, jobs; };
AX_ASYNC(app) {
    AX_BEGIN;
    AX_AWAIT(ax_done(ax_signal_catch(me->loop, SIGCHLD))); /* before there is a child */
    ax_group_open(me, &my->reaping, AX_GROUP_BACKGROUND); /* not in one with what may fail: it is needed to the very end */
    AX_SPAWN(&my->reaping, children);
    ax_group_open(me, &my->jobs, AX_GROUP_COLLECT);
    while (*my->commands) AX_SPAWN(&my->jobs, job, .command = *my->commands++, .failed = &my->failed);
    AX_AWAIT(ax_group_join(me, &my->jobs));
    AX_RETURN(my->failed > 0);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--input", ARG_TEXT, &options.input, 0, 0, "what each command gets as its input"},
        {"--limit", ARG_SECONDS, &options.limit, 0, 86400, "what a command may take"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "from SIGTERM to SIGKILL"},
        {"--max-bytes", ARG_NUMBER, &options.most, 1, 1 << 30, "of output and of errors that are kept, each"},
    };
    int first = ARGS_READ(argc, argv, "[OPTION]... COMMAND...", args, 1, 1000);
    return ax_exit(AX_RUN(app, .commands = argv + first));
}
