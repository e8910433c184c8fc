/* The core's tests, for every target and the host: the same scenarios, on a clock that jumps. -DPART=n picks a part where memory is
   small. They are run from three beginnings of the clock: from 0, and so that it passes its wrap and the value of AX_FOREVER. */
#include "core.h"

/* ======================================== 1 sleeping and the loop ===================================== */
#if !defined(PART) || PART == 1
struct order { ax_frame frame; };
AX_ASYNC(order) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, sleeper, .name = 'A', .time = 3 * U);
    AX_SPAWN(&me->loop->root, sleeper, .name = 'B', .time = 1 * U);
    AX_SPAWN(&me->loop->root, sleeper, .name = 'C', .time = 2 * U);
    AX_SPAWN(&me->loop->root, sleeper, .name = 'D', .time = 1 * U);
    AX_SPAWN(&me->loop->root, sleeper, .name = 'E', .time = 0);
    AX_SPAWN(&me->loop->root, sleeper, .name = 'F', .time = 1 * U);
    AX_END;
}
struct turns { ax_frame frame; ax_time time; char name; int i; };
AX_ASYNC(turns) {
    AX_BEGIN;
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_sleep(me, my->time));
        mark(my->name, me->rc);
    }
    AX_END;
}
static ax_task *op_waiter;
static ax_op done_all_the_same(ax_task *me) { /* an op whose driver has completed it at once, and wakes as well */
    ax_wake(me, 5);
    return ax_done(7);
}
static ax_op parks(ax_task *me) {
    op_waiter = me;
    return ax_park(me, NULL, NULL);
}
struct op_waker { ax_frame frame; };
AX_ASYNC(op_waker) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, U));
    mark('w', ax_wake(op_waiter, 9));
    AX_END;
}
struct ops_of_mine { ax_frame frame; };
AX_ASYNC(ops_of_mine) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, op_waker);
    AX_AWAIT(done_all_the_same(me));
    mark('d', me->rc);
    AX_AWAIT(parks(me));
    mark('p', me->rc);
    MARK('t');
    AX_END;
}
struct zeroes { ax_frame frame; };
AX_ASYNC(zeroes) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, turns, .name = 'z', .time = 0);
    AX_SPAWN(&me->loop->root, turns, .name = 'n', .time = -5);
    AX_AWAIT(ax_sleep_until(me, plus(ax_now(me->loop), -100)));
    MARK('P');
    AX_END;
}
struct never_early { ax_frame frame; ax_time time, before; int early, late; };
AX_ASYNC(never_early) {
    AX_BEGIN;
    for (my->time = 1; my->time < 60; my->time++) {
        my->before = clock_now;
        AX_AWAIT(ax_sleep(me, my->time));
        my->before = (ax_time)((ticks)clock_now - (ticks)my->before);
        if (my->before < my->time + 1) my->early++; /* the tick that ran had begun */
        if (my->before > my->time + 2) my->late++;  /* one more where the deadline would be AX_FOREVER */
    }
    mark('e', my->early);
    mark('l', my->late);
    AX_END;
}
struct rhythm { ax_frame frame; ax_time next; int i, off; };
AX_ASYNC(rhythm) {
    AX_BEGIN;
    my->next = ax_now(me->loop);
    for (my->i = 0; my->i < 150; my->i++) {
        my->next = plus(my->next, U);
        AX_AWAIT(ax_sleep_until(me, my->next == AX_FOREVER ? plus(my->next, 1) : my->next));
        if (clock_now != my->next && my->next != AX_FOREVER) my->off++;
        clock_now = plus(clock_now, (ax_time)random_below(U)); /* the step takes a while */
    }
    mark('o', my->off);
    mark('t', at());
    AX_END;
}
struct long_one { ax_frame frame; ax_time time, began; char name; };
AX_ASYNC(long_one) {
    AX_BEGIN;
    my->began = clock_now;
    AX_AWAIT(ax_sleep(me, my->time));
    mark(my->name, (ticks)((ticks)clock_now - (ticks)my->began) > (ticks)my->time);
    AX_END;
}
struct too_long { ax_frame frame; };
AX_ASYNC(too_long) {
    AX_BEGIN;
    AX_TRY(ax_sleep(me, LONGEST + 1));
    mark('s', me->rc == AX_EINVAL);
    AX_TRY(ax_sleep(me, AX_FOREVER - 1));
    mark('s', me->rc == AX_EINVAL);
    MARK('t');
    AX_SPAWN(&me->loop->root, long_one, .name = 'L', .time = LONGEST);
    AX_SPAWN(&me->loop->root, long_one, .name = 'S', .time = 2);
    AX_AWAIT(AX_CALL(long_one, .name = 'M', .time = LONGEST - 4));
    AX_SPAWN(&me->loop->root, long_one, .name = 'Z', .time = LONGEST); /* while one armed long ago is next */
    AX_SPAWN(&me->loop->root, long_one, .name = 'S', .time = 1);
    AX_END;
}
struct napper { ax_frame frame; ax_time when; int *count; ax_time *last; int *wrong; };
AX_ASYNC(napper) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep_until(me, my->when));
    if ((ax_time)((ticks)clock_now - (ticks)my->when) < 0 || (ax_time)((ticks)my->when - (ticks)*my->last) < 0) ++*my->wrong;
    *my->last = my->when;
    ++*my->count;
    AX_END;
}
struct naps { ax_frame frame; int i, round, count, wrong; ax_time last; };
AX_ASYNC(naps) { /* many deadlines around the wrap, armed in a random order */
    AX_BEGIN;
    for (my->round = 0; my->round < 8; my->round++) {
        my->last = clock_now;
        for (my->i = 0; my->i < MANY; my->i++) {
            ax_time when = plus(clock_now, (ax_time)(random_below(200) + 1));
            AX_SPAWN(&me->loop->root, napper, .when = when == AX_FOREVER ? when - 1 : when, .count = &my->count, .wrong = &my->wrong, .last = &my->last);
        }
        AX_AWAIT(ax_sleep(me, 230));
    }
    mark('c', my->count == 8 * MANY);
    mark('w', my->wrong);
    AX_END;
}
struct stuck { ax_frame frame; ax_event event; int how; };
AX_ASYNC(stuck) {
    AX_BEGIN;
    if (my->how) AX_AWAIT(ax_sleep(me, AX_FOREVER));
    else AX_AWAIT(ax_event_wait(me, &my->event));
    mark('?', 1);
    AX_FINALLY:
    cleaned++;
    AX_END;
}
struct stopper { ax_frame frame; int how; ax_event event; };
AX_ASYNC(stopper) {
    AX_BEGIN;
    ax_loop_stop(me->loop);
    if (my->how) AX_AWAIT(ax_sleep(me, 10 * U));
    else AX_AWAIT(ax_event_wait(me, &my->event));
    MARK('S');
    AX_END;
}
struct fair { ax_frame frame; int *other, i, most; ax_event set; };
AX_ASYNC(fair) { /* awaits that are done at once give way after ASYNCX_AWAITS of them */
    AX_BEGIN;
    my->set.set = 1;
    for (my->i = 0; my->i < 1000; my->i++) {
        ++*my->other;
        AX_AWAIT(ax_event_wait(me, &my->set));
    }
    AX_END;
}
struct fairly { ax_frame frame; int a, b, i, worst; };
AX_ASYNC(fairly) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, fair, .other = &my->a);
    AX_SPAWN(&me->loop->root, fair, .other = &my->b);
    while (my->a < 1000 || my->b < 1000) {
        AX_AWAIT(ax_checkpoint(me));
        my->i = my->a > my->b ? my->a - my->b : my->b - my->a;
        if (my->i > my->worst) my->worst = my->i;
    }
    mark('w', my->worst <= ASYNCX_AWAITS);
    AX_END;
}

static void part1(void) {
    int rc = 0, turns_made;
    volatile long ms = 20000, s = 20; /* AX_US would divide in 64 bits, which not every board links */
    volatile uint32_t far = 4000000000u;
    volatile int64_t farther = (int64_t)1 << 40;
    volatile uint64_t farthest = (uint64_t)1 << 63;
    volatile int32_t before = -70000;
    is(AX_MS(far) > AX_MS(20000L) && AX_SEC(far) > AX_MS(20000L) && AX_SEC(farther) > AX_MS(20000L) && AX_MS(farthest) > AX_MS(20000L), 1,
       TEXT("... also those that are too long, whatever their type"));
    is(AX_MS(before) < 0 && AX_SEC(before) < 0, 1, TEXT("... and those before now"));
    is(AX_MS(ms) == AX_MS(20000L) && AX_SEC(s) == AX_SEC(20L), 1, TEXT("durations of variables are those of constants"));
    begin();
    is(ax_until(&loop, ax_after(&loop, U)) == U && ax_until(&loop, AX_FOREVER) == AX_FOREVER, 1, TEXT("how long it is until a point in time"));
    is(ax_since(&loop, ax_after(&loop, U)) == -U, 1, TEXT("... and since one that is to come"));
    RUN("an op that is done although it was woken: the next one waits", 0, "d7 w0 p9 t1 ", ops_of_mine);
    RUN("sleeps end in order of their deadlines, ties in order of their beginnings", 0, "E0 B1 D1 F1 C2 A3 ", order);
    RUN("a sleep of nothing or less takes one turn, and no time", 0, "P0 z0 n0 z0 n0 z0 n0 ", zeroes);
    is(idles, 0, TEXT("... without idling"));
    RUN("a sleep never ends early, and at most two ticks late", 0, "e0 l0 ", never_early);
    random_state = 7;
    RUN("ax_sleep_until keeps a rhythm exactly, however long the steps take", 0, "o0 t150 ", rhythm);
    RUN("a duration above the longest is AX_EINVAL, the longest is not", 0, "s1 s1 t0 S1 M1 S1 L1 Z1 ", too_long);
    random_state = 99;
    RUN("deadlines around the wrap are met in their order", 0, "c1 w0 ", naps);
    RUN("tasks that never wait give way", 0, "w1 ", fairly);

    begin();
    AX_SPAWN(&loop.root, stuck, .how = 0);
    AX_SPAWN(&loop.root, stuck, .how = 1);
    is(ax_loop_run(&loop), AX_EDEADLK, TEXT("when nothing can wake anyone the run gives AX_EDEADLK"));
    is(ax_next_deadline(&loop) == AX_FOREVER, 1, TEXT("... and there is no deadline"));
#if AXI_CANCEL
    is(ax_loop_close(&loop), 0, TEXT("... and closing cancels them"));
    is(cleaned, 2, TEXT("... with their cleanup"));
    is((long)ax_loop_memory(&loop, NULL), 0, TEXT("... and all memory back"));
    is(ax_loop_run(&loop), AX_EPERM, TEXT("a closed loop does not run"));
#endif

    begin();
    AX_SPAWN(&loop.root, stopper, .how = 1);
    is(ax_loop_run(&loop), 0, TEXT("ax_loop_stop ends the run"));
    is(at(), 0, TEXT("... after the current turn, not when the next deadline comes"));
    is(ax_loop_run(&loop), 0, TEXT("... and it can be run again"));
    is(at(), 10, TEXT("... to its end"));
    is((long)ax_loop_memory(&loop, NULL), 0, TEXT("... and gives all memory back"));
    AX_SPAWN(&loop.root, stopper, .how = 0);
    is(ax_loop_run(&loop), 0, TEXT("a run that is stopped is no deadlock"));
    is(ax_loop_run(&loop), AX_EDEADLK, TEXT("... until it runs again"));
#if AXI_CANCEL
    ax_loop_close(&loop);
#endif

    begin(); /* as a guest of another loop: never sleeps, says when it wants to run */
    AX_SPAWN(&loop.root, sleeper, .name = 'A', .time = 3 * U);
    AX_SPAWN(&loop.root, sleeper, .name = 'B', .time = U);
    is((ax_time)((ticks)ax_next_deadline(&loop) - (ticks)clock_now) <= (clock_now == AX_FOREVER) && ax_next_deadline(&loop) != AX_FOREVER, 1,
       TEXT("with something ready the next deadline is now"));
    for (turns_made = 0; turns_made < 50 && ax_next_deadline(&loop) != AX_FOREVER; turns_made++) {
        ax_time when = ax_next_deadline(&loop);
        clock_now = when;
        if ((rc = ax_run_once(&loop)) < 0) break;
    }
    is(rc, 0, TEXT("turns one by one end with nothing ready"));
    is(same(TEXT("B1 A3 ")), 1, TEXT("... having done everything in time"));
    is(idles, 0, TEXT("... and never idled"));
    is(turns_made <= 6, 1, TEXT("... in a turn per event or two"));
#if AXI_CANCEL
    ax_loop_close(&loop);
#endif
}
#else
static void part1(void) {}
#endif

