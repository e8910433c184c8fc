/* An echo server over epoll, level-triggered, written by hand: the least that such a loop can do. */
#include "conn.h"
#include <sys/epoll.h>

struct client { struct conn conn; int fd; enum after waits; };

static void watch(int poller, int how, struct client *c) {
    struct epoll_event e;
    e.events = c->waits == WRITES ? EPOLLOUT : EPOLLIN;
    e.data.ptr = c;
    epoll_ctl(poller, how, c->fd, &e);
}

int main(int argc, char **argv) {
    static struct epoll_event events[256];
    static struct client listener;
    int poller = epoll_create1(EPOLL_CLOEXEC), i, n, fd;
    listener.fd = listen_on(argv[argc - 1]);
    watch(poller, EPOLL_CTL_ADD, &listener);
    for (;;) {
        n = epoll_wait(poller, events, 256, -1);
        for (i = 0; i < n; i++) {
            struct client *c = (struct client *)events[i].data.ptr;
            enum after waits;
            if (c == &listener) {
                while ((fd = accept_on(listener.fd)) >= 0) {
                    c = (struct client *)must(calloc(1, sizeof *c));
                    c->fd = fd;
                    watch(poller, EPOLL_CTL_ADD, c);
                }
                continue;
            }
            waits = conn_ready(&c->conn, c->fd);
            if (waits == ENDS) {
                close(c->fd);
                free(c);
            } else if (waits != c->waits) {
                c->waits = waits;
                watch(poller, EPOLL_CTL_MOD, c);
            }
        }
    }
}
