/* Inside a loop that is there already: a game, a GUI. The host runs turns, and asyncx never sleeps.

   ax_run_once runs what is ready; ax_next_deadline says until when the host may sleep. Here the clock is the host's, too, so
   the tasks follow the game's time: they stand still while it is paused. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct guard { ax_frame frame; const char *name; ax_time walks; int rounds; };

AX_ASYNC(guard) {
    AX_BEGIN;
    for (; my->rounds; my->rounds--) {
        AX_AWAIT(ax_sleep(me, my->walks));
        printf("%4d ms: %s turns round\n", (int)(ax_now(me->loop) / AX_MS(1)), my->name);
    }
    AX_END;
}

static ax_time game_time(void *game) { return *(ax_time *)game; }

int main(void) {
    ax_time now = 0, frame = 0, wake;
    ax_loop_desc desc = {.clock = game_time, .clock_ctx = &now};
    ax_loop loop;
    if (ax_loop_open(&loop, &desc) < 0) return 1;
    AX_SPAWN(&loop.root, guard, .name = "Ada", .walks = AX_MS(150), .rounds = 3);
    AX_SPAWN(&loop.root, guard, .name = "Ben", .walks = AX_MS(170), .rounds = 2);
    for (;;) {
        while (ax_run_once(&loop) > 0) {}
        if ((wake = ax_next_deadline(&loop)) == AX_FOREVER) break; /* nobody waits for anything */
        if (frame <= now) {
            printf("%4d ms: draw\n", (int)(now / AX_MS(1)));
            frame += AX_MS(100);
        }
        now = wake < frame ? wake : frame; /* a real host would sleep until then, or until a key is pressed */
    }
    return ax_exit(ax_loop_close(&loop));
}
