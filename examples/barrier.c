/* Workers in rounds: `asyncio.Barrier(3)`. Nobody begins a round before all have done the last.

   Each of a round gets a number of its own, so that one of them, here the last to come, can do what is to be done once. If one
   fails, its group cancels the others, who just leave the barrier; outside such a group, ax_barrier_abort sends them home. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

enum { WORKERS = 3, ROUNDS = 3 };

struct worker { ax_frame frame; ax_barrier *barrier; const char *name; int pace, round; };

AX_ASYNC(worker) {
    AX_BEGIN;
    for (my->round = 1; my->round <= ROUNDS; my->round++) {
        AX_AWAIT(ax_sleep(me, AX_MS(my->pace * my->round % 70 + 10))); /* sometimes one is last, sometimes another */
        printf("%s has done part %d\n", my->name, my->round);
        AX_AWAIT(ax_barrier_wait(me, my->barrier));
        if (me->rc == WORKERS - 1) printf("--- round %d took until %s came\n", my->round, my->name);
    }
    AX_END;
}

struct app { ax_frame frame; ax_barrier barrier; ax_group workers; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_barrier_init(&my->barrier, WORKERS);
    ax_group_open(me, &my->workers, 0);
    AX_SPAWN(&my->workers, worker, .barrier = &my->barrier, .name = "Ada", .pace = 20);
    AX_SPAWN(&my->workers, worker, .barrier = &my->barrier, .name = "Ben", .pace = 30);
    AX_SPAWN(&my->workers, worker, .barrier = &my->barrier, .name = "Cleo", .pace = 50);
    AX_AWAIT(ax_group_join(me, &my->workers));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
