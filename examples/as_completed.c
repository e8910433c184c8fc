/* Each result as soon as it is there: `for task in asyncio.as_completed(tasks, timeout=1)`.

   A group that keeps hands its children back in the order in which they ended. Who is late is cancelled when `ask` is left. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct quote { ax_frame frame; const char *shop; int price; ax_time takes; };

AX_ASYNC(quote) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, my->takes));
    AX_END;
}

struct ask { ax_frame frame; ax_group shops; ax_task *child; };

AX_ASYNC(ask) {
    AX_BEGIN;
    ax_group_open(me, &my->shops, AX_GROUP_KEEP);
    AX_SPAWN(&my->shops, quote, .shop = "Corner", .price = 12, .takes = AX_MS(700));
    AX_SPAWN(&my->shops, quote, .shop = "Market", .price = 9, .takes = AX_MS(400));
    AX_SPAWN(&my->shops, quote, .shop = "Import", .price = 5, .takes = AX_SEC(60));
    AX_WHILE(ax_group_next(me, &my->shops, &my->child)) {
        struct quote *q = AX_FRAME(quote, my->child); /* good until the next ax_group_next */
        printf("%s: %d\n", q->shop, q->price);
    }
    AX_END;
}

struct app { ax_frame frame; };

AX_ASYNC(app) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(1), AX_CALL(ask)));
    printf("%s\n", ax_expired(me) ? "not everybody has answered within a second" : "that was all");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
