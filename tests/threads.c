/* Executors, what happens to their jobs, and signals. Jobs wait at gates, never for time. */
#include <pthread.h>
#include <sys/wait.h>
static int threads_left = -1; /* the next so many can be started; -1: all */
static int few_threads(pthread_t *thread, const pthread_attr_t *how, void *(*fn)(void *), void *arg);
#define pthread_create(a, b, c, d) few_threads(a, b, c, d)
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#undef pthread_create
#include "kit.h"

static int few_threads(pthread_t *thread, const pthread_attr_t *how, void *(*fn)(void *), void *arg) {
    if (threads_left == 0) return EAGAIN;
    if (threads_left > 0) threads_left--;
    return pthread_create(thread, how, fn, arg);
}

#define AT ms(me->loop)

/* A gate that jobs stand at until it is opened, and a list of what they did. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int gate, standing, left_alone;
static char did[64];
static void set(int *what, int to) {
    pthread_mutex_lock(&lock);
    *what = to;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
static void await(int *what, int at_least) {
    pthread_mutex_lock(&lock);
    while (*what < at_least) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}
static void fresh(void) {
    gate = standing = 0;
    did[0] = 0;
}
struct job { char name; int gate, status, told; };
static int work(void *data) {
    struct job *j = (struct job *)data;
    size_t n;
    pthread_mutex_lock(&lock);
    standing++;
    pthread_cond_broadcast(&changed);
    while (gate < j->gate && !j->told) pthread_cond_wait(&changed, &lock);
    n = strlen(did);
    did[n] = j->name, did[n + 1] = 0;
    j->name = (char)(j->name + 'a' - 'A'); /* comes back */
    pthread_mutex_unlock(&lock);
    return j->told ? AX_ECANCELED : j->status;
}
static int order(void *data) { /* the job is to stop, and is waited for */
    set(&((struct job *)data)->told, 1);
    return AX_STAY;
}
static int shrug(void *data) {
    (void)data;
    return 0;
}

struct runs { ax_frame frame; ax_executor *ex; struct job job; int (*cancel)(void *); };
AX_ASYNC(runs) {
    AX_BEGIN;
    if (my->ex || my->cancel) AX_TRY(ax_executor_run(me, my->ex, work, my->cancel, &my->job, sizeof my->job));
    else AX_TRY(ax_to_thread(me, work, &my->job, sizeof my->job));
    LOG("%c:%d", my->job.name, me->rc);
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("%c:left:%d", my->job.name, ax_leaving(me));
    AX_END;
}

struct serial { ax_frame frame; ax_executor ex; ax_group g; int i; };
AX_ASYNC(serial) { /* six jobs by one thread, in order */
    AX_BEGIN;
    fresh();
    LOG("open:%d", ax_executor_open(me->loop, &my->ex, 1, 0));
    ax_group_open(me, &my->g, 0);
    for (; my->i < 6; my->i++) AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){(char)('A' + my->i), my->i ? 0 : 1, my->i, 0}));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    set(&gate, 1);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(ax_executor_close(me, &my->ex));
    AX_AWAIT(ax_executor_close(me, &my->ex));
    AX_TRY(ax_executor_run(me, &my->ex, work, NULL, NULL, 0));
    LOG("%s closed:%d", did, me->rc);
    AX_END;
}
struct one_thread { ax_frame frame; ax_executor ex; ax_group g; };
AX_ASYNC(one_thread) { /* the second thread can't be started */
    AX_BEGIN;
    fresh();
    ax_executor_open(me->loop, &my->ex, 2, 0);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'A', 1, 1, 0}));
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'B', 1, 2, 0}));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    set(&gate, 1);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct frees_place { ax_frame frame; ax_executor ex; ax_group g; AX_TASK(runs) second; };
AX_ASYNC(frees_place) { /* one job may be queued: the one that is cancelled makes room for the next */
    AX_BEGIN;
    fresh();
    ax_executor_open(me->loop, &my->ex, 1, 1);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'A', 1, 1, 0}));
    AX_SPAWN_IN(&my->g, &my->second, runs, .ex = &my->ex, .job = ((struct job){'B', 1, 2, 0}));
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    ax_cancel(&my->second.task);
    AX_AWAIT(ax_checkpoint(me));
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'C', 1, 3, 0}));
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'D', 1, 4, 0}));
    AX_AWAIT(ax_checkpoint(me));
    set(&gate, 1);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct cancels_done { ax_frame frame; ax_executor ex; ax_group g; AX_TASK(runs) own; };
