/* What Trio has: LIM as permits of a semaphore (a permit is the borrower), CHAN as a queue, SCP as groups. */

#define WOULDBLOCK(rc) ((rc) == AX_EAGAIN ? "caught(WOULDBLOCK)" : "no_error")

/* one token per borrower: a second take by the same one is misuse */
struct LIM_01 { ACTOR; ax_sem s; ax_permit mine, x; };
SCENARIO(LIM_01) {
    BEGINS;
    ax_sem_init(&my->s, 2, 2);
    say_error(ax_sem_leave(&my->mine));
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->mine));
    AX_TRY(ax_sem_enter(me, &my->s, &my->mine));
    say_error(me->rc);
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->x));
    say("%s", WOULDBLOCK(ax_sem_try_acquire(&my->s)));
    ax_sem_leave(&my->mine);
    ax_sem_leave(&my->x);
    state("borrowed=%d available=%d", my->s.max - my->s.permits, my->s.permits);
    ENDS;
}

/* fairness: a freed token belongs to the waiter, not to who asks first */
struct LIM_02 { ACTOR; ax_sem s; ax_permit a, b; ax_group g; };
SCENARIO(LIM_02) {
    BEGINS;
    ax_sem_init(&my->s, 2, 2);
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->a));
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->b));
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "W", SEM_w, .s = &my->s);
    AX_AWAIT(ms(me, 5));
    ax_sem_leave(&my->a);
    say("borrowed(%d)", my->s.max - my->s.permits);
    say("%s", WOULDBLOCK(ax_sem_try_acquire(&my->s)));
    AX_AWAIT(ax_group_join(me, &my->g));
    state("borrowed=%d waiting=%d", my->s.max - my->s.permits, ax_waiters(&my->s.waiters));
    ENDS;
}

/* a cancelled waiter leaves no trace; negative totals are invalid */
struct LIM_05_block { BLOCK; ax_sem *s; };
AX_ASYNC(LIM_05_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "W", SEM_w, .s = my->s);
    AX_AWAIT(ms(me, 10));
    ax_group_cancel(my->g);
    AX_END;
}
struct LIM_05 { ACTOR; ax_sem s, bad; ax_permit mine; ax_group g; };
SCENARIO(LIM_05) {
    BEGINS;
    ax_sem_init(&my->s, 1, 1);
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->mine));
    AX_AWAIT(AX_CALL(LIM_05_block, .g = &my->g, .s = &my->s));
    say("waiting(%d)", ax_waiters(&my->s.waiters));
    ax_sem_leave(&my->mine);
    say("available(%d)", my->s.permits);
    say_error(ax_sem_init(&my->bad, -1, 0));
    say_error(ax_sem_init(&my->bad, 0, -1));
    ENDS;
}

/* only the borrower's own token can be given back */
struct LIM_06_a { ACTOR; ax_sem *s; ax_permit permit; };
AX_ASYNC(LIM_06_a) {
    BEGINS;
    AX_AWAIT(ax_sem_enter(me, my->s, &my->permit));
    say("acquired");
    AX_AWAIT(ms(me, 20));
    ENDS;
}
struct LIM_06_b { ACTOR; ax_sem *s; ax_permit permit; };
AX_ASYNC(LIM_06_b) {
    BEGINS;
    AX_AWAIT(ms(me, 10));
    say_error(ax_sem_leave(&my->permit));
    AX_AWAIT(ax_sem_enter(me, my->s, &my->permit));
    say("acquired");
    ENDS;
}
struct LIM_06 { ACTOR; ax_sem s; ax_group g; };
SCENARIO(LIM_06) {
    BEGINS;
    ax_sem_init(&my->s, 1, 1);
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "A", LIM_06_a, .s = &my->s);
    GO(&my->g, "B", LIM_06_b, .s = &my->s);
    AX_AWAIT(ax_group_join(me, &my->g));
    ENDS;
}

/* bounded buffer, no-wait calls; a size that no memory has is invalid */
struct CHAN_01 { ACTOR; QUEUE(2); int item; };
SCENARIO(CHAN_01) {
    BEGINS;
    QUEUE_INIT(2);
    put(&my->q, 1);
    put(&my->q, 2);
    say("%s", WOULDBLOCK(put(&my->q, 3)));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    say("%s", WOULDBLOCK(ax_queue_try_get(&my->q, &my->item)));
    say_error(ax_queue_init(&my->q, my->items, (size_t)-1, sizeof my->items[0]));
    ENDS;
}

/* closing breaks waiting and later senders */
struct CHAN_sender { ACTOR; ax_queue *q; int item; };
AX_ASYNC(CHAN_sender) {
    BEGINS;
    AX_TRY(ax_queue_put(me, my->q, &my->item));
    if (me->rc == AX_EPIPE) say("caught(BROKEN)");
    else say("sent");
    ENDS;
}
struct CHAN_03 { ACTOR; ax_queue q; ax_group g; };
SCENARIO(CHAN_03) {
    BEGINS;
    ax_queue_init(&my->q, NULL, 0, sizeof(int));
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "S", CHAN_sender, .q = &my->q, .item = 1);
    AX_AWAIT(ms(me, 10));
    ax_queue_close(&my->q);
    AX_AWAIT(ax_group_join(me, &my->g));
    if (put(&my->q, 2) == AX_EPIPE) say("caught(BROKEN)");
    ENDS;
}

