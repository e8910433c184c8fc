/* Every operation that can wait, met by a cancel or a limit at every moment: a table of operations, one victim, one driver.
   Each case has a loop of its own; afterwards the primitive is intact and the memory is back. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>

#define OPS(X)                                                                                       \
    X(SLEEP, "sleep", 0, TIMED)                                                                      \
    X(SLEEP_ZERO, "sleep of zero", 0, INSTANT)                                                       \
    X(SLEEP_FOREVER, "sleep for ever", 0, NEVER)                                                     \
    X(CHECKPOINT, "checkpoint", 0, INSTANT)                                                          \
    X(SEM_ACQUIRE, "semaphore acquire", 0, 0)                                                        \
    X(SEM_ENTER, "semaphore enter", 0, 0)                                                            \
    X(MUTEX, "mutex lock", 0, 0)                                                                     \
    X(COND, "condition wait", 0, 0)                                                                  \
    X(COND_CALLED, "condition wait in a nested call", 0, 0)                                          \
    X(COND_RELOCK, "condition wait, notified, without the mutex yet", 0, STAYS)                      \
    X(BARRIER, "barrier wait", 0, 0)                                                                 \
    X(BARRIER_ABORTED, "barrier wait, aborted", AX_ECONNABORTED, 0)                                  \
    X(EVENT, "event wait", 0, 0)                                                                     \
    X(FUTURE, "future without a hook", 7, 0)                                                         \
    X(FUTURE_STOPS, "future whose hook stops it", 7, 0)                                              \
    X(FUTURE_STAYS, "future whose hook asks to stay", 7, STAYS)                                      \
    X(FUTURE_ERROR, "future that fails", AX_EPIPE, 0)                                                \
    X(PUT, "queue put", 0, 0)                                                                        \
    X(PUT_RENDEZVOUS, "queue put without capacity", 0, 0)                                            \
    X(GET, "queue get", 1, 0)                                                                        \
    X(QUEUE_JOIN, "queue join", 0, 0)                                                                \
    X(JOIN, "task join", 7, 0)                                                                       \
    X(GROUP_JOIN, "group join", 0, 0)                                                                \
    X(GROUP_NEXT, "group next", 1, 0)                                                                \
    X(READ, "read", 1, 0)                                                                            \
    X(WRITE, "write", 1, 0)                                                                          \
    X(WRITE_ALL, "write all", 0, 0)                                                                  \
    X(WAIT_FD, "wait for a descriptor", AX_IN, 0)                                                    \
    X(ACCEPT, "accept", ANY, 0)                                                                      \
    X(TO_THREAD, "thread", 5, THREAD)                                                                \
    X(EXECUTOR, "executor", 5, THREAD)                                                               \
    X(SIGNAL, "signal", SIGUSR1, 0)                                                                  \
    X(LIMITER, "rate limit", 0, TIMED)                                                               \
    X(CALL, "nested call", 7, 0)                                                                     \
    X(CALL_IN, "nested call two deep, in place", 7, 0)                                               \
    X(NEXT, "generator's next item", 1, 0)                                                           \
    X(BUTTON, "user's op", 3, 0)                                                                     \
    X(BUTTON_STAYS, "user's op that stays", 3, STAYS)

enum { INSTANT = 1, NEVER = 2, STAYS = 4, TIMED = 8, THREAD = 16, ANY = 1 << 20, NONE = INT_MIN };
#define X(id, name, result, traits) id,
enum { OPS(X) OP_COUNT };
#undef X
static const struct { const char *name; int result, traits; } ops[] = {
#define X(id, name, result, traits) {name, result, traits},
    OPS(X)
#undef X
};

/* When the cancel comes. */
#define MOMENTS(X)                                                                                   \
    X(BEFORE, "rule 6: cancelled before its first step, only AX_FINALLY runs")                       \
    X(WAITING, "rule 5: a cancel ends the wait")                                                     \
    X(CANCEL_COMPLETE, "rule 5: what completes after the cancel is not lost")                        \
    X(COMPLETE_CANCEL, "rule 4: a completed operation is never undone")                              \
    X(TWICE, "rule 5: two requests at once are delivered once")                                      \
    X(TWICE_LATER, "rule 5: each request is delivered once")                                         \
    X(UNCANCEL, "rule 7: a request that was taken back after a completion is dropped")               \
    X(EXPIRE, "rule 8: a limit ends the wait")                                                       \
    X(EXPIRE_CANCEL, "rule 7: an outside cancel is never turned into a time-out")                    \
    X(EXPIRE_COMPLETE, "rule 8: what completes after the limit is not lost")                         \
    X(UNDISTURBED, "without a cancel the operation completes")
