/* A loop per thread, as in examples/loop_per_thread.c: connections that SO_REUSEPORT deals out, work handed over by ax_post there
   and back, an orderly end. The thread sanitizer runs this, too: what one loop owns must be touched by its thread alone. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "tap.h"
#include <pthread.h>
#include <unistd.h>

enum { LOOPS = 3, CLIENTS = 60, JOBS = 200 };

/* An event of one loop that another sets. */
struct message { ax_callback callback; ax_event event; };
static void heard(ax_loop *loop, void *event) {
    (void)loop;
    ax_event_set((ax_event *)event);
}
static int tell(ax_loop *loop, struct message *m) { return ax_post(loop, &m->callback, heard, &m->event); }

static struct worker {
    ax_loop *loop, *main;
    pthread_t thread;
    int number, fd, status;
    struct message up, stop, drained, end;
    int served, jobs; /* its thread's alone, until that has ended */
} workers[LOOPS];

/* ---- what a worker's loop does ---- */

struct client { ax_frame frame; struct worker *worker; int fd; char line[64]; ax_reader in; ax_writer out; char reply[64]; };
AX_ASYNC(client) { /* a number comes, twice that goes back, and who did it */
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->line, sizeof my->line);
    ax_writer_init(&my->out, my->fd, my->reply, sizeof my->reply);
    AX_WHILE(ax_reader_line(me, &my->in)) {
        my->worker->served++;
        AX_AWAIT(ax_writer_printf(me, &my->out, "%d %d\n", 2 * atoi(my->in.data), my->worker->number));
        AX_AWAIT(ax_writer_flush(me, &my->out));
    }
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

struct accepting { ax_frame frame; struct worker *worker; ax_group *clients; };
AX_ASYNC(accepting) {
    AX_BEGIN;
    AX_WHILE(ax_accept(me, my->worker->fd, NULL)) {
        if (!AX_SPAWN(my->clients, client, .worker = my->worker, .fd = me->rc)) ax_close(me->loop, me->rc);
    }
    AX_FINALLY:
    ax_close(me->loop, my->worker->fd);
    AX_END;
}

struct work { ax_frame frame; struct worker *worker; ax_group clients, door; };
AX_ASYNC(work) {
    struct worker *w = my->worker;
    AX_BEGIN;
    ax_loop_hold(me->loop);
    w->loop = me->loop;
    tell(w->main, &w->up);
    ax_group_open(me, &my->clients, AX_GROUP_COLLECT);
    ax_group_open(me, &my->door, 0);
    AX_SPAWN(&my->door, accepting, .worker = w, .clients = &my->clients);
    AX_AWAIT(ax_event_wait(me, &w->stop.event));
    ax_group_cancel(&my->door);
    AX_AWAIT(ax_group_join(me, &my->door));
    AX_AWAIT(AX_WITHIN(AX_SEC(20), ax_group_join(me, &my->clients)));
    tell(w->main, &w->drained);
    AX_AWAIT(ax_event_wait(me, &w->end.event));
    ax_loop_release(me->loop);
    AX_END;
}
static void *thread(void *arg) {
    static const ax_loop_desc plain = {0};
    struct worker *w = (struct worker *)arg;
    w->status = AX_RUN_WITH(&plain, work, .worker = w);
    return NULL;
}

/* ---- work that goes from main to a worker, is done in a task there, and comes back ---- */

struct job { ax_callback there, back; struct worker *worker; struct app *app; int number, result, order; };

struct app {
    ax_frame frame;
    int i, port, answered, right, by[LOOPS];
    struct job jobs[JOBS];
    int back, sum, in_order, last[LOOPS];
    ax_event all_back;
    ax_group asking;
};

static void job_back(ax_loop *loop, void *arg) { /* on main's thread */
    struct job *job = (struct job *)arg;
    struct app *app = job->app;
    (void)loop;
    app->sum += job->result;
    app->in_order += job->order == ++app->last[job->worker->number];
    if (++app->back == JOBS) ax_event_set(&app->all_back);
}
struct doing { ax_frame frame; struct job *job; };
AX_ASYNC(doing) {
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    my->job->result = 3 * my->job->number;
    my->job->order = ++my->job->worker->jobs;
    ax_post(my->job->worker->main, &my->job->back, job_back, my->job);
    AX_END;
}
static void job_there(ax_loop *loop, void *arg) { /* on the worker's thread */
    AX_SPAWN(&loop->root, doing, .job = (struct job *)arg);
}

/* ---- main ---- */

