/* GATH, WAIT, ASC, SHLD: several tasks at once. The combinators are in conformance.h: loops over ax_group_next. */

/* gather: results come in argument order */
struct GATH_01 { ACTOR; ax_task *t[4]; };
SCENARIO(GATH_01) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = 1);
    my->t[1] = GO(ROOT, "B", nap, .time = 10, .value = 2);
    my->t[2] = GO(ROOT, "C", nap, .time = 20, .value = 3);
    AX_AWAIT(AX_CALL(gather, .tasks = my->t));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* the first error is delivered at once; siblings keep running */
struct GATH_02 { ACTOR; ax_task *t[3]; };
SCENARIO(GATH_02) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10, .value = E1);
    my->t[1] = GO(ROOT, "B", nap, .time = 30, .value = 2);
    AX_TRY(AX_CALL(gather, .tasks = my->t));
    say_error(me->rc);
    say("goes_on");
    ENDS;
}

/* of two errors the first to happen wins, the second is swallowed quietly */
struct GATH_03 { ACTOR; ax_task *t[3]; };
SCENARIO(GATH_03) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 20, .value = E1);
    my->t[1] = GO(ROOT, "B", nap, .time = 10, .value = E2);
    AX_TRY(AX_CALL(gather, .tasks = my->t));
    say_error(me->rc);
    AX_AWAIT(ms(me, 30));
    ENDS;
}

/* all (asyncio's return_exceptions): errors are values */
struct GATH_04 { ACTOR; ax_task *t[4]; };
SCENARIO(GATH_04) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10, .value = 1);
    my->t[1] = GO(ROOT, "B", nap, .time = 5, .value = E1);
    my->t[2] = GO(ROOT, "C", nap, .time = 20, .value = E2);
    AX_AWAIT(AX_CALL(gather, .tasks = my->t, .all = 1));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* a cancelled child counts as an error, the gather itself is not cancelled */
struct GATH_05 { ACTOR; ax_task *t[4]; };
SCENARIO(GATH_05) {
    BEGINS;
    my->t[1] = GO(ROOT, "B", nap, .time = 30, .value = 2);
    at(10, cancel_it, my->t[1]);
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = 1);
    my->t[2] = GO(ROOT, "C", nap, .time = 30, .value = 3);
    AX_TRY(AX_CALL(gather, .tasks = my->t));
    say_error(me->rc);
    state("M_cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* all: a cancelled child is a CANCELLED value */
struct GATH_06 { ACTOR; ax_task *t[3]; };
SCENARIO(GATH_06) {
    BEGINS;
    my->t[1] = GO(ROOT, "B", nap, .time = 30, .value = 2);
    at(10, cancel_it, my->t[1]);
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = 1);
    AX_AWAIT(AX_CALL(gather, .tasks = my->t, .all = 1));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* cancelling the waiter cancels every child */
struct gatherer { ACTOR; ax_task *const *tasks; int all; };
AX_ASYNC(gatherer) {
    BEGINS;
    AX_AWAIT(AX_CALL(gather, .tasks = my->tasks, .all = my->all));
    say("got(%s)", word(me->rc));
    ENDS;
}
struct GATH_07 { ACTOR; ax_task *t[3], *o; };
SCENARIO(GATH_07) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 100);
    my->t[1] = GO(ROOT, "B", nap, .time = 100);
    my->o = GO(ROOT, "O", gatherer, .tasks = my->t);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    AX_AWAIT(ms(me, 1));
    state("A=%d B=%d", ax_cancelling(my->t[0]), ax_cancelling(my->t[1]));
    ENDS;
}

/* a cancelled gather of all waits for every child and is still cancelled */
struct GATH_09 { ACTOR; ax_task *t[3], *o; };
SCENARIO(GATH_09) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = -1, .cleanup = 10);
    my->t[1] = GO(ROOT, "B", nap, .time = -1, .cleanup = 30);
    my->o = GO(ROOT, "O", gatherer, .tasks = my->t, .all = 1);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->o);
    ENDS;
}

/* an empty gather gives an empty list at once */
struct GATH_11 { ACTOR; ax_task *t[1]; };
SCENARIO(GATH_11) {
    BEGINS;
    GO(ROOT, "B", ran);
    AX_AWAIT(AX_CALL(gather, .tasks = my->t));
    say("got(%s)", word(me->rc));
    say("before_yield");
    ENDS;
}

