/* Random use of the primitives against a model: semaphores, mutexes, conditions, barriers, events, futures, queues, limiters,
   generators, limits and joins, one kind at a time or up to four mixed. `primitives [RUNS [FIRST_SEED]]`.

   A program is a handful of tasks that call an async function of a random kind, again and again, also while they hold something
   in another; they and callbacks cancel each other, time out, close, break and renew things. Each op is first done in a model
   (model.h and the functions of each part here), then for real. The model knows exactly who goes next, when, and with what, so
   that every turn is checked: the order of the ready queue, results, who waits in which line, owners, counts, numbers of
   requests, deadlines; and whenever nothing is ready, that the model's ready queue is empty too and the next deadline the same.
   At the end all tasks have ended, all permits are back, no memory is kept. A failure prints its seed and the last ops.

   Tried on bugs planted by hand in a copy of the header. Each of these is found by the 2,000 programs of a plain run:
   semaphore: a release adds the permit as well as handing it over; serves the last in line; goes beyond the maximum; does not
   mark a permit as held; a cancelled enter leaves its scope open; a permit is kept when its frame is left. Mutex: handed to the
   last in line, or to nobody; unlocked by anyone; locked twice by its owner; kept when its frame is left. Condition: a
   cancelled waiter goes on without the mutex, or does not take a free one; a cancel during the re-lock loses the notification;
   one more is notified; the notified pass those who wait for the mutex; notify without the mutex; wait keeps the mutex; it
   comes back as the scope of another frame. Barrier: a cancelled one counts; numbers from 1; reset, or a full round, leaves the
   count; abort leaves waiters asleep; a broken one lets wait. Event: set wakes the first only; wait of a set one waits. Future:
   wakes the first only; a wait without a hook can't be cancelled; a stopped operation leaves the others asleep; its end is not
   the cancel of who asked; ends twice; a result that beats a cancel drops the request. Queue: a put passes waiting putters, or
   a waiting getter; a putter's item is not moved in, or not in order, or not counted; close leaves putters, or getters, asleep;
   close_now does not count what it drops, drops from the wrong end, or does not tell; equal priorities are not stable; a
   rendezvous loses its item; the ring wraps one late; join ends one item early; the end is an error; a cancelled waiter stays
   in line; a ring that grows loses its second part, or grows beyond its most. Limiter: a cancelled waiter takes its tokens, or
   leaves the next asleep; those who wait are passed; a full bucket overflows. Generator: keeps a permit when closed; the user's
   request is not passed on, not taken back at AX_EMIT, or stays marked; one unmet at ax_next is dropped, or met twice if a
   limit was due; a limit that expired in the pause is forgotten; its error is lost to who closes it; two are in it at once; the
   frame does not wait for its end; left while another is in it: it is not asked to end, or pauses for ever; a close is a cancel
   to its user; a cancel of who closes it, or of a frame that is left, is lost; who waits for its end is not woken. Others: one
   joiner is woken only; an ax_joiner keeps its reference; a limit does not take its request back, makes a cancel a time-out, is
   not armed after a reschedule, or comes after a sleep of the same time; tasks are woken out of order, also by equal deadlines;
   an unmet request is dropped; a timer stays armed. Not found: room for a timer that a generator closed before its first step
   does not give back (only memory tells). Not looked at: groups, ax_future_on_done, callbacks in a line of waiters, failing
   allocations, a turn after many awaits (random.c does). */
#define ASYNCX_IMPLEMENTATION
#define ASYNCX_AWAITS 1000000000 /* a task that never waits keeps its turn: the model need not count awaits */
#include "asyncx.h"
#include "kit.h"
#include "model.h"
#include <signal.h>

struct numbers { /* a generator: its items are 1, 2, 3... */
    ax_frame frame;
    struct generator *g;
    struct actor *a;
    int item, n, inside, limited, ended, status;
    ax_permit permit;
    ax_timeout limit;
};
enum { UNOPENED, UNBEGUN, PAUSED, GOING, CLOSING, EXHAUSTED };
enum { RUNS_ON, STOPS, ENDS_LATER, ENDS_IN_HOOK }; /* what cancelling a waiter of a future does to the operation */

static struct primitives {
    int kinds;
    const struct kind *kind[4]; /* those of this program */
    ax_timer timer;
    struct { ax_sem real; int free, max, permits; struct line line; } sem;
    struct { ax_mutex real; struct actor *owner; const void *scope; struct line line; } mutex;
    struct condition { ax_cond real; struct line line; } cond[2];
    struct { ax_barrier real; int parties, broken; struct line line; } barrier;
    struct { ax_event real; int set; struct line line; } event;
    struct { ax_limiter real; ax_time interval, full; int burst; struct line line; } limiter;
    struct { ax_future real; int mode, done, status, value, asked, hooked; struct line line; } future;
    struct {
        ax_queue real;
        struct item storage[4], item[12];
        int n, capacity, unfinished, closed, given, dropped;
        struct line getters, putters, joiners;
    } queue;
    struct generator {
        AX_GENERATOR(numbers) real;
        struct actor *as, *opener, *user; /* opener: as long as its frame is open */
        int state, asked, closing, given, entered;
        struct line closers;
    } generator[GENERATORS];
} p;

static void told(const char *misuse) { /* at most; NULL: nothing */
    CHECK(!kit_reported || (misuse && strstr(kit_reported, misuse)));
    kit_reported = NULL;
}

/* ---- Semaphore ---- */