/* ======================================== 2 and 3 cancelled anywhere ================================== */
#if AXI_CANCEL && (!defined(PART) || PART == 2 || PART == 3)
#define SWEEPS 1
/* A turn of the loop, the clock and the interrupts. 0 when nothing is left to come. */
static int turn(void) {
    ax_time when = ax_next_deadline(&loop);
    if (when == clock_now) {
    } else if (interrupts_left && (when == AX_FOREVER || (ax_time)((ticks)when - (ticks)interrupt_at) >= 0)) {
        clock_now = interrupt_at;
        interrupts_left--;
        interrupt_at = plus(interrupt_at, interrupt_period);
        interrupt();
    } else if (when == AX_FOREVER) {
        return 0;
    } else {
        clock_now = when;
    }
    ax_run_once(&loop);
    return 1;
}

/* What the victim shares with its partner, who gives and takes without ever depending on it; and what must be even in the end. */
static struct world {
    ax_sem sem;
    ax_mutex mutex;
    ax_cond cond;
    ax_event event;
    ax_future future;
    ax_barrier barrier;
    ax_queue in, out;
    unsigned char in_storage[1], out_storage[1];
    int released, given, got, put, taken, ready;
    ax_flag flag;
    ax_ring ring;
    volatile unsigned char ring_storage[4];
    int set, seen, rung, heard;
    unsigned char next_byte;
} world;

static void world_begin(void) {
    struct world *w = &world;
    axi_clear(w, sizeof *w);
    ax_sem_init(&w->sem, 0, 0);
    ax_cond_init(&w->cond, &w->mutex);
    ax_barrier_init(&w->barrier, 2);
    ax_queue_init(&w->in, w->in_storage, 1, 1);
    ax_queue_init(&w->out, w->out_storage, 1, 1);
    w->ring.buffer = w->ring_storage;
    w->ring.mask = sizeof w->ring_storage - 1;
}
/* What is not as it must be, as bits. */
static int world_wrong(void) {
    struct world *w = &world;
    unsigned char item;
    int wrong = 0;
    if (w->sem.permits != w->released) wrong |= 1;
    if (w->mutex.owner) wrong |= 2;
    if (ax_waiters(&w->sem.waiters) || ax_waiters(&w->mutex.waiters) || ax_waiters(&w->cond.waiters) || ax_waiters(&w->event.waiters) ||
        ax_waiters(&w->future.waiters) || ax_waiters(&w->barrier.waiters) || ax_waiters(&w->in.getters) || ax_waiters(&w->out.putters))
        wrong |= 4;
    while (ax_queue_try_get(&w->in, &item) > 0) w->got++;
    while (ax_queue_try_get(&w->out, &item) > 0) w->taken++;
    if (w->given != w->got) wrong |= 8;
    if (w->put != w->taken) wrong |= 16;
    if (w->barrier.waiting) wrong |= 32;
    w->seen += ax_flag_take(&w->flag);
    if (w->seen != w->set || w->flag.waiter) wrong |= 64;
    if (w->heard + ((w->ring.head - w->ring.tail) & w->ring.mask) != w->rung || w->ring.flag.waiter) wrong |= 128;
    return wrong;
}
#else
static void part2(void) {}
static void part3(void) {}
#endif

#if AXI_CANCEL && (!defined(PART) || PART == 2)
struct partner2 { ax_frame frame; int i; unsigned char item; ax_time pause; };
AX_ASYNC(partner2) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &world.mutex));
    for (my->i = 0; my->i < 2; my->i++) {
        AX_AWAIT(ax_sleep(me, my->pause));
        world.released++;
        ax_sem_release(&world.sem);
    }
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_sleep(me, my->pause));
        my->item++;
        if (ax_queue_try_put(&world.in, &my->item) == 0) world.given++;
    }
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_sleep(me, my->pause));
        if (ax_queue_try_get(&world.out, &my->item) > 0) world.taken++;
    }
    AX_AWAIT(ax_sleep(me, my->pause));
    ax_event_set(&world.event);
    AX_AWAIT(ax_sleep(me, my->pause));
    ax_mutex_unlock(me, &world.mutex);
    AX_AWAIT(ax_sleep(me, my->pause));
    AX_AWAIT(ax_mutex_lock(me, &world.mutex));
    world.ready = 1;
    ax_cond_notify(me, &world.cond, AX_COND_ALL);
    AX_AWAIT(ax_sleep(me, my->pause)); /* the notified waits for the mutex meanwhile */
    ax_mutex_unlock(me, &world.mutex);
    AX_AWAIT(ax_sleep(me, my->pause));
    ax_future_complete(&world.future, 5);
    AX_AWAIT(ax_sleep(me, my->pause));
    AX_TRY(AX_WITHIN(my->pause, ax_barrier_wait(me, &world.barrier)));
    AX_END;
}
struct victim2 { ax_frame frame; int holds, i; ax_permit permit; unsigned char item; };
AX_ASYNC(victim2) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, U / 2));
    AX_AWAIT(ax_sem_acquire(me, &world.sem));
    my->holds = 1;
    AX_AWAIT(ax_sem_enter(me, &world.sem, &my->permit));
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_queue_get(me, &world.in, &my->item));
        world.got++;
    }
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_queue_put(me, &world.out, &my->item));
        world.put++;
    }
    AX_AWAIT(ax_event_wait(me, &world.event));
    AX_AWAIT(ax_mutex_lock(me, &world.mutex));
    while (!world.ready) AX_AWAIT(ax_cond_wait(me, &world.cond));
    if (world.mutex.owner != me) mark('m', 0);
    ax_mutex_unlock(me, &world.mutex);
    AX_AWAIT(ax_future_wait(me, &world.future));
    if (me->rc != 5) mark('f', me->rc);
    AX_AWAIT(ax_barrier_wait(me, &world.barrier));
    AX_AWAIT(ax_checkpoint(me));
    AX_FINALLY:
    cleaned++;
    if (my->holds) ax_sem_release(&world.sem);
    AX_AWAIT(ax_sleep(me, 3));
    AX_END;
}
static ax_task *start2(void) {
    AX_SPAWN(&loop.root, partner2, .pause = U);
    return AX_SPAWN(&loop.root, victim2);
}
#endif

#if AXI_CANCEL && (!defined(PART) || PART == 3)
static void interrupt3(void) {
    static const unsigned char byte = 'x';
    if (world.set < 3) world.set++, ax_flag_set(&world.flag);
    else if (ax_ring_put(&world.ring, byte) == 0) world.rung++;
}
static int inner_cleaned;
struct inner3 { ax_frame frame; ax_time time; int level, open; };
AX_DECLARE(inner3);
AX_ASYNC(inner3) {
    AX_BEGIN;
    my->open = 1;
    inner_cleaned--;
    AX_AWAIT(ax_sleep(me, my->time));
    if (my->level) AX_AWAIT(AX_CALL(inner3, .time = my->time, .level = my->level - 1));
    AX_RETURN(4);
    AX_FINALLY:
    if (my->level) AX_AWAIT(ax_sleep(me, 2));
    inner_cleaned += my->open;
    AX_END;
}
#if AXI_GENERATORS
struct items { ax_frame frame; int n; };
AX_ASYNC(items) {
    AX_BEGIN;
    inner_cleaned--;
    for (my->n = 0; my->n < 3; my->n++) {
        AX_AWAIT(ax_sleep(me, 3));
        AX_EMIT();
    }
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, 3));
    inner_cleaned++;
    AX_END;
}
#endif
struct victim3 {
    ax_frame frame;
    ax_task *other;
    ax_group group;
    ax_timeout limit;
    struct inner3 slot;
    unsigned char bytes[3];
    AX_TASK(sleeper) child;
#if AXI_GENERATORS
    AX_GENERATOR(items) items;
#endif
};
AX_ASYNC(victim3) {
    AX_BEGIN;
    while (world.seen < 3) {
        AX_AWAIT(ax_flag_wait(me, &world.flag));
        world.seen += me->rc;
    }
    while (world.heard < 6) {
        AX_AWAIT(ax_ring_read(me, &world.ring, my->bytes, sizeof my->bytes));
        world.heard += me->rc;
    }
    AX_AWAIT(ax_join(me, my->other));
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, inner3, .time = 5);
    AX_SPAWN(&my->group, inner3, .time = 9, .level = 1);
    AX_SPAWN_IN(&my->group, &my->child, sleeper, .name = 'C', .time = 4, .cleanup = 3);
    cleaned--;
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_AWAIT(AX_CALL(inner3, .time = 4, .level = 2));
    AX_AWAIT(AX_CALL_IN(&my->slot, inner3, .time = 3, .level = 1));
    AX_TRY(AX_WITHIN(5, AX_CALL(inner3, .time = 100)));
    if (me->rc != AX_ETIMEDOUT) mark('w', me->rc);
    ax_timeout_open(me, &my->limit, 100);
    ax_group_open(me, &my->group, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->group, inner3, .time = AX_FOREVER);
    AX_SPAWN(&my->group, inner3, .time = AX_FOREVER, .level = 1);
    AX_AWAIT(ax_sleep(me, 6));
#if AXI_GENERATORS
    AX_GENERATE(&my->items, items);
    AX_AWAIT(ax_next(me, &my->items.generator));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_next(me, &my->items.generator));
#endif
    AX_AWAIT(ax_sleep(me, 0));
    AX_FINALLY:
    cleaned++;
    AX_AWAIT(ax_sleep(me, 3));
    AX_END;
}
static ax_task *start3(void) {
    inner_cleaned = 0;
    interrupts(interrupt3, U / 2, 9, U / 2);
    return AX_SPAWN(&loop.root, victim3, .other = AX_SPAWN(&loop.root, sleeper, .name = 'O', .time = 8 * U));
}
#endif

#ifdef SWEEPS
enum { CANCEL, CANCEL_TWICE, CLOSE };

