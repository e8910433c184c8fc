/* FUT: one-shot results and their callbacks. LOOP: turns, timers, stop. */

/* completing a future twice is an error (cancelling one is completing it with that status) */
struct FUT_01 { ACTOR; ax_future f; };
SCENARIO(FUT_01) {
    BEGINS;
    ax_future_complete(&my->f, 1);
    say_error(ax_future_complete(&my->f, 2));
    say_error(ax_future_complete(&my->f, E1));
    say("cancel(%s)", truth(ax_future_complete(&my->f, AX_ECANCELED) == 0));
    state("f=%s", outcome(my->f.status));
    ENDS;
}

/* completing a cancelled future is an error */
struct FUT_02 { ACTOR; ax_future f; };
SCENARIO(FUT_02) {
    BEGINS;
    say("cancel(%s)", truth(ax_future_complete(&my->f, AX_ECANCELED) == 0));
    say_error(ax_future_complete(&my->f, 1));
    AX_TRY(ax_future_wait(me, &my->f));
    say_error(me->rc);
    say("cancel(%s)", truth(ax_future_complete(&my->f, AX_ECANCELED) == 0));
    ENDS;
}

/* callbacks are queued, never called inside ax_future_complete */
struct FUT_03 { ACTOR; ax_future f; };
SCENARIO(FUT_03) {
    BEGINS;
    ax_future_on_done(me->loop, &my->f, fresh_callback(), event, "c1:called");
    ax_future_on_done(me->loop, &my->f, fresh_callback(), event, "c2:called");
    ax_future_complete(&my->f, 0);
    say("after_set");
    AX_AWAIT(ms(me, 0));
    say("resumed");
    ENDS;
}

/* a removed callback is not called */
struct FUT_04 { ACTOR; ax_future f; ax_callback c1[2], c2; };
SCENARIO(FUT_04) {
    BEGINS;
    ax_future_on_done(me->loop, &my->f, &my->c1[0], event, "c1:called");
    ax_future_on_done(me->loop, &my->f, &my->c2, event, "c2:called");
    ax_future_on_done(me->loop, &my->f, &my->c1[1], event, "c1:called");
    say("removed(%d)", ax_callback_stop(&my->c1[0]) + ax_callback_stop(&my->c1[1]));
    ax_future_complete(&my->f, 0);
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* callbacks are FIFO, and those queued by callbacks wait for the next turn */
static void LOOP_01_c1(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    says("c1", "run");
    soon(event, "c3:run");
}
struct LOOP_01 { ACTOR; };
SCENARIO(LOOP_01) {
    BEGINS;
    soon(LOOP_01_c1, NULL);
    soon(event, "c2:run");
    AX_AWAIT(ms(me, 0));
    say("run");
    ENDS;
}

/* timers fire in deadline order; equal deadlines FIFO */
struct LOOP_02 { ACTOR; };
SCENARIO(LOOP_02) {
    BEGINS;
    at(30, event, "a:fired");
    at(10, event, "b:fired");
    at(20, event, "c:fired");
    at(10, event, "d:fired");
    at(10, event, "e:fired");
    at(10, event, "f:fired");
    ENDS;
}

/* a stopped timer or callback never fires; stopping twice is harmless */
static void LOOP_03_x(ax_loop *loop, void *b) {
    (void)loop;
    says("x", "cancel_b");
    ax_timer_stop(*(ax_timer **)b);
}
struct LOOP_03 { ACTOR; ax_timer *a, *b; ax_callback *c; };
SCENARIO(LOOP_03) {
    BEGINS;
    my->a = at(10, event, "a:fired");
    at(10, LOOP_03_x, &my->b);
    my->b = at(10, event, "b:fired");
    my->c = soon(event, "c:fired");
    ax_timer_stop(my->a);
    ax_timer_stop(my->a);
    ax_callback_stop(my->c);
    AX_AWAIT(ms(me, 20));
    ENDS;
}

/* zero and negative delays run on a next turn, behind what is already ready */
struct LOOP_04 { ACTOR; };
SCENARIO(LOOP_04) {
    BEGINS;
    soon(event, "c:run");
    at(0, event, "z:fired");
    at(-5, event, "n:fired");
    AX_AWAIT(ms(me, -5));
    say("resumed1");
    AX_AWAIT(ms(me, 0));
    say("resumed2");
    ENDS;
}

/* a late loop fires overdue timers in deadline order, once each: on a clock that a callback moves, as a slow one does */
static void LOOP_06_busy(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    own_now += AX_MS(20);
}
struct LOOP_06_m { ACTOR; };
AX_ASYNC(LOOP_06_m) {
    BEGINS;
    at(40, event, "c:fired");
    at(10, event, "b:fired");
    at(5, event, "a:fired");
    soon(LOOP_06_busy, NULL);
    ENDS;
}
static void LOOP_06_play(void) {
    open_own_clock();
    GO(ROOT, "M", LOOP_06_m);
    do while (ax_run_once(&the_loop) == 1) {} /* a loop that is a guest: time goes on between its turns */
    while (ax_next_deadline(&the_loop) != AX_FOREVER && (own_now = ax_next_deadline(&the_loop), 1));
}

/* a task's value comes from its return; the timer of a sleep dies with a cancel */
struct LOOP_07 { ACTOR; ax_task *b; };
SCENARIO(LOOP_07) {
    BEGINS;
    GO(ROOT, "A", nap, .time = 50, .value = text("yeah"));
    my->b = GO(ROOT, "B", nap, .time = 50);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->b);
    AX_AWAIT(ms(me, 0));
    say("live_timers(%u)", me->loop->timer_count);
    ENDS;
}

/* stop returns after the current turn; the loop can be run again */
static void LOOP_09_c1(ax_loop *loop, void *arg) {
    (void)arg;
    says("c1", "run");
    ax_loop_stop(loop);
    soon(event, "c3:run");
}
static void LOOP_09_play(void) {
    soon(LOOP_09_c1, NULL);
    soon(event, "c2:run");
    ax_loop_run(&the_loop);
    says("main", "returned");
    soon(stop_loop, NULL);
    ax_loop_run(&the_loop);
    says("main", "returned");
    ax_loop_close(&the_loop);
    says_error("main", ax_soon(&the_loop, fresh_callback(), event, "c4:run"));
}
