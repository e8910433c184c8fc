/* Stands in for tests/kit.h, to run the host's own scenarios on the freestanding form: `-include tests/targets/kit.h`. Ticks are
   microseconds of 64 bits on a clock that jumps, so that a sleep's additional tick does not show in traces of milliseconds.
   What was reported is not known as a sentence: only that something was. */
#define KIT_H
#define ASYNCX_FREESTANDING
#define ASYNCX_TICK_HZ 1000000
#define ASYNCX_TIME_BITS 64
#define ASYNCX_NAMES 1
#define ASYNCX_DEBUG 1
#define ASYNCX_STATIC
#define ASYNCX_IMPLEMENTATION
static int kit_asserted;
#define AX_ASSERT(x) ((void)kit_asserted++)
#include <errno.h>
#include "asyncx.h"
#include "../tap.h"

static ax_time kit_now;
static long kit_balance __attribute__((unused)), kit_allocations __attribute__((unused)), kit_fail_at __attribute__((unused));
/* What a host's description has besides: taken, and not heeded. */
struct kit_desc {
    ax_loop_desc real;
    unsigned flags, threads, jobs;
    void *alloc, *alloc_ctx, *clock_ctx, *report_ctx, *unheard_ctx;
    ax_time (*clock)(void *ctx);
    void (*report)(void *ctx, const char *text);
    void (*unheard)(void *ctx, ax_task *task, int status);
    ax_time slow;
    void *arena;
    size_t arena_size;
};
#define AX_VIRTUAL_CLOCK 1
static long kit_idles;
static const char *kit_reported; /* as in tests/kit.h, for those that look at it */
ax_time ax_port_now(void) { return kit_now; }
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
void ax_port_wake(void) {}
void ax_port_idle(ax_time until) {
    if (until == AX_FOREVER || kit_idles++ > 1000000) {
        printf("Bail out! it idles for ever\n");
        exit(9);
    }
    if (until > kit_now) kit_now = until;
}

static union {
    long double align;
    unsigned char bytes[1 << 25];
} kit_arena;
static ax_loop *kit_loop;
static inline __attribute__((unused)) struct kit_desc *kit_desc(void) {
    static struct kit_desc desc;
    desc.real.arena = kit_arena.bytes;
    desc.real.arena_size = sizeof kit_arena.bytes;
    kit_now = 0;
    kit_asserted = 0;
    kit_idles = 0;
    kit_reported = NULL;
    tap_trace[0] = 0;
    return &desc;
}
#define ax_loop_desc struct kit_desc
#define ax_loop_open(loop, desc) ax_loop_open((loop), (desc) ? &((const struct kit_desc *)(desc))->real : NULL)
#define axi_run_open(loop, desc, task) axi_run_open((loop), (desc) ? &((const struct kit_desc *)(desc))->real : NULL, (task))
static inline int ms(ax_loop *l) {
    kit_loop = l;
    return (int)(ax_now(l) / 1000);
}
#define LOG(...) tap_log(__VA_ARGS__)

static inline __attribute__((unused)) int kit_judge(const char *name, int got, int want, const char *trace, const char *reported, const char *file, int line) {
    size_t kept = kit_loop ? ax_loop_memory(kit_loop, NULL) : 0;
    int passed = got == want && strcmp(tap_trace, trace) == 0 && !reported == !kit_asserted && !kept;
    tap_ok(passed, "%s", name);
    if (!passed)
        printf("# %s:%d: status %d, expected %d; %ld bytes kept; reports: %d\n#   got      %s\n#   expected %s\n", file, line, got, want, (long)kept,
               kit_asserted, tap_trace, trace);
    tap_trace[0] = 0;
    kit_loop = NULL;
    return passed;
}
#include "../sleeper.h"
