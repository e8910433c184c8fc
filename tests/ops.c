/* Ops of the user's own, futures that complete inside their cancel hook, AX_TRY and AX_AWAIT, several awaits on a line. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

#define AT ms(me->loop)

/* ---- the button ---- */

enum { PLAIN, WAKES_AND_GOES, WAKES_AND_STAYS, EARLY, EARLY_TWICE };
struct button { ax_task *waiter; int down, how, status, forgotten; };
static int button_forget(ax_task *me, void *arg) {
    struct button *b = (struct button *)arg;
    b->forgotten++;
    b->waiter = NULL;
    if (b->how == WAKES_AND_GOES || b->how == WAKES_AND_STAYS) ax_wake(me, b->status); /* the device answers at once */
    return b->how == WAKES_AND_STAYS ? AX_STAY : 0;
}
static void button_event(struct button *b) {
    ax_task *t = b->waiter;
    b->waiter = NULL;
    if (t) ax_wake(t, 1);
}
AX_MUST_USE static ax_op button_pressed(ax_task *me, struct button *b) {
    if (b->down) return ax_done(1);
    if (b->waiter) return ax_done(AX_EBUSY);
    b->waiter = me;
    if (b->how >= EARLY) button_event(b); /* the event comes before the task has parked */
    if (b->how == EARLY_TWICE) LOG("again:%d", ax_wake(me, 5));
    return ax_park(me, button_forget, b);
}

struct presses { ax_frame frame; struct button *b; const char *name; int keep, before; };
AX_ASYNC(presses) {
    AX_BEGIN;
    if (my->before == 1) ax_cancel(me);
    if (my->before == 2) AX_TRY(AX_WITHIN(0, button_pressed(me, my->b)));
    else if (my->keep) AX_TRY(button_pressed(me, my->b));
    else AX_AWAIT(button_pressed(me, my->b));
    LOG("%s:%d@%d", my->name, me->rc, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("%s:on", my->name);
    AX_FINALLY:
    LOG("%s:end:%d@%d", my->name, ax_leaving(me), AT);
    AX_END;
}
struct naps { ax_frame frame; };
AX_ASYNC(naps) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("child@%d", AT);
    AX_END;
}
struct wakes_late { ax_frame frame; ax_group g; int status; };
AX_ASYNC(wakes_late) { /* a wake that no op meets, before the end of a body with a scope to wait for */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, naps);
    AX_AWAIT(ax_checkpoint(me));
    LOG("%d", ax_wake(me, my->status));
    AX_END;
}
struct wakes_none { ax_frame frame; ax_event e; };
AX_ASYNC(wakes_none) { /* nor is it for the next op */
    AX_BEGIN;
    ax_wake(me, 7);
    AX_TRY(AX_WITHIN(AX_MS(2), ax_event_wait(me, &my->e)));
    LOG("%d@%d", me->rc, AT);
    AX_END;
}
struct buttons { ax_frame frame; ax_group g; struct button b; int how, status, cancel, keep, before; ax_task *t; };
AX_ASYNC(buttons) {
    AX_BEGIN;
    my->b.how = my->how;
    my->b.status = my->status;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = AX_SPAWN(&my->g, presses, .b = &my->b, .name = "A", .keep = my->keep, .before = my->before);
    if (!my->how) AX_SPAWN(&my->g, presses, .b = &my->b, .name = "B");
    AX_AWAIT(ax_checkpoint(me));
    if (my->cancel) ax_cancel(my->t);
    else button_event(&my->b);
    AX_AWAIT(ax_group_join(me, &my->g));
    my->b.down = 1;
    AX_AWAIT(button_pressed(me, &my->b));
    LOG("down:%d forgotten:%d", me->rc, my->b.forgotten);
    AX_END;
}

struct waits_once { ax_frame frame; };
AX_ASYNC(waits_once) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_EMIT();
    AX_END;
}

