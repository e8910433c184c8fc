/* Sockets, readers and writers over real sockets of this machine, on a virtual clock; names are looked up in a table of ours. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
static int our_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list);
static int our_socket(int family, int type, int protocol);
#define getaddrinfo(a, b, c, d) our_getaddrinfo(a, b, c, d)
#define socket(a, b, c) our_socket(a, b, c)
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#undef getaddrinfo
#undef socket
#include "fds.h"
#include "kit.h"

#define AT ms(me->loop)
#define JUDGE(name, want, trace, fn) kit_judge(name, AX_RUN_WITH(kit_desc(), fn), want, trace, NULL, __FILE__, __LINE__)

static void make_pair(int *fd) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0 || ax_nonblocking(fd[0]) < 0 || ax_nonblocking(fd[1]) < 0) abort();
}
static void make_small(int fd) { /* a buffer that is soon full */
    int size = 1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}
static void put(int fd) {
    if (send(fd, "x", 1, 0) != 1) abort();
}
static int no_ipv6; /* a system that knows IPv4 only */
static int our_socket(int family, int type, int protocol) {
    if (no_ipv6 && family == AF_INET6) return errno = EAFNOSUPPORT, -1;
    return socket(family, type, protocol);
}
static char letter_at(size_t i) { return (char)('a' + i % 23); }

/* ---- names ---- */

static int lookups;
static int our_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list) {
    static const char *const both[] = {"::1", "127.0.0.1"};
    struct addrinfo numbers = *hints, *last = NULL;
    int i, rc;
    if (hints->ai_flags & AI_NUMERICHOST || !host) return getaddrinfo(host, port, hints, list);
    lookups++;
    if (strcmp(host, "later") == 0) return EAI_AGAIN;
    if (strcmp(host, "memory") == 0) return EAI_MEMORY;
    if (strcmp(host, "system") == 0) return errno = ENFILE, EAI_SYSTEM;
    if (strcmp(host, "both") != 0 && strcmp(host, "many") != 0) return EAI_NONAME;
    *list = NULL;
    numbers.ai_flags |= AI_NUMERICHOST;
    for (i = 0; i < (*host == 'm' ? 20 : 2); i++) {
        struct addrinfo *a;
        if ((rc = getaddrinfo(both[i % 2], port, &numbers, &a)) != 0) return rc;
        if (last) last->ai_next = a;
        else *list = a;
        last = a;
    }
    return 0;
}

struct names {
    ax_frame frame;
    ax_addr a[20];
    char text[AX_ADDR_TEXT], longest[300];
};
AX_ASYNC(names) {
    AX_BEGIN;
    AX_AWAIT(ax_resolve(me, "127.0.0.1", 80, my->a, 4));
    LOG("%d %s %d", me->rc, ax_addr_text(my->a, my->text, sizeof my->text), ax_addr_port(my->a));
    AX_AWAIT(ax_resolve(me, "::1", 65535, my->a, 4));
    LOG("%d %s %d", me->rc, ax_addr_text(my->a, my->text, sizeof my->text), ax_addr_port(my->a));
    AX_AWAIT(ax_resolve(me, NULL, 1, my->a, 1));
    LOG("this:%d lookups:%d", me->rc, lookups);
    AX_AWAIT(ax_resolve(me, "both", 7, my->a, 4));
    LOG("| both:%d %s", me->rc, ax_addr_text(&my->a[0], my->text, sizeof my->text));
    LOG("%s", ax_addr_text(&my->a[1], my->text, sizeof my->text));
    AX_AWAIT(ax_resolve(me, "both", 7, my->a, 1));
    LOG("most:%d", me->rc);
    AX_AWAIT(ax_resolve(me, "many", 7, my->a, 20));
    LOG("many:%d |", me->rc);
    AX_TRY(ax_resolve(me, "nobody", 7, my->a, 4));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_resolve(me, "later", 7, my->a, 4));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_resolve(me, "memory", 7, my->a, 4));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_resolve(me, "system", 7, my->a, 4));
    LOG("%d", me->rc == -ENFILE);
    AX_TRY(ax_resolve(me, "both", 65536, my->a, 4));
    LOG("| %s", ax_errname(me->rc));
    AX_TRY(ax_resolve(me, "both", 7, my->a, 0));
    LOG("%s", ax_errname(me->rc));
    memset(my->longest, 'x', sizeof my->longest - 1);
    AX_TRY(ax_resolve(me, my->longest, 7, my->a, 4));
    LOG("%s", ax_errname(me->rc));
    memset(my->a, 0, sizeof my->a);
    LOG("none:%s %d", ax_addr_text(my->a, my->text, sizeof my->text), ax_addr_port(my->a));
    AX_TRY(ax_tcp_connect(me, "nobody", 7));
    LOG("%s", ax_errname(me->rc));
    AX_END;
}

/* ---- streams ---- */

struct streams {
    ax_frame frame;
    ax_group g;
    int listener, fd, conn, any, port, n;
    ax_addr a;
    char text[AX_ADDR_TEXT], name[AX_ADDR_TEXT], byte;
};
struct connecting {
    ax_frame frame;
    const char *host;
    int port, *fd;
};
AX_ASYNC(connecting) {
    AX_BEGIN;
    AX_TRY(ax_tcp_connect(me, my->host, my->port));
    *my->fd = me->rc;
    LOG("%s@%d", me->rc >= 0 ? "connected" : ax_errname(me->rc), AT);
    AX_END;
}
static int option(int fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) < 0 ? -1 : value != 0;
}
static int well_made(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC; }

AX_ASYNC(streams) {
    AX_BEGIN;
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    AX_CHECK(ax_addr_local(my->listener, &my->a));
    my->port = ax_addr_port(&my->a);
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", my->port));
    my->fd = me->rc;
    AX_AWAIT(ax_accept(me, my->listener, NULL));
    my->conn = me->rc;
    LOG("made:%d%d%d", well_made(my->fd), well_made(my->conn), well_made(my->listener));
    LOG("nodelay:%d%d", option(my->fd, IPPROTO_TCP, TCP_NODELAY), option(my->conn, IPPROTO_TCP, TCP_NODELAY));
    AX_CHECK(ax_addr_peer(my->fd, &my->a));
    LOG("peer:%d", ax_addr_port(&my->a) == my->port);
    LOG("bad:%d", ax_addr_peer(my->listener, &my->a) == -ENOTCONN);
    LOG("in use:%d", ax_tcp_listen("127.0.0.1", my->port, 0) == -EADDRINUSE);
    AX_CHECK(my->any = ax_tcp_listen(NULL, 0, 0)); /* IPv4 through a socket for both */
    ax_addr_local(my->any, &my->a);
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", ax_addr_port(&my->a)));
    my->n = me->rc;
    AX_AWAIT(ax_accept(me, my->any, &my->a));
    LOG("from:%d", strncmp(ax_addr_text(&my->a, my->name, sizeof my->name), "127.0.0.1:", 10) == 0);
    ax_close(me->loop, me->rc), ax_close(me->loop, my->n), ax_close(me->loop, my->any);
    no_ipv6 = 1;
    LOG("one:%d", ax_tcp_listen("::1", 0, 0) == -EAFNOSUPPORT);
    AX_CHECK(my->any = ax_tcp_listen(NULL, 0, 0));
    ax_addr_local(my->any, &my->a);
    no_ipv6 = 0;
    LOG("%.8s", ax_addr_text(&my->a, my->name, sizeof my->name));
    ax_close(me->loop, my->any);
    LOG("flags:%d port:%d", ax_tcp_listen("127.0.0.1", 0, 8) == AX_EINVAL, ax_tcp_listen("127.0.0.1", -1, 0) == AX_EINVAL);
    LOG("host:%d |", ax_tcp_listen("nobody", 0, 0) == AX_ENOENT);

    AX_AWAIT(ax_write_all(me, my->fd, "hi", 2)); /* half close: one direction ends, the other goes on */
    shutdown(my->fd, SHUT_WR);
    AX_AWAIT(ax_read(me, my->conn, &my->text, 10));
    my->n = me->rc;
    AX_AWAIT(ax_read(me, my->conn, &my->byte, 1));
    LOG("%d %d", my->n, me->rc);
    AX_AWAIT(ax_write_all(me, my->conn, "yes", 3));
    AX_AWAIT(ax_read(me, my->fd, my->text, 10));
    LOG("%.3s |", my->text);
    ax_close(me->loop, my->fd);
    AX_AWAIT(ax_checkpoint(me));
    AX_TRY(ax_write(me, my->conn, "x", 1)); /* to one that is gone: the first is told by a reset, the second fails */
    AX_TRY(ax_write(me, my->conn, "x", 1));
    LOG("gone:%d", me->rc == AX_EPIPE || me->rc == -ECONNRESET);
    ax_close(me->loop, my->conn);

    AX_AWAIT(ax_tcp_connect(me, "both", my->port)); /* only IPv4 listens */
    my->fd = me->rc;
    AX_AWAIT(ax_accept(me, my->listener, NULL));
    my->conn = me->rc;
    setsockopt(my->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    AX_AWAIT(ax_write_all(me, my->fd, "z", 1));
    ax_close(me->loop, my->fd); /* a reset */
    AX_TRY(ax_read(me, my->conn, &my->byte, 1));
    my->n = me->rc;
    AX_TRY(ax_read(me, my->conn, &my->byte, 1));
    LOG("reset:%d", my->n == -ECONNRESET || me->rc == -ECONNRESET);
    ax_close(me->loop, my->conn);
    ax_close(me->loop, my->listener);
    AX_TRY(ax_tcp_connect(me, "both", my->port));
    LOG("nobody listens:%d", me->rc == -ECONNREFUSED);
    AX_TRY(ax_tcp_connect(me, "127.0.0.1", my->port));
    LOG("%d", me->rc == -ECONNREFUSED);
    AX_TRY(ax_accept(me, my->listener, NULL));
    LOG("closed:%s", ax_errname(me->rc));
    AX_TRY(ax_connect(me, my->listener, &my->a));
    LOG("%s", ax_errname(me->rc));
    AX_END;
}

/* Addresses that do not answer: a listener whose queue is full lets others wait. */
struct eyeballs {
    ax_frame frame;
    ax_group g;
    int v6, v4, port, fd, i, stuffing[8];
    ax_addr a;
};
AX_ASYNC(eyeballs) {
    AX_BEGIN;
    for (my->v4 = -1; my->v4 < 0;) { /* a port that is free in both families; another program may have either */
        AX_CHECK(my->v6 = ax_tcp_listen("::1", 0, 0));
        ax_addr_local(my->v6, &my->a);
        my->port = ax_addr_port(&my->a);
        if ((my->v4 = ax_tcp_listen("127.0.0.1", my->port, 0)) < 0) ax_close(me->loop, my->v6);
    }
    listen(my->v6, 0);
    for (my->i = 0; my->i < 8; my->i++) { /* full */
        my->stuffing[my->i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(my->stuffing[my->i], (struct sockaddr *)my->a.sockaddr.bytes, my->a.size) == 0) continue;
    }
    AX_AWAIT(ax_tcp_connect(me, "both", my->port));
    my->fd = me->rc;
    ax_addr_peer(my->fd, &my->a);
    LOG("the other family, after 250 ms:%d@%d", axi_family(&my->a) == AF_INET, AT);
    ax_close(me->loop, my->fd);
    ax_close(me->loop, my->v4);
    AX_TRY(AX_WITHIN(AX_MS(100), ax_tcp_connect(me, "::1", my->port)));
    LOG("within:%s@%d", ax_errname(me->rc), AT);
    my->fd = -1;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, connecting, .host = "both", .port = my->port, .fd = &my->fd);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_group_cancel(&my->g);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("cancelled:%d@%d", my->fd, AT);
    for (my->i = 0; my->i < 8; my->i++)
        close(my->stuffing[my->i]);
    ax_close(me->loop, my->v6);
    AX_END;
}
static void interleave_tests(void) {
    static const int families[][6] = {{6, 6, 6, 4, 4, 4}, {4, 4, 6}, {6, 4, 4, 4, 6, 6}, {6, 6, 6}, {4}};
    unsigned k;
    for (k = 0; k < sizeof families / sizeof *families; k++) {
        ax_addr a[6];
        int n = 0;
        for (; n < 6 && families[k][n]; n++) {
            struct sockaddr_storage sa;
            memset(&sa, 0, sizeof sa);
            sa.ss_family = families[k][n] == 6 ? AF_INET6 : AF_INET;
            ((struct sockaddr *)&sa)->sa_data[0] = (char)n;
            axi_addr_set(&a[n], &sa, sizeof sa);
        }
        axi_interleave(a, n);
        while (n--)
            LOG("%d%d", axi_family(&a[n]) == AF_INET6 ? 6 : 4, axi_sockaddr(&a[n])->sa_data[0]);
        LOG("|");
    }
    trace_is("45 62 44 61 43 60 | 41 62 40 | 43 65 42 64 41 60 | 62 61 60 | 40 |", "RFC 8305: the families go by turns");
}

