#!/bin/sh
# What each part of asyncx adds to a program's text and data, in bytes: `make sizes`. Each row is the core program with one part
# more. Extern: the implementation is a file of its own, the linker drops what is not used. Static: one file, ASYNCX_STATIC.
# Cortex-M0: the same freestanding, with a port of empty functions; "-" is for what needs an operating system or a 64-bit clock.
set -eu
cd "$(dirname "$0")/.."
CC=${CC:-cc}
FLAGS="-std=c99 -D_GNU_SOURCE -Os -DNDEBUG -I. -ffunction-sections -fdata-sections -Wl,--gc-sections"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '#define ASYNCX_IMPLEMENTATION\n#include "asyncx.h"\n' > "$dir/asyncx.c"
$CC $FLAGS -c -o "$dir/asyncx.o" "$dir/asyncx.c"

# build MORE...: the text and data of the program in a.c
build() {
    $CC $FLAGS -o "$dir/a" "$dir/a.c" "$@" -lpthread
    size "$dir/a" | awk 'NR == 2 { print $1 + $2 }'
}
as_extern() { build "$dir/asyncx.o"; }
as_static() { build -DASYNCX_STATIC -DASYNCX_IMPLEMENTATION; }
m0=$(command -v arm-none-eabi-gcc || true)
[ -n "$m0" ] || [ -z "${CI-}" ] || { echo "arm-none-eabi-gcc is missing" >&2; exit 1; }
cat > "$dir/port.h" <<END
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
void ax_port_wake(void) {}
ax_time ax_port_now(void) { return 0; }
void ax_port_idle(ax_time until) { (void)until; }
END
as_m0() {
    [ -n "$m0" ] && { cat "$dir/a.c"; ! grep -q asyncx "$dir/a.c" || cat "$dir/port.h"; } > "$dir/m0.c" &&
        "$m0" -std=c99 -Os -mcpu=cortex-m0 -mthumb -ffreestanding -nostdlib -ffunction-sections -fdata-sections -Wl,--gc-sections \
            -Wl,-e,main -DNDEBUG -DASYNCX_FREESTANDING -DASYNCX_STATIC -DASYNCX_IMPLEMENTATION -Werror=implicit-function-declaration \
            -I. -o "$dir/m0" "$dir/m0.c" -lgcc > "$dir/log" 2>&1 && arm-none-eabi-size "$dir/m0" | awk 'NR == 2 { print $1 + $2 }'
}
# more SIZE THAN: the difference, or "-"
more() { if [ -n "$1" ]; then echo $(($1 - $2)); else echo -; fi; }
# program FIELDS STATEMENTS DEFINITIONS: a main task that sleeps, and has these
program() {
    cat > "$dir/a.c" <<END
#include "asyncx.h"
$3
struct app { ax_frame frame; char buffer[16]; $1 };
AX_ASYNC(app) { AX_BEGIN; AX_AWAIT(ax_sleep(me, AX_SEC(1))); $2 AX_END; }
int main(void) { return AX_RUN(app); }
END
}
row() { printf '%-38s %7s %7s %9s\n' "$@"; }
# part NAME FIELDS STATEMENTS [DEFINITIONS]
part() {
    program "$2" "$3" "${4-}"
    row "+ $1" $(($(as_extern) - core)) $(($(as_static) - core_static)) "$(more "$(as_m0 || true)" "$core_m0")"
}
child='struct child { ax_frame frame; }; AX_ASYNC(child) { AX_BEGIN; AX_AWAIT(ax_sleep(me, AX_SEC(1))); AX_END; }'
items='struct items { ax_frame frame; }; AX_ASYNC(items) { AX_BEGIN; AX_EMIT(); AX_END; }'
called='static void called(ax_loop *l, void *arg) { (void)l; (void)arg; }'
seen='static void seen(ax_loop *l, unsigned events, void *arg) { (void)l; (void)events; (void)arg; }'
serve='static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *arg) { (void)peer; (void)arg; return ax_read(me, fd, NULL, 0); }'
job='static int job(void *data) { return data != NULL; }'

echo "text and data, -Os -DNDEBUG, $($CC -dumpmachine), $($CC --version | sed 1q)"
row "" extern static Cortex-M0
echo 'int main(void) { return 0; }' > "$dir/a.c"
empty=$(build)
empty_m0=$(as_m0 || true)
row "an empty program" "$empty" "$empty" "${empty_m0:--}"
program "" "" ""
core=$(as_extern)
core_static=$(as_static)
core_m0=$(as_m0 || true)
row "+ core: a main task that sleeps" $((core - empty)) $((core_static - empty)) "$(more "$core_m0" "$empty_m0")"
part "a nested call" "" "AX_AWAIT(AX_CALL(child));" "$child"
part "tasks in a group" "ax_group g;" \
    "ax_group_open(me, &my->g, 0); AX_SPAWN(&my->g, child); AX_AWAIT(ax_group_join(me, &my->g));" "$child"
part "cancel, join" "ax_task *t;" "ax_cancel(my->t); AX_AWAIT(ax_join(me, my->t));"
part "time limit of an await" "" "AX_AWAIT(AX_WITHIN(AX_SEC(1), ax_checkpoint(me)));"
part "time limit of a body" "ax_timeout limit;" "ax_timeout_open(me, &my->limit, AX_SEC(1)); ax_timeout_close(&my->limit);"
part "semaphore" "ax_sem s;" "ax_sem_init(&my->s, 1, 0); AX_AWAIT(ax_sem_acquire(me, &my->s)); ax_sem_release(&my->s);"
part "semaphore, also as a scope" "ax_sem s; ax_permit p;" \
    "ax_sem_init(&my->s, 1, 0); AX_AWAIT(ax_sem_enter(me, &my->s, &my->p)); ax_sem_leave(&my->p);"
