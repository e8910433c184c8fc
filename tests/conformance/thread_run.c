/* THR: jobs on threads, posts from threads. RUN: running a main task, closing a loop with tasks left. */

/* Threads need real time, traces a virtual one. So these loops have a clock of ours, and are driven as guests: time goes on when
   nothing is ready and every job's thread waits at a gate. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opened = PTHREAD_COND_INITIALIZER;
static int at_gates;

struct gate { int open, waiting; };

static void wait_at(struct gate *g) { /* on a thread */
    pthread_mutex_lock(&gate_lock);
    if (!g->open) {
        at_gates++;
        g->waiting++;
        while (!g->open) pthread_cond_wait(&gate_opened, &gate_lock);
    }
    pthread_mutex_unlock(&gate_lock);
}
static void open_gate(ax_loop *loop, void *gate) {
    struct gate *g = (struct gate *)gate;
    (void)loop;
    pthread_mutex_lock(&gate_lock);
    g->open = 1;
    at_gates -= g->waiting;
    pthread_cond_broadcast(&gate_opened);
    pthread_mutex_unlock(&gate_lock);
}
static int all_at_gates(void) {
    int n;
    pthread_mutex_lock(&gate_lock);
    n = at_gates;
    pthread_mutex_unlock(&gate_lock);
    return (int)the_loop.holds <= n;
}