/* the same task twice is one child with two slots */
struct GATH_12 { ACTOR; ax_task *t[4]; };
SCENARIO(GATH_12) {
    BEGINS;
    my->t[0] = my->t[2] = GO(ROOT, "A", nap, .time = 10, .value = 7);
    my->t[1] = GO(ROOT, "B", nap, .time = 5, .value = 8);
    AX_AWAIT(AX_CALL(gather, .tasks = my->t));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* nested gathers: cancel reaches the leaves, an error crosses one level at a time (an inner gather is a task) */
struct GATH_14 { ACTOR; ax_task *inner[3], *t[3], *o; };
SCENARIO(GATH_14) {
    BEGINS;
    my->t[0] = GO(ROOT, "X", nap, .time = 100);
    my->inner[0] = GO(ROOT, "A", nap, .time = 100);
    my->inner[1] = GO(ROOT, "B", nap, .time = 100);
    my->t[1] = ax_task_ref(AX_SPAWN(ROOT, gather, .tasks = my->inner));
    my->o = GO(ROOT, "O", gatherer, .tasks = my->t);
    at(10, cancel_it, my->o);
    AX_AWAIT(ms(me, 20));
    ax_task_unref(my->t[1]);
    my->t[0] = GO(ROOT, "C", nap, .time = 30, .value = 1);
    my->inner[0] = GO(ROOT, "D", nap, .time = 10, .value = E1);
    my->inner[1] = GO(ROOT, "E", nap, .time = 30, .value = 2);
    my->t[1] = ax_task_ref(AX_SPAWN(ROOT, gather, .tasks = my->inner));
    AX_TRY(AX_CALL(gather, .tasks = my->t));
    say_error(me->rc);
    ax_task_unref(my->t[1]);
    ENDS;
}

/* children start in argument order; done ones are accepted */
struct GATH_15_w { ACTOR; int value; };
AX_ASYNC(GATH_15_w) {
    BEGINS;
    say("start");
    AX_RETURN(my->value);
    ENDS;
}
struct GATH_15 { ACTOR; ax_task *t[4]; };
SCENARIO(GATH_15) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", GATH_15_w, .value = 1);
    AX_AWAIT(ms(me, 0));
    my->t[1] = ax_task_ref(AX_SPAWN(ROOT, GATH_15_w, .name = "B", .value = 2));
    my->t[2] = ax_task_ref(AX_SPAWN(ROOT, GATH_15_w, .name = "C", .value = 3));
    AX_AWAIT(AX_CALL(gather, .tasks = my->t));
    say("got(%s)", word(me->rc));
    ax_task_unref(my->t[1]);
    ax_task_unref(my->t[2]);
    ENDS;
}

/* wait: returns when the last one has ended, errors do not raise */
#define SAY_SETS say("done(%s)", names(my->t, 1)); say("pending(%s)", names(my->t, 0))
struct WAIT_01 { ACTOR; ax_task *t[3]; };
SCENARIO(WAIT_01) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10, .value = 1);
    my->t[1] = GO(ROOT, "B", nap, .time = 20, .value = E1);
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t));
    SAY_SETS;
    ENDS;
}

/* FIRST_COMPLETED */
struct WAIT_02 { ACTOR; ax_task *t[3]; };
SCENARIO(WAIT_02) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 30);
    my->t[1] = GO(ROOT, "B", nap, .time = 10);
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t, .when = FIRST_COMPLETED));
    SAY_SETS;
    ENDS;
}

/* FIRST_EXCEPTION returns at the first error */
struct WAIT_03 { ACTOR; ax_task *t[4]; };
SCENARIO(WAIT_03) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 5);
    my->t[1] = GO(ROOT, "B", nap, .time = 10, .value = E1);
    my->t[2] = GO(ROOT, "C", nap, .time = 30);
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t, .when = FIRST_EXCEPTION));
    SAY_SETS;
    ENDS;
}

/* FIRST_EXCEPTION without errors acts as ALL_COMPLETED */
struct WAIT_05 { ACTOR; ax_task *t[3]; };
SCENARIO(WAIT_05) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10);
    my->t[1] = GO(ROOT, "B", nap, .time = 20);
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t, .when = FIRST_EXCEPTION));
    SAY_SETS;
    ENDS;
}

/* with a limit: what there is when it expires; nothing is cancelled */
struct WAIT_06 { ACTOR; ax_task *t[3]; };
SCENARIO(WAIT_06) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10);
    my->t[1] = GO(ROOT, "B", nap, .time = 50);
    AX_TRY(AX_WITHIN(AX_MS(20), AX_CALL(wait_tasks, .tasks = my->t)));
    SAY_SETS;
    ENDS;
}

