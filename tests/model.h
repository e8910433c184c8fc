/* A model of tasks, for random tests of what they wait for: turns, waits in lines, requests to cancel, time limits, sleeps; and a
   macro, DO, that does an op in the model and for real and compares. Include after the implementation. */
#ifndef MODEL_H
#define MODEL_H
#include "dice.h"

enum { ACTORS = 24, GENERATORS = 3, LINE = ACTORS + GENERATORS, LIMITS = 16, DEPTH = 3, TRACE = 30 };
enum { OWN = AXI_OWN }; /* how a wait ends that was cancelled */

/* ---- The model of a task ---- */

struct actor;
struct line { struct actor *who[LINE]; int n; }; /* who waits for one thing, first come first */
struct item { int key, id; };
struct actor { /* a task or a generator; the first is the callback of a timer */
    int id, state, silent; /* silent: an ax_joiner, which runs no code of this file */
    ax_task *task;
    struct line *line;           /* where it waits */
    int (*hook)(struct actor *); /* what a cancel of this wait does: 0 or AX_STAY; NULL: nothing else */
    int expect;                  /* what its wait ends with */
    int count, unmet, asked;     /* requests to cancel; one waits for the next wait; the present wait was told */
    ax_time wake;                /* AX_FOREVER: does not sleep */
    void (*slept)(struct actor *); /* what happens when it wakes, if anything */
    unsigned wake_seq;
    struct limit { ax_time when; unsigned seq; int base, expired; } limit[LIMITS]; /* open ones, outermost first */
    int limits;
    const char *op; /* the present one, NULL between two */
    ax_time time;
    int limited, keeps;    /* it has a time limit; it stays in the body if it is cancelled */
    int bounded, cleaning; /* has kept a cancel: all further waits are limited; is in a cleanup that waits */
    int depth, steps, status;
    struct item item;                    /* on its way through a queue */
    int tokens;                          /* what it wants of a limiter */
    const void *scope; int relock;       /* the frame that is to hold the mutex; how its wait for a condition ended */
    struct generator *asks; int leaving; /* is in ax_next or close of it; as the frame that opened it */
    struct actor *target;
    struct line joiners;
};
enum { NONE, FRESH, READY, RUNNING, WAITING, OVER };

static struct world {
    ax_loop loop;
    ax_time now;
    struct actor actor[ACTORS + GENERATORS], *running;
    struct line ready;
    unsigned seq; /* limits and sleeps in the order in which they were set */
    int turn; /* how many of the ready queue are still to run in this turn */
    int budget;
} w;
static long seed, operations, waits, cancelled, time_outs, kept, dead_ends;
static struct { ax_time at; const char *text; int who, value; } trace[TRACE];
static unsigned traced;

static void say(int who, const char *text, int value) {
    unsigned i = traced++ % TRACE;
    trace[i].at = w.loop.now;
    trace[i].who = who;
    trace[i].text = text;
    trace[i].value = value;
}
static void wrong(const char *why, const char *file, int line) { /* the program can't go on */
    unsigned k = traced < TRACE ? 0 : traced - TRACE;
    printf("# seed %ld: %s:%d: %s\n", seed, file, line, why);
    printf("# time in ms, who (from 100 on a generator), what, result (of an op: 1 if it waits, then its status)\n");
    for (; k < traced; k++) {
        unsigned i = k % TRACE;
        printf("#   %3ld %3d  %s: %d\n", (long)(trace[i].at / 1000000), trace[i].who, trace[i].text, trace[i].value);
    }
    ok(0, "random use of the primitives; again with `primitives 1 %ld`", seed);
    tap_end();
    fflush(stdout);
    _exit(1);
}
#define CHECK(cond) ((cond) ? (void)0 : wrong(#cond, __FILE__, __LINE__))

static void enters(struct actor *a, struct line *l) {
    l->who[l->n++] = a;
    a->line = l;
}
static void leaves(struct actor *a) {
    struct line *l = a->line;
    int i = 0;
    if (!l) return;
    while (l->who[i] != a) i++;
    for (l->n--; i < l->n; i++) l->who[i] = l->who[i + 1];
    a->line = NULL;
}
static struct actor *first(struct line *l) { /* off the line; NULL if nobody waits */
    struct actor *a = l->n ? l->who[0] : NULL;
    if (a) leaves(a);
    return a;
}

