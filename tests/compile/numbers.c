#include "asyncx.h"
/* Times of numbers of every type, which some warnings that most do not turn on would look at. */
struct sleeps {
    ax_frame frame;
    signed char c; short s; int i; unsigned u; long l; unsigned long ul; long long ll; unsigned long long ull; float f; double d;
};
AX_ASYNC(sleeps) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_SEC(my->c)));
    AX_AWAIT(ax_sleep(me, AX_MS(my->s)));
    AX_AWAIT(ax_sleep(me, AX_US(my->i)));
    AX_AWAIT(ax_sleep(me, AX_SEC(my->u)));
    AX_AWAIT(ax_sleep(me, AX_MS(my->l)));
    AX_AWAIT(ax_sleep(me, AX_US(my->ul)));
    AX_AWAIT(ax_sleep(me, AX_SEC(my->ll)));
    AX_AWAIT(ax_sleep(me, AX_MS(my->ull)));
    AX_AWAIT(ax_sleep(me, AX_US(my->f)));
    AX_AWAIT(ax_sleep(me, AX_SEC(my->d)));
    AX_END;
}
int ready(ax_task *me);
int ready(ax_task *me) { return AXI_FN(sleeps)() != NULL && (double)ax_now(me->loop) / (double)AX_SEC(1) > 0; }
