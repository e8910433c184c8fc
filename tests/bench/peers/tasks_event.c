/* Timers of libevent: it has no tasks, so that a sleeper is an event with a time. */
#include "cost.h"
#include <event2/event.h>
#include <event2/event_struct.h>

static int fired;
static void fires(int fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    fired++;
}
static void start(struct event_base *base, struct event *t, double after) {
    struct timeval tv;
    tv.tv_sec = (time_t)after;
    tv.tv_usec = (suseconds_t)((after - (double)tv.tv_sec) * 1e6);
    evtimer_assign(t, base, fires, NULL);
    evtimer_add(t, &tv);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    int i, n = argc > 2 ? atoi(argv[2]) : 0;
    double from = argc > 3 ? atof(argv[3]) / 1e3 : 0, spread = argc > 4 ? atof(argv[4]) / 1e3 : 0;
    struct event_base *base = event_base_new();
    struct event *t = NULL;
    if (!base) return 1;
    if (!strcmp(job, "sleepers")) {
        struct sleepers s;
        sleepers_begin(&s);
        if (!(t = (struct event *)malloc((size_t)n * sizeof *t))) return 1;
        for (i = 0; i < n; i++) start(base, &t[i], between(from, spread));
        sleepers_asleep(&s, n);
        event_base_dispatch(base);
        sleepers_end(&s);
        if (fired != n) return 1;
    } else if (!strcmp(job, "timers")) {
        struct timers at;
        t = (struct event *)touched((size_t)n, sizeof *t);
        timers_begin(&at, from, spread);
        for (i = 0; i < n; i++) start(base, &t[i], between(from, spread));
        timers_inserted(&at);
        for (i = 0; i < n; i += 2) evtimer_del(&t[i]);
        timers_cancelled(&at);
        event_base_dispatch(base);
        timers_fired(&at, n, fired);
    } else if (!strcmp(job, "version")) printf("libevent %s\n", event_get_version());
    free(t);
    event_base_free(base);
    return 0;
}
