/* GRP: groups. A block (`async with TaskGroup() as g: ...`) is a small async function that opens the group: it ends when all
   children have ended. The group itself stands in M's frame, so that its children can be told apart. */

#define BLOCK ax_frame frame; const char *name; ax_group *g

/* the block's end waits for all children */
struct GRP_01_block { BLOCK; };
AX_ASYNC(GRP_01_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = 42);
    GO(my->g, "B", nap, .time = 20, .value = 11);
    AX_AWAIT(ms(me, 15));
    GO(my->g, "C", nap, .time = 20, .value = 5);
    say("body_end");
    AX_END;
}
struct GRP_01 { ACTOR; ax_group g; };
SCENARIO(GRP_01) {
    BEGINS;
    AX_AWAIT(AX_CALL(GRP_01_block, .name = my->name, .g = &my->g));
    say("out");
    ENDS;
}

/* an empty group leaves at once */
struct GRP_02 { ACTOR; ax_group g; };
SCENARIO(GRP_02) {
    BEGINS;
    GO(ROOT, "B", ran);
    ax_group_open(me, &my->g, 0);
    AX_AWAIT(ax_group_join(me, &my->g));
    say("out");
    ENDS;
}

/* one child cancelled by hand is not a failure */
struct GRP_03 { ACTOR; ax_group g; ax_task *a; };
SCENARIO(GRP_03) {
    BEGINS;
    ax_group_open(me, &my->g, 0);
    my->a = GO(&my->g, "A", nap, .time = 100);
    GO(&my->g, "B", nap, .time = 20, .value = 11);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ax_group_join(me, &my->g));
    say("out");
    ENDS;
}

/* a child's error cancels siblings and body; the group reports it */
struct GRP_04_block { BLOCK; };
AX_ASYNC(GRP_04_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    GO(my->g, "B", nap, .time = 100);
    AX_TRY_ALL(ms(me, 100));
    if (me->rc == AX_ECANCELED) say("body_cancelled");
    AX_RETURN(me->rc);
    AX_END;
}
struct GRP_04 { ACTOR; ax_group g; };
SCENARIO(GRP_04) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_04_block, .name = my->name, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    state("cancelling=%d", ax_cancelling(me));
    AX_AWAIT(ms(me, 5));
    say("goes_on");
    ENDS;
}

/* errors of the same instant are all there, in order of completion: a result on its way is delivered before the abort */
struct GRP_05 { ACTOR; ax_group g; ax_future a, b, c; };
struct GRP_05_w { ACTOR; ax_future *f; };
AX_ASYNC(GRP_05_w) {
    BEGINS;
    AX_AWAIT(ax_future_wait(me, my->f));
    ENDS;
}
static void GRP_05_fail(ax_loop *loop, void *m) {
    struct GRP_05 *my = (struct GRP_05 *)m;
    (void)loop;
    ax_future_complete(&my->c, E3);
    ax_future_complete(&my->a, E1);
    ax_future_complete(&my->b, E2);
}
struct GRP_05_block { BLOCK; struct GRP_05 *m; };
AX_ASYNC(GRP_05_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", GRP_05_w, .f = &my->m->a);
    GO(my->g, "B", GRP_05_w, .f = &my->m->b);
    GO(my->g, "C", GRP_05_w, .f = &my->m->c);
    GO(my->g, "D", nap, .time = 100);
    at(10, GRP_05_fail, my->m);
    AX_END;
}
SCENARIO(GRP_05) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_05_block, .g = &my->g, .m = my));
    says_group(my->name, &my->g, me->rc, NULL);
    ENDS;
}

/* a sibling that fails while being cancelled adds its error */
struct GRP_06_block { BLOCK; };
AX_ASYNC(GRP_06_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    GO(my->g, "B", nap, .time = 100, .cleanup = 20, .cleanup_error = E2);
    GO(my->g, "C", nap, .time = 100, .cleanup = 30);
    AX_END;
}
struct GRP_06 { ACTOR; ax_group g; };
SCENARIO(GRP_06) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_06_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    ENDS;
}

/* body error: children are cancelled and awaited */
struct GRP_07_block { BLOCK; };
AX_ASYNC(GRP_07_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 100);
    GO(my->g, "B", nap, .time = 100, .cleanup_error = E2);
    AX_AWAIT(ms(me, 10));
    AX_RETURN(E1);
    AX_END;
}
struct GRP_07 { ACTOR; ax_group g; };
SCENARIO(GRP_07) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_07_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, word(E1));
    ENDS;
}

/* owner cancelled while the end waits: children are cancelled, CANCELLED comes out */
struct GRP_09_p { ACTOR; ax_group g; };
AX_ASYNC(GRP_09_p) {
    BEGINS;
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "A", nap, .time = 100);
    GO(&my->g, "B", nap, .time = 100, .cleanup = 20);
    AX_AWAIT(ax_group_join(me, &my->g));
    ENDS;
}
struct GRP_09 { ACTOR; ax_task *p; };
SCENARIO(GRP_09) {
    BEGINS;
    my->p = GO(ROOT, "P", GRP_09_p);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->p);
    ENDS;
}