AX_ASYNC(cancels_done) { /* a job that has ended, but of which the loop has not heard: its result is not undone */
    struct axi_job *job;
    int state;
    AX_BEGIN;
    fresh();
    ax_executor_open(me->loop, &my->ex, 1, 0);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN_IN(&my->g, &my->own, runs, .ex = &my->ex, .job = ((struct job){'A', 1, 7, 0}));
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    job = (struct axi_job *)my->own.task.obj;
    set(&gate, 1);
    do {
        sched_yield();
        pthread_mutex_lock(&job->pool->lock);
        state = job->state;
        pthread_mutex_unlock(&job->pool->lock);
    } while (state != AXI_DONE);
    LOG("cancel:%d", ax_cancel(&my->own.task));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct limited { ax_frame frame; ax_group g; int i; };
AX_ASYNC(limited) { /* one thread, one queued: the third is refused, and none afterwards */
    AX_BEGIN;
    fresh();
    ax_group_open(me, &my->g, 0);
    for (; my->i < 3; my->i++) AX_SPAWN(&my->g, runs, .job = ((struct job){(char)('A' + my->i), 1, my->i, 0}));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    set(&gate, 1);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, runs, .job = ((struct job){'D', 1, 4, 0}));
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%s", did);
    AX_END;
}
struct cancels { ax_frame frame; ax_executor ex; ax_group g; ax_task *t; int (*hook)(void *), queued, shared; };
AX_ASYNC(cancels) { /* a job that runs, or one behind it, is cancelled */
    AX_BEGIN;
    fresh();
    ax_executor_open(me->loop, &my->ex, 1, 0);
    ax_group_open(me, &my->g, AX_GROUP_KEEP);
    my->t = AX_SPAWN(&my->g, runs, .ex = my->shared ? NULL : &my->ex, .job = ((struct job){'A', 1, 7, 0}), .cancel = my->hook);
    if (my->queued) my->t = AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'B', 0, 8, 0}), .cancel = my->hook);
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    LOG("cancel:%d", ax_cancel(my->t));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    if (my->hook != order || my->queued) {
        LOG("then");
        set(&gate, 1);
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(ax_executor_close(me, &my->ex));
    LOG("did %s", did);
    AX_END;
}
struct closes { ax_frame frame; ax_executor ex; ax_group g; int by_limit; };
AX_ASYNC(closes) { /* a close waits for the job, unless it is limited, and goes on nevertheless */
    AX_BEGIN;
    fresh();
    ax_executor_open(me->loop, &my->ex, 2, 0);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, runs, .ex = &my->ex, .job = ((struct job){'A', 1, 7, 0}));
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    if (my->by_limit) {
        AX_TRY(AX_WITHIN(0, ax_executor_close(me, &my->ex)));
        LOG("close:%d", me->rc);
        set(&gate, 1);
    } else {
        set(&gate, 1);
        AX_AWAIT(ax_executor_close(me, &my->ex));
        LOG("close:%d", me->rc);
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

static int stands(void *data) { /* past the end of its loop */
    (void)data;
    set(&standing, 1);
    await(&gate, 1);
    set(&left_alone, 1);
    return 0;
}
struct stander { ax_frame frame; };
AX_ASYNC(stander) {
    AX_BEGIN;
    AX_AWAIT(ax_to_thread(me, stands, NULL, 0));
    AX_END;
}
struct leaves { ax_frame frame; ax_group g; };
AX_ASYNC(leaves) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, stander);
    AX_AWAIT(ax_checkpoint(me));
    await(&standing, 1);
    AX_END;
}
/* Goes on when the loop has closed its threads. */
static void sets(ax_loop *l, void *event) {
    (void)l;
    ax_event_set((ax_event *)event);
}
struct stays { ax_frame frame; ax_event *closing; ax_callback sets; ax_executor ex; struct job job; };
AX_ASYNC(stays) {
    AX_BEGIN;
    LOG("open:%d", ax_executor_open(me->loop, &my->ex, 1, 0));
    ax_at_close(me->loop, &my->sets, sets, my->closing);
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    while (!my->closing->set) AX_AWAIT(ax_event_wait(me, my->closing));
    my->job.name = 'A';
    AX_AWAIT(ax_executor_run(me, NULL, work, NULL, &my->job, sizeof my->job));
    LOG("run:%d", me->rc);
    AX_AWAIT(ax_executor_run(me, &my->ex, work, NULL, &my->job, sizeof my->job));
    LOG("run:%d", me->rc);
    AX_AWAIT(ax_executor_close(me, &my->ex));
    LOG("close:%d", me->rc);
    LOG("open:%d did:%s", ax_executor_open(me->loop, &my->ex, 1, 0), did);
    AX_END;
}
struct leaves_it { ax_frame frame; ax_event *closing; int used; struct job job; };
AX_ASYNC(leaves_it) {
    AX_BEGIN;
    fresh();
    my->job.name = 'B';
    if (my->used) AX_AWAIT(ax_to_thread(me, work, &my->job, sizeof my->job));
    AX_SPAWN(&me->loop->root, stays, .closing = my->closing);
    AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
struct refuses { ax_frame frame; ax_executor ex, none; };
AX_ASYNC(refuses) {
    AX_BEGIN;
    LOG("%d", ax_executor_open(me->loop, &my->ex, 0, 0));
    kit_fail_at = kit_allocations + 1;
    LOG("%d", ax_executor_open(me->loop, &my->ex, 1, 0));
    AX_TRY(ax_executor_run(me, &my->none, work, NULL, NULL, 0));
    LOG("%d", me->rc);
    AX_AWAIT(ax_executor_close(me, &my->none));
    LOG("%d", me->rc);
    LOG("%d", ax_executor_open(me->loop, &my->ex, 3, 3)); /* never used, never closed */
    kit_fail_at = kit_allocations + 1;
    AX_TRY(ax_executor_run(me, &my->ex, work, NULL, NULL, 0));
    LOG("%d", me->rc);
    kit_fail_at = kit_allocations + 1;
    AX_TRY(ax_to_thread(me, work, NULL, 0));
    LOG("%d", me->rc);
    AX_END;
}

/* ---- signals ---- */

struct hears { ax_frame frame; const char *name; int signal, times; };
AX_ASYNC(hears) {
    AX_BEGIN;
    do {
        AX_TRY(ax_signal_wait(me, my->signal));
        LOG("%s:%d", my->name, me->rc == my->signal ? 1 : me->rc);
    } while (--my->times > 0);
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("%s:left:%d@%d", my->name, ax_leaving(me), AT);
    AX_END;
}
static int handled_by_default(int signal) {
    struct sigaction now;
    sigaction(signal, NULL, &now);
    return now.sa_handler == SIG_DFL;
}
struct signals { ax_frame frame; ax_group g; ax_task *t; };
AX_ASYNC(signals) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGUSR1);
    AX_SPAWN(&my->g, hears, .name = "B", .signal = SIGUSR1);
    AX_SPAWN(&my->g, hears, .name = "C", .signal = SIGUSR2, .times = 2);
    AX_AWAIT(ax_checkpoint(me));
    raise(SIGUSR1);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("|");
    raise(SIGUSR1); /* nobody waits: kept, as one */
    raise(SIGUSR1);
    raise(SIGUSR2);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("|");
    AX_AWAIT(ax_signal_wait(me, SIGUSR1));
    LOG("kept:%d", me->rc == SIGUSR1);
    AX_TRY(AX_WITHIN(AX_MS(5), ax_signal_wait(me, SIGUSR1)));
    LOG("once:%d@%d", me->rc, AT);
    my->t = AX_SPAWN(&my->g, hears, .name = "D", .signal = SIGUSR1);
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->t);
    AX_AWAIT(ax_checkpoint(me));
    raise(SIGUSR2);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("caught:%d", !handled_by_default(SIGUSR1));
    AX_END;
}
struct all_hear { ax_frame frame; ax_group g; };
AX_ASYNC(all_hear) { /* one that asks when it has come takes it from nobody */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGUSR1);
    AX_AWAIT(ax_checkpoint(me));
    raise(SIGUSR1);
    AX_AWAIT(ax_signal_wait(me, SIGUSR1));
    LOG("me:%d", me->rc == SIGUSR1);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d %d %d", ax_signal_catch(me->loop, SIGUSR2), ax_signal_catch(me->loop, SIGUSR2), ax_signal_catch(me->loop, SIGKILL));
    raise(SIGUSR2); /* caught before anybody waits */
    AX_AWAIT(ax_signal_wait(me, SIGUSR2));
    LOG("kept:%d", me->rc == SIGUSR2);
    AX_END;
}
struct odd_signals { ax_frame frame; ax_loop other; };
AX_ASYNC(odd_signals) {
    AX_BEGIN;
    ax_loop_open(&my->other, NULL);
    AX_TRY(ax_signal_wait(me, 0));
    LOG("%d", me->rc);
    AX_TRY(ax_signal_wait(me, 65));
    LOG("%d", me->rc);
    AX_TRY(ax_signal_wait(me, SIGKILL));
    LOG("%d", me->rc);
    LOG("another's:%d", ax_signal_catch(&my->other, SIGUSR1)); /* this one has caught none */
    ax_loop_close(&my->other);
    LOG("closed:%d", ax_signal_catch(&my->other, SIGUSR1));
    kit_fail_at = kit_allocations + 1;
    AX_TRY(ax_signal_wait(me, SIGUSR1));
    LOG("%d", me->rc);
    AX_END;
}
struct other_loop { ax_frame frame; };
AX_ASYNC(other_loop) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_signal_wait(me, SIGUSR1)));
    {
        ax_loop_desc d;
        memset(&d, 0, sizeof d);
        d.flags = AX_VIRTUAL_CLOCK;
        AX_RUN_WITH(&d, hears, .name = "inner", .signal = SIGUSR1);
    }
    AX_END;
}
static void *sends(void *arg) {
    (void)arg;
    kill(getpid(), SIGUSR1);
    return NULL;
}
struct only_signal { ax_frame frame; pthread_t thread; };
AX_ASYNC(only_signal) { /* nothing else can wake the loop */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(0, ax_signal_wait(me, SIGUSR1)));
    pthread_create(&my->thread, NULL, sends, NULL);
    AX_AWAIT(ax_signal_wait(me, SIGUSR1));
    LOG("heard");
    AX_FINALLY:
    pthread_join(my->thread, NULL);
    AX_END;
}
static void *runs_there(void *loop) {
    ax_loop_run((ax_loop *)loop);
    return NULL;
}
struct hears_there { ax_frame frame; };
AX_ASYNC(hears_there) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(10), ax_signal_wait(me, SIGUSR1)));
    LOG("heard:%d", me->rc == SIGUSR1);
    AX_END;
}
struct signalled_there { ax_frame frame; };
AX_ASYNC(signalled_there) { AX_BEGIN; raise(SIGUSR1); AX_END; }
static void moved_test(void) { /* a loop that has caught a signal on one thread runs on another */
    ax_loop l;
    pthread_t thread;
    int rc;
    kit_desc();
    ax_loop_open(&l, NULL);
    rc = ax_signal_catch(&l, SIGUSR1);
    AX_SPAWN(&l.root, hears_there);
    AX_SPAWN(&l.root, signalled_there);
    pthread_create(&thread, NULL, runs_there, &l);
    pthread_join(thread, NULL);
    ax_loop_close(&l);
    kit_judge("a loop that has caught a signal may run on another thread", rc, 0, "heard:1", NULL, __FILE__, __LINE__);
}
static void masked_test(void) { /* a signal that the thread had blocked is heard, and blocked again afterwards */
    sigset_t set, now;
    kit_desc();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kit_judge("a signal that the thread had blocked is heard", AX_RUN(only_signal), 0, "heard", NULL, __FILE__, __LINE__);
    pthread_sigmask(SIG_UNBLOCK, &set, &now);
    ok(sigismember(&now, SIGUSR1) == 1, "... and blocked again afterwards");
}
static void later(void) { AXI_STORE(axi_stop_at[0], 0); } /* as if the last Ctrl-C had been long ago: the next is another */
struct interrupted { ax_frame frame; const char *name; int inner, waits; };
AX_ASYNC(interrupted) {
    AX_BEGIN;
    if (my->inner) {
        int rc = AX_RUN(interrupted, .name = "inner");
        LOG("inner:%d", rc == AX_EINTR);
        later();
    }
    if (my->waits) AX_TRY(AX_WITHIN(0, ax_signal_wait(me, SIGINT)));
    raise(SIGINT);
    if (my->waits) AX_AWAIT(ax_signal_wait(me, SIGINT));
    else AX_AWAIT(ax_sleep(me, AX_FOREVER));
    LOG("%s heard:%d", my->name, me->rc == SIGINT);
    AX_FINALLY:
    LOG("%s:%d", my->name, ax_leaving(me));
    AX_END;
}