static int sem_try(void) { return p.sem.free ? p.sem.free--, 0 : AX_EAGAIN; }
static int sem_give(void) {
    if (p.sem.line.n) go(first(&p.sem.line), 0);
    else if (p.sem.max && p.sem.free == p.sem.max) return AX_EOVERFLOW;
    else p.sem.free++;
    return 0;
}
static void sem_set_up(void) {
    p.sem.max = one_in(2) ? 0 : 1 + below(3);
    p.sem.permits = p.sem.free = below(p.sem.max ? p.sem.max + 1 : 3);
    CHECK(ax_sem_init(&p.sem.real, p.sem.free, p.sem.max) == 0);
}
static void sem_poke(void) { /* a permit more or less */
    int more_or_less = one_in(2) ? -1 : 1, rc;
    if (more_or_less > 0 && p.sem.permits >= (p.sem.max ? p.sem.max : 3) && p.sem.free != p.sem.max) return;
    rc = more_or_less > 0 ? sem_give() : sem_try();
    CHECK(rc == (more_or_less > 0 ? ax_sem_release(&p.sem.real) : ax_sem_try_acquire(&p.sem.real)));
    if (!rc) p.sem.permits += more_or_less;
}
static void sem_check(void) {
    CHECK(p.sem.real.permits == p.sem.free);
    check_line(&p.sem.real.waiters, &p.sem.line);
}
struct sem_user { ax_frame frame; struct actor *a; int n, inside, has; ax_permit permit; };
AX_ASYNC(sem_user) {
    struct actor *a = my->a;
    AX_BEGIN;
    for (my->n = 1 + below(5); more(&my->n);) {
        if (!my->inside && one_in(3)) {
            DO(does(a, sem_try(), &p.sem.line), ax_sem_enter(me, &p.sem.real, &my->permit));
            my->inside = me->rc == 0;
            CHECK(my->permit.held == my->inside);
        } else if (one_in(3)) {
            DO(does(a, sem_try(), &p.sem.line), ax_sem_acquire(me, &p.sem.real));
            my->has += me->rc == 0;
        } else if (one_in(2)) {
            CHECK(ax_sem_leave(&my->permit) == (my->inside ? sem_give() : AX_EPERM));
            my->inside = 0;
        } else if (my->has) {
            my->has--;
            CHECK(ax_sem_release(&p.sem.real) == sem_give());
        }
        LINGER();
    }
    AX_FINALLY:
    left(a);
    if (my->inside) sem_give(); /* its scope has done the same */
    for (; my->has; my->has--) CHECK(ax_sem_release(&p.sem.real) == sem_give());
    AX_END;
}
static ax_op use_sem(ax_task *me, struct actor *a) { return AX_CALL(sem_user, .a = a); }

/* ---- Mutex, and conditions over it ---- */

static int mutex_try(struct actor *a, const void *scope) {
    a->scope = scope;
    a->relock = 0;
    if (p.mutex.owner) return p.mutex.owner == a ? AX_EDEADLK : AX_EAGAIN;
    p.mutex.owner = a;
    p.mutex.scope = scope;
    return 0;
}
static void mutex_unlock(void) {
    struct actor *a = p.mutex.owner = first(&p.mutex.line);
    if (!a) return;
    p.mutex.scope = a->scope;
    go(a, a->relock);
}
static void relock(struct actor *a, int status) {
    a->relock = status;
    a->hook = stay;
    enters(a, &p.mutex.line);
}
static int cond_cancel(struct actor *a) { /* out of the condition's line, but not without the mutex */
    leaves(a);
    if (mutex_try(a, a->scope) == 0) return 0;
    relock(a, AX_ECANCELED);
    return AX_STAY;
}
static void cond_wait(struct actor *a, struct condition *c) {
    a->expect = AX_EPERM;
    if (p.mutex.owner != a) return;
    a->scope = p.mutex.scope;
    mutex_unlock();
    waits_in(a, &c->line, cond_cancel);
}
static int cond_notify(const struct actor *a, struct condition *c, int n) {
    int woken = 0;
    if (p.mutex.owner != a) return AX_EPERM;
    for (; c->line.n && woken < n; woken++) relock(first(&c->line), 0);
    return woken;
}
static void mutex_set_up(void) {
    ax_cond_init(&p.cond[0].real, &p.mutex.real);
    ax_cond_init(&p.cond[1].real, &p.mutex.real);
}
static void mutex_check(void) {
    CHECK(p.mutex.real.owner == (p.mutex.owner ? p.mutex.owner->task : NULL));
    check_line(&p.mutex.real.waiters, &p.mutex.line);
    check_line(&p.cond[0].real.waiters, &p.cond[0].line);
    check_line(&p.cond[1].real.waiters, &p.cond[1].line);
}
/* Who does not hold the mutex is refused, and told so. */
static int holds(const ax_task *me) { return p.mutex.real.owner == me; }
static int unlock(ax_task *me) {
    int held = holds(me), rc = ax_mutex_unlock(me, &p.mutex.real);
    told(held ? NULL : "does not hold it");
    return rc;
}
static int notify(ax_task *me, struct condition *c, int n) {
    int held = holds(me), rc = ax_cond_notify(me, &c->real, n);
    told(held ? NULL : "does not hold it");
    return rc;
}
static ax_op wait_for(ax_task *me, struct condition *c) {
    int held = holds(me);
    ax_op op = ax_cond_wait(me, &c->real);
    told(held ? NULL : "does not hold it");
    return op;
}
struct locker { ax_frame frame; struct actor *a; int n, waits; struct condition *c; };
AX_ASYNC(locker) {
    struct actor *a = my->a;
    AX_BEGIN;
    for (my->n = 1 + below(5); more(&my->n);) {
        my->c = &p.cond[below(2)];
        if (p.mutex.owner != a && one_in(4)) CHECK(ax_mutex_try_lock(me, &p.mutex.real) == mutex_try(a, my));
        else if (p.mutex.owner != a || one_in(8)) DO(does(a, mutex_try(a, my), &p.mutex.line), ax_mutex_lock(me, &p.mutex.real));
        else if (one_in(3)) CHECK(unlock(me) == 0), mutex_unlock();
        if (p.mutex.owner != a) CHECK(unlock(me) == AX_EPERM);
        if (my->waits && one_in(2)) {
            int n = one_in(3) ? AX_COND_ALL : below(3);
            CHECK(notify(me, my->c, n) == cond_notify(a, my->c, n));
        } else if (my->waits) {
            DO(cond_wait(a, my->c), wait_for(me, my->c));
        }
        LINGER();
    }
    AX_FINALLY:
    left(a);
    if (p.mutex.owner == a && p.mutex.scope == my) mutex_unlock(); /* it was this frame's scope */
    AX_END;
}
static ax_op use_mutex(ax_task *me, struct actor *a) { return AX_CALL(locker, .a = a); }
static ax_op use_cond(ax_task *me, struct actor *a) { return AX_CALL(locker, .a = a, .waits = 1); }