/* owner cancelled inside the body */
struct GRP_10_p { ACTOR; ax_group g; };
AX_ASYNC(GRP_10_p) {
    BEGINS;
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "A", nap, .time = 100);
    AX_TRY_ALL(ms(me, 100));
    if (me->rc == AX_ECANCELED) say("body_cancelled");
    AX_RETURN(me->rc);
    ENDS;
}
struct GRP_10 { ACTOR; ax_task *p; };
SCENARIO(GRP_10) {
    BEGINS;
    my->p = GO(ROOT, "P", GRP_10_p);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->p);
    AX_AWAIT(ms(me, 1));
    state("P_cancelling=%d", ax_cancelling(my->p));
    ENDS;
}

/* outside cancel and child error in the same turn: the error comes out, the cancel stays due. (x runs just before A, since its
   timer was set first.) */
static void GRP_12_x(ax_loop *loop, void *p) {
    (void)loop;
    says("x", "cancel_P(%s)", truth(ax_cancel(*(ax_task **)p)));
}
struct GRP_12_block { BLOCK; };
AX_ASYNC(GRP_12_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    AX_AWAIT(ms(me, 100));
    AX_END;
}
struct GRP_12_p { ACTOR; ax_group g; };
AX_ASYNC(GRP_12_p) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_12_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    say("count(%d)", ax_cancelling(me));
    AX_AWAIT(ms(me, 50));
    say("never");
    ENDS;
}
struct GRP_12 { ACTOR; ax_task *p; };
SCENARIO(GRP_12) {
    BEGINS;
    at(10, GRP_12_x, &my->p);
    my->p = GO(ROOT, "P", GRP_12_p);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* nested: an inner child's error stays inside the inner group */
struct GRP_fails { BLOCK; };
AX_ASYNC(GRP_fails) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    AX_END;
}
struct GRP_13 { ACTOR; ax_group o, i; };
SCENARIO(GRP_13) {
    BEGINS;
    ax_group_open(me, &my->o, 0);
    GO(&my->o, "X", nap, .time = 30, .value = 1);
    AX_TRY(AX_CALL(GRP_fails, .g = &my->i));
    says_group(my->name, &my->i, me->rc, NULL);
    AX_AWAIT(ax_group_join(me, &my->o));
    say("out");
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* nested: an outer child's error cancels the inner group and its children */
struct GRP_14_inner { BLOCK; };
AX_ASYNC(GRP_14_inner) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 100);
    AX_END;
}
struct GRP_14_outer { BLOCK; ax_group inner; };
AX_ASYNC(GRP_14_outer) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "X", nap, .time = 10, .value = E1);
    AX_TRY_ALL(AX_CALL(GRP_14_inner, .g = &my->inner));
    say("between(%s)", word(me->rc));
    AX_RETURN(me->rc);
    AX_END;
}
struct GRP_14 { ACTOR; ax_group o; };
SCENARIO(GRP_14) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_14_outer, .name = my->name, .g = &my->o));
    says_group(my->name, &my->o, me->rc, NULL);
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* nested: an uncaught inner error is the outer body's error */
struct GRP_15_outer { BLOCK; ax_group *inner; };
AX_ASYNC(GRP_15_outer) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "X", nap, .time = 100);
    AX_AWAIT(AX_CALL(GRP_fails, .g = my->inner));
    AX_END;
}
struct GRP_15 { ACTOR; ax_group o, i; };
SCENARIO(GRP_15) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_15_outer, .g = &my->o, .inner = &my->i));
    says_group(my->name, &my->o, me->rc, group_errors(&my->i, me->rc, NULL));
    ENDS;
}

/* the body swallows the group's cancel: the group still fails, the count is clean */
struct GRP_17_block { BLOCK; };
AX_ASYNC(GRP_17_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    AX_TRY_ALL(ms(me, 100));
    says_error("body", me->rc);
    AX_AWAIT(ms(me, 5));
    say("body_end");
    AX_END;
}
struct GRP_17 { ACTOR; ax_group g; };
SCENARIO(GRP_17) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_17_block, .name = my->name, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* the body answers the group's cancel with its own error */
struct GRP_18_block { BLOCK; };
AX_ASYNC(GRP_18_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    AX_TRY_ALL(ms(me, 100));
    AX_RETURN(E2);
    AX_END;
}
struct GRP_18 { ACTOR; ax_group g; };
SCENARIO(GRP_18) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_18_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, word(E2));
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* misuse: spawn before opening and after the end, open twice. (Storage of a closed group may be used again.) */
#define REFUSED(task) ((task) ? 0 : AX_EPERM) /* a refused spawn gives NULL */
struct GRP_19_block { BLOCK; int again; };
AX_ASYNC(GRP_19_block) {
    AX_BEGIN;
    if (my->again) {
        says_error("reenter", ax_group_open(me, my->g, 0));
    } else {
        ax_group_open(me, my->g, 0);
        says_error("again", ax_group_open(me, my->g, 0));
    }
    AX_END;
}
struct GRP_19 { ACTOR; ax_group g; };
SCENARIO(GRP_19) {
    BEGINS;
    says_error("before", REFUSED(GO(&my->g, "X", ran)));
    AX_AWAIT(AX_CALL(GRP_19_block, .g = &my->g));
    AX_AWAIT(AX_CALL(GRP_19_block, .g = &my->g, .again = 1));
    says_error("after", REFUSED(GO(&my->g, "X", ran)));
    AX_AWAIT(ms(me, 5));
    ENDS;
}