/* Misuse: a second wait of a task that waits already. */
struct forgets { ax_frame frame; int how; ax_event e, f; ax_op kept; struct button b; ax_sem s; ax_permit p; ax_mutex m; };
AX_ASYNC(forgets) {
    AX_BEGIN;
    my->kept = my->how % 2 ? ax_event_wait(me, &my->e) : ax_sleep(me, AX_MS(5)); /* parked, and not awaited */
    switch (my->how / 2) {
    case 0: my->kept = ax_event_wait(me, &my->f); break;
    case 1: my->kept = ax_sleep(me, AX_MS(1)); break;
    case 2: my->kept = ax_checkpoint(me); break;
    case 3: my->kept = button_pressed(me, &my->b); break;
    case 4: my->kept = ax_sem_enter(me, &my->s, &my->p); break;
    }
    LOG("second:%d", my->kept.axi == AX_EBUSY);
    AX_FINALLY:
    LOG("waiters:%d", ax_waiters(&my->e.waiters) + ax_waiters(&my->f.waiters) + ax_waiters(&my->s.waiters));
    AX_END;
}
/* ... of a task that is to be cancelled, or in an op that keeps what the wait needs where a limit is computed. */
enum { IN_NEXT, LIMITED, CANCELLED_BEFORE, CANCELLED_AFTER, LIMIT_IS_DUE };
struct forgets_more { ax_frame frame; int how; ax_op kept; ax_mutex m; ax_cond c; ax_timeout limit; AX_GENERATOR(waits_once) g; };
AX_ASYNC(forgets_more) {
    AX_BEGIN;
    if (my->how == LIMITED) {
        ax_cond_init(&my->c, &my->m);
        AX_AWAIT(ax_mutex_lock(me, &my->m));
        my->kept = ax_cond_wait(me, &my->c);
        AX_TRY(AX_WITHIN(AX_SEC(1), ax_sleep(me, AX_MS(1))));
        LOG("%d", me->rc);
        AX_RETURN(0);
    }
    if (my->how == LIMIT_IS_DUE) ax_timeout_open(me, &my->limit, 0);
    if (my->how == IN_NEXT) AX_CHECK(AX_GENERATE(&my->g, waits_once));
    if (my->how <= CANCELLED_BEFORE) ax_cancel(me);
    my->kept = my->how == IN_NEXT ? ax_next(me, &my->g.generator) : ax_sleep(me, AX_MS(2));
    if (my->how == CANCELLED_AFTER) ax_cancel(me);
    AX_TRY(ax_sleep(me, AX_MS(1)));
    LOG("%d", me->rc);
    AX_AWAIT(ax_sleep(me, AX_SEC(7200)));
    AX_FINALLY:
    LOG("end:%d@%d", ax_leaving(me), AT);
    AX_END;
}
/* A call in one's own storage that was not awaited does not hold the storage; who waits for a library's op is not woken by ax_wake. */
struct forgets_call { ax_frame frame; ax_op kept; struct sleeper slot; };
AX_ASYNC(forgets_call) {
    AX_BEGIN;
    my->kept = AX_CALL_IN(&my->slot, sleeper, .name = "never");
    AX_TRY(ax_sleep(me, AX_MS(1)));
    LOG("%d@%d", me->rc, AT);
    AX_TRY(AX_CALL_IN(&my->slot, sleeper, .name = "A", .time = 2));
    LOG("%d@%d", me->rc, AT);
    AX_END;
}
struct wakes_other { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(wakes_other) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, sleeper, .name = "A", .time = 5);
    AX_AWAIT(ax_checkpoint(me));
    LOG("%d", ax_wake(my->t, 1));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* A plain call's error leaves; nobody else runs meanwhile, and locals stay. */
static int checking, disturbed;
struct checks { ax_frame frame; };
AX_ASYNC(checks) {
    int i;
    AX_BEGIN;
    for (i = 0; i < 3 * ASYNCX_AWAITS; i++) {
        disturbed += checking++;
        AX_CHECK(i);
        checking--;
    }
    LOG("%d %d", i, me->rc);
    AX_CHECK(AX_EPIPE);
    LOG("on");
    AX_FINALLY:
    AX_CHECK(AX_EBUSY);
    LOG("finally:%d leaving:%d", me->rc, ax_leaving(me));
    AX_END;
}
struct two_checks { ax_frame frame; ax_group g; };
AX_ASYNC(two_checks) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, checks);
    AX_SPAWN(&my->g, checks);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("failed:%d disturbed:%d", me->rc, disturbed);
    AX_END;
}
struct runs_forgets { ax_frame frame; int how; };
AX_ASYNC(runs_forgets) {
    AX_BEGIN;
    AX_TRY(AX_CALL(forgets, .how = my->how));
    AX_TRY(ax_sleep(me, AX_MS(20)));
    LOG("%d@%d", me->rc, AT);
    AX_END;
}

/* ---- futures whose cancel hook completes them ---- */

