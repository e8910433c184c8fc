/* What the boards share: texts and numbers, the trace, input by a script. */
#include "board.h"

#ifdef __AVR__
#define flash_char(p) ((char)pgm_read_byte(p))
#define flash_dword(p) pgm_read_dword(p)
#else
#define flash_char(p) (*(p))
#define flash_dword(p) (*(p))
#endif

void board_say(const char *text) {
    char c;
    while ((c = flash_char(text++))) board_put(c);
}

int board_same(const char *word, const char *text) {
    char c;
    while ((c = flash_char(text++)) == *word++)
        if (!c) return 1;
    return 0;
}

/* Subtracts powers of ten: a division would link one where the processor has none. */
void board_say_number(long n) {
    static const uint32_t powers[] BOARD_FLASH = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    uint32_t rest = n < 0 ? 0u - (uint32_t)n : (uint32_t)n;
    unsigned char i, begun = 0;
    if (n < 0) board_put('-');
    for (i = 0; i < 10; i++) {
        uint32_t power = flash_dword(&powers[i]);
        char digit = '0';
        while (rest >= power) rest -= power, digit++;
        if (digit != '0' || i == 9) begun = 1;
        if (begun) board_put(digit);
    }
}

#ifdef BOARD_TRACE
void board_trace_led(const char *name, int on) {
    int32_t at = board_ticks(ax_port_now(), (ax_time)BOARD_TICK_START);
    board_say(name);
    board_say(on ? TEXT(" 1 @") : TEXT(" 0 @"));
    board_say_number(at);
    board_say(TEXT("\n"));
}
#endif

#ifdef BOARD_SCRIPT
#ifndef BOARD_BARE
__attribute__((weak)) void on_byte(unsigned char byte) { (void)byte; }
__attribute__((weak)) void on_button(int down) { (void)down; }
/* Null if the program has none. A weak definition here would be read by clang when it compiles this file. */
extern const struct board_press board_presses[] __attribute__((weak));
extern const struct board_byte board_bytes[] __attribute__((weak));
static const struct board_press *press = board_presses;
static const struct board_byte *byte = board_bytes;

static int32_t press_at(void) { return press ? (int32_t)flash_dword(&press->at) : -1; }
static int32_t byte_at(void) { return byte ? (int32_t)flash_dword(&byte->at) : -1; }
#endif

static ax_time sooner(ax_time until, int32_t at) {
    ax_time tick = (ax_time)((uint32_t)BOARD_TICK_START + (uint32_t)at);
    if (at < 0) return until;
    if (tick == AX_FOREVER) tick = (ax_time)((uint32_t)tick + 1); /* as ax_later, which a program without asyncx does not have */
    return until == AX_FOREVER || board_ticks(tick, until) < 0 ? tick : until;
}

ax_time board_script_next(ax_time until) {
#ifndef BOARD_BARE
    until = sooner(until, press_at());
    until = sooner(until, byte_at());
#endif
#ifdef BOARD_RUN_MS
    until = sooner(until, BOARD_RUN_MS);
#endif
    return until;
}

void board_script_run(void) {
    int32_t now = board_ticks(ax_port_now(), (ax_time)BOARD_TICK_START);
    (void)now;
#ifndef BOARD_BARE
    while (press_at() >= 0 && press_at() <= now) on_button(flash_char(&press->down)), press++;
    while (byte_at() >= 0 && byte_at() <= now) on_byte((unsigned char)flash_char(&byte->byte)), byte++;
#endif
#ifdef BOARD_RUN_MS
    if (now >= BOARD_RUN_MS) board_exit(0);
#endif
}
#endif
