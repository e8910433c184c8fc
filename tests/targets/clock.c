/* Sleeps 5 s by ax_port_idle, to deadlines near and far, and must wake at the very tick of each. Exit 1 if it was ever late.
   LONG: 84 minutes, for counters that wrap on the way. */
#include "board.h"

#ifndef STATUS
#define STATUS 0
#endif

#ifdef LONG
static const uint32_t delays[] = {5000000, 1, 40000};
#else
static const uint16_t delays[] = {1, 2, 3, 250, 249, 251, 255, 256, 500, 999, 1001, 1, 733, 499};
#endif

int main(void) {
    ax_time start, deadline;
    int32_t late = 0;
    unsigned char i;
    board_init();
    start = deadline = ax_port_now();
    for (i = 0; i < sizeof delays / sizeof *delays; i++) {
        deadline = (ax_time)((uint32_t)deadline + delays[i]);
        ax_port_lock();
        while (board_ticks(deadline, ax_port_now()) > 0) ax_port_idle(deadline);
        late += board_ticks(ax_port_now(), deadline);
        ax_port_unlock();
    }
    board_say(TEXT("slept "));
    board_say_number(board_ticks(ax_port_now(), start));
    board_say(TEXT(", late "));
    board_say_number(late);
    board_say(TEXT("\n"));
    return late ? 1 : STATUS;
}
