/* Costs of asyncx, each beside a bare reference that was measured in the same run: see `make bench`. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}
static double cpu_s(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
static long resident_kb(void) { /* this process's pages in memory now */
    long pages = 0, ignored = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &ignored, &pages) != 2) pages = 0;
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

enum { RUNS = 7 };

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double median(double *t) {
    qsort(t, RUNS, sizeof *t, compare);
    return t[RUNS / 2];
}
/* The median of some runs, each beside a run of its reference, so that what else the machine does hits both. Both give ns per operation. */
static void row(const char *what, double (*run)(void), double (*reference)(void), const char *unit, double goal) {
    double ns[RUNS], ratio[RUNS];
    int i;
    for (i = 0; i < RUNS; i++) {
        double bare = reference();
        ns[i] = run();
        ratio[i] = ns[i] / bare;
    }
    printf("%-44s %8.2f ns  %6.2f x %s", what, median(ns), median(ratio), unit);
    if (goal > 0) printf("  (to reach: %.1f)", goal);
    putchar('\n');
}
static void bare(const char *what, double (*run)(void)) {
    double ns[RUNS];
    int i;
    for (i = 0; i < RUNS; i++) ns[i] = run();
    printf("%-44s %8.2f ns\n", what, median(ns));
}

/* ---- references ---- */

struct thing { int n; };
static int touch(struct thing *t) { return ++t->n; }
static int (*volatile through)(struct thing *) = touch;

static double ref_call(void) {
    struct thing t = {0};
    double start = now_ns();
    int i;
    for (i = 0; i < 20000000; i++) through(&t);
    return (now_ns() - start) / 20e6;
}
static double ref_malloc(void) {
    double start = now_ns();
    int i;
    for (i = 0; i < 5000000; i++) {
        void *volatile p = malloc(sizeof(ax_task) + sizeof(ax_frame) + 8);
        free(p);
    }
    return (now_ns() - start) / 5e6;
}

static double ref_malloc_100(void) { /* as the spawns below: a hundred live at once */
    static void *volatile p[100];
    double start = now_ns();
    int i, k;
    for (k = 0; k < 50000; k++) {
        for (i = 0; i < 100; i++) p[i] = malloc(sizeof(ax_task) + sizeof(ax_frame) + 8);
        for (i = 0; i < 100; i++) free(p[i]);
    }
    return (now_ns() - start) / 5e6;
}

/* ---- suspend and resume ---- */

struct spinner { ax_frame frame; int n; };
AX_ASYNC(spinner) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
AX_DECLARE(deep);
struct deep { ax_frame frame; int depth, n; };
AX_ASYNC(deep) {
    AX_BEGIN;
    if (my->depth) AX_AWAIT(AX_CALL(deep, .depth = my->depth - 1, .n = my->n));
    else
        while (my->n-- > 0) AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
static double spin(int tasks, int depth, int each) {
    ax_loop l;
    double start;
    int i;
    ax_loop_open(&l, NULL);
    for (i = 0; i < tasks; i++) {
        if (depth) AX_SPAWN(&l.root, deep, .depth = depth, .n = each);
        else AX_SPAWN(&l.root, spinner, .n = each);
    }
    start = now_ns();
    ax_loop_run(&l);
    start = (now_ns() - start) / ((double)tasks * each);
    ax_loop_close(&l);
    return start;
}
static double spin_2(void) { return spin(2, 0, 2000000); }
static double spin_10000(void) { return spin(10000, 0, 400); }
static double spin_deep(void) { return spin(2, 100, 2000000); }

/* ---- awaits that are done at once, calls, spawns ---- */

struct nothing { ax_frame frame; int n; };
AX_ASYNC(nothing) {
    AX_BEGIN;
    AX_END;
}
struct busy { ax_frame frame; int n; ax_event set; };
AX_ASYNC(busy) {
    AX_BEGIN;
    ax_event_set(&my->set);
    while (my->n-- > 0) AX_AWAIT(ax_event_wait(me, &my->set));
    AX_END;
}
struct caller { ax_frame frame; int n; };
AX_ASYNC(caller) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(AX_CALL(nothing));
    AX_END;
}
struct in_caller { ax_frame frame; int n; struct nothing slot; };
AX_ASYNC(in_caller) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(AX_CALL_IN(&my->slot, nothing));
    AX_END;
}
struct spawner { ax_frame frame; int n, i, each; ax_group g; };
AX_ASYNC(spawner) {
    AX_BEGIN;
    while (my->n > 0) {
        ax_group_open(me, &my->g, 0);
        for (my->i = 0; my->i < my->each; my->i++, my->n--) AX_SPAWN(&my->g, nothing);
        AX_AWAIT(ax_group_join(me, &my->g));
    }
    AX_END;
}
#define RUN_ONE(fn, count, ...)                   \
    ax_loop l;                                    \
    double start;                                 \
    ax_loop_open(&l, NULL);                       \
    AX_SPAWN(&l.root, fn, .n = (count), __VA_ARGS__); \
    start = now_ns();                             \
    ax_loop_run(&l);                              \
    start = (now_ns() - start) / (double)(count); \
    ax_loop_close(&l);                            \
    return start
static double done_at_once(void) { RUN_ONE(busy, 5000000, .n = 5000000); }
static double calls(void) { RUN_ONE(caller, 2000000, .n = 2000000); }
static double calls_in(void) { RUN_ONE(in_caller, 2000000, .n = 2000000); }
static double spawns(void) { RUN_ONE(spawner, 2000000, .each = 100); }
static double spawns_1(void) { RUN_ONE(spawner, 1000000, .each = 1); }