/* Runs the scenario again and again, and stops it one turn later each time, until it ends before. How often, in *rounds. */
static int sweep_one(ax_task *(*start)(void), int n, int how, int *wrong) {
    ax_task *victim;
    int i, over, status, rc;
    begin();
    world_begin();
    victim = ax_task_ref(start());
    for (i = 0; i < n && ax_task_status(victim) == AX_EINPROGRESS; i++)
        if (!turn()) break;
    over = ax_task_status(victim) != AX_EINPROGRESS;
    if (how == CLOSE) {
        rc = ax_loop_close(&loop);
    } else {
        ax_cancel(victim);
        if (how == CANCEL_TWICE) turn(), ax_cancel(victim);
        ax_loop_run(&loop);
        rc = 0;
    }
    status = ax_task_status(victim);
    if (rc < 0) *wrong |= 0x4000;
    if (status != AX_ECANCELED && status != 0) *wrong |= 0x2000;
    ax_task_unref(victim);
    ax_loop_close(&loop);
    *wrong |= world_wrong();
    if (ax_loop_memory(&loop, NULL)) *wrong |= 0x800;
    if (misused || locked) *wrong |= 0x400;
    return over;
}
static void sweep(ax_task *(*start)(void), int how, int cleanups, const int *inner, int least, const char *name) {
    int n, wrong = 0;
    for (n = 0; n < 400; n++) {
        int over = sweep_one(start, n, how, &wrong);
        if (cleaned < cleanups - 1 || cleaned > cleanups) wrong |= 0x200;
        if (inner && *inner) wrong |= 0x100;
        if (wrong || over) break;
    }
    if (ok(!wrong && n >= least && n < 400, name)) return;
    say(TEXT("# stopped after turn "));
    say_number(n);
    say(TEXT(", wrong: "));
    say_number(wrong);
    say(TEXT(", cleanups: "));
    say_number(cleaned);
    say_char('\n');
}
#endif
#if defined(SWEEPS) && (!defined(PART) || PART == 2)
static void part2(void) {
    sweep(start2, CANCEL, 1, NULL, 20, TEXT("cancelled at every turn: a semaphore, queues, an event, a mutex, a condition, a future, a barrier"));
    sweep(start2, CANCEL_TWICE, 1, NULL, 20, TEXT("... cancelled twice"));
    sweep(start2, CLOSE, 1, NULL, 20, TEXT("... by the loop's close"));
}
#elif defined(SWEEPS)
static void part2(void) {}
#endif
#if defined(SWEEPS) && (!defined(PART) || PART == 3)
static void part3(void) {
    sweep(start3, CANCEL, 2, &inner_cleaned, 20, TEXT("cancelled at every turn: a flag, a ring, a join, groups, calls, limits, a generator"));
    sweep(start3, CANCEL_TWICE, 2, &inner_cleaned, 20, TEXT("... cancelled twice"));
    sweep(start3, CLOSE, 2, &inner_cleaned, 20, TEXT("... by the loop's close"));
}
#elif defined(SWEEPS)
static void part3(void) {}
#endif

/* ======================================== 4 limits ==================================================== */
#if AXI_CANCEL && (!defined(PART) || PART == 4)
struct limit_one { ax_frame frame; ax_time limit, time, cleanup; int again; };
AX_ASYNC(limit_one) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(my->limit, AX_CALL(sleeper, .name = 'S', .time = my->time, .cleanup = my->cleanup)));
    mark(ax_expired(me) ? 'x' : 'r', me->rc == AX_ETIMEDOUT ? 1 : me->rc);
    AX_AWAIT(ax_sleep(me, U));
    MARK('e');
    AX_END;
}
struct limit_outer { ax_frame frame; ax_time outer, inner; };
AX_ASYNC(limit_outer) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(my->outer, AX_CALL(limit_one, .limit = my->inner, .time = 20 * U, .cleanup = U)));
    mark(ax_expired(me) ? 'X' : 'R', me->rc == AX_ETIMEDOUT ? 1 : me->rc);
    MARK('E');
    AX_END;
}
struct limit_pair { ax_frame frame; ax_time a, b; };
AX_ASYNC(limit_pair) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(my->a, AX_WITHIN(my->b, ax_sleep(me, 30 * U))));
    mark('r', me->rc == AX_ETIMEDOUT);
    MARK('e');
    AX_AWAIT(ax_sleep(me, 20 * U));
    MARK('e');
    AX_END;
}
struct limit_open { ax_frame frame; ax_timeout limit; };
AX_ASYNC(limit_open) {
    AX_BEGIN;
    ax_timeout_open(me, &my->limit, 3 * U);
    AX_AWAIT(ax_sleep(me, 2 * U));
    mark('r', ax_timeout_reschedule(&my->limit, ax_after(me->loop, 3 * U)));
    AX_AWAIT(ax_sleep(me, 2 * U));
    mark('c', ax_timeout_close(&my->limit));
    mark('c', ax_timeout_close(&my->limit) == AX_EPERM);
    AX_AWAIT(ax_sleep(me, 2 * U));
    ax_timeout_open(me, &my->limit, AX_FOREVER);
    AX_AWAIT(ax_sleep(me, U));
    mark('c', ax_timeout_close(&my->limit));
    mark('i', ax_timeout_open(me, &my->limit, LONGEST + 1) == AX_EINVAL);
    AX_TRY(AX_WITHIN(LONGEST + 1, ax_sleep(me, 1)));
    mark('i', me->rc == AX_EINVAL);
    AX_AWAIT(AX_WITHIN(AX_FOREVER, ax_sleep(me, U)));
    AX_AWAIT(AX_WITHIN(LONGEST, ax_sleep(me, U)));
    MARK('b');
    ax_timeout_open(me, &my->limit, U);
    AX_AWAIT(ax_sleep(me, 5 * U));
    MARK('?');
    AX_FINALLY:
    mark('f', ax_leaving(me) == AX_ECANCELED || ax_leaving(me) == AX_ETIMEDOUT);
    mark('x', my->limit.expired);
    AX_AWAIT(ax_sleep(me, 2 * U)); /* the limit is over: its own cleanup may wait */
    MARK('f');
    AX_END;
}
struct limit_calls { ax_frame frame; };
AX_ASYNC(limit_calls) {
    AX_BEGIN;
    AX_TRY(AX_CALL(limit_open));
    mark('r', me->rc == AX_ETIMEDOUT);
    AX_END;
}
struct limit_both { ax_frame frame; ax_timeout outer, inner; ax_time a, b; };
AX_ASYNC(limit_both) {
    AX_BEGIN;
    ax_timeout_open(me, &my->outer, my->a);
    ax_timeout_open(me, &my->inner, my->b);
    AX_AWAIT(ax_sleep(me, 9 * U));
    AX_FINALLY:
    mark('o', my->outer.expired);
    mark('i', my->inner.expired);
    MARK('f');
    AX_END;
}
struct limit_moved { ax_frame frame; ax_timeout limit; ax_timeout **at; };
AX_ASYNC(limit_moved) {
    AX_BEGIN;
    ax_timeout_open(me, &my->limit, 20 * U);
    *my->at = &my->limit;
    AX_TRY_ALL(ax_sleep(me, AX_FOREVER));
    mark('r', me->rc == AX_ECANCELED);
    MARK('m');
    mark('p', ax_timeout_reschedule(&my->limit, ax_now(me->loop)) == AX_EPERM);
    mark('c', ax_timeout_close(&my->limit));
    AX_AWAIT(ax_sleep(me, U));
    MARK('m');
    AX_END;
}
struct limit_mover { ax_frame frame; ax_timeout *limit; ax_group group; ax_time to; };
AX_ASYNC(limit_mover) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, limit_moved, .at = &my->limit);
    AX_AWAIT(ax_sleep(me, 2 * U));
    ax_timeout_reschedule(my->limit, AX_FOREVER);
    AX_AWAIT(ax_sleep(me, 22 * U));
    MARK('t');
    ax_timeout_reschedule(my->limit, my->to ? ax_after(me->loop, my->to) : ax_now(me->loop) == AX_FOREVER ? AX_FOREVER - 1 : ax_now(me->loop));
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_END;
}
struct limit_group { ax_frame frame; ax_group group; };
AX_ASYNC(limit_group) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, sleeper, .name = 'A', .time = U);
    AX_SPAWN(&my->group, sleeper, .name = 'B', .time = 9 * U, .cleanup = 2 * U);
    AX_SPAWN(&my->group, sleeper, .name = 'C', .time = AX_FOREVER, .cleanup = U);
    AX_TRY(AX_WITHIN(3 * U, ax_group_join(me, &my->group)));
    mark('r', me->rc == AX_ETIMEDOUT);
    MARK('e');
    AX_END;
}
struct limit_finally { ax_frame frame; };
AX_ASYNC(limit_finally) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, U));
    AX_RETURN(AX_EPIPE);
    AX_FINALLY:
    AX_AWAIT(AX_WITHIN(2 * U, ax_sleep(me, AX_FOREVER)));
    mark('x', ax_expired(me));
    mark('l', ax_leaving(me) == AX_EPIPE);
    AX_AWAIT(ax_sleep(me, U));
    MARK('f');
    AX_END;
}
static ax_flag far_flag;
static int far_edges;
static void far_edge(void) { if (++far_edges == 2) ax_flag_set(&far_flag); }
struct limit_far { ax_frame frame; ax_timeout limit; ax_time since; };
AX_ASYNC(limit_far) { /* moved after so long that the deadline looks as if it had been before the clock was last looked at */
    AX_BEGIN;
    far_edges = 0;
    interrupts(far_edge, LONGEST, 2, LONGEST);
    ax_timeout_open(me, &my->limit, AX_FOREVER);
    AX_AWAIT(ax_flag_wait(me, &far_flag));
    my->since = clock_now;
    ax_timeout_reschedule(&my->limit, ax_later(clock_now, 5 * U));
    AX_AWAIT(ax_flag_wait(me, &far_flag));
    AX_FINALLY:
    my->since = (ax_time)((ticks)clock_now - (ticks)my->since);
    mark('t', my->since >= 5 * U && my->since <= 5 * U + 1);
    AX_END;
}
struct limit_order { ax_frame frame; ax_group group; int i; }; /* limits and sleeps in one list */
struct limit_child { ax_frame frame; ax_time limit, time; char name; ax_event never; };
AX_ASYNC(limit_child) {
    AX_BEGIN;
    if (my->time) AX_TRY(AX_WITHIN(my->limit, ax_sleep(me, my->time)));
    else AX_TRY(AX_WITHIN(my->limit, ax_event_wait(me, &my->never)));
    mark(my->name, me->rc == AX_ETIMEDOUT);
    AX_END;
}
AX_ASYNC(limit_order) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, limit_child, .name = 'E', .limit = 5 * U, .time = 0);
    AX_SPAWN(&my->group, limit_child, .name = 'B', .limit = 9 * U, .time = 2 * U);
    AX_SPAWN(&my->group, limit_child, .name = 'D', .limit = 4 * U, .time = 4 * U);
    AX_SPAWN(&my->group, limit_child, .name = 'A', .limit = U, .time = 6 * U);
    AX_SPAWN(&my->group, limit_child, .name = 'C', .limit = 3 * U, .time = 0);
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_END;
}

static void part4(void) {
    RUN("a limit ends a call once it has finished its cleanup", 0, "s5 x1 e6 ", limit_one, .limit = 3 * U, .time = 10 * U, .cleanup = 2 * U);
    RUN("a call that ends before its limit is left alone, and so is what follows", 0, "S3 r0 e4 ", limit_one, .limit = 4 * U, .time = 3 * U);
    RUN("a limit that is due already: the call never starts, its cleanup runs", 0, "s0 x1 e1 ", limit_one, .limit = 0, .time = 3 * U);
    RUN("... or one in the past", 0, "s0 x1 e1 ", limit_one, .limit = -9, .time = 3 * U);
    RUN("of two limits the inner is the earlier", 0, "s3 x1 e4 R0 E4 ", limit_outer, .outer = 9 * U, .inner = 2 * U);
    RUN("... and the outer: the inner body does not go on", 0, "s3 X1 E3 ", limit_outer, .outer = 2 * U, .inner = 9 * U);
    RUN("... both at once: the outer beats the inner", 0, "s3 X1 E3 ", limit_outer, .outer = 2 * U, .inner = 2 * U);
    RUN("AX_WITHIN of AX_WITHIN: the earlier binds, the outer", 0, "r1 e2 e22 ", limit_pair, .a = 2 * U, .b = 9 * U);
    RUN("... the inner", 0, "r1 e2 e22 ", limit_pair, .a = 9 * U, .b = 2 * U);
    RUN("a limit of a body: moved, closed, none, too long, and expired", 0, "r0 c0 c1 c0 i1 i1 b9 f1 x1 f12 r1 ", limit_calls);
    RUN("two limits of a body, the outer first", AX_ETIMEDOUT, "o1 i0 f2 ", limit_both, .a = 2 * U, .b = 4 * U);
    RUN("... the inner first", AX_ETIMEDOUT, "o0 i1 f2 ", limit_both, .a = 4 * U, .b = 2 * U);
    RUN("... both at once", AX_ETIMEDOUT, "o1 i1 f2 ", limit_both, .a = 2 * U, .b = 2 * U);
    RUN("another task moves a limit: to for ever, then on", 0, "t24 r1 m27 p1 c1 m28 ", limit_mover, .to = 3 * U);
    RUN("... then to now", 0, "t24 r1 m24 p1 c1 m25 ", limit_mover, .to = 0);
    RUN("... after a wait longer than half of what the clock counts", AX_ETIMEDOUT, "t1 ", limit_far);
    RUN("a limit of a join cancels the children and awaits them", 0, "A1 c4 b5 r1 e5 ", limit_group);
    RUN("a limit inside AX_FINALLY", AX_EPIPE, "x1 l1 f4 ", limit_finally);
    RUN("limits and sleeps come in one order; a limit goes before a sleep of the same time", 0, "A1 B0 C1 D1 E1 ", limit_order);
}
#else
static void part4(void) {}
#endif