static int hook_status, hook_answer, hooked;
static int completes(ax_future *f, void *arg) {
    (void)arg;
    hooked++;
    ax_future_complete(f, hook_status);
    return hook_answer;
}
struct waits { ax_frame frame; ax_future *f; const char *name; };
AX_ASYNC(waits) {
    AX_BEGIN;
    AX_TRY(ax_future_wait(me, my->f));
    LOG("%s:%d", my->name, me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("%s:next:%d", my->name, me->rc);
    AX_FINALLY:
    LOG("%s:end:%d", my->name, ax_leaving(me));
    AX_END;
}
struct futures { ax_frame frame; ax_group g; ax_future f; ax_task *t; int due; };
AX_ASYNC(futures) {
    AX_BEGIN;
    hooked = 0;
    my->f.cancel = completes;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = AX_SPAWN(&my->g, waits, .f = &my->f, .name = "A");
    AX_SPAWN(&my->g, waits, .f = &my->f, .name = "B");
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->t);
    ax_cancel(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("hooked:%d", hooked);
    AX_END;
}
static int stops(ax_future *f, void *arg) {
    (void)f;
    (void)arg;
    hooked++;
    return 0;
}
struct stopped_future { ax_frame frame; ax_group g; ax_future f; ax_task *t; };
AX_ASYNC(stopped_future) { /* two wait; the operation is stopped for one of them */
    AX_BEGIN;
    hooked = 0;
    my->f.cancel = stops;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = AX_SPAWN(&my->g, waits, .f = &my->f, .name = "A");
    AX_SPAWN(&my->g, waits, .f = &my->f, .name = "B");
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_TRY(ax_future_wait(me, &my->f));
    LOG("later:%d complete:%d hooked:%d", me->rc, ax_future_complete(&my->f, 1) == AX_EALREADY, hooked);
    AX_END;
}
struct limited_future { ax_frame frame; ax_future f; };
AX_ASYNC(limited_future) {
    AX_BEGIN;
    hooked = 0;
    my->f.cancel = completes;
    AX_TRY(AX_WITHIN(AX_MS(5), ax_future_wait(me, &my->f)));
    LOG("rc:%d expired:%d count:%d@%d", me->rc, ax_expired(me), ax_cancelling(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("on");
    AX_END;
}

/* ---- whose cancellation ---- */

struct foreign { ax_frame frame; ax_group g; ax_task *t; int how; };
AX_ASYNC(foreign) { /* joins a cancelled task; calls one that returns AX_ECANCELED */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, sleeper, .time = 50);
    ax_cancel(my->t);
    if (my->how == 0) {
        AX_TRY(ax_join(me, my->t));
        LOG("join:%d count:%d", me->rc, ax_cancelling(me));
        AX_TRY(AX_CALL(sleeper, .status = AX_ECANCELED));
        LOG("call:%d", me->rc);
        AX_TRY(AX_WITHIN(AX_MS(5), AX_CALL(sleeper, .time = 1, .status = AX_ECANCELED)));
        LOG("limited:%d", me->rc);
        AX_TRY(ax_join(me, me));
        LOG("self:%d", me->rc);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
        LOG("on");
    } else {
        AX_AWAIT(ax_join(me, my->t));
        LOG("never");
    }
    AX_END;
}
struct retries { ax_frame frame; int n; };
AX_ASYNC(retries) { /* a loop that tries for ever still meets its cancel */
    AX_BEGIN;
    for (;;) {
        AX_TRY(AX_CALL(sleeper, .time = 10, .status = AX_EAGAIN));
        my->n++;
    }
    AX_FINALLY:
    LOG("n=%d end:%d@%d", my->n, ax_leaving(me), AT);
    AX_END;
}
struct swallows { ax_frame frame; };
AX_ASYNC(swallows) {
    AX_BEGIN;
    AX_TRY_ALL(ax_sleep(me, AX_SEC(1)));
    LOG("caught:%d count:%d@%d", me->rc, ax_cancelling(me), AT);
    ax_uncancel(me);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("slept@%d", AT);
    AX_END;
}
struct cancels { ax_frame frame; ax_group g; ax_task *a, *b; };
AX_ASYNC(cancels) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->a = ax_task_ref(AX_SPAWN(&my->g, retries));
    my->b = ax_task_ref(AX_SPAWN(&my->g, swallows));
    AX_AWAIT(ax_sleep(me, AX_MS(35)));
    LOG("%d", ax_cancel(my->a));
    LOG("%d", ax_cancel(my->b));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("ended:%d,%d", ax_cancel(my->a), ax_cancel(my->b));
    LOG("status:%d,%d", ax_task_status(my->a), ax_task_status(my->b));
    LOG("gone:%d", ax_task_unref(my->a) == NULL && ax_task_unref(my->b) == NULL);
    AX_END;
}

/* ---- control flow ---- */

struct flow { ax_frame frame; ax_queue q; int items[8], item, i, sum; };
AX_ASYNC(flow) {
    AX_BEGIN;
    ax_queue_init(&my->q, my->items, 8, sizeof my->item);
    for (my->i = 1; my->i <= 6; my->i++) AX_AWAIT(ax_queue_put(me, &my->q, &my->i));
    AX_WHILE(ax_queue_get(me, &my->q, &my->item)) {
        if (my->item == 2) continue;
        if (my->item == 4) break;
        my->sum += my->item;
        AX_AWAIT(ax_checkpoint(me)); /* an await inside the block */
    }
    LOG("sum:%d item:%d", my->sum, my->item);
    ax_queue_close(&my->q);
    AX_WHILE(ax_queue_get(me, &my->q, &my->item)) AX_WHILE(ax_done(0)) my->sum = -1;
    LOG("rest:%d rc:%d", my->item, me->rc);
    my->i = 0;
    AX_AWAIT(ax_checkpoint(me)); my->i++; AX_AWAIT(ax_sleep(me, 0)); my->i++; AX_TRY(ax_join(me, me)); my->i++;
    if (my->i == 3) AX_AWAIT(ax_checkpoint(me)); else AX_AWAIT(ax_sleep(me, AX_SEC(9)));
    LOG("line:%d@%d", my->i, AT);
    AX_WHILE(ax_queue_put(me, &my->q, &my->item)) my->sum = -1;
    LOG("never");
    AX_FINALLY:
    LOG("end:%d", ax_leaving(me));
    AX_END;
}

/* ---- a queue that has gone round, closed with items in it ---- */

static void dropped(void *item, void *arg) { ++*(int *)arg, LOG("drop:%d", *(int *)item); }
struct closes { ax_frame frame; ax_queue q; int items[3], item, drops; ax_group g; };
struct joins_queue { ax_frame frame; ax_queue *q; };
AX_ASYNC(joins_queue) {
    AX_BEGIN;
    AX_AWAIT(ax_queue_join(me, my->q));
    LOG("joined");
    AX_END;
}
struct puts { ax_frame frame; ax_queue *q; int item; };
AX_ASYNC(puts) {
    AX_BEGIN;
    AX_TRY(ax_queue_put(me, my->q, &my->item));
    LOG("put:%d", me->rc);
    AX_END;
}
AX_ASYNC(closes) {
    AX_BEGIN;
    ax_queue_init(&my->q, my->items, 3, sizeof my->item);
    for (my->item = 1; my->item <= 2; my->item++) AX_AWAIT(ax_queue_put(me, &my->q, &my->item));
    for (my->drops = 0; my->drops < 2; my->drops++) {
        AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
        ax_queue_task_done(&my->q);
    }
    my->drops = 0;
    for (my->item = 3; my->item <= 5; my->item++) AX_AWAIT(ax_queue_put(me, &my->q, &my->item)); /* 4 and 5 stand at the front */
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, joins_queue, .q = &my->q);
    AX_SPAWN(&my->g, puts, .q = &my->q, .item = 9);
    AX_AWAIT(ax_checkpoint(me));
    ax_queue_close_now(&my->q, dropped, &my->drops);
    AX_TRY(ax_queue_get(me, &my->q, &my->item));
    LOG("get:%d drops:%d", me->rc, my->drops);
    LOG("unfinished:%u done:%d", my->q.unfinished, ax_queue_task_done(&my->q));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

#if ASYNCX_DEBUG
struct local { ax_frame frame; ax_queue queue; char storage[4]; int scope; };
AX_ASYNC(local) {
    char item = 0;
    ax_group group = {0};
    AX_BEGIN;
    ax_queue_init(&my->queue, my->storage, 4, 1);
    if (my->scope) LOG("open:%d", ax_group_open(me, &group, 0));
    else AX_TRY(ax_queue_get(me, &my->queue, &item));
    if (!my->scope) LOG("get:%d waiters:%d", me->rc, ax_waiters(&my->queue.getters));
    AX_END;
}

/* What others would come to when the step is over. */
struct unready { ax_frame frame; ax_queue queue; int items[2]; ax_sem sem; ax_permit permit; ax_cond cond; }; /* two permits, but not by ax_sem_init */
AX_ASYNC(unready) {
    AX_BEGIN;
    my->sem.permits = 2;
    AX_TRY(ax_sem_acquire(me, &my->sem));
    LOG("acquire:%d", me->rc);
    AX_TRY(ax_sem_enter(me, &my->sem, &my->permit));
    LOG("enter:%d", me->rc);
    LOG("try:%d release:%d", ax_sem_try_acquire(&my->sem), ax_sem_release(&my->sem));
    LOG("init:%d %d %d", ax_sem_init(&my->sem, -1, 0), ax_sem_init(&my->sem, 0, -1), ax_sem_init(&my->sem, 3, 2));
    LOG("queue:%d %d", ax_queue_init(&my->queue, my->items, 2, 0), ax_queue_init(&my->queue, NULL, 2, sizeof *my->items));
    AX_TRY(ax_cond_wait(me, &my->cond));
    LOG("cond:%d", me->rc);
    AX_END;
}
static void not_called(ax_loop *loop, void *arg) { (void)loop, (void)arg, LOG("called"); }
static void not_deferred(void *arg) { (void)arg, LOG("called"); }
struct local_parts { ax_frame frame; ax_group g; ax_callback callback; ax_timer timer; ax_deferred deferred; ax_queue queue; int item; ax_permit permit; ax_mutex mutex; };
AX_ASYNC(local_parts) {
    ax_event event = {0};
    ax_callback callback;
    ax_timer timer;
    ax_sem sem;
    ax_cond cond;
    ax_barrier barrier = AX_BARRIER_INIT(2);
    ax_future future;
    ax_limiter limiter;
    AX_TASK(sleeper) task;
    struct sleeper slot;
    int items[2];
    AX_BEGIN;
    memset(&callback, 0, sizeof callback);
    memset(&timer, 0, sizeof timer);
    memset(&task, 0, sizeof task);
    memset(&slot, 0, sizeof slot);
    AX_TRY(ax_event_wait(me, &event));
    LOG("event:%d", me->rc);
    LOG("soon:%d %d", ax_soon(me->loop, &callback, not_called, NULL), ax_soon(me->loop, &my->callback, not_called, items));
    LOG("timer:%d %d", ax_timer_start(me->loop, &timer, AX_MS(1), not_called, NULL), ax_timer_start(me->loop, &my->timer, AX_MS(1), not_called, &slot));
    LOG("defer:%d", ax_defer(me, &my->deferred, not_deferred, items));
    ax_queue_init(&my->queue, items, 2, sizeof *items);
    AX_TRY(ax_queue_put(me, &my->queue, &my->item));
    LOG("put:%d", me->rc);
    ax_sem_init(&sem, 0, 0);
    AX_TRY(ax_sem_acquire(me, &sem));
    LOG("sem:%d", me->rc);
    AX_TRY(ax_sem_enter(me, &sem, &my->permit));
    LOG("%d", me->rc);
    AX_AWAIT(ax_mutex_lock(me, &my->mutex));
    ax_cond_init(&cond, &my->mutex);
    AX_TRY(ax_cond_wait(me, &cond));
    LOG("cond:%d %d", me->rc, my->mutex.owner == me);
    AX_TRY(ax_barrier_wait(me, &barrier));
    LOG("barrier:%d %d", me->rc, barrier.waiting);
    memset(&future, 0, sizeof future);
    AX_TRY(ax_future_wait(me, &future));
    LOG("future:%d", me->rc);
    memset(&limiter, 0, sizeof limiter);
    limiter.interval = AX_SEC(1), limiter.burst = 1;
    AX_CHECK(ax_limiter_try_acquire(me->loop, &limiter, 1));
    AX_TRY(ax_limiter_acquire(me, &limiter, 1));
    LOG("limiter:%d", me->rc);
    memset(&slot, 0, sizeof slot);
    AX_TRY(AX_CALL_IN(&slot, sleeper));
    LOG("call:%d", me->rc);
    memset(&task, 0, sizeof task);
    ax_group_open(me, &my->g, 0);
    LOG("spawn:%d", AX_SPAWN_IN(&my->g, &task, sleeper) != NULL);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

#ifndef ASYNCX_FREESTANDING
/* The function would start when the text is gone. */
#ifndef ASYNCX_COMMA
struct shows { ax_frame frame; int emits; const char *text; long double wide; };
AX_ASYNC(shows) {
    AX_BEGIN;
    LOG("%s", my->text);
    if (my->emits) AX_EMIT();
    AX_END;
}
struct local_argument { ax_frame frame; ax_group g; struct shows slot; AX_TASK(shows) task; AX_GENERATOR(shows) generator; };
AX_ASYNC(local_argument) {
    char text[] = "local";
    AX_BEGIN;
    AX_TRY(AX_CALL(shows, .text = text));
    LOG("call:%d", me->rc);
    AX_TRY(AX_CALL_IN(&my->slot, shows, .text = text + 1));
    LOG("in:%d", me->rc);
    AX_TRY(AX_CALL_IN(&my->slot, shows, .text = "in its slot", .wide = 1)); /* which is free */
    AX_TRY(AX_CALL_IN(&my->slot, shows, .text = text, .wide = 1)); /* a number is no struct, however wide */
    LOG("wide:%d", me->rc);
    LOG("generate:%d", AX_GENERATE(&my->generator, shows, .text = text));
    AX_CHECK(AX_GENERATE(&my->generator, shows, .emits = 1, .text = "generated"));
    AX_AWAIT(ax_next(me, &my->generator.generator));
    ax_group_open(me, &my->g, 0);
    LOG("spawn:%d", AX_SPAWN(&my->g, shows, .text = text) != NULL);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    LOG("in:%d", AX_SPAWN_IN(&my->g, &my->task, shows, .text = text) != NULL);
    LOG("in:%d", AX_SPAWN_IN(&my->g, &my->task, shows, .text = "a task") != NULL);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
#endif
/* What was never written in a struct may be a local's address by chance: here it is for certain. */
struct record { char text[8]; const void *rest; };
struct shows_record { ax_frame frame; struct record what; int n; };
AX_ASYNC(shows_record) {
    AX_BEGIN;
    LOG("%s:%d", my->what.text, my->n);
    if (my->n > 1) AX_EMIT();
    AX_END;
}
struct records { ax_frame frame; ax_group g; AX_GENERATOR(shows_record) generator; };
AX_ASYNC(records) {
    struct record what = {"record", &what};
    AX_BEGIN;
    AX_AWAIT(AX_CALL(shows_record, .what = what, .n = 1));
    what.rest = &what;
    memcpy(what.text, "record", 7);
    AX_CHECK(AX_GENERATE(&my->generator, shows_record, .n = 2, .what = what));
    AX_AWAIT(ax_next(me, &my->generator.generator));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, shows_record, .n = 0, .what = what);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
#endif
#endif

#ifndef ASYNCX_FREESTANDING
/* Where an error comes from. */
struct fails_here { ax_frame frame; };
AX_ASYNC(fails_here) { AX_BEGIN; AX_RETURN(AX_EPIPE); AX_END; }
struct fails_there { ax_frame frame; };
AX_ASYNC(fails_there) { AX_BEGIN; AX_RETURN(AX_EPIPE); AX_END; }
struct hands_on { ax_frame frame; int how; };
AX_ASYNC(hands_on) {
    AX_BEGIN;
    AX_TRY(AX_CALL(fails_here));
    if (my->how == 1) AX_AWAIT(AX_CALL(fails_there)); /* a new one */
    if (my->how == 2) AX_TRY(AX_CALL(sleeper));
    if (my->how) AX_RETURN(AX_EPIPE); /* its own */
    AX_RETURN(me->rc);                /* what it was given */
    AX_END;
}
/* A limit over a body of its own, and over a call. */
struct runs_out { ax_frame frame; ax_timeout limit; };
AX_ASYNC(runs_out) {
    AX_BEGIN;
    AX_CHECK(ax_timeout_open(me, &my->limit, AX_MS(1)));
    AX_AWAIT(AX_CALL(sleeper, .time = 5));
    AX_END;
}
struct waits_for_it { ax_frame frame; int how; };
AX_ASYNC(waits_for_it) {
    AX_BEGIN;
    if (my->how) AX_AWAIT(AX_CALL(runs_out));
    AX_AWAIT(AX_WITHIN(AX_MS(1), AX_CALL(sleeper, .time = 5)));
    AX_END;
}
static void origins(void) {
    static const char *const names[] = {"fails_here", "fails_there", "hands_on"};
    int how;
    is(AX_RUN_WITH(kit_desc(), waits_for_it), AX_ETIMEDOUT, "a limit around an op expires");
    ok(axi_last.name && !strcmp(axi_last.name, "waits_for_it"), "... where it was set");
    is(AX_RUN_WITH(kit_desc(), waits_for_it, .how = 1), AX_ETIMEDOUT, "one of a body");
    ok(axi_last.name && !strcmp(axi_last.name, "runs_out") && (axi_last.line || !ASYNCX_TRACE), "... there: %s:%d", axi_last.name ? axi_last.name : "nowhere", axi_last.line);
    for (how = 0; how < 3; how++) {
        is(AX_RUN_WITH(kit_desc(), hands_on, .how = how), AX_EPIPE, "an error");
        ok(axi_last.name && !strcmp(axi_last.name, names[how]), "... comes from %s, not from %s", names[how], axi_last.name);
    }
}
#endif

int main(void) {
    int how;
    SCENARIO("a wake that no op met does not end the wait for a scope", 0, "0 child@5", wakes_late, .status = 0);
    SCENARIO("nor does it bring its status into the body's", 0, "0 child@5", wakes_late, .status = AX_EPIPE);
    MISUSE("a queue closed at once hands its items to drop in order, ends joins, refuses waiting puts; one done too often is told", 0,
           "drop:3 drop:4 drop:5 get:0 drops:3 unfinished:0 done:-22 put:-32 joined", "more items than were put", closes);
    SCENARIO("a user's op: one waits, a second is refused, the event resumes the first", 0, "B:end:-16@0 A:1@0 A:on A:end:0@1 down:1 forgotten:0", buttons);
    SCENARIO("a user's op is cancelled: its hook takes it off", 0, "B:end:-16@0 A:end:-125@0 down:1 forgotten:1", buttons, .cancel = 1);
    SCENARIO("rule 14: a wake between registering and parking is not lost", 0, "A:1@0 A:on A:end:0@1 down:1 forgotten:0", buttons, .how = EARLY);
    SCENARIO("rule 14: ... but one that comes before the op is not for it", 0, "-110@2", wakes_none);
    SCENARIO("rule 14: ... and is the only one", 0, "again:-114 A:1@0 A:on A:end:0@1 down:1 forgotten:0", buttons, .how = EARLY_TWICE);
    SCENARIO("rule 4: a hook whose device answers at once with a result: it is delivered, the request met next", 0, "A:5@0 A:end:-125@0 down:1 forgotten:1",
             buttons, .how = WAKES_AND_STAYS, .status = 5, .cancel = 1);
    SCENARIO("rule 5: a hook whose device answers at once that it was cancelled: the task's own cancellation", 0, "A:end:-125@0 down:1 forgotten:1",
             buttons, .how = WAKES_AND_STAYS, .status = AX_ECANCELED, .cancel = 1, .keep = 1);
    SCENARIO("rule 5: the same if the cancel came before it waits", 0, "A:end:-125@0 down:1 forgotten:1", buttons, .how = WAKES_AND_STAYS,
             .status = AX_ECANCELED, .keep = 1, .before = 1);
    SCENARIO("rule 8: the same if its limit is due then", 0, "A:-110@0 A:on A:end:0@1 down:1 forgotten:1", buttons, .how = WAKES_AND_STAYS,
             .status = AX_ECANCELED, .before = 2);
    SCENARIO("a hook that wakes the task and answers 0 wakes it once", 0, "A:5@0 A:end:-125@0 down:1 forgotten:1", buttons, .how = WAKES_AND_GOES, .status = 5, .cancel = 1);
    hook_status = 3, hook_answer = AX_STAY;
    SCENARIO("rule 4: a future that completes inside its cancel hook delivers its result to all", 0, "A:3 B:3 A:next:-125 A:end:0 B:next:0 B:end:0 hooked:1", futures);
    hook_answer = 0;
    SCENARIO("... though the hook says that it stopped", 0, "A:3 B:3 A:next:-125 A:end:0 B:next:0 B:end:0 hooked:1", futures);
    hook_status = AX_ECANCELED;
    SCENARIO("rule 5: completed as cancelled inside its hook, it cancels the one who asked and nobody else", 0, "A:end:-125 B:-125 B:next:0 B:end:0 hooked:1", futures);
    hook_answer = AX_STAY;
    SCENARIO("... and the same if the hook asks to stay", 0, "A:end:-125 B:-125 B:next:0 B:end:0 hooked:1", futures);
    SCENARIO("rule 5: a future that is stopped for one waiter ends as cancelled for the others", 0, "A:end:-125 B:-125 B:next:0 B:end:0 later:-125 complete:1 hooked:1", stopped_future);
    SCENARIO("rule 8: a limit on such a future is a time-out", 0, "rc:-110 expired:1 count:0@5 on", limited_future);
    hook_status = 8;
    SCENARIO("rule 8: its result wins over the limit", 0, "rc:8 expired:0 count:0@5 on", limited_future);
    SCENARIO("rule 5: a foreign AX_ECANCELED cancels nobody else", 0, "join:-125 count:0 call:-125 limited:-125 self:-35 on", foreign);
    SCENARIO("AX_AWAIT leaves on a foreign AX_ECANCELED as on any error", AX_ECANCELED, "", foreign, .how = 1);
    SCENARIO("AX_TRY keeps errors but not the task's own cancellation; AX_TRY_ALL keeps that too; rule 7: ended tasks say so", 0,
             "1 1 n=3 end:-125@35 caught:-125 count:1@35 slept@40 ended:0,0 status:-125,0 gone:1", cancels);
    SCENARIO("AX_WHILE with break, continue, awaits and nesting; several awaits on a line", AX_EPIPE, "sum:4 item:4 rest:6 rc:0 line:3@0 end:-32", flow);
#if ASYNCX_DEBUG
    MISUSE("a semaphore without its init is refused, and a condition", 0, "acquire:-22 enter:-22 try:-22 release:0 init:-22 -22 -22 queue:-22 -22 cond:-1", "before ax_", unready);
    MISUSE("a wait whose data would come into a local variable is refused", 0, "get:-14 waiters:0", "local variable", local);
    MISUSE("so is all else that is local and would be used later", 0,
           "event:-14 soon:-14 -14 timer:-14 -14 defer:-14 put:-14 sem:-14 -14 cond:-14 1 barrier:-14 0 future:-14 limiter:-14 call:-14 spawn:0 join:-14", "local variable", local_parts);
    MISUSE("a scope in a local variable is refused", 0, "open:-14", "local variable", local, .scope = 1);
#ifndef ASYNCX_FREESTANDING
#ifndef ASYNCX_COMMA /* which does not look for it */
    MISUSE("an argument that points to a local variable is refused", 0,
           "call:-14 in:-14 in its slot wide:-14 generate:-14 generated spawn:0 join:-14 in:0 in:1 a task", "local variable", local_argument);
#endif
    SCENARIO("... but a struct by value may have anything in it", 0, "record:1 record:2 record:0", records);
#endif
#endif
#ifndef ASYNCX_FREESTANDING
    origins();
#endif
    SCENARIO("a plain call is checked without an await; its error leaves, but not AX_FINALLY", 0,
             "384 383 finally:-16 leaving:-32 384 383 finally:-16 leaving:-32 failed:2 disturbed:0", two_checks);
    for (how = 0; how < 10; how++)
        MISUSE("rule 3: a second wait is refused, the forgotten one is dropped", 0, "second:1 waiters:0 0@20", "not awaited", runs_forgets, .how = how);
    MISUSE("rule 3: ... it is told where", 0, "second:1 waiters:0 0@20", ASYNCX_DEBUG && ASYNCX_TRACE ? "not awaited (in forgets, " : "not awaited", runs_forgets);
    MISUSE("rule 3: ... also where a limit begins", 0, "-16 end:0@0", "not awaited", forgets_more, .how = LIMITED);
    MISUSE("rule 3: ... and a cancel that it was told of is not lost", AX_ECANCELED, "-16 end:-125@0", "not awaited", forgets_more, .how = IN_NEXT);
    MISUSE("rule 3: ... nor one that it had met", AX_ECANCELED, "-16 end:-125@0", "not awaited", forgets_more, .how = CANCELLED_BEFORE);
    MISUSE("rule 3: ... or was woken by", AX_ECANCELED, "-16 end:-125@0", "not awaited", forgets_more, .how = CANCELLED_AFTER);
    MISUSE("rule 3: ... nor a limit", AX_ETIMEDOUT, "-16 end:-110@0", "not awaited", forgets_more, .how = LIMIT_IS_DUE);
    MISUSE("rule 3: a forgotten call in one's own storage frees it", 0, "0@1 A:0@3 0@3", "a call was not awaited", forgets_call);
    MISUSE("rule 3: ax_wake ends the waits of ops of one's own only", 0, "-114 A:0@5", "something else by now", wakes_other);
    return tap_end();
}