#define X(id, name) id,
enum { MOMENTS(X) MOMENT_COUNT };
#undef X
static const char *const moments[] = {
#define X(id, name) name,
    MOMENTS(X)
#undef X
};
enum { BODY_TRY, BODY_AWAIT, CLEANUP, PLACE_COUNT };
enum { NO_LIMIT, WITHIN, TIMEOUT, LIMIT_COUNT };

struct button { ax_task *waiter; int stays, forgotten; };
static int button_forget(ax_task *me, void *arg) {
    struct button *b = (struct button *)arg;
    (void)me;
    b->forgotten++;
    if (b->stays) return AX_STAY;
    b->waiter = NULL;
    return 0;
}
AX_MUST_USE static ax_op button_pressed(ax_task *me, struct button *b) {
    if (b->waiter) return ax_done(AX_EBUSY);
    b->waiter = me;
    return ax_park(me, button_forget, b);
}
static void button_event(struct button *b, int status) {
    ax_task *t = b->waiter;
    if (!t) return;
    b->waiter = NULL;
    ax_wake(t, status);
}

/* The world of one case. */
static struct world {
    int op, moment, place, limit;
    int entered, finally, first, second, third, first_at, leaving, expired, hooked, completed, connection, item, unowned;
    ax_sem sem;
    ax_mutex mutex;
    ax_cond condition;
    ax_barrier barrier;
    ax_event event;
    ax_future future, gate;
    ax_queue q;
    ax_limiter limiter;
    ax_executor executor;
    int items[1];
    struct button b;
    ax_task *target;
    int fds[2], client;
    size_t filled;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int open;
    long balance;
} w;

static int ms(ax_loop *l) { return (int)(ax_now(l) / 1000000); }

static void *counted(void *ctx, void *p, size_t old_size, size_t size) {
    (void)ctx;
    w.balance += (long)size - (long)old_size;
    if (!size) { free(p); return NULL; }
    return malloc(size);
}

static int hook_stops(ax_future *f, void *arg) { (void)f; (void)arg; w.hooked++; return 0; }
static int hook_stays(ax_future *f, void *arg) { (void)f; (void)arg; w.hooked++; return AX_STAY; }

static int job(void *data) {
    (void)data;
    pthread_mutex_lock(&w.lock);
    while (!w.open) pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return 5;
}

struct gated { ax_frame frame; };
AX_ASYNC(gated) { /* a task or a call that waits for w.gate */
    AX_BEGIN;
    AX_AWAIT(ax_future_wait(me, &w.gate));
    AX_RETURN(me->rc);
    AX_END;
}
struct deeper { ax_frame frame; struct gated slot; };
AX_ASYNC(deeper) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL_IN(&my->slot, gated));
    AX_RETURN(me->rc);
    AX_END;
}
struct notified { ax_frame frame; };
AX_ASYNC(notified) {
    AX_BEGIN;
    AX_AWAIT(ax_cond_wait(me, &w.condition));
    AX_END;
}

struct gives { ax_frame frame; };
AX_ASYNC(gives) { /* a generator whose item waits for w.gate */
    AX_BEGIN;
    AX_AWAIT(ax_future_wait(me, &w.gate));
    AX_EMIT();
    AX_END;
}

struct victim {
    ax_frame frame;
    AX_GENERATOR(gives) generator;
    struct deeper slot;
    ax_permit permit;
    ax_group g;
    ax_task *next;
    ax_timeout limit;
    int item, scoped;
    char bytes[70000];
};

