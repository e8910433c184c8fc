/* A permit given back twice is told: asyncio.BoundedSemaphore.

   With a maximum, the release that would exceed it is refused with AX_EOVERFLOW; without one it would let in more than there
   is room for. Where one frame takes and gives back, an ax_permit does it once by itself (semaphore.c). */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdio.h>

struct query { ax_frame frame; ax_sem *connections; const char *sql; int careless; };

AX_ASYNC(query) {
    AX_BEGIN;
    if (ax_sem_try_acquire(my->connections) == AX_EAGAIN) { /* takes it, or says that none is free */
        printf("%s: waits for a connection\n", my->sql);
        AX_AWAIT(ax_sem_acquire(me, my->connections));
    }
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    printf("%s: done, gives it back: %s\n", my->sql, ax_strerror(ax_sem_release(my->connections)));
    if (my->careless) printf("%s: and again: %s\n", my->sql, ax_strerror(ax_sem_release(my->connections)));
    AX_END;
}

struct app { ax_frame frame; ax_sem connections; ax_group queries; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_sem_init(&my->connections, 2, 2); /* two are free, and there are no more */
    ax_group_open(me, &my->queries, 0);
    AX_SPAWN(&my->queries, query, .connections = &my->connections, .sql = "select");
    AX_SPAWN(&my->queries, query, .connections = &my->connections, .sql = "insert");
    AX_SPAWN(&my->queries, query, .connections = &my->connections, .sql = "delete", .careless = 1);
    AX_AWAIT(ax_group_join(me, &my->queries));
    printf("%d connections free\n", my->connections.permits);
    AX_END;
}

int main(void) { return ax_exit(AX_RUN(app)); }
