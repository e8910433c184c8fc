/* TASK: spawning, awaiting, one loop's turns. */

/* spawn is lazy and FIFO */
struct TASK_01_w { ACTOR; };
AX_ASYNC(TASK_01_w) {
    BEGINS;
    say("start");
    AX_AWAIT(ms(me, 0));
    say("second");
    ENDS;
}
struct TASK_01 { ACTOR; };
SCENARIO(TASK_01) {
    BEGINS;
    GO(ROOT, "A", TASK_01_w);
    GO(ROOT, "B", TASK_01_w);
    GO(ROOT, "C", TASK_01_w);
    say("spawned");
    AX_AWAIT(ms(me, 0));
    say("resumed");
    ENDS;
}

/* awaiting a finished task does not suspend */
struct value { ACTOR; int value; };
AX_ASYNC(value) {
    BEGINS;
    AX_RETURN(my->value);
    ENDS;
}
struct TASK_02 { ACTOR; ax_task *a; int i; };
SCENARIO(TASK_02) {
    BEGINS;
    my->a = GO(ROOT, "A", value, .value = 7);
    AX_AWAIT(ms(me, 0));
    GO(ROOT, "B", ran);
    for (; my->i < 3; my->i++) {
        AX_AWAIT(ax_join(me, my->a));
        say("got(%s)", word(me->rc));
    }
    say("before_yield");
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* result and error are kept and re-delivered */
struct TASK_03 { ACTOR; ax_task *a, *b; int i; };
SCENARIO(TASK_03) {
    BEGINS;
    my->a = GO(ROOT, "A", nap, .time = 10, .value = 42);
    my->b = GO(ROOT, "B", nap, .time = 20, .value = E1);
    for (my->i = 0; my->i < 2; my->i++) {
        AX_AWAIT(ax_join(me, my->a));
        say("got(%s)", word(me->rc));
    }
    for (my->i = 0; my->i < 2; my->i++) {
        AX_TRY(ax_join(me, my->b));
        say_error(me->rc);
    }
    ENDS;
}

/* sleep(0) is one turn of round-robin */
struct TASK_04_w { ACTOR; int i; };
AX_ASYNC(TASK_04_w) {
    BEGINS;
    for (; my->i < 3; my->i++) {
        say("step%d", my->i);
        AX_AWAIT(ms(me, 0));
    }
    ENDS;
}
struct TASK_04 { ACTOR; };
SCENARIO(TASK_04) {
    BEGINS;
    GO(ROOT, "A", TASK_04_w);
    GO(ROOT, "B", TASK_04_w);
    GO(ROOT, "C", TASK_04_w);
    ENDS;
}

/* a task that awaits itself gets an error */
struct TASK_06_a { ACTOR; };
AX_ASYNC(TASK_06_a) {
    BEGINS;
    AX_TRY(ax_join(me, me));
    say_error(me->rc);
    say("went_on");
    ENDS;
}
struct TASK_06 { ACTOR; };
SCENARIO(TASK_06) {
    BEGINS;
    GO(ROOT, "A", TASK_06_a);
    ENDS;
}

/* an unawaited task's error does not disturb others (in a collecting group, as the loop's root is) */
struct TASK_07 { ACTOR; };
SCENARIO(TASK_07) {
    BEGINS;
    GO(ROOT, "A", nap, .time = 10, .value = E1);
    GO(ROOT, "B", nap, .time = 20);
    AX_AWAIT(ms(me, 15));
    say("alive");
    ENDS;
}

/* the root group's list holds unfinished tasks only, with the current one */
static const char *all_tasks(ax_loop *loop) { /* names, sorted */
    static char s[64];
    char c;
    axi_link *link = loop->root.children.ring;
    strcpy(s, "[");
    for (c = 'A'; c <= 'Z'; c++)
        do {
            if (link && *name_of(AXI_TASK_OF(sibling, link)) == c) snprintf(s + strlen(s), 8, "%c,", c);
            if (link) link = link->next;
        } while (link != loop->root.children.ring);
    return list_close(s);
}
struct TASK_08 { ACTOR; ax_task *d; };
SCENARIO(TASK_08) {
    BEGINS;
    GO(ROOT, "A", value);
    GO(ROOT, "B", nap, .time = 50);
    my->d = GO(ROOT, "D", nap, .time = 50);
    AX_AWAIT(ms(me, 0));
    GO(ROOT, "C", nap, .time = 50);
    ax_cancel(my->d);
    say("all(%s)", all_tasks(me->loop));
    say("current(%s)", name_of(me));
    AX_AWAIT(ms(me, 60));
    say("all(%s)", all_tasks(me->loop));
    ENDS;
}

/* reading the result too early is misuse; there is no call that could set it from outside */
struct TASK_09 { ACTOR; ax_task *a; };
SCENARIO(TASK_09) {
    BEGINS;
    my->a = GO(ROOT, "A", nap, .time = 10, .value = 5);
    AX_AWAIT(ms(me, 0));
    say_error(ax_task_status(my->a));
    say_error(ax_task_status(my->a));
    ENDS;
}

/* done callbacks run once, in order, after the task's last step */
struct TASK_10_a { ACTOR; };
AX_ASYNC(TASK_10_a) {
    BEGINS;
    AX_AWAIT(ms(me, 10));
    say("last_step");
    AX_RETURN(1);
    ENDS;
}
struct TASK_10 { ACTOR; ax_task *a; };
SCENARIO(TASK_10) {
    BEGINS;
    my->a = GO(ROOT, "A", TASK_10_a);
    ax_on_done(my->a, fresh_callback(), event, "c1:called");
    ax_on_done(my->a, fresh_callback(), event, "c2:called");
    AX_AWAIT(ms(me, 20));
    ax_on_done(my->a, fresh_callback(), event, "c3:called");
    say("registered_c3");
    AX_AWAIT(ms(me, 0));
    say("after_turn");
    ENDS;
}

/* nested plain awaits do not yield to the loop */
struct TASK_11_inner { ax_frame frame; };
AX_ASYNC(TASK_11_inner) {
    AX_BEGIN;
    AX_RETURN(42);
    AX_END;
}
struct TASK_11_middle { ax_frame frame; };
AX_ASYNC(TASK_11_middle) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(TASK_11_inner));
    AX_RETURN(1000 + me->rc);
    AX_END;
}
struct TASK_11_outer { ax_frame frame; };
AX_ASYNC(TASK_11_outer) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(TASK_11_middle));
    AX_RETURN(me->rc);
    AX_END;
}
struct TASK_11 { ACTOR; };
SCENARIO(TASK_11) {
    BEGINS;
    GO(ROOT, "B", ran);
    AX_AWAIT(AX_CALL(TASK_11_outer));
    say("sum(%s)", word(me->rc));
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* the current task is `me`, and it is the same at each step; a callback has none */
struct TASK_13 { ACTOR; ax_future f1, f2; };
static void TASK_13_callback(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    says("cb", "cur(none)");
}
struct TASK_13_a { ACTOR; struct TASK_13 *m; };
AX_ASYNC(TASK_13_a) {
    BEGINS;
    say("cur(%s)", name_of(me));
    AX_AWAIT(ax_future_wait(me, &my->m->f1));
    say("cur(%s)", name_of(me));
    ax_future_complete(&my->m->f2, 0);
    ENDS;
}
struct TASK_13_b { ACTOR; struct TASK_13 *m; };
AX_ASYNC(TASK_13_b) {
    BEGINS;
    say("cur(%s)", name_of(me));
    soon(TASK_13_callback, NULL);
    ax_future_complete(&my->m->f1, 0);
    AX_AWAIT(ax_future_wait(me, &my->m->f2));
    say("cur(%s)", name_of(me));
    ENDS;
}
SCENARIO(TASK_13) {
    BEGINS;
    GO(ROOT, "A", TASK_13_a, .m = my);
    GO(ROOT, "B", TASK_13_b, .m = my);
    ENDS;
}

/* a task spawned (in another's group) by a task that then ends keeps running */
struct TASK_15_a { ACTOR; };
AX_ASYNC(TASK_15_a) {
    BEGINS;
    GO(ROOT, "B", nap, .time = 20);
    ENDS;
}
struct TASK_15 { ACTOR; };
SCENARIO(TASK_15) {
    BEGINS;
    GO(ROOT, "A", TASK_15_a);
    ENDS;
}

/* tasks due at the same instant wake in the order they went to sleep */
struct TASK_16_w { ACTOR; int before; };
AX_ASYNC(TASK_16_w) {
    BEGINS;
    if (my->before) AX_AWAIT(ms(me, my->before));
    AX_AWAIT(ms(me, 50 - my->before));
    say("woke");
    ENDS;
}
struct TASK_16 { ACTOR; };
SCENARIO(TASK_16) {
    BEGINS;
    GO(ROOT, "A", TASK_16_w);
    GO(ROOT, "B", TASK_16_w, .before = 20);
    GO(ROOT, "C", TASK_16_w);
    GO(ROOT, "D", TASK_16_w, .before = 20);
    GO(ROOT, "E", TASK_16_w);
    ENDS;
}
