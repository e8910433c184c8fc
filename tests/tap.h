/* A tiny TAP producer for asyncx's tests: ok, is, trace. Each test program ends with `return tap_end();`. */
#ifndef TAP_H
#define TAP_H
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

static inline __attribute__((format(printf, 2, 3), unused)) int tap_ok(int passed, const char *name, ...) {
    va_list ap;
    tap_count++;
    if (!passed) tap_failed++;
    printf("%sok %d - ", passed ? "" : "not ", tap_count);
    va_start(ap, name);
    vprintf(name, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
    return passed;
}

#define ok(cond, ...) (tap_ok((cond) ? 1 : 0, __VA_ARGS__) || (printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond), 0))

static inline __attribute__((unused)) int tap_is(long long got, long long want, const char *name, const char *file, int line) {
    if (tap_ok(got == want, "%s", name)) return 1;
    printf("# %s:%d: got %lld, expected %lld\n", file, line, got, want);
    return 0;
}
#define is(got, want, name) tap_is((long long)(got), (long long)(want), name, __FILE__, __LINE__)

/* The trace of a test: tap_log("A:woke@%d", ms) collects words, trace_is compares them all and starts anew. */
static char tap_trace[65536];
static inline __attribute__((format(printf, 1, 2), unused)) void tap_log(const char *fmt, ...) {
    size_t n = strlen(tap_trace);
    va_list ap;
    if (n && n + 1 < sizeof tap_trace) tap_trace[n++] = ' ', tap_trace[n] = 0;
    va_start(ap, fmt);
    vsnprintf(tap_trace + n, sizeof tap_trace - n, fmt, ap);
    va_end(ap);
}
static inline __attribute__((unused)) int tap_trace_is(const char *want, const char *name, const char *file, int line) {
    int passed = tap_ok(strcmp(tap_trace, want) == 0, "%s", name);
    if (!passed) printf("# %s:%d:\n#   got      %s\n#   expected %s\n", file, line, tap_trace, want);
    tap_trace[0] = 0;
    return passed;
}
#define trace_is(want, name) tap_trace_is(want, name, __FILE__, __LINE__)

static inline __attribute__((unused)) int tap_end(void) {
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}
#endif
