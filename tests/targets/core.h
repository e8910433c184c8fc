/* What the tests of the freestanding core share: a port whose clock jumps to the next deadline, so that they take no time and run the
   same everywhere; interrupts that come at a tick of the test's choice; and TAP by characters. No C library. A target's board says the
   characters; a host has putchar. Include after the options. */
#ifndef CORE_H
#define CORE_H
#ifndef ASYNCX_FREESTANDING
#define ASYNCX_FREESTANDING
#endif
#ifndef ASYNCX_IMPLEMENTATION
#define ASYNCX_IMPLEMENTATION
#endif
static int misused; /* counts reports of misuse */
#define AX_ASSERT(x) ((void)(misused++))

#if defined(__unix__) && !defined(BOARD)
#include "asyncx.h"
#include <stdio.h>
#include <stdlib.h>
static void say_char(char c) { putchar(c); }
static void core_exit(int status) { exit(status); }
#else /* a board's console, and the port below in place of its own */
#include "port.h"
#include <stdint.h>
#if !defined(ASYNCX_TIME_BITS) || ASYNCX_TIME_BITS == 32
typedef int32_t core_time;
#elif ASYNCX_TIME_BITS == 16
typedef int16_t core_time;
#else
typedef int64_t core_time;
#endif
#undef ax_port_lock
#undef ax_port_unlock
#undef ax_port_wake
#define ax_port_now core_now
#define ax_port_lock core_lock
#define ax_port_unlock core_unlock
#define ax_port_idle core_idle
#define ax_port_wake core_wake
core_time core_now(void);
void core_lock(void);
void core_unlock(void);
void core_idle(core_time until);
void core_wake(void);
#include "board.h"
static void say_char(char c) { board_put(c); }
static void core_exit(int status) { board_exit(status); }
#endif

/* Texts are in flash where that is a memory of its own. */
#ifdef __AVR__
#define TEXT_AT(p) ((char)pgm_read_byte(p))
#define AREA 900
#define MANY 8
#define BEGINNINGS 1
#else
#ifndef TEXT
#define TEXT(s) (s)
#endif
#define TEXT_AT(p) (*(p))
#define AREA 8192
#define MANY 40
#define BEGINNINGS 64
#endif
#ifdef __cplusplus
#define NOTHING {}
#else
#define NOTHING {0}
#endif

static void say(const char *text) {
    char c;
    while ((c = TEXT_AT(text)) != 0) {
        say_char(c);
        text++;
    }
}
static void say_number(long n) {
    static const long power[] = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    int i = 0, digit;
    unsigned long u = n < 0 ? 0ul - (unsigned long)n : (unsigned long)n;
    if (n < 0) say_char('-');
    while (i < 9 && u < (unsigned long)power[i]) i++;
    for (; i < 10; i++) {
        for (digit = 0; u >= (unsigned long)power[i]; digit++) u -= (unsigned long)power[i];
        say_char((char)('0' + digit));
    }
}

/* ---- The port ---- */

#if ASYNCX_TIME_BITS == 16
typedef uint16_t ticks;
#elif ASYNCX_TIME_BITS == 32
typedef uint32_t ticks;
#else
typedef uint64_t ticks;
#endif
#define LONGEST ((ax_time)(((ticks)0x60 << (ASYNCX_TIME_BITS - 8)) - 1))
#define CORE_HELPER static __attribute__((unused)) /* not every part needs it */
/* Moves the clock on as time does: past the wrap too. */
CORE_HELPER ax_time plus(ax_time when, ax_time time) { return (ax_time)((ticks)when + (ticks)time); }

static ax_time clock_start, clock_now;
static int locked, idles, hung;
static void (*interrupt)(void); /* comes at this tick, in a sleep */
static ax_time interrupt_at;
static int interrupts_left;
static ax_time interrupt_period;

static int tests, failures;
static int ok(int good, const char *name);

ax_time ax_port_now(void) { return clock_now; }
void ax_port_lock(void) {
    if (locked) ok(0, TEXT("locked twice"));
    locked = 1;
}
void ax_port_unlock(void) { locked = 0; }
void ax_port_wake(void) {}
void ax_port_idle(ax_time until) {
    if (!locked) ok(0, TEXT("idle without the lock"));
    idles++;
    if (interrupts_left && (until == AX_FOREVER || (ax_time)((ticks)until - (ticks)interrupt_at) >= 0)) {
        if ((ax_time)((ticks)interrupt_at - (ticks)clock_now) > 0) clock_now = interrupt_at;
        interrupts_left--;
        interrupt_at = plus(interrupt_at, interrupt_period);
        locked = 0; /* as an interrupt runs when the sleep has let it in */
        interrupt();
        locked = 1;
        return;
    }
    if (until == AX_FOREVER || idles > 30000) {
        ok(0, TEXT("it hangs"));
        hung = 1;
        core_exit(99);
    }
    if ((ax_time)((ticks)until - (ticks)clock_now) > 0) clock_now = until;
}
CORE_HELPER void interrupts(void (*fn)(void), ax_time after, int times, ax_time period) {
    interrupt = fn;
    interrupt_at = plus(clock_now, after);
    interrupts_left = times;
    interrupt_period = period;
}

/* ---- Checks ---- */

static char trace[120];
static unsigned char traced;
static int cleaned; /* how many AX_FINALLY ran */

