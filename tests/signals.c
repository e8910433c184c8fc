/* Random runs inside each other, a guest beside them, and signals, against a model. `signals [RUNS [FIRST_SEED]]`.

   The model says of each signal at once, when it is sent, whose it is; the header only looks at it later, when much may have begun
   and ended meanwhile. Checked: what can be caught where, who hears what and how often, which main is cancelled and for what,
   whether the next Ctrl-C would end the process, and that at the end nothing is caught and no memory is kept.

   Tried on bugs planted by hand in a copy of the header. Each of these is found by the 3,000 programs of a plain run: what came is
   not dealt before a run begins, before it ends, or before a signal is caught; a stop is not passed on when a run ends, not for main's
   last moment, or heard twice by who waits; it is kept from those further out; main's next one is not looked at when it has taken the
   first back, or met before that; the second is not known as such, or a first one taken for it, as a run begins, ends, or after each;
   a guest is not woken, woken for ever, or deaf during a run; a guest that is closed leaves the chain broken, or its handler to a
   run inside; a run takes over what has come to the one around it. Not found: what only another thread's signal can meet. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "dice.h"
#include "kit.h"
#include <signal.h>

enum { SIGNALS = 4, STOPS = 2, LEVELS = 6, GUEST = 0 };
static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
static const unsigned flags[STOPS] = {AX_CATCH_SIGINT, AX_CATCH_SIGTERM};

struct level {
    ax_loop *loop;
    ax_callback closes;
    int open, cancelled_by; /* open: -1 once its cancelled main ends so; a place in `numbers`, or -1 */
    int stops[SIGNALS], came[SIGNALS], asked[SIGNALS]; /* for its main: caught, has come, not heard of yet */
    int caught[SIGNALS], kept[SIGNALS];                /* for its tasks */
    int listens[SIGNALS], heard[SIGNALS], must_hear[SIGNALS];
};
static struct level levels[LEVELS];
static ax_loop guest;
static ax_loop_desc plain;
static long seed, wrong, sent, cancels, hearings, refused, second;
static int top, budget, late; /* one came as a loop ended, and nobody has looked since */
#define CHECK(x) ((x) ? (void)0 : fails(#x, __LINE__))
static void fails(const char *what, int line) {
    if (!wrong++) printf("# seed %ld: line %d: %s\n", seed, line, what), fflush(stdout);
}

/* ---- The model ---- */

static int in_chain(const struct level *l) {
    int n, any = 0;
    for (n = 0; n < SIGNALS; n++) any |= l->stops[n] | l->caught[n];
    return l->open && any;
}
static int innermost(void) { /* of those that catch; -1: none */
    int i = top;
    while (i >= 0 && !in_chain(&levels[i])) i--;
    return i;
}
/* Who gets a signal that is sent when all inside `from` is over: -1 if nobody. */
static int taker(int from, int n) {
    while (from >= 0 && !(levels[from].open && (levels[from].caught[n] || levels[from].stops[n]))) from--;
    return from;
}
static void comes(int from, int n) {
    int i = taker(from, n), outside;
    if (i < 0) return;
    if (levels[i].caught[n]) {
        levels[i].kept[n] = 1;
        return;
    }
    levels[i].came[n] = levels[i].asked[n] = 1;
    for (outside = 0; outside < i; outside++)
        if (levels[outside].open && levels[outside].caught[n]) levels[outside].kept[n] = 1;
}
static void passes_on(int from, int n) { /* those who wait have heard of it */
    int i = taker(from, n);
    if (i >= 0 && !levels[i].caught[n]) levels[i].came[n] = levels[i].asked[n] = 1;
}
static void hears(struct level *l) { /* its tasks, as its loop looks */
    int n;
    for (n = 0; n < SIGNALS; n++)
        if (l->kept[n] && l->listens[n]) l->kept[n] = 0, l->must_hear[n]++, hearings++;
}
static int may_stop(int from, int n) {
    int i = taker(from, n);
    return i < 0 || levels[i].caught[n] || !levels[i].came[n];
}
static int catches(int i, int n) { /* what ax_signal_catch gives */
    int outer, in = innermost();
    if (levels[i].caught[n]) return 0;
    if (in >= 0 && in != i) return AX_EBUSY;
    for (outer = 0; outer < i; outer++)
        if (levels[outer].open && levels[outer].caught[n]) return AX_EBUSY;
    levels[i].caught[n] = 1;
    levels[i].kept[n] = levels[i].asked[n]; /* main does not ask for it any more */
    levels[i].asked[n] = 0;
    return 0;
}

/* ---- The programs ---- */

