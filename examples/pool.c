/* A pool of connections: three at most, used again, closed when they have failed or have been idle for a while.

   A connection outlives the function that acquires it, so its permit is taken with ax_sem_acquire, not as a scope: pool_acquire gives
   it back if it fails, pool_release once the user is done. (What is a connection here only takes its time.) */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

enum { MOST = 3 };

struct connection { struct connection *next; int number, open; ax_time since; };
struct pool { ax_sem places; struct connection all[MOST], *idle; int opened; ax_time start; };

static int now(ax_loop *loop, const struct pool *p) { return (int)(ax_since(loop, p->start) / AX_MS(1)); }

static void connection_close(ax_loop *loop, struct pool *p, struct connection *c) {
    printf("%4d ms: connection %d is closed\n", now(loop, p), c->number);
    c->open = 0;
}

/* Leaves a connection in *out, which is the caller's until pool_release. May wait for one: bound it with AX_WITHIN. */
struct pool_acquire { ax_frame frame; struct pool *pool; struct connection **out; int has_place; };
AX_ASYNC(pool_acquire) {
    struct pool *p = my->pool;
    struct connection *c;
    AX_BEGIN;
    AX_AWAIT(ax_sem_acquire(me, &p->places));
    my->has_place = 1;
    if (!p->idle) AX_AWAIT(ax_sleep(me, AX_MS(50))); /* to connect; it may fail, or be cut short */
    if ((c = p->idle) != NULL) { /* the one that was used last */
        p->idle = c->next;
    } else {
        for (c = p->all; c->open; c++) {} /* there is one: we have a place */
        c->open = 1;
        c->number = ++p->opened;
    }
    *my->out = c;
    AX_FINALLY:
    if (ax_leaving(me) < 0 && my->has_place) ax_sem_release(&p->places);
    AX_END;
}

static void pool_release(ax_loop *loop, struct pool *p, struct connection *c, int good) {
    if (good) {
        c->since = ax_now(loop);
        c->next = p->idle;
        p->idle = c;
    } else {
        connection_close(loop, p, c);
    }
    ax_sem_release(&p->places); /* it goes to who has waited the longest */
}

/* In the background: closes what has been idle for 200 ms, and in the end the rest. */
struct pool_keeper { ax_frame frame; struct pool *pool; };
AX_ASYNC(pool_keeper) {
    struct pool *p = my->pool;
    struct connection **at;
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_sleep(me, AX_MS(50)));
        for (at = &p->idle; *at;) {
            if (ax_since(me->loop, (*at)->since) >= AX_MS(200)) connection_close(me->loop, p, *at), *at = (*at)->next;
            else at = &(*at)->next;
        }
    }
    AX_FINALLY:
    for (; p->idle; p->idle = p->idle->next) connection_close(me->loop, p, p->idle);
    AX_END;
}

/* ---- who uses it ---- */

struct user { ax_frame frame; struct pool *pool; int id, fails; struct connection *c; };
AX_ASYNC(user) {
    AX_BEGIN;
    AX_AWAIT(AX_WITHIN(AX_MS(100), AX_CALL(pool_acquire, .pool = my->pool, .out = &my->c)));
    AX_AWAIT(ax_sleep(me, AX_MS(40))); /* a request and its answer */
    if (my->fails) AX_RETURN(AX_EPIPE);
    printf("%4d ms: user %d was served by connection %d\n", now(me->loop, my->pool), my->id, my->c->number);
    AX_FINALLY:
    if (ax_leaving(me) < 0) printf("%4d ms: user %d: %s\n", now(me->loop, my->pool), my->id, ax_strerror(ax_leaving(me)));
    if (my->c) pool_release(me->loop, my->pool, my->c, ax_leaving(me) >= 0);
    AX_END;
}

struct app { ax_frame frame; struct pool pool; ax_group keeper, users; int i; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_sem_init(&my->pool.places, MOST, MOST);
    my->pool.start = ax_now(me->loop);
    ax_group_open(me, &my->keeper, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->keeper, pool_keeper, .pool = &my->pool);

    ax_group_open(me, &my->users, AX_GROUP_COLLECT);
    for (; my->i < 8; my->i++) AX_SPAWN(&my->users, user, .pool = &my->pool, .id = my->i + 1, .fails = my->i == 1);
    AX_AWAIT(ax_group_join(me, &my->users));
    printf("%4d ms: %d of 8 were not served\n", now(me->loop, &my->pool), me->rc);

    AX_AWAIT(ax_sleep(me, AX_MS(300)));
    AX_AWAIT(AX_CALL(user, .pool = &my->pool, .id = 9));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
