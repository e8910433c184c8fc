/* A paged API, read item by item: an async generator with `yield`, and `async for`.

   AX_EMIT gives an item, the fields of the frame, and pauses. The consumer asks for the next with ax_next; when its frame is
   left the generator is closed, and its AX_FINALLY may wait. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct stories { ax_frame frame; int pages, page, story; };

AX_ASYNC(stories) {
    AX_BEGIN;
    for (my->page = 1; my->page <= my->pages; my->page++) {
        AX_AWAIT(ax_sleep(me, AX_MS(100)));         /* fetch a page */
        printf("  page %d is here\n", my->page);
        for (my->story = my->page * 10 + 1; my->story <= my->page * 10 + 3; my->story++) AX_EMIT();
    }
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(50)));
    printf("  logged out\n");
    AX_END;
}

struct app { ax_frame frame; AX_GENERATOR(stories) all; };

AX_ASYNC(app) {
    AX_BEGIN;
    AX_GENERATE(&my->all, stories, .pages = 100);
    AX_WHILE(ax_next(me, &my->all.generator)) {
        printf("story %d\n", my->all.frame.story);
        if (my->all.frame.story == 22) break;       /* the other pages are never fetched */
    }
    AX_AWAIT(ax_generator_close(me, &my->all.generator));
    printf("done\n");
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
