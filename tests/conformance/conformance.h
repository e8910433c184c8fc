/* The stage for the conformance scenarios: a loop on a virtual clock, a trace of what each actor says, and asyncio's combinators
   (await, gather, wait, wait_for) in terms of asyncx.

   A scenario's main task is M. It and the actors it starts with GO are async functions whose frame begins with ACTOR:

     struct TASK_00_a { ACTOR; int n; };
     AX_ASYNC(TASK_00_a) {
         BEGINS;
         say("start");                      // A:start@0
         AX_AWAIT(ms(me, 10));
         AX_RETURN(my->n);
         ENDS;                              // A:ok(7)@10: each actor's last action is to say how it ended
     }
     struct TASK_00 { ACTOR; };
     SCENARIO(TASK_00) {                    // the case TASK-00
         BEGINS;
         GO(ROOT, "A", TASK_00_a, .n = 7);
         ENDS;
     } */

#include <pthread.h>
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "tap.h"
#include <signal.h>

/* ---- statuses as the scenarios' words ---- */

enum { E1 = -1001, E2 = -1002, E3 = -1003, E9 = -1009 }; /* the scenarios' own errors */
enum { TEXT = 1 << 16 };                                 /* statuses from here on stand for a text */

static char texts[64][64];
static int text_count;

static int text(const char *s) {
    int i;
    for (i = 0; i < text_count && strcmp(texts[i], s) != 0; i++) {}
    if (i == text_count) snprintf(texts[text_count++], sizeof texts[0], "%s", s);
    return TEXT + i;
}

/* The word for a status: a number, a text, or an error's code. */
static const char *word(int status) {
    static char ring[16][16];
    static int next;
    static const struct { int status; const char *code; } codes[] = {
        {AX_ECANCELED, "CANCELLED"}, {AX_ETIMEDOUT, "TIMEDOUT"}, {AX_EPIPE, "SHUTDOWN"}, {AX_EINVAL, "INVALID"},
        {AX_EOVERFLOW, "INVALID"}, {AX_EALREADY, "BADSTATE"}, {AX_EINPROGRESS, "BADSTATE"}, {AX_EPERM, "MISUSE"},
        {AX_EBUSY, "MISUSE"}, {AX_EDEADLK, "MISUSE"}, {AX_EINTR, "INTERRUPT"}, {AX_ECONNABORTED, "BROKEN"}};
    char *s = ring[next++ & 15];
    size_t i;
    for (i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].status == status) return codes[i].code;
    if (status >= TEXT) return texts[status - TEXT];
    if (status <= -1001) snprintf(s, 16, "E%d", -1000 - status);
    else snprintf(s, 16, "%d", status);
    return s;
}

static const char *truth(int x) { return x ? "true" : "false"; }

/* ---- the trace ---- */

struct actor {
    const char *name;
    ax_task *task;
    ax_group *group;
    int ended; /* place in the order of ends, from 1 */
};

static ax_loop the_loop;     /* most scenarios run on this one */
static ax_loop *loop_now;    /* whose clock dates the trace */
static struct actor actors[32];
static int actor_count, end_count, silent, last_ms;
static char trace_line[8192], final_line[1024], state_line[1024];

static void append(char *line, size_t size, const char *s) {
    size_t n = strlen(line);
    snprintf(line + n, size - n, "%s%s", n ? " " : "", s);
}

static int at_ms(void) {
    if (loop_now) last_ms = (int)(ax_now(loop_now) / 1000000);
    return last_ms;
}

static void __attribute__((format(printf, 2, 3))) says(const char *who, const char *fmt, ...) {
    char event[256], token[320];
    va_list ap;
    if (silent) return;
    va_start(ap, fmt);
    vsnprintf(event, sizeof event, fmt, ap);
    va_end(ap);
    snprintf(token, sizeof token, "%s:%s@%d", who, event, at_ms());
    append(trace_line, sizeof trace_line, token);
}

