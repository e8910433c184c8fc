/* Groups: rules 12 and 13, every flag, deep trees and wide ones. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

#define AT ms(me->loop)

/* Children a, b, c sleep 10, 20, 30 and end with a status; the owner waits in its join, in its body, in its close or in next. */
enum { JOIN, BODY, CLOSE, NEXT };
struct three { ax_frame frame; unsigned flags; int where, a, b, c, cleanup; ax_group g; ax_task *t; };
AX_ASYNC(three) {
    AX_BEGIN;
    ax_group_open(me, &my->g, my->flags);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 10, .status = my->a, .cleanup = my->cleanup);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 20, .status = my->b, .cleanup = my->cleanup);
    AX_SPAWN(&my->g, sleeper, .name = "c", .time = 30, .status = my->c, .cleanup = my->cleanup);
    if (my->where == JOIN) {
        AX_TRY(ax_group_join(me, &my->g));
        LOG("join:%d@%d", me->rc, AT);
        AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
        LOG("next:%d", me->rc);
    }
    if (my->where == BODY) {
        AX_AWAIT(ax_sleep(me, AX_MS(100)));
        LOG("body@%d", AT);
    }
    if (my->where == NEXT) {
        AX_WHILE(ax_group_next(me, &my->g, &my->t)) LOG("got:%d@%d", ax_task_status(my->t), AT);
        LOG("none:%d@%d", me->rc, AT);
    }
    AX_FINALLY:
    LOG("end:%d@%d", ax_leaving(me), AT);
    AX_END;
}

/* next, out of order of spawning, while another has been cancelled */
struct nexts { ax_frame frame; ax_group g; ax_task *t, *slow; int n; };
AX_ASYNC(nexts) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_KEEP | AX_GROUP_COLLECT);
    AX_TRY(ax_group_next(me, &my->g, &my->t));
    LOG("empty:%d", me->rc);
    my->slow = AX_SPAWN(&my->g, sleeper, .time = 50);
    AX_SPAWN(&my->g, sleeper, .time = 20, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .time = 10, .status = 3);
    AX_WHILE(ax_group_next(me, &my->g, &my->t)) {
        my->n++;
        LOG("%s:%d t%d@%d", ax_task_name(my->t), ax_task_status(my->t), AX_FRAME(sleeper, my->t)->time, AT);
        if (my->n == 2) ax_cancel(my->slow);
        if (my->n == 3) {
            AX_SPAWN(&my->g, sleeper, .time = 1, .status = 1);
            continue;
        }
        if (my->n == 4) break;
    }
    LOG("n=%d", my->n);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("failed:%d", me->rc);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("again:%d", me->rc);
    AX_TRY(ax_group_next(me, &my->g, &my->t));
    LOG("next:%d", me->rc);
    AX_END;
}


/* ax_group_cancel by the owner in its body, and by somebody else while the owner is in its body, its join or its close */
enum { SELF, OTHER_BODY, OTHER_JOIN, OTHER_CLOSE };
struct cancelled { ax_frame frame; ax_group g; int how; unsigned flags; };
AX_ASYNC(cancelled) {
    AX_BEGIN;
    ax_group_open(me, &my->g, my->flags);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 50, .cleanup = 5);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 5, .status = 2);
    if (my->how == SELF) {
        AX_AWAIT(ax_sleep(me, AX_MS(10)));
        LOG("cancel:%d", ax_group_cancel(&my->g));
        LOG("twice:%d", ax_group_cancel(&my->g));
        LOG("spawn:%d", AX_SPAWN(&my->g, sleeper) != NULL);
    }
    if (my->how == OTHER_BODY) {
        AX_AWAIT(ax_sleep(me, AX_MS(100)));
        LOG("never");
    }
    if (my->how == SELF || my->how == OTHER_JOIN) {
        AX_AWAIT(ax_group_join(me, &my->g));
        LOG("join:%d count:%d@%d", me->rc, ax_cancelling(me), AT);
        LOG("closed:%d", ax_group_cancel(&my->g));
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("end:%d/%d@%d", ax_leaving(me), me->rc, AT);
    AX_END;
}
struct canceller { ax_frame frame; ax_group g; int how; unsigned flags; ax_task *t; };
AX_ASYNC(canceller) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, cancelled, .how = my->how, .flags = my->flags);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    if (my->how != SELF) ax_group_cancel(&AX_FRAME(cancelled, my->t)->g);
    AX_END;
}

/* An owner that catches its group's request, or looks the other way. */
struct catches { ax_frame frame; ax_group g; };
AX_ASYNC(catches) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5, .status = AX_EPIPE);
    AX_TRY_ALL(ax_sleep(me, AX_MS(50)));
    LOG("body:%d count:%d@%d", me->rc, ax_cancelling(me), AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("body:%d@%d", me->rc, AT);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d count:%d", me->rc, ax_cancelling(me));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("on@%d", AT);
    AX_END;
}
/* The request finds the owner between two awaits: the join takes it back. */
struct queued { ax_frame frame; ax_group g; ax_event e; ax_task *t; unsigned flags; };
struct setter { ax_frame frame; ax_event *e; };
AX_ASYNC(setter) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    ax_event_set(my->e);
    AX_RETURN(AX_EPIPE); /* the owner is queued with the event: the group's request is unmet */
    AX_END;
}
AX_ASYNC(queued) {
    AX_BEGIN;
    ax_group_open(me, &my->g, my->flags);
    AX_SPAWN(&my->g, setter, .e = &my->e);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 50, .cleanup = 1);
    AX_AWAIT(ax_event_wait(me, &my->e));
    LOG("event:%d count:%d", me->rc, ax_cancelling(me));
    if (my->flags) {
        AX_WHILE(ax_group_next(me, &my->g, &my->t)) LOG("got:%d", ax_task_status(my->t));
    } else {
        AX_TRY(ax_group_join(me, &my->g));
    }
    LOG("joined:%d count:%d", me->rc, ax_cancelling(me));
    AX_END;
}
/* The same for an owner that never waits, and so would be pressed. */
struct busy { ax_frame frame; ax_group g; int n; };
AX_ASYNC(busy) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 50);
    for (my->n = 0; my->n < 3 * ASYNCX_AWAITS - 2; my->n++) AX_AWAIT(ax_done(0));
    LOG("n=%d count:%d", my->n, ax_cancelling(me));
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d count:%d", me->rc, ax_cancelling(me));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}