/* ======================================== 5 groups ==================================================== */
#if AXI_CANCEL && (!defined(PART) || PART == 5)
struct group_of { ax_frame frame; ax_group group; unsigned flags; int a, b, c, by_hand; ax_time cleanup; };
AX_ASYNC(group_of) { /* three children that end at 1, 2 and 3 with these statuses */
    AX_BEGIN;
    ax_group_open(me, &my->group, my->flags);
    AX_SPAWN(&my->group, sleeper, .name = 'A', .time = U, .status = my->a, .cleanup = my->cleanup);
    AX_SPAWN(&my->group, sleeper, .name = 'B', .time = 2 * U, .status = my->b, .cleanup = my->cleanup);
    AX_SPAWN(&my->group, sleeper, .name = 'C', .time = 3 * U, .status = my->c, .cleanup = my->cleanup);
    if (my->by_hand) {
        AX_AWAIT(ax_sleep(me, U + U / 2));
        ax_group_cancel(&my->group);
    }
    AX_TRY(ax_group_join(me, &my->group));
    mark('j', me->rc);
    mark('n', AX_SPAWN(&my->group, sleeper, .time = 0) == NULL);
    if (misused == 1) misused = 0;
    AX_FINALLY:
    MARK('f');
    AX_END;
}
struct group_elsewhere { ax_frame frame; ax_group group; };
AX_ASYNC(group_elsewhere) { /* a child fails while the body is in a call */
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, sleeper, .name = 'A', .time = U, .status = AX_EPIPE);
    AX_SPAWN(&my->group, sleeper, .name = 'B', .time = 5 * U, .cleanup = 3 * U);
    AX_TRY(AX_CALL(sleeper, .name = 'C', .time = 9 * U, .cleanup = U));
    MARK('?');
    AX_FINALLY:
    MARK('f');
    AX_END;
}
struct group_end { ax_frame frame; ax_group group; unsigned flags; int status; };
AX_ASYNC(group_end) { /* the body ends without a join */
    AX_BEGIN;
    ax_group_open(me, &my->group, my->flags);
    AX_SPAWN(&my->group, sleeper, .name = 'A', .time = U, .cleanup = U);
    AX_SPAWN(&my->group, sleeper, .name = 'B', .time = 3 * U, .cleanup = U);
    AX_AWAIT(ax_sleep(me, 2 * U + U / 2));
    MARK('r');
    AX_RETURN(my->status);
    AX_FINALLY:
    mark('c', cleaned);
    MARK('f');
    AX_END;
}
struct group_deep { ax_frame frame; ax_group group; int level; };
AX_DECLARE(group_deep);
AX_ASYNC(group_deep) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, sleeper, .name = (char)('A' + my->level), .time = 9 * U, .cleanup = my->level * U);
    if (my->level) AX_SPAWN(&my->group, group_deep, .level = my->level - 1);
    else AX_SPAWN(&my->group, sleeper, .name = 'X', .time = U, .status = AX_EPIPE);
    AX_AWAIT(ax_group_join(me, &my->group));
    MARK('?');
    AX_FINALLY:
    mark('l', my->level);
    AX_END;
}
#if AXI_KEEP
struct group_keep { ax_frame frame; ax_group group; ax_task *child; int i; AX_TASK(sleeper) own; };
AX_ASYNC(group_keep) {
    AX_BEGIN;
    ax_group_open(me, &my->group, AX_GROUP_KEEP | AX_GROUP_COLLECT);
    AX_SPAWN(&my->group, sleeper, .name = 'A', .time = 3 * U, .status = 1);
    AX_SPAWN(&my->group, sleeper, .name = 'B', .time = U, .status = 2);
    AX_SPAWN_IN(&my->group, &my->own, sleeper, .name = 'C', .time = 2 * U, .status = AX_EPIPE);
    AX_SPAWN(&my->group, sleeper, .name = 'D', .time = U, .status = 4);
    AX_WHILE(ax_group_next(me, &my->group, &my->child)) {
        mark('n', ax_task_status(my->child) == AX_EPIPE ? 3 : ax_task_status(my->child));
        AX_AWAIT(ax_sleep(me, U / 2));
    }
    AX_SPAWN(&my->group, sleeper, .name = 'E', .time = U, .status = 5);
    AX_AWAIT(ax_group_next(me, &my->group, &my->child));
    mark('n', ax_task_status(my->child));
    AX_SPAWN(&my->group, sleeper, .name = 'F', .time = U, .status = 6);
    AX_SPAWN(&my->group, sleeper, .name = 'G', .time = AX_FOREVER);
    AX_AWAIT(ax_sleep(me, 2 * U));
    AX_TRY(AX_WITHIN(U, ax_group_next(me, &my->group, &my->child)));
    mark('n', ax_task_status(my->child));
    AX_TRY(AX_WITHIN(U, ax_group_next(me, &my->group, &my->child)));
    mark('t', me->rc == AX_ETIMEDOUT);
    ax_group_cancel(&my->group);
    AX_TRY(ax_group_join(me, &my->group));
    mark('j', me->rc);
    AX_END;
}
#endif
struct joins { ax_frame frame; ax_task *other; ax_group group; };
AX_ASYNC(joins) {
    AX_BEGIN;
    my->other = ax_task_ref(AX_SPAWN(&me->loop->root, sleeper, .name = 'O', .time = 3 * U, .status = 7));
    AX_TRY(ax_join(me, me));
    mark('d', me->rc == AX_EDEADLK);
    AX_TRY(AX_WITHIN(U, ax_join(me, my->other)));
    mark('t', me->rc == AX_ETIMEDOUT);
    ax_group_open(me, &my->group, AX_GROUP_RACE);
    AX_SPAWN(&my->group, ax_joiner, .task = ax_task_ref(my->other));
    AX_SPAWN(&my->group, ax_joiner, .task = ax_task_ref(my->other));
    AX_AWAIT(ax_group_join(me, &my->group));
    mark('j', me->rc);
    AX_AWAIT(ax_join(me, my->other));
    mark('j', me->rc);
    mark('u', ax_task_unref(my->other) == NULL);
    AX_END;
}

static void part5(void) {
    RUN("the first failure cancels the siblings, and the join tells it", 0, "A1 B2 c3 j-9 n1 f3 ", group_of, .b = AX_EPIPE, .cleanup = U / 2);
    RUN("... without one the join gives 0", 0, "A1 B2 C3 j0 n1 f3 ", group_of);
    RUN("AX_GROUP_COLLECT counts failures and leaves siblings alone", 0, "A1 B2 C3 j2 n1 f3 ", group_of, .flags = AX_GROUP_COLLECT, .a = AX_EPIPE, .c = AX_EBUSY);
    RUN("AX_GROUP_RACE: the first success cancels the rest", 0, "A1 B2 c2 j5 n1 f2 ", group_of, .flags = AX_GROUP_RACE, .a = AX_EPIPE, .b = 5);
    RUN("... nobody wins: the first error", 0, "A1 B2 C3 j-9 n1 f3 ", group_of, .flags = AX_GROUP_RACE, .a = AX_EPIPE, .b = AX_EBUSY, .c = AX_EBUSY);
    RUN("ax_group_cancel ends the children, and the join gives 0", 0, "A1 b1 c1 j0 n1 f1 ", group_of, .by_hand = 1);
    RUN("a child that fails cancels the body in its call", AX_EPIPE, "A1 c2 b4 f4 ", group_elsewhere);
    RUN("a body that ends waits for its children before AX_FINALLY", 0, "A1 r2 B3 c2 f4 ", group_end);
    RUN("... cancels them if it ends with an error", AX_EPIPE, "A1 r2 b3 c2 f3 ", group_end, .status = AX_EPIPE);
    RUN("... or if they are AX_GROUP_BACKGROUND", 0, "A1 r2 b3 c2 f3 ", group_end, .flags = AX_GROUP_BACKGROUND);
    RUN("an error goes up through groups of groups, each with its cleanup", AX_EPIPE, "X1 a1 l0 b2 l1 c4 l2 ", group_deep, .level = 2);
#if AXI_KEEP
    RUN("AX_GROUP_KEEP and ax_group_next: children in order of their ends", 0, "B1 D1 n2 n4 C2 n3 A3 n1 E4 n5 F5 n6 t1 g7 j1 ", group_keep);
#endif
    RUN("joins of others: alone, with a limit, in a race of joiners", 0, "d1 t1 O3 j7 j7 u1 ", joins);
}
#else
static void part5(void) {}
#endif

