/* Generators: items in order, the ways in which one ends, and what it holds while it pauses. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

#define AT ms(me->loop)

static ax_sem sem;
static ax_mutex mutex;
static ax_cond cond;
static char deferred[] = "deferred";
static void note(void *text) { LOG("%s", (const char *)text); }
static void fresh(void) {
    ax_sem_init(&sem, 1, 1);
    memset(&mutex, 0, sizeof mutex);
    ax_cond_init(&cond, &mutex);
}

/* Gives 1 to n, `pause` apart, ends with a status; "G:0 rc=0@12" is its status, how its cleanup's wait ended, and when. */
struct count { ax_frame frame; const char *name; int n, pause, status, cleanup, item; };
AX_ASYNC(count) {
    AX_BEGIN;
    while (my->item < my->n) {
        my->item++;
        AX_EMIT();
        if (my->pause) AX_AWAIT(ax_sleep(me, AX_MS(my->pause)));
    }
    AX_RETURN(my->status);
    AX_FINALLY:
    if (my->cleanup) AX_AWAIT(ax_sleep(me, AX_MS(my->cleanup)));
    if (my->name) LOG("%s:%d rc=%d@%d", my->name, ax_leaving(me), my->cleanup ? me->rc : 0, AT);
    AX_END;
}
typedef AX_GENERATOR(count) counter;

/* ---- items, the end, errors ---- */

struct iterates { ax_frame frame; int n, pause, status, again; counter c; };
AX_ASYNC(iterates) {
    AX_BEGIN;
    LOG("open=%d", AX_GENERATE(&my->c, count, .name = "G", .n = my->n, .pause = my->pause, .status = my->status, .cleanup = 3));
    AX_WHILE(ax_next(me, &my->c.generator)) LOG("%d@%d", my->c.frame.item, AT);
    LOG("end=%d@%d", me->rc, AT);
    for (; my->again; my->again--) {
        AX_AWAIT(ax_next(me, &my->c.generator));
        LOG("next=%d item=%d", me->rc, my->c.frame.item);
    }
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct asks { ax_frame frame; int n, status, i; counter c; };
AX_ASYNC(asks) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .n = my->n, .status = my->status);
    for (; my->i < 4; my->i++) {
        AX_TRY(ax_next(me, &my->c.generator));
        LOG("%d", me->rc);
    }
    AX_END;
}
struct reuses { ax_frame frame; counter c; int round; };
AX_ASYNC(reuses) {
    AX_BEGIN;
    for (; my->round < 4; my->round++) {
        LOG("open=%d", AX_GENERATE(&my->c, count, .n = 2, .name = "G"));
        if (my->round == 3) AX_RETURN(0);
        AX_WHILE(ax_next(me, &my->c.generator)) {
            LOG("%d", my->c.frame.item);
            if (my->round == 2) break;
        }
        if (my->round == 2) AX_AWAIT(ax_generator_close(me, &my->c.generator));
    }
    AX_END;
}
struct opens_twice { ax_frame frame; counter c; };
AX_ASYNC(opens_twice) {
    AX_BEGIN;
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("never opened:%d", me->rc);
    AX_GENERATE(&my->c, count, .n = 2);
    AX_AWAIT(ax_next(me, &my->c.generator));
    LOG("open=%d", AX_GENERATE(&my->c, count, .n = 7));
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("next=%d", me->rc);
    AX_AWAIT(ax_next(me, &my->c.generator));
    LOG("next=%d item=%d", me->rc, my->c.frame.item);
    AX_AWAIT(ax_next(me, &my->c.generator));
    LOG("next=%d", me->rc);
    AX_END;
}

/* ---- closing ---- */

struct breaks { ax_frame frame; int status; counter c; };
AX_ASYNC(breaks) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 9, .pause = 2, .cleanup = 5);
    AX_WHILE(ax_next(me, &my->c.generator))
        if (my->c.frame.item == 3) break;
    LOG("item=%d@%d", my->c.frame.item, AT);
    AX_RETURN(my->status);
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("next=%d", me->rc);
    AX_END;
}
/* Opened anew after a break: refused, and the loop over it does not go on with the old one. */
struct breaks_twice { ax_frame frame; int i, closes; counter c; };
AX_ASYNC(breaks_twice) {
    AX_BEGIN;
    for (my->i = 0; my->i < 2; my->i++) {
        LOG("open:%d", AX_GENERATE(&my->c, count, .name = "G", .n = 9));
        AX_WHILE(ax_next(me, &my->c.generator))
            if (my->c.frame.item == 3) break;
        LOG("item=%d", my->c.frame.item);
        if (my->closes) AX_AWAIT(ax_generator_close(me, &my->c.generator));
    }
    AX_END;
}
struct closes { ax_frame frame; int takes; counter c; };
AX_ASYNC(closes) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 3, .cleanup = 10, .status = AX_EPIPE);
    while (my->takes--) AX_AWAIT(ax_next(me, &my->c.generator));
    AX_AWAIT(ax_generator_close(me, &my->c.generator));
    LOG("close=%d@%d", me->rc, AT);
    AX_AWAIT(ax_generator_close(me, &my->c.generator));
    LOG("close=%d@%d", me->rc, AT);
    AX_AWAIT(ax_next(me, &my->c.generator));
    LOG("next=%d", me->rc);
    AX_END;
}
enum { CLOSE, LEAVE, ASK };
struct helper { ax_frame frame; };
AX_ASYNC(helper) {
    AX_BEGIN;
    AX_EMIT();
    LOG("never");
    AX_END;
}
struct emits_late { ax_frame frame; int ends; };
AX_ASYNC(emits_late) {
    AX_BEGIN;
    AX_EMIT();
    if (!my->ends) AX_EMIT();
    AX_FINALLY:
    AX_TRY(AX_CALL(helper));
    LOG("cleanup:%d", me->rc);
    AX_END;
}
struct late { ax_frame frame; int how, status; AX_GENERATOR(emits_late) g; };
AX_ASYNC(late) {
    AX_BEGIN;
    AX_GENERATE(&my->g, emits_late, .ends = my->how == ASK);
    AX_AWAIT(ax_next(me, &my->g.generator));
    if (my->how == CLOSE) AX_TRY(ax_generator_close(me, &my->g.generator));
    else if (my->how == ASK) AX_TRY(ax_next(me, &my->g.generator));
    else AX_RETURN(my->status);
    LOG("rc=%d", me->rc);
    AX_TRY(ax_next(me, &my->g.generator));
    LOG("then=%d", me->rc);
    AX_END;
}
struct by_helper { ax_frame frame; };
AX_ASYNC(by_helper) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(helper));
    AX_END;
}
struct outside { ax_frame frame; AX_GENERATOR(by_helper) g; };
AX_ASYNC(outside) {
    AX_BEGIN;
    AX_TRY(AX_CALL(helper));
    LOG("call:%d", me->rc);
    AX_GENERATE(&my->g, by_helper);
    AX_TRY(ax_next(me, &my->g.generator));
    LOG("next:%d", me->rc);
    AX_EMIT();
    LOG("never");
    AX_FINALLY:
    LOG("M:%d", ax_leaving(me));
    AX_END;
}
struct oneself { ax_frame frame; ax_generator *own; };
AX_ASYNC(oneself) {
    AX_BEGIN;
    AX_TRY(ax_next(me, my->own));
    LOG("next:%d", me->rc);
    AX_EMIT();
    AX_FINALLY:
    AX_TRY(ax_generator_close(me, my->own));
    LOG("close:%d", me->rc);
    AX_END;
}
struct asks_itself { ax_frame frame; AX_GENERATOR(oneself) g; };
AX_ASYNC(asks_itself) {
    AX_BEGIN;
    AX_GENERATE(&my->g, oneself, .own = &my->g.generator);
    AX_AWAIT(ax_next(me, &my->g.generator));
    LOG("item");
    AX_END;
}

