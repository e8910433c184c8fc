/* From a library with callbacks to something to await: asyncio.Future, loop.create_future().

   The callback completes the future; any number of tasks wait for it. If a waiter gives up, the cancel function is asked to stop
   the operation; without one the operation runs on. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct lookup { ax_future answer; ax_timer timer; }; /* the library: after a while it calls lookup_answered */

static void lookup_answered(ax_loop *loop, void *arg) {
    (void)loop;
    ax_future_complete(&((struct lookup *)arg)->answer, 127);
}
static int lookup_cancel(ax_future *answer, void *arg) {
    (void)answer;
    printf("  the lookup is stopped\n");
    ax_timer_stop(&((struct lookup *)arg)->timer);
    return 0; /* stopped: all who wait get AX_ECANCELED. AX_STAY would let it end in its own time */
}
AX_MUST_USE static ax_op lookup(ax_task *me, struct lookup *l, ax_time takes) {
    l->answer = (ax_future){.cancel = lookup_cancel, .arg = l};
    if (ax_timer_start(me->loop, &l->timer, ax_now(me->loop) + takes, lookup_answered, l) < 0) return ax_done(AX_ENOMEM);
    return ax_future_wait(me, &l->answer);
}

struct app { ax_frame frame; struct lookup lookup; };

AX_ASYNC(app) {
    AX_BEGIN;
    AX_AWAIT(AX_WITHIN(AX_SEC(1), lookup(me, &my->lookup, AX_MS(200))));
    printf("the answer: %d\n", me->rc);
    AX_TRY(AX_WITHIN(AX_SEC(1), lookup(me, &my->lookup, AX_SEC(60))));
    printf("%s\n", ax_strerror(me->rc));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
