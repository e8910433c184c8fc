/* Random programs about how tasks end, each against one promise:
     keeps     a task that is cancelled once: whatever the functions that its AX_FINALLY calls do, with limits that expire, groups that
               fail and generators that are closed in bodies and cleanups, only what they have asked for themselves is cancelled
     meets     a task none of whose operations ever waits, through calls, limits, groups, generators and cleanups: a cancel or a limit is
               met all the same, after a bounded number of awaits
     gives up  a loop that closes on tasks that can't end: nothing that outlives it still knows them
   ./cleanups [programs [first seed]]; with -DASYNCX_FREESTANDING in that form. */
#define ASYNCX_IMPLEMENTATION
#ifdef ASYNCX_FREESTANDING
#define ASYNCX_STATIC
#endif
#include "asyncx.h"
#include "dice.h"
#include "tap.h"

static ax_loop loop;
static ax_time now;
static long seed, wrong; /* the program; how many went wrong */
static int wrong_here;
static void bad(const char *what, int line, long got) {
    if (wrong_here++) return;
    wrong++;
    printf("# seed %ld, line %d: %s: %ld\n", seed, line, what, got);
}
static void expect(const char *what, int line, long got, long want) {
    if (got != want) bad(what, line, got);
}
#define EXPECT(what, got, want) expect(what, __LINE__, (long)(got), (long)(want))

#ifdef ASYNCX_FREESTANDING
static uint64_t arena[16384];
static int idles;
ax_time ax_port_now(void) { return now; }
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
void ax_port_wake(void) {}
void ax_port_idle(ax_time until) {
    if (until == AX_FOREVER || ++idles > 100000) {
        printf("not ok 1 - seed %ld idles for ever\n", seed);
        exit(1);
    }
    now = until;
}
static void open_loop(void) {
    ax_loop_desc d;
    d.arena = arena;
    d.arena_size = sizeof arena;
    idles = 0;
    ax_loop_open(&loop, &d);
}
#else
static ax_time clock_of(void *ctx) {
    (void)ctx;
    return now;
}
static void open_loop(void) {
    ax_loop_desc d;
    memset(&d, 0, sizeof d);
    d.clock = clock_of;
    ax_loop_open(&loop, &d);
}
#endif

/* Runs the loop, on a clock that goes to the next deadline when nothing is ready. */
static int run(int turns) {
    int rc;
    while (turns--) {
        ax_time next;
        if ((rc = ax_run_once(&loop)) < 0) return rc;
        if (rc) continue;
        next = ax_next_deadline(&loop);
        if (next == AX_FOREVER) return 0;
        if (next > now) now = next;
    }
    return AX_EINPROGRESS;
}

/* ---- keeps ---- */

struct child { ax_frame frame; int time, status, cleanup; };
AX_ASYNC(child) {
    AX_BEGIN;
    if (my->time) AX_AWAIT(ax_sleep(me, AX_MS(my->time)));
    AX_RETURN(my->status);
    AX_FINALLY:
    if (my->cleanup) AX_TRY(ax_sleep(me, AX_MS(my->cleanup)));
    AX_END;
}

struct counter { ax_frame frame; int i, cleanup; ax_timeout limit; };
AX_ASYNC(counter) {
    AX_BEGIN;
    for (; my->i < 4; my->i++) {
        AX_AWAIT(ax_sleep(me, AX_MS(my->i * 3)));
        AX_EMIT();
    }
    AX_FINALLY:
    AX_TRY(ax_sleep(me, AX_MS(my->cleanup)));
    if (my->cleanup & 1) {
        ax_timeout_open(me, &my->limit, AX_MS(2));
        AX_TRY(ax_sleep(me, AX_MS(9)));
        ax_timeout_close(&my->limit);
        AX_TRY(ax_sleep(me, AX_MS(1)));
    }
    AX_END;
}

static int calls_left;
static int may_call(int depth) { return depth < 3 && calls_left-- > 0; }

AX_DECLARE(worker);
struct worker {
    ax_frame frame;
    int depth, i, n, what;
    ax_timeout limit, other;
    ax_group group;
    AX_GENERATOR(counter) counter;
};

