/* Echoes bytes and reports the button until 'q' comes. Queues of one writer and one reader: an interrupt and main. */
#include "board.h"

static volatile unsigned char events[16], put;

static void event(unsigned char e) { events[put & 15] = e, put++; }
void on_byte(unsigned char byte) { event(byte); }
void on_button(int down) { event(down ? 1 : 0); }

#ifndef NO_SCRIPT
const struct board_press board_presses[] = {{100, 1}, {101, 0}, {2500, 1}, {-1, 0}};
const struct board_byte board_bytes[] = {{50, 'a'}, {101, 'b'}, {3000, 'q'}, {-1, 0}};
#endif

int main(void) {
    unsigned char get = 0;
    board_init();
    for (;;) {
        unsigned char e;
        ax_port_lock();
        while (get == put) ax_port_idle(AX_FOREVER);
        e = events[get++ & 15];
        ax_port_unlock();
        if (e <= 1) board_say(e ? TEXT("down") : TEXT("up"));
        else board_put((char)e);
        board_say(TEXT("@"));
        board_say_number(board_ticks(ax_port_now(), (ax_time)BOARD_TICK_START));
        board_say(TEXT(" "));
        if (e == 'q') return 0;
    }
}
