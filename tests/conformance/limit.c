/* WFOR: AX_WITHIN and wait_for. TMO: ax_timeout, a limit for the rest of a body. */

/* completes in time; the timer is dropped */
static void complete_ok(ax_loop *loop, void *future) {
    (void)loop;
    ax_future_complete((ax_future *)future, text("ok"));
}
struct WFOR_01 { ACTOR; ax_future f; };
SCENARIO(WFOR_01) {
    BEGINS;
    at(10, complete_ok, &my->f);
    AX_AWAIT(AX_WITHIN(AX_MS(20), ax_future_wait(me, &my->f)));
    say("got(%s)", word(me->rc));
    say("live_timers(%u)", me->loop->timer_count);
    ENDS;
}

/* when the limit expires the inner task is cancelled and waited for */
struct WFOR_02 { ACTOR; ax_task *i; };
SCENARIO(WFOR_02) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = -1, .cleanup = 20);
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(await_task, .task = my->i)));
    say_error(me->rc);
    ENDS;
}

/* inner swallows the cancel and returns: its value is returned */
struct WFOR_03_i { ACTOR; };
AX_ASYNC(WFOR_03_i) {
    BEGINS;
    AX_TRY_ALL(forever(me));
    say_error(me->rc);
    AX_RETURN(42);
    ENDS;
}
struct WFOR_03 { ACTOR; ax_task *i; };
SCENARIO(WFOR_03) {
    BEGINS;
    my->i = GO(ROOT, "I", WFOR_03_i);
    AX_AWAIT(AX_WITHIN(AX_MS(10), AX_CALL(await_task, .task = my->i)));
    say("got(%s)", word(me->rc));
    state("M_cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* inner fails while being cancelled: its error wins */
struct WFOR_04 { ACTOR; ax_task *i; };
SCENARIO(WFOR_04) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = -1, .cleanup_error = E1);
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(await_task, .task = my->i)));
    say_error(me->rc);
    state("M_cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* a limit of zero: done gives the result, running is cancelled, new never starts */
struct WFOR_05_r { ACTOR; };
AX_ASYNC(WFOR_05_r) {
    BEGINS;
    AX_AWAIT(ms(me, 100));
    AX_FINALLY:
    say("cleanup");
    LAST_WORD;
    AX_END;
}
struct WFOR_05_n { ax_frame frame; };
AX_ASYNC(WFOR_05_n) {
    AX_BEGIN;
    says("N", "started");
    AX_END;
}
struct WFOR_05 { ACTOR; ax_task *d, *r; };
SCENARIO(WFOR_05) {
    BEGINS;
    my->d = GO(ROOT, "D", value, .value = 1);
    my->r = GO(ROOT, "R", WFOR_05_r);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(AX_CALL(wait_for, .task = my->d, .time = 0));
    say("got(%s)", word(me->rc));
    AX_TRY(AX_CALL(wait_for, .task = my->r, .time = 0));
    say_error(me->rc);
    AX_TRY(AX_WITHIN(0, AX_CALL(WFOR_05_n)));
    say_error(me->rc);
    ENDS;
}

/* a negative limit acts as zero, and waits for a slow cleanup (which says nothing here) */
struct WFOR_quiet { ACTOR; int cleanup; };
AX_ASYNC(WFOR_quiet) {
    BEGINS;
    AX_AWAIT(forever(me));
    AX_FINALLY:
    AX_AWAIT(ms(me, my->cleanup));
    LAST_WORD;
    AX_END;
}
struct WFOR_06 { ACTOR; ax_task *r; };
SCENARIO(WFOR_06) {
    BEGINS;
    my->r = GO(ROOT, "R", WFOR_quiet, .cleanup = 15);
    AX_AWAIT(ms(me, 0));
    AX_TRY(AX_CALL(wait_for, .task = my->r, .time = AX_MS(-5)));
    say_error(me->rc);
    ENDS;
}

/* no limit just waits */
struct WFOR_07 { ACTOR; ax_task *i; };
SCENARIO(WFOR_07) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = 100000, .value = 7);
    AX_AWAIT(AX_WITHIN(AX_FOREVER, AX_CALL(await_task, .task = my->i)));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* cancelling the waiter cancels the inner task and waits for it */
