/* Two state machines by hand. */
#include "blink.h"

enum state { OFF, ON };
static enum state state_1, state_2;
static ax_time until_1, until_2;

static void blink_1(void) {
    if (!reached(until_1)) return;
    switch (state_1) {
    case OFF:
        board_led(1);
        until_1 = later(until_1, 100);
        state_1 = ON;
        break;
    case ON:
        board_led(0);
        until_1 = later(until_1, 900);
        state_1 = OFF;
        break;
    }
}

static void blink_2(void) {
    if (!reached(until_2)) return;
    switch (state_2) {
    case OFF:
        board_led_2(1);
        until_2 = later(until_2, 300);
        state_2 = ON;
        break;
    case ON:
        board_led_2(0);
        until_2 = later(until_2, 700);
        state_2 = OFF;
        break;
    }
}

int main(void) {
    board_init();
    until_1 = until_2 = ax_port_now();
    for (;;) {
        blink_1();
        blink_2();
        sleep_until(sooner(until_1, until_2));
    }
}