AX_ASYNC(worker) {
    AX_BEGIN;
    my->n = (int)below(4);
    for (my->i = 0; my->i < my->n; my->i++) {
        my->what = (int)below(6);
        if (my->what == 0) {
            AX_AWAIT(ax_sleep(me, AX_MS(1)));
            EXPECT("a sleep in a body", me->rc, 0);
        } else if (my->what == 1) {
            AX_TRY(AX_WITHIN(AX_MS(2), AX_CALL(child, .time = 10, .cleanup = (int)below(4))));
            EXPECT("a limited call", me->rc, AX_ETIMEDOUT);
        } else if (my->what == 2 && may_call(my->depth)) {
            AX_TRY(AX_CALL(worker, .depth = my->depth + 1));
            if (me->rc == AX_ECANCELED) bad("a call", __LINE__, me->rc);
        } else if (my->what == 3 && may_call(my->depth)) {
            AX_TRY(AX_WITHIN(AX_MS(below(12)), AX_CALL(worker, .depth = my->depth + 1)));
            if (me->rc == AX_ECANCELED) bad("a limited call", __LINE__, me->rc);
        } else if (my->what == 4) {
            AX_AWAIT(ax_sleep(me, 0));
            EXPECT("a turn", me->rc, 0);
        } else if (my->what == 5 && one_in(3)) {
            ax_group_open(me, &my->group, 0);
            AX_SPAWN(&my->group, child, .time = 2, .status = AX_EPIPE);
            AX_SPAWN(&my->group, child, .time = 9, .cleanup = (int)below(3));
            AX_AWAIT(ax_sleep(me, AX_MS(50)));
            bad("the body of a group that has failed goes on", __LINE__, me->rc);
        }
    }
    if (one_in(3)) {
        ax_timeout_open(me, &my->limit, AX_MS(3));
        AX_AWAIT(ax_sleep(me, AX_MS(50)));
        bad("the body of a limit that has expired goes on", __LINE__, me->rc);
    }
    AX_RETURN(one_in(3) ? AX_EPIPE : 0);
    AX_FINALLY:
    my->n = (int)below(5);
    for (my->i = 0; my->i < my->n; my->i++) {
        my->what = (int)below(10);
        if (my->what == 0) {
            AX_TRY(ax_sleep(me, AX_MS(1)));
            if (!my->depth) EXPECT("a sleep in a cleanup", me->rc, 0);
        } else if (my->what == 1) {
            AX_TRY(AX_WITHIN(AX_MS(2), AX_CALL(child, .time = 10, .cleanup = (int)below(4))));
        } else if (my->what == 2 && may_call(my->depth)) {
            AX_TRY(AX_CALL(worker, .depth = my->depth + 1));
            if (!my->depth && me->rc == AX_ECANCELED) bad("a call in a cleanup", __LINE__, me->rc);
        } else if (my->what == 3 && may_call(my->depth)) {
            AX_TRY(AX_WITHIN(AX_MS(below(12)), AX_CALL(worker, .depth = my->depth + 1)));
            if (!my->depth && me->rc == AX_ECANCELED) bad("a limited call in a cleanup", __LINE__, me->rc);
        } else if (my->what == 4 && ax_timeout_open(me, &my->limit, AX_MS(2)) == 0) {
            AX_TRY(ax_sleep(me, AX_MS(9)));
            ax_timeout_close(&my->limit);
        } else if (my->what == 5 && ax_group_open(me, &my->group, one_in(2) ? AX_GROUP_KEEP : 0) == 0) {
            AX_SPAWN(&my->group, child, .time = 2, .status = AX_EPIPE, .cleanup = (int)below(2));
            AX_SPAWN(&my->group, child, .time = (int)below(9), .cleanup = (int)below(3));
            if (one_in(2)) AX_TRY(ax_sleep(me, AX_MS(5)));
            if (one_in(2)) break;
            AX_TRY(ax_group_join(me, &my->group));
        } else if (my->what == 6 && ax_group_open(me, &my->group, AX_GROUP_BACKGROUND) == 0) {
            AX_SPAWN(&my->group, child, .time = 20, .cleanup = (int)below(3));
            ax_timeout_open(me, &my->other, AX_MS(3));
            if (one_in(2)) AX_TRY(ax_group_join(me, &my->group));
            break;
        } else if (my->what == 7 && AX_GENERATE(&my->counter, counter, .cleanup = (int)below(4)) >= 0) {
            AX_TRY(ax_next(me, &my->counter.generator));
            AX_TRY(AX_WITHIN(AX_MS(1), ax_next(me, &my->counter.generator)));
            if (one_in(2)) break;
            AX_TRY(ax_generator_close(me, &my->counter.generator));
        } else if (my->what == 8) {
            ax_timeout_open(me, &my->other, AX_MS(2));
            if (ax_group_open(me, &my->group, 0) == 0) AX_SPAWN(&my->group, child, .time = 8, .cleanup = (int)below(2));
            break;
        }
    }
    AX_END;
}

