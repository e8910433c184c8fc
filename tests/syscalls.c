/* Every system call that the header makes fails in turn, in every way that fits it: once, many times in a row, from then on.
   Each time the scenario ends, without turning in vain, with the very error at the task whose call it was, or with the right data
   where the fault can be got over; memory and descriptors are back. An argument names the scenarios to play. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#ifdef ASYNCX_EPOLL
#include <sys/epoll.h>
#include <sys/syscall.h>
#endif

/* ---- the calls ---- */

#define CALLS(X)                                                                                                        \
    X(read) X(recv) X(write) X(writev) X(send) X(sendmsg) X(recvmsg) X(sendto) X(accept) X(connect) X(socket) X(bind) X(listen)  \
    X(getsockopt) X(setsockopt) X(getsockname) X(getpeername) X(fcntl) X(poll) X(ppoll) X(epoll_create1) X(epoll_ctl)    \
    X(epoll_wait) X(epoll_pwait2) X(close) X(pipe) X(getaddrinfo) X(pthread_create) X(sigaction) X(lstat) X(unlink)      \
    X(backend_wait) X(backend_set)
#define X(name) CALL_##name,
enum { CALLS(X) CALL_COUNT };
#undef X
#define X(name) #name,
static const char *const call_name[] = {CALLS(X)};
#undef X

/* Tasks by what they do, to tell whose call it was. */
enum { NOBODY, SERVER, CLIENT, READER, RUN, ROLES };
enum { FDS = 256, FOR_EVER = 1 << 30 };
static const char *const role_name[] = {"nobody", "server", "client", "reader", "run"};
static int owner[FDS][2]; /* by descriptor and direction */
static int acting;        /* whose other calls are, from other threads too */
static void acts(int role) { __atomic_store_n(&acting, role, __ATOMIC_RELAXED); }

/* What fails now. */
enum { MUST = 1, ALWAYS = 2, BURST = 4, SHORT = 8, DONE = 16, SPURIOUS = 32, NO_ERRNO = 64 };
static struct {
    int call, nth, times, error, flags;
} inject;
static int made[CALL_COUNT], struck, culprits;

/* 0, or the error to fail with; negative: something else is to be done. */
static int strike(int call, int fd, int way) {
    int n = __atomic_add_fetch(&made[call], 1, __ATOMIC_RELAXED), who = 0;
    if (call != inject.call || n < inject.nth || n - inject.nth >= inject.times) return 0;
    if (fd >= 0 && fd < FDS) {
        if (way != 1) who |= 1 << owner[fd][0];
        if (way != 0) who |= 1 << owner[fd][1];
    }
    if (!(who & ~1)) who = 1 << __atomic_load_n(&acting, __ATOMIC_RELAXED);
    __atomic_or_fetch(&culprits, who, __ATOMIC_RELAXED);
    __atomic_store_n(&struck, 1, __ATOMIC_RELAXED);
    errno = inject.error;
    return inject.flags & (SHORT | SPURIOUS | DONE) ? -inject.flags : inject.error;
}
static size_t less(size_t n) { return n <= 600 ? n != 0 : n / 3 + 1; }

#define FAIL_OR(call, fd, way, real) (strike(CALL_##call, fd, way) ? -1 : (real))

static ssize_t shim_read(int fd, void *p, size_t n) {
    int f = strike(CALL_read, fd, 0);
    return f > 0 ? -1 : read(fd, p, f ? less(n) : n);
}
static ssize_t shim_recv(int fd, void *p, size_t n, int flags) {
    int f = strike(CALL_recv, fd, 0);
    return f > 0 ? -1 : recv(fd, p, f ? less(n) : n, flags);
}
static ssize_t shim_write(int fd, const void *p, size_t n) { return FAIL_OR(write, fd, 1, write(fd, p, n)); }
static ssize_t shim_writev(int fd, const struct iovec *v, int n) {
    int f = strike(CALL_writev, fd, 1);
    return f > 0 ? -1 : f ? write(fd, v->iov_base, less(v->iov_len)) : writev(fd, v, n);
}
static ssize_t shim_send(int fd, const void *p, size_t n, int flags) {
    int f = strike(CALL_send, fd, 1);
    return f > 0 ? -1 : send(fd, p, f ? less(n) : n, flags);
}
static ssize_t shim_sendmsg(int fd, const struct msghdr *m, int flags) {
    int f = strike(CALL_sendmsg, fd, 1);
    return f > 0 ? -1 : f ? send(fd, m->msg_iov->iov_base, less(m->msg_iov->iov_len), flags) : sendmsg(fd, m, flags);
}
static ssize_t shim_recvmsg(int fd, struct msghdr *m, int flags) { return FAIL_OR(recvmsg, fd, 0, recvmsg(fd, m, flags)); }
static ssize_t shim_sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t size) {
    return FAIL_OR(sendto, fd, 1, sendto(fd, p, n, flags, to, size));
}
static int shim_accept4(int fd, struct sockaddr *a, socklen_t *n, int flags) {
    return FAIL_OR(accept, fd, 0, accept4(fd, a, n, flags));
}
static int shim_connect(int fd, const struct sockaddr *a, socklen_t n) {
    int f = strike(CALL_connect, fd, 1);
    if (f > 0) return -1;
    if (!f) return connect(fd, a, n);
    if (connect(fd, a, n) < 0 && errno != EINPROGRESS) return -1; /* it goes on, though it was interrupted */
    errno = inject.error;
    return -1;
}
static int shim_socket(int family, int type, int protocol) { return FAIL_OR(socket, -1, 0, socket(family, type, protocol)); }
static int shim_bind(int fd, const struct sockaddr *a, socklen_t n) { return FAIL_OR(bind, fd, 0, bind(fd, a, n)); }
static int shim_listen(int fd, int n) { return FAIL_OR(listen, fd, 0, listen(fd, n)); }
static int shim_getsockopt(int fd, int level, int option, void *p, socklen_t *n) {
    return FAIL_OR(getsockopt, fd, 1, getsockopt(fd, level, option, p, n));
}
static int shim_setsockopt(int fd, int level, int option, const void *p, socklen_t n) {
    return FAIL_OR(setsockopt, fd, 1, setsockopt(fd, level, option, p, n));
}
static int shim_getsockname(int fd, struct sockaddr *a, socklen_t *n) { return FAIL_OR(getsockname, fd, 1, getsockname(fd, a, n)); }
static int asks_peer; /* a task; else it is to see whether a connection is there */
static int shim_getpeername(int fd, struct sockaddr *a, socklen_t *n) {
    if (asks_peer && inject.error == ENOTCONN) return getpeername(fd, a, n);
    return FAIL_OR(getpeername, fd, 1, getpeername(fd, a, n));
}
static int shim_fcntl(int fd, int what, int arg) { return FAIL_OR(fcntl, fd, 2, fcntl(fd, what, arg)); }
static int shim_close(int fd) {
    int f = strike(CALL_close, fd, 2), rc = close(fd); /* it is gone, whatever close() says */
    if (fd >= 0 && fd < FDS) owner[fd][0] = owner[fd][1] = NOBODY;
    if (f) errno = inject.error;
    return f ? -1 : rc;
}
static int shim_pipe(int *fds) { return FAIL_OR(pipe, -1, 0, pipe(fds)); }