/* An outside cancel while a child's error is on its way. */
struct both { ax_frame frame; ax_group g; };
AX_ASYNC(both) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 10, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 50, .cleanup = 10);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d count:%d@%d", me->rc, ax_cancelling(me), AT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    LOG("next:%d", me->rc);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    LOG("then:%d", me->rc);
    AX_END;
}
struct cancels_both { ax_frame frame; ax_group g; ax_task *t; int at; };
AX_ASYNC(cancels_both) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, both);
    AX_AWAIT(ax_sleep(me, AX_MS(my->at)));
    ax_cancel(my->t);
    AX_END;
}

/* Who may spawn. */
struct spawns_late { ax_frame frame; ax_group *g; int time; };
AX_ASYNC(spawns_late) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(my->time)));
    LOG("spawn:%d", AX_SPAWN(my->g, sleeper, .name = "late", .time = 5) != NULL);
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("aborting:%d", AX_SPAWN(my->g, sleeper) != NULL);
    AX_END;
}
struct spawning { ax_frame frame; ax_group g; int fail; };
AX_ASYNC(spawning) {
    AX_BEGIN;
    LOG("not open:%d", AX_SPAWN(&my->g, sleeper) != NULL);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, spawns_late, .g = &my->g, .time = 10);
    if (my->fail) AX_SPAWN(&my->g, sleeper, .time = 5, .status = AX_EAGAIN);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("closed:%d@%d", AX_SPAWN(&my->g, sleeper) != NULL, AT);
    AX_END;
}
struct no_memory { ax_frame frame; ax_group g; unsigned flags; };
AX_ASYNC(no_memory) {
    AX_BEGIN;
    ax_group_open(me, &my->g, my->flags);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5);
    kit_fail_at = kit_allocations + 1;
    LOG("spawn:%d", AX_SPAWN(&my->g, sleeper, .name = "b") != NULL);
    LOG("then:%d", AX_SPAWN(&my->g, sleeper, .name = "c", .time = 1) != NULL);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d count:%d", me->rc, ax_cancelling(me));
    AX_AWAIT(ax_sleep(me, 0));
    AX_END;
}

/* A spawn whose argument is a spawn that fails the group. */
struct nested_spawn { ax_frame frame; ax_group g; };
AX_ASYNC(nested_spawn) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    kit_fail_at = kit_allocations + 2;
    AX_SPAWN(&my->g, sleeper, .name = "outer", .time = AX_SPAWN(&my->g, sleeper) ? 1 : 1000);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

/* A join of a task that never had to wait for long, and is to be cancelled. */
struct pressed_join { ax_frame frame; ax_group g; int n; };
AX_ASYNC(pressed_join) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 50, .cleanup = 2);
    ax_cancel(me);
    for (my->n = 0; my->n < ASYNCX_AWAITS; my->n++) AX_TRY(ax_done(0));
    AX_TRY_ALL(ax_group_join(me, &my->g));
    LOG("join:%d open:%d", me->rc, ax_group_cancel(&my->g) == 0);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("next:%d", me->rc);
    AX_END;
}

/* Misuse: a join, which can't be dropped, that is not awaited. */
struct forgets_join { ax_frame frame; ax_group g; int how; };
AX_ASYNC(forgets_join) {
    AX_BEGIN;
    LOG("begins");
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5);
    (void)!ax_group_join(me, &my->g).axi;
    if (my->how) AX_RETURN(7);
    AX_FINALLY:
    LOG("left:%d@%d", ax_leaving(me), ms(me->loop));
    AX_END;
}

/* A request from outside, of which the owner's wait was told, and which its result has beaten, stays when its group takes its own back. */
static int stays_with(ax_future *f, void *arg) {
    (void)f, (void)arg;
    return AX_STAY;
}
struct beaten { ax_frame frame; ax_group g; ax_future *f; ax_task *t; };
AX_ASYNC(beaten) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_KEEP);
    AX_SPAWN(&my->g, sleeper, .time = 2, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = 50);
    AX_AWAIT(ax_future_wait(me, my->f));
    LOG("future:%d", me->rc);
    AX_AWAIT(ax_group_next(me, &my->g, &my->t));
    LOG("next:%d", ax_task_status(my->t));
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("sleep:%d", me->rc);
    AX_END;
}
struct beats { ax_frame frame; ax_group g; ax_future f; ax_task *t; };
AX_ASYNC(beats) {
    AX_BEGIN;
    my->f.cancel = stays_with;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = AX_SPAWN(&my->g, beaten, .f = &my->f); /* alive until the future is complete */
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_cancel(my->t);
    AX_AWAIT(ax_sleep(me, AX_MS(2)));
    ax_future_complete(&my->f, 7);
    AX_TRY(ax_group_join(me, &my->g));
    AX_END;
}

