/* Random programs against the rules: a tree of tasks does random things to shared semaphores, mutexes, events, futures, queues
   and groups, under limits, cancels and failing allocations, while a plain model beside it watches. `random [RUNS [FIRST_SEED]]`.

   Checked at every await: hand-off without barging or lost wake-ups, FIFO of waiters and items, results that fit their op,
   exact times, cancels met, counts of requests. At every quiet point (nothing ready): permits and items are all there, mutexes have
   their owners. At the end of a body: its scopes have closed in reverse order, its children have ended. At the end: each task and
   call ended once, each AX_FINALLY ran once, no memory is kept.

   Tried on bugs planted by hand in a copy of the header. Each of these is found by the 2,000 programs of a plain run: a released
   permit is not handed over; the releaser does not mark a permit as held; a permit of a body that was left is kept; a cancelled waiter
   stays on its list; an unmet request is dropped; a cancel overrides a result on its way; a mutex wakes without giving, or serves
   the last in line; AX_FINALLY is skipped for a task that never started; a limit, or a group, does not take its request back; a cancel
   from outside becomes a time-out; the earliest of several limits is lost; a closed queue leaves its getters, or its putters, asleep; a
   put passes a waiting getter by; a putter's item is not moved in; a body does not await its group; scopes close in the wrong
   order; a request put off by AX_FINALLY is lost; an event wakes one waiter only; kept children leak, or come last first; a cancelled
   ax_group_next leaves its mark on the group. Not found: a request met twice after a full share of awaits; room for a timer that is
   not given back after a failed spawn; an unmet request that a scope opened after it counts as met. */
#define ASYNCX_IMPLEMENTATION
#ifndef ASYNCX_AWAITS
#define ASYNCX_AWAITS 5 /* so that a share of awaits is often used up */
#endif
#ifdef ASYNCX_FREESTANDING /* by tests/freestanding.t, with a header whose allocations ask may_not_allocate, and whose sleeps take no tick more */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ASYNCX_STATIC
#define ASYNCX_NAMES 1
#define ASYNCX_TIME_BITS 64
static int misused, may_not_allocate(void); /* misused: less what was expected */
#define AX_ASSERT(x) ((void)misused++)
#endif
#include "asyncx.h"
#include "dice.h"
#include "tap.h"

enum { SEMS = 2, MUTEXES = 2, EVENTS = 2, FUTURES = 3, QUEUES = 4, TIMERS = 6, SLOTS = 3, DEPTH = 3 };
enum { RECS = 600, GROUPS = 200, ITEMS = 1000 };
enum { AWAIT, TRY, TRY_ALL, CLEANUP };

/* ---- The model ---- */

struct rec { /* an activation: a task's first frame, or a call */
    int began, finals, over, is_task, group, refs, status, ended_at, handed, outside, done_calls, done_asked;
    int must;            /* its wait ends with this cancel */
    int due, asked, doomed; /* a cancel is not met yet; its wait was asked and may say no; cancelled before its first step */
    int excused;         /* the cancel was taken back while it was on its way */
    int bounded;         /* has kept a cancel: all further waits are limited */
    int cleaning;        /* how many of its frames are in their cleanup */
    unsigned long ticket; /* of its present wait */
    ax_task *task;
    ax_callback done;
};
struct model_group {
    ax_group *group;
    int flags, open, live, failed, error, winner, by_hand, owner, last_handed;
};
struct item {
    int queue, state, got_by; /* got_by: ticket of the get */
};
enum { PUTTING = 1, PUT = 2, GOT = 4, FAILED = 8, DROPPED = 16 };
struct model_future {
    ax_future future;
    int mode, generation, stays;
    ax_timer ends;
};
struct worker;

static struct world {
    ax_loop loop;
    ax_sem sem[SEMS];
    int permits[SEMS];
    ax_mutex mutex[MUTEXES];
    ax_event event[EVENTS];
    struct model_future future[FUTURES];
    ax_queue queue[QUEUES];
    int storage[QUEUES][3], taken[QUEUES], finished[QUEUES], dropped[QUEUES];
    struct rec rec[RECS];
    struct model_group group[GROUPS];
    struct item item[ITEMS];
    ax_timer timer[TIMERS];
    ax_callback soon[TIMERS];
    struct worker *live; /* bodies that have begun and whose cleanup has not */
    int recs, groups, items, ended, budget, failed_allocations, kept, wrong;
    unsigned long ticket;
} w;
static long balance, allocations, fail_at, seed;
static int verbose, wrong_programs, deadlocks, out_of_memory, time_outs, cancels, swallowed;
static ax_time manual_now;

static void wrong(int line, const char *what) {
    if (w.wrong++) return;
    printf("# seed %ld: line %d: %s\n", seed, line, what);
    fflush(stdout);
}
#define CHECK(cond) ((cond) ? (void)0 : wrong(__LINE__, #cond))
#define SAY(...) (verbose ? (void)(printf("# %ld ", (long)(w.loop.now / 1000000)), printf(__VA_ARGS__), fflush(stdout)) : (void)0)

#ifdef ASYNCX_FREESTANDING
static unsigned char arena[1 << 24] __attribute__((aligned(16)));
static int may_not_allocate(void) {
    if (++allocations != fail_at) return 0;
    w.failed_allocations++;
    return 1;
}
ax_time ax_port_now(void) { return manual_now; }
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
void ax_port_wake(void) {}
void ax_port_idle(ax_time until) {
    if (until != AX_FOREVER) manual_now = until;
    else printf("Bail out! seed %ld idles for ever\n", seed), exit(9);
}
static void describe(ax_loop_desc *d, int by_hand) {
    (void)by_hand;
    d->arena = arena;
    d->arena_size = sizeof arena;
    misused = 0;
}
static void let_time_go_on(void) {}
static int clean(void) { return !w.loop.used && !misused; }
#else
static void *counting_alloc(void *ctx, void *p, size_t old_size, size_t size) {
    (void)ctx;
    if (size && ++allocations == fail_at) {
        w.failed_allocations++;
        return NULL;
    }
    balance += (long)size - (long)old_size;
    if (size) return malloc(size);
    free(p);
    return NULL;
}
static ax_time manual_clock(void *ctx) { (void)ctx; return manual_now; }
static int misused; /* less what was expected */
static void misuse(void *ctx, const char *text) {
    (void)ctx;
    if (strncmp(text, "nothing can wake", 16) == 0) return; /* dead ends are part of it */
    if (misused++ >= 0) wrong(0, text);
}
static void describe(ax_loop_desc *d, int by_hand) {
    misused = 0;
    d->alloc = counting_alloc;
    d->report = misuse;
    if (by_hand) d->clock = manual_clock;
    else d->flags = AX_VIRTUAL_CLOCK;
}
static void let_time_go_on(void) {
    w.loop.desc.clock = NULL;
    w.loop.desc.flags |= AX_VIRTUAL_CLOCK;
}
static int clean(void) { return balance == 0 && !misused; }
#endif

