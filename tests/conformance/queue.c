/* QUE: a bounded FIFO of ints (texts as their statuses). */

#define QUEUE(size) ax_queue q; int items[size]
#define QUEUE_INIT(size) ax_queue_init(&my->q, my->items, size, sizeof my->items[0])
#define QUEUE_STATE \
    state("qsize=%d getters=%d putters=%d unfinished=%u", (int)my->q.count, ax_waiters(&my->q.getters), ax_waiters(&my->q.putters), my->q.unfinished)

static int put(ax_queue *q, int item) { return ax_queue_try_put(q, &item); }

struct getter { ACTOR; ax_queue *q; int item; };
AX_ASYNC(getter) {
    BEGINS;
    AX_AWAIT(ax_queue_get(me, my->q, &my->item));
    if (me->rc == 0) AX_RETURN(AX_EPIPE); /* closed and drained: a value in asyncx, asyncio's SHUTDOWN */
    say("got(%s)", word(my->item));
    ENDS;
}
struct putter { ACTOR; ax_queue *q; int items[5], n, i; };
AX_ASYNC(putter) {
    BEGINS;
    for (; my->i < my->n; my->i++) {
        AX_AWAIT(ax_queue_put(me, my->q, &my->items[my->i]));
        say("put(%s)", word(my->items[my->i]));
    }
    ENDS;
}
#define PUTTER(who, x) GO(ROOT, who, putter, .q = &my->q, .n = 1, .items[0] = text(x))
#define SHUT(rc) ((rc) == 0 ? AX_EPIPE : (rc)) /* the end of a queue as asyncio's error */

/* FIFO, LIFO and priority order */
static int QUE_01_smaller(const void *a, const void *b) { return *(const int *)a < *(const int *)b; }
static const char *QUE_01_text(const int *n) {
    static char text[40];
    snprintf(text, sizeof text, "[%d,%d,%d]", n[0], n[1], n[2]);
    return text;
}
static const char *QUE_01_order(ax_queue *q) { /* of 1, 3, 2 */
    int out[3] = {0};
    put(q, 1);
    put(q, 3);
    put(q, 2);
    ax_queue_try_get(q, &out[0]);
    ax_queue_try_get(q, &out[1]);
    ax_queue_try_get(q, &out[2]);
    return QUE_01_text(out);
}
struct QUE_01 { ACTOR; ax_queue q; int items[3]; };
SCENARIO(QUE_01) {
    BEGINS;
    ax_queue_init(&my->q, my->items, 3, sizeof my->items[0]);
    say("fifo(%s)", QUE_01_order(&my->q));
    my->q.before = ax_queue_lifo;
    say("lifo(%s)", QUE_01_order(&my->q));
    my->q.before = QUE_01_smaller;
    say("prio(%s)", QUE_01_order(&my->q));
    ENDS;
}

/* no-wait calls on a full or empty queue */
struct QUE_02 { ACTOR; QUEUE(1); int item, i; ax_queue u; int many[1001]; };
SCENARIO(QUE_02) {
    BEGINS;
    QUEUE_INIT(1);
    if (ax_queue_try_get(&my->q, &my->item) == AX_EAGAIN) say("caught(EMPTY)");
    put(&my->q, text("a"));
    if (put(&my->q, text("b")) == AX_EAGAIN) say("caught(FULL)");
    say("full(%s)", truth(my->q.count == my->q.capacity));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    say("empty(%s)", truth(my->q.count == 0));
    ax_queue_init(&my->u, my->many, 1001, sizeof my->many[0]);
    for (my->i = 0; my->i < 1000; my->i++) put(&my->u, my->i);
    say("full(%s)", truth(my->u.count == my->u.capacity));
    QUEUE_STATE;
    ENDS;
}

/* put waits for room, resumes when an item is taken */
struct QUE_03 { ACTOR; QUEUE(2); int item; };
SCENARIO(QUE_03) {
    BEGINS;
    QUEUE_INIT(2);
    GO(ROOT, "P", putter, .q = &my->q, .n = 3, .items[1] = 1, .items[2] = 2);
    AX_AWAIT(ms(me, 10));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    AX_AWAIT(ms(me, 1));
    QUEUE_STATE;
    ENDS;
}

/* getters are served in FIFO order */
struct QUE_04 { ACTOR; QUEUE(8); };
SCENARIO(QUE_04) {
    BEGINS;
    QUEUE_INIT(8);
    GO(ROOT, "A", getter, .q = &my->q);
    GO(ROOT, "B", getter, .q = &my->q);
    GO(ROOT, "C", getter, .q = &my->q);
    AX_AWAIT(ms(me, 10));
    put(&my->q, text("x"));
    put(&my->q, text("y"));
    AX_AWAIT(ms(me, 10));
    put(&my->q, text("z"));
    AX_AWAIT(ms(me, 1));
    QUEUE_STATE;
    ENDS;
}

