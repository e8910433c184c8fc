/* At most three at a time: `async with asyncio.Semaphore(3)`.

   A permit is a scope of the frame that enters: it goes back however the body is left, by an error or a cancel too. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct site { ax_sem permits; int busy, busiest; };

struct visit { ax_frame frame; struct site *site; int number; ax_permit permit; };

AX_ASYNC(visit) {
    struct site *site = my->site; /* an alias: code before AX_BEGIN runs again after every wait */
    AX_BEGIN;
    AX_AWAIT(ax_sem_enter(me, &site->permits, &my->permit));
    if (++site->busy > site->busiest) site->busiest = site->busy;
    printf("visitor %d comes in, %d inside\n", my->number, site->busy);
    AX_AWAIT(ax_sleep(me, AX_MS(80 + 40 * my->number)));
    site->busy--;
    printf("visitor %d goes\n", my->number);
    AX_END;
}

struct app { ax_frame frame; struct site site; ax_group visitors; int i; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_sem_init(&my->site.permits, 3, 0);
    ax_group_open(me, &my->visitors, 0);
    for (my->i = 1; my->i <= 8; my->i++) AX_SPAWN(&my->visitors, visit, .site = &my->site, .number = my->i);
    AX_AWAIT(ax_group_join(me, &my->visitors));
    printf("never more than %d\n", my->site.busiest);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