struct part { ax_frame frame; int rec, task, time, status, cleanup; };
AX_DECLARE(part);
struct worker {
    ax_frame frame;
    int rec, task, depth; /* arguments: its own record and its task's */
    struct worker *next, **prev;
    const struct action *act;
    int steps, cleanups, how, waited, acting, returned, has_returned, open_groups, left;
    int slot, item, object, status, aim, got, unlimited_time;
    ax_time since, until, within;
    int base; /* requests when the op began, all of them met; else -1 */
    ax_group group[2];
    int model_group[2], has[SLOTS], has_mutex[MUTEXES], manual[SEMS], putting;
    ax_permit permit[SLOTS];
    ax_timeout limit[2];
    int limit_open[2];
    ax_deferred defer[SLOTS];
    struct deferral { struct worker *my; int n, open; } deferral[SLOTS];
    int scope_count;
    axi_entry *scope[32]; /* what was opened, in order; closed early: NULL */
    ax_task *child;
    struct part call;
    AX_TASK(part) storage;
    int stored, called;
};
AX_DECLARE(worker);
struct action {
    const char *name;
    int weight;
    ax_op (*start)(ax_task *me, struct worker *my);
    void (*finish)(ax_task *me, struct worker *my); /* not called if the await left the body */
    int flags;
};
enum { CLEANUP_TOO = 1, COMPLEX = 2 /* may take longer than its limit */ };

static struct rec *task_of(const struct worker *my) { return &w.rec[my->task]; }

static int new_rec(int is_task, int group) {
    struct rec *r;
    if (w.recs == RECS) return -1;
    r = &w.rec[w.recs];
    r->is_task = is_task;
    r->group = group;
    return w.recs++;
}

/* ---- Invariants ---- */

/* The first waiter in a list has lined up before all others, and none of them before the one that was just served. */
static void in_line(axi_list *list, unsigned long served) {
    axi_link *link = axi_head(list), *first = link;
    unsigned long last = served;
    int i;
    if (!link) return;
    do {
        for (i = 0; i < w.recs; i++)
            if (w.rec[i].is_task && !w.rec[i].over && w.rec[i].task == AXI_TASK_OF(node, link)) {
                CHECK(w.rec[i].ticket > last);
                last = w.rec[i].ticket;
                CHECK(w.rec[i].task->node.state == AXI_PARKED);
            }
        link = link->next;
    } while (link != first);
}

/* What holds at every moment: nobody waits who could go. */
static void always(void) {
    int i;
    for (i = 0; i < SEMS; i++) {
        CHECK(!(w.sem[i].permits && w.sem[i].waiters.ring));
        in_line(&w.sem[i].waiters, 0);
    }
    for (i = 0; i < MUTEXES; i++) {
        CHECK(w.mutex[i].owner || !w.mutex[i].waiters.ring);
        in_line(&w.mutex[i].waiters, 0);
    }
    for (i = 0; i < EVENTS; i++) in_line(&w.event[i].waiters, 0);
    for (i = 0; i < FUTURES; i++) CHECK(!w.future[i].future.done || !w.future[i].future.waiters.ring);
    for (i = 0; i < QUEUES; i++) {
        ax_queue *q = &w.queue[i];
        CHECK(q->count <= q->capacity);
        CHECK(!q->getters.ring || (!q->count && !q->putters.ring && !q->closed));
        CHECK(!q->putters.ring || (q->count == q->capacity && !q->closed));
        CHECK(q->unfinished || !q->joiners.ring);
        in_line(&q->getters, 0);
        in_line(&q->putters, 0);
    }
}

static int body_left(const struct worker *my) { return AXI_AT_OF(&my->frame) == 1 || AXI_AT_OF(&my->frame) == AXI_OVER; }

/* A task's requests: those from outside, its group's abort, and those that its open scopes have made. */
static void requests_add_up(ax_task *t, const struct rec *r) {
    int n = r->outside;
    axi_entry *e;
    if (t->group && t->group->entry.flags & AXI_ABORTING) n++;
    for (e = t->top; e; e = e->up) {
        if ((e->kind == AXI_FRAME || e->kind == AXI_LIMIT) && e->flags & AXI_EXPIRED) n++;
        if (e->kind == AXI_GROUP && e->flags & AXI_ASKED_OWNER) n++;
    }
    CHECK(ax_cancelling(t) == n);
}

static void limits_in_time(ax_task *t) { /* none is overdue */
    axi_entry *e;
    for (e = t->top; e; e = e->up) {
        if (e->flags & AXI_EXPIRED) continue;
        if (e->kind == AXI_FRAME && e->flags & AXI_LIMITED) CHECK(((ax_frame *)(void *)e)->within > w.loop.now);
        if (e->kind == AXI_LIMIT) CHECK(((ax_timeout *)(void *)((char *)e - offsetof(ax_timeout, entry)))->when > w.loop.now);
    }
}

/* What holds when nothing is ready: nothing is on its way either. */
static void quiet(void) {
    int i, k, held[SEMS], count[QUEUES];
    struct worker *my;
    always();
    memset(held, 0, sizeof held);
    memset(count, 0, sizeof count);
    for (i = 0; i < w.recs; i++) {
        struct rec *r = &w.rec[i];
        if (!r->is_task || r->over || !r->task) continue;
        CHECK(r->task->node.state == AXI_PARKED);
        CHECK(!(r->task->node.flags & AXI_UNMET));
        CHECK(!r->must || r->task->frame->entry.flags & AXI_UNWINDING);
        requests_add_up(r->task, r);
        limits_in_time(r->task);
    }
    for (my = w.live; my; my = my->next) {
        for (i = 0; i < SEMS; i++) held[i] += my->manual[i];
        for (i = 0; i < SLOTS; i++) {
            if (my->permit[i].held) held[my->permit[i].sem - w.sem]++;
            if (!body_left(my)) CHECK(my->permit[i].held == my->has[i]);
        }
        for (i = 0; i < MUTEXES; i++)
            if (!body_left(my) && my->has_mutex[i]) CHECK(w.mutex[i].owner == task_of(my)->task);
        for (k = 0; k < 2; k++)
            if (my->group[k].entry.flags & AXI_AWAITED) CHECK(my->group[k].children.ring);
    }
    for (i = 0; i < SEMS; i++) CHECK(w.sem[i].permits + held[i] == w.permits[i]);
    for (i = 0; i < w.items; i++)
        if (w.item[i].state == PUT) count[w.item[i].queue]++;
        else CHECK(w.item[i].state != (PUTTING | PUT));
    for (i = 0; i < QUEUES; i++) {
        CHECK((int)w.queue[i].count == count[i]);
        CHECK((int)w.queue[i].unfinished == w.taken[i] + count[i] - w.finished[i]);
    }
}

/* ---- Acting on others: from tasks and from callbacks ---- */

static struct rec *any_task(int alive) {
    int i, n = w.recs ? below(w.recs) : 0;
    for (i = 0; i < w.recs; i++, n = (n + 1) % w.recs) {
        struct rec *r = &w.rec[n];
        if (r->is_task && r->task && (r->over ? r->refs && !alive : 1)) return r;
    }
    return NULL;
}

