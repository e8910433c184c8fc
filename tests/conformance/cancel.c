/* CAN: requests to cancel, where they are met, how a body unwinds. */

/* cancel interrupts a sleep at the time of the cancel */
struct CAN_01 { ACTOR; ax_task *a; };
SCENARIO(CAN_01) {
    BEGINS;
    my->a = GO(ROOT, "A", nap, .time = 1000);
    AX_AWAIT(ms(me, 10));
    say("cancel(%s)", truth(ax_cancel(my->a)));
    say("done_yet(%s)", truth(ax_task_status(my->a) != AX_EINPROGRESS));
    AX_TRY(ax_join(me, my->a));
    say_error(me->rc);
    say("own_requests(%d)", ax_cancelling(me));
    ENDS;
}

/* cancel before the first step: the body never runs */
struct CAN_02 { ACTOR; ax_task *a; };
SCENARIO(CAN_02) {
    BEGINS;
    my->a = GO(ROOT, "A", ran);
    say("cancel(%s)", truth(ax_cancel(my->a)));
    AX_AWAIT(ms(me, 0));
    say("status(%s)", outcome(ax_task_status(my->a)));
    ENDS;
}

/* cancel of a finished task is refused and changes nothing */
struct CAN_03 { ACTOR; ax_task *t[3]; int i; };
SCENARIO(CAN_03) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", value, .value = 3);
    my->t[1] = GO(ROOT, "B", value, .value = E1);
    my->t[2] = GO(ROOT, "C", nap, .time = 100);
    AX_AWAIT(ms(me, 0));
    ax_cancel(my->t[2]);
    AX_AWAIT(ms(me, 5));
    for (my->i = 0; my->i < 3; my->i++) say("cancel(%s)", truth(ax_cancel(my->t[my->i])));
    state("cancelling_A=%d", ax_cancelling(my->t[0]));
    ENDS;
}

/* self-cancel takes effect at the next suspension */
struct CAN_04_a { ACTOR; };
AX_ASYNC(CAN_04_a) {
    BEGINS;
    AX_AWAIT(ms(me, 5));
    ax_cancel(me);
    say("still_running");
    AX_AWAIT(ms(me, 100));
    say("never");
    ENDS;
}
struct CAN_04 { ACTOR; };
SCENARIO(CAN_04) {
    BEGINS;
    GO(ROOT, "A", CAN_04_a);
    ENDS;
}

/* self-cancel then return: a body that returned has returned */
struct CAN_05_a { ACTOR; };
AX_ASYNC(CAN_05_a) {
    BEGINS;
    ax_cancel(me);
    AX_RETURN(12);
    ENDS;
}
struct CAN_05 { ACTOR; ax_task *a; };
SCENARIO(CAN_05) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_05_a);
    AX_TRY(ax_join(me, my->a));
    say_error(me->rc);
    ENDS;
}

/* edge-triggered: a swallowed cancel is not delivered again */
struct CAN_06_a { ACTOR; int value; };
AX_ASYNC(CAN_06_a) {
    BEGINS;
    AX_TRY_ALL(ms(me, 100));
    say_error(me->rc);
    AX_AWAIT(ms(me, 20));
    AX_RETURN(my->value);
    ENDS;
}
struct CAN_06 { ACTOR; ax_task *a; };
SCENARIO(CAN_06) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_06_a, .value = 42);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 30));
    state("cancelling=%d", ax_cancelling(my->a));
    ENDS;
}

/* cleanup code may await */
struct CAN_07_a { ACTOR; };
AX_ASYNC(CAN_07_a) {
    BEGINS;
    AX_AWAIT(ms(me, 1000));
    AX_FINALLY:
    say("cleanup");
    AX_AWAIT(ms(me, 20));
    if (me->rc == 0) say("cleaned");
    LAST_WORD;
    AX_END;
}
struct CAN_07 { ACTOR; ax_task *a; };
SCENARIO(CAN_07) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_07_a);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->a);
    AX_TRY(ax_join(me, my->a));
    say_error(me->rc);
    ENDS;
}

/* a second cancel interrupts the cleanup */
struct CAN_08 { ACTOR; ax_task *a; };
SCENARIO(CAN_08) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_07_a);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 1));
    state("cancelling=%d", ax_cancelling(my->a));
    ENDS;
}

