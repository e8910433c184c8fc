/* A server's signals as awaits: SIGHUP reads the settings again, SIGTERM ends it in order. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <signal.h>
#include <stdio.h>

struct settings { ax_frame frame; int times; };
AX_ASYNC(settings) {
    AX_BEGIN;
    AX_WHILE(ax_signal_wait(me, SIGHUP)) printf("settings read, time %d\n", ++my->times);
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    printf("settings written\n");
    AX_END;
}

struct operator { ax_frame frame; };
AX_ASYNC(operator) { /* instead of `kill -HUP`, `kill` from a shell */
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
    AX_SPAWN(&my->g, settings);
    AX_SPAWN(&my->g, operator);
    AX_AWAIT(ax_signal_wait(me, SIGTERM));
    printf("asked to end\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
