/* Ends badly: by an instruction or an address that there is not, or (LOCK_UP, Cortex-M) by a fault that cannot even save its
   registers. */
#include "board.h"

int main(void) {
    board_init();
#if defined(LOCK_UP)
    __asm volatile("mov sp, %0\n\tudf #0" ::"r"(0x80000000));
#elif defined(__arm__)
    __asm volatile("udf #0");
#elif defined(__riscv)
    __asm volatile("unimp");
#elif defined(__AVR__)
    __asm volatile("ldi r30, 0xFF\n\tldi r31, 0x7F\n\tijmp"); /* beyond the flash */
#endif
    return 0;
}