/* spawn into a group that is shutting down is refused */
struct GRP_20_b { ACTOR; ax_group *g; };
AX_ASYNC(GRP_20_b) {
    BEGINS;
    AX_AWAIT(ms(me, 100));
    AX_FINALLY:
    say_error(REFUSED(GO(my->g, "C", ran)));
    LAST_WORD;
    AX_END;
}
struct GRP_20_block { BLOCK; };
AX_ASYNC(GRP_20_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    GO(my->g, "B", GRP_20_b, .g = my->g);
    AX_END;
}
struct GRP_20 { ACTOR; ax_group g; };
SCENARIO(GRP_20) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_20_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    ENDS;
}

/* a child may spawn siblings while the end waits; the group waits for them too */
struct GRP_21_b { ACTOR; ax_group *g; };
AX_ASYNC(GRP_21_b) {
    BEGINS;
    AX_AWAIT(ms(me, 20));
    GO(my->g, "C", nap, .time = 5);
    ENDS;
}
struct GRP_21_a { ACTOR; ax_group *g; };
AX_ASYNC(GRP_21_a) {
    BEGINS;
    AX_AWAIT(ms(me, 10));
    GO(my->g, "B", GRP_21_b, .g = my->g);
    ENDS;
}
struct GRP_21 { ACTOR; ax_group g; };
SCENARIO(GRP_21) {
    BEGINS;
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "A", GRP_21_a, .g = &my->g);
    AX_AWAIT(ax_group_join(me, &my->g));
    say("out");
    say_error(REFUSED(GO(&my->g, "X", ran)));
    ENDS;
}

/* a child that swallows the cancel delays the end but does not stop it */
struct GRP_22_block { BLOCK; };
AX_ASYNC(GRP_22_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 10, .value = E1);
    GO(my->g, "B", nap, .time = 100, .value = 7, .cleanup = 30, .swallow = 1);
    AX_END;
}
struct GRP_22 { ACTOR; ax_group g; };
SCENARIO(GRP_22) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_22_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    ENDS;
}

/* a child that returns CANCELLED by itself is not a failure */
struct GRP_27 { ACTOR; ax_group g; };
SCENARIO(GRP_27) {
    BEGINS;
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "A", nap, .time = 10, .value = AX_ECANCELED);
    GO(&my->g, "B", nap, .time = 20, .value = 1);
    AX_AWAIT(ax_group_join(me, &my->g));
    say("out");
    ENDS;
}

/* a limit around a group cancels the children, TIMEDOUT comes out after they ended */
struct GRP_29_block { BLOCK; };
AX_ASYNC(GRP_29_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 100);
    GO(my->g, "B", nap, .time = 100, .cleanup = 20);
    AX_END;
}
struct GRP_29 { ACTOR; ax_group g; };
SCENARIO(GRP_29) {
    BEGINS;
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(GRP_29_block, .g = &my->g)));
    say_error(me->rc);
    state("cancelling=%d", ax_cancelling(me));
    ENDS;
}

/* a limit inside a child only hits that child */
struct GRP_32_a { ACTOR; int catches; };
AX_ASYNC(GRP_32_a) {
    BEGINS;
    AX_TRY(AX_WITHIN(AX_MS(10), ms(me, 100)));
    if (me->rc == AX_ETIMEDOUT) say("timed_out");
    if (!my->catches) AX_RETURN(me->rc);
    ENDS;
}
struct GRP_32_block { BLOCK; };
AX_ASYNC(GRP_32_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", GRP_32_a, .catches = 1);
    GO(my->g, "B", GRP_32_a);
    GO(my->g, "C", nap, .time = 100);
    AX_END;
}
struct GRP_32 { ACTOR; ax_group g; };
SCENARIO(GRP_32) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_32_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, NULL);
    ENDS;
}

/* many children: cancel order is spawn order, every one is waited for */
struct GRP_33_block { BLOCK; };
AX_ASYNC(GRP_33_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 100);
    GO(my->g, "B", nap, .time = 100);
    GO(my->g, "C", nap, .time = 100);
    GO(my->g, "D", nap, .time = 100);
    GO(my->g, "E", nap, .time = 100);
    AX_AWAIT(ms(me, 10));
    AX_RETURN(E9);
    AX_END;
}
struct GRP_33 { ACTOR; ax_group g; };
SCENARIO(GRP_33) {
    BEGINS;
    AX_TRY(AX_CALL(GRP_33_block, .g = &my->g));
    says_group(my->name, &my->g, me->rc, word(E9));
    ENDS;
}
