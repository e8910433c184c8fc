/* Sockets, threads and signals by what the header offers alone, so that it is the same program on Windows. Loops have the real
   clock, but nobody waits for time: only limits that have to end what would never come. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"
#ifndef SHUT_WR
#define SHUT_WR SD_SEND
#endif

#define REAL(name, want, trace, fn) kit_judge(name, AX_RUN_WITH(real(0), fn), want, trace, NULL, __FILE__, __LINE__)

static ax_loop_desc *real(unsigned flags) {
    ax_loop_desc *d = kit_desc();
    d->flags = flags;
    return d;
}

/* A listening socket on a port that is free. */
static int listening(int *port) {
    ax_addr addr;
    int fd = ax_tcp_listen("127.0.0.1", 0, 0);
    if (fd < 0 || ax_addr_local(fd, &addr) < 0) abort();
    *port = ax_addr_port(&addr);
    return fd;
}

/* Both ends of a connection: AX_AWAIT(AX_CALL(connection, .fd = my->fd)); */
struct connection { ax_frame frame; int *fd, listener, port; ax_group g; };
struct connects { ax_frame frame; int port, *fd; };
AX_ASYNC(connects) {
    AX_BEGIN;
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", my->port));
    *my->fd = me->rc;
    AX_RETURN(0);
    AX_END;
}
AX_ASYNC(connection) {
    AX_BEGIN;
    my->listener = listening(&my->port);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, connects, .port = my->port, .fd = &my->fd[0]);
    AX_AWAIT(ax_accept(me, my->listener, NULL));
    my->fd[1] = me->rc;
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_close(me->loop, my->listener);
    AX_END;
}

/* ---- a server ---- */

struct client { ax_frame frame; int fd; char in_buffer[64], out_buffer[64]; ax_reader in; ax_writer out; };
AX_ASYNC(client) { /* gives each line back, in brackets */
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->in_buffer, sizeof my->in_buffer);
    ax_writer_init(&my->out, my->fd, my->out_buffer, sizeof my->out_buffer);
    AX_WHILE(ax_reader_line(me, &my->in)) {
        AX_AWAIT(ax_writer_printf(me, &my->out, "<%s>\n", my->in.data));
        AX_AWAIT(ax_writer_flush(me, &my->out));
    }
    AX_END;
}
static int served, ended_well, ended_badly;
static void ended(int status, const ax_addr *peer, void *arg) {
    (void)peer, (void)arg;
    if (status == 0) ended_well++;
    else ended_badly++;
}
static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *arg) {
    char text[AX_ADDR_TEXT];
    (void)arg;
    if (strncmp(ax_addr_text(peer, text, sizeof text), "127.0.0.1:", 10) == 0) served++;
    return AX_CALL(client, .fd = fd);
}
struct asks { ax_frame frame; int port, known, fd, i, right; char buffer[64], want[16]; ax_addr to; ax_reader in; };
AX_ASYNC(asks) {
    AX_BEGIN;
    if (my->known) {
        AX_AWAIT(ax_resolve(me, "127.0.0.1", my->port, &my->to, 1));
        AX_CHECK(my->fd = ax_tcp_open(&my->to));
        AX_AWAIT(ax_connect(me, my->fd, &my->to));
    } else {
        AX_AWAIT(ax_tcp_connect(me, "localhost", my->port));
        my->fd = me->rc;
    }
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    for (my->i = 0; my->i < 5; my->i++) {
        snprintf(my->want, sizeof my->want, "<%d>", my->i);
        my->buffer[0] = (char)('0' + my->i);
        my->buffer[1] = '\n';
        AX_AWAIT(ax_write_all(me, my->fd, my->buffer, 2));
        AX_AWAIT(ax_reader_line(me, &my->in));
        my->right += me->rc == 1 && strcmp(my->in.data, my->want) == 0;
    }
    shutdown(my->fd, SHUT_WR);
    AX_AWAIT(ax_reader_line(me, &my->in));
    AX_RETURN(me->rc == 0 && my->right == 5 ? 1 : AX_EINVAL);
AX_FINALLY:
    if (my->fd > 0) ax_close(me->loop, my->fd);
    AX_END;
}
struct serving { ax_frame frame; int port, i; ax_group g, all; ax_task *server; };
AX_ASYNC(serving) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->server = ax_task_ref(AX_SPAWN(&my->g, ax_server, .fd = listening(&my->port), .serve = serve, .ended = ended, .max_clients = 50,
                                      .grace = AX_SEC(9)));
    ax_group_open(me, &my->all, 0);
    for (my->i = 0; my->i < 300; my->i++) AX_SPAWN(&my->all, asks, .port = my->port, .known = my->i % 2);
    AX_AWAIT(ax_group_join(me, &my->all));
    ax_cancel(my->server);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d served, %d ended well, %d badly, the server: %d", served, ended_well, ended_badly, ax_task_status(my->server));
    AX_FINALLY:
    ax_task_unref(my->server);
    AX_END;
}