/* ---- paths ---- */

static char dir[64], path[128];
struct paths {
    ax_frame frame;
    ax_group g;
    int listener, fd, i, stuffing[4];
    ax_addr a;
    char text[AX_ADDR_TEXT], longest[200];
};
struct path_client {
    ax_frame frame;
    int fd;
};
AX_ASYNC(path_client) {
    AX_BEGIN;
    AX_TRY(ax_unix_connect(me, path));
    LOG("%s@%d", me->rc >= 0 ? "connected" : ax_errname(me->rc), AT);
    if (me->rc >= 0) ax_close(me->loop, me->rc);
    AX_END;
}
AX_ASYNC(paths) {
    AX_BEGIN;
    AX_CHECK(my->listener = ax_unix_listen(path));
    AX_AWAIT(ax_unix_connect(me, path));
    ax_addr_peer(my->fd = me->rc, &my->a);
    LOG("%d", strcmp(ax_addr_text(&my->a, my->text, sizeof my->text), path) == 0);
    LOG("made:%d%d", well_made(my->fd), well_made(my->listener));
    ax_close(me->loop, my->fd);
    LOG("in use:%d", ax_unix_listen(path) == -EADDRINUSE);
    ax_close(me->loop, my->listener); /* its file stays */
    AX_TRY(ax_unix_connect(me, path));
    LOG("refused:%d", me->rc == -ECONNREFUSED);
    AX_CHECK(my->listener = ax_unix_listen(path));
    LOG("replaced |");
    listen(my->listener, 0); /* full: a client waits until there is room */
    for (my->i = 0; my->i < 4; my->i++) {
        my->stuffing[my->i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(my->stuffing[my->i], (struct sockaddr *)my->a.sockaddr.bytes, my->a.size) < 0) continue;
    }
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, path_client);
    AX_AWAIT(ax_sleep(me, AX_MS(22)));
    for (my->i = 0; my->i < 4; my->i++)
        close(my->stuffing[my->i]);
    for (my->i = 0; my->i < 1; my->i++) {
        AX_AWAIT(ax_accept(me, my->listener, NULL));
        ax_close(me->loop, me->rc);
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_close(me->loop, my->listener);
    unlink(path);
    AX_TRY(ax_unix_connect(me, path));
    LOG("| %s", ax_errname(me->rc));
    memset(my->longest, 'x', sizeof my->longest - 1);
    LOG("%s", ax_errname(ax_unix_listen(my->longest)));
    AX_TRY(ax_unix_connect(me, my->longest));
    LOG("%s %s", ax_errname(me->rc), ax_errname(ax_unix_listen("")));
    close(open(path, O_CREAT | O_WRONLY, 0600)); /* not a socket: not ours to remove */
    LOG("a file:%d %d", ax_unix_listen(path) == -EADDRINUSE, access(path, F_OK));
    unlink(path);
    AX_END;
}

/* ---- datagrams ---- */

struct datagrams {
    ax_frame frame;
    int a, b, n;
    ax_addr at, from;
    char buffer[8], text[AX_ADDR_TEXT];
};
AX_ASYNC(datagrams) {
    AX_BEGIN;
    AX_CHECK(my->a = ax_udp_open("127.0.0.1", 0, 0));
    AX_CHECK(my->b = ax_udp_open("127.0.0.1", 0, 0));
    ax_addr_local(my->a, &my->at);
    AX_AWAIT(ax_sendto(me, my->b, "ping", 4, &my->at));
    LOG("sent:%d", me->rc);
    AX_AWAIT(ax_recvfrom(me, my->a, my->buffer, 8, &my->from));
    LOG("%d:%.4s", me->rc, my->buffer);
    AX_AWAIT(ax_sendto(me, my->a, NULL, 0, &my->from)); /* back, and empty */
    AX_AWAIT(ax_recvfrom(me, my->b, my->buffer, 8, &my->from));
    LOG("%d from:%d", me->rc, ax_addr_port(&my->from) == ax_addr_port(&my->at));
    AX_AWAIT(ax_sendto(me, my->b, "ninebytes", 9, &my->at));
    AX_TRY(ax_recvfrom(me, my->a, my->buffer, 8, NULL));
    LOG("%s:%.8s", ax_errname(me->rc), my->buffer);
    AX_AWAIT(ax_sendto(me, my->b, "one", 3, &my->at));
    AX_TRY(ax_recvfrom(me, my->a, my->buffer, 0, NULL));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_sendto(me, my->b, "x", 1, NULL));
    LOG("to nobody:%d", me->rc == -EDESTADDRREQ);
    AX_AWAIT(ax_connect(me, my->b, &my->at)); /* connected: no address is needed */
    AX_AWAIT(ax_sendto(me, my->b, "to you", 6, NULL));
    AX_AWAIT(ax_read(me, my->a, my->buffer, 8));
    LOG("%.6s", my->buffer);
    AX_TRY(AX_WITHIN(AX_MS(5), ax_recvfrom(me, my->a, my->buffer, 8, &my->from)));
    LOG("%s@%d", ax_errname(me->rc), AT);
    AX_AWAIT(ax_udp_connect(me, "127.0.0.1", ax_addr_port(&my->at)));
    my->n = me->rc;
    AX_AWAIT(ax_write(me, my->n, "short", 5));
    AX_AWAIT(ax_recvfrom(me, my->a, my->buffer, 8, NULL));
    LOG("%.5s:%d", my->buffer, well_made(my->n));
    ax_close(me->loop, my->n);
    ax_close(me->loop, my->a); /* nobody there: told on the next operation */
    AX_AWAIT(ax_sendto(me, my->b, "lost", 4, NULL));
    AX_TRY(ax_recvfrom(me, my->b, my->buffer, 8, NULL));
    LOG("refused:%d", me->rc == -ECONNREFUSED);
    ax_close(me->loop, my->b);
    AX_END;
}

/* ---- gathering ---- */

struct slow_reader {
    ax_frame frame;
    int fd;
    size_t at, step, *all;
    ax_time pause;
    char buffer[4096];
};
AX_ASYNC(slow_reader) { /* checks that the letters come in their order */
    size_t i;
    AX_BEGIN;
    AX_WHILE(ax_read(me, my->fd, my->buffer, my->step)) {
        for (i = 0; i < (size_t)me->rc; i++, my->at++)
            if (my->buffer[i] != letter_at(my->at)) LOG("wrong:%zu", my->at), my->at = SIZE_MAX / 2;
        if (my->pause) AX_AWAIT(ax_sleep(me, my->pause));
    }
    if (my->all) *my->all = my->at;
    else LOG("got:%zu", my->at);
    AX_END;
}
struct gathering {
    ax_frame frame;
    ax_group g;
    int fd[2];
    struct iovec v[200];
    char *letters;
    size_t total;
    int i;
};
AX_ASYNC(gathering) {
    size_t at = 0;
    int i;
    AX_BEGIN;
    make_pair(my->fd);
    make_small(my->fd[0]);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, slow_reader, .fd = my->fd[1], .step = 4096, .pause = AX_MS(1));
    my->letters = (char *)malloc(1 << 20);
    for (i = 0; i < 1 << 20; i++)
        my->letters[i] = letter_at((size_t)i);
    for (i = 0; i < 200; i++) { /* of all sizes, none among them */
        my->v[i].iov_base = my->letters + at;
        my->v[i].iov_len = (size_t)(i % 7 ? i * 13 : 0);
        at += my->v[i].iov_len;
    }
    my->total = at;
    AX_AWAIT(ax_writev(me, my->fd[0], my->v, 200));
    for (i = 0; i < 200; i++)
        at += my->v[i].iov_len;
    LOG("%d left:%d", me->rc, at != 0);
    AX_AWAIT(ax_writev(me, my->fd[0], my->v, 200)); /* used up */
    LOG("%d", me->rc);
    AX_AWAIT(ax_writev(me, my->fd[0], NULL, 0));
    AX_TRY(ax_writev(me, my->fd[0], my->v, -1));
    LOG("%s", ax_errname(me->rc));
    ax_close(me->loop, my->fd[0]);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("of:%zu", my->total);
    ax_close(me->loop, my->fd[1]);
AX_FINALLY:
    free(my->letters);
    AX_END;
}

/* ---- readers ---- */

struct feeder {
    ax_frame frame;
    int fd, bytes;
    const char *text;
    ax_time pause;
}; /* "|" is a pause */
AX_ASYNC(feeder) {
    AX_BEGIN;
    for (; *my->text; my->text++) {
        if (*my->text == '|' || my->bytes) AX_AWAIT(ax_sleep(me, my->pause));
        if (*my->text != '|') AX_AWAIT(ax_write_all(me, my->fd, my->text, 1));
    }
AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}
struct reading {
    ax_frame frame;
    ax_group g;
    int fd[2], bytes;
    ax_reader in;
    char buffer[16], to[64];
};
#define FEED(what)                                                                                                                 \
    do {                                                                                                                           \
        make_pair(my->fd);                                                                                                         \
        is(ax_reader_init(&my->in, my->fd[0], my->buffer, sizeof my->buffer), 0, "a reader");                                      \
        ax_group_open(me, &my->g, 0);                                                                                              \
        AX_SPAWN(&my->g, feeder, .fd = my->fd[1], .text = (what), .bytes = my->bytes, .pause = AX_MS(1));                          \
    } while (0)
#define FED                                                                                                                        \
    do {                                                                                                                           \
        AX_AWAIT(ax_group_join(me, &my->g));                                                                                       \
        ax_close(me->loop, my->fd[0]);                                                                                             \
    } while (0)

AX_ASYNC(reading) {
    AX_BEGIN;
    FEED("one\r\n\n\r\ntw|o\nfour\rteen\nend");
    AX_WHILE(ax_reader_line(me, &my->in)) LOG("<%s>%zu%s", my->in.data, my->in.length, strchr(my->in.data, '\r') ? "r" : "");
    LOG("end:%d", me->rc);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("%d |", me->rc);
    FED;
    FEED("fifteen letters\nsixteen letters.\nmore"); /* the longest item fills the buffer, its end included */
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>", my->in.data);
    AX_TRY(ax_reader_line(me, &my->in));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_reader_line(me, &my->in));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_reader_some(me, &my->in)); /* nothing is lost */
    LOG("<%.*s>", (int)my->in.length, my->in.data);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>", my->in.data);
    AX_AWAIT(ax_reader_exactly(me, &my->in, NULL, 2));
    LOG("dropped:%zu", my->in.length);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s> |", my->in.data);
    FED;
    FEED("kind:|tail");
    AX_AWAIT(ax_reader_peek(me, &my->in, 1));
    LOG("peek:%d<%.*s>", me->rc, (int)my->in.length, my->in.data);
    AX_AWAIT(ax_reader_peek(me, &my->in, 7));
    LOG("%d<%.*s>%d", me->rc, (int)my->in.length, my->in.data, AT);
    AX_AWAIT(ax_reader_until(me, &my->in, ":", 1)); /* all is still there */
    LOG("<%s>", my->in.data);
    AX_TRY(ax_reader_peek(me, &my->in, 5));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_reader_peek(me, &my->in, 4));
    LOG("<%.*s>", (int)my->in.length, my->in.data);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>", my->in.data);
    AX_AWAIT(ax_reader_peek(me, &my->in, 1));
    LOG("%d", me->rc);
    AX_TRY(ax_reader_peek(me, &my->in, 0));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(ax_reader_peek(me, &my->in, sizeof my->buffer + 1));
    LOG("%s |", ax_errname(me->rc));
    FED;
    FEED("a\r--b-|-|c---|-x-d--rest"); /* an end that comes in pieces, and some that are nearly one */
    AX_AWAIT(ax_reader_until(me, &my->in, "--", 2));
    LOG("<%s>", my->in.data);
    AX_AWAIT(ax_reader_until(me, &my->in, "--", 2));
    LOG("<%s>", my->in.data);
    AX_AWAIT(ax_reader_until(me, &my->in, "---", 3));
    LOG("<%s>", my->in.data);
    AX_AWAIT(ax_reader_until(me, &my->in, "--", 2));
    LOG("<%s>", my->in.data);
    AX_TRY(ax_reader_until(me, &my->in, "--", 2));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_reader_some(me, &my->in));
    LOG("<%.*s>", (int)my->in.length, my->in.data);
    AX_TRY(ax_reader_until(me, &my->in, "", 0));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_reader_until(me, &my->in, "--", 2));
    LOG("%d |", me->rc);
    FED;
    AX_END;
}

