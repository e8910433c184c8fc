/* Rule 16: every allocation fails in turn, a fixed arena of every size, what allocates nothing, and what is used again. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

/* ---- a scenario with every feature, each checked for its error ---- */

static int open_fds, defers_due;
static void deferred(void *arg) { (void)arg; defers_due--; }
static void nothing(ax_loop *l, void *arg) { (void)l; (void)arg; }
static void watched(ax_loop *l, unsigned events, void *arg) { (void)l; (void)events; (void)arg; }
static int work(void *data) { return ((char *)data)[99] = 7; }

struct deeper { ax_frame frame; int level; char room[200]; };
AX_ASYNC(deeper) {
    AX_BEGIN;
    if (my->level) AX_AWAIT(AX_CALL(deeper, .level = my->level - 1));
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    AX_RETURN(my->level);
    AX_END;
}
struct big { ax_frame frame; char room[5000]; };
AX_ASYNC(big) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(deeper, .level = 2));
    AX_END;
}
struct part { ax_frame frame; ax_sem *sem; ax_permit p; ax_queue *q; int i; ax_deferred d; };
AX_ASYNC(part) {
    AX_BEGIN;
    AX_AWAIT(ax_sem_enter(me, my->sem, &my->p));
    ax_defer(me, &my->d, deferred, NULL);
    defers_due++;
    AX_AWAIT(AX_WITHIN(AX_SEC(1), AX_CALL(deeper, .level = 1)));
    AX_AWAIT(ax_queue_put(me, my->q, &my->i));
    AX_END;
}
struct reader { ax_frame frame; int fd; char bytes[8]; };
AX_ASYNC(reader) {
    AX_BEGIN;
    AX_AWAIT(ax_read(me, my->fd, my->bytes, sizeof my->bytes));
    AX_END;
}
struct counts { ax_frame frame; ax_group g; int i; };
AX_ASYNC(counts) { /* a generator with calls and a child */
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, deeper, .level = 1);
    for (; my->i < 3; my->i++) {
        AX_AWAIT(AX_CALL(deeper, .level = my->i));
        AX_EMIT();
    }
    AX_END;
}
struct app {
    ax_frame frame;
    ax_group g, kept;
    ax_sem sem;
    ax_queue q, grown;
    ax_executor one;
    AX_GENERATOR(counts) counts;
    int items[2], item, i, rc, n, emitted, fds[2], started;
    ax_timer timer;
    ax_watch watch;
    ax_task *t;
    char data[100];
};
AX_ASYNC(app) {
    AX_BEGIN;
    my->started = 1;
    my->fds[0] = my->fds[1] = -1;
    ax_sem_init(&my->sem, 3, 3);
    ax_queue_init(&my->q, my->items, 2, sizeof my->item);
    if (pipe(my->fds) < 0) AX_RETURN(-errno);
    open_fds += 2;
    fcntl(my->fds[0], F_SETFL, O_NONBLOCK);
    if ((my->rc = ax_timer_start(me->loop, &my->timer, AX_MS(5), nothing, NULL)) < 0) AX_RETURN(my->rc);
    if ((my->rc = ax_watch_start(me->loop, &my->watch, my->fds[1], 0, watched, NULL)) < 0) AX_RETURN(my->rc);
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < 20; my->i++) AX_SPAWN(&my->g, part, .sem = &my->sem, .q = &my->q, .i = my->i); /* unchecked: the group tells */
    AX_SPAWN(&my->g, reader, .fd = my->fds[0]);
    for (my->i = 0; my->i < 20; my->i++) AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    AX_AWAIT(AX_CALL(big));
    AX_AWAIT(ax_to_thread(me, work, my->data, sizeof my->data));
    AX_CHECK(ax_executor_open(me->loop, &my->one, 1, 0));
    AX_AWAIT(ax_executor_run(me, &my->one, work, NULL, my->data, sizeof my->data));
    AX_AWAIT(ax_executor_close(me, &my->one));
    AX_CHECK(ax_queue_init_growing(&my->grown, me->loop, 0, sizeof my->item));
    for (my->i = 0; my->i < 20; my->i++) AX_AWAIT(ax_queue_put(me, &my->grown, &my->i));
    AX_GENERATE(&my->counts, counts); /* unchecked: the first ax_next tells */
    AX_WHILE(ax_next(me, &my->counts.generator)) my->emitted++;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_signal_wait(me, SIGUSR1)));
    if (me->rc != AX_ETIMEDOUT) AX_RETURN(me->rc);
    if (write(my->fds[1], "x", 1) < 0) AX_RETURN(-errno);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_group_open(me, &my->kept, AX_GROUP_KEEP);
    for (my->i = 0; my->i < 3; my->i++) AX_SPAWN(&my->kept, deeper, .level = my->i);
    AX_WHILE(ax_group_next(me, &my->kept, &my->t)) my->n++;
    AX_RETURN(my->n == 3 && my->emitted == 3 && my->data[99] == 7 ? 0 : AX_EINVAL);
    AX_FINALLY:
    if (my->started) {
        ax_watch_stop(&my->watch);
        ax_timer_stop(&my->timer);
        ax_queue_free(&my->grown);
        if (my->fds[0] >= 0) {
            ax_close(me->loop, my->fds[0]);
            ax_close(me->loop, my->fds[1]);
            open_fds -= 2;
        }
    }
    AX_END;
}