/* putters are served in FIFO order */
struct QUE_05 { ACTOR; QUEUE(1); int item, i; };
SCENARIO(QUE_05) {
    BEGINS;
    QUEUE_INIT(1);
    PUTTER("P", "a");
    PUTTER("Q", "b");
    PUTTER("R", "c");
    for (; my->i < 3; my->i++) {
        AX_AWAIT(ms(me, 10));
        AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
        say("got(%s)", word(my->item));
    }
    QUEUE_STATE;
    ENDS;
}

/* ping-pong over a queue of one */
struct QUE_06_c { ACTOR; ax_queue *q; int *got, i; };
AX_ASYNC(QUE_06_c) {
    BEGINS;
    for (; my->i < 5; my->i++) AX_AWAIT(ax_queue_get(me, my->q, &my->got[my->i]));
    ENDS;
}
struct QUE_06 { ACTOR; QUEUE(1); int got[5]; };
SCENARIO(QUE_06) {
    BEGINS;
    QUEUE_INIT(1);
    GO(ROOT, "P", putter, .q = &my->q, .n = 5, .items[1] = 1, .items[2] = 2, .items[3] = 3, .items[4] = 4);
    GO(ROOT, "C", QUE_06_c, .q = &my->q, .got = my->got);
    AX_AWAIT(ms(me, 1));
    state("got=[%d,%d,%d,%d,%d]", my->got[0], my->got[1], my->got[2], my->got[3], my->got[4]);
    QUEUE_STATE;
    ENDS;
}

/* a cancelled getter leaves the line */
struct QUE_07 { ACTOR; QUEUE(8); ax_task *a; };
SCENARIO(QUE_07) {
    BEGINS;
    QUEUE_INIT(8);
    my->a = GO(ROOT, "A", getter, .q = &my->q);
    GO(ROOT, "B", getter, .q = &my->q);
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 5));
    put(&my->q, text("x"));
    AX_AWAIT(ms(me, 1));
    QUEUE_STATE;
    ENDS;
}

/* put, then cancel the getter it served: it has the item; its cancel is met later */
struct QUE_09 { ACTOR; QUEUE(8); ax_task *a; };
SCENARIO(QUE_09) {
    BEGINS;
    QUEUE_INIT(8);
    my->a = GO(ROOT, "A", getter, .q = &my->q);
    GO(ROOT, "B", getter, .q = &my->q);
    GO(ROOT, "C", getter, .q = &my->q);
    AX_AWAIT(ms(me, 0));
    put(&my->q, 1);
    put(&my->q, 2);
    ax_cancel(my->a);
    AX_AWAIT(ms(me, 1));
    QUEUE_STATE;
    ENDS;
}

/* take, then cancel the putter whose item moved in: its put is complete */
struct QUE_10 { ACTOR; QUEUE(1); int item; ax_task *p; };
SCENARIO(QUE_10) {
    BEGINS;
    QUEUE_INIT(1);
    put(&my->q, text("a"));
    my->p = PUTTER("P", "b");
    PUTTER("R", "c");
    AX_AWAIT(ms(me, 0));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    ax_cancel(my->p);
    AX_AWAIT(ms(me, 1));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    QUEUE_STATE;
    ENDS;
}

/* a cancelled putter stores nothing */
struct QUE_11 { ACTOR; QUEUE(1); int item; ax_task *p; };
SCENARIO(QUE_11) {
    BEGINS;
    QUEUE_INIT(1);
    put(&my->q, text("a"));
    my->p = PUTTER("P", "b");
    PUTTER("R", "c");
    AX_AWAIT(ms(me, 5));
    ax_cancel(my->p);
    AX_AWAIT(ms(me, 5));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    QUEUE_STATE;
    ENDS;
}

/* join waits until every item was marked done */
static void mark_done(ax_loop *loop, void *q) {
    (void)loop;
    ax_queue_task_done((ax_queue *)q);
}
struct QUE_15_w { ACTOR; ax_queue *q; int item, i; };
AX_ASYNC(QUE_15_w) {
    BEGINS;
    for (; my->i < 2; my->i++) {
        AX_AWAIT(ms(me, 10));
        AX_AWAIT(ax_queue_get(me, my->q, &my->item));
        say("got(%s)", word(my->item));
        at(at_ms() + 5, mark_done, my->q);
    }
    ENDS;
}
struct QUE_j { ACTOR; ax_queue *q; };
AX_ASYNC(QUE_j) {
    BEGINS;
    AX_AWAIT(ax_queue_join(me, my->q));
    say("joined");
    ENDS;
}
struct QUE_15 { ACTOR; QUEUE(8); };
SCENARIO(QUE_15) {
    BEGINS;
    QUEUE_INIT(8);
    AX_AWAIT(ax_queue_join(me, &my->q));
    say("join_empty");
    put(&my->q, text("a"));
    put(&my->q, text("b"));
    GO(ROOT, "W", QUE_15_w, .q = &my->q);
    GO(ROOT, "J", QUE_j, .q = &my->q);
    AX_AWAIT(ms(me, 30));
    QUEUE_STATE;
    ENDS;
}