struct exactly {
    ax_frame frame;
    ax_group g;
    int fd[2], bytes, tries;
    ax_reader in;
    char buffer[16], to[64];
    ax_task *other;
};
struct second {
    ax_frame frame;
    ax_reader *in;
};
AX_ASYNC(second) {
    AX_BEGIN;
    AX_TRY(ax_reader_line(me, my->in));
    LOG("second:%s", ax_errname(me->rc));
    AX_TRY(ax_reader_exactly(me, my->in, NULL, 1));
    LOG("%s", ax_errname(me->rc));
    AX_END;
}
AX_ASYNC(exactly) {
    AX_BEGIN;
    FEED("line\n0123456789abcdefghijklmnopqrst|uvwxyz!tail\nx|y");
    AX_AWAIT(ax_reader_line(me, &my->in));
    AX_AWAIT(ax_reader_exactly(me, &my->in, my->to, 4)); /* from the buffer */
    LOG("%d<%.4s>", me->rc, my->to);
    AX_AWAIT(ax_reader_exactly(me, &my->in, my->to, 33)); /* more than the buffer holds */
    LOG("<%.33s>%zu", my->to, my->in.length);
    AX_AWAIT(ax_reader_exactly(me, &my->in, my->to, 0));
    LOG("%d", me->rc);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>", my->in.data);
    AX_TRY(ax_reader_exactly(me, &my->in, my->to, 3)); /* ends amid them */
    LOG("%s %zu<%.2s>", ax_errname(me->rc), my->in.length, my->to);
    AX_AWAIT(ax_reader_exactly(me, &my->in, my->to, 3));
    LOG("%d |", me->rc);
    FED;
    my->bytes = 1; /* a byte at a time; a wait that is cut short loses nothing */
    FEED("abcdefgh\nABCDEFGH");
    AX_TRY(AX_WITHIN(AX_US(3500), ax_reader_line(me, &my->in)));
    LOG("%s@%d", ax_errname(me->rc), AT);
    ax_cancel(me); /* what never waits meets its cancel all the same */
    for (my->tries = 0; my->tries < 1000 && me->rc != AX_ECANCELED; my->tries++) AX_TRY_ALL(ax_reader_exactly(me, &my->in, my->to, 0));
    LOG("%s", ax_errname(me->rc));
    ax_uncancel(me);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>@%d", my->in.data, AT);
    AX_TRY(AX_WITHIN(AX_US(3500), ax_reader_exactly(me, &my->in, my->to, 8)));
    LOG("%s %zu", ax_errname(me->rc), my->in.length);
    AX_AWAIT(ax_reader_exactly(me, &my->in, my->to + 3, 5));
    LOG("<%.8s>@%d |", my->to, AT);
    FED;
    my->bytes = 0;
    FEED("|||one\n");
    AX_SPAWN(&my->g, second, .in = &my->in);
    AX_AWAIT(ax_reader_line(me, &my->in));
    LOG("<%s>", my->in.data);
    FED;
    LOG("| %s %s", ax_errname(ax_reader_init(&my->in, 0, my->buffer, 1)), ax_errname(ax_reader_init(&my->in, 0, NULL, 9)));
    AX_TRY(ax_reader_line(me, (ax_reader_init(&my->in, 1000, my->buffer, 9), &my->in)));
    LOG("%s", ax_errname(me->rc));
    AX_END;
}

/* ---- writers ---- */

struct writing {
    ax_frame frame;
    ax_group g;
    int fd[2], i;
    ax_writer out;
    char buffer[64], *letters, got[200];
    size_t sent, n, got_all;
};
AX_ASYNC(writing) {
    int i;
    AX_BEGIN;
    make_pair(my->fd);
    is(ax_writer_init(&my->out, my->fd[0], my->buffer, sizeof my->buffer), 0, "a writer");
    AX_AWAIT(ax_writer_printf(me, &my->out, "%s-%d", "abc", 7));
    LOG("waits:%zu", my->out.count);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_read(me, my->fd[1], my->got, 100)));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_writer_flush(me, &my->out));
    AX_AWAIT(ax_read(me, my->fd[1], my->got, 100));
    LOG("%.*s left:%zu", me->rc, my->got, my->out.count);
    AX_AWAIT(ax_writer_write(me, &my->out, "0123456789012345678901234567890123456789", 40)); /* more than half: it goes */
    AX_AWAIT(ax_read(me, my->fd[1], my->got, 100));
    LOG("went:%d left:%zu", me->rc, my->out.count);
    AX_AWAIT(ax_writer_printf(me, &my->out, "%30s", "")); /* less than half, and what makes it more */
    AX_AWAIT(ax_writer_printf(me, &my->out, "%3s", ""));
    LOG("left:%zu", my->out.count);
    AX_TRY(ax_writer_printf(me, &my->out, "%32s", ""));
    LOG("too long:%s left:%zu", ax_errname(me->rc), my->out.count);
    AX_AWAIT(ax_writer_flush(me, &my->out)); /* nothing to do */
    AX_AWAIT(ax_read(me, my->fd[1], my->got, 100));
    LOG("%d |", me->rc);

    /* back-pressure: the writer waits for the reader, and all comes in order */
    make_small(my->fd[0]);
    my->letters = (char *)malloc(100000);
    for (i = 0; i < 100000; i++)
        my->letters[i] = letter_at((size_t)i);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, slow_reader, .fd = my->fd[1], .step = 1000, .pause = AX_MS(1));
    for (my->i = 0; my->sent < 100000; my->i++) {
        my->n = (size_t)(my->i * 37 % 300) < 100000 - my->sent ? (size_t)(my->i * 37 % 300) : 100000 - my->sent;
        AX_AWAIT(ax_writer_write(me, &my->out, my->letters + my->sent, my->n));
        my->sent += my->n;
        if (my->out.count > 32) LOG("too much stays:%zu", my->out.count);
    }
    AX_AWAIT(ax_writer_flush(me, &my->out));
    LOG("left:%zu waited:%d", my->out.count, AT > 10);
    ax_close(me->loop, my->fd[0]);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_close(me->loop, my->fd[1]);
    LOG("|");

    /* nobody reads: the wait is cut short, and what was taken stays, in its place */
    make_pair(my->fd);
    make_small(my->fd[0]);
    ax_writer_init(&my->out, my->fd[0], my->buffer, sizeof my->buffer);
    for (my->sent = 0; my->sent < 100000 - 31; my->sent += 31) {
        AX_TRY(AX_WITHIN(AX_MS(1), ax_writer_write(me, &my->out, my->letters + my->sent, 31)));
        if (me->rc < 0) break;
    }
    my->sent += 31;
    LOG("%s more:%d", ax_errname(me->rc), my->out.count > 32);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_writer_flush(me, &my->out)));
    LOG("%s", ax_errname(me->rc));
    AX_TRY(AX_WITHIN(AX_MS(1), ax_writer_printf(me, &my->out, "%c%c", letter_at(my->sent), letter_at(my->sent + 1))));
    if (me->rc == AX_ETIMEDOUT) my->sent += 2; /* it is in the buffer */
    do {
        AX_TRY(AX_WITHIN(AX_MS(1), ax_writer_printf(me, &my->out, "%c", letter_at(my->sent))));
        if (me->rc == AX_ETIMEDOUT) my->sent++;
    } while (me->rc == AX_ETIMEDOUT);
    LOG("full:%s", ax_errname(me->rc));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, slow_reader, .fd = my->fd[1], .step = 4096, .all = &my->got_all);
    AX_AWAIT(ax_writer_flush(me, &my->out));
    ax_close(me->loop, my->fd[0]);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%s", my->sent == my->got_all ? "all came" : "some did not");
    ax_close(me->loop, my->fd[1]);
    LOG("|");

    make_pair(my->fd); /* the other end is gone */
    ax_writer_init(&my->out, my->fd[0], my->buffer, sizeof my->buffer);
    ax_close(me->loop, my->fd[1]);
    AX_AWAIT(ax_writer_write(me, &my->out, "unheard", 7));
    AX_TRY(ax_writer_flush(me, &my->out));
    LOG("%s left:%zu", ax_errname(me->rc), my->out.count);
    ax_close(me->loop, my->fd[0]);
    LOG("%s", ax_errname(ax_writer_init(&my->out, 0, my->buffer, 0)));
AX_FINALLY:
    free(my->letters);
    AX_END;
}

/* What has gone from the front of the buffer makes room at its end. A pipe takes a part of what is larger than 4,096 bytes. */
struct makes_room {
    ax_frame frame;
    int fd[2], before;
    ax_writer out;
    char buffer[8000], data[8050], got[8050];
    size_t n;
};
AX_ASYNC(makes_room) {
    ssize_t n;
    size_t i;
    AX_BEGIN;
    for (i = 0; i < sizeof my->data; i++) my->data[i] = letter_at(i);
    AX_CHECK(ax_sys(pipe(my->fd)));
    AX_CHECK(ax_nonblocking(my->fd[0]));
    AX_CHECK(ax_nonblocking(my->fd[1]));
    while ((n = write(my->fd[1], my->got, 4096)) > 0) my->before += (int)n;
    if (read(my->fd[0], my->got, 4096) != 4096) abort();
    my->before -= 4096;
    ax_writer_init(&my->out, my->fd[1], my->buffer, sizeof my->buffer);
    AX_AWAIT(ax_writer_write(me, &my->out, my->data, 6000)); /* the rest may stay, being less than half */
    LOG("left:%zu", my->out.count);
    AX_AWAIT(ax_writer_write(me, &my->out, my->data + 6000, 2050)); /* and so may this, which has no room behind it */
    LOG("left:%zu", my->out.count);
    while (my->before > 0) {
        n = read(my->fd[0], my->got, my->before < 4096 ? (size_t)my->before : 4096);
        if (n <= 0) abort();
        my->before -= (int)n;
    }
    AX_AWAIT(ax_writer_flush(me, &my->out));
    ax_close(me->loop, my->fd[1]);
    while ((n = read(my->fd[0], my->got + my->n, sizeof my->got - my->n)) > 0) my->n += (size_t)n;
    ax_close(me->loop, my->fd[0]);
    LOG("all:%d", my->n == sizeof my->data && memcmp(my->got, my->data, my->n) == 0);
    AX_END;
}

/* Without memory for what the loop knows of a descriptor an operation that need not wait is done all the same. */
struct unknown { ax_frame frame; int low[2], fd; char bytes[8]; struct iovec v[2]; ax_writer out; char buffer[8]; };
#define NO_MEMORY() (kit_fail_at = kit_allocations + 1)
AX_ASYNC(unknown) {
    AX_BEGIN;
    make_pair(my->low);
    AX_CHECK(my->fd = ax_sys(fcntl(my->low[0], F_DUPFD_CLOEXEC, 900)));
    NO_MEMORY();
    AX_AWAIT(ax_write_all(me, my->fd, "ab", 2));
    my->v[0].iov_base = my->v[1].iov_base = my->bytes + 6;
    my->v[0].iov_len = my->v[1].iov_len = 1;
    my->bytes[6] = 'c';
    NO_MEMORY();
    AX_AWAIT(ax_writev(me, my->fd, my->v, 2));
    ax_writer_init(&my->out, my->fd, my->buffer, sizeof my->buffer);
    NO_MEMORY();
    AX_AWAIT(ax_writer_write(me, &my->out, "defgh", 5));
    NO_MEMORY();
    AX_AWAIT(ax_writer_flush(me, &my->out));
    AX_AWAIT(ax_read(me, my->low[1], my->buffer, sizeof my->buffer));
    LOG("%.*s", me->rc, my->buffer);
    put(my->low[1]);
    NO_MEMORY();
    AX_AWAIT(ax_read(me, my->fd, my->bytes, sizeof my->bytes));
    LOG("%.*s", me->rc, my->bytes);
    ax_close(me->loop, my->low[0]), ax_close(me->loop, my->low[1]), ax_close(me->loop, my->fd);
    AX_END;
}

/* Regular files are always ready, beside what is waited for. */
struct files { ax_frame frame; ax_group g; int file, fd[2], seen; ax_watch w; char byte; };
static void sees_file(ax_loop *l, unsigned events, void *arg) {
    struct files *f = (struct files *)arg;
    (void)l;
    if (events != AX_OUT) LOG("events:%u", events);
    if (++f->seen == 3) ax_watch_set(&f->w, 0); /* level-triggered: each turn, until it is not wanted */
    if (f->seen == 3) put(f->fd[1]);
}
AX_ASYNC(files) {
    AX_BEGIN;
    snprintf(path, sizeof path, "%s/file", dir);
    AX_CHECK(my->file = ax_sys(open(path, O_CREAT | O_RDWR, 0600)));
    make_pair(my->fd);
    AX_AWAIT(ax_wait_fd(me, my->file, AX_IN));
    LOG("in:%d", me->rc);
    AX_AWAIT(ax_wait_fd(me, my->file, AX_OUT));
    LOG("out:%d", me->rc);
    AX_CHECK(ax_watch_start(me->loop, &my->w, my->file, AX_OUT, sees_file, my));
    AX_AWAIT(ax_read(me, my->fd[0], &my->byte, 1));
    LOG("seen:%d", my->seen);
    AX_AWAIT(ax_write_all(me, my->file, "text", 4));
    ax_close(me->loop, my->file); /* which stops the watch */
    LOG("stop:%d", ax_watch_stop(&my->w));
    AX_CHECK(my->file = dup(my->fd[0])); /* the number is a socket's now: not always ready */
    AX_TRY(AX_WITHIN(AX_MS(1), ax_wait_fd(me, my->file, AX_IN)));
    LOG("%s", ax_errname(me->rc));
    ax_close(me->loop, my->file);
    AX_FINALLY:
    unlink(path);
    ax_close(me->loop, my->fd[0]), ax_close(me->loop, my->fd[1]);
    AX_END;
}

