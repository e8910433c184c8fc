/* asyncx_process.h - child processes for asyncx: run a command, feed it, collect what it writes - MIT-0

   For POSIX systems. Include after asyncx.h.

     struct app { ax_frame frame; ax_output out; };

     AX_ASYNC(app) {
         static char *const list[] = {"ls", "-l", NULL};
         AX_BEGIN;
         AX_AWAIT(AX_WITHIN(AX_SEC(10), AX_CALL(ax_process, .argv = list, .out = &my->out, .grace = AX_SEC(2))));
         printf("exit code %d\n%s", me->rc, my->out.data);
         AX_FINALLY:
         ax_output_free(&my->out);
         AX_END;
     }

   Or talk to it while it runs, line by line, by a function of yours that gets both ends:

     static ax_op talk(ax_task *me, int *fds, void *arg) { (void)arg; return AX_CALL(session, .fds = fds); }

     AX_AWAIT(AX_CALL(ax_process, .argv = list, .talk = talk));

   WHAT HOLDS

     - No child stays behind: one whose wait is cancelled, or out of time, gets SIGTERM, with the processes of its group. When
       it has ended, or after the grace time, SIGKILL ends what is left of them. A second cancel ends the grace time. (The rest
       of a group whose leader has ended by itself is left alone.) Who talks to it has as long again to read its last words, and
       what fails there is no error then.
     - All pipes are moved at the same time, so that none fills up while another is waited on. A command that does not read
       all its input is no error.
     - What it has written before its end is there, also after a time-out. (Who talks to it reads that within the grace time.)
     - Signals, their mask and close-on-exec are put right between us and the command (posix_spawn; no fork).

   LIMITS  The loop catches SIGCHLD until it closes, so only one loop of the program can have children (another gets
   AX_EBUSY, as does an AX_RUN inside), and system() or a SIGCHLD handler of the program's must not be used beside it. A
   command outlives a program that is killed, as by a second Ctrl-C: its group is not the terminal's. What becomes another
   user's (setuid) can't be ended. A virtual clock does not wait for a process. */

#ifndef ASYNCX_PROCESS_H
#define ASYNCX_PROCESS_H

#include <errno.h>
#include <fcntl.h>
#ifndef F_DUPFD_CLOEXEC
#error "asyncx_process.h: define _POSIX_C_SOURCE as 200809L before the first #include"
#endif
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a command writes; zeroed, but for max, before its first use. */
typedef struct ax_output {
    char *data;  /* followed by a zero byte; NULL if the command was not run */
    size_t size;
    size_t max;  /* of what is kept; 0: 1 MiB. The rest is read and dropped: */
    int cut;     /* then this is 1 */
} ax_output;
static inline void ax_output_free(void *output); /* fits ax_defer */

struct ax_process;
struct axi_process_reap { ax_frame frame; struct ax_process *p; };
struct axi_process_wait { ax_frame frame; struct ax_process *p; int again; struct axi_process_reap reap; };
struct axi_process_talk { ax_frame frame; struct ax_process *p; };
struct axi_process_feed { ax_frame frame; int *fd; const void *data; size_t size; };
struct axi_process_take { ax_frame frame; int *fd; ax_output *to; size_t cap; };

/* Runs a command to its end: its exit code, or 128 + the signal that ended it; or why it could not be run, or read. May suspend.
   What these point to has to stay until it ends. */
struct ax_process {
    ax_frame frame;
    char *const *argv;    /* the command, looked for in PATH, and its arguments; then NULL */
    /* the rest is optional */
    char *const *env;     /* "NAME=value" ..., NULL; else ours */
    const char *text;     /* its input, as a text */
    const void *input;    /* or these bytes; else it reads /dev/null */
    size_t input_size;
    ax_output *out, *err; /* else it writes where we do; the same one twice: both in one, in the order that they came */
    ax_op (*talk)(ax_task *me, int *fds, void *arg); /* instead of text, input and out: an op, in a task of its own, that writes its
                             input to fds[0] and reads its output from fds[1] to the end; they are closed then. To end the input
                             before: ax_close(me->loop, fds[0]), fds[0] = 0. If it fails the command is ended, and the error given.
                             It is waited for, also after the command's end: AX_WITHIN limits that, where others hold the output */
    void *arg;
    ax_time grace;        /* from SIGTERM to SIGKILL; and how long its output is read after its end while others hold it open */
    int ended;            /* a result, as of waitpid: to be read after AX_CALL_IN */
    pid_t pid;            /* private from here; 0: none, or it is gone */
    int over, lost;       /* it has ended, and keeps its number; somebody else has waited for it */
    int ending;           /* it is being ended, or its last words are read */
    int fds[3];           /* our ends of its pipes; 0: none, since they are above 2 */
    ax_group pumps;
    struct axi_process_wait wait; /* all in the frame: the cleanup must not run out of memory */
    AX_TASK(axi_process_talk) talker;
    AX_TASK(axi_process_feed) feed;
    AX_TASK(axi_process_take) take[2];
};
AX_DECLARE(ax_process) __attribute__((unused));

