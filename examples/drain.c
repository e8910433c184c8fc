/* What was accepted is finished, though the program is to stop: a limit here, Ctrl-C just as well.

   A group cancels its tasks when its frame is left by a cancel. So the writer lives in the frame around the one that is cut short, whose
   AX_FINALLY closes the queue and waits until the writer has taken what is in it. A second cancel ends one wait; the loop waits on. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

static ax_time start;
static int ms(ax_task *me) { return (int)(ax_since(me->loop, start) / AX_MS(1)); }

struct writer { ax_frame frame; ax_queue *records; int record; };

AX_ASYNC(writer) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, my->records, &my->record)) {
        AX_AWAIT(ax_sleep(me, AX_MS(30))); /* a slow disk */
        printf("%3d ms: record %d is written\n", ms(me), my->record);
    }
    AX_END;
}

struct intake { ax_frame frame; ax_queue *records; ax_task *writer; int record; };

AX_ASYNC(intake) {
    AX_BEGIN;
    for (my->record = 1;; my->record++) {
        AX_AWAIT(ax_queue_put(me, my->records, &my->record));
        printf("%3d ms: record %d is accepted\n", ms(me), my->record);
        AX_AWAIT(ax_sleep(me, AX_MS(20)));
    }
    AX_FINALLY:
    printf("%3d ms: no more records\n", ms(me));
    ax_queue_close(my->records);
    do AX_AWAIT(ax_join(me, my->writer));
    while (ax_task_status(my->writer) == AX_EINPROGRESS);
    AX_END;
}

struct app { ax_frame frame; int storage[3]; ax_queue records; ax_group group; AX_TASK(writer) writer; };

AX_ASYNC(app) {
    AX_BEGIN;
    start = ax_now(me->loop);
    ax_queue_init(&my->records, my->storage, 3, sizeof *my->storage);
    ax_group_open(me, &my->group, 0);
    AX_SPAWN_IN(&my->group, &my->writer, writer, .records = &my->records);
    AX_TRY(AX_WITHIN(AX_MS(70), AX_CALL(intake, .records = &my->records, .writer = &my->writer.task)));
    printf("%3d ms: all are written\n", ms(me));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