/* A name stands for an address that refuses, and then for the right one. */
static int shim_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list) {
    struct addrinfo number = *hints, *a;
    int rc;
    if (strike(CALL_getaddrinfo, -1, 0)) {
        errno = inject.flags & NO_ERRNO ? 0 : EMFILE;
        return inject.error;
    }
    if (!host || strcmp(host, "test") != 0 || hints->ai_flags & AI_NUMERICHOST) return getaddrinfo(host, port, hints, list);
    number.ai_flags |= AI_NUMERICHOST;
    if ((rc = getaddrinfo("127.0.0.2", port, &number, list)) != 0) return rc;
    for (a = *list; a->ai_next; a = a->ai_next) {}
    return getaddrinfo("127.0.0.1", port, &number, &a->ai_next);
}
static int shim_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg) {
    int f = strike(CALL_pthread_create, -1, 0);
    return f ? f : pthread_create(t, a, fn, arg);
}
static int shim_sigaction(int n, const struct sigaction *to, struct sigaction *old) {
    if (!to || to->sa_handler == SIG_DFL) return sigaction(n, to, old); /* giving back can't fail */
    return FAIL_OR(sigaction, -1, 0, sigaction(n, to, old));
}
static int shim_lstat(const char *path, struct stat *st) { return FAIL_OR(lstat, -1, 0, lstat(path, st)); }
static int shim_unlink(const char *path) { return FAIL_OR(unlink, -1, 0, unlink(path)); }