static void every_allocation(void) {
    long n, total;
    int status = AX_ENOMEM, wrong_status = 0, leaks = 0, undone = 0;
    for (n = 1; n < 10000; n++) {
        ax_loop_desc *d = kit_desc();
        d->threads = 2;
        kit_fail_at = n;
        open_fds = defers_due = 0;
        status = AX_RUN_WITH(d, app);
        if (kit_allocations < n) break;
        if (status != AX_ENOMEM) wrong_status++, printf("# allocation %ld failed: status %d\n", n, status);
        if (kit_balance) leaks++, printf("# allocation %ld failed: %ld bytes kept\n", n, kit_balance);
        if (open_fds || defers_due) undone++;
    }
    total = n - 1;
    printf("# %ld allocations\n", total);
    ok(total > 50 && status == 0, "rule 16: the scenario has many allocations and succeeds when none fails");
    is(wrong_status, 0, "rule 16: whichever allocation fails, AX_ENOMEM arrives");
    is(leaks, 0, "rule 16: and all memory is given back");
    is(undone, 0, "rule 16: and all cleanup is done");
}

/* ---- arenas ---- */

static union { long double align; void *p; unsigned char bytes[200000]; } arena;

static void every_arena(void) {
    size_t size, enough = 0;
    int other = 0, later_failed = 0, status = 0;
    for (size = 0; size <= sizeof arena.bytes / 2; size += size < 3000 ? 16 : 976) {
        ax_loop_desc d;
        memset(&d, 0, sizeof d);
        d.flags = AX_VIRTUAL_CLOCK;
        d.arena = arena.bytes;
        d.arena_size = size;
        d.threads = 2;
        memset(arena.bytes + size, 0xA5, 64);
        status = AX_RUN_WITH(&d, app);
        if (status != 0 && status != AX_ENOMEM) other++, printf("# arena of %lu: %d\n", (unsigned long)size, status);
        if (status == 0 && !enough) enough = size;
        if (status != 0 && enough) later_failed++;
        if (arena.bytes[size] != 0xA5 || arena.bytes[size + 63] != 0xA5) other++, printf("# arena of %lu was overrun\n", (unsigned long)size);
    }
    printf("# %lu bytes are enough\n", (unsigned long)enough);
    is(other, 0, "rule 16: an arena of any size gives 0 or AX_ENOMEM, and is not overrun");
    ok(enough > 0 && !later_failed, "rule 16: a larger arena than enough is enough");
}

struct fills { ax_frame frame; ax_group g; int n, m; size_t before, peak; };
AX_ASYNC(fills) {
    AX_BEGIN;
    my->before = ax_loop_memory(me->loop, NULL);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    while (AX_SPAWN(&my->g, sleeper, .time = 1)) my->n++;
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    while (AX_SPAWN(&my->g, sleeper, .time = 1)) my->m++;
    ax_loop_memory(me->loop, &my->peak);
    LOG("%s %s %s", my->n > 100 ? "many" : "few", my->m >= my->n ? "again" : "less", my->peak <= 65536 && my->peak > 40000 ? "peak" : "no peak");
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}

/* ---- what allocates nothing ---- */