/* ---- queues ---- */

struct producer { ax_frame frame; ax_queue *q; long n; };
AX_ASYNC(producer) {
    AX_BEGIN;
    for (; my->n > 0; my->n--) AX_AWAIT(ax_queue_put(me, my->q, &my->n));
    ax_queue_close(my->q);
    AX_END;
}
struct consumer { ax_frame frame; ax_queue *q; long item, sum; };
AX_ASYNC(consumer) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, my->q, &my->item)) my->sum += my->item;
    AX_END;
}
static double queue_run(size_t capacity) {
    static long storage[64];
    ax_queue q;
    ax_loop l;
    double start;
    ax_queue_init(&q, storage, capacity, sizeof(long));
    ax_loop_open(&l, NULL);
    AX_SPAWN(&l.root, producer, .q = &q, .n = 2000000);
    AX_SPAWN(&l.root, consumer, .q = &q);
    start = now_ns();
    ax_loop_run(&l);
    start = (now_ns() - start) / 2e6;
    ax_loop_close(&l);
    return start;
}
static double queue_1(void) { return queue_run(1); }
static double queue_64(void) { return queue_run(64); }

/* ---- timers ---- */

enum { TIMERS = 1000000 };
static double timer_insert, timer_cancel, timer_fire;
static int fired;
static void count(ax_loop *l, void *arg) {
    (void)l;
    (void)arg;
    fired++;
}
static void timers(void) {
    ax_loop_desc desc;
    ax_loop l;
    ax_timer *t = (ax_timer *)calloc(TIMERS, sizeof *t);
    unsigned seed = 1;
    double a, b, c, d;
    int i;
    memset(&desc, 0, sizeof desc);
    desc.flags = AX_VIRTUAL_CLOCK;
    if (!t) return;
    memset(t, 0, TIMERS * sizeof *t);
    ax_loop_open(&l, &desc);
    fired = 0;
    a = now_ns();
    for (i = 0; i < TIMERS; i++) {
        seed = seed * 1664525u + 1013904223u;
        ax_timer_start(&l, &t[i], AX_SEC(1) + seed, count, NULL);
    }
    b = now_ns();
    for (i = 0; i < TIMERS; i += 2) ax_timer_stop(&t[i]);
    c = now_ns();
    ax_loop_run(&l);
    d = now_ns();
    ax_loop_close(&l);
    free(t);
    if (fired != TIMERS / 2) printf("# only %d timers fired\n", fired);
    timer_insert = (b - a) / TIMERS;
    timer_cancel = (c - b) / (TIMERS / 2);
    timer_fire = (d - c) / (TIMERS / 2);
}

/* ---- a million sleepers ---- */

static unsigned seed = 7;
static ax_time last_deadline;
struct sleeper { ax_frame frame; };
AX_ASYNC(sleeper) {
    ax_time when;
    AX_BEGIN;
    seed = seed * 1664525u + 1013904223u;
    when = ax_now(me->loop) + AX_SEC(1) + seed % 1000000000u;
    if (when > last_deadline) last_deadline = when;
    AX_AWAIT(ax_sleep_until(me, when));
    AX_END;
}
static void sleepers(int n) {
    ax_loop l;
    double cpu = cpu_s(), start = now_ns();
    long before = resident_kb(), asleep;
    int i;
    ax_loop_open(&l, NULL);
    for (i = 0; i < n; i++)
        if (!AX_SPAWN(&l.root, sleeper)) printf("# out of memory\n");
    ax_run_once(&l); /* all go to sleep */
    asleep = resident_kb();
    ax_loop_run(&l);
    printf("%d sleepers of 1 to 2 s: %.3f s wall, the last %.3f s after its deadline, %.3f s CPU, %.0f resident bytes each\n", n,
           (now_ns() - start) / 1e9, (now_ns() - (double)last_deadline) / 1e9, cpu_s() - cpu, (double)(asleep - before) * 1024 / n);
    ax_loop_close(&l);
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 1000000;
    sleepers(n); /* first: the heap is fresh */
    printf("a task with its first frame: %zu bytes; a frame: %zu\n", sizeof(ax_task) + sizeof(ax_frame), sizeof(ax_frame));
    bare("reference: call through a pointer", ref_call);
    bare("reference: malloc and free, one at a time", ref_malloc);
    bare("reference: malloc and free, 100 at a time", ref_malloc_100);
    row("suspend and resume, 2 tasks", spin_2, ref_call, "call", 4);
    row("suspend and resume, 10,000 tasks", spin_10000, ref_call, "call", 4);
    row("suspend and resume, depth 100", spin_deep, ref_call, "call", 4);
    row("await that is done at once", done_at_once, ref_call, "call", 3);
    row("nested call, frame allocated", calls, ref_call, "call", 0);
    row("nested call, frame inside", calls_in, ref_call, "call", 0);
    row("spawn and end, 100 at a time", spawns, ref_malloc_100, "malloc+free of 100", 1.5);
    row("spawn and end, one at a time", spawns_1, ref_malloc, "malloc+free", 1.5);
    row("queue item, capacity 1", queue_1, ref_call, "call", 0);
    row("queue item, capacity 64", queue_64, ref_call, "call", 0);
    timers();
    printf("timers, 1,000,000: insert %.0f ns, cancel %.0f ns, fire %.0f ns each\n", timer_insert, timer_cancel, timer_fire);
    return 0;
}