static ax_op start(ax_task *me, struct victim *my) {
    switch (w.op) {
    case SLEEP: return ax_sleep_until(me, AX_MS(5));
    case SLEEP_ZERO: return ax_sleep(me, 0);
    case SLEEP_FOREVER: return ax_sleep(me, AX_FOREVER);
    case CHECKPOINT: return ax_checkpoint(me);
    case SEM_ACQUIRE: return ax_sem_acquire(me, &w.sem);
    case SEM_ENTER: return ax_sem_enter(me, &w.sem, &my->permit);
    case MUTEX: return ax_mutex_lock(me, &w.mutex);
    case COND_CALLED: ax_mutex_try_lock(me, &w.mutex); return AX_CALL(notified); /* the mutex stays this frame's */
    case COND:
    case COND_RELOCK: ax_mutex_try_lock(me, &w.mutex); return ax_cond_wait(me, &w.condition);
    case BARRIER:
    case BARRIER_ABORTED: return ax_barrier_wait(me, &w.barrier);
    case EVENT: return ax_event_wait(me, &w.event);
    case FUTURE:
    case FUTURE_STOPS:
    case FUTURE_STAYS:
    case FUTURE_ERROR: return ax_future_wait(me, &w.future);
    case PUT:
    case PUT_RENDEZVOUS: my->item = 2; return ax_queue_put(me, &w.q, &my->item);
    case GET: return ax_queue_get(me, &w.q, &w.item);
    case QUEUE_JOIN: return ax_queue_join(me, &w.q);
    case JOIN: return ax_join(me, w.target);
    case GROUP_JOIN: return ax_group_join(me, &my->g);
    case GROUP_NEXT: return ax_group_next(me, &my->g, &my->next);
    case READ: return ax_read(me, w.fds[0], my->bytes, 10);
    case WRITE: return ax_write(me, w.fds[1], my->bytes, 1);
    case WRITE_ALL: return ax_write_all(me, w.fds[1], my->bytes, 2);
    case WAIT_FD: return ax_wait_fd(me, w.fds[0], AX_IN);
    case ACCEPT: return ax_accept(me, w.fds[0], NULL);
    case TO_THREAD: return ax_to_thread(me, job, &my->item, sizeof my->item);
    case EXECUTOR: return ax_executor_run(me, &w.executor, job, NULL, &my->item, sizeof my->item);
    case SIGNAL: return ax_signal_wait(me, SIGUSR1);
    case LIMITER: return ax_limiter_acquire(me, &w.limiter, 1);
    case NEXT: AX_GENERATE(&my->generator, gives); return ax_next(me, &my->generator.generator);
    case CALL: return AX_CALL(gated);
    case CALL_IN: return AX_CALL_IN(&my->slot, deeper);
    case BUTTON:
    case BUTTON_STAYS: return button_pressed(me, &w.b);
    }
    return ax_done(AX_EINVAL);
}

static int waits_for_condition(void) { return w.op == COND || w.op == COND_CALLED || w.op == COND_RELOCK; }

/* The victim's op has given it something that it has to give back by hand. */
static void give_back(ax_task *me) {
    if (waits_for_condition()) w.unowned = ax_mutex_unlock(me, &w.mutex) < 0; /* however the wait has ended */
    if (w.first < 0) return;
    if (w.op == SEM_ACQUIRE) ax_sem_release(&w.sem);
    if (w.op == MUTEX) ax_mutex_unlock(me, &w.mutex);
    if (w.op == ACCEPT) close(w.first), w.first = ANY;
}
/* ... or left it with a group whose child still waits. */
static void end_child(void) {
    if (w.op == GROUP_NEXT) ax_future_complete(&w.gate, 7);
}
static ax_time limit_time(void) { return w.moment >= EXPIRE && w.moment <= EXPIRE_COMPLETE ? AX_MS(5) : AX_MS(100); }
static int opens_group(void) { return w.op == GROUP_JOIN || w.op == GROUP_NEXT; }

