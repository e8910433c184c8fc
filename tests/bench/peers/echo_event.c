/* An echo server with libevent: a persistent event for each connection, which reads and writes itself. Its bufferevents are not
   used: they copy through evbuffers, and their users take them for comfort, not for speed. */
#include "conn.h"
#include <event2/event.h>
#include <event2/event_struct.h>

struct client { struct event event; struct conn conn; };

static void client_ready(int fd, short what, void *arg) {
    struct client *c = (struct client *)arg;
    enum after waits = conn_ready(&c->conn, fd);
    short events = (short)((waits == WRITES ? EV_WRITE : EV_READ) | EV_PERSIST);
    (void)what;
    if (waits == ENDS) {
        event_del(&c->event);
        close(fd);
        free(c);
    } else if (events != event_get_events(&c->event)) {
        struct event_base *base = event_get_base(&c->event);
        event_del(&c->event);
        event_assign(&c->event, base, fd, events, client_ready, c);
        event_add(&c->event, NULL);
    }
}

static void accepts(int listener, short what, void *base) {
    int fd;
    (void)what;
    while ((fd = accept_on(listener)) >= 0) {
        struct client *c = (struct client *)must(calloc(1, sizeof *c));
        event_assign(&c->event, (struct event_base *)base, fd, EV_READ | EV_PERSIST, client_ready, c);
        event_add(&c->event, NULL);
    }
}

int main(int argc, char **argv) {
    struct event_base *base = event_base_new(); /* epoll on Linux */
    event_add(event_new(base, listen_on(argv[argc - 1]), EV_READ | EV_PERSIST, accepts, base), NULL);
    return event_base_dispatch(base);
}