/* ---- streams ---- */

struct takes { ax_frame frame; int fd; size_t got; unsigned sum; char buffer[4096]; };
static unsigned sum_of(unsigned sum, const char *p, size_t n) {
    while (n--) sum = sum * 31 + (unsigned char)*p++;
    return sum;
}
AX_ASYNC(takes) {
    AX_BEGIN;
    AX_WHILE(ax_read(me, my->fd, my->buffer, sizeof my->buffer)) {
        my->got += (size_t)me->rc;
        my->sum = sum_of(my->sum, my->buffer, (size_t)me->rc);
    }
    AX_END;
}
enum { MUCH = 4 << 20 };
static char much[MUCH];
struct streams { ax_frame frame; int fd[2]; ax_group g; ax_task *reader; struct iovec v[4]; char small[8]; };
AX_ASYNC(streams) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(connection, .fd = my->fd));
    AX_TRY(AX_WITHIN(AX_MS(20), ax_read(me, my->fd[0], my->small, sizeof my->small)));
    LOG("nothing:%d", me->rc);
    ax_group_open(me, &my->g, 0);
    my->reader = ax_task_ref(AX_SPAWN(&my->g, takes, .fd = my->fd[1]));
    my->v[0].iov_base = much, my->v[0].iov_len = 1;
    my->v[1].iov_base = much + 1, my->v[1].iov_len = 0;
    my->v[2].iov_base = much + 1, my->v[2].iov_len = MUCH / 2;
    my->v[3].iov_base = much + 1 + MUCH / 2, my->v[3].iov_len = 7;
    AX_AWAIT(ax_writev(me, my->fd[0], my->v, 4));
    LOG("writev:%d", me->rc);
    AX_AWAIT(ax_write_all(me, my->fd[0], much + MUCH / 2 + 8, MUCH - MUCH / 2 - 8));
    LOG("write_all:%d", me->rc);
    shutdown(my->fd[0], SHUT_WR);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d %d", AX_FRAME(takes, my->reader)->got == MUCH, AX_FRAME(takes, my->reader)->sum == sum_of(0, much, MUCH));
    AX_AWAIT(ax_write_all(me, my->fd[1], "back", 4)); /* the other direction is open */
    AX_AWAIT(ax_read(me, my->fd[0], my->small, sizeof my->small));
    LOG("%.4s", my->small);
    ax_close(me->loop, my->fd[1]);
    AX_AWAIT(ax_read(me, my->fd[0], my->small, sizeof my->small));
    LOG("end:%d", me->rc);
    ax_close(me->loop, my->fd[0]);
AX_FINALLY:
    ax_task_unref(my->reader);
    AX_END;
}

/* Who waits to write to one that has said its last word, but does not read, waits: at no expense. */
struct full { ax_frame frame; int fd[2], polls; };
AX_ASYNC(full) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(connection, .fd = my->fd));
    shutdown(my->fd[1], SHUT_WR);
    AX_TRY(AX_WITHIN(AX_MS(100), ax_write_all(me, my->fd[0], much, sizeof much)));
    my->polls = (int)me->loop->polls;
    AX_TRY(AX_WITHIN(AX_MS(100), ax_write_all(me, my->fd[0], much, sizeof much)));
    LOG("%d %d", me->rc, (int)me->loop->polls - my->polls < 200);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

struct waits { ax_frame frame; int fd; char c; };
AX_ASYNC(waits) {
    AX_BEGIN;
    AX_TRY(ax_read(me, my->fd, &my->c, 1));
    LOG("read:%d", me->rc);
    AX_END;
}
struct misused { ax_frame frame; int fd[2]; ax_group g; char c; };
AX_ASYNC(misused) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(connection, .fd = my->fd));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, waits, .fd = my->fd[0]);
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    AX_TRY(ax_read(me, my->fd[0], &my->c, 1));
    LOG("second:%d", me->rc);
    ax_close(me->loop, my->fd[0]);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_TRY(ax_read(me, 100000, &my->c, 1));
    LOG("none:%d", me->rc);
    AX_TRY(ax_read(me, -1, &my->c, 1));
    LOG("negative:%d", me->rc);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

