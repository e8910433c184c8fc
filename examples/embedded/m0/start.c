/* Start-up of a Cortex-M0: vectors (ARMv6-M Architecture Reference Manual, exception model), .data, .bss, main. */
#include "../board.h"

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];
int main(void);
void timer_handler(void);
void uart_handler(void);

/* volatile, or the compiler makes memcpy and memset of the loops */
void reset(void) {
    volatile uint32_t *to;
    const uint32_t *from = data_load;
    for (to = data_start; to < data_end;) *to++ = *from++;
    for (to = bss_start; to < bss_end;) *to++ = 0;
    board_exit(main());
}

static void fault(void) { board_exit(99); }

struct vectors {
    uint32_t *stack;
    void (*handler[15 + 9])(void); /* 15 of the core, interrupts 0 to 8 */
};
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    stack_top,
    {
        [0] = reset,
        [1] = fault, /* NMI */
        [2] = fault, /* HardFault */
#ifndef BOARD_BARE
        [15 + 2] = uart_handler, /* UART0 */
#endif
        [15 + 8] = timer_handler, /* TIMER0 */
    },
};