static void trace_char(char c) {
    if (traced < sizeof trace - 1) trace[traced++] = c, trace[traced] = 0;
}
static void trace_number(int n) {
    static const int power[] = {10000, 1000, 100, 10, 1};
    int i = 0, digit;
    if (n < 0) trace_char('-'), n = -n;
    while (i < 4 && n < power[i]) i++;
    for (; i < 5; i++) {
        for (digit = 0; n >= power[i]; digit++) n -= power[i];
        trace_char((char)('0' + digit));
    }
}
/* Times are told in units of 20 ticks since the test began, rounded down: a sleep's additional tick is not seen. */
#define U 20
static int at(void) {
    ticks past = (ticks)clock_now - (ticks)clock_start;
    int n = 0;
    while (past >= U) past = (ticks)(past - U), n++;
    return n;
}
static void mark(char what, int n) {
    trace_char(what);
    trace_number(n);
    trace_char(' ');
}
#define MARK(what) mark(what, at())

static int quiet; /* says only what fails, and does not count what is good */
static int ok(int good, const char *name) {
    if (good && quiet) return 1;
    tests++;
    if (!good) failures++, say(TEXT("not "));
    say(TEXT("ok "));
    say_number(tests);
    say(TEXT(" - "));
    say(name);
    if (!good && clock_start) say(TEXT(" (the clock began at ")), say_number((long)clock_start), say(TEXT(")"));
    say_char('\n');
    return good;
}
CORE_HELPER int same(const char *want) {
    const char *got = trace;
    while (*got && *got == TEXT_AT(want)) got++, want++;
    return *got == TEXT_AT(want);
}
CORE_HELPER void is(long got, long want, const char *name) {
    if (!ok(got == want, name)) say(TEXT("# got ")), say_number(got), say(TEXT(", expected ")), say_number(want), say_char('\n');
}

/* A scenario: an async function as the only task of a new loop, all of its memory from the arena. */
static ax_loop loop;
static struct { unsigned char bytes[AREA]; } area __attribute__((aligned(16)));

CORE_HELPER int told(void) { /* one report, as was expected */
    int once = misused == 1;
    misused = 0;
    return once;
}
CORE_HELPER void begin(void) {
    ax_loop_desc desc = NOTHING;
    desc.arena = area.bytes;
    desc.arena_size = sizeof area.bytes;
    clock_now = clock_start;
    traced = 0;
    trace[0] = 0;
    cleaned = misused = interrupts_left = idles = 0;
    ax_loop_open(&loop, &desc);
}

CORE_HELPER int finish(ax_task *t) {
    int rc;
#ifndef ASYNCX_NO_CANCEL
    int closed;
    ax_task_ref(t);
    rc = ax_loop_run(&loop);
    if (rc < 0) ax_cancel(t), ax_loop_run(&loop);
    else rc = ax_task_status(t);
    ax_task_unref(t);
    closed = ax_loop_close(&loop);
    if (closed < 0) rc = closed;
#else
    (void)t;
    rc = ax_loop_run(&loop);
#endif
    return rc;
}

CORE_HELPER void judge(int got, int want, const char *expected, const char *name) {
    int traced_well = same(expected);
    size_t kept = ax_loop_memory(&loop, NULL);
    if (ok(got == want && traced_well && !misused && !locked && (!kept || (want < 0 && (AXI_CANCEL == 0))), name)) return;
    say(TEXT("# status "));
    say_number(got);
    say(TEXT(", expected "));
    say_number(want);
    say(TEXT("; bytes kept "));
    say_number((long)kept);
    say(TEXT("; misuse "));
    say_number(misused);
    say(TEXT("\n#   got      "));
    { const char *c; for (c = trace; *c; c++) say_char(*c); }
    say(TEXT("\n#   expected "));
    say(expected);
    say_char('\n');
}
/* RUN("name", status, "trace", fn, .argument = value) */
#define RUN(name, want, expected, ...)                                    \
    do {                                                                  \
        begin();                                                          \
        judge(finish(AX_SPAWN(&loop.root, __VA_ARGS__)), want, TEXT(expected), TEXT(name)); \
    } while (0)

static unsigned random_state;
CORE_HELPER unsigned random_below(unsigned n) { /* n up to 256; without a division */
    random_state = (random_state * 25173u + 13849u) & 0xFFFFu;
    return (unsigned)(((uint32_t)(random_state >> 8) * n) >> 8);
}

/* Sleeps, then ends with a status; its cleanup may take a while. Says when: a capital when it slept, a small letter when it was left
   by an error, after its cleanup. */
struct sleeper { ax_frame frame; ax_time time, cleanup; int status; char name; };
AX_ASYNC(sleeper) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->time));
    if (my->name) MARK(my->name);
    AX_RETURN(my->status);
    AX_FINALLY:
    cleaned++;
    if (my->cleanup) AX_AWAIT(ax_sleep(me, my->cleanup));
    if (ax_leaving(me) == AX_ECANCELED) MARK((char)(my->name + 'a' - 'A'));
    AX_END;
}

CORE_HELPER const struct axi_fn *core_keep(void) { return AXI_FN(sleeper)(); }

static int done(void) {
    say(TEXT("1.."));
    say_number(tests);
    say_char('\n');
    return failures < 99 ? failures : 98;
}
#endif
