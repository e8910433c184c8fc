/* A loop per thread: each thread has a loop and a listening socket of its own on one port (SO_REUSEPORT), and the system deals the
   connections out. Nothing is shared, so nothing is locked; what one loop has for another it hands over with ax_post.

     loop_per_thread [--host H] [--port N] [--threads N] [--max-clients N] [--idle S] [--grace S]

   Sends back each line; the line "stats" is answered with the counters of all loops. Ctrl-C or SIGTERM comes to the main thread's
   loop, which tells the others: stop accepting, let clients finish within the grace time, end.

   Note that the system lets a second server of the same user share the port, too: there is no "address already in use". */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"
#include <pthread.h>

enum { MOST_THREADS = 64 };

static struct { const char *host; int port, threads, max_clients; double idle, grace; } options =
    {"127.0.0.1", 7003, 4, 1000, 60, 5};

/* Something that one loop tells another: it is posted there, and its event is set on that loop's thread. */
struct message { ax_callback callback; ax_event event; };
static void heard(ax_loop *loop, void *event) {
    (void)loop;
    ax_event_set(event);
}
static void tell(ax_loop *loop, struct message *m) { ax_post(loop, &m->callback, heard, &m->event); }

struct counters { long clients, lines; };
struct worker {
    pthread_t thread;
    ax_loop *loop, *main; /* its own, once it is up, for tell and ax_post; who started it */
    int fd, status;
    struct message go, stop, end;  /* for it */
    struct message up, drained;    /* from it */
    struct counters counters;      /* its thread's alone, as are: */
    ax_group door;
};
static struct worker workers[MOST_THREADS];

/* ---- all loops' counters: a question is posted to each, and comes back with the answer ---- */

struct question { ax_callback there, back; struct stats *stats; struct counters counters; };
struct stats {
    ax_frame frame;
    ax_loop *home;
    int left;
    ax_future done;
    struct question questions[MOST_THREADS];
    char text[MOST_THREADS * 80];
};

static void answered(ax_loop *loop, void *arg) { /* on the asker's thread */
    struct question *q = arg;
    (void)loop;
    if (--q->stats->left == 0) ax_future_complete(&q->stats->done, 0);
}
static void asked(ax_loop *loop, void *arg) { /* on the worker's thread, which alone may read its counters */
    struct question *q = arg;
    (void)loop;
    q->counters = workers[q - q->stats->questions].counters;
    ax_post(q->stats->home, &q->back, answered, q);
}
static int stay(ax_future *future, void *arg) { /* a cancel has to wait: the questions are in this frame, and still under way */
    (void)future, (void)arg;
    return AX_STAY;
}
AX_ASYNC(stats) {
    int i;
    AX_BEGIN;
    my->home = me->loop;
    my->done.cancel = stay;
    my->left = options.threads;
    for (i = 0; i < options.threads; i++) {
        my->questions[i].stats = my;
        ax_post(workers[i].loop, &my->questions[i].there, asked, &my->questions[i]);
    }
    AX_AWAIT(ax_future_wait(me, &my->done));
    for (i = 0; i < options.threads; i++)
        snprintf(my->text + strlen(my->text), sizeof my->text - strlen(my->text), "loop %d%s: %ld clients, %ld lines\n", i,
                 workers[i].loop == me->loop ? " (this)" : "", my->questions[i].counters.clients, my->questions[i].counters.lines);
    AX_END;
}

/* ---- a worker ---- */

struct client {
    ax_frame frame;
    struct worker *worker;
    int fd;
    ax_reader in;
    ax_writer out;
    struct stats stats;
    char buffers[2][4096];
};
AX_ASYNC(client) {
    AX_BEGIN;
    my->worker->counters.clients++;
    ax_reader_init(&my->in, my->fd, my->buffers[0], 1024);
    ax_writer_init(&my->out, my->fd, my->buffers[1], sizeof my->buffers[1]);
    for (;;) {
        AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_reader_line(me, &my->in)));
        if (me->rc == 0) break;
        my->worker->counters.lines++;
        if (strcmp(my->in.data, "stats")) {
            AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_writer_printf(me, &my->out, "%s\n", my->in.data)));
        } else {
            AX_AWAIT(AX_CALL_IN(&my->stats, stats));
            AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_writer_write(me, &my->out, my->stats.text, strlen(my->stats.text))));
        }
        AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_writer_flush(me, &my->out)));
    }
    AX_END;
}

static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *worker) { /* ax_server closes it */
    (void)peer;
    return AX_CALL(client, .worker = worker, .fd = fd);
}

