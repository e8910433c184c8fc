/* A stand-in for kqueue on Linux, so that ASYNCX_KQUEUE is compiled and run where there is none: the calls and the meanings that the
   header relies on, over poll(). Each direction of a descriptor is an event of its own, and a closed descriptor's are gone, also when
   its number is another's by then. */
#ifndef KQUEUE_STAND_IN_H
#define KQUEUE_STAND_IN_H
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
enum { EV_ADD = 1, EV_DELETE = 2, EV_ERROR = 0x4000, EV_EOF = 0x8000 };
struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned fflags;
    intptr_t data;
    void *udata;
};
#define EV_SET(k, i, f, fl, ff, d, u) \
    (*(k) = (struct kevent){(i), (short)(f), (unsigned short)(fl), (unsigned)(ff), (intptr_t)(d), (u)})

enum { STAND_IN_FDS = 8192 };
static struct stand_in {
    short wanted[STAND_IN_FDS]; /* as poll() has them */
    struct { dev_t dev; ino_t ino; } file[STAND_IN_FDS];
} *stand_ins[STAND_IN_FDS]; /* by the queue's descriptor */

static int stand_in_gone(struct stand_in *s, int fd) { /* closed, and perhaps another by now */
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_ino == s->file[fd].ino && st.st_dev == s->file[fd].dev) return 0;
    s->wanted[fd] = 0;
    return 1;
}

static int kqueue(void) {
    int fd = epoll_create1(0); /* any descriptor will do */
    if (fd < 0) return fd;
    if (!stand_ins[fd] && !(stand_ins[fd] = (struct stand_in *)malloc(sizeof **stand_ins))) return close(fd), errno = ENOMEM, -1;
    memset(stand_ins[fd], 0, sizeof **stand_ins);
    return fd;
}

static int kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents, const struct timespec *timeout) {
    struct stand_in *s;
    struct pollfd *p;
    int i, n = 0, came;
    if (kq < 0 || kq >= STAND_IN_FDS || !(s = stand_ins[kq])) return errno = EBADF, -1;
    for (i = 0; i < nchanges; i++) {
        int fd = (int)changes[i].ident;
        short way = changes[i].filter == EVFILT_READ ? POLLIN : POLLOUT;
        struct stat st;
        if (fd < 0 || fd >= STAND_IN_FDS || fstat(fd, &st) < 0) return errno = EBADF, -1;
        if (s->wanted[fd]) stand_in_gone(s, fd);
        if (changes[i].flags & EV_DELETE) {
            if (!(s->wanted[fd] & way)) return errno = ENOENT, -1;
            s->wanted[fd] = (short)(s->wanted[fd] & ~way);
        } else {
            s->wanted[fd] |= way;
            s->file[fd].dev = st.st_dev;
            s->file[fd].ino = st.st_ino;
        }
    }
    if (!nevents) return 0;
    if (!(p = (struct pollfd *)malloc(STAND_IN_FDS * sizeof *p))) return errno = ENOMEM, -1;
    for (i = 0; i < STAND_IN_FDS; i++) {
        if (!s->wanted[i] || stand_in_gone(s, i)) continue;
        p[n].fd = i;
        p[n++].events = s->wanted[i];
    }
    came = ppoll(p, (nfds_t)n, timeout, NULL);
    for (i = 0, nevents = came <= 0 ? came : nevents, came = came < 0 ? came : 0; i < n && came < nevents; i++) {
        static const short ways[2] = {POLLIN, POLLOUT};
        int w;
        for (w = 0; w < 2 && came < nevents; w++) {
            short shown = p[i].revents;
            if (!(p[i].events & ways[w]) || !(shown & (ways[w] | POLLHUP | POLLERR))) continue;
            EV_SET(&events[came], (uintptr_t)p[i].fd, w ? EVFILT_WRITE : EVFILT_READ, 0, 0, 0, NULL);
            if (shown & (POLLHUP | POLLERR)) events[came].flags |= EV_EOF;
            if (shown & POLLERR) events[came].fflags = EPIPE;
            came++;
        }
    }
    free(p);
    return came;
}
#endif
