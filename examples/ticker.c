/* Every 100 ms without drift: by a task (`while True: await asyncio.sleep(0.1)` drifts), and by a timer that calls back.

   ax_sleep_until and ax_timer_start take a point in time. The next tick is counted from the last one, not from the time at
   which it came to run, so what is done in between does not push it back. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

static void tick(ax_loop *loop, ax_time start, const char *who) {
    printf("%s at %d ms\n", who, (int)((ax_now(loop) - start) / AX_MS(1)));
}

struct blinker { ax_timer timer; ax_time start; int left; };

static void blink(ax_loop *loop, void *arg) {
    struct blinker *b = arg;
    tick(loop, b->start, "timer");
    if (--b->left) ax_timer_start(loop, &b->timer, b->timer.when + AX_MS(150), blink, b);
}

struct app { ax_frame frame; ax_time start, next; struct blinker blinker; int i; };

AX_ASYNC(app) {
    AX_BEGIN;
    my->start = my->next = my->blinker.start = ax_now(me->loop);
    my->blinker.left = 3;
    ax_timer_start(me->loop, &my->blinker.timer, my->start + AX_MS(50), blink, &my->blinker);
    for (; my->i < 4; my->i++) {
        AX_AWAIT(ax_sleep_until(me, my->next += AX_MS(100)));
        tick(me->loop, my->start, "task");
        AX_AWAIT(ax_sleep(me, AX_MS(30))); /* some work */
    }
    AX_FINALLY:
    ax_timer_stop(&my->blinker.timer); /* it lies in this frame */
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
