/* DBG: what is reported. */

static void DBG_open(ax_loop_desc *desc) { /* instead of the loop that is open */
    ax_loop_close(&the_loop);
    open_loop(desc);
}

/* a step that blocks the loop too long is reported, a short one is not */
static void DBG_01_slow(void *ctx, const char *text) {
    (void)ctx;
    if (strncmp(text, "a step held the loop", 20) == 0) says("LOG", "slow_callback");
}
static void DBG_01_burn(int ms) { own_now += AX_MS(ms); }
static void DBG_01_callback(ax_loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    says("cb", "burn");
    DBG_01_burn(120);
}
struct DBG_01_burns { ACTOR; int time; };
AX_ASYNC(DBG_01_burns) {
    BEGINS;
    say("burn");
    DBG_01_burn(my->time);
    ENDS;
}
struct DBG_01_m { ACTOR; };
AX_ASYNC(DBG_01_m) {
    BEGINS;
    GO(ROOT, "A", DBG_01_burns, .time = 150);
    GO(ROOT, "B", DBG_01_burns, .time = 50);
    soon(DBG_01_callback, NULL);
    AX_AWAIT(ax_checkpoint(me));
    ENDS;
}
static void DBG_01_play(void) {
    ax_loop_desc desc = {0};
    desc.clock = own_clock;
    desc.clock_ctx = &own_now;
    desc.report = DBG_01_slow;
    desc.slow = AX_MS(100);
    own_now = 0;
    DBG_open(&desc);
    GO(ROOT, "M", DBG_01_m);
}

/* a call that was made and never awaited is reported */
static void DBG_02_never(void *ctx, const char *text) {
    (void)ctx;
    if (strstr(text, "a call was not awaited") == text) says("LOG", "never_awaited");
}
struct DBG_02_x { ax_frame frame; };
AX_ASYNC(DBG_02_x) {
    AX_BEGIN;
    says("X", "ran");
    AX_END;
}
struct DBG_02_m { ACTOR; };
AX_ASYNC(DBG_02_m) {
    BEGINS;
    {
        ax_op dropped = AX_CALL(DBG_02_x);
        (void)dropped; /* or the compiler warns */
    }
    AX_AWAIT(ax_done(0));
    say("dropped");
    AX_AWAIT(AX_CALL(DBG_02_x));
    ENDS;
}
static void DBG_02_play(void) {
    ax_loop_desc desc = {0};
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.report = DBG_02_never;
    DBG_open(&desc);
    GO(ROOT, "M", DBG_02_m);
}

#if ASYNCX_DEBUG
/* using the loop from another thread is caught; ax_post is for that */
struct DBG_03_job { ax_callback soon, posts[2]; };
static struct DBG_03_job DBG_03_callbacks;
static int DBG_03_work(void *data) {
    static char caught[] = "W:caught(MISUSE)", posted[] = "W:posted";
    (void)data;
    if (ax_soon(&the_loop, &DBG_03_callbacks.soon, event, posted) == AX_EPERM) ax_post(&the_loop, &DBG_03_callbacks.posts[0], event, caught);
    ax_post(&the_loop, &DBG_03_callbacks.posts[1], event, posted);
    return 0;
}
struct DBG_03 { ACTOR; };
SCENARIO(DBG_03) {
    BEGINS;
    memset(&DBG_03_callbacks, 0, sizeof DBG_03_callbacks);
    AX_AWAIT(ax_to_thread(me, DBG_03_work, NULL, 0));
    AX_AWAIT(ms(me, 1));
    ENDS;
}
#endif

/* an error that nobody looked at is reported when the task is freed */
static void DBG_04_unheard(void *ctx, ax_task *task, int status) {
    (void)ctx;
    (void)task;
    says("LOOP", "never_retrieved(%s)", word(status));
}
struct DBG_04_fails { ACTOR; int error; };
AX_ASYNC(DBG_04_fails) {
    BEGINS;
    AX_RETURN(my->error);
    ENDS;
}
struct DBG_04_m { ACTOR; ax_task *a, *b; };
AX_ASYNC(DBG_04_m) {
    BEGINS;
    my->a = ax_task_ref(AX_SPAWN(ROOT, DBG_04_fails, .name = "A", .error = E1));
    my->b = ax_task_ref(AX_SPAWN(ROOT, DBG_04_fails, .name = "B", .error = E2));
    AX_AWAIT(ms(me, 1));
    say("read(%s)", word(ax_task_status(my->b)));
    ax_task_unref(my->a);
    ax_task_unref(my->b);
    say("dropped");
    ENDS;
}
static void DBG_04_play(void) {
    ax_loop_desc desc = {0};
    desc.flags = AX_VIRTUAL_CLOCK;
    desc.unheard = DBG_04_unheard;
    DBG_open(&desc);
    GO(ROOT, "M", DBG_04_m);
}