struct WFOR_08_o { ACTOR; ax_task *task; ax_time time; };
AX_ASYNC(WFOR_08_o) {
    BEGINS;
    AX_AWAIT(AX_WITHIN(my->time, AX_CALL(await_task, .task = my->task)));
    ENDS;
}
struct WFOR_08 { ACTOR; ax_task *i, *j, *o, *p; };
SCENARIO(WFOR_08) {
    BEGINS;
    my->i = GO(ROOT, "I", WFOR_quiet, .cleanup = 20);
    my->j = GO(ROOT, "J", WFOR_quiet, .cleanup = 20);
    my->o = GO(ROOT, "O", WFOR_08_o, .task = my->i, .time = AX_SEC(1));
    my->p = GO(ROOT, "P", WFOR_08_o, .task = my->j, .time = AX_FOREVER);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ax_cancel(my->p);
    ENDS;
}

/* a cancel in the instant the inner completes: the result first, then the cancel, which is not swallowed */
struct WFOR_09_o { ACTOR; ax_future *f; };
AX_ASYNC(WFOR_09_o) {
    BEGINS;
    AX_AWAIT(AX_WITHIN(AX_MS(100), ax_future_wait(me, my->f)));
    say("got(%s)", word(me->rc));
    AX_AWAIT(ms(me, 50));
    ENDS;
}
struct WFOR_09 { ACTOR; ax_future f; ax_task *o; };
SCENARIO(WFOR_09) {
    BEGINS;
    my->o = GO(ROOT, "O", WFOR_09_o, .f = &my->f);
    AX_AWAIT(ms(me, 10));
    ax_future_complete(&my->f, 1);
    ax_cancel(my->o);
    ENDS;
}

/* a task that is only joined survives the limit */
struct WFOR_12 { ACTOR; ax_task *i; };
SCENARIO(WFOR_12) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = 30, .value = 1);
    AX_TRY(AX_WITHIN(AX_MS(10), ax_join(me, my->i)));
    say_error(me->rc);
    AX_TRY(AX_WITHIN(0, ax_join(me, my->i)));
    say_error(me->rc);
    AX_AWAIT(ax_join(me, my->i));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* a condition's wait that times out holds the lock again when TIMEDOUT arrives */
struct WFOR_14_b { ACTOR; ax_mutex *lock; };
AX_ASYNC(WFOR_14_b) {
    BEGINS;
    AX_AWAIT(ms(me, 5));
    AX_AWAIT(ax_mutex_lock(me, my->lock));
    say("has_lock");
    AX_AWAIT(ms(me, 25));
    ENDS;
}
struct WFOR_14 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(WFOR_14) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    GO(ROOT, "B", WFOR_14_b, .lock = &my->lock);
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    AX_TRY(AX_WITHIN(AX_MS(10), ax_cond_wait(me, &my->c)));
    say_error(me->rc);
    say("locked(%s)", truth(my->lock.owner == me));
    ax_mutex_unlock(me, &my->lock);
    state("locked=%s", truth(my->lock.owner != NULL));
    ENDS;
}

/* nested: the outer deadline is earlier */
struct WFOR_16_p { ACTOR; ax_task *i; };
AX_ASYNC(WFOR_16_p) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = -1);
    AX_AWAIT(AX_WITHIN(AX_MS(50), AX_CALL(await_task, .task = my->i)));
    ENDS;
}
struct WFOR_16 { ACTOR; ax_task *p; };
SCENARIO(WFOR_16) {
    BEGINS;
    my->p = GO(ROOT, "P", WFOR_16_p);
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(await_task, .task = my->p)));
    say_error(me->rc);
    ENDS;
}

/* `async with timeout(time): sleep(sleep)`: the block under the limit is a small async function. It may note that it was
   cancelled, and answer that with an error of its own. */
struct limited { ax_frame frame; const char *name; ax_timeout *limit; ax_time time; int sleep; const char *when_cancelled; int error; };
AX_ASYNC(limited) {
    AX_BEGIN;
    ax_timeout_open(me, my->limit, my->time);
    AX_TRY_ALL(ms(me, my->sleep));
    if (me->rc < 0) {
        if (my->when_cancelled) say("%s", my->when_cancelled);
        AX_RETURN(my->error ? my->error : me->rc);
    }
    AX_END;
}

/* expires: the body is cancelled, TIMEDOUT comes out */
struct TMO_01 { ACTOR; ax_timeout cm; };
SCENARIO(TMO_01) {
    BEGINS;
    AX_TRY(AX_CALL(limited, .name = my->name, .limit = &my->cm, .time = AX_MS(10), .sleep = 100, .when_cancelled = "body_cancelled"));
    say_error(me->rc);
    AX_AWAIT(ms(me, 5));
    say("goes_on");
    state("expired=%s cancelling=%d", truth(my->cm.expired), ax_cancelling(me));
    ENDS;
}

