/* An echo server with asyncx: a task for each connection. Built twice, over poll() and with -DASYNCX_EPOLL. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "conn.h"

struct serve { ax_frame frame; int fd; char buffer[128]; };

AX_ASYNC(serve) {
    AX_BEGIN;
    AX_WHILE(ax_read(me, my->fd, my->buffer, sizeof my->buffer))
        AX_AWAIT(ax_write_all(me, my->fd, my->buffer, (size_t)me->rc));
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

struct app { ax_frame frame; int fd; ax_group clients; };

AX_ASYNC(app) {
    AX_BEGIN;
    ax_group_open(me, &my->clients, AX_GROUP_COLLECT);
    AX_WHILE(ax_accept(me, my->fd, NULL)) AX_SPAWN(&my->clients, serve, .fd = me->rc);
    AX_END;
}

int main(int argc, char **argv) { return ax_exit(AX_RUN(app, .fd = listen_on(argv[argc - 1]))); }
