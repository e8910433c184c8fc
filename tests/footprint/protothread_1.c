/* A protothread. */
#include "protothread.h"

static thread blinker;
static ax_time until;

static void blink(void) {
    THREAD_BEGIN(blinker);
    for (;;) {
        board_led(1);
        until = later(until, 100);
        THREAD_WAIT(blinker, reached(until));
        board_led(0);
        until = later(until, 900);
        THREAD_WAIT(blinker, reached(until));
    }
    THREAD_END(blinker);
}

int main(void) {
    board_init();
    until = ax_port_now();
    for (;;) {
        blink();
        sleep_until(until);
    }
}
