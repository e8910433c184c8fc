/* What the README's program for a Cortex-M needs of a board: vectors, and LEDs that are told on the console (semihosting), for ten
   changes. Run on QEMU's micro:bit, whose SysTick counts at 16 MHz. */
#include <stdint.h>

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];
int main(void);
void SysTick_Handler(void);
void led_set(int led, int on);

static int semihost(int call, const void *argument) {
    register int r0 __asm__("r0") = call;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t status) {
    const uint32_t block[2] = {0x20026, status};
    semihost(0x20, block);
    for (;;) {}
}

void reset(void);
void reset(void) { /* the linker script's entry */
    volatile uint32_t *to;
    const uint32_t *from = data_load;
    for (to = data_start; to < data_end;) *to++ = *from++;
    for (to = bss_start; to < bss_end;) *to++ = 0;
    leave((uint32_t)main());
}
static void fault(void) { leave(99); }

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    [0] = (uintptr_t)stack_top, [1] = (uintptr_t)reset, [2] = (uintptr_t)fault, [3] = (uintptr_t)fault,
    [15] = (uintptr_t)SysTick_Handler,
};

void led_set(int led, int on) {
    static const char *const text[2][2] = {{"led 0 off\n", "led 0 on\n"}, {"led 1 off\n", "led 1 on\n"}};
    static int changes;
    semihost(4, text[led][on]);
    if (++changes == 10) leave(0);
}