static void cancel_one(void) {
    struct rec *r = any_task(0);
    int parked, rc;
    if (!r) return;
    /* a wait that is on and can be dropped must end with this cancel */
    parked = !r->over && r->task->node.state == AXI_PARKED && !(r->task->node.flags & AXI_ASKED);
    rc = ax_cancel(r->task);
    cancels++;
    SAY("cancel %d: %d\n", (int)(r - w.rec), rc);
    CHECK(rc == (r->over ? 0 : 1));
    if (r->over) return;
    if (one_in(20)) {
        if (ax_uncancel(r->task) || parked || r->task->node.state == AXI_FRESH) r->excused = 1;
        else r->due = 0;
        r->must = r->asked = 0;
        SAY("uncancel %d\n", (int)(r - w.rec));
        return;
    }
    r->outside++;
    r->due = 1;
    if (r->task->node.state == AXI_FRESH) r->doomed = 1;
    if (parked && r->task->forget == axi_forget_future) r->asked = 1;
    else if (parked && r->task->forget != axi_forget_join) r->must = 1;
}

static void end_future(struct model_future *f, int status) {
    int was = f->future.done, rc = ax_future_complete(&f->future, status);
    SAY("complete future %d: %d\n", (int)(f - w.future), status);
    CHECK(rc == (was ? AX_EALREADY : 0));
    CHECK(f->future.done && !f->future.waiters.ring);
}
static int future_value(const struct model_future *f) { return 100 + f->generation; }
static void future_ends(ax_loop *l, void *arg) {
    struct model_future *f = (struct model_future *)arg;
    (void)l;
    if (!f->future.done) end_future(f, f->stays && one_in(2) ? AX_ECANCELED : one_in(6) ? AX_EBADF : future_value(f));
    f->stays = 0;
}
/* The four kinds of operations behind a future: without a hook; stopped; ends later by itself; ends inside the hook. */
static int future_cancelled(ax_future *future, void *arg) {
    struct model_future *f = (struct model_future *)arg;
    (void)future;
    SAY("hook of future %d\n", (int)(f - w.future));
    if (f->mode == 1) return 0;
    if (f->mode == 2) {
        f->stays = 1;
        if (ax_timer_start(&w.loop, &f->ends, ax_after(&w.loop, AX_MS(below(5))), future_ends, f) == 0) return AX_STAY;
    }
    end_future(f, one_in(2) ? AX_ECANCELED : future_value(f));
    return one_in(2) ? AX_STAY : 0;
}
static void renew_future(struct model_future *f) {
    if (!f->future.done || f->stays) return;
    memset(&f->future, 0, sizeof f->future);
    f->generation++;
    f->mode = below(4);
    if (f->mode) f->future.cancel = future_cancelled;
    f->future.arg = f;
}

static int new_item(int queue) {
    if (w.items == ITEMS) return -1;
    w.item[w.items].queue = queue;
    return w.items++;
}
static void take_item(int queue, int i, unsigned long ticket) { /* items come out in the order in which they and their takers lined up */
    int k;
    w.taken[queue]++;
    if (i < 0 || i >= w.items) { CHECK(!"an item that was never put"); return; }
    CHECK(w.item[i].queue == queue && (w.item[i].state == PUT || w.item[i].state == PUTTING));
    w.item[i].state |= GOT;
    w.item[i].got_by = (int)ticket;
    for (k = 0; k < w.items; k++)
        if (k != i && w.item[k].queue == queue && w.item[k].state & GOT)
            CHECK((k < i) == (w.item[k].got_by < (int)ticket));
}
static void drop_item(void *item, void *arg) {
    int i = *(int *)item;
    (void)arg;
    CHECK(w.item[i].state == PUT || w.item[i].state == PUTTING);
    w.item[i].state |= DROPPED;
}
static void poke_queue(void) {
    int n = below(QUEUES), i, rc, got, free_slot;
    ax_queue *q = &w.queue[n];
    switch (below(8)) {
    case 0: case 1: case 2:
        if ((i = new_item(n)) < 0) return;
        free_slot = q->getters.ring || q->count < q->capacity;
        rc = ax_queue_try_put(q, &i);
        SAY("try_put %d: %d\n", n, rc);
        CHECK(rc == (q->closed ? AX_EPIPE : free_slot ? 0 : AX_EAGAIN));
        w.item[i].state |= rc == 0 ? PUT : FAILED;
        break;
    case 3: case 4: case 5:
        got = -1;
        free_slot = q->count || q->putters.ring;
        rc = ax_queue_try_get(q, &got);
        SAY("try_get %d: %d\n", n, rc);
        CHECK(rc == (free_slot ? 1 : q->closed ? 0 : AX_EAGAIN));
        if (rc == 1) take_item(n, got, ++w.ticket);
        break;
    case 6:
        if (w.taken[n] > w.finished[n]) {
            CHECK(ax_queue_task_done(q) == 0);
            w.finished[n]++;
        }
        break;
    default:
        if (!one_in(6)) return;
        SAY("close %d\n", n);
        if (one_in(2)) ax_queue_close(q);
        else {
            w.dropped[n] += (int)q->count;
            ax_queue_close_now(q, drop_item, NULL);
            CHECK(!q->count);
        }
    }
}

static void group_child_ended(int group, int status) {
    struct model_group *g;
    if (group < 0) return;
    g = &w.group[group];
    g->live--;
    if (status < 0 && status != AX_ECANCELED) {
        g->failed++;
        if (!(g->flags & AX_GROUP_COLLECT) && !g->error) g->error = status;
    } else if (status >= 0 && g->flags & AX_GROUP_RACE && g->winner < 0) {
        g->winner = status;
    }
}

static void task_done(ax_loop *l, void *arg) {
    struct rec *r = (struct rec *)arg;
    (void)l;
    CHECK(r->over && !r->done_calls++);
}

/* A new task in any open group, also one of another task. */
static void spawn_one(ax_group *group, int g) {
    int n = new_rec(1, g), failed = w.failed_allocations, refused = group->entry.flags & AXI_ABORTING || !(group->flags & AXI_OPEN);
    struct rec *r;
    ax_task *t;
    if (n < 0 || !(group->flags & AXI_OPEN)) { if (n >= 0) w.recs--; return; }
    r = &w.rec[n];
    t = one_in(3) ? AX_SPAWN(group, part, .rec = n, .task = n, .time = below(8), .status = one_in(5) ? AX_EFAULT : below(4), .cleanup = below(3))
                  : AX_SPAWN(group, worker, .rec = n, .task = n);
    SAY("spawn %d into %d: %s\n", n, g, t ? "ok" : "refused");
    if (!t) {
        w.recs--;
        memset(r, 0, sizeof *r);
        CHECK(refused || w.failed_allocations > failed);
        if (!refused && g >= 0 && !(group->flags & AX_GROUP_COLLECT) && !w.group[g].error) w.group[g].error = AX_ENOMEM;
        return;
    }
    CHECK(!refused);
    r->task = t;
    if (g >= 0) w.group[g].live++;
    if (one_in(2)) ax_task_ref(t), r->refs = 1;
    if (one_in(3)) r->done_asked = 1, CHECK(ax_on_done(t, &r->done, task_done, r) == 0);
}
static struct model_group *any_group(void) {
    int i, n = w.groups ? below(w.groups) : 0;
    for (i = 0; i < w.groups; i++, n = (n + 1) % w.groups)
        if (w.group[n].open && w.group[n].group->flags & AXI_OPEN) return &w.group[n];
    return NULL;
}
static void poke_group(void) {
    struct model_group *g = any_group();
    if (!g) return;
    /* who has kept a cancel has to fail in the end, or children that it starts while the loop closes are never cancelled; a body
       that a cancel of its group by hand ends does not */
    if (!one_in(4) || w.rec[g->owner].bounded) { spawn_one(g->group, (int)(g - w.group)); return; }
    SAY("cancel group %d\n", (int)(g - w.group));
    CHECK(ax_group_cancel(g->group) == 0);
    g->by_hand = 1;
}

