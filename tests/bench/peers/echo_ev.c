/* An echo server with libev: an ev_io for each connection, which reads and writes itself. */
#include "conn.h"
#include <ev.h>

struct client { ev_io io; struct conn conn; };

static void client_ready(struct ev_loop *loop, ev_io *w, int revents) {
    struct client *c = (struct client *)(void *)w;
    enum after waits = conn_ready(&c->conn, w->fd);
    int events = waits == WRITES ? EV_WRITE : EV_READ;
    (void)revents;
    if (waits == ENDS) {
        ev_io_stop(loop, w);
        close(w->fd);
        free(c);
    } else if (events != (w->events & (EV_READ | EV_WRITE))) {
        ev_io_stop(loop, w);
        ev_io_set(w, w->fd, events);
        ev_io_start(loop, w);
    }
}

static void accepts(struct ev_loop *loop, ev_io *w, int revents) {
    int fd;
    (void)revents;
    while ((fd = accept_on(w->fd)) >= 0) {
        struct client *c = (struct client *)must(calloc(1, sizeof *c));
        ev_io_init(&c->io, client_ready, fd, EV_READ);
        ev_io_start(loop, &c->io);
    }
}

int main(int argc, char **argv) {
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO); /* epoll on Linux */
    ev_io listener;
    ev_io_init(&listener, accepts, listen_on(argv[argc - 1]), EV_READ);
    ev_io_start(loop, &listener);
    return !ev_run(loop, 0);
}