static void later(void) { /* as if the last Ctrl-C had been long ago: the next is another */
    AXI_STORE(axi_stop_at[0], 0);
    AXI_STORE(axi_stop_at[1], 0);
}
static void sends(int n) {
    int to = taker(top, n);
    struct sigaction now;
    sigaction(numbers[n], NULL, &now);
    CHECK(now.sa_handler == (to < 0 ? SIG_DFL : levels[to].caught[n] ? axi_on_signal : axi_on_stop));
    if (to < 0) return;
    if (!levels[to].caught[n]) {
        CHECK(late || AXI_LOAD(axi_stopped[n]) == levels[to].came[n]);
        if (levels[to].came[n]) {
            second++;
            return; /* it would end the process */
        }
    }
    later();
    sent++;
    comes(top, n);
    raise(numbers[n]);
}
static void catch_one(int i, int n) {
    int want = catches(i, n);
    refused += want < 0;
    CHECK(ax_signal_catch(levels[i].loop, numbers[n]) == want);
}
static void closes_guest(void) {
    int n;
    if (!levels[GUEST].open) return;
    levels[GUEST].open = 0;
    for (n = 0; n < SIGNALS; n++) levels[GUEST].caught[n] = levels[GUEST].kept[n] = 0;
    CHECK(ax_loop_close(&guest) == 0);
}

/* A signal that comes just as a loop ends to catch any is for the loops around it. */
static void *alloc(void *ctx, void *p, size_t old_size, size_t size) {
    struct level *l = &levels[top], was = *l;
    int n = below(SIGNALS), to;
    int ends = top > GUEST && l->loop && l->loop->state == AXI_CLOSING_LOOP && !AXI_SYS(l->loop)->stops && !AXI_SYS(l->loop)->signals;
    if (ends && in_chain(l) && !late && one_in(2)) {
        memset(l->stops, 0, sizeof l->stops);
        memset(l->caught, 0, sizeof l->caught);
        for (to = 0; to < SIGNALS; to++)
            if (was.asked[to]) passes_on(top, to), was.asked[to] = 0;
        to = taker(top, n);
        if (to >= 0 && (levels[to].caught[n] || !levels[to].came[n])) later(), comes(top, n), raise(numbers[n]), late = 1;
        memcpy(l->asked, was.asked, sizeof l->asked);
        memcpy(l->stops, was.stops, sizeof l->stops);
        memcpy(l->caught, was.caught, sizeof l->caught);
    }
    return kit_alloc(ctx, p, old_size, size);
}

struct listener { ax_frame frame; int level, n; };
AX_ASYNC(listener) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_signal_wait(me, numbers[my->n]));
        CHECK(me->rc == numbers[my->n]);
        levels[my->level].heard[my->n]++;
    }
    AX_END;
}
static void listens(int i, int n) {
    if (!levels[i].open || !levels[i].caught[n] || levels[i].listens[n]) return;
    levels[i].listens[n] = 1;
    CHECK(AX_SPAWN(&levels[i].loop->root, listener, .level = i, .n = n) != NULL);
}
static void drives_guest(void) {
    int n, i, due = guest.hears || (innermost() == GUEST && AXI_LOAD(axi_came[0]));
    struct pollfd wake;
    if (!levels[GUEST].open) return;
    wake.fd = AXI_SYS(&guest)->pipe[0];
    wake.events = POLLIN;
    if (due) CHECK(poll(&wake, 1, 0) == 1); /* who drives it by its descriptors sees it, too */
    hears(&levels[GUEST]);
    for (i = 0; i < 3; i++) CHECK(ax_run_once(&guest) >= 0);
    CHECK(poll(&wake, 1, 0) == 0); /* and sees it once */
    for (n = 0; n < SIGNALS; n++) CHECK(levels[GUEST].heard[n] == levels[GUEST].must_hear[n]);
}

static void sends_late(ax_loop *loop, void *arg) {
    (void)loop, (void)arg;
    sends(below(SIGNALS));
    if (one_in(2)) drives_guest();
}