static void __attribute__((format(printf, 1, 2))) state(const char *fmt, ...) {
    char s[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    append(state_line, sizeof state_line, s);
}

static void says_error(const char *who, int status) {
    if (status < 0) says(who, "caught(%s)", word(status));
    else says(who, "no_error");
}

static const char *outcome(int status) {
    static char ring[8][80];
    static int next;
    char *s = ring[next++ & 7];
    if (status == 0) return "ok";
    if (status == AX_EINPROGRESS) return "pending";
    if (status == AX_ECANCELED) return "cancelled";
    snprintf(s, 80, status > 0 ? "ok(%s)" : "err(%s)", word(status));
    return s;
}

static struct actor *actor_of(const ax_task *task) {
    int i;
    for (i = 0; i < actor_count; i++)
        if (actors[i].task == task) return &actors[i];
    return NULL;
}

static void says_end(ax_task *me, const char *who) {
    struct actor *a = actor_of(me);
    if (a) a->ended = ++end_count;
    says(who, "%s", outcome(ax_leaving(me)));
}

static ax_task *cast(const char *who, ax_group *group, ax_task *task) {
    struct actor *a = &actors[actor_count];
    if (!task) return NULL; /* refused */
    a->name = who;
    a->task = ax_task_ref(task);
    a->group = group;
    a->ended = 0;
    actor_count++;
    return task;
}

static const char *name_of(const ax_task *task) {
    struct actor *a = actor_of(task);
    return a ? a->name : "nobody";
}

/* The line of final statuses, once; what still waits is pending. A loop that is adopted writes it at the latest when it closes, and lets
   the actors' frames go, which are read until then. */
static void write_finals(void) {
    char token[128];
    int i;
    if (*final_line) return;
    for (i = 0; i < actor_count; i++) {
        snprintf(token, sizeof token, "%s=%s", actors[i].name, outcome(ax_task_status(actors[i].task)));
        append(final_line, sizeof final_line, token);
    }
}
static void loop_closes(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    write_finals();
    while (actor_count) ax_task_unref(actors[--actor_count].task);
}
static void adopt_loop(ax_loop *loop, ax_callback *at_close) {
    memset(at_close, 0, sizeof *at_close);
    ax_at_close(loop, at_close, loop_closes, NULL);
}
static void open_loop(const ax_loop_desc *desc) {
    static ax_callback at_close;
    ax_loop_open(&the_loop, desc);
    adopt_loop(&the_loop, &at_close);
    loop_now = &the_loop;
}

/* For scenarios that move the time themselves. */
static ax_time own_now;
static ax_time own_clock(void *now) { return *(ax_time *)now; }
static void open_own_clock(void) { /* instead of the loop that is open */
    ax_loop_desc desc = {0};
    desc.clock = own_clock;
    desc.clock_ctx = &own_now;
    own_now = 0;
    ax_loop_close(&the_loop);
    open_loop(&desc);
}

#define ACTOR ax_frame frame; const char *name; int began
#define BEGINS AX_BEGIN; my->began = 1
#define LAST_WORD do if (my->began) says_end(me, my->name); while (0) /* who never started says nothing */
#define ENDS AX_FINALLY: LAST_WORD; AX_END
#define ROOT (&the_loop.root)
#define GO(group, who, ...) cast(who, group, AX_SPAWN(group, __VA_ARGS__, .name = who))
#define say(...) says(my->name, __VA_ARGS__)
#define say_error(status) says_error(my->name, status)
#define SCENARIO(id)                                           \
    AX_DECLARE(id);                                            \
    static void id##_play(void) { GO(ROOT, "M", id); }         \
    AX_ASYNC(id)

static AX_MUST_USE ax_op ms(ax_task *me, int n) { return ax_sleep(me, AX_MS(n)); }
static AX_MUST_USE ax_op forever(ax_task *me) { return ax_sleep(me, AX_FOREVER); }

/* ---- callbacks ---- */

static ax_timer timers[32];
static ax_callback callbacks[32];
static int timer_count, callback_count;

static ax_timer *at(int time, ax_fn *fn, void *arg) {
    ax_timer *t = &timers[timer_count++];
    ax_timer_start(loop_now, t, AX_MS(time), fn, arg);
    return t;
}
static ax_callback *fresh_callback(void) { return &callbacks[callback_count++]; }
static ax_callback *soon(ax_fn *fn, void *arg) {
    ax_callback *c = fresh_callback();
    ax_soon(loop_now, c, fn, arg);
    return c;
}

static void event(ax_loop *loop, void *token) { /* says "c1:called" */
    char who[32];
    const char *what = strchr((const char *)token, ':');
    (void)loop;
    snprintf(who, sizeof who, "%.*s", (int)(what - (const char *)token), (const char *)token);
    says(who, "%s", what + 1);
}
static void stop_loop(ax_loop *loop, void *arg) {
    (void)arg;
    ax_loop_stop(loop);
}
static void cancel_it(ax_loop *loop, void *task) {
    (void)loop;
    ax_cancel((ax_task *)task);
}

/* ---- common actors ---- */

/* Sleeps (a negative time: for ever), then ends with a value or an error. When cancelled it may clean up for a while and then
   fail, or swallow the cancel. */
struct nap { ACTOR; int time, value, cleanup, cleanup_error, swallow; };
AX_ASYNC(nap) {
    BEGINS;
    AX_TRY_ALL(my->time < 0 ? forever(me) : ms(me, my->time));
    if (me->rc < 0) {
        if (my->cleanup) {
            say("cleanup");
            AX_AWAIT(ms(me, my->cleanup));
        }
        if (my->cleanup_error) AX_RETURN(my->cleanup_error);
        if (!my->swallow) AX_RETURN(AX_ECANCELED);
    }
    AX_RETURN(my->value);
    ENDS;
}

struct ran { ACTOR; };
AX_ASYNC(ran) {
    BEGINS;
    say("ran");
    ENDS;
}

/* ---- asyncio's combinators ---- */

/* `await task`: the fates are tied. A cancel is passed on, and the waiter goes when the task has ended, with whatever it
   ended with. (ax_join alone is `await shield(task)`.) */
struct await_task { ax_frame frame; ax_task *task; };
AX_ASYNC(await_task) {
    AX_BEGIN;
    for (;;) {
        AX_TRY_ALL(ax_join(me, my->task));
        if (me->rc != AX_ECANCELED || ax_task_status(my->task) != AX_EINPROGRESS) AX_RETURN(me->rc);
        ax_cancel(my->task);
    }
    AX_END;
}

/* `wait_for(task, time)`: a limit on that; the task is cancelled and awaited when it expires. */
struct wait_for { ax_frame frame; ax_task *task; ax_time time; ax_timeout limit; };
AX_ASYNC(wait_for) {
    AX_BEGIN;
    ax_timeout_open(me, &my->limit, my->time);
    AX_AWAIT(AX_CALL(await_task, .task = my->task));
    AX_RETURN(me->rc);
    AX_END;
}

/* Joiners (ax_joiner) make a collecting group over tasks of other groups. Their ends come out of ax_group_next in order of
   completion, and cancelling them leaves the tasks alone. */
#define JOINERS (AX_GROUP_COLLECT | AX_GROUP_KEEP | AX_GROUP_BACKGROUND)

static void open_joiners(ax_task *me, ax_group *group, ax_task *const *tasks) {
    int i, k;
    ax_group_open(me, group, JOINERS);
    for (i = 0; tasks[i]; i++) {
        for (k = 0; k < i && tasks[k] != tasks[i]; k++) {}
        if (k == i) AX_SPAWN(group, ax_joiner, .task = ax_task_ref(tasks[i])); /* duplicates count once */
    }
}

/* "[1,E2,3]" of the tasks' statuses, "[A,B]" of those tasks' names that have ended or not. */
static const char *list_close(char *s) {
    size_t n = strlen(s);
    if (n > 1) n--;
    strcpy(s + n, "]");
    return s;
}
static const char *results(ax_task *const *tasks) {
    static char s[128];
    strcpy(s, "[");
    for (; *tasks; tasks++) strcat(strcat(s, word(ax_task_status(*tasks))), ",");
    return list_close(s);
}
static const char *names(ax_task *const *tasks, int ended) {
    static char s[128];
    ax_task *const *t, *const *k;
    strcpy(s, "[");
    for (t = tasks; *t; t++) {
        for (k = tasks; k < t && *k != *t; k++) {}
        if (k == t && (ax_task_status(*t) != AX_EINPROGRESS) == ended) strcat(strcat(s, name_of(*t)), ",");
    }
    return list_close(s);
}

/* `gather(*tasks)`: a list of results; the first error ends the waiting and leaves the others running (`all`: errors are
   results). If the waiter is cancelled, the tasks are, and all are awaited. */
struct gather { ax_frame frame; ax_task *const *tasks; int all; int i, cancelled; ax_group joiners; ax_task *child; };
AX_ASYNC(gather) {
    AX_BEGIN;
    open_joiners(me, &my->joiners, my->tasks);
    for (;;) {
        AX_TRY_ALL(ax_group_next(me, &my->joiners, &my->child));
        if (me->rc == 0) break;
        if (me->rc < 0) {
            my->cancelled = 1;
            for (my->i = 0; my->tasks[my->i]; my->i++) ax_cancel(my->tasks[my->i]);
        } else if (!my->all && !my->cancelled && ax_task_status(my->child) < 0) {
            AX_RETURN(ax_task_status(my->child));
        }
    }
    AX_RETURN(my->cancelled ? AX_ECANCELED : text(results(my->tasks)));
    AX_END;
}

/* `wait(tasks, return_when)`: never fails for a task's sake, never cancels one. */
enum { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION };
struct wait_tasks { ax_frame frame; ax_task *const *tasks; int when; ax_group joiners; ax_task *child; };
AX_ASYNC(wait_tasks) {
    AX_BEGIN;
    if (!*my->tasks || my->when < ALL_COMPLETED || my->when > FIRST_EXCEPTION) AX_RETURN(AX_EINVAL);
    open_joiners(me, &my->joiners, my->tasks);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) {
        if (my->when == FIRST_COMPLETED || (my->when == FIRST_EXCEPTION && ax_task_status(my->child) < 0)) break;
    }
    AX_RETURN(0);
    AX_END;
}