struct keeps { ax_frame frame; struct worker worker; int i; };
AX_ASYNC(keeps) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(10000)));
    AX_FINALLY:
    for (my->i = 0; my->i < 3; my->i++) {
        AX_TRY(AX_CALL_IN(&my->worker, worker));
        if (me->rc == AX_ECANCELED) bad("a call in the cancelled task's cleanup", __LINE__, me->rc);
        AX_TRY(ax_sleep(me, AX_MS(1)));
        EXPECT("a sleep after it", me->rc, 0);
        EXPECT("the requests that stand", ax_cancelling(me), 1);
    }
    AX_END;
}
static AX_TASK(keeps) keeper;

static void program_keeps(void) {
    calls_left = 12;
    AX_SPAWN_IN(&loop.root, &keeper, keeps);
    ax_run_once(&loop);
    ax_cancel(&keeper.task);
    EXPECT("the run", run(10000), 0);
    EXPECT("the task", ax_task_status(&keeper.task), AX_ECANCELED);
    EXPECT("the close", ax_loop_close(&loop), 0);
}

/* ---- meets ---- */

enum { DEPTH = 4, MOST_OPS = 60000 };
static struct shape { int ops, after, cleanup, calls, items, item_ops, item_cleanup, item_calls, within, group, limit; } shapes[DEPTH];
static ax_sem places;
static long ops;

static ax_op op(ax_task *me) { /* one that never waits */
    if (places.permits < 5) ax_sem_release(&places);
    if (++ops > MOST_OPS) return ax_done(AX_EPIPE);
#ifdef ASYNCX_FREESTANDING
    if (ops % 10 == 0) now++;
#else
    now += 10000;
#endif
    return ax_sem_acquire(me, &places);
}

struct items { ax_frame frame; const struct shape *shape; int depth, i; };
struct node { ax_frame frame; int depth, i; const struct shape *shape; ax_group group; ax_timeout limit; AX_GENERATOR(items) items; };
AX_DECLARE(node);
AX_ASYNC(items) {
    AX_BEGIN;
    for (;;) {
        for (my->i = 0; my->i < my->shape->item_ops; my->i++) AX_AWAIT(op(me));
        if (my->shape->item_calls && my->depth + 1 < DEPTH) AX_AWAIT(AX_CALL(node, .depth = my->depth + 1));
        AX_EMIT();
    }
    AX_FINALLY:
    for (my->i = 0; my->i < my->shape->item_cleanup; my->i++) AX_TRY(op(me));
    AX_END;
}
AX_ASYNC(node) {
    AX_BEGIN;
    my->shape = &shapes[my->depth];
    if (my->shape->limit) ax_timeout_open(me, &my->limit, AX_SEC(20));
    if (my->shape->group) ax_group_open(me, &my->group, 0);
    if (my->shape->items) AX_GENERATE(&my->items, items, .depth = my->depth, .shape = my->shape);
    for (my->i = 0; my->i < my->shape->ops; my->i++) AX_AWAIT(op(me));
    for (my->i = 0; my->i < my->shape->items; my->i++) {
        AX_AWAIT(ax_next(me, &my->items.generator));
        if (!me->rc) break;
    }
    if (my->shape->calls && my->depth + 1 < DEPTH) {
        if (my->shape->within) AX_AWAIT(AX_WITHIN(AX_SEC(20), AX_CALL(node, .depth = my->depth + 1)));
        else AX_AWAIT(AX_CALL(node, .depth = my->depth + 1));
    }
    for (my->i = 0; my->i < my->shape->after; my->i++) AX_AWAIT(op(me));
    if (my->shape->group == 2) AX_AWAIT(ax_group_join(me, &my->group));
    AX_FINALLY:
    if (my->shape) /* else it was cancelled before its first step */
        for (my->i = 0; my->i < my->shape->cleanup; my->i++) AX_TRY(op(me));
    AX_END;
}
struct rounds { ax_frame frame; int first, i; struct node node; };
AX_ASYNC(rounds) {
    AX_BEGIN;
    for (my->i = 0; my->i < my->first; my->i++) AX_AWAIT(op(me));
    for (;;) {
        AX_AWAIT(op(me));
        AX_AWAIT(AX_CALL_IN(&my->node, node));
    }
    AX_END;
}
struct meets { ax_frame frame; int limited, first; };
AX_ASYNC(meets) {
    AX_BEGIN;
    if (my->limited) AX_AWAIT(AX_WITHIN(AX_MS(50), AX_CALL(rounds, .first = my->first)));
    else AX_AWAIT(AX_CALL(rounds, .first = my->first));
    AX_END;
}
static AX_TASK(meets) met;

