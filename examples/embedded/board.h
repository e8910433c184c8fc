/* A board with a tick, a LED or two, a console and a button; for the programs of this directory.

   The directories m0, m3, avr and rv32 hold one board each: port.h and port.c (the port of asyncx and the functions below), start.c
   and link.ld (start-up and memory map; AVR has its C library's). host is the same board on a virtual clock. What a program does
   not call is not linked.

   Macros, the same for the program and its port:
     BOARD_TICK_START  tick at the start, 0 if not set: INT32_MAX - 1999 starts two seconds before the wrap
     BOARD_TRACE       board_led says "led 1 @500": what, and when in ticks since the start
     BOARD_RUN_MS      the program ends with status 0 that many ms after the start
     BOARD_BARE        tick and LEDs only, no console and no input: to measure sizes */
#ifndef BOARD_H
#define BOARD_H
#ifdef ASYNCX_H
#error "include board.h before asyncx.h (it includes that): a port may define parts of itself as inline functions"
#endif
#include "port.h"

#include "asyncx.h"

#ifndef BOARD_TICK_START
#define BOARD_TICK_START 0
#endif

#ifdef __AVR__
#include <avr/pgmspace.h>
#define TEXT(s) PSTR(s) /* in flash only: a plain string would take RAM too */
#define BOARD_FLASH PROGMEM
#else
#define TEXT(s) (s)
#define BOARD_FLASH
#endif

void board_init(void); /* tick and console on, interrupts on */
void board_led(int on);
void board_led_2(int on);
void board_say(const char *text); /* board_say(TEXT("hello\n")); waits until it is sent */
void board_say_number(long n);
void board_put(char c);                             /* waits until it can be sent */
int board_same(const char *word, const char *text); /* whether a word in RAM is this text: board_same(word, TEXT("help")) */
void board_exit(int status);                        /* ends the emulation with this status; a real board stops */

/* Called in interrupts, if the program has them. */
void on_byte(unsigned char byte); /* the console received it */
void on_button(int down);         /* the button changed */

/* Input by a script, for boards whose emulator has no button and for tests: tables that a program may define, in the order of
   time, ended by an `at` below 0. Times are in ms since the start. On AVR they are in flash (the attribute here is enough). */
struct board_press {
    int32_t at;
    unsigned char down;
};
struct board_byte {
    int32_t at;
    unsigned char byte;
};
extern const struct board_press board_presses[] BOARD_FLASH;
extern const struct board_byte board_bytes[] BOARD_FLASH;

/* ---- between board.c and the ports ---- */

#if defined(BOARD_RUN_MS) || !defined(BOARD_BARE)
#define BOARD_SCRIPT
ax_time board_script_next(ax_time until); /* the tick of the next scripted input, or `until` if that comes first */
void board_script_run(void);              /* does what is due; in the timer's interrupt */
#else
static inline ax_time board_script_next(ax_time until) { return until; }
static inline void board_script_run(void) {}
#endif
#ifdef BOARD_TRACE
void board_trace_led(const char *name, int on);
#else
#define board_trace_led(name, on) ((void)0)
#endif

/* Ticks from b to a, negative if a is earlier: the tick wraps, so the difference is what counts. */
static inline int32_t board_ticks(ax_time a, ax_time b) { return (int32_t)(ax_time)((uint32_t)a - (uint32_t)b); }

#endif
