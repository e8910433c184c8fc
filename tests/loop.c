/* The loop: turns, timers, posts, descriptors, threads, closing: rules 14 and 15. The backend's waits and read() are counted and interrupted. */
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static ssize_t count_read(int fd, void *data, size_t size);
#define read(a, b, c) count_read(a, b, c)
static int clock_or_still(clockid_t id, struct timespec *now);
#define clock_gettime(id, now) clock_or_still(id, now)
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#undef read
#undef clock_gettime
#include "kit.h"
#include <sched.h>

#define AT ms(me->loop)

/* What the handler of Ctrl-C asks for the time: it stands still where a test says so. */
static int still_s;
static int clock_or_still(clockid_t id, struct timespec *now) {
    if (!still_s) return clock_gettime(id, now);
    now->tv_sec = still_s;
    now->tv_nsec = 0;
    return 0;
}

static int polls, sleeping_polls, interrupts, read_interrupts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int loop_sleeps;

static void set_sleeps(int yes) {
    pthread_mutex_lock(&lock);
    loop_sleeps = yes;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
static ax_backend counting; /* around the default */
static int count_wait(ax_loop *l, void *self, ax_time timeout) {
    int rc;
    polls++;
    if (interrupts > 0) {
        interrupts--;
        return 0;
    }
    if (timeout) sleeping_polls++, set_sleeps(1);
    rc = ASYNCX_BACKEND->wait(l, self, timeout);
    if (timeout) set_sleeps(0);
    return rc;
}
static ssize_t count_read(int fd, void *data, size_t size) {
    if (read_interrupts > 0) {
        read_interrupts--;
        errno = EINTR;
        return -1;
    }
    return read(fd, data, size);
}

static ax_loop loop; /* of the tests without a task */
static void open_loop(unsigned flags) {
    ax_loop_desc *d = kit_desc();
    d->flags = flags;
    counting = *ASYNCX_BACKEND;
    counting.wait = count_wait;
    d->backend = &counting;
    if (ax_loop_open(&loop, d) < 0) abort();
}
#define JUDGE(name, rc, want, trace) kit_judge(name, rc, want, trace, NULL, __FILE__, __LINE__)
static void close_and_judge(const char *name, int rc, const char *trace, int line) {
    int closed = ax_loop_close(&loop);
    kit_judge(name, rc < 0 ? rc : closed, 0, trace, NULL, __FILE__, line);
}
#define RUN_AND_CLOSE(name, trace)                          \
    do {                                                    \
        int run_rc = ax_loop_run(&loop);                    \
        close_and_judge(name, run_rc, trace, __LINE__);     \
    } while (0)

static unsigned seed;
static unsigned number(unsigned below) { /* at random, the same in each run */
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

/* ---- turns ---- */

static ax_callback cb[8];
static ax_timer tm[8];
static const char *const letter[] = {"a", "b", "c", "d", "e", "f"};
#define LETTER(i) ((void *)(uintptr_t)letter[i])

static void say(ax_loop *l, void *arg) { LOG("%s@%d", (const char *)arg, ms(l)); }
static void say_and_again(ax_loop *l, void *arg) {
    say(l, arg);
    ax_soon(l, &cb[4], say, LETTER(4));
    ax_timer_start(l, &tm[4], 0, say, LETTER(5)); /* in the past: not inside this call */
    LOG("|");
}
struct turns { ax_frame frame; int i; };
AX_ASYNC(turns) {
    AX_BEGIN;
    for (my->i = 0; my->i < 3; my->i++) {
        LOG("t%d", my->i);
        AX_AWAIT(ax_checkpoint(me));
    }
    AX_END;
}
static void turns_tests(void) {
    static ax_loop other;
    memset(cb, 0, sizeof cb);
    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_soon(&loop, &cb[0], say_and_again, LETTER(0));
    AX_SPAWN(&loop.root, turns);
    ax_soon(&loop, &cb[1], say, LETTER(1));
    ax_soon(&loop, &cb[1], say, LETTER(2)); /* changes nothing */
    ax_soon(&loop, &cb[2], say, LETTER(2));
    LOG("%d", ax_callback_stop(&cb[2]));
    LOG("%d", ax_callback_stop(&cb[2]));
    ax_soon(&loop, &cb[3], say, LETTER(3));
    RUN_AND_CLOSE("rule 14: a turn runs what was ready when it began, in order; what it makes ready comes next turn", "1 0 a@0 | t0 b@0 d@0 e@0 t1 f@0 t2");

    memset(cb, 0, sizeof cb);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_soon(&loop, &cb[0], say, LETTER(0));
    ax_post(&loop, &cb[0], say, LETTER(0));
    ax_post(&loop, &cb[1], say, LETTER(1));
    ax_soon(&loop, &cb[1], say, LETTER(1));
    ax_post(&loop, &cb[1], say, LETTER(1));
    ax_post(&loop, &cb[2], say, LETTER(2));
    LOG("%d", ax_callback_stop(&cb[2]));
    ax_post(&loop, &cb[3], say, LETTER(3));
    RUN_AND_CLOSE("a callback asked for by ax_soon and ax_post runs once; a posted one can be stopped", "1 a@0 b@0 d@0");

    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    if (ax_loop_open(&other, NULL) < 0) abort();
    LOG("%d", ax_post(&loop, &cb[0], say, LETTER(0)));
    LOG("%d", ax_post(&other, &cb[0], say, LETTER(0)));
    ax_loop_close(&other);
    RUN_AND_CLOSE("a callback that is posted to one loop can't be to another", "0 -16 a@0");
}

/* With the rest of its turn stopped, a turn ends with the one that runs. */
static void stop_rest(ax_loop *l, void *arg) {
    say(l, arg);
    ax_callback_stop(&cb[1]);
    ax_callback_stop(&cb[2]);
    ax_soon(l, &cb[3], say, LETTER(3));
}
static int loops;
static void queue_and_stop_itself(ax_loop *l, void *arg) {
    if (loops++ == 0) say(l, arg);
    ax_callback_stop(&cb[1]);
    ax_soon(l, &cb[3], say, LETTER(3));
    ax_soon(l, &cb[0], queue_and_stop_itself, arg);
    ax_callback_stop(&cb[0]);
}
static void rest_tests(void) {
    int watched, i;
    for (watched = 0; watched < 2; watched++) {
        ax_loop_desc desc = *kit_desc();
        desc.slow = watched ? AX_SEC(1) : 0;
        memset(cb, 0, sizeof cb);
        ax_loop_open(&loop, &desc);
        ax_soon(&loop, &cb[0], stop_rest, LETTER(0));
        ax_soon(&loop, &cb[1], say, LETTER(1));
        ax_soon(&loop, &cb[2], say, LETTER(2));
        for (i = 0; i < 2; i++) LOG("%d", ax_run_once(&loop));
        RUN_AND_CLOSE(watched ? "rule 14: the same, with steps timed" : "rule 14: a turn whose rest is stopped ends", "a@0 1 d@0 0");
        memset(cb, 0, sizeof cb);
        ax_loop_open(&loop, &desc);
        loops = 0;
        ax_soon(&loop, &cb[0], queue_and_stop_itself, LETTER(0));
        ax_soon(&loop, &cb[1], say, LETTER(1));
        for (i = 0; i < 2; i++) LOG("%d", ax_run_once(&loop));
        RUN_AND_CLOSE(watched ? "rule 14: that too, with steps timed" : "rule 14: one that queues and stops itself does not lengthen its turn", "a@0 1 d@0 0");
    }
}

/* Callbacks that queue and stop each other and themselves at random, beside a list that says what has to run in which turn. */
enum { PARTY = 6 };
static ax_callback party[PARTY];
static int party_queue[PARTY], party_size, party_turn, party_runs, party_faults;
static int party_place(int i) {
    int place = 0;
    while (place < party_size && party_queue[place] != i) place++;
    return place;
}
static void party_remove(int place) {
    if (place < party_turn) party_turn--;
    party_size--;
    for (; place < party_size; place++) party_queue[place] = party_queue[place + 1];
}
static void party_member(ax_loop *l, void *arg);
static void party_change(ax_loop *l) {
    int i = (int)number(PARTY), place = party_place(i), queued = place < party_size;
    if (number(2)) {
        if (ax_callback_stop(&party[i]) != queued) party_faults++;
        if (queued) party_remove(place);
        return;
    }
    if (!queued) party_queue[party_size++] = i;
    if (ax_soon(l, &party[i], party_member, &party[i]) < 0) party_faults++;
}
static void party_member(ax_loop *l, void *arg) {
    unsigned changes = number(5);
    if (!party_turn || arg != &party[party_queue[0]]) party_faults++;
    party_remove(0);
    party_runs++;
    while (changes--) party_change(l);
}
static void party_test(void) {
    int round, watched;
    for (watched = 0; watched < 2; watched++) {
        ax_loop_desc desc = *kit_desc();
        desc.slow = watched ? AX_SEC(1) : 0;
        memset(party, 0, sizeof party);
        seed = 0;
        party_size = party_runs = party_faults = 0;
        if (ax_loop_open(&loop, &desc) < 0) abort();
        for (round = 0; round < 20000; round++) {
            while (party_size < 3) party_change(&loop);
            party_change(&loop);
            party_turn = party_size;
            ax_run_once(&loop);
            if (party_turn) party_faults++;
        }
        LOG("%s %d", party_runs > 40000 ? "many" : "few", party_faults);
        while (party_size) {
            ax_callback_stop(&party[party_queue[0]]);
            party_remove(0);
        }
        RUN_AND_CLOSE(watched ? "rule 14: and these, with steps timed" : "rule 14: callbacks that queue and stop each other at random run in their turns", "many 0");
    }
}

/* ---- timers ---- */

/* More timers than the heap takes at once, set, moved and stopped at random: each fires at its time, ties in the order set. */
enum { CROWD = 5000 };
static struct { ax_timer timer; ax_time when; unsigned set; } crowd[CROWD];
static unsigned crowd_sets, crowd_fired, crowd_armed, crowd_faults, crowd_last_set;
static ax_time crowd_last;

static void crowd_fires(ax_loop *l, void *arg);
static void crowd_change(ax_loop *l) { /* any of them is set, moved or stopped */
    unsigned i = number(CROWD), range = number(4) ? 100 : 100000;
    crowd_armed -= (unsigned)crowd[i].timer.armed;
    if (number(3) == 0) {
        ax_timer_stop(&crowd[i].timer);
        return;
    }
    crowd_armed++;
    crowd[i].when = ax_now(l) + AX_MS(1 + number(range));
    crowd[i].set = ++crowd_sets;
    if (ax_timer_start(l, &crowd[i].timer, crowd[i].when, crowd_fires, &crowd[i]) < 0) crowd_faults++;
}
static void crowd_fires(ax_loop *l, void *arg) {
    unsigned i = (unsigned)(((char *)arg - (char *)crowd) / (ptrdiff_t)sizeof crowd[0]);
    crowd_armed--;
    if (crowd[i].when != ax_now(l) || crowd[i].when < crowd_last) crowd_faults++;
    if (crowd[i].when == crowd_last && crowd[i].set < crowd_last_set) crowd_faults++;
    crowd_last = crowd[i].when;
    crowd_last_set = crowd[i].set;
    if (++crowd_fired < 20000) crowd_change(l);
    if (crowd_fired < 10000) crowd_change(l);
}
static void crowd_test(void) {
    unsigned i;
    open_loop(AX_VIRTUAL_CLOCK);
    seed = 1;
    for (i = 0; i < 5 * CROWD; i++) crowd_change(&loop);
    ax_loop_run(&loop);
    ok(crowd_fired > 10000 && crowd_armed == 0 && crowd_faults == 0 && loop.timer_count == 0, "rule 8: thousands of timers, moved and stopped: each at its time, ties in the order set");
    ax_loop_close(&loop);
}

static void stop_next(ax_loop *l, void *arg) {
    say(l, arg);
    LOG("%d", ax_timer_stop(&tm[1]));   /* due in the same turn, has not run */
    LOG("%d", ax_timer_stop(&tm[0]));   /* itself: it runs */
    ax_timer_start(l, &tm[2], AX_MS(20), say, LETTER(2)); /* due, moved away */
}
static int repeats;
static void repeat(ax_loop *l, void *arg) {
    say(l, arg);
    if (++repeats < 3) ax_timer_start(l, &tm[0], ax_now(l) + AX_MS(5), repeat, arg);
}
static void timers_tests(void) {
    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_timer_start(&loop, &tm[0], AX_MS(10), say, LETTER(0));
    ax_timer_start(&loop, &tm[1], AX_MS(10), say, LETTER(1));
    ax_timer_start(&loop, &tm[2], AX_MS(5), say, LETTER(2));
    ax_timer_start(&loop, &tm[3], AX_MS(10), say, LETTER(3));
    ax_timer_start(&loop, &tm[0], AX_MS(10), say, LETTER(0)); /* again: now the last of the tie */
    ax_timer_start(&loop, &tm[4], -5, say, LETTER(4));
    ax_timer_start(&loop, &tm[5], AX_MS(7), say, LETTER(5));
    ax_timer_stop(&tm[5]);
    RUN_AND_CLOSE("rule 8: timers fire in order of deadline, ties in the order set; a restart is set anew", "e@0 c@5 b@10 d@10 a@10");

    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_timer_start(&loop, &tm[0], AX_MS(10), stop_next, LETTER(0));
    ax_timer_start(&loop, &tm[1], AX_MS(10), say, LETTER(1));
    ax_timer_start(&loop, &tm[2], AX_MS(10), say, LETTER(2));
    RUN_AND_CLOSE("a timer stopped or moved by one that is due in the same turn does not fire", "a@10 1 0 c@20");

    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    repeats = 0;
    ax_timer_unref(&tm[1]);
    ax_timer_start(&loop, &tm[1], AX_MS(100), say, LETTER(1));
    ax_timer_start(&loop, &tm[0], AX_MS(5), repeat, LETTER(0));
    RUN_AND_CLOSE("a timer restarts inside its callback; a background timer keeps nothing alive", "a@5 a@10 a@15");
    is(ax_timer_stop(&tm[1]), 0, "a timer can be stopped after its loop was closed");

    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_timer_start(&loop, &tm[0], AX_MS(5), say, LETTER(0));
    ax_timer_start(&loop, &tm[1], AX_MS(100), say, LETTER(1));
    ax_timer_unref(&tm[1]);
    ax_timer_unref(&tm[1]);
    RUN_AND_CLOSE("a timer may go to the background while it is armed", "a@5");

    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_timer_start(&loop, &tm[0], AX_MS(5), say, LETTER(0));
    ax_timer_start(&loop, &tm[1], AX_MS(7), say, LETTER(1));
    LOG("%d", ax_run_once(&loop));
    LOG("next:%d", (int)(ax_next_deadline(&loop) / 1000000));
    while (ax_next_deadline(&loop) != AX_FOREVER) ax_run_once(&loop);
    RUN_AND_CLOSE("a guest's virtual clock jumps to the deadline that its host has waited for", "1 next:5 a@5 b@7");
}

/* ---- posts ---- */

enum { POSTERS = 4, POSTS = 1000 };
static struct posted { ax_callback c; int thread, n; } posted[POSTERS][POSTS];
static int last_of[POSTERS], out_of_order, posts_run;
static void post_ran(ax_loop *l, void *arg) {
    struct posted *p = (struct posted *)arg;
    if (last_of[p->thread] != p->n) out_of_order++;
    last_of[p->thread] = p->n + 1;
    if (++posts_run == POSTERS * POSTS) ax_loop_release(l);
}
static void *poster(void *arg) {
    struct posted *p = (struct posted *)arg;
    int i;
    for (i = 0; i < POSTS; i++) ax_post(&loop, &p[i].c, post_ran, &p[i]);
    return NULL;
}
static int refused;
static ax_callback racing[2];
static void nothing(ax_loop *l, void *arg) { (void)l; (void)arg; }
static void *post_until_refused(void *arg) {
    int rc;
    while ((rc = ax_post(&loop, (ax_callback *)arg, nothing, NULL)) == 0) sched_yield();
    return (void *)(intptr_t)rc;
}
static void release(ax_loop *l, void *arg) { say(l, arg); ax_loop_release(l); }
static void *post_release_when_it_sleeps(void *arg) {
    pthread_mutex_lock(&lock);
    while (!loop_sleeps) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    ax_post(&loop, (ax_callback *)arg, release, LETTER(0));
    return NULL;
}
/* Tasks that are always ready, and nothing else in the loop: a post from another thread is heard all the same. */
static int flag_raised;
static void raise_flag(ax_loop *l, void *flag) { (void)l; *(int *)flag = 1; }
static void *posts_once(void *to) {
    ax_post((ax_loop *)to, &cb[0], raise_flag, &flag_raised);
    return NULL;
}
struct spins { ax_frame frame; pthread_t thread; };
AX_ASYNC(spins) {
    AX_BEGIN;
    flag_raised = 0;
    memset(cb, 0, sizeof cb);
    if (pthread_create(&my->thread, NULL, posts_once, me->loop)) AX_RETURN(AX_EAGAIN);
    while (!flag_raised) AX_AWAIT(ax_checkpoint(me));
    pthread_join(my->thread, NULL);
    LOG("heard");
    AX_END;
}

static void posts_tests(void) {
    pthread_t t[POSTERS];
    void *result[2];
    int i, j;
    open_loop(AX_VIRTUAL_CLOCK);
    ax_loop_hold(&loop);
    for (i = 0; i < POSTERS; i++) {
        for (j = 0; j < POSTS; j++) posted[i][j].thread = i, posted[i][j].n = j;
        pthread_create(&t[i], NULL, poster, posted[i]);
    }
    RUN_AND_CLOSE("posts of several threads all run; a held loop waits for them", "");
    for (i = 0; i < POSTERS; i++) pthread_join(t[i], NULL);
    is(posts_run, POSTERS * POSTS, "every post ran once");
    is(out_of_order, 0, "one thread's posts keep their order");

    open_loop(AX_VIRTUAL_CLOCK);
    memset(racing, 0, sizeof racing);
    for (i = 0; i < 2; i++) pthread_create(&t[i], NULL, post_until_refused, &racing[i]);
    ax_run_once(&loop);
    ax_loop_close(&loop);
    for (i = 0; i < 2; i++) pthread_join(t[i], &result[i]);
    refused = (int)(intptr_t)result[0];
    ok(refused == AX_EPERM && result[1] == result[0], "posts that race with the close are taken or refused");
    is(kit_balance, 0, "and nothing leaks");

    memset(cb, 0, sizeof cb);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_loop_hold(&loop);
    polls = sleeping_polls = 0;
    pthread_create(&t[0], NULL, post_release_when_it_sleeps, &cb[0]);
    RUN_AND_CLOSE("a post wakes a sleeping loop", "a@0");
    pthread_join(t[0], NULL);
    is(sleeping_polls, 1, "an idle loop sleeps once, and is not woken without need");
    ok(polls <= 3, "and makes hardly any other system call");

    open_loop(0); /* a real clock: nothing is due, nothing is polled in between */
    ax_loop_hold(&loop);
    memset(tm, 0, sizeof tm);
    memset(cb, 0, sizeof cb);
    ax_timer_unref(&tm[0]);
    ax_timer_start(&loop, &tm[0], ax_now(&loop) + AX_SEC(100), say, LETTER(1));
    polls = sleeping_polls = 0;
    interrupts = 3;
    pthread_create(&t[0], NULL, post_release_when_it_sleeps, &cb[0]);
    i = ax_loop_run(&loop);
    pthread_join(t[0], NULL);
    ok(i == 0 && sleeping_polls == 1 && polls <= 3 + 3, "a signal is no error, and a loop with a distant timer sleeps once");
    is(ax_loop_close(&loop), 0, "it closes");
    JUDGE("a post is heard by tasks that are always ready", AX_RUN_WITH(kit_desc(), spins), 0, "heard");
}

/* ---- descriptors ---- */

static int fd[8];
static void make_pipe(int *p) {
    if (pipe(p) < 0) abort();
    fcntl(p[0], F_SETFL, O_NONBLOCK), fcntl(p[1], F_SETFL, O_NONBLOCK);
}
static void put_byte(int to) { if (write(to, "x", 1) != 1) abort(); }

static ax_watch w[6];
static int seen[6], turn_of[6], rounds;
static void watch_says(ax_loop *l, unsigned events, void *arg) {
    (void)l;
    LOG("%s%s%s", (const char *)arg, events & AX_IN ? "i" : "", events & AX_HUP ? "h" : "");
}
static void watch_stops_all(ax_loop *l, unsigned events, void *arg) {
    watch_says(l, events, arg);
    LOG("%d", ax_watch_stop(&w[0]) + ax_watch_stop(&w[1]) + ax_watch_stop(&w[2]) + ax_watch_stop(&w[2]));
}
static void watch_starts(ax_loop *l, unsigned events, void *arg) { /* a new one on the same descriptor: from the next turn on */
    watch_says(l, events, arg);
    ax_watch_stop(&w[0]);
    ax_watch_start(l, &w[1], fd[0], AX_IN, watch_stops_all, LETTER(1));
    LOG("|");
}
static void watch_counts(ax_loop *l, unsigned events, void *arg) {
    int i = *(int *)arg;
    (void)events;
    seen[i]++;
    if (turn_of[i] == rounds) LOG("twice in a turn");
    turn_of[i] = rounds;
    if (seen[0] >= 5) ax_loop_stop(l);
}
static void next_round(ax_loop *l, void *arg) {
    rounds++;
    ax_soon(l, &cb[0], next_round, arg);
}
static void reuses(ax_loop *l, unsigned events, void *arg) { /* closes the other descriptor and opens a pipe of the same number */
    int p[2], old = *(int *)arg;
    (void)events;
    ax_watch_stop(&w[0]);
    ax_watch_stop(&w[1]);
    LOG("close:%d", ax_close(l, old));
    make_pipe(p);
    LOG("reused:%d", p[0] == old || p[1] == old);
    fd[4] = p[0], fd[5] = p[1];
    ax_watch_unref(&w[2]);
    ax_watch_start(l, &w[2], p[0], AX_IN, watch_says, LETTER(2));
}

struct waits_fd { ax_frame frame; int fd; unsigned events; const char *name; char byte; };
AX_ASYNC(waits_fd) {
    AX_BEGIN;
    AX_TRY(ax_wait_fd(me, my->fd, my->events));
    LOG("%s:%s%d", my->name, me->rc > 0 ? "+" : "", me->rc < 0 ? me->rc : (me->rc & AX_IN) != 0);
    AX_END;
}
struct reads_fd { ax_frame frame; int fd; const char *name; char byte; };
AX_ASYNC(reads_fd) {
    AX_BEGIN;
    AX_TRY(ax_read(me, my->fd, &my->byte, 1));
    LOG("%s:%d", my->name, me->rc);
    AX_END;
}
struct fds { ax_frame frame; ax_group g; int p[2], q[2]; char byte; ax_watch watch; ax_task *t; };
AX_ASYNC(fds) {
    AX_BEGIN;
    make_pipe(my->p);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, reads_fd, .fd = my->p[0], .name = "A");
    AX_SPAWN(&my->g, reads_fd, .fd = my->p[0], .name = "B");
    AX_SPAWN(&my->g, waits_fd, .fd = my->p[0], .events = AX_IN, .name = "C");
    AX_AWAIT(ax_checkpoint(me));
    put_byte(my->p[1]);
    read_interrupts = 2; /* EINTR of read() is no error either */
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    LOG("|");
    AX_SPAWN(&my->g, reads_fd, .fd = my->p[0], .name = "D");
    AX_AWAIT(ax_checkpoint(me));
    close(my->p[1]); /* the end of the stream */
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_close(me->loop, my->p[0]) == 0 ? ax_done(0) : ax_done(AX_EBADF));
    AX_TRY(ax_read(me, -1, &my->byte, 1));
    LOG("bad:%d", me->rc);
    AX_TRY(ax_wait_fd(me, -1, AX_IN));
    LOG("bad:%d", me->rc);
    AX_TRY(ax_wait_fd(me, 0, AX_IN | AX_OUT));
    LOG("both:%d |", me->rc);

    make_pipe(my->p); /* closing wakes both directions and stops the watches */
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, my->q) < 0) abort();
    AX_SPAWN(&my->g, waits_fd, .fd = my->q[0], .events = AX_IN, .name = "in");
    AX_SPAWN(&my->g, waits_fd, .fd = my->p[0], .events = AX_IN, .name = "pipe");
    ax_watch_start(me->loop, &my->watch, my->q[0], AX_IN, watch_says, LETTER(3));
    AX_AWAIT(ax_checkpoint(me));
    ax_fd_closing(me->loop, my->q[0]);
    LOG("active:%d", ax_watch_stop(&my->watch));
    AX_AWAIT(ax_checkpoint(me));
    close(my->q[0]), close(my->q[1]);
    ax_close(me->loop, my->p[0]), close(my->p[1]);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("|");

    /* the peer hangs up: both directions wake */
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, my->q) < 0) abort();
    fcntl(my->q[0], F_SETFL, O_NONBLOCK);
    while (send(my->q[0], "0123456789abcdef", 16, MSG_NOSIGNAL) > 0) {}
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, waits_fd, .fd = my->q[0], .events = AX_OUT, .name = "out");
    AX_SPAWN(&my->g, waits_fd, .fd = my->q[0], .events = AX_IN, .name = "in");
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    LOG("hang up");
    close(my->q[1]);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_TRY(ax_write(me, my->q[0], "x", 1));
    LOG("write:%d", me->rc == AX_EPIPE || me->rc == -ECONNRESET);
    ax_close(me->loop, my->q[0]);
    AX_END;
}
static void watch_stops(ax_loop *l, unsigned events, void *arg) {
    (void)events;
    say(l, arg);
    ax_watch_stop(&w[1]);
}
static void next_watch(ax_loop *l, unsigned events, void *arg) {
    (void)events, (void)arg;
    ax_watch_stop(&w[0]);
    ax_watch_start(l, &w[1], fd[0], AX_IN, watch_stops, "next");
}
static void watch_sets(ax_loop *l, unsigned events, void *arg) { /* changes nothing, and takes nothing */
    (void)l, (void)events, (void)arg;
    ax_watch_set(&w[0], AX_IN);
    seen[0]++;
}
static void watch_ignores(ax_loop *l, unsigned events, void *arg) { (void)l, (void)events, (void)arg; }
static void early_timer(ax_loop *l, unsigned events, void *arg) {
    (void)events;
    ax_watch_stop(&w[0]);
    ax_timer_start(l, &tm[1], ax_now(l) + AX_MS(1), say, arg);
}
/* More descriptors are ready than a backend tells of before tasks run. The first task cancels one of the others, closes the
   descriptor of another and waits for a new one of the same number. */