/* cancelling the waiter leaves the tasks alone */
struct WAIT_08_o { ACTOR; ax_task *const *tasks; };
AX_ASYNC(WAIT_08_o) {
    BEGINS;
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->tasks));
    ENDS;
}
struct WAIT_08 { ACTOR; ax_task *t[2], *o; };
SCENARIO(WAIT_08) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = 1);
    my->o = GO(ROOT, "O", WAIT_08_o, .tasks = my->t);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}

/* an empty set and an unknown mode are invalid */
struct WAIT_09 { ACTOR; ax_task *t[2]; };
SCENARIO(WAIT_09) {
    BEGINS;
    AX_TRY(AX_CALL(wait_tasks, .tasks = my->t));
    say_error(me->rc);
    my->t[0] = GO(ROOT, "A", nap, .time = 5);
    AX_TRY(AX_CALL(wait_tasks, .tasks = my->t, .when = 17));
    say_error(me->rc);
    ENDS;
}

/* a limit of zero polls */
struct WAIT_10 { ACTOR; ax_task *t[3]; };
SCENARIO(WAIT_10) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .value = 1);
    my->t[1] = GO(ROOT, "B", nap, .time = 50);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(ms(me, 0));
    AX_TRY(AX_WITHIN(0, AX_CALL(wait_tasks, .tasks = my->t)));
    SAY_SETS;
    ENDS;
}

/* duplicates count once; waiting again on done tasks takes no time */
struct WAIT_12 { ACTOR; ax_task *t[4]; };
SCENARIO(WAIT_12) {
    BEGINS;
    my->t[0] = my->t[1] = GO(ROOT, "A", nap, .time = 10);
    my->t[2] = GO(ROOT, "B", nap, .time = 20);
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t));
    say("done(%s)", names(my->t, 1));
    AX_AWAIT(AX_CALL(wait_tasks, .tasks = my->t));
    say("done(%s)", names(my->t, 1));
    ENDS;
}

/* as_completed: a loop over ax_group_next */
struct ASC_01 { ACTOR; ax_task *t[4]; ax_group joiners; ax_task *child; };
SCENARIO(ASC_01) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = text("a"));
    my->t[1] = GO(ROOT, "B", nap, .time = 10, .value = text("b"));
    my->t[2] = GO(ROOT, "C", nap, .time = 20, .value = text("c"));
    open_joiners(me, &my->joiners, my->t);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) say("got(%s)", word(ax_task_status(my->child)));
    ENDS;
}

/* an error belongs to its own item only */
struct ASC_02 { ACTOR; ax_task *t[3]; ax_group joiners; ax_task *child; };
SCENARIO(ASC_02) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 30, .value = text("a"));
    my->t[1] = GO(ROOT, "B", nap, .time = 10, .value = E1);
    open_joiners(me, &my->joiners, my->t);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) {
        int status = ax_task_status(my->child);
        say(status < 0 ? "caught(%s)" : "got(%s)", word(status));
    }
    ENDS;
}

/* with a deadline: finished items first, then TIMEDOUT for each missing one; the tasks live on */
struct ASC_03 { ACTOR; ax_task *t[4]; ax_group joiners; ax_task *child; int i; };
SCENARIO(ASC_03) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 10, .value = text("a"));
    my->t[1] = GO(ROOT, "B", nap, .time = 30, .value = text("b"));
    my->t[2] = GO(ROOT, "C", nap, .time = 40, .value = text("c"));
    open_joiners(me, &my->joiners, my->t);
    for (; my->i < 3; my->i++) {
        AX_TRY(AX_WITHIN(AX_MS(20) - ax_now(me->loop), ax_group_next(me, &my->joiners, &my->child)));
        if (me->rc < 0) say_error(me->rc);
        else say("got(%s)", word(ax_task_status(my->child)));
    }
    ENDS;
}

