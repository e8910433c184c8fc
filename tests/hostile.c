/* A server that is written as a user would, against peers that mean ill: they drip bytes, never read, say nothing, reset in the
   middle, half close, flood, vanish, come all at once. A process of its own plays them with plain calls. A good client asks all the
   time, and is answered each time; after each attack a new one is, too, and every descriptor and byte is back. The server's clock
   jumps when idle peers are to be cut, so that nothing depends on the machine's speed. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "fds.h"
#include "kit.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { MOST_FDS = 200, CROWD = 5000, IDLE_S = 60, LINE = 200 };

/* ---- the server: lines, each answered ---- */

static int port, clients;

struct client { ax_frame frame; int fd, i; char in_buffer[LINE], out_buffer[2048]; ax_reader in; ax_writer out; };
AX_ASYNC(client) {
    AX_BEGIN;
    clients++;
    ax_reader_init(&my->in, my->fd, my->in_buffer, sizeof my->in_buffer);
    ax_writer_init(&my->out, my->fd, my->out_buffer, sizeof my->out_buffer);
    for (;;) {
        AX_TRY(AX_WITHIN(AX_SEC(IDLE_S), ax_reader_line(me, &my->in)));
        if (me->rc == AX_EOVERFLOW) {
            AX_AWAIT(AX_WITHIN(AX_SEC(IDLE_S), ax_writer_printf(me, &my->out, "too long\n")));
            AX_AWAIT(AX_WITHIN(AX_SEC(IDLE_S), ax_writer_flush(me, &my->out)));
            AX_RETURN(0);
        }
        if (me->rc <= 0) AX_RETURN(me->rc);
        if (strncmp(my->in.data, "much ", 5) == 0) {
            for (my->i = atoi(my->in.data + 5); my->i > 0; my->i--)
                AX_AWAIT(AX_WITHIN(AX_SEC(IDLE_S), ax_writer_printf(me, &my->out, "%0999d\n", my->i)));
        } else {
            AX_AWAIT(AX_WITHIN(AX_SEC(IDLE_S), ax_writer_printf(me, &my->out, "%s\n", my->in.data)));
        }
        AX_AWAIT(AX_WITHIN(AX_SEC(IDLE_S), ax_writer_flush(me, &my->out)));
    }
AX_FINALLY:
    clients--;
    ax_close(me->loop, my->fd);
    AX_END;
}

struct accepting { ax_frame frame; int fd; ax_group *clients; };
AX_ASYNC(accepting) {
    AX_BEGIN;
    AX_WHILE(ax_accept(me, my->fd, NULL)) {
        if (!AX_SPAWN(my->clients, client, .fd = me->rc)) ax_close(me->loop, me->rc);
    }
AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

/* ---- the good client ---- */

static long trips, wrong;

struct good { ax_frame frame; int fd, most, i; char text[32], buffer[64]; ax_reader in; };
AX_ASYNC(good) {
    AX_BEGIN;
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", port));
    my->fd = me->rc;
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    for (my->i = 0; !my->most || my->i < my->most; my->i++) {
        snprintf(my->text, sizeof my->text, "good %d\n", my->i);
        AX_AWAIT(ax_write_all(me, my->fd, my->text, strlen(my->text)));
        AX_AWAIT(ax_reader_line(me, &my->in));
        my->text[strlen(my->text) - 1] = 0;
        if (!me->rc || strcmp(my->text, my->in.data) != 0) AX_RETURN(AX_EPIPE);
        trips++;
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
AX_FINALLY:
    if (my->fd >= 0) ax_close(me->loop, my->fd);
    if (ax_leaving(me) < 0 && ax_leaving(me) != AX_ECANCELED) {
        wrong++;
        printf("# a good client's trip %d ended with %s\n", my->i, ax_errname(ax_leaving(me)));
    }
    AX_END;
}

/* ---- the hostile process ---- */

static int dials(int more) {
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM | more, 0), on = 1;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)) {
        printf("# the hostile process has no connection: %s\n", strerror(errno));
        fflush(stdout);
        _exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}
static void says(int fd, const char *text, size_t size) { /* the server may be gone by now */
    if (send(fd, text, size, MSG_NOSIGNAL) < 0) {}
}
static void resets(int fd) {
    const struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}