enum { MANY = 150, TO_CANCEL = 75, TO_CLOSE = 70 };
static int many_fd[MANY][2], many_got, many_rc[MANY];
static ax_task *many_task[MANY];
struct one_of_many { ax_frame frame; int i, p[2]; char byte; };
AX_ASYNC(one_of_many) {
    AX_BEGIN;
    AX_TRY_ALL(ax_read(me, many_fd[my->i][0], &my->byte, 1));
    many_rc[my->i] = me->rc;
    many_got += me->rc == 1;
    if (my->i != 0) AX_RETURN(0);
    ax_cancel(many_task[TO_CANCEL]);
    ax_close(me->loop, many_fd[TO_CLOSE][0]);
    make_pipe(my->p);
    LOG("same:%d", my->p[0] == many_fd[TO_CLOSE][0]);
    AX_TRY(AX_WITHIN(AX_MS(5), ax_wait_fd(me, my->p[0], AX_IN)));
    LOG("%d", me->rc);
    ax_close(me->loop, my->p[0]);
    close(my->p[1]);
    AX_END;
}
struct many { ax_frame frame; ax_group all; int i; };
AX_ASYNC(many) {
    AX_BEGIN;
    many_got = 0;
    ax_group_open(me, &my->all, AX_GROUP_COLLECT);
    for (my->i = 0; my->i < MANY; my->i++) {
        make_pipe(many_fd[my->i]);
        many_task[my->i] = AX_SPAWN(&my->all, one_of_many, .i = my->i);
    }
    AX_AWAIT(ax_sleep(me, AX_MS(1))); /* all wait */
    for (my->i = 0; my->i < MANY; my->i++) put_byte(many_fd[my->i][1]);
    AX_AWAIT(ax_group_join(me, &my->all));
    for (my->i = 0; my->i < MANY; my->i++) {
        char byte;
        if (my->i == TO_CANCEL && many_rc[my->i] == AX_ECANCELED) many_got += read(many_fd[my->i][0], &byte, 1) == 1;
        if (my->i != TO_CLOSE) close(many_fd[my->i][0]);
        close(many_fd[my->i][1]);
    }
    many_got -= many_rc[TO_CLOSE] == 1;
    LOG("%d of %d", many_got, MANY - 1);
    AX_END;
}