AX_DECLARE(run);
struct run { ax_frame frame; int i, steps, n, want; ax_time since; };
static void runs_inside(int i) {
    struct level *l = &levels[i];
    ax_loop_desc desc = plain;
    unsigned with = 0;
    int n, status;
    for (n = 0; n < STOPS; n++) with |= one_in(4) ? 0 : flags[n];
    desc.flags |= with;
    memset(l, 0, sizeof *l);
    l->cancelled_by = -1;
    for (n = 0; n < STOPS; n++) l->stops[n] = with & flags[n] && may_stop(i - 1, n);
    top = i;
    l->open = 1;
    status = AX_RUN_WITH(&desc, run, .i = i);
    CHECK(status == (l->open < 0 ? AX_EINTR : 0));
    top = i - 1;
    l->open = 0;
    for (n = 0; n < SIGNALS; n++)
        if (l->asked[n]) passes_on(top, n);
}
static void looks(struct run *my, ax_task *me) { /* after a sleep that was to end with my->want */
    struct level *l = &levels[my->i];
    int n;
    CHECK(me->rc == my->want && ax_now(me->loop) == (my->want ? my->since : my->since + AX_MS(1)));
    for (n = 0; n < SIGNALS; n++) CHECK(l->heard[n] == l->must_hear[n]);
    CHECK(me->loop->signalled == (l->cancelled_by < 0 ? 0 : numbers[l->cancelled_by]));
}
static int to_hear(struct level *l) { /* what a sleep of main will end with */
    int n;
    late = 0;
    hears(l);
    for (n = 0; n < STOPS && l->cancelled_by < 0; n++)
        if (l->asked[n]) {
            l->asked[n] = 0;
            l->cancelled_by = n;
            cancels++;
            return AX_ECANCELED;
        }
    return 0;
}
AX_ASYNC(run) {
    struct level *l = &levels[my->i];
    AX_BEGIN;
    l->loop = me->loop;
    for (my->steps = 1 + below(12); my->steps > 0 && budget > 0; my->steps--) {
        budget--;
        my->n = below(SIGNALS);
        switch (below(9)) {
        case 0: case 1: case 2: sends(my->n); break;
        case 3: catch_one(my->i, my->n); break;
        case 4: listens(my->i, my->n); break;
        case 5: drives_guest(); break;
        case 6: if (one_in(4)) closes_guest(); break;
        case 7: if (my->i + 1 < LEVELS) runs_inside(my->i + 1); break;
        default: if (levels[GUEST].open) catch_one(GUEST, my->n), listens(GUEST, my->n); break;
        }
        if (one_in(3)) continue;
        my->want = to_hear(l);
        if (one_in(4)) { /* its result is on its way when main is cancelled */
            AX_TRY_ALL(ax_checkpoint(me));
            CHECK(me->rc == 0);
            if (my->want && one_in(2)) {
                l->asked[l->cancelled_by] = 1; /* main ends, and has not heard of it */
                AX_RETURN(0);
            }
        }
        my->since = ax_now(me->loop);
        AX_TRY_ALL(ax_sleep(me, my->want ? AX_SEC(1000) : AX_MS(1)));
        looks(my, me);
        if (my->want == 0) continue;
        if (one_in(2)) {
            l->open = -1; /* it ends so */
            AX_RETURN(AX_ECANCELED);
        }
        ax_uncancel(me);
        l->cancelled_by = -1;
    }
    AX_FINALLY:
    while (one_in(3)) sends(below(SIGNALS)), drives_guest();
    if (one_in(2)) ax_at_close(me->loop, &l->closes, sends_late, l);
    AX_END;
}

static void program(long number) {
    int n;
    struct sigaction now;
    seed = number;
    alarm(60); /* SIGTERM would not end it */
    dice = (uint64_t)number * 2654435761u;
    memset(levels, 0, sizeof levels);
    budget = 60;
    top = 0;
    plain = *kit_desc();
    plain.alloc = alloc;
    CHECK(ax_loop_open(&guest, &plain) == 0);
    levels[GUEST].open = 1;
    levels[GUEST].loop = &guest;
    for (n = 0; n < SIGNALS; n++)
        if (one_in(4)) catch_one(GUEST, n), listens(GUEST, n);
    drives_guest(); /* they wait */
    while (budget > 0) runs_inside(1);
    drives_guest();
    closes_guest();
    CHECK(kit_balance == 0 && !kit_reported);
    for (n = 0; n < SIGNALS; n++) {
        sigaction(numbers[n], NULL, &now);
        CHECK(now.sa_handler == SIG_DFL);
    }
}

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 3000, from = argc > 2 ? atol(argv[2]) : 1, i;
    for (i = 0; i < SIGNALS; i++) signal(numbers[i], SIG_DFL); /* a shell starts background jobs with SIGINT ignored */
    for (i = 0; i < count && !wrong; i++) program(from + i);
    printf("# %ld programs: %ld signals, %ld cancelled main, %ld were heard, %ld second ones; %ld catches refused\n", i, sent, cancels, hearings,
           second, refused);
    is(wrong, 0, "whose each signal is, and who hears of it");
    ok(count < 1000 || (cancels > count / 2 && hearings > count / 2 && second && refused), "they cancel, are heard, come twice and are refused");
    return tap_end();
}