struct asking { ax_frame frame; struct app *app; int port, number, fd, result, by; char line[64], text[16]; ax_reader in; };
AX_ASYNC(asking) {
    AX_BEGIN;
    AX_AWAIT(ax_tcp_connect(me, "127.0.0.1", my->port));
    my->fd = me->rc;
    ax_reader_init(&my->in, my->fd, my->line, sizeof my->line);
    snprintf(my->text, sizeof my->text, "%d\n", my->number);
    AX_AWAIT(ax_write_all(me, my->fd, my->text, strlen(my->text)));
    AX_AWAIT(ax_reader_line(me, &my->in));
    my->app->answered++;
    if (sscanf(my->in.data, "%d %d", &my->result, &my->by) == 2 && my->by >= 0 && my->by < LOOPS) my->app->by[my->by]++;
    my->app->right += my->result == 2 * my->number;
    AX_FINALLY:
    if (my->fd > 0) ax_close(me->loop, my->fd);
    AX_END;
}

AX_ASYNC(app) {
    ax_addr local;
    int i, served = 0, jobs = 0, good = 0;
    AX_BEGIN;
    ax_loop_hold(me->loop);
    for (i = 0; i < LOOPS; i++) {
        workers[i].number = i;
        workers[i].main = me->loop;
        workers[i].fd = ax_tcp_listen("127.0.0.1", my->port, AX_REUSE_PORT);
        good += workers[i].fd >= 0 && ax_addr_local(workers[i].fd, &local) == 0;
        my->port = ax_addr_port(&local);
    }
    is(good, LOOPS, "several sockets listen on one port");
    if (good < LOOPS) AX_RETURN(1);
    for (i = good = 0; i < LOOPS; i++) good += pthread_create(&workers[i].thread, NULL, thread, &workers[i]) == 0;
    is(good, LOOPS, "a thread for each loop");
    for (my->i = 0; my->i < LOOPS; my->i++) AX_AWAIT(ax_event_wait(me, &workers[my->i].up.event));

    ax_group_open(me, &my->asking, 0);
    for (i = 0; i < CLIENTS; i++) AX_SPAWN(&my->asking, asking, .app = my, .port = my->port, .number = i);
    for (i = 0; i < JOBS; i++) { /* while they are at it */
        struct job *job = &my->jobs[i];
        job->app = my;
        job->number = i;
        job->worker = &workers[i % LOOPS];
        ax_post(job->worker->loop, &job->there, job_there, job);
    }
    AX_AWAIT(AX_WITHIN(AX_SEC(20), ax_group_join(me, &my->asking)));
    is(my->answered, CLIENTS, "every client has its answer");
    is(my->right, CLIENTS, "the right one");
    is(my->by[0] + my->by[1] + my->by[2], CLIENTS, "from one of the loops");
    AX_AWAIT(AX_WITHIN(AX_SEC(20), ax_event_wait(me, &my->all_back)));
    is(my->sum, 3 * JOBS * (JOBS - 1) / 2, "all work that was handed over has come back, done");
    is(my->in_order, JOBS, "from each loop in the order in which it was sent");

    for (i = 0; i < LOOPS; i++) tell(workers[i].loop, &workers[i].stop);
    for (my->i = 0; my->i < LOOPS; my->i++) AX_AWAIT(ax_event_wait(me, &workers[my->i].drained.event));
    AX_TRY(ax_tcp_connect(me, "127.0.0.1", my->port));
    is(me->rc, -ECONNREFUSED, "once all have stopped, nobody accepts");
    for (i = 0, good = 0; i < LOOPS; i++) {
        tell(workers[i].loop, &workers[i].end);
        pthread_join(workers[i].thread, NULL);
        good += workers[i].status == 0;
        served += workers[i].served;
        jobs += workers[i].jobs;
    }
    is(good, LOOPS, "each loop ends in order");
    is(served, CLIENTS, "they have counted all clients");
    is(jobs, JOBS, "and all work");
    ax_loop_release(me->loop);
    AX_END;
}

/* ---- a loop that comes and goes while another thread posts to it ---- */

static ax_loop brief;
static int posted, refused, ran;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void count(ax_loop *loop, void *arg) {
    (void)loop, (void)arg;
    ran++;
    ax_loop_release(loop);
}
static void *post_on(void *arg) {
    static ax_callback callbacks[JOBS];
    int i;
    (void)arg;
    for (i = 0; i < JOBS; i++) {
        int rc = ax_post(&brief, &callbacks[i], count, NULL);
        pthread_mutex_lock(&lock);
        posted += rc == 0;
        refused += rc == AX_EPERM;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(void) {
    pthread_t poster;
    is(AX_RUN(app), 0, "three loops and the main one");

    ax_loop_open(&brief, NULL);
    ax_loop_hold(&brief); /* until the first post has run */
    pthread_create(&poster, NULL, post_on, NULL);
    ax_loop_run(&brief);
    ax_loop_close(&brief);
    pthread_join(poster, NULL);
    is(posted + refused, JOBS, "a post to a loop that closes is taken or refused");
    ok(ran >= 1 && ran <= posted, "what was refused did not run");
    is(ax_post(&brief, &workers[0].up.callback, heard, &workers[0].up.event), AX_EPERM, "a closed loop takes none");
    return tap_end();
}