struct in_place { ax_frame frame; ax_group g; AX_TASK(sleeper) own[4]; struct sleeper slot; ax_queue q; int items[2], item, i; long before; ax_sem s; ax_permit p; ax_timer t; ax_callback c; ax_timeout l; ax_future f; };
AX_ASYNC(in_place) {
    AX_BEGIN;
    ax_loop_reserve(me->loop, 10, 0);
    my->before = kit_allocations;
    for (my->i = 0; my->i < 12; my->i++) {
        if (my->i % 4 == 0) ax_group_open(me, &my->g, 0);
        AX_SPAWN_IN(&my->g, &my->own[my->i % 4], sleeper, .time = 1);
        if (my->i % 4 == 3) AX_AWAIT(ax_group_join(me, &my->g));
    }
    AX_AWAIT(AX_CALL_IN(&my->slot, sleeper, .time = 1));
    AX_AWAIT(AX_WITHIN(AX_SEC(1), AX_CALL_IN(&my->slot, sleeper, .time = 1)));
    ax_queue_init(&my->q, my->items, 2, sizeof my->item);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_queue_get(me, &my->q, &my->item)));
    ax_sem_init(&my->s, 1, 1);
    AX_AWAIT(ax_sem_enter(me, &my->s, &my->p));
    ax_timeout_open(me, &my->l, AX_SEC(1));
    ax_soon(me->loop, &my->c, nothing, NULL);
    ax_timer_start(me->loop, &my->t, AX_MS(3), nothing, NULL);
    AX_TRY(AX_WITHIN(AX_MS(1), ax_future_wait(me, &my->f)));
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    LOG("%ld", kit_allocations - my->before);
    AX_END;
}

/* ---- the default allocator uses memory again ---- */

struct again { ax_frame frame; ax_group g; int i; size_t base, first, used, peak; };
AX_ASYNC(again) {
    AX_BEGIN;
    my->base = ax_loop_memory(me->loop, NULL);
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < 1000; my->i++) {
        AX_SPAWN(&my->g, sleeper, .time = 1);
        AX_AWAIT(AX_CALL(deeper, .level = 3));
        AX_AWAIT(AX_CALL(big));
        AX_AWAIT(ax_sleep(me, AX_MS(2)));
        my->used = ax_loop_memory(me->loop, &my->peak);
        if (my->i == 0) my->first = my->peak;
        if (my->used < my->base) AX_RETURN(AX_EINVAL);
    }
    LOG("peak grew by %d, in use %d", (int)(my->peak - my->first), (int)(my->used - my->base));
    AX_END;
}

struct timers { ax_frame frame; ax_group g; int i, refused; ax_timer t; long before; };
AX_ASYNC(timers) { /* what was reserved for a timer or a refused task is given back */
    AX_BEGIN;
    ax_loop_reserve(me->loop, 8, 0);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->before = kit_allocations;
    for (my->i = 0; my->i < 100; my->i++) {
        ax_timer_start(me->loop, &my->t, 0, nothing, NULL);
        AX_AWAIT(ax_sleep(me, AX_MS(1)));
        ax_timer_start(me->loop, &my->t, AX_SEC(100), nothing, NULL);
        ax_timer_stop(&my->t);
    }
    LOG("%ld", kit_allocations - my->before);
    for (my->i = 0; my->i < 100; my->i++) {
        my->before = kit_fail_at = kit_allocations + 1;
        my->refused += !AX_SPAWN(&my->g, sleeper) && kit_allocations == my->before;
    }
    LOG("%d", my->refused);
    kit_fail_at = 0;
    my->before = kit_allocations;
    AX_SPAWN(&my->g, sleeper);
    LOG("%ld", kit_allocations - my->before);
    AX_END;
}

/* A spawn into storage of one's own needs room for a timer: without it the group fails, and the storage may serve again. */
struct no_room { ax_frame frame; ax_group g; AX_TASK(sleeper) own; };
AX_ASYNC(no_room) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    while (AX_SPAWN(&my->g, sleeper)) /* until the next needs more room */
        if (me->loop->timer_need == me->loop->timer_cap) break;
    kit_fail_at = kit_allocations + 1;
    LOG("%d", AX_SPAWN_IN(&my->g, &my->own, sleeper) == NULL);
    kit_fail_at = 0;
    AX_RETURN(1);
    AX_END;
}
struct finds_room { ax_frame frame; struct no_room in; ax_group g; };
AX_ASYNC(finds_room) {
    AX_BEGIN;
    AX_TRY(AX_CALL_IN(&my->in, no_room));
    LOG("%d", me->rc);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN_IN(&my->g, &my->in.own, sleeper, .status = 7);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d", ax_task_status(&my->in.own.task));
    AX_END;
}