struct nobody { ax_frame frame; int port; };
AX_ASYNC(nobody) {
    AX_BEGIN;
    ax_close(me->loop, listening(&my->port));
    AX_TRY(ax_tcp_connect(me, "127.0.0.1", my->port));
    LOG("%d", me->rc == AX_ECONNREFUSED);
    AX_TRY(ax_tcp_connect(me, "no-such-name.invalid", 80));
    LOG("%d", me->rc == AX_ENOENT || me->rc == AX_EAGAIN);
    my->port = 0;
    AX_TRY(ax_done(listening(&my->port)));
    LOG("%d", ax_tcp_listen("127.0.0.1", my->port, 0) == AX_EADDRINUSE);
    AX_TRY(AX_WITHIN(AX_MS(10), ax_accept(me, me->rc, NULL)));
    LOG("%d", me->rc == AX_ETIMEDOUT);
    AX_END;
}

/* ---- datagrams ---- */

struct datagrams { ax_frame frame; int a, b; ax_addr to, from, own; char in[16], text[AX_ADDR_TEXT]; };
AX_ASYNC(datagrams) {
    AX_BEGIN;
    my->a = ax_udp_open("127.0.0.1", 0, 0);
    my->b = ax_udp_open("127.0.0.1", 0, 0);
    AX_CHECK(ax_addr_local(my->b, &my->to));
    AX_CHECK(ax_addr_local(my->a, &my->own));
    AX_AWAIT(ax_sendto(me, my->a, "hello", 5, &my->to));
    LOG("sent:%d", me->rc);
    AX_AWAIT(ax_recvfrom(me, my->b, my->in, sizeof my->in, &my->from));
    LOG("got:%d:%.5s:%d", me->rc, my->in, ax_addr_port(&my->from) == ax_addr_port(&my->own));
    AX_AWAIT(ax_sendto(me, my->a, "", 0, &my->to));
    AX_AWAIT(ax_recvfrom(me, my->b, my->in, sizeof my->in, NULL));
    LOG("empty:%d", me->rc);
    AX_AWAIT(ax_sendto(me, my->a, "longer than sixteen bytes", 25, &my->to));
    AX_TRY(ax_recvfrom(me, my->b, my->in, sizeof my->in, &my->from));
    LOG("longer:%d:%.6s:%d", me->rc == AX_EOVERFLOW, my->in, ax_addr_port(&my->from) == ax_addr_port(&my->own));
    AX_AWAIT(ax_udp_connect(me, "127.0.0.1", ax_addr_port(&my->to)));
    ax_close(me->loop, my->a);
    my->a = me->rc;
    ax_close(me->loop, my->b);
    for (my->b = 0; my->b < 20; my->b++) { /* the system tells it to a later call: this one or that one */
        AX_TRY(ax_write(me, my->a, "x", 1));
        if (me->rc >= 0) AX_TRY(ax_write(me, my->a, "x", 1));
        if (me->rc >= 0) AX_TRY(AX_WITHIN(AX_MS(20), ax_read(me, my->a, my->in, sizeof my->in)));
        if (me->rc != AX_ETIMEDOUT) break;
    }
    LOG("nobody:%d", me->rc == AX_ECONNREFUSED || me->rc == AX_ECONNRESET); /* the latter is Windows' word for it */
    ax_close(me->loop, my->a);
    AX_END;
}

/* ---- watches, threads, signals ---- */

static int watched_fd;
static void comes(ax_loop *loop, unsigned events, void *event) {
    char c;
    LOG("events:%d byte:%d", (int)(events & AX_IN), (int)recv(watched_fd, &c, 1, 0));
    (void)loop;
    ax_event_set((ax_event *)event);
}
struct watches { ax_frame frame; int fd[2]; ax_watch watch; ax_event came; };
AX_ASYNC(watches) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(connection, .fd = my->fd));
    watched_fd = my->fd[0];
    AX_CHECK(ax_watch_start(me->loop, &my->watch, my->fd[0], AX_IN, comes, &my->came));
    AX_AWAIT(ax_write_all(me, my->fd[1], "x", 1));
    AX_AWAIT(ax_event_wait(me, &my->came));
    ax_watch_stop(&my->watch);
    ax_close(me->loop, my->fd[0]);
    ax_close(me->loop, my->fd[1]);
    AX_END;
}