/* ---- pipes, and signals that do not come ---- */

struct pipes {
    ax_frame frame;
    int p[2], i;
    struct iovec v;
    char byte;
};
AX_ASYNC(pipes) {
    sigset_t pending;
    AX_BEGIN;
    for (my->i = 0; my->i < 3; my->i++) { /* the number comes anew, each time closed behind the loop's back */
        if (pipe(my->p) < 0 || ax_nonblocking(my->p[0]) < 0 || ax_nonblocking(my->p[1]) < 0) abort();
        AX_TRY(AX_WITHIN(AX_MS(1), ax_read(me, my->p[0], &my->byte, 1)));
        AX_AWAIT(ax_write_all(me, my->p[1], "x", 1));
        AX_AWAIT(ax_read(me, my->p[0], &my->byte, 1));
        LOG("%d%c", me->rc, my->byte);
        close(my->p[0]);
        AX_TRY(ax_write_all(me, my->p[1], "y", 1)); /* nobody will read it */
        LOG("%s", ax_errname(me->rc));
        AX_TRY(ax_write(me, my->p[1], "y", 1));
        my->v.iov_base = &my->byte;
        my->v.iov_len = 1;
        AX_TRY(ax_writev(me, my->p[1], &my->v, 1));
        LOG("%s %zu", ax_errname(me->rc), my->v.iov_len);
        close(my->p[1]);
    }
    sigpending(&pending);
    LOG("pending:%d", sigismember(&pending, SIGPIPE));
    AX_END;
}

/* ---- the ready-made server ---- */

struct polite {
    ax_frame frame;
    int fd;
    ax_reader in;
    char buffer[32];
};
AX_ASYNC(polite) { /* "work N": N ms of work, and an answer; "fail": an error; else an echo */
    int n;
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    AX_WHILE(ax_reader_line(me, &my->in)) {
        if (strcmp(my->in.data, "fail") == 0) AX_RETURN(AX_EINVAL);
        if (sscanf(my->in.data, "work %d", &n) == 1) AX_AWAIT(ax_sleep(me, AX_MS(n)));
        AX_AWAIT(ax_write_all(me, my->fd, "ok\n", 3));
    }
    LOG("end@%d", AT);
AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("served:%s@%d", ax_errname(ax_leaving(me)), AT);
    AX_END;
}
static ax_op serve_politely(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    ++*(int *)arg;
    if (!ax_addr_port(peer)) LOG("who?");
    return AX_CALL(polite, .fd = fd);
}
struct asks {
    ax_frame frame;
    const char *name, *text;
    int port, fd;
    char answer[8];
};
AX_ASYNC(asks) {
    AX_BEGIN;
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", my->port));
    my->fd = me->rc;
    AX_AWAIT(ax_write_all(me, my->fd, my->text, strlen(my->text)));
    AX_TRY(ax_read(me, my->fd, my->answer, sizeof my->answer));
    LOG("%s:%d@%d", my->name, me->rc, AT);
AX_FINALLY:
    if (my->fd >= 0) ax_close(me->loop, my->fd);
    AX_END;
}
static int heard[3]; /* ended well, failed, cut off */
static void hears(int status, const ax_addr *peer, void *arg) {
    if (peer->size && arg) heard[status >= 0 ? 0 : status == AX_ECANCELED ? 2 : 1]++;
}
struct served {
    ax_frame frame;
    ax_group g, server;
    int listener, port, count, before, closes;
    ax_task *t;
    ax_addr a;
};
AX_ASYNC(served) {
    AX_BEGIN;
    my->before = open_fds(1024);
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    ax_addr_local(my->listener, &my->a);
    my->port = ax_addr_port(&my->a);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->t = ax_task_ref(AX_SPAWN(&my->g, ax_server, .fd = my->listener, .serve = serve_politely, .ended = hears, .arg = &my->count, .max_clients = 2,
                                 .grace = AX_MS(50)));
    memset(heard, 0, sizeof heard);
    AX_SPAWN(&my->g, asks, .name = "A", .text = "work 10\n", .port = my->port, .fd = -1);
    AX_SPAWN(&my->g, asks, .name = "B", .text = "fail\n", .port = my->port, .fd = -1);
    AX_SPAWN(&my->g, asks, .name = "C", .text = "work 5\n", .port = my->port, .fd = -1); /* has to wait for a place */
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("count:%d |", my->count);
    AX_SPAWN(&my->g, asks, .name = "D", .text = "work 30\n", .port = my->port, .fd = -1); /* within the grace time */
    AX_SPAWN(&my->g, asks, .name = "E", .text = "work 90\n", .port = my->port, .fd = -1); /* not */
    AX_SPAWN(&my->g, asks, .name = "F", .text = "work 1\n", .port = my->port, .fd = -1);  /* never accepted */
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (my->closes) ax_close(me->loop, my->listener);
    else ax_cancel(my->t);
    AX_TRY(ax_join(me, my->t));
    LOG("%s@%d count:%d heard:%d+%d+%d", ax_errname(me->rc), AT, my->count, heard[0], heard[1], heard[2]);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("kept:%d", open_fds(1024) - my->before);
    my->listener = ax_udp_open("127.0.0.1", 0, 0); /* not one that listens */
    AX_TRY(AX_CALL(ax_server, .fd = my->listener, .serve = serve_politely));
    LOG("%d", me->rc == -EOPNOTSUPP);
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    AX_TRY(AX_CALL(ax_server, .fd = my->listener));
    LOG("%s kept:%d", ax_errname(me->rc), open_fds(1024) - my->before);
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    ax_group_open(me, &my->server, AX_GROUP_COLLECT);
    ax_cancel(AX_SPAWN(&my->server, ax_server, .fd = my->listener, .serve = serve_politely)); /* before it began */
    AX_AWAIT(ax_group_join(me, &my->server));
    LOG("kept:%d", open_fds(1024) - my->before);
AX_FINALLY:
    ax_task_unref(my->t);
    AX_END;
}

/* A client that closes its connection itself, which it may not. */
static ax_op closes_itself(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    (void)peer;
    LOG("close:%s", ax_errname(ax_close(me->loop, fd)));
    ax_fd_closing(me->loop, fd);
    if (ax_close(me->loop, fd) != AX_EPERM) LOG("closed");
    if (++*(int *)arg == 3) return ax_done(42);
    return AX_CALL(polite, .fd = fd);
}
static void logs_end(int status, const ax_addr *peer, void *arg) {
    (void)peer, (void)arg;
    LOG("ended:%s", status == 42 ? "42" : ax_errname(status));
}
struct hasty { ax_frame frame; ax_addr a; };
AX_ASYNC(hasty) {
    AX_BEGIN;
    AX_CHECK(ax_tcp_listen("127.0.0.1", 0, 0));
    AX_AWAIT(AX_CALL(ax_server, .fd = me->rc, .serve = closes_itself, .grace = 5));
    AX_END;
}
struct refuses_close { ax_frame frame; ax_group g; ax_addr a; int count; };
AX_ASYNC(refuses_close) {
    AX_BEGIN;
    AX_CHECK(ax_tcp_listen("127.0.0.1", 0, 0));
    ax_addr_local(me->rc, &my->a);
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, ax_server, .fd = me->rc, .serve = closes_itself, .arg = &my->count, .ended = logs_end);
    AX_AWAIT(AX_CALL(asks, .name = "A", .text = "work 1\n", .port = ax_addr_port(&my->a), .fd = -1));
    AX_TRY(AX_CALL(asks, .name = "B", .text = "fail\n", .port = ax_addr_port(&my->a), .fd = -1)); /* the same number again */
    AX_TRY(AX_CALL(asks, .name = "C", .text = "", .port = ax_addr_port(&my->a), .fd = -1));
    AX_TRY(ax_done(ax_sys(close(-1))));
    LOG("%s %d", ax_errname(me->rc), ax_sys(3));
    AX_END;
}

/* No memory for a connection: it is closed, and the server goes on. */
struct poor { ax_frame frame; ax_group g; ax_addr a; int count, asks; char byte; };
AX_ASYNC(poor) {
    AX_BEGIN;
    AX_CHECK(ax_tcp_listen("127.0.0.1", 0, 0));
    ax_addr_local(me->rc, &my->a);
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, ax_server, .fd = me->rc, .serve = serve_politely, .arg = &my->count, .ended = logs_end, .max_clients = 1);
    AX_AWAIT(AX_CALL(asks, .name = "A", .text = "work 1\n", .port = ax_addr_port(&my->a), .fd = -1)); /* it waits by now */
    my->asks = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    AX_AWAIT(ax_connect(me, my->asks, &my->a));
    kit_fail_at = kit_allocations + 1;
    AX_TRY(ax_read(me, my->asks, &my->byte, 1));
    LOG("%d", me->rc);
    ax_close(me->loop, my->asks);
    AX_AWAIT(AX_CALL(asks, .name = "C", .text = "work 1\n", .port = ax_addr_port(&my->a), .fd = -1));
    LOG("count:%d", my->count);
    AX_END;
}

/* ---- descriptors that show events though nobody can have any; on the real clock, since a virtual one jumps over idle turns ---- */

/* More are ready than are told of at once: what the last of them asks for is not slept over. */
static struct many { int fd[2]; ax_watch w; } many[80];
static ax_callback many_soon;
static int many_seen;
static void nothing(ax_loop *l, void *arg) { (void)l, (void)arg; }
static void sees_one(ax_loop *l, unsigned events, void *arg) {
    struct many *one = (struct many *)arg;
    char byte;
    if (!(events & AX_IN) || read(one->fd[0], &byte, 1) != 1) abort();
    if (!many_seen++) ax_soon(l, &many_soon, nothing, NULL);
    if (many_seen == 80) ax_loop_stop(l);
}
static void many_test(void) {
    static ax_loop loop;
    ax_loop_desc *d = kit_desc();
    int i;
    d->flags = 0;
    if (ax_loop_open(&loop, d) < 0) abort();
    for (i = 0; i < 80; i++) {
        make_pair(many[i].fd);
        put(many[i].fd[1]);
        ax_watch_start(&loop, &many[i].w, many[i].fd[0], AX_IN, sees_one, &many[i]);
    }
    is(ax_loop_run(&loop), 0, "a loop that the last of many watches stops,");
    is(many_seen, 80, "... when all were called");
    for (i = 0; i < 80; i++) ax_close(&loop, many[i].fd[0]), close(many[i].fd[1]);
    ax_loop_close(&loop);
    is(kit_balance, 0, "... and nothing is kept");
}

struct ghosts {
    ax_frame frame;
    ax_group g;
    int p[2], copy, file;
    unsigned polls;
    ax_watch w;
    char byte;
};
static void ignore(ax_loop *l, unsigned events, void *arg) { (void)l, (void)events, (void)arg; }
AX_ASYNC(ghosts) {
    AX_BEGIN;
    if (pipe(my->p) < 0 || ax_nonblocking(my->p[0]) < 0) abort();
    AX_TRY(AX_WITHIN(AX_MS(1), ax_read(me, my->p[0], &my->byte, 1)));
    my->copy = dup(my->p[0]);
    close(my->p[0]); /* behind the loop's back, and it is still open */
    if (write(my->p[1], "x", 1) != 1) abort();
    my->polls = me->loop->polls;
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("few:%d", me->loop->polls - my->polls < 10);
    close(my->copy), close(my->p[1]);

    my->file = open(dir, O_RDONLY); /* never anything urgent */
    AX_CHECK(my->file);
    ax_watch_start(me->loop, &my->w, my->file, AX_PRI, ignore, NULL);
    my->polls = me->loop->polls;
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("few:%d", me->loop->polls - my->polls < 10);
    ax_watch_stop(&my->w);
    my->polls = me->loop->polls;
    AX_AWAIT(ax_sleep(me, AX_MS(3)));
    LOG("few:%d", me->loop->polls - my->polls < 10);
    ax_close(me->loop, my->file);
    AX_END;
}
static void ghosts_test(void) {
    ax_loop_desc *d = kit_desc();
    d->flags = 0;
    kit_judge("what shows events for ever does not keep the loop busy", AX_RUN_WITH(d, ghosts), 0, "few:1 few:1 few:1", NULL, __FILE__,
              __LINE__);
}

