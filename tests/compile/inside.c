/* An await inside a switch of the user's own. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

static char reported[100] = "none";
static void report(void *ctx, const char *text) {
    const char *place = strstr(text, " (in inside, ");
    (void)ctx;
    snprintf(reported, sizeof reported, "%.*s", place ? (int)(place - text) : 99, text);
}

static int count;
struct inside { ax_frame frame; int n; };
AX_ASYNC(inside) {
    AX_BEGIN;
    switch (my->n) {
    case 300:
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
        count++;
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
        count++;
        break;
    default:
        count = 100;
    }
    AX_END;
}

int main(void) {
    ax_loop_desc desc = {0};
    int status;
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.report = report;
    status = AX_RUN_WITH(&desc, inside, .n = 300);
    printf("status %d, count %d, report: %s\n", status, count, reported);
    return 0;
}