struct closes_other { ax_frame frame; int *p; };
AX_ASYNC(closes_other) { /* behind the loop's back */
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    close(my->p[0]);
    AX_AWAIT(ax_sleep(me, AX_MS(2)));
    put_byte(fd[1]);
    AX_END;
}
struct comes_anew { ax_frame frame; int p[2]; ax_group g; };
AX_ASYNC(comes_anew) {
    AX_BEGIN;
    make_pipe(my->p);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, closes_other, .p = my->p);
    AX_TRY(AX_WITHIN(AX_MS(2), ax_wait_fd(me, my->p[0], AX_IN)));
    LOG("%d", me->rc == AX_EBADF || me->rc == AX_ETIMEDOUT); /* epoll and kqueue do not tell */
    make_pipe(fd);
    LOG("same:%d", fd[0] == my->p[0]);
    AX_TRY(AX_WITHIN(AX_MS(5), ax_wait_fd(me, fd[0], AX_IN)));
    LOG("%d@%d", me->rc, AT);
    ax_close(me->loop, fd[0]);
    close(fd[1]), close(my->p[1]);
    AX_END;
}

static int told_empty, told;
static void looks(ax_loop *l, unsigned events, void *arg) {
    char byte;
    (void)l, (void)events, (void)arg;
    if (read(fd[0], &byte, 1) == 1) told++;
    else told_empty++;
}
struct drain { ax_frame frame; int i; char byte; };
AX_ASYNC(drain) {
    AX_BEGIN;
    AX_AWAIT(ax_read(me, many_fd[my->i][0], &my->byte, 1));
    if (my->i == 0) told += read(fd[0], &my->byte, 1) == 1; /* unless the backend has told of all at once */
    AX_AWAIT(ax_read(me, many_fd[my->i][0], &my->byte, 1)); /* stays where it is in the backend's array */
    AX_END;
}
struct drains { ax_frame frame; ax_group all; int i; };
AX_ASYNC(drains) { /* what the first of many reads from the last, whom the loop has seen ready with them, is no more to be told */
    AX_BEGIN;
    told = told_empty = 0;
    ax_group_open(me, &my->all, 0);
    for (my->i = 0; my->i < MANY; my->i++) {
        make_pipe(many_fd[my->i]);
        AX_SPAWN(&my->all, drain, .i = my->i);
    }
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    make_pipe(fd);
    memset(w, 0, sizeof w);
    ax_watch_start(me->loop, &w[0], fd[0], AX_IN, looks, NULL);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    for (my->i = 0; my->i < MANY; my->i++) put_byte(many_fd[my->i][1]);
    put_byte(fd[1]);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("for nothing:%d", told_empty);
    for (my->i = 0; my->i < MANY; my->i++) put_byte(many_fd[my->i][1]);
    AX_AWAIT(ax_group_join(me, &my->all));
    put_byte(fd[1]);
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    LOG("read:%d", told);
    ax_watch_stop(&w[0]);
    close(fd[0]), close(fd[1]);
    for (my->i = 0; my->i < MANY; my->i++) close(many_fd[my->i][0]), close(many_fd[my->i][1]);
    AX_END;
}

