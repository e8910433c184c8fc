/* QEMU's RISC-V board "virt", one hart in machine mode. What is usual on RISC-V microcontrollers: a CLINT with the timer mtime and
   its compare register, a PLIC for the other interrupts, a 16550 UART. It has no LEDs: they are two bits in RAM.

   mtime counts at 10 MHz, 64 bits; its lower half is enough for a clock that is read now and then. There is no periodic tick. */
#include "../board.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

#define MTIMECMP_LOW REG(0x02004000) /* RISC-V Privileged Architecture, machine timer registers */
#define MTIMECMP_HIGH REG(0x02004004)
#define MTIME_LOW REG(0x0200BFF8)
#define MTIME_HIGH REG(0x0200BFFC)

#define UART_DATA BYTE(0x10000000)
#define UART_IER BYTE(0x10000001)
#define UART_LSR BYTE(0x10000005)
#define IRQ_UART 10
#define PLIC_PRIORITY(irq) REG(0x0C000000 + 4 * (irq)) /* RISC-V PLIC specification 1.0 */
#define PLIC_ENABLE REG(0x0C002000)
#define PLIC_CLAIM REG(0x0C200004)

#define TEST_DEVICE REG(0x00100000)

#define MSTATUS_MIE 8u
#define MIE_TIMER (1u << 7)
#define MIE_EXTERNAL (1u << 11)
#define INTERRUPT 0x80000000u

#define TICK 10000u              /* counts in a tick */
#define LONGEST ((1l << 17) - 1) /* ticks to sleep at most: the lower half of mtime wraps every 429 s */

static uint32_t tick = (uint32_t)BOARD_TICK_START; /* began when the lower half of mtime was `mark` */
static uint32_t mark;

/* Moves tick and mark to the present. */
static void refresh(void) {
    uint32_t ticks = (MTIME_LOW - mark) / TICK;
    tick += ticks;
    mark += ticks * TICK;
}

/* Sets the alarm for the time at which `mark` is `low`, not more than half a wrap ahead. */
static void compare_set(uint32_t low) {
    uint32_t high = MTIME_HIGH, now = MTIME_LOW;
    if (MTIME_HIGH != high) high = MTIME_HIGH, now = MTIME_LOW;
    if (low < now) high++;
    MTIMECMP_LOW = UINT32_MAX; /* no alarm from a new half with an old one */
    MTIMECMP_HIGH = high;
    MTIMECMP_LOW = low;
}

/* Sets the alarm. Not 0 if that time is there already. */
static int alarm_set(ax_time until) {
    int32_t left = LONGEST;
    uint32_t at;
    refresh();
    until = board_script_next(until);
    if (until != AX_FOREVER && board_ticks(until, (ax_time)tick) < left) left = board_ticks(until, (ax_time)tick);
    if (left <= 0) return 1;
    at = mark + (uint32_t)left * TICK;
    if ((int32_t)(MTIME_LOW - at) >= 0) return 1;
    compare_set(at);
    return 0;
}

/* Also called by interrupts and under the lock, so that it must leave the mask as it was. */
ax_time ax_port_now(void) {
    uint32_t status, now;
    __asm volatile("csrrci %0, mstatus, 8" : "=r"(status)::"memory");
    refresh();
    now = tick;
    __asm volatile("csrs mstatus, %0" ::"r"(status & MSTATUS_MIE) : "memory");
    return (ax_time)now;
}

/* wfi ends with a pending interrupt that is enabled in mie even if MIE masks it (Privileged Architecture, WFI): one that
   comes after the caller's test is not slept over. Its handler runs in the gap between unlock and lock. */
void ax_port_idle(ax_time until) {
    if (!alarm_set(until)) __asm volatile("wfi" ::: "memory");
    ax_port_unlock();
    __asm volatile("nop");
    ax_port_lock();
}

__attribute__((interrupt("machine"), aligned(4))) void trap(void) {
    uint32_t cause;
    __asm volatile("csrr %0, mcause" : "=r"(cause));
    if (cause == (INTERRUPT | 7)) {
        MTIMECMP_HIGH = UINT32_MAX; /* off: the interrupt stays pending until the compare register is in the future */
#ifdef BOARD_SCRIPT
        do board_script_run();
        while (alarm_set(AX_FOREVER)); /* the next scripted input comes also if the program does not sleep */
#endif
#ifndef BOARD_BARE
    } else if (cause == (INTERRUPT | 11)) {
        uint32_t irq = PLIC_CLAIM;
        while (UART_LSR & 1u) on_byte(UART_DATA);
        PLIC_CLAIM = irq;
#endif
    } else board_exit(99); /* an exception */
}

void board_init(void) {
    mark = MTIME_LOW;
    MTIMECMP_HIGH = UINT32_MAX;
    __asm volatile("csrw mie, %0" ::"r"(MIE_TIMER | MIE_EXTERNAL));
#ifndef BOARD_BARE
    PLIC_PRIORITY(IRQ_UART) = 1;
    PLIC_ENABLE = 1u << IRQ_UART;
    UART_IER = 1; /* received data */
#endif
#ifdef BOARD_SCRIPT
    while (alarm_set(AX_FOREVER)) board_script_run();
#endif
    ax_port_unlock();
}

static volatile unsigned char leds;

void board_led(int on) {
    leds = (unsigned char)((leds & ~1) | !!on);
    board_trace_led("led", on);
}

void board_led_2(int on) {
    leds = (unsigned char)((leds & ~2) | !!on << 1);
    board_trace_led("led2", on);
}

#ifndef BOARD_BARE
void board_put(char c) {
    while (!(UART_LSR & 0x20u)) {}
    UART_DATA = (uint8_t)c;
}
#endif

/* QEMU's test device ends the emulation. */
void board_exit(int status) {
    ax_port_lock();
    TEST_DEVICE = status ? (uint32_t)status << 16 | 0x3333u : 0x5555u;
    for (;;) {}
}