/* ---- Barrier, event, future: one op, and what others do to it ---- */

#define USER(name, model, real, poke) \
    struct name##_user { ax_frame frame; struct actor *a; int n; }; \
    AX_ASYNC(name##_user) { \
        struct actor *a = my->a; \
        AX_BEGIN; \
        for (my->n = 1 + below(4); more(&my->n);) { \
            DO(model, real); \
            if (one_in(2)) poke; \
            LINGER(); \
        } \
        AX_FINALLY: \
        left(a); \
        AX_END; \
    } \
    static ax_op use_##name(ax_task *me, struct actor *a) { return AX_CALL(name##_user, .a = a); } \
    struct name##_user /* for a semicolon */

static int barrier_comes(void) {
    int number = 0;
    if (p.barrier.broken) return AX_ECONNABORTED;
    if (p.barrier.line.n + 1 < p.barrier.parties) return AX_EAGAIN;
    while (p.barrier.line.n) go(first(&p.barrier.line), number++);
    return number;
}
static void barrier_set_up(void) {
    p.barrier.parties = 1 + below(4);
    p.barrier.broken = 0;
    CHECK(ax_barrier_init(&p.barrier.real, p.barrier.parties) == 0);
}
static void barrier_poke(void) {
    if (!p.barrier.line.n && one_in(4)) { barrier_set_up(); return; }
    if (!p.barrier.broken && !one_in(6)) return;
    all_go(&p.barrier.line, AX_ECONNABORTED);
    if ((p.barrier.broken = !p.barrier.broken && one_in(2)) != 0) ax_barrier_abort(&p.barrier.real);
    else ax_barrier_reset(&p.barrier.real);
}
static void barrier_check(void) {
    CHECK(p.barrier.real.waiting == p.barrier.line.n && p.barrier.real.broken == p.barrier.broken);
    check_line(&p.barrier.real.waiters, &p.barrier.line);
}
USER(barrier, does(a, barrier_comes(), &p.barrier.line), ax_barrier_wait(me, &p.barrier.real), barrier_poke());

static void event_poke(void) {
    p.event.set = one_in(3);
    if (p.event.set) all_go(&p.event.line, 0), ax_event_set(&p.event.real);
    else ax_event_clear(&p.event.real);
}
static void event_check(void) {
    CHECK(p.event.real.set == p.event.set);
    check_line(&p.event.real.waiters, &p.event.line);
}
USER(event, does(a, p.event.set ? 0 : AX_EAGAIN, &p.event.line), ax_event_wait(me, &p.event.real), event_poke());

static int future_ends(int status) {
    if (p.future.done) return AX_EALREADY;
    p.future.done = 1;
    all_go(&p.future.line, p.future.status = status);
    return 0;
}
static int future_cancel(struct actor *a) {
    if (p.future.mode == RUNS_ON) return 0;
    p.future.asked++;
    if (p.future.mode == STOPS) future_ends(AX_ECANCELED);
    if (p.future.mode == ENDS_IN_HOOK) future_ends(p.future.value);
    return stay(a);
}
static int future_hook(ax_future *f, void *arg) {
    p.future.hooked++;
    CHECK(arg == &p.future && p.future.mode != RUNS_ON);
    if (p.future.mode == ENDS_IN_HOOK) ax_future_complete(f, p.future.value);
    return p.future.mode == STOPS ? 0 : AX_STAY;
}
static void future_wait(struct actor *a) {
    a->expect = p.future.status;
    if (!p.future.done) waits_in(a, &p.future.line, future_cancel);
}
static void future_set_up(void) {
    memset(&p.future.real, 0, sizeof p.future.real);
    p.future.done = 0;
    p.future.mode = below(4);
    p.future.value = one_in(5) ? AX_ECANCELED : one_in(5) ? AX_EBADF : below(100);
    p.future.real.arg = &p.future;
    if (p.future.mode != RUNS_ON) p.future.real.cancel = future_hook;
}
static void future_poke(void) {
    if (p.future.done && !one_in(4)) future_set_up();
    else CHECK(ax_future_complete(&p.future.real, p.future.value) == future_ends(p.future.value));
}
static void future_check(void) {
    CHECK(p.future.real.done == p.future.done && p.future.asked == p.future.hooked);
    check_line(&p.future.real.waiters, &p.future.line);
}
USER(future, future_wait(a), ax_future_wait(me, &p.future.real), future_poke());

