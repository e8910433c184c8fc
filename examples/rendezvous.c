/* Hand to hand, with nothing in between: a queue of capacity 0, a channel without a buffer.

   A put ends when somebody has taken the item, so the giver knows that it arrived, and never runs ahead of the taker. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct runner { ax_frame frame; ax_queue *zone; const char *name; int baton; };

AX_ASYNC(runner) {
    AX_BEGIN;
    AX_AWAIT(ax_queue_get(me, my->zone, &my->baton));
    printf("%s has baton %d and runs\n", my->name, my->baton);
    AX_AWAIT(ax_sleep(me, AX_SEC(12)));
    my->baton++;
    printf("%s holds out baton %d\n", my->name, my->baton);
    AX_TRY(AX_WITHIN(AX_SEC(5), ax_queue_put(me, my->zone, &my->baton)));
    if (ax_expired(me)) printf("nobody takes it from %s\n", my->name); /* and it is not in the queue: nothing is half done */
    else printf("%s is rid of it\n", my->name);
    AX_END;
}

struct app { ax_frame frame; ax_queue zone; ax_group team; int first; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_queue_init(&my->zone, NULL, 0, sizeof(int));
    ax_group_open(me, &my->team, 0);
    AX_SPAWN(&my->team, runner, .zone = &my->zone, .name = "Ada");
    AX_SPAWN(&my->team, runner, .zone = &my->zone, .name = "Ben");
    AX_SPAWN(&my->team, runner, .zone = &my->zone, .name = "Cleo");
    my->first = 1;
    AX_AWAIT(ax_queue_put(me, &my->zone, &my->first));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