static void victim_first(ax_task *me) {
    w.first = me->rc;
    w.first_at = ms(me->loop);
    w.expired = ax_expired(me);
    give_back(me);
    end_child();
}

AX_ASYNC(victim) {
    AX_BEGIN;
    w.entered++;
    if (w.place == CLEANUP) AX_RETURN(AX_EPIPE);
    if (w.limit == TIMEOUT) ax_timeout_open(me, &my->limit, limit_time());
    if (opens_group()) ax_group_open(me, &my->g, AX_GROUP_KEEP), AX_SPAWN(&my->g, gated);
    if (w.place == BODY_TRY) {
        if (w.limit == WITHIN) AX_TRY_ALL(AX_WITHIN(limit_time(), start(me, my)));
        else AX_TRY_ALL(start(me, my));
        victim_first(me);
        if (w.limit == TIMEOUT) w.expired |= ax_timeout_close(&my->limit);
        AX_TRY_ALL(ax_sleep(me, AX_MS(20)));
        w.second = me->rc;
        AX_TRY_ALL(ax_sleep(me, AX_MS(20)));
        w.third = me->rc;
    } else {
        if (w.limit == WITHIN) AX_AWAIT(AX_WITHIN(limit_time(), start(me, my)));
        else AX_AWAIT(start(me, my));
        victim_first(me);
        if (w.limit == TIMEOUT) w.expired |= ax_timeout_close(&my->limit);
        AX_AWAIT(ax_sleep(me, AX_MS(20)));
        w.second = me->rc;
        AX_AWAIT(ax_sleep(me, AX_MS(20)));
        w.third = me->rc;
    }
    AX_RETURN(9);
    AX_FINALLY:
    w.finally++;
    w.leaving = ax_leaving(me);
    if (w.place == CLEANUP && w.entered) {
        if (w.limit == TIMEOUT) ax_timeout_open(me, &my->limit, limit_time());
        if (opens_group()) ax_group_open(me, &my->g, AX_GROUP_KEEP), AX_SPAWN(&my->g, gated);
        if (w.limit == WITHIN) AX_AWAIT(AX_WITHIN(limit_time(), start(me, my)));
        else AX_AWAIT(start(me, my));
        victim_first(me);
        if (w.limit == TIMEOUT) w.expired |= ax_timeout_close(&my->limit);
        AX_AWAIT(ax_sleep(me, AX_MS(20)));
        w.second = me->rc;
        AX_AWAIT(ax_sleep(me, AX_MS(20)));
        w.third = me->rc;
    }
    AX_END;
}

static void nonblocking(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

static void fill(void) { /* the pipe until nothing goes in any more */
    static char zeros[4096];
    ssize_t n;
    size_t size = sizeof zeros;
    while ((n = write(w.fds[1], zeros, size)) > 0 || (size /= 2) > 0)
        if (n > 0) w.filled += (size_t)n;
}
static size_t drain(int fd) {
    static char bytes[4096];
    size_t all = 0;
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0) all += (size_t)n;
    return all;
}

struct driver { ax_frame frame; ax_group g; ax_task *victim; int i, got; struct sockaddr_in address; };