/* ---- Limiter ---- */

static ax_time limiter_ready(int tokens) { return p.limiter.full - (p.limiter.burst - tokens) * p.limiter.interval; }
static void limiter_take(int tokens) {
    p.limiter.full = (p.limiter.full > w.now ? p.limiter.full : w.now) + tokens * p.limiter.interval;
}
static int limiter_try(int tokens) {
    if (tokens < 1 || tokens > p.limiter.burst) return AX_EINVAL;
    if (p.limiter.line.n || limiter_ready(tokens) > w.now) return AX_EAGAIN;
    limiter_take(tokens);
    return 0;
}
static void limiter_slept(struct actor *a);
static void limiter_next(void) { /* the first in line sleeps until there is enough for it */
    struct actor *a = p.limiter.line.n ? p.limiter.line.who[0] : NULL;
    if (!a || a->wake != AX_FOREVER) return;
    a->wake = limiter_ready(a->tokens);
    a->wake_seq = w.seq++;
    a->slept = limiter_slept;
}
static int limiter_cancel(struct actor *a) {
    leaves(a);
    limiter_next();
    return 0;
}
static void limiter_slept(struct actor *a) {
    limiter_take(a->tokens);
    limiter_cancel(a);
}
static void limiter_acquire(struct actor *a) {
    a->tokens = below(p.limiter.burst + 2);
    a->expect = limiter_try(a->tokens);
    if (a->expect != AX_EAGAIN) return;
    waits_in(a, &p.limiter.line, limiter_cancel);
    limiter_next();
}
static void limiter_set_up(void) {
    int rate = 1 + below(3);
    p.limiter.burst = 1 + below(4);
    p.limiter.interval = (AX_MS(4) + rate - 1) / rate;
    CHECK(ax_limiter_init(&p.limiter.real, rate, AX_MS(4), p.limiter.burst) == 0);
}
static void limiter_poke(void) {
    int tokens = below(p.limiter.burst + 2);
    CHECK(ax_limiter_try_acquire(&w.loop, &p.limiter.real, tokens) == limiter_try(tokens));
}
static void limiter_check(void) {
    int tokens = ax_limiter_tokens(&w.loop, &p.limiter.real);
    CHECK(tokens <= p.limiter.burst && limiter_ready(tokens) <= w.now); /* so many are there, and no more */
    CHECK(tokens == p.limiter.burst || limiter_ready(tokens + 1) > w.now);
    check_line(&p.limiter.real.waiters, &p.limiter.line);
}
USER(limiter, limiter_acquire(a), ax_limiter_acquire(me, &p.limiter.real, a->tokens), limiter_poke());

/* ---- Queue ---- */

static int by_key(const void *a, const void *b) { return ((const struct item *)a)->key < ((const struct item *)b)->key; }