static void poke_limit(void) {
    struct worker *my = w.live;
    int n = below(10), i;
    while (my && n--) my = my->next;
    if (!my) return;
    for (i = 0; i < 2; i++)
        if (my->limit_open[i] && !my->limit[i].expired && my->limit[i].entry.flags)
            CHECK(ax_timeout_reschedule(&my->limit[i], one_in(4) ? AX_FOREVER : ax_after(&w.loop, AX_MS(below(10) - 2))) == 0);
}

static void poke(ax_loop *l, void *arg);
static void poke_timer(void) {
    int i = below(TIMERS);
    if (one_in(3)) {
        ax_soon(&w.loop, &w.soon[i], poke, NULL);
    } else if (one_in(4)) {
        ax_timer_stop(&w.timer[i]);
        ax_callback_stop(&w.soon[i]);
    } else {
        ax_timer_start(&w.loop, &w.timer[i], ax_after(&w.loop, AX_MS(below(12) - 1)), poke, NULL);
    }
}
static void poke_event(void) {
    int i = below(EVENTS);
    SAY("event %d\n", i);
    if (one_in(3)) { ax_event_clear(&w.event[i]); return; }
    ax_event_set(&w.event[i]);
    CHECK(!w.event[i].waiters.ring);
}
static void poke_sem(void) { /* borrows a permit and gives it back, or not at all: then there is one more or less */
    int i = below(SEMS), had = w.sem[i].permits;
    CHECK(ax_sem_try_acquire(&w.sem[i]) == (had ? 0 : AX_EAGAIN));
    if (had && (w.permits[i] == 1 || one_in(2))) CHECK(ax_sem_release(&w.sem[i]) == 0);
    else if (had) w.permits[i]--;
    else if (w.permits[i] < 4) CHECK(ax_sem_release(&w.sem[i]) == 0), w.permits[i]++;
}
static void poke(ax_loop *l, void *arg) {
    int n;
    (void)l;
    (void)arg;
    if (w.budget-- <= 0) return;
    switch (below(12)) {
    case 0: case 1: cancel_one(); break;
    case 2: end_future(&w.future[below(FUTURES)], 77); break;
    case 3: renew_future(&w.future[below(FUTURES)]); break;
    case 4: case 5: for (n = 1 + below(3); n > 0; n--) poke_queue(); break;
    case 6: poke_group(); break;
    case 7: poke_timer(); break;
    case 8: poke_limit(); break;
    case 9: poke_sem(); break;
    default: poke_event();
    }
    always();
}

/* ---- Actions: what a body does. start gives the op, finish judges its result ---- */

static int okay(ax_task *me) { return me->rc >= 0; }
static int interrupted(ax_task *me) { return me->rc == AX_ECANCELED || me->rc == AX_ETIMEDOUT; }
#define RESULT(cond) CHECK((cond) || interrupted(me))

static ax_op start_sleep(ax_task *me, struct worker *my) {
    my->aim = below(10) - 1;
    my->until = my->aim <= 0 ? my->since : my->since + AX_MS(my->aim);
    return one_in(2) ? ax_sleep(me, AX_MS(my->aim)) : ax_sleep_until(me, my->since + AX_MS(my->aim));
}
static void finish_sleep(ax_task *me, struct worker *my) {
    RESULT(me->rc == 0);
    if (okay(me)) CHECK(ax_now(me->loop) == my->until);
}

static ax_op start_checkpoint(ax_task *me, struct worker *my) { (void)my; return ax_checkpoint(me); }
static void finish_zero(ax_task *me, struct worker *my) { (void)my; RESULT(me->rc == 0); }

static ax_op start_enter(ax_task *me, struct worker *my) {
    for (my->slot = 0; my->slot < SLOTS && my->has[my->slot]; my->slot++) {}
    if (my->slot == SLOTS) return ax_done(0);
    my->object = below(SEMS);
    my->scope[my->scope_count++ % 32] = &my->permit[my->slot].entry;
    return ax_sem_enter(me, &w.sem[my->object], &my->permit[my->slot]);
}
static void finish_enter(ax_task *me, struct worker *my) {
    if (my->slot == SLOTS) return;
    RESULT(me->rc == 0);
    CHECK(my->permit[my->slot].held == okay(me));
    if (!okay(me)) { CHECK(!my->permit[my->slot].entry.flags); return; }
    my->has[my->slot] = 1;
    if (my->waited) in_line(&w.sem[my->object].waiters, task_of(my)->ticket);
}
static ax_op start_leave(ax_task *me, struct worker *my) {
    int i = below(SLOTS);
    (void)me;
    CHECK(ax_sem_leave(&my->permit[i]) == (my->has[i] ? 0 : AX_EPERM));
    my->has[i] = 0;
    return ax_done(0);
}
static ax_op start_acquire(ax_task *me, struct worker *my) {
    my->object = below(SEMS);
    return ax_sem_acquire(me, &w.sem[my->object]);
}
static void finish_acquire(ax_task *me, struct worker *my) {
    RESULT(me->rc == 0);
    if (!okay(me)) return;
    if (my->waited) in_line(&w.sem[my->object].waiters, task_of(my)->ticket);
    if (my->how == CLEANUP) CHECK(ax_sem_release(&w.sem[my->object]) == 0);
    else my->manual[my->object]++;
}
static ax_op start_release(ax_task *me, struct worker *my) {
    int i = below(SEMS);
    (void)me;
    if (my->manual[i]) my->manual[i]--, CHECK(ax_sem_release(&w.sem[i]) == 0);
    return ax_done(0);
}

static ax_op start_lock(ax_task *me, struct worker *my) {
    my->object = below(MUTEXES);
    return ax_mutex_lock(me, &w.mutex[my->object]);
}
static void finish_lock(ax_task *me, struct worker *my) {
    ax_mutex *m = &w.mutex[my->object];
    RESULT(me->rc == 0 || me->rc == AX_EDEADLK);
    if (!okay(me)) return;
    CHECK(m->owner == me);
    my->has_mutex[my->object] = 1;
    if (my->waited) in_line(&m->waiters, task_of(my)->ticket);
}
static ax_op start_unlock(ax_task *me, struct worker *my) {
    int i = below(MUTEXES), mine = w.mutex[i].owner == me;
    struct worker *other;
    CHECK(!my->has_mutex[i] || mine);
    misused -= !mine && !task_of(my)->cleaning; /* a report is expected, but for one that is only late */
    CHECK(ax_mutex_unlock(me, &w.mutex[i]) == (mine ? 0 : AX_EPERM));
    CHECK(!misused);
    for (other = w.live; mine && other; other = other->next) /* perhaps a caller has locked it */
        if (other->task == my->task) other->has_mutex[i] = 0;
    return ax_done(0);
}

