/* Several results at once, in the order they were asked for: asyncio.gather.

   The tasks live in the caller's frame (AX_TASK), so what they computed can be read there after the join, each in its
   place, whoever came first. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct factorial { ax_frame frame; const char *name; int n, i; long result; };

AX_ASYNC(factorial) {
    AX_BEGIN;
    my->result = 1;
    for (my->i = 2; my->i <= my->n; my->i++) {
        printf("%s: multiplying by %d\n", my->name, my->i);
        AX_AWAIT(ax_sleep(me, AX_MS(250)));
        my->result *= my->i;
    }
    printf("%s: done\n", my->name);
    AX_END;
}

struct app { ax_frame frame; ax_group all; AX_TASK(factorial) jobs[3]; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->all, 0);
    AX_SPAWN_IN(&my->all, &my->jobs[0], factorial, .name = "A", .n = 4);
    AX_SPAWN_IN(&my->all, &my->jobs[1], factorial, .name = "B", .n = 2);
    AX_SPAWN_IN(&my->all, &my->jobs[2], factorial, .name = "C", .n = 3);
    AX_AWAIT(ax_group_join(me, &my->all));
    for (int i = 0; i < 3; i++) printf("%d! = %ld\n", my->jobs[i].frame.n, my->jobs[i].frame.result);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