static int answer(struct actor *a, int status) { /* who was told of a cancel has met it, unless a result came first */
    if (!a->asked) return status;
    a->asked = 0;
    a->unmet = status != AX_ECANCELED && status != OWN && a->count;
    return status == AX_ECANCELED ? OWN : status;
}
static void go(struct actor *a, int status) { /* its wait ends */
    a->expect = answer(a, status);
    a->wake = AX_FOREVER;
    a->state = READY;
    enters(a, &w.ready);
}
static void go_on(struct actor *a, int status) { /* the same without a turn: into a generator and back */
    a->expect = answer(a, status);
    a->state = RUNNING;
    w.running = a;
}
static void all_go(struct line *l, int status) {
    while (l->n) go(first(l), status);
}

static int stay(struct actor *a) { (void)a; return AX_STAY; }
static void interrupt(struct actor *a) {
    a->unmet = 0;
    a->asked = 1;
    if (a->hook && a->hook(a) == AX_STAY) return;
    leaves(a);
    go(a, OWN);
}
static int next_cancel(struct actor *), close_cancel(struct actor *); /* a generator hears of each request */
static void request(struct actor *a) {
    a->count++;
    if (a->state == FRESH) a->expect = OWN;
    else if (a->state == WAITING && !a->asked) interrupt(a);
    else if (a->state == WAITING && (a->hook == next_cancel || a->hook == close_cancel)) a->hook(a);
    else if (a->state == WAITING) return;
    else if (a->state == RUNNING || a->expect != OWN) a->unmet = 1;
}
static int take_back(struct actor *a, int base) { /* 1 if there are requests by others, made since */
    int i;
    if (a->count) a->count--;
    for (i = 0; i < a->limits; i++) a->limit[i].base -= a->limit[i].base > base;
    if (a->count > base) return 1;
    a->unmet = 0;
    return 0;
}
static void uncancel(struct actor *a) { /* by hand, whoever has made it */
    int i;
    if (!a->count) return;
    a->count--;
    if (!a->count) a->unmet = 0;
    for (i = 0; i < a->limits; i++) a->limit[i].base -= a->limit[i].base > a->count - a->unmet;
    if (!a->count && a->state == FRESH) a->expect = 0;
}

static void set_limit(struct actor *a, ax_time time) {
    struct limit *l = &a->limit[a->limits++];
    l->when = w.now + time;
    l->seq = w.seq++;
    l->base = a->count - a->unmet;
    l->expired = 0;
}
static int end_limit(struct actor *a, int status) {
    struct limit *l = &a->limit[--a->limits];
    return l->expired && !take_back(a, l->base) && status == OWN ? AX_ETIMEDOUT : status;
}
static void expire(struct actor *a) {
    int i;
    for (i = a->limits - 1; i >= 0; i--)
        if (!a->limit[i].expired && a->limit[i].when <= w.now) a->limit[i].expired = 1, request(a);
}

static void waits_in(struct actor *a, struct line *l, int (*hook)(struct actor *)) {
    waits++;
    a->state = WAITING;
    a->hook = hook;
    a->slept = NULL;
    if (l) enters(a, l);
    expire(a);
    if (a->unmet && a->state == WAITING && !a->asked) interrupt(a);
}
/* An op: it is done with a status, or waits in a line if that is AX_EAGAIN. */
static void does(struct actor *a, int status, struct line *l) {
    a->expect = status;
    if (status == AX_EAGAIN) waits_in(a, l, NULL);
}
static void sleeps(struct actor *a, int ms) {
    int unmet = a->unmet;
    if (ms > 0) {
        a->wake = w.now + AX_MS(ms);
        a->wake_seq = w.seq++;
        waits_in(a, NULL, NULL);
    } else { /* a turn; done already, but for a cancel that was there before */
        a->unmet = 0;
        go(a, unmet ? OWN : 0);
        expire(a);
    }
}

/* An actor's timer: at the earliest of its limits, outermost first, or its sleep; a limit goes before a sleep of the same time. */
static ax_time next_limit(const struct actor *a, unsigned *seq) {
    ax_time when = AX_FOREVER;
    int i;
    for (i = 0; i < a->limits; i++)
        if (!a->limit[i].expired && a->limit[i].when < when) when = a->limit[i].when, *seq = a->limit[i].seq;
    return when;
}
static ax_time next_timer(struct actor **which) {
    ax_time best = AX_FOREVER;
    unsigned best_seq = 0;
    struct actor *a;
    for (a = w.actor; a < w.actor + ACTORS + GENERATORS; a++) {
        unsigned seq = 0;
        ax_time when = next_limit(a, &seq);
        if (a->state != WAITING && a->state != READY) continue;
        if (a->wake < when) when = a->wake, seq = a->wake_seq;
        if (when < best || (when == best && when != AX_FOREVER && seq < best_seq)) best = when, best_seq = seq, *which = a;
    }
    return best;
}

