/* The most urgent first, or the newest: asyncio.PriorityQueue and asyncio.LifoQueue.

   A queue takes an order: a function that says whether one item goes before another. Equal ones keep that of their puts.
   try_put and try_get never wait, so they serve callbacks too. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct patient { int urgency; const char *name; };

static int more_urgent(const void *a, const void *b) {
    return ((const struct patient *)a)->urgency > ((const struct patient *)b)->urgency;
}

struct doctor { ax_frame frame; ax_before_fn *order; struct patient storage[8], patient; ax_queue waiting; };

AX_ASYNC(doctor) {
    static const struct patient come[] = {{1, "cold"}, {3, "burn"}, {1, "cough"}, {9, "heart"}, {3, "cut"}};
    AX_BEGIN;
    ax_queue_init(&my->waiting, my->storage, 8, sizeof *my->storage);
    my->waiting.before = my->order;
    for (int i = 0; i < 5; i++) ax_queue_try_put(&my->waiting, &come[i]);
    ax_queue_close(&my->waiting);
    AX_WHILE(ax_queue_get(me, &my->waiting, &my->patient)) printf("  %d %s\n", my->patient.urgency, my->patient.name);
    AX_END;
}

struct app { ax_frame frame; };

AX_ASYNC(app) {
    AX_BEGIN;
    printf("the most urgent first\n");
    AX_AWAIT(AX_CALL(doctor, .order = more_urgent));
    printf("the newest first\n");
    AX_AWAIT(AX_CALL(doctor, .order = ax_queue_lifo));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