/* What has to be there before the victim waits, so that it does wait. */
static void prepare(ax_task *me, struct driver *my) {
    socklen_t len = sizeof my->address;
    int item = 1;
    w.fds[0] = w.fds[1] = w.client = -1;
    ax_sem_init(&w.sem, 0, 1); /* the driver has the permit, */
    ax_cond_init(&w.condition, &w.mutex);
    if (!waits_for_condition()) ax_mutex_try_lock(me, &w.mutex); /* and the mutex */
    ax_barrier_init(&w.barrier, 2);
    ax_limiter_init(&w.limiter, 1, AX_MS(5), 1);
    ax_limiter_try_acquire(me->loop, &w.limiter, 1); /* and the token */
    if (w.op == EXECUTOR) ax_executor_open(me->loop, &w.executor, 1, 0);
    ax_queue_init(&w.q, w.items, w.op == PUT_RENDEZVOUS ? 0 : 1, sizeof *w.items);
    if (w.op == PUT || w.op == QUEUE_JOIN) ax_queue_try_put(&w.q, &item);
    if (w.op == FUTURE_STOPS) w.future.cancel = hook_stops;
    if (w.op == FUTURE_STAYS) w.future.cancel = hook_stays;
    w.b.stays = w.op == BUTTON_STAYS;
    if (w.op == JOIN) w.target = ax_task_ref(AX_SPAWN(&my->g, gated));
    if (w.op == READ || w.op == WRITE || w.op == WRITE_ALL || w.op == WAIT_FD) {
        if (pipe(w.fds) < 0) abort();
        nonblocking(w.fds[0]), nonblocking(w.fds[1]);
        if (w.op == WRITE || w.op == WRITE_ALL) fill();
    }
    if (w.op == ACCEPT) {
        w.fds[0] = socket(AF_INET, SOCK_STREAM, 0);
        my->address.sin_family = AF_INET;
        my->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (bind(w.fds[0], (struct sockaddr *)&my->address, sizeof my->address) < 0 || listen(w.fds[0], 5) < 0) abort();
        getsockname(w.fds[0], (struct sockaddr *)&my->address, &len);
        nonblocking(w.fds[0]);
    }
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
}

static void open_gate(void) {
    pthread_mutex_lock(&w.lock);
    w.open = 1;
    pthread_cond_broadcast(&w.cond);
    pthread_mutex_unlock(&w.lock);
}

/* 1, or 0 if the victim has the mutex already. */
static int lock_and_notify(ax_task *me) { return ax_mutex_try_lock(me, &w.mutex) == 0 && ax_cond_notify(me, &w.condition, 1) >= 0; }

/* Completes the operation, from outside the victim. */
static void complete(ax_task *me, struct driver *my) {
    int item = 5;
    w.completed = 1;
    switch (w.op) {
    case SEM_ACQUIRE:
    case SEM_ENTER: ax_sem_release(&w.sem); break;
    case MUTEX: ax_mutex_unlock(me, &w.mutex); break;
    case COND:
    case COND_CALLED: if (lock_and_notify(me)) ax_mutex_unlock(me, &w.mutex); break;
    case COND_RELOCK: ax_mutex_unlock(me, &w.mutex); break;
    case BARRIER: /* the other party comes, and passes at once */
        if (w.barrier.waiting) {
            ax_op passed = ax_barrier_wait(me, &w.barrier);
            (void)passed;
        }
        break;
    case BARRIER_ABORTED: ax_barrier_abort(&w.barrier); break;
    case EVENT: ax_event_set(&w.event); break;
    case FUTURE:
    case FUTURE_STOPS:
    case FUTURE_STAYS: ax_future_complete(&w.future, 7); break;
    case FUTURE_ERROR: ax_future_complete(&w.future, AX_EPIPE); break;
    case PUT: ax_queue_try_get(&w.q, &my->got); break;
    case PUT_RENDEZVOUS: my->got = ax_queue_try_get(&w.q, &w.item); break;
    case GET: ax_queue_try_put(&w.q, &item); break;
    case QUEUE_JOIN: ax_queue_task_done(&w.q); break;
    case JOIN:
    case GROUP_JOIN:
    case GROUP_NEXT:
    case NEXT:
    case CALL:
    case CALL_IN: ax_future_complete(&w.gate, 7); break;
    case READ:
    case WAIT_FD: if (write(w.fds[1], "x", 1) < 0) abort(); break;
    case WRITE:
    case WRITE_ALL: w.filled -= drain(w.fds[0]); break;
    case ACCEPT:
        w.client = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(w.client, (struct sockaddr *)&my->address, sizeof my->address) < 0) abort();
        break;
    case EXECUTOR:
    case TO_THREAD: open_gate(); break;
    case SIGNAL: raise(SIGUSR1); break;
    case BUTTON:
    case BUTTON_STAYS: button_event(&w.b, 3); break;
    default: break;
    }
}

static ax_task *waiting(ax_task *t) { return w.op == NEXT ? &AX_FRAME(victim, t)->generator.generator.task : t; }

