/* EVT, SEM, LOCK: direct hand-off in FIFO order. */

/* set wakes all waiters in FIFO order */
struct EVT_w { ACTOR; ax_event *e; int tells; };
AX_ASYNC(EVT_w) {
    BEGINS;
    AX_AWAIT(ax_event_wait(me, my->e));
    if (my->tells) say("woke(%s)", truth(my->e->set));
    else say("woke");
    ENDS;
}
struct EVT_01 { ACTOR; ax_event e; };
SCENARIO(EVT_01) {
    BEGINS;
    GO(ROOT, "A", EVT_w, .e = &my->e);
    GO(ROOT, "B", EVT_w, .e = &my->e);
    GO(ROOT, "C", EVT_w, .e = &my->e);
    AX_AWAIT(ms(me, 10));
    ax_event_set(&my->e);
    AX_AWAIT(ms(me, 5));
    AX_AWAIT(ax_event_wait(me, &my->e));
    say("no_wait");
    state("set=%s waiters=%d", truth(my->e.set), ax_waiters(&my->e.waiters));
    ENDS;
}

/* a task that starts after set goes straight through and is ahead of those woken */
struct EVT_02 { ACTOR; ax_event e; };
SCENARIO(EVT_02) {
    BEGINS;
    GO(ROOT, "A", EVT_w, .e = &my->e);
    GO(ROOT, "B", EVT_w, .e = &my->e);
    AX_AWAIT(ms(me, 0));
    GO(ROOT, "C", EVT_w, .e = &my->e);
    ax_event_set(&my->e);
    ENDS;
}

/* set then clear in one step: those who waited still wake, the flag is clear */
struct EVT_03 { ACTOR; ax_event e; };
SCENARIO(EVT_03) {
    BEGINS;
    GO(ROOT, "A", EVT_w, .e = &my->e, .tells = 1);
    GO(ROOT, "B", EVT_w, .e = &my->e, .tells = 1);
    AX_AWAIT(ms(me, 0));
    ax_event_set(&my->e);
    ax_event_clear(&my->e);
    GO(ROOT, "C", EVT_w, .e = &my->e, .tells = 1);
    AX_AWAIT(ms(me, 5));
    state("set=%s waiters=%d", truth(my->e.set), ax_waiters(&my->e.waiters));
    ENDS;
}

/* set twice and clear twice are harmless */
struct EVT_04 { ACTOR; ax_event e; };
SCENARIO(EVT_04) {
    BEGINS;
    GO(ROOT, "A", EVT_w, .e = &my->e);
    AX_AWAIT(ms(me, 0));
    ax_event_set(&my->e);
    ax_event_set(&my->e);
    ax_event_clear(&my->e);
    ax_event_clear(&my->e);
    ax_event_set(&my->e);
    AX_AWAIT(ms(me, 1));
    state("set=%s waiters=%d", truth(my->e.set), ax_waiters(&my->e.waiters));
    ENDS;
}

/* a cancelled waiter is removed */
struct EVT_05 { ACTOR; ax_event e; ax_task *a; };
SCENARIO(EVT_05) {
    BEGINS;
    my->a = GO(ROOT, "A", EVT_w, .e = &my->e);
    GO(ROOT, "B", EVT_w, .e = &my->e);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 5));
    say("waiters(%d)", ax_waiters(&my->e.waiters));
    ax_event_set(&my->e);
    AX_AWAIT(ms(me, 1));
    state("waiters=%d", ax_waiters(&my->e.waiters));
    ENDS;
}

/* permits bound concurrency; waiters FIFO */
#define SEM_STATE state("value=%d waiters=%d", my->s.permits, ax_waiters(&my->s.waiters))
struct SEM_01_w { ACTOR; ax_sem *s; ax_permit permit; };
AX_ASYNC(SEM_01_w) {
    BEGINS;
    AX_AWAIT(ax_sem_enter(me, my->s, &my->permit));
    say("acquired");
    AX_AWAIT(ms(me, 10));
    say("release");
    ENDS;
}
struct SEM_01 { ACTOR; ax_sem s; };
SCENARIO(SEM_01) {
    BEGINS;
    ax_sem_init(&my->s, 2, 0);
    GO(ROOT, "A", SEM_01_w, .s = &my->s);
    GO(ROOT, "B", SEM_01_w, .s = &my->s);
    GO(ROOT, "C", SEM_01_w, .s = &my->s);
    GO(ROOT, "D", SEM_01_w, .s = &my->s);
    AX_AWAIT(ms(me, 30));
    SEM_STATE;
    ENDS;
}

/* re-acquire goes behind those already waiting */
struct SEM_02_w { ACTOR; ax_sem *s; int i; };
AX_ASYNC(SEM_02_w) {
    BEGINS;
    for (my->i = 1; my->i <= 2; my->i++) {
        AX_AWAIT(ax_sem_acquire(me, my->s));
        say("acquired%d", my->i);
        AX_AWAIT(ms(me, 10));
        ax_sem_release(my->s);
    }
    ENDS;
}
struct SEM_02 { ACTOR; ax_sem s; };
SCENARIO(SEM_02) {
    BEGINS;
    ax_sem_init(&my->s, 1, 0);
    GO(ROOT, "A", SEM_02_w, .s = &my->s);
    GO(ROOT, "B", SEM_02_w, .s = &my->s);
    GO(ROOT, "C", SEM_02_w, .s = &my->s);
    ENDS;
}