/* not reached: nothing happens and the timer is dropped */
struct TMO_02 { ACTOR; ax_timeout a, b; };
SCENARIO(TMO_02) {
    BEGINS;
    AX_AWAIT(AX_CALL(limited, .limit = &my->a, .time = AX_MS(100), .sleep = 10));
    AX_AWAIT(AX_CALL(limited, .limit = &my->b, .time = AX_FOREVER, .sleep = 10));
    say("live_timers(%u)", me->loop->timer_count);
    state("a=%s b=%s when_b=%s", truth(my->a.expired), truth(my->b.expired), my->b.when == AX_FOREVER ? "-" : "set");
    ENDS;
}

/* a zero or past deadline interrupts the first real suspension; a sleep of zero is complete the moment it is queued */
struct TMO_03 { ACTOR; ax_timeout cm[4]; };
SCENARIO(TMO_03) {
    BEGINS;
    AX_TRY(AX_CALL(limited, .limit = &my->cm[0], .time = 0, .sleep = 0));
    say_error(me->rc);
    say("expired(%s)", truth(my->cm[0].expired));
    AX_TRY(AX_CALL(limited, .limit = &my->cm[1], .time = AX_MS(-11), .sleep = 0));
    say_error(me->rc);
    say("expired(%s)", truth(my->cm[1].expired));
    AX_TRY(AX_CALL(limited, .limit = &my->cm[2], .time = 0, .sleep = 100));
    say_error(me->rc);
    say("expired(%s)", truth(my->cm[2].expired));
    AX_AWAIT(ms(me, 20));
    AX_TRY(AX_CALL(limited, .limit = &my->cm[3], .time = AX_MS(5) - ax_now(me->loop), .sleep = 100));
    say_error(me->rc);
    ENDS;
}

/* a zero limit around a body that never suspends does nothing */
struct TMO_04_block { ax_frame frame; const char *name; ax_timeout *limit; };
AX_ASYNC(TMO_04_block) {
    AX_BEGIN;
    ax_timeout_open(me, my->limit, 0);
    say("body");
    AX_END;
}
struct TMO_04 { ACTOR; ax_timeout cm; };
SCENARIO(TMO_04) {
    BEGINS;
    AX_AWAIT(AX_CALL(TMO_04_block, .name = my->name, .limit = &my->cm));
    AX_AWAIT(ms(me, 5));
    say("after");
    state("expired=%s cancelling=%d", truth(my->cm.expired), ax_cancelling(me));
    ENDS;
}

/* nested, inner first: only the inner scope times out */
struct TMO_05_outer { ax_frame frame; const char *name; ax_timeout *o, *i; };
AX_ASYNC(TMO_05_outer) {
    AX_BEGIN;
    ax_timeout_open(me, my->o, AX_MS(100));
    AX_TRY(AX_CALL(limited, .limit = my->i, .time = AX_MS(10), .sleep = 1000));
    say_error(me->rc);
    AX_AWAIT(ms(me, 20));
    say("after_inner");
    AX_END;
}
struct TMO_05 { ACTOR; ax_timeout o, i; };
SCENARIO(TMO_05) {
    BEGINS;
    AX_AWAIT(AX_CALL(TMO_05_outer, .name = my->name, .o = &my->o, .i = &my->i));
    state("outer=%s inner=%s cancelling=%d", truth(my->o.expired), truth(my->i.expired), ax_cancelling(me));
    ENDS;
}

/* nested, outer first: inner passes CANCELLED through */
struct TMO_06_outer { ax_frame frame; const char *name; ax_timeout *o, *i; ax_time inner; };
AX_ASYNC(TMO_06_outer) {
    AX_BEGIN;
    ax_timeout_open(me, my->o, AX_MS(10));
    AX_TRY_ALL(AX_CALL(limited, .limit = my->i, .time = my->inner, .sleep = 1000));
    say("between(%s)", word(me->rc));
    AX_RETURN(me->rc);
    AX_END;
}
struct TMO_06 { ACTOR; ax_timeout o, i; };
SCENARIO(TMO_06) {
    BEGINS;
    AX_TRY(AX_CALL(TMO_06_outer, .name = my->name, .o = &my->o, .i = &my->i, .inner = AX_MS(50)));
    say_error(me->rc);
    state("outer=%s inner=%s cancelling=%d", truth(my->o.expired), truth(my->i.expired), ax_cancelling(me));
    ENDS;
}

