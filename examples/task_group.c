/* One fails, all stop, all clean up: asyncio.TaskGroup.

   The first child that fails cancels its siblings. Each is given the time to clean up in AX_FINALLY, and only then does
   the join end, with the first child's error. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct copy { ax_frame frame; const char *file; ax_time takes; int breaks, open; };

AX_ASYNC(copy) {
    AX_BEGIN;
    my->open = 1;
    printf("%s: started\n", my->file);
    AX_AWAIT(ax_sleep(me, my->takes));
    if (my->breaks) AX_RETURN(AX_EPIPE);
    printf("%s: copied\n", my->file);
    AX_FINALLY: /* reached even by a task that was cancelled before it started: it asks what there is to clean up */
    if (my->open && ax_leaving(me) < 0) {
        printf("%s: %s; removing what there is\n", my->file, ax_strerror(ax_leaving(me)));
        AX_AWAIT(ax_sleep(me, AX_MS(10))); /* cleanup may wait */
    }
    AX_END;
}

struct app { ax_frame frame; ax_group all; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->all, 0);
    AX_SPAWN(&my->all, copy, .file = "small", .takes = AX_MS(200));
    AX_SPAWN(&my->all, copy, .file = "broken", .takes = AX_MS(400), .breaks = 1);
    AX_SPAWN(&my->all, copy, .file = "large", .takes = AX_SEC(60));
    AX_SPAWN(&my->all, copy, .file = "huge", .takes = AX_SEC(3600));
    AX_TRY(ax_group_join(me, &my->all));
    printf("all of it: %s\n", ax_strerror(me->rc));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
