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

/* Gives ns per operation; what a and b are each says itself. */
typedef double measure(int a, int b);
struct row {
    const char *what;
    measure *run;
    int a, b;
    measure *reference; /* gets the same a and b; NULL: this is a reference */
    const char *unit;   /* what the reference does */
    double goal;
};
/* The median of some runs, each beside a run of its reference, so that what else the machine does hits both. */
static void print_row(const struct row *r) {
    double ns[RUNS], ratio[RUNS];
    int i;
    for (i = 0; i < RUNS; i++) {
        double bare = r->reference ? r->reference(r->a, r->b) : 1;
        ns[i] = r->run(r->a, r->b);
        ratio[i] = ns[i] / bare;
    }
    printf("%-44s %8.2f ns", r->what, median(ns));
    if (r->reference) printf("  %6.2f x %s", median(ratio), r->unit);
    if (r->goal > 0) printf("  (to reach: %.1f)", r->goal);
    putchar('\n');
}

/* The time of a loop's run, per operation, after these spawns into l.root. */
#define MEASURE(operations, ...)                           \
    do {                                                   \
        ax_loop l;                                         \
        double start;                                      \
        ax_loop_open(&l, NULL);                            \
        __VA_ARGS__;                                       \
        start = now_ns();                                  \
        if (ax_loop_run(&l) < 0) puts("# the run failed"); \
        start = (now_ns() - start) / (double)(operations); \
        ax_loop_close(&l);                                 \
        return start;                                      \
    } while (0)
/* The head of an async function that does something n times, and the time of each in a task of its own. */
#define REPEATS(name, fields)                      \
    struct name { ax_frame frame; int n; fields }; \
    AX_ASYNC(name)
#define ALONE(name)                                  \
    static double name##_run(int n, int unused) {    \
        (void)unused;                                \
        MEASURE(n, AX_SPAWN(&l.root, name, .n = n)); \
    }

/* ---- references ---- */

enum { MILLION = 1000000 };

struct thing { int n; };
static int touch(struct thing *t) { return ++t->n; }
static int (*volatile through)(struct thing *) = touch;

static double ref_call(int a, int b) {
    struct thing t = {0};
    double start = now_ns();
    int i;
    (void)a;
    (void)b;
    for (i = 0; i < 20 * MILLION; i++) through(&t);
    return (now_ns() - start) / (20.0 * MILLION);
}
static double ref_malloc(int live, int b) { /* of a task's size; so many live at once */
    static void *volatile p[100];
    double start = now_ns();
    int i, k;
    (void)b;
    for (k = 0; k < 5 * MILLION / live; k++) {
        for (i = 0; i < live; i++) p[i] = malloc(sizeof(ax_task) + sizeof(ax_frame) + 8);
        for (i = 0; i < live; i++) free(p[i]);
    }
    return (now_ns() - start) / (5.0 * MILLION);
}
static double ref_copy(int capacity, int size) { /* into a ring and out of it */
    static char ring[64][256], in[256], out[256];
    void *(*volatile copy)(void *, const void *, size_t) = memcpy;
    double start = now_ns();
    int i;
    for (i = 0; i < 5 * MILLION; i++) {
        copy(ring[i & (capacity - 1)], in, (size_t)size);
        copy(out, ring[i & (capacity - 1)], (size_t)size);
    }
    return (now_ns() - start) / (5.0 * MILLION);
}
static double ref_clock(int a, int b) {
    double start = now_ns();
    int i;
    (void)a;
    (void)b;
    for (i = 0; i < MILLION; i++) now_ns();
    return (now_ns() - start) / MILLION;
}
static double ref_lock(int a, int b) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    double start = now_ns();
    int i;
    (void)a;
    (void)b;
    for (i = 0; i < 5 * MILLION; i++) pthread_mutex_lock(&lock), pthread_mutex_unlock(&lock);
    return (now_ns() - start) / (5.0 * MILLION);
}
static double ref_pipe(int a, int b) { /* a byte goes through, as in a wake-up of poll() */
    struct pollfd p;
    double start = now_ns();
    int i, ends[2];
    char byte = 0;
    (void)a;
    (void)b;
    if (pipe(ends) < 0) return 0;
    p.fd = ends[0];
    p.events = POLLIN;
    for (i = 0; i < 100000; i++)
        if (write(ends[1], &byte, 1) != 1 || poll(&p, 1, 0) != 1 || read(ends[0], &byte, 1) != 1) break;
    close(ends[0]);
    close(ends[1]);
    return (now_ns() - start) / 100000;
}

/* ---- suspend and resume ---- */

AX_DECLARE(spins);
REPEATS(spins, int depth;) {
    AX_BEGIN;
    if (my->depth) AX_AWAIT(AX_CALL(spins, .depth = my->depth - 1, .n = my->n));
    else
        while (my->n-- > 0) AX_AWAIT(ax_checkpoint(me));
    AX_END;
}

static double spins_run(int tasks, int depth) {
    int i, each = 4 * MILLION / tasks;
    MEASURE(tasks * each, for (i = 0; i < tasks; i++) AX_SPAWN(&l.root, spins, .depth = depth, .n = each));
}