struct in_time { ax_frame frame; int i; char byte; };
AX_ASYNC(in_time) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(5), ax_read(me, many_fd[my->i][0], &my->byte, 1)));
    many_got += me->rc == 1;
    AX_END;
}
struct many_in_time { ax_frame frame; ax_group all; int n, i; };
AX_ASYNC(many_in_time) { /* those that are not told at once leave the backend's array, or wait for a poll: time stands still for them */
    AX_BEGIN;
    many_got = 0;
    ax_group_open(me, &my->all, 0);
    for (my->i = 0; my->i < my->n; my->i++) {
        make_pipe(many_fd[my->i]);
        AX_SPAWN(&my->all, in_time, .i = my->i);
    }
    AX_AWAIT(ax_sleep(me, AX_MS(1)));
    for (my->i = 0; my->i < my->n; my->i++) put_byte(many_fd[my->i][1]);
    AX_AWAIT(ax_group_join(me, &my->all));
    for (my->i = 0; my->i < my->n; my->i++) close(many_fd[my->i][0]), close(many_fd[my->i][1]);
    LOG("%d of %d@%d", many_got, my->n, AT);
    AX_END;
}

static void descriptors_tests(void) {
    static int zero = 0, one = 1;
    int i;
    memset(w, 0, sizeof w);
    open_loop(AX_VIRTUAL_CLOCK);
    make_pipe(fd);
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_stops_all, LETTER(0));
    ax_watch_start(&loop, &w[1], fd[0], AX_IN, watch_stops_all, LETTER(1));
    ax_watch_start(&loop, &w[2], fd[0], AX_IN, watch_stops_all, LETTER(2));
    LOG("%d", ax_watch_start(&loop, &w[2], fd[0], AX_IN, watch_says, LETTER(2)));
    put_byte(fd[1]);
    ax_loop_run(&loop);
    /* any of the three may be the first; it stops all */
    ok(strcmp(tap_trace, "-16 ci 3") == 0 || strcmp(tap_trace, "-16 ai 3") == 0, "a watch that is stopped inside any callback is not called any more");
    tap_trace[0] = 0;
    memset(w, 0, sizeof w);
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_starts, LETTER(0));
    ax_loop_run(&loop);
    trace_is("ai | bi 1", "a watch started inside a callback is called from the next turn on");
    memset(w, 0, sizeof w);
    memset(cb, 0, sizeof cb);
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_counts, &zero);
    ax_watch_start(&loop, &w[1], fd[0], AX_IN, watch_counts, &one);
    ax_watch_start(&loop, &w[2], fd[0], 0, watch_says, LETTER(2)); /* no interest */
    ax_watch_start(&loop, &w[3], fd[0], AX_IN, watch_says, LETTER(3));
    ax_watch_set(&w[3], 0);
    rounds = 1;
    ax_soon(&loop, &cb[0], next_round, NULL);
    ax_loop_run(&loop);
    ok(seen[0] == 5 && seen[1] >= 4, "several watches on one descriptor are called, while it stays readable");
    trace_is("", "rule 14: at most one dispatch per descriptor and turn; none without interest");
    ax_callback_stop(&cb[0]);
    for (i = 0; i < 4; i++) ax_watch_stop(&w[i]);
    close(fd[1]); /* a hang-up is told to whoever has any interest */
#if !defined(SELECT_BACKEND_H) && !defined(ASYNCX_KQUEUE)
    ax_watch_start(&loop, &w[0], fd[0], AX_PRI, watch_stops_all, LETTER(0));
    ax_loop_run(&loop);
    ok(strstr(tap_trace, "ah 1") != NULL, "a hang-up is told to every watch");
#else /* to these, it is something to read */
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_stops_all, LETTER(0));
    ax_loop_run(&loop);
    ok(strstr(tap_trace, "ai 1") != NULL, "a hang-up is told to every watch");
#endif
    tap_trace[0] = 0;
    close(fd[0]);

    /* two descriptors are ready in one turn: the first callback closes the second and its number is used again */
    make_pipe(fd), make_pipe(fd + 2);
    memset(w, 0, sizeof w);
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, reuses, &fd[2]);
    ax_watch_start(&loop, &w[1], fd[2], AX_IN, reuses, &fd[0]);
    put_byte(fd[1]), put_byte(fd[3]);
    ax_loop_run(&loop);
    for (i = 0; i < 3; i++) ax_run_once(&loop);
    trace_is("close:0 reused:1", "old events are not told to a new watch on a reused descriptor");
    put_byte(fd[5]);
    ax_run_once(&loop);
    trace_is("ci", "which then hears of its own");
    ax_watch_stop(&w[2]);
    for (i = 0; i < 6; i++) close(fd[i]);

    make_pipe(fd);
    put_byte(fd[1]);
    memset(tm, 0, sizeof tm), memset(w, 0, sizeof w);
    ax_timer_start(&loop, &tm[0], AX_MS(10), say, LETTER(0));
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, early_timer, LETTER(1));
    ax_loop_run(&loop);
    trace_is("b@1 a@10", "virtual time does not pass the deadline that a descriptor's callback sets");
    ax_timer_start(&loop, &tm[0], AX_MS(20), say, LETTER(0));
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, next_watch, NULL);
    ax_loop_run(&loop);
    trace_is("next@10 a@20", "nor does it before a watch that a callback starts was looked at");
    close(fd[0]), close(fd[1]);

    make_pipe(fd);
    put_byte(fd[1]);
    memset(seen, 0, sizeof seen);
    ax_timer_start(&loop, &tm[0], AX_MS(30), say, LETTER(0));
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_sets, NULL);
    ax_watch_unref(&w[0]);
    ax_loop_run(&loop);
    trace_is("a@30", "a watch that is set in its callback, and stays ready, does not hold up virtual time");
    for (i = 0; i < 100 && ax_run_once(&loop) > 0; i++) {}
    ok(seen[0] > 0 && i < 100, "nor a host that runs it until no more is ready");
    ax_watch_stop(&w[0]);
    memset(&w[0], 0, sizeof w[0]);
    close(fd[0]), close(fd[1]);

    make_pipe(fd), make_pipe(fd + 2);
    ax_watch_start(&loop, &w[0], fd[0], AX_IN, watch_ignores, NULL);
    ax_run_once(&loop);
    close(fd[0]); /* behind the loop's back */
    put_byte(fd[3]);
    ax_watch_start(&loop, &w[1], fd[2], AX_IN, watch_stops, LETTER(1));
    for (i = 0; i < 3; i++) ax_run_once(&loop);
    trace_is("b@30", "a watch of a closed descriptor does not keep others from theirs");
    ax_watch_stop(&w[0]);
    for (i = 1; i < 4; i++) close(fd[i]);
    ax_watch_unref(&w[5]);
    ax_watch_start(&loop, &w[5], 0, 0, watch_says, NULL);
    is(ax_loop_close(&loop), 0, "the loop closes");
    is(kit_balance, 0, "and nothing leaks");
    is(ax_watch_stop(&w[5]), 0, "a watch can be stopped after its loop was closed");

    SCENARIO("tasks on descriptors: one waiter per direction, ends, errors, hang-ups", 0,
             "B:-16 C:-16 A:1 | D:0 bad:-9 bad:-9 both:-22 | active:0 in:-9 pipe:-9 | hang up in:+1 out:+1 write:1", fds);
    SCENARIO("a descriptor that was closed under its task, and its number's next", 0, "1 same:1 1@3", comes_anew);
    SCENARIO("many are ready at once: none is lost, and what was seen of a descriptor is not told of the next of its number", 0,
             "same:1 -110 149 of 149", many);
    SCENARIO("nor is what a task has read meanwhile", 0, "for nothing:0 read:2", drains);
    SCENARIO("virtual time waits until all of them were told", 0, "100 of 100@1", many_in_time, .n = 100);
    SCENARIO("or more", 0, "150 of 150@1", many_in_time, .n = MANY);
}

/* ---- running ---- */