/* A wait for ever that finds nothing is a hang. */
enum { TOO_LONG = 4000 };
static int hung;
static int waited(int n, int timeout) {
    if (n || timeout >= 0) return n;
    hung = 1;
    errno = ENOTRECOVERABLE;
    return -1;
}
#define WAIT(call, ms, real)                                     \
    int forever = ms;                                            \
    if (strike(CALL_##call, -1, 0)) return -1;                   \
    if (ms < 0) ms = hung ? 0 : TOO_LONG;                        \
    return waited(real, forever)
static int shim_poll(struct pollfd *p, nfds_t n, int ms) { WAIT(poll, ms, poll(p, n, ms)); }
static int shim_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s) {
    return FAIL_OR(ppoll, -1, 0, ppoll(p, n, t, s));
}
#ifdef ASYNCX_EPOLL
static int shim_epoll_create1(int flags) { return FAIL_OR(epoll_create1, -1, 0, epoll_create1(flags)); }
static int shim_epoll_ctl(int ep, int op, int fd, struct epoll_event *e) {
    if (op == EPOLL_CTL_DEL) return epoll_ctl(ep, op, fd, e); /* needs nothing */
    return FAIL_OR(epoll_ctl, fd, 2, epoll_ctl(ep, op, fd, e));
}
static int shim_epoll_wait(int ep, struct epoll_event *e, int n, int ms) { WAIT(epoll_wait, ms, epoll_wait(ep, e, n, ms)); }
static long shim_syscall(long number, int ep, struct epoll_event *e, int n, const struct timespec *t, void *s, size_t size) {
    return FAIL_OR(epoll_pwait2, -1, 0, syscall(number, ep, e, n, t, s, size));
}
#endif

#define PICK(a, b, c, name, ...) name
#define FCNTL(fd, what, arg, ...) fd, what, arg
#define read(a, b, c) shim_read(a, b, c)
#define recv(a, b, c, d) shim_recv(a, b, c, d)
#define write(a, b, c) shim_write(a, b, c)
#define writev(a, b, c) shim_writev(a, b, c)
#define send(a, b, c, d) shim_send(a, b, c, d)
#define sendmsg(a, b, c) shim_sendmsg(a, b, c)
#define recvmsg(a, b, c) shim_recvmsg(a, b, c)
#define sendto(a, b, c, d, e, f) shim_sendto(a, b, c, d, e, f)
#define accept4(a, b, c, d) shim_accept4(a, b, c, d)
#define connect(a, b, c) shim_connect(a, b, c)
#define socket(a, b, c) shim_socket(a, b, c)
#define bind(a, b, c) shim_bind(a, b, c)
#define listen(a, b) shim_listen(a, b)
#define getsockopt(a, b, c, d, e) shim_getsockopt(a, b, c, d, e)
#define setsockopt(a, b, c, d, e) shim_setsockopt(a, b, c, d, e)
#define getsockname(a, b, c) shim_getsockname(a, b, c)
#define getpeername(a, b, c) shim_getpeername(a, b, c)
#define fcntl(...) shim_fcntl(FCNTL(__VA_ARGS__, 0, ~))
#define close(...) PICK(__VA_ARGS__, close, close, shim_close, ~)(__VA_ARGS__) /* members of that name have two or three */
#define pipe(a) shim_pipe(a)
#define getaddrinfo(a, b, c, d) shim_getaddrinfo(a, b, c, d)
#define pthread_create(a, b, c, d) shim_pthread_create(a, b, c, d)
#define sigaction(a, b, c) shim_sigaction(a, b, c)
#define lstat(a, b) shim_lstat(a, b)
#define unlink(a) shim_unlink(a)
#define poll(a, b, c) shim_poll(a, b, c)
#define ppoll(a, b, c, d) shim_ppoll(a, b, c, d)
#ifdef ASYNCX_EPOLL
#define epoll_create1(a) shim_epoll_create1(a)
#define epoll_ctl(a, b, c, d) shim_epoll_ctl(a, b, c, d)
#define epoll_wait(a, b, c, d) shim_epoll_wait(a, b, c, d)
#define syscall(a, b, c, d, e, f, g) shim_syscall(a, b, c, d, e, f, g)
#endif
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#undef read
#undef recv
#undef write
#undef writev
#undef send
#undef sendmsg
#undef recvmsg
#undef sendto
#undef accept4
#undef connect
#undef socket
#undef bind
#undef listen
#undef getsockopt
#undef setsockopt
#undef getsockname
#undef getpeername
#undef fcntl
#undef close
#undef pipe
#undef getaddrinfo
#undef pthread_create
#undef sigaction
#undef lstat
#undef unlink
#undef poll
#undef ppoll
#include "kit.h"
#include "fds.h"
#include <sched.h>

/* ---- the backend, whichever it is ---- */

static ax_backend shim_backend;
static int waits, most_waits, too_busy;

static int shim_wait(ax_loop *l, void *self, ax_time timeout) {
    int f = strike(CALL_backend_wait, -1, 0), fd, rc;
    if (++waits > most_waits) return too_busy = 1, -ENOTRECOVERABLE;
    if (f > 0) return -f;
    if (f) { /* everything that is waited for looks ready */
        struct timespec a_little = {0, 50000};
        if (timeout) nanosleep(&a_little, NULL);
        for (fd = 0; fd < (int)l->fd_cap; fd++)
            if (l->fds[fd].told) ax_fd_ready(l, fd, l->fds[fd].told);
        return 0;
    }
#ifdef ASYNCX_BACKEND
    if (timeout == AX_FOREVER) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        rc = ASYNCX_BACKEND->wait(l, self, hung ? 0 : AX_MS(TOO_LONG));
        clock_gettime(CLOCK_MONOTONIC, &to);
        if ((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= TOO_LONG) hung = 1;
        if (hung) return -ENOTRECOVERABLE;
        return rc;
    }
#endif
    rc = ASYNCX_BACKEND->wait(l, self, timeout);
    return rc;
}
static int shim_set(ax_loop *l, void *self, int fd, unsigned before, unsigned events) {
    int f = events ? strike(CALL_backend_set, fd, 2) : 0;
    if (f && before) ASYNCX_BACKEND->set(l, self, fd, before, 0); /* then it is not waited on at all */
    return f ? -f : ASYNCX_BACKEND->set(l, self, fd, before, events);
}

/* ---- how each call may fail ---- */

static const struct kind {
    int call, error, flags;
    const char *name;
} kinds[] = {
#define E(call, e, flags) {CALL_##call, e, flags, #e}
#define S(call, flags) {CALL_##call, 0, MUST | SHORT | ALWAYS | BURST | (flags), "short"}
    E(read, EINTR, MUST | BURST), E(read, EAGAIN, MUST | BURST), S(read, 0), E(read, ENETDOWN, ALWAYS), E(read, EIO, 0),
    E(recv, EINTR, MUST | BURST), E(recv, EAGAIN, MUST | BURST), S(recv, 0), E(recv, ENETDOWN, ALWAYS), E(recv, ENOMEM, 0),
    E(write, EINTR, MUST | BURST),
    E(writev, EINTR, MUST | BURST), E(writev, EAGAIN, MUST | BURST), S(writev, 0), E(writev, EIO, ALWAYS), E(writev, EPIPE, 0),
    E(send, EINTR, MUST | BURST), E(send, EAGAIN, MUST | BURST), S(send, 0), E(send, ENETDOWN, ALWAYS), E(send, ENOMEM, 0),
    E(sendmsg, EINTR, MUST | BURST), E(sendmsg, EAGAIN, MUST | BURST), S(sendmsg, 0), E(sendmsg, ENETDOWN, ALWAYS),
    E(sendmsg, ENOBUFS, 0),
    E(recvmsg, EINTR, MUST | BURST), E(recvmsg, EAGAIN, MUST | BURST), E(recvmsg, ECONNREFUSED, ALWAYS), E(recvmsg, ENOMEM, 0),
    E(sendto, EINTR, MUST | BURST), E(sendto, EAGAIN, MUST | BURST), E(sendto, ENETUNREACH, ALWAYS), E(sendto, ENOBUFS, 0),
    E(accept, EINTR, MUST | BURST), E(accept, EAGAIN, MUST | BURST), E(accept, ECONNABORTED, MUST | BURST), E(accept, EHOSTDOWN, MUST | BURST),
    E(accept, EPROTO, MUST | BURST), E(accept, EPERM, MUST | BURST), E(accept, ENETDOWN, MUST | BURST),
    E(accept, EMFILE, MUST | BURST | ALWAYS), E(accept, ENFILE, MUST | BURST), E(accept, ENOBUFS, MUST | BURST),
    E(accept, ENOMEM, MUST | BURST | ALWAYS), E(accept, EOPNOTSUPP, ALWAYS), E(accept, EINVAL, 0),
    E(connect, EINTR, MUST | DONE), E(connect, EINPROGRESS, MUST | DONE), E(connect, EADDRNOTAVAIL, ALWAYS),
    E(connect, ENETUNREACH, ALWAYS), E(connect, ETIMEDOUT, 0), E(connect, EAGAIN, BURST | ALWAYS),
    E(socket, EMFILE, ALWAYS), E(socket, ENFILE, 0), E(socket, ENOMEM, ALWAYS), E(socket, EAFNOSUPPORT, ALWAYS),
    E(bind, EACCES, ALWAYS), E(bind, EADDRINUSE, ALWAYS), E(bind, ENOMEM, 0),
    E(listen, EADDRINUSE, ALWAYS), E(listen, ENOMEM, 0),
    E(getsockopt, ENOBUFS, ALWAYS), E(getsockopt, ENOMEM, 0),
    E(setsockopt, ENOMEM, ALWAYS), E(setsockopt, ENOPROTOOPT, ALWAYS),
    E(getsockname, ENOBUFS, ALWAYS), E(getpeername, ENOBUFS, ALWAYS),
    E(getpeername, ENOTCONN, MUST | BURST),
    E(fcntl, EACCES, ALWAYS), E(fcntl, ENOMEM, 0),
    E(poll, EINTR, MUST | BURST), E(poll, EAGAIN, MUST | BURST), E(poll, ENOMEM, ALWAYS), E(poll, EINVAL, 0),
    E(ppoll, EINTR, MUST | BURST), E(ppoll, EAGAIN, MUST | BURST), E(ppoll, ENOMEM, ALWAYS), E(ppoll, EINVAL, 0),
    E(epoll_create1, EMFILE, ALWAYS), E(epoll_create1, ENOMEM, 0),
    E(epoll_ctl, ENOMEM, ALWAYS), E(epoll_ctl, ENOSPC, 0),
    E(epoll_wait, EINTR, MUST | BURST), E(epoll_wait, EINVAL, ALWAYS),
    E(epoll_pwait2, EINTR, MUST | BURST), E(epoll_pwait2, ENOSYS, MUST | ALWAYS), E(epoll_pwait2, EPERM, MUST | ALWAYS),
    E(epoll_pwait2, EINVAL, ALWAYS),
    E(close, EINTR, MUST | ALWAYS), E(close, EIO, MUST | ALWAYS),
    E(pipe, EMFILE, ALWAYS), E(pipe, ENFILE, 0),
    E(getaddrinfo, EAI_MEMORY, ALWAYS), E(getaddrinfo, EAI_AGAIN, 0), E(getaddrinfo, EAI_SYSTEM, ALWAYS),
    {CALL_getaddrinfo, EAI_SYSTEM, NO_ERRNO, "EAI_SYSTEM without an error"},
    E(pthread_create, EAGAIN, ALWAYS), E(pthread_create, EPERM, 0),
    E(sigaction, EINVAL, ALWAYS),
    E(lstat, EACCES, ALWAYS), E(unlink, EACCES, ALWAYS),
    {CALL_backend_wait, 0, MUST | SPURIOUS | BURST | ALWAYS, "spurious readiness"},
    E(backend_wait, ENOMEM, ALWAYS), E(backend_set, ENOMEM, ALWAYS), E(backend_set, ENOSPC, 0),
};

/* The status that a task gets. */
static int status_of_fault(void) {
    if (inject.call != CALL_getaddrinfo) return -inject.error;
    return inject.error == EAI_MEMORY ? AX_ENOMEM : inject.error == EAI_AGAIN ? AX_EAGAIN : -EMFILE;
}

/* ---- what the scenarios share ---- */

enum { WRONG = AX_EOVERFLOW, UNSET = 1 };
static int status[ROLES], port, listener, ends[2];
static char path[108];
static ax_time bound; /* for what would otherwise try for ever */

static void owns(int fd, int way, int role) {
    if (fd < 0 || fd >= FDS) return;
    if (way != 1) owner[fd][0] = role;
    if (way != 0) owner[fd][1] = role;
}
static unsigned char pattern(size_t i) { return (unsigned char)(i * 7 + i / 251); }
static int matches(const void *data, size_t from, size_t n) {
    size_t i;
    for (i = 0; i < n; i++)
        if (((const unsigned char *)data)[i] != pattern(from + i)) return 0;
    return 1;
}
static int gone(ax_task *me, int *fd) {
    if (*fd >= 0) ax_close(me->loop, *fd);
    return *fd = -1;
}
#define ENDS(role, fd)                          \
    AX_FINALLY:                                 \
    gone(me, &(fd));                            \
    status[role] = ax_leaving(me);              \
    AX_END

/* ---- lines, and frames, over TCP ---- */

struct serve_lines { ax_frame frame; int fd, lines; char get[64], put[64]; ax_reader in; ax_writer out; };
AX_ASYNC(serve_lines) {
    AX_BEGIN;
    owns(my->fd, 2, SERVER);
    ax_reader_init(&my->in, my->fd, my->get, sizeof my->get);
    ax_writer_init(&my->out, my->fd, my->put, sizeof my->put);
    AX_WHILE(ax_reader_line(me, &my->in)) {
        my->lines++;
        AX_AWAIT(ax_writer_printf(me, &my->out, "<%s>\n", my->in.data));
        AX_AWAIT(ax_writer_flush(me, &my->out));
    }
    AX_RETURN(my->lines == 4 ? 0 : AX_EPIPE);
AX_FINALLY:
    status[SERVER] = ax_leaving(me);
    AX_END;
}
struct line_server { ax_frame frame; int fd; ax_addr peer; };
AX_ASYNC(line_server) {
    AX_BEGIN;
    AX_AWAIT(ax_accept(me, listener, &my->peer));
    my->fd = me->rc;
    if (ax_addr_port(&my->peer) == 0) AX_RETURN(WRONG);
    AX_AWAIT(AX_CALL(serve_lines, .fd = my->fd));
    ENDS(SERVER, my->fd);
}
/* The ready-made server, whose status is the role's unless a connection has set it. */
static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    (void)arg;
    return ax_addr_port(peer) ? AX_CALL(serve_lines, .fd = fd) : ax_done(WRONG);
}
static ax_task *ready_made; /* ends with its client */
struct line_service { ax_frame frame; int fd; };
AX_ASYNC(line_service) {
    AX_BEGIN;
    my->fd = listener;
    listener = -1; /* the server closes it */
    AX_AWAIT(AX_CALL(ax_server, .fd = my->fd, .serve = serve, .max_clients = 1, .grace = AX_SEC(1)));
AX_FINALLY:
    if (status[SERVER] == UNSET || ax_leaving(me) != AX_ECANCELED) status[SERVER] = ax_leaving(me);
    ready_made = NULL;
    AX_END;
}
struct line_client { ax_frame frame; const char *host; int fd, i; char in_buffer[64]; ax_reader in; ax_addr addr; };
AX_ASYNC(line_client) {
    static const char *const line[] = {"one\n", "\r\n", "three\n", "last"};
    static const char *const want[] = {"<one>", "<>", "<three>", "<last>"};
    AX_BEGIN;
    AX_AWAIT(ax_tcp_connect(me, my->host, port));
    owns(my->fd = me->rc, 2, CLIENT);
    asks_peer = 1;
    AX_TRY(ax_done(ax_addr_peer(my->fd, &my->addr)));
    asks_peer = 0;
    AX_CHECK(me->rc);
    if (ax_addr_port(&my->addr) != port) AX_RETURN(WRONG);
    ax_reader_init(&my->in, my->fd, my->in_buffer, sizeof my->in_buffer);
    for (my->i = 0; my->i < 4; my->i++) {
        AX_AWAIT(ax_write_all(me, my->fd, line[my->i], strlen(line[my->i])));
        if (my->i == 3) shutdown(my->fd, SHUT_WR);
        AX_AWAIT(ax_reader_line(me, &my->in));
        if (!me->rc) AX_RETURN(AX_EPIPE);
        if (strcmp(my->in.data, want[my->i]) != 0) AX_RETURN(WRONG);
    }
AX_FINALLY:
    gone(me, &my->fd);
    status[CLIENT] = ax_leaving(me);
    if (ready_made) ax_cancel(ready_made);
    AX_END;
}