/* ======================================== 6 locks, events, futures ==================================== */
#if AXI_CANCEL && (!defined(PART) || PART == 6)
static ax_sem one_sem;
static ax_mutex one_mutex;
static ax_cond one_cond;
static ax_barrier one_barrier;
static ax_event one_event;
static ax_future one_future;
static int one_ready;
struct user { ax_frame frame; char name; int status, raw; ax_permit permit; ax_time time; };
AX_ASYNC(user) {
    AX_BEGIN;
    if (my->raw) AX_AWAIT(ax_sem_acquire(me, &one_sem));
    else AX_AWAIT(ax_sem_enter(me, &one_sem, &my->permit));
    MARK(my->name);
    AX_AWAIT(ax_sleep(me, my->time));
    if (my->raw) ax_sem_release(&one_sem);
    AX_RETURN(my->status);
    AX_END;
}
struct users { ax_frame frame; ax_group group; };
AX_ASYNC(users) {
    AX_BEGIN;
    ax_group_open(me, &my->group, AX_GROUP_COLLECT);
    AX_SPAWN(&my->group, user, .name = 'A', .time = 2 * U, .status = AX_EPIPE);
    AX_SPAWN(&my->group, user, .name = 'B', .time = U, .raw = 1);
    AX_SPAWN(&my->group, user, .name = 'C', .time = 3 * U);
    AX_SPAWN(&my->group, user, .name = 'D', .time = U, .raw = 1);
    AX_SPAWN(&my->group, user, .name = 'E', .time = U);
    AX_AWAIT(ax_group_join(me, &my->group));
    mark('p', one_sem.permits);
    mark('o', ax_sem_release(&one_sem) == AX_EOVERFLOW);
    mark('a', ax_sem_try_acquire(&one_sem) || ax_sem_try_acquire(&one_sem));
    mark('a', ax_sem_try_acquire(&one_sem) == AX_EAGAIN);
    AX_END;
}
struct locker { ax_frame frame; char name; ax_time time; };
AX_ASYNC(locker) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &one_mutex));
    if (ax_mutex_try_lock(me, &one_mutex) != AX_EAGAIN) mark('?', 1);
    AX_TRY(ax_mutex_lock(me, &one_mutex));
    if (me->rc != AX_EDEADLK) mark('?', 2);
    MARK(my->name);
    AX_AWAIT(ax_sleep(me, my->time)); /* left without an unlock */
    AX_END;
}
struct lockers { ax_frame frame; ax_group group; };
AX_ASYNC(lockers) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, locker, .name = 'A', .time = U);
    AX_SPAWN(&my->group, locker, .name = 'B', .time = U);
    AX_SPAWN(&my->group, locker, .name = 'C', .time = 0);
    AX_SPAWN(&my->group, locker, .name = 'D', .time = U);
    AX_AWAIT(ax_sleep(me, U / 2));
    mark('p', ax_mutex_unlock(me, &one_mutex) == AX_EPERM && told());
    AX_AWAIT(ax_group_join(me, &my->group));
    mark('o', one_mutex.owner == NULL);
    AX_END;
}
struct waits { ax_frame frame; char name; };
AX_ASYNC(waits) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &one_mutex));
    while (!one_ready) {
        AX_TRY_ALL(ax_cond_wait(me, &one_cond));
        if (one_mutex.owner != me) mark('?', 3);
        if (me->rc < 0) AX_RETURN(me->rc);
    }
    one_ready--;
    MARK(my->name);
    AX_AWAIT(ax_sleep(me, U));
    AX_FINALLY:
    if (ax_leaving(me) == AX_ECANCELED) MARK((char)(my->name + 'a' - 'A'));
    AX_END;
}
struct conditions { ax_frame frame; ax_group group; ax_task *second; };
AX_ASYNC(conditions) {
    AX_BEGIN;
    ax_cond_init(&one_cond, &one_mutex);
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, waits, .name = 'A');
    my->second = ax_task_ref(AX_SPAWN(&my->group, waits, .name = 'B'));
    AX_SPAWN(&my->group, waits, .name = 'C');
    AX_SPAWN(&my->group, waits, .name = 'D');
    AX_AWAIT(ax_sleep(me, U));
    mark('p', ax_cond_notify(me, &one_cond, 1) == AX_EPERM && told());
    AX_AWAIT(ax_mutex_lock(me, &one_mutex));
    one_ready = 1;
    mark('n', ax_cond_notify(me, &one_cond, 2));
    ax_mutex_unlock(me, &one_mutex);
    AX_AWAIT(ax_sleep(me, 2 * U));
    AX_AWAIT(ax_mutex_lock(me, &one_mutex));
    ax_cancel(my->second); /* waits for the condition; gets the mutex first */
    ax_task_unref(my->second);
    one_ready = 2;
    mark('n', ax_cond_notify(me, &one_cond, AX_COND_ALL));
    AX_AWAIT(ax_sleep(me, U));
    ax_mutex_unlock(me, &one_mutex);
    AX_AWAIT(ax_group_join(me, &my->group));
    mark('o', one_mutex.owner == NULL);
    AX_END;
}
struct comer { ax_frame frame; char name; ax_time time; };
AX_ASYNC(comer) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->time));
    AX_TRY(ax_barrier_wait(me, &one_barrier));
    mark(my->name, me->rc == AX_ECONNABORTED ? 9 : me->rc);
    AX_END;
}
struct comers { ax_frame frame; ax_group group; };
AX_ASYNC(comers) {
    AX_BEGIN;
    mark('i', ax_barrier_init(&one_barrier, 0) == AX_EINVAL);
    ax_barrier_init(&one_barrier, 3);
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, comer, .name = 'A', .time = 3);
    AX_SPAWN(&my->group, comer, .name = 'B', .time = 1);
    AX_SPAWN(&my->group, comer, .name = 'C', .time = 2);
    AX_SPAWN(&my->group, comer, .name = 'D', .time = 4);
    AX_AWAIT(ax_sleep(me, U));
    mark('w', one_barrier.waiting);
    ax_barrier_abort(&one_barrier);
    AX_AWAIT(ax_sleep(me, U));
    AX_AWAIT(AX_CALL(comer, .name = 'E'));
    ax_barrier_reset(&one_barrier);
    mark('w', one_barrier.waiting);
    AX_END;
}
struct hearer { ax_frame frame; char name; };
AX_ASYNC(hearer) {
    AX_BEGIN;
    AX_AWAIT(ax_event_wait(me, &one_event));
    MARK(my->name);
    AX_TRY(ax_future_wait(me, &one_future));
    mark(my->name, me->rc);
    AX_FINALLY:
    if (ax_leaving(me) == AX_ECANCELED) MARK((char)(my->name + 'a' - 'A'));
    AX_END;
}
static ax_callback one_callback;
static void one_called(ax_loop *l, void *arg) {
    (void)l;
    mark('k', *(const int *)arg);
}
static int cancels, cancel_stays;
static int one_cancel(ax_future *f, void *arg) {
    (void)f;
    (void)arg;
    cancels++;
    return cancel_stays ? AX_STAY : 0;
}
struct hearers { ax_frame frame; ax_group group; ax_task *second; };
AX_ASYNC(hearers) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, hearer, .name = 'A');
    my->second = ax_task_ref(AX_SPAWN(&my->group, hearer, .name = 'B'));
    AX_SPAWN(&my->group, hearer, .name = 'C');
    AX_AWAIT(ax_sleep(me, U));
    ax_event_set(&one_event);
    ax_event_clear(&one_event);
    AX_SPAWN(&my->group, hearer, .name = 'D');
    AX_AWAIT(ax_sleep(me, U));
    ax_future_on_done(me->loop, &one_future, &one_callback, one_called, &one_future.status);
    cancel_stays = 1;
    ax_cancel(my->second); /* told, and stays until the future is completed */
    ax_task_unref(my->second);
    AX_AWAIT(ax_sleep(me, U));
    mark('x', cancels);
    mark('f', ax_future_complete(&one_future, 6));
    mark('f', ax_future_complete(&one_future, 7) == AX_EALREADY);
    ax_event_set(&one_event);
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_END;
}
struct given_up { ax_frame frame; ax_group group; ax_task *first; };
AX_ASYNC(given_up) {
    AX_BEGIN;
    one_event.set = 1;
    ax_group_open(me, &my->group, 0);
    my->first = ax_task_ref(AX_SPAWN(&my->group, hearer, .name = 'A'));
    AX_SPAWN(&my->group, hearer, .name = 'B');
    AX_AWAIT(ax_sleep(me, U));
    cancel_stays = 0;
    ax_cancel(my->first);
    ax_task_unref(my->first);
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_END;
}

static void part6(void) {
    ax_sem_init(&one_sem, 2, 2);
    RUN("a semaphore is first come, first served; a permit comes back from an error too", 0, "A0 B0 C1 D2 E3 p2 o1 a0 a1 ", users);
    axi_clear(&one_mutex, sizeof one_mutex);
    RUN("a mutex is first come, first served; left with the frame; has an owner", 0, "A0 p1 B1 C2 D2 o1 ", lockers);
    axi_clear(&one_mutex, sizeof one_mutex);
    one_ready = 0;
    RUN("a condition: so many waiters are woken, and hold the mutex; a cancelled one too", 0, "p1 n2 A1 n2 b4 C4 D5 o1 ", conditions);
    RUN("a barrier: numbers in order, a second round, broken", 0, "i1 A2 B0 C1 w1 D9 E9 w0 ", comers);
    axi_clear(&one_event, sizeof one_event);
    axi_clear(&one_future, sizeof one_future);
    one_future.cancel = one_cancel;
    cancels = 0;
    RUN("an event wakes those who wait now; a future all, and whoever comes later", 0, "A1 B1 C1 x1 f0 f1 A6 B6 C6 k6 D3 D6 ", hearers);
    axi_clear(&one_future, sizeof one_future);
    one_future.cancel = one_cancel;
    RUN("a future that its cancel function has stopped tells the others", 0, "A0 B0 a1 B-12 ", given_up);
}
#else
static void part6(void) {}
#endif

/* ======================================== 7 queues ==================================================== */
#if AXI_CANCEL && (!defined(PART) || PART == 7)
static ax_queue one_queue;
static unsigned char queue_storage[4];
static int queue_wrong;
struct putter { ax_frame frame; unsigned char i, n; ax_time time; };
AX_ASYNC(putter) {
    AX_BEGIN;
    for (; my->i < my->n; my->i++) {
        AX_AWAIT(ax_queue_put(me, &one_queue, &my->i));
        if (my->time) AX_AWAIT(ax_sleep(me, my->time));
    }
    AX_END;
}
struct getter { ax_frame frame; unsigned char item, next; ax_time time; int *sum; char name; };
AX_ASYNC(getter) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, &one_queue, &my->item)) {
        if (!my->sum && my->item != my->next) queue_wrong++;
        my->next++;
        if (my->sum) *my->sum += my->item;
        if (my->name) mark(my->name, my->item);
        ax_queue_task_done(&one_queue);
        if (my->time) AX_AWAIT(ax_sleep(me, my->time));
    }
    AX_END;
}
struct queue_job { ax_frame frame; ax_group puts, gets; ax_time put_time, get_time; int putters, sum; };
AX_ASYNC(queue_job) {
    AX_BEGIN;
    ax_group_open(me, &my->gets, 0);
    if (my->putters > 1) AX_SPAWN(&my->gets, getter, .time = my->get_time, .sum = &my->sum);
    AX_SPAWN(&my->gets, getter, .time = my->get_time, .sum = my->putters > 1 ? &my->sum : NULL);
    ax_group_open(me, &my->puts, 0);
    AX_SPAWN(&my->puts, putter, .n = 10, .time = my->put_time);
    if (my->putters > 1) AX_SPAWN(&my->puts, putter, .n = 10, .time = my->put_time);
    AX_AWAIT(ax_group_join(me, &my->puts));
    AX_AWAIT(ax_queue_join(me, &one_queue));
    mark('u', (int)one_queue.unfinished);
    mark('d', ax_queue_task_done(&one_queue) == AX_EINVAL && told());
    ax_queue_close(&one_queue);
    ax_queue_close(&one_queue);
    mark('p', ax_queue_try_put(&one_queue, &one_queue) == AX_EPIPE);
    AX_AWAIT(ax_group_join(me, &my->gets));
    mark('s', my->sum);
    mark('w', queue_wrong);
    AX_END;
}
static int least_first(const void *a, const void *b) { return *(const unsigned char *)a < *(const unsigned char *)b; }
struct queue_order { ax_frame frame; ax_group group; int i; };
AX_ASYNC(queue_order) {
    static const unsigned char in[] = {5, 3, 9, 1, 7, 3};
    static unsigned char item;
    AX_BEGIN;
    for (my->i = 0; my->i < 6; my->i++) {
        item = in[my->i];
        if (ax_queue_try_put(&one_queue, &item) == AX_EAGAIN) mark('f', my->i);
    }
    while (ax_queue_try_get(&one_queue, &item) > 0) mark('g', item);
    item = 8;
    ax_queue_try_put(&one_queue, &item);
    ax_group_open(me, &my->group, 0);
    AX_SPAWN(&my->group, putter, .i = 1, .n = 5); /* waits with 4 */
    AX_AWAIT(ax_sleep(me, 0));
    AX_AWAIT(ax_sleep(me, 0));
    mark('c', (int)one_queue.count);
    while (ax_queue_try_get(&one_queue, &item) > 0) mark('g', item);
    AX_AWAIT(ax_group_join(me, &my->group));
    AX_END;
}
static int dropped;
static void drop_item(void *item, void *arg) {
    (void)arg;
    dropped += *(unsigned char *)item;
}
struct queue_end { ax_frame frame; ax_group group; int now; unsigned char item; };
AX_ASYNC(queue_end) {
    AX_BEGIN;
    ax_group_open(me, &my->group, AX_GROUP_COLLECT);
    AX_SPAWN(&my->group, putter, .n = 20);
    AX_SPAWN(&my->group, putter, .i = 10, .n = 20);
    AX_AWAIT(ax_sleep(me, U));
    if (my->now) ax_queue_close_now(&one_queue, drop_item, NULL);
    else ax_queue_close(&one_queue);
    AX_AWAIT(ax_group_join(me, &my->group));
    mark('f', me->rc);
    AX_WHILE(ax_queue_get(me, &one_queue, &my->item)) mark('g', my->item);
    AX_END;
}
static void queue_of(size_t capacity) {
    ax_queue_init(&one_queue, queue_storage, capacity, 1);
    queue_wrong = 0;
}

