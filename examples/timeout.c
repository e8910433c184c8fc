/* Time limits: asyncio.wait_for and asyncio.timeout.

   AX_WITHIN limits one await: whatever it waits for is cancelled, cleans up, and then the await gives AX_ETIMEDOUT.
   ax_timeout_open limits the rest of a body. Limits nest, and the earlier one binds. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct fetch { ax_frame frame; const char *what; ax_time takes; };

AX_ASYNC(fetch) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->takes));
    printf("  fetched %s\n", my->what);
    AX_FINALLY:
    if (ax_leaving(me) < 0) printf("  gave up on %s: %s\n", my->what, ax_strerror(ax_leaving(me)));
    AX_END;
}

struct page { ax_frame frame; ax_timeout limit; };

AX_ASYNC(page) {
    AX_BEGIN;
    ax_timeout_open(me, &my->limit, AX_MS(300)); /* for the page as a whole */
    AX_AWAIT(AX_CALL(fetch, .what = "text", .takes = AX_MS(200)));
    AX_AWAIT(AX_WITHIN(AX_SEC(10), AX_CALL(fetch, .what = "picture", .takes = AX_SEC(5))));
    printf("  never printed: the picture had only 100 ms left\n");
    AX_END;
}

struct app { ax_frame frame; };

AX_ASYNC(app) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(200), AX_CALL(fetch, .what = "something small", .takes = AX_MS(100))));
    printf("in time: %s\n", ax_strerror(me->rc));

    AX_TRY(AX_WITHIN(AX_MS(200), AX_CALL(fetch, .what = "something large", .takes = AX_SEC(60))));
    printf("too late: %s, by a limit of ours: %s\n", ax_strerror(me->rc), ax_expired(me) ? "yes" : "no");

    AX_TRY(AX_CALL(page));
    printf("the page: %s, by a limit of ours: %s\n", ax_strerror(me->rc), ax_expired(me) ? "yes" : "no");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
