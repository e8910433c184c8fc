/* Arm MPS2 with the FPGA image AN385: Cortex-M3 at 25 MHz. Registers: Application Note AN385, and the Cortex-M System
   Design Kit's manual (CMSDK, DDI 0479).

   The FPGA has a counter with a prescaler, which is the tick itself: it counts milliseconds, wraps with the 32 bits of ax_time, and
   nothing has to be kept in RAM. CMSDK timer 0, a 32-bit down counter, is the alarm. There is no periodic tick. */
#include "../board.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define FPGA_LED REG(0x40028000) /* AN385, FPGA I/O */
#define FPGA_COUNTER REG(0x40028018)
#define FPGA_PRESCALE REG(0x4002801C)
#define FPGA_PSCNTR REG(0x40028020) /* counts down from FPGA_PRESCALE; at 0 the counter counts */

#define TIMER_CTRL REG(0x40000000) /* CMSDK, APB timer */
#define TIMER_VALUE REG(0x40000004)
#define TIMER_INTCLEAR REG(0x4000000C)

#define UART_DATA REG(0x40004000) /* CMSDK, APB UART */
#define UART_STATE REG(0x40004004)
#define UART_CTRL REG(0x40004008)
#define UART_INTCLEAR REG(0x4000400C)
#define UART_BAUDDIV REG(0x40004010)

#define NVIC_ISER REG(0xE000E100)
#define IRQ_UART_RX 0
#define IRQ_TIMER 8

#define TICK 25000u       /* clocks in a tick */
#define LONGEST (1l << 17) /* ticks to sleep at most: 2^32 clocks are 171 s */

ax_time ax_port_now(void) { return (ax_time)FPGA_COUNTER; }

/* Sets the alarm. Not 0 if that time is there already. */
static int alarm_set(ax_time until) {
    uint32_t now, clocks;
    int32_t left = LONGEST;
    do { /* both counters at one moment */
        now = FPGA_COUNTER;
        clocks = FPGA_PSCNTR;
    } while (now != FPGA_COUNTER);
    until = board_script_next(until);
    if (until != AX_FOREVER && board_ticks(until, (ax_time)now) < left) left = board_ticks(until, (ax_time)now);
    if (left <= 0) return 1;
    clocks += 1 + (uint32_t)(left - 1) * TICK; /* what is left of this tick, and whole ones */
    TIMER_VALUE = clocks;
    return 0;
}

/* wfi ends with a pending interrupt even if that is masked (ARMv7-M Architecture Reference Manual, WFI): one that comes after the
   caller's test is not slept over. Its handler runs in the gap between unlock and lock. */
void ax_port_idle(ax_time until) {
    if (!alarm_set(until)) __asm volatile("dsb\n\twfi" ::: "memory");
    __asm volatile("cpsie i\n\tisb\n\tcpsid i" ::: "memory");
}

void timer_handler(void) {
    TIMER_INTCLEAR = 1;
#ifdef BOARD_SCRIPT
    do board_script_run();
    while (alarm_set(AX_FOREVER)); /* the next scripted input comes also if the program does not sleep */
#endif
}

void board_init(void) {
    FPGA_PRESCALE = TICK - 1;
    FPGA_COUNTER = (uint32_t)BOARD_TICK_START;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = (1u << 3) | 1u; /* interrupt, run; the reload value is 0 from reset: it counts down from TIMER_VALUE once */
    NVIC_ISER = 1u << IRQ_TIMER;
#ifndef BOARD_BARE
    UART_BAUDDIV = 217;                         /* 25 MHz / 115200 */
    UART_CTRL = (1u << 3) | (1u << 1) | 1u; /* receive interrupt, receive, send */
    NVIC_ISER = 1u << IRQ_UART_RX;
#endif
#ifdef BOARD_SCRIPT
    while (alarm_set(AX_FOREVER)) board_script_run();
#endif
    ax_port_unlock();
}

void board_led(int on) {
    FPGA_LED = (FPGA_LED & ~1u) | (on ? 1u : 0u);
    board_trace_led("led", on);
}

void board_led_2(int on) {
    FPGA_LED = (FPGA_LED & ~2u) | (on ? 2u : 0u);
    board_trace_led("led2", on);
}

#ifndef BOARD_BARE
void board_put(char c) {
    while (UART_STATE & 1u) {} /* the buffer is full */
    UART_DATA = (unsigned char)c;
}

void uart_handler(void) {
    UART_INTCLEAR = 1u << 1; /* before the read: a byte that comes in between sets it again */
    on_byte((unsigned char)UART_DATA);
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