#if ASYNCX_DEBUG && !AXI_ASAN /* which keeps locals elsewhere */
struct local_job { ax_frame frame; };
AX_ASYNC(local_job) {
    unsigned char item = 0;
    AX_BEGIN;
    AX_TRY(ax_queue_get(me, &one_queue, &item));
    mark('l', me->rc == AX_EFAULT && told());
    AX_END;
}
#endif

static void part7(void) {
    size_t capacity;
    for (capacity = 0; capacity <= 4; capacity++) {
        if (capacity > 1 && capacity < 4) continue;
        queue_of(capacity);
        RUN("a queue from one task to another (of 0, 1 and 4 items)", 0, "u0 d1 p1 s0 w0 ", queue_job, .putters = 1);
        queue_of(capacity);
        RUN("... with a slow getter", 0, "u0 d1 p1 s0 w0 ", queue_job, .putters = 1, .get_time = 3);
        queue_of(capacity);
        RUN("... with a slow putter", 0, "u0 d1 p1 s0 w0 ", queue_job, .putters = 1, .put_time = 3);
        queue_of(capacity);
        RUN("... from two to two", 0, "u0 d1 p1 s90 w0 ", queue_job, .putters = 2, .put_time = 2, .get_time = 3);
    }
    queue_of(4);
    RUN("first in, first out, also of one that waits", 0, "f4 f5 g5 g3 g9 g1 c4 g8 g1 g2 g3 g4 ", queue_order);
    queue_of(4);
    one_queue.before = ax_queue_lifo;
    RUN("last in, first out", 0, "f4 f5 g1 g9 g3 g5 c4 g3 g4 g2 g1 g8 ", queue_order);
    queue_of(4);
    one_queue.before = least_first;
    RUN("an order of one's own", 0, "f4 f5 g1 g3 g5 g9 c4 g1 g2 g3 g4 g8 ", queue_order);
    queue_of(4);
    RUN("closed: those who wait to put fail, what is in it can be taken", 0, "f2 g0 g1 g2 g3 ", queue_end);
    queue_of(4);
    dropped = 0;
    RUN("closed now: what is in it is dropped", 0, "f2 ", queue_end, .now = 1);
    is(dropped, 6, TEXT("... after somebody has seen it"));
#if ASYNCX_DEBUG && !AXI_ASAN
    queue_of(4);
    RUN("a wait whose item would come into a local variable is refused", 0, "l1 ", local_job);
#endif
    is(ax_queue_init(&one_queue, NULL, 4, 1), AX_EINVAL, TEXT("a queue without storage"));
    is(ax_queue_init(&one_queue, queue_storage, 4, 0), AX_EINVAL, TEXT("... or with items of no size"));
}
#else
static void part7(void) {}
#endif

/* ======================================== 8 callbacks, timers, generators ============================= */
#if AXI_CANCEL && (!defined(PART) || PART == 8)
static ax_callback calls[3];
static ax_timer timers[3];
static void called(ax_loop *l, void *arg) {
    (void)l;
    MARK(*(const char *)arg);
}
static void called_again(ax_loop *l, void *arg) {
    called(l, arg);
    if (at() < 3) ax_soon(l, &calls[2], called_again, arg), clock_now = plus(clock_now, U);
}
static void ticked(ax_loop *l, void *arg) {
    ax_timer *t = (ax_timer *)arg;
    MARK('t');
    if (at() < 5) ax_timer_start(l, t, plus(t->when, U) == AX_FOREVER ? AX_FOREVER - 1 : plus(t->when, U), ticked, t);
}
static void stops_others(ax_loop *l, void *arg) {
    (void)l;
    (void)arg;
    MARK('s');
    mark('s', ax_timer_stop(&timers[1]));
    mark('s', ax_timer_stop(&timers[2]));
    mark('s', ax_timer_stop(&timers[0]));
}
static void stops_itself(ax_loop *l, void *arg) { /* hangs in a list that is not the ready queue, and is taken off */
    called(l, arg);
    mark('x', ax_at_close(l, &calls[0], called, arg));
    mark('x', ax_callback_stop(&calls[0]));
}
static void closes_itself(ax_loop *l, void *arg) {
    called(l, arg);
    mark('x', ax_loop_close(l) == AX_EBUSY);
    mark('x', ax_soon(l, &calls[1], called, (char *)arg + 1));
}
static void stays_last(ax_loop *l, void *arg) { /* the last of its turn, it queues itself and thinks better of it */
    called(l, arg);
    ax_soon(l, &calls[2], called, (char *)arg + 2);
    ax_soon(l, &calls[0], stays_last, arg);
    ax_callback_stop(&calls[0]);
}
static void part8_callbacks(void) {
    static const char names[] = "abcd";
    int i;
    axi_clear(calls, sizeof calls);
    axi_clear(timers, sizeof timers);
    begin();
    for (i = 0; i < 3; i++) ax_soon(&loop, &calls[i], called, (void *)&names[i]);
    mark('r', ax_soon(&loop, &calls[1], called, (void *)&names[1]));
    mark('r', ax_soon(&loop, &calls[1], called, (void *)&names[0]) == AX_EBUSY);
    mark('r', ax_callback_stop(&calls[2]));
    mark('r', ax_callback_stop(&calls[2]));
    ax_at_close(&loop, &calls[2], called, (void *)&names[2]);
    judge(ax_loop_run(&loop), 0, TEXT("r0 r1 r1 r0 a0 b0 "), TEXT("ax_soon calls in order, once; what was stopped not"));
    ax_at_close(&loop, &calls[0], called, (void *)&names[0]);
    judge(ax_loop_close(&loop), 0, TEXT("r0 r1 r1 r0 a0 b0 a0 c0 "), TEXT("ax_at_close calls at the close, last come first"));
    begin();
    ax_at_close(&loop, &calls[0], closes_itself, (void *)&names[0]);
    judge(ax_loop_close(&loop), 0, TEXT("a0 x1 x0 b0 "), TEXT("... which may not close the loop, and may ask for callbacks"));
    begin();
    ax_soon(&loop, &calls[0], stops_itself, (void *)&names[0]);
    ax_soon(&loop, &calls[1], called, (void *)&names[1]);
    judge(ax_loop_run(&loop), 0, TEXT("a0 x0 x1 b0 "), TEXT("a callback that hangs itself elsewhere and stops"));
    traced = 0;
    ax_soon(&loop, &calls[0], stops_itself, (void *)&names[0]);
    judge(ax_loop_run(&loop), 0, TEXT("a0 x0 x1 "), TEXT("... as the last of its turn"));
    mark('x', ax_at_close(&loop, &calls[0], called, (void *)&names[0]));
    judge(ax_callback_stop(&calls[0]), 1, TEXT("a0 x0 x1 x0 "), TEXT("... and outside of a turn"));
    traced = 0;
    ax_soon(&loop, &calls[0], stays_last, (void *)&names[0]);
    judge(ax_run_once(&loop), 1, TEXT("a0 "), TEXT("one that queues and stops itself does not lengthen its turn"));
    judge(ax_run_once(&loop), 0, TEXT("a0 c0 "), TEXT("... and what it queued comes in the next"));
    ax_loop_close(&loop);
    begin();
    ax_soon(&loop, &calls[2], called_again, (void *)&names[2]);
    judge(ax_loop_run(&loop), 0, TEXT("c0 c1 c2 c3 "), TEXT("a callback asks for itself again"));
    ax_loop_close(&loop);

    begin();
    ax_timer_start(&loop, &timers[0], ax_after(&loop, 3 * U), called, (void *)&names[0]);
    ax_timer_start(&loop, &timers[1], ax_after(&loop, U), called, (void *)&names[1]);
    ax_timer_start(&loop, &timers[2], ax_after(&loop, U), called, (void *)&names[2]);
    ax_timer_start(&loop, &timers[1], ax_after(&loop, 4 * U), called, (void *)&names[3]);
    judge(ax_loop_run(&loop), 0, TEXT("c1 a3 d4 "), TEXT("timers fire in order of their deadlines, once; starting again replaces"));
    is(timers[0].armed + timers[1].armed + timers[2].armed, 0, TEXT("... and are no longer armed"));
    ax_loop_close(&loop);
    begin();
    ax_timer_start(&loop, &timers[0], ax_after(&loop, U), ticked, &timers[0]);
    judge(ax_loop_run(&loop), 0, TEXT("t1 t2 t3 t4 t5 "), TEXT("a timer repeats without drift"));
    ax_loop_close(&loop);
    begin();
    for (i = 0; i < 3; i++) ax_timer_start(&loop, &timers[i], ax_after(&loop, U), i ? called : stops_others, (void *)&names[i]);
    judge(ax_loop_run(&loop), 0, TEXT("s1 s1 s1 s0 "), TEXT("a timer stops others that are due in the same turn"));
    ax_loop_close(&loop);
    begin();
    ax_timer_start(&loop, &timers[0], plus(clock_now, -5), called, (void *)&names[0]);
    mark('p', 0);
    judge(ax_loop_run(&loop), 0, TEXT("p0 a0 "), TEXT("a deadline in the past: the next turn"));
    traced = 0;
    ax_timer_start(&loop, &timers[0], ax_after(&loop, 9 * U), called, (void *)&names[0]);
    ax_timer_unref(&timers[0]);
    AX_SPAWN(&loop.root, sleeper, .name = 'S', .time = U);
    judge(ax_loop_run(&loop), 0, TEXT("S1 "), TEXT("a background timer does not keep the run"));
    ax_timer_stop(&timers[0]);
    axi_clear(&timers[0], sizeof timers[0]);
    traced = 0;
    ax_timer_start(&loop, &timers[0], AX_FOREVER, called, (void *)&names[0]);
    ax_timer_unref(&timers[0]);
    AX_SPAWN(&loop.root, sleeper, .time = LONGEST);
    ax_loop_run(&loop);
    is(timers[0].armed, 1, TEXT("a timer at AX_FOREVER never fires"));
    ax_timer_start(&loop, &timers[1], ax_after(&loop, 9 * U), called, (void *)&names[0]);
    i = idles;
    is(ax_loop_close(&loop), 0, TEXT("a close does not wait for timers"));
    is(idles - i, 0, TEXT("... not even one turn"));
    axi_clear(timers, sizeof timers);
}
#if AXI_GENERATORS
struct numbers { ax_frame frame; int from, to, i, slow, status; };
AX_ASYNC(numbers) {
    AX_BEGIN;
    for (my->i = my->from; my->i < my->to; my->i++) {
        if (my->slow) AX_AWAIT(ax_sleep(me, U));
        AX_EMIT();
    }
    AX_RETURN(my->status);
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, U));
    mark('f', ax_leaving(me) == AX_ECANCELED);
    AX_END;
}
struct doubled { ax_frame frame; int i; AX_GENERATOR(numbers) inner; };
AX_ASYNC(doubled) {
    AX_BEGIN;
    AX_GENERATE(&my->inner, numbers, .from = 1, .to = 4, .slow = 1);
    AX_WHILE(ax_next(me, &my->inner.generator)) {
        my->i = 2 * my->inner.frame.i;
        AX_EMIT();
    }
    AX_END;
}
struct consumer { ax_frame frame; int slow, most, status; AX_GENERATOR(numbers) g; };
AX_ASYNC(consumer) {
    AX_BEGIN;
    AX_GENERATE(&my->g, numbers, .from = 3, .to = 6, .slow = my->slow, .status = my->status);
    AX_WHILE(ax_next(me, &my->g.generator)) {
        mark('i', my->g.frame.i);
        if (my->g.frame.i == my->most) break;
    }
    MARK('e');
    AX_FINALLY:
    MARK('f');
    AX_END;
}
struct chain { ax_frame frame; int close; AX_GENERATOR(doubled) g; };
AX_ASYNC(chain) {
    AX_BEGIN;
    AX_GENERATE(&my->g, doubled);
    AX_AWAIT(ax_next(me, &my->g.generator));
    mark('i', my->g.frame.i);
    AX_TRY(AX_WITHIN(U / 2, ax_next(me, &my->g.generator)));
    mark('t', me->rc == AX_ETIMEDOUT);
    MARK('t');
    AX_AWAIT(ax_next(me, &my->g.generator));
    mark('n', me->rc);
    AX_AWAIT(ax_generator_close(me, &my->g.generator));
    MARK('c');
    AX_END;
}
#endif
static void part8(void) {
    part8_callbacks();
#if AXI_GENERATORS
    RUN("a generator gives its items, then ends with its cleanup", 0, "i3 i4 i5 f0 e1 f1 ", consumer);
    RUN("... one that waits", 0, "i3 i4 i5 f0 e4 f4 ", consumer, .slow = 1);
    RUN("... left after a break: its cleanup is awaited first", 0, "i3 i4 e2 f1 f3 ", consumer, .slow = 1, .most = 4);
    RUN("... that ends with an error", AX_EPIPE, "i3 i4 i5 f0 f1 ", consumer, .status = AX_EPIPE);
    RUN("one that uses another; a limit of its user ends both", 0, "i2 f1 t1 t2 n0 c2 ", chain);
#endif
}
#else
static void part8(void) {}
#endif

