/* Blocking work beside a running loop: asyncio.to_thread.
   The work is an ordinary function on a copy of its data; the copy comes back when it is done. Meanwhile the loop's
   thread is free: another task goes on. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>
#include <time.h>

struct primes { int below, count; };
static int count_primes(void *copy) { /* on a thread of the pool: no `me`, nothing shared, it may block */
    struct primes *p = copy;
    struct timespec disk = {0, 300 * 1000000};
    nanosleep(&disk, NULL); /* a slow disk, say */
    for (int n = 2, d; n < p->below; n++) {
        for (d = 2; d * d <= n && n % d; d++) {}
        p->count += d * d > n;
    }
    return 0;
}

struct ticks { ax_frame frame; int *count; };
AX_ASYNC(ticks) {
    AX_BEGIN;
    for (;; ++*my->count) AX_AWAIT(ax_sleep(me, AX_MS(20)));
    AX_END;
}

struct app { ax_frame frame; ax_group background; struct primes primes; int count; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->background, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->background, ticks, .count = &my->count);
    my->primes.below = 100000;
    AX_AWAIT(ax_to_thread(me, count_primes, &my->primes, sizeof my->primes));
    printf("%d primes below %d\n", my->primes.count, my->primes.below);
    printf("the loop ran meanwhile: %s\n", my->count > 1 ? "yes" : "no");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