/* nested, same deadline: the outer one reports */
struct TMO_07 { ACTOR; ax_timeout o, i; };
SCENARIO(TMO_07) {
    BEGINS;
    AX_TRY(AX_CALL(TMO_06_outer, .name = my->name, .o = &my->o, .i = &my->i, .inner = AX_MS(10)));
    say_error(me->rc);
    state("outer=%s inner=%s cancelling=%d", truth(my->o.expired), truth(my->i.expired), ax_cancelling(me));
    ENDS;
}

/* reschedule later, to none, earlier */
static void reschedule_50(ax_loop *loop, void *limit) { (void)loop, ax_timeout_reschedule((ax_timeout *)limit, AX_MS(50)); }
static void reschedule_none(ax_loop *loop, void *limit) { (void)loop, ax_timeout_reschedule((ax_timeout *)limit, AX_FOREVER); }
static void reschedule_70(ax_loop *loop, void *limit) { (void)loop, ax_timeout_reschedule((ax_timeout *)limit, AX_MS(70)); }
struct TMO_09 { ACTOR; ax_timeout cm; };
SCENARIO(TMO_09) {
    BEGINS;
    at(10, reschedule_50, &my->cm);
    at(40, reschedule_none, &my->cm);
    at(60, reschedule_70, &my->cm);
    AX_TRY(AX_CALL(limited, .limit = &my->cm, .time = AX_MS(20), .sleep = 1000));
    say_error(me->rc);
    state("when=%d", (int)(my->cm.when / AX_MS(1)));
    ENDS;
}

/* reschedule into the past fires on the next turn */
static void reschedule_5(ax_loop *loop, void *limit) { (void)loop, ax_timeout_reschedule((ax_timeout *)limit, AX_MS(5)); }
struct TMO_10 { ACTOR; ax_timeout cm; };
SCENARIO(TMO_10) {
    BEGINS;
    at(30, reschedule_5, &my->cm);
    AX_TRY(AX_CALL(limited, .limit = &my->cm, .time = AX_SEC(1), .sleep = 5000));
    say_error(me->rc);
    ENDS;
}

/* misuse: reschedule outside the active state, opening twice. (Storage of a closed limit may be used again.) */
struct TMO_11_a { ax_frame frame; ax_timeout *a; };
AX_ASYNC(TMO_11_a) {
    AX_BEGIN;
    ax_timeout_open(me, my->a, AX_MS(10));
    says_error("active_again", ax_timeout_open(me, my->a, AX_MS(10)));
    AX_END;
}
struct TMO_11_reopen { ax_frame frame; ax_timeout *a; };
AX_ASYNC(TMO_11_reopen) {
    AX_BEGIN;
    says_error("enter_again", ax_timeout_open(me, my->a, AX_MS(10)));
    AX_END;
}
struct TMO_11_b { ax_frame frame; ax_timeout *b; };
AX_ASYNC(TMO_11_b) {
    AX_BEGIN;
    ax_timeout_open(me, my->b, AX_MS(10));
    AX_TRY_ALL(ms(me, 100));
    if (me->rc < 0) says_error("expiring", ax_timeout_reschedule(my->b, AX_SEC(1)));
    AX_RETURN(me->rc);
    AX_END;
}
struct TMO_11 { ACTOR; ax_timeout a, b; };
SCENARIO(TMO_11) {
    BEGINS;
    says_error("before", ax_timeout_reschedule(&my->a, AX_SEC(1)));
    AX_AWAIT(AX_CALL(TMO_11_a, .a = &my->a));
    says_error("finished", ax_timeout_reschedule(&my->a, AX_SEC(1)));
    AX_AWAIT(AX_CALL(TMO_11_reopen, .a = &my->a));
    AX_TRY(AX_CALL(TMO_11_b, .b = &my->b));
    say_error(me->rc);
    says_error("expired", ax_timeout_reschedule(&my->b, AX_SEC(1)));
    ENDS;
}

/* an outside cancel before the deadline stays a cancel */
struct TMO_12_o { ACTOR; ax_timeout *cm; ax_time time; };
AX_ASYNC(TMO_12_o) {
    BEGINS;
    AX_AWAIT(AX_CALL(limited, .limit = my->cm, .time = my->time, .sleep = 1000));
    ENDS;
}
struct TMO_12 { ACTOR; ax_timeout cm; ax_task *o; };
SCENARIO(TMO_12) {
    BEGINS;
    my->o = GO(ROOT, "O", TMO_12_o, .cm = &my->cm, .time = AX_MS(100));
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    AX_AWAIT(ms(me, 1));
    state("expired=%s O_cancelling=%d", truth(my->cm.expired), ax_cancelling(my->o));
    ENDS;
}