/* ======================================== 9 the arena, flags and rings ================================ */
#if !defined(PART) || PART == 9
#if AXI_CANCEL
struct nap { ax_frame frame; ax_time time; };
AX_ASYNC(nap) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->time));
    AX_END;
}
struct huge { ax_frame frame; char fill[AREA]; };
AX_ASYNC(huge) { AX_BEGIN; (void)my; AX_END; }
struct hog { ax_frame frame; ax_group group; int spawned, i; };
AX_ASYNC(hog) { /* spawns until there is no memory */
    AX_BEGIN;
    ax_group_open(me, &my->group, AX_GROUP_COLLECT);
    while (AX_SPAWN(&my->group, nap, .time = U)) my->spawned++;
    mark('s', my->spawned > 3);
    AX_TRY(AX_CALL(huge));
    mark('c', me->rc == AX_ENOMEM);
    ax_group_cancel(&my->group);
    AX_AWAIT(ax_group_join(me, &my->group));
    ax_group_open(me, &my->group, 0);
    my->i = my->spawned;
    while (AX_SPAWN(&my->group, nap, .time = U)) my->i--;
    mark('b', my->i); /* as many as before */
    AX_AWAIT(ax_group_join(me, &my->group)); /* without AX_GROUP_COLLECT it fails */
    mark('?', 0);
    AX_FINALLY:
    mark('f', ax_leaving(me) == AX_ENOMEM);
    AX_END;
}
#endif
struct small { ax_frame frame; char fill[3]; };
AX_ASYNC(small) { AX_BEGIN; (void)my; AX_END; }
struct large { ax_frame frame; char fill[70]; };
AX_ASYNC(large) { AX_BEGIN; (void)my; AX_END; }

static int misplaced, placed;
struct doubles { ax_frame frame; double d; int64_t i; };
AX_ASYNC(doubles) {
    AX_BEGIN;
    placed++;
    misplaced += (uintptr_t)my % AXI_ALIGN != 0;
    AX_END;
}
struct places { ax_frame frame; int i; };
AX_ASYNC(places) {
    AX_BEGIN;
    for (my->i = 0; my->i < 2; my->i++) {
        AX_SPAWN(&loop.root, doubles);
        AX_AWAIT(AX_CALL(doubles));
    }
    AX_END;
}

/* Blocks of random sizes taken and given back in a random order; then everything is one block again. */
static void part9_arena(void) {
    static void *p[12];
    static unsigned char size[12];
    size_t used = 0, peak, most = 0, round;
    int i, wrong = 0, full = 0;
    void *big;
    begin();
    random_state = 1234;
    for (i = 0; i < 12; i++) p[i] = NULL;
    for (round = 0; round < 600; round++) {
        unsigned j;
        i = (int)random_below(12);
        if (p[i]) {
            for (j = 0; j < size[i]; j++)
                if (((unsigned char *)p[i])[j] != (unsigned char)i) wrong++;
            axi_free(&loop, p[i], size[i]);
            used -= axi_rounded(size[i]);
            p[i] = NULL;
        } else {
            size[i] = (unsigned char)(1 + random_below(AREA > 2000 ? 250 : 120));
            if (!(p[i] = axi_alloc(&loop, size[i]))) {
                full++;
                continue;
            }
            for (j = 0; j < size[i]; j++) ((unsigned char *)p[i])[j] = (unsigned char)i;
            used += axi_rounded(size[i]);
            if (used > most) most = used;
            if ((uintptr_t)p[i] % sizeof(void *)) wrong++;
        }
        if (ax_loop_memory(&loop, &peak) != used || peak != most) wrong++;
    }
    for (i = 0; i < 12; i++)
        if (p[i]) axi_free(&loop, p[i], size[i]);
    is(wrong, 0, TEXT("blocks of the arena do not overlap, and are counted"));
    placed = misplaced = 0;
    AX_SPAWN(&loop.root, places);
    is(ax_loop_run(&loop), 0, TEXT("frames in the arena"));
    is(placed, 4, TEXT("... of tasks and calls"));
    is(misplaced, 0, TEXT("... are aligned for anything"));
    ok(!AREA || full > 0 || AREA > 2000, TEXT("... also when it is full"));
    is((long)ax_loop_memory(&loop, NULL), 0, TEXT("... and given back"));
    big = axi_alloc(&loop, sizeof area.bytes / sizeof(struct axi_gap) * sizeof(struct axi_gap));
    ok(big != NULL, TEXT("... then one block takes all of it: the gaps were joined"));
    ok(axi_alloc(&loop, 1) == NULL, TEXT("... and nothing is left"));
    if (big) axi_free(&loop, big, sizeof area.bytes / sizeof(struct axi_gap) * sizeof(struct axi_gap));
    {
        ax_loop_desc desc = NOTHING; /* wherever it begins and ends */
        int from, to;
        wrong = 0;
        for (from = 0; from < 17; from++)
            for (to = 0; to < 17; to++) {
                int rc;
                desc.arena = area.bytes + from;
                desc.arena_size = 200u - (unsigned)to;
                rc = ax_loop_open(&loop, &desc);
                if (rc < 0) wrong++;
                if (!(big = axi_alloc(&loop, 120))) wrong++;
                if ((uintptr_t)big % sizeof(void *) || (unsigned char *)big < area.bytes + from) wrong++;
                if ((unsigned char *)big + 120 > area.bytes + from + 200 - to) wrong++;
            }
        is(wrong, 0, TEXT("an arena may begin and end anywhere"));
        desc.arena_size = 1;
        is(ax_loop_open(&loop, &desc), AX_EINVAL, TEXT("... if there is room for one block"));
        is(ax_loop_open(&loop, NULL), 0, TEXT("a loop without an arena"));
        ok(!AX_SPAWN(&loop.root, small), TEXT("... can't spawn without storage"));
        {
            static AX_TASK(large) own;
            axi_clear(&own, sizeof own);
            ok(AX_SPAWN_IN(&loop.root, &own, large) != NULL, TEXT("... but can with it"));
            is(ax_loop_run(&loop), 0, TEXT("... and run"));
            is(ax_task_status(&own.task), 0, TEXT("... to the end"));
            ok(AX_SPAWN_IN(&loop.root, &own, large) != NULL, TEXT("... and again"));
            ok(AX_SPAWN_IN(&loop.root, &own, large) == NULL, TEXT("... not twice at a time"));
            ax_loop_run(&loop);
        }
    }
}

