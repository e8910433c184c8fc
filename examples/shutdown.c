/* Two ways to shut a queue down: Queue.shutdown() and Queue.shutdown(immediate=True).

   Both end a put that waits with AX_EPIPE. After ax_queue_close what is in the queue can still be taken; ax_queue_close_now
   drops it, and hands each item to a function of yours first, so that nothing it owns is lost. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct clerk { ax_frame frame; ax_queue *letters; int number; };

AX_ASYNC(clerk) {
    AX_BEGIN;
    for (my->number = 1;; my->number++) AX_AWAIT(ax_queue_put(me, my->letters, &my->number));
    AX_FINALLY:
    printf("  letter %d was not taken: %s\n", my->number, ax_errname(ax_leaving(me)));
    AX_END;
}

static void drop(void *letter, void *bin) { printf("  letter %d: into the %s\n", *(int *)letter, (const char *)bin); }

struct office { ax_frame frame; int at_once, storage[2], letter; ax_queue letters; ax_group clerks; };

AX_ASYNC(office) {
    AX_BEGIN;
    ax_queue_init(&my->letters, my->storage, 2, sizeof *my->storage);
    ax_group_open(me, &my->clerks, AX_GROUP_COLLECT); /* the clerk's AX_EPIPE is no reason to stop */
    AX_SPAWN(&my->clerks, clerk, .letters = &my->letters);
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    if (my->at_once) ax_queue_close_now(&my->letters, drop, "waste paper");
    else ax_queue_close(&my->letters);
    AX_WHILE(ax_queue_get(me, &my->letters, &my->letter)) printf("  letter %d: printed\n", my->letter);
    AX_END;
}

int main(void) {
    printf("close\n");
    if (AX_RUN(office) < 0) return 1;
    printf("close now\n");
    return ax_exit(AX_RUN(office, .at_once = 1));
}
