/* COND, BAR: conditions under a mutex, and barriers. */

/* notify wakes in FIFO order, one per call */
#define COND_STATE state("locked=%s waiters=%d", truth(my->lock.owner != NULL), ax_waiters(&my->c.waiters))
struct COND_w { ACTOR; ax_cond *c; int hold; };
AX_ASYNC(COND_w) {
    BEGINS;
    AX_AWAIT(ax_mutex_lock(me, my->c->mutex));
    say("waiting");
    AX_AWAIT(ax_cond_wait(me, my->c));
    say("woke");
    if (my->hold) AX_AWAIT(ms(me, my->hold));
    ENDS;
}
struct notify { ax_frame frame; ax_cond *c; int n; }; /* `async with c: c.notify(n)` */
AX_ASYNC(notify) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, my->c->mutex));
    AX_RETURN(ax_cond_notify(me, my->c, my->n));
    AX_END;
}
struct COND_01 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(COND_01) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    GO(ROOT, "A", COND_w, .c = &my->c);
    GO(ROOT, "B", COND_w, .c = &my->c);
    GO(ROOT, "C", COND_w, .c = &my->c);
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(AX_CALL(notify, .c = &my->c, .n = 1));
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(AX_CALL(notify, .c = &my->c, .n = 2));
    AX_AWAIT(ms(me, 5));
    COND_STATE;
    ENDS;
}

/* notify all: they pass the lock on one after the other */
struct COND_02 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(COND_02) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    GO(ROOT, "A", COND_w, .c = &my->c, .hold = 5);
    GO(ROOT, "B", COND_w, .c = &my->c, .hold = 5);
    GO(ROOT, "C", COND_w, .c = &my->c, .hold = 5);
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(AX_CALL(notify, .c = &my->c, .n = AX_COND_ALL));
    AX_AWAIT(ms(me, 20));
    COND_STATE;
    ENDS;
}

/* `c.wait_for(predicate)` */
struct cond_wait_for { ax_frame frame; ax_cond *c; int (*predicate)(void *arg); void *arg; int value; };
AX_ASYNC(cond_wait_for) {
    AX_BEGIN;
    while (!(my->value = my->predicate(my->arg))) AX_AWAIT(ax_cond_wait(me, my->c));
    AX_RETURN(my->value);
    AX_END;
}

/* wait and notify without the lock are misuse */
static int COND_03_zero(void *none) { (void)none; return 0; }
static int COND_03_five(void *none) { (void)none; return 5; }
struct COND_03 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(COND_03) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    AX_TRY(ax_cond_wait(me, &my->c));
    say_error(me->rc);
    say_error(ax_cond_notify(me, &my->c, 1));
    say_error(ax_cond_notify(me, &my->c, AX_COND_ALL));
    AX_TRY(AX_CALL(cond_wait_for, .c = &my->c, .predicate = COND_03_zero));
    say_error(me->rc);
    AX_AWAIT(AX_CALL(cond_wait_for, .c = &my->c, .predicate = COND_03_five));
    say("pred(%s)", word(me->rc));
    ENDS;
}

/* a notified task resumes only when the notifier has let go of the lock */
struct COND_04 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(COND_04) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    GO(ROOT, "A", COND_w, .c = &my->c);
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    ax_cond_notify(me, &my->c, 1);
    say("notified");
    AX_AWAIT(ms(me, 20));
    say("letting_go");
    ENDS;
}

/* a notify with nobody waiting is forgotten; more than there are is fine */
struct COND_05 { ACTOR; ax_mutex lock; ax_cond c; };
SCENARIO(COND_05) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    AX_AWAIT(AX_CALL(notify, .c = &my->c, .n = 1));
    GO(ROOT, "A", COND_w, .c = &my->c);
    GO(ROOT, "B", COND_w, .c = &my->c);
    AX_AWAIT(ms(me, 10));
    AX_AWAIT(AX_CALL(notify, .c = &my->c, .n = 2048));
    AX_AWAIT(ms(me, 1));
    COND_STATE;
    ENDS;
}

/* cancel while waiting: the lock is taken again before CANCELLED is seen */
struct COND_06_a { ACTOR; ax_cond *c; };
AX_ASYNC(COND_06_a) {
    BEGINS;
    AX_AWAIT(ax_mutex_lock(me, my->c->mutex));
    AX_TRY_ALL(ax_cond_wait(me, my->c));
    if (me->rc < 0) say("locked(%s)", truth(my->c->mutex->owner == me));
    AX_RETURN(me->rc);
    ENDS;
}
struct COND_06 { ACTOR; ax_mutex lock; ax_cond c; ax_task *a; };
SCENARIO(COND_06) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    my->a = GO(ROOT, "A", COND_06_a, .c = &my->c);
    AX_AWAIT(ms(me, 5));
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 20));
    say("letting_go");
    ax_mutex_unlock(me, &my->lock);
    AX_AWAIT(ms(me, 1));
    COND_STATE;
    ENDS;
}