/* A queue that grows: in order whatever wraps, to a limit, where puts wait; out of memory at a put loses nothing. */
struct feeder { ax_frame frame; ax_queue *q; int item; };
AX_ASYNC(feeder) {
    AX_BEGIN;
    AX_AWAIT(ax_queue_put(me, my->q, &my->item));
    LOG("put %d", my->item);
    AX_END;
}
struct grows { ax_frame frame; ax_group g; ax_queue q; int i, k, item, wrong, next; };
AX_ASYNC(grows) {
    AX_BEGIN;
    LOG("%d", ax_queue_init_growing(&my->q, me->loop, 50, sizeof my->item));
    for (my->k = 1; my->k < 10; my->k++) { /* more in than out */
        for (my->i = 0; my->i < my->k; my->i++, my->item++) my->wrong += ax_queue_try_put(&my->q, &my->item) != 0;
        for (my->i = 0; my->i < my->k / 2; my->i++) {
            int got = -1;
            my->wrong += ax_queue_try_get(&my->q, &got) != 1 || got != my->next++;
        }
    }
    LOG("%d wrong, %d in it, room for %d", my->wrong, (int)my->q.count, (int)my->q.capacity);
    while (ax_queue_try_put(&my->q, &my->item) == 0) my->item++;
    LOG("%d in it, room for %d, then %d", (int)my->q.count, (int)my->q.capacity, ax_queue_try_put(&my->q, &my->item));
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, feeder, .q = &my->q, .item = my->item);
    AX_AWAIT(ax_checkpoint(me));
    my->k = my->next;
    AX_WHILE(ax_queue_get(me, &my->q, &my->i)) {
        my->wrong += my->i != my->next++;
        if (my->i == my->item) break;
    }
    LOG("%d wrong of %d", my->wrong, my->next - my->k);
    AX_AWAIT(ax_group_join(me, &my->g));
    ax_queue_free(&my->q);
    LOG("%d", ax_queue_try_put(&my->q, &my->item));

    LOG("%d", ax_queue_init_growing(&my->q, me->loop, 0, sizeof my->item));
    for (my->i = 0; my->i < 8; my->i++) ax_queue_try_put(&my->q, &my->i);
    kit_fail_at = kit_allocations + 1;
    AX_TRY(ax_queue_put(me, &my->q, &my->i));
    LOG("put:%d", me->rc);
    AX_TRY(ax_queue_put(me, &my->q, &my->i));
    LOG("put:%d in it:%d", me->rc, (int)my->q.count);
    AX_FINALLY:
    ax_queue_free(&my->q);
    AX_END;
}

int main(void) {
    ax_loop_desc d;
    every_allocation();
    every_arena();
    memset(&d, 0, sizeof d);
    d.flags = AX_VIRTUAL_CLOCK;
    d.arena = arena.bytes;
    d.arena_size = 65536;
    kit_desc();
    kit_judge("rule 16: a full arena refuses, and serves as many tasks again after they have ended", AX_RUN_WITH(&d, fills), 0, "many again peak", NULL, __FILE__, __LINE__);
    SCENARIO("rule 16: tasks, calls, waits, limits, locks and timers in one's own storage allocate nothing", 0, "0", in_place);
    SCENARIO("rule 16: what was reserved for timers and refused tasks is given back", 0, "0 100 1", timers);
    SCENARIO("rule 16: a spawn into one's own storage that finds no memory fails the group", 0, "1 -12 7", finds_room);
    SCENARIO("rule 16: a queue that grows", 0,
             "0 0 wrong, 25 in it, room for 32 50 in it, room for 50, then -11 0 wrong of 51 put 70 -32 0 put:-12 put:0 in it:9", grows);
    kit_desc();
    memset(&d, 0, sizeof d);
    d.flags = AX_VIRTUAL_CLOCK;
    kit_judge("rule 16: the default allocator uses memory again", AX_RUN_WITH(&d, again), 0, "peak grew by 0, in use 0", NULL, __FILE__, __LINE__);
    return tap_end();
}
