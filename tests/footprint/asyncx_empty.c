/* asyncx: a task that sleeps for ever. */
#define ASYNCX_IMPLEMENTATION
#define ASYNCX_STATIC
#include "blink.h"

struct idle { ax_frame frame; };

AX_ASYNC(idle) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep_until(me, AX_FOREVER));
    AX_END;
}

static ax_loop loop;
static AX_TASK(idle) one;

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, idle);
    return ax_loop_run(&loop);
}
