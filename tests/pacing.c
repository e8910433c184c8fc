/* Rate limits and pauses between retries, on the virtual clock. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "kit.h"

#define AT ms(me->loop)

static ax_limiter limiter;

/* Takes tokens, perhaps under a limit; "A:0@10" is what it got, and when. */
struct taker { ax_frame frame; const char *name; int tokens, start, within, times; };
AX_ASYNC(taker) {
    AX_BEGIN;
    if (my->start) AX_AWAIT(ax_sleep(me, AX_MS(my->start)));
    do {
        if (my->within) AX_TRY(AX_WITHIN(AX_MS(my->within), ax_limiter_acquire(me, &limiter, my->tokens ? my->tokens : 1)));
        else AX_TRY(ax_limiter_acquire(me, &limiter, my->tokens ? my->tokens : 1));
        LOG("%s:%d@%d", my->name, me->rc, AT);
    } while (--my->times > 0);
    AX_FINALLY:
    if (ax_leaving(me) < 0) LOG("%s:left:%d@%d", my->name, ax_leaving(me), AT);
    AX_END;
}
struct bucket { ax_frame frame; ax_group g; int burst; ax_limiter none; };
AX_ASYNC(bucket) { /* ten tokens a second */
    AX_BEGIN;
    if (ax_limiter_tokens(me->loop, &my->none)) LOG("none has some");
    ax_limiter_init(&limiter, 10, AX_SEC(1), my->burst);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, taker, .name = "A", .times = 4);
    AX_SPAWN(&my->g, taker, .name = "B", .times = 2);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("%d", ax_limiter_tokens(me->loop, &limiter));
    AX_AWAIT(ax_sleep(me, AX_MS(150)));
    LOG("%d", ax_limiter_tokens(me->loop, &limiter));
    AX_AWAIT(ax_sleep(me, AX_SEC(100)));
    LOG("%d", ax_limiter_tokens(me->loop, &limiter));
    AX_END;
}
struct costs { ax_frame frame; ax_group g; };
AX_ASYNC(costs) { /* whoever comes first goes first, however little the others want */
    AX_BEGIN;
    ax_limiter_init(&limiter, 10, AX_SEC(1), 5);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, taker, .name = "A", .tokens = 4);
    AX_SPAWN(&my->g, taker, .name = "B", .tokens = 5);
    AX_SPAWN(&my->g, taker, .name = "C");
    AX_SPAWN(&my->g, taker, .name = "D", .start = 50);
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    LOG("try:%d", ax_limiter_try_acquire(me->loop, &limiter, 1));
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("try:%d", ax_limiter_try_acquire(me->loop, &limiter, 1));
    AX_AWAIT(ax_sleep(me, AX_MS(100)));
    LOG("try:%d", ax_limiter_try_acquire(me->loop, &limiter, 1));
    AX_END;
}
struct leaver { ax_frame frame; ax_group g; ax_task *a, *b; int which; };
AX_ASYNC(leaver) { /* a waiter that leaves costs the others nothing */
    AX_BEGIN;
    ax_limiter_init(&limiter, 10, AX_SEC(1), 3);
    ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    AX_SPAWN(&my->g, taker, .name = "first", .tokens = 3);
    my->a = AX_SPAWN(&my->g, taker, .name = "A", .tokens = 3);
    my->b = AX_SPAWN(&my->g, taker, .name = "B", .tokens = 2);
    AX_SPAWN(&my->g, taker, .name = "C");
    AX_AWAIT(ax_sleep(me, AX_MS(50)));
    LOG("waiters:%d", ax_waiters(&limiter.waiters));
    if (my->which & 1) ax_cancel(my->a);
    if (my->which & 2) ax_cancel(my->b);
    AX_AWAIT(ax_group_join(me, &my->g));
    LOG("waiters:%d", ax_waiters(&limiter.waiters));
    AX_END;
}
struct limited { ax_frame frame; ax_group g; };
AX_ASYNC(limited) {
    AX_BEGIN;
    ax_limiter_init(&limiter, 10, AX_SEC(1), 1);
    ax_group_open(me, &my->g, 0);
    AX_SPAWN(&my->g, taker, .name = "A", .times = 2);
    AX_SPAWN(&my->g, taker, .name = "B", .within = 60);
    AX_SPAWN(&my->g, taker, .name = "C", .within = 100);
    AX_SPAWN(&my->g, taker, .name = "D", .within = 250);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_END;
}
struct refused { ax_frame frame; ax_limiter l; };
AX_ASYNC(refused) {
    AX_BEGIN;
    LOG("%d %d", ax_limiter_init(&my->l, 0, AX_SEC(1), 1), ax_limiter_init(&my->l, 1, 0, 1));
    LOG("%d %d", ax_limiter_init(&my->l, 1, AX_SEC(1), 0), ax_limiter_init(&my->l, 1, AX_FOREVER, 1));
    LOG("%d", ax_limiter_init(&my->l, 3, AX_SEC(1), 2));
    AX_TRY(ax_limiter_acquire(me, &my->l, 3));
    LOG("%d", me->rc);
    AX_TRY(ax_limiter_acquire(me, &my->l, 0));
    LOG("%d %d", me->rc, ax_limiter_try_acquire(me->loop, &my->l, -1));
    AX_END;
}
struct bare { ax_frame frame; ax_limiter l; };
AX_ASYNC(bare) { /* a second, it seems */
    AX_BEGIN;
    LOG("%d", ax_limiter_init(&my->l, 10, 1, 10));
    AX_TRY(ax_limiter_acquire(me, &my->l, 1));
    LOG("%d", me->rc);
    AX_END;
}
static ax_limiter fixed = AX_LIMITER_INIT(3, AX_SEC(1), 1);
struct counted { ax_frame frame; int n; };
AX_ASYNC(counted) { /* a thousand at three a second: never faster, and slower by less than a microsecond */
    AX_BEGIN;
    for (; my->n < 1000; my->n++) AX_AWAIT(ax_limiter_acquire(me, &fixed, 1));
    LOG("%d", ax_now(me->loop) >= AX_SEC(333) && ax_now(me->loop) < AX_SEC(333) + AX_US(1));
    AX_END;
}

