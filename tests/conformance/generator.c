/* GEN, and RUN-10: async generators. What is sent in goes through the generator's frame. */

static void says_next(const char *who, int rc, int item) {
    if (rc > 0) says(who, "got(%s)", word(item));
    else says(who, "caught(%s)", rc ? word(rc) : "END");
}
#define say_next(g) says_next(my->name, me->rc, (g)->frame.item)

/* yields 1 to n with sleeps after each or before, then ends or fails; its cleanup may wait */
struct GEN_items { ax_frame frame; int n, before, after, error, cleanup, item; };
AX_ASYNC(GEN_items) {
    AX_BEGIN;
    while (my->item < my->n) {
        if (my->before) AX_AWAIT(ms(me, my->before));
        my->item++;
        AX_EMIT();
        if (my->after) AX_AWAIT(ms(me, my->after));
    }
    AX_RETURN(my->error);
    AX_FINALLY:
    if (my->cleanup) {
        says("G", "cleanup");
        AX_AWAIT(ms(me, my->cleanup));
        says("G", "cleaned");
    }
    AX_END;
}
typedef AX_GENERATOR(GEN_items) GEN_source;

/* values in order, suspensions inside, then END */
struct GEN_01 { ACTOR; GEN_source g; };
SCENARIO(GEN_01) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 2, .after = 10);
    AX_WHILE(ax_next(me, &my->g.generator)) say("got(%d)", my->g.frame.item);
    say("end");
    AX_TRY(ax_next(me, &my->g.generator));
    say_next(&my->g);
    ENDS;
}

/* closing early runs the cleanup, which may await */
struct GEN_02 { ACTOR; GEN_source g; };
SCENARIO(GEN_02) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 1000, .cleanup = 10);
    AX_AWAIT(ax_next(me, &my->g.generator));
    say_next(&my->g);
    AX_AWAIT(ax_generator_close(me, &my->g.generator));
    say("closed");
    AX_AWAIT(ax_generator_close(me, &my->g.generator));
    AX_TRY(ax_next(me, &my->g.generator));
    say_next(&my->g);
    ENDS;
}

/* closing one that never started runs nothing */
struct GEN_03 { ACTOR; GEN_source g; };
SCENARIO(GEN_03) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 1, .cleanup = 10);
    AX_AWAIT(ax_generator_close(me, &my->g.generator));
    AX_TRY(ax_next(me, &my->g.generator));
    say_next(&my->g);
    ENDS;
}

/* an error leaves through next and ends the generator */
struct GEN_04 { ACTOR; GEN_source g; int i; };
SCENARIO(GEN_04) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 1, .error = E1);
    for (; my->i < 3; my->i++) {
        AX_TRY(ax_next(me, &my->g.generator));
        say_next(&my->g);
    }
    ENDS;
}

/* two consumers at once are MISUSE */
struct GEN_07_a { ACTOR; GEN_source g; };
AX_ASYNC(GEN_07_a) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 1, .before = 20);
    AX_AWAIT(ax_next(me, &my->g.generator));
    say_next(&my->g);
    ENDS;
}
struct GEN_07_b { ACTOR; GEN_source *g; };
AX_ASYNC(GEN_07_b) {
    BEGINS;
    AX_AWAIT(ms(me, 10));
    AX_TRY(ax_next(me, &my->g->generator));
    say_next(my->g);
    ENDS;
}
struct GEN_07 { ACTOR; ax_task *a; };
SCENARIO(GEN_07) {
    BEGINS;
    my->a = GO(ROOT, "A", GEN_07_a);
    GO(ROOT, "B", GEN_07_b, .g = &AX_FRAME(GEN_07_a, my->a)->g);
    ENDS;
}

/* a generator that yields while being closed is MISUSE */
struct GEN_09_late { ax_frame frame; };
AX_ASYNC(GEN_09_late) { /* in AX_FINALLY itself AX_EMIT does not compile */
    AX_BEGIN;
    AX_EMIT();
    AX_END;
}
struct GEN_09_g { ax_frame frame; int item; };
AX_ASYNC(GEN_09_g) {
    AX_BEGIN;
    my->item = 1;
    AX_EMIT();
    AX_FINALLY:
    AX_AWAIT(AX_CALL(GEN_09_late));
    AX_END;
}
struct GEN_09 { ACTOR; AX_GENERATOR(GEN_09_g) g; };
SCENARIO(GEN_09) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_09_g);
    AX_AWAIT(ax_next(me, &my->g.generator));
    say_next(&my->g);
    AX_TRY(ax_generator_close(me, &my->g.generator));
    say_error(me->rc);
    ENDS;
}

/* values and errors can be sent in */
struct GEN_10_g { ax_frame frame; int sent, item; };
AX_ASYNC(GEN_10_g) {
    AX_BEGIN;
    for (;;) {
        my->item = my->sent == E1 ? text("saw") : my->sent;
        AX_EMIT();
        if (my->sent < 0 && my->sent != E1) AX_RETURN(my->sent);
    }
    AX_END;
}
struct GEN_10 { ACTOR; AX_GENERATOR(GEN_10_g) g; int i; };
SCENARIO(GEN_10) {
    const int sent[] = {text("a"), E1, E2, 0};
    BEGINS;
    AX_GENERATE(&my->g, GEN_10_g);
    AX_AWAIT(ax_next(me, &my->g.generator));
    for (; my->i < 4; my->i++) {
        my->g.frame.sent = sent[my->i];
        AX_TRY(ax_next(me, &my->g.generator));
        say_next(&my->g);
    }
    ENDS;
}

/* a generator left suspended is closed with the frame that opened it */
struct RUN_10_m { ACTOR; GEN_source g; };
AX_ASYNC(RUN_10_m) {
    BEGINS;
    AX_GENERATE(&my->g, GEN_items, .n = 1, .cleanup = 5);
    AX_AWAIT(ax_next(me, &my->g.generator));
    GO(ROOT, "A", nap, .time = -1);
    AX_AWAIT(ms(me, 5));
    ENDS;
}
static void RUN_10_play(void) {
    run_main(AX_SPAWN(ROOT, RUN_10_m, .name = "M"));
    ax_loop_close(&the_loop);
    says("run", "closed");
}