static void queue_store(struct item item) { /* behind all that it does not go before */
    ax_before_fn *before = p.queue.real.before;
    int i = 0, k = p.queue.n++;
    while (i < k && !(before && before(&item, &p.queue.item[i]))) i++;
    for (; k > i; k--) p.queue.item[k] = p.queue.item[k - 1];
    p.queue.item[i] = item;
}
static int queue_put(struct item item) {
    struct actor *getter;
    if (p.queue.closed) return AX_EPIPE;
    if ((getter = first(&p.queue.getters)) != NULL) getter->item = item, go(getter, 1);
    else if (p.queue.n < p.queue.capacity) queue_store(item);
    else return AX_EAGAIN;
    p.queue.unfinished++;
    return 0;
}
static int queue_get(struct item *item) {
    struct actor *putter = first(&p.queue.putters);
    int i;
    if (!p.queue.n && !putter) return p.queue.closed ? 0 : AX_EAGAIN;
    *item = p.queue.n ? p.queue.item[0] : putter->item;
    if (p.queue.n)
        for (p.queue.n--, i = 0; i < p.queue.n; i++) p.queue.item[i] = p.queue.item[i + 1];
    if (!putter) return 1;
    if (p.queue.capacity) queue_store(putter->item);
    p.queue.unfinished++;
    go(putter, 0);
    return 1;
}
static int queue_finished(void) {
    if (!p.queue.unfinished) return AX_EINVAL;
    if (!--p.queue.unfinished) all_go(&p.queue.joiners, 0);
    return 0;
}
static void queue_drop(void *item, void *items) {
    CHECK(memcmp(item, &((struct item *)items)[p.queue.dropped++], sizeof(struct item)) == 0);
}
static void queue_close(int now) {
    p.queue.dropped = 0;
    if (now) ax_queue_close_now(&p.queue.real, queue_drop, p.queue.item);
    else ax_queue_close(&p.queue.real);
    CHECK(p.queue.dropped == (now ? p.queue.n : 0));
    p.queue.closed = 1;
    all_go(&p.queue.getters, 0);
    all_go(&p.queue.putters, AX_EPIPE);
    for (; now && p.queue.n; p.queue.n--) queue_finished();
}
static struct item new_item(void) {
    struct item item;
    item.key = below(3);
    item.id = ++p.queue.given;
    return item;
}
static void queue_set_up(void) {
    if (p.queue.real.loop) ax_queue_free(&p.queue.real);
    memset(&p.queue, 0, sizeof p.queue);
    p.queue.capacity = below(5);
    if (one_in(3)) {
        p.queue.capacity = 1 + below(12);
        CHECK(ax_queue_init_growing(&p.queue.real, &w.loop, (size_t)p.queue.capacity, sizeof(struct item)) == 0);
    } else {
        CHECK(ax_queue_init(&p.queue.real, p.queue.storage, (size_t)p.queue.capacity, sizeof(struct item)) == 0);
    }
    p.queue.real.before = one_in(2) ? NULL : one_in(2) ? by_key : ax_queue_lifo;
}
static void queue_poke(void) {
    struct item item = new_item(), got = {0, 0}, want = {0, 0};
    int act = below(9);
    if (act < 3) CHECK(ax_queue_try_put(&p.queue.real, &item) == queue_put(item));
    else if (act < 5) CHECK(ax_queue_try_get(&p.queue.real, &got) == queue_get(&want) && memcmp(&got, &want, sizeof got) == 0);
    else if (act < 8) {
        int rc = queue_finished();
        CHECK(ax_queue_task_done(&p.queue.real) == rc);
        told(rc < 0 ? "more items than were put" : NULL);
    }
    else if (p.queue.closed && !p.queue.joiners.n && one_in(2)) queue_set_up();
    else if (one_in(4)) queue_close(one_in(2));
}
static void queue_check(void) {
    CHECK((int)p.queue.real.count == p.queue.n && (int)p.queue.real.unfinished == p.queue.unfinished);
    check_line(&p.queue.real.getters, &p.queue.getters);
    check_line(&p.queue.real.putters, &p.queue.putters);
    check_line(&p.queue.real.joiners, &p.queue.joiners);
}
struct queue_user { ax_frame frame; struct actor *a; int n, act; struct item put, got; };
AX_ASYNC(queue_user) {
    struct actor *a = my->a;
    AX_BEGIN;
    for (my->n = 1 + below(6); more(&my->n);) {
        my->act = below(9);
        if (my->act < 3) {
            a->item = my->put = new_item();
            DO(does(a, queue_put(my->put), &p.queue.putters), ax_queue_put(me, &p.queue.real, &my->put));
        } else if (my->act < 6) {
            memset(&my->got, 0, sizeof my->got);
            DO(does(a, queue_get(&a->item), &p.queue.getters), ax_queue_get(me, &p.queue.real, &my->got));
            if (me->rc == 1) CHECK(memcmp(&my->got, &a->item, sizeof my->got) == 0);
            else CHECK(!my->got.id);
        } else if (my->act == 6) {
            DO(does(a, p.queue.unfinished ? AX_EAGAIN : 0, &p.queue.joiners), ax_queue_join(me, &p.queue.real));
        } else {
            queue_poke();
        }
        LINGER();
    }
    AX_FINALLY:
    left(a);
    AX_END;
}
static ax_op use_queue(ax_task *me, struct actor *a) { return AX_CALL(queue_user, .a = a); }

/* ---- Generators ---- */

static struct generator *generator_open(struct actor *a) {
    int i;
    for (i = 0; i < GENERATORS && p.mutex.owner != a; i++) { /* an owner would wait for an end that may need the mutex */
        struct generator *g = &p.generator[i];
        if (g->opener || (g->state != UNOPENED && g->state != EXHAUSTED)) continue;
        g->as = &w.actor[ACTORS + i];
        memset(g->as, 0, sizeof *g->as);
        g->as->id = 100 + i;
        g->as->task = &g->real.generator.task;
        g->as->state = WAITING;
        g->as->wake = AX_FOREVER;
        g->as->hook = stay;
        g->as->depth = a->depth;
        g->opener = a;
        g->user = NULL;
        g->state = UNBEGUN;
        g->asked = g->closing = g->given = g->entered = 0;
        return g;
    }
    return NULL;
}
static void generator_over(struct generator *g) {
    g->state = EXHAUSTED;
    g->as->state = OVER;
}
static void generator_stop(struct generator *g) { /* it leaves at its AX_EMIT */
    g->state = CLOSING;
    g->as->hook = NULL;
    g->as->asked = 0;
    if (!g->entered) g->as->state = FRESH, enters(g->as, &w.ready); /* then only its cleanup runs */
    request(g->as);
}
static int next_cancel(struct actor *a) { /* met in the generator, if that has begun */
    struct generator *g = a->asks;
    if (g->state != GOING) { g->user = NULL; return 0; }
    g->asked++;
    request(g->as);
    return AX_STAY;
}
static void generator_next(struct actor *a, struct generator *g) {
    int unmet = a->unmet;
    a->expect = g->state == EXHAUSTED ? 0 : AX_EBUSY;
    if (g->state >= GOING) return;
    g->state = PAUSED;
    g->user = a;
    a->asks = g;
    a->unmet = 0;
    waits_in(a, NULL, next_cancel);
    if (a->state != WAITING) return; /* its limit was due */
    if (unmet) a->asked = g->asked = 1, request(g->as);
    g->state = GOING;
    g->entered = 1;
    go_on(g->as, 0);
}
static void generator_emits(struct generator *g) {
    struct actor *user = g->user;
    g->user = NULL;
    for (; g->asked; g->asked--) take_back(g->as, 0);
    g->state = PAUSED;
    g->as->op = "AX_EMIT()";
    waits_in(g->as, NULL, stay);
    if (g->closing) generator_stop(g);
    go_on(user, 1);
}
static int close_cancel(struct actor *a) { /* met in the generator's cleanup */
    request(a->asks->as);
    return AX_STAY;
}
static void generator_close(struct actor *a, struct generator *g) {
    if (g->state == UNBEGUN) generator_over(g);
    a->expect = g->state == EXHAUSTED ? 0 : AX_EBUSY;
    if (g->state != PAUSED) return;
    generator_stop(g);
    a->asks = g;
    waits_in(a, &g->closers, close_cancel);
}
static void generator_ends(struct generator *g, int status) { /* a cancelled one was closed, unless its user was cancelled */
    struct actor *user = g->user, *a;
    int closed = status == AX_ECANCELED ? 0 : status;
    generator_over(g);
    while ((a = first(&g->closers)) != NULL) go(a, a->leaving && a->asked ? OWN : closed);
    if (user) go_on(user, user->asked || !g->closing ? status : closed);
}
/* Deferred, so called when the frame that opened it is left: right before the generator is closed. */
static void generator_left(void *arg) {
    struct generator *g = (struct generator *)arg;
    struct actor *a = g->opener;
    if (a->op) came_back(a, OWN);
    if (g->state == UNBEGUN) generator_over(g);
    if (g->state == EXHAUSTED) return;
    g->closing = a->leaving = 1;
    if (g->state == PAUSED) generator_stop(g);
    else if (g->state == GOING) request(g->as);
    a->asks = g;
    waits_in(a, &g->closers, close_cancel);
}
static void generator_check(void) {
    int i;
    for (i = 0; i < GENERATORS; i++)
        if (p.generator[i].state > UNBEGUN && p.generator[i].state < EXHAUSTED)
            check_line(&p.generator[i].real.generator.task.waiters, &p.generator[i].closers);
}

