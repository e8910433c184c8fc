/* Wait for some of them while the others run on: asyncio.wait in its three modes, with a time limit.

   The group belongs to app. `some` only takes its ended children, so a limit on it ends the waiting and nothing else. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct load { ax_frame frame; const char *what; ax_time takes; int status; };

AX_ASYNC(load) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->takes));
    AX_RETURN(my->status);
    AX_END;
}

static const char *const modes[] = {"the first", "until one fails", "all, but for 5 s at the most"};
struct some { ax_frame frame; ax_group *all; int mode; ax_task *child; };

AX_ASYNC(some) {
    AX_BEGIN;
    AX_WHILE(ax_group_next(me, my->all, &my->child)) {
        printf("%s: %s: %s\n", modes[my->mode], AX_FRAME(load, my->child)->what, ax_strerror(ax_task_status(my->child)));
        if (my->mode == 0 || (my->mode == 1 && ax_task_status(my->child) < 0)) break;
    }
    AX_END;
}

struct app { ax_frame frame; ax_group all; int mode; };

AX_ASYNC(app) {
    static const char *const names[] = {"text", "font", "image", "film"};
    AX_BEGIN;
    ax_group_open(me, &my->all, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    for (int i = 0; i < 4; i++) AX_SPAWN(&my->all, load, .what = names[i], .takes = AX_SEC(i * i), .status = i - 1 ? 0 : AX_EPIPE);
    for (; my->mode < 3; my->mode++) AX_TRY(AX_WITHIN(AX_SEC(5), AX_CALL(some, .all = &my->all, .mode = my->mode)));
    AX_END; /* waits for the film, too */
}

int main(void) { return ax_exit(AX_RUN(app)); }