/* A tree of one branch, DEPTH groups deep; each waits in its join, in its close, or in its body. */
enum { DEPTH = 10000 };
static int deep_cleanups, deep_started;
struct deep { ax_frame frame; ax_group g; int level; };
AX_ASYNC(deep) {
    AX_BEGIN;
    deep_started++;
    ax_group_open(me, &my->g, 0);
    if (my->level) AX_SPAWN(&my->g, deep, .level = my->level - 1);
    else AX_AWAIT(ax_sleep(me, AX_FOREVER));
    if (my->level % 3 == 0) AX_AWAIT(ax_group_join(me, &my->g));
    if (my->level % 3 == 1) AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    deep_cleanups++;
    AX_END;
}
struct cuts_deep { ax_frame frame; ax_group g; int by_error; };
AX_ASYNC(cuts_deep) {
    AX_BEGIN;
    deep_cleanups = deep_started = 0;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, deep, .level = DEPTH);
    if (my->by_error) AX_SPAWN(&my->g, sleeper, .time = 1, .status = AX_EPIPE);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_group_cancel(&my->g);
    AX_FINALLY:
    LOG("%d %d@%d", deep_started == DEPTH + 1, deep_cleanups == DEPTH + 1, AT);
    AX_END;
}
/* A call chain, equally deep, cut by a limit. */
struct chain { ax_frame frame; int level; };
AX_ASYNC(chain) {
    AX_BEGIN;
    if (my->level) AX_AWAIT(AX_CALL(chain, .level = my->level - 1));
    else AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    deep_cleanups++;
    AX_END;
}
struct cuts_chain { ax_frame frame; };
AX_ASYNC(cuts_chain) {
    AX_BEGIN;
    deep_cleanups = 0;
    AX_TRY(AX_WITHIN(AX_MS(1), AX_CALL(chain, .level = DEPTH)));
    LOG("%d %d@%d", me->rc, deep_cleanups == DEPTH + 1, AT);
    AX_END;
}

/* Joins in a ring. */
enum { RING = 5 };
static ax_task *ring[RING];
struct joins { ax_frame frame; int i; };
AX_ASYNC(joins) {
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_join(me, ring[(my->i + 1) % RING]));
    AX_FINALLY:
    LOG("%d:%d", my->i, ax_leaving(me));
    AX_END;
}
struct ring_of { ax_frame frame; ax_group g; int i, all; };
AX_ASYNC(ring_of) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < RING; my->i++) ring[my->i] = AX_SPAWN(&my->g, joins, .i = my->i);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (my->all) ax_group_cancel(&my->g);
    else ax_cancel(ring[2]);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

struct ten_thousand { ax_frame frame; ax_group g; int i, n; size_t before; unsigned flags; ax_task *t; int cancel; };
AX_ASYNC(ten_thousand) {
    AX_BEGIN;
    ax_group_open(me, &my->g, my->flags);
    for (my->i = 0; my->i < 10000; my->i++) my->n += AX_SPAWN(&my->g, sleeper, .time = 1 + my->i % 97) != NULL;
    LOG("%d", my->n);
    if (my->cancel) {
        AX_AWAIT(ax_sleep(me, AX_MS(50)));
        ax_group_cancel(&my->g);
    }
    my->n = 0;
    if (my->flags & AX_GROUP_KEEP) {
        AX_WHILE(ax_group_next(me, &my->g, &my->t)) my->n++;
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d:%d@%d", me->rc, my->n, AT);
    AX_END;
}
/* A server's group does not grow. */
struct server { ax_frame frame; ax_group g; int i; size_t peak; };
AX_ASYNC(server) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < 1000; my->i++) {
        AX_SPAWN(&my->g, sleeper, .time = 1);
        AX_AWAIT(ax_sleep(me, AX_MS(2)));
        if (my->i == 0) my->peak = (size_t)kit_balance;
    }
    LOG("grew by %d", (int)(kit_balance - (long)my->peak));
    AX_END;
}
struct background { ax_frame frame; ax_group g; int join; };
AX_ASYNC(background) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, sleeper, .name = "beat", .time = -1, .cleanup = 2);
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    AX_RETURN(7);
    AX_FINALLY:
    LOG("end:%d@%d", ax_leaving(me), AT);
    AX_END;
}
struct misuse { ax_frame frame; ax_group g, other; ax_task *t; AX_TASK(sleeper) own; };
AX_ASYNC(misuse) {
    AX_BEGIN;
    AX_TRY(ax_group_join(me, &my->g));
    LOG("not open:%d", me->rc);
    LOG("cancel:%d", ax_group_cancel(&my->g));
    ax_group_open(me, &my->g, 0);
    AX_TRY(ax_group_next(me, &my->g, &my->t));
    LOG("not kept:%d", me->rc);
    AX_SPAWN_IN(&my->g, &my->own, sleeper, .time = 5, .name = "own");
    LOG("running:%d", AX_SPAWN_IN(&my->g, &my->own, sleeper) != NULL);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_group_open(me, &my->other, AX_GROUP_KEEP);
    LOG("again:%d", AX_SPAWN_IN(&my->other, &my->own, sleeper, .time = 1, .name = "own") != NULL);
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("kept:%d", AX_SPAWN_IN(&my->other, &my->own, sleeper) != NULL);
    AX_WHILE(ax_group_next(me, &my->other, &my->t)) LOG("got:%d", my->t == &my->own.task);
    AX_AWAIT(ax_group_join(me, &my->other));
    LOG("joined:%d", me->rc);
    AX_END;
}