static int hears(int fd, const char *want) { /* exactly that, then the end or nothing yet */
    char data[64];
    size_t n = 0;
    while (n < strlen(want)) {
        ssize_t got = read(fd, data + n, strlen(want) - n);
        if (got <= 0) return 0;
        n += (size_t)got;
    }
    return memcmp(data, want, n) == 0;
}
static void drains(int fd) { /* returns when the server has closed it */
    static char data[65536];
    while (read(fd, data, sizeof data) > 0) {}
    close(fd);
}

static int crowd[CROWD], crowded;

static int drips(void) {
    static const char message[] = "drop by drop\n";
    int fd[40], i, k, good = 0;
    for (i = 0; i < 40; i++) fd[i] = dials(0);
    for (k = 0; k < (int)sizeof message - 1; k++)
        for (i = 0; i < 40; i++) says(fd[i], message + k, 1);
    for (i = 0; i < 40; i++) good += hears(fd[i], message), close(fd[i]);
    return good == 40;
}
static int stands_idle(void) { /* does not read, says nothing, stops in the middle of a line; goes on to hold */
    for (crowded = 0; crowded < 60; crowded++) {
        crowd[crowded] = dials(0);
        if (crowded % 3 == 0) says(crowd[crowded], "much 100000\n", 12);
        if (crowded % 3 == 1) says(crowd[crowded], "half a li", 9);
    }
    return 1;
}
static int is_cut(void) {
    while (crowded) drains(crowd[--crowded]);
    return 1;
}
static int is_reset(void) {
    int i, fd;
    for (i = 0; i < 150; i++) {
        fd = dials(0);
        if (i % 3) says(fd, "half a li", 9);
        else says(fd, "much 100000\n", 12);
        if (i % 3 == 0 && i % 2) hears(fd, "000"); /* while the server writes */
        resets(fd);
    }
    return 1;
}
static int half_closes(void) {
    int i, fd[80], good = 0;
    for (i = 0; i < 80; i++) {
        fd[i] = dials(0);
        says(fd[i], "last\n", i % 2 ? 5 : 4);
        shutdown(fd[i], SHUT_WR);
    }
    for (i = 0; i < 80; i++) {
        char c;
        good += hears(fd[i], "last\n") && read(fd[i], &c, 1) == 0;
        close(fd[i]);
    }
    return good == 80;
}
static int floods(void) { /* lines without a pause; and a line without an end, which is refused */
    enum { N = 8, SIZE = 3000 * 6 };
    static char lines[SIZE], data[65536];
    struct pollfd p[N];
    long sent[N], heard[N];
    int i, left = N, good = 1;
    for (i = 0; i < SIZE; i++) lines[i] = "flood\n"[i % 6];
    memset(sent, 0, sizeof sent);
    memset(heard, 0, sizeof heard);
    for (i = 0; i < N; i++) {
        p[i].fd = dials(SOCK_NONBLOCK);
        p[i].events = POLLIN | POLLOUT;
    }
    while (left) {
        poll(p, N, -1);
        for (i = 0; i < N; i++) {
            ssize_t n, k;
            if (p[i].fd < 0) continue;
            if (sent[i] < SIZE && (n = send(p[i].fd, lines + sent[i], (size_t)(SIZE - sent[i]), MSG_NOSIGNAL)) > 0) sent[i] += n;
            if (sent[i] == SIZE) p[i].events = POLLIN;
            if ((n = read(p[i].fd, data, sizeof data)) < 0 && errno == EAGAIN) continue;
            for (k = 0; k < n; k++)
                if (data[k] != "flood\n"[heard[i]++ % 6]) good = 0;
            if (n > 0 && heard[i] < SIZE) continue;
            if (heard[i] != SIZE) good = 0;
            close(p[i].fd);
            p[i].fd = -1;
            left--;
        }
    }
    memset(data, 'x', sizeof data);
    for (i = 0; i < N; i++) p[i].fd = dials(0);
    for (i = 0; i < N; i++) {
        while (send(p[i].fd, data, sizeof data, MSG_NOSIGNAL) > 0) {}
        close(p[i].fd);
    }
    return good;
}
static int vanishes(void) {
    int i;
    for (i = 0; i < 600; i++) {
        int fd = dials(i % 3 ? 0 : SOCK_NONBLOCK);
        if (i % 2) resets(fd);
        else close(fd);
    }
    return 1;
}
static int crowds(void) {
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max < CROWD + 50 ? most.rlim_max : CROWD + 50;
    setrlimit(RLIMIT_NOFILE, &most);
    for (crowded = 0; crowded < (int)most.rlim_cur - 50; crowded++) crowd[crowded] = dials(SOCK_NONBLOCK);
    if (crowded < CROWD) printf("# only %d came at once: more are not allowed here\n", crowded), fflush(stdout);
    return 1;
}
static int disperses(void) {
    while (crowded--) {
        if (crowded % 2) resets(crowd[crowded]);
        else close(crowd[crowded]);
    }
    crowded = 0;
    return 1;
}