/* a consumer that is cancelled or stops early leaves the tasks alone */
struct ASC_05_o { ACTOR; ax_task *const *tasks; ax_group joiners; ax_task *child; };
AX_ASYNC(ASC_05_o) {
    BEGINS;
    open_joiners(me, &my->joiners, my->tasks);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) say("got(%s)", word(ax_task_status(my->child)));
    ENDS;
}
struct ASC_05 { ACTOR; ax_task *ab[3], *cd[3], *o; ax_group joiners; ax_task *child; };
SCENARIO(ASC_05) {
    BEGINS;
    my->ab[0] = GO(ROOT, "A", nap, .time = 10, .value = text("a"));
    my->ab[1] = GO(ROOT, "B", nap, .time = 30, .value = text("b"));
    my->cd[0] = GO(ROOT, "C", nap, .time = 10, .value = text("c"));
    my->cd[1] = GO(ROOT, "D", nap, .time = 30, .value = text("d"));
    my->o = GO(ROOT, "O", ASC_05_o, .tasks = my->ab);
    at(20, cancel_it, my->o);
    open_joiners(me, &my->joiners, my->cd);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) {
        say("got(%s)", word(ax_task_status(my->child)));
        break;
    }
    ENDS;
}

/* already finished tasks come first; duplicates count once */
struct ASC_06 { ACTOR; ax_task *t[4]; ax_group joiners; ax_task *child; };
SCENARIO(ASC_06) {
    BEGINS;
    my->t[1] = my->t[2] = GO(ROOT, "A", value, .value = text("a"));
    AX_AWAIT(ms(me, 0));
    my->t[0] = GO(ROOT, "B", nap, .time = 10, .value = text("b"));
    open_joiners(me, &my->joiners, my->t);
    AX_WHILE(ax_group_next(me, &my->joiners, &my->child)) say("got(%s)", word(ax_task_status(my->child)));
    say("end");
    ENDS;
}

/* shield is ax_join: the waiter is cancelled, the inner task is not */
struct SHLD_o { ACTOR; ax_task *i; };
AX_ASYNC(SHLD_o) {
    BEGINS;
    AX_AWAIT(ax_join(me, my->i));
    ENDS;
}
struct SHLD_01 { ACTOR; ax_task *i, *o; };
SCENARIO(SHLD_01) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = 30, .value = 1);
    my->o = GO(ROOT, "O", SHLD_o, .i = my->i);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    AX_AWAIT(ms(me, 30));
    state("I_cancelling=%d", ax_cancelling(my->i));
    ENDS;
}

/* value and error pass through */
struct SHLD_02 { ACTOR; ax_task *a, *b, *c; };
SCENARIO(SHLD_02) {
    BEGINS;
    my->c = GO(ROOT, "C", value, .value = 3);
    my->a = GO(ROOT, "A", nap, .time = 10, .value = 1);
    my->b = GO(ROOT, "B", nap, .time = 20, .value = E1);
    AX_AWAIT(ax_join(me, my->a));
    say("got(%s)", word(me->rc));
    AX_TRY(ax_join(me, my->b));
    say_error(me->rc);
    AX_AWAIT(ax_join(me, my->c));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* cancelling the inner task ends the waiter's await with that error, without a request of its own */
struct SHLD_03 { ACTOR; ax_task *i, *o; };
SCENARIO(SHLD_03) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = 30);
    my->o = GO(ROOT, "O", SHLD_o, .i = my->i);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->i);
    AX_AWAIT(ms(me, 1));
    state("O_cancelling=%d", ax_cancelling(my->o));
    ENDS;
}

/* shield of a gather: the gather (a task, that says nothing) and its children go on */
struct SHLD_05 { ACTOR; ax_task *t[3], *g, *o; };
SCENARIO(SHLD_05) {
    BEGINS;
    my->t[0] = GO(ROOT, "A", nap, .time = 20, .value = 1);
    my->t[1] = GO(ROOT, "B", nap, .time = 30, .value = 2);
    my->g = cast("G", ROOT, AX_SPAWN(ROOT, gather, .tasks = my->t));
    my->o = GO(ROOT, "O", SHLD_o, .i = my->g);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}

/* a cancelled waiter may wait for the task again */
struct SHLD_07_o { ACTOR; ax_task *i; };
AX_ASYNC(SHLD_07_o) {
    BEGINS;
    AX_TRY_ALL(ax_join(me, my->i));
    if (me->rc == AX_ECANCELED) {
        say("cancel_seen");
        AX_AWAIT(ax_join(me, my->i));
        say("drained(%s)", word(me->rc));
        AX_RETURN(AX_ECANCELED);
    }
    ENDS;
}
struct SHLD_07 { ACTOR; ax_task *i, *o; };
SCENARIO(SHLD_07) {
    BEGINS;
    my->i = GO(ROOT, "I", nap, .time = 30, .value = 1);
    my->o = GO(ROOT, "O", SHLD_07_o, .i = my->i);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->o);
    ENDS;
}