enum { PAYLOAD = 5000, FRAMES = 3 };
struct frame_server { ax_frame frame; int fd, i; unsigned char size[4], data[PAYLOAD], buffer[256]; ax_reader in; };
AX_ASYNC(frame_server) {
    AX_BEGIN;
    AX_AWAIT(ax_accept(me, listener, NULL));
    owns(my->fd = me->rc, 2, SERVER);
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    for (my->i = 0;; my->i++) {
        AX_AWAIT(ax_reader_exactly(me, &my->in, my->size, sizeof my->size));
        if (!me->rc) break;
        AX_AWAIT(ax_reader_exactly(me, &my->in, my->data, (size_t)my->size[0] * 20));
        if (!matches(my->data, (size_t)my->i, (size_t)my->size[0] * 20)) AX_RETURN(WRONG);
        AX_AWAIT(ax_reader_until(me, &my->in, "--", 2));
        if (my->in.length != 1 || my->in.data[0] != '/') AX_RETURN(WRONG);
    }
    AX_RETURN(my->i == FRAMES ? 0 : AX_EPIPE);
    ENDS(SERVER, my->fd);
}
struct frame_client { ax_frame frame; int fd, i; unsigned char data[PAYLOAD + FRAMES], buffer[300]; ax_writer out; };
AX_ASYNC(frame_client) {
    AX_BEGIN;
    for (my->i = 0; my->i < PAYLOAD + FRAMES; my->i++) my->data[my->i] = pattern((size_t)my->i);
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", port));
    owns(my->fd = me->rc, 2, CLIENT);
    ax_writer_init(&my->out, my->fd, my->buffer, sizeof my->buffer);
    for (my->i = 0; my->i < FRAMES; my->i++) {
        AX_AWAIT(ax_writer_write(me, &my->out, my->i == 1 ? "\3\0\0" : "\372\0\0", 4));
        AX_AWAIT(ax_writer_write(me, &my->out, my->data + my->i, my->i == 1 ? 60 : PAYLOAD));
        AX_AWAIT(ax_writer_printf(me, &my->out, "%s", "/--"));
    }
    AX_AWAIT(ax_writer_flush(me, &my->out));
    ENDS(CLIENT, my->fd);
}

