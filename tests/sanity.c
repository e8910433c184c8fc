/* Prints nothing of use yet: a first look at limits, groups and cancel. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "tap.h"

static int ms(ax_loop *l) { return (int)(ax_now(l) / 1000000); }

struct sleeper { ax_frame frame; int time; const char *name; int fail; };
AX_ASYNC(sleeper) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(my->time)));
    if (my->fail) AX_RETURN(my->fail);
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    tap_log("%s:%d@%d", my->name, ax_leaving(me), ms(me->loop));
    AX_END;
}

struct limits { ax_frame frame; struct sleeper s; ax_group g; };
AX_ASYNC(limits) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(10), AX_CALL(sleeper, .time = 100, .name = "A")));
    tap_log("rc=%d expired=%d@%d", me->rc, ax_expired(me), ms(me->loop));
    AX_TRY(AX_WITHIN(AX_MS(200), AX_CALL_IN(&my->s, sleeper, .time = 100, .name = "B")));
    tap_log("rc=%d@%d", me->rc, ms(me->loop));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, sleeper, .time = 10, .name = "C");
    AX_SPAWN(&my->g, sleeper, .time = 20, .name = "D", .fail = AX_EPIPE);
    AX_SPAWN(&my->g, sleeper, .time = 30, .name = "E");
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    tap_log("never");
    AX_FINALLY:
    tap_log("M:%d@%d", ax_leaving(me), ms(me->loop));
    AX_END;
}

int main(void) {
    ax_loop_desc desc = {0};
    int rc;
    desc.flags = AX_VIRTUAL_CLOCK;
    rc = AX_RUN_WITH(&desc, limits);
    is(rc, AX_EPIPE, "child's error is the status");
    trace_is("A:-125@11 rc=-110 expired=1@11 B:0@112 rc=0@112 C:0@123 D:-32@133 E:-125@134 M:-32@134", "limits and groups");
    return tap_end();
}