/* capacity zero is a rendezvous */
struct CHAN_09 { ACTOR; ax_queue q; int item; ax_group g; };
SCENARIO(CHAN_09) {
    BEGINS;
    ax_queue_init(&my->q, NULL, 0, sizeof(int));
    say("%s", WOULDBLOCK(put(&my->q, 1)));
    say("%s", WOULDBLOCK(ax_queue_try_get(&my->q, &my->item)));
    ax_group_open(me, &my->g, 0);
    GO(&my->g, "S", CHAN_sender, .q = &my->q, .item = 1);
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    AX_AWAIT(ax_group_join(me, &my->g));
    ENDS;
}

/* a group's cancel by hand ends it quietly */
struct SCP_01_block { BLOCK; };
AX_ASYNC(SCP_01_block) {
    AX_BEGIN;
    ax_group_open(me, my->g, 0);
    GO(my->g, "A", nap, .time = 100);
    GO(my->g, "B", nap, .time = 100);
    AX_AWAIT(ms(me, 10));
    ax_group_cancel(my->g);
    AX_TRY_ALL(ms(me, 100));
    if (me->rc == AX_ECANCELED) say("body_cancelled");
    AX_RETURN(me->rc);
    AX_END;
}
struct SCP_01 { ACTOR; ax_group g; };
SCENARIO(SCP_01) {
    BEGINS;
    AX_AWAIT(AX_CALL(SCP_01_block, .name = my->name, .g = &my->g));
    say("out");
    ENDS;
}

/* nested scopes cancelled together: the outermost one catches */
struct SCP_04 { ACTOR; ax_group g1, g2, g3; int rc2, rc3; };
struct SCP_04_s3 { ax_frame frame; struct SCP_04 *m; };
AX_ASYNC(SCP_04_s3) {
    AX_BEGIN;
    ax_group_open(me, &my->m->g3, 0);
    ax_group_cancel(&my->m->g3);
    ax_group_cancel(&my->m->g2);
    AX_AWAIT(ms(me, 100));
    AX_END;
}
struct SCP_04_s2 { ax_frame frame; struct SCP_04 *m; };
AX_ASYNC(SCP_04_s2) {
    AX_BEGIN;
    ax_group_open(me, &my->m->g2, 0);
    AX_TRY_ALL(AX_CALL(SCP_04_s3, .m = my->m));
    my->m->rc3 = me->rc;
    AX_RETURN(me->rc);
    AX_END;
}
SCENARIO(SCP_04) {
    BEGINS;
    ax_group_open(me, &my->g1, 0);
    AX_TRY_ALL(AX_CALL(SCP_04_s2, .m = my));
    my->rc2 = me->rc;
    say("after2");
    AX_AWAIT(ax_group_join(me, &my->g1));
    state("s1=%s s2=%s s3=%s", truth(my->rc2 == AX_ECANCELED && me->rc == 0), truth(my->rc3 == AX_ECANCELED && my->rc2 == 0), truth(my->rc3 == 0));
    ENDS;
}

/* the handshake at a start, as a pattern: the child reports over a future, and its end completes the future if it did not */
struct start { ax_frame frame; ax_future *ready; ax_task *child; ax_callback on_done; int status; };
static void start_child_ended(ax_loop *loop, void *arg) {
    struct start *my = (struct start *)arg;
    int status = ax_task_status(my->child);
    (void)loop;
    ax_future_complete(my->ready, status < 0 ? status : AX_EPERM); /* an end without a report is misuse */
}
AX_ASYNC(start) {
    AX_BEGIN;
    ax_task_ref(my->child); /* the callback reads its status */
    ax_on_done(my->child, &my->on_done, start_child_ended, my);
    AX_AWAIT(ax_future_wait(me, my->ready));
    AX_RETURN(me->rc);
    AX_FINALLY:
    ax_callback_stop(&my->on_done);
    ax_task_unref(my->child);
    AX_END;
}
struct SCP_06_ok { ax_frame frame; ax_future *ready; };
AX_ASYNC(SCP_06_ok) {
    AX_BEGIN;
    AX_AWAIT(ms(me, 10));
    ax_future_complete(my->ready, text("v"));
    AX_AWAIT(ms(me, 10));
    AX_END;
}
struct SCP_06_ends { ax_frame frame; int status; };
AX_ASYNC(SCP_06_ends) {
    AX_BEGIN;
    AX_RETURN(my->status);
    AX_END;
}
struct SCP_06_twice { ax_frame frame; ax_future *ready; };
AX_ASYNC(SCP_06_twice) {
    AX_BEGIN;
    ax_future_complete(my->ready, 0);
    if (ax_future_complete(my->ready, 0) == AX_EALREADY) says("twice", "caught(MISUSE)");
    AX_END;
}
struct SCP_06 { ACTOR; ax_future ready[4]; ax_group g; ax_task *child; };
SCENARIO(SCP_06) {
    BEGINS;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->child = AX_SPAWN(&my->g, SCP_06_ok, .ready = &my->ready[0]);
    AX_AWAIT(AX_CALL(start, .ready = &my->ready[0], .child = my->child));
    say("started(%s)", word(me->rc));
    my->child = AX_SPAWN(&my->g, SCP_06_ends, .status = E1);
    AX_TRY(AX_CALL(start, .ready = &my->ready[1], .child = my->child));
    say_error(me->rc);
    my->child = AX_SPAWN(&my->g, SCP_06_ends);
    AX_TRY(AX_CALL(start, .ready = &my->ready[2], .child = my->child));
    say_error(me->rc);
    my->child = AX_SPAWN(&my->g, SCP_06_twice, .ready = &my->ready[3]);
    AX_AWAIT(AX_CALL(start, .ready = &my->ready[3], .child = my->child));
    AX_AWAIT(ax_group_join(me, &my->g));
    say("out");
    ENDS;
}