static const struct {
    const char *name;
    int (*fn)(void);
} acts[] = {{"drips", drips},             {"stands idle", stands_idle}, {"is cut", is_cut},
            {"is reset", is_reset},       {"half closes", half_closes}, {"floods", floods},
            {"vanishes", vanishes},       {"crowds", crowds},           {"disperses", disperses}};

static void hostile_process(int control) { /* does what it is told, line by line */
    FILE *in = fdopen(control, "r");
    char line[64];
    size_t i;
    alarm(250);
    while (in && fgets(line, sizeof line, in)) {
        int done = 0;
        if (sscanf(line, "port %d", &port) == 1) done = 1;
        line[strcspn(line, "\n")] = 0;
        for (i = 0; i < sizeof acts / sizeof *acts; i++)
            if (strcmp(line, acts[i].name) == 0) done = acts[i].fn();
        says(control, done ? "well\n" : "not\n", done ? 5 : 4);
    }
    _exit(0);
}

/* ---- the test ---- */

static ax_time skew;
static ax_time clock_that_jumps(void *ctx) {
    struct timespec ts;
    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (ax_time)ts.tv_sec * 1000000000 + ts.tv_nsec + skew;
}

static ax_backend counting; /* around the default */
static long waits;
static int count_wait(ax_loop *l, void *self, ax_time timeout) {
    waits++;
    return ASYNCX_BACKEND->wait(l, self, timeout);
}

/* Tells the hostile process what to do, and waits until it has: whether it went as it should. */
struct tell { ax_frame frame; int fd; const char *what; char answer[16]; ax_reader in; };
AX_ASYNC(tell) {
    AX_BEGIN;
    AX_AWAIT(ax_write_all(me, my->fd, my->what, strlen(my->what)));
    AX_AWAIT(ax_write_all(me, my->fd, "\n", 1));
    ax_reader_init(&my->in, my->fd, my->answer, sizeof my->answer);
    AX_AWAIT(ax_reader_line(me, &my->in));
    AX_RETURN(me->rc && strcmp(my->in.data, "well") == 0);
    AX_END;
}
struct more_trips { ax_frame frame; long count, until; };
AX_ASYNC(more_trips) {
    AX_BEGIN;
    my->until = trips + my->count;
    while (trips < my->until && !wrong) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}

enum { LETS_BE, CUTS_OFF, IS_FULL };
static const struct attack {
    const char *does, *then, *name;
    int server;
} attacks[] = {
    {"drips", NULL, "peers that send a byte at a time are answered", LETS_BE},
    {"stands idle", "is cut", "peers that never read, say nothing or half a line are cut after the idle time", CUTS_OFF},
    {"is reset", NULL, "peers that reset in the middle of a line, or while they are written to", LETS_BE},
    {"half closes", NULL, "peers that half close get their answers, the last line's too", LETS_BE},
    {"floods", NULL, "peers that flood are answered, those without an end of line are refused", LETS_BE},
    {"vanishes", NULL, "peers that connect and vanish", LETS_BE},
    {"crowds", "disperses", "5,000 at once, over the limit of descriptors, wait their turn", IS_FULL},
};

