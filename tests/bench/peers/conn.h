/* What the echo servers in plain C share (poll, epoll, libev, libevent): a connection, and what is done when it is ready.
   recv and send, not read and write: the kernel takes less time for them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int at, size;   /* what is left to write: size bytes from at */
    char data[128]; /* more than a message, as in all servers here: a read that does not fill it has taken what there was */
};

static inline void *must(void *p) {
    if (!p) exit(1);
    return p;
}

static inline int listen_on(const char *port) {
    struct sockaddr_in a;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((unsigned short)atoi(port));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}
static inline int accept_on(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

enum after { READS, WRITES, ENDS }; /* what a connection waits for */

/* A read, and a write of what it gave; what the socket does not take waits until it does. */
static inline enum after conn_ready(struct conn *c, int fd) {
    ssize_t n;
    if (!c->size) {
        n = recv(fd, c->data, sizeof c->data, 0);
        if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR) ? READS : ENDS;
        c->at = 0;
        c->size = (int)n;
    }
    n = send(fd, c->data + c->at, (size_t)c->size, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) return ENDS;
        n = 0;
    }
    c->at += (int)n;
    c->size -= (int)n;
    return c->size ? WRITES : READS;
}