/* The run: what is opened before the tasks start is its own; then calls of no known descriptor are the client's. */
#define PLAY(name)                                          \
    AX_ASYNC(name) {                                        \
        AX_BEGIN;                                           \
        ax_group_open(me, &my->all, 0);
#define PLAYED                                                                        \
        AX_AWAIT(AX_WITHIN(bound, ax_group_join(me, &my->all)));                      \
    AX_FINALLY:                                                                       \
        if (listener >= 0) ax_close(me->loop, listener);                              \
        AX_END;                                                                       \
    }
#define LISTENS                                             \
    AX_CHECK(ax_tcp_listen("127.0.0.1", 0, 0));    \
    listener = me->rc;                                      \
    AX_CHECK(ax_addr_local(listener, &my->addr));  \
    port = ax_addr_port(&my->addr);                         \
    owns(listener, 2, SERVER);                              \
    acts(CLIENT)

struct lines { ax_frame frame; ax_group all; ax_addr addr; };
PLAY(lines)
    LISTENS;
    AX_SPAWN(&my->all, line_server, .fd = -1);
    AX_SPAWN(&my->all, line_client, .fd = -1, .host = "127.0.0.1");
PLAYED
struct served { ax_frame frame; ax_group all; ax_addr addr; };
PLAY(served)
    LISTENS;
    ready_made = AX_SPAWN(&my->all, line_service);
    AX_SPAWN(&my->all, line_client, .fd = -1, .host = "127.0.0.1");
PLAYED
struct named { ax_frame frame; ax_group all; ax_addr addr; };
PLAY(named)
    LISTENS;
    AX_SPAWN(&my->all, line_server, .fd = -1);
    AX_SPAWN(&my->all, line_client, .fd = -1, .host = "test");
PLAYED
struct frames { ax_frame frame; ax_group all; ax_addr addr; };
PLAY(frames)
    LISTENS;
    AX_SPAWN(&my->all, frame_server, .fd = -1);
    AX_SPAWN(&my->all, frame_client, .fd = -1);
PLAYED

/* ---- more than buffers hold, both ways at once ---- */

enum { MUCH = 120000 };
static unsigned char much[MUCH];
struct mirror { ax_frame frame; int fd; unsigned char data[30000]; };
AX_ASYNC(mirror) {
    AX_BEGIN;
    owns(my->fd, 2, SERVER);
    AX_WHILE(ax_read(me, my->fd, my->data, sizeof my->data))
        AX_AWAIT(ax_write_all(me, my->fd, my->data, (size_t)me->rc));
    ENDS(SERVER, my->fd);
}
struct pour { ax_frame frame; int fd; struct iovec v[4]; };
AX_ASYNC(pour) {
    AX_BEGIN;
    owns(my->fd, 1, CLIENT);
    AX_AWAIT(ax_write_all(me, my->fd, much, MUCH / 2));
    my->v[0].iov_base = much + MUCH / 2;
    my->v[0].iov_len = 1;
    my->v[1].iov_base = much;
    my->v[2].iov_base = much + MUCH / 2 + 1;
    my->v[2].iov_len = MUCH / 4;
    my->v[3].iov_base = much + MUCH / 2 + 1 + MUCH / 4;
    my->v[3].iov_len = MUCH / 4 - 1;
    AX_AWAIT(ax_writev(me, my->fd, my->v, 4));
    shutdown(my->fd, SHUT_WR); /* of a pipe: its one reader counts */
AX_FINALLY:
    status[CLIENT] = ax_leaving(me);
    AX_END;
}
struct drink { ax_frame frame; int fd, to_end; size_t got; unsigned char data[50000]; };
AX_ASYNC(drink) {
    AX_BEGIN;
    owns(my->fd, 0, READER);
    while (my->to_end || my->got < MUCH) {
        AX_AWAIT(ax_read(me, my->fd, my->data, sizeof my->data));
        if (!me->rc) break;
        if (my->got + (size_t)me->rc > MUCH || !matches(my->data, my->got, (size_t)me->rc)) AX_RETURN(WRONG);
        my->got += (size_t)me->rc;
    }
    AX_RETURN(my->got == MUCH ? 0 : AX_EPIPE);
AX_FINALLY:
    status[READER] = ax_leaving(me);
    AX_END;
}
struct bulk { ax_frame frame; ax_group all; int fds[2]; };
PLAY(bulk)
    my->fds[0] = ends[0], my->fds[1] = ends[1];
    acts(RUN);
    AX_CHECK(ax_nonblocking(my->fds[0]));
    AX_CHECK(ax_nonblocking(my->fds[1]));
    acts(NOBODY);
    AX_SPAWN(&my->all, mirror, .fd = my->fds[0]);
    ends[0] = -1; /* its own */
    AX_SPAWN(&my->all, pour, .fd = my->fds[1]);
    AX_SPAWN(&my->all, drink, .fd = my->fds[1], .to_end = 1);
    listener = my->fds[1];
    ends[1] = -1;
PLAYED
struct pipes { ax_frame frame; ax_group all; };
PLAY(pipes)
    acts(RUN);
    AX_CHECK(ax_nonblocking(ends[0]));
    AX_CHECK(ax_nonblocking(ends[1]));
    acts(NOBODY);
    status[SERVER] = 0;
    AX_SPAWN(&my->all, pour, .fd = ends[1]);
    AX_SPAWN(&my->all, drink, .fd = ends[0]);
PLAYED

/* ---- datagrams ---- */