/* ---- awaits that are done at once, calls ---- */

static ax_event happened = {1, {NULL}};
REPEATS(nothing, ) {
    AX_BEGIN;
    AX_END;
}

REPEATS(goes_on, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_event_wait(me, &happened));
    AX_END;
}
ALONE(goes_on)

REPEATS(calls, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(AX_CALL(nothing));
    AX_END;
}
ALONE(calls)

REPEATS(calls_in, struct nothing slot;) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(AX_CALL_IN(&my->slot, nothing));
    AX_END;
}
ALONE(calls_in)

REPEATS(emits, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_EMIT();
    AX_END;
}

REPEATS(asks, AX_GENERATOR(emits) items;) {
    AX_BEGIN;
    AX_GENERATE(&my->items, emits, .n = my->n);
    AX_WHILE(ax_next(me, &my->items.generator)) {}
    AX_END;
}
ALONE(asks)

/* ---- spawns ---- */

REPEATS(spawns, int i; int each; unsigned flags; ax_group g; ax_task *child;) {
    AX_BEGIN;
    while (my->n-- > 0) {
        ax_group_open(me, &my->g, my->flags);
        for (my->i = 0; my->i < my->each; my->i++) AX_SPAWN(&my->g, nothing);
        if (my->flags & AX_GROUP_KEEP) { AX_WHILE(ax_group_next(me, &my->g, &my->child)) {} }
        AX_AWAIT(ax_group_join(me, &my->g));
    }
    AX_END;
}

static double spawns_run(int each, int flags) {
    MEASURE(2 * MILLION, AX_SPAWN(&l.root, spawns, .n = 2 * MILLION / each, .each = each, .flags = (unsigned)flags));
}

/* ---- locks and the like, nobody in the way ---- */

static ax_sem sem = AX_SEM_INIT(1);
static ax_mutex mutex;
REPEATS(acquires, ) {
    AX_BEGIN;
    while (my->n-- > 0) {
        AX_AWAIT(ax_sem_acquire(me, &sem));
        ax_sem_release(&sem);
    }
    AX_END;
}
ALONE(acquires)

REPEATS(enters, ax_permit permit;) {
    AX_BEGIN;
    while (my->n-- > 0) {
        AX_AWAIT(ax_sem_enter(me, &sem, &my->permit));
        ax_sem_leave(&my->permit);
    }
    AX_END;
}
ALONE(enters)

REPEATS(locks, ) {
    AX_BEGIN;
    while (my->n-- > 0) {
        AX_AWAIT(ax_mutex_lock(me, &mutex));
        ax_mutex_unlock(me, &mutex);
    }
    AX_END;
}
ALONE(locks)

static ax_limiter limiter = AX_LIMITER_INIT(1000000000, AX_SEC(1), 1000);
REPEATS(limits, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_limiter_acquire(me, &limiter, 1));
    AX_END;
}
ALONE(limits)

/* ---- many that wait for one thing: the time per task that is woken, runs and waits again ---- */

static ax_event event;
REPEATS(waits, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_event_wait(me, &event));
    AX_END;
}

REPEATS(sets, ) {
    AX_BEGIN;
    while (my->n-- > 0) {
        ax_event_set(&event);
        ax_event_clear(&event);
        AX_AWAIT(ax_checkpoint(me));
    }
    AX_END;
}

static double event_run(int tasks, int b) {
    int i, each = 2 * MILLION / tasks;
    (void)b;
    MEASURE(tasks * each, for (i = 0; i < tasks; i++) AX_SPAWN(&l.root, waits, .n = each); AX_SPAWN(&l.root, sets, .n = each));
}

static ax_cond cond = AX_COND_INIT(&mutex);
REPEATS(hears, ) {
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &mutex));
    while (my->n-- > 0) AX_AWAIT(ax_cond_wait(me, &cond));
    AX_END;
}

REPEATS(notifies, ) {
    AX_BEGIN;
    while (my->n-- > 0) {
        AX_AWAIT(ax_mutex_lock(me, &mutex));
        ax_cond_notify(me, &cond, AX_COND_ALL);
        ax_mutex_unlock(me, &mutex);
        AX_AWAIT(ax_checkpoint(me));
    }
    AX_END;
}

static double cond_run(int tasks, int b) {
    int i, each = 2 * MILLION / tasks;
    (void)b;
    MEASURE(tasks * each, for (i = 0; i < tasks; i++) AX_SPAWN(&l.root, hears, .n = each); AX_SPAWN(&l.root, notifies, .n = each));
}

static ax_barrier barrier;
REPEATS(meets, ) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_barrier_wait(me, &barrier));
    AX_END;
}

static double barrier_run(int tasks, int b) {
    int i, each = 2 * MILLION / tasks;
    (void)b;
    ax_barrier_init(&barrier, tasks);
    MEASURE(tasks * each, for (i = 0; i < tasks; i++) AX_SPAWN(&l.root, meets, .n = each));
}

/* ---- queues ---- */

static ax_queue queue;
REPEATS(gives, char item[256];) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_queue_put(me, &queue, my->item));
    AX_END;
}