/* A joiner of another group's task that ends, and would be freed, before the joiner's first step; one that never starts. */
struct late_joiner { ax_frame frame; ax_group a, b; ax_task *t; int cancel; };
AX_ASYNC(late_joiner) {
    AX_BEGIN;
    ax_group_open(me, &my->a, AX_GROUP_COLLECT);
    ax_group_open(me, &my->b, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    my->t = AX_SPAWN(&my->a, sleeper, .name = "quick", .status = AX_EPIPE);
    AX_SPAWN(&my->b, ax_joiner, .task = ax_task_ref(my->t));
    if (my->cancel) ax_group_cancel(&my->b);
    AX_TRY_ALL(ax_group_next(me, &my->b, &my->t));
    LOG("%d", ax_task_status(my->t));
    AX_TRY(ax_group_join(me, &my->b));
    LOG("b:%d", me->rc);
    AX_AWAIT(ax_group_join(me, &my->a));
    LOG("a:%d", me->rc);
    AX_END;
}

/* One of two has failed when the race is cut short: nothing is decided. */
struct race { ax_frame frame; int b; ax_group g; };
AX_ASYNC(race) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_RACE);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = my->b, .status = AX_EAGAIN);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_FINALLY:
    LOG("left:%d", ax_leaving(me));
    AX_END;
}
struct cut_race { ax_frame frame; int b; ax_group g; ax_task *t; };
AX_ASYNC(cut_race) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(race, .b = my->b)));
    LOG("within:%d expired:%d |", me->rc, ax_expired(me));
    ax_group_open(me, &my->g, 0);
    my->t = ax_task_ref(AX_SPAWN(&my->g, race, .b = my->b));
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    ax_cancel(my->t);
    AX_TRY(ax_join(me, my->t));
    LOG("join:%d", me->rc);
    AX_FINALLY:
    ax_task_unref(my->t);
    AX_END;
}

/* A race whose end comes for other reasons than a winner: a cancel after all have lost, or by hand, or as the body ends. */
enum { LATE = 1, BY_HAND, BY_HAND_LEFT, BACK };
struct odd_race { ax_frame frame; int how, join; ax_group g; };
AX_ASYNC(odd_race) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_RACE | (my->how == BACK ? AX_GROUP_BACKGROUND : 0));
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .name = "b", .time = my->how > LATE ? 50 : 7, .status = my->how > LATE ? 7 : AX_EAGAIN);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    if (my->how == LATE) ax_cancel(me);
    if (my->how == BY_HAND || my->how == BY_HAND_LEFT) ax_group_cancel(&my->g);
    if (my->how == BY_HAND_LEFT) AX_AWAIT(ax_sleep(me, AX_MS(10)));
    if (my->join) {
        AX_TRY(ax_group_join(me, &my->g));
        LOG("join:%d", me->rc);
        AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
        LOG("next:%d", me->rc);
    }
    AX_FINALLY:
    LOG("left:%d", ax_leaving(me));
    AX_END;
}
struct runs_odd_race { ax_frame frame; int how, join; };
AX_ASYNC(runs_odd_race) {
    AX_BEGIN;
    AX_TRY(AX_CALL(odd_race, .how = my->how, .join = my->join));
    LOG("race:%d", me->rc);
    AX_END;
}
struct next_race { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(next_race) { /* a loser, the winner, and who was cancelled: all are handed back, and then there is no error */
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_RACE | AX_GROUP_KEEP);
    AX_SPAWN(&my->g, sleeper, .time = 5, .status = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .time = 7, .status = 3);
    AX_SPAWN(&my->g, sleeper, .time = 9, .status = 4);
    AX_WHILE(ax_group_next(me, &my->g, &my->t)) LOG("got:%d", ax_task_status(my->t));
    LOG("none:%d", me->rc);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

/* A racer could not be spawned, nobody asks why: the others race on. */
struct short_race { ax_frame frame; ax_group g; int a; };
AX_ASYNC(short_race) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_RACE);
    AX_SPAWN(&my->g, sleeper, .name = "a", .time = 5, .status = my->a);
    kit_fail_at = kit_allocations + 1;
    AX_SPAWN(&my->g, sleeper, .name = "b");
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

