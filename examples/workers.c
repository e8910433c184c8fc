/* Workers that find more work: Queue.join and Queue.task_done, in a small crawler.

   No worker can tell that the work is over: another may just be finding more. The queue counts what is not yet marked done. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

enum { FRONT, NEWS, ABOUT, STORY, COMMENTS, PAGES };
static const struct { const char *name; int links[3]; } site[PAGES] = { /* links: FRONT ends the list */
    {"front", {NEWS, ABOUT}}, {"news", {STORY, COMMENTS}}, {"about", {FRONT}}, {"story", {COMMENTS}}, {"comments", {FRONT}}};

struct worker { ax_frame frame; ax_queue *pages; int *seen, number, page; };

AX_ASYNC(worker) {
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, my->pages, &my->page)) {
        AX_AWAIT(ax_sleep(me, AX_MS(90 + 10 * my->number)));
        printf("worker %d has fetched %s\n", my->number, site[my->page].name);
        for (const int *link = site[my->page].links; *link; link++) if (!my->seen[*link]++) ax_queue_try_put(my->pages, link);
        ax_queue_task_done(my->pages); /* only now: what it found counts already */
    }
    AX_END;
}

struct app { ax_frame frame; int seen[PAGES], i; ax_queue pages; ax_group workers; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_queue_init_growing(&my->pages, me->loop, 0, sizeof(int)); /* who could say how many there will be? */
    ax_group_open(me, &my->workers, AX_GROUP_BACKGROUND);
    for (; my->i < 3; my->i++) AX_SPAWN(&my->workers, worker, .pages = &my->pages, .seen = my->seen, .number = my->i);
    ax_queue_try_put(&my->pages, &(int){FRONT});
    AX_AWAIT(ax_queue_join(me, &my->pages));
    printf("nothing left to fetch\n");
    AX_FINALLY:
    ax_queue_free(&my->pages);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
