/* A bounded queue between one producer and three consumers: asyncio.Queue.

   The producer waits when the queue is full, the consumers when it is empty. Closing it is the end of the stream: each
   consumer's AX_WHILE ends once the queue is drained, so there are no sentinels to count and nobody to cancel. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct order { int number; const char *dish; };

struct guest { ax_frame frame; ax_queue *orders; struct order order; };

AX_ASYNC(guest) {
    static const char *const menu[] = {"soup", "salad", "noodles", "pie"};
    AX_BEGIN;
    for (my->order.number = 1; my->order.number <= 9; my->order.number++) {
        my->order.dish = menu[my->order.number % 4];
        AX_AWAIT(ax_queue_put(me, my->orders, &my->order));
        printf("ordered %d, %s\n", my->order.number, my->order.dish);
    }
    AX_FINALLY:
    ax_queue_close(my->orders); /* whatever happened: the cooks can go home */
    AX_END;
}

struct cook { ax_frame frame; const char *name; ax_time pace; ax_queue *orders; struct order order; int cooked; };

AX_ASYNC(cook) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, my->orders, &my->order)) {
        AX_AWAIT(ax_sleep(me, my->pace));
        my->cooked++;
        printf("    %s: %d, %s\n", my->name, my->order.number, my->order.dish);
    }
    printf("    %s cooked %d\n", my->name, my->cooked);
    AX_END;
}

struct app { ax_frame frame; struct order storage[2]; ax_queue orders; ax_group kitchen; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_queue_init(&my->orders, my->storage, 2, sizeof *my->storage);
    ax_group_open(me, &my->kitchen, 0);
    AX_SPAWN(&my->kitchen, guest, .orders = &my->orders);
    AX_SPAWN(&my->kitchen, cook, .name = "Ada", .pace = AX_MS(70), .orders = &my->orders);
    AX_SPAWN(&my->kitchen, cook, .name = "Ben", .pace = AX_MS(110), .orders = &my->orders);
    AX_SPAWN(&my->kitchen, cook, .name = "Cleo", .pace = AX_MS(160), .orders = &my->orders);
    AX_AWAIT(ax_group_join(me, &my->kitchen));
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