/* A hook that wants to keep a failed task. */
static ax_task *kept_task;
static void keep_it(void *ctx, ax_task *t, int status) {
    (void)ctx;
    LOG("unheard:%d", status);
    kept_task = ax_task_ref(t);
}
static void looks_at_it(void *ctx, ax_task *t, int status) {
    (void)ctx;
    ax_task_ref(t);
    LOG("unheard:%d", status);
    LOG("%d", ax_task_unref(t) == t);
}
#ifndef ASYNCX_FREESTANDING
/* Lets go of the last reference, or frees the storage. */
static ax_task *let_go;
static AX_TASK(sleeper) *freed;
static void frees_it(void *ctx, ax_task *t, int status) {
    (void)ctx;
    LOG("unheard:%d", status);
    if (t == let_go) ax_task_unref(t);
    else free(freed);
}
struct fails_when_cancelled { ax_frame frame; };
AX_ASYNC(fails_when_cancelled) {
    AX_BEGIN;
    AX_TRY_ALL(ax_sleep(me, AX_FOREVER));
    AX_RETURN(AX_EBUSY);
    AX_END;
}
static void frees_test(void) {
    ax_loop loop;
    ax_loop_desc *d = kit_desc();
    d->unheard = frees_it;
    ax_loop_open(&loop, d);
    freed = calloc(1, sizeof *freed);
    AX_SPAWN_IN(&loop.root, freed, sleeper, .time = 1, .status = AX_EPIPE);
    ax_loop_run(&loop);
    let_go = ax_task_ref(AX_SPAWN(&loop.root, fails_when_cancelled));
    ax_run_once(&loop);
    kit_judge("a hook may let go of the last reference, or free the storage", ax_loop_close(&loop), 0, "unheard:-32 unheard:-16", NULL, __FILE__, __LINE__);
}
/* Would close the loop under the task. */
static void closes(void *ctx, ax_task *t, int status) {
    (void)t;
    LOG("unheard:%d", status);
    LOG("close:%d run:%d", ax_loop_close((ax_loop *)ctx), ax_loop_run((ax_loop *)ctx));
}
static void closes_test(void) {
    ax_loop loop;
    ax_loop_desc *d = kit_desc();
    ax_task *t;
    d->unheard = closes;
    d->unheard_ctx = &loop;
    ax_loop_open(&loop, d);
    t = ax_task_ref(AX_SPAWN(&loop.root, sleeper, .time = 1, .status = AX_EPIPE));
    ax_loop_run(&loop);
    LOG("gone:%d", ax_task_unref(t) == NULL);
    LOG("run:%d", ax_loop_run(&loop));
    kit_judge("a hook must not run or close the loop, even between two runs", ax_loop_close(&loop), 0, "unheard:-32 close:-16 run:-16 gone:1 run:0", NULL,
              __FILE__, __LINE__);
}
/* A supervisor: starts what has failed anew, in its storage. */
static AX_TASK(sleeper) supervised;
static void restarts(void *ctx, ax_task *t, int status) {
    ax_group *root = (ax_group *)ctx;
    LOG("unheard:%d", status);
    LOG("%d", t == &supervised.task && AX_SPAWN_IN(root, &supervised, sleeper, .name = "again", .time = 5) != NULL);
}
static void counts_task(ax_task *t, int depth, void *count) { (void)t, (void)depth, ++*(int *)count; }
static void restart_test(void) {
    ax_loop loop;
    ax_loop_desc *d = kit_desc();
    ax_task *other;
    int count = 0;
    d->unheard = restarts;
    d->unheard_ctx = &loop.root;
    ax_loop_open(&loop, d);
    AX_SPAWN_IN(&loop.root, &supervised, sleeper, .time = 1, .status = AX_EPIPE);
    other = ax_task_ref(AX_SPAWN(&loop.root, sleeper, .name = "other", .time = -1));
    while (ax_now(&loop) < AX_MS(2)) ax_run_once(&loop);
    ax_tasks(&loop, counts_task, &count);
    LOG("tasks:%d", count);
    while (ax_task_status(&supervised.task) == AX_EINPROGRESS) ax_run_once(&loop);
    LOG("%d", ax_task_unref(other) == other);
    kit_judge("a hook may start a failed task anew in its storage", ax_loop_close(&loop), 0, "unheard:-32 1 tasks:2 again:0@6 1 other:-125@6", NULL,
              __FILE__, __LINE__);
}
#endif
#if ASYNCX_DEBUG && !defined(ASYNCX_FREESTANDING)
#if !AXI_ASAN /* which finds by itself what was freed */
struct reads_late { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(reads_late) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, sleeper);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d", AX_FRAME(sleeper, my->t) == NULL);
    AX_END;
}
#endif
struct mistakes_it { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(mistakes_it) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, fails_when_cancelled);
    LOG("%d %d", AX_FRAME(fails_when_cancelled, my->t) != NULL, AX_FRAME(sleeper, my->t) == NULL);
    ax_group_cancel(&my->g);
    AX_TRY(ax_group_join(me, &my->g));
    AX_END;
}
#endif
struct keeps_failed { ax_frame frame; int held; ax_task *t; };
AX_ASYNC(keeps_failed) {
    AX_BEGIN;
    my->t = AX_SPAWN(&me->loop->root, sleeper, .status = AX_EPIPE);
    if (my->held) ax_task_ref(my->t);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (my->held) LOG("kept:%d", ax_task_unref(my->t) == my->t);
    LOG("%d", ax_task_status(kept_task));
    LOG("%d", ax_task_unref(kept_task) == NULL);
    AX_END;
}

struct fails_in_root { ax_frame frame; };
AX_ASYNC(fails_in_root) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, sleeper, .status = AX_EPIPE);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("on");
    AX_END;
}

/* The group is cancelled while the arguments of a spawn into it are evaluated. */
static int cuts_group(ax_group *g) { return ax_group_cancel(g); }
struct cut_in_arguments { ax_frame frame; ax_group g; AX_TASK(sleeper) t; };
AX_ASYNC(cut_in_arguments) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    LOG("spawn:%d", AX_SPAWN_IN(&my->g, &my->t, sleeper, .name = "a", .time = 1000, .status = cuts_group(&my->g)) != NULL);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d@%d", me->rc, AT);
    AX_END;
}
struct odd_flags { ax_frame frame; ax_group g; };
AX_ASYNC(odd_flags) {
    AX_BEGIN;
    LOG("%d %d", ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_RACE), ax_group_open(me, &my->g, 16));
    LOG("%d", ax_group_open(me, &my->g, 15 & ~AX_GROUP_RACE));
    AX_END;
}

/* All tasks of a loop: a tree two groups deep, a generator with a group of its own in it, and calls. */
static void name_task(ax_task *t, int depth, void *arg) {
    ax_where w = ax_task_where(t);
    LOG("%d%s/%s%s", depth, ax_task_name(t), w.function, strstr(w.file, ".") && (w.line > 0) == ASYNCX_TRACE ? "" : "?");
    (void)arg;
}
struct emits { ax_frame frame; ax_group g; };
AX_ASYNC(emits) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .time = 9);
    AX_EMIT();
    AX_END;
}
struct branch { ax_frame frame; ax_group g, h; AX_GENERATOR(emits) gen; int depth; };
AX_ASYNC(branch) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    if (my->depth == 1) {
        AX_GENERATE(&my->gen, emits);
        AX_AWAIT(ax_next(me, &my->gen.generator));
    }
    ax_group_open(me, &my->h, 0);
    if (my->depth) AX_SPAWN(&my->g, branch, .depth = my->depth - 1);
    if (my->depth == 2) {
        AX_SPAWN(&my->g, sleeper, .time = 10);
        AX_SPAWN(&my->h, branch);
        AX_AWAIT(ax_sleep(me, AX_MS(5)));
        ax_tasks(me->loop, name_task, NULL);
        LOG("|");
        AX_AWAIT(ax_sleep(me, AX_MS(10)));
    } else {
        AX_AWAIT(AX_CALL(sleeper, .time = 8));
    }
    AX_AWAIT(ax_group_join(me, &my->h));
    AX_AWAIT(ax_group_join(me, &my->g));
    if (my->depth == 2) ax_tasks(me->loop, name_task, NULL);
    AX_END;
}

