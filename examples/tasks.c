/* Who is there, and where does each wait? asyncio.all_tasks(), task.get_name(), task.print_stack().

   ax_tasks goes through all tasks of a loop, parents before their children. ax_task_name is the function's name; what else names
   a task is an argument of yours. ax_task_where knows the line of a wait in debug builds. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>
#include <string.h>

struct worker { ax_frame frame; const char *name; ax_queue *jobs; int job; };

AX_ASYNC(worker) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, my->jobs, &my->job)) AX_AWAIT(ax_sleep(me, AX_MS(my->job)));
    AX_END;
}

static void show(ax_task *task, int depth, void *current) {
    int is_worker = !strcmp(ax_task_name(task), "worker");
    printf("%*s%s %s", 2 * depth, "", ax_task_name(task), is_worker ? AX_FRAME(worker, task)->name : "");
    printf("%s, line %d\n", task == current ? "(is running)" : "", ax_task_where(task).line);
}

struct app { ax_frame frame; int storage[2], i; ax_queue jobs; ax_group workers; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_queue_init(&my->jobs, my->storage, 2, sizeof *my->storage);
    ax_queue_try_put(&my->jobs, &(int){500});
    ax_group_open(me, &my->workers, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->workers, worker, .name = "Ada", .jobs = &my->jobs);
    AX_SPAWN(&my->workers, worker, .name = "Ben", .jobs = &my->jobs);
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    ax_tasks(me->loop, show, me); /* me is the current task */
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
