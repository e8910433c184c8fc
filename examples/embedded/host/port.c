/* The board on the host, under a virtual clock: the tick is a variable that moves only while the program idles. So a minute of a
   program takes no time, and every run is the same. What board.c's scripts deliver in an interrupt elsewhere, comes in idle. */
#include "../board.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t tick = (uint32_t)BOARD_TICK_START;
static int locked = 1; /* as after reset; board_init unlocks */

static void expect(int holds, const char *why) {
    if (holds) return;
    fprintf(stderr, "port: %s\n", why);
    exit(99);
}

ax_time ax_port_now(void) { return (ax_time)tick; }

void ax_port_lock(void) {
    expect(!locked, "lock while locked");
    locked = 1;
}

void ax_port_unlock(void) {
    expect(locked, "unlock while not locked");
    locked = 0;
}

void ax_port_wake(void) {}

void ax_port_idle(ax_time until) {
    ax_time next = board_script_next(until);
    expect(locked, "idle while not locked");
    if (next == AX_FOREVER) {
        fprintf(stderr, "asleep for ever: no deadline, and no input is left\n");
        exit(98);
    }
    if (board_ticks(next, (ax_time)tick) > 0) tick = (uint32_t)next;
    ax_port_unlock(); /* the interrupts' turn */
    board_script_run();
    ax_port_lock();
}

void board_init(void) { ax_port_unlock(); }

void board_led(int on) {
    (void)on;
    board_trace_led("led", on);
}

void board_led_2(int on) {
    (void)on;
    board_trace_led("led2", on);
}

void board_put(char c) { putchar(c); }

void board_exit(int status) {
    fflush(stdout);
    exit(status);
}
