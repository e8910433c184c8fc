/* Time limits, and what happens when a body is left: rules 8 to 11. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

#define AT ms(me->loop)

/* ---- rule 8: limits ---- */

struct limited { ax_frame frame; int limit, time, status, cleanup, quiet; };
AX_ASYNC(limited) { /* a limit over a call, then one more wait */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(my->limit), AX_CALL(sleeper, .name = "A", .time = my->time, .status = my->status, .cleanup = my->cleanup)));
    LOG("rc=%d expired=%d@%d", me->rc, ax_expired(me), AT);
    if (my->quiet) AX_RETURN(me->rc);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct outer_limit { ax_frame frame; int outer, inner, time, cleanup; };
AX_ASYNC(outer_limit) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(my->outer), AX_CALL(limited, .limit = my->inner, .time = my->time, .cleanup = my->cleanup)));
    LOG("outer rc=%d expired=%d@%d", me->rc, ax_expired(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct doubly { ax_frame frame; int one, two; };
AX_ASYNC(doubly) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(my->one), AX_WITHIN(AX_MS(my->two), ax_sleep(me, AX_SEC(1)))));
    LOG("rc=%d@%d", me->rc, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    LOG("on@%d", AT);
    AX_END;
}
struct bounded_cleanup { ax_frame frame; };
AX_ASYNC(bounded_cleanup) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_RETURN(AX_EPIPE);
    AX_FINALLY:
    AX_AWAIT(AX_WITHIN(AX_MS(7), ax_sleep(me, AX_SEC(1))));
    LOG("rc=%d expired=%d leaving=%d@%d", me->rc, ax_expired(me), ax_leaving(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("rc=%d@%d", me->rc, AT);
    AX_END;
}
struct scope_limit { ax_frame frame; ax_timeout outer, inner; int a, b, time; };
AX_ASYNC(scope_limit) {
    AX_BEGIN;
    ax_timeout_open(me, &my->outer, AX_MS(my->a));
    ax_timeout_open(me, &my->inner, AX_MS(my->b));
    AX_AWAIT(ax_sleep(me, AX_MS(my->time)));
    LOG("slept@%d", AT);
    if (my->time == 13) AX_AWAIT(ax_sleep(me, AX_MS(50)));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    LOG("leaving=%d outer=%d inner=%d rc=%d@%d", ax_leaving(me), my->outer.expired, my->inner.expired, me->rc, AT);
    AX_END;
}
struct reschedules { ax_frame frame; ax_timeout t; };
AX_ASYNC(reschedules) {
    AX_BEGIN;
    ax_timeout_open(me, &my->t, AX_MS(10));
    LOG("%d", ax_timeout_reschedule(&my->t, AX_MS(30)));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("20ok %d", ax_timeout_reschedule(&my->t, AX_FOREVER));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("40ok %d", ax_timeout_close(&my->t));
    LOG("closed:%d", ax_timeout_reschedule(&my->t, 0));
    LOG("%d", ax_timeout_close(&my->t));
    ax_timeout_open(me, &my->t, AX_MS(1000));
    ax_timeout_reschedule(&my->t, AX_MS(3)); /* in the past */
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("past:%d@%d again:%d", me->rc, AT, ax_timeout_reschedule(&my->t, AX_MS(2000)));
    LOG("close:%d", ax_timeout_close(&my->t));
    LOG("count:%d", ax_cancelling(me));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("%d@%d", me->rc, AT);
    AX_END;
}
struct due { ax_frame frame; ax_queue q; int items[1], item; ax_timeout t; };
AX_ASYNC(due) {
    AX_BEGIN;
    ax_queue_init(&my->q, my->items, 1, sizeof my->item);
    ax_queue_try_put(&my->q, &my->item);
    AX_TRY(AX_WITHIN(0, ax_queue_get(me, &my->q, &my->item)));
    LOG("get:%d", me->rc);
    AX_TRY(AX_WITHIN(0, ax_queue_get(me, &my->q, &my->item)));
    LOG("get:%d waiters:%d", me->rc, ax_waiters(&my->q.getters));
    AX_TRY(AX_WITHIN(-5, AX_CALL(sleeper, .name = "call", .time = 1)));
    LOG("call:%d/%d", me->rc, ax_expired(me));
    AX_TRY(AX_WITHIN(0, ax_checkpoint(me)));
    LOG("checkpoint:%d", me->rc);
    ax_timeout_open(me, &my->t, 0);
    AX_AWAIT(ax_checkpoint(me));
    LOG("again:%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep:%d close:%d@%d", me->rc, ax_timeout_close(&my->t), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct limits_cleanup { ax_frame frame; int by_group; ax_timeout t; ax_group g; };
AX_ASYNC(limits_cleanup) { /* a scope of its AX_FINALLY ends a wait */
    AX_BEGIN;
    AX_FINALLY:
    if (my->by_group) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, sleeper, .time = 5, .status = AX_EPIPE);
        AX_TRY(ax_sleep(me, AX_MS(50)));
        LOG("wait:%d", me->rc);
        AX_TRY(ax_group_join(me, &my->g));
        LOG("join:%d", me->rc);
    } else {
        ax_timeout_open(me, &my->t, AX_MS(5));
        AX_TRY(ax_sleep(me, AX_MS(50)));
        LOG("wait:%d expired:%d", me->rc, ax_timeout_close(&my->t));
    }
    AX_END;
}
struct cleans_up { ax_frame frame; int by_group; };
AX_ASYNC(cleans_up) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    AX_TRY(AX_CALL(limits_cleanup, .by_group = my->by_group));
    LOG("call:%d count:%d", me->rc, ax_cancelling(me));
    AX_TRY(ax_sleep(me, AX_MS(10)));
    LOG("flush:%d@%d", me->rc, AT);
    AX_END;
}
struct cut_short { ax_frame frame; int by_group; ax_group g; };
AX_ASYNC(cut_short) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, cleans_up, .by_group = my->by_group);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    AX_END;
}
#ifndef ASYNCX_FREESTANDING
static void closes_limit(ax_loop *loop, void *limit) {
    (void)loop;
    LOG("close:%d", ax_timeout_close((ax_timeout *)limit));
}
struct closed_late { ax_frame frame; ax_timeout t; ax_timer timer; };
AX_ASYNC(closed_late) { /* by a callback, in the turn in which it expires */
    AX_BEGIN;
    ax_timer_start(me->loop, &my->timer, ax_after(me->loop, AX_MS(10)), closes_limit, &my->t);
    ax_timeout_open(me, &my->t, AX_MS(10));
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    AX_FINALLY:
    LOG("leaving:%d count:%d", ax_leaving(me), ax_cancelling(me));
    AX_END;
}
#endif
struct peers { ax_frame frame; ax_timeout limit; ax_time tiny; double seconds; int count; };
AX_ASYNC(peers) { /* a time-out that is not the limit's */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(1), AX_CALL(sleeper, .status = AX_ETIMEDOUT)));
    LOG("%d/%d", me->rc, ax_expired(me));
    AX_TRY(AX_CALL(limited, .limit = 5, .time = 9, .quiet = 1));
    LOG("%d/%d", me->rc, ax_expired(me));
    AX_TRY(AX_WITHIN(5, ax_sleep(me, AX_MS(1))));
    LOG("bare number:%d", me->rc);
    AX_TRY(ax_sleep(me, 2));
    LOG("sleep:%d", me->rc);
    LOG("open:%d", ax_timeout_open(me, &my->limit, 5));
    my->seconds = 0.5, my->count = 999;
    AX_TRY(ax_sleep(me, my->seconds));
    LOG("%d", me->rc);
    AX_TRY(ax_sleep(me, my->count));
    LOG("%d", me->rc);
    AX_TRY(AX_WITHIN(my->count, ax_sleep(me, AX_MS(1))));
    LOG("%d", me->rc);
    my->seconds = 500.0123; /* a product that happens to be so short is no round number */
    AX_AWAIT(ax_sleep(me, my->seconds));
    my->seconds = 5e5, my->count = 1000, my->tiny = 500;
    AX_AWAIT(ax_sleep(me, my->seconds));
    AX_AWAIT(ax_sleep(me, my->count));
    my->seconds = 1e300; /* too long for a time: nearly for ever */
    AX_AWAIT(AX_WITHIN(my->seconds, ax_checkpoint(me)));
    AX_TRY(ax_sleep(me, my->tiny)); /* a time, which may be computed */
    LOG("%d@%d", me->rc, (int)(ax_now(me->loop) / 1000));
    AX_END;
}
struct stale { ax_frame frame; int between; };
AX_ASYNC(stale) { /* nor is one that is returned after another await than the limited one */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_sleep(me, AX_SEC(1))));
    LOG("%d", ax_expired(me));
    if (my->between == 1) AX_AWAIT(ax_checkpoint(me));
    if (my->between == 2) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (my->between == 3) AX_AWAIT(ax_done(0));
    LOG("%d", ax_expired(me));
    AX_RETURN(AX_ETIMEDOUT);
    AX_FINALLY:
    LOG("%d", ax_expired(me));
    AX_END;
}
struct counts { ax_frame frame; };
AX_ASYNC(counts) { /* requests from before the limit are not the limit's */
    AX_BEGIN;
    ax_cancel(me);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("swallowed:%d count:%d", me->rc, ax_cancelling(me));
    AX_TRY_ALL(AX_WITHIN(AX_MS(10), ax_sleep(me, AX_SEC(1))));
    LOG("%d@%d count:%d", me->rc, AT, ax_cancelling(me));
    ax_cancel(me);
    AX_TRY_ALL(AX_WITHIN(AX_MS(10), ax_sleep(me, AX_SEC(1))));
    LOG("%d@%d count:%d", me->rc, AT, ax_cancelling(me));
    LOG("%d", ax_uncancel(me));
    LOG("%d", ax_uncancel(me));
    LOG("%d", ax_uncancel(me));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}