static void ends(struct actor *a, int status) {
    a->state = OVER;
    a->status = status;
    all_go(&a->joiners, status);
}
static void joiner_runs(struct actor *a) {
    int fresh = a->state == FRESH;
    leaves(a);
    if (a->expect == OWN) ends(a, AX_ECANCELED);
    else if (!fresh) ends(a, a->expect);
    else if (a->target->state == OVER) ends(a, a->target->status);
    else waits_in(a, &a->target->joiners, NULL);
}
static void joiners_run(void) {
    for (; w.turn && w.ready.who[0]->silent; w.turn--) joiner_runs(w.ready.who[0]);
}
/* An actor runs: it was the first in the ready queue, or has not waited. */
static void runs(struct actor *a) {
    if (a->state == RUNNING) { CHECK(w.running == a); return; }
    joiners_run();
    CHECK(w.turn-- > 0 && first(&w.ready) == a);
    a->state = RUNNING;
    w.running = a;
}
/* One turn: what was ready when it began, then the timers. Whether there is more to run. */
static int turn(void) {
    struct actor *a = NULL;
    ax_time when = next_timer(&a);
    int rc;
    w.turn = w.ready.n;
    rc = ax_run_once(&w.loop);
    joiners_run();
    CHECK(!w.turn && w.loop.now == (w.loop.now > w.now ? when : w.now));
    w.now = w.loop.now;
    w.running = NULL;
    while ((when = next_timer(&a)) <= w.now) {
        unsigned seq;
        if (next_limit(a, &seq) <= when) {
            expire(a);
        } else {
            if (a->slept) a->slept(a);
            go(a, 0);
        }
    }
    CHECK(rc == (w.ready.n > 0)); /* nobody sleeps who could go */
    return rc;
}

/* ---- An op in the model and for real ---- */

static void check_line(const axi_list *real, const struct line *l) {
    const axi_link *link = real->ring;
    int i;
    CHECK(ax_waiters(real) == l->n);
    for (i = 0; i < l->n; i++, link = link->next) CHECK(link == &l->who[i]->task->node.link);
}
static void check(void);
AX_MUST_USE static ax_op use(ax_task *me, struct actor *a);

static void begins(struct actor *a, const char *op) {
    CHECK(w.running == a && a->state == RUNNING && ax_cancelling(a->task) == a->count);
    operations++;
    w.budget--;
    a->op = op;
    a->keeps = w.budget > 0 && one_in(4);
    a->limited = a->bounded || one_in(5);
    a->time = AX_MS(one_in(3) ? 0 : below(6));
    if (a->limited) set_limit(a, a->time);
}
static ax_op begun(struct actor *a, ax_op op) { /* it waits if the model does */
    CHECK((op.axi < OWN) == (a->state != RUNNING));
    say(a->id, a->op, a->state != RUNNING);
    check();
    return op;
}
static void came_back(struct actor *a, int status) {
    int in_time;
    runs(a);
    in_time = a->expect;
    if (a->limited) a->expect = end_limit(a, a->expect);
    if (a->cleaning && a->expect == OWN) a->expect = AX_ECANCELED;
    say(a->id, a->op, status == OWN ? AX_ECANCELED : status);
    CHECK(status == a->expect);
    if (status != OWN) CHECK(ax_expired(a->task) == (in_time != status && status == AX_ETIMEDOUT));
    time_outs += in_time == OWN && status == AX_ETIMEDOUT;
    cancelled += status == OWN;
    a->limited = 0;
    a->op = NULL;
}
static void keep(struct actor *a) {
    kept++;
    a->bounded = 1;
    if (one_in(2))
        while (a->count) uncancel(a), CHECK(ax_uncancel(a->task) == a->count);
}
#define STATUS (me->node.bad == 2 ? OWN : me->rc)
#define LIMITED(op) (a->limited ? AX_WITHIN(a->time, begun(a, op)) : begun(a, op))
#define DO(model, real) \
    do { \
        begins(a, #real); \
        model; \
        if (a->keeps) AX_TRY_ALL(LIMITED(real)); \
        else AX_TRY(LIMITED(real)); \
        came_back(a, STATUS); \
        check(); \
        if (STATUS == OWN) keep(a); \
    } while (0)
/* Holds what it has for a while: meanwhile anything may happen, in a call. */
#define LINGER() \
    do { \
        if (a->depth < DEPTH && w.budget > 0 && one_in(3)) AX_TRY(use(me, a)); \
    } while (0)
static int more(int *n) { return w.budget > 0 && (*n)-- > 0; }
static void left(struct actor *a) { /* first in AX_FINALLY: the last op may have left the body */
    a->depth--;
    if (a->op) came_back(a, OWN);
}
#endif