/* Holds a permit and a limit while it pauses, waits between its items, calls the others, fails, has a cleanup that waits. */
AX_ASYNC(numbers) {
    struct actor *a = my->a;
    AX_BEGIN;
    CHECK(w.running == a);
    if ((my->limited = one_in(4)) != 0) {
        CHECK(ax_timeout_open(me, &my->limit, AX_MS(my->n = below(12))) == 0);
        set_limit(a, AX_MS(my->n));
    }
    for (my->n = below(6); my->n > 0; my->n--) {
        if (one_in(3)) DO(sleeps(a, my->n - 2), ax_sleep(me, AX_MS(my->n - 2)));
        if (!my->inside && one_in(3)) {
            DO(does(a, sem_try(), &p.sem.line), ax_sem_enter(me, &p.sem.real, &my->permit));
            my->inside = me->rc == 0;
        } else if (my->inside && one_in(3)) {
            CHECK(ax_sem_leave(&my->permit) == sem_give());
            my->inside = 0;
        }
        LINGER();
        my->item = ++my->g->given;
        generator_emits(my->g);
        AX_EMIT();
        came_back(a, STATUS);
    }
    my->ended = 1;
    AX_RETURN(my->status = one_in(3) ? AX_EBADF : one_in(5) ? AX_ECANCELED : 0);
    AX_FINALLY:
    if (!my->g->entered) runs(a);
    left(a);
    if (my->inside) sem_give();
    if (!my->ended || (my->status == AX_ECANCELED && a->count)) my->status = OWN;
    if (my->limited) my->status = end_limit(a, my->status);
    CHECK(ax_leaving(me) == (my->status == OWN ? AX_ECANCELED : my->status));
    a->cleaning = 1;
    a->unmet = 0; /* put off */
    if (one_in(2)) DO(sleeps(a, 1), ax_sleep(me, AX_MS(1)));
    generator_ends(my->g, ax_leaving(me));
    AX_END;
}

struct consumer { ax_frame frame; struct actor *a; int n, ended, status; struct generator *own, *g; ax_deferred leaves; };
static void consumer_left(ax_task *me, struct consumer *my) {
    struct actor *a = my->a;
    int status = my->ended ? my->status : OWN;
    left(a);
    if (a->leaving) { /* has waited for the generator: its error counts if there was none; so does a cancel of this wait */
        runs(a);
        a->leaving = 0;
        if (status >= 0 && a->expect < 0) status = a->expect;
        else if (a->expect == OWN && status != OWN) a->unmet = a->count != 0;
    }
    if (my->own) my->own->opener = NULL;
    CHECK(ax_leaving(me) == (status == OWN ? AX_ECANCELED : status));
}
AX_ASYNC(consumer) { /* of a generator of its own and of others' */
    struct actor *a = my->a;
    AX_BEGIN;
    if ((my->own = generator_open(a)) != NULL) {
        CHECK(AX_GENERATE(&my->own->real, numbers, .g = my->own, .a = my->own->as) == 0);
        CHECK(ax_defer(me, &my->leaves, generator_left, my->own) == 0);
    }
    for (my->n = 1 + below(6); more(&my->n);) {
        my->g = my->own && one_in(2) ? my->own : &p.generator[below(GENERATORS)];
        if (my->g->state == UNOPENED) continue;
        if (one_in(6)) DO(generator_close(a, my->g), ax_generator_close(me, &my->g->real.generator));
        else DO(generator_next(a, my->g), ax_next(me, &my->g->real.generator));
        if (me->rc == 1) CHECK(my->g->real.frame.item == my->g->given);
        LINGER();
    }
    my->ended = 1;
    AX_RETURN(my->status = one_in(4) ? AX_EPIPE : 0);
    AX_FINALLY:
    consumer_left(me, my);
    AX_END;
}
static ax_op use_generator(ax_task *me, struct actor *a) { return AX_CALL(consumer, .a = a); }