/* ---- private from here ---- */

#if !defined(_GNU_SOURCE) || !defined(__linux__)
extern char **environ;
#endif

static inline void ax_output_free(void *output) {
    ax_output *o = (ax_output *)output;
    free(o->data);
    o->data = NULL;
    o->size = 0;
    o->cut = 0;
}

static inline void axi_process_close(ax_loop *loop, int *fd) {
    if (*fd > 0) ax_close(loop, *fd);
    *fd = 0;
}

/* ---- its start ---- */

/* A pipe with both ends above 2, so that none is another's standard stream, and close-on-exec: a second command that holds this
   pipe would keep it from ending. */
static inline int axi_process_pipe(int ends[2]) {
    int i, rc = 0, low[2];
#if defined(__linux__) && defined(_GNU_SOURCE)
    if (pipe2(low, O_CLOEXEC) < 0) return -errno;
#else
    if (pipe(low) < 0) return -errno;
#endif
    for (i = 0; i < 2; i++) {
        if ((ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3)) < 0) rc = -errno;
        close(low[i]);
    }
    for (i = 0; i < 2 && rc < 0; i++)
        if (ends[i] >= 0) close(ends[i]);
    return rc;
}

/* Its process id, or an error, of exec too. Not by fork: in a program with threads, only the little that posix_spawn does would be
   allowed between that and exec. */
static inline int axi_process_spawn(const struct ax_process *p, const int theirs[3]) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all, none;
    pid_t pid = 0;
    int rc, i;
    if ((rc = posix_spawn_file_actions_init(&files)) != 0) return -rc;
    if ((rc = posix_spawnattr_init(&attr)) == 0) {
        sigemptyset(&none);
        sigfillset(&all);
        sigdelset(&all, SIGKILL);
        sigdelset(&all, SIGSTOP);
        if (!theirs[0]) rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        for (i = 0; i < 3 && !rc; i++)
            if (theirs[i]) rc = posix_spawn_file_actions_adddup2(&files, theirs[i], i);
        posix_spawnattr_setsigdefault(&attr, &all); /* what we ignore it would ignore as well */
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setpgroup(&attr, 0);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
        if (!rc) rc = posix_spawnp(&pid, p->argv[0], &files, &attr, p->argv, p->env ? p->env : environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc ? -rc : (int)pid;
}

/* Its pipes and itself: 0 or an error. */
static inline int axi_process_start(struct ax_process *p) {
    int theirs[3] = {0, 0, 0}, needed[3], ends[2], rc = 0, i;
    if (!p->argv || !p->argv[0]) return AX_EINVAL;
    if (p->text) p->input = p->text, p->input_size = strlen(p->text);
    if (p->talk && (p->input || p->out)) return AX_EINVAL;
    needed[0] = p->input || p->talk;
    needed[1] = p->out || p->talk;
    needed[2] = p->err && p->err != p->out;
    for (i = 0; i < 3 && rc >= 0; i++) {
        if (!needed[i] || (rc = axi_process_pipe(ends)) < 0) continue;
        theirs[i] = ends[i != 0];
        p->fds[i] = ends[i == 0];
        rc = ax_nonblocking(p->fds[i]);
    }
    if (p->err && !needed[2]) theirs[2] = theirs[1];
    if (rc >= 0) rc = axi_process_spawn(p, theirs);
    for (i = 0; i < 3; i++)
        if (needed[i] && theirs[i]) close(theirs[i]);
    if (rc > 0) p->pid = (pid_t)rc;
    return rc < 0 ? rc : 0;
}

/* ---- its pipes ---- */

AX_ASYNC(axi_process_talk) {
    AX_BEGIN;
    AX_TRY(my->p->talk(me, my->p->fds, my->p->arg));
    if (me->rc < 0 && !my->p->ending) AX_RETURN(me->rc);
    AX_FINALLY:
    axi_process_close(me->loop, &my->p->fds[0]);
    axi_process_close(me->loop, &my->p->fds[1]);
    AX_END;
}

AX_ASYNC(axi_process_feed) {
    AX_BEGIN;
    AX_TRY(ax_write_all(me, *my->fd, my->data, my->size)); /* AX_EPIPE: it does not want to read all, which is its right */
    if (me->rc < 0 && me->rc != AX_EPIPE) AX_RETURN(me->rc);
    axi_process_close(me->loop, my->fd);
    AX_END;
}

/* Room for more of what it writes: 0 if that is full, or AX_ENOMEM. */
static inline int axi_process_room(struct axi_process_take *t, size_t *room) {
    ax_output *o = t->to;
    size_t max = o->max ? o->max : (size_t)1 << 20, cap = t->cap ? t->cap : 4096;
    while (cap <= o->size + 1) cap *= 2;
    if (cap > t->cap && o->size < max) {
        char *data = (char *)realloc(o->data, cap);
        if (!data) return AX_ENOMEM;
        o->data = data;
        o->data[o->size] = 0;
        t->cap = cap;
    }
    *room = o->size < max ? t->cap - 1 - o->size : 0;
    if (*room > max - o->size) *room = max - o->size;
    return 0;
}

/* One read: how many bytes, 0 at the end, AX_EAGAIN, or an error. What finds no room is dropped. */
static inline int axi_process_read(struct axi_process_take *t) {
    char rest[4096];
    size_t room;
    ssize_t n;
    int rc = axi_process_room(t, &room);
    if (rc < 0) return rc;
    do n = read(*t->fd, room ? t->to->data + t->to->size : rest, room ? room : sizeof rest);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EWOULDBLOCK ? AX_EAGAIN : -errno;
    if (room) t->to->data[t->to->size += (size_t)n] = 0;
    else t->to->cut |= n > 0;
    return (int)n;
}

AX_ASYNC(axi_process_take) {
    int rc;
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_wait_fd(me, *my->fd, AX_IN));
        rc = axi_process_read(my);
        if (rc <= 0 && rc != AX_EAGAIN) AX_RETURN(rc);
    }
    AX_FINALLY: /* of one that is cancelled: what is in the pipe by now */
    for (rc = 0; rc < 16 && !my->to->cut && axi_process_read(my) > 0; rc++) {}
    AX_END;
}