static ax_time by_hand;
static ax_time hand_clock(void *ctx) { (void)ctx; return by_hand; }
static void stop(ax_loop *l, void *arg) { say(l, arg); ax_loop_stop(l); }
static void nested_run(ax_loop *l, void *arg) {
    (void)arg;
    LOG("%d", ax_loop_run(l));
    LOG("%d", ax_run_once(l));
    LOG("%d", ax_loop_close(l));
}
static void at_close(ax_loop *l, void *arg) {
    say(l, arg);
    LOG("%d", AX_SPAWN(&l->root, sleeper) != NULL);
    ax_soon(l, &cb[5], say, LETTER(5));
}
static void asks_again(ax_loop *l, void *arg) {
    say(l, arg);
    ax_soon(l, &cb[1], say, LETTER(1)); /* after the last turn */
}
static void asks_twice(ax_loop *l, void *arg) {
    say(l, arg);
    ax_soon(l, &cb[0], asks_again, LETTER(0));
}
struct stuck { ax_frame frame; ax_event *e; };
AX_ASYNC(stuck) {
    AX_BEGIN;
    AX_AWAIT(ax_event_wait(me, my->e));
    LOG("went on");
    AX_FINALLY:
    LOG("end:%d", ax_leaving(me));
    AX_END;
}
struct slept_for_ever { ax_frame frame; ax_event *e; };
AX_ASYNC(slept_for_ever) { /* a sleep that only Ctrl-C could have ended, but a limit did */
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_sleep(me, AX_FOREVER)));
    AX_AWAIT(AX_CALL(stuck, .e = my->e));
    AX_END;
}
static int stay(ax_task *t, void *none) {
    (void)t, (void)none;
    return AX_STAY;
}
struct obstinate { ax_frame frame; };
AX_ASYNC(obstinate) { /* is bound by a limit, and hears of no cancel */
    AX_BEGIN;
    AX_AWAIT(AX_WITHIN(AX_SEC(100), ax_park(me, stay, NULL)));
    AX_END;
}
static int failing_wait(ax_loop *l, void *self, ax_time timeout) {
    (void)l, (void)self, (void)timeout;
    return AX_ENOMEM;
}
static void obstinate_test(void) {
    static AX_TASK(obstinate) storage;
    ax_backend failing = *ASYNCX_BACKEND;
    ax_loop_desc *d = kit_desc();
    int i;
    failing.wait = failing_wait;
    d->flags = 0;
    d->backend = &failing;
    for (i = 0; i < 2; i++) {
        ax_loop_open(&loop, d);
        LOG("%d", AX_SPAWN(&loop.root, obstinate) && AX_SPAWN_IN(&loop.root, &storage, obstinate));
        ax_run_once(&loop);
        LOG("%d", ax_loop_close(&loop));
    }
    kit_judge("tasks bound by a limit are given up when the backend fails for good; their storage serves again", 0, 0, "1 -12 1 -12", NULL,
              __FILE__, __LINE__);
    kit_reported = NULL;
}

struct never_ends { ax_frame frame; ax_sem *sem; ax_group g; int calls; };
AX_ASYNC(never_ends) { /* its cleanup waits for ever, its child too, in a call */
    AX_BEGIN;
    if (my->calls < 3) {
        ax_group_open(me, &my->g, AX_GROUP_KEEP);
        AX_SPAWN(&my->g, never_ends, .sem = my->sem, .calls = my->calls + 2);
        AX_SPAWN(&my->g, sleeper);
        AX_AWAIT(AX_CALL(never_ends, .sem = my->sem, .calls = my->calls + 1));
    }
    AX_AWAIT(ax_sem_acquire(me, my->sem));
    AX_FINALLY:
    AX_AWAIT(ax_sem_acquire(me, my->sem));
    AX_END;
}
struct stops_loop { ax_frame frame; };
AX_ASYNC(stops_loop) {
    AX_BEGIN;
    ax_loop_stop(me->loop);
    AX_AWAIT(ax_sleep(me, AX_SEC(9)));
    AX_FINALLY:
    AX_AWAIT(ax_sleep(me, AX_MS(5)));
    LOG("left:%d@%d", ax_leaving(me), AT);
    AX_END;
}

static void own_handler(int sig) { (void)sig; }
struct handled { ax_frame frame; struct sigaction now; };
AX_ASYNC(handled) {
    AX_BEGIN;
    sigaction(SIGINT, NULL, &my->now);
    LOG("%s", my->now.sa_handler == SIG_DFL ? "default" : my->now.sa_handler == SIG_IGN ? "ignored" : my->now.sa_handler == own_handler ? "own" : "caught");
    AX_END;
}

static void *sets_event(void *e) {
    ax_event_set((ax_event *)e);
    return NULL;
}

static void dawdles(ax_loop *l, unsigned events, void *arg) {
    (void)events;
    (void)arg;
    by_hand += AX_MS(20);
    ax_loop_stop(l);
}
static void slow_watch_test(void) {
    ax_loop_desc *d = kit_desc();
    static ax_watch watch;
    int p[2], rc;
    make_pipe(p);
    if (write(p[1], "x", 1) < 0) abort();
    d->flags = 0;
    d->clock = hand_clock;
    d->slow = AX_MS(10);
    ax_loop_open(&loop, d);
    ax_watch_start(&loop, &watch, p[0], AX_IN, dawdles, NULL);
    rc = ax_loop_run(&loop);
    ax_close(&loop, p[0]);
    ax_close(&loop, p[1]);
    ax_loop_close(&loop);
    kit_judge("a slow callback of a watch is reported", rc, 0, "", "a step held the loop: 20.000 ms in a callback", __FILE__, __LINE__);
    kit_reported = NULL;
}

/* The clock advances by what the loop waits, which is said. */
static int passing_wait(ax_loop *l, void *self, ax_time timeout) {
    (void)l, (void)self;
    LOG("%d", (int)(timeout / AX_US(1)));
    by_hand += timeout;
    return 0;
}
static int came;
static void comes(ax_loop *l, void *arg) {
    (void)l, (void)arg;
    came++;
}
static void shared_wake_test(void) {
    static ax_timer all[1301];
    static const struct { int n, at; } groups[] = {{1, 1000}, {1, 1010}, {1, 1020}, {100, 2000}, {1, 2010}, {1, 3000}, {1000, 4000}, {1, 4010}};
    ax_backend passing = *ASYNCX_BACKEND;
    ax_loop_desc *d = kit_desc();
    size_t i;
    int k, n = 0, rc;
    passing.wait = passing_wait;
    d->flags = 0;
    d->clock = hand_clock;
    d->backend = &passing;
    by_hand = 0;
    ax_loop_open(&loop, d);
    for (i = 0; i < sizeof groups / sizeof *groups; i++)
        for (k = 0; k < groups[i].n; k++) ax_timer_start(&loop, &all[n++], AX_US(groups[i].at), comes, NULL);
    rc = ax_loop_run(&loop);
    LOG("| %d at %d", came == n, (int)(by_hand / AX_US(1)));
    close_and_judge("a few timers are on time; what follows a crowd waits 4 us for each of it, 1 ms at most", rc,
                    "1000 10 10 980 400 600 1000 1000 | 1 at 5000", __LINE__);
}

static int seven(void *copy) { (void)copy; return 7; }
struct to_thread { ax_frame frame; };
AX_ASYNC(to_thread) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(1), ax_to_thread(me, seven, NULL, 0)));
    LOG("job:%d@%d", me->rc, AT);
    AX_END;
}
struct reads_in_time { ax_frame frame; char byte; };
AX_ASYNC(reads_in_time) {
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(1), ax_read(me, fd[0], &my->byte, 1)));
    LOG("read:%d@%d", me->rc, AT);
    AX_END;
}

struct interrupted { ax_frame frame; };
AX_ASYNC(interrupted) {
    AX_BEGIN;
    raise(SIGINT);
    AX_AWAIT(ax_sleep(me, AX_FOREVER));
    AX_END;
}
static const char *handler_now(void) {
    struct sigaction now;
    sigaction(SIGINT, NULL, &now);
    return now.sa_handler == SIG_DFL ? "default" : "caught";
}
/* A run that ends while another thread begins to catch: the thread comes when the run's loop is about to be freed. */
static pthread_t catcher;
static sem_t has_caught, may_end;
static void *catches(void *arg) {
    static ax_loop other;
    (void)arg;
    ax_loop_open(&other, NULL);
    LOG("%d", ax_signal_catch(&other, SIGINT));
    sem_post(&has_caught);
    sem_wait(&may_end);
    LOG("%s", handler_now());
    ax_loop_close(&other);
    LOG("%s", handler_now());
    return NULL;
}
static const ax_backend *backend_below;
static void close_and_let_catch(ax_loop *l, void *self) {
    backend_below->close(l, self);
    pthread_create(&catcher, NULL, catches, NULL);
    sem_wait(&has_caught);
}
/* A second Ctrl-C, in a run in a run in a run that has met the first; one that comes at the same time is the same. */
static ax_loop_desc *stoppable(void) {
    ax_loop_desc *d = kit_desc();
    d->flags = AX_VIRTUAL_CLOCK | AX_CATCH_SIGINT;
    return d;
}
struct third { ax_frame frame; int later; };
AX_ASYNC(third) {
    AX_BEGIN;
    still_s += my->later;
    raise(SIGINT);
    AX_END;
}
struct second { ax_frame frame; int later; };
AX_ASYNC(second) {
    AX_BEGIN;
    AX_CHECK(AX_RUN_WITH(stoppable(), third, .later = my->later));
    AX_END;
}
struct first { ax_frame frame; int later; };
AX_ASYNC(first) {
    AX_BEGIN;
    raise(SIGINT);
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    if (me->rc == AX_ECANCELED) AX_CHECK(AX_RUN_WITH(stoppable(), second, .later = my->later));
    AX_RETURN(5);
    AX_FINALLY:
    AX_TRY(ax_sleep(me, AX_MS(5)));
    if (me->rc == 0 && ax_leaving(me) == 5) _exit(7);
    AX_END;
}
static int first_ends(int later) {
    int status = 0;
    pid_t child;
    fflush(NULL);
    if ((child = fork()) == 0) {
        still_s = 1000;
        _exit(AX_RUN_WITH(stoppable(), first, .later = later) & 3);
    }
    waitpid(child, &status, 0);
    return status;
}
/* An inner run meets it, and the outer one what comes 1 s after. */
struct meets_one { ax_frame frame; };
AX_ASYNC(meets_one) {
    AX_BEGIN;
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    AX_RETURN(me->rc);
    AX_END;
}
struct runs_inside { ax_frame frame; };
AX_ASYNC(runs_inside) {
    AX_BEGIN;
    LOG("inner:%d", AX_RUN_WITH(stoppable(), meets_one));
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    LOG("outer:%d", me->rc);
    still_s++;
    raise(SIGINT);
    AX_TRY_ALL(ax_sleep(me, AX_MS(5)));
    LOG("outer:%d", me->rc);
    AX_RETURN(me->rc);
    AX_END;
}
static void second_signal_test(void) {
    int status = first_ends(1);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "the second Ctrl-C ends the process, however deep the runs");
    status = first_ends(0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "one of the same moment is the first: timeout(1) signals a process twice");
    still_s = 2000;
    status = AX_RUN_WITH(stoppable(), runs_inside);
    still_s = 0;
    is(status, AX_EINTR, "... also when the run that met it has ended");
    trace_is("inner:-4 outer:0 outer:-125", "... and the next is the outer run's");
}