/* What the outer loop catches is its own: an inner one can't, and what comes meanwhile is kept. */
struct catches_too { ax_frame frame; };
AX_ASYNC(catches_too) {
    AX_BEGIN;
    LOG("inner:%d", ax_signal_catch(me->loop, SIGUSR1));
    AX_END;
}
struct keeps_signal { ax_frame frame; };
AX_ASYNC(keeps_signal) {
    AX_BEGIN;
    AX_CHECK(ax_signal_catch(me->loop, SIGUSR1));
    raise(SIGUSR1);
    AX_CHECK(AX_RUN(catches_too));
    AX_TRY(AX_WITHIN(AX_MS(1), ax_signal_wait(me, SIGUSR1)));
    LOG("heard:%d", me->rc == SIGUSR1);
    AX_END;
}

struct at_once { ax_frame frame; };
AX_ASYNC(at_once) { AX_BEGIN; AX_AWAIT(ax_checkpoint(me)); AX_END; }
struct keeps_stop { ax_frame frame; int told; };
AX_ASYNC(keeps_stop) {
    AX_BEGIN;
    AX_CHECK(ax_signal_catch(me->loop, SIGINT));
    raise(SIGINT);
    if (my->told) AX_AWAIT(ax_checkpoint(me)); /* the loop has looked */
    LOG("inner:%d", AX_RUN(at_once));
    AX_TRY(AX_WITHIN(AX_MS(1), ax_signal_wait(me, SIGINT)));
    LOG("heard:%d", me->rc == SIGINT);
    AX_END;
}

