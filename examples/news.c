/* Many sources at once, each under a limit of its own; errors are collected, and the page keeps the order of the list.

   AX_GROUP_COLLECT lets the others go on when one fails. Tasks in storage of ours (AX_TASK) keep their results in place,
   whoever comes first. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct source { const char *name, *headline; ax_time takes; };
static const struct source sources[] = {{"Gazette", "Rain expected", AX_MS(300)}, {"Herald", NULL, AX_MS(100)},
    {"Courier", "Bridge open again", AX_MS(200)}, {"Tribune", "Too late for this page", AX_SEC(60)}};
enum { SOURCES = sizeof sources / sizeof *sources };

struct fetch { ax_frame frame; const struct source *source; const char *headline; };

AX_ASYNC(fetch) {
    AX_BEGIN;
    AX_AWAIT(AX_WITHIN(AX_SEC(1), ax_sleep(me, my->source->takes))); /* stands for a request */
    if (!my->source->headline) AX_RETURN(AX_ECONNABORTED);
    my->headline = my->source->headline;
    printf("%s is here\n", my->source->name);
    AX_END;
}

struct app { ax_frame frame; ax_group all; AX_TASK(fetch) jobs[SOURCES]; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->all, AX_GROUP_COLLECT);
    for (int i = 0; i < SOURCES; i++) AX_SPAWN_IN(&my->all, &my->jobs[i], fetch, .source = &sources[i]);
    AX_AWAIT(ax_group_join(me, &my->all));
    printf("%d of %d failed\n", me->rc, SOURCES);
    for (int i = 0; i < SOURCES; i++) {
        int status = ax_task_status(&my->jobs[i].task);
        printf("  %s: %s\n", sources[i].name, status < 0 ? ax_strerror(status) : my->jobs[i].frame.headline);
    }
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