/* notified, then cancelled in the same step: it has its notification; its cancel is met later */
struct COND_08 { ACTOR; ax_mutex lock; ax_cond c; ax_task *a; };
SCENARIO(COND_08) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    my->a = GO(ROOT, "A", COND_w, .c = &my->c);
    GO(ROOT, "B", COND_w, .c = &my->c);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    ax_cond_notify(me, &my->c, 1);
    ax_cancel(my->a);
    ax_mutex_unlock(me, &my->lock);
    AX_AWAIT(ms(me, 5));
    COND_STATE;
    ENDS;
}

/* wait_for re-checks its predicate */
static int COND_11_check(void *x) {
    says("A", "check(%d)", *(int *)x);
    return *(int *)x >= 2 ? text("yes") : 0;
}
struct COND_11_a { ACTOR; ax_cond *c; int *x; };
AX_ASYNC(COND_11_a) {
    BEGINS;
    AX_AWAIT(ax_mutex_lock(me, my->c->mutex));
    AX_AWAIT(AX_CALL(cond_wait_for, .c = my->c, .predicate = COND_11_check, .arg = my->x));
    say("got(%s)", word(me->rc));
    ENDS;
}
struct COND_11 { ACTOR; ax_mutex lock; ax_cond c; int x, next; };
SCENARIO(COND_11) {
    BEGINS;
    ax_cond_init(&my->c, &my->lock);
    GO(ROOT, "A", COND_11_a, .c = &my->c, .x = &my->x);
    for (my->next = 1; my->next <= 2; my->next++) {
        AX_AWAIT(ms(me, 10));
        AX_AWAIT(ax_mutex_lock(me, &my->lock));
        my->x = my->next;
        ax_cond_notify(me, &my->c, 1);
        ax_mutex_unlock(me, &my->lock);
    }
    ENDS;
}

/* two conditions on one lock are separate queues */
struct COND_12 { ACTOR; ax_mutex lock; ax_cond p, q; };
SCENARIO(COND_12) {
    BEGINS;
    ax_cond_init(&my->p, &my->lock);
    ax_cond_init(&my->q, &my->lock);
    GO(ROOT, "A", COND_w, .c = &my->p);
    GO(ROOT, "B", COND_w, .c = &my->q);
    AX_AWAIT(ms(me, 5));
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    say("locked([%s,%s])", truth(my->p.mutex->owner == me), truth(my->q.mutex->owner == me));
    ax_cond_notify(me, &my->q, AX_COND_ALL);
    ax_mutex_unlock(me, &my->lock);
    AX_AWAIT(ms(me, 1));
    state("locked=%s p=%d q=%d", truth(my->lock.owner != NULL), ax_waiters(&my->p.waiters), ax_waiters(&my->q.waiters));
    ENDS;
}

/* a barrier trips when the last party arrives; the number is that of the arrival */
#define BAR_STATE state("n_waiting=%d broken=%s", my->b.waiting, truth(my->b.broken))
struct BAR_party { ACTOR; ax_barrier *b; int before; };
AX_ASYNC(BAR_party) {
    BEGINS;
    if (my->before) AX_AWAIT(ms(me, my->before));
    AX_TRY(ax_barrier_wait(me, my->b));
    if (me->rc < 0) say_error(me->rc);
    else say("passed(%s)", word(me->rc));
    ENDS;
}
struct BAR_01 { ACTOR; ax_barrier b; };
SCENARIO(BAR_01) {
    BEGINS;
    ax_barrier_init(&my->b, 3);
    GO(ROOT, "A", BAR_party, .b = &my->b);
    GO(ROOT, "B", BAR_party, .b = &my->b, .before = 10);
    GO(ROOT, "C", BAR_party, .b = &my->b, .before = 20);
    AX_AWAIT(ms(me, 15));
    say("n_waiting(%d)", my->b.waiting);
    AX_AWAIT(ms(me, 10));
    BAR_STATE;
    ENDS;
}

/* one party passes at once; zero or fewer are invalid */
struct BAR_03 { ACTOR; ax_barrier b, bad; };
SCENARIO(BAR_03) {
    BEGINS;
    ax_barrier_init(&my->b, 1);
    GO(ROOT, "X", ran);
    AX_AWAIT(ax_barrier_wait(me, &my->b));
    say("passed(%s)", word(me->rc));
    AX_AWAIT(ax_barrier_wait(me, &my->b));
    say("passed(%s)", word(me->rc));
    say_error(ax_barrier_init(&my->bad, 0));
    say_error(ax_barrier_init(&my->bad, -4));
    ENDS;
}