/* ---- its end ---- */

/* Waits until it has ended. SIGCHLD wakes all who wait for one: each looks at its own. */
AX_ASYNC(axi_process_reap) {
    struct ax_process *p = my->p;
    siginfo_t info;
    AX_BEGIN;
    while (!p->over) {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) p->over = p->lost = errno != EINTR;
        else if (info.si_pid) p->over = 1;
        else AX_AWAIT(ax_signal_wait(me, SIGCHLD));
    }
    AX_END;
}

/* The group that it leads, with a shell's own children; and itself, if it has left that. */
static inline void axi_process_kill(const struct ax_process *p, int number) {
    if (!p->lost && (kill(-p->pid, number) < 0 || getpgid(p->pid) != p->pid)) kill(p->pid, number);
}

/* Whether somebody talks to it: not if it's somebody else's, or there was no memory for a task. */
static inline int axi_process_talks(const struct ax_process *p) { return p->talker.frame.p && !p->lost; }

/* The same, and until all is read by who talks to it; one that is cancelled ends the command. */
AX_ASYNC(axi_process_wait) {
    struct ax_process *p = my->p;
    AX_BEGIN;
    AX_AWAIT(AX_CALL_IN(&my->reap, axi_process_reap, .p = p));
    if (axi_process_talks(p)) AX_AWAIT(ax_join(me, &p->talker.task));
    AX_FINALLY:
    p->ending = ax_leaving(me) < 0;
    if (!p->over) {
        axi_process_kill(p, SIGTERM);
        axi_process_kill(p, SIGCONT); /* one that is stopped would not hear of it */
        AX_AWAIT(AX_WITHIN(p->grace, AX_CALL_IN(&my->reap, axi_process_reap, .p = p)));
        my->again = me->rc == AX_ECANCELED;
        axi_process_kill(p, SIGKILL);
    }
    while (!p->over) AX_AWAIT(AX_CALL_IN(&my->reap, axi_process_reap, .p = p)); /* each cancel ends one wait */
    if (!p->lost && waitpid(p->pid, &p->ended, 0) < 0) p->lost = 1;
    p->pid = 0;
    if (p->ending && !my->again && axi_process_talks(p)) /* its last words */
        AX_AWAIT(AX_WITHIN(p->grace, ax_join(me, &p->talker.task)));
    AX_END;
}

AX_ASYNC(ax_process) {
    int i;
    AX_BEGIN;
    AX_CHECK(ax_signal_catch(me->loop, SIGCHLD)); /* before there is a child */
    AX_CHECK(axi_process_start(my));
    ax_group_open(me, &my->pumps, 0);
    if (my->talk) AX_SPAWN_IN(&my->pumps, &my->talker, axi_process_talk, .p = my);
    else if (my->fds[0])
        AX_SPAWN_IN(&my->pumps, &my->feed, axi_process_feed, .fd = &my->fds[0], .data = my->input, .size = my->input_size);
    for (i = 0; i < 2; i++)
        if (i ? my->err && my->err != my->out : my->out != NULL)
            AX_SPAWN_IN(&my->pumps, &my->take[i], axi_process_take, .fd = &my->fds[i + 1], .to = i ? my->err : my->out);
    AX_AWAIT(AX_CALL_IN(&my->wait, axi_process_wait, .p = my));
    if (my->lost) AX_RETURN(-ECHILD);
    AX_TRY(AX_WITHIN(my->grace, ax_group_join(me, &my->pumps)));
    if (me->rc < 0 && !ax_expired(me)) AX_RETURN(me->rc);
    AX_RETURN(WIFSIGNALED(my->ended) ? 128 + WTERMSIG(my->ended) : WEXITSTATUS(my->ended));
    AX_FINALLY:
    for (i = 0; i < 3; i++) axi_process_close(me->loop, &my->fds[i]);
    AX_END;
}

#endif