/* ---- loops that are stopped, nested, or can't end ---- */

struct other { ax_frame frame; };
AX_ASYNC(other) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(500)));
    LOG("other@%d", AT);
    AX_END;
}
struct stopped { ax_frame frame; };
AX_ASYNC(stopped) {
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, other);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_loop_stop(me->loop);
    AX_AWAIT(ax_sleep(me, AX_SEC(1)));
    AX_FINALLY:
    LOG("main@%d", AT);
    AX_END;
}
static int stay(ax_task *t, void *obj) { (void)t; (void)obj; return AX_STAY; }
struct stuck { ax_frame frame; };
AX_ASYNC(stuck) {
    AX_BEGIN;
    ax_loop_stop(me->loop);
    AX_AWAIT(ax_park(me, stay, NULL));
    AX_END;
}
struct signalled_inside { ax_frame frame; };
AX_ASYNC(signalled_inside) {
    AX_BEGIN;
    raise(SIGUSR1);
    AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
struct nests { ax_frame frame; ax_group g; };
AX_ASYNC(nests) { /* a signal for the outer loop comes while an inner one runs */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGUSR1);
    AX_AWAIT(ax_checkpoint(me));
    LOG("inner:%d", AX_RUN(signalled_inside));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* A run inside gets a signal that is not its own. */
enum { BOTH_STOPS = AX_CATCH_SIGINT | AX_CATCH_SIGTERM };
static ax_loop_desc *catching(unsigned flags) {
    static ax_loop_desc d;
    memset(&d, 0, sizeof d);
    d.flags = AX_VIRTUAL_CLOCK | flags;
    return &d;
}
struct raising { ax_frame frame; int signal, claims; };
AX_ASYNC(raising) {
    AX_BEGIN;
    if (my->claims) AX_CHECK(ax_signal_catch(me->loop, my->signal));
    raise(my->signal);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
struct cleans { ax_frame frame; };
AX_ASYNC(cleans) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    raise(SIGINT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("cleaned");
    AX_END;
}
struct leaves_one { ax_frame frame; };
AX_ASYNC(leaves_one) { /* main has ended when the signal comes, in what the loop waits for as it closes */
    AX_BEGIN;
    AX_SPAWN(&me->loop->root, cleans);
    AX_AWAIT(ax_checkpoint(me));
    AX_END;
}
struct nests_stop { ax_frame frame; ax_group g; int signal, waits, claims; };
AX_ASYNC(nests_stop) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    if (my->waits) AX_SPAWN(&my->g, hears, .name = "A", .signal = my->signal);
    AX_AWAIT(ax_checkpoint(me));
    LOG("inner:%d", AX_RUN_WITH(catching(AX_CATCH_SIGINT), raising, .signal = my->signal, .claims = my->claims));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("goes on");
    AX_END;
}
/* What came before a run inside began is no business of it: it is for who waits for it outside, */
struct old_signal { ax_frame frame; ax_group g; int guest; };
static void runs_some(void) {
    int i;
    for (i = 0; i < 3; i++) LOG("%d", AX_RUN_WITH(catching(BOTH_STOPS), at_once));
}
struct runs_later { ax_frame frame; };
AX_ASYNC(runs_later) {
    AX_BEGIN;
    raise(SIGTERM);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    runs_some();
    AX_END;
}
AX_ASYNC(old_signal) {
    ax_loop inside;
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGTERM);
    AX_AWAIT(ax_checkpoint(me));
    if (my->guest) {
        ax_loop_open(&inside, catching(0));
        AX_SPAWN(&inside.root, raising, .signal = SIGTERM);
        ax_loop_run(&inside);
        runs_some();
        ax_loop_close(&inside);
    } else {
        LOG("%d", AX_RUN_WITH(catching(AX_CATCH_SIGINT), runs_later));
    }
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* ... or for the run in between, which it cancels, though one further out has caught it as well; */
struct computes { ax_frame frame; };
AX_ASYNC(computes) {
    AX_BEGIN;
    raise(SIGINT);
    LOG("sub:%d", AX_RUN_WITH(catching(BOTH_STOPS), at_once));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("not cancelled");
    AX_END;
}
struct around_two { ax_frame frame; ax_group g; };
AX_ASYNC(around_two) {
    AX_BEGIN;
    later();
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGINT);
    AX_AWAIT(ax_checkpoint(me));
    LOG("run:%d", AX_RUN_WITH(catching(BOTH_STOPS), computes));
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* ... also where a run inside has seen it as it closed: the next one is the second, and ends the process. */
struct dies_cleaning { ax_frame frame; };
AX_ASYNC(dies_cleaning) {
    AX_BEGIN;
    LOG("%d", AX_RUN_WITH(catching(BOTH_STOPS), leaves_one));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_FINALLY:
    later();
    if (ax_leaving(me) == AX_ECANCELED) raise(SIGINT);
    _exit(3);
    AX_END;
}
static void second_kills_test(void) {
    int status = 0;
    pid_t child;
    fflush(stdout);
    if ((child = fork()) == 0) {
        later();
        kit_desc();
        AX_RUN_WITH(catching(BOTH_STOPS), dies_cleaning);
        _exit(4);
    }
    waitpid(child, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "Ctrl-C that came as a run inside closed was the first (%d)", status);
}
/* ... or for main of the run around, which it cancels: the run inside can't take it over. */
struct waits_inside { ax_frame frame; };
AX_ASYNC(waits_inside) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_signal_wait(me, SIGINT)));
    LOG("inner:%d", me->rc);
    AX_END;
}
struct old_stop { ax_frame frame; int flags; };
AX_ASYNC(old_stop) {
    AX_BEGIN;
    later();
    raise(SIGINT);
    LOG("%d", AX_RUN_WITH(catching(my->flags), waits_inside));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_FINALLY:
    LOG("cleanup:%d", ax_leaving(me));
    AX_END;
}
/* One signal ends one run inside: the next ones are not ended by what is kept for the outer loop, however deep they are. */
struct tries_again { ax_frame frame; ax_group g; int runs, rc, deep; };
struct one_deeper { ax_frame frame; int raises; };
AX_ASYNC(one_deeper) {
    AX_BEGIN;
    AX_RETURN(AX_RUN_WITH(catching(AX_CATCH_SIGINT), raising, .signal = my->raises ? SIGINT : SIGUSR1));
    AX_END;
}
AX_ASYNC(tries_again) {
    AX_BEGIN;
    later();
    ax_group_open(me, &my->g, 0);
    AX_CHECK(ax_signal_catch(me->loop, SIGUSR1));
    AX_SPAWN(&my->g, hears, .name = "A", .signal = SIGINT);
    AX_AWAIT(ax_checkpoint(me));
    do my->rc = my->deep ? AX_RUN_WITH(catching(AX_CATCH_SIGINT), one_deeper, .raises = !my->runs)
                         : AX_RUN_WITH(catching(AX_CATCH_SIGINT), raising, .signal = my->runs ? SIGUSR1 : SIGINT);
    while (my->rc == AX_EINTR && ++my->runs < 5);
    LOG("runs:%d then:%d", my->runs, my->rc);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
/* A guest that has caught Ctrl-C is closed inside a run: Ctrl-C is the run's all the same, and afterwards nobody's. */
static ax_loop guest;
static void of_the_program(int sig) { (void)sig; }
struct keeps_handler { ax_frame frame; };
AX_ASYNC(keeps_handler) { /* a handler that was set within the outer run stays */
    struct sigaction act;
    AX_BEGIN;
    memset(&act, 0, sizeof act);
    act.sa_handler = of_the_program;
    sigaction(SIGINT, &act, NULL);
    LOG("%d", AX_RUN(at_once));
    raise(SIGINT);
    sigaction(SIGINT, NULL, &act);
    LOG("%d", act.sa_handler == of_the_program);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    signal(SIGINT, SIG_DFL);
    AX_END;
}
struct floods { ax_frame frame; };
AX_ASYNC(floods) { /* more signals than the wake-up pipe holds: errno stays */
    int i;
    AX_BEGIN;
    AX_CHECK(ax_signal_catch(me->loop, SIGUSR1));
    errno = ERANGE;
    for (i = 0; i < 70000 && errno == ERANGE; i++) raise(SIGUSR1);
    LOG("%d", errno == ERANGE);
    AX_AWAIT(ax_signal_wait(me, SIGUSR1));
    AX_END;
}
struct closes_guest { ax_frame frame; int before; };
AX_ASYNC(closes_guest) {
    AX_BEGIN;
    if (my->before) raise(SIGINT);
    LOG("close:%d", ax_loop_close(&guest));
    if (!my->before) raise(SIGINT);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_FINALLY:
    LOG("cleanup:%d", ax_leaving(me));
    AX_END;
}
static void guest_test(int before) {
    struct sigaction act;
    kit_desc();
    later();
    ax_loop_open(&guest, NULL);
    is(ax_signal_catch(&guest, SIGINT), 0, "a guest catches Ctrl-C");
    kit_judge("... and is closed inside a run, which is cancelled by it", AX_RUN_WITH(catching(AX_CATCH_SIGINT), closes_guest, .before = before), AX_EINTR, "close:0 cleanup:-125",
              NULL, __FILE__, __LINE__);
    sigaction(SIGINT, NULL, &act);
    ok(act.sa_handler == SIG_DFL, "... and then it is as before");
}
/* Main takes the first one back, and goes on: the other kind is another, also if it came meanwhile. */
struct takes_back { ax_frame frame; int early; };
AX_ASYNC(takes_back) {
    AX_BEGIN;
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("%d", me->rc);
    if (my->early) raise(SIGTERM);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("%d %d", me->rc, me->loop->signalled == SIGINT);
    ax_uncancel(me);
    LOG("%d %d", ax_cancelling(me), me->loop->signalled);
    if (!my->early) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    if (!my->early) raise(SIGTERM);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    LOG("%d %d", me->rc, me->loop->signalled == SIGTERM);
    AX_END;
}
/* A limit cuts short what main does about a Ctrl-C it has kept, and takes its own request back after main has done so. */
struct says_goodbye { ax_frame frame; };
AX_ASYNC(says_goodbye) {
    AX_BEGIN;
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_FOREVER));
    AX_TRY_ALL(ax_sleep(me, AX_SEC(5)));
    LOG("%d of %d", me->rc, ax_cancelling(me));
    ax_uncancel(me);
    AX_END;
}
struct goes_on { ax_frame frame; };
AX_ASYNC(goes_on) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(1), AX_CALL(says_goodbye)));
    LOG("%d of %d:%d", me->rc, ax_cancelling(me), me->loop->signalled);
    raise(SIGTERM);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("on");
    AX_END;
}
/* Ctrl-C in the last step of a run inside is too late for that, and cancels the main around it. */
struct ends_with_it { ax_frame frame; };
AX_ASYNC(ends_with_it) {
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    later();
    raise(SIGINT);
    AX_END;
}
/* ... but not one that main has met, or that it ended with: that is told by the run's status. */
struct fails_when_cancelled { ax_frame frame; };
AX_ASYNC(fails_when_cancelled) {
    AX_BEGIN;
    AX_TRY_ALL(ax_sleep(me, AX_FOREVER));
    AX_RETURN(AX_EIO);
    AX_END;
}
struct has_met_it { ax_frame frame; int kept; ax_group g; };
AX_ASYNC(has_met_it) {
    AX_BEGIN;
    later();
    if (my->kept) {
        ax_group_open(me, &my->g, 0);
        AX_SPAWN(&my->g, fails_when_cancelled);
        AX_AWAIT(ax_checkpoint(me));
        raise(SIGINT);
        AX_TRY_ALL(ax_sleep(me, AX_FOREVER));
        LOG("kept:%d", me->rc);
        ax_group_cancel(&my->g);
        AX_TRY_ALL(ax_group_join(me, &my->g));
        AX_RETURN(0);
    }
    ax_cancel(me);
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    if (!my->kept) {
        raise(SIGINT);
        AX_AWAIT(ax_checkpoint(me));
    }
    AX_END;
}
struct around_it { ax_frame frame; int met, kept; };
AX_ASYNC(around_it) {
    AX_BEGIN;
    if (my->met) LOG("inner:%d", AX_RUN(has_met_it, .kept = my->kept));
    else LOG("inner:%d", AX_RUN(ends_with_it));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("on");
    AX_END;
}
struct is_cancelled { ax_frame frame; };
AX_ASYNC(is_cancelled) { /* it is not Ctrl-C that ended main */
    AX_BEGIN;
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(1)));
    ax_uncancel(me);
    ax_cancel(me);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_END;
}
static ax_callback at_close;
static void raises(ax_loop *l, void *arg) { (void)l; (void)arg; raise(SIGINT); }
struct late { ax_frame frame; };
AX_ASYNC(late) {
    AX_BEGIN;
    ax_at_close(me->loop, &at_close, raises, NULL);
    AX_END;
}
struct borrows { ax_frame frame; ax_executor *ex; };
AX_ASYNC(borrows) { /* an executor of another loop */
    AX_BEGIN;
    AX_TRY(ax_executor_run(me, my->ex, work, NULL, NULL, 0));
    LOG("%d", me->rc);
    AX_TRY(ax_executor_close(me, my->ex));
    LOG("%d", me->rc);
    AX_END;
}
struct once { ax_frame frame; };
AX_ASYNC(once) {
    AX_BEGIN;
    AX_EMIT();
    AX_END;
}
struct asks_foreign { ax_frame frame; ax_generator *g; };
AX_ASYNC(asks_foreign) {
    AX_BEGIN;
    AX_TRY(ax_next(me, my->g));
    LOG("%d", me->rc);
    AX_TRY(ax_generator_close(me, my->g));
    LOG("%d", me->rc);
    AX_END;
}
struct lends { ax_frame frame; AX_GENERATOR(once) g; };
AX_ASYNC(lends) { /* its generator, to a task of another loop */
    ax_loop_desc d;
    AX_BEGIN;
    AX_GENERATE(&my->g, once);
    memset(&d, 0, sizeof d);
    d.flags = AX_VIRTUAL_CLOCK;
    d.report = kit_report;
    AX_RUN_WITH(&d, asks_foreign, .g = &my->g.generator);
    AX_AWAIT(ax_next(me, &my->g.generator));
    LOG("%d", me->rc);
    AX_END;
}
struct early { ax_frame frame; };
AX_ASYNC(early) { /* Ctrl-C in the step that first waits for it */
    AX_BEGIN;
    raise(SIGINT);
    AX_AWAIT(ax_signal_wait(me, SIGINT));
    LOG("heard:%d", me->rc == SIGINT);
    AX_END;
}
struct waits_in_parent { ax_frame frame; ax_event *e; ax_task *t; ax_future *f; };
AX_ASYNC(waits_in_parent) { /* its cleanup never ends */
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_FINALLY:
    if (my->t) AX_AWAIT(ax_join(me, my->t));
    else if (my->f) AX_AWAIT(ax_future_wait(me, my->f));
    else AX_AWAIT(ax_event_wait(me, my->e));
    AX_END;
}
struct emits_stuck { ax_frame frame; ax_event *e; };
AX_ASYNC(emits_stuck) {
    AX_BEGIN;
    AX_EMIT();
    AX_FINALLY:
    AX_AWAIT(ax_event_wait(me, my->e));
    AX_END;
}
static int agrees(ax_future *f, void *arg) { (void)f; (void)arg; return 0; }
struct family { ax_frame frame; ax_group g; ax_event never; ax_future f; ax_task *t; AX_TASK(waits_in_parent) own; AX_GENERATOR(emits_stuck) gen; };
AX_ASYNC(family) { /* children wait in what is their parent's, for each other, in its storage */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->f.cancel = agrees;
    AX_GENERATE(&my->gen, emits_stuck, .e = &my->never);
    AX_AWAIT(ax_next(me, &my->gen.generator));
    my->t = AX_SPAWN(&my->g, waits_in_parent, .e = &my->never);
    AX_SPAWN(&my->g, waits_in_parent, .t = my->t);
    AX_SPAWN(&my->g, waits_in_parent, .f = &my->f);
    AX_SPAWN(&my->g, waits_in_parent, .f = &my->f);
    AX_SPAWN_IN(&my->g, &my->own, waits_in_parent, .e = &my->never);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct calls_family { ax_frame frame; };
AX_ASYNC(calls_family) {
    AX_BEGIN;
    ax_loop_stop(me->loop);
    AX_AWAIT(AX_CALL(family));
    AX_END;
}

/* Loops of two threads ask for a signal at once, begin a run at once, and close while it comes. */
static int turns_taken, both_caught;
static void meet(int *mine) { /* both go on at the same time */
    int until = *mine += 2;
    __atomic_add_fetch(&turns_taken, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&turns_taken, __ATOMIC_SEQ_CST) < until) sched_yield();
}
struct nothing { ax_frame frame; };
AX_ASYNC(nothing) {
    AX_BEGIN;
    AX_END;
}
static int caught_by[2];
static void *competes(void *which) {
    int i = which != NULL, round, met = 0;
    ax_loop loop;
    for (round = 0; round < 300; round++) {
        ax_loop_open(&loop, NULL);
        meet(&met);
        caught_by[i] = ax_signal_catch(&loop, SIGUSR1);
        meet(&met);
        if (!i && caught_by[0] >= 0 && caught_by[1] >= 0) both_caught++;
        if (caught_by[i] >= 0) raise(SIGUSR1);
        meet(&met);
        ax_loop_close(&loop);
        meet(&met);
        AX_RUN(nothing);
    }
    return NULL;
}
static void competition(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, competes, &both_caught);
    competes(NULL);
    pthread_join(thread, NULL);
    is(both_caught, 0, "loops of two threads that ask for a signal at once: one gets it");
    ok(handled_by_default(SIGUSR1) && handled_by_default(SIGINT), "... and it is given back");
}