/* marking done too often is refused */
struct QUE_16 { ACTOR; QUEUE(8); int item; };
SCENARIO(QUE_16) {
    BEGINS;
    QUEUE_INIT(8);
    say_error(ax_queue_task_done(&my->q));
    put(&my->q, 1);
    ax_queue_try_get(&my->q, &my->item);
    ax_queue_task_done(&my->q);
    say_error(ax_queue_task_done(&my->q));
    QUEUE_STATE;
    ENDS;
}

/* put does not suspend when there is room, nor get when there is an item */
struct QUE_18 { ACTOR; QUEUE(2); int item; };
SCENARIO(QUE_18) {
    BEGINS;
    QUEUE_INIT(2);
    GO(ROOT, "B", ran);
    my->item = 1;
    AX_AWAIT(ax_queue_put(me, &my->q, &my->item));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    say("before_yield");
    AX_AWAIT(ms(me, 0));
    ENDS;
}

/* closing an empty queue: waiting getters learn of the end, all later calls too */
struct QUE_19 { ACTOR; QUEUE(8); int item; };
SCENARIO(QUE_19) {
    BEGINS;
    QUEUE_INIT(8);
    GO(ROOT, "A", getter, .q = &my->q);
    GO(ROOT, "B", getter, .q = &my->q);
    AX_AWAIT(ms(me, 10));
    ax_queue_close(&my->q);
    ax_queue_close(&my->q);
    say("shut");
    AX_AWAIT(ms(me, 0));
    AX_TRY(ax_queue_put(me, &my->q, &my->item));
    say_error(me->rc);
    say_error(put(&my->q, 1));
    AX_TRY(ax_queue_get(me, &my->q, &my->item));
    say_error(SHUT(me->rc));
    say_error(SHUT(ax_queue_try_get(&my->q, &my->item)));
    AX_AWAIT(ax_queue_join(me, &my->q));
    QUEUE_STATE;
    ENDS;
}

/* closing a queue with items: they can still be taken, putters are refused */
struct QUE_20 { ACTOR; QUEUE(1); int item; };
SCENARIO(QUE_20) {
    BEGINS;
    QUEUE_INIT(1);
    put(&my->q, text("a"));
    PUTTER("P", "b");
    GO(ROOT, "J", QUE_j, .q = &my->q);
    AX_AWAIT(ms(me, 10));
    ax_queue_close(&my->q);
    AX_AWAIT(ms(me, 0));
    AX_AWAIT(ax_queue_get(me, &my->q, &my->item));
    say("got(%s)", word(my->item));
    AX_TRY(ax_queue_get(me, &my->q, &my->item));
    say_error(SHUT(me->rc));
    AX_AWAIT(ms(me, 10));
    ax_queue_task_done(&my->q);
    AX_AWAIT(ms(me, 1));
    say_error(ax_queue_task_done(&my->q));
    QUEUE_STATE;
    ENDS;
}

/* closing at once drops the items and counts them as done */
struct QUE_21 { ACTOR; QUEUE(8); int item; };
SCENARIO(QUE_21) {
    BEGINS;
    QUEUE_INIT(8);
    put(&my->q, text("a"));
    put(&my->q, text("b"));
    put(&my->q, text("c"));
    ax_queue_try_get(&my->q, &my->item);
    say("got(%s)", word(my->item));
    GO(ROOT, "J", QUE_j, .q = &my->q);
    AX_AWAIT(ms(me, 10));
    ax_queue_close_now(&my->q, NULL, NULL);
    say("qsize(%d)", (int)my->q.count);
    AX_TRY(ax_queue_get(me, &my->q, &my->item));
    say_error(SHUT(me->rc));
    AX_AWAIT(ms(me, 10));
    ax_queue_task_done(&my->q);
    AX_AWAIT(ms(me, 1));
    say_error(ax_queue_task_done(&my->q));
    QUEUE_STATE;
    ENDS;
}

/* consumers drain a queue that was closed and end by themselves */
struct QUE_25_c { ACTOR; ax_queue *q; int item; };
AX_ASYNC(QUE_25_c) {
    BEGINS;
    AX_WHILE(ax_queue_get(me, my->q, &my->item)) {
        AX_AWAIT(ms(me, 10));
        say("did(%s)", word(my->item));
        ax_queue_task_done(my->q);
    }
    say("stop(%s)", word(SHUT(me->rc)));
    ENDS;
}
struct QUE_25 { ACTOR; QUEUE(8); int i; };
SCENARIO(QUE_25) {
    BEGINS;
    QUEUE_INIT(8);
    GO(ROOT, "A", QUE_25_c, .q = &my->q);
    GO(ROOT, "B", QUE_25_c, .q = &my->q);
    for (my->i = 1; my->i <= 5; my->i++) put(&my->q, my->i);
    AX_AWAIT(ms(me, 5));
    ax_queue_close(&my->q);
    AX_AWAIT(ax_queue_join(me, &my->q));
    say("joined");
    AX_AWAIT(ms(me, 1));
    QUEUE_STATE;
    ENDS;
}