static ax_op start_event(ax_task *me, struct worker *my) {
    my->object = below(EVENTS);
    return ax_event_wait(me, &w.event[my->object]);
}
static ax_op start_future(ax_task *me, struct worker *my) {
    my->object = below(FUTURES);
    my->aim = future_value(&w.future[my->object]);
    return ax_future_wait(me, &w.future[my->object].future);
}
static void finish_future(ax_task *me, struct worker *my) { RESULT(me->rc == my->aim || me->rc == 77 || me->rc == AX_EBADF); }

static ax_op start_put(ax_task *me, struct worker *my) {
    my->object = below(QUEUES);
    if ((my->putting = new_item(my->object)) < 0) return ax_done(AX_EPIPE);
    w.item[my->putting].state = PUTTING;
    my->item = my->putting;
    return ax_queue_put(me, &w.queue[my->object], &my->item);
}
static void finish_put(ax_task *me, struct worker *my) {
    struct item *i = &w.item[my->putting];
    RESULT(me->rc == 0 || me->rc == AX_EPIPE);
    if (my->putting < 0) return;
    my->putting = -1;
    if (okay(me)) {
        i->state = (i->state & ~PUTTING) | PUT;
        if (my->waited) in_line(&w.queue[my->object].putters, task_of(my)->ticket);
    } else {
        CHECK(i->state == PUTTING); /* nobody may have it */
        i->state = FAILED;
    }
}
static ax_op start_get(ax_task *me, struct worker *my) {
    my->object = below(QUEUES);
    my->got = -1;
    return ax_queue_get(me, &w.queue[my->object], &my->got);
}
static void finish_get(ax_task *me, struct worker *my) {
    RESULT(me->rc == 1 || (me->rc == 0 && w.queue[my->object].closed));
    if (me->rc != 1) { CHECK(my->got == -1); return; }
    if (my->waited) in_line(&w.queue[my->object].getters, task_of(my)->ticket);
    take_item(my->object, my->got, task_of(my)->ticket);
}
static ax_op start_drain(ax_task *me, struct worker *my) {
    my->object = below(QUEUES);
    return ax_queue_join(me, &w.queue[my->object]);
}

static ax_op start_join(ax_task *me, struct worker *my) {
    struct rec *r = any_task(0);
    if (!r || (!r->refs && r->over)) { my->object = -1; return ax_done(0); }
    my->object = (int)(r - w.rec);
    return ax_join(me, r->task);
}
static void finish_join(ax_task *me, struct worker *my) {
    struct rec *r;
    if (my->object < 0) return;
    r = &w.rec[my->object];
    if (r->task == me) { RESULT(me->rc == AX_EDEADLK); return; }
    RESULT(r->over && me->rc == r->status);
}

static ax_op start_call(ax_task *me, struct worker *my) {
    if (my->depth >= DEPTH || (my->object = new_rec(0, -1)) < 0) { my->object = -1; return ax_done(0); }
    my->aim = w.failed_allocations;
    return AX_CALL(worker, .rec = my->object, .task = my->task, .depth = my->depth + 1);
}
static void finish_call(ax_task *me, struct worker *my) {
    struct rec *r;
    if (my->object < 0) return;
    r = &w.rec[my->object];
    if (me->rc == AX_ENOMEM && w.failed_allocations > my->aim && !r->finals) { r->over = r->finals = 1; return; }
    CHECK(r->over || me->node.bad == 2); /* refused: never began */
    if (r->over) CHECK(me->rc == r->status || (r->status == AX_ECANCELED && me->rc == AX_ETIMEDOUT));
}
static ax_op start_part(ax_task *me, struct worker *my) {
    if ((my->object = new_rec(0, -1)) < 0) return ax_done(0);
    return AX_CALL_IN(&my->call, part, .rec = my->object, .task = my->task, .time = below(6), .status = one_in(6) ? AX_EFAULT : below(3), .cleanup = below(3));
}

static ax_op start_open(ax_task *me, struct worker *my) {
    int k = my->model_group[0] < 0 ? 0 : 1;
    struct model_group *g = &w.group[w.groups];
    (void)me;
    if (my->model_group[k] >= 0 || w.groups == GROUPS) return ax_done(0);
    my->model_group[k] = w.groups++;
    memset(g, 0, sizeof *g);
    g->group = &my->group[k];
    g->flags = one_in(3) ? 0 : below(16);
    if (g->flags & AX_GROUP_RACE) g->flags &= ~AX_GROUP_COLLECT;
    g->open = 1;
    g->winner = -1;
    g->owner = my->task;
    CHECK(ax_group_open(me, &my->group[k], (unsigned)g->flags) == 0);
    my->scope[my->scope_count++ % 32] = &my->group[k].entry;
    SAY("open group %d flags %d in %d\n", my->model_group[k], g->flags, my->rec);
    for (k = below(4); k > 0; k--) spawn_one(g->group, (int)(g - w.group));
    return ax_done(0);
}
static ax_op start_spawn(ax_task *me, struct worker *my) {
    int k = below(2);
    (void)me;
    if (my->model_group[k] >= 0) spawn_one(&my->group[k], my->model_group[k]);
    return ax_done(0);
}
static ax_op start_spawn_in(ax_task *me, struct worker *my) {
    int k = below(2), g = my->model_group[k], n, aborting;
    ax_task *t;
    (void)me;
    if (g < 0 || my->stored || (n = new_rec(1, g)) < 0) return ax_done(0);
    my->stored = 1;
    aborting = my->group[k].entry.flags & AXI_ABORTING;
    t = AX_SPAWN_IN(&my->group[k], &my->storage, part, .rec = n, .task = n, .time = below(8), .cleanup = below(3));
    if (!t) {
        w.recs--;
        memset(&w.rec[n], 0, sizeof w.rec[n]);
        if (!aborting && !(w.group[g].flags & AX_GROUP_COLLECT) && !w.group[g].error) w.group[g].error = AX_ENOMEM;
        return ax_done(0);
    }
    w.rec[n].task = t;
    w.group[g].live++;
    return ax_done(0);
}
static ax_op start_group_join(ax_task *me, struct worker *my) {
    my->slot = below(2);
    if (my->model_group[my->slot] < 0) { my->slot = -1; return ax_done(0); }
    return ax_group_join(me, &my->group[my->slot]);
}
static void close_model_group(struct worker *my, int k) {
    CHECK(w.group[my->model_group[k]].live == 0);
    CHECK(!(my->group[k].flags & AXI_OPEN) && !my->group[k].children.ring);
    w.group[my->model_group[k]].open = 0;
    my->model_group[k] = -1;
}
static void finish_group_join(ax_task *me, struct worker *my) {
    struct model_group *g;
    int want;
    if (my->slot < 0) return;
    g = &w.group[my->model_group[my->slot]];
    if (my->group[my->slot].flags & AXI_OPEN) { CHECK(me->rc < 0 && !my->waited); return; } /* refused after too many awaits */
    want = g->error && !(g->flags & AX_GROUP_RACE && g->winner >= 0) ? g->error
           : g->flags & AX_GROUP_COLLECT                            ? g->failed
           : g->flags & AX_GROUP_RACE                               ? (g->winner >= 0 ? g->winner : AX_ECANCELED)
                                                                    : 0;
    RESULT(me->rc == want || (g->by_hand && me->rc == 0));
    if (want < 0 && want == g->error) CHECK(me->rc == want || (g->flags & AX_GROUP_RACE && (g->by_hand || interrupted(me))));
    close_model_group(my, my->slot);
}
static ax_op start_next(ax_task *me, struct worker *my) {
    for (my->slot = 1; my->slot >= 0; my->slot--)
        if (my->model_group[my->slot] >= 0 && w.group[my->model_group[my->slot]].flags & AX_GROUP_KEEP) break;
    if (my->slot < 0) return ax_done(0);
    return ax_group_next(me, &my->group[my->slot], &my->child);
}
static void finish_next(ax_task *me, struct worker *my) {
    struct model_group *g;
    int i;
    if (my->slot < 0) return;
    g = &w.group[my->model_group[my->slot]];
    RESULT(me->rc == 1 || me->rc == g->error || (!me->rc && !my->waited)); /* at once: the error may have come since */
    if (me->rc == 1) {
        for (i = 0; i < w.recs; i++)
            if (w.rec[i].is_task && w.rec[i].task == my->child && w.rec[i].group == (int)(g - w.group) && !w.rec[i].handed) break;
        CHECK(i < w.recs);
        if (i == w.recs) return;
        CHECK(w.rec[i].over && w.rec[i].ended_at > g->last_handed && ax_task_status(my->child) == w.rec[i].status);
        g->last_handed = w.rec[i].ended_at;
        w.rec[i].handed = 1;
    } else if (!interrupted(me)) {
        for (i = 0; i < w.recs; i++)
            if (w.rec[i].is_task && w.rec[i].group == (int)(g - w.group)) CHECK(w.rec[i].handed || !w.rec[i].task || !my->waited);
    }
}

