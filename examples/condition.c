/* Wait until something is so: `async with cond: await cond.wait_for(...)`. Cars of several sizes share a car park of six places.

   The wait lets go of the mutex and has it again when it ends. What is waited for is tested in a loop: the woken look again. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct park { ax_mutex mutex; ax_cond changed; int free; };

struct car { ax_frame frame; struct park *park; const char *name; int size; };

AX_ASYNC(car) {
    struct park *park = my->park;
    AX_BEGIN;
    AX_AWAIT(ax_mutex_lock(me, &park->mutex));
    while (park->free < my->size) AX_AWAIT(ax_cond_wait(me, &park->changed));
    park->free -= my->size;
    printf("%s comes in, %d free\n", my->name, park->free);
    ax_mutex_unlock(me, &park->mutex);
    AX_AWAIT(ax_sleep(me, AX_MS(100 * my->size)));
    AX_AWAIT(ax_mutex_lock(me, &park->mutex));
    park->free += my->size;
    printf("%s goes, %d free\n", my->name, park->free);
    ax_cond_notify(me, &park->changed, AX_COND_ALL);    /* all: the first in line may be too long for the gap */
    AX_END;                                             /* and the frame lets go of the mutex */
}

struct app { ax_frame frame; struct park park; ax_group cars; int i; };

AX_ASYNC(app) {
    static const struct { const char *name; int size; } cars[] = {{"mini", 1}, {"bus", 4}, {"lorry", 3}, {"van", 2}, {"taxi", 1}};
    AX_BEGIN;
    my->park.free = 6;
    ax_cond_init(&my->park.changed, &my->park.mutex);
    ax_group_open(me, &my->cars, 0);
    for (; my->i < 5; my->i++) AX_SPAWN(&my->cars, car, .park = &my->park, .name = cars[my->i].name, .size = cars[my->i].size);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