#define THREADED(id)                                           \
    AX_DECLARE(id##_m);                                        \
    static void id##_play(void) {                              \
        open_own_clock();                                      \
        GO(ROOT, "M", id##_m);                                 \
        drive();                                               \
    }                                                          \
    AX_ASYNC(id##_m)

static void drive(void) {
    for (;;) {
        while (ax_run_once(&the_loop) == 1) {}
        if (!all_at_gates()) {
            struct timespec moment = {0, 100000};
            nanosleep(&moment, NULL);
        } else if (ax_next_deadline(&the_loop) == AX_FOREVER) {
            return;
        } else if (ax_next_deadline(&the_loop) > own_now) {
            own_now = ax_next_deadline(&the_loop);
        }
    }
}

/* to_thread: the value comes back, the loop runs on meanwhile */
struct gated_job { struct gate *gate; int value; };
static int gated_work(void *data) {
    struct gated_job *job = (struct gated_job *)data;
    wait_at(job->gate);
    return job->value;
}
struct THR_01_a { ACTOR; struct gated_job job; };
AX_ASYNC(THR_01_a) {
    BEGINS;
    AX_AWAIT(ax_to_thread(me, gated_work, &my->job, sizeof my->job));
    say("got(%s)", word(me->rc));
    ENDS;
}
struct THR_01_t { ACTOR; int i; };
AX_ASYNC(THR_01_t) {
    BEGINS;
    for (; my->i < 3; my->i++) {
        AX_AWAIT(ms(me, 10));
        say("tick");
    }
    ENDS;
}
struct THR_01_m { ACTOR; struct gate gate; };
THREADED(THR_01) {
    BEGINS;
    GO(ROOT, "A", THR_01_a, .job.gate = &my->gate, .job.value = 42);
    GO(ROOT, "T", THR_01_t);
    AX_AWAIT(ms(me, 25));
    open_gate(me->loop, &my->gate);
    ENDS;
}

/* a failing job's status is an error at the await */
static int fail_with_1(void *data) {
    (void)data;
    return E1;
}
static int five(void *data) {
    (void)data;
    return 5;
}
struct THR_02_m { ACTOR; };
THREADED(THR_02) {
    BEGINS;
    AX_TRY(ax_to_thread(me, fail_with_1, NULL, 0));
    say_error(me->rc);
    AX_AWAIT(ax_to_thread(me, five, NULL, 0));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* several workers: results by argument order, each job exactly once */
struct numbered_job { int number; struct gate *gate; int *runs; };
static int count_and_return(void *data) {
    struct numbered_job *job = (struct numbered_job *)data;
    pthread_mutex_lock(&gate_lock);
    ++*job->runs;
    pthread_mutex_unlock(&gate_lock);
    if (job->number == 0) wait_at(job->gate);
    return job->number;
}
struct THR_03_w { ax_frame frame; struct numbered_job job; };
AX_ASYNC(THR_03_w) {
    AX_BEGIN;
    AX_AWAIT(ax_to_thread(me, count_and_return, &my->job, sizeof my->job));
    AX_RETURN(me->rc);
    AX_END;
}
struct THR_03_m { ACTOR; struct gate gate; int runs, i; ax_task *t[6]; };
THREADED(THR_03) {
    BEGINS;
    at(10, open_gate, &my->gate);
    for (; my->i < 5; my->i++)
        my->t[my->i] = ax_task_ref(AX_SPAWN(ROOT, THR_03_w, .job.number = my->i, .job.gate = &my->gate, .job.runs = &my->runs));
    AX_AWAIT(AX_CALL(gather, .tasks = my->t));
    say("got(%s)", word(me->rc));
    for (my->i = 0; my->i < 5; my->i++) ax_task_unref(my->t[my->i]);
    state("runs=%d", my->runs);
    ENDS;
}

/* a limit around a job: the waiter goes, the job ends unheard */
struct THR_05_m { ACTOR; struct gated_job job; };
static struct gate THR_05_gate; /* outlives the waiter */
THREADED(THR_05) {
    BEGINS;
    memset(&THR_05_gate, 0, sizeof THR_05_gate);
    my->job.gate = &THR_05_gate;
    AX_TRY(AX_WITHIN(AX_MS(10), ax_to_thread(me, gated_work, &my->job, sizeof my->job)));
    say_error(me->rc);
    AX_AWAIT(ms(me, 10));
    open_gate(me->loop, &THR_05_gate);
    AX_AWAIT(ms(me, 5));
    ENDS;
}

/* callbacks posted by another thread wake the loop and keep their order */
struct THR_07_job { struct gate *gate; };
static ax_callback THR_07_posts[5];
static int THR_07_post(void *data) {
    static char tokens[5][8] = {"c0:run", "c1:run", "c2:run", "c3:run", "c4:run"};
    int i;
    wait_at(((struct THR_07_job *)data)->gate);
    for (i = 0; i < 5; i++) ax_post(&the_loop, &THR_07_posts[i], event, tokens[i]);
    return 0;
}
struct THR_07_w { ax_frame frame; struct THR_07_job job; };
AX_ASYNC(THR_07_w) {
    AX_BEGIN;
    AX_AWAIT(ax_to_thread(me, THR_07_post, &my->job, sizeof my->job));
    AX_END;
}
struct THR_07_m { ACTOR; struct gate gate; };
THREADED(THR_07) {
    BEGINS;
    memset(THR_07_posts, 0, sizeof THR_07_posts);
    at(10, open_gate, &my->gate);
    AX_SPAWN(ROOT, THR_07_w, .job.gate = &my->gate);
    AX_AWAIT(ms(me, 1000));
    say("woke");
    ENDS;
}

/* posting to a closed loop is refused */
static void THR_08_play(void) {
    AX_SPAWN(ROOT, nap, .name = "M", .time = 5);
    ax_loop_run(&the_loop);
    ax_loop_close(&the_loop);
    says_error("main", ax_post(&the_loop, fresh_callback(), event, "c:run"));
}

/* a task submitted by a thread runs on the loop; its value goes to the thread */
static struct THR_09_submission { struct gate done; int value; ax_callback post, on_done; ax_task *s; } THR_09_s;
static void THR_09_done(ax_loop *loop, void *arg) {
    struct THR_09_submission *s = (struct THR_09_submission *)arg;
    s->value = ax_task_status(s->s);
    ax_task_unref(s->s);
    open_gate(loop, &s->done);
}
static void THR_09_spawn(ax_loop *loop, void *arg) {
    struct THR_09_submission *s = (struct THR_09_submission *)arg;
    s->s = ax_task_ref(AX_SPAWN(&loop->root, nap, .name = "S", .time = 50, .value = 3));
    ax_on_done(s->s, &s->on_done, THR_09_done, s);
}
static int THR_09_work(void *data) {
    (void)data;
    ax_post(&the_loop, &THR_09_s.post, THR_09_spawn, &THR_09_s);
    wait_at(&THR_09_s.done);
    return THR_09_s.value + 1;
}
struct THR_09_m { ACTOR; };
THREADED(THR_09) {
    BEGINS;
    memset(&THR_09_s, 0, sizeof THR_09_s);
    AX_AWAIT(ax_to_thread(me, THR_09_work, NULL, 0));
    say("got(%s)", word(me->rc));
    ENDS;
}

/* run: what AX_RUN does, but the loop stays open for another run */
static int run_main(ax_task *main_task) {
    int rc;
    if (!main_task) return AX_EPERM; /* a closed loop refuses */
    ax_task_ref(main_task);
    ax_on_done(main_task, fresh_callback(), stop_loop, NULL);
    rc = ax_loop_run(&the_loop);
    if (rc >= 0) rc = ax_task_status(main_task);
    ax_task_unref(main_task);
    return rc;
}

/* run gives the value or the error; a closed loop refuses to run; closing twice is harmless */
static void RUN_01_play(void) {
    says("run", "ret(%s)", word(run_main(AX_SPAWN(ROOT, nap, .name = "M", .time = 5, .value = 42))));
    says_error("run", run_main(AX_SPAWN(ROOT, value, .name = "M", .value = E1)));
    ax_loop_close(&the_loop);
    ax_loop_close(&the_loop);
    says_error("run", run_main(AX_SPAWN(ROOT, nap, .name = "M")));
}

/* tasks left over when main ends are cancelled and waited for */
struct RUN_02_a { ACTOR; };
AX_ASYNC(RUN_02_a) {
    BEGINS;
    AX_AWAIT(forever(me));
    AX_FINALLY:
    say("cleanup");
    AX_AWAIT(ms(me, 20));
    LAST_WORD;
    AX_END;
}
struct RUN_02_m { ACTOR; };
AX_ASYNC(RUN_02_m) {
    BEGINS;
    GO(ROOT, "A", RUN_02_a);
    GO(ROOT, "B", nap, .time = -1);
    AX_AWAIT(ms(me, 10));
    AX_RETURN(123);
    ENDS;
}
static void RUN_02_play(void) {
    says("run", "ret(%s)", word(run_main(AX_SPAWN(ROOT, RUN_02_m, .name = "M"))));
    ax_loop_close(&the_loop);
    says("run", "closed");
}

/* an error of a leftover task during the close does not touch the result */
struct RUN_03_m { ACTOR; };
AX_ASYNC(RUN_03_m) {
    BEGINS;
    GO(ROOT, "A", nap, .time = -1, .cleanup_error = E1);
    AX_AWAIT(ms(me, 5));
    AX_RETURN(123);
    ENDS;
}
static void RUN_03_unheard(void *ctx, ax_task *task, int status) {
    (void)ctx;
    (void)task;
    says("LOOP", "shutdown_error(%s)", word(status));
}
static void RUN_03_play(void) {
    ax_loop_desc desc = {0};
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.unheard = RUN_03_unheard;
    ax_loop_close(&the_loop);
    open_loop(&desc);
    says("run", "ret(%s)", word(run_main(AX_SPAWN(ROOT, RUN_03_m, .name = "M"))));
    ax_loop_close(&the_loop);
    says("run", "closed");
}

/* leftovers are also cancelled when main fails */
static ax_callback RUN_04_close;
struct RUN_04_m { ACTOR; };
AX_ASYNC(RUN_04_m) {
    BEGINS;
    loop_now = me->loop;
    adopt_loop(me->loop, &RUN_04_close);
    GO(&me->loop->root, "A", nap, .time = -1);
    AX_AWAIT(ms(me, 5));
    AX_RETURN(E1);
    ENDS;
}
static void RUN_04_play(void) {
    ax_loop_desc desc = {0};
    int status;
    desc.flags = AX_VIRTUAL_CLOCK;
    status = AX_RUN_WITH(&desc, RUN_04_m, .name = "M");
    loop_now = NULL;
    says_error("run", status);
}

/* a running loop can't be run again from inside; another loop is none of its business */
struct RUN_05_m { ACTOR; };
AX_ASYNC(RUN_05_m) {
    BEGINS;
    say_error(ax_loop_run(me->loop));
    {
        ax_loop other;
        ax_loop_open(&other, NULL);
        say_error(ax_loop_run(&other));
        ax_loop_close(&other);
    }
    ENDS;
}
static void RUN_05_play(void) { run_main(AX_SPAWN(ROOT, RUN_05_m, .name = "M")); }

/* tasks survive from one run to the next on the same loop */
struct RUN_06_m1 { ACTOR; };
AX_ASYNC(RUN_06_m1) {
    BEGINS;
    GO(ROOT, "A", nap, .time = 20);
    AX_AWAIT(ms(me, 5));
    ENDS;
}
static void RUN_06_play(void) {
    run_main(AX_SPAWN(ROOT, RUN_06_m1, .name = "M1"));
    says("run", "between");
    run_main(AX_SPAWN(ROOT, nap, .name = "M2", .time = 30));
}

/* interrupt: main is cancelled, may clean up, INTERRUPT comes out */
static void interrupt(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    raise(SIGINT);
}
struct RUN_07_m { ACTOR; };
AX_ASYNC(RUN_07_m) {
    BEGINS;
    loop_now = me->loop;
    at(20, interrupt, NULL);
    AX_AWAIT(forever(me));
    AX_FINALLY:
    say("cleanup");
    AX_AWAIT(ms(me, 10));
    LAST_WORD;
    AX_END;
}
static void RUN_07_play(void) {
    ax_loop_desc desc = {0};
    int status;
    desc.flags = AX_VIRTUAL_CLOCK | AX_CATCH_SIGINT;
    status = AX_RUN_WITH(&desc, RUN_07_m, .name = "M");
    loop_now = NULL;
    says_error("run", status);
}
