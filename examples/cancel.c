/* Stop a task, and what the task may do about it: task.cancel(), task.cancelling(), task.uncancel().

   A cancelled body is left, and its deferred calls run. AX_TRY_ALL keeps even a cancel, to make something else of it. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

static void put_away(void *what) { printf("  the %s is put away\n", (const char *)what); }

struct paint { ax_frame frame; ax_deferred ladder, brush; };

AX_ASYNC(paint) {
    AX_BEGIN;
    ax_defer(me, &my->ladder, put_away, "ladder");
    ax_defer(me, &my->brush, put_away, "brush");
    AX_TRY_ALL(ax_sleep(me, AX_SEC(3600)));
    if (ax_cancelling(me)) {
        printf("painter: one wall is half done!\n");
        ax_uncancel(me);
        AX_AWAIT(ax_sleep(me, AX_SEC(600)));
    }
    AX_END;
}

struct app { ax_frame frame; ax_group all; AX_TASK(paint) painter; int i; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->all, 0);
    AX_SPAWN_IN(&my->all, &my->painter, paint);
    for (; my->i < 2; my->i++) {
        AX_AWAIT(ax_sleep(me, AX_SEC(1)));
        ax_cancel(&my->painter.task);
    }
    AX_TRY(ax_join(me, &my->painter.task)); /* the joined task's status: it does not make us cancelled */
    printf("%s: %s\n", ax_task_name(&my->painter.task), ax_strerror(me->rc));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
