/* Timers of libev: it has no tasks, so that a sleeper is an ev_timer. */
#include "cost.h"
#include <ev.h>

static int fired;
static void fires(struct ev_loop *loop, ev_timer *t, int revents) {
    (void)loop;
    (void)t;
    (void)revents;
    fired++;
}
static void start(struct ev_loop *loop, ev_timer *t, double after) {
    ev_timer_init(t, fires, after, 0);
    ev_timer_start(loop, t);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    int i, n = argc > 2 ? atoi(argv[2]) : 0;
    double from = argc > 3 ? atof(argv[3]) / 1e3 : 0, spread = argc > 4 ? atof(argv[4]) / 1e3 : 0;
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    ev_timer *t = NULL;
    if (!loop) return 1;
    ev_now_update(loop);
    if (!strcmp(job, "sleepers")) {
        struct sleepers s;
        sleepers_begin(&s);
        if (!(t = (ev_timer *)malloc((size_t)n * sizeof *t))) return 1;
        for (i = 0; i < n; i++) start(loop, &t[i], between(from, spread));
        sleepers_asleep(&s, n);
        ev_run(loop, 0);
        sleepers_end(&s);
        if (fired != n) return 1;
    } else if (!strcmp(job, "timers")) {
        struct timers at;
        t = (ev_timer *)touched((size_t)n, sizeof *t);
        timers_begin(&at, from, spread);
        for (i = 0; i < n; i++) start(loop, &t[i], between(from, spread));
        timers_inserted(&at);
        for (i = 0; i < n; i += 2) ev_timer_stop(loop, &t[i]);
        timers_cancelled(&at);
        ev_run(loop, 0);
        timers_fired(&at, n, fired);
    } else if (!strcmp(job, "version")) printf("libev %d.%d\n", ev_version_major(), ev_version_minor());
    free(t);
    return 0;
}