/* a result that is on its way when the cancel comes is delivered */
struct CAN_09_a { ACTOR; ax_future *f; };
AX_ASYNC(CAN_09_a) {
    BEGINS;
    AX_AWAIT(ax_future_wait(me, my->f));
    say("got(%s)", word(me->rc));
    ENDS;
}
struct CAN_09 { ACTOR; ax_future f; ax_task *a; };
SCENARIO(CAN_09) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_09_a, .f = &my->f);
    AX_AWAIT(ms(me, 0));
    ax_future_complete(&my->f, 1);
    say("cancel(%s)", truth(ax_cancel(my->a)));
    AX_AWAIT(ms(me, 1));
    state("f=%s", outcome(my->f.status));
    ENDS;
}

/* cancel counts: two requests, one delivery; uncancel floors at zero */
struct CAN_11 { ACTOR; ax_task *a; int i; };
SCENARIO(CAN_11) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_06_a);
    AX_AWAIT(ms(me, 10));
    say("cancel(%s)", truth(ax_cancel(my->a)));
    say("cancel(%s)", truth(ax_cancel(my->a)));
    say("count(%d)", ax_cancelling(my->a));
    AX_AWAIT(ms(me, 5));
    for (; my->i < 3; my->i++) say("uncancel(%d)", ax_uncancel(my->a));
    ENDS;
}

/* a task awaiting another passes the cancel inward; inner unwinds first */
struct CAN_inner { ACTOR; int cleanup, quiet; };
AX_ASYNC(CAN_inner) {
    BEGINS;
    AX_AWAIT(forever(me));
    AX_FINALLY:
    if (my->cleanup) AX_AWAIT(ms(me, my->cleanup));
    if (!my->quiet) say("unwind");
    LAST_WORD;
    AX_END;
}
struct CAN_outer { ACTOR; int cleanup, quiet; ax_task *i; };
AX_ASYNC(CAN_outer) {
    BEGINS;
    my->i = GO(ROOT, "I", CAN_inner, .cleanup = my->cleanup, .quiet = my->quiet);
    AX_AWAIT(AX_CALL(await_task, .task = my->i));
    AX_FINALLY:
    say("unwind");
    LAST_WORD;
    AX_END;
}
struct CAN_12 { ACTOR; ax_task *o; };
SCENARIO(CAN_12) {
    BEGINS;
    my->o = GO(ROOT, "O", CAN_outer);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}

/* inner answers the cancel with its own error: outer gets that error */
struct CAN_14_o { ACTOR; ax_task *i; };
AX_ASYNC(CAN_14_o) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = -1, .cleanup_error = E1);
    AX_AWAIT(AX_CALL(await_task, .task = my->i));
    ENDS;
}
struct CAN_14 { ACTOR; ax_task *o; };
SCENARIO(CAN_14) {
    BEGINS;
    my->o = GO(ROOT, "O", CAN_14_o);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}

/* a slow inner cleanup delays the outer's cancellation */
struct CAN_15 { ACTOR; ax_task *o; };
SCENARIO(CAN_15) {
    BEGINS;
    my->o = GO(ROOT, "O", CAN_outer, .cleanup = 30, .quiet = 1);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}

/* cancelling the awaited task ends the waiter with that error unless it catches it; no request of its own */
struct CAN_16_w { ACTOR; ax_task *t; int catches; };
AX_ASYNC(CAN_16_w) {
    BEGINS;
    if (!my->catches) {
        AX_AWAIT(ax_join(me, my->t));
    } else {
        AX_TRY(ax_join(me, my->t));
        say_error(me->rc);
    }
    ENDS;
}
struct CAN_16 { ACTOR; ax_task *t, *a, *b; };
SCENARIO(CAN_16) {
    BEGINS;
    my->t = GO(ROOT, "T", nap, .time = -1);
    my->a = GO(ROOT, "A", CAN_16_w, .t = my->t);
    my->b = GO(ROOT, "B", CAN_16_w, .t = my->t, .catches = 1);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->t);
    AX_AWAIT(ms(me, 1));
    state("A=%d B=%d", ax_cancelling(my->a), ax_cancelling(my->b));
    ENDS;
}

