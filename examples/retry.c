/* Try again, after pauses that grow and are random: `try: ... except OSError: await asyncio.sleep(delay)` in a loop.
   AX_TRY keeps an operation's error in me->rc. The task's own cancellation still leaves the body, so this loop can be
   stopped at any moment, as the time limit at the end shows. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct call { ax_frame frame; int *refuses; }; /* so many times before it answers */
AX_ASYNC(call) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    AX_RETURN((*my->refuses)-- > 0 ? AX_EAGAIN : 42);
    AX_END;
}

struct call_patiently { ax_frame frame; int *refuses, tries; ax_backoff pauses; };
AX_ASYNC(call_patiently) {
    AX_BEGIN;
    my->pauses = (ax_backoff){.base = AX_MS(100), .cap = AX_SEC(2), .seed = 1}; /* the seed only to make each run the same */
    for (;;) {
        AX_TRY(AX_CALL(call, .refuses = my->refuses));
        if (me->rc >= 0 || my->pauses.tries + 1 == my->tries) AX_RETURN(me->rc);
        AX_AWAIT(ax_sleep(me, ax_backoff_next(&my->pauses)));
        printf("  %4d ms: try %d\n", (int)(ax_now(me->loop) / AX_MS(1)), my->pauses.tries + 1);
    }
    AX_END;
}

struct app { ax_frame frame; int flaky, down; };
AX_ASYNC(app) {
    AX_BEGIN;
    my->flaky = 3, my->down = 1000;
    AX_AWAIT(AX_CALL(call_patiently, .refuses = &my->flaky, .tries = 5));
    printf("the flaky server says %d\n", me->rc);
    AX_TRY(AX_WITHIN(AX_MS(300), AX_CALL(call_patiently, .refuses = &my->down, .tries = 1000)));
    printf("the dead server, with a limit: %s\n", ax_errname(me->rc));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
