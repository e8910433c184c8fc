/* Two async functions over their states. */
#include "async.h"

struct blink {
    struct async_state state;
    ax_time until;
};

static async blink_1(struct blink *my) {
    ASYNC_BEGIN(&my->state);
    my->until = ax_port_now();
    for (;;) {
        board_led(1);
        my->until = later(my->until, 100);
        AWAIT(reached(my->until));
        board_led(0);
        my->until = later(my->until, 900);
        AWAIT(reached(my->until));
    }
    ASYNC_END;
}

static async blink_2(struct blink *my) {
    ASYNC_BEGIN(&my->state);
    my->until = ax_port_now();
    for (;;) {
        board_led_2(1);
        my->until = later(my->until, 300);
        AWAIT(reached(my->until));
        board_led_2(0);
        my->until = later(my->until, 700);
        AWAIT(reached(my->until));
    }
    ASYNC_END;
}

static struct blink one, two;

int main(void) {
    board_init();
    while (blink_1(&one) == ASYNC_WAITS && blink_2(&two) == ASYNC_WAITS) sleep_until(sooner(one.until, two.until));
    return 0;
}
