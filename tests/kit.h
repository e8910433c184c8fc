/* What the test programs share: a scenario is an async function run on a virtual clock, judged by its status, its trace,
   what was reported as misuse, and that all memory came back. Include after the implementation. */
#ifndef KIT_H
#define KIT_H
#include "tap.h"

static long kit_balance, kit_allocations, kit_fail_at; /* bytes out; how many so far; the one to fail, or 0 */
static const char *kit_reported;

static inline __attribute__((unused)) void *kit_alloc(void *ctx, void *p, size_t old_size, size_t size) {
    (void)ctx;
    if (size && ++kit_allocations == kit_fail_at) return NULL;
    kit_balance += (long)size - (long)old_size;
    if (size) return malloc(size);
    free(p);
    return NULL;
}
static inline void kit_report(void *ctx, const char *text) {
    static char said[300];
    (void)ctx;
    snprintf(said, sizeof said, "%s", text);
    kit_reported = said;
}
static inline __attribute__((unused)) ax_loop_desc *kit_desc(void) {
    static ax_loop_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.alloc = kit_alloc;
    desc.report = kit_report;
    kit_balance = kit_allocations = kit_fail_at = 0;
    kit_reported = NULL;
    tap_trace[0] = 0;
    return &desc;
}
static inline int ms(ax_loop *l) { return (int)(ax_now(l) / 1000000); }
#define LOG(...) tap_log(__VA_ARGS__)

/* reported: NULL for nothing, or a part of the sentence. */
static inline __attribute__((unused)) int kit_judge(const char *name, int got, int want, const char *trace, const char *reported, const char *file, int line) {
    int said = reported ? kit_reported && strstr(kit_reported, reported) : !kit_reported;
    int passed = got == want && strcmp(tap_trace, trace) == 0 && said && kit_balance == 0;
    tap_ok(passed, "%s", name);
    if (!passed)
        printf("# %s:%d: status %d, expected %d; %ld bytes kept; reported: %s\n#   got      %s\n#   expected %s\n", file, line, got, want, kit_balance,
               kit_reported ? kit_reported : "nothing", tap_trace, trace);
    tap_trace[0] = 0;
    return passed;
}
#include "sleeper.h"
#endif