/* ---- generators over generators ---- */

struct doubled { ax_frame frame; counter *from, own; const char *name; int item; };
AX_ASYNC(doubled) { /* over one that it opens, or over one that it is given */
    AX_BEGIN;
    if (!my->from) {
        AX_GENERATE(&my->own, count, .name = "C", .n = 5, .pause = 1, .cleanup = 2);
        my->from = &my->own;
    }
    AX_WHILE(ax_next(me, &my->from->generator)) {
        my->item = 2 * my->from->frame.item;
        AX_EMIT();
    }
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    AX_TRY(ax_next(me, &my->from->generator));
    LOG("%s:%d next=%d@%d", my->name, ax_leaving(me), me->rc, AT);
    AX_END;
}
typedef AX_GENERATOR(doubled) doubler;
struct stack { ax_frame frame; int until, close; doubler d; };
AX_ASYNC(stack) {
    AX_BEGIN;
    AX_GENERATE(&my->d, doubled, .name = "D");
    AX_WHILE(ax_next(me, &my->d.generator)) {
        LOG("%d@%d", my->d.frame.item, AT);
        if (my->d.frame.item == my->until) break;
    }
    if (my->close) AX_AWAIT(ax_generator_close(me, &my->d.generator));
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct line { ax_frame frame; counter c; doubler a, b; ax_deferred defer; };
AX_ASYNC(line) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "C", .n = 9, .cleanup = 1);
    ax_defer(me, &my->defer, note, deferred);
    AX_GENERATE(&my->a, doubled, .name = "A", .from = &my->c);
    AX_GENERATE(&my->b, doubled, .name = "B", .from = &my->c);
    AX_AWAIT(ax_next(me, &my->a.generator));
    AX_AWAIT(ax_next(me, &my->b.generator));
    LOG("%d,%d", my->a.frame.item, my->b.frame.item);
    AX_FINALLY:
    LOG("M@%d", AT);
    AX_END;
}
struct inner_closed { ax_frame frame; doubler d; };
AX_ASYNC(inner_closed) { /* what a paused generator has opened, used and closed by others */
    AX_BEGIN;
    AX_GENERATE(&my->d, doubled, .name = "D");
    AX_AWAIT(ax_next(me, &my->d.generator));
    AX_AWAIT(ax_next(me, &my->d.frame.own.generator));
    AX_AWAIT(ax_generator_close(me, &my->d.frame.own.generator));
    LOG("%d close=%d", my->d.frame.own.frame.item, me->rc);
    AX_AWAIT(ax_next(me, &my->d.generator));
    LOG("next=%d", me->rc);
    AX_END;
}

/* ---- cancels and limits from outside ---- */

struct consumer { ax_frame frame; int swallow, close; counter c; };
AX_ASYNC(consumer) { /* inside ax_next until 10, then in its own body until 20, then in the generator's cleanup until 30 */
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 3, .pause = 10, .cleanup = 10);
    AX_AWAIT(ax_next(me, &my->c.generator));
    AX_AWAIT(ax_next(me, &my->c.generator));
    if (my->swallow) AX_TRY_ALL(ax_sleep(me, AX_MS(10)));
    else AX_AWAIT(ax_sleep(me, AX_MS(10)));
    if (my->close) {
        AX_AWAIT(ax_generator_close(me, &my->c.generator));
        LOG("close=%d@%d", me->rc, AT);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct cancels { ax_frame frame; int when, close, swallow; ax_group g; AX_TASK(consumer) job; };
AX_ASYNC(cancels) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN_IN(&my->g, &my->job, consumer, .close = my->close, .swallow = my->swallow);
    AX_AWAIT(ax_sleep(me, AX_MS(my->when)));
    ax_cancel(&my->job.task);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("status=%d", ax_task_status(&my->job.task));
    AX_END;
}
struct within { ax_frame frame; int limit, cleanup; counter c; };
AX_ASYNC(within) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 5, .pause = 10, .cleanup = my->cleanup);
    do {
        AX_TRY(AX_WITHIN(AX_MS(my->limit), ax_next(me, &my->c.generator)));
        LOG("rc=%d expired=%d@%d", me->rc, ax_expired(me), AT);
        my->limit -= 4;
    } while (me->rc > 0);
    AX_AWAIT(ax_sleep(me, AX_MS(50)));
    LOG("count=%d", ax_cancelling(me));
    AX_END;
}
struct tight { ax_frame frame; counter c; int seen; };
AX_ASYNC(tight) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .n = 1000000);
    AX_AWAIT(ax_next(me, &my->c.generator));
    ax_cancel(me);
    AX_WHILE(ax_next(me, &my->c.generator)) my->seen++;
    LOG("never");
    AX_FINALLY:
    LOG("M:%d few=%d", ax_leaving(me), my->seen <= 2 * ASYNCX_AWAITS);
    AX_END;
}
struct put_off { ax_frame frame; int group; counter a, b; ax_group g; };
AX_ASYNC(put_off) {
    AX_BEGIN;
    AX_GENERATE(&my->a, count, .name = "A", .n = 5, .cleanup = 5);
    if (my->group) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, sleeper, .name = "kid", .time = 100);
    }
    AX_GENERATE(&my->b, count, .name = "B", .n = 5, .cleanup = 5);
    AX_AWAIT(ax_next(me, &my->a.generator));
    AX_AWAIT(ax_next(me, &my->b.generator));
    ax_cancel(me);
    AX_RETURN(7);
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("F:%d rc=%d@%d", ax_leaving(me), me->rc, AT);
    AX_END;
}
struct meets { ax_frame frame; int group; };
AX_ASYNC(meets) {
    AX_BEGIN;
    AX_TRY_ALL(AX_CALL(put_off, .group = my->group));
    LOG("call=%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("next=%d@%d", me->rc, AT);
    AX_END;
}

/* ---- what is held across a pause ---- */

enum { PERMIT = 1, LIMIT = 2, MUTEX = 4, CHILDREN = 8, DEFER = 16, FAILING = 32 };
struct holder { ax_frame frame; int what, limit, item, nap; ax_permit permit; ax_timeout t; ax_group g; ax_deferred d; };
AX_ASYNC(holder) {
    AX_BEGIN;
    if (my->what & PERMIT) AX_AWAIT(ax_sem_enter(me, &sem, &my->permit));
    if (my->what & LIMIT) ax_timeout_open(me, &my->t, AX_MS(my->limit));
    if (my->what & MUTEX) AX_AWAIT(ax_mutex_lock(me, &mutex));
    if (my->what & DEFER) ax_defer(me, &my->d, note, deferred);
    if (my->what & (CHILDREN | FAILING)) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, sleeper, .name = "kid", .time = my->what & FAILING ? 5 : 100, .status = my->what & FAILING ? AX_EPIPE : 0, .cleanup = 4);
    }
    for (;;) {
        my->item++;
        AX_EMIT();
        AX_AWAIT(ax_sleep(me, AX_MS(my->nap ? my->nap : 1)));
    }
    AX_FINALLY:
    LOG("H:%d permits=%d owner=%d@%d", ax_leaving(me), sem.permits, mutex.owner != NULL, AT);
    AX_END;
}
typedef AX_GENERATOR(holder) holding;