/* returning the cancelled status by hand ends the task cancelled */
struct CAN_18 { ACTOR; ax_task *a; };
SCENARIO(CAN_18) {
    BEGINS;
    my->a = GO(ROOT, "A", nap, .time = 5, .value = AX_ECANCELED);
    AX_AWAIT(ms(me, 10));
    state("cancelling=%d", ax_cancelling(my->a));
    ENDS;
}

/* cancel in a busy yield loop: a sleep of zero is complete the moment it is queued */
struct CAN_20_a { ACTOR; int i; };
AX_ASYNC(CAN_20_a) {
    BEGINS;
    for (;; my->i++) {
        say("turn%d", my->i);
        AX_AWAIT(ms(me, 0));
    }
    ENDS;
}
struct CAN_20 { ACTOR; ax_task *a; };
SCENARIO(CAN_20) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_20_a);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(ms(me, 0));
    ax_cancel(my->a);
    say("cancelled_A");
    ENDS;
}

/* completing a plain future with the cancelled status ends the task that waits on it */
struct CAN_21_w { ACTOR; ax_future *f; };
AX_ASYNC(CAN_21_w) {
    BEGINS;
    AX_TRY_ALL(ax_future_wait(me, my->f));
    if (me->rc == AX_ECANCELED) say("hit");
    AX_RETURN(me->rc);
    ENDS;
}
struct CAN_21 { ACTOR; ax_future f, g; ax_task *a, *b; };
SCENARIO(CAN_21) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_21_w, .f = &my->f);
    my->b = GO(ROOT, "B", CAN_21_w, .f = &my->g);
    AX_AWAIT(ms(me, 0));
    ax_future_complete(&my->f, AX_ECANCELED);
    ax_future_complete(&my->g, AX_ECANCELED);
    ax_cancel(my->b);
    AX_AWAIT(ms(me, 1));
    state("A=%d B=%d", ax_cancelling(my->a), ax_cancelling(my->b));
    ENDS;
}

/* unwinding order is innermost first, each block may await */
struct CAN_22_inner { ax_frame frame; const char *name; };
AX_ASYNC(CAN_22_inner) {
    AX_BEGIN;
    AX_AWAIT(forever(me));
    AX_FINALLY:
    AX_AWAIT(ms(me, 5));
    say("inner");
    AX_END;
}
struct CAN_22_middle { ax_frame frame; const char *name; };
AX_ASYNC(CAN_22_middle) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(CAN_22_inner, .name = my->name));
    AX_FINALLY:
    AX_AWAIT(ms(me, 5));
    say("middle");
    AX_END;
}
struct CAN_22_a { ACTOR; };
AX_ASYNC(CAN_22_a) {
    BEGINS;
    AX_AWAIT(AX_CALL(CAN_22_middle, .name = my->name));
    AX_FINALLY:
    AX_AWAIT(ms(me, 5));
    say("outer");
    LAST_WORD;
    AX_END;
}
struct CAN_22 { ACTOR; ax_task *a; };
SCENARIO(CAN_22) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_22_a);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->a);
    ENDS;
}

/* two cancels at different times can both be swallowed; a third ends the task */
struct CAN_23_a { ACTOR; int i; };
AX_ASYNC(CAN_23_a) {
    BEGINS;
    for (; my->i < 2; my->i++) {
        AX_TRY_ALL(ms(me, 1000));
        if (me->rc == AX_ECANCELED) say("swallow%d", my->i);
    }
    AX_AWAIT(ms(me, 1000));
    ENDS;
}
struct CAN_23 { ACTOR; ax_task *a; int i; };
SCENARIO(CAN_23) {
    BEGINS;
    my->a = GO(ROOT, "A", CAN_23_a);
    for (; my->i < 3; my->i++) {
        AX_AWAIT(ms(me, 10));
        ax_cancel(my->a);
    }
    ENDS;
}

/* an error returned while handling the cancel replaces it */
struct CAN_24 { ACTOR; ax_task *a; };
SCENARIO(CAN_24) {
    BEGINS;
    my->a = GO(ROOT, "A", nap, .time = -1, .cleanup_error = E1);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->a);
    AX_TRY(ax_join(me, my->a));
    say_error(me->rc);
    ENDS;
}