struct job { ax_loop *loop; ax_callback *call; ax_event *event; int squared; };
static void called(ax_loop *loop, void *event) {
    (void)loop;
    ax_event_set((ax_event *)event);
}
static int works(void *copy) { /* on a thread */
    struct job *job = (struct job *)copy;
    job->squared *= job->squared;
    return job->call ? ax_post(job->loop, job->call, called, job->event) : job->squared;
}
struct squares { ax_frame frame; struct job job; int *sum; };
AX_ASYNC(squares) {
    AX_BEGIN;
    AX_AWAIT(ax_to_thread(me, works, &my->job, sizeof my->job));
    *my->sum += my->job.squared == me->rc ? me->rc : 0;
    AX_RETURN(0);
    AX_END;
}
struct threads { ax_frame frame; struct job job; ax_callback call; ax_event posted; ax_executor ex; ax_group g; int i, sum; };
AX_ASYNC(threads) {
    AX_BEGIN;
    my->job.loop = me->loop, my->job.call = &my->call, my->job.event = &my->posted, my->job.squared = 3;
    AX_CHECK(ax_executor_open(me->loop, &my->ex, 1, 0));
    AX_AWAIT(ax_executor_run(me, &my->ex, works, NULL, &my->job, sizeof my->job));
    AX_AWAIT(ax_event_wait(me, &my->posted));
    LOG("posted, %d", my->job.squared);
    AX_AWAIT(ax_executor_close(me, &my->ex));
    ax_group_open(me, &my->g, 0);
    for (my->i = 1; my->i <= 20; my->i++) AX_SPAWN(&my->g, squares, .job.squared = my->i, .sum = &my->sum);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d", my->sum);
    AX_END;
}

struct interrupted { ax_frame frame; int signal; };
AX_ASYNC(interrupted) { /* it cancels main */
    AX_BEGIN;
    raise(my->signal);
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
AX_FINALLY:
    AX_AWAIT(ax_sleep(me, 0));
    LOG("cleaned up:%d", ax_leaving(me) == AX_ECANCELED);
    AX_END;
}
struct signals { ax_frame frame; int i; };
AX_ASYNC(signals) { /* waited for, it does nothing else, as often as it comes */
    AX_BEGIN;
    AX_CHECK(ax_signal_catch(me->loop, SIGINT));
    for (my->i = 0; my->i < 3; my->i++) {
        raise(SIGINT);
        AX_AWAIT(ax_signal_wait(me, SIGINT));
        LOG("%d", me->rc == SIGINT);
    }
    AX_TRY(ax_signal_wait(me, 64 + 1));
    LOG("%d", me->rc);
    AX_END;
}
static int handled;
static void handles(int number) {
    (void)number;
    handled = 1;
}

int main(void) {
    size_t i;
    for (i = 0; i < MUCH; i++) much[i] = (char)(i * 7 + i / 256);
    REAL("a server with 300 clients, 50 at a time; its end", 0, "300 served, 300 ended well, 0 badly, the server: -125", serving);
    REAL("streams: limits, back-pressure, half close, the end", 0, "nothing:-110 writev:0 write_all:0 1 1 back end:0", streams);
    REAL("one that neither reads nor writes on holds its writer up, and the loop sleeps", 0, "-110 1", full);
    REAL("a second waiter, a descriptor closed under its waiter, none at all", 0, "second:-16 read:-9 none:-9 negative:-9", misused);
    REAL("nobody listens, nobody has that name, somebody listens already, nobody comes", 0, "1 1 1 1", nobody);
    REAL("datagrams: with an address, empty, too long, to nobody", 0, "sent:5 got:5:hello:1 empty:0 longer:1:longer:1 nobody:1", datagrams);
    REAL("a watch", 0, "events:1 byte:1", watches);
    REAL("threads: an executor, a post, the pool", 0, "posted, 9 2870", threads);
    kit_judge("Ctrl-C cancels main", AX_RUN_WITH(real(AX_CATCH_SIGINT), interrupted, .signal = SIGINT), AX_EINTR, "cleaned up:1", NULL,
              __FILE__, __LINE__);
    is(ax_exit(AX_EINTR), 130, "the exit code tells it");
    kit_judge("SIGTERM cancels main", AX_RUN_WITH(real(AX_CATCH_SIGINT | AX_CATCH_SIGTERM), interrupted, .signal = SIGTERM), AX_EINTR,
              "cleaned up:1", NULL, __FILE__, __LINE__);
    is(ax_exit(AX_EINTR), 143, "the exit code tells it");
    AX_RUN(interrupted, .signal = SIGTERM);
    trace_is("cleaned up:1", "AX_RUN catches both");
    signal(SIGTERM, handles);
    raise(SIGTERM);
    is(handled, 1, "they are given back");
    handled = 0;
    REAL("a signal that is waited for", 0, "1 1 1 -22", signals);
    signal(SIGINT, handles);
    kit_judge("Ctrl-C is left to a handler of the program", AX_RUN_WITH(real(AX_CATCH_SIGINT), signals), 0, "1 1 1 -22", NULL, __FILE__, __LINE__);
    raise(SIGINT);
    is(handled, 1, "which is back afterwards");
    return tap_end();
}