/* ---- pauses ---- */

struct drawn { ax_frame frame; ax_backoff b, other; int i, k, over, high, low; ax_time pause; };
AX_ASYNC(drawn) {
    AX_BEGIN;
    for (my->k = 0; my->k < 1000; my->k++) { /* within their limits, and spread over them */
        my->b.base = AX_MS(100), my->b.cap = AX_SEC(1), my->b.tries = 0, my->b.seed = (uint64_t)my->k + 1;
        for (my->i = 0; my->i < 6; my->i++) {
            ax_time most = AX_MS(100) << my->i;
            ax_time pause = ax_backoff_next(&my->b);
            if (most > AX_SEC(1)) most = AX_SEC(1);
            if (pause < 0 || pause > most) my->over++;
            if (pause > most / 2) my->high++;
            else my->low++;
        }
    }
    LOG("over:%d even:%d tries:%d", my->over, my->high > 2800 && my->low > 2800, my->b.tries);
    my->b.seed = my->other.seed = 42, my->b.tries = my->other.tries = 0;
    my->other.base = AX_MS(100), my->other.cap = AX_SEC(1);
    for (my->i = my->k = 0; my->i < 50; my->i++) my->k += ax_backoff_next(&my->b) == ax_backoff_next(&my->other);
    LOG("same:%d", my->k);
    my->b.factor = 3, my->b.tries = 0, my->b.cap = 0;
    for (my->i = 0; my->i < 100; my->i++) my->pause = ax_backoff_next(&my->b);
    LOG("far:%d", my->pause >= 0);
    memset(&my->b, 0, sizeof my->b);
    my->b.base = -5;
    for (my->i = 0; my->i < 100; my->i++) my->pause += ax_backoff_next(&my->b);
    memset(&my->b, 0, sizeof my->b);
    LOG("none:%d", (int)ax_backoff_next(&my->b));
    my->b.base = 1, my->b.factor = 1, my->b.tries = INT_MAX; /* pauses that do not grow are not counted up to */
    LOG("often:%d", (int)ax_backoff_next(&my->b) <= 1);
    my->b.base = my->other.base = AX_SEC(1);
    my->b.seed = my->other.seed = 0;
    for (my->i = my->k = 0; my->i < 20; my->i++) my->k += ax_backoff_next(&my->b) == ax_backoff_next(&my->other);
    LOG("unlike:%d", my->k < 5);
    AX_END;
}

int main(void) {
    SCENARIO("a burst, then one token at a time, in turns", 0,
             "A:0@0 A:0@0 A:0@100 B:0@200 A:0@300 B:0@400 0 1 2", bucket, .burst = 2);
    SCENARIO("FIFO whatever they cost; nobody barges in", 0, "A:0@0 try:-11 B:0@400 C:0@500 D:0@600 try:-11 try:0", costs);
    SCENARIO("in order", 0, "first:0@0 waiters:3 A:0@300 B:0@500 C:0@600 waiters:0", leaver);
    SCENARIO("rule 4: the first waiter is cancelled: the next goes as soon as its own tokens are there", 0,
             "first:0@0 waiters:3 A:left:-125@50 B:0@200 C:0@300 waiters:0", leaver, .which = 1);
    SCENARIO("rule 4: one in the middle is cancelled", 0, "first:0@0 waiters:3 B:left:-125@50 A:0@300 C:0@400 waiters:0", leaver, .which = 2);
    SCENARIO("rule 4: both", 0, "first:0@0 waiters:3 A:left:-125@50 B:left:-125@50 C:0@100 waiters:0", leaver, .which = 3);
    SCENARIO("rule 8: under limits: who leaves the line moves the others up", 0, "A:0@0 B:-110@60 A:0@100 C:-110@100 D:0@200", limited);
    SCENARIO("rule 3: what can't be is refused", 0, "-22 -22 -22 -22 0 -22 -22 -22", refused);
#ifndef ASYNCX_FREESTANDING
    {
        static const ax_time longest = AX_SEC(1e10), other = -AX_US(1e18);
        volatile double many = 1e10;
        ok(longest == AX_FOREVER - 1 && AX_SEC(many) == longest, "a time that is too long is just less than for ever");
        ok(other == -AX_FOREVER + 1 && AX_MS(-many * 1e6) == -AX_FOREVER, "... also before now");
        is(AX_SEC(1.5), 1500000000, "and others are what they say");
    }
#endif
    MISUSE("rule 3: a bare number is refused as a period", 0, "-22 -22", "below a microsecond", bare);
    SCENARIO("the rate is exact in the long run", 0, "1", counted);
    SCENARIO("pauses grow, are capped, jittered in full, and drawn from a seed", 0, "over:0 even:1 tries:6 same:50 far:1 none:0 often:1 unlike:1", drawn);
    return tap_end();
}