/* ---- a server's end, which its clients see ---- */

struct idle_client { ax_frame frame; int fd; char buffer[16]; ax_reader in; };
AX_ASYNC(idle_client) {
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    AX_WHILE(ax_reader_line(me, &my->in)) LOG("<%s>", my->in.data);
    LOG("end:%d@%d", me->rc, AT);
    AX_AWAIT(ax_write_all(me, my->fd, "bye", 3));
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("left:%d@%d", ax_leaving(me), AT);
    AX_END;
}
static ax_op serve_idle(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    (void)peer;
    *(int *)arg = fd;
    return AX_CALL(idle_client, .fd = fd);
}
static void tells_idle(void *arg) {
    LOG("ending");
    shutdown(*(int *)arg, SHUT_RD);
}
struct ends_input { ax_frame frame; int end_input, tells, idle, listener, fd; ax_addr a; ax_group g; ax_task *server; char in[8]; };
AX_ASYNC(ends_input) {
    AX_BEGIN;
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    AX_CHECK(ax_addr_local(my->listener, &my->a));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->server = AX_SPAWN(&my->g, ax_server, .fd = my->listener, .serve = serve_idle, .arg = &my->idle, .grace = AX_SEC(5),
                          .end_input = my->end_input, .ending = my->tells ? tells_idle : NULL);
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", ax_addr_port(&my->a)));
    my->fd = me->rc;
    AX_AWAIT(ax_write_all(me, my->fd, "line\n", 5));
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    ax_cancel(my->server);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(ax_read(me, my->fd, my->in, sizeof my->in));
    LOG("%.*s@%d", me->rc, my->in, AT);
    ax_close(me->loop, my->fd);
    AX_END;
}

static int late_clients;
static ax_op serve_late(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    (void)peer, (void)arg, (void)fd;
    late_clients++;
    return ax_sleep(me, AX_SEC(1));
}
struct stops_accepting { ax_frame frame; int listener, fd[20], i; ax_addr a; ax_group g; ax_task *server; };
AX_ASYNC(stops_accepting) { /* cancelled while many wait to be accepted */
    AX_BEGIN;
    late_clients = 0;
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    AX_CHECK(ax_addr_local(my->listener, &my->a));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->server = AX_SPAWN(&my->g, ax_server, .fd = my->listener, .serve = serve_late, .grace = AX_MS(5));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    for (my->i = 0; my->i < 20; my->i++) {
        my->fd[my->i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(my->fd[my->i], (struct sockaddr *)my->a.sockaddr.bytes, my->a.size) < 0) abort();
    }
    ax_cancel(my->server);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("late:%d", late_clients > 1); /* one may have been accepted by then */
    for (my->i = 0; my->i < 20; my->i++) close(my->fd[my->i]);
    AX_END;
}

/* ---- operations that never have to wait ---- */

static int endless_ops;
struct reads_once { ax_frame frame; int fd, tidy; char buffer[8]; };
AX_ASYNC(reads_once) {
    AX_BEGIN;
    AX_AWAIT(ax_read(me, my->fd, my->buffer, sizeof my->buffer));
    AX_FINALLY:
    if (my->tidy) AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
struct emits { ax_frame frame; int fd; char buffer[8]; };
AX_ASYNC(emits) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_read(me, my->fd, my->buffer, sizeof my->buffer));
        AX_EMIT();
    }
    AX_END;
}
struct endless { ax_frame frame; int what, fd; ax_reader in; ax_writer out; char buffer[64]; AX_GENERATOR(emits) gen; };
AX_ASYNC(endless) {
    AX_BEGIN;
    my->fd = open(my->what == 1 || my->what == 3 ? "/dev/null" : "/dev/zero", O_RDWR | O_NONBLOCK);
    AX_CHECK(my->fd);
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    ax_writer_init(&my->out, my->fd, my->buffer, sizeof my->buffer);
    for (;;) {
        endless_ops++;
        if (my->what == 0) AX_AWAIT(ax_read(me, my->fd, my->buffer, sizeof my->buffer));
        else if (my->what == 1) AX_AWAIT(ax_write_all(me, my->fd, "x", 1));
        else if (my->what == 2) AX_AWAIT(ax_reader_some(me, &my->in));
        else if (my->what == 3) AX_AWAIT(ax_writer_write(me, &my->out, "abc", 3));
        else if (my->what != 6) AX_AWAIT(AX_CALL(reads_once, .fd = my->fd, .tidy = my->what == 5));
        else if (endless_ops == 1) AX_CHECK(AX_GENERATE(&my->gen, emits, .fd = my->fd));
        else AX_AWAIT(ax_next(me, &my->gen.generator));
    }
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}
struct ends_endless { ax_frame frame; ax_group g; int what, i, before; };
AX_ASYNC(ends_endless) {
    AX_BEGIN;
    for (my->what = 0; my->what < 7; my->what++) {
        endless_ops = 0;
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, endless, .what = my->what);
        for (my->i = 0; my->i < 5; my->i++) AX_AWAIT(ax_checkpoint(me));
        my->before = endless_ops;
        ax_group_cancel(&my->g);
        AX_AWAIT(ax_group_join(me, &my->g));
        LOG("%d:%s", my->what, my->before && endless_ops - my->before < 300 ? "ends" : "goes on");
    }
    AX_END;
}

/* The same where the descriptor's number is far beyond those that were used before. */
struct far_away { ax_frame frame; int fd, reads; char byte; };
AX_ASYNC(far_away) {
    AX_BEGIN;
    AX_CHECK(ax_sys(open("/dev/zero", O_RDONLY | O_NONBLOCK)));
    my->fd = fcntl(me->rc, F_DUPFD, 300);
    close(me->rc);
    ax_cancel(me);
    for (my->reads = 0; my->reads < 1000; my->reads++) AX_AWAIT(ax_read(me, my->fd, &my->byte, 1));
    AX_FINALLY:
    LOG("%d", my->reads);
    ax_close(me->loop, my->fd);
    AX_END;
}

/* ---- virtual time, and operations that take turns ---- */

struct takes_turns { ax_frame frame; int fd[2], i; ax_reader r; char buffer[16], much[4096]; struct iovec v[3000]; };
AX_ASYNC(takes_turns) {
    AX_BEGIN;
    make_pair(my->fd);
    AX_AWAIT(ax_write_all(me, my->fd[1], my->much, sizeof my->much));
    ax_reader_init(&my->r, my->fd[0], my->buffer, sizeof my->buffer);
    AX_TRY(AX_WITHIN(AX_SEC(1), ax_reader_exactly(me, &my->r, NULL, sizeof my->much)));
    LOG("read:%s@%d", me->rc < 0 ? ax_errname(me->rc) : "all", AT);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    if (pipe(my->fd) < 0 || ax_nonblocking(my->fd[0]) < 0 || ax_nonblocking(my->fd[1]) < 0) abort();
    for (my->i = 0; my->i < 3000; my->i++) my->v[my->i].iov_base = my->much, my->v[my->i].iov_len = 1;
    AX_TRY(AX_WITHIN(AX_SEC(1), ax_writev(me, my->fd[1], my->v, 3000)));
    LOG("written:%s@%d", me->rc < 0 ? ax_errname(me->rc) : "all", AT);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

/* ---- an error that two are entitled to ---- */

struct connects { ax_frame frame; int fd; ax_addr *a; };
AX_ASYNC(connects) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(2), ax_connect(me, my->fd, my->a)));
    LOG("connect:%s", ax_errname(me->rc));
    AX_END;
}
struct reads_too { ax_frame frame; int fd; char byte; };
AX_ASYNC(reads_too) {
    AX_BEGIN;
    AX_TRY(ax_read(me, my->fd, &my->byte, 1));
    LOG("read:%s", ax_errname(me->rc));
    AX_END;
}
struct refused_to_two { ax_frame frame; int bound, fd; ax_addr a; ax_group g; };
AX_ASYNC(refused_to_two) {
    struct sockaddr_in s;
    AX_BEGIN;
    AX_CHECK(my->bound = socket(AF_INET, SOCK_STREAM, 0));
    memset(&s, 0, sizeof s);
    s.sin_family = AF_INET;
    s.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(my->bound, (struct sockaddr *)&s, sizeof s) < 0) abort(); /* and does not listen */
    AX_CHECK(ax_addr_local(my->bound, &my->a));
    AX_CHECK(my->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, connects, .fd = my->fd, .a = &my->a);
    AX_SPAWN(&my->g, reads_too, .fd = my->fd);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_close(me->loop, my->fd);
    ax_close(me->loop, my->bound);
    AX_END;
}

/* ---- small things ---- */

struct edges { ax_frame frame; int fd[2]; ax_reader r; ax_writer w; char buffer[4]; sigset_t set, old; };
AX_ASYNC(edges) {
    AX_BEGIN;
    make_pair(my->fd);
    ax_reader_init(&my->r, my->fd[0], my->buffer, sizeof my->buffer);
    AX_AWAIT(ax_write_all(me, my->fd[1], "<-->", 4));
    AX_AWAIT(ax_reader_until(me, &my->r, "<-->", 4));
    LOG("%d:%d", me->rc, (int)my->r.length);
    AX_TRY(ax_reader_until(me, &my->r, "<--->", 5));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_write_all(me, my->fd[1], "a:b", 3));
    AX_TRY(AX_WITHIN(AX_MS(1), ax_reader_until(me, &my->r, ";", 1)));
    AX_AWAIT(ax_reader_until(me, &my->r, ":", 1)); /* what was searched in vain is searched for another end */
    LOG("%s", my->r.data);
    AX_AWAIT(ax_write_all(me, my->fd[1], "cde", 3));
    shutdown(my->fd[1], SHUT_WR);
    AX_TRY(ax_reader_line(me, &my->r)); /* as long as the buffer, with no room for a 0 */
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_reader_some(me, &my->r));
    LOG("%.*s", (int)my->r.length, my->r.data);
    ax_writer_init(&my->w, my->fd[0], my->buffer, 7);
    AX_TRY(ax_writer_printf(me, &my->w, "abcd"));
    LOG("%s", ax_errname(me->rc));
    AX_AWAIT(ax_writer_printf(me, &my->w, "abc")); /* shorter than half of it */
    ax_writer_init(&my->w, my->fd[0], my->buffer, 1);
    AX_AWAIT(ax_writer_write(me, &my->w, NULL, 0));
    AX_AWAIT(ax_writer_write(me, &my->w, "x", 1));
    AX_AWAIT(ax_writer_flush(me, &my->w));
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    if (pipe(my->fd) < 0 || ax_nonblocking(my->fd[1]) < 0) abort();
    ax_close(me->loop, my->fd[0]);
    sigemptyset(&my->set);
    sigaddset(&my->set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &my->set, &my->old);
    AX_TRY(ax_write(me, my->fd[1], "x", 1));
    sigpending(&my->set);
    LOG("%s pending:%d", ax_errname(me->rc), sigismember(&my->set, SIGPIPE));
    pthread_sigmask(SIG_SETMASK, &my->old, NULL);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

/* ---- descriptors that block, and those of the standard streams ---- */

