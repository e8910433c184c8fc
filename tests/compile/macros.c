/* Every macro and op of the header once, in one program that compiles as C and as C++; compile.t builds it in every form.
   With -DONE the other translation unit is included. Ends with 0, or with the line of the first check that failed. */
#include "asyncx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "other.h"
#ifdef ONE
#include "other.c"
#endif

#define CHECK(x) do { if (!(x)) { printf("%s:%d: %s\n", __FILE__, __LINE__, #x); exit(1); } } while (0)

struct counted { ax_frame frame; int to, i; };
AX_ASYNC(counted) {
    AX_BEGIN;
    for (; my->i < my->to; my->i++) AX_EMIT();
    AX_END;
}
struct child { ax_frame frame; int n; int *sum; };
AX_DECLARE(child);

static int deferred;
static void note(void *arg) { deferred += *(int *)arg; }
static void on_call(ax_loop *loop, void *arg) { (void)loop; ++*(int *)arg; }
static int work(void *data) { return ++*(int *)data; }
static void on_watch(ax_loop *loop, unsigned events, void *arg) { (void)loop; *(unsigned *)arg = events; }

struct button { ax_task *waiter; int down; };
static int button_forget(ax_task *me, void *b) { (void)me; ((struct button *)b)->waiter = NULL; return 0; }
AX_MUST_USE static ax_op button_pressed(ax_task *me, struct button *b) {
    if (b->down) return ax_done(1);
    if (b->waiter) return ax_done(AX_EBUSY);
    b->waiter = me;
    return ax_park(me, button_forget, b);
}
static void button_event(struct button *b) { if (b->waiter) { ax_wake(b->waiter, 1); b->waiter = NULL; } }

struct presser { ax_frame frame; struct button *b; };
AX_ASYNC(presser) {
    struct button *b = my->b; /* an alias may stand here */
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    button_event(b);
    AX_END;
}

struct everything {
    ax_frame frame;
    ax_group g, kept;
    ax_task *t;
    AX_TASK(child) own;
    struct child slot;
    AX_GENERATOR(counted) gen, plain;
    int counted;
    struct button b;
    ax_sem sem; ax_permit permit; ax_mutex mutex; ax_event event; ax_future future, later;
    ax_queue q; int items[2]; int item, one, two, sum, called, i, fds[2];
    unsigned seen;
    ax_timeout limit; ax_deferred d; ax_callback c, done, close; ax_timer timer; ax_watch watch;
    char byte;
};
AX_ASYNC(everything) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_US(50)));
    AX_AWAIT(ax_sleep_until(me, ax_now(me->loop) + AX_SEC(0.2)));
    AX_AWAIT(ax_checkpoint(me)); AX_AWAIT(ax_checkpoint(me)); AX_TRY(ax_checkpoint(me)); /* several on a line */
    AX_TRY_ALL(ax_sleep(me, 0));
    if (me->rc == 0) AX_AWAIT(ax_checkpoint(me)); else AX_AWAIT(ax_sleep(me, 1000));
    my->i = 2;
    AX_TRY(ax_sleep(me, my->i)); /* seconds, it seems */
    CHECK(me->rc == AX_EINVAL);
#ifdef __cplusplus
    AX_AWAIT(ax_sleep(me, [] { return AX_US(1); }()));