/* several releases in one step wake as many waiters */
struct SEM_w { ACTOR; ax_sem *s; };
AX_ASYNC(SEM_w) {
    BEGINS;
    AX_AWAIT(ax_sem_acquire(me, my->s));
    say("acquired");
    ENDS;
}
struct SEM_04 { ACTOR; ax_sem s; };
SCENARIO(SEM_04) {
    BEGINS;
    ax_sem_init(&my->s, 0, 0);
    GO(ROOT, "A", SEM_w, .s = &my->s);
    GO(ROOT, "B", SEM_w, .s = &my->s);
    GO(ROOT, "C", SEM_w, .s = &my->s);
    GO(ROOT, "D", SEM_w, .s = &my->s);
    AX_AWAIT(ms(me, 0));
    ax_sem_release(&my->s);
    ax_sem_release(&my->s);
    ax_sem_release(&my->s);
    AX_AWAIT(ms(me, 5));
    SEM_STATE;
    ENDS;
}

/* initial values; over-release of a bounded one */
struct SEM_05 { ACTOR; ax_sem bad, b, u, zero; };
SCENARIO(SEM_05) {
    BEGINS;
    say_error(ax_sem_init(&my->bad, -1, 0));
    ax_sem_init(&my->b, 1, 1);
    ax_sem_init(&my->u, 1, 0);
    say_error(ax_sem_release(&my->b));
    AX_AWAIT(ax_sem_acquire(me, &my->b));
    ax_sem_release(&my->b);
    say_error(ax_sem_release(&my->b));
    ax_sem_release(&my->u);
    ax_sem_release(&my->u);
    ax_sem_init(&my->zero, 0, 0);
    state("bounded=%d unbounded=%d zero_locked=%s", my->b.permits, my->u.permits, truth(ax_sem_try_acquire(&my->zero) == AX_EAGAIN));
    ENDS;
}

/* release, then cancel the waiter that was granted: it has the permit; its cancel is met later */
struct SEM_07 { ACTOR; ax_sem s; ax_task *a; };
SCENARIO(SEM_07) {
    BEGINS;
    ax_sem_init(&my->s, 0, 0);
    my->a = GO(ROOT, "A", SEM_w, .s = &my->s);
    GO(ROOT, "B", SEM_w, .s = &my->s);
    AX_AWAIT(ms(me, 0));
    ax_sem_release(&my->s);
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 5));
    SEM_STATE;
    ENDS;
}

/* a cancelled head does not block the others */
struct SEM_09 { ACTOR; ax_sem s; ax_task *a; };
SCENARIO(SEM_09) {
    BEGINS;
    ax_sem_init(&my->s, 0, 0);
    my->a = GO(ROOT, "A", SEM_w, .s = &my->s);
    GO(ROOT, "B", SEM_w, .s = &my->s);
    GO(ROOT, "C", SEM_w, .s = &my->s);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 5));
    ax_sem_release(&my->s);
    ax_sem_release(&my->s);
    AX_AWAIT(ms(me, 1));
    SEM_STATE;
    ENDS;
}

/* an error in the body returns the permit */
struct SEM_15_a { ACTOR; ax_sem *s; ax_permit permit; };
AX_ASYNC(SEM_15_a) {
    BEGINS;
    AX_AWAIT(ax_sem_enter(me, my->s, &my->permit));
    AX_AWAIT(ms(me, 5));
    AX_RETURN(E1);
    ENDS;
}
struct SEM_15_b { ACTOR; ax_sem *s; ax_permit permit; };
AX_ASYNC(SEM_15_b) {
    BEGINS;
    AX_AWAIT(ax_sem_enter(me, my->s, &my->permit));
    say("acquired");
    ENDS;
}
struct SEM_15 { ACTOR; ax_sem s; };
SCENARIO(SEM_15) {
    BEGINS;
    ax_sem_init(&my->s, 1, 0);
    GO(ROOT, "A", SEM_15_a, .s = &my->s);
    GO(ROOT, "B", SEM_15_b, .s = &my->s);
    AX_AWAIT(ms(me, 10));
    SEM_STATE;
    ENDS;
}

/* uncontended acquire does not suspend */
struct SEM_16_b { ACTOR; ax_sem *s; };
AX_ASYNC(SEM_16_b) {
    BEGINS;
    say("release");
    ax_sem_release(my->s);
    ENDS;
}
struct SEM_16 { ACTOR; ax_sem s; };
SCENARIO(SEM_16) {
    BEGINS;
    ax_sem_init(&my->s, 2, 0);
    GO(ROOT, "B", SEM_16_b, .s = &my->s);
    AX_AWAIT(ax_sem_acquire(me, &my->s));
    AX_AWAIT(ax_sem_acquire(me, &my->s));
    say("both");
    AX_AWAIT(ax_sem_acquire(me, &my->s));
    say("third");
    state("value=%d", my->s.permits);
    ENDS;
}