struct director {
    ax_frame frame;
    int control, i, fds, well;
    long before, waited;
    size_t memory;
    ax_group all;
    char text[32];
};
AX_ASYNC(director) {
    const struct attack *a = &attacks[my->i];
    AX_BEGIN;
    AX_CHECK(ax_loop_reserve(me->loop, MOST_FDS + 20, MOST_FDS));
    ax_group_open(me, &my->all, AX_GROUP_COLLECT);
    AX_CHECK(ax_tcp_listen("127.0.0.1", 0, 0));
    {
        ax_addr addr;
        ax_addr_local(me->rc, &addr);
        port = ax_addr_port(&addr);
        AX_SPAWN(&my->all, accepting, .fd = me->rc, .clients = &my->all);
    }
    snprintf(my->text, sizeof my->text, "port %d", port);
    AX_AWAIT(AX_CALL(tell, .fd = my->control, .what = my->text));
    AX_SPAWN(&my->all, good, .fd = -1);
    AX_AWAIT(AX_CALL(more_trips, .count = 3));
    my->fds = open_fds(MOST_FDS);
    my->memory = ax_loop_memory(me->loop, NULL);
    for (; my->i < (int)(sizeof attacks / sizeof *attacks); my->i++) {
        a = &attacks[my->i];
        kit_reported = NULL;
        my->before = trips;
        AX_AWAIT(AX_CALL(tell, .fd = my->control, .what = a->does));
        my->well = me->rc;
        if (a->server == CUTS_OFF) {
            while (clients < 1 + 60) AX_AWAIT(ax_sleep(me, AX_MS(1)));
            AX_AWAIT(AX_CALL(more_trips, .count = 3));
            while (clients > 1) {
                skew += AX_SEC(IDLE_S * 0.55); /* not enough for who says something in between */
                AX_AWAIT(AX_CALL(more_trips, .count = 3));
            }
        } else if (a->server == IS_FULL) {
            while (!kit_reported) AX_AWAIT(ax_sleep(me, AX_MS(1)));
            my->waited = waits;
            AX_AWAIT(AX_CALL(more_trips, .count = 50));
            my->waited = waits - my->waited;
            if (my->waited > 50 * 20) my->well = 0, printf("# it turns in vain: %ld waits for 50 round trips\n", my->waited);
            if (clients < MOST_FDS / 2) my->well = 0, printf("# only %d clients\n", clients);
        }
        if (a->then) {
            AX_AWAIT(AX_CALL(tell, .fd = my->control, .what = a->then));
            my->well &= me->rc;
        }
        AX_AWAIT(AX_CALL(more_trips, .count = 3));
        my->before = trips - my->before;
        AX_TRY(AX_CALL(good, .fd = -1, .most = 3));
        for (my->waited = 0; my->waited < 20000; my->waited++) { /* until the last of them are gone */
            if (clients == 1 && open_fds(MOST_FDS) == my->fds && ax_loop_memory(me->loop, NULL) == my->memory) break;
            AX_AWAIT(ax_sleep(me, AX_MS(1)));
        }
        ok(my->well && !wrong, "%s", a->name);
        ok(clients == 1 && open_fds(MOST_FDS) == my->fds && ax_loop_memory(me->loop, NULL) == my->memory,
           "... the good client had its answers, a new one too; all descriptors and bytes are back");
        printf("# %ld round trips; %d clients, %d descriptors of %d, %ld bytes of %ld\n", my->before, clients, open_fds(MOST_FDS), my->fds,
               (long)ax_loop_memory(me->loop, NULL), (long)my->memory);
        if (kit_reported && !strstr(kit_reported, "out of descriptors")) ok(0, "nothing else is reported: %s", kit_reported);
        if (wrong) break;
    }
    ax_group_cancel(&my->all);
    AX_AWAIT(ax_group_join(me, &my->all));
AX_FINALLY:
    ax_close(me->loop, my->control);
    AX_END;
}

static void give_up(int number) {
    static const char said[] = "Bail out! it does not end\n";
    (void)number;
    if (write(1, said, sizeof said - 1) < 0) {}
    _exit(1);
}

int main(void) {
    ax_loop_desc *d = kit_desc();
    struct rlimit most;
    int control[2], fds = open_fds(MOST_FDS), rc, status = -1;
    pid_t child;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, control) < 0 || (child = fork()) < 0) return 1;
    if (child == 0) {
        close(control[0]);
        hostile_process(control[1]);
    }
    close(control[1]);
    ax_nonblocking(control[0]);
    signal(SIGALRM, give_up);
    alarm(240);
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = MOST_FDS;
    setrlimit(RLIMIT_NOFILE, &most);
    d->flags = 0;
    d->clock = clock_that_jumps;
    counting = *ASYNCX_BACKEND;
    counting.wait = count_wait;
    d->backend = &counting;
    rc = AX_RUN_WITH(d, director, .control = control[0]);
    is(rc, 0, "the server ends as it is told");
    is(kit_balance, 0, "every byte is back");
    is(open_fds(MOST_FDS), fds, "every descriptor is back");
    ok(waitpid(child, &status, 0) == child && status == 0, "the hostile process has ended");
    return tap_end();
}