struct udp_server { ax_frame frame; int fd, i; char data[64]; ax_addr from; };
AX_ASYNC(udp_server) {
    AX_BEGIN;
    for (my->i = 0; my->i < 3; my->i++) {
        AX_AWAIT(ax_recvfrom(me, my->fd, my->data, sizeof my->data, &my->from));
        AX_AWAIT(ax_sendto(me, my->fd, my->data, (size_t)me->rc, &my->from));
    }
AX_FINALLY:
    status[SERVER] = ax_leaving(me);
    AX_END;
}
struct udp_client { ax_frame frame; int fd, i, connected; char out[8], in[64]; ax_addr to; };
AX_ASYNC(udp_client) {
    AX_BEGIN;
    if (my->connected) AX_AWAIT(ax_udp_connect(me, "127.0.0.1", port));
    else AX_CHECK(ax_udp_open("127.0.0.1", 0, 0));
    owns(my->fd = me->rc, 2, CLIENT);
    AX_AWAIT(ax_resolve(me, "127.0.0.1", port, &my->to, 1));
    for (my->i = 0; my->i < 3; my->i++) {
        memset(my->out, 'a' + my->i, sizeof my->out);
        if (my->connected) {
            AX_AWAIT(ax_write(me, my->fd, my->out, (size_t)(4 * my->i))); /* the first is empty */
            AX_AWAIT(ax_read(me, my->fd, my->in, sizeof my->in));
        } else {
            AX_AWAIT(ax_sendto(me, my->fd, my->out, (size_t)(4 * my->i), &my->to));
            AX_AWAIT(ax_recvfrom(me, my->fd, my->in, sizeof my->in, NULL));
        }
        if (me->rc != 4 * my->i || memcmp(my->in, my->out, (size_t)me->rc) != 0) AX_RETURN(WRONG);
    }
    ENDS(CLIENT, my->fd);
}
#define DATAGRAMS(name, is_connected)                               \
    PLAY(name)                                                      \
        AX_CHECK(ax_udp_open(NULL, 0, AX_REUSE_PORT));     \
        listener = me->rc;                                          \
        AX_CHECK(ax_addr_local(listener, &my->addr));      \
        port = ax_addr_port(&my->addr);                             \
        owns(listener, 2, SERVER);                                  \
        acts(CLIENT);                                               \
        AX_SPAWN(&my->all, udp_server, .fd = listener);             \
        AX_SPAWN(&my->all, udp_client, .fd = -1, .connected = is_connected); \
    PLAYED
struct datagrams { ax_frame frame; ax_group all; ax_addr addr; };
DATAGRAMS(datagrams, 0)
struct connected { ax_frame frame; ax_group all; ax_addr addr; };
DATAGRAMS(connected, 1)

/* ---- a path ---- */

struct path_server { ax_frame frame; int fd; char data[16]; };
AX_ASYNC(path_server) {
    AX_BEGIN;
    AX_AWAIT(ax_accept(me, listener, NULL));
    owns(my->fd = me->rc, 2, SERVER);
    AX_WHILE(ax_read(me, my->fd, my->data, sizeof my->data))
        AX_AWAIT(ax_write_all(me, my->fd, my->data, (size_t)me->rc));
    ENDS(SERVER, my->fd);
}
struct path_client { ax_frame frame; int fd; char data[16]; ax_reader in; };
AX_ASYNC(path_client) {
    AX_BEGIN;
    AX_AWAIT(ax_unix_connect(me, path));
    owns(my->fd = me->rc, 2, CLIENT);
    AX_AWAIT(ax_write_all(me, my->fd, "hello, path", 11));
    ax_reader_init(&my->in, my->fd, my->data, sizeof my->data);
    AX_AWAIT(ax_reader_until(me, &my->in, "path", 4));
    AX_RETURN(strcmp(my->in.data, "hello, ") == 0 ? 0 : WRONG);
    ENDS(CLIENT, my->fd);
}
struct paths { ax_frame frame; ax_group all; };
PLAY(paths)
    AX_CHECK(ax_unix_listen(path));
    owns(listener = me->rc, 2, SERVER);
    acts(CLIENT);
    AX_SPAWN(&my->all, path_server, .fd = -1);
    AX_SPAWN(&my->all, path_client, .fd = -1);
PLAYED

/* ---- threads, posts, signals, watches, the real clock ---- */

static int doubled(void *copy) { return *(int *)copy *= 2, 7; }
struct jobs { ax_frame frame; int i, number; };
AX_ASYNC(jobs) {
    AX_BEGIN;
    acts(CLIENT);
    for (my->i = 0; my->i < 3; my->i++) {
        my->number = my->i + 20;
        AX_AWAIT(ax_to_thread(me, doubled, &my->number, sizeof my->number));
        if (me->rc != 7 || my->number != 2 * (my->i + 20)) AX_RETURN(WRONG);
    }
    AX_RETURN(0);
AX_FINALLY:
    status[CLIENT] = ax_leaving(me);
    status[SERVER] = 0;
    AX_END;
}

enum { POSTS = 3 };
static ax_callback post[POSTS];
static ax_future posted;
static int posts;
static void take_post(ax_loop *l, void *arg) {
    (void)arg;
    ax_loop_release(l);
    if (++posts == POSTS) ax_future_complete(&posted, 0);
}
static void *posting(void *l) {
    int i;
    for (i = 0; i < POSTS; i++) {
        ax_post((ax_loop *)l, &post[i], take_post, NULL);
        sched_yield();
    }
    return NULL;
}
struct posts_main { ax_frame frame; pthread_t thread; int started; };
AX_ASYNC(posts_main) {
    AX_BEGIN;
    acts(NOBODY);
    posts = 0;
    memset(post, 0, sizeof post);
    memset(&posted, 0, sizeof posted);
    ax_loop_hold(me->loop), ax_loop_hold(me->loop), ax_loop_hold(me->loop);
    my->started = (pthread_create)(&my->thread, NULL, posting, me->loop) == 0;
    if (!my->started) AX_RETURN(AX_ENOMEM);
    AX_AWAIT(ax_future_wait(me, &posted));
AX_FINALLY:
    if (my->started) pthread_join(my->thread, NULL);
    status[SERVER] = status[CLIENT] = ax_leaving(me);
    AX_END;
}

struct signals { ax_frame frame; int i; };
struct raises { ax_frame frame; };
AX_ASYNC(raises) {
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    raise(SIGUSR1);
    AX_END;
}
AX_ASYNC(signals) {
    AX_BEGIN;
    acts(CLIENT);
    for (my->i = 0; my->i < 2; my->i++) {
        if (my->i) AX_AWAIT(ax_wait_fd(me, ends[1], AX_OUT)); /* for a wait: a signal that came needs none */
        if (my->i) AX_SPAWN(&me->loop->root, raises);
        else AX_TRY(AX_WITHIN(0, ax_signal_wait(me, SIGUSR1))); /* only installs the handler */
        if (me->rc < 0 && me->rc != AX_ETIMEDOUT) AX_RETURN(me->rc);
        if (my->i) AX_AWAIT(ax_signal_wait(me, SIGUSR1));
    }
    AX_RETURN(me->rc == SIGUSR1 ? 0 : WRONG);
AX_FINALLY:
    status[CLIENT] = ax_leaving(me);
    status[SERVER] = 0;
    AX_END;
}

