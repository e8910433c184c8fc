/* Two tasks and a limit sleep for 10 s in all: what wakes the processor meanwhile? The runner's --stats tell. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

static ax_flag never;
struct waits { ax_frame frame; };
AX_ASYNC(waits) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(10), ax_flag_wait(me, &never)));
    AX_RETURN(me->rc == AX_ETIMEDOUT ? 0 : 1);
    AX_END;
}
struct twice { ax_frame frame; };
AX_ASYNC(twice) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(2345)));
    AX_AWAIT(ax_sleep(me, AX_SEC(3)));
    AX_END;
}
static ax_loop loop;
static AX_TASK(waits) one;
static AX_TASK(twice) two;
int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, waits);
    AX_SPAWN_IN(&loop.root, &two, twice);
    ax_loop_run(&loop);
    return ax_task_status(&one.task);
}
