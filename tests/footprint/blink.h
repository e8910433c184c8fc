/* What the baselines share: they blink LED 1 on 100 ms, off 900, and LED 2 on 300, off 700, and sleep in between. */
#ifndef BLINK_H
#define BLINK_H
#include "board.h"

static inline ax_time later(ax_time t, unsigned ms) { return (ax_time)((uint32_t)t + ms); }
static inline ax_time sooner(ax_time a, ax_time b) { return board_ticks(a, b) < 0 ? a : b; }
static inline int reached(ax_time t) { return board_ticks(ax_port_now(), t) >= 0; }

static inline void sleep_until(ax_time t) {
    ax_port_lock();
    ax_port_idle(t);
    ax_port_unlock();
}
#endif