static void program_meets(void) {
    int i, limited = one_in(2), first = (int)below(40);
    memset(&places, 0, sizeof places);
    ax_sem_init(&places, 10, 0);
    ops = 0;
    for (i = 0; i < DEPTH; i++) {
        struct shape *s = &shapes[i];
        s->ops = (int)below(3);
        s->after = (int)below(2);
        s->cleanup = one_in(2) ? 0 : (int)below(3);
        s->calls = !one_in(3);
        s->items = one_in(3) ? 1 + (int)below(3) : 0;
        s->item_ops = (int)below(3);
        s->item_cleanup = (int)below(2);
        s->item_calls = one_in(4);
        s->within = one_in(3);
        s->group = one_in(4) ? 1 + (int)below(2) : 0;
        s->limit = one_in(3);
    }
    AX_SPAWN_IN(&loop.root, &met, meets, .limited = limited, .first = first);
    for (i = 0; i < 3; i++) ax_run_once(&loop);
    if (!limited) ax_cancel(&met.task);
    EXPECT("the run", run(200000), 0); /* only its operations take time */
    EXPECT("the task that never waits", ax_task_status(&met.task), limited ? AX_ETIMEDOUT : AX_ECANCELED);
    if (ops > MOST_OPS) bad("it was not met in so many awaits", __LINE__, ops);
    EXPECT("the close", ax_loop_close(&loop), 0);
}

/* ---- gives up ---- */

enum { KNOWN = 12 };
static struct outlives {
    ax_event event;
    ax_sem sem;
    ax_mutex mutex;
    ax_cond cond;
    ax_queue empty, full;
    ax_barrier barrier;
    ax_future future, stays, stops;
    ax_callback done[KNOWN];
} outside;
static ax_task *tasks[KNOWN];
static ax_generator *generators[KNOWN];
static unsigned task_count, generator_count;
static int closing;

static int says_stay(ax_future *f, void *arg) {
    (void)f;
    (void)arg;
    return AX_STAY;
}
static int says_stopped(ax_future *f, void *arg) {
    (void)f;
    (void)arg;
    return 0;
}
static void nothing(ax_loop *l, void *arg) {
    (void)l;
    (void)arg;
}

static ax_op any_op(ax_task *me, unsigned what, int *item) {
    switch (what) {
    case 0: return ax_event_wait(me, &outside.event);
    case 1: return ax_sem_acquire(me, &outside.sem);
    case 2: return ax_mutex_lock(me, &outside.mutex);
    case 3: return outside.mutex.owner == me ? ax_cond_wait(me, &outside.cond) : ax_mutex_lock(me, &outside.mutex);
    case 4: return ax_queue_get(me, &outside.empty, item);
    case 5: return ax_queue_put(me, &outside.full, item);
    case 6: return ax_barrier_wait(me, &outside.barrier);
    case 7: return ax_future_wait(me, &outside.future);
    case 8: return ax_future_wait(me, &outside.stays);
    case 9: return ax_future_wait(me, &outside.stops);
    case 10: return task_count ? ax_join(me, tasks[below(task_count)]) : ax_event_wait(me, &outside.event);
    case 11: return generator_count ? ax_next(me, generators[below(generator_count)]) : ax_event_wait(me, &outside.event);
    case 12: return generator_count ? ax_generator_close(me, generators[below(generator_count)]) : ax_event_wait(me, &outside.event);
    default: return ax_sleep(me, AX_FOREVER);
    }
}