/* A clock by hand, so that a limit falls due while a result is on its way. */
static ax_time by_hand;
static ax_time hand_clock(void *ctx) { (void)ctx; return by_hand; }
struct result_wins { ax_frame frame; ax_event e; ax_timeout t; int next; };
static void late_set(ax_loop *loop, void *arg) {
    (void)loop;
    ax_event_set((ax_event *)arg);
    by_hand = AX_MS(50); /* the limit is due in this very turn */
}
struct waits_event { ax_frame frame; ax_event *e; int next; };
AX_ASYNC(waits_event) {
    AX_BEGIN;
    AX_AWAIT(ax_event_wait(me, my->e));
    LOG("event:%d", me->rc);
    if (my->next) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("end");
    AX_END;
}
static ax_callback late;
AX_ASYNC(result_wins) {
    AX_BEGIN;
    by_hand = AX_MS(1);
    ax_soon(me->loop, &late, late_set, &my->e);
    if (my->next < 2) {
        AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(waits_event, .e = &my->e, .next = my->next)));
        LOG("rc=%d count=%d", me->rc, ax_cancelling(me));
    } else {
        ax_timeout_open(me, &my->t, AX_MS(10));
        AX_TRY(ax_event_wait(me, &my->e));
        LOG("event:%d count=%d expired=%d", me->rc, ax_cancelling(me), my->t.expired);
        LOG("close=%d", ax_timeout_close(&my->t));
        LOG("count=%d", ax_cancelling(me));
        ax_timeout_open(me, &my->t, AX_SEC(1));
        LOG("anew:%d", my->t.expired);
    }
    AX_AWAIT(ax_checkpoint(me));
    LOG("on");
    AX_END;
}
static ax_loop_desc *hand_desc(void) {
    ax_loop_desc *d = kit_desc();
    d->flags = 0;
    d->clock = hand_clock;
    by_hand = 1;
    return d;
}

