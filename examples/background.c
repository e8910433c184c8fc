/* A heart-beat that lives as long as the work beside it: asyncio.create_task, and task.cancel() at the end.

   Children of a background group are cancelled when the body that opened it is left, and awaited, so that their
   cleanup has run before the caller goes on. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct heart_beat { ax_frame frame; int beats; };

AX_ASYNC(heart_beat) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_sleep(me, AX_MS(100)));
        printf("  beat %d\n", ++my->beats);
    }
    AX_FINALLY:
    printf("  stopped after %d beats, saying good-bye\n", my->beats);
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    AX_END;
}

struct session { ax_frame frame; ax_group background; };

AX_ASYNC(session) {
    AX_BEGIN;
    ax_group_open(me, &my->background, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->background, heart_beat);
    printf("working\n");
    AX_AWAIT(ax_sleep(me, AX_MS(350)));
    printf("work is done\n");
    AX_END; /* stops the heart-beat; so would an error, or a cancel of the session */
}

struct app { ax_frame frame; };

AX_ASYNC(app) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(session));
    printf("session over\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
