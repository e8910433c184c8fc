/* asyncx: one task; with PART, also what that is about, used once. */
#define ASYNCX_IMPLEMENTATION
#define ASYNCX_STATIC
#include "blink.h"

#define SEMAPHORE 1
#define QUEUE 2
#define LIMIT 4 /* of an await */
#define BODY_LIMIT 8
#define ALL 15
#ifndef PART
#define PART 0
#endif

#if PART & SEMAPHORE
static ax_sem sem = AX_SEM_INIT(1);
#endif
#if PART & QUEUE
static unsigned char items[4];
static ax_queue queue = AX_QUEUE_INIT(items);
static unsigned char item;
#endif
#if PART & BODY_LIMIT
static ax_timeout limit;
#endif

struct blink {
    ax_frame frame;
    ax_time until;
};

AX_ASYNC(blink) {
    AX_BEGIN;
    my->until = ax_now(me->loop);
#if PART & SEMAPHORE
    AX_AWAIT(ax_sem_acquire(me, &sem));
    ax_sem_release(&sem);
#endif
#if PART & QUEUE
    AX_AWAIT(ax_queue_put(me, &queue, &item));
    AX_AWAIT(ax_queue_get(me, &queue, &item));
#endif
#if PART & BODY_LIMIT
    ax_timeout_open(me, &limit, AX_SEC(1));
    ax_timeout_close(&limit);
#endif
    for (;;) {
        board_led(1);
        my->until = later(my->until, 100);
        AX_AWAIT(ax_sleep_until(me, my->until));
        board_led(0);
        my->until = later(my->until, 900);
#if PART & LIMIT
        AX_AWAIT(AX_WITHIN(AX_SEC(2), ax_sleep_until(me, my->until)));
#else
        AX_AWAIT(ax_sleep_until(me, my->until));
#endif
    }
    AX_END;
}

#ifdef IN_GROUP
static AX_TASK(blink) child;
struct app {
    ax_frame frame;
    ax_group group;
};

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->group, 0);
    AX_SPAWN_IN(&my->group, &child, blink);
    AX_AWAIT(ax_group_join(me, &my->group)); /* never: a cancel of this task would end the child, then it */
    AX_END;
}
#else
#define app blink
#endif

static ax_loop loop;
static AX_TASK(app) one;

int main(void) {
    board_init();
    ax_loop_open(&loop, NULL);
    AX_SPAWN_IN(&loop.root, &one, app);
#ifdef IN_GROUP
    if (ax_task_status(&one.task) != AX_EINPROGRESS) ax_cancel(&one.task); /* linked, not called */
#endif
    return ax_loop_run(&loop);
}