AX_ASYNC(driver) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    prepare(me, my);
    my->victim = ax_task_ref(AX_SPAWN(&my->g, victim));
    if (w.moment == BEFORE) {
        ax_cancel(my->victim);
    } else {
        if (w.op == COND_RELOCK) { /* it waits, and is notified under the mutex, which the driver keeps */
            AX_AWAIT(ax_checkpoint(me));
            lock_and_notify(me);
        }
        /* until it waits; where time is the event, the driver's timer is the first of that deadline */
        if ((ops[w.op].traits & TIMED && w.moment != WAITING && w.moment != TWICE && w.moment != TWICE_LATER) || (w.moment >= EXPIRE && w.moment <= EXPIRE_COMPLETE)) {
            AX_AWAIT(ax_sleep_until(me, AX_MS(5)));
        } else {
            AX_AWAIT(ax_checkpoint(me)); /* the victim's first step */
        }
        if (w.moment == COMPLETE_CANCEL || w.moment == UNCANCEL || w.moment == UNDISTURBED) {
            complete(me, my);
            /* until the result is on its way to the victim, which has not run yet */
            for (my->i = 0; my->i < 1000000 && waiting(my->victim)->node.state == AXI_PARKED && !(ops[w.op].traits & NEVER); my->i++) {
                if (ops[w.op].traits & THREAD) sched_yield();
                AX_AWAIT(ax_checkpoint(me));
            }
        }
        switch (w.moment) {
        case EXPIRE_CANCEL:
        case WAITING:
        case COMPLETE_CANCEL: ax_cancel(my->victim); break;
        case CANCEL_COMPLETE: ax_cancel(my->victim); complete(me, my); break;
        case EXPIRE_COMPLETE: complete(me, my); break;
        case TWICE: ax_cancel(my->victim); ax_cancel(my->victim); break;
        case TWICE_LATER: ax_cancel(my->victim); break;
        case UNCANCEL: ax_cancel(my->victim); ax_uncancel(my->victim); break;
        default: break;
        }
        if (ops[w.op].traits & STAYS) { /* it was told, and waits for the end of its operation */
            for (my->i = 0; my->i < 5; my->i++) AX_AWAIT(ax_checkpoint(me));
            if (!w.completed && w.first != NONE) w.first = -1000;
            if (!w.completed) complete(me, my);
            AX_AWAIT(ax_checkpoint(me));
        }
        if (w.moment == TWICE_LATER) {
            for (my->i = 0; my->i < 10 && w.first == NONE && ax_task_status(my->victim) == AX_EINPROGRESS; my->i++) AX_AWAIT(ax_checkpoint(me));
            ax_cancel(my->victim);
        }
    }
    AX_TRY(ax_join(me, my->victim));
    ax_future_complete(&w.gate, 7); /* lets the target of a join end */
    AX_AWAIT(ax_group_join(me, &my->g));
    my->got = ax_task_status(my->victim);
    ax_task_unref(my->victim);
    if (w.target) ax_task_unref(w.target);
    AX_RETURN(my->got);
    AX_FINALLY:
    open_gate();
    AX_END;
}

static int wrong;
static void expect(int line, const char *what, long got, long want) {
    static const char *const place[] = {"AX_TRY_ALL", "AX_AWAIT", "AX_FINALLY"}, *const limit[] = {"no limit", "AX_WITHIN", "ax_timeout"};
    if (got == want) return;
    wrong++;
    printf("# %s:%d: %s, in %s, %s: %s is %ld, expected %ld\n", __FILE__, line, ops[w.op].name, place[w.place], limit[w.limit], what, got, want);
}
#define EXPECT(got, want) expect(__LINE__, #got, (long)(got), (long)(want))

