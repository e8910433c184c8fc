/* asyncx: a task that waits for an interrupt that never comes. (A sleep for ever that nothing can end is AX_EDEADLK.) */
#define ASYNCX_IMPLEMENTATION
#define ASYNCX_STATIC
#include "blink.h"

static ax_flag flag;
struct idle { ax_frame frame; };

AX_ASYNC(idle) {
    AX_BEGIN;
    AX_AWAIT(ax_flag_wait(me, &flag));
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