part "mutex" "ax_mutex m;" "AX_AWAIT(ax_mutex_lock(me, &my->m)); ax_mutex_unlock(me, &my->m);"
part "mutex and condition" "ax_mutex m; ax_cond c;" \
    "ax_cond_init(&my->c, &my->m); AX_AWAIT(ax_mutex_lock(me, &my->m)); ax_cond_notify(me, &my->c, 1);
     AX_AWAIT(ax_cond_wait(me, &my->c)); ax_mutex_unlock(me, &my->m);"
part "barrier" "ax_barrier b;" "ax_barrier_init(&my->b, 1); AX_AWAIT(ax_barrier_wait(me, &my->b));"
part "event" "ax_event e;" "ax_event_set(&my->e); AX_AWAIT(ax_event_wait(me, &my->e));"
part "future" "ax_future f;" "ax_future_complete(&my->f, 0); AX_AWAIT(ax_future_wait(me, &my->f));"
part "queue" "ax_queue q;" \
    "ax_queue_init(&my->q, my->buffer, 8, 1); AX_AWAIT(ax_queue_put(me, &my->q, my->buffer + 8));
     AX_AWAIT(ax_queue_get(me, &my->q, my->buffer + 9)); ax_queue_close(&my->q);"
part "growing queue" "ax_queue q;" \
    "ax_queue_init_growing(&my->q, me->loop, 0, 1); ax_queue_try_put(&my->q, my->buffer);
     AX_AWAIT(ax_queue_get(me, &my->q, my->buffer + 9)); ax_queue_free(&my->q);"
part "limiter" "ax_limiter l;" "ax_limiter_init(&my->l, 10, AX_SEC(1), 1); AX_AWAIT(ax_limiter_acquire(me, &my->l, 1));"
part "back-off" "ax_backoff b;" "AX_AWAIT(ax_sleep(me, ax_backoff_next(&my->b)));"
part "generator" "AX_GENERATOR(items) g;" "AX_GENERATE(&my->g, items); AX_AWAIT(ax_next(me, &my->g.generator));" "$items"
part "callback (ax_soon)" "ax_callback c;" "ax_soon(me->loop, &my->c, called, NULL);" "$called"
part "callback from a thread (ax_post)" "ax_callback c;" "ax_post(me->loop, &my->c, called, NULL);" "$called"
part "timer" "ax_timer t;" "ax_timer_start(me->loop, &my->t, 0, called, NULL); ax_timer_stop(&my->t);" "$called"
part "read" "" "AX_AWAIT(ax_read(me, 0, my->buffer, sizeof my->buffer));"
part "accept, read, write" "" \
    "AX_AWAIT(ax_accept(me, 0, NULL)); AX_AWAIT(ax_read(me, 0, my->buffer, 16)); AX_AWAIT(ax_write_all(me, 1, my->buffer, 16));"
part "a reader's line, a writer" "ax_reader r; ax_writer w;" \
    "AX_AWAIT(ax_reader_line(me, &my->r)); AX_AWAIT(ax_writer_write(me, &my->w, my->buffer, 9)); AX_AWAIT(ax_writer_flush(me, &my->w));"
part "a server, with all it uses" "" "AX_AWAIT(AX_CALL(ax_server, .fd = ax_tcp_listen(NULL, 1, 0), .serve = serve));" "$serve"
part "ax_tcp_connect, with all it uses" "" "AX_AWAIT(ax_tcp_connect(me, \"h\", 1));"
part "watch" "ax_watch w;" "ax_watch_start(me->loop, &my->w, 0, AX_IN, seen, NULL); ax_watch_stop(&my->w);" "$seen"
part "threads (ax_to_thread)" "" "AX_AWAIT(ax_to_thread(me, job, my->buffer, sizeof my->buffer));" "$job"
part "ax_exit and its sentences" "" "ax_exit(me->rc);"

# What the core program holds of parts that it does not use: without inlining, so that the functions have names.
echo
echo "in the core program without being used there (bytes, not inlined):"
program "" "" ""
build -DASYNCX_STATIC -DASYNCX_IMPLEMENTATION -fno-inline > /dev/null
nm -S -t d "$dir/a" > "$dir/names"
# unused PART PATTERN
unused() {
    awk -v part="$1" -v names="^axi?_($2)[.a-z0-9]*$" '
        $4 ~ names { sum += $2; sub(/\..*/, "", $4); list = list " " $4 }
        END { printf "  %-12s %5d %s\n", part, sum, list }' "$dir/names"
}
unused "groups" 'group_(close|end|take_back|drop.*|result|fail)|forget_join'
unused "limits" 'limits?_.*|expire|within_end|timeout_.*|take_back|rebase'
unused "locks" '(sem|permit|mutex|cond|barrier|event|future)_.*|forget_(permit|relock)'
unused "generators" '(generator_.*|may_emit|forget_(paused|close|item))'
unused "descriptors" '(fd|watch|poll|from_poll|to_poll|drain_pipe|nonblocking)(_.*)?'
unused "posts" 'take_posts|callback_stop|poke'
unused "threads" '(threads?|pools?|job)_.*|worker'
unused "signals" '.*signals?(_.*)?'
unused "messages" '(say|tell)_.*|say|run_watched|step_.*|task_where'
