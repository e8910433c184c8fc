/* The adapter for child processes (examples/asyncx_process.h), with real ones. Whatever is to be ended has said that it is on, or
   ends the same whenever that comes. */
#include <sys/resource.h>
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "fds.h"
#include "kit.h"
#include "asyncx_process.h"

static ax_loop_desc *real(void) {
    ax_loop_desc *d = kit_desc();
    d->flags = 0;
    return d;
}
#define JUDGE(name, want, trace, ...) kit_judge(name, AX_RUN_WITH(real(), __VA_ARGS__), want, trace, NULL, __FILE__, __LINE__)

/* A shell's command; says what it wrote, or how much. */
enum { OUT = 1, ERR = 2, BOTH = 4 };
struct sh {
    ax_frame frame;
    const char *text, *input, *empty;
    size_t max;
    int outputs, *sum;
    ax_time limit, grace;
    char *argv[4], *const *env;
    ax_output out, err;
    struct ax_process p;
};
AX_ASYNC(sh) {
    AX_BEGIN;
    my->argv[0] = "sh", my->argv[1] = "-c", my->argv[2] = (char *)(uintptr_t)my->text;
    my->out.max = my->err.max = my->max;
    AX_TRY_ALL(AX_WITHIN(my->limit ? my->limit : AX_FOREVER,
                         AX_CALL_IN(&my->p, ax_process, .argv = my->argv, .env = my->env, .text = my->input, .input = my->empty, .input_size = 0,
                                    .out = my->outputs & (OUT | BOTH) ? &my->out : NULL,
                                    .err = my->outputs & BOTH ? &my->out : my->outputs & ERR ? &my->err : NULL, .grace = my->grace)));
    if (my->sum) {
        *my->sum += me->rc + (int)my->out.size;
        AX_RETURN(0);
    }
    LOG("%d", me->rc);
    if (me->rc < 0) LOG("%s:%d", WIFSIGNALED(my->p.ended) ? "signal" : "exit", WIFSIGNALED(my->p.ended) ? WTERMSIG(my->p.ended) : WEXITSTATUS(my->p.ended));
    if (my->out.size < 40 && my->out.data) LOG("%s", my->out.data);
    else if (my->out.data) LOG("%d bytes, %d", (int)my->out.size, my->out.data[my->out.size]);
    if (my->err.data) LOG("err:%s", my->err.data);
    if (my->out.cut || my->err.cut) LOG("cut:%d,%d", my->out.cut, my->err.cut);
    AX_FINALLY:
    ax_output_free(&my->out);
    ax_output_free(&my->err);
    AX_END;
}
struct no_such { ax_frame frame; };
AX_ASYNC(no_such) {
    static char *const argv[] = {(char *)(uintptr_t)"no-such-command-here", NULL};
    AX_BEGIN;
    AX_TRY(AX_CALL(ax_process, .argv = argv));
    AX_RETURN(me->rc == AX_ENOENT || me->rc == 127 ? 0 : me->rc); /* some systems tell by the exit code */
    AX_END;
}
struct many { ax_frame frame; ax_group g; int i, sum; AX_TASK(sh) all[20]; };
AX_ASYNC(many) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < 20; my->i++) AX_SPAWN_IN(&my->g, &my->all[my->i], sh, .text = my->i % 2 ? "cat" : "exit 10", .input = my->i % 2 ? "x" : NULL, .outputs = OUT, .sum = &my->sum);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d", my->sum);
    AX_END;
}
/* Cancelled after so many turns, whatever it waits for then, and once more after so many. */
struct cancels { ax_frame frame; ax_group g; int first, second, i; AX_TASK(sh) child; };
AX_ASYNC(cancels) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN_IN(&my->g, &my->child, sh, .text = "cat; trap '' TERM; while :; do sleep 1; done", .input = "words", .outputs = BOTH, .grace = my->second ? AX_SEC(100) : 0);
    for (my->i = 0; my->i < my->first; my->i++) AX_AWAIT(ax_checkpoint(me));
    ax_cancel(&my->child.task);
    for (my->i = 0; my->i < my->second; my->i++) AX_AWAIT(ax_checkpoint(me));
    if (my->second) ax_cancel(&my->child.task);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* Cancelled when it has written something: then it is where the test wants it. */