/* lock: waiters get it in FIFO order */
#define LOCKED truth(my->lock.owner != NULL)
#define LOCK_STATE state("locked=%s waiters=%d", LOCKED, ax_waiters(&my->lock.waiters))
struct LOCK_w { ACTOR; ax_mutex *lock; int before, hold, quiet, error; };
AX_ASYNC(LOCK_w) { /* the lock is a scope: it is free again when the body is left */
    BEGINS;
    if (my->before) AX_AWAIT(ms(me, my->before));
    AX_AWAIT(ax_mutex_lock(me, my->lock));
    if (!my->quiet) say("acquired");
    if (my->hold) AX_AWAIT(ms(me, my->hold));
    AX_RETURN(my->error);
    ENDS;
}
struct LOCK_01 { ACTOR; ax_mutex lock; };
SCENARIO(LOCK_01) {
    BEGINS;
    GO(ROOT, "A", LOCK_w, .lock = &my->lock, .hold = 10);
    GO(ROOT, "B", LOCK_w, .lock = &my->lock, .hold = 10);
    GO(ROOT, "C", LOCK_w, .lock = &my->lock, .hold = 10);
    GO(ROOT, "D", LOCK_w, .lock = &my->lock, .hold = 10);
    AX_AWAIT(ms(me, 50));
    LOCK_STATE;
    ENDS;
}

/* unlocking what nobody holds is misuse */
struct LOCK_02 { ACTOR; ax_mutex lock; };
SCENARIO(LOCK_02) {
    BEGINS;
    say_error(ax_mutex_unlock(me, &my->lock));
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    ax_mutex_unlock(me, &my->lock);
    say_error(ax_mutex_unlock(me, &my->lock));
    state("locked=%s", LOCKED);
    ENDS;
}

/* an uncontended lock does not suspend */
struct LOCK_03 { ACTOR; ax_mutex lock; int i; };
SCENARIO(LOCK_03) {
    BEGINS;
    GO(ROOT, "B", ran);
    for (; my->i < 2; my->i++) {
        AX_AWAIT(ax_mutex_lock(me, &my->lock));
        ax_mutex_unlock(me, &my->lock);
    }
    say("before_yield");
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* a cancelled waiter leaves the queue */
struct LOCK_04 { ACTOR; ax_mutex lock; ax_task *b; };
SCENARIO(LOCK_04) {
    BEGINS;
    GO(ROOT, "A", LOCK_w, .lock = &my->lock, .hold = 30);
    my->b = GO(ROOT, "B", LOCK_w, .lock = &my->lock, .hold = 1);
    GO(ROOT, "C", LOCK_w, .lock = &my->lock, .hold = 1);
    AX_AWAIT(ms(me, 10));
    ax_cancel(my->b);
    AX_AWAIT(ms(me, 1));
    say("waiters(%d)", ax_waiters(&my->lock.waiters));
    AX_AWAIT(ms(me, 30));
    LOCK_STATE;
    ENDS;
}

/* unlock first, then cancel the waiter it was meant for: it has the lock; its cancel is met later */
struct LOCK_06 { ACTOR; ax_mutex lock; ax_task *b; };
SCENARIO(LOCK_06) {
    BEGINS;
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    my->b = GO(ROOT, "B", LOCK_w, .lock = &my->lock);
    GO(ROOT, "C", LOCK_w, .lock = &my->lock);
    AX_AWAIT(ms(me, 0));
    ax_mutex_unlock(me, &my->lock);
    ax_cancel(my->b);
    AX_AWAIT(ms(me, 5));
    LOCK_STATE;
    ENDS;
}

/* not reentrant; a lock with an owner says so at once */
struct LOCK_09 { ACTOR; ax_mutex lock; };
SCENARIO(LOCK_09) {
    BEGINS;
    AX_AWAIT(ax_mutex_lock(me, &my->lock));
    AX_TRY(AX_WITHIN(AX_MS(10), ax_mutex_lock(me, &my->lock)));
    say_error(me->rc);
    ax_mutex_unlock(me, &my->lock);
    LOCK_STATE;
    ENDS;
}

/* only the owner may unlock; an error in the body unlocks too */
struct LOCK_10 { ACTOR; ax_mutex lock; int rc; };
SCENARIO(LOCK_10) {
    BEGINS;
    GO(ROOT, "A", LOCK_w, .lock = &my->lock, .hold = 50, .quiet = 1);
    GO(ROOT, "B", LOCK_w, .lock = &my->lock, .before = 5);
    GO(ROOT, "C", LOCK_w, .lock = &my->lock, .before = 20, .quiet = 1, .error = E1);
    AX_AWAIT(ms(me, 10));
    my->rc = ax_mutex_unlock(me, &my->lock);
    if (my->rc < 0) say_error(my->rc);
    AX_AWAIT(ms(me, 20));
    state("locked=%s", LOCKED);
    ENDS;
}