#endif
    AX_AWAIT(AX_CALL(child, .n = 3, .sum = &my->sum));
    CHECK(me->rc == 3);
    AX_AWAIT(AX_CALL(child));
    AX_TRY(AX_CALL(far, .n = 20, .twice = 1));
    CHECK(me->rc == 40);
    AX_AWAIT(AX_CALL_IN(&my->slot, child, .n = 4, .sum = &my->sum));
    CHECK(me->rc == 4 && my->slot.n == 4 && my->sum == 7);
    AX_AWAIT(AX_CALL_IN(&my->slot, child));
    AX_TRY(AX_WITHIN(AX_SEC(5), AX_CALL(child, .n = 1)));
    CHECK(me->rc == 1 && !ax_expired(me));
    AX_TRY(AX_WITHIN(AX_MS(5), ax_sleep(me, AX_FOREVER)));
    CHECK(me->rc == AX_ETIMEDOUT && ax_expired(me));
    AX_TRY(AX_WITHIN(AX_MS(50), AX_WITHIN(AX_MS(5), ax_sleep(me, AX_MS(20)))));
    CHECK(me->rc == AX_ETIMEDOUT);

    CHECK(ax_group_open(me, &my->g, 0) == 0);
    AX_SPAWN(&my->g, child);
    my->t = ax_task_ref(AX_SPAWN(&my->g, child, .n = 2, .sum = &my->sum));
    CHECK(strcmp(ax_task_name(my->t), "child") == 0);
    CHECK(ax_on_done(my->t, &my->done, on_call, &my->called) == 0);
    AX_SPAWN_IN(&my->g, &my->own, child, .n = 5, .sum = &my->sum);
    CHECK(ax_task_status(my->t) == AX_EINPROGRESS);
    AX_AWAIT(ax_join(me, my->t));
    CHECK(me->rc == 2 && AX_FRAME(child, my->t)->n == 2);
    AX_CHECK(AX_FRAME(child, my->t)->n);
    CHECK(me->rc == 2);
    my->t = ax_task_unref(my->t);
    AX_AWAIT(ax_group_join(me, &my->g));
    CHECK(my->own.frame.n == 5 && my->sum == 14 && my->called == 1);
    CHECK(AX_SPAWN_IN(&my->g, &my->own, child) == NULL);

    CHECK(ax_group_open(me, &my->kept, AX_GROUP_KEEP | AX_GROUP_COLLECT) == 0);
    AX_SPAWN(&my->kept, child, .n = 1);
    AX_SPAWN(&my->kept, child, .n = 2);
    AX_SPAWN(&my->kept, child, .n = 4);
    AX_WHILE(ax_group_next(me, &my->kept, &my->t)) {
        if (AX_FRAME(child, my->t)->n == 2) continue;
        my->one += ax_task_status(my->t);
    }
    CHECK(my->one == 5);
    ax_group_cancel(&my->kept);
    AX_TRY(ax_group_join(me, &my->kept));
    CHECK(me->rc == 0);

    CHECK(ax_sem_init(&my->sem, 2, 2) == 0);
    AX_AWAIT(ax_sem_acquire(me, &my->sem));
    CHECK(ax_sem_try_acquire(&my->sem) == 0 && ax_sem_release(&my->sem) == 0);
    AX_AWAIT(ax_sem_enter(me, &my->sem, &my->permit));
    CHECK(ax_waiters(&my->sem.waiters) == 0 && ax_sem_leave(&my->permit) == 0 && ax_sem_release(&my->sem) == 0);
    AX_AWAIT(ax_mutex_lock(me, &my->mutex));
    CHECK(ax_mutex_unlock(me, &my->mutex) == 0 && ax_mutex_try_lock(me, &my->mutex) == 0);
    ax_event_set(&my->event);
    AX_AWAIT(ax_event_wait(me, &my->event));
    ax_event_clear(&my->event);
    CHECK(ax_future_complete(&my->future, 7) == 0);
    AX_AWAIT(ax_future_wait(me, &my->future));
    CHECK(me->rc == 7 && ax_future_on_done(me->loop, &my->later, &my->c, on_call, &my->called) == 0);
    CHECK(ax_callback_stop(&my->c) == 1);

    CHECK(ax_queue_init(&my->q, my->items, 2, sizeof my->item) == 0);
    my->item = 1;
    AX_AWAIT(ax_queue_put(me, &my->q, &my->item));
    my->item = 2;
    CHECK(ax_queue_try_put(&my->q, &my->item) == 0);
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    CHECK(my->item == 1 && ax_queue_try_get(&my->q, &my->item) == 1 && ax_queue_task_done(&my->q) == 0 && ax_queue_task_done(&my->q) == 0);
    AX_AWAIT(ax_queue_join(me, &my->q));
    for (my->i = 0; my->i < 2; my->i++) AX_AWAIT(ax_queue_put(me, &my->q, &my->i));
    ax_queue_close(&my->q);
    AX_WHILE(ax_queue_get(me, &my->q, &my->item)) { my->two += my->item; break; }
    ax_queue_close_now(&my->q, NULL, NULL);

    CHECK(AX_GENERATE(&my->gen, counted, .to = 3) == 0 && AX_GENERATE(&my->plain, counted) == 0);
    AX_WHILE(ax_next(me, &my->gen.generator)) my->counted += my->gen.frame.i;
    CHECK(my->counted == 3);
    AX_AWAIT(ax_next(me, &my->plain.generator));
    CHECK(me->rc == 0);
    AX_AWAIT(ax_generator_close(me, &my->plain.generator));

    CHECK(ax_soon(me->loop, &my->c, on_call, &my->called) == 0);
    CHECK(ax_timer_start(me->loop, &my->timer, ax_now(me->loop), on_call, &my->called) == 0);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    CHECK(my->called == 3 && ax_timer_stop(&my->timer) == 0);
    CHECK(ax_post(me->loop, &my->c, on_call, &my->called) == 0);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    CHECK(my->called == 4);
    CHECK(ax_at_close(me->loop, &my->close, on_call, &deferred) == 0);
    ax_timer_unref(&my->timer);
    ax_loop_hold(me->loop);
    ax_loop_release(me->loop);
    CHECK(ax_loop_reserve(me->loop, 10, 10) == 0 && ax_loop_memory(me->loop, NULL) > 0);
    CHECK(ax_run_once(me->loop) == AX_EBUSY);
    (void)ax_next_deadline(me->loop);

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, my->fds) == 0);
    CHECK(fcntl(my->fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(my->fds[1], F_SETFL, O_NONBLOCK) == 0);
    AX_AWAIT(ax_wait_fd(me, my->fds[1], AX_OUT));
    AX_AWAIT(ax_write(me, my->fds[1], "a", 1));
    AX_AWAIT(ax_write_all(me, my->fds[1], "bc", 2));
    ax_watch_unref(&my->watch);
    CHECK(ax_watch_start(me->loop, &my->watch, my->fds[0], AX_IN, on_watch, &my->seen) == 0);
    AX_AWAIT(ax_checkpoint(me));
    CHECK(my->seen & AX_IN);
    CHECK(ax_watch_set(&my->watch, 0) == 0 && ax_watch_stop(&my->watch) == 1);
    AX_AWAIT(ax_read(me, my->fds[0], &my->byte, 1));
    CHECK(me->rc == 1 && my->byte == 'a');
    AX_TRY(ax_accept(me, my->fds[0], NULL));
    CHECK(me->rc < 0);
    ax_fd_closing(me->loop, my->fds[0]);
    CHECK(ax_close(me->loop, my->fds[0]) == 0 && ax_close(me->loop, my->fds[1]) == 0);

    AX_AWAIT(ax_to_thread(me, work, &my->two, sizeof my->two));
    CHECK(me->rc == 1 && my->two == 1);

    CHECK(ax_group_open(me, &my->g, AX_GROUP_BACKGROUND | AX_GROUP_RACE) == 0);
    AX_SPAWN(&my->g, presser, .b = &my->b);
    AX_AWAIT(button_pressed(me, &my->b));
    CHECK(me->rc == 1);
    my->one = 1;
    CHECK(ax_defer(me, &my->d, note, &my->one) == 0);
    CHECK(ax_timeout_open(me, &my->limit, AX_MS(5)) == 0);
    CHECK(ax_timeout_reschedule(&my->limit, ax_now(me->loop) + AX_MS(50)) == 0 && ax_timeout_close(&my->limit) == 0);
    CHECK(ax_cancelling(me) == 0);
    CHECK(ax_cancel(me) == 1 && ax_uncancel(me) == 0);
    AX_RETURN(0);
    AX_FINALLY:
    CHECK(ax_leaving(me) == 0);
    AX_AWAIT(ax_sleep(me, 0));
    AX_END;
}

