/* BBC micro:bit: nRF51822, Cortex-M0 at 16 MHz. Registers: nRF51 Series Reference Manual 3.0.

   TIMER0 counts microseconds, 32 bits, and is never stopped: it is the clock, and its compare register 0 the alarm. There is no
   periodic tick. */
#include "../board.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define TIMER(offset) REG(0x40008000 + (offset)) /* chapter TIMER */
#define TASKS_START TIMER(0x000)
#define TASKS_CAPTURE_1 TIMER(0x044)
#define EVENTS_COMPARE_0 TIMER(0x140)
#define INTENSET TIMER(0x304)
#define BITMODE TIMER(0x508)
#define PRESCALER TIMER(0x510)
#define CC_0 TIMER(0x540)
#define CC_1 TIMER(0x544)

#define UART(offset) REG(0x40002000 + (offset)) /* chapter UART */
#define UART_STARTRX UART(0x000)
#define UART_STARTTX UART(0x008)
#define UART_RXDRDY UART(0x108)
#define UART_TXDRDY UART(0x11C)
#define UART_INTENSET UART(0x304)
#define UART_ENABLE UART(0x500)
#define UART_PSELTXD UART(0x50C)
#define UART_PSELRXD UART(0x514)
#define UART_RXD UART(0x518)
#define UART_TXD UART(0x51C)
#define UART_BAUDRATE UART(0x524)

#define GPIO_OUTSET REG(0x50000508) /* chapter GPIO */
#define GPIO_OUTCLR REG(0x5000050C)
#define GPIO_DIRSET REG(0x50000518)
#define LED_1 (1u << 13) /* row 1 of the matrix */
#define LED_2 (1u << 14) /* row 2 */

#define CLOCK_HFCLKSTART REG(0x40000000) /* chapter CLOCK */
#define NVIC_ISER REG(0xE000E100)
#define IRQ_UART 2
#define IRQ_TIMER 8

#define TICK 1000u              /* counts in a tick */
#define LONGEST ((1l << 20) - 1) /* ticks to sleep at most: what is left of 32 bits stays far from a wrap */

static uint32_t tick = (uint32_t)BOARD_TICK_START; /* began when the counter was `mark` */
static uint32_t mark;

static uint32_t count(void) {
    TASKS_CAPTURE_1 = 1;
    return CC_1;
}

/* Moves tick and mark to the present. A division, by hand: the core has none. */
static void refresh(void) {
    uint32_t passed = count() - mark, span = TICK << 22, ticks = 1u << 22;
    if (passed < TICK) return;
    for (; ticks; span >>= 1, ticks >>= 1)
        if (passed >= span) passed -= span, mark += span, tick += ticks;
}

/* Sets the alarm. Not 0 if that time is there already: the counter would meet it in an hour only. */
static int alarm_set(ax_time until) {
    int32_t left = LONGEST;
    refresh();
    until = board_script_next(until);
    if (until != AX_FOREVER && board_ticks(until, (ax_time)tick) < left) left = board_ticks(until, (ax_time)tick);
    if (left <= 0) return 1;
    CC_0 = mark + (uint32_t)left * TICK;
    return (int32_t)(count() - CC_0) >= 0;
}

/* Also called by interrupts and under the lock, so that it must leave the mask as it was. */
ax_time ax_port_now(void) {
    uint32_t masked, now;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
    refresh();
    now = tick;
    __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
    return (ax_time)now;
}

/* wfi ends with a pending interrupt even if that is masked (ARMv6-M Architecture Reference Manual, WFI): one that comes after the
   caller's test is not slept over. Its handler runs in the gap between unlock and lock. */
void ax_port_idle(ax_time until) {
    if (!alarm_set(until)) __asm volatile("dsb\n\twfi" ::: "memory");
    __asm volatile("cpsie i\n\tisb\n\tcpsid i" ::: "memory");
}

void timer_handler(void) {
    EVENTS_COMPARE_0 = 0;
#ifdef BOARD_SCRIPT
    do board_script_run();
    while (alarm_set(AX_FOREVER)); /* the next scripted input comes also if the program does not sleep */
#endif
}

void board_init(void) {
    GPIO_DIRSET = LED_1 | LED_2;
    CLOCK_HFCLKSTART = 1; /* the crystal: without it the timer runs on an RC oscillator */
    BITMODE = 3;          /* 32 bits */
    PRESCALER = 4;        /* 16 MHz / 2^4 */
    INTENSET = 1u << 16;  /* COMPARE[0] */
    TASKS_START = 1;
    NVIC_ISER = 1u << IRQ_TIMER;
#ifndef BOARD_BARE
    UART_PSELTXD = 24;
    UART_PSELRXD = 25;
    UART_BAUDRATE = 0x01D7E000; /* 115200 */
    UART_ENABLE = 4;
    UART_STARTTX = 1;
    UART_STARTRX = 1;
    UART_INTENSET = 1u << 2; /* RXDRDY */
    NVIC_ISER = 1u << IRQ_UART;
#endif
#ifdef BOARD_SCRIPT
    while (alarm_set(AX_FOREVER)) board_script_run();
#endif
    ax_port_unlock();
}

void board_led(int on) {
    if (on) GPIO_OUTSET = LED_1;
    else GPIO_OUTCLR = LED_1;
    board_trace_led("led", on);
}

void board_led_2(int on) {
    if (on) GPIO_OUTSET = LED_2;
    else GPIO_OUTCLR = LED_2;
    board_trace_led("led2", on);
}

#ifndef BOARD_BARE
void board_put(char c) {
    UART_TXD = (unsigned char)c;
    while (!UART_TXDRDY) {}
    UART_TXDRDY = 0;
}

void uart_handler(void) {
    UART_RXDRDY = 0; /* before the read: a byte that comes in between sets it again */
    on_byte((unsigned char)UART_RXD);
}
#endif

/* Semihosting, SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. Without a debugger bkpt is a fault, and the core locks up. */
void board_exit(int status) {
    uint32_t block[2] = {0x20026, (uint32_t)status};
    register uint32_t call __asm("r0") = 0x20;
    register uint32_t *arguments __asm("r1") = block;
    __asm volatile("cpsid i\n\tbkpt 0xAB" ::"r"(call), "r"(arguments) : "memory");
    for (;;) {}
}