static ax_op start_limit(ax_task *me, struct worker *my) {
    int k = below(2), rc;
    if (my->limit_open[k]) {
        ax_time when = my->limit[k].when;
        rc = ax_timeout_close(&my->limit[k]);
        CHECK(rc >= 0 && rc == my->limit[k].expired);
        CHECK(!rc || when <= ax_now(me->loop));
        my->limit_open[k] = 0;
        return ax_done(0);
    }
    CHECK(ax_timeout_open(me, &my->limit[k], one_in(8) ? AX_FOREVER : AX_MS(below(15))) == 0);
    my->scope[my->scope_count++ % 32] = &my->limit[k].entry;
    my->limit_open[k] = 1;
    return ax_done(0);
}

static void deferred(void *arg) { /* what was opened after it has closed, what was opened before it has not */
    struct deferral *d = (struct deferral *)arg;
    struct worker *my = d->my;
    int i, n;
    CHECK(d->open);
    d->open = 0;
    for (n = 0; n < my->scope_count && my->scope[n] != &my->defer[d->n].entry; n++) {}
    for (i = n + 1; i < my->scope_count && i < 32; i++) {
        int k, opened_again = 0;
        for (k = 0; k <= n; k++) opened_again |= my->scope[k] == my->scope[i];
        if (my->scope[i] && !opened_again) CHECK(!my->scope[i]->flags);
    }
    for (i = 0; i < d->n; i++)
        if (my->deferral[i].my) CHECK(my->deferral[i].open);
}
static ax_op start_defer(ax_task *me, struct worker *my) {
    int k;
    for (k = 0; k < SLOTS && my->deferral[k].my; k++) {}
    if (k == SLOTS) return ax_done(0);
    my->deferral[k].my = my;
    my->deferral[k].n = k;
    my->deferral[k].open = 1;
    my->scope[my->scope_count++ % 32] = &my->defer[k].entry;
    CHECK(ax_defer(me, &my->defer[k], deferred, &my->deferral[k]) == 0);
    return ax_done(0);
}

static ax_op start_poke(ax_task *me, struct worker *my) {
    (void)my;
    poke(me->loop, NULL);
    return ax_done(0);
}
static ax_op start_timer(ax_task *me, struct worker *my) {
    (void)me;
    (void)my;
    poke_timer();
    return ax_done(0);
}

static const struct action actions[] = {
    {"sleep", 8, start_sleep, finish_sleep, CLEANUP_TOO},
    {"checkpoint", 4, start_checkpoint, finish_zero, CLEANUP_TOO},
    {"enter", 5, start_enter, finish_enter, 0},
    {"leave", 3, start_leave, NULL, 0},
    {"acquire", 3, start_acquire, finish_acquire, CLEANUP_TOO},
    {"release", 4, start_release, NULL, 0},
    {"lock", 4, start_lock, finish_lock, 0},
    {"unlock", 3, start_unlock, NULL, 0},
    {"event", 3, start_event, finish_zero, CLEANUP_TOO},
    {"future", 4, start_future, finish_future, CLEANUP_TOO | COMPLEX},
    {"put", 9, start_put, finish_put, 0},
    {"get", 8, start_get, finish_get, 0},
    {"drain", 1, start_drain, finish_zero, CLEANUP_TOO},
    {"join", 3, start_join, finish_join, CLEANUP_TOO},
    {"call", 8, start_call, finish_call, CLEANUP_TOO | COMPLEX},
    {"part", 3, start_part, finish_call, COMPLEX},
    {"open", 6, start_open, NULL, 0},
    {"spawn", 4, start_spawn, NULL, 0},
    {"spawn_in", 2, start_spawn_in, NULL, 0},
    {"group_join", 5, start_group_join, finish_group_join, COMPLEX},
    {"next", 9, start_next, finish_next, 0},
    {"limit", 4, start_limit, NULL, 0},
    {"defer", 3, start_defer, NULL, 0},
    {"poke", 8, start_poke, NULL, CLEANUP_TOO},
    {"timer", 4, start_timer, NULL, CLEANUP_TOO},
};
enum { ACTIONS = (int)(sizeof actions / sizeof *actions) };

static const struct action *choose(int cleanup) {
    int total = 0, i, n;
    for (i = 0; i < ACTIONS; i++) total += actions[i].weight;
    for (;;) {
        n = below(total);
        for (i = 0; n >= actions[i].weight; i++) n -= actions[i].weight;
        if (!cleanup || actions[i].flags & CLEANUP_TOO) return &actions[i];
    }
}