struct cut_short { ax_frame frame; const char *text; int no_grace; ax_group g; AX_TASK(sh) child; };
AX_ASYNC(cut_short) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN_IN(&my->g, &my->child, sh, .text = my->text, .outputs = OUT, .grace = my->no_grace ? 0 : AX_SEC(100));
    while (!my->child.frame.out.size && ax_task_status(&my->child.task) == AX_EINPROGRESS) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_cancel(&my->child.task);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* Somebody else waits for it first. */
struct robs { ax_frame frame; ax_group g; AX_TASK(sh) child; };
AX_ASYNC(robs) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN_IN(&my->g, &my->child, sh, .text = "exec sleep 77");
    while (!my->child.frame.p.pid) AX_AWAIT(ax_checkpoint(me));
    kill(my->child.frame.p.pid, SIGKILL);
    LOG("robbed:%d", waitpid(my->child.frame.p.pid, NULL, 0) > 0);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct no_command { ax_frame frame; };
AX_ASYNC(no_command) {
    static char *const none[] = {NULL};
    AX_BEGIN;
    AX_TRY(AX_CALL(ax_process, .argv = NULL));
    LOG("%d", me->rc);
    AX_TRY(AX_CALL(ax_process, .argv = none));
    LOG("%d", me->rc);
    AX_END;
}
/* Talks to a command while it runs. */
enum { TALKS, FAILS, LEAVES, FAILS_LATE, READS_LATE, IS_LATE, IS_CANCELLED, STAYS, IS_CANCELLED_TWICE };
struct talks { ax_frame frame; const char *text; int how; ax_task *task; char *argv[4]; ax_output out, err; };
struct session { ax_frame frame; int *fds, how, i; ax_task *caller; siginfo_t info; ax_reader in; char line[100]; };
AX_ASYNC(session) {
    AX_BEGIN;
    ax_reader_init(&my->in, my->fds[1], my->line, sizeof my->line);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("%s", my->in.data);
    if (my->how == FAILS) AX_RETURN(AX_EPROTO);
    if (my->how == FAILS_LATE || my->how >= IS_CANCELLED) ax_cancel(my->caller);
    if (my->how == LEAVES) AX_RETURN(7);
    if (my->how >= READS_LATE) /* it has ended by then */
        while (waitid(P_ALL, 0, &my->info, WEXITED | WNOHANG | WNOWAIT) == 0 && !my->info.si_pid) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (my->how == IS_LATE || my->how == IS_CANCELLED_TWICE) ax_cancel(my->caller);
    for (; my->how == IS_LATE && my->i < 20; my->i++) AX_AWAIT(ax_checkpoint(me)); /* it is told of that, which must not end it */
    if (my->how >= STAYS) AX_AWAIT(ax_sleep(me, AX_SEC(1000)));
    if (my->how == TALKS) {
        AX_AWAIT(ax_write_all(me, my->fds[0], "2+3\n", 4));
        AX_AWAIT(ax_reader_line(me, &my->in));
        LOG("%s", my->in.data);
        ax_close(me->loop, my->fds[0]);
        my->fds[0] = 0;
    }
    AX_WHILE(ax_reader_line(me, &my->in)) {
        LOG("%s", my->in.data);
        if (my->how == FAILS_LATE) AX_RETURN(AX_EPROTO);
    }
    LOG("end");
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("left:%d", ax_leaving(me));
    AX_END;
}
static ax_op talk(ax_task *me, int *fds, void *arg) {
    struct talks *t = (struct talks *)arg;
    return AX_CALL(session, .fds = fds, .how = t->how, .caller = t->task);
}
AX_ASYNC(talks) {
    AX_BEGIN;
    my->argv[0] = "sh", my->argv[1] = "-c", my->argv[2] = (char *)(uintptr_t)my->text;
    my->task = me;
    AX_TRY_ALL(AX_CALL(ax_process, .argv = my->argv, .talk = talk, .arg = my, .err = my->how == FAILS_LATE ? &my->err : NULL, .grace = my->how == STAYS ? AX_MS(1) : AX_SEC(100)));
    ax_uncancel(me);
    if (my->err.data) LOG("err:%s", strstr(my->err.data, "saved") ? "saved" : my->err.data); /* a shell may say more */
    ax_output_free(&my->err);
    LOG("%d child:%d", me->rc, waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD);
    AX_TRY(AX_CALL(ax_process, .argv = my->argv, .talk = talk, .out = &my->out)); /* either or */
    LOG("%d", me->rc);
    AX_TRY(AX_CALL(ax_process, .argv = my->argv, .talk = talk, .text = ""));
    LOG("%d", me->rc);
    AX_END;
}
struct cancels_talk { ax_frame frame; ax_group g; int turns, i; ax_task *child; };
AX_ASYNC(cancels_talk) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    my->child = AX_SPAWN(&my->g, talks, .how = READS_LATE, .text = "echo READY; cat");
    for (my->i = 0; my->i < my->turns; my->i++) AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->child);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* Beside so many tasks that one more needs a larger array of timers. */