struct blocks { ax_frame frame; int p[2], i, near, far; char c; ax_addr a; };
AX_ASYNC(blocks) {
    AX_BEGIN;
    if (pipe(my->p) < 0 || write(my->p[1], "abc", 3) != 3) abort();
    if (my->i == 2) { /* to connect may block, too */
        AX_CHECK(my->far = ax_tcp_listen("127.0.0.1", 0, 0));
        ax_addr_local(my->far, &my->a);
        my->near = socket(AF_INET, SOCK_STREAM, 0);
        AX_AWAIT(ax_connect(me, my->near, &my->a));
        ax_close(me->loop, my->near), ax_close(me->loop, my->far);
    }
    if (my->i) ax_nonblocking(my->p[0]);
    AX_AWAIT(ax_read(me, my->p[0], &my->c, 1));
    LOG("%c", my->c);
    ax_close(me->loop, my->p[0]);
    ax_close(me->loop, my->p[1]);
    AX_CHECK(my->p[0] = open("/proc/self/stat", O_RDONLY)); /* a file does not wait for others */
    AX_AWAIT(ax_read(me, my->p[0], &my->c, 1));
    ax_close(me->loop, my->p[0]);
    AX_END;
}
struct runs_another { ax_frame frame; struct blocks blocks; ax_group g; };
AX_ASYNC(runs_another) { /* as a library that has a loop of its own */
    AX_BEGIN;
    AX_SPAWN(&my->g, blocks); /* not open: reported */
    AX_CHECK(AX_RUN(blocks, .i = 1));
    AX_END;
}
/* A reader that waited in vain before its buffer was full. */
struct overflows { ax_frame frame; int fd[2], i; ax_reader in; char buffer[8]; };
AX_ASYNC(overflows) {
    AX_BEGIN;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, my->fd) < 0) AX_RETURN(-errno);
    AX_CHECK(ax_nonblocking(my->fd[0]));
    ax_reader_init(&my->in, my->fd[0], my->buffer, sizeof my->buffer);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_reader_line(me, &my->in)));
    if (write(my->fd[1], "12345678", 8) != 8) AX_RETURN(AX_EPIPE);
    for (my->i = 0; my->i < 3; my->i++) {
        AX_TRY(AX_WITHIN(AX_MS(5), ax_reader_line(me, &my->in)));
        LOG("%s", ax_errname(me->rc));
    }
    AX_AWAIT(ax_reader_some(me, &my->in));
    LOG("%.*s@%d", (int)my->in.length, my->in.data, AT);
    AX_FINALLY:
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
/* Operations on nothing, which are done at once: in a loop they meet a cancel all the same. */
struct on_nothing { ax_frame frame; int what, n; char byte; ax_reader in; };
AX_ASYNC(on_nothing) {
    AX_BEGIN;
    ax_reader_init(&my->in, 1000, &my->byte, 1);
    for (;;) {
        if (my->what == 0) AX_TRY(ax_read(me, 1000, &my->byte, 0));
        else if (my->what == 1) AX_TRY(ax_writev(me, 1000, NULL, -1));
        else AX_TRY(ax_reader_until(me, &my->in, "", 0));
        if (++my->n == 2000) AX_RETURN(AX_EFAULT);
    }
    AX_END;
}
struct over_nothing { ax_frame frame; ax_group g; AX_TASK(on_nothing) task[3]; int i; };
AX_ASYNC(over_nothing) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    for (my->i = 0; my->i < 3; my->i++) AX_SPAWN_IN(&my->g, &my->task[my->i], on_nothing, .what = my->i);
    AX_AWAIT(ax_checkpoint(me));
    for (my->i = 0; my->i < 3; my->i++) ax_cancel(&my->task[my->i].task);
    AX_AWAIT(ax_group_join(me, &my->g));
    for (my->i = 0; my->i < 3; my->i++) LOG("%d", ax_task_status(&my->task[my->i].task));
    AX_END;
}
/* What a cancel refuses has read nothing. */
struct exact { ax_frame frame; int fd; char buffer[4096], to[8]; ax_reader in; };
AX_ASYNC(exact) {
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    for (;;) {
        AX_TRY_ALL(ax_reader_exactly(me, &my->in, my->to, 2));
        if (me->rc != 1) break;
    }
    LOG("%d length:%zu", me->rc, my->in.length);
    AX_RETURN(me->rc);
    AX_END;
}
struct refuses_exact { ax_frame frame; ax_group g; int fd[2]; ax_task *t; char data[4000]; };
AX_ASYNC(refuses_exact) {
    AX_BEGIN;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, my->fd) < 0) AX_RETURN(-errno);
    ax_nonblocking(my->fd[0]), ax_nonblocking(my->fd[1]);
    AX_AWAIT(ax_write_all(me, my->fd[1], my->data, sizeof my->data));
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, exact, .fd = my->fd[0]);
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_FINALLY:
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
/* A report hook that starts a watch on a high descriptor: the table of descriptors moves while an operation looks at it. */
static ax_loop *hooked_loop;
static ax_watch high_watch;
static int high_fd, blocking_fd;
static void high_event(ax_loop *l, unsigned events, void *arg) { (void)l, (void)events, (void)arg; }
static void grows_table(void *ctx, const char *text) {
    (void)ctx;
    if (strstr(text, "blocks")) LOG("%d", atoi(text + strlen("descriptor ")) == blocking_fd && strstr(text, "(in hooked, ") != NULL);
    LOG("%s%d", strstr(text, "blocks") ? "blocks:" : "accept:", ax_watch_start(hooked_loop, &high_watch, high_fd, 0, high_event, NULL));
}
struct hooked { ax_frame frame; int fd[2], accepts; char byte; struct rlimit many; ax_addr at; };
AX_ASYNC(hooked) {
    struct rlimit few;
    AX_BEGIN;
    hooked_loop = me->loop;
    if (my->accepts) {
        AX_CHECK(my->fd[0] = ax_tcp_listen("127.0.0.1", 0, 0));
        AX_TRY(AX_WITHIN(AX_MS(1), ax_wait_fd(me, my->fd[0], AX_IN)));
        ax_addr_local(my->fd[0], &my->at);
        AX_CHECK(my->fd[1] = ax_tcp_open(&my->at));
        AX_AWAIT(ax_connect(me, my->fd[1], &my->at));
        high_fd = fcntl(my->fd[1], F_DUPFD, 900);
        getrlimit(RLIMIT_NOFILE, &my->many);
        few = my->many;
        few.rlim_cur = 3;
        setrlimit(RLIMIT_NOFILE, &few);
        AX_TRY(AX_WITHIN(AX_MS(1), ax_accept(me, my->fd[0], NULL)));
        setrlimit(RLIMIT_NOFILE, &my->many);
        LOG("%s", ax_errname(me->rc));
        AX_RETURN(0);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, my->fd) < 0) AX_RETURN(-errno);
    high_fd = fcntl(my->fd[1], F_DUPFD, 900);
    blocking_fd = my->fd[0];
    AX_TRY(AX_WITHIN(AX_MS(1), ax_wait_fd(me, my->fd[0], AX_IN))); /* now it is in the table */
    if (write(my->fd[1], "x", 1) != 1) AX_RETURN(AX_EPIPE);
    AX_AWAIT(ax_read(me, my->fd[0], &my->byte, 1)); /* it blocks, which is told */
    LOG("%c", my->byte);
    AX_FINALLY:
    ax_watch_stop(&high_watch);
    ax_close(me->loop, high_fd);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
/* Streams and what writev points to in local variables. */
#if ASYNCX_DEBUG
struct in_locals { ax_frame frame; int fd[2]; struct iovec v[2]; char buffer[16]; ax_watch w; };
AX_ASYNC(in_locals) {
    ax_reader in;
    ax_writer out;
    char text[8] = "1234567";
    AX_BEGIN;
    make_pair(my->fd);
    ax_reader_init(&in, my->fd[0], my->buffer, sizeof my->buffer);
    AX_TRY(ax_reader_exactly(me, &in, NULL, 1));
    LOG("exactly:%d", me->rc);
    LOG("watch:%d", ax_watch_start(me->loop, &my->w, my->fd[0], AX_IN, ignore, text));
    ax_writer_init(&out, my->fd[0], my->buffer, sizeof my->buffer);
    AX_TRY(ax_writer_write(me, &out, "x", 1));
    LOG("write:%d", me->rc);
    my->v[0].iov_base = my->buffer, my->v[0].iov_len = 1;
    my->v[1].iov_base = text, my->v[1].iov_len = sizeof text;
    AX_TRY(ax_writev(me, my->fd[0], my->v, 2)); /* done before it has to wait */
    LOG("writev:%d", me->rc);
    while (send(my->fd[0], my->buffer, sizeof my->buffer, MSG_NOSIGNAL) > 0) {}
    my->v[0].iov_base = my->buffer, my->v[0].iov_len = 1;
    my->v[1].iov_base = text, my->v[1].iov_len = sizeof text;
    AX_TRY(ax_writev(me, my->fd[0], my->v, 2));
    LOG("writev:%d", me->rc);
    AX_FINALLY:
    ax_close(me->loop, my->fd[0]), ax_close(me->loop, my->fd[1]);
    AX_END;
}
#endif
struct no_init { ax_frame frame; int local; ax_reader in; ax_writer out; char byte; };
AX_ASYNC(no_init) {
    char buffer[16];
    AX_BEGIN;
    if (my->local) {
        ax_reader_init(&my->in, 0, buffer, sizeof buffer);
        ax_writer_init(&my->out, 1, buffer, sizeof buffer);
        AX_TRY(ax_reader_line(me, &my->in));
        LOG("line:%d", me->rc);
        AX_TRY(ax_writer_write(me, &my->out, "x", 1));
        LOG("write:%d", me->rc);
        AX_RETURN(0);
    }
    AX_TRY(ax_reader_line(me, &my->in));
    LOG("line:%d", me->rc);
    AX_TRY(ax_reader_exactly(me, &my->in, &my->byte, 1));
    LOG("exactly:%d", me->rc);
    AX_TRY(ax_reader_until(me, &my->in, "x", 1));
    LOG("until:%d", me->rc);
    AX_TRY(ax_writer_write(me, &my->out, "x", 1));
    LOG("write:%d", me->rc);
    AX_TRY(ax_writer_printf(me, &my->out, "x"));
    LOG("printf:%d", me->rc);
    AX_TRY(ax_writer_flush(me, &my->out));
    LOG("flush:%d", me->rc);
    LOG("bad init:%d", ax_reader_init(&my->in, 0, &my->byte, 1));
    AX_TRY(ax_reader_line(me, &my->in));
    LOG("line:%d", me->rc);
    AX_END;
}

static void blocking_tests(void) {
    int copy = dup(0), p[2];
    SCENARIO("a full buffer overflows at once, also after a wait in vain", 0, "AX_EOVERFLOW AX_EOVERFLOW AX_EOVERFLOW 12345678@1", overflows);
    SCENARIO("operations on nothing meet a cancel", 0, "-125 -125 -125", over_nothing);
    SCENARIO("what a cancel refuses to read is not there", 0, "-125 length:0", refuses_exact);
    {
        ax_loop_desc *d = kit_desc();
        d->report = grows_table;
        kit_judge("a report hook may make the table of descriptors grow while a listener is about to wait",
                  AX_RUN_WITH(d, hooked, .accepts = 1), 0, "accept:0 AX_ETIMEDOUT", NULL, __FILE__, __LINE__);
#if ASYNCX_DEBUG /* only then it is told that a descriptor blocks */
        d = kit_desc();
        d->report = grows_table;
        kit_judge("... and while it hears that a descriptor blocks", AX_RUN_WITH(d, hooked), 0, "1 blocks:0 x", NULL, __FILE__, __LINE__);
#endif
    }
    MISUSE("readers and writers without their init are refused", 0, "line:-22 exactly:-22 until:-22 write:-22 printf:-22 flush:-22 bad init:-22 line:-22",
           "before its init", no_init);
#if ASYNCX_DEBUG
    MISUSE("... and those with a buffer on the stack", 0, "line:-14 write:-14", "local variable", no_init, .local = 1);
    MISUSE("... or themselves there, and what a writev that waits points to", 0, "exactly:-14 watch:-14 write:-14 writev:0 writev:-14", "local variable", in_locals);
#endif
    MISUSE("a descriptor that blocks is reported", 0, "a", ASYNCX_DEBUG ? "ax_nonblocking" : NULL, blocks);
    is(ax_exit(0), ASYNCX_DEBUG, "... and the program is no success");
    MISUSE("... also one that is connected", 0, "a", ASYNCX_DEBUG ? "ax_nonblocking" : NULL, blocks, .i = 2);
    MISUSE("... nor one with a run inside", 0, "a", "not open", runs_another);
    is(ax_exit(0), 1, "... that was well");
    SCENARIO("one that does not is not", 0, "a", blocks, .i = 1);
    is(ax_exit(0), 0, "... and the next run is one");
    if (pipe(p) < 0 || dup2(p[0], 0) != 0) abort();
    is(ax_nonblocking(0), 0, "standard input can be made non-blocking");
    is(fcntl(0, F_GETFD), 0, "... and is still there for a program that is executed");
    is(ax_nonblocking(p[1]), 0, "another descriptor too");
    is(fcntl(p[1], F_GETFD), FD_CLOEXEC, "... and is not");
    if (copy >= 0) dup2(copy, 0), close(copy);
    else close(0);
    close(p[0]), close(p[1]);
}

/* ---- what was shut down ---- */