/* Every await of a body and of its cleanup. */
static ax_op begin(ax_task *me, struct worker *my, int how) {
    struct rec *t = task_of(my);
    ax_time limit = one_in(6) ? 0 : AX_MS(below(12));
    ax_op op;
    t->task = me;
    my->how = how;
    if (!my->act || my->act->start != start_next || me->rc != 1 || how == CLEANUP) my->act = choose(how == CLEANUP); /* else one more */
    my->since = ax_now(me->loop);
    my->acting = 1;
    my->within = AX_FOREVER;
    my->putting = -1;
    t->ticket = ++w.ticket;
    t->asked = 0;
    my->base = t->bounded || me->node.flags & AXI_UNMET ? -1 : ax_cancelling(me);
    SAY("%d/%d: %s%s\n", my->task, my->rec, my->act->name, how == CLEANUP ? " in cleanup" : "");
    if (how == CLEANUP || t->bounded || one_in(4)) {
        my->within = my->since + limit;
        op = one_in(4) ? AX_WITHIN(limit + AX_MS(1), AX_WITHIN(limit, my->act->start(me, my))) : AX_WITHIN(limit, my->act->start(me, my));
    } else {
        op = my->act->start(me, my);
    }
    my->waited = op.axi == AXI_PENDING;
    if (t->due && !t->cleaning && my->waited) CHECK(me->node.state != AXI_PARKED || me->node.flags & AXI_ASKED);
    if (!w.wrong) always();
    return op;
}
static void finish(ax_task *me, struct worker *my) {
    struct rec *t = task_of(my);
    int i;
    my->acting = 0;
    SAY("%d/%d: %s gave %d%s\n", my->task, my->rec, my->act->name, me->rc, me->node.bad == 2 ? " (own)" : "");
    if (my->how == AWAIT) CHECK(me->rc >= 0);
    if (my->how == TRY) CHECK(me->node.bad != 2);
    if (my->how == CLEANUP) CHECK(!me->node.bad);
    if (t->must) CHECK(me->rc == AX_ECANCELED);
    t->must = 0;
    if (t->asked && my->act->start == start_future && me->rc == AX_ECANCELED && my->how != CLEANUP) CHECK(me->node.bad == 2);
    if (me->node.bad == 2) CHECK(ax_cancelling(me) > my->base || t->excused); /* somebody outside of this await has asked */
    if (ax_expired(me)) {
        CHECK(ax_cancelling(me) <= my->base || my->base < 0);
        CHECK(!t->due || t->cleaning); /* a cancel from outside is no time-out */
        time_outs++;
        CHECK(my->within <= ax_now(me->loop));
    } else if (me->rc == AX_ETIMEDOUT) {
        CHECK(my->act->flags & COMPLEX || my->act->start == start_join || my->act->start == start_next);
    }
    if (my->within != AX_FOREVER && !(my->act->flags & COMPLEX)) CHECK(ax_now(me->loop) <= my->within || !my->waited);
    if (my->act->finish) my->act->finish(me, my);
    for (i = 0; i < MUTEXES; i++)
        if (my->has_mutex[i]) CHECK(w.mutex[i].owner == me);
    requests_add_up(me, t);
    if (me->node.bad == 2 || (my->how == CLEANUP && me->rc == AX_ECANCELED)) { /* kept: goes on with every wait limited, and fails in the end */
        swallowed++;
        t->bounded = w.kept = 1;
        if (my->how != CLEANUP && t->due && t->outside && one_in(2)) t->outside--, t->excused |= ax_uncancel(me) != 0;
        t->due = 0;
    }
    if (!w.wrong) always();
}

static void body_begins(ax_task *me, struct worker *my) {
    int i;
    w.rec[my->rec].began++;
    CHECK(w.rec[my->rec].began == 1 && !w.rec[my->rec].finals);
    CHECK(my->rec != my->task || !task_of(my)->doomed);
    task_of(my)->task = me;
    my->steps = below(15);
    for (i = 0; i < 2; i++) my->model_group[i] = -1;
    my->putting = -1;
    my->prev = &w.live;
    my->next = w.live;
    if (my->next) my->next->prev = &my->next;
    w.live = my;
}
static int body_status(struct worker *my) {
    int i, status = task_of(my)->bounded ? AX_EFAULT : one_in(8) ? AX_EBADF : one_in(20) ? AX_ECANCELED : below(4);
    my->has_returned = 1;
    if (status == AX_ECANCELED) task_of(my)->excused = 1; /* may pass an old request on */
    my->returned = status;
    for (i = 0; i < 2; i++) my->open_groups += my->model_group[i] >= 0;
    SAY("%d/%d: returns %d\n", my->task, my->rec, status);
    return status;
}
/* The first thing in AX_FINALLY: the scopes of the body have closed. */
static void body_ended(ax_task *me, struct worker *my) {
    struct rec *r = &w.rec[my->rec], *t = task_of(my);
    int i;
    SAY("%d/%d: finally, %d\n", my->task, my->rec, ax_leaving(me));
    CHECK(++r->finals == 1 && !r->over);
    r->status = ax_leaving(me);
    my->cleanups = below(3);
    t->cleaning++;
    if (r->status == AX_ECANCELED) t->due = 0;
    if (!r->began) {
        CHECK(r->status == AX_ECANCELED);
        my->left = 1;
        return;
    }
    CHECK(me->top == &my->frame.entry);
    requests_add_up(me, t);
    if (my->acting) {
        CHECK(my->how != TRY_ALL);
        if (r->status == AX_ECANCELED && !(my->act->flags & COMPLEX) && my->act->start != start_join) CHECK(ax_cancelling(me) > 0 || t->excused);
        if (my->putting >= 0) CHECK(w.item[my->putting].state == PUTTING), w.item[my->putting].state = FAILED;
        CHECK(my->act->start != start_get || my->got == -1);
        if (my->act->start == start_call && my->object >= 0 && w.failed_allocations > my->aim && !w.rec[my->object].finals)
            w.rec[my->object].over = w.rec[my->object].finals = 1; /* there was no memory for it */
    }
    t->must = 0;
    if (my->has_returned && !my->open_groups && my->returned != AX_ECANCELED) CHECK(r->status == my->returned);
    for (i = 0; i < 2; i++)
        if (my->model_group[i] >= 0) {
            struct model_group *g = &w.group[my->model_group[i]];
            if (my->has_returned && my->open_groups == 1 && my->returned >= 0 && g->error && !(g->flags & AX_GROUP_RACE)) CHECK(r->status == g->error || r->status == AX_ETIMEDOUT);
            close_model_group(my, i);
        }
    for (i = 0; i < SLOTS; i++) {
        CHECK(!my->permit[i].held && !my->permit[i].entry.flags);
        CHECK(!my->deferral[i].open);
    }
    for (i = 0; i < 2; i++) CHECK(!my->limit[i].entry.flags);
    for (i = 0; i < MUTEXES; i++)
        if (my->has_mutex[i]) my->has_mutex[i] = 0; /* it may be a caller's */
    for (i = 0; i < SEMS; i++)
        for (; my->manual[i]; my->manual[i]--) CHECK(ax_sem_release(&w.sem[i]) == 0);
    *my->prev = my->next;
    if (my->next) my->next->prev = my->prev;
}
static void frame_ends(int rec, int task) { /* the last thing in AX_FINALLY */
    struct rec *r = &w.rec[rec];
    CHECK(!r->over);
    w.rec[task].cleaning--;
    r->over = 1;
    r->ended_at = ++w.ended;
    SAY("%d over: %d\n", rec, r->status);
    if (r->is_task) group_child_ended(r->group, r->status);
}

