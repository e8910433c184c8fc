/* Two protothreads. */
#include "protothread.h"

static thread blinker_1, blinker_2;
static ax_time until_1, until_2;

static void blink_1(void) {
    THREAD_BEGIN(blinker_1);
    for (;;) {
        board_led(1);
        until_1 = later(until_1, 100);
        THREAD_WAIT(blinker_1, reached(until_1));
        board_led(0);
        until_1 = later(until_1, 900);
        THREAD_WAIT(blinker_1, reached(until_1));
    }
    THREAD_END(blinker_1);
}

static void blink_2(void) {
    THREAD_BEGIN(blinker_2);
    for (;;) {
        board_led_2(1);
        until_2 = later(until_2, 300);
        THREAD_WAIT(blinker_2, reached(until_2));
        board_led_2(0);
        until_2 = later(until_2, 700);
        THREAD_WAIT(blinker_2, reached(until_2));
    }
    THREAD_END(blinker_2);
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