AX_ASYNC(child) {
    AX_BEGIN;
    AX_AWAIT(ax_checkpoint(me));
    if (my->sum) *my->sum += my->n;
    AX_RETURN(my->n);
    AX_END;
}

struct bare { ax_frame frame; };
AX_ASYNC(bare) { AX_BEGIN; AX_END; }
struct fails { ax_frame frame; };
AX_ASYNC(fails) { AX_BEGIN; AX_RETURN(AX_EAGAIN); AX_FINALLY: deferred = 0; AX_END; }

int main(void) {
    ax_loop_desc desc;
    ax_loop loop;
    memset(&desc, 0, sizeof desc);
    desc.flags = AX_VIRTUAL_CLOCK;
    CHECK(AX_RUN(bare) == 0);
    CHECK(AX_RUN(fails) == AX_EAGAIN);
    CHECK(AX_RUN(child, .n = 5) == 5);
    CHECK(AX_RUN_WITH(&desc, everything) == 0);
    CHECK(deferred == 2);
    CHECK(ax_loop_open(&loop, &desc) == 0);
    CHECK(AX_SPAWN(&loop.root, child, .n = 1, .sum = &deferred) != NULL);
    CHECK(ax_loop_run(&loop) == 0 && deferred == 3);
    ax_loop_stop(&loop);
    CHECK(ax_loop_close(&loop) == 0);
    CHECK(strcmp(ax_errname(AX_EPIPE), "AX_EPIPE") == 0 && ax_strerror(AX_EPIPE) != NULL && ax_exit(3) == 3);
    CHECK(ASYNCX_VERSION_NUMBER > 0 && sizeof ASYNCX_VERSION > 1);
    puts("good");
    return 0;
}