struct holds { ax_frame frame; int close; holding h; };
AX_ASYNC(holds) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = PERMIT | LIMIT | MUTEX | DEFER | CHILDREN, .limit = 50);
    AX_AWAIT(ax_next(me, &my->h.generator));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    AX_TRY(AX_WITHIN(AX_MS(1), ax_mutex_lock(me, &mutex)));
    LOG("permits=%d lock=%d", sem.permits, me->rc);
    AX_AWAIT(ax_next(me, &my->h.generator));
    if (my->close) AX_AWAIT(ax_generator_close(me, &my->h.generator));
    AX_FINALLY:
    LOG("M permits=%d owner=%d@%d", sem.permits, mutex.owner != NULL, AT);
    AX_END;
}
struct limit_inside { ax_frame frame; int wait, nap, outer, swallow; holding h; };
AX_ASYNC(limit_inside) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = LIMIT, .limit = 10, .nap = my->nap);
    AX_AWAIT(ax_next(me, &my->h.generator));
    if (my->swallow) ax_cancel(me);
    AX_TRY_ALL(ax_sleep(me, AX_MS(my->wait)));
    AX_TRY(AX_WITHIN(AX_MS(my->outer), ax_next(me, &my->h.generator)));
    LOG("next=%d expired=%d,%d count=%d@%d", me->rc, ax_expired(me), my->h.frame.t.expired, ax_cancelling(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(30)));
    AX_END;
}
struct close_slow { ax_frame frame; int limit; holding h; };
AX_ASYNC(close_slow) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = LIMIT | CHILDREN, .limit = my->limit);
    AX_AWAIT(ax_next(me, &my->h.generator));
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_AWAIT(ax_generator_close(me, &my->h.generator));
    LOG("close=%d count=%d@%d", me->rc, ax_cancelling(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(30)));
    AX_END;
}
struct group_inside { ax_frame frame; int how; holding h; };
AX_ASYNC(group_inside) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = FAILING);
    AX_AWAIT(ax_next(me, &my->h.generator));
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("slept count=%d", ax_cancelling(me));
    if (my->how == LEAVE) AX_RETURN(3);
    if (my->how == CLOSE) AX_TRY(ax_generator_close(me, &my->h.generator));
    else AX_TRY(ax_next(me, &my->h.generator));
    LOG("rc=%d count=%d@%d", me->rc, ax_cancelling(me), AT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct trespasses { ax_frame frame; holding h; };
AX_ASYNC(trespasses) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = PERMIT | LIMIT | MUTEX | CHILDREN, .limit = 1000);
    AX_AWAIT(ax_next(me, &my->h.generator));
    LOG("%d %d", ax_mutex_unlock(me, &mutex), ax_cond_notify(me, &cond, 1));
    LOG("%d %d", ax_sem_leave(&my->h.frame.permit), ax_timeout_close(&my->h.frame.t)); /* these ask for no owner */
    AX_TRY(ax_cond_wait(me, &cond));
    LOG("cond=%d", me->rc);
    AX_TRY(ax_group_join(me, &my->h.frame.g));
    LOG("join=%d spawn=%d", me->rc, AX_SPAWN(&my->h.frame.g, sleeper, .name = "guest", .time = 3) != NULL);
    AX_AWAIT(ax_next(me, &my->h.generator));
    LOG("item=%d", my->h.frame.item);
    AX_END;
}
struct waits_cond { ax_frame frame; };
AX_ASYNC(waits_cond) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    for (;;) {
        AX_AWAIT(ax_cond_wait(me, &cond));
        AX_EMIT();
    }
    AX_END;
}
struct notifies { ax_frame frame; };
AX_ASYNC(notifies) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    LOG("notified=%d", ax_cond_notify(me, &cond, 1));
    AX_END;
}
struct cond_inside { ax_frame frame; ax_group g; AX_GENERATOR(waits_cond) c; };
AX_ASYNC(cond_inside) { /* the generator's mutex, and its condition */
    AX_BEGIN;
    fresh();
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, notifies);
    AX_GENERATE(&my->c, waits_cond);
    AX_AWAIT(ax_next(me, &my->c.generator));
    LOG("item@%d its=%d", AT, mutex.owner == &my->c.generator.task);
    AX_TRY(AX_WITHIN(AX_MS(2), ax_next(me, &my->c.generator)));
    LOG("rc=%d unlocked=%d@%d", me->rc, !mutex.owner, AT);
    AX_END;
}

