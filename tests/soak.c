/* A soak: 1,000 connections at a time between tasks that ask, answer, pause, give up, drop, reset and are cancelled at random, for
   so many seconds as the argument says. After a warm-up, and at the end, all are let end: memory and descriptors are the same, and
   the process has not grown. `soak 60 7`: for 60 seconds from seed 7. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "fds.h"
#include "tap.h"
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { MOST = 1000, PAYLOAD = 20000, CHUNK = 4096, HOSTS = 50 };

static int wanted = MOST, port;
static uint32_t seed = 1;
static unsigned at_random(unsigned below) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

/* Tasks that may be cancelled, in no order; each knows its place, from 1. */
struct alive {
    struct { ax_task *task; int *place; } one[MOST + 1000];
    int count;
};
static struct alive asking, answering;
static void comes(struct alive *a, ax_task *me, int *place) {
    if (a->count == (int)(sizeof a->one / sizeof *a->one)) abort();
    a->one[a->count].task = me;
    a->one[a->count].place = place;
    *place = ++a->count;
}
static void goes(struct alive *a, const int *place) {
    if (!*place) return; /* it never ran */
    a->one[*place - 1] = a->one[--a->count];
    *a->one[*place - 1].place = *place;
}

static struct {
    long sessions, trips, bytes, cancels, timeouts, drops, resets, broken, wrong, unexpected;
} did;
static int last_unexpected, asked, answered, most; /* tasks that there are on each side */
static unsigned char payload[PAYLOAD];

/* Errors that a connection may end with when the other side goes its own way. */
static void ended(int status) {
    if (status >= 0 || status == AX_ECANCELED) return;
    if (status == AX_ETIMEDOUT) did.timeouts++;
    else if (status == AX_EPIPE || status == -ECONNRESET) did.broken++;
    else did.unexpected++, last_unexpected = status;
}
static void resets(int fd) {
    const struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    did.resets++;
}