/* What the victim must have seen. */
static void judge(int status) {
    int result = ops[w.op].result, traits = ops[w.op].traits, limited = w.moment >= EXPIRE && w.moment <= EXPIRE_COMPLETE;
    int first = result, second = 0, expired = 0;
    int at = traits & TIMED ? 5 : 0;
    int instant = traits & INSTANT, stays = traits & STAYS;
    if (w.moment == BEFORE) {
        EXPECT(w.entered, 0);
        EXPECT(w.finally, 1);
        EXPECT(w.leaving, AX_ECANCELED);
        EXPECT(status, AX_ECANCELED);
        return;
    }
    switch (w.moment) {
    case WAITING:
    case CANCEL_COMPLETE:
    case TWICE:
        if (instant || stays || (traits & TIMED && w.moment == CANCEL_COMPLETE)) second = AX_ECANCELED; /* delivered, and the request is met next */
        else first = AX_ECANCELED, at = 0;
        break;
    case TWICE_LATER:
        if (instant || stays) second = AX_ECANCELED; /* where the second request finds the first on its way */
        else first = second = AX_ECANCELED, at = 0;
        break;
    case COMPLETE_CANCEL:
        if (traits & NEVER) first = AX_ECANCELED;
        else second = AX_ECANCELED;
        break;
    case EXPIRE:
        if (instant) break;
        at = 5;
        expired = 1;
        if (!stays) first = w.limit == WITHIN ? AX_ETIMEDOUT : AX_ECANCELED;
        break;
    case EXPIRE_CANCEL:
        if (instant) {
            second = AX_ECANCELED;
            break;
        }
        at = 5;
        expired = 1;
        if (!stays) first = AX_ECANCELED;
        else second = AX_ECANCELED;
        break;
    case EXPIRE_COMPLETE:
        if (instant) break;
        at = 5;
        expired = 1;
        if (!stays) first = w.limit == WITHIN ? AX_ETIMEDOUT : AX_ECANCELED;
        break;
    }
    EXPECT(w.finally, 1);
    if (w.place == BODY_AWAIT && first < 0) {
        EXPECT(w.first, NONE);
        /* the limit around the body reports by its frame; an error leaves before it is looked at */
        EXPECT(status, limited && expired && w.limit == TIMEOUT && w.moment != EXPIRE_CANCEL && first == AX_ECANCELED ? AX_ETIMEDOUT : first);
    } else if (w.place == BODY_AWAIT && second < 0) {
        EXPECT(status, second);
    } else {
        EXPECT(status, w.place == CLEANUP ? AX_EPIPE : 9);
        EXPECT(w.second, second);
        EXPECT(w.third, 0);
    }
    if (w.place != BODY_AWAIT || first >= 0) {
        if (result == ANY && first == ANY) EXPECT(w.first >= 0, 1);
        else EXPECT(w.first, first);
        EXPECT(w.first_at, at);
        if (w.limit == WITHIN) EXPECT(w.expired, first == AX_ETIMEDOUT);
        else if (w.limit == TIMEOUT) EXPECT(w.expired, expired);
    }
    EXPECT(w.leaving, w.place == CLEANUP ? AX_EPIPE : status);
}