struct idles { ax_frame frame; };
AX_ASYNC(idles) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_SEC(1000)));
    AX_END;
}
struct beside { ax_frame frame; int i; ax_group g; AX_TASK(idles) others[6]; };
AX_ASYNC(beside) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    for (my->i = 0; my->i < 6; my->i++) AX_SPAWN_IN(&my->g, &my->others[my->i], idles);
    AX_AWAIT(AX_CALL(talks, .how = LEAVES, .text = "echo READY"));
    AX_END;
}
/* A process that another one has left behind: gone, or nobody's zombie by now; it takes a moment to die. */
static int is_gone(int pid) {
    char path[40], state = 0;
    int i;
    for (i = 0; i < 30000; i++) {
        FILE *f;
        struct timespec moment = {0, 2000000};
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        if (!(f = fopen(path, "r"))) return kill(pid, 0) < 0;
        if (fscanf(f, "%*d %*s %c", &state) != 1) state = 'Z';
        fclose(f);
        if (state == 'Z') return 1;
        nanosleep(&moment, NULL);
    }
    return 0;
}
static void *fails_from(void *ctx, void *p, size_t old_size, size_t size) { /* and all after it */
    void *q = kit_alloc(ctx, p, old_size, size);
    if (size && !q) kit_fail_at++;
    return q;
}
static int no_child(void) { return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD; }

