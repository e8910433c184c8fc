/* The freestanding form's timers and lists, at random against models that count in 64 bits and never wrap: 20,000 steps of arming,
   disarming, sleeping, cancelling and passing time, over many wraps of the tick. Nobody is early, late, lost or out of order.
   ./freestanding [steps [seed]]; -DASYNCX_TIME_BITS=16 for the shortest tick. */
#define ASYNCX_FREESTANDING
#define ASYNCX_STATIC
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "dice.h"
#include "tap.h"

enum { TIMERS = 24, TASKS = 16, LINKS = 20, EIGHTH = 1 << 13 };
#define SCALE (ASYNCX_TIME_BITS - 16) /* how many bits the tick has beside the least */

/* ---- the clock: 64 bits, of which the port shows the low ones ---- */

static uint64_t now;
static const char *wrong; /* the first thing that was */
static int wrong_step, step;
static void expect(int good, const char *what) {
    if (good || wrong) return;
    wrong = what;
    wrong_step = step;
}
ax_time ax_port_now(void) { return (ax_time)(axi_ticks)now; }
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
void ax_port_wake(void) {}
void ax_port_idle(ax_time until) {
    (void)until;
    expect(0, "a turn that must not sleep idles");
}
static uint64_t not_forever(uint64_t when) { return (axi_ticks)when == (axi_ticks)AX_FOREVER ? when + 1 : when; }

/* A span of time: often short, sometimes long, never more than so many eighths of the tick's range. */
static uint64_t span(unsigned eighths) {
    switch (below(6)) {
    case 0: return below(3);
    case 1: return below(EIGHTH * eighths);
    case 2: return ((uint64_t)below(EIGHTH * eighths) << SCALE) + below(1 << (SCALE < 16 ? SCALE : 16));
    default: return below(60);
    }
}

/* ---- the model ---- */

static ax_loop loop;
static struct timed {
    ax_timer timer;
    uint64_t when;
    unsigned seq;
    int armed;
} timers[TIMERS];
struct sleeps { ax_frame frame; ax_time time, limit; int how, *result; ax_event never; };
AX_ASYNC(sleeps) {
    AX_BEGIN;
    if (my->how == 0) AX_TRY(ax_sleep(me, my->time));
    else if (my->how == 1) AX_TRY(AX_WITHIN(my->limit, ax_sleep(me, my->time)));
    else AX_TRY(AX_WITHIN(my->limit, ax_event_wait(me, &my->never)));
    *my->result = me->rc;
    AX_FINALLY:
    if (ax_leaving(me) < 0) *my->result = ax_leaving(me);
    AX_END;
}
static struct slept {
    AX_TASK(sleeps) task;
    uint64_t from, to; /* it wakes between these */
    int going, want, result, either;
} tasks[TASKS];
static unsigned next_seq;
static struct timed *last_fired;
static int fired;

static void fire(ax_loop *l, void *arg) {
    struct timed *t = (struct timed *)arg;
    (void)l;
    expect(t->armed, "a timer fires that is not armed");
    expect(now >= t->when, "a timer fires early");
    if (last_fired)
        expect(last_fired->when < t->when || (last_fired->when == t->when && last_fired->seq < t->seq), "timers fire out of order");
    last_fired = t;
    t->armed = 0;
    fired++;
}

static void settle(void) { /* lets everything happen that is due */
    int i, turns = 0, most = 3;
    last_fired = NULL;
    while (ax_run_once(&loop) > 0 && turns++ < 20) {}
    expect(turns <= most, "it takes more turns than it may");
    for (i = 0; i < TIMERS; i++) expect(!timers[i].armed || timers[i].when > now, "a timer that is due has not fired");
    for (i = 0; i < TASKS; i++) {
        struct slept *t = &tasks[i];
        int ended = ax_task_status(&t->task.task) != AX_EINPROGRESS;
        if (!t->going) continue;
        if (ended) {
            expect(t->result == t->want || (t->either && t->result == 0), "a task wakes with another result");
            expect(t->want == AX_ECANCELED || now >= t->from, "a task wakes early");
            t->going = 0;
        } else {
            expect(t->want != AX_ECANCELED && now < t->to, "a task does not wake");
        }
    }
}

