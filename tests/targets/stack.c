/* Around main and board_exit (by the linker's --wrap), for boards of 32 bits: paints the stack before main, and says at the end how
   deep it was written:

     stack: 212

   In bytes below the frame that calls main, interrupts included. What the deepest function takes and never writes does not show. */
#include "board.h"

#define PAINT 0xA5C3960Fu
#define MOST 1024 /* words that are painted, where there are as many */

#ifdef __riscv
#define GET_SP "mv %0, sp"
#else
#define GET_SP "mov %0, sp"
#endif

int __real_main(void);
void __real_board_exit(int status);
int __wrap_main(void);
void __wrap_board_exit(int status);

extern uint32_t bss_end[];
static uint32_t *top, *bottom;

/* Once: start-up's call of board_exit comes here too. Looks before it prints, which takes stack itself. */
static void say(void) {
    volatile uint32_t *p = bottom;
    if (!top) return;
    while (p < top && *p == PAINT) p++;
    board_say("stack: ");
    board_say_number((long)((uint32_t)top - (uint32_t)p));
    board_say(p == bottom ? " or more\n" : "\n");
    top = NULL;
}

int __wrap_main(void) {
    volatile uint32_t *p;
    int status;
    __asm volatile(GET_SP : "=r"(top));
    bottom = top - bss_end > MOST ? top - MOST : bss_end;
    for (p = bottom; p < top; p++) *p = PAINT;
    status = __real_main();
    say();
    return status;
}

void __wrap_board_exit(int status) {
    say();
    __real_board_exit(status);
}
