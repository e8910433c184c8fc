/* Sleeps until the button is pressed. Exit 0 if it woke at once, 1 if only the deadline woke it: the interrupt was slept over.
   WRONG 1 tests without the lock, 2 lets interrupts on one instruction too early: both lose it in some phases. For AVR. */
#include "board.h"

#include <avr/interrupt.h>

static volatile unsigned char pressed;
void on_button(int down) {
    (void)down;
    pressed = 1;
}

#if WRONG == 2
static void idle(ax_time until) {
    (void)until; /* the end of the timer's period will do */
    __asm volatile("sei\n\tnop\n\tsleep\n\tcli" ::: "memory");
}
#else
#define idle ax_port_idle
#endif

int main(void) {
    volatile unsigned char i;
    board_init();
    for (i = 0; i < 100; i++) {} /* the sweep begins when the interrupt is on already */
#if WRONG == 1
    while (!pressed && ax_port_now() < 100) {
        ax_port_lock();
        idle(100);
        ax_port_unlock();
    }
#else
    ax_port_lock();
    while (!pressed && ax_port_now() < 100) idle(100);
    ax_port_unlock();
#endif
    return ax_port_now() >= 100;
}