static void limits(void) {
    SCENARIO("rule 8: an inner limit reports to the inner caller, the outer one goes on", 0,
             "A:-125@10 rc=-110 expired=1@10 outer rc=0 expired=0@11", outer_limit, .outer = 50, .inner = 10, .time = 100);
    SCENARIO("rule 8: an outer limit ends the inner limited call, which does not report", 0,
             "A:-125@10 outer rc=-110 expired=1@10", outer_limit, .outer = 10, .inner = 50, .time = 100);
    SCENARIO("rule 8: of limits due at once the outermost reports", 0, "A:-125@10 outer rc=-110 expired=1@10", outer_limit, .outer = 10, .inner = 10, .time = 100);
    SCENARIO("rule 8: the outer limit falls due during the cleanup that the inner one began: the outer reports", 0,
             "A:-125@10 outer rc=-110 expired=1@10", outer_limit, .outer = 10, .inner = 5, .time = 100, .cleanup = 20);
    SCENARIO("rule 8: AX_WITHIN of AX_WITHIN: the earlier binds, outside", 0, "rc=-110@10 on@110", doubly, .one = 10, .two = 20);
    SCENARIO("rule 8: AX_WITHIN of AX_WITHIN: the earlier binds, inside", 0, "rc=-110@10 on@110", doubly, .one = 20, .two = 10);
    SCENARIO("rule 8: a limit waits for the cleanup of the limited call", 0, "A:-125@15 rc=-110 expired=1@15", limited, .limit = 10, .time = 100, .cleanup = 5);
    SCENARIO("rule 8: a limit at the same time as the sleep goes first", 0, "A:-125@10 rc=-110 expired=1@10", limited, .limit = 10, .time = 10);
    SCENARIO("rule 8: a result before the limit is delivered", 0, "A:3@9 rc=3 expired=0@9", limited, .limit = 10, .time = 9, .status = 3);
    SCENARIO("rule 8: a body's error wins over a limit that expires in its cleanup, and interrupts it", 0, "A:-32@10 rc=-32 expired=0@10", limited,
             .limit = 10, .time = 5, .status = AX_EPIPE, .cleanup = 20);
    SCENARIO("rule 10: a limit that has expired does not bind the cleanup", 0, "A:-125@40 rc=-110 expired=1@40", limited, .limit = 10, .time = 100, .cleanup = 30);
    SCENARIO("rule 10: AX_WITHIN bounds the cleanup, the body's status stands", AX_EPIPE, "rc=-110 expired=1 leaving=-32@12 rc=0@15", bounded_cleanup);
    SCENARIO("rule 8: ax_timeout leaves the body with AX_ETIMEDOUT and does not bind the cleanup", AX_ETIMEDOUT, "leaving=-110 outer=1 inner=0 rc=0@110",
             scope_limit, .a = 10, .b = 20, .time = 50);
    SCENARIO("rule 8: of nested ax_timeouts the inner fires alone", AX_ETIMEDOUT, "leaving=-110 outer=0 inner=1 rc=0@110", scope_limit, .a = 20, .b = 10, .time = 50);
    SCENARIO("rule 8: nested ax_timeouts due at once have both expired", AX_ETIMEDOUT, "leaving=-110 outer=1 inner=1 rc=0@110", scope_limit, .a = 10, .b = 10, .time = 50);
    SCENARIO("rule 8: an ax_timeout that is not reached changes nothing", 0, "slept@5 leaving=0 outer=0 inner=0 rc=0@105", scope_limit, .a = 10, .b = 10, .time = 5);
    SCENARIO("rule 8: a sleep that ended before the limit is delivered; the next wait meets it", AX_ETIMEDOUT,
             "slept@13 leaving=-110 outer=0 inner=1 rc=0@120", scope_limit, .a = 30, .b = 20, .time = 13);
    SCENARIO("rule 8: a limit is moved later, away, and into the past; not after it fired or closed", 0,
             "0 20ok 0 40ok 0 closed:-1 -1 past:-125@40 again:-1 close:1 count:0 0@41", reschedules);
    SCENARIO("rule 8: a limit due already expires only at a wait; a call does not start, but cleans up", 0,
             "get:1 get:-110 waiters:0 call:-125@0 call:-110/1 checkpoint:0 again:0 sleep:-125 close:1@0", due);
    SCENARIO("rule 10: a limit that a cleanup opened and closed concerns nobody else", 0, "wait:-125 expired:1 call:0 count:1 flush:0@25", cut_short);
    SCENARIO("rule 10: nor does a group of it that failed", 0, "wait:-125 join:-32 call:0 count:1 flush:0@25", cut_short, .by_group = 1);
#ifndef ASYNCX_FREESTANDING
    SCENARIO("rule 8: a limit that is closed by another while its request is on its way is a time-out", AX_ETIMEDOUT, "close:1 leaving:-110 count:0", closed_late);
#endif
    MISUSE("rule 8: a callee's time-out is not the limit's; a bare number is refused", 0, "-110/0 A:-125@5 rc=-110 expired=1@5 -110/0 bare number:-22 sleep:-22 open:-22 -22 -22 -22 0@5502", "below a microsecond", peers);
    SCENARIO("rule 8: a returned time-out is the limit's", AX_ETIMEDOUT, "1 1 1", stale);
    SCENARIO("rule 8: but not after a checkpoint", AX_ETIMEDOUT, "1 0 0", stale, .between = 1);
    SCENARIO("rule 8: but not after a sleep", AX_ETIMEDOUT, "1 0 0", stale, .between = 2);
    SCENARIO("rule 8: but not after an op done at once", AX_ETIMEDOUT, "1 0 0", stale, .between = 3);
    SCENARIO("rule 8: requests from before the limit are not the limit's", 0, "swallowed:-125 count:1 -110@10 count:1 -125@10 count:2 1 0 0", counts);
    kit_judge("rule 8: a result that won is delivered, the call's next wait meets the limit",
              AX_RUN_WITH(hand_desc(), result_wins, .next = 1), 0, "event:0 rc=-110 count=0 on", NULL, __FILE__, __LINE__);
    kit_judge("rule 8: a call that ends after a result that won has no time-out",
              AX_RUN_WITH(hand_desc(), result_wins, .next = 0), 0, "event:0 end rc=0 count=0 on", NULL, __FILE__, __LINE__);
    kit_judge("rule 8: but an ax_timeout counts as expired, and takes its request back",
              AX_RUN_WITH(hand_desc(), result_wins, .next = 2), 0, "event:0 count=1 expired=1 close=1 count=0 anew:0 on", NULL, __FILE__, __LINE__);
}