int main(void) {
    ax_loop outer;
    ax_executor ex;
    ax_loop_desc *d;
    int i;
    signal(SIGINT, SIG_DFL); /* a shell starts background jobs with it ignored, which AX_RUN respects */
    for (i = 0; i < 2; i++) {
        d = kit_desc();
        d->alloc = NULL; /* its job's memory is freed when it ends */
        d->thread_wait = i ? -AX_MS(300) : 1; /* less than nothing is nothing */
        set(&gate, 0);
        set(&standing, 0), set(&left_alone, 0);
        kit_judge("a loop that may not wait leaves a running job to itself", AX_RUN_WITH(d, leaves), 0, "", NULL, __FILE__, __LINE__);
        is(left_alone, 0, "... which stands behind its gate still");
        set(&gate, 1);
        await(&left_alone, 1);
    }
    d = kit_desc();
    d->thread_wait = AX_SEC(600);
    kit_judge("... and waits for one that ends in time", AX_RUN_WITH(d, closes, .by_limit = 1), 0, "close:-110 a:7", NULL, __FILE__, __LINE__);
    SCENARIO("a serial executor: one after the other, in order", 0, "open:0 a:0 b:1 c:2 d:3 e:4 f:5 ABCDEF closed:-32", serial);
    d = kit_desc();
    d->threads = d->jobs = 1;
    kit_judge("jobs beyond the limit of the queue are refused", AX_RUN_WITH(d, limited), 0, "C:-11 a:0 b:1 d:4 ABD", NULL, __FILE__, __LINE__);
    SCENARIO("rule 5: a running job is abandoned, and ends unheard", 0, "cancel:1 A:left:-125 then did A", cancels);
    SCENARIO("rule 5: a queued job is dropped", 0, "cancel:1 B:left:-125 then a:7 did A", cancels, .queued = 1);
    SCENARIO("rule 5: a hook tells the job, and the wait goes on until it ends", 0, "cancel:1 a:left:-125 did A", cancels, .hook = order);
    SCENARIO("... also on the loop's own threads", 0, "cancel:1 a:left:-125 did A", cancels, .hook = order, .shared = 1);
    SCENARIO("rule 5: a hook that only waits", 0, "cancel:1 then a:7 did A", cancels, .hook = ax_stay);
    SCENARIO("rule 5: a hook that does not ask to stay", 0, "cancel:1 A:left:-125 then did A", cancels, .hook = shrug);
    SCENARIO("a queued job that is cancelled makes room", 0, "B:left:-125 D:-11 a:1 c:3", frees_place);
    SCENARIO("rule 4: a job that has ended is not undone", 0, "cancel:1 a:7", cancels_done);
    SCENARIO("a hook is not asked for a queued job", 0, "cancel:1 B:left:-125 then a:7 did A", cancels, .hook = order, .queued = 1);
    SCENARIO("a close waits for what runs", 0, "a:7 close:0", closes);
    SCENARIO("rule 8: a limit bounds it, and it goes on", 0, "close:-110 a:7", closes, .by_limit = 1);
    threads_left = 1;
    SCENARIO("where the system gives one thread it does all jobs", 0, "a:1 b:2", one_thread);
    threads_left = -1;
    SCENARIO("rule 3: what is refused, and out of memory", 0, "-22 -12 -32 0 0 -12 -12", refuses);

    SCENARIO("signals: every waiter is woken; what comes while nobody waits is kept once", 0,
             "A:1 B:1 | C:1 | kept:1 once:-110@7 D:left:-125@7 C:1 caught:1", signals);
    ok(handled_by_default(SIGUSR1) && handled_by_default(SIGUSR2), "signals are given back when the loop closes");
    SCENARIO("signals that can't be waited for", 0, "-22 -22 -22 another's:0 closed:-1 -12", odd_signals);
    SCENARIO("one loop at a time", 0, "inner:-16", other_loop);
    SCENARIO("a loop that only a signal can wake is no deadlock", 0, "heard", only_signal);
    masked_test();
    moved_test();
    kit_desc();
    kit_judge("Ctrl-C after main has ended is too late", AX_RUN_WITH(catching(AX_CATCH_SIGINT), leaves_one), 0, "cleaned", NULL, __FILE__, __LINE__);
    later();
    SCENARIO("a signal that came is kept over a run inside, which can't catch it, too", 0, "inner:-16 heard:1", keeps_signal);
    SCENARIO("Ctrl-C that the outer loop waits for ends a run inside, and is heard outside", 0, "inner:-4 A:1 goes on", nests_stop, .signal = SIGINT, .waits = 1);
    SCENARIO("... but not one that begins later", 0, "inner:0 heard:1", keeps_stop);
    SCENARIO("... whether the loop around has looked or not", 0, "inner:0 heard:1", keeps_stop, .told = 1);
    SCENARIO("... nor the second of those", 0, "0 0 0 0 A:1", old_signal);
    SCENARIO("... also if it came in a guest", 0, "0 0 0 A:1", old_signal, .guest = 1);
    kit_desc();
    kit_judge("Ctrl-C for the run around is not taken over inside", AX_RUN_WITH(catching(BOTH_STOPS), old_stop, .flags = BOTH_STOPS), AX_EINTR,
              "inner:-110 0 cleanup:-125", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("... by a run that catches others", AX_RUN_WITH(catching(BOTH_STOPS), old_stop, .flags = AX_CATCH_SIGTERM), AX_EINTR,
              "inner:-110 0 cleanup:-125", NULL, __FILE__, __LINE__);
    later();
    SCENARIO("... nor lost for a run between that one and who waits", 0, "sub:0 run:-4 A:1", around_two);
    second_kills_test();
    later();
    SCENARIO("what the run inside does not catch does not end it", 0, "inner:0 A:1 goes on", nests_stop, .signal = SIGTERM, .waits = 1);
    kit_desc();
    kit_judge("what the run inside catches, and does not wait for, is not for the run around", AX_RUN_WITH(catching(BOTH_STOPS), nests_stop, .signal = SIGINT, .claims = 1), 0,
              "inner:0 goes on", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("... it ends the run around", AX_RUN_WITH(catching(BOTH_STOPS), nests_stop, .signal = SIGTERM), AX_EINTR, "inner:0", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("SIGTERM cancels main once more that has taken Ctrl-C back", AX_RUN_WITH(catching(BOTH_STOPS), takes_back), 0, "-125 0 1 0 0 -125 1", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("... also one that came before it did", AX_RUN_WITH(catching(BOTH_STOPS), takes_back, .early = 1), 0, "-125 0 1 0 0 -125 1", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("... and what ends it then is told as what it is", AX_RUN_WITH(catching(BOTH_STOPS), is_cancelled), AX_ECANCELED, "", NULL, __FILE__, __LINE__);
    SCENARIO("Ctrl-C that the outer loop waits for ends one run inside, and not the next", 0, "runs:1 then:0 A:1", tries_again);
    SCENARIO("... also two runs deep", 0, "runs:1 then:0 A:1", tries_again, .deep = 1);
    guest_test(0);
    guest_test(1);
    kit_desc();
    kit_judge("SIGTERM cancels main whoever has taken the last request back", AX_RUN_WITH(catching(BOTH_STOPS), goes_on), AX_EINTR, "-125 of 2 0 of 0:0", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("Ctrl-C that a run inside ended with is not the outer run's", AX_RUN_WITH(catching(BOTH_STOPS), around_it, .met = 1), 0, "inner:-4 on", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("... nor is what its main has kept", AX_RUN_WITH(catching(BOTH_STOPS), around_it, .met = 1, .kept = 1), 0, "kept:-125 inner:0 on", NULL, __FILE__, __LINE__);
    later();
    kit_desc();
    kit_judge("Ctrl-C in the last step of a run inside is the outer run's", AX_RUN_WITH(catching(BOTH_STOPS), around_it), AX_EINTR, "inner:0", NULL, __FILE__, __LINE__);
    kit_desc();
    kit_judge("a handler of the program's own, set within a run, is not replaced by one inside", AX_RUN_WITH(catching(BOTH_STOPS), keeps_handler), 0, "0 1", NULL, __FILE__, __LINE__);
    SCENARIO("a handler leaves errno alone", 0, "1", floods);

    kit_desc();
    kit_judge("Ctrl-C cancels main", AX_RUN(interrupted, .name = "main"), AX_EINTR, "main:-125", NULL, __FILE__, __LINE__);
    kit_judge("... of the innermost of nested loops, then of the outer", AX_RUN(interrupted, .name = "main", .inner = 1), AX_EINTR,
              "inner:-125 inner:1 main:-125", NULL, __FILE__, __LINE__);
    kit_judge("... unless somebody waits for it", AX_RUN(interrupted, .name = "main", .waits = 1), 0, "main heard:1 main:0", NULL, __FILE__, __LINE__);
    kit_judge("... for the first time in the step in which it comes", AX_RUN(early), 0, "heard:1", NULL, __FILE__, __LINE__);
    ok(handled_by_default(SIGINT), "Ctrl-C is given back");
    competition();
    MISUSE("rule 3: a generator is for the tasks of its loop", 0, "-1 -1 1", "another loop", lends);
    kit_reported = NULL;

    SCENARIO("a loop that was stopped cancels, and waits for all cleanup", AX_ECANCELED, "main@1 other@501", stopped);
    MISUSE("a main that can't end after a stop is a deadlock", AX_EDEADLK, "", "nothing can wake", stuck);
    SCENARIO("a signal is heard by all who wait, and kept from when it is caught", 0, "me:1 A:1 0 0 -22 kept:1", all_hear);
    SCENARIO("a signal that comes inside a nested loop reaches the outer one", 0, "inner:0 A:1", nests);
    kit_desc();
    kit_judge("Ctrl-C while a loop closes", AX_RUN(late), 0, "", NULL, __FILE__, __LINE__);
    d = kit_desc();
    kit_judge("... is not for the next one", AX_RUN_WITH(d, interrupted, .name = "main", .waits = 2), 0, "main heard:1 main:0", NULL, __FILE__, __LINE__);
    d = kit_desc();
    d->alloc = NULL;
    ax_loop_open(&outer, d);
    ax_executor_open(&outer, &ex, 1, 0);
    MISUSE("rule 3: an executor is for the tasks of its loop", 0, "-1 -1", "another loop", borrows, .ex = &ex);
    ax_loop_close(&outer);
    for (i = 0; i < 2; i++) {
        ax_event closing = {0};
        MISUSE("a task that goes on when the loop's threads have ended gets none", AX_EDEADLK,
               i ? "open:0 run:-32 run:-32 close:0 open:-1 did:B" : "open:0 run:-32 run:-32 close:0 open:-1 did:", "nothing can wake", leaves_it,
               .closing = &closing, .used = i);
    }
    MISUSE("what can't end is given up: waits first, then children before parents", AX_EDEADLK, "", "nothing can wake", calls_family);
    return tap_end();
}