static void signals_tests(void) {
    static ax_backend lets_catch;
    ax_loop_desc *d = kit_desc();
    int rc;
    d->flags = 0;
    ax_loop_open(&loop, d);
    ax_signal_catch(&loop, SIGUSR1);
    rc = AX_RUN(interrupted);
    ax_loop_close(&loop);
    JUDGE("Ctrl-C ends a run beside a loop of this thread that has caught another signal", rc, AX_EINTR, "");
    backend_below = ASYNCX_BACKEND;
    lets_catch = *backend_below;
    lets_catch.close = close_and_let_catch;
    sem_init(&has_caught, 0, 0), sem_init(&may_end, 0, 0);
    d = kit_desc();
    d->flags = AX_CATCH_SIGINT;
    d->backend = &lets_catch;
    AX_RUN_WITH(d, handled);
    sem_post(&may_end);
    pthread_join(catcher, NULL);
    JUDGE("a run that ends leaves alone what another thread has caught by then", 0, 0, "caught 0 caught default");
}

/* A loop that gives up a task leaves no way to it: not from a future, nor from a callback for its end. */
static int future_stays(ax_future *f, void *arg) {
    (void)f, (void)arg;
    return AX_STAY;
}
struct waits_for_future { ax_frame frame; ax_future *f; };
AX_ASYNC(waits_for_future) {
    AX_BEGIN;
    AX_AWAIT(ax_future_wait(me, my->f));
    AX_END;
}
/* Its scopes and slots may be in memory that outlives it. */
static struct { ax_mutex m; ax_group g; ax_timeout t; ax_deferred d; ax_permit p; AX_GENERATOR(waits_for_future) gen; struct waits_for_future slot; } old;
static ax_sem old_sem = AX_SEM_INIT(9);
static void never_called(void *arg) { (void)arg, LOG("called"); }
static void hears_of(void *ctx, ax_task *t, int status) { (void)ctx, LOG("%s:%d", ax_task_name(t), status); }
struct leaves_all { ax_frame frame; ax_future *f; };
AX_ASYNC(leaves_all) {
    AX_BEGIN;
    LOG("%d", ax_mutex_try_lock(me, &old.m));
    LOG("%d", ax_group_open(me, &old.g, 0));
    LOG("%d", ax_timeout_open(me, &old.t, AX_SEC(5)));
    LOG("%d", ax_defer(me, &old.d, never_called, NULL));
    LOG("%d", AX_GENERATE(&old.gen, waits_for_future, .f = my->f));
    AX_TRY(ax_sem_enter(me, &old_sem, &old.p));
    LOG("%d", me->rc);
    AX_TRY(ax_done(AX_EPIPE)); /* which it deals with: it has not failed */
    AX_AWAIT(AX_CALL_IN(&old.slot, waits_for_future, .f = my->f));
    AX_END;
}
static void gives_up_scopes_test(void) {
    static ax_future f;
    static AX_TASK(leaves_all) given_up;
    ax_loop_desc *d;
    int i;
    f.cancel = future_stays;
    for (i = 0; i < 2; i++) {
        d = kit_desc();
        d->unheard = hears_of;
        ax_loop_open(&loop, d);
        AX_SPAWN_IN(&loop.root, &given_up, leaves_all, .f = &f);
        ax_run_once(&loop);
        LOG("close:%d", ax_loop_close(&loop));
        LOG("status:%d", ax_task_status(&given_up.task));
        LOG("%d %d", ax_timeout_close(&old.t), ax_sem_leave(&old.p));
        kit_judge("scopes of a task that was given up serve again, and nobody hears of it as failed", 0, 0, "0 0 0 0 0 0 close:-35 status:-125 -1 -1", "nothing can wake",
                  __FILE__, __LINE__);
        kit_reported = NULL;
    }
}
static void gives_up_test(void) {
    static ax_future f;
    memset(cb, 0, sizeof cb);
    f.cancel = future_stays;
    open_loop(AX_VIRTUAL_CLOCK);
    ax_on_done(AX_SPAWN(&loop.root, waits_for_future, .f = &f), &cb[0], say, LETTER(0));
    ax_run_once(&loop);
    is(ax_loop_close(&loop), AX_EDEADLK, "a task that can't end is given up");
    is(ax_waiters(&f.waiters), 0, "... by what it waited for");
    is(ax_future_complete(&f, 0), 0, "... which may end later");
    is(ax_callback_stop(&cb[0]), 0, "... and by its callbacks");
    ax_loop_open(&loop, kit_desc());
    LOG("soon:%d", ax_soon(&loop, &cb[0], say, LETTER(1)));
    close_and_judge("... which serve again", 0, "soon:0 b@0", __LINE__);
    gives_up_scopes_test();
}

/* Keeps a cancel and takes it back; what cancels it then is another. */
struct goes_on { ax_frame frame; ax_event never; };
AX_ASYNC(goes_on) {
    AX_BEGIN;
    AX_TRY_ALL(ax_event_wait(me, &my->never));
    LOG("kept:%d", me->rc);
    LOG("left:%d", ax_uncancel(me));
    AX_AWAIT(ax_event_wait(me, &my->never));
    AX_FINALLY:
    AX_TRY(ax_sleep(me, AX_MS(1)));
    LOG("cleanup:%d wait:%d", ax_leaving(me), me->rc);
    AX_END;
}
static void cancelled_root_test(void) {
    open_loop(AX_VIRTUAL_CLOCK);
    AX_SPAWN(&loop.root, goes_on);
    ax_run_once(&loop);
    ax_group_cancel(&loop.root);
    ax_run_once(&loop);
    close_and_judge("a close cancels who went on after the root was cancelled", 0, "kept:-125 left:0 cleanup:-125 wait:0", __LINE__);
    open_loop(AX_VIRTUAL_CLOCK);
    AX_SPAWN(&loop.root, sleeper, .name = "A", .time = -1, .cleanup = 5);
    ax_run_once(&loop);
    ax_group_cancel(&loop.root);
    ax_run_once(&loop);
    close_and_judge("... but not the cleanup of who does not", 0, "A:-125@5", __LINE__);
}

static void times_test(void) {
    open_loop(AX_VIRTUAL_CLOCK);
    is(ax_until(&loop, ax_after(&loop, AX_MS(5))), AX_MS(5), "how long it is until a point in time");
    is(ax_until(&loop, ax_now(&loop) - 3), -3, "... that has passed");
    is(ax_until(&loop, AX_FOREVER), AX_FOREVER, "... that never comes");
    is(ax_since(&loop, ax_after(&loop, 7)), -7, "how long ago one was that is to come");
    is(ax_since(&loop, AX_FOREVER), -AX_FOREVER, "... that never comes");
    is(ax_until(&loop, -AX_FOREVER), -AX_FOREVER, "... that was ages ago");
    is(ax_since(&loop, -AX_FOREVER), AX_FOREVER, "... and how long ago that is");
    ok(ax_since(&loop, INT64_MIN) == AX_FOREVER && ax_until(&loop, INT64_MIN) == -AX_FOREVER, "... or more");
    ax_loop_close(&loop);
}

/* A report goes to stderr, a line each. */
static void report_test(void) {
    int pipes[2], kept = dup(2);
    char said[64] = "";
    fflush(NULL);
    if (pipe(pipes) < 0 || dup2(pipes[1], 2) < 0) abort();
    ax_report_stderr(NULL, "a misuse");
    fflush(stderr);
    dup2(kept, 2);
    close(kept), close(pipes[1]);
    ok(read(pipes[0], said, sizeof said - 1) > 0 && !strcmp(said, "asyncx: a misuse\n"), "the ready-made report hook prints a line: %s", said);
    close(pipes[0]);
}

/* A timer belongs to one loop, until that closes, even one that never fires. */
static void timers_of_two_test(void) {
    ax_loop other;
    memset(tm, 0, sizeof tm);
    open_loop(AX_VIRTUAL_CLOCK);
    if (ax_loop_open(&other, NULL) < 0) abort();
    LOG("%d", ax_timer_start(&loop, &tm[0], AX_MS(5), say, LETTER(0)));
    LOG("%d", ax_timer_start(&other, &tm[0], 0, say, LETTER(1)));
    LOG("%d", ax_timer_start(&other, &tm[1], AX_FOREVER, say, LETTER(1)));
    LOG("close:%d", ax_loop_close(&other));
    LOG("armed:%d", tm[1].armed);
    LOG("%d", ax_timer_start(&loop, &tm[1], AX_MS(6), say, LETTER(1)));
    LOG("run:%d", ax_loop_run(&loop));
    close_and_judge("a timer of another loop is refused; one at AX_FOREVER is let go by its loop's end", 0, "0 -16 0 close:0 armed:0 0 a@5 b@6 run:0", __LINE__);
}