static ax_flag one_flag;
static ax_ring one_ring;
static volatile unsigned char ring_storage[AREA > 2000 ? 256 : 64];
static unsigned char ring_next;
static int ring_full;
static void flag_comes(void) { ax_flag_set(&one_flag); }
static void byte_comes(void) {
    if (ax_ring_put(&one_ring, ring_next) < 0) ring_full++;
    ring_next++; /* a number for every byte, also of those that are lost */
}
#if AXI_CANCEL
static void bytes_come(void) {
    int i;
    for (i = 0; i < 5; i++) byte_comes();
}
#endif
static void ring_of(int size) {
    axi_clear(&one_ring, sizeof one_ring);
    one_ring.buffer = ring_storage;
    one_ring.mask = (unsigned char)(size - 1);
    ring_next = 0;
    ring_full = 0;
}
struct flag_waits { ax_frame frame; char name; };
AX_ASYNC(flag_waits) {
    AX_BEGIN;
    AX_TRY(ax_flag_wait(me, &one_flag));
    mark(my->name, me->rc == AX_EBUSY ? 0 : me->rc);
    MARK(my->name);
    AX_END;
}
struct flags { ax_frame frame; int i; };
AX_ASYNC(flags) {
    AX_BEGIN;
    mark('t', ax_flag_take(&one_flag));
    flag_comes(), flag_comes();
    AX_AWAIT(AX_CALL(flag_waits, .name = 'a'));
    interrupts(flag_comes, 3 * U, 1, 0);
    AX_SPAWN(&me->loop->root, flag_waits, .name = 'b');
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(AX_CALL(flag_waits, .name = 'c'));
    AX_AWAIT(ax_sleep(me, 5 * U));
    for (my->i = 0; my->i < 300; my->i++) flag_comes();
    AX_AWAIT(AX_CALL(flag_waits, .name = 'd'));
    mark('t', ax_flag_take(&one_flag));
    for (my->i = 0; my->i < 1000; my->i++) { /* over the wrap of its counts */
        flag_comes();
        if (my->i & 1) flag_comes();
        if (ax_flag_take(&one_flag) != 1 + (my->i & 1)) mark('?', my->i);
    }
    AX_END;
}
#if AXI_CANCEL
struct flag_dropped { ax_frame frame; };
AX_ASYNC(flag_dropped) { /* a wait that was given up, then a set, then a wait */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(U, ax_flag_wait(me, &one_flag)));
    mark('t', me->rc == AX_ETIMEDOUT);
    flag_comes();
    AX_AWAIT(AX_CALL(flag_waits, .name = 'a'));
    interrupts(flag_comes, U - 1, 1, 0);
    AX_TRY(AX_WITHIN(U, ax_flag_wait(me, &one_flag)));
    mark('b', me->rc);
    interrupts(flag_comes, U + 1, 1, 0); /* the tick of the limit */
    AX_TRY(AX_WITHIN(U, ax_flag_wait(me, &one_flag)));
    mark('c', (me->rc == AX_ETIMEDOUT) + ax_flag_take(&one_flag) >= 1);
    AX_END;
}
#endif
struct ring_reads { ax_frame frame; unsigned char bytes[4], next, size; int total, overflows, got, gaps; ax_time time; };
AX_ASYNC(ring_reads) {
    unsigned char i;
    AX_BEGIN;
    while (my->got < my->total) {
        AX_TRY(ax_ring_read(me, &one_ring, my->bytes, my->size));
        if (me->rc == AX_EOVERFLOW) {
            my->overflows++;
            continue;
        }
        if (me->rc < 1 || me->rc > my->size) mark('?', me->rc);
        for (i = 0; i < me->rc; i++) {
            if (my->bytes[i] != my->next) my->gaps++;
            my->next = (unsigned char)(my->bytes[i] + 1);
        }
        my->got += me->rc;
        if (my->time) AX_AWAIT(ax_sleep(me, my->time));
    }
    mark('g', my->got);
    mark('o', my->overflows);
    mark('l', my->gaps);
    AX_END;
}
#if AXI_CANCEL
struct ring_slow { ax_frame frame; unsigned char bytes[4], next; int overflows, got, gaps; };
AX_ASYNC(ring_slow) { /* until nothing more comes */
    unsigned char i;
    AX_BEGIN;
    for (;;) {
        AX_TRY(AX_WITHIN(9 * U, ax_ring_read(me, &one_ring, my->bytes, sizeof my->bytes)));
        if (me->rc == AX_ETIMEDOUT) break;
        if (me->rc < 0) {
            my->overflows++;
            continue;
        }
        for (i = 0; i < me->rc; i++) {
            if (my->bytes[i] != my->next) my->gaps++;
            my->next = (unsigned char)(my->bytes[i] + 1);
        }
        my->got += me->rc;
        AX_AWAIT(ax_sleep(me, 2));
    }
    mark('a', my->got + ring_full == 500);
    mark('o', my->overflows > 3);
    mark('g', my->gaps == my->overflows || my->gaps + 1 == my->overflows); /* nothing came after the last */
    AX_END;
}
#endif
struct ring_full_once { ax_frame frame; unsigned char bytes[8]; int i; };
AX_ASYNC(ring_full_once) {
    AX_BEGIN;
    mark('t', ax_ring_try_read(&one_ring, my->bytes, 8) == AX_EAGAIN);
    for (my->i = 0; my->i < 5; my->i++) byte_comes(); /* 3 fit */
    AX_AWAIT(ax_ring_read(me, &one_ring, my->bytes, 2));
    mark('r', me->rc);
    mark('b', my->bytes[0] * 10 + my->bytes[1]);
    byte_comes(); /* lost too, as the reader has not heard of it: what is in the ring came before the gap */
    AX_AWAIT(ax_ring_read(me, &one_ring, my->bytes, 8));
    mark('r', me->rc);
    mark('b', my->bytes[0]);
    AX_TRY(ax_ring_read(me, &one_ring, my->bytes, 8));
    mark('o', me->rc == AX_EOVERFLOW);
    for (my->i = 0; my->i < 2; my->i++) byte_comes();
    AX_AWAIT(ax_ring_read(me, &one_ring, my->bytes, 8));
    mark('r', me->rc);
    mark('b', my->bytes[0] * 10 + my->bytes[1]);
    for (my->i = 0; my->i < 3 + 256; my->i++) byte_comes();
    mark('t', ax_ring_try_read(&one_ring, my->bytes, 8));
    mark('t', ax_ring_try_read(&one_ring, my->bytes, 8) == AX_EOVERFLOW);
    mark('t', ax_ring_try_read(&one_ring, my->bytes, 8) == AX_EAGAIN);
    AX_END;
}
#if ASYNCX_DEBUG && !AXI_ASAN
struct ring_local { ax_frame frame; };
AX_ASYNC(ring_local) {
    unsigned char bytes[2];
    AX_BEGIN;
    AX_TRY(ax_ring_read(me, &one_ring, bytes, sizeof bytes));
    mark('l', me->rc == AX_EFAULT && told());
    AX_END;
}
#endif
struct ring_two { ax_frame frame; unsigned char bytes[2]; };
AX_ASYNC(ring_two) {
    AX_BEGIN;
    interrupts(byte_comes, U, 2, U);
    AX_SPAWN(&me->loop->root, ring_reads, .size = 1, .total = 1);
    AX_AWAIT(ax_checkpoint(me));
    AX_TRY(ax_ring_read(me, &one_ring, my->bytes, 2));
    mark('b', me->rc == AX_EBUSY);
    mark('b', ax_ring_try_read(&one_ring, my->bytes, 2) == AX_EBUSY);
    AX_AWAIT(ax_sleep(me, 3 * U));
    mark('t', ax_ring_try_read(&one_ring, my->bytes, 2));
    mark('b', my->bytes[0]);
    AX_END;
}

static void part9_interrupts(void) {
    int i;
    axi_clear(&one_flag, sizeof one_flag);
    RUN("a flag: set before the wait, in an idle loop, 300 times; a second waiter is refused", 0, "t0 a2 a0 c0 c0 b1 b3 d255 d5 t0 ", flags);
#if AXI_CANCEL
    axi_clear(&one_flag, sizeof one_flag);
    RUN("a wait for a flag that was given up takes nothing", 0, "t1 a1 a1 b1 c1 ", flag_dropped);
    is(one_flag.waiter == NULL && loop.flags == NULL, 1, TEXT("... and leaves nothing behind"));
#endif
    ring_of(4);
    RUN("a full ring says once that bytes were lost, where they were", 0, "t1 r2 b1 r1 b2 o1 r2 b67 t3 t1 t1 ", ring_full_once);
#if ASYNCX_DEBUG && !AXI_ASAN
    RUN("bytes that would come into a local variable are refused", 0, "l1 ", ring_local);
#endif
    ring_of(4);
    RUN("a second reader is refused, and takes nothing from the first", 0, "b1 b1 g1 o0 l0 t1 b1 ", ring_two);
    for (i = 2; i <= (int)sizeof ring_storage; i <<= 1) {
        ring_of(i);
        begin();
        interrupts(byte_comes, 3, 1000, 2);
        judge(finish(AX_SPAWN(&loop.root, ring_reads, .size = 3, .total = 1000)), 0, TEXT("g1000 o0 l0 "), TEXT("1,000 bytes through rings of 2 to 256, none lost"));
    }
#if AXI_CANCEL
    ring_of(16);
    begin();
    interrupts(bytes_come, 3, 100, 3); /* five at a time, the reader takes four and sleeps */
    judge(finish(AX_SPAWN(&loop.root, ring_slow)), 0, TEXT("a1 o1 g1 "), TEXT("a reader that is too slow hears of every gap"));
#endif
}
static void part9(void) {
    part9_arena();
#if AXI_CANCEL
    RUN("out of memory: a spawn is NULL, a call AX_ENOMEM; a group of its own fails; all comes back", AX_ENOMEM, "s1 c1 b0 f1 ", hog);
#endif
    part9_interrupts();
}
#else
static void part9(void) {}
#endif

/* ======================================== 10 AX_RUN =================================================== */
#if !defined(PART) || PART == 10
#if AXI_CANCEL
static ax_timer *run_with;
static ax_callback *run_soon, *run_closing;
static ax_sem run_sem;
static int fired;
static void run_fired(ax_loop *l, void *arg) { (void)l, (void)arg; fired++; }
static void run_closes(ax_loop *l, void *arg) { (void)arg; ax_soon(l, run_soon, run_fired, NULL); } /* which no turn will call */
#endif
struct beside { ax_frame frame; int how; ax_event never; };
AX_ASYNC(beside) {
    AX_BEGIN;
#if AXI_CANCEL
    while (my->how == 3) AX_TRY_ALL(ax_sem_acquire(me, &run_sem));
#endif
    if (my->how == 1) AX_AWAIT(ax_sleep(me, 500 * U));
    if (my->how == 2) AX_AWAIT(ax_event_wait(me, &my->never));
    AX_FINALLY:
    cleaned++;
    AX_END;
}
static AX_TASK(beside) beside_own;
struct run_main { ax_frame frame; int how, status; ax_event never; };
AX_ASYNC(run_main) {
    AX_BEGIN;
    if (my->how) AX_SPAWN_IN(&me->loop->root, &beside_own, beside, .how = my->how);
    if (my->status == 98) ax_loop_stop(me->loop);
#if AXI_CANCEL
    if (run_with) {
        ax_timer_start(me->loop, run_with, ax_after(me->loop, 500 * U), run_fired, NULL);
        if (run_closing) ax_at_close(me->loop, run_closing, run_closes, NULL);
        else ax_soon(me->loop, run_soon, run_fired, NULL);
    }
#endif
    if (my->status == 99) AX_AWAIT(ax_event_wait(me, &my->never));
    AX_AWAIT(ax_sleep(me, U));
    AX_RETURN(my->status);
    AX_FINALLY:
    cleaned++;
    AX_END;
}
static int run_it(int how, int status) {
    clock_now = clock_start;
    cleaned = idles = 0;
    axi_clear(&beside_own, sizeof beside_own);
    return AX_RUN(run_main, .how = how, .status = status);
}
static void part10(void) {
    is(run_it(0, 7), 7, TEXT("AX_RUN gives main's status"));
    is(run_it(0, AX_EPIPE), AX_EPIPE, TEXT("... an error too, at the same place"));
    is(run_it(1, 5), 5, TEXT("... and ends with main, whoever sleeps"));
    is(at(), 1, TEXT("... at once"));
    is(run_it(2, 4), 4, TEXT("... or waits"));
#if AXI_CANCEL
    is(cleaned, 2, TEXT("... who is cancelled, with its cleanup"));
    is(run_it(0, 98), AX_ECANCELED, TEXT("ax_loop_stop cancels main"));
    is(cleaned, 1, TEXT("... with its cleanup"));
    {
        static ax_timer timer;
        static ax_callback soon, closing;
        run_with = &timer, run_soon = &soon, run_closing = &closing;
        is(run_it(0, 0), 0, TEXT("a timer and a callback that are left over when the loop closes"));
        is(timer.armed, 0, TEXT("... are free then"));
        fired = 0;
        run_closing = NULL;
        is(run_it(0, 0), 0, TEXT("... to serve in the next run"));
        is(fired, 1, TEXT("... and do"));
        run_with = NULL;
        ax_sem_init(&run_sem, 0, 0);
        is(run_it(3, 3), AX_EDEADLK, TEXT("a task that can't be ended"));
        is(ax_waiters(&run_sem.waiters), 0, TEXT("... waits for nothing when it has been given up"));
        is(ax_sem_release(&run_sem), 0, TEXT("... and its permit is there"));
        is(run_it(1, 3), 3, TEXT("... and its storage, for the next"));
    }
#else
    is(run_it(0, 98), AX_EINPROGRESS, TEXT("ax_loop_stop leaves main where it is"));
#endif
    is(run_it(0, 99), AX_EDEADLK, TEXT("a main that nothing can wake"));
    is(run_it(0, 99), AX_EDEADLK, TEXT("... and once more"));
    is(run_it(1, 3), 3, TEXT("... and all is well again"));
}
#else
static void part10(void) {}
#endif

static void all(void) {
    part1();
    part2();
    part3();
    part4();
    part5();
    part6();
    part7();
    part8();
    part9();
    part10();
}
static void again_from(ax_time start) {
    clock_start = start;
    all();
}
int main(void) {
#ifdef BOARD_H
    board_init();
#endif
    again_from(0);
    again_from(-2000);              /* 2 s before the tick is 0 again */
    again_from(AX_FOREVER - 2000);
    {
        int k, failed = failures;
        quiet = 1;
        for (k = 0; k < BEGINNINGS; k++) again_from(AX_FOREVER - k * 7), again_from((ax_time)(-k * 7));
        quiet = 0;
        ok(failures == failed, TEXT("all of it again, from more beginnings of the clock near its wraps"));
    }
    core_exit(done());
    return 0;
}
