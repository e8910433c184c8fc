/* Tasks and timers of asyncx. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "cost.h"

static double run(ax_loop *l) { /* its CPU time */
    double start = cpu();
    if (ax_loop_run(l) < 0) exit(1);
    return cpu() - start;
}

struct yields { ax_frame frame; int n; };
AX_ASYNC(yields) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_checkpoint(me));
    AX_END;
}

struct nothing { ax_frame frame; };
AX_ASYNC(nothing) {
    AX_BEGIN;
    AX_END;
}
struct spawns { ax_frame frame; int n, i; ax_group group; };
AX_ASYNC(spawns) {
    AX_BEGIN;
    for (; my->n > 0; my->n -= 100) {
        ax_group_open(me, &my->group, 0);
        for (my->i = 0; my->i < 100; my->i++) AX_SPAWN(&my->group, nothing);
        AX_AWAIT(ax_group_join(me, &my->group));
    }
    AX_END;
}

static ax_queue queue;
static long sum;
struct gives { ax_frame frame; long item; };
AX_ASYNC(gives) {
    AX_BEGIN;
    for (my->item = 1; my->item <= ITEMS; my->item++) AX_AWAIT(ax_queue_put(me, &queue, &my->item));
    ax_queue_close(&queue);
    AX_END;
}
struct takes { ax_frame frame; long item; };
AX_ASYNC(takes) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, &queue, &my->item)) sum += my->item;
    AX_END;
}

struct sleeper { ax_frame frame; ax_time pause; };
AX_ASYNC(sleeper) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->pause));
    AX_END;
}
static void sleepers(ax_loop *l, int n, double from, double spread) {
    struct sleepers s;
    int i;
    sleepers_begin(&s);
    for (i = 0; i < n; i++)
        if (!AX_SPAWN(&l->root, sleeper, .pause = AX_SEC(between(from, spread)))) exit(1);
    ax_run_once(l); /* all go to sleep */
    sleepers_asleep(&s, n);
    run(l);
    sleepers_end(&s);
}

static int fired;
static void fires(ax_loop *l, void *arg) {
    (void)l;
    (void)arg;
    fired++;
}
static void timers(ax_loop *l, int n, double from, double spread) {
    ax_timer *t = (ax_timer *)touched((size_t)n, sizeof *t);
    ax_time start;
    struct timers at;
    int i;
    timers_begin(&at, from, spread);
    start = ax_now(l);
    for (i = 0; i < n; i++)
        if (ax_timer_start(l, &t[i], start + AX_SEC(between(from, spread)), fires, NULL) < 0) exit(1);
    timers_inserted(&at);
    for (i = 0; i < n; i += 2) ax_timer_stop(&t[i]);
    timers_cancelled(&at);
    run(l);
    timers_fired(&at, n, fired);
    free(t);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    int n = argc > 2 ? atoi(argv[2]) : 0;
    double from = argc > 3 ? atof(argv[3]) / 1e3 : 0, spread = argc > 4 ? atof(argv[4]) / 1e3 : 0;
    static long storage[64];
    ax_loop l;
    if (ax_loop_open(&l, NULL) < 0) return 1;
    if (!strcmp(job, "switch")) {
        AX_SPAWN(&l.root, yields, .n = SWITCHES / 2);
        AX_SPAWN(&l.root, yields, .n = SWITCHES / 2);
        printf("ns %.3f\n", run(&l) * 1e9 / SWITCHES);
    } else if (!strcmp(job, "spawn")) {
        AX_SPAWN(&l.root, spawns, .n = SPAWNS);
        printf("ns %.3f\n", run(&l) * 1e9 / SPAWNS);
    } else if (!strcmp(job, "queue") && n > 0 && n <= 64) {
        ax_queue_init(&queue, storage, (size_t)n, sizeof *storage);
        AX_SPAWN(&l.root, gives);
        AX_SPAWN(&l.root, takes);
        printf("ns %.3f\n", run(&l) * 1e9 / ITEMS);
        if (sum != (long)ITEMS * (ITEMS + 1L) / 2) return 1;
    } else if (!strcmp(job, "sleepers")) sleepers(&l, n, from, spread);
    else if (!strcmp(job, "timers")) timers(&l, n, from, spread);
    else if (!strcmp(job, "version")) puts("asyncx " ASYNCX_VERSION);
    return ax_loop_close(&l) < 0;
}
