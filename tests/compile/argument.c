/* Bodies as arguments of a macro of the user's own: their resume points are numbered before AX_BEGIN is seen. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

#define FUNCTION(name, body)          \
    struct name { ax_frame frame; };  \
    AX_ASYNC(name) { AX_BEGIN; body AX_END; }

FUNCTION(fails, AX_CHECK(AX_EPIPE); puts("never");)
FUNCTION(waits, AX_TRY(AX_CALL(fails)); printf("%d ", me->rc); AX_AWAIT(ax_sleep(me, AX_MS(1))); AX_AWAIT(ax_sleep(me, 0)); puts("end");
         AX_RETURN(0); AX_FINALLY: puts("cleanup");)

int main(void) {
    ax_loop_desc desc = {0};
    desc.flags = AX_VIRTUAL_CLOCK;
    return AX_RUN_WITH(&desc, waits) == 0 ? 0 : 1;
}
