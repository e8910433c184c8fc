/* select() in place of poll(): how a system's own way to wait on descriptors is put under the loop. For one loop:
   AX_RUN_WITH((&(ax_loop_desc){.backend = &select_backend}), main). For all: -DASYNCX_BACKEND='(&select_backend)', and this file
   before the header. The state is three sets and the highest descriptor; select() knows descriptors below FD_SETSIZE only, and
   tells of a hang-up to those who wait to read. */
#ifndef SELECT_BACKEND_H
#define SELECT_BACKEND_H
#include "asyncx.h"
#include <fcntl.h>
#include <sys/select.h>

struct select_state {
    fd_set wanted[3]; /* AX_IN, AX_PRI, AX_OUT */
    int highest;
};

static int select_open(ax_loop *loop, void *self) {
    struct select_state *s = self;
    (void)loop;
    s->highest = -1;
    for (int i = 0; i < 3; i++) FD_ZERO(&s->wanted[i]);
    return 0;
}

static void select_close(ax_loop *loop, void *self) { (void)loop, (void)self; }

static int select_reserve(ax_loop *loop, void *self, unsigned fds) {
    (void)loop, (void)self;
    return fds <= FD_SETSIZE ? 0 : AX_EOVERFLOW;
}

static int select_set(ax_loop *loop, void *self, int fd, unsigned before, unsigned events) {
    struct select_state *s = self;
    (void)loop, (void)before;
    for (int i = 0; i < 3; i++) {
        if (events & 1u << i) FD_SET(fd, &s->wanted[i]);
        else FD_CLR(fd, &s->wanted[i]);
    }
    if (events && fd > s->highest) s->highest = fd;
    return 0;
}

static int select_wait(ax_loop *loop, void *self, ax_time timeout) {
    struct select_state *s = self;
    fd_set ready[3] = {s->wanted[0], s->wanted[1], s->wanted[2]};
    ax_time us = timeout / 1000 + (timeout % 1000 != 0); /* rounded up: never early */
    struct timeval tv = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
    int n = select(s->highest + 1, &ready[0], &ready[2], &ready[1], timeout == AX_FOREVER ? NULL : &tv);
    if (n < 0 && errno == EBADF) { /* one was closed while it is waited for: which? */
        for (int fd = 0; fd <= s->highest; fd++) {
            int wanted = FD_ISSET(fd, &s->wanted[0]) || FD_ISSET(fd, &s->wanted[1]) || FD_ISSET(fd, &s->wanted[2]);
            if (!wanted || fcntl(fd, F_GETFD) >= 0) continue;
            select_set(loop, self, fd, 0, 0); /* told once, else nothing else would be */
            ax_fd_ready(loop, fd, AX_NVAL);
        }
        return 0;
    }
    if (n < 0) return errno == EINTR ? 0 : -errno;
    for (int fd = 0; n > 0 && fd <= s->highest; fd++) {
        unsigned events = 0;
        for (int i = 0; i < 3; i++) events |= FD_ISSET(fd, &ready[i]) ? 1u << i : 0;
        if (events) n--, ax_fd_ready(loop, fd, events);
    }
    return 0;
}

static const ax_backend select_backend = {.size = sizeof(struct select_state), .open = select_open, .close = select_close,
                                          .reserve = select_reserve, .set = select_set, .wait = select_wait};
#endif
