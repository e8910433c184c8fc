/* Two LEDs, two rhythms, two tasks. The smallest program: it builds with -DASYNCX_NO_CANCEL too, which leaves out all that a blink
   does not need. Each task counts from its last deadline, not from when it came to run, so that it never drifts.

   RAM: what RAM_LINE */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

/* A point in time that is so much later. (A plain sum overflows at the wrap, or comes to mean AX_FOREVER.) */
static ax_time later(ax_time when, ax_time time) {
    ax_time sum = (ax_time)((uint32_t)when + (uint32_t)time);
    return sum != AX_FOREVER ? sum : (ax_time)((uint32_t)sum + 1);
}

struct blink {
    ax_frame frame;
    void (*led)(int on);
    ax_time half, next; /* half a period; the next change */
    unsigned char on;
};

AX_ASYNC(blink) {
    AX_BEGIN;
    for (my->next = ax_now(me->loop);; my->next = later(my->next, my->half)) {
        AX_AWAIT(ax_sleep_until(me, my->next));
        my->led(my->on = !my->on);
    }
    AX_END;
}

static ax_loop loop;
static AX_TASK(blink) red, green;

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &red, blink, .led = board_led, .half = AX_MS(500));
    AX_SPAWN_IN(&loop.root, &green, blink, .led = board_led_2, .half = AX_MS(300));
    return ax_loop_run(&loop);
}