/* ---- Limits of a body ---- */

struct limited { ax_frame frame; struct actor *a; int n, open, ended; ax_timeout limit; };
static void limited_moves(struct limited *my) {
    struct limit *l = &my->a->limit[my->a->limits - 1];
    CHECK(ax_timeout_reschedule(&my->limit, w.now + AX_MS(my->n - 1)) == (l->expired ? AX_EPERM : 0));
    if (!l->expired) l->when = w.now + AX_MS(my->n - 1), l->seq = w.seq++;
}
AX_ASYNC(limited) {
    struct actor *a = my->a;
    int status;
    AX_BEGIN;
    CHECK(ax_timeout_open(me, &my->limit, AX_MS(my->n = below(15))) == 0);
    set_limit(a, AX_MS(my->n));
    my->open = 1;
    for (my->n = 1 + below(5); my->open && more(&my->n);) {
        if (one_in(2)) {
            DO(sleeps(a, my->n), ax_sleep(me, AX_MS(my->n)));
        } else if (one_in(3)) {
            limited_moves(my);
        } else if (one_in(6)) {
            my->open = 0;
            CHECK(ax_timeout_close(&my->limit) == a->limit[a->limits - 1].expired);
            end_limit(a, 0);
        }
        LINGER();
    }
    my->ended = 1;
    AX_FINALLY:
    left(a);
    status = my->ended ? 0 : OWN;
    if (my->open) status = end_limit(a, status);
    CHECK(ax_leaving(me) == (status == OWN ? AX_ECANCELED : status));
    AX_END;
}
static ax_op use_limit(ax_task *me, struct actor *a) { return AX_CALL(limited, .a = a); }

/* ---- Other tasks ---- */

AX_DECLARE(worker);
struct worker { ax_frame frame; struct actor *a; int time; };
static struct actor *any_actor(void) {
    int i = below(ACTORS);
    while (!w.actor[i].task) i = (i + 1) % ACTORS;
    return &w.actor[i];
}
static void spawn(struct actor *target) { /* an actor, or an ax_joiner of another */
    struct actor *a = &w.actor[1];
    while (a < w.actor + ACTORS && a->task) a++;
    if (a == w.actor + ACTORS) return;
    a->id = (int)(a - w.actor);
    a->steps = 1 + below(20);
    a->silent = target != NULL;
    a->target = target;
    a->state = FRESH;
    a->wake = AX_FOREVER;
    if (target) a->task = AX_SPAWN(&w.loop.root, ax_joiner, .task = ax_task_ref(target->task));
    else a->task = AX_SPAWN(&w.loop.root, worker, .a = a);
    CHECK(a->task && ax_task_ref(a->task));
    enters(a, &w.ready);
    say(a->id, target ? "ax_joiner of" : "spawned", target ? target->id : 0);
}
static void join_poke(void) { spawn(any_actor()); }
static int joins(const struct actor *a, const struct actor *other) {
    return a == other ? AX_EDEADLK : other->state == OVER ? other->status : AX_EAGAIN;
}
static void join_check(void) {
    int i;
    for (i = 1; i < ACTORS; i++)
        if (w.actor[i].task && w.actor[i].state != OVER) check_line(&w.actor[i].task->waiters, &w.actor[i].joiners);
}
USER(join, (a->target = any_actor(), does(a, joins(a, a->target), &a->target->joiners)), ax_join(me, a->target->task), join_poke());

/* ---- Programs ---- */

static const struct kind {
    const char *name;
    ax_op (*use)(ax_task *me, struct actor *a);
    void (*set_up)(void);
    void (*poke)(void); /* what can be done to it from outside of tasks */
    void (*check)(void);
} kinds[] = {
    {"semaphore", use_sem, sem_set_up, sem_poke, sem_check},
    {"mutex", use_mutex, mutex_set_up, NULL, mutex_check},
    {"condition", use_cond, mutex_set_up, NULL, mutex_check},
    {"barrier", use_barrier, barrier_set_up, barrier_poke, barrier_check},
    {"event", use_event, NULL, event_poke, event_check},
    {"future", use_future, future_set_up, future_poke, future_check},
    {"limiter", use_limiter, limiter_set_up, limiter_poke, limiter_check},
    {"queue", use_queue, queue_set_up, queue_poke, queue_check},
    {"generator", use_generator, sem_set_up, sem_poke, generator_check},
    {"limit", use_limit, NULL, NULL, NULL},
    {"join", use_join, NULL, join_poke, join_check},
};
enum { KINDS = (int)(sizeof kinds / sizeof *kinds), GENERATOR = 8 };

static ax_op use(ax_task *me, struct actor *a) {
    a->depth++;
    return p.kind[below(p.kinds)]->use(me, a);
}
static void check(void) {
    int i;
    CHECK(!kit_reported);
    for (i = 0; i < p.kinds; i++)
        if (p.kind[i]->check) p.kind[i]->check();
}

