/* What both kits (kit.h, targets/kit.h) end with: the forms of a scenario, and a task that most of them use. */
#ifndef SLEEPER_H
#define SLEEPER_H
#define SCENARIO(name, status, trace, ...) \
    kit_judge(name, AX_RUN_WITH(kit_desc(), __VA_ARGS__), status, trace, NULL, __FILE__, __LINE__)
#define MISUSE(name, status, trace, report, ...) \
    kit_judge(name, AX_RUN_WITH(kit_desc(), __VA_ARGS__), status, trace, report, __FILE__, __LINE__)

/* Sleeps, then ends with a status; its cleanup takes a while. Says so: "A:0@10" is its status and when its cleanup ended. */
struct sleeper { ax_frame frame; const char *name; int time, status, cleanup; };
AX_ASYNC(sleeper) {
    AX_BEGIN;
    if (my->time) AX_AWAIT(ax_sleep(me, my->time < 0 ? AX_FOREVER : AX_MS(my->time)));
    AX_RETURN(my->status);
    AX_FINALLY:
    if (my->cleanup) AX_AWAIT(ax_sleep(me, AX_MS(my->cleanup)));
    if (my->name) LOG("%s:%d@%d", my->name, ax_leaving(me), ms(me->loop));
    AX_END;
}
static inline __attribute__((unused)) const struct axi_fn *kit_keep(void) { return AXI_FN(sleeper)(); }
#endif