/* An argument that is what a function gives, which spawns. */
static int starts(ax_group *g) {
    AX_SPAWN(g, sleeper, .name = "inner", .time = 5);
    return 7;
}
struct argument { ax_frame frame; ax_group g; };
AX_ASYNC(argument) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_AWAIT(AX_CALL(sleeper, .name = "called", .time = starts(&my->g), .status = 3));
    LOG("%d", me->rc);
    AX_SPAWN(&my->g, sleeper, .name = "outer", .time = starts(&my->g), .status = 4);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

/* Spawns that stand in each other's arguments, by a function that calls itself. */
struct nested { ax_frame frame; int depth, check; ax_task *other; };
AX_ASYNC(nested) {
    AX_BEGIN;
    LOG("%d%s", my->depth, my->check == 77 && !my->other == (my->depth == 1) ? "" : ":wrong");
    AX_END;
}
static ax_task *spawn_nested(ax_group *g, int depth) {
    return depth ? AX_SPAWN(g, nested, .depth = depth, .other = spawn_nested(g, depth - 1), .check = 77) : NULL;
}
struct nests { ax_frame frame; ax_group g; };
AX_ASYNC(nests) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    spawn_nested(&my->g, 12);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

int main(void) {
    SCENARIO("rule 12: all succeed: the join is 0", 0, "a:1@10 b:2@20 c:3@30 join:0@30 next:0 end:0@31", three, .a = 1, .b = 2, .c = 3);
    SCENARIO("rule 12: the first failure cancels the siblings; the join tells it", 0, "a:1@10 b:-32@20 c:-125@20 join:-32@20 next:0 end:0@21", three, .a = 1, .b = AX_EPIPE, .c = 3);
    SCENARIO("rule 12: the first failure is told, not one in a sibling's cleanup", 0, "a:-32@15 b:-125@20 c:-125@20 join:-32@20 next:0 end:0@21", three, .a = AX_EPIPE, .b = AX_EAGAIN, .cleanup = 5);
    SCENARIO("rule 12: a failure cancels the owner in its body", AX_EPIPE, "a:-32@10 b:-125@10 c:-125@10 end:-32@10", three, .where = BODY, .a = AX_EPIPE);
    SCENARIO("rule 12: the end of the body joins; a child's error becomes the status", AX_EPIPE, "a:0@10 b:-32@20 c:-125@20 end:-32@20", three, .where = CLOSE, .b = AX_EPIPE);
    SCENARIO("rule 12: a cancelled child is no failure", 0, "a:-125@10 b:0@20 c:0@30 join:0@30 next:0 end:0@31", three, .a = AX_ECANCELED);
    SCENARIO("rule 12: AX_GROUP_COLLECT: the join is the number that failed", 0, "a:-32@10 b:0@20 c:-11@30 join:2@30 next:0 end:0@31", three, .flags = AX_GROUP_COLLECT, .a = AX_EPIPE, .c = AX_EAGAIN);
    SCENARIO("rule 12: AX_GROUP_COLLECT: failures do not touch the body nor its status", 0, "a:-32@10 b:-32@20 c:-32@30 body@100 end:0@100", three, .flags = AX_GROUP_COLLECT, .where = BODY, .a = AX_EPIPE, .b = AX_EPIPE, .c = AX_EPIPE);
    SCENARIO("rule 12: AX_GROUP_RACE: the first success cancels the rest and is told", 0, "a:-32@10 b:5@20 c:-125@20 join:5@20 next:0 end:0@21", three, .flags = AX_GROUP_RACE, .a = AX_EPIPE, .b = 5);
    SCENARIO("rule 12: AX_GROUP_RACE: a success of 0 wins too", 0, "a:0@10 b:-125@10 c:-125@10 join:0@10 next:0 end:0@11", three, .flags = AX_GROUP_RACE);
    SCENARIO("rule 12: AX_GROUP_RACE: if all fail the first error is told", 0, "a:-32@10 b:-11@20 c:-1@30 join:-32@30 next:0 end:0@31", three, .flags = AX_GROUP_RACE, .a = AX_EPIPE, .b = AX_EAGAIN, .c = AX_EPERM);
    SCENARIO("rule 12: AX_GROUP_RACE: cut short by a limit or a cancel, that is told, not the error of one that has lost", 0,
             "a:-32@5 b:-125@10 left:-125 within:-110 expired:1 | a:-32@15 b:-125@20 left:-125 join:-125", cut_race, .b = 50);
    SCENARIO("rule 12: AX_GROUP_RACE: all have lost before: the first error", -32,
             "a:-32@5 b:-11@7 left:-32 within:-32 expired:0 | a:-32@12 b:-11@14 left:-32", cut_race, .b = 7);
    SCENARIO("rule 12: AX_GROUP_RACE: all have lost, then a cancel comes: the first error, the cancel is met next", 0,
             "a:-32@5 b:-11@7 join:-32 next:-125 left:0 race:0", runs_odd_race, .how = LATE, .join = 1);
    SCENARIO("rule 12: ... also when the body ends", 0, "a:-32@5 b:-11@7 left:-32 race:-32", runs_odd_race, .how = LATE);
    SCENARIO("rule 13: a race that is cancelled by hand before it is decided: nobody has won", 0, "a:-32@5 b:-125@10 join:-125 next:0 left:0 race:0", runs_odd_race,
             .how = BY_HAND, .join = 1);
    SCENARIO("rule 13: ... and the body leaves with 0", 0, "a:-32@5 b:-125@10 left:0 race:0", runs_odd_race, .how = BY_HAND_LEFT);
    SCENARIO("rule 12: AX_GROUP_RACE and BACKGROUND: not decided when the body ends", 0, "a:-32@5 b:-125@10 left:0 race:0", runs_odd_race, .how = BACK);
    SCENARIO("rule 12: AX_GROUP_RACE and KEEP: after the last there is no error if it was won", 0, "got:-32 got:3 got:-125 none:0 join:3", next_race);
    SCENARIO("rule 12: AX_GROUP_RACE: the winner does not cancel the body", 0, "a:0@10 b:-125@10 c:-125@10 body@100 end:0@100", three, .flags = AX_GROUP_RACE, .where = BODY);
    SCENARIO("rule 12: AX_GROUP_BACKGROUND: children are cancelled when the body ends", 7, "beat:-125@7 end:7@7", background);
    SCENARIO("rule 12: AX_GROUP_BACKGROUND: an explicit join waits", 0, "a:0@10 b:0@20 c:0@30 join:0@30 next:0 end:0@31", three, .flags = AX_GROUP_BACKGROUND);
    SCENARIO("rule 12: AX_GROUP_KEEP: next hands children back as they end", 0, "a:1@10 got:1@10 b:2@20 got:2@20 c:3@30 got:3@30 none:0@30 end:0@30", three, .flags = AX_GROUP_KEEP, .where = NEXT, .a = 1, .b = 2, .c = 3);
    SCENARIO("rule 12: AX_GROUP_KEEP: a failed group's children are handed back, then its error", AX_EPIPE, "a:-32@10 b:-125@10 c:-125@10 got:-32@10 got:-125@10 got:-125@10 end:-32@10",
             three, .flags = AX_GROUP_KEEP, .where = NEXT, .a = AX_EPIPE);
    SCENARIO("rule 12: AX_GROUP_KEEP and COLLECT: failures are handed back", 0, "a:-32@10 got:-32@10 b:2@20 got:2@20 c:3@30 got:3@30 none:0@30 end:0@30", three,
             .flags = AX_GROUP_KEEP | AX_GROUP_COLLECT, .where = NEXT, .a = AX_EPIPE, .b = 2, .c = 3);
    SCENARIO("rule 12: AX_GROUP_KEEP: children nobody took are freed by the join", 0, "a:1@10 b:2@20 c:3@30 join:0@30 next:0 end:0@31" , three, .flags = AX_GROUP_KEEP, .a = 1, .b = 2, .c = 3);
    SCENARIO("rule 12: AX_GROUP_KEEP: children nobody took are freed by the close", 0, "a:1@10 b:2@20 c:3@30 body@100 end:0@100", three, .flags = AX_GROUP_KEEP, .where = BODY, .a = 1, .b = 2, .c = 3);
    MISUSE("rule 12: next in order of completion; break, continue, a spawn meanwhile, then the join", 0,
             "empty:0 sleeper:3 t10@10 sleeper:-32 t20@20 sleeper:-125 t50@20 sleeper:1 t1@21 n=4 failed:1 again:-1 next:-1", "not open", nexts);
    SCENARIO("rule 12: the group's own request is taken back by the join, though caught", 0, "a:-32@5 body:-125 count:1@5 body:0@6 join:-32 count:0 on@7", catches);
    SCENARIO("rule 12: a join is never interrupted by the group's own request", 0, "event:0 count:1 b:-125@6 joined:-32 count:0", queued);
    SCENARIO("rule 12: next is never interrupted by the group's own request", AX_EPIPE, "event:0 count:1 got:-32 b:-125@6 got:-125", queued, .flags = AX_GROUP_KEEP);
    SCENARIO("rule 12: nor a join after many awaits that did not wait", 0, "b:-125@0 n=382 count:1 join:-32 count:0", busy);
    SCENARIO("rule 12: an error beats an outside cancel that came later, which is met next", 0, "a:-32@10 b:-125@20 join:-32 count:1@20 next:-125 then:0", cancels_both, .at = 15);
    SCENARIO("rule 12: a cancel before the error cancels the children: no error", 0, "a:-125@5 b:-125@15", cancels_both, .at = 5);
    SCENARIO("rule 13: ax_group_cancel by the owner ends the group with 0", 0, "b:2@5 cancel:0 twice:0 spawn:0 a:-125@15 join:0 count:0@15 closed:-1 end:0/0@17", canceller, .how = SELF);
    SCENARIO("rule 13: by another, the owner in its body: it leaves up to the group's end, with 0", 0, "b:2@5 a:-125@15 end:0/0@16", canceller, .how = OTHER_BODY);
    SCENARIO("rule 13: by another, the owner in its join: it is not interrupted", 0, "b:2@5 a:-125@15 join:0 count:0@15 closed:-1 end:0/0@17", canceller, .how = OTHER_JOIN);
    SCENARIO("rule 13: by another, while the group closes", 0, "b:2@5 a:-125@15 end:0/0@16", canceller, .how = OTHER_CLOSE);
    SCENARIO("rule 13: cancelled by hand, a race tells its winner", 0, "b:2@5 a:-125@10 join:2 count:0@10 closed:-1 end:0/0@12", canceller, .how = OTHER_JOIN, .flags = AX_GROUP_RACE);
    MISUSE("rule 13: a child may spawn siblings while the owner joins; a closed group refuses", 0, "not open:0 spawn:1 late:0@15 closed:0@15", "not open", spawning);
    MISUSE("rule 13: an aborting group refuses", AX_EAGAIN, "not open:0 aborting:0", "not open", spawning, .fail = 1);
    SCENARIO("rule 12: out of memory fails the group; the unchecked spawn surfaces at the join", 0, "spawn:0 then:0 a:-125@0 join:-12 count:0", no_memory);
#ifndef ASYNCX_FREESTANDING
    SCENARIO("rule 13: ... and who was being spawned meanwhile never starts", 0, "outer:-125@0 join:-12", nested_spawn);
    SCENARIO("rule 12: a request that is taken back leaves one from outside, which a result has beaten", 0, "b:-125@2 future:7 next:-32 sleep:-125", beats);
#endif
    SCENARIO("rule 12: a cancelled owner's join cancels the children, also if it had never to wait before", 0, "a:-125@2 join:-125 open:0 next:0", pressed_join);
    SCENARIO("rule 12: out of memory in a collecting group is only NULL", 0, "spawn:0 then:1 c:0@1 a:0@5 join:0 count:0", no_memory, .flags = AX_GROUP_COLLECT);
    SCENARIO("an argument may be of a function that spawns", 0, "inner:0@5 called:3@7 3 inner:0@12 outer:4@14", argument);
    SCENARIO("... also many deep", 0, "1 2 3 4 5 6 7 8 9 10 11 12", nests);
    SCENARIO("all tasks of a loop, parents first", 0,
             "0branch/branch 1branch/sleeper 1branch/sleeper 2emits/emits 3sleeper/sleeper 2branch/sleeper 1sleeper/sleeper | 0branch/branch", branch, .depth = 2);
#if ASYNCX_DEBUG && !defined(ASYNCX_FREESTANDING)
    MISUSE("a task's frame is not taken for another function's", 0, "1 1", "another function", mistakes_it);
#if !AXI_ASAN
    kit_desc();
    is(AX_RUN(reads_late), 0, "nor is that of a task that was freed");
    ok(strcmp(tap_trace, "1") == 0 && strstr(axi_last_report, "after it was freed"), "... and that is told: %s", axi_last_report);
#endif
#endif
    SCENARIO("rule 13: a joiner keeps the task that it joins", 0, "quick:-32@0 -32 b:1 a:1", late_joiner);
    SCENARIO("rule 6: one that never starts lets go of it", 0, "quick:-32@0 -125 b:0 a:1", late_joiner, .cancel = 1);
    SCENARIO("rule 12: a race goes on without the racer that got no memory", 0, "a:3@5 join:3", short_race, .a = 3);
    SCENARIO("rule 12: ... whose error is told if nobody wins", 0, "a:-32@5 join:-12", short_race, .a = AX_EPIPE);
    {
        ax_loop_desc *d = kit_desc();
        d->unheard = keep_it;
        kit_judge("a hook may keep the task that nobody has heard of", AX_RUN_WITH(d, keeps_failed), 0, "unheard:-32 -32 1", NULL, __FILE__, __LINE__);
        d = kit_desc();
        d->unheard = keep_it;
        kit_judge("a hook may keep the task, also from the last who lets go", AX_RUN_WITH(d, keeps_failed, .held = 1), 0, "unheard:-32 kept:1 -32 1", NULL,
                  __FILE__, __LINE__);
        d = kit_desc();
        d->unheard = looks_at_it;
        kit_judge("a hook may take a reference and let go of it", AX_RUN_WITH(d, fails_in_root), 0, "unheard:-32 1 on", NULL, __FILE__, __LINE__);
#ifndef ASYNCX_FREESTANDING
        restart_test();
        closes_test();
        frees_test();
#endif
    }
    SCENARIO("a group that is cancelled by a spawn's own arguments cancels the new task, too", 0, "spawn:1 a:-125@0 join:0@0", cut_in_arguments);
    MISUSE("rule 3: flags that contradict each other are refused", 0, "-22 -22 0", "flags", odd_flags);
    SCENARIO("rule 5: a tree 10,000 groups deep is cancelled without the C stack", 0, "1 1@1", cuts_deep);
    SCENARIO("rule 12: ... by a failure beside it", AX_EPIPE, "1 1@1", cuts_deep, .by_error = 1);
    SCENARIO("rule 8: a chain of 10,000 calls is cut by a limit", 0, "-110 1@1", cuts_chain);
    SCENARIO("rule 5: a ring of joins: cancelling one ends all", 0, "2:-125 1:-125 0:-125 4:-125 3:-125 join:0", ring_of);
    SCENARIO("rule 5: a ring of joins cancelled as a whole ends", 0, "0:-125 1:-125 2:-125 3:-125 4:-125 join:0", ring_of, .all = 1);
    SCENARIO("rule 12: 10,000 children", 0, "10000 0:0@97", ten_thousand);
    SCENARIO("rule 12: 10,000 children, kept", 0, "10000 0:10000@97", ten_thousand, .flags = AX_GROUP_KEEP);
    SCENARIO("rule 13: 10,000 children cancelled by hand", 0, "10000 0:0@50", ten_thousand, .cancel = 1);
    SCENARIO("rule 12: a group of ended children does not grow", 0, "grew by 0", server);
    MISUSE("rule 3: a join that is not awaited is as if it was cancelled, and ends before the body is left", 0, "begins a:-125@0 left:0@0", "not awaited", forgets_join);
    MISUSE("rule 3: ... also with a status", 7, "begins a:-125@0 left:7@0", "not awaited", forgets_join, .how = 1);
    MISUSE("rule 3: groups and tasks used wrongly", 0, "not open:-1 cancel:-1 not kept:-1 running:0 own:0@5 again:1 own:0@6 kept:0 got:1 joined:0", "AX_SPAWN_IN", misuse);
    return tap_end();
}