/* ---- other frames and other tasks as consumers ---- */

struct takes { ax_frame frame; const char *name; ax_generator *g; int n, wait, *item; };
AX_ASYNC(takes) {
    AX_BEGIN;
    if (my->wait) AX_AWAIT(ax_sleep(me, AX_MS(my->wait)));
    while (my->n--) {
        AX_TRY(ax_next(me, my->g));
        LOG("%s=%d:%d@%d", my->name, me->rc, *my->item, AT);
    }
    LOG("%s.%d", my->name, ax_cancelling(me));
    AX_END;
}
struct closer { ax_frame frame; ax_generator *g; int wait; };
AX_ASYNC(closer) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(my->wait)));
    AX_TRY(ax_generator_close(me, my->g));
    LOG("close=%d@%d", me->rc, AT);
    AX_END;
}
struct by_call { ax_frame frame; counter c; };
AX_ASYNC(by_call) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 4, .pause = 1, .cleanup = 2);
    AX_AWAIT(AX_CALL(takes, .name = "a", .g = &my->c.generator, .n = 2, .item = &my->c.frame.item));
    AX_TRY(AX_WITHIN(AX_US(500), AX_CALL(takes, .name = "b", .g = &my->c.generator, .n = 2, .item = &my->c.frame.item)));
    LOG("rc=%d expired=%d", me->rc, ax_expired(me));
    AX_AWAIT(AX_CALL(takes, .name = "c", .g = &my->c.generator, .n = 1, .item = &my->c.frame.item));
    AX_END;
}
struct busy { ax_frame frame; ax_group g; counter c; };
AX_ASYNC(busy) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 4, .pause = 10, .cleanup = 10);
    AX_AWAIT(ax_next(me, &my->c.generator));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, takes, .name = "A", .g = &my->c.generator, .n = 1, .item = &my->c.frame.item);
    AX_SPAWN(&my->g, takes, .name = "B", .g = &my->c.generator, .n = 1, .wait = 5, .item = &my->c.frame.item);
    AX_SPAWN(&my->g, closer, .g = &my->c.generator, .wait = 6);
    AX_SPAWN(&my->g, closer, .g = &my->c.generator, .wait = 12); /* closes it, until 22 */
    AX_SPAWN(&my->g, closer, .g = &my->c.generator, .wait = 15);
    AX_SPAWN(&my->g, takes, .name = "D", .g = &my->c.generator, .n = 1, .wait = 30, .item = &my->c.frame.item);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct moves { ax_frame frame; int how; ax_group g; holding h; };