/* The list itself: as many as are armed, in order. */
static void check_list(void) {
    const axi_link *link;
    int i, in_list = 0, armed = 0;
    uint64_t earliest = UINT64_MAX;
    ax_time before = 0, next = ax_next_deadline(&loop);
    for (link = loop.timers.next; link != &loop.timers && in_list < 100; link = link->next, in_list++) {
        ax_time when = *axi_when(link);
        expect(when != AX_FOREVER, "AX_FOREVER is in the list");
        if (in_list) expect(AXI_MINUS(when, before) >= 0, "the list is not in order");
        before = when;
    }
    for (i = 0; i < TIMERS; i++)
        if (timers[i].armed) {
            armed++;
            if (timers[i].when < earliest) earliest = timers[i].when;
        }
    for (i = 0; i < TASKS; i++)
        if (tasks[i].going && tasks[i].to != UINT64_MAX) {
            armed++;
            if (tasks[i].from < earliest) earliest = tasks[i].from;
        }
    expect(in_list == armed, "the list has lost or kept somebody");
    if (earliest == UINT64_MAX) expect(next == AX_FOREVER, "a deadline where there is none");
    else expect(next != AX_FOREVER && (axi_ticks)((axi_ticks)next - (axi_ticks)earliest) <= 3, "the next deadline is another");
}

static void start_task(struct slept *t) {
    uint64_t sleep = 1 + span(2), limit = 1 + span(2), late = now + 4;
    int how = (int)below(3);
    t->want = how == 2 || (how == 1 && limit <= sleep) ? AX_ETIMEDOUT : 0;
    t->either = how == 1 && (limit > sleep ? limit - sleep : sleep - limit) <= 2; /* AX_FOREVER's neighbour may turn it round */
    if (how == 1 && t->either) t->want = AX_ETIMEDOUT;
    t->from = now + 1 + (how == 0 ? sleep : how == 2 || limit < sleep ? limit : sleep);
    t->to = t->from + 2 + late - now;
    if (how == 0 && below(8) == 0) sleep = (uint64_t)AX_FOREVER, t->from = t->to = UINT64_MAX;
    t->result = 99;
    t->going = 1;
    expect(AX_SPAWN_IN(&loop.root, &t->task, sleeps, .how = how, .time = (ax_time)sleep, .limit = (ax_time)limit, .result = &t->result) != NULL,
           "a spawn is refused");
}

static void timers_at_random(int steps) {
    int i, most = 0, wraps = 0, tasks_run = 0;
    for (step = 0; step < steps && !wrong; step++) {
        struct timed *t = &timers[below(TIMERS)];
        struct slept *s = &tasks[below(TASKS)];
        uint64_t was = now;
        int armed = 0;
        switch (below(8)) {
        case 0:
        case 1:
        case 2: { /* arm, or arm anew */
            uint64_t time = span(2);
            int past = below(10) == 0;
            t->when = past ? not_forever(now - below(50)) : not_forever(now + time);
            t->seq = next_seq++;
            t->armed = 1;
            ax_timer_start(&loop, &t->timer, (ax_time)(axi_ticks)t->when, fire, t);
            break;
        }
        case 3: /* disarm */
            expect(ax_timer_stop(&t->timer) == t->armed, "ax_timer_stop says otherwise");
            t->armed = 0;
            break;
        case 4:
            if (!s->going) start_task(s), tasks_run++;
            break;
        case 5:
            if (s->going) ax_cancel(&s->task.task), s->want = AX_ECANCELED, s->either = 0;
            break;
        case 6: { /* to the next deadline exactly */
            ax_time next = ax_next_deadline(&loop);
            if (next != AX_FOREVER && AXI_MINUS(next, ax_port_now()) > 0) now += (axi_ticks)AXI_MINUS(next, ax_port_now());
            break;
        }
        default: { /* a step that takes long, or sleep; also to where the tick is nearly AX_FOREVER */
            uint64_t ahead = (axi_ticks)((axi_ticks)AX_FOREVER - below(40) - (axi_ticks)now);
            now += ahead < (uint64_t)EIGHTH << SCALE ? ahead : span(1);
        }
        }
        if (now >> ASYNCX_TIME_BITS != was >> ASYNCX_TIME_BITS) wraps++;
        settle();
        check_list();
        for (i = 0; i < TIMERS; i++) armed += timers[i].armed;
        if (armed > most) most = armed;
    }
    if (!ok(!wrong, "timers and sleeps: %d steps over %d wraps, up to %d timers armed, %d fired, %d tasks", step, wraps, most, fired, tasks_run))
        printf("# step %d: %s\n", wrong_step, wrong);
    ok(wrong || (steps < 5000) || (wraps > 3 && most > 8), "... that was worth it");
    for (i = 0; i < TIMERS; i++) ax_timer_stop(&timers[i].timer);
    ok(ax_loop_close(&loop) == 0 && loop.timers.next == &loop.timers, "all of them can be ended");
}