struct work { ax_frame frame; struct worker *worker; };
AX_ASYNC(work) {
    struct worker *w = my->worker;
    AX_BEGIN;
    w->loop = me->loop;
    ax_loop_hold(me->loop); /* what it waits for comes from another thread, of which the loop can't know */
    ax_group_open(me, &w->door, 0);
    tell(w->main, &w->up);
    AX_AWAIT(ax_event_wait(me, &w->go.event)); /* until all are up: a client may ask for all */
    AX_SPAWN(&w->door, ax_server, .fd = w->fd, .serve = serve, .arg = w, .max_clients = options.max_clients,
             .grace = AX_SEC(options.grace));
    AX_AWAIT(ax_event_wait(me, &w->stop.event));
    ax_group_cancel(&w->door);
    AX_AWAIT(ax_group_join(me, &w->door));
    tell(w->main, &w->drained);
    AX_AWAIT(ax_event_wait(me, &w->end.event)); /* until nobody has a client left who may ask this loop */
    ax_loop_release(me->loop);
    AX_END;
}

static void *thread(void *arg) {
    static const ax_loop_desc plain = {0}; /* not AX_RUN: Ctrl-C is the main thread's */
    struct worker *w = arg;
    w->status = AX_RUN_WITH(&plain, work, .worker = w);
    tell(w->main, &w->up); /* in case it never came so far */
    tell(w->main, &w->drained);
    return NULL;
}

/* ---- the main loop ---- */

struct app { ax_frame frame; int i, started; long clients, lines; };
AX_ASYNC(app) {
    char text[AX_ADDR_TEXT];
    ax_addr local;
    int i;
    AX_BEGIN;
    ax_loop_hold(me->loop);
    for (i = 0; i < options.threads; i++) { /* all of them here: the first one finds the port out */
        if ((workers[i].fd = ax_tcp_listen(options.host, options.port, AX_REUSE_PORT)) < 0) {
            complain("%s:%d: %s", options.host, options.port, ax_strerror(workers[i].fd));
            AX_RETURN(1);
        }
        ax_addr_local(workers[i].fd, &local);
        options.port = ax_addr_port(&local);
        workers[i].main = me->loop;
    }
    for (; my->started < options.threads; my->started++) {
        i = pthread_create(&workers[my->started].thread, NULL, thread, &workers[my->started]);
        if (i) AX_RETURN(-i);
    }
    for (; my->i < options.threads; my->i++) {
        AX_AWAIT(ax_event_wait(me, &workers[my->i].up.event));
        if (!workers[my->i].loop) AX_RETURN(AX_ENOMEM);
    }
    for (i = 0; i < options.threads; i++) tell(workers[i].loop, &workers[i].go);
    ax_addr_local(workers[0].fd, &local);
    printf("listening on %s, %d loops\n", ax_addr_text(&local, text, sizeof text), options.threads);
    AX_AWAIT(ax_sleep(me, AX_FOREVER)); /* Ctrl-C or SIGTERM cancels this task */
    AX_FINALLY: /* each step for all before the next: no loop ends while another may post to it */
    for (my->i = 0; my->i < my->started; my->i++) {
        AX_TRY(ax_event_wait(me, &workers[my->i].up.event));
        if (workers[my->i].loop) tell(workers[my->i].loop, &workers[my->i].stop);
    }
    for (my->i = 0; my->i < my->started; my->i++) AX_TRY(ax_event_wait(me, &workers[my->i].drained.event));
    for (i = 0; i < my->started; i++) {
        if (workers[i].loop) tell(workers[i].loop, &workers[i].end);
        pthread_join(workers[i].thread, NULL);
        my->clients += workers[i].counters.clients;
        my->lines += workers[i].counters.lines;
    }
    ax_loop_release(me->loop);
    if (my->started) printf("%ld clients, %ld lines\n", my->clients, my->lines);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--host", ARG_TEXT, &options.host, 0, 0, "the address to listen on"},
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "the port; 0: any that is free"},
        {"--threads", ARG_NUMBER, &options.threads, 1, MOST_THREADS, "so many loops, beside the main one"},
        {"--max-clients", ARG_NUMBER, &options.max_clients, 1, 100000, "of each loop at a time; more have to wait"},
        {"--idle", ARG_SECONDS, &options.idle, 0, 86400, "who is silent or does not read for so long has to go"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "what clients get to finish at the end"},
    };
    int status;
    ARGS_READ(argc, argv, "[OPTION]...", args, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = AX_RUN(app);
    return ax_exit(status == AX_EINTR ? 0 : status); /* Ctrl-C and SIGTERM are how it ends */
}
