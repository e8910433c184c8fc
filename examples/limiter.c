/* So many per second: a rate limit as a token bucket, what aiolimiter's AsyncLimiter(5, 1) is to asyncio.

   A semaphore limits how many run at the same time, a limiter how many begin in a period. After a pause a burst may go at
   once. A request that is dearer takes more tokens; all wait in line. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct request { ax_frame frame; ax_limiter *api; const char *what; int tokens; ax_time start; };

AX_ASYNC(request) {
    AX_BEGIN;
    AX_AWAIT(ax_limiter_acquire(me, my->api, my->tokens));
    printf("%4d ms: %s\n", (int)((ax_now(me->loop) - my->start) / AX_MS(1)), my->what);
    AX_END;
}

struct app { ax_frame frame; ax_limiter api; ax_group requests; ax_time start; int i; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_limiter_init(&my->api, 5, AX_SEC(1), 3); /* five per second, at most three at once */
    my->start = ax_now(me->loop);
    ax_group_open(me, &my->requests, 0);
    for (; my->i < 5; my->i++) AX_SPAWN(&my->requests, request, .api = &my->api, .what = "read", .tokens = 1, .start = my->start);
    AX_SPAWN(&my->requests, request, .api = &my->api, .what = "search", .tokens = 3, .start = my->start);
    AX_SPAWN(&my->requests, request, .api = &my->api, .what = "read", .tokens = 1, .start = my->start);
    AX_AWAIT(ax_group_join(me, &my->requests));
    AX_AWAIT(ax_sleep(me, AX_SEC(1)));
    printf("after a pause there are %d tokens\n", ax_limiter_tokens(me->loop, &my->api));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
