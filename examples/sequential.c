/* One after the other, then at the same time: asyncio's `await` against `create_task`.

   A call is awaited where it stands, so two calls take the sum of their times. Tasks of a group run side by side,
   so they take as long as the longest of them. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct say_after { ax_frame frame; ax_time delay; const char *what; };

AX_ASYNC(say_after) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->delay));
    printf("  %s\n", my->what);
    AX_END;
}

struct app { ax_frame frame; ax_time start; ax_group both; };

static double seconds_since(ax_task *me, ax_time start) { return (double)(ax_now(me->loop) - start) / (double)AX_SEC(1); }

AX_ASYNC(app) {
    AX_BEGIN;
    my->start = ax_now(me->loop);
    AX_AWAIT(AX_CALL(say_after, .delay = AX_SEC(0.5), .what = "hello"));
    AX_AWAIT(AX_CALL(say_after, .delay = AX_SEC(1), .what = "world"));
    printf("one after the other: %.1f s\n", seconds_since(me, my->start));

    my->start = ax_now(me->loop);
    ax_group_open(me, &my->both, 0);
    AX_SPAWN(&my->both, say_after, .delay = AX_SEC(0.5), .what = "hello");
    AX_SPAWN(&my->both, say_after, .delay = AX_SEC(1), .what = "world");
    AX_AWAIT(ax_group_join(me, &my->both));
    printf("at the same time: %.1f s\n", seconds_since(me, my->start));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
