/* State Threads: tasks with stacks of their own, on one thread. It cannot yield; a switch is to signal the other's condition and to
   wait for one's own. It has no queues, and a million stacks are too much memory for its sleepers. */
#include "cost.h"
#include <st.h>

static void *must(void *p) {
    if (!p) exit(1);
    return p;
}

static st_cond_t turn[2];
static void *yields(void *arg) {
    int me = arg == &turn[1], n;
    for (n = 0; n < SWITCHES / 2; n++) {
        st_cond_signal(turn[!me]);
        st_cond_wait(turn[me]);
    }
    st_cond_signal(turn[!me]);
    return NULL;
}
static void switches(void) {
    st_thread_t t[2];
    double start;
    int i;
    for (i = 0; i < 2; i++) turn[i] = (st_cond_t)must(st_cond_new());
    for (i = 0; i < 2; i++) t[i] = (st_thread_t)must(st_thread_create(yields, &turn[i], 1, 0));
    start = cpu();
    for (i = 0; i < 2; i++) st_thread_join(t[i], NULL);
    printf("ns %.3f\n", (cpu() - start) * 1e9 / SWITCHES);
}

static void *nothing(void *arg) { return arg; }
static void spawn(void) {
    const int spawns = SPAWNS / 5;
    st_thread_t t[100];
    double start = cpu();
    int n, i;
    for (n = 0; n < spawns; n += 100) {
        for (i = 0; i < 100; i++) t[i] = (st_thread_t)must(st_thread_create(nothing, NULL, 1, 0));
        for (i = 0; i < 100; i++) st_thread_join(t[i], NULL);
    }
    printf("ns %.2f\n", (cpu() - start) * 1e9 / spawns);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    if (st_init() < 0) return 1;
    if (!strcmp(job, "switch")) switches();
    else if (!strcmp(job, "spawn")) spawn();
    else if (!strcmp(job, "version")) puts("State Threads " ST_VERSION);
    return 0;
}