struct watching { ax_frame frame; ax_watch watch; ax_event end; int got, failed; };
static void see(ax_loop *l, unsigned events, void *arg) {
    struct watching *my = (struct watching *)arg;
    char c;
    (void)l;
    if (events & AX_IN && read(ends[0], &c, 1) == 1 && ++my->got < 3) return;
    if (my->got < 3 && !(events & (AX_ERR | AX_NVAL))) return; /* for nothing */
    my->failed = my->got < 3;
    ax_watch_stop(&my->watch);
    ax_event_set(&my->end);
}
AX_ASYNC(watching) {
    AX_BEGIN;
    acts(CLIENT);
    AX_CHECK(ax_nonblocking(ends[0]));
    owns(ends[0], 0, CLIENT);
    acts(NOBODY);
    AX_CHECK(ax_watch_start(me->loop, &my->watch, ends[0], AX_IN, see, my));
    if (write(ends[1], "abc", 3) != 3) AX_RETURN(WRONG);
    AX_AWAIT(ax_event_wait(me, &my->end));
    AX_RETURN(my->failed ? -inject.error : 0);
AX_FINALLY:
    ax_watch_stop(&my->watch);
    status[CLIENT] = ax_leaving(me);
    status[SERVER] = 0;
    AX_END;
}

/* Tasks that the loop's close ends, with a cleanup that takes turns and waits on descriptors. */
struct lingers { ax_frame frame; int fd, role; char data[8]; };
AX_ASYNC(lingers) {
    AX_BEGIN;
    owns(my->fd, 2, my->role);
    AX_AWAIT(ax_read(me, my->fd, my->data, sizeof my->data)); /* nothing comes */
AX_FINALLY:
    if (my->role == SERVER) {
        AX_TRY(ax_sleep(me, AX_MS(1)));
        AX_TRY(ax_write_all(me, my->fd, "bye", 3));
    } else {
        AX_TRY(ax_read(me, my->fd, my->data, sizeof my->data));
    }
    status[my->role] = me->rc >= 0 ? 0 : me->rc;
    gone(me, &my->fd);
    AX_END;
}
struct closing { ax_frame frame; int i; };
AX_ASYNC(closing) {
    AX_BEGIN;
    acts(RUN);
    for (my->i = 0; my->i < 2; my->i++) {
        AX_CHECK(ax_nonblocking(ends[my->i]));
        if (!AX_SPAWN(&me->loop->root, lingers, .fd = ends[my->i], .role = my->i ? CLIENT : SERVER)) AX_RETURN(AX_ENOMEM);
        ends[my->i] = -1;
    }
    AX_AWAIT(ax_checkpoint(me));
    AX_END;
}

struct sleeps { ax_frame frame; ax_time start; };
AX_ASYNC(sleeps) {
    AX_BEGIN;
    acts(RUN);
    my->start = ax_now(me->loop);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_AWAIT(ax_sleep(me, AX_US(100)));
    AX_RETURN(ax_since(me->loop, my->start) < AX_US(1100) ? WRONG : 0);
AX_FINALLY:
    status[CLIENT] = ax_leaving(me);
    status[SERVER] = 0;
    AX_END;
}

/* ---- the scenarios ---- */

enum { PAIR = 1, PIPE = 2, STALE = 4, REAL_CLOCK = 8, LINGER = 16, NO_STDIN = 32, DATAGRAM = 64, READY_MADE = 128 };
static int run_lines(ax_loop_desc *d) { return AX_RUN_WITH(d, lines); }
static int run_named(ax_loop_desc *d) { return AX_RUN_WITH(d, named); }
static int run_frames(ax_loop_desc *d) { return AX_RUN_WITH(d, frames); }
static int run_bulk(ax_loop_desc *d) { return AX_RUN_WITH(d, bulk); }
static int run_pipes(ax_loop_desc *d) { return AX_RUN_WITH(d, pipes); }
static int run_datagrams(ax_loop_desc *d) { return AX_RUN_WITH(d, datagrams); }
static int run_connected(ax_loop_desc *d) { return AX_RUN_WITH(d, connected); }
static int run_served(ax_loop_desc *d) { return AX_RUN_WITH(d, served); }
static int run_paths(ax_loop_desc *d) { return AX_RUN_WITH(d, paths); }
static int run_jobs(ax_loop_desc *d) { return AX_RUN_WITH(d, jobs); }
static int run_posts(ax_loop_desc *d) { return AX_RUN_WITH(d, posts_main); }
static int run_signals(ax_loop_desc *d) { return AX_RUN_WITH(d, signals); }
static int run_watching(ax_loop_desc *d) { return AX_RUN_WITH(d, watching); }
static int run_closing(ax_loop_desc *d) { return AX_RUN_WITH(d, closing); }
static int run_sleeps(ax_loop_desc *d) { return AX_RUN_WITH(d, sleeps); }
static const struct scenario {
    const char *name;
    int (*run)(ax_loop_desc *);
    int needs, reader;
} scenarios[] = {
    {"lines over TCP", run_lines, 0, 0},
#ifndef ASYNCX_KQUEUE /* its stand-in's queue can't be moved to another number */
    {"lines, without a standard input", run_lines, NO_STDIN, 0},
#endif
    {"a ready-made server", run_served, READY_MADE, 0},
    {"a name of two addresses", run_named, 0, 0},
    {"frames over TCP", run_frames, 0, 0},
    {"both ways at once", run_bulk, PAIR, 1},
    {"pipes", run_pipes, PIPE, 1},
    {"datagrams", run_datagrams, 0, 0},
    {"connected datagrams", run_connected, DATAGRAM, 0},
    {"a path", run_paths, STALE, 0},
    {"jobs on threads", run_jobs, 0, 0},
    {"posts from a thread", run_posts, 0, 0},
    {"signals", run_signals, PIPE, 0},
    {"a watch", run_watching, PIPE, 0},
    {"a close that waits for cleanups", run_closing, PAIR | LINGER, 0},
    {"the real clock", run_sleeps, REAL_CLOCK, 0},
};

static char what[200];
static int show(const char *why, int rc) {
    int i;
    printf("# %s: %s; the run gave %d", what, why, rc);
    for (i = SERVER; i < RUN; i++) printf(", the %s %d", role_name[i], status[i]);
    printf("; culprits %d, %d waits\n", culprits, waits);
    return 0;
}

static int is_wait(int call) {
    return call == CALL_poll || call == CALL_ppoll || call == CALL_epoll_wait || call == CALL_epoll_pwait2 ||
           call == CALL_backend_wait;
}