/* ---- lists ---- */

static void lists_at_random(int steps) {
    static axi_link links[LINKS];
    static axi_list list;
    int model[LINKS], in[LINKS] = {0}, n = 0, i, k;
    wrong = NULL;
    for (step = 0; step < steps && !wrong; step++) {
        axi_link *link;
        switch (below(3)) {
        case 0:
            k = (int)below(LINKS);
            if (in[k]) { /* from anywhere */
                axi_take(&list, &links[k]);
                for (i = 0; model[i] != k; i++) {}
                for (n--; i < n; i++) model[i] = model[i + 1];
                in[k] = 0;
            }
            break;
        case 1:
            if (!n) break;
            expect(axi_pop(&list) == &links[model[0]], "the first is another");
            in[model[0]] = 0;
            for (n--, i = 0; i < n; i++) model[i] = model[i + 1];
            break;
        default:
            k = (int)below(LINKS);
            if (in[k]) break;
            axi_push(&list, &links[k]);
            in[model[n++] = k] = 1;
        }
        expect(ax_waiters(&list) == n, "ax_waiters counts otherwise");
        expect(axi_head(&list) == (n ? &links[model[0]] : NULL) && (!n || axi_tail(&list) == &links[model[n - 1]]), "the ends are others");
        for (i = 0, link = axi_head(&list); link && i < n; i++, link = axi_after(&list, link)) expect(link == &links[model[i]], "another order");
        expect(i == n && !link, "another length");
    }
    if (!ok(!wrong, "lists: %d steps of push, pop and take", step)) printf("# step %d: %s\n", wrong_step, wrong);
}

int main(int argc, char **argv) {
    int steps = argc > 1 ? atoi(argv[1]) : 20000, round;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    for (round = 0; round < 4; round++) { /* begin near the wrap, near AX_FOREVER, at 0 */
        static const char *const from[] = {"the wrap", "AX_FOREVER", "0", "anywhere"};
        dice = seed + (uint64_t)round;
        memset(timers, 0, sizeof timers);
        memset(tasks, 0, sizeof tasks);
        wrong = NULL;
        fired = 0;
        now = ((uint64_t)1 << (ASYNCX_TIME_BITS - 1) << 1) - 300; /* of 64 bits: just before the wrap too */
        if (round == 1) now = (uint64_t)AX_FOREVER - 300;
        if (round == 2) now = (uint64_t)1 << (ASYNCX_TIME_BITS - 1) << 1;
        if (round == 3) now = (uint64_t)AX_FOREVER + below(30000);
        printf("# %d-bit ticks, from %s, seed %llu\n", ASYNCX_TIME_BITS, from[round], (unsigned long long)seed);
        ax_loop_open(&loop, NULL);
        timers_at_random(steps);
    }
    dice = seed;
    lists_at_random(steps);
    return tap_end();
}
