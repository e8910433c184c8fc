/* Two LEDs, two rhythms, two tasks. The smallest program: it builds with -DASYNCX_NO_CANCEL too, which leaves out all that a blink
   does not need. Each task counts from its last deadline, not from when it came to run: it never drifts.

   RAM, board and loop included, the stack apart: at most 370 bytes on a Cortex-M0, 230 on an AVR. With
   ASYNCX_NO_CANCEL half of that. */
#define ASYNCX_IMPLEMENTATION
#include "board.h"

struct blink { ax_frame frame; void (*led)(int on); ax_time half, next; unsigned char on; };

AX_ASYNC(blink) {
    AX_BEGIN;
    my->next = ax_now(me->loop);
    for (;;) {
        my->on = !my->on;
        my->led(my->on);
        AX_AWAIT(ax_sleep_until(me, my->next = ax_later(my->next, my->half)));
    }
    AX_END;
}

static ax_loop loop;
static AX_TASK(blink) slow, fast;

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &slow, blink, .led = board_led, .half = AX_MS(500));
    AX_SPAWN_IN(&loop.root, &fast, blink, .led = board_led_2, .half = AX_MS(300));
    return ax_loop_run(&loop);
}
