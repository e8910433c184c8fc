/* What AX_SEC, AX_MS and AX_US come to: rounded up, never down; as constants, whatever the tick's rate. Compiled, not run. */
#define ASYNCX_FREESTANDING
#include "asyncx.h"

#define HZ ((int64_t)ASYNCX_TICK_HZ)
#define MOST ((int64_t)AX_FOREVER)
/* n / per seconds in ticks, rounded up; what does not fit is too long, not shorter. */
#define WANT(n, per) ((n) * HZ / (per) + ((n) * HZ % (per) != 0))
#define CAPPED(n, per) (WANT(n, per) < MOST ? WANT(n, per) : MOST - 1)
#define CHECK(name, x, n, per) typedef char name[(x) == CAPPED((int64_t)(n), per) ? 1 : -1]

#define EACH(n)                             \
    CHECK(sec_##n, AX_SEC(n), n, 1);        \
    CHECK(ms_##n, AX_MS(n), n, 1000);       \
    CHECK(us_##n, AX_US(n), n, 1000000)

EACH(0);
EACH(1);
EACH(2);
EACH(3);
EACH(7);
EACH(10);
EACH(33);
EACH(99);
EACH(100);
EACH(999);
EACH(1000);
EACH(1001);
EACH(4321);
EACH(30000);
CHECK(sec_100000, AX_SEC(100000L), 100000, 1); /* int is 16 bits on AVR: the literal is long by itself there */
CHECK(ms_100000, AX_MS(100000L), 100000, 1000);
CHECK(us_100000, AX_US(100000L), 100000, 1000000);
CHECK(ms_2000000000, AX_MS(2000000000L), 2000000000, 1000);
typedef char before[AX_SEC(-40) < 0 && AX_SEC(-100000L) < 0 ? 1 : -1]; /* never a time to come */

struct packed { unsigned minutes : 5, seconds : 6; };
ax_time of_a_bit_field(const struct packed *p);
ax_time of_a_bit_field(const struct packed *p) { return AX_SEC(p->seconds); }

/* Fractions, as a constant expression of an integer type after the cast. */
typedef char half_a_second[AX_SEC(0.5) == CAPPED(500, 1000) ? 1 : -1];
typedef char tenth[AX_SEC(0.1) == CAPPED(100, 1000) ? 1 : -1];
typedef char ms_and_a_half[AX_MS(1.5) == CAPPED(1500, 1000000) ? 1 : -1];
typedef char quarter_ms[AX_MS(0.25) == CAPPED(250, 1000000) ? 1 : -1];