REPEATS(takes, char item[256];) {
    AX_BEGIN;
    while (my->n-- > 0) AX_AWAIT(ax_queue_get(me, &queue, my->item));
    AX_END;
}

static double queue_run(int capacity, int size) {
    static long storage[64 * 256 / sizeof(long)];
    ax_queue_init(&queue, storage, (size_t)capacity, (size_t)size);
    MEASURE(2 * MILLION, AX_SPAWN(&l.root, gives, .n = 2 * MILLION); AX_SPAWN(&l.root, takes, .n = 2 * MILLION));
}

/* ---- callbacks that ask for themselves again ---- */

static int (*ask)(ax_loop *, ax_callback *, ax_fn *, void *);
static int left_to_ask;
static void again(ax_loop *l, void *callback) {
    if (left_to_ask-- > 0) ask(l, (ax_callback *)callback, again, callback);
}
static double callbacks(int each, int n) {
    static ax_callback c[100];
    int i;
    left_to_ask = n;
    MEASURE(n, for (i = 0; i < each; i++) again(&l, &c[i]));
}
static double soon_run(int each, int b) {
    (void)b;
    ask = ax_soon;
    return callbacks(each, 2 * MILLION);
}
static double post_run(int each, int b) {
    (void)b;
    ask = ax_post;
    return callbacks(each, each > 1 ? 2 * MILLION : MILLION / 20);
}

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
    for (i = 0; i < TIMERS * (int)sizeof *t; i += 1024) ((volatile char *)t)[i] = 0; /* in memory: page faults are not the timers' */
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

static const struct row rows[] = {
    {"reference: call through a pointer", ref_call, 0, 0, NULL, NULL, 0},
    {"reference: malloc and free, one at a time", ref_malloc, 1, 0, NULL, NULL, 0},
    {"reference: malloc and free, 100 at a time", ref_malloc, 100, 0, NULL, NULL, 0},
    {"suspend and resume, 2 tasks", spins_run, 2, 0, ref_call, "call", 4},
    {"suspend and resume, 10,000 tasks", spins_run, 10000, 0, ref_call, "call", 4},
    {"suspend and resume, depth 100", spins_run, 2, 100, ref_call, "call", 4},
    {"await that is done at once", goes_on_run, 5 * MILLION, 0, ref_call, "call", 3},
    {"nested call, frame allocated", calls_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"nested call, frame inside", calls_in_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"generator step that does not wait", asks_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"spawn and end, 100 at a time", spawns_run, 100, 0, ref_malloc, "malloc+free, 100 at a time", 1.5},
    {"spawn and end, one at a time, with its group", spawns_run, 1, 0, ref_malloc, "malloc+free", 0},
    {"spawn, end, ax_group_next, 100 at a time", spawns_run, 100, AX_GROUP_KEEP, ref_malloc, "malloc+free, 100 at a time", 0},
    {"semaphore, acquire and release", acquires_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"semaphore as a scope, enter and leave", enters_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"mutex, lock and unlock", locks_run, 2 * MILLION, 0, ref_call, "call", 0},
    {"limiter, acquire", limits_run, MILLION, 0, ref_clock, "clock_gettime", 0},
    {"event, 1,000 waiters, each", event_run, 1000, 0, ref_call, "call", 0},
    {"condition, one waiter, a notify", cond_run, 1, 0, ref_call, "call", 0},
    {"condition, 1,000 waiters, each", cond_run, 1000, 0, ref_call, "call", 0},
    {"barrier of 10, each", barrier_run, 10, 0, ref_call, "call", 0},
    {"queue item of 8 bytes, capacity 1", queue_run, 1, 8, ref_copy, "memcpy in and out", 0},
    {"queue item of 8 bytes, capacity 64", queue_run, 64, 8, ref_copy, "memcpy in and out", 0},
    {"queue item of 256 bytes, capacity 1", queue_run, 1, 256, ref_copy, "memcpy in and out", 0},
    {"queue item of 256 bytes, capacity 64", queue_run, 64, 256, ref_copy, "memcpy in and out", 0},
    {"ax_soon and its callback", soon_run, 1, 0, ref_call, "call", 0},
    {"ax_post and its callback, one at a time", post_run, 1, 0, ref_pipe, "write, poll, read of a pipe", 0},
    {"ax_post and its callback, 100 at a time", post_run, 100, 0, ref_lock, "lock and unlock of a pthread mutex", 0},
};

int main(int argc, char **argv) {
    int i, n = argc > 1 ? atoi(argv[1]) : 1000000;
    sleepers(n); /* first: the heap is fresh */
    printf("a task with its first frame: %zu bytes; a frame: %zu\n", sizeof(ax_task) + sizeof(ax_frame), sizeof(ax_frame));
    for (i = 0; i < (int)(sizeof rows / sizeof *rows); i++) print_row(&rows[i]);
    timers();
    printf("timers, 1,000,000: insert %.0f ns, cancel %.0f ns, fire %.0f ns each\n", timer_insert, timer_cancel, timer_fire);
    return 0;
}