/* ---- groups ---- */

/* What came out of a group: "GROUP(E1,E2)", the children's errors in order of completion and the body's last. asyncx reports the
   first in time, which must be one of them. */
static const char *group_errors(const ax_group *group, int reported, const char *body) {
    static char ring[4][128];
    static int next;
    char *s = ring[next++ & 3];
    int order, i, found = reported == AX_EINPROGRESS;
    strcpy(s, "GROUP(");
    for (order = 1; order <= end_count; order++) {
        for (i = 0; i < actor_count; i++) {
            int status = ax_task_status(actors[i].task);
            if (actors[i].ended != order || actors[i].group != group || status >= 0 || status == AX_ECANCELED) continue;
            strcat(strcat(s, word(status)), ",");
            if (status == reported) found = 1;
        }
    }
    if (body && *body) {
        strcat(strcat(s, body), ",");
        if (strstr(body, word(reported))) found = 1;
    }
    if (!found) strcat(strcat(s, "reported:"), word(reported));
    else if (s[strlen(s) - 1] == ',') s[strlen(s) - 1] = 0;
    return strcat(s, ")");
}

static void says_group(const char *who, const ax_group *group, int reported, const char *body) {
    if (reported >= 0 || reported == AX_ECANCELED) says_error(who, reported);
    else says(who, "caught(%s)", group_errors(group, reported, body));
}