/* "1234\n" and so many bytes, which come back. */
struct answer {
    ax_frame frame;
    int fd, place;
    size_t left;
    unsigned char data[CHUNK], get[512], put[1024];
    ax_reader in;
    ax_writer out;
};
AX_ASYNC(answer) {
    AX_BEGIN;
    comes(&answering, me, &my->place);
    ax_reader_init(&my->in, my->fd, my->get, sizeof my->get);
    ax_writer_init(&my->out, my->fd, my->put, sizeof my->put);
    AX_WHILE(AX_WITHIN(AX_SEC(10), ax_reader_line(me, &my->in))) {
        for (my->left = (size_t)atoi(my->in.data); my->left;) {
            AX_AWAIT(ax_reader_exactly(me, &my->in, my->data, my->left < CHUNK ? my->left : CHUNK));
            if (!me->rc) AX_RETURN(AX_EPIPE);
            my->left -= my->in.length;
            AX_AWAIT(AX_WITHIN(AX_SEC(10), ax_writer_write(me, &my->out, my->data, my->in.length)));
        }
        AX_AWAIT(AX_WITHIN(AX_SEC(10), ax_writer_flush(me, &my->out)));
    }
AX_FINALLY:
    goes(&answering, &my->place);
    answered--;
    if (at_random(8) == 0) resets(my->fd);
    ax_close(me->loop, my->fd);
    ended(ax_leaving(me));
    AX_END;
}
struct accepting { ax_frame frame; int fd; ax_group *group; };
AX_ASYNC(accepting) {
    AX_BEGIN;
    AX_WHILE(ax_accept(me, my->fd, NULL)) {
        if (AX_SPAWN(my->group, answer, .fd = me->rc)) answered++;
        else ax_close(me->loop, me->rc);
    }
AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

struct ask {
    ax_frame frame;
    int fd, place, trips;
    size_t size, got;
    char head[32], host[32];
    unsigned char data[CHUNK];
    struct iovec v[2];
};
AX_ASYNC(ask) {
    AX_BEGIN;
    comes(&asking, me, &my->place);
    did.sessions++;
    snprintf(my->host, sizeof my->host, "127.0.0.%u", 1 + at_random(HOSTS)); /* each has ports of its own */
    AX_AWAIT(ax_tcp_connect(me, my->host, port));
    my->fd = me->rc;
    for (my->trips = (int)at_random(10); my->trips > 0; my->trips--) {
        AX_AWAIT(ax_sleep(me, AX_MS(at_random(400))));
        my->size = at_random(3) ? at_random(200) : at_random(PAYLOAD);
        snprintf(my->head, sizeof my->head, "%u\n", (unsigned)my->size);
        my->v[0].iov_base = my->head;
        my->v[0].iov_len = strlen(my->head);
        my->v[1].iov_base = payload;
        my->v[1].iov_len = my->size;
        AX_AWAIT(ax_writev(me, my->fd, my->v, 2));
        if (at_random(20) == 0) { /* without waiting for the answer, or all of it */
            did.drops++;
            break;
        }
        for (my->got = 0; my->got < my->size; my->got += (size_t)me->rc) {
            AX_AWAIT(AX_WITHIN(at_random(10) ? AX_SEC(10) : AX_US(at_random(500)), ax_read(me, my->fd, my->data, CHUNK)));
            if (!me->rc) AX_RETURN(AX_EPIPE);
            if (my->got + (size_t)me->rc > my->size || memcmp(my->data, payload + my->got, (size_t)me->rc) != 0) {
                did.wrong++;
                AX_RETURN(0);
            }
        }
        did.trips++;
        did.bytes += (long)my->size;
    }
    if (at_random(4) == 0) {
        shutdown(my->fd, SHUT_WR);
        AX_AWAIT(AX_WITHIN(AX_SEC(10), ax_read(me, my->fd, my->data, CHUNK)));
    }
AX_FINALLY:
    goes(&asking, &my->place);
    asked--;
    if (my->fd >= 0) {
        if (at_random(4) == 0) resets(my->fd);
        ax_close(me->loop, my->fd);
    }
    ended(ax_leaving(me));
    AX_END;
}

static long resident_kb(void) { /* or the most it was */
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, total;
    struct rusage use;
    if (f && fscanf(f, "%ld %ld", &total, &pages) != 2) pages = 0;
    if (f) fclose(f);
    if (pages) return pages * (sysconf(_SC_PAGESIZE) / 1024);
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}
/* Keeps so many asking for a time, and cancels some, on either side. */
struct soaking { ax_frame frame; ax_time until; ax_group *group; int i; };
AX_ASYNC(soaking) {
    AX_BEGIN;
    while (ax_now(me->loop) < my->until || most < wanted) {
        for (my->i = 0; my->i < 50 && asked < wanted; my->i++) {
            if (!AX_SPAWN(my->group, ask, .fd = -1)) AX_RETURN(AX_ENOMEM);
            asked++;
        }
        if (asked > most) most = asked;
        while (at_random(3)) {
            struct alive *a = at_random(3) ? &asking : &answering;
            if (a->count) did.cancels += ax_cancel(a->one[at_random((unsigned)a->count)].task);
        }
        AX_AWAIT(ax_sleep(me, AX_MS(2)));
    }
    AX_END;
}
/* Cancels who asks, and waits until the last connection has been accepted and has ended; if that does not come, not for ever. */
struct letting_go { ax_frame frame; int i, fds, turns; };
AX_ASYNC(letting_go) {
    AX_BEGIN;
    while (asked || answered || (open_fds(3 * MOST) != my->fds && my->turns++ < 3000)) {
        for (my->i = 0; my->i < asking.count; my->i++) ax_cancel(asking.one[my->i].task);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
    }
    AX_END;
}

struct state { size_t used; long resident; int fds; };
static struct state look(ax_loop *loop, const char *when) {
    struct state s;
    s.used = ax_loop_memory(loop, NULL);
    s.resident = resident_kb();
    s.fds = open_fds(3 * MOST);
    printf("# %s: the loop has %ld bytes, the process %ld KB and %d descriptors\n", when, (long)s.used, s.resident, s.fds);
    fflush(stdout);
    return s;
}
static int as_before(long now, long before, int percent) { return now <= before + before * percent / 100 + 1024; }
static int keeps_what_is_freed(void) { /* a sanitizer, or valgrind */
    const char *preloaded = getenv("LD_PRELOAD");
    return SANITIZED || (preloaded && strstr(preloaded, "vgpreload"));
}

struct director {
    ax_frame frame;
    int fds;
    double seconds;
    ax_group all;
    ax_time end, warm;
    struct state busy, before, busy_after, after;
};
AX_ASYNC(director) {
    ax_addr addr;
    AX_BEGIN;
    AX_CHECK(ax_loop_reserve(me->loop, 3 * MOST, (unsigned)(2 * wanted + 300)));
    ax_group_open(me, &my->all, AX_GROUP_COLLECT);
    AX_CHECK(ax_tcp_listen(NULL, 0, 0));
    ax_addr_local(me->rc, &addr);
    port = ax_addr_port(&addr);
    AX_SPAWN(&my->all, accepting, .fd = me->rc, .group = &my->all);
    my->fds = open_fds(3 * MOST);
    my->warm = ax_after(me->loop, AX_SEC(my->seconds < 10 ? my->seconds * 0.4 : 5));
    my->end = ax_after(me->loop, AX_SEC(my->seconds));
    AX_AWAIT(AX_CALL(soaking, .until = my->warm, .group = &my->all));
    my->busy = look(me->loop, "warm");
    AX_AWAIT(AX_CALL(letting_go, .fds = my->fds));
    my->before = look(me->loop, "all have gone");
    AX_AWAIT(AX_CALL(soaking, .until = my->end, .group = &my->all));
    my->busy_after = look(me->loop, "at the end");
    AX_AWAIT(AX_CALL(letting_go, .fds = my->fds));
    my->after = look(me->loop, "all have gone");
    printf("# %ld connections, %d at once; %ld round trips, %ld MB;", did.sessions, most, did.trips, did.bytes / 1000000);
    printf(" %ld cancelled, %ld dropped, %ld reset, %ld timed out, %ld broken\n", did.cancels, did.drops, did.resets, did.timeouts,
           did.broken);
    is(my->after.used, my->before.used, "the loop's memory is what it was");
    ok(my->after.fds == my->fds && my->before.fds == my->fds, "so is the number of descriptors");
    ok(as_before((long)my->busy_after.used, (long)my->busy.used, 25), "at work it is no more at the end than when it was warm");
    ok(keeps_what_is_freed() || (as_before(my->after.resident, my->before.resident, 10) &&
                                 as_before(my->busy_after.resident, my->busy.resident, 25)),
       "the process has not grown%s", keeps_what_is_freed() ? " # SKIP freed memory is kept to find faults" : "");
    ok(did.trips > 0 && !did.wrong, "every answer was right");
    is(did.unexpected, 0, "no connection ended otherwise than by the other side, a limit or a cancel");
    if (did.unexpected) printf("# the last one: %s (%d)\n", ax_strerror(last_unexpected), last_unexpected);
    ax_group_cancel(&my->all);
    AX_AWAIT(ax_group_join(me, &my->all));
    AX_END;
}

static int said;
static void report(void *ctx, const char *text) {
    (void)ctx;
    if (!said++) printf("# reported: %s\n", text);
}
static void give_up(int number) {
    static const char text[] = "Bail out! it does not end\n";
    (void)number;
    if (write(1, text, sizeof text - 1) < 0) {}
    _exit(1);
}

int main(int argc, char **argv) {
    ax_loop_desc desc;
    struct rlimit fds;
    double seconds = argc > 1 ? atof(argv[1]) : 2.5;
    int i, before = open_fds(3 * MOST);
    if (argc > 2) seed = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!seed) seed = 1;
    memset(&desc, 0, sizeof desc);
    desc.report = report;
    getrlimit(RLIMIT_NOFILE, &fds);
    fds.rlim_cur = fds.rlim_max < 2 * MOST + 500 ? fds.rlim_max : 2 * MOST + 500;
    setrlimit(RLIMIT_NOFILE, &fds);
    if (fds.rlim_cur < 2 * MOST + 500) wanted = (int)fds.rlim_cur / 2 - 250;
#ifdef ASYNCX_BACKEND
    wanted = 350; /* select() knows no descriptors above 1,023 */
#endif
    for (i = 0; i < PAYLOAD; i++) payload[i] = (unsigned char)(i * 7 + i / 251);
    printf("# %g s, %d connections, seed %u\n", seconds, wanted, (unsigned)seed);
    signal(SIGALRM, give_up);
    alarm((unsigned)seconds + 200);
    is(AX_RUN_WITH(&desc, director, .seconds = seconds), 0, "the soak ends as it should");
    is(open_fds(3 * MOST), before, "every descriptor is back");
    ok(!said, "nothing is reported");
    return tap_end();
}
