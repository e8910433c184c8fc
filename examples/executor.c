/* A library that must be used by one thread: a serial executor. A job that takes too long is told to stop, and waited for. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct work { unsigned from, to; int stop; };

static int count(void *copy) { /* on the executor's thread */
    struct work *w = (struct work *)copy;
    while (w->from != w->to && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) w->from++;
    return w->from == w->to ? 0 : AX_ECANCELED;
}
static int stop(void *copy) { /* on the loop's thread, when the wait is cancelled */
    __atomic_store_n(&((struct work *)copy)->stop, 1, __ATOMIC_RELAXED);
    return AX_STAY; /* until it has stopped */
}

struct app { ax_frame frame; ax_executor one; struct work a, b; };
AX_ASYNC(app) {
    AX_BEGIN;
    AX_CHECK(ax_executor_open(me->loop, &my->one, 1, 0)); /* an error leaves */
    my->a.to = 1000;
    AX_AWAIT(ax_executor_run(me, &my->one, count, stop, &my->a, sizeof my->a));
    printf("counted to %u\n", my->a.from);
    my->b.from = 1; /* to 0, the long way round */
    my->b.to = 0;
    AX_TRY(AX_WITHIN(AX_MS(20), ax_executor_run(me, &my->one, count, stop, &my->b, sizeof my->b)));
    printf("the long way: %s\n", ax_errname(me->rc));
    AX_AWAIT(ax_executor_close(me, &my->one));
    printf("closed\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
