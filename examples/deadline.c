/* A limit that is pushed on, inside one that is not: `async with asyncio.timeout(1) as limit`, limit.reschedule().

   A download may be silent for 300 ms, and may take 2 s in all. Each block moves the inner limit on. An expired limit ends its
   frame with AX_ETIMEDOUT; my->silence.expired and ax_expired(me) tell which. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct download { ax_frame frame; ax_time pause, slower; int blocks; ax_timeout silence; };

AX_ASYNC(download) {
    AX_BEGIN;
    ax_timeout_open(me, &my->silence, AX_MS(300));
    for (; my->blocks < 10; my->blocks++) {
        AX_AWAIT(ax_sleep(me, my->pause)); /* a block comes */
        my->pause += my->slower;
        ax_timeout_reschedule(&my->silence, ax_now(me->loop) + AX_MS(300));
    }
    ax_timeout_close(&my->silence);        /* what comes after is not limited */
    AX_AWAIT(ax_sleep(me, AX_MS(400)));
    AX_FINALLY:
    printf("  %d blocks%s\n", my->blocks, my->silence.expired ? ", then silence" : "");
    AX_END;
}

struct app { ax_frame frame; int i; };

AX_ASYNC(app) {
    static const struct { const char *name; ax_time pause, slower; } peers[] = {
        {"a good one", AX_MS(100), 0}, {"one that tires", AX_MS(100), AX_MS(60)}, {"a slow one", AX_MS(290), 0}};
    AX_BEGIN;
    for (; my->i < 3; my->i++) {
        printf("%s\n", peers[my->i].name);
        AX_TRY(AX_WITHIN(AX_SEC(2), AX_CALL(download, .pause = peers[my->i].pause, .slower = peers[my->i].slower)));
        printf("  %s%s\n", ax_strerror(me->rc), ax_expired(me) ? " as a whole" : "");
    }
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
