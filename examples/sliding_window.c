/* At most five requests begin in any second: a sliding window, on top of a mutex and a sleep. (limiter.c is a token bucket.) */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

enum { REQUESTS = 12, RATE = 5 };

struct window { ax_mutex turn; ax_time began[RATE]; int next; }; /* when the last five requests began; {0} is a fresh one */

struct enter { ax_frame frame; struct window *w; };
AX_ASYNC(enter) { /* waits until the oldest of them is a second ago */
    struct window *w = my->w;
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &w->turn)); /* one after the other; unlocked when this is left */
    if (w->began[w->next]) AX_AWAIT(ax_sleep_until(me, w->began[w->next] + AX_SEC(1)));
    w->began[w->next] = ax_now(me->loop);
    w->next = (w->next + 1) % RATE;
    AX_END;
}

struct request { ax_frame frame; struct window *window; int id; ax_time start; };
AX_ASYNC(request) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(enter, .w = my->window));
    printf("%4d ms: request %d\n", (int)((ax_now(me->loop) - my->start) / AX_MS(1)), my->id);
    AX_END;
}

struct app { ax_frame frame; struct window window; ax_group g; int i; };
AX_ASYNC(app) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_SEC(1)));
    ax_group_open(me, &my->g, 0);
    for (; my->i < REQUESTS; my->i++) AX_SPAWN(&my->g, request, .window = &my->window, .id = my->i + 1, .start = ax_now(me->loop));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
