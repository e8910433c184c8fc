/* An async function over its state. */
#include "async.h"

struct blink {
    struct async_state state;
    ax_time until;
};

static async blink(struct blink *my) {
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

static struct blink one;

int main(void) {
    board_init();
    while (blink(&one) == ASYNC_WAITS) sleep_until(one.until);
    return 0;
}
