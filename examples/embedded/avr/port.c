/* ATmega328P at 16 MHz (Arduino Uno). Registers: data sheet DS40002061.

   Timer 1 counts 4 us steps, 250 a tick, and starts anew after 250 ticks (CTC mode): the clock is the tick of that start and what
   has been counted since. Compare register A is the period, B the alarm. So a sleep wakes four times a second and at its end, and
   every tick is exact. */
#include "../board.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#define STEPS 250u  /* timer steps in a tick */
#define PERIOD 250u /* ticks in a period: the most that 16 bits of steps can hold, and a round number */

static volatile uint32_t period_tick = (uint32_t)BOARD_TICK_START; /* the tick at which the period began */

/* The tick. With interrupts off: the timer may begin its next period at any time, but not be counted twice. */
static uint32_t now_locked(void) {
    uint32_t tick = period_tick;
    uint16_t steps = TCNT1, span = STEPS * 128;
    uint8_t ticks = 128;
    if (TIFR1 & (1 << OCF1A)) tick += PERIOD, steps = TCNT1; /* its interrupt is still to come */
    for (; ticks; span >>= 1, ticks >>= 1) /* a division: the processor has none */
        if (steps >= span) steps -= span, tick += ticks;
    return tick;
}

/* Also called by interrupts and under the lock, so that it must leave the interrupt flag as it was. */
ax_time ax_port_now(void) {
    uint8_t status = SREG;
    uint32_t now;
    cli();
    now = now_locked();
    SREG = status;
    return (ax_time)now;
}

/* Sets the alarm, if it is due in this period; else the end of the period wakes. Not 0 if that time is there already. */
static uint8_t alarm_set(ax_time until) {
    int32_t left;
    uint16_t at;
    until = board_script_next(until);
    TIMSK1 = 1 << OCIE1A;
    if (until == AX_FOREVER) return 0;
    if (board_ticks(until, (ax_time)now_locked()) <= 0) return 1;
    left = board_ticks(until, (ax_time)period_tick);
    if (left >= (int32_t)PERIOD) return 0;
    at = (uint16_t)left * STEPS;
    OCR1B = at;
    TIFR1 = 1 << OCF1B;
    TIMSK1 = 1 << OCIE1A | 1 << OCIE1B;
    return TCNT1 >= at; /* it was met before the flag was cleared */
}

/* The instruction after sei is executed before any interrupt (chapter AVR CPU Core, Reset and Interrupt Handling): one that comes
   after the caller's test waits for the sleep, and ends it. Idle is the deepest sleep in which timer 1 and the UART work (chapter
   Power Management and Sleep Modes). */
void ax_port_idle(ax_time until) {
    if (alarm_set(until)) {
        __asm volatile("sei\n\tnop\n\tcli" ::: "memory"); /* the others' turn */
        return;
    }
    __asm volatile("sei\n\tsleep\n\tcli" ::: "memory");
}

ISR(TIMER1_COMPA_vect) {
    period_tick += PERIOD;
#ifdef BOARD_SCRIPT
    do board_script_run();
    while (alarm_set(AX_FOREVER)); /* the next scripted input comes also if the program does not sleep */
#endif
}

ISR(TIMER1_COMPB_vect) {
    TIMSK1 = 1 << OCIE1A;
#ifdef BOARD_SCRIPT
    do board_script_run();
    while (alarm_set(AX_FOREVER));
#endif
}

void board_init(void) {
    DDRB = 1 << DDB5 | 1 << DDB4;
    OCR1A = STEPS * PERIOD - 1;
    TCCR1B = 1 << WGM12 | 1 << CS11 | 1 << CS10; /* CTC, clock / 64 */
    TIMSK1 = 1 << OCIE1A;
    SMCR = 1 << SE; /* allows sleep */
#ifndef BOARD_BARE
    PORTD = 1 << PORTD2; /* the button, to ground: pull-up, an interrupt at each change */
    EICRA = 1 << ISC00;
    EIMSK = 1 << INT0;
    UCSR0A = 1 << U2X0;
    UBRR0 = 1; /* 1 Mbaud, which a 16 MHz clock divides to exactly */
    UCSR0B = 1 << RXCIE0 | 1 << RXEN0 | 1 << TXEN0;
#endif
#ifdef BOARD_SCRIPT
    while (alarm_set(AX_FOREVER)) board_script_run();
#endif
    sei();
}

void board_led(int on) {
    if (on) PORTB |= 1 << PORTB5;
    else PORTB &= (uint8_t)~(1 << PORTB5);
    board_trace_led(TEXT("led"), on);
}

void board_led_2(int on) {
    if (on) PORTB |= 1 << PORTB4;
    else PORTB &= (uint8_t)~(1 << PORTB4);
    board_trace_led(TEXT("led2"), on);
}

#ifndef BOARD_BARE
void board_put(char c) {
    while (!(UCSR0A & 1 << UDRE0)) {}
    UDR0 = (uint8_t)c;
}

ISR(USART_RX_vect) { on_byte(UDR0); }

ISR(INT0_vect) { on_button(!(PIND & 1 << PIND2)); }
#endif

/* The emulator takes the status from GPIOR0 when the processor sleeps with interrupts off. On a chip that is the end too: in idle
   sleep the UART sends what it has, and nothing wakes. */
void board_exit(int status) {
    cli();
    SMCR = 1 << SE;
    GPIOR0 = (uint8_t)status;
    for (;;) __asm volatile("sleep");
}

/* What avr-libc's start-up calls when main returns. */
void exit(int status) __attribute__((alias("board_exit"), noreturn));