struct stuck_items { ax_frame frame; unsigned how; int i, item; };
AX_ASYNC(stuck_items) {
    AX_BEGIN;
    while (my->i++ < 3) {
        if (my->how & 1) AX_TRY(any_op(me, below(14), &my->item));
        AX_EMIT();
    }
    AX_FINALLY:
    while (my->how & 2) {
        AX_TRY(any_op(me, below(10), &my->item));
        AX_TRY(ax_event_wait(me, &outside.event));
    }
    AX_END;
}
AX_DECLARE(stuck);
struct stuck { ax_frame frame; int depth, i, item, generates, groups; ax_group group; AX_GENERATOR(stuck_items) items; ax_task *child; };
static void forget(const ax_generator *g) { /* before the frame that it is in goes */
    unsigned i = 0;
    while (i < generator_count && generators[i] != g) i++;
    if (i < generator_count) generators[i] = generators[--generator_count];
}
static void know(ax_task *t) {
    if (!t || closing || task_count == KNOWN) return;
    if (one_in(2)) ax_on_done(t, &outside.done[task_count], nothing, NULL);
    tasks[task_count++] = ax_task_ref(t);
}
AX_ASYNC(stuck) {
    AX_BEGIN;
    if (my->depth < 3 && one_in(2)) {
        my->generates = AX_GENERATE(&my->items, stuck_items, .how = below(4)) >= 0;
        if (my->generates && generator_count < KNOWN) generators[generator_count++] = &my->items.generator;
    }
    if (my->depth < 3 && one_in(2)) {
        my->groups = 1;
        ax_group_open(me, &my->group, one_in(2) ? AX_GROUP_KEEP : 0);
        for (my->i = (int)below(4); my->i > 0 && task_count < KNOWN; my->i--) know(AX_SPAWN(&my->group, stuck, .depth = my->depth + 1));
    }
    if (my->generates) AX_TRY(ax_next(me, &my->items.generator));
    AX_TRY(any_op(me, below(14), &my->item));
    if (my->groups) {
        AX_TRY(ax_group_next(me, &my->group, &my->child)); /* of another kind of group it is misuse, which says so */
        AX_AWAIT(ax_group_join(me, &my->group));
    }
    if (one_in(3)) AX_AWAIT(AX_CALL(stuck, .depth = my->depth + 1));
    AX_AWAIT(any_op(me, below(14), &my->item));
    AX_FINALLY:
    forget(&my->items.generator);
    if (one_in(3))
        for (;;) {
            AX_TRY(any_op(me, below(10), &my->item));
            AX_TRY(ax_event_wait(me, &outside.event));
        }
    AX_END;
}

static long dead_ends;
static void program_gives_up(void) {
    static int one[1];
    unsigned i;
    memset(&outside, 0, sizeof outside);
    ax_sem_init(&outside.sem, (int)below(2), 0);
    ax_cond_init(&outside.cond, &outside.mutex);
    ax_queue_init(&outside.empty, one, 1, sizeof *one);
    ax_queue_init(&outside.full, NULL, 0, sizeof *one);
    ax_barrier_init(&outside.barrier, 4);
    outside.stays.cancel = says_stay;
    outside.stops.cancel = says_stopped;
    task_count = generator_count = 0;
    for (i = 0; i < 2; i++) know(AX_SPAWN(&loop.root, stuck));
    for (i = 0; i < 20; i++) {
        ax_run_once(&loop);
        if (one_in(4) && task_count) ax_cancel(tasks[below(task_count)]);
    }
    if (one_in(4)) ax_group_cancel(&loop.root);
    for (i = 0; i < task_count; i++) ax_task_unref(tasks[i]);
    task_count = 0;
    closing = 1;
    dead_ends += ax_loop_close(&loop) == AX_EDEADLK;
    closing = 0;
    EXPECT("of the event", ax_waiters(&outside.event.waiters), 0);
    EXPECT("of the semaphore", ax_waiters(&outside.sem.waiters), 0);
    EXPECT("of the mutex", ax_waiters(&outside.mutex.waiters), 0);
    EXPECT("the mutex's owner", outside.mutex.owner != NULL, 0);
    EXPECT("of the condition", ax_waiters(&outside.cond.waiters), 0);
    EXPECT("of a queue", ax_waiters(&outside.empty.getters), 0);
    EXPECT("of a queue", ax_waiters(&outside.full.putters), 0);
    EXPECT("of the barrier", ax_waiters(&outside.barrier.waiters), 0);
    EXPECT("of a future", ax_waiters(&outside.future.waiters), 0);
    EXPECT("of a future", ax_waiters(&outside.stays.waiters), 0);
    EXPECT("of a future", ax_waiters(&outside.stops.waiters), 0);
    for (i = 0; i < KNOWN; i++) EXPECT("a callback", ax_callback_stop(&outside.done[i]), 0);
}

static void programs(const char *name, void (*program)(void), long n, long first) {
    wrong = 0;
    for (seed = first; seed < first + n; seed++) {
        dice = (uint64_t)seed * 7919;
        wrong_here = 0;
        now = 0;
        open_loop();
        program();
    }
    ok(!wrong, "%s, seeds %ld to %ld", name, first, first + n - 1);
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1000, first = argc > 2 ? atol(argv[2]) : 1;
    programs("a cleanup is cancelled by nothing but its own requests", program_keeps, n, first);
    programs("a task that never waits meets its cancel, or its limit", program_meets, n, first);
    programs("what outlives a loop knows nothing of the tasks that it gave up", program_gives_up, n, first);
    ok(dead_ends, "most of those loops have such tasks: %ld", dead_ends);
    return tap_end();
}