/* ---- rules 9 to 11: leaving a body ---- */

static ax_sem sem;
static ax_mutex mutex;
static void note(void *arg) { LOG("%s", (const char *)arg); }
static char one[] = "defer1", two[] = "defer2";

enum { BY_END, BY_RETURN, BY_ERROR, BY_CANCEL };
struct leaves { ax_frame frame; int how; ax_deferred d1, d2; ax_group g; ax_permit p; };
AX_ASYNC(leaves) {
    AX_BEGIN;
    ax_defer(me, &my->d1, note, one);
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "child", .time = 10, .cleanup = 2);
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    ax_defer(me, &my->d2, note, two);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    if (my->how == BY_RETURN) AX_RETURN(4);
    if (my->how == BY_ERROR) AX_RETURN(AX_EPIPE);
    if (my->how == BY_CANCEL) {
        ax_cancel(me);
        AX_AWAIT(ax_sleep(me, AX_MS(5)));
    }
    AX_FINALLY:
    LOG("finally:%d permits=%d owner=%d@%d", ax_leaving(me), sem.permits, mutex.owner != NULL, AT);
    AX_END;
}
struct waiter { ax_frame frame; ax_permit p; };
AX_ASYNC(waiter) { /* gets what the leaving frame gives back */
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    LOG("mutex@%d", AT);
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    LOG("permit@%d", AT);
    AX_END;
}
struct leaving { ax_frame frame; ax_group g; int how; };
AX_ASYNC(leaving) {
    AX_BEGIN;
    ax_sem_init(&sem, 1, 1);
    memset(&mutex, 0, sizeof mutex);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, leaves, .how = my->how);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_SPAWN(&my->g, waiter);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_RETURN(sem.permits == 1 && !mutex.owner ? me->rc : AX_EBUSY);
    AX_END;
}

/* Which error is told: the body fails at `body`, its child at `child`, the child's cleanup takes 5 and may fail in its turn. */
struct first_error { ax_frame frame; ax_group g; int body, child; };
AX_ASYNC(first_error) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    if (my->child) AX_SPAWN(&my->g, sleeper, .name = "child", .time = my->child, .status = AX_EAGAIN, .cleanup = 5);
    if (my->body) AX_AWAIT(ax_sleep(me, AX_MS(my->body)));
    AX_RETURN(AX_EPIPE);
    AX_FINALLY:
    LOG("finally:%d@%d", ax_leaving(me), AT);
    AX_END;
}

