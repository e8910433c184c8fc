#include "asyncx.h"
#ifndef ONE
#include "other.h"
#endif

AX_PUBLIC(far) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_RETURN(my->twice ? 2 * my->n : my->n);
    AX_END;
}
