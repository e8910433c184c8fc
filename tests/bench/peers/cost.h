/* What the tasks_*.c programs share. Each is called as

     tasks_X switch | spawn | queue CAPACITY | sleepers N FROM_MS SPREAD_MS | timers N FROM_MS SPREAD_MS | version

   and prints lines of a name and a value, or nothing for what its library does not have. Time is the CPU time of the process. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MILLION = 1000000, SWITCHES = 20 * MILLION, SPAWNS = 5 * MILLION, ITEMS = 5 * MILLION };

static inline double seconds(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static inline double cpu(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }
static inline double wall(void) { return seconds(CLOCK_MONOTONIC); }

static inline double resident(void) { /* bytes of this process that are in RAM now */
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) exit(1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Zeroed memory that is in RAM already, so that page faults are not timed; a memset after calloc would be left out. */
static inline void *touched(size_t n, size_t size) {
    char *p = (char *)calloc(n + 1, size);
    volatile char *page;
    if (!p) exit(1);
    for (page = p; page < p + n * size; page += 1024) *page = 0;
    return p;
}

static inline double between(double from, double spread) { /* at random, the same numbers in each run */
    static uint32_t seed = 1;
    seed = seed * 1664525u + 1013904223u;
    return from + spread * seed / 4294967296.0;
}

/* Sleepers: call begin, start n of them, call asleep once they all sleep, and end once all have woken. */
struct sleepers { double wall, cpu, resident, bytes; };
static inline void sleepers_begin(struct sleepers *s) {
    s->resident = resident();
    s->wall = wall();
    s->cpu = cpu();
}
static inline void sleepers_asleep(struct sleepers *s, int n) { s->bytes = (resident() - s->resident) / n; }
static inline void sleepers_end(const struct sleepers *s) {
    printf("cpu_s %.4f\nwall_s %.4f\nbytes %.1f\n", cpu() - s->cpu, wall() - s->wall, s->bytes);
}

/* Timers: insert, cancel each second one, let the rest become due, fire them. */
struct timers { double mark[4], due; };
static inline void timers_begin(struct timers *t, double from, double spread) {
    t->due = wall() + from + spread + 0.01;
    t->mark[0] = cpu();
}
static inline void timers_inserted(struct timers *t) { t->mark[1] = cpu(); }
static inline void timers_cancelled(struct timers *t) { /* what fires later is all due then: the loop does not sleep between them */
    double left = t->due - wall();
    t->mark[2] = cpu();
    if (left > 0) usleep((useconds_t)(left * 1e6));
}
static inline void timers_fired(const struct timers *t, int n, int fired) {
    double end = cpu();
    if (fired != n / 2) {
        fprintf(stderr, "%d timers fired, not %d\n", fired, n / 2);
        exit(1);
    }
    printf("insert_ns %.2f\n", (t->mark[1] - t->mark[0]) * 1e9 / n);
    printf("cancel_ns %.2f\n", (t->mark[2] - t->mark[1]) * 1e9 / (n - n / 2));
    printf("fire_ns %.2f\n", (end - t->mark[2]) * 1e9 / (n / 2));
    printf("all_ns %.2f\n", (end - t->mark[0]) * 1e9 / n);
}