/* A time that the system's own type may not hold, while something else comes. */
struct waits_long { ax_frame frame; };
AX_ASYNC(waits_long) {
    AX_BEGIN;
    AX_AWAIT(ax_sleep(me, AX_SEC(5e9)));
    AX_END;
}
struct sleeps_far { ax_frame frame; ax_group g; };
AX_ASYNC(sleeps_far) {
    AX_BEGIN;
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, waits_long);
    AX_AWAIT(ax_to_thread(me, seven, NULL, 0));
    AX_RETURN(0);
    AX_END;
}

/* A host that sleeps on what its backend was told. */
static unsigned told_of_second;
static int hears_of_second(ax_loop *l, void *self, int n, unsigned before, unsigned events) {
    if (n == fd[2]) told_of_second = events;
    return ASYNCX_BACKEND->set(l, self, n, before, events);
}
static ax_watch watches[2];
static void stops_second(ax_loop *l, unsigned events, void *arg) {
    (void)l, (void)events, (void)arg;
    LOG("second");
    ax_watch_stop(&watches[1]);
}
static void starts_second(ax_loop *l, unsigned events, void *arg) {
    (void)events, (void)arg;
    ax_watch_stop(&watches[0]);
    LOG("%d", ax_watch_start(l, &watches[1], fd[2], AX_IN, stops_second, NULL));
}
static void host_sleeps_test(void) {
    ax_backend hearing = *ASYNCX_BACKEND;
    ax_loop_desc *d = kit_desc();
    hearing.set = hears_of_second;
    d->flags = 0;
    d->backend = &hearing;
    make_pipe(fd), make_pipe(fd + 2);
    put_byte(fd[1]);
    ax_loop_open(&loop, d);
    LOG("%d", ax_watch_start(&loop, &watches[0], fd[0], AX_IN, starts_second, NULL));
    LOG("soon:%d", ax_next_deadline(&loop) != AX_FOREVER);
    while (ax_run_once(&loop) > 0) {}
    LOG("told:%d", told_of_second == AX_IN);
    put_byte(fd[3]);
    while (ax_run_once(&loop) > 0) {}
    LOG("%d", watches[1].active);
    close(fd[0]), close(fd[1]), close(fd[2]), close(fd[3]);
    close_and_judge("a watch that begins in a callback of a guest's last turn, or between turns, is told to the backend before the host sleeps",
                    0, "0 soon:1 0 told:1 second 0", __LINE__);
}

static void woken_test(void) { /* a host that watches a guest's descriptors sees a post once */
    struct pollfd wake;
    unsigned looks;
    ax_loop_desc *d = kit_desc();
    d->flags = 0;
    d->clock = hand_clock;
    ax_loop_open(&loop, d);
    memset(cb, 0, sizeof cb);
    wake.fd = AXI_SYS(&loop)->pipe[0];
    wake.events = POLLIN;
    ax_post(&loop, &cb[0], say, LETTER(0));
    LOG("%d", poll(&wake, 1, 0));
    ax_run_once(&loop);
    LOG("%d", poll(&wake, 1, 0));
    looks = loop.polls;
    ax_run_once(&loop);
    ax_run_once(&loop);
    LOG("%d", (int)(loop.polls - looks));
    close_and_judge("a guest that was posted to is awake once", 0, "1 a@12 0 0", __LINE__);
}

static void running_tests(void) {
    static ax_sem sem;
    pthread_t thread;
    static ax_event e;
    volatile double too_long;
    ax_loop_desc *d;
    int rc;
    d = kit_desc();
    d->flags = 0;
    d->clock = hand_clock;
    by_hand = AX_MS(1);
    memset(tm, 0, sizeof tm);
    memset(cb, 0, sizeof cb);
    ax_loop_open(&loop, d);
    LOG("%d", ax_next_deadline(&loop) == AX_FOREVER);
    ax_timer_start(&loop, &tm[0], AX_MS(10), say, LETTER(0));
    LOG("%d", ax_next_deadline(&loop) == AX_MS(10));
    LOG("%d", ax_run_once(&loop));
    by_hand = AX_MS(12);
    LOG("%d", ax_run_once(&loop)); /* the timer is queued: there is more to do */
    LOG("%d", ax_next_deadline(&loop) <= by_hand);
    LOG("%d", ax_run_once(&loop));
    ax_post(&loop, &cb[0], say, LETTER(1));
    LOG("%d", ax_next_deadline(&loop) <= by_hand);
    LOG("%d", ax_run_once(&loop));
    close_and_judge("a loop as a guest of another: ax_run_once and ax_next_deadline", 0, "1 1 0 1 1 a@12 0 1 b@12 0", __LINE__);
    woken_test();

    ok(ax_later(AX_FOREVER, -1) == AX_FOREVER && ax_later(5, AX_FOREVER) == AX_FOREVER && ax_later(-5, INT64_MIN) < 0 && ax_later(7, -3) == 4,
       "points in time stay within the type");
    too_long = 1e10;
    ok(AX_SEC(too_long) > AX_SEC(9e9) && AX_SEC(too_long) < AX_FOREVER && AX_SEC(-too_long) < 0, "a time that is too long for it stays long");

    open_loop(AX_VIRTUAL_CLOCK);
    AX_SPAWN(&loop.root, to_thread);
    while (loop.tasks) ax_run_once(&loop);
    make_pipe(fd);
    AX_SPAWN(&loop.root, reads_in_time);
    while (ax_run_once(&loop) > 0) {}
    LOG("now:%d", ms(&loop));
    put_byte(fd[1]);
    while (loop.tasks) ax_run_once(&loop);
    close(fd[0]), close(fd[1]);
    close_and_judge("a guest's virtual time stands still for a thread, and for what can be read", 0, "job:7@0 now:0 read:1@0", __LINE__);

    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    memset(tm, 0, sizeof tm);
    ax_soon(&loop, &cb[0], stop, LETTER(0));
    ax_soon(&loop, &cb[1], say, LETTER(1));
    ax_timer_start(&loop, &tm[0], AX_MS(3), say, LETTER(2));
    LOG("run:%d", ax_loop_run(&loop));
    LOG("run:%d", ax_loop_run(&loop));
    ax_soon(&loop, &cb[0], nested_run, NULL);
    LOG("run:%d", ax_loop_run(&loop));
    LOG("close:%d", ax_loop_close(&loop));
    LOG("run:%d", ax_loop_run(&loop));
    LOG("once:%d", ax_run_once(&loop));
    LOG("post:%d", ax_post(&loop, &cb[0], say, LETTER(0)));
    close_and_judge("a loop stops after its turn, runs again, refuses to nest, and is closed", 0,
                    "a@0 b@0 run:0 c@3 run:0 -16 -16 -16 run:0 close:0 run:-1 once:-1 post:-1", __LINE__);

    memset(&e, 0, sizeof e);
    open_loop(AX_VIRTUAL_CLOCK);
    AX_SPAWN(&loop.root, stuck, .e = &e);
    LOG("run:%d", ax_loop_run(&loop));
    ax_event_set(&e);
    LOG("run:%d", ax_loop_run(&loop));
    rc = ax_loop_close(&loop);
    kit_judge("tasks that nothing can wake are reported with their place, and can be helped", rc, 0, "run:-35 went on end:0 run:0",
              ASYNCX_TRACE ? "nothing can wake: stuck (tests/loop.c:" : "nothing can wake: stuck (tests/loop.c)", __FILE__, __LINE__);
    kit_reported = NULL;
    e.set = 0;
    rc = AX_RUN_WITH(kit_desc(), stuck, .e = &e);
    kit_judge("AX_RUN reports the deadlock, and cancels what waits", rc, AX_EDEADLK, "end:-125", "nothing can wake: stuck", __FILE__, __LINE__);
    d = kit_desc();
    d->flags |= AX_CATCH_SIGINT;
    rc = AX_RUN_WITH(d, slept_for_ever, .e = &e);
    kit_judge("... also where Ctrl-C might have ended a sleep, which is over by now", rc, AX_EDEADLK, "end:-125", "nothing can wake: stuck", __FILE__, __LINE__);
    kit_reported = NULL;

    d = kit_desc();
    AX_RUN(handled);
    signal(SIGINT, SIG_IGN);
    AX_RUN(handled);
    signal(SIGINT, own_handler);
    AX_RUN(handled);
    signal(SIGINT, SIG_DFL);
    d->flags = 0;
    AX_RUN_WITH(d, handled);
    JUDGE("Ctrl-C is caught only where nobody else deals with it", 0, 0, "caught ignored own default");

    e.set = 0;
    open_loop(AX_VIRTUAL_CLOCK);
    AX_SPAWN(&loop.root, stuck, .e = &e);
    ax_run_once(&loop);
    pthread_create(&thread, NULL, sets_event, &e);
    pthread_join(thread, NULL);
    ok(ASYNCX_DEBUG ? kit_reported && strstr(kit_reported, "another thread") : !kit_reported, "debug builds see a wake from another thread");
    kit_reported = NULL;
    RUN_AND_CLOSE("... which may have worked", "went on end:0");

    open_loop(AX_VIRTUAL_CLOCK);
    ax_sem_init(&sem, 0, 0);
    AX_SPAWN(&loop.root, never_ends, .sem = &sem);
    ax_run_once(&loop);
    LOG("close:%d", ax_loop_close(&loop));
    LOG("waiters:%d", ax_waiters(&sem.waiters));
    kit_judge("tasks that can't end are given up with all their memory, and what they waited for forgets them", 0, 0, "close:-35 waiters:0",
              "nothing can wake: never_ends", __FILE__, __LINE__);
    kit_reported = NULL;
    JUDGE("AX_RUN whose loop is stopped cancels main", AX_RUN_WITH(kit_desc(), stops_loop), AX_ECANCELED, "left:-125@5");

    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    LOG("%d", ax_soon(&loop, &cb[0], say, LETTER(0)));
    LOG("%d", ax_soon(&loop, &cb[0], say, LETTER(1)));
    LOG("%d", ax_at_close(&loop, &cb[0], say, LETTER(0)));
    LOG("%d", ax_post(&loop, &cb[1], say, LETTER(1)));
    LOG("%d", ax_post(&loop, &cb[1], say, LETTER(1)));
    LOG("%d", ax_post(&loop, &cb[1], say, LETTER(2)));
    RUN_AND_CLOSE("a callback that waits for one thing is refused to another", "0 -16 -16 0 0 -16 a@0 b@0");

    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    ax_soon(&loop, &cb[0], say, LETTER(0));
    LOG("%d", ax_post(&loop, &cb[0], say, LETTER(1)));
    LOG("%d", ax_post(&loop, &cb[0], say, LETTER(0)));
    ax_post(&loop, &cb[1], say, LETTER(1));
    LOG("stop:%d", ax_callback_stop(&cb[0]));
    LOG("%d", ax_post(&loop, &cb[0], say, LETTER(2)));
    RUN_AND_CLOSE("also to a post, and one that is stopped is on no list", "-16 0 stop:1 0 b@0 c@0");

    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    ax_at_close(&loop, &cb[0], at_close, LETTER(0));
    ax_at_close(&loop, &cb[1], say, LETTER(1));
    AX_SPAWN(&loop.root, sleeper, .name = "task", .time = 50, .cleanup = 3);
    ax_run_once(&loop);
    rc = ax_loop_close(&loop);
    is(rc, 0, "closing a loop whose last task then ends is no deadlock");
    ok(strncmp(tap_trace, "task:-125@3 b@3 a@3 0", 21) == 0 && kit_balance == 0, "closing cancels and awaits the tasks, then calls the closers in reverse order");
    tap_trace[0] = 0;
    (void)ax_callback_stop(&cb[5]);
    open_loop(AX_VIRTUAL_CLOCK);
    ax_soon(&loop, &cb[2], say, LETTER(2));
    ax_loop_close(&loop);
    tap_trace[0] = 0;
    open_loop(AX_VIRTUAL_CLOCK);
    ax_soon(&loop, &cb[2], say, LETTER(2));
    RUN_AND_CLOSE("a callback that a closed loop did not call serves another loop", "c@0");
    open_loop(AX_VIRTUAL_CLOCK);
    memset(cb, 0, sizeof cb);
    ax_at_close(&loop, &cb[3], say_and_again, LETTER(3));
    ax_at_close(&loop, &cb[2], asks_twice, LETTER(2));
    is(ax_loop_close(&loop), 0, "a loop's last callbacks ask for more");
    ax_timer_stop(&tm[4]);
    LOG("stop:%d", ax_callback_stop(&cb[1]));
    trace_is("c@0 d@0 | a@0 e@0 stop:0", "... which are called as long as there is a turn,");
    open_loop(AX_VIRTUAL_CLOCK);
    ax_soon(&loop, &cb[1], say, LETTER(1));
    RUN_AND_CLOSE("... and then are free", "b@0");
    is(ax_soon(&loop, &cb[1], say, LETTER(1)), AX_EPERM, "a closed loop takes no callback,");
    is(ax_at_close(&loop, &cb[1], say, LETTER(1)), AX_EPERM, "... not for its close,");
    is(ax_timer_start(&loop, &tm[4], 0, say, LETTER(1)), AX_EPERM, "... and no timer");
}