AX_ASYNC(worker) {
    struct actor *a = my->a;
    AX_BEGIN;
    runs(a);
    CHECK(a->expect != OWN);
    while (more(&a->steps)) {
        my->time = below(6);
        if (one_in(3)) DO(sleeps(a, my->time), ax_sleep(me, AX_MS(my->time)));
        AX_TRY_ALL(use(me, a));
        if (STATUS == OWN && (w.budget <= 0 || one_in(2))) AX_RETURN(AX_ECANCELED);
        if (STATUS == OWN) keep(a);
    }
    AX_FINALLY:
    if (a->state == FRESH) runs(a), CHECK(a->expect == OWN); /* cancelled before it began */
    left(a);
    CHECK(ax_leaving(me) == 0 || ax_leaving(me) == AX_ECANCELED);
    say(a->id, "ends", ax_leaving(me));
    ends(a, ax_leaving(me));
    AX_END;
}

static void cancel(struct actor *a) {
    say(a->id, "is cancelled", 0);
    if (a->state != OVER) request(a);
    CHECK(ax_cancel(a->task) == (a->state != OVER));
    if (a->state == OVER || w.budget <= 0 || !one_in(8)) return;
    uncancel(a);
    CHECK(ax_uncancel(a->task) == a->count);
}
static void meddle(void) { /* from a callback, or from outside */
    const struct kind *k = p.kind[below(p.kinds)];
    int act = below(10);
    w.budget--;
    say(0, "meddles", act);
    if (act < 3) cancel(any_actor());
    else if (act == 3) spawn(NULL);
    else if (k->poke) k->poke();
    check();
}
static void callback(ax_loop *l, void *arg) {
    struct actor *a = w.actor;
    (void)l;
    if (arg) runs(a), meddle(); /* else it only starts the timer */
    a->state = NONE;
    if (w.budget <= 0 || one_in(8)) return;
    a->state = WAITING;
    a->wake = w.now + AX_MS(1 + below(6));
    a->wake_seq = w.seq++;
    CHECK(ax_timer_start(&w.loop, &p.timer, a->wake, callback, &w) == 0);
}

/* Nothing is ready: what comes next is what the model says. How many tasks are left. */
static int quiet(void) {
    struct actor *a;
    int alive = 0;
    check();
    CHECK(ax_next_deadline(&w.loop) == next_timer(&a));
    for (a = w.actor + 1; a < w.actor + ACTORS; a++) {
        if (!a->task) continue;
        CHECK(ax_task_status(a->task) == (a->state == OVER ? a->status : AX_EINPROGRESS));
        alive += a->state != OVER;
    }
    return alive;
}
static void dead_end(void) { /* all wait, and none for a time */
    struct actor *a;
    dead_ends++;
    if (w.budget > 0) { meddle(); return; }
    CHECK(w.budget-- > -100); /* they end when they are cancelled */
    if (!p.future.done && p.future.mode == ENDS_LATER) future_poke();
    for (a = w.actor + 1; a < w.actor + ACTORS; a++)
        if (a->task) cancel(a);
}

static void program(long number) {
    int i;
    memset(&w, 0, sizeof w);
    memset(&p, 0, sizeof p);
    seed = number;
    traced = 0;
#ifdef SIGALRM
    alarm(10);
#endif
    dice = (uint64_t)number * 2654435761u;
    w.budget = one_in(3) ? 5 + below(40) : 50 + below(1000);
    CHECK(ax_loop_open(&w.loop, kit_desc()) == 0);
    p.kinds = one_in(2) ? 1 : 2 + below(3);
    for (i = 0; i < p.kinds; i++) p.kind[i] = &kinds[one_in(5) ? GENERATOR : below(KINDS)], say(0, p.kind[i]->name, i);
    for (i = 0; i < KINDS; i++)
        if (kinds[i].set_up) kinds[i].set_up();
    for (i = 1 + below(6); i >= 0; i--) spawn(NULL);
    callback(&w.loop, NULL);
    for (;;) {
        if (turn()) continue;
        if (!quiet()) break;
        if (ax_next_deadline(&w.loop) == AX_FOREVER) dead_end();
    }
    ax_timer_stop(&p.timer);
    if (p.queue.real.loop) ax_queue_free(&p.queue.real);
    CHECK(ax_loop_close(&w.loop) == 0);
    CHECK(p.sem.free == p.sem.permits && !p.mutex.owner);
    for (i = 1; i < ACTORS; i++)
        if (w.actor[i].task) CHECK(!ax_task_unref(w.actor[i].task));
    CHECK(kit_balance == 0 && !kit_reported);
}

static void dies(int sig) { wrong(sig == SIGSEGV ? "it crashed" : "it hangs", __FILE__, __LINE__); }

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 2000, from = argc > 2 ? atol(argv[2]) : 1, i;
#ifdef SIGALRM
    signal(SIGALRM, dies);
#endif
    if (!AXI_ASAN) signal(SIGSEGV, dies); /* else its own report says more */
    for (i = 0; i < count; i++) program(from + i);
    printf("# %ld programs: %ld ops, %ld waits, %ld cancelled, %ld of them kept, %ld time-outs, %ld dead ends\n", count, operations,
           waits, cancelled, kept, time_outs, dead_ends);
    ok(1, "random use of the primitives, seeds %ld to %ld", from, from + count - 1);
    ok(count < 1000 || (cancelled > count && kept > count && time_outs > count && dead_ends > count),
       "they wait, are cancelled, go on all the same, time out and get stuck");
    return tap_end();
}