/* a party cancelled while it fills just leaves */
struct BAR_04_w { ACTOR; ax_barrier *b; int before; };
AX_ASYNC(BAR_04_w) {
    BEGINS;
    if (my->before) AX_AWAIT(ms(me, my->before));
    AX_AWAIT(ax_barrier_wait(me, my->b));
    say("passed");
    ENDS;
}
struct BAR_04 { ACTOR; ax_barrier b; ax_task *a; };
SCENARIO(BAR_04) {
    BEGINS;
    ax_barrier_init(&my->b, 3);
    my->a = GO(ROOT, "A", BAR_04_w, .b = &my->b);
    GO(ROOT, "B", BAR_04_w, .b = &my->b);
    GO(ROOT, "C", BAR_04_w, .b = &my->b, .before = 10);
    GO(ROOT, "D", BAR_04_w, .b = &my->b, .before = 20);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 1));
    say("n_waiting(%d)", my->b.waiting);
    AX_AWAIT(ms(me, 20));
    BAR_STATE;
    ENDS;
}

/* abort breaks it for those waiting and those coming */
struct BAR_06 { ACTOR; ax_barrier b; };
SCENARIO(BAR_06) {
    BEGINS;
    ax_barrier_init(&my->b, 3);
    GO(ROOT, "A", BAR_party, .b = &my->b);
    GO(ROOT, "B", BAR_party, .b = &my->b);
    GO(ROOT, "C", BAR_party, .b = &my->b, .before = 20);
    AX_AWAIT(ms(me, 10));
    ax_barrier_abort(&my->b);
    say("aborted");
    AX_AWAIT(ms(me, 15));
    BAR_STATE;
    ENDS;
}

/* reset throws the waiters out and the barrier is whole again */
struct BAR_07 { ACTOR; ax_barrier b; };
SCENARIO(BAR_07) {
    BEGINS;
    ax_barrier_init(&my->b, 3);
    GO(ROOT, "A", BAR_party, .b = &my->b);
    GO(ROOT, "B", BAR_party, .b = &my->b);
    GO(ROOT, "C", BAR_party, .b = &my->b, .before = 20);
    GO(ROOT, "D", BAR_party, .b = &my->b, .before = 20);
    GO(ROOT, "E", BAR_party, .b = &my->b, .before = 20);
    AX_AWAIT(ms(me, 10));
    ax_barrier_reset(&my->b);
    AX_AWAIT(ms(me, 15));
    BAR_STATE;
    ENDS;
}

/* reset of an empty barrier does nothing; reset heals an aborted one */
struct BAR_08 { ACTOR; ax_barrier b; };
SCENARIO(BAR_08) {
    BEGINS;
    ax_barrier_init(&my->b, 2);
    ax_barrier_reset(&my->b);
    say("broken(%s)", truth(my->b.broken));
    ax_barrier_abort(&my->b);
    GO(ROOT, "A", BAR_party, .b = &my->b);
    AX_AWAIT(ms(me, 5));
    ax_barrier_reset(&my->b);
    say("broken(%s)", truth(my->b.broken));
    GO(ROOT, "B", BAR_party, .b = &my->b);
    GO(ROOT, "C", BAR_party, .b = &my->b);
    AX_AWAIT(ms(me, 1));
    BAR_STATE;
    ENDS;
}

/* who arrives while a round is on its way out is of the next round */
struct BAR_09 { ACTOR; ax_barrier b; };
SCENARIO(BAR_09) {
    BEGINS;
    ax_barrier_init(&my->b, 2);
    GO(ROOT, "A", BAR_party, .b = &my->b);
    AX_AWAIT(ms(me, 10));
    GO(ROOT, "B", BAR_party, .b = &my->b);
    GO(ROOT, "C", BAR_party, .b = &my->b);
    GO(ROOT, "D", BAR_party, .b = &my->b);
    AX_AWAIT(ms(me, 5));
    BAR_STATE;
    ENDS;
}

/* a time-out of one party does not break the barrier */
struct BAR_12_a { ACTOR; ax_barrier *b; };
AX_ASYNC(BAR_12_a) {
    BEGINS;
    AX_TRY(AX_WITHIN(AX_MS(10), ax_barrier_wait(me, my->b)));
    say_error(me->rc);
    ENDS;
}
struct BAR_12 { ACTOR; ax_barrier b; };
SCENARIO(BAR_12) {
    BEGINS;
    ax_barrier_init(&my->b, 2);
    GO(ROOT, "A", BAR_12_a, .b = &my->b);
    GO(ROOT, "B", BAR_party, .b = &my->b, .before = 20);
    GO(ROOT, "C", BAR_party, .b = &my->b, .before = 30);
    AX_AWAIT(ms(me, 40));
    BAR_STATE;
    ENDS;
}