/* The primitive is as it should be: nothing lost, nobody left. */
static void intact(void) {
    int got = w.first >= 0; /* the victim got what it waited for */
    int item = 0;
    EXPECT(ax_waiters(&w.sem.waiters) + ax_waiters(&w.mutex.waiters) + ax_waiters(&w.event.waiters) +
               ax_waiters(&w.condition.waiters) + ax_waiters(&w.barrier.waiters) + ax_waiters(&w.future.waiters) +
               ax_waiters(&w.gate.waiters) + ax_waiters(&w.limiter.waiters) + ax_waiters(&w.q.getters) + ax_waiters(&w.q.putters) + ax_waiters(&w.q.joiners),
           0);
    EXPECT(w.b.waiter == NULL, 1);
    if (w.op == SEM_ACQUIRE || w.op == SEM_ENTER) EXPECT(w.sem.permits, w.completed);
    EXPECT(w.unowned, 0);
    EXPECT(w.barrier.waiting, 0);
    EXPECT(w.barrier.broken, w.op == BARRIER_ABORTED && w.completed);
    if (w.op == LIMITER && got) EXPECT(w.limiter.full >= AX_MS(10), 1);
    else EXPECT(w.limiter.full, AX_MS(5));
    if (w.op == MUTEX || waits_for_condition()) EXPECT(w.mutex.owner == NULL, 1); /* the driver has ended too */
    if (w.op == PUT) {
        EXPECT(w.q.count, w.completed ? got : 1);
        EXPECT(w.q.unfinished, 1 + got);
        EXPECT(ax_queue_try_get(&w.q, &item) == 1 ? item : 0, w.completed ? got ? 2 : 0 : 1);
    }
    if (w.op == PUT_RENDEZVOUS) EXPECT(w.item, got ? 2 : 0);
    if (w.op == GET) {
        EXPECT(w.item, got ? 5 : 0);
        EXPECT(w.q.count, w.completed && !got);
        EXPECT(w.q.unfinished, w.completed);
    }
    if (w.op == QUEUE_JOIN) EXPECT(w.q.unfinished, !w.completed);
    if (w.op == READ || w.op == WAIT_FD) EXPECT(drain(w.fds[0]), w.completed && !(got && w.op == READ));
    if (w.op == WRITE || w.op == WRITE_ALL) EXPECT(drain(w.fds[0]), w.filled + (got ? (size_t)(w.op == WRITE ? 1 : 2) : 0));
    if (w.op == ACCEPT) { /* the connection is either the victim's or the next one's */
        int conn = accept(w.fds[0], NULL, NULL);
        EXPECT(conn >= 0, w.completed && !got);
        if (conn >= 0) close(conn);
    }
    if (w.op == FUTURE_STOPS || w.op == FUTURE_STAYS) {
        int asked = w.moment == WAITING || w.moment == CANCEL_COMPLETE || w.moment == TWICE || w.moment == TWICE_LATER ||
                    (w.moment >= EXPIRE && w.moment <= EXPIRE_COMPLETE);
        EXPECT(w.hooked, asked);
    }
    if (w.fds[0] >= 0) close(w.fds[0]);
    if (w.fds[1] >= 0) close(w.fds[1]);
    if (w.client >= 0) close(w.client);
}

static int applies(void) {
    int traits = ops[w.op].traits, limited = w.moment >= EXPIRE && w.moment <= EXPIRE_COMPLETE;
    if (limited && w.limit == NO_LIMIT) return 0;
    if (traits & THREAD && limited) return 0; /* virtual time stands still while a thread works */
    if ((traits & NEVER) && (w.moment == UNCANCEL || w.moment == UNDISTURBED || w.moment == COMPLETE_CANCEL)) return 0;
    if (w.moment == BEFORE && (w.limit || w.place)) return 0;
    return 1;
}

static int run_case(void) {
    ax_loop_desc desc;
    ax_loop loop;
    ax_task *t;
    int rc, status;
    memset(&desc, 0, sizeof desc);
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.alloc = counted;
    w.first = w.second = w.third = NONE;
    w.balance = 0;
    ax_loop_open(&loop, &desc);
    t = ax_task_ref(AX_SPAWN(&loop.root, driver));
    rc = ax_loop_run(&loop);
    EXPECT(rc, 0);
    status = ax_task_status(t);
    if (rc == 0) ax_task_unref(t);
    else open_gate();
    EXPECT(ax_loop_close(&loop), 0);
    EXPECT(w.balance, 0);
    judge(status);
    intact();
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.cond);
    return 1;
}

int main(void) {
    int op, moment, place, limit, cases;
    for (moment = 0; moment < MOMENT_COUNT; moment++) {
        for (op = 0; op < OP_COUNT; op++) {
            cases = wrong = 0;
            for (place = 0; place < PLACE_COUNT; place++)
                for (limit = 0; limit < LIMIT_COUNT; limit++) {
                    memset(&w, 0, sizeof w);
                    w.op = op, w.moment = moment, w.place = place, w.limit = limit;
                    if (applies()) cases += run_case();
                }
            if (cases) ok(!wrong, "%s: %s (%d cases)", moments[moment], ops[op].name, cases);
        }
    }
    return tap_end();
}
