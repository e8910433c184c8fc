/* A state machine by hand. */
#include "blink.h"

static enum { OFF, ON } state;
static ax_time until;

static void blink(void) {
    if (!reached(until)) return;
    switch (state) {
    case OFF:
        board_led(1);
        until = later(until, 100);
        state = ON;
        break;
    case ON:
        board_led(0);
        until = later(until, 900);
        state = OFF;
        break;
    }
}

int main(void) {
    board_init();
    until = ax_port_now();
    for (;;) {
        blink();
        sleep_until(until);
    }
}
