/* Try again, after pauses that grow and are random: `try: ... except OSError: await asyncio.sleep(delay)` in a loop.

   AX_TRY keeps an operation's error in me->rc. The task's own cancellation still leaves the body, so this loop can be
   stopped at any moment, as the time limit at the end shows. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct server { int refuses; }; /* so many calls before it answers */

struct call { ax_frame frame; struct server *server; };

AX_ASYNC(call) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    if (my->server->refuses-- > 0) AX_RETURN(AX_EAGAIN);
    AX_RETURN(42);
    AX_END;
}

struct call_patiently { ax_frame frame; struct server *server; int tries, attempt; ax_backoff pauses; ax_time pause; };

AX_ASYNC(call_patiently) {
    AX_BEGIN;
    my->pauses.base = AX_MS(100);
    my->pauses.cap = AX_SEC(2);
    my->pauses.seed = 1; /* so that each run of this example is the same: leave it out */
    for (my->attempt = 1;; my->attempt++) {
        AX_TRY(AX_CALL(call, .server = my->server));
        if (me->rc >= 0 || my->attempt == my->tries) AX_RETURN(me->rc);
        my->pause = ax_backoff_next(&my->pauses);
        printf("  attempt %d: %s; next in %d ms\n", my->attempt, ax_errname(me->rc), (int)(my->pause / AX_MS(1)));
        AX_AWAIT(ax_sleep(me, my->pause));
    }
    AX_END;
}

struct app { ax_frame frame; struct server flaky, down; };

AX_ASYNC(app) {
    AX_BEGIN;
    my->flaky.refuses = 3;
    AX_AWAIT(AX_CALL(call_patiently, .server = &my->flaky, .tries = 5));
    printf("the flaky server says %d\n", me->rc);

    my->down.refuses = 1000;
    AX_TRY(AX_CALL(call_patiently, .server = &my->down, .tries = 3));
    printf("the dead server: %s\n", ax_errname(me->rc));

    AX_TRY(AX_WITHIN(AX_MS(300), AX_CALL(call_patiently, .server = &my->down, .tries = 1000)));
    printf("with a limit: %s\n", ax_errname(me->rc));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