/* A cancel from outside at 10, while the scopes close. */
struct closing { ax_frame frame; ax_group g; int status, child_time; };
AX_ASYNC(closing) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "child", .time = my->child_time, .cleanup = 20);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_RETURN(my->status);
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("finally:%d rc=%d@%d", ax_leaving(me), me->rc, AT);
    AX_END;
}
struct caller { ax_frame frame; int status, child_time; };
AX_ASYNC(caller) {
    AX_BEGIN;
    AX_TRY_ALL(AX_CALL(closing, .status = my->status, .child_time = my->child_time));
    LOG("call:%d@%d", me->rc, AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("next:%d@%d", me->rc, AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("then:%d@%d", me->rc, AT);
    AX_END;
}
struct cancels_at { ax_frame frame; ax_group g; ax_task *t; int at, status, child_time; };
AX_ASYNC(cancels_at) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = AX_SPAWN(&my->g, caller, .status = my->status, .child_time = my->child_time);
    AX_AWAIT(ax_sleep(me, AX_MS(my->at)));
    ax_cancel(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

/* A request that is unmet when the cleanup begins. */
enum { PUT_OFF, TAKEN_BACK, DURING, EMPTY_GROUP, FULL_GROUP, TWICE, QUIET, AGAIN, CALL_THERE, GROUP_THERE };
struct put_off { ax_frame frame; int how; ax_group g; };
AX_ASYNC(put_off) {
    AX_BEGIN;
    if (my->how == EMPTY_GROUP || my->how == FULL_GROUP) ax_group_open(me, &my->g, 0);
    if (my->how == FULL_GROUP) AX_SPAWN(&my->g, sleeper, .name = "child", .time = 10);
    if (my->how < QUIET && my->how != DURING) ax_cancel(me);
    if (my->how == AGAIN) {
        ax_cancel(me);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
    AX_RETURN(6);
    AX_FINALLY:
    if (my->how == DURING || my->how == AGAIN) ax_cancel(me);
    if (my->how == CALL_THERE) AX_AWAIT(AX_CALL(put_off, .how = FULL_GROUP));
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("finally:%d@%d", me->rc, AT);
    if (my->how == TAKEN_BACK) ax_uncancel(me);
    if (my->how == TWICE) ax_cancel(me);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("finally:%d leaving:%d@%d", me->rc, ax_leaving(me), AT);
    if (my->how == GROUP_THERE) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, sleeper, .name = "child", .time = 10);
        ax_cancel(me);
    }
    AX_END;
}
struct calls_put_off { ax_frame frame; int how; };
AX_ASYNC(calls_put_off) {
    AX_BEGIN;
    AX_TRY_ALL(AX_CALL(put_off, .how = my->how));
    LOG("call:%d@%d", me->rc, AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("next:%d@%d", me->rc, AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("then:%d@%d", me->rc, AT);
    AX_END;
}
struct limits_put_off { ax_frame frame; int how; };
AX_ASYNC(limits_put_off) { /* the limit that made the request takes it back, put off or not */
    AX_BEGIN;
    AX_TRY_ALL(AX_WITHIN(AX_MS(3), AX_CALL(put_off, .how = my->how)));
    LOG("call:%d@%d", me->rc, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
/* Calls one after the other, which are in their cleanup half of the time. */
struct half_cleanup { ax_frame frame; };
AX_ASYNC(half_cleanup) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    AX_END;
}
struct calls_in_turn { ax_frame frame; ax_group g; ax_timeout limit; int n, rest, fails; };
AX_ASYNC(calls_in_turn) {
    AX_BEGIN;
    if (my->rest) ax_timeout_open(me, &my->limit, AX_MS(my->rest));
    ax_group_open(me, &my->g, 0);
    if (my->fails) AX_SPAWN(&my->g, sleeper, .time = my->fails, .status = AX_EPIPE);
    for (my->n = 0; my->n < 100; my->n++) AX_AWAIT(AX_CALL(half_cleanup));
    AX_FINALLY:
    LOG("works:%d n:%d", ax_leaving(me), my->n);
    AX_END;
}
struct limits_calls { ax_frame frame; };
AX_ASYNC(limits_calls) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(95), AX_CALL(calls_in_turn)));
    LOG("within:%d@%d", me->rc, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct cancels_calls { ax_frame frame; ax_group g; };
AX_ASYNC(cancels_calls) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, calls_in_turn);
    AX_AWAIT(ax_sleep(me, AX_MS(95)));
    ax_group_cancel(&my->g);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("join:%d@%d", me->rc, AT);
    AX_END;
}
struct errors_in_finally { ax_frame frame; int n; };
AX_ASYNC(errors_in_finally) {
    AX_BEGIN;
    AX_RETURN(5);
    AX_FINALLY:
    AX_AWAIT(AX_CALL(sleeper, .status = AX_EPIPE));
    LOG("%d", me->rc);
    AX_TRY(ax_join(me, me));
    LOG("%d", me->rc);
    AX_WHILE(ax_done(AX_EAGAIN)) my->n = 1;
    LOG("%d,%d", me->rc, my->n);
    AX_END;
}
struct scopes_in_finally { ax_frame frame; ax_group g; ax_deferred d; ax_permit p; };
AX_ASYNC(scopes_in_finally) { /* scopes opened by the cleanup close when it ends, and leave the status alone */
    AX_BEGIN;
    AX_RETURN(5);
    AX_FINALLY:
    ax_defer(me, &my->d, note, one);
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "A", .time = 5, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "B", .time = 9);
    LOG("permits=%d", sem.permits);
    AX_END;
}
struct early { ax_frame frame; ax_permit p, q; ax_deferred d; ax_timeout t; };
AX_ASYNC(early) { /* scopes closed out of order */
    AX_BEGIN;
    ax_sem_init(&sem, 2, 2);
    memset(&mutex, 0, sizeof mutex);
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    ax_timeout_open(me, &my->t, AX_MS(50));
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    AX_AWAIT(ax_sem_enter(me, &sem, &my->q));
    ax_defer(me, &my->d, note, one);
    LOG("permits=%d", sem.permits);
    LOG("leave=%d", ax_sem_leave(&my->p));
    LOG("again=%d permits=%d", ax_sem_leave(&my->p), sem.permits);
    LOG("close=%d", ax_timeout_close(&my->t));
    LOG("unlock=%d", ax_mutex_unlock(me, &mutex));
    LOG("again=%d", ax_mutex_unlock(me, &mutex));
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    LOG("permits=%d", sem.permits);
    AX_FINALLY:
    LOG("permits=%d", sem.permits);
    AX_END;
}
struct takes_back { ax_frame frame; ax_deferred a, b, c; };
AX_ASYNC(takes_back) {
    AX_BEGIN;
    LOG("%d", ax_defer_stop(&my->a));
    ax_defer(me, &my->a, note, one);
    ax_defer(me, &my->b, note, two);
    LOG("%d", ax_defer_stop(&my->a));
    LOG("%d", ax_defer_stop(&my->a));
    ax_defer(me, &my->c, note, one);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("%d", ax_defer_stop(&my->c));
    AX_END;
}
struct twice { ax_frame frame; ax_permit p; ax_group g; ax_timeout t; ax_deferred d; struct sleeper slot; };
AX_ASYNC(twice) {
    AX_BEGIN;
    ax_sem_init(&sem, 2, 2);
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    AX_TRY(ax_sem_enter(me, &sem, &my->p));
    LOG("permit:%d/%d", me->rc, sem.permits);
    LOG("group:%d", ax_group_open(me, &my->g, 0));
    LOG("%d", ax_group_open(me, &my->g, 0));
    LOG("limit:%d", ax_timeout_open(me, &my->t, AX_MS(1)));
    LOG("%d", ax_timeout_open(me, &my->t, AX_MS(9)));
    LOG("defer:%d", ax_defer(me, &my->d, note, one));
    LOG("%d", ax_defer(me, &my->d, note, two));
    AX_TRY(ax_mutex_lock(me, &mutex));
    AX_TRY(ax_mutex_lock(me, &mutex));
    LOG("mutex:%d", me->rc);
    LOG("release:%d", ax_sem_release(&sem));
    LOG("over:%d", ax_sem_release(&sem));
    ax_sem_try_acquire(&sem);
    AX_END;
}

/* A mutex handed to a task that is being cancelled. */
struct locker { ax_frame frame; const char *name; int hold; };
AX_ASYNC(locker) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    LOG("%s:locked@%d", my->name, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(my->hold)));
    AX_FINALLY:
    LOG("%s:%d@%d", my->name, ax_leaving(me), AT);
    AX_END;
}
/* An unlock when the frame is being left is only late: in a defer that comes after the mutex, and in AX_FINALLY. */
struct unlocks { ax_frame frame; ax_mutex *mutex; };
AX_ASYNC(unlocks) {
    AX_BEGIN;
    LOG("call:%d", ax_mutex_unlock(me, my->mutex));
    AX_END;
}
struct unlocks_late { ax_frame frame; ax_mutex mutex; ax_deferred deferred; ax_task *me; };
static void unlock_deferred(void *arg) {
    struct unlocks_late *my = (struct unlocks_late *)arg;
    LOG("defer:%d", ax_mutex_unlock(my->me, &my->mutex));
}
AX_ASYNC(unlocks_late) {
    AX_BEGIN;
    my->me = me;
    ax_defer(me, &my->deferred, unlock_deferred, my);
    AX_AWAIT(ax_mutex_lock(me, &my->mutex));
    AX_FINALLY:
    LOG("finally:%d", ax_mutex_unlock(me, &my->mutex));
    AX_AWAIT(AX_CALL(unlocks, .mutex = &my->mutex));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("%d", ax_mutex_unlock(me, &my->mutex));
    AX_END;
}
struct hands { ax_frame frame; ax_group g; ax_task *b; int cancel_first; };
AX_ASYNC(hands) {
    AX_BEGIN;
    memset(&mutex, 0, sizeof mutex);
    ax_mutex_try_lock(me, &mutex);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->b = ax_task_ref(AX_SPAWN(&my->g, locker, .name = "B", .hold = 10));
    AX_SPAWN(&my->g, locker, .name = "C", .hold = 1);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    if (my->cancel_first) ax_cancel(my->b);
    LOG("unlock:%d", ax_mutex_unlock(me, &mutex));
    LOG("foreign:%d", ax_mutex_unlock(me, &mutex));
    if (!my->cancel_first) ax_cancel(my->b);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("status:%d owner:%d", ax_task_status(my->b), mutex.owner != NULL);
    ax_task_unref(my->b);
    AX_END;
}

