/* An echo server over poll(), written by hand: the least that such a loop can do. */
#include "conn.h"
#include <poll.h>

int main(int argc, char **argv) {
    struct pollfd *polled = NULL; /* kept between calls; the first is the listening socket */
    struct conn **conns = NULL;   /* beside it */
    int count = 1, capacity = 0, i, n, listener = listen_on(argv[argc - 1]);
    for (;;) {
        if (count + 1 >= capacity) {
            capacity = capacity * 2 + 64;
            polled = (struct pollfd *)must(realloc(polled, (size_t)capacity * sizeof *polled));
            conns = (struct conn **)must(realloc(conns, (size_t)capacity * sizeof *conns));
            polled[0].fd = listener;
            polled[0].events = POLLIN;
        }
        n = poll(polled, (nfds_t)count, -1);
        for (i = count - 1; i > 0 && n > 0; i--) { /* downwards: the last takes the place of one that ends */
            if (!polled[i].revents) continue;
            n--;
            switch (conn_ready(conns[i], polled[i].fd)) {
            case READS: polled[i].events = POLLIN; break;
            case WRITES: polled[i].events = POLLOUT; break;
            case ENDS:
                close(polled[i].fd);
                free(conns[i]);
                polled[i] = polled[--count];
                conns[i] = conns[count];
            }
        }
        if (n <= 0) continue; /* all that was ready has been seen, and it was not the listening socket */
        while (count < capacity && (polled[count].fd = accept_on(listener)) >= 0) {
            polled[count].events = POLLIN;
            conns[count++] = (struct conn *)must(calloc(1, sizeof **conns));
        }
    }
}
