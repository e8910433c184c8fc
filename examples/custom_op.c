/* Something of your own to wait for: what asyncio does with a Future and call_soon.

   An op is a plain function that returns ax_op. It is done at once (ax_done), or remembers the task and parks it
   (ax_park); whoever sees the event lets go of the task and wakes it. The forget function undoes the remembering when
   the wait is cancelled, here by a time limit. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct button { ax_task *waiter; int presses; };

static int button_forget(ax_task *task, void *button) {
    (void)task;
    ((struct button *)button)->waiter = NULL;
    return 0;
}

/* Waits for the next press and gives how many there were. One waiter at a time. */
AX_MUST_USE static ax_op button_pressed(ax_task *me, struct button *b) {
    if (b->waiter) return ax_done(AX_EBUSY);
    b->waiter = me;
    return ax_park(me, button_forget, b);
}

/* From any callback on the loop's thread: a driver, a library, here a timer. */
static void button_event(ax_loop *loop, void *arg) {
    struct button *b = arg;
    ax_task *waiter = b->waiter;
    (void)loop;
    b->presses++;
    b->waiter = NULL;
    if (waiter) ax_wake(waiter, b->presses);
}

struct app { ax_frame frame; struct button button; ax_timer first, second; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_timer_start(me->loop, &my->first, ax_now(me->loop) + AX_MS(100), button_event, &my->button);
    ax_timer_start(me->loop, &my->second, ax_now(me->loop) + AX_MS(600), button_event, &my->button);
    AX_AWAIT(button_pressed(me, &my->button));
    printf("press %d\n", me->rc);
    AX_TRY(AX_WITHIN(AX_MS(200), button_pressed(me, &my->button)));
    printf("%s, forgotten: %s\n", ax_strerror(me->rc), my->button.waiter ? "no" : "yes");
    AX_AWAIT(button_pressed(me, &my->button));
    printf("press %d\n", me->rc);
    AX_FINALLY:
    ax_timer_stop(&my->first); /* they lie in this frame: must not outlive it */
    ax_timer_stop(&my->second);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