AX_ASYNC(worker) {
    AX_BEGIN;
    body_begins(me, my);
    while (my->steps-- > 0 && w.budget-- > 0) {
        my->slot = below(5);
        if (my->slot < 2) AX_AWAIT(begin(me, my, AWAIT));
        else if (my->slot < 4) AX_TRY(begin(me, my, TRY));
        else AX_TRY_ALL(begin(me, my, TRY_ALL));
        finish(me, my);
    }
    AX_RETURN(body_status(my));
    AX_FINALLY:
    body_ended(me, my);
    while (my->cleanups-- > 0 && w.budget-- > 0) {
        AX_AWAIT(begin(me, my, CLEANUP));
        finish(me, my);
    }
    CHECK(ax_leaving(me) == w.rec[my->rec].status);
    frame_ends(my->rec, my->task);
    AX_END;
}

/* A small one, for frames and tasks in storage of a worker. */
AX_ASYNC(part) {
    AX_BEGIN;
    w.rec[my->rec].began++;
    AX_AWAIT(ax_sleep(me, AX_MS(my->time)));
    AX_RETURN(my->status);
    AX_FINALLY:
    CHECK(++w.rec[my->rec].finals == 1);
    w.rec[my->rec].status = ax_leaving(me);
    w.rec[my->task].must = 0;
    w.rec[my->task].cleaning++;
    if (ax_leaving(me) == AX_ECANCELED) w.rec[my->task].due = 0;
    if (my->cleanup) AX_AWAIT(ax_sleep(me, AX_MS(my->cleanup)));
    w.rec[my->task].must = 0;
    if (my->cleanup && me->rc == AX_ECANCELED) w.rec[my->task].due = 0, w.rec[my->task].bounded = w.kept = 1; /* this request is met: nobody else hears of it */
    CHECK(ax_leaving(me) == w.rec[my->rec].status);
    frame_ends(my->rec, my->task);
    AX_END;
}

/* ---- A program ---- */

static void set_up(long number) {
    int i;
    memset(&w, 0, sizeof w);
    seed = number;
    dice = (uint64_t)number * 2654435761u + 1;
    balance = allocations = fail_at = 0;
    manual_now = 0;
    w.budget = one_in(3) ? 20 + below(100) : 100 + below(600);
    for (i = 0; i < SEMS; i++) w.permits[i] = 1 + below(3), ax_sem_init(&w.sem[i], w.permits[i], one_in(2) ? 0 : 4);
    for (i = 0; i < QUEUES; i++) ax_queue_init(&w.queue[i], w.storage[i], (size_t)i, sizeof(int));
    for (i = 0; i < FUTURES; i++) w.future[i].future.done = 1, renew_future(&w.future[i]);
}

static int live_tasks(void) {
    int i, n = 0;
    for (i = 0; i < w.recs; i++) n += w.rec[i].is_task && w.rec[i].task && !w.rec[i].over;
    return n;
}

/* Turn by turn, with a look at everything whenever nothing is ready. */
static int run_by_hand(void) {
    int rc, turns = 0;
    for (;;) {
        ax_time next;
        if ((rc = ax_run_once(&w.loop)) < 0) return rc;
        if (++turns > 20000) return AX_EINPROGRESS;
        if (w.wrong) return 0;
        if (rc) continue;
        next = ax_next_deadline(&w.loop);
        if (next <= manual_now) continue;
        quiet();
        if (!live_tasks()) return 0;
        if (next == AX_FOREVER) return AX_EDEADLK;
        manual_now = next;
    }
}

static void program(long number) {
    ax_loop_desc d;
    int i, rc, by_hand, n;
    set_up(number);
    memset(&d, 0, sizeof d);
    by_hand = !one_in(3);
    describe(&d, by_hand);
    if (one_in(4)) fail_at = 1 + below(40);
    rc = ax_loop_open(&w.loop, &d);
    if (rc < 0) {
        CHECK(rc == AX_ENOMEM && w.failed_allocations);
    } else {
        for (i = 1 + below(7); i > 0; i--) spawn_one(&w.loop.root, -1);
        for (n = below(16); n >= 0; n--) {
            rc = by_hand ? run_by_hand() : ax_loop_run(&w.loop);
            if (rc == 0 && w.budget > 0 && !w.wrong) { /* all have ended, but there is more to do */
                for (i = 1 + below(7); i > 0; i--) spawn_one(&w.loop.root, -1);
                continue;
            }
            if (rc != AX_EDEADLK) break;
            deadlocks++;
            CHECK(live_tasks());
            quiet();
            if (one_in(2)) cancel_one();
            else poke(NULL, NULL);
        }
        CHECK(rc == 0 || rc == AX_EDEADLK);
        if (rc == 0 && !w.wrong && n >= 0) CHECK(live_tasks() == 0);
        if (by_hand) let_time_go_on(); /* closing sleeps until the next deadline */
        SAY("close\n");
        for (i = 0; i < w.recs && w.kept; i++) { /* who has kept one cancel needs not hear of another: ask each */
            struct rec *r = &w.rec[i];
            w.budget = 0;
            if (r->is_task && r->task && !r->over) ax_cancel(r->task), r->outside++;
        }
        CHECK(ax_loop_close(&w.loop) == 0);
        if (!w.wrong) {
            for (i = 0; i < w.recs; i++) {
                struct rec *r = &w.rec[i];
                CHECK(r->finals == 1 && r->over == 1 && r->began <= 1);
                CHECK(r->done_calls == r->done_asked);
            }
        }
    }
    if (w.failed_allocations) out_of_memory++;
    if (!w.wrong) quiet();
    for (i = 0; i < MUTEXES && !w.wrong; i++) CHECK(!w.mutex[i].owner);
    for (i = 0; i < w.recs; i++)
        if (w.rec[i].refs) ax_task_unref(w.rec[i].task);
    if (!w.wrong) CHECK(clean());
    if (w.wrong) wrong_programs++;
}

int main(int argc, char **argv) {
    long runs = argc > 1 ? atol(argv[1]) : 2000, first = argc > 2 ? atol(argv[2]) : 1, i;
    verbose = argc > 3;
    for (i = 0; i < runs && wrong_programs < 10; i++) program(first + i);
    printf("# %ld programs: %d dead ends, %d out of memory, %d time-outs, %d cancels, %d of them kept\n", i, deadlocks, out_of_memory,
           time_outs, cancels, swallowed);
    is(wrong_programs, 0, "random programs keep all rules");
    ok(runs < 1000 || (deadlocks && out_of_memory && time_outs && swallowed), "they meet dead ends, failed allocations, limits and cancels");
    return tap_end();
}
