/* Failures as results: asyncio.gather(..., return_exceptions=True), looked at as they come (asyncio.as_completed).

   By default the first failure of a group cancels the others. A group that collects lets everyone finish, and one that
   keeps hands its ended children back in the order in which they ended. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct probe { ax_frame frame; const char *host; ax_time answers_after; int status; };

AX_ASYNC(probe) {
    AX_BEGIN;
    AX_AWAIT(AX_WITHIN(AX_MS(300), ax_sleep(me, my->answers_after)));
    AX_RETURN(my->status);
    AX_END;
}

struct app { ax_frame frame; ax_group all; ax_task *child; int up; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->all, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    AX_SPAWN(&my->all, probe, .host = "mercury", .answers_after = AX_MS(200), .status = 0);
    AX_SPAWN(&my->all, probe, .host = "venus", .answers_after = AX_MS(100), .status = AX_EPIPE);
    AX_SPAWN(&my->all, probe, .host = "mars", .answers_after = AX_MS(150), .status = 0);
    AX_SPAWN(&my->all, probe, .host = "pluto", .answers_after = AX_FOREVER);
    AX_WHILE(ax_group_next(me, &my->all, &my->child)) {
        int status = ax_task_status(my->child);
        printf("%-8s %s\n", AX_FRAME(probe, my->child)->host, status < 0 ? ax_strerror(status) : "up");
        my->up += status >= 0;
    }
    AX_AWAIT(ax_group_join(me, &my->all)); /* how many failed */
    printf("%d up, %d down\n", my->up, me->rc);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