struct waits_there { ax_frame frame; int fd, kind; char c; };
enum { RECEIVES = 1, READS, ACCEPTS };
AX_ASYNC(waits_there) {
    AX_BEGIN;
    if (my->kind == RECEIVES) AX_TRY(AX_WITHIN(AX_SEC(9), ax_recvfrom(me, my->fd, &my->c, 1, NULL)));
    if (my->kind == READS) AX_TRY(AX_WITHIN(AX_SEC(9), ax_read(me, my->fd, &my->c, 1)));
    if (my->kind == ACCEPTS) AX_TRY(AX_WITHIN(AX_SEC(9), ax_accept(me, my->fd, NULL)));
    LOG("%s", ax_errname(me->rc));
    AX_END;
}
struct shut_down { ax_frame frame; ax_group g; int i, fd, full; ax_addr to; };
AX_ASYNC(shut_down) { /* on the real clock: who waits there would be woken for ever */
    static const struct { int listener, kind, how; } cases[] = {
        {0, RECEIVES, SHUT_RD}, {0, RECEIVES, SHUT_RDWR}, {0, READS, SHUT_RD}, {1, ACCEPTS, SHUT_RD}, {1, ACCEPTS, SHUT_RDWR}};
    AX_BEGIN;
    for (my->i = 0; my->i < (int)(sizeof cases / sizeof *cases); my->i++) {
        AX_CHECK(my->fd = cases[my->i].listener ? ax_unix_listen(path) : ax_udp_open("127.0.0.1", 0, 0));
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, waits_there, .fd = my->fd, .kind = cases[my->i].kind);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
        shutdown(my->fd, cases[my->i].how);
        AX_AWAIT(ax_group_join(me, &my->g));
        ax_close(me->loop, my->fd);
        unlink(path);
    }
    my->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    my->to.size = sizeof(struct sockaddr_un);
    ((struct sockaddr_un *)(void *)my->to.sockaddr.bytes)->sun_family = AF_UNIX;
    strcpy(((struct sockaddr_un *)(void *)my->to.sockaddr.bytes)->sun_path, path);
    if (bind(my->fd, (struct sockaddr *)(void *)my->to.sockaddr.bytes, my->to.size) < 0) abort();
    my->full = socket(AF_UNIX, SOCK_DGRAM, 0);
    ax_nonblocking(my->full);
    while (sendto(my->full, "x", 1, 0, (struct sockaddr *)(void *)my->to.sockaddr.bytes, my->to.size) == 1) {}
    AX_TRY(AX_WITHIN(AX_SEC(9), ax_sendto(me, my->full, "x", 1, &my->to)));
    LOG("full:%d", me->rc == -ENOBUFS);
    ax_close(me->loop, my->fd);
    ax_close(me->loop, my->full);
    unlink(path);
    AX_END;
}
static void shut_down_test(void) {
    ax_loop_desc *d = kit_desc();
    d->flags = 0;
    kit_judge("a socket that was shut down ends the waits of that direction, whatever its kind; a full queue of datagrams is told",
              AX_RUN_WITH(d, shut_down), 0, "AX_EPIPE AX_EPIPE AX_EPIPE AX_EINVAL AX_EINVAL full:1", NULL, __FILE__, __LINE__);
}

/* ---- accepting without descriptors ---- */

static int said_out;
static void hear_out(void *ctx, const char *text) {
    (void)ctx;
    said_out += strstr(text, "out of descriptors") != NULL;
}
struct crowd {
    ax_frame frame;
    ax_group g;
    int listener, fd[4], n, i, filler[64], fillers;
    ax_addr a;
};
struct server {
    ax_frame frame;
    struct crowd *c;
};
AX_ASYNC(server) {
    AX_BEGIN;
    AX_WHILE(ax_accept(me, my->c->listener, NULL)) {
        LOG("accepted@%d", AT);
        my->c->fd[my->c->n++] = me->rc;
        if (my->c->n == 2) AX_RETURN(0);
    }
    AX_END;
}
AX_ASYNC(crowd) {
    struct rlimit few = {64, 64};
    int fd;
    AX_BEGIN;
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    ax_addr_local(my->listener, &my->a);
    ax_group_open(me, &my->g, 0);
    for (my->i = 2; my->i < 4; my->i++) {
        my->fd[my->i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        AX_AWAIT(ax_connect(me, my->fd[my->i], &my->a));
    }
    getrlimit(RLIMIT_NOFILE, &few);
    few.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &few);
    while ((fd = dup(0)) >= 0)
        my->filler[my->fillers++] = fd; /* none is left */
    AX_SPAWN(&my->g, server, .c = my);
    AX_AWAIT(ax_sleep(me, AX_MS(350)));
    LOG("said:%d", said_out);
    ax_close(me->loop, my->filler[--my->fillers]); /* heard at once */
    AX_AWAIT(ax_sleep(me, AX_MS(30)));
    close(my->filler[--my->fillers]); /* not heard of: tried again in time */
    AX_AWAIT(ax_group_join(me, &my->g));
    while (my->fillers)
        close(my->filler[--my->fillers]);
    for (my->i = 0; my->i < 4; my->i++)
        ax_close(me->loop, my->fd[my->i]);

    while ((fd = dup(0)) >= 0)
        my->filler[my->fillers++] = fd;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT); /* cancelled meanwhile */
    my->n = 0;
    AX_TRY(AX_WITHIN(AX_MS(150), ax_accept(me, my->listener, NULL)));
    LOG("%s@%d", ax_errname(me->rc), AT);
    while (my->fillers)
        close(my->filler[--my->fillers]);
    ax_close(me->loop, my->listener);
    AX_END;
}
static void crowd_test(void) {
    struct rlimit before, now;
    ax_loop_desc *d = kit_desc();
    const char *loaded = getenv("LD_PRELOAD");
    int rc;
    if (loaded && strstr(loaded, "vgpreload")) { /* its accept() takes what is over the limit, and closes it */
        tap_ok(1, "out of descriptors # SKIP under valgrind");
        return;
    }
    getrlimit(RLIMIT_NOFILE, &before);
    d->report = hear_out;
    rc = AX_RUN_WITH(d, crowd);
    now = before;
    setrlimit(RLIMIT_NOFILE, &now);
    kit_judge("out of descriptors, accept() is looked at ten times a second, and at once when one is closed", rc, 0,
              "said:1 accepted@350 accepted@450 AX_ETIMEDOUT@600", NULL, __FILE__, __LINE__);
}

/* The same while there is no memory either, however many timers there are. */
struct starved { ax_frame frame; ax_group g, sleepers; int idle, i, listener, client, filler[64], fillers; ax_addr a; ax_task *t; };
struct accepts_one { ax_frame frame; int listener; };
AX_ASYNC(accepts_one) {
    AX_BEGIN;
    AX_AWAIT(ax_accept(me, my->listener, NULL));
    ax_close(me->loop, me->rc);
    LOG("+");
    AX_END;
}
AX_ASYNC(starved) {
    struct rlimit few;
    int fd;
    AX_BEGIN;
    AX_CHECK(my->listener = ax_tcp_listen("127.0.0.1", 0, 0));
    ax_addr_local(my->listener, &my->a);
    ax_group_open(me, &my->sleepers, AX_GROUP_BACKGROUND);
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < my->idle; my->i++) AX_SPAWN(&my->sleepers, sleeper, .time = 9999);
    AX_SPAWN(&my->g, accepts_one, .listener = my->listener);
    my->client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    getrlimit(RLIMIT_NOFILE, &few);
    few.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &few);
    while ((fd = dup(0)) >= 0) my->filler[my->fillers++] = fd;
    kit_fail_at = kit_allocations + 1;
    AX_AWAIT(ax_connect(me, my->client, &my->a));
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    kit_fail_at = 0;
    while (my->fillers) close(my->filler[--my->fillers]);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_FINALLY:
    ax_close(me->loop, my->client), ax_close(me->loop, my->listener);
    AX_END;
}
static void starved_test(void) {
    struct rlimit before;
    const char *loaded = getenv("LD_PRELOAD");
    int rc = 0, i;
    if (loaded && strstr(loaded, "vgpreload")) {
        tap_ok(1, "out of descriptors and memory # SKIP under valgrind");
        return;
    }
    getrlimit(RLIMIT_NOFILE, &before);
    for (i = 0; i < 16 && rc >= 0; i++) {
        rc = AX_RUN_WITH(kit_desc(), starved, .idle = i);
        if (rc >= 0 && strcmp(tap_trace, "+")) rc = AX_EINPROGRESS;
    }
    setrlimit(RLIMIT_NOFILE, &before);
    is(rc, 0, "... also when there is no memory for its timer");
}

/* ---- fairness ---- */

struct fairness {
    ax_frame frame;
    ax_group g;
    int fd[2], reads, i;
    char byte, buffer[8192];
    struct {
        char bytes[200000];
    } * big;
    ax_time start;
};
struct counter {
    ax_frame frame;
    struct fairness *f;
    int most, last;
};
AX_ASYNC(counter) {
    AX_BEGIN;
    for (;;) {
        if (my->f->reads - my->last > my->most) my->most = my->f->reads - my->last;
        my->last = my->f->reads;
        if (my->f->reads >= 1000) break;
        AX_AWAIT(ax_checkpoint(me));
    }
    LOG("most:%d", my->most);
    AX_END;
}
AX_ASYNC(fairness) {
    AX_BEGIN;
    make_pair(my->fd);
    memset(my->buffer, 'x', sizeof my->buffer);
    if (send(my->fd[1], my->buffer, 4000, 0) != 4000) abort();
    AX_TRY(AX_WITHIN(AX_MS(1), ax_wait_fd(me, my->fd[0], AX_IN))); /* the loop knows it */
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, counter, .f = my);
    for (my->reads = 0; my->reads < 1000; my->reads++)
        AX_AWAIT(ax_read(me, my->fd[0], &my->byte, 1));
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

/* ---- reads that wait without being tried ---- */