AX_ASYNC(moves) { /* begun by a task that ends, then used and closed by the opener or by a third */
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = PERMIT | LIMIT | MUTEX | CHILDREN | DEFER, .limit = 1000);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, takes, .name = "A", .g = &my->h.generator, .n = 1, .item = &my->h.frame.item);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(ax_checkpoint(me));
    if (my->how == CLOSE) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, takes, .name = "B", .g = &my->h.generator, .n = 1, .item = &my->h.frame.item);
        AX_SPAWN(&my->g, closer, .g = &my->h.generator, .wait = 5);
        AX_AWAIT(ax_group_join(me, &my->g));
    } else if (my->how == ASK) {
        AX_AWAIT(ax_next(me, &my->h.generator));
    }
    AX_FINALLY:
    LOG("M permits=%d owner=%d@%d", sem.permits, mutex.owner != NULL, AT);
    AX_END;
}
struct opener { ax_frame frame; int how, cleanup; ax_group *g; counter c; };
AX_ASYNC(opener) { /* its frame is left at 5 while another task is in ax_next, or closes */
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 4, .pause = my->how == ASK ? 50 : 1, .cleanup = my->cleanup);
    AX_AWAIT(ax_next(me, &my->c.generator));
    if (my->how == ASK) AX_SPAWN(my->g, takes, .name = "A", .g = &my->c.generator, .n = 1, .item = &my->c.frame.item);
    else AX_SPAWN(my->g, closer, .g = &my->c.generator, .wait = 4);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_FINALLY:
    LOG("left:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct leaves { ax_frame frame; int how, cleanup; ax_group g; };
AX_ASYNC(leaves) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_AWAIT(AX_CALL(opener, .how = my->how, .cleanup = my->cleanup, .g = &my->g));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct leaves_limited { ax_frame frame; };
AX_ASYNC(leaves_limited) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(8), AX_CALL(leaves, .how = ASK, .cleanup = 20)));
    LOG("rc=%d count=%d@%d", me->rc, ax_cancelling(me), AT);
    AX_END;
}
struct stubborn { ax_frame frame; int item; };
AX_ASYNC(stubborn) { /* swallows its cancel, and emits */
    AX_BEGIN;
    AX_EMIT();
    AX_TRY_ALL(ax_sleep(me, AX_MS(100)));
    my->item = 2;
    AX_EMIT();
    LOG("never");
    AX_FINALLY:
    LOG("G:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct leaves_stubborn { ax_frame frame; ax_group *g; AX_GENERATOR(stubborn) s; };
AX_ASYNC(leaves_stubborn) {
    AX_BEGIN;
    AX_GENERATE(&my->s, stubborn);
    AX_AWAIT(ax_next(me, &my->s.generator));
    AX_SPAWN(my->g, takes, .name = "A", .g = &my->s.generator, .n = 1, .item = &my->s.frame.item);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_END;
}
struct over_stubborn { ax_frame frame; ax_group g; };
AX_ASYNC(over_stubborn) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_AWAIT(AX_CALL(leaves_stubborn, .g = &my->g));
    AX_END;
}

/* ---- mistakes, memory ---- */

struct forgets { ax_frame frame; int close; holding h; };
AX_ASYNC(forgets) {
    AX_BEGIN;
    fresh();
    AX_GENERATE(&my->h, holder, .what = PERMIT | LIMIT, .limit = 100);
    AX_AWAIT(ax_next(me, &my->h.generator));
    {
        ax_op op = my->close ? ax_generator_close(me, &my->h.generator) : ax_next(me, &my->h.generator);
        (void)op;
    }
    AX_TRY(ax_sleep(me, AX_MS(1)));
    AX_TRY(ax_next(me, &my->h.generator));
    LOG("next=%d item=%d", me->rc, my->h.frame.item);
    AX_FINALLY:
    LOG("permits=%d", sem.permits);
    AX_END;
}
struct calls { ax_frame frame; int item; };
AX_ASYNC(calls) {
    AX_BEGIN;
    for (; my->item < 3; my->item++) {
        AX_AWAIT(AX_CALL(sleeper, .time = 1));
        AX_EMIT();
    }
    AX_FINALLY:
    LOG("G:%d", ax_leaving(me));
    AX_END;
}
struct over_calls { ax_frame frame; AX_GENERATOR(calls) g; };
AX_ASYNC(over_calls) {
    AX_BEGIN;
    AX_GENERATE(&my->g, calls);
    AX_WHILE(ax_next(me, &my->g.generator)) LOG("%d", my->g.frame.item);
    AX_END;
}
static void memory(void) {
    int i, failed = 0, status;
    for (i = 1; i < 40; i++) {
        ax_loop_desc *desc = kit_desc();
        kit_fail_at = i;
        status = AX_RUN_WITH(desc, over_calls);
        if (kit_allocations < i) break;
        if (status != AX_ENOMEM || kit_balance || (strstr(tap_trace, "G:") && !strstr(tap_trace, "G:-12"))) failed++;
    }
    ok(i > 4 && !failed, "out of memory at each of %d allocations: the error leaves through ax_next", i - 1);
    tap_trace[0] = 0;
}

/* A cancel is unmet when the consumer asks. The generator does not wait: the item comes, the cancel with the next wait. */
struct unmet { ax_frame frame; int pause; counter c; };
AX_ASYNC(unmet) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .name = "G", .n = 3, .pause = my->pause, .cleanup = 4);
    AX_AWAIT(ax_next(me, &my->c.generator));
    ax_cancel(me);
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("next=%d item=%d its=%d", me->rc, my->c.frame.item, ax_cancelling(&my->c.generator.task));
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep=%d", me->rc);
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("next=%d item=%d", me->rc, my->c.frame.item);
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct swallows { ax_frame frame; int item; };
AX_ASYNC(swallows) { /* keeps a cancel of its consumer, and gives an item all the same; then a limit of its own counts as ever */
    AX_BEGIN;
    AX_TRY_ALL(ax_sleep(me, AX_MS(50)));
    my->item = me->rc;
    AX_EMIT();
    AX_TRY(AX_WITHIN(AX_MS(5), ax_sleep(me, AX_MS(50))));
    my->item = me->rc;
    AX_EMIT();
    AX_END;
}
struct over_swallows { ax_frame frame; ax_timer t; AX_GENERATOR(swallows) s; };
static void cancel_it(ax_loop *l, void *task) { (void)l; ax_cancel((ax_task *)task); }
AX_ASYNC(over_swallows) {
    AX_BEGIN;
    AX_GENERATE(&my->s, swallows);
    ax_timer_start(me->loop, &my->t, ax_after(me->loop, AX_MS(3)), cancel_it, me);
    AX_TRY_ALL(ax_next(me, &my->s.generator));
    LOG("next=%d item=%d@%d", me->rc, my->s.frame.item, AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep=%d count=%d,%d", me->rc, ax_cancelling(me), ax_cancelling(&my->s.generator.task));
    AX_AWAIT(ax_next(me, &my->s.generator));
    LOG("next=%d item=%d@%d", me->rc, my->s.frame.item, AT);
    AX_END;
}

struct keeper { ax_frame frame; int kept, item; };
AX_ASYNC(keeper) { /* keeps the first cancel and waits on */
    AX_BEGIN;
    AX_TRY_ALL(ax_sleep(me, AX_MS(50)));
    LOG("kept:%d@%d", me->rc, AT);
    AX_AWAIT(ax_sleep(me, AX_MS(50)));
    AX_EMIT();
    AX_FINALLY:
    LOG("G:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct keeps { ax_frame frame; AX_GENERATOR(keeper) g; };
AX_ASYNC(keeps) {
    AX_BEGIN;
    AX_GENERATE(&my->g, keeper);
    AX_AWAIT(ax_next(me, &my->g.generator));
    AX_FINALLY:
    LOG("M:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct twice { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(twice) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_KEEP);
    my->t = AX_SPAWN(&my->g, keeps);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_cancel(my->t);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_cancel(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct due { ax_frame frame; counter c; };
AX_ASYNC(due) { /* an unmet cancel and a limit that is due meet in one ax_next */
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .n = 3);
    ax_cancel(me);
    AX_TRY_ALL(AX_WITHIN(0, ax_next(me, &my->c.generator)));
    LOG("next=%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep=%d", me->rc);
    AX_END;
}

/* Asked, but not entered: what its arguments own is its own by then. */
static int handles;
struct owns { ax_frame frame; int handle; };
AX_ASYNC(owns) {
    AX_BEGIN;
    for (;;) AX_EMIT();
    AX_FINALLY:
    if (my->handle) handles--;
    LOG("closed");
    AX_END;
}
enum { IT_IS_DUE, IT_IS_PRESSED, IT_IS_CLOSED };
struct asks_in_vain { ax_frame frame; int how, n; AX_GENERATOR(owns) g; };
AX_ASYNC(asks_in_vain) {
    AX_BEGIN;
    AX_GENERATE(&my->g, owns, .handle = ++handles);
    if (my->how == IT_IS_PRESSED) {
        ax_cancel(me);
        for (my->n = 0; my->n < 2 * ASYNCX_AWAITS - 2; my->n++) AX_AWAIT(ax_done(0));
        AX_AWAIT(ax_next(me, &my->g.generator));
    }
    AX_TRY(AX_WITHIN(0, ax_next(me, &my->g.generator)));
    LOG("next=%d", me->rc);
    if (my->how == IT_IS_CLOSED) {
        AX_AWAIT(ax_generator_close(me, &my->g.generator));
        LOG("close=%d", me->rc);
    }
    AX_END;
}
struct runs_in_vain { ax_frame frame; int how; };
AX_ASYNC(runs_in_vain) {
    AX_BEGIN;
    handles = 0;
    AX_TRY_ALL(AX_CALL(asks_in_vain, .how = my->how));
    LOG("call=%d handles=%d", me->rc, handles);
    AX_END;
}

/* The task is cancelled between ax_next and its await. */
AX_MUST_USE static ax_op next_but(ax_task *me, counter *c) {
    ax_op op = ax_next(me, &c->generator);
    ax_cancel(me);
    return op;
}
struct cancels_its_next { ax_frame frame; counter c; int before; };
AX_ASYNC(cancels_its_next) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .n = 3);
    if (my->before) ax_cancel(me);
    AX_TRY_ALL(next_but(me, &my->c));
    LOG("next=%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep=%d", me->rc);
    AX_TRY(ax_next(me, &my->c.generator));
    LOG("next=%d item=%d", me->rc, my->c.frame.item);
    AX_END;
}

/* A generator that opens another one, which pulls from it: at its end each waits for the other. */
struct pulls { ax_frame frame; ax_generator *from; };
AX_ASYNC(pulls) {
    AX_BEGIN;
    AX_WHILE(ax_next(me, my->from)) AX_EMIT();
    AX_END;
}
struct pulled { ax_frame frame; ax_generator *self; AX_GENERATOR(pulls) pulls; };
AX_ASYNC(pulled) {
    AX_BEGIN;
    AX_GENERATE(&my->pulls, pulls, .from = my->self);
    AX_EMIT();
    AX_END;
}
struct ring { ax_frame frame; AX_GENERATOR(pulled) g; };
AX_ASYNC(ring) {
    AX_BEGIN;
    AX_GENERATE(&my->g, pulled, .self = &my->g.generator);
    AX_TRY(ax_next(me, &my->g.generator));
    LOG("next=%d", me->rc);
    AX_TRY(AX_WITHIN(AX_MS(50), ax_next(me, &my->g.frame.pulls.generator)));
    AX_END;
}

/* Two tasks share one that never waits, past the share of awaits: each item is seen once. */
struct eater { ax_frame frame; counter *c; int *seen, n; };
AX_ASYNC(eater) {
    AX_BEGIN;
    for (;;) {
        AX_TRY(ax_next(me, &my->c->generator));
        if (me->rc == AX_EBUSY) { /* the other is in it */
            AX_AWAIT(ax_checkpoint(me));
            continue;
        }
        if (me->rc <= 0) break;
        my->seen[my->c->frame.item]++;
    }
    AX_END;
}
struct shared { ax_frame frame; ax_group g; counter c; int seen[1001], i, wrong; };
AX_ASYNC(shared) {
    AX_BEGIN;
    AX_GENERATE(&my->c, count, .n = 1000);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, eater, .c = &my->c, .seen = my->seen);
    AX_SPAWN(&my->g, eater, .c = &my->c, .seen = my->seen);
    AX_AWAIT(ax_group_join(me, &my->g));
    for (my->i = 1; my->i <= 1000; my->i++) my->wrong += my->seen[my->i] != 1;
    LOG("%d wrong", my->wrong);
    AX_END;
}
#ifndef ASYNCX_FREESTANDING
static ax_time ticks; /* each item takes 1 ms of its own */
static ax_time tick_clock(void *ctx) {
    (void)ctx;
    return ticks;
}
struct restless { ax_frame frame; int i, awaits, per_item; ax_timeout limit; ax_sem sem; };
AX_ASYNC(restless) { /* none of its operations waits, but it has a limit */
    AX_BEGIN;
    ax_sem_init(&my->sem, 1, 0);
    ax_timeout_open(me, &my->limit, AX_MS(10));
    for (;;) {
        for (my->awaits = 0; my->awaits < my->per_item; my->awaits++) {
            AX_AWAIT(ax_sem_acquire(me, &my->sem));
            ax_sem_release(&my->sem);
        }
        ticks += AX_MS(1);
        my->i++;
        AX_EMIT();
    }
    AX_FINALLY:
    LOG("left:%d %s", ax_leaving(me), my->i < 1000 ? "soon" : "late");
    AX_END;
}
struct over_restless { ax_frame frame; int per_item; AX_GENERATOR(restless) items; };
AX_ASYNC(over_restless) {
    AX_BEGIN;
    AX_GENERATE(&my->items, restless, .per_item = my->per_item);
    while (my->items.frame.i < 2000) AX_AWAIT(ax_next(me, &my->items.generator));
    AX_END;
}
static void restless_tests(void) {
    int per_item;
    for (per_item = 1; per_item < 4; per_item++) {
        ax_loop_desc *d = kit_desc();
        d->flags = 0;
        d->clock = tick_clock;
        ticks = 0;
        kit_judge("rule 8: a generator that never waits meets its limit", AX_RUN_WITH(d, over_restless, .per_item = per_item), AX_ETIMEDOUT,
                  "left:-110 soon", NULL, __FILE__, __LINE__);
    }
}
#endif
static ax_event never;
static ax_callback when_done;
static void on_done(ax_loop *l, void *arg) { (void)l; (void)arg; LOG("done"); }
struct odd { ax_frame frame; int how, item; };
AX_ASYNC(odd) { /* leaves an op hanging, wakes itself, or watches its own end, before each item */
    AX_BEGIN;
    if (my->how == 2) LOG("%d", ax_on_done(me, &when_done, on_done, NULL));
    while (my->item < 3) {
        my->item++;
        if (my->how == 0) {
            ax_op op = ax_event_wait(me, &never);
            (void)op;
        }
        if (my->how == 1) LOG("%d", ax_wake(me, 0));
        AX_EMIT();
    }
    AX_END;
}
struct over_odd { ax_frame frame; int how; AX_GENERATOR(odd) o; };
AX_ASYNC(over_odd) {
    AX_BEGIN;
    AX_GENERATE(&my->o, odd, .how = my->how);
    AX_WHILE(ax_next(me, &my->o.generator)) {
        LOG("item %d", my->o.frame.item);
        if (my->o.frame.item == 2) ax_event_set(&never), ax_event_clear(&never);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
    LOG("waiters %d", ax_waiters(&never.waiters));
    AX_AWAIT(ax_checkpoint(me));
    AX_END;
}

int main(void) {
    SCENARIO("items in order; the cleanup comes before the end; then the end again", 0,
             "open=0 1@0 2@10 3@20 G:0 rc=0@33 end=0@33 next=0 item=3 next=0 item=3 M:0@33", iterates, .n = 3, .pause = 10, .again = 2);
    SCENARIO("no item; a positive status is an end", 0, "open=0 G:5 rc=0@3 end=0@3 next=0 item=0 M:0@3", iterates, .status = 5, .again = 1);
    SCENARIO("an error leaves through ax_next", AX_EPIPE, "open=0 1@0 2@1 G:-32 rc=0@5 M:-32@5", iterates, .n = 2, .pause = 1, .status = AX_EPIPE);
    SCENARIO("an error ends it: then the end", 0, "1 1 -32 0", asks, .n = 2, .status = AX_EPIPE);
    SCENARIO("storage is used again after the end, and after a close", 0, "open=0 1 2 G:0 rc=0@0 open=0 1 2 G:0 rc=0@0 open=0 1 G:-125 rc=0@0 open=0", reuses);
    MISUSE("storage in use is refused, which the next ax_next says too; then the generator in it goes on", 0,
           "never opened:-1 open=-16 next=-16 next=1 item=2 next=0", "opened twice", opens_twice);

    SCENARIO("a frame that is left closes its generator first, and waits for the cleanup", 0, "item=3@4 G:-125 rc=0@9 M:0@9 next=0", breaks);
    MISUSE("one that is left by a break is still open: to open it again is refused, and the next loop over it ends with that", AX_EBUSY,
           "open:0 item=3 open:-16 G:-125 rc=0@0", "opened twice", breaks_twice);
    SCENARIO("... unless it is closed before", 0, "open:0 item=3 G:-125 rc=0@0 open:0 item=3 G:-125 rc=0@0", breaks_twice, .closes = 1);
    SCENARIO("so does one left by an error", AX_EPIPE, "item=3@4 G:-125 rc=0@9 M:-32@9 next=0", breaks, .status = AX_EPIPE);
    SCENARIO("close waits for the cleanup; again it is harmless; then the end", 0, "G:-125 rc=0@10 close=0@10 close=0@10 next=0", closes, .takes = 2);
    SCENARIO("one that never started is closed without running anything", 0, "close=0@0 close=0@0 next=0", closes);
    MISUSE("AX_EMIT in a call of the cleanup is refused, and the close says so", 0, "cleanup:-1 rc=-1 then=0", "AX_EMIT", late, .how = CLOSE);
    MISUSE("AX_EMIT while it is closed by its frame: the frame ends with that", AX_EPERM, "cleanup:-1", "AX_EMIT", late, .how = LEAVE);
    MISUSE("... unless the frame has an error", AX_EPIPE, "cleanup:-1", "AX_EMIT", late, .how = LEAVE, .status = AX_EPIPE);
    MISUSE("AX_EMIT in the AX_FINALLY of its own end is refused", 0, "cleanup:-1 rc=-1 then=0", "AX_EMIT", late, .how = ASK);
    MISUSE("AX_EMIT in a call of the generator, and outside of one, is refused", AX_EPERM, "call:-1 next:-1 M:-1", "outside of a generator", outside);
    SCENARIO("a generator that asks or closes itself", 0, "next:-16 item close:-16", asks_itself);

    SCENARIO("over a generator that it opened, to the end", 0, "2@0 4@1 6@2 8@3 10@4 C:0 rc=0@7 D:0 next=0@10 M:0@10", stack);
    SCENARIO("the frame is left: the inner one is closed first", 0, "2@0 4@1 C:-125 rc=0@3 D:-125 next=0@6 M:0@6", stack, .until = 4);
    SCENARIO("closed: the same", 0, "2@0 4@1 C:-125 rc=0@3 D:-125 next=0@6 M:0@6", stack, .until = 4, .close = 1);
    SCENARIO("two over one: closed in reverse order", 0, "2,4 B:-125 next=1@3 A:-125 next=1@6 deferred C:-125 rc=0@7 M@7", line);
    SCENARIO("an inner generator that somebody else closes", 0, "C:-125 rc=0@3 2 close=0 D:0 next=0@6 next=0", inner_closed);

    SCENARIO("cancelled while inside ax_next: generator and consumer leave", 0, "G:-125 rc=0@15 M:-125@15 status=-125", cancels, .when = 5);
    SCENARIO("cancelled while the generator pauses: it is closed", 0, "G:-125 rc=0@25 M:-125@25 status=-125", cancels, .when = 15);
    SCENARIO("cancelled while the frame waits for the cleanup: which hears of it, and the frame is cancelled", 0, "G:-125 rc=-125@25 M:-125@25 status=-125", cancels, .when = 25);
    SCENARIO("cancelled while it waits for a close: its cleanup hears of it, and so does the consumer", 0, "G:-125 rc=-125@25 close=0@25 M:-125@25 status=-125", cancels, .when = 25, .close = 1);
    SCENARIO("a cancel that was swallowed is over", 0, "G:-125 rc=0@25 close=0@25 M:0@26 status=0", cancels, .when = 15, .close = 1, .swallow = 1);
    SCENARIO("AX_WITHIN around ax_next: once its cleanup has ended", 0, "rc=1 expired=0@0 rc=1 expired=0@10 G:-125 rc=0@21 rc=-110 expired=1@21 count=0", within, .limit = 15, .cleanup = 4);
    SCENARIO("a consumer of items that never wait meets its cancel", AX_ECANCELED, "M:-125 few=1", tight);
    SCENARIO("a request unmet when the frame is left: met by the closing", 0, "B:-125 rc=0@5 A:-125 rc=0@10 F:-125 rc=0@15 call=-125 next=0@16", meets);
    SCENARIO("... or met by a group between them", 0, "B:-125 rc=0@5 kid:-125@5 A:-125 rc=0@10 F:-125 rc=0@15 call=-125 next=0@16", meets, .group = 1);

    SCENARIO("held across pauses, given back by a close", 0,
             "permits=0 lock=-110 kid:-125@26 deferred H:-125 permits=1 owner=0@26 M permits=1 owner=0@26", holds, .close = 1);
    SCENARIO("... and when the frame is left", 0, "permits=0 lock=-110 kid:-125@26 deferred H:-125 permits=1 owner=0@26 M permits=1 owner=0@26", holds);
    SCENARIO("a limit inside does not bind the consumer; it is met at the next wait inside", 0, "H:-110 permits=1 owner=0@20 next=-110 expired=0,1 count=0@20", limit_inside, .wait = 20, .outer = 500);
    SCENARIO("a limit inside, met inside", 0, "H:-110 permits=1 owner=0@10 next=-110 expired=0,1 count=0@10", limit_inside, .wait = 5, .nap = 100, .outer = 500);
    SCENARIO("a limit inside, not met", 0, "next=1 expired=0,0 count=0@8 H:-125 permits=1 owner=0@38", limit_inside, .wait = 5, .nap = 3, .outer = 500);
    SCENARIO("an earlier limit around: the outer reports", 0, "H:-125 permits=1 owner=0@8 next=-110 expired=1,0 count=0@8", limit_inside, .wait = 5, .nap = 100, .outer = 3);
    SCENARIO("both at once: the outer reports", 0, "H:-125 permits=1 owner=0@10 next=-110 expired=1,1 count=0@10", limit_inside, .wait = 5, .nap = 100, .outer = 5);
    SCENARIO("a cancel swallowed between two items is not the inner limit's", 0, "H:-110 permits=1 owner=0@10 next=-110 expired=0,1 count=1@10", limit_inside, .wait = 5, .nap = 100, .outer = 500, .swallow = 1);
    SCENARIO("its limit falls due while it is closed: no time-out", 0, "kid:-125@9 H:-125 permits=1 owner=0@9 close=0 count=0@9", close_slow, .limit = 7);
    SCENARIO("its limit was due before the close: no time-out", 0, "kid:-125@9 H:-125 permits=1 owner=0@9 close=0 count=0@9", close_slow, .limit = 3);
    SCENARIO("a child's error in a paused generator waits for the next ax_next", 0, "kid:-32@9 slept count=0 H:-32 permits=1 owner=0@20 rc=-32 count=0@20", group_inside, .how = ASK);
    SCENARIO("... or for the close", 0, "kid:-32@9 slept count=0 H:-32 permits=1 owner=0@20 rc=-32 count=0@20", group_inside, .how = CLOSE);
    SCENARIO("... or for the end of the frame, which ends with it", AX_EPIPE, "kid:-32@9 slept count=0 H:-32 permits=1 owner=0@20", group_inside, .how = LEAVE);
    MISUSE("what a paused generator holds is not its consumer's to close", 0,
           "-1 -1 0 0 cond=-1 join=-1 spawn=1 item=2 guest:-125@1 kid:-125@5 H:-125 permits=1 owner=0@5", "another task than its owner", trespasses);
    SCENARIO("a condition that the generator waits for, with a mutex of its own", 0, "notified=1 item@3 its=1 rc=-110 unlocked=1@5", cond_inside);

    SCENARIO("frames that are called ask; one that is cancelled ends it", 0, "a=1:1@0 a=1:2@1 a.0 G:-125 rc=0@3 rc=-110 expired=1 c=0:2@3 c.0", by_call);
    SCENARIO("another task is in it: busy, for ax_next and for the close", 0,
             "B=-16:1@5 B.0 close=-16@6 A=1:2@10 A.0 close=-16@15 G:-125 rc=0@22 close=0@22 D=0:2@30 D.0", busy);
    SCENARIO("begun by a task that has ended; the opener is left", 0, "A=1:1@0 A.0 kid:-125@4 deferred H:-125 permits=1 owner=0@4 M permits=1 owner=0@4", moves, .how = LEAVE);
    SCENARIO("begun by a task that has ended; the opener asks", 0, "A=1:1@0 A.0 kid:-125@5 deferred H:-125 permits=1 owner=0@5 M permits=1 owner=0@5", moves, .how = ASK);
    SCENARIO("begun by one task, used by another, closed by a third", 0, "A=1:1@0 A.0 B=1:2@1 B.0 kid:-125@9 deferred H:-125 permits=1 owner=0@9 close=0@9 M permits=1 owner=0@9", moves, .how = CLOSE);
    SCENARIO("the opener is left while another task is in it: that ax_next ends, the opener waits", 0, "G:-125 rc=0@8 A=0:1@8 A.0 left:0@8", leaves, .how = ASK, .cleanup = 3);
    SCENARIO("the opener is left while another task closes it: the opener waits", 0, "G:-125 rc=0@14 close=0@14 left:0@14", leaves, .how = CLOSE, .cleanup = 10);
    SCENARIO("the opener is left, and a limit falls due while it waits", 0, "G:-125 rc=-125@8 A=0:1@8 A.0 left:-125@8 rc=-110 count=0@8", leaves_limited);
    SCENARIO("the opener is left while one is in it that gives an item all the same", 0, "A=1:2@5 A.0 G:-125@5", over_stubborn);

    SCENARIO("rule 4: a cancel that is unmet when the consumer asks does not undo an item that needs no wait", 0,
             "next=1 item=2 its=0 sleep=-125 next=1 item=3 G:-125 rc=0@4 M:0@4", unmet);
    SCENARIO("... and is met inside if the generator waits", AX_ECANCELED, "G:-125 rc=0@4 M:-125@4", unmet, .pause = 7);
    SCENARIO("rule 7: a cancel that the generator kept is the consumer's again with the item", 0,
             "next=1 item=-125@3 sleep=-125 count=1,0 next=1 item=-110@8", over_swallows);
    SCENARIO("rule 5: a second cancel of the consumer reaches a generator that kept the first", 0, "kept:-125@1 G:-125@2 M:-125@2", twice);
    SCENARIO("rule 5: a cancel met by a limit that was due is not met again", 0, "next=-125 sleep=0", due);
    SCENARIO("rule 6: asked when the limit is due: not entered, but its cleanup runs", 0, "next=-110 closed call=0 handles=0", runs_in_vain);
    SCENARIO("rule 6: ... and by a close", 0, "next=-110 closed close=0 call=0 handles=0", runs_in_vain, .how = IT_IS_CLOSED);
    SCENARIO("rule 6: asked by one that never waits and is to be cancelled", 0, "closed call=-125 handles=0", runs_in_vain, .how = IT_IS_PRESSED);
    SCENARIO("rule 5: a cancel between ax_next and its await", 0, "next=-125 sleep=0 next=1 item=1", cancels_its_next);
    SCENARIO("rule 5: ... and one before", 0, "next=-125 sleep=0 next=1 item=1", cancels_its_next, .before = 1);
    SCENARIO("rule 4: two consumers of one that never waits: no item is lost, none seen twice", 0, "0 wrong", shared);
#ifndef ASYNCX_FREESTANDING
    restless_tests();
    MISUSE("rule 5: a ring of generators can't end, and its cancel does not go round for ever", AX_EDEADLK, "next=1", "nothing can wake", ring);
#endif
    MISUSE("rule 3: an op that hangs when it emits is taken back", 0, "item 1 item 2 item 3 waiters 0", "an op was not awaited", over_odd);
    SCENARIO("rule 3: a wake of one that runs is not the end of its pause", 0, "0 item 1 0 item 2 0 item 3 waiters 0", over_odd, .how = 1);
    SCENARIO("a callback for its own end", 0, "0 item 1 item 2 item 3 waiters 0 done", over_odd, .how = 2);
    MISUSE("an ax_next that is not awaited is dropped", 0, "next=1 item=2 H:-125 permits=1 owner=0@1 permits=1", "not awaited", forgets);
    MISUSE("a close that is not awaited", 0, "H:-125 permits=1 owner=0@0 next=0 item=1 permits=1", "not awaited", forgets, .close = 1);
    memory();
    return tap_end();
}