/* outside cancel and expiry in one turn, expiry first: CANCELLED still wins. (x runs between the expiry and O, since its timer was
   set before O's limit.) */
static void TMO_14_x(ax_loop *loop, void *o) {
    (void)loop;
    says("x", "cancel_O(%s)", truth(ax_cancel((ax_task *)o)));
}
struct TMO_14 { ACTOR; ax_timeout cm; ax_task *o; };
SCENARIO(TMO_14) {
    BEGINS;
    my->o = GO(ROOT, "O", TMO_12_o, .cm = &my->cm, .time = AX_MS(10));
    at(10, TMO_14_x, my->o);
    AX_AWAIT(ms(me, 20));
    state("expired=%s O_cancelling=%d", truth(my->cm.expired), ax_cancelling(my->o));
    ENDS;
}

/* the body swallows the limit's cancel: no TIMEDOUT, but the scope is expired and the count is clean */
struct TMO_16_block { ax_frame frame; const char *name; ax_timeout *cm; };
AX_ASYNC(TMO_16_block) {
    AX_BEGIN;
    ax_timeout_open(me, my->cm, AX_MS(10));
    AX_TRY_ALL(ms(me, 100));
    say_error(me->rc);
    AX_AWAIT(ms(me, 5));
    say("body_end");
    AX_END;
}
struct TMO_16 { ACTOR; ax_timeout cm; };
SCENARIO(TMO_16) {
    BEGINS;
    AX_AWAIT(AX_CALL(TMO_16_block, .name = my->name, .cm = &my->cm));
    state("expired=%s cancelling=%d", truth(my->cm.expired), ax_cancelling(me));
    ENDS;
}

/* the body answers with its own error: that error comes out, the count is clean */
struct TMO_17_fails { ax_frame frame; ax_timeout *limit; };
AX_ASYNC(TMO_17_fails) {
    AX_BEGIN;
    ax_timeout_open(me, my->limit, AX_MS(10));
    AX_RETURN(E2);
    AX_END;
}
struct TMO_17 { ACTOR; ax_timeout a, b; int count; };
SCENARIO(TMO_17) {
    BEGINS;
    AX_TRY(AX_CALL(limited, .limit = &my->a, .time = AX_MS(10), .sleep = 100, .error = E1));
    say_error(me->rc);
    my->count = ax_cancelling(me);
    AX_TRY(AX_CALL(TMO_17_fails, .limit = &my->b));
    say_error(me->rc);
    state("a=%s b=%s cancelling=%d", truth(my->a.expired), truth(my->b.expired), my->count);
    ENDS;
}

/* a limit inside the cleanup of a timed-out body */
struct TMO_19_body { ax_frame frame; };
AX_ASYNC(TMO_19_body) {
    AX_BEGIN;
    AX_AWAIT(ms(me, 1000));
    AX_FINALLY:
    AX_TRY(AX_WITHIN(AX_MS(10), ms(me, 100)));
    says_error("cleanup", me->rc);
    AX_END;
}
struct TMO_19 { ACTOR; };
SCENARIO(TMO_19) {
    BEGINS;
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(TMO_19_body)));
    say_error(me->rc);
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* outside a task it is misuse: a callback has no `me`, and another's task is refused */
struct TMO_22 { ACTOR; ax_timeout limit; };
AX_DECLARE(TMO_22);
static void TMO_22_callback(ax_loop *loop, void *m) {
    struct TMO_22 *my = AX_FRAME(TMO_22, (ax_task *)m);
    (void)loop;
    says_error("cb", ax_timeout_open((ax_task *)m, &my->limit, AX_SEC(1)));
}
SCENARIO(TMO_22) {
    BEGINS;
    soon(TMO_22_callback, me);
    AX_AWAIT(ms(me, 1));
    ENDS;
}

/* two scopes in a row each have their own clock; a deadline that was fixed earlier is opened as such */
struct TMO_24 { ACTOR; ax_time when; ax_timeout a, b; };
SCENARIO(TMO_24) {
    BEGINS;
    my->when = ax_now(me->loop) + AX_MS(10);
    AX_AWAIT(ms(me, 8));
    AX_TRY(AX_CALL(limited, .limit = &my->a, .time = my->when - ax_now(me->loop), .sleep = 5));
    say_error(me->rc);
    AX_AWAIT(AX_CALL(limited, .limit = &my->b, .time = AX_MS(10), .sleep = 5));
    say("second_ok");
    ENDS;
}
