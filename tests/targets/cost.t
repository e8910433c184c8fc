#!/bin/sh
# What tasks, frames and awaits cost at most, in bytes: memory by sizeof, an await by what ten more of them add to a function.
set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
at_most() { # NAME SIZE LIMIT
    n=$((n + 1))
    [ -n "$2" ] && [ "$2" -le "$3" ] && printf 'ok' || printf 'not ok'
    echo " $n - $1: ${2:-?} bytes, at most $3"
}
cat > "$dir/sizes.c" <<'E2'
#include "asyncx.h"
char task[sizeof(ax_task)], frame[sizeof(ax_frame)], both[sizeof(ax_task) + sizeof(ax_frame)];
E2
size_of() { # SYMBOL FLAGS...
    symbol=$1
    shift
    $cc "$@" -c -o "$dir/o" "$dir/sizes.c" && ${tools}nm -S -t d "$dir/o" | awk -v s="$symbol" '$4 == s { print $2 + 0 }'
}
# body COUNT: a function that awaits so often, for a time of its own each, and works in between
body() {
    echo '#include "asyncx.h"'
    echo 'void work(int); struct f { ax_frame frame; }; AX_ASYNC(f) { AX_BEGIN;'
    for i in $(seq "$1"); do echo "$2 work($i);" | sed "s/TIME/100 + 11 * $i/"; done
    echo 'AX_END; } const struct axi_fn *g(void); const struct axi_fn *g(void) { return AXI_FN(f)(); }'
}
text() { body "$1" "$2" > "$dir/body.c"; $cc -c -o "$dir/o" "$dir/body.c" && ${tools}size "$dir/o" | awk 'NR == 2 { print $1 }'; }
await() { # WHAT it adds, without the work
    echo $((($(text 20 "$1") - $(text 10 "$1") - $(text 20 "") + $(text 10 "")) / 10))
}
for board in m0 avr; do
    if ! "$here/target.sh" have $board > "$dir/log"; then
        sed 's/^/# /' "$dir/log"
        [ -z "${CI-}" ] || exit 1
        continue
    fi
    case $board in
    m0) tools=arm-none-eabi- flags="-std=c99 -mcpu=cortex-m0 -mthumb -ffreestanding" full=60 all=80 small=40 code=32 ;;
    avr) tools=avr- flags="-std=gnu99 -mmcu=atmega328p" full=35 all=49 small=30 code=56 ;;
    esac
    cc="timeout 60 ${tools}gcc $flags -Os -DNDEBUG -DASYNCX_FREESTANDING -I$here/../.."
    at_most "$board: a task" "$(size_of task)" $full
    at_most "$board: a frame" "$(size_of frame)" 20
    at_most "$board: a task with its first frame" "$(size_of both)" $all
    at_most "$board: the same, smallest" "$(size_of both -DASYNCX_NO_CANCEL)" $small
    at_most "$board: the same with 16-bit ticks" "$(size_of both -DASYNCX_TIME_BITS=16)" $all
    at_most "$board: the code of an AX_AWAIT of a sleep" "$(await "AX_AWAIT(ax_sleep(me, AX_MS(TIME)));")" $code
    at_most "$board: the code of an AX_TRY of a sleep" "$(await "AX_TRY(ax_sleep(me, AX_MS(TIME)));")" $code
done
[ $n -gt 0 ] && echo "1..$n" || echo "1..0 # SKIP no compiler for m0 or avr"
