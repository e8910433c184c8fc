/* A task waits for the button by a flag of asyncx. Exit 0 if it ran at once, 1 if the interrupt was slept over.
   For AVR, as race.c. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

static ax_flag pressed;
void on_button(int down) {
    (void)down;
    ax_flag_set(&pressed);
}

struct wait { ax_frame frame; };
AX_ASYNC(wait) {
    AX_BEGIN;
    AX_AWAIT(ax_flag_wait(me, &pressed));
    board_exit(0);
    AX_END;
}

struct limit { ax_frame frame; };
AX_ASYNC(limit) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep_until(me, 100));
    board_exit(1);
    AX_END;
}

static ax_loop loop;
static AX_TASK(wait) one;
static AX_TASK(limit) two;

int main(void) {
    volatile unsigned char i;
    board_init();
    for (i = 0; i < 100; i++) {} /* the sweep begins when the interrupt is on already */
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, wait);
    AX_SPAWN_IN(&loop.root, &two, limit);
    return ax_loop_run(&loop);
}