struct untried {
    ax_frame frame;
    ax_group g;
    int fd[2], i, got, dropped;
    ax_task *t;
    char byte;
};
struct one_byte {
    ax_frame frame;
    struct untried *u;
};
AX_ASYNC(one_byte) {
    AX_BEGIN;
    AX_TRY_ALL(ax_read(me, my->u->fd[0], &my->u->byte, 1));
    my->u->got += me->rc == 1;
    my->u->dropped += me->rc == AX_ECANCELED;
    AX_END;
}
struct cancels {
    ax_frame frame;
    ax_task *t;
};
AX_ASYNC(cancels) {
    AX_BEGIN;
    ax_cancel(my->t);
    AX_END;
}
AX_ASYNC(untried) {
    AX_BEGIN;
    make_pair(my->fd);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_read(me, my->fd[0], &my->byte, 1))); /* in vain: the next ones are not tried first */
    for (my->i = 0; my->i < 40; my->i++) {
        put(my->fd[1]);
        AX_TRY(AX_WITHIN(0, ax_read(me, my->fd[0], &my->byte, 1))); /* the byte is there, the limit due already */
        my->got += me->rc == 1;
        AX_TRY(AX_WITHIN(0, ax_read(me, my->fd[0], &my->byte, 1)));
        my->dropped += me->rc == AX_ETIMEDOUT;
    }
    LOG("limit:%d/%d", my->got, my->dropped);
    my->got = my->dropped = 0;
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < 40; my->i++) {
        put(my->fd[1]);
        my->t = ax_task_ref(AX_SPAWN(&my->g, one_byte, .u = my));
        AX_SPAWN(&my->g, cancels, .t = my->t); /* in the turn in which it begins to wait */
        AX_TRY(ax_join(me, my->t));
        ax_task_unref(my->t);
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("cancel:%d/%d", my->got, my->dropped);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

/* ---- backends that fail ---- */

static ax_backend failing;
static int fail_fd = -1, fail_with, set_calls, open_fails, reserve_fails, unreserved;
static unsigned reserved;
static int failing_open(ax_loop *l, void *self) { return open_fails ? open_fails : ASYNCX_BACKEND->open(l, self); }
static int failing_reserve(ax_loop *l, void *self, unsigned fds) {
    if (fds > reserved) reserved = fds;
    return reserve_fails ? reserve_fails : ASYNCX_BACKEND->reserve(l, self, fds);
}
static int failing_set(ax_loop *l, void *self, int fd, unsigned before, unsigned events) {
    set_calls++;
    unreserved += (unsigned)fd >= reserved;
    return fd == fail_fd && events ? fail_with : ASYNCX_BACKEND->set(l, self, fd, before, events);
}
static void hear_error(ax_loop *l, unsigned events, void *arg) {
    LOG("watch:%u@%d", events, ms(l));
    ax_watch_stop((ax_watch *)arg);
}
static int rearmed;
static void rearm(ax_loop *l, unsigned events, void *arg) { /* hears of an error, and asks again */
    (void)l;
    (void)events;
    if (++rearmed < 1000) ax_watch_set((ax_watch *)arg, AX_IN);
}
struct rearms {
    ax_frame frame;
    int fd[2], i;
    ax_watch w;
};
AX_ASYNC(rearms) {
    AX_BEGIN;
    make_pair(my->fd);
    fail_fd = my->fd[0];
    fail_with = AX_ENOMEM;
    rearmed = 0;
    ax_watch_start(me->loop, &my->w, my->fd[0], AX_IN, rearm, &my->w);
    for (my->i = 0; my->i < 5; my->i++) AX_AWAIT(ax_checkpoint(me));
    LOG("rearmed:%d", rearmed);
    ax_watch_stop(&my->w);
    fail_fd = -1;
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
/* All are refused, and each asks for all anew. */
static ax_watch all_refused[6];
static int asked_anew;
static int refuse_all(ax_loop *l, void *self, int fd, unsigned before, unsigned events) {
    return events && fd != AXI_SYS(l)->pipe[0] ? AX_ENOMEM : ASYNCX_BACKEND->set(l, self, fd, before, events);
}
static void ask_for_all(ax_loop *l, unsigned events, void *arg) {
    int i;
    (void)l, (void)events, (void)arg;
    asked_anew++;
    for (i = 0; i < 6; i++) ax_watch_set(&all_refused[i], AX_OUT);
}
static void all_refused_test(void) {
    static ax_loop loop;
    static ax_backend refusing;
    ax_loop_desc *d = kit_desc();
    int fd[6] = {0, 1, 2}, i;
    refusing = *ASYNCX_BACKEND;
    refusing.set = refuse_all;
    d->backend = &refusing;
    d->flags = 0;
    is(ax_loop_open(&loop, d), 0, "a backend that refuses all but the wake-up pipe");
    make_pair(fd + 3);
    fd[5] = dup(fd[3]);
    for (i = 0; i < 6; i++) ax_watch_start(&loop, &all_refused[i], fd[i], AX_IN, ask_for_all, NULL);
    for (i = 0; i < 3; i++) ax_run_once(&loop);
    ok(asked_anew >= 18, "... each watch hears of it on each turn, and asks for all of them");
    is(ax_loop_close(&loop), 0, "... and the loop has room for that");
    for (i = 3; i < 5; i++) close(fd[i]);
    is(ax_close(&loop, fd[5]), 0, "... and closes a descriptor when it is closed itself");
    is(close(fd[5]), -1, "... once");
}
struct refused {
    ax_frame frame;
    ax_group g;
    int fd[2], i;
    ax_watch w;
    char byte;
};
AX_ASYNC(refused) {
    AX_BEGIN;
    make_pair(my->fd);
    fail_fd = my->fd[0];
    fail_with = AX_ENOMEM;
    ax_watch_start(me->loop, &my->w, my->fd[0], AX_IN, hear_error, &my->w);
    AX_TRY(ax_read(me, my->fd[0], &my->byte, 1));
    LOG("%s", ax_errname(me->rc));
    fail_fd = -1; /* and works when it works again */
    AX_TRY(AX_WITHIN(AX_MS(2), ax_read(me, my->fd[0], &my->byte, 1)));
    LOG("%s@%d", ax_errname(me->rc), AT);
    AX_AWAIT(ax_write_all(me, my->fd[1], "x", 1));
    AX_AWAIT(ax_read(me, my->fd[0], &my->byte, 1));
    set_calls = 0;
    for (my->i = 0; my->i < 100;
         my->i++) { /* the steady state of a server: a request, an answer, and no system call about interest */
        AX_AWAIT(ax_write_all(me, my->fd[1], "x", 1));
        AX_AWAIT(ax_wait_fd(me, my->fd[0], AX_IN));
        AX_AWAIT(ax_read(me, my->fd[0], &my->byte, 1));
    }
    LOG("sets:%d", set_calls <= 1 ? 1 : set_calls);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
static void sees_nothing(ax_loop *l, unsigned events, void *arg) { (void)l, (void)events, (void)arg; }
struct refused_once { ax_frame frame; int fd[2]; ax_watch w; };
AX_ASYNC(refused_once) { /* a watch; the task that waits later for the same is not taken for known to the backend */
    AX_BEGIN;
    make_pair(my->fd);
    put(my->fd[1]);
    AX_AWAIT(ax_wait_fd(me, my->fd[0], AX_IN));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    fail_fd = my->fd[0];
    fail_with = AX_ENOMEM;
    ax_watch_start(me->loop, &my->w, my->fd[0], AX_IN, sees_nothing, NULL);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    fail_fd = -1;
    AX_TRY(AX_WITHIN(AX_MS(5), ax_wait_fd(me, my->fd[0], AX_IN)));
    LOG("%s", ax_errname(me->rc));
    ax_watch_stop(&my->w);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}
static ax_loop_desc *failing_desc(void) {
    ax_loop_desc *d = kit_desc();
    failing = *ASYNCX_BACKEND;
    reserved = 0;
    failing.open = failing_open;
    failing.reserve = failing_reserve;
    failing.set = failing_set;
    d->backend = &failing;
    return d;
}
static void backend_tests(void) {
    static ax_loop loop;
    ax_loop_desc *d = failing_desc();
    kit_judge("a backend that refuses a descriptor: its task and its watch hear of it", AX_RUN_WITH(d, refused), 0,
              "watch:8@0 AX_ENOMEM AX_ETIMEDOUT@2 sets:1", NULL, __FILE__, __LINE__);
    kit_judge("... once a turn, however often it asks again", AX_RUN_WITH(failing_desc(), rearms), 0, "rearmed:5", NULL, __FILE__,
              __LINE__);
    kit_judge("... and a task that waits after a refused watch is told to it", AX_RUN_WITH(failing_desc(), refused_once), 0, "success", NULL,
              __FILE__, __LINE__);
    is(unreserved, 0, "a backend is asked to reserve before it is set");
    d = failing_desc();
    open_fails = -EMFILE;
    is(ax_loop_open(&loop, d), -EMFILE, "a backend that can't open: nor can the loop");
    open_fails = 0;
    reserve_fails = AX_ENOMEM;
    is(ax_loop_open(&loop, failing_desc()), AX_ENOMEM, "without memory for descriptors, too");
    reserve_fails = 0;
    is(kit_balance, 0, "and nothing leaks");
}

int main(void) {
    int before;
    alarm(60);
    all_refused_test(); /* first, while the lowest descriptors are free: they are the ones for which there was no room */
    snprintf(dir, sizeof dir, "/tmp/asyncx-net-XXXXXX");
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/socket", dir);
    kit_desc();
    before = open_fds(1024);

    JUDGE("names and numbers become addresses", 0,
          "1 127.0.0.1:80 80 1 [::1]:65535 65535 this:1 lookups:0 | both:2 [::1]:7 127.0.0.1:7 most:1 many:16 | AX_ENOENT AX_EAGAIN "
          "AX_ENOMEM 1 "
          "| AX_EINVAL AX_EINVAL AX_ENAMETOOLONG none:? 0 AX_ENOENT",
          names);
    JUDGE("streams: made well, half closed, gone, reset, refused", 0,
          "made:111 nodelay:11 peer:1 bad:1 in use:1 from:1 one:1 0.0.0.0: flags:1 port:1 host:1 | 2 0 yes | gone:1 reset:1 nobody listens:1 1 "
          "closed:AX_EBADF "
          "AX_EBADF",
          streams);
    interleave_tests();
    JUDGE("happy eyeballs: an address that does not answer holds up the next for 250 ms", 0,
          "the other family, after 250 ms:1@250 within:AX_ETIMEDOUT@350 cancelled:-1@351", eyeballs);
    JUDGE("paths: a stale one is replaced, a full queue waited for", 0,
          "1 made:11 in use:1 refused:1 replaced | connected@25 | AX_ENOENT AX_ENAMETOOLONG AX_ENAMETOOLONG AX_EINVAL a file:1 0",
          paths);
    JUDGE("datagrams", 0, "sent:4 4:ping 0 from:1 AX_EOVERFLOW:ninebyte AX_EOVERFLOW to nobody:1 to you AX_ETIMEDOUT@5 short:1 refused:1", datagrams);
    JUDGE("many buffers go out in their order", 0, "0 left:0 0 AX_EINVAL got:221754 of:221754", gathering);
    JUDGE("a reader: lines, ends in pieces, limits", 0,
          "<one>3 <>0 <>0 <two>3 <four\rteen>9r <end>3 end:0 0 | <fifteen letters> AX_EOVERFLOW AX_EOVERFLOW <sixteen letters.> <> "
          "dropped:2 <re> "
          "| peek:1<kind:> 1<kind:tail>2 <kind> AX_EPIPE <tail> <tail> 0 AX_EINVAL AX_EINVAL | <a\r> <b> <c> <-x-d> AX_EPIPE <rest> AX_EINVAL 0 |",
          reading);
    JUDGE("a reader: so many bytes, and waits cut short", 0,
          "1<0123> <456789abcdefghijklmnopqrstuvwxyz!>33 1 <tail> AX_EPIPE 2<xy> 0 | AX_ETIMEDOUT@5 AX_ECANCELED <abcdefgh>@11 AX_ETIMEDOUT 3 "
          "<ABCDEFGH>@19 | second:AX_EBUSY AX_EBUSY <one> | AX_EINVAL AX_EINVAL AX_EBADF",
          exactly);
    JUDGE("a writer: what waits, what goes, back-pressure, waits cut short, nobody there", 0,
          "waits:5 AX_ETIMEDOUT abc-7 left:0 went:40 left:0 left:0 too long:AX_EOVERFLOW left:0 33 | left:0 waited:1 got:100000 "
          "| AX_ETIMEDOUT more:1 AX_ETIMEDOUT full:AX_EAGAIN all came | AX_EPIPE left:7 AX_EINVAL",
          writing);
    JUDGE("a writer: what has gone makes room for more", 0, "left:1904 left:3954 all:1", makes_room);
    JUDGE("a descriptor for which there is no memory serves as long as nothing waits", 0, "abccdefg x", unknown);
    JUDGE("files are always ready, until their number is a socket's", 0, "in:1 out:4 seen:3 stop:0 AX_ETIMEDOUT", files);
    JUDGE("pipes: closed and come anew, and no signal", 0,
          "1x AX_EPIPE AX_EPIPE 1 1x AX_EPIPE AX_EPIPE 1 1x AX_EPIPE AX_EPIPE 1 pending:0", pipes);
    JUDGE("a server: places, failures, a grace time", 0,
          "served:AX_EINVAL@0 B:0@0 C:3@5 end@5 A:3@10 end@10 count:3 | F:-104@21 D:3@50 end@50 served:AX_ECANCELED@71 E:0@71 "
          "AX_ECANCELED@71 count:5 heard:3+1+1 kept:0 1 AX_EINVAL kept:0 kept:0",
          served);
    kit_judge("... whose grace time is no bare number", AX_RUN_WITH(kit_desc(), hasty), AX_EINVAL, "", "below a microsecond", __FILE__, __LINE__);
    kit_judge("... which closes its connections itself", AX_RUN_WITH(kit_desc(), refuses_close), 0,
              "close:AX_EPERM A:3@1 end@1 ended:success close:AX_EPERM served:AX_EINVAL@1 ended:AX_EINVAL B:0@1 close:AX_EPERM ended:42 C:0@1 AX_EBADF 3", "closes its connections itself", __FILE__, __LINE__);
    kit_judge("... which ends too when its socket is closed, once it would accept", AX_RUN_WITH(kit_desc(), served, .closes = 1), 0,
              "served:AX_EINVAL@0 B:0@0 C:3@5 end@5 A:3@10 end@10 count:3 | F:-104@21 D:3@50 end@50 served:AX_ECANCELED@100 E:0@100 "
              "AX_EBADF@100 count:5 heard:3+1+1 kept:0 1 AX_EINVAL kept:0 kept:0",
              NULL, __FILE__, __LINE__);
    JUDGE("... and goes on where there is no memory for one of them", 0, "A:3@1 end@1 ended:success ended:AX_ENOMEM 0 C:3@2 count:2 end@2 ended:success", poor);
    JUDGE("a server that stops leaves an idle client the grace time", 0, "<line> left:-125@5010 @5010", ends_input);
    kit_judge("... and with .end_input lets it go at once", AX_RUN_WITH(kit_desc(), ends_input, .end_input = 1), 0,
              "<line> end:0@10 bye@10", NULL, __FILE__, __LINE__);
    kit_judge("... as it may by .ending, which is called when that begins", AX_RUN_WITH(kit_desc(), ends_input, .tells = 1), 0,
              "<line> ending end:0@10 bye@10", NULL, __FILE__, __LINE__);
    JUDGE("... and accepts no more, however many wait", 0, "late:0", stops_accepting);
    JUDGE("a descriptor's sixteenth operation that did not wait lets others go first, whatever its number", AX_ECANCELED, "16", far_away);
    JUDGE("what never has to wait is cancelled all the same", 0, "0:ends 1:ends 2:ends 3:ends 4:ends 5:ends 6:ends", ends_endless);
    JUDGE("virtual time waits for an operation that lets others have a turn", 0, "read:all@0 written:all@0", takes_turns);
    JUDGE("a refused connection ends who connects, though who reads has taken the error", 0, "read:AX_ECONNREFUSED connect:AX_ENOTCONN",
          refused_to_two);
    JUDGE("an end as long as the buffer, nothing to write, a signal that was kept out", 0, "1:0 AX_EINVAL a AX_EOVERFLOW bcde AX_EOVERFLOW AX_EPIPE pending:0", edges);
    many_test();
    ghosts_test();
    blocking_tests();
    shut_down_test();
    crowd_test();
    starved_test();
    JUDGE("a peer that always has more lets others have their turn", 0, "most:16", fairness);
    JUDGE("a read that was not tried before its wait is tried before that is dropped", 0, "limit:40/40 cancel:40/0", untried);
    backend_tests();
    is(open_fds(1024), before, "all descriptors are closed");
    rmdir(dir);
    return tap_end();
}
