/* asyncx: two tasks; with THREE, one more of the second kind, to see what a task weighs without its function. */
#define ASYNCX_IMPLEMENTATION
#define ASYNCX_STATIC
#include "blink.h"

struct blink_1 {
    ax_frame frame;
    ax_time until;
};

AX_ASYNC(blink_1) {
    AX_BEGIN;
    my->until = ax_now(me->loop);
    for (;;) {
        board_led(1);
        my->until = later(my->until, 100);
        AX_AWAIT(ax_sleep_until(me, my->until));
        board_led(0);
        my->until = later(my->until, 900);
        AX_AWAIT(ax_sleep_until(me, my->until));
    }
    AX_END;
}

struct blink_2 {
    ax_frame frame;
    ax_time until;
};

AX_ASYNC(blink_2) {
    AX_BEGIN;
    my->until = ax_now(me->loop);
    for (;;) {
        board_led_2(1);
        my->until = later(my->until, 300);
        AX_AWAIT(ax_sleep_until(me, my->until));
        board_led_2(0);
        my->until = later(my->until, 700);
        AX_AWAIT(ax_sleep_until(me, my->until));
    }
    AX_END;
}

static ax_loop loop;
static AX_TASK(blink_1) one;
static AX_TASK(blink_2) two;
#ifdef THREE
static AX_TASK(blink_2) three;
#endif

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, blink_1);
    AX_SPAWN_IN(&loop.root, &two, blink_2);
#ifdef THREE
    AX_SPAWN_IN(&loop.root, &three, blink_2);
#endif
    return ax_loop_run(&loop);
}
