/* Which of many hosts and ports take a connection: so many attempts at a time, each within a time limit.

     tcp_check [--timeout S] [--parallel N] [--open] HOST:PORTS...

   PORTS is a list such as 22,80,8000-8010. The table is in the order of the arguments, also after Ctrl-C: then with what is known.
   Exit code: 0 if all took one, else 1; 130 after Ctrl-C. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"

enum { MOST = 100000 };

static struct { double timeout; int parallel, only_open; } options = {2, 100, 0};

struct target { const char *host; int port, status; ax_time took; }; /* status: 0 it is open, AX_EINPROGRESS not known */

struct check { ax_frame frame; struct target *target; ax_sem *slots; ax_time start; };
AX_ASYNC(check) {
    struct target *t = my->target;
    AX_BEGIN;
    my->start = ax_now(me->loop);
    AX_TRY(AX_WITHIN(AX_SEC(options.timeout), ax_tcp_connect(me, t->host, t->port)));
    t->took = ax_since(me->loop, my->start);
    t->status = me->rc < 0 ? me->rc : 0;
    if (me->rc >= 0) ax_close(me->loop, me->rc);
    AX_FINALLY:
    ax_sem_release(my->slots);
    AX_END;
}

struct app { ax_frame frame; struct target *targets; int count, i; ax_sem slots; ax_group checks; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_sem_init(&my->slots, options.parallel, 0);
    ax_group_open(me, &my->checks, 0);
    for (; my->i < my->count; my->i++) {
        AX_AWAIT(ax_sem_acquire(me, &my->slots)); /* here, not in the task: else all tasks were there at once, and waited */
        if (!AX_SPAWN(&my->checks, check, .target = &my->targets[my->i], .slots = &my->slots)) AX_RETURN(AX_ENOMEM);
    }
    AX_END;
}

/* Takes "host:1,3-5" apart, in place, and adds its targets: how many there are then, or -1. */
static int add_targets(char *text, struct target *targets, int count) {
    const char *host;
    char *ports = args_host(text, &host), *next, *dash;
    for (; ports; ports = next) {
        int from, to;
        if ((next = strchr(ports, ',')) != NULL) *next++ = 0;
        if ((dash = strchr(ports, '-')) != NULL) *dash++ = 0;
        from = args_number(ports, 65535);
        to = dash ? args_number(dash, 65535) : from;
        if (from < 1 || to < from || to - from >= MOST - count) return -1;
        for (; from <= to; from++) {
            targets[count].host = host;
            targets[count].port = from;
            targets[count++].status = AX_EINPROGRESS;
        }
        if (!next) return count;
    }
    return -1;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--timeout", ARG_SECONDS, &options.timeout, 0, 3600, "what an attempt may take, with the look-up of the host"},
        {"--parallel", ARG_NUMBER, &options.parallel, 1, 10000, "so many attempts at a time"},
        {"--open", ARG_FLAG, &options.only_open, 0, 0, "tell only those that took a connection"},
    };
    static struct target targets[MOST];
    int i = ARGS_READ(argc, argv, "[OPTION]... HOST:PORTS...", args, 1, 10000), count = 0, open = 0, known = 0, rc;
    for (; i < argc; i++) {
        int more = add_targets(argv[i], targets, count);
        if (more < 0) args_wrong("no list of ports, or more than 100000 in all: ", argv[i], "");
        count = more;
    }
    rc = AX_RUN(app, .targets = targets, .count = count);
    for (i = 0; i < count; i++) {
        struct target *t = &targets[i];
        if (t->status != AX_EINPROGRESS) known++;
        if (t->status == 0) open++;
        if (t->status == 0) printf("%s:%d\topen\t%.1f ms\n", t->host, t->port, (double)t->took / 1e6);
        else if (!options.only_open) printf("%s:%d\t%s\n", t->host, t->port, ax_strerror(t->status));
    }
    printf("%d of %d open", open, count);
    printf(known < count ? ", %d not known\n" : "\n", count - known);
    if (rc < 0) return ax_exit(rc);
    return open < count;
}
