/* A server's signals as awaits: SIGHUP reads the settings again, SIGTERM ends it in order. Here a task plays the operator. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <signal.h>
#include <stdio.h>

struct reloads { ax_frame frame; int times; };
AX_ASYNC(reloads) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_signal_wait(me, SIGHUP));
        printf("settings read, time %d\n", ++my->times);
    }
    AX_END;
}

struct works { ax_frame frame; };
AX_ASYNC(works) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(10))); /* what is begun is finished */
    printf("work put away\n");
    AX_END;
}

struct operates { ax_frame frame; };
AX_ASYNC(operates) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    raise(SIGHUP);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    raise(SIGHUP);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    raise(SIGTERM);
    AX_END;
}

struct app { ax_frame frame; ax_group g; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND); /* ends with this body */
    AX_SPAWN(&my->g, reloads);
    AX_SPAWN(&my->g, works);
    AX_SPAWN(&my->g, operates);
    AX_AWAIT(ax_signal_wait(me, SIGTERM));
    printf("asked to end\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
