/* A thread of your own that starts tasks on the loop: asyncio.run_coroutine_threadsafe, loop.call_soon_threadsafe.

   ax_post is the one call for other threads; what it posts runs on the loop's thread. A loop that is held waits for more. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <pthread.h>
#include <stdio.h>

struct store { ax_frame frame; int value; };

AX_ASYNC(store) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(1))); /* into a slow database, say */
    printf("stored %d\n", my->value);
    AX_END;
}

struct reading { ax_callback callback; int value; } readings[4];

static void arrived(ax_loop *loop, void *arg) { /* on the loop's thread */
    struct reading *r = arg;
    if (r->value) AX_SPAWN(&loop->root, store, .value = r->value);
    else ax_loop_release(loop);
}
static void *measure(void *loop) { /* on a thread of its own: it may block, and touches nothing of the loop */
    for (int i = 0; i < 4; i++) {
        readings[i].value = i < 3 ? 20 + i : 0;
        ax_post(loop, &readings[i].callback, arrived, &readings[i]);
    }
    return NULL;
}

int main(void) {
    ax_loop loop;
    pthread_t thread;
    if (ax_loop_open(&loop, NULL) < 0) return 1;
    ax_loop_hold(&loop);
    if (!pthread_create(&thread, NULL, measure, &loop)) ax_loop_run(&loop), pthread_join(thread, NULL);
    return ax_exit(ax_loop_close(&loop));
}