static int clean_waits;
static int play(const struct scenario *s) {
    ax_loop_desc *d = kit_desc();
    int i, rc, fds, passed = 1, leaves, moved, small = 16384, input = -1;
    struct sockaddr_un un;
    struct sigaction act;
    fds = open_fds(FDS);
    memset(owner, 0, sizeof owner);
    memset(made, 0, sizeof made);
    struck = culprits = waits = too_busy = hung = 0;
    listener = ends[0] = ends[1] = -1;
    for (i = 0; i < ROLES; i++) status[i] = UNSET;
    status[READER] = s->reader ? UNSET : 0;
    bound = inject.times == FOR_EVER && !(inject.flags & (SHORT | SPURIOUS)) ? AX_SEC(10) : AX_FOREVER;
    most_waits = inject.times == FOR_EVER ? 20000 : clean_waits * 4 + 150;
    acts(RUN);
    shim_backend = *ASYNCX_BACKEND;
    shim_backend.wait = shim_wait;
    shim_backend.set = shim_set;
    d->backend = &shim_backend;
    if (s->needs & REAL_CLOCK) d->flags = 0;
    if (s->needs & PAIR) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return show("no socketpair", -errno);
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    if (s->needs & PIPE && pipe(ends) < 0) return show("no pipe", -errno);
    if (s->needs & STALE) {
        memset(&un, 0, sizeof un);
        un.sun_family = AF_UNIX;
        strcpy(un.sun_path, path);
        unlink(path);
        i = socket(AF_UNIX, SOCK_STREAM, 0);
        if (i < 0 || bind(i, (struct sockaddr *)&un, sizeof un) < 0) return show("no stale path", -errno);
        close(i);
    }
    if (s->needs & NO_STDIN) input = dup(0), close(0);
    moved = s->needs & NO_STDIN && inject.call == CALL_fcntl; /* a connection may be lost for want of a number above 2 */
    rc = s->run(d);
    if (input >= 0 && fcntl(0, F_GETFD) >= 0) rc = show("a descriptor below 3", rc);
    if (input >= 0) dup2(input, 0), close(input);
    if (s->needs & STALE) unlink(path);
    for (i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    if (hung) passed = show("waits for ever", rc);
    if (too_busy) passed = show("turns in vain", rc);
    if (kit_balance) printf("# %ld bytes kept\n", kit_balance), passed = show("memory kept", rc);
    leaves = s->needs & LINGER && is_wait(inject.call) && inject.times == FOR_EVER; /* cleanups that can't wait are given up */
    if (open_fds(FDS) != fds && !leaves) {
        printf("# %d descriptors kept\n", open_fds(FDS) - fds);
        passed = show("descriptors kept", rc);
    }
    if (sigaction(SIGUSR1, NULL, &act) == 0 && act.sa_handler != SIG_DFL) passed = show("the signal's handler stays", rc);
    if (kit_reported && !((inject.call == CALL_accept || moved) && strstr(kit_reported, "out of descriptors"))) {
        printf("# reported: %s\n", kit_reported);
        passed = show("misuse", rc);
    }
    if (!passed) return 0;
    if (rc >= 0) {
        int alone = s->needs & READY_MADE && culprits == 1 << SERVER; /* what befalls its connection does not befall it */
        for (i = SERVER; i < RUN; i++)
            if (status[i] == UNSET || (status[i] < 0 && !(s->needs & LINGER) && !alone))
                return show("success, but not of every task", rc);
        return 1;
    }
    if (inject.times == FOR_EVER && rc == AX_ETIMEDOUT && bound != AX_FOREVER) return 1; /* tried all the time */
    if (s->needs & STALE && rc == -EADDRINUSE && (culprits & 1 << RUN)) return 1;      /* whether it is stale is not known */
    if (inject.flags & NO_ERRNO) return 1; /* any error will do */
    if (moved && (rc == status_of_fault() || rc == AX_EPIPE || rc == -ECONNRESET)) return 1;
    if (inject.flags & MUST) return show("an error that can be got over", rc);
    if (is_wait(inject.call))
        return rc == status_of_fault() ? 1 : show("another error than the injected one", rc); /* the run's own */
    for (i = SERVER, passed = (culprits & 1 << RUN) != 0; i < RUN; i++) {
        if (status[i] == WRONG) return show("wrong data", rc);
        if (status[i] != status_of_fault()) continue;
        if (!(culprits & 1 << i)) return show("the error reached another task, too", rc);
        passed = 1;
    }
    if (!passed) return show("the error did not reach its task", rc);
    /* the other end may see the connection go before the run does */
    return rc == status_of_fault() || rc == AX_EPIPE || rc == -ECONNRESET ? 1 : show("another error than the injected one", rc);
}

static int runs;
static int vary(const struct scenario *s, const struct kind *k, const char *how, int times) {
    int passed = 1, failures = 0;
    inject.call = k->call;
    inject.error = k->error;
    inject.flags = k->flags;
    inject.times = times;
    for (inject.nth = 1; failures < 3; inject.nth++) {
        snprintf(what, sizeof what, "%s: %s %s (%s, call %d)", s->name, call_name[k->call], k->name, how, inject.nth);
        if (!play(s)) passed = 0, failures++;
        runs++;
        if (!struck) break;
    }
    return passed;
}

static void give_up(int number) {
    static const char said[] = "Bail out! it does not end: ";
    (void)number;
    if (write(1, said, sizeof said - 1) < 0 || write(1, what, strlen(what)) < 0 || write(1, "\n", 1) < 0) {}
    _exit(1);
}

int main(int argc, char **argv) {
    size_t i, k;
    int call;
    const char *only = argc > 1 ? argv[1] : NULL;
    signal(SIGALRM, give_up);
    alarm(240);
    signal(SIGPIPE, SIG_DFL); /* nothing may raise it */
    snprintf(path, sizeof path, "/tmp/asyncx-syscalls-%ld", (long)getpid());
    for (i = 0; i < MUCH; i++) much[i] = pattern(i);
    for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        const struct scenario *s = &scenarios[i];
        int clean[CALL_COUNT], passed, in_waits = 1;
        if (only && !strstr(s->name, only)) continue;
        memset(&inject, 0, sizeof inject);
        inject.call = -1;
        clean_waits = 1000;
        snprintf(what, sizeof what, "%s", s->name);
        ok(play(s) && status[SERVER] == 0, "%s: without faults", s->name);
        memcpy(clean, made, sizeof clean);
        clean_waits = waits;
        for (call = 0; call < CALL_COUNT; call++) {
            if (!clean[call] && !is_wait(call)) continue; /* which waits a run makes is up to its threads, too */
            passed = 1;
            for (k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                if (kinds[k].call != call || (kinds[k].flags & SHORT && s->needs & DATAGRAM)) continue; /* those stay whole */
                passed &= vary(s, &kinds[k], "once", 1);
                if (kinds[k].flags & BURST) passed &= vary(s, &kinds[k], "20 times", 20);
                if (kinds[k].flags & ALWAYS) passed &= vary(s, &kinds[k], "from then on", FOR_EVER);
            }
            if (is_wait(call)) in_waits &= passed;
            else ok(passed, "%s: each %s of %d fails in turn", s->name, call_name[call], clean[call]);
        }
        ok(in_waits && clean_waits, "%s: each of %d waits fails in turn", s->name, clean_waits);
    }
    printf("# %d runs\n", runs);
    return tap_end();
}