/* Limit, group, child's cleanup, own cleanup, permit, all at once. */
struct everything { ax_frame frame; ax_group g; ax_permit p; ax_deferred d; };
AX_ASYNC(everything) {
    AX_BEGIN;
    AX_AWAIT(ax_sem_enter(me, &sem, &my->p));
    ax_defer(me, &my->d, note, one);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "A", .time = 100, .cleanup = 5);
    AX_SPAWN(&my->g, sleeper, .name = "B", .time = 100, .cleanup = 7);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("finally:%d permits=%d@%d", ax_leaving(me), sem.permits, AT);
    AX_END;
}
struct over_everything { ax_frame frame; };
AX_ASYNC(over_everything) {
    AX_BEGIN;
    ax_sem_init(&sem, 1, 1);
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(everything)));
    LOG("rc=%d expired=%d count=%d@%d", me->rc, ax_expired(me), ax_cancelling(me), AT);
    AX_TRY(AX_WITHIN(AX_MS(200), AX_CALL(everything)));
    LOG("rc=%d@%d", me->rc, AT);
    AX_END;
}

/* A request of the group that its owner met and kept is taken back by the join, inside a limit that was opened after it. A cancel
   from outside that comes then is newer than the limit. */
static void cancel_main(ax_loop *loop, void *task) { (void)loop; ax_cancel((ax_task *)task); }
struct old_request { ax_frame frame; ax_group g; ax_timer t; ax_timeout limit; int open; };
AX_ASYNC(old_request) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .time = 9000, .cleanup = 100);
    AX_AWAIT(ax_checkpoint(me));
    ax_group_cancel(&my->g);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    if (my->open == 2) ax_timeout_open(me, &my->limit, AX_MS(50));
    ax_timer_start(me->loop, &my->t, ax_after(me->loop, AX_MS(10)), cancel_main, me);
    if (my->open == 3) {
        ax_timeout_open(me, &my->limit, AX_MS(50));
        ax_cancel(me);
        AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    }
    if (my->open) AX_TRY(ax_group_join(me, &my->g));
    else AX_TRY_ALL(AX_WITHIN(AX_MS(50), ax_group_join(me, &my->g)));
    LOG("join:%d count:%d", me->rc, ax_cancelling(me));
    AX_FINALLY:
    LOG("left:%d", ax_leaving(me));
    ax_timer_stop(&my->t);
    AX_END;
}
struct two_requests { ax_frame frame; ax_timeout limit; };
AX_ASYNC(two_requests) { /* both unmet when the limit opens, one of them is taken back: the other is no request of the limit */
    AX_BEGIN;
    ax_timeout_open(me, &my->limit, 0);
    LOG("left:%d", ax_uncancel(me));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    AX_END;
}
struct asked_twice { ax_frame frame; };
AX_ASYNC(asked_twice) {
    AX_BEGIN;
    ax_cancel(me);
    ax_cancel(me);
    AX_TRY_ALL(AX_CALL(two_requests));
    LOG("call:%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("next:%d", me->rc);
    AX_END;
}
struct old_request_caller { ax_frame frame; int open; };
AX_ASYNC(old_request_caller) {
    AX_BEGIN;
    AX_TRY_ALL(AX_CALL(old_request, .open = my->open));
    LOG("call:%d count:%d", me->rc, ax_cancelling(me));
    AX_END;
}

int main(void) {
    limits();
    SCENARIO("rule 9: at the end of the body scopes close in reverse order, children awaited, then AX_FINALLY", 0,
             "defer2 mutex@5 child:0@12 defer1 finally:0 permits=0 owner=1@12 permit@12", leaving, .how = BY_END);
    SCENARIO("rule 9: AX_RETURN closes the scopes likewise", 0, "defer2 mutex@5 child:0@12 defer1 finally:4 permits=0 owner=1@12 permit@12", leaving, .how = BY_RETURN);
    SCENARIO("rule 9: an error cancels the children, and they are awaited", 1, "defer2 mutex@5 child:-125@7 defer1 finally:-32 permits=0 owner=1@7 permit@7", leaving, .how = BY_ERROR);
    SCENARIO("rule 9: a cancel closes the scopes likewise", 0, "defer2 mutex@5 child:-125@7 defer1 finally:-125 permits=0 owner=1@7 permit@7", leaving, .how = BY_CANCEL);
    SCENARIO("rule 12: the body's error was first", AX_EPIPE, "child:-125@10 finally:-32@10", first_error, .body = 5, .child = 50);
    SCENARIO("rule 12: the child's error was first", AX_EAGAIN, "child:-11@10 finally:-11@10", first_error, .body = 50, .child = 5);
    SCENARIO("rule 12: the child left its body first, but the body ended first", AX_EPIPE, "child:-11@7 finally:-32@7", first_error, .body = 7, .child = 5);
    SCENARIO("rule 10: a cancel while scopes close cancels the children; the status is cancelled", 0,
             "child:-125@30 finally:-125 rc=0@31 call:-125@31 next:0@32 then:0@33", cancels_at, .at = 10, .child_time = 50);
    SCENARIO("rule 10: a cancel while an error's scopes close is beaten by it, and unmet for the caller", 0,
             "child:-125@25 finally:-32 rc=0@26 call:-32@26 next:-125@26 then:0@27", cancels_at, .at = 10, .status = AX_EPIPE, .child_time = 50);
    SCENARIO("rule 10: a cancel while scopes close interrupts a child's cleanup", 0,
             "child:0@10 finally:-125 rc=0@11 call:-125@11 next:0@12 then:0@13", cancels_at, .at = 10, .child_time = 8);
    SCENARIO("rule 10: a request unmet when AX_FINALLY begins is put off, then met by the caller", 0,
             "finally:0@5 finally:0 leaving:6@10 call:6@10 next:-125@10 then:0@11", calls_put_off, .how = PUT_OFF);
    SCENARIO("rule 10: one made during the cleanup interrupts it, and is met by the caller too", 0,
             "finally:-125@0 finally:0 leaving:6@5 call:6@5 next:-125@5 then:0@6", calls_put_off, .how = DURING);
    SCENARIO("rule 10: not if the body was left by a cancel: the caller leaves by that", 0,
             "finally:-125@0 finally:0 leaving:-125@5 call:-125@5 next:0@6 then:0@7", calls_put_off, .how = AGAIN);
    SCENARIO("rule 10: one that ends a call of the cleanup, too", 0,
             "child:-125@0 finally:0@5 finally:0 leaving:-125@10 finally:0@15 finally:0 leaving:6@20 call:6@20 next:-125@20 then:0@21",
             calls_put_off, .how = CALL_THERE);
    SCENARIO("rule 10: one that is met by the close of a group of the cleanup, too", 0,
             "finally:0@5 finally:0 leaving:6@10 child:-125@10 call:6@10 next:-125@10 then:0@11", calls_put_off, .how = GROUP_THERE);
    SCENARIO("rule 10: one put off and one during the cleanup are both met", 0, "finally:0@5 finally:-125 leaving:6@5 call:6@5 next:-125@5 then:0@6", calls_put_off, .how = TWICE);
    SCENARIO("rule 7: a request put off and taken back in the cleanup is gone", 0, "finally:0@5 finally:0 leaving:6@10 call:6@10 next:0@11 then:0@12", calls_put_off, .how = TAKEN_BACK);
    SCENARIO("rule 4: a body that returned has returned: a group without children does not wait", 0,
             "finally:0@5 finally:0 leaving:6@10 call:6@10 next:-125@10 then:0@11", calls_put_off, .how = EMPTY_GROUP);
    SCENARIO("rule 10: an unmet request is met by the group's close that waits", 0,
             "child:-125@0 finally:0@5 finally:0 leaving:-125@10 call:-125@10 next:0@11 then:0@12", calls_put_off, .how = FULL_GROUP);
    SCENARIO("rule 8: a limit that falls due in the cleanup takes its request back", 0, "finally:-125@3 finally:0 leaving:6@8 call:6@8", limits_put_off,
             .how = QUIET);
    SCENARIO("rule 8: and leaves another's", AX_ECANCELED, "finally:-125@0 finally:-125 leaving:6@3 call:6@3", limits_put_off, .how = DURING);
    SCENARIO("rule 8: a limit that falls due in a call's cleanup ends what called it", 0, "works:-125 n:5 within:-110@105", limits_calls);
    SCENARIO("rule 8: a limit for the rest of the body, too", AX_ETIMEDOUT, "works:-110 n:5", calls_in_turn, .rest = 95);
    SCENARIO("rule 12: a group that is cancelled then ends, too", 0, "works:-125 n:5 join:0@105", cancels_calls);
    SCENARIO("rule 12: a failure cancels the owner, who is in a call's cleanup", AX_EPIPE, "works:-32 n:5", calls_in_turn, .fails = 95);
    SCENARIO("rule 7: two requests, a limit that is due, and one request taken back: no time-out", 0, "left:1 call:-125 next:0", asked_twice);
    SCENARIO("rule 10: in AX_FINALLY no await leaves", 5, "-32 -35 -11,0", errors_in_finally);
    ax_sem_init(&sem, 1, 1);
    SCENARIO("rule 9: scopes opened in AX_FINALLY close when it ends and leave the status alone", 5, "permits=0 A:-32@5 B:-125@5 defer1", scopes_in_finally);
    is(sem.permits, 1, "rule 11: a permit entered in AX_FINALLY is given back");
    SCENARIO("what is deferred may be taken back", 0, "0 1 0 1 defer2", takes_back);
    MISUSE("rule 11: scopes may be closed earlier and out of order; a mutex that was let go of can't be again", 0,
           "permits=0 leave=0 again=-1 permits=1 close=0 unlock=0 again=-1 permits=1 defer1 permits=2", "does not hold it", early);
    memset(&mutex, 0, sizeof mutex);
    MISUSE("rule 3: a scope opened twice is refused", 0, "permit:-16/1 group:0 -16 limit:0 -16 defer:0 -16 mutex:-35 release:0 over:-75 defer1", "opened twice", twice);
    is(mutex.owner == NULL && sem.permits == 2, 1, "rule 11: after refused scopes everything is released once");
    SCENARIO("rule 11: an unlock is too late when the frame is left, and no mistake", 0, "defer:-1 finally:-1 call:-1 -1", unlocks_late);
    MISUSE("rule 4: a mutex handed to a task that is then cancelled is its own, and goes on when it unwinds", 0,
           "unlock:0 foreign:-1 B:locked@5 B:-125@5 C:locked@5 C:0@6 status:-125 owner:0", "does not hold it", hands, .cancel_first = 0);
    MISUSE("rule 5: a mutex unlocked after the cancel goes to the next waiter", 0, "unlock:0 foreign:-1 B:-125@5 C:locked@5 C:0@6 status:-125 owner:0",
           "does not hold it", hands, .cancel_first = 1);
    SCENARIO("rules 8 to 11: a limit over a group, cleanups, a permit and a defer", 0,
             "A:-125@15 B:-125@17 defer1 finally:-125 permits=1@20 rc=-110 expired=1 count=0@20 A:0@125 B:0@127 defer1 finally:0 permits=1@130 rc=0@130", over_everything);
    SCENARIO("rule 7: a group's old request, taken back inside a newer limit, hides no cancel from outside", 0, "join:-125 count:1 left:0 call:0 count:1", old_request_caller);
    SCENARIO("... inside a scope", 0, "left:-125 call:-125 count:1", old_request_caller, .open = 2);
    SCENARIO("... that came before it was taken back", 0, "left:-125 call:-125 count:2", old_request_caller, .open = 3);
    return tap_end();
}