int main(void) {
    static char *env[] = {(char *)(uintptr_t)"WHO=me", (char *)(uintptr_t)"PATH=/usr/bin:/bin", NULL};
    char *big = (char *)calloc(1, 300001);
    struct rlimit most;
    sigset_t chld, mask;
    int before, i, first, bad, failed, low;
    alarm(120);
    JUDGE("a command: its exit code, and what it wrote", 0, "3 words", sh, .text = "printf words; exit 3", .outputs = OUT);
    JUDGE("... its errors apart", 0, "0 a err:b", sh, .text = "printf a; printf b >&2", .outputs = OUT | ERR);
    JUDGE("... both in one, in their order", 0, "0 abc", sh, .text = "printf a; printf b >&2; printf c", .outputs = BOTH);
    JUDGE("... an environment of its own", 0, "0 me", sh, .text = "printf %s \"$WHO\"", .outputs = OUT, .env = env);
    JUDGE("... no input: it ends at once", 0, "0 ", sh, .text = "cat", .outputs = OUT);
    JUDGE("... which it may leave unread", 0, "7 ", sh, .text = "exit 7", .outputs = OUT, .input = "unread");
    memset(big, 'x', 300000);
    JUDGE("more than pipes hold, in and out at once", 0, "0 300000 bytes, 0", sh, .text = "cat", .outputs = OUT, .input = big);
    JUDGE("too much output: its beginning, and it is said", 0, "0 1234567890 cut:1,0", sh, .text = "printf 123456789012", .outputs = OUT, .max = 10);
    JUDGE("... not if it just fits", 0, "0 1234567890", sh, .text = "printf 1234567890", .outputs = OUT, .max = 10);
    JUDGE("a signal ends it", 0, "137 ", sh, .text = "kill -9 $$", .outputs = OUT);
    JUDGE("there is no such command", 0, "", no_such);
    JUDGE("out of time: it is asked to end", 0, "-110 signal:15 ", sh, .text = "exec sleep 77", .outputs = OUT, .limit = AX_MS(1), .grace = AX_SEC(100));
    JUDGE("cancelled: so it is, and has its last words", 0, "-125 exit:4 on,bye", cut_short, .text = "trap 'printf bye; exit 4' TERM; printf on,; while :; do sleep 0.01; done");
    JUDGE("... and is killed if it refuses", 0, "-125 signal:9 on", cut_short, .text = "trap '' TERM; printf on; while :; do sleep 1; done", .no_grace = 1);
    JUDGE("... also if it is stopped", 0, "-125 signal:15 on", cut_short, .text = "printf on; kill -STOP $$");
    JUDGE("... or has left its group", 0, "-125 signal:9 on", cut_short, .no_grace = 1,
          .text = "exec perl -e '$| = 1; $SIG{TERM} = \"IGNORE\"; setpgrp(0, getpgrp(getppid)) or die; print \"on\"; sleep 100'");
    JUDGE("... and a child has not", 0, "-125 signal:9 on", cut_short, .no_grace = 1,
          .text = "exec perl -e '$| = 1; $SIG{TERM} = \"IGNORE\"; if (fork) { setpgrp(0, getpgrp(getppid)) or die; print \"on\" } sleep 20'");
    bad = AX_RUN_WITH(real(), cut_short, .text = "(trap '' TERM; exec sleep 77) & printf %s, $!; exec sleep 77");
    ok(bad == 0 && strncmp(tap_trace, "-125 signal:15 ", 15) == 0 && is_gone(atoi(tap_trace + 15)), "... with what it has left in its group (%s)", tap_trace);
    tap_trace[0] = 0;
    JUDGE("somebody else has waited for it", 0, "robbed:1 -10 exit:0", robs);
    JUDGE("no command", 0, "-22 -22", no_command);
    JUDGE("an input of no bytes", 0, "0 ", sh, .text = "cat", .outputs = OUT, .empty = big + 299999);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &chld, NULL);
    JUDGE("its end is heard though SIGCHLD was blocked", 0, "5 hi", sh, .text = "printf hi; exit 5", .outputs = OUT);
    pthread_sigmask(SIG_UNBLOCK, &chld, &mask);
    is(sigismember(&mask, SIGCHLD), 1, "... as it is again then");
    JUDGE("what stays in the background does not hold it up", 0, "0 started", sh, .text = "(sleep 3; printf late) & printf started", .outputs = OUT, .grace = AX_MS(1));
    JUDGE("twenty at a time: none is lost", 0, "110", many);

    before = open_fds(256);
    JUDGE("a command is talked to while it runs", 0, "READY 5 bye end 4 child:0 -22 -22", talks, .text = "echo READY; read x; echo $(($x)); read y; echo bye; exit 4");
    JUDGE("... with an error it is ended", 0, "READY left:-71 -71 child:0 -22 -22", talks, .how = FAILS, .text = "echo READY; exec sleep 77");
    JUDGE("... who leaves early closes both ends", 0, "READY 3 child:0 -22 -22", talks, .how = LEAVES, .text = "echo READY; read x; exit 3");
    JUDGE("... nothing is lost that it wrote before its end", 0, "READY a b end 0 child:0 -22 -22", talks, .how = READS_LATE, .text = "echo READY; echo a; echo b");
    JUDGE("... cancelled it is asked to end, and has its last words", 0, "READY bye end -125 child:0 -22 -22", talks, .how = IS_CANCELLED,
          .text = "trap 'echo bye; exit 4' TERM; echo READY; while :; do sleep 0.01; done");
    JUDGE("... also if it had ended before", 0, "READY a b end -125 child:0 -22 -22", talks, .how = IS_LATE, .text = "echo READY; echo a; echo b");
    JUDGE("... who fails then does not cut its grace time short", 0, "READY bye left:-71 err:saved -125 child:0 -22 -22", talks, .how = FAILS_LATE,
          .text = "trap 'echo bye; read x; printf saved >&2; exit 4' TERM; echo READY; while :; do sleep 0.01; done");
    JUDGE("... who then stays on is cancelled after the grace time", 0, "READY left:-125 -125 child:0 -22 -22", talks, .how = STAYS, .text = "echo READY; exec sleep 77");
    JUDGE("... or at once by a second cancel", 0, "READY left:-125 -125 child:0 -22 -22", talks, .how = IS_CANCELLED_TWICE, .text = "echo READY; exec sleep 77");
    for (i = 0, bad = 0; i < 20; i++) bad += AX_RUN_WITH(real(), cancels_talk, .turns = i) != 0 || !no_child() || kit_balance != 0;
    is(bad, 0, "... and anywhere else, it leaves no child and no memory");
    for (i = 1, failed = 0, bad = 0; i < 100; i++) {
        ax_loop_desc *d = real();
        kit_fail_at = i;
        failed += AX_RUN_WITH(d, beside) < 0 || strstr(tap_trace, "-12") != NULL;
        bad += !no_child() || kit_balance != 0 || (kit_reported && strstr(kit_reported, "freed"));
        if (kit_allocations < i) break;
    }
    ok(bad == 0 && failed > 2 && i < 100, "... nor out of memory at each of %d places", i - 1);
    is(open_fds(256), before, "... nor a descriptor");
    for (i = 0, bad = 0; i < 40; i++) bad += AX_RUN_WITH(real(), cancels, .first = i % 10, .second = i / 10 * 3) != 0 || !no_child() || kit_balance != 0;
    is(bad, 0, "cancelled anywhere, once or twice, it leaves no child and no memory");
    is(open_fds(256), before, "... nor a descriptor");
    for (i = 1, failed = 0, bad = 0; i < 200; i++) {
        ax_loop_desc *d = real();
        kit_fail_at = i;
        failed += AX_RUN_WITH(d, sh, .text = "cat", .input = "words", .outputs = BOTH) < 0 || strstr(tap_trace, "-12") != NULL;
        bad += !no_child() || kit_balance != 0;
        if (kit_allocations < i) break;
    }
    ok(bad == 0 && failed > 3 && i < 200, "out of memory at each of %d places, it leaves nothing behind either", i - 1);
    low = dup(0);
    close(low);
    getrlimit(RLIMIT_NOFILE, &most);
    for (i = 5, bad = failed = 0; i < 21; i++) {
        struct rlimit few = most;
        few.rlim_cur = (rlim_t)(low + i);
        setrlimit(RLIMIT_NOFILE, &few);
        (void)AX_RUN_WITH(real(), sh, .text = "cat", .input = "words", .outputs = OUT | ERR);
        failed += strstr(tap_trace, "-24") != NULL;
        setrlimit(RLIMIT_NOFILE, &most);
        bad += !no_child() || kit_balance != 0 || open_fds(256) != before;
    }
    ok(bad == 0 && failed > 3, "out of descriptors, too");
    for (first = 246, failed = 0, bad = 0; first < 256; first++) { /* one of its waits needs a larger table of descriptors */
        while ((low = dup(0)) < first) {}
        close(low);
        for (i = 1; i < 200; i++) {
            ax_loop_desc *d = real();
            kit_fail_at = i;
            d->alloc = fails_from;
            if (AX_RUN_WITH(d, sh, .text = "exit $(wc -c | grep -c -v 300000)", .input = big) < 0 || strstr(tap_trace, "-12")) failed++;
            else bad += strcmp(tap_trace, "0") != 0;
            bad += !no_child() || kit_balance != 0;
            if (kit_allocations < i) break;
        }
    }
    ok(bad == 0 && failed > 30 && i < 200, "out of memory for a wait, it's not given a part of its input without a word");
    free(big);
    return tap_end();
}
