/* A light that all wait for: asyncio.Event.

   Setting it wakes everybody who waits, for good: clearing it again takes nothing back. While it is set, a wait is done at
   once. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct car { ax_frame frame; ax_event *green; const char *name; ax_time comes; };

AX_ASYNC(car) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->comes));
    printf("%s comes%s\n", my->name, my->green->set ? "" : " and stops");
    AX_AWAIT(ax_event_wait(me, my->green));
    printf("%s is across\n", my->name);
    AX_END;
}

struct app { ax_frame frame; ax_event green; ax_group cars; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->cars, 0);
    AX_SPAWN(&my->cars, car, .green = &my->green, .name = "Ada", .comes = AX_MS(50));
    AX_SPAWN(&my->cars, car, .green = &my->green, .name = "Ben", .comes = AX_MS(150));
    AX_SPAWN(&my->cars, car, .green = &my->green, .name = "Cleo", .comes = AX_MS(350));
    AX_AWAIT(ax_sleep(me, AX_MS(250)));
    printf("green, and red again at once\n");
    ax_event_set(&my->green);
    ax_event_clear(&my->green);
    AX_AWAIT(ax_sleep(me, AX_MS(200)));
    printf("green\n");
    ax_event_set(&my->green);
    AX_SPAWN(&my->cars, car, .green = &my->green, .name = "Dan");
    AX_END; /* a frame waits for its group */
}

int main(void) { return ax_exit(AX_RUN(app)); }
