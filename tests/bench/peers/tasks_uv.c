/* Timers of libuv: it has no tasks, so that a sleeper is a uv_timer_t. They count milliseconds. */
#include "cost.h"
#include <uv.h>

static int fired;
static void fires(uv_timer_t *t) {
    (void)t;
    fired++;
}
static void start(uv_loop_t *loop, uv_timer_t *t, double after) {
    uv_timer_init(loop, t);
    uv_timer_start(t, fires, (uint64_t)(after * 1e3), 0);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    int i, n = argc > 2 ? atoi(argv[2]) : 0;
    double from = argc > 3 ? atof(argv[3]) / 1e3 : 0, spread = argc > 4 ? atof(argv[4]) / 1e3 : 0;
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *t = NULL;
    uv_update_time(loop);
    if (!strcmp(job, "sleepers")) {
        struct sleepers s;
        sleepers_begin(&s);
        if (!(t = (uv_timer_t *)malloc((size_t)n * sizeof *t))) return 1;
        for (i = 0; i < n; i++) start(loop, &t[i], between(from, spread));
        sleepers_asleep(&s, n);
        uv_run(loop, UV_RUN_DEFAULT);
        sleepers_end(&s);
        if (fired != n) return 1;
    } else if (!strcmp(job, "timers")) {
        struct timers at;
        t = (uv_timer_t *)touched((size_t)n, sizeof *t);
        timers_begin(&at, from, spread);
        for (i = 0; i < n; i++) start(loop, &t[i], between(from, spread));
        timers_inserted(&at);
        for (i = 0; i < n; i += 2) uv_timer_stop(&t[i]);
        timers_cancelled(&at);
        uv_run(loop, UV_RUN_DEFAULT);
        timers_fired(&at, n, fired);
    } else if (!strcmp(job, "version")) printf("libuv %s\n", uv_version_string());
    free(t);
    return 0;
}
