/* Give up waiting, but not the work: `asyncio.wait_for(asyncio.shield(task), 0.1)`, and task.add_done_callback.

   ax_join only waits for a task of some group. ax_joiner is such a wait as a task: with it a group can race tasks of others. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct report { ax_frame frame; ax_time takes; int pages; };

AX_ASYNC(report) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->takes));
    AX_RETURN(my->pages);
    AX_END;
}

static void store(ax_loop *loop, void *task) { /* the turn after its end, whoever waits or not */
    (void)loop;
    printf("  (%d pages into the cache)\n", ax_task_status(task));
}

struct app { ax_frame frame; ax_group reports, race; AX_TASK(report) brief, full; ax_callback done; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->reports, 0);
    AX_SPAWN_IN(&my->reports, &my->brief, report, .takes = AX_MS(300), .pages = 2);
    AX_SPAWN_IN(&my->reports, &my->full, report, .takes = AX_MS(900), .pages = 40);
    ax_on_done(&my->full.task, &my->done, store, &my->full.task);
    AX_TRY(AX_WITHIN(AX_MS(100), ax_join(me, &my->full.task)));
    printf("the full report: %s\n", ax_strerror(me->rc));
    ax_group_open(me, &my->race, AX_GROUP_RACE);
    AX_SPAWN(&my->race, ax_joiner, .task = ax_task_ref(&my->brief.task)); /* a joiner takes over a reference */
    AX_SPAWN(&my->race, ax_joiner, .task = ax_task_ref(&my->full.task));
    AX_AWAIT(ax_group_join(me, &my->race));
    printf("whichever comes first: %d pages\n", me->rc);
    AX_END; /* waits for the other one */
}

int main(void) { return ax_exit(AX_RUN(app)); }