/* ---- fairness ---- */

struct greedy { ax_frame frame; ax_sem s; int n, calls; };
AX_ASYNC(greedy) { /* every await is done at once */
    AX_BEGIN;
    ax_sem_init(&my->s, 1, 1);
    for (;;) {
        if (my->calls) AX_AWAIT(AX_CALL(sleeper));
        else AX_AWAIT(ax_sem_acquire(me, &my->s));
        if (!my->calls) ax_sem_release(&my->s);
        my->n++;
        if (my->n > 100000) AX_RETURN(AX_EOVERFLOW);
    }
    AX_FINALLY:
    LOG("greedy:%d %s permits=%d", ax_leaving(me), my->n <= 4 * ASYNCX_AWAITS ? "soon" : "late", my->s.permits);
    AX_END;
}
struct other { ax_frame frame; int i; };
AX_ASYNC(other) {
    AX_BEGIN;
    for (my->i = 0; my->i < 3; my->i++) {
        LOG("other");
        AX_AWAIT(ax_checkpoint(me));
    }
    AX_END;
}
struct fair { ax_frame frame; ax_group g; ax_task *t; int calls; };
AX_ASYNC(fair) {
    AX_BEGIN;
    ax_group_open(me, &my->g, 0);
    my->t = AX_SPAWN(&my->g, greedy, .calls = my->calls);
    AX_AWAIT(AX_CALL(other));
    ax_cancel(my->t);
    AX_TRY(ax_group_join(me, &my->g));
    LOG("join:%d", me->rc);
    AX_END;
}

/* ---- threads ---- */

static int inside, most, ran, open_gate;
static int wait_until(int *what, int at_least) { /* at most ten seconds: 1 if it came */
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    while (*what < at_least && !rc) rc = pthread_cond_timedwait(&changed, &lock, &until);
    return *what >= at_least;
}
static int pair_job(void *data) { /* two at a time meet inside */
    int met;
    (void)data;
    pthread_mutex_lock(&lock);
    if (++inside > most) most = inside;
    ran++;
    pthread_cond_broadcast(&changed);
    met = wait_until(&ran, (ran + 1) / 2 * 2);
    inside--;
    pthread_mutex_unlock(&lock);
    return met ? 0 : AX_ETIMEDOUT;
}
static int quick_job(void *data) { *(int *)data += 1; return 3; }
static int gate_job(void *data) {
    pthread_mutex_lock(&lock);
    ran++;
    pthread_cond_broadcast(&changed);
    wait_until(&open_gate, 1);
    pthread_mutex_unlock(&lock);
    *(int *)data = 99;
    return 4;
}
struct jobs { ax_frame frame; int (*fn)(void *); int data; const char *name; };
AX_ASYNC(jobs) {
    AX_BEGIN;
    AX_TRY(ax_to_thread(me, my->fn, &my->data, sizeof my->data));
    if (my->name) LOG("%s:%d/%d", my->name, me->rc, my->data);
    if (me->rc < 0) AX_RETURN(me->rc);
    AX_FINALLY:
    if (my->name && ax_leaving(me)) LOG("%s:left:%d/%d", my->name, ax_leaving(me), my->data);
    AX_END;
}
struct pool { ax_frame frame; ax_group g; int i, warm, n; };
AX_ASYNC(pool) {
    AX_BEGIN;
    if (my->warm) { /* now one thread idles */
        AX_AWAIT(AX_CALL(jobs, .fn = quick_job, .name = "warm"));
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    ran = most = inside = 0;
    ax_group_open(me, &my->g, 0);
    for (my->i = 0; my->i < my->n; my->i++) AX_SPAWN(&my->g, jobs, .fn = pair_job);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("most %d ran %d", most, ran);
    AX_END;
}
struct abandons { ax_frame frame; ax_group g; ax_task *a, *b; };
AX_ASYNC(abandons) { /* one thread: A runs, B is queued, both are cancelled */
    AX_BEGIN;
    ran = open_gate = 0;
    ax_group_open(me, &my->g, 0);
    my->a = AX_SPAWN(&my->g, jobs, .fn = gate_job, .name = "A");
    AX_AWAIT(ax_checkpoint(me));
    pthread_mutex_lock(&lock);
    LOG("started:%d", wait_until(&ran, 1));
    pthread_mutex_unlock(&lock);
    my->b = AX_SPAWN(&my->g, jobs, .fn = gate_job, .name = "B");
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->a);
    ax_cancel(my->b);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("join");
    AX_FINALLY:
    pthread_mutex_lock(&lock);
    open_gate = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    AX_END;
}

struct limits_job { ax_frame frame; int data; };
AX_ASYNC(limits_job) { /* on the real clock: virtual time stands still while a thread works */
    AX_BEGIN;
    ran = open_gate = 0;
    AX_TRY(AX_WITHIN(AX_MS(1), ax_to_thread(me, gate_job, &my->data, sizeof my->data)));
    LOG("%d expired:%d data:%d", me->rc, ax_expired(me), my->data);
    AX_FINALLY:
    pthread_mutex_lock(&lock);
    open_gate = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    AX_END;
}

int main(void) {
    ax_loop_desc *d;
    signal(SIGINT, SIG_DFL); /* a shell starts background jobs with it ignored, which AX_RUN respects */
    turns_tests();
    rest_tests();
    party_test();
    crowd_test();
    obstinate_test();
    shared_wake_test();
    timers_tests();
    posts_tests();
    descriptors_tests();
    slow_watch_test();
    running_tests();
    host_sleeps_test();
    gives_up_test();
    cancelled_root_test();
    times_test();
    report_test();
    timers_of_two_test();
    is(AX_RUN(sleeps_far), 0, "a time that is too long for a 32-bit clock's seconds ends nothing");
    tap_trace[0] = 0;
    signals_tests();
    second_signal_test();
    SCENARIO("rule 14: a task that never waits takes turns with others, and meets its cancel", 0, "other other other greedy:-125 soon permits=1 join:0", fair);
    SCENARIO("rule 14: the same for one that only calls", 0, "other other other greedy:-125 soon permits=1 join:0", fair, .calls = 1);
    d = kit_desc();
    d->threads = 2;
    JUDGE("the pool of threads is bounded", AX_RUN_WITH(d, pool, .n = 6), 0, "most 2 ran 6");
    d = kit_desc();
    d->threads = 4;
    JUDGE("jobs run side by side though only one thread was idle", AX_RUN_WITH(d, pool, .n = 2, .warm = 1), 0, "warm:3/1 most 2 ran 2");
    d = kit_desc();
    d->threads = 1;
    JUDGE("a running job is abandoned safely, a queued one is dropped", AX_RUN_WITH(d, abandons), 0, "started:1 A:left:-125/0 B:left:-125/0 join");
    is(ran, 1, "the dropped job never ran");
    d = kit_desc();
    d->flags = 0;
    JUDGE("rule 8: a limit does not wait for a running job", AX_RUN_WITH(d, limits_job), 0, "-110 expired:1 data:0");
    return tap_end();
}
