#!/bin/sh
# The freestanding core on this host: its tests (tests/targets/core.c) and its random tester in every variant that changes the code, plain
# and under the sanitizers; that all variants compile cleanly for hosts and targets; and what AX_SEC and the like come to. Speaks TAP.
# A compiler that is missing is skipped; with CI set in the environment it is a failure.
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/tests/targets
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
WARN="-Wall -Wextra -Wpedantic -Wshadow -Werror"
SAN="-fsanitize=address,undefined -fno-sanitize-recover=all"
n=0
failed=0

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { # name, file with the details
    n=$((n + 1))
    failed=1
    echo "not ok $n - $1"
    grep -v '^ok' "$2" | sed 's/^/# /' | head -20
}
missing() { # tool
    n=$((n + 1))
    if [ -n "$CI" ]; then failed=1; echo "not ok $n - $1 is missing"; else echo "ok $n - $1 # SKIP not installed"; fi
}
has() { command -v "$1" >/dev/null 2>&1; }
clean() { # name, command: it succeeds and says nothing
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1 && [ ! -s "$tmp/out" ]; then ok "$name"; return 0
    else echo "$*" >>"$tmp/out"; not_ok "$name" "$tmp/out"; return 1; fi
}

# runs SOURCE COMPILER FLAGS
runs() {
    if ! $2 $WARN $3 -I"$root" -o "$tmp/run" "$here/$1" >"$tmp/out" 2>&1; then not_ok "$1 compiles: $2 $3" "$tmp/out"
    elif timeout 60 "$tmp/run" >"$tmp/out" 2>&1; then ok "$1: $2 $3"
    else not_ok "$1: $2 $3" "$tmp/out"; fi
}
# FULL=1: all of them under the sanitizers, and every variant by every compiler, which takes minutes.
every="|-DASYNCX_NO_CANCEL|-DASYNCX_NO_KEEP|-DASYNCX_NO_GENERATORS|-DASYNCX_NAMES=1|-DASYNCX_DEBUG=1|-DASYNCX_COMMA|-DASYNCX_STATIC|-DASYNCX_STATIC -DASYNCX_NO_CANCEL"
each() { # function and its arguments, then each variant
    old=$IFS
    IFS='|'
    for variant in $every; do
        IFS=$old
        "$@" "$variant"
        IFS='|'
    done
    IFS=$old
}
run_variant() { runs core.c "gcc -std=c99" "$1 -DASYNCX_TIME_BITS=$2 $3"; }
if [ -n "$FULL" ]; then
    for bits in 16 32 64; do each run_variant "-O1 $SAN" $bits; done
else
    each run_variant -O0 32
    for bits in 16 64; do
        run_variant -O0 $bits ""
        run_variant -O0 $bits -DASYNCX_NO_CANCEL
    done
    run_variant "-O0 $SAN" 16 ""
    run_variant "-O0 $SAN" 32 ""
    run_variant "-O0 $SAN" 32 -DASYNCX_NO_CANCEL
fi
runs core.c "gcc -std=c99" "-O2 -DASYNCX_TIME_BITS=16"
if has clang; then runs core.c "clang -std=c99" -Os; else missing clang; fi
if has g++; then runs core.c "g++ -std=c++11" -O1; else missing g++; fi

# The random tester with the shortest tick; with 32 bits `make test` runs it.
runs ../freestanding.c "gcc -std=c99 -D_GNU_SOURCE" "-O0 $SAN -DASYNCX_TIME_BITS=16 -I$root/tests"
for variant in "" -DASYNCX_COMMA -DASYNCX_DEBUG=1; do
    runs ../cleanups.c "gcc -std=c99 -D_GNU_SOURCE" "-O0 $SAN -DASYNCX_FREESTANDING -I$root/tests $variant"
done

# The host's random programs, on the freestanding form: there they know times to the tick, requests beyond 15, and allocations that fail.
mkdir "$tmp/exact"
sed -e 's/AXI_MOST_REQUESTS = 15,/AXI_MOST_REQUESTS = UCHAR_MAX,/' -e 's/AXI_MINUS(axi_clock(loop), -1);/axi_clock(loop);/' \
    -e 's/time > 0 ? time : -2);/time > 0 ? time : -1);/' -e 's/^static void \*axi_alloc(ax_loop \*loop, size_t size) {/& if (may_not_allocate()) return NULL;/' \
    "$root/asyncx.h" >"$tmp/exact/asyncx.h"
root_was=$root
root=$tmp/exact
runs ../random.c "gcc -std=c99 -D_GNU_SOURCE" "-O0 $SAN -DASYNCX_FREESTANDING -I$root_was/tests"
root=$root_was

# What durations come to, at rates that divide and that do not.
for hz in 1000 100 32768 1000000 50 1024 8000000; do
    for bits in 16 32 64; do
        clean "AX_SEC, AX_MS and AX_US at $hz Hz, $bits bits" gcc -std=c99 $WARN -DASYNCX_TICK_HZ=$hz -DASYNCX_TIME_BITS=$bits -I"$root" -fsyntax-only "$here/times.c"
    done
done
if has avr-gcc; then clean "AX_SEC, AX_MS and AX_US: avr" avr-gcc -std=gnu99 -mmcu=atmega328p $WARN -DASYNCX_TICK_HZ=32768 -DASYNCX_TIME_BITS=16 -I"$root" -c -o "$tmp/x.o" "$here/times.c"; else missing avr-gcc; fi

# The host's own scenarios, on the freestanding form (tests/targets/kit.h), with the host's numbers of errors so that the traces are the
# same. What differs is named here: a clock or an allocator of the test's, sentences of reports, and two limits a tick apart.
sed 's/AX_##name = -AXI_NUMBER_##name,/AX_##name = -name,/' "$root/asyncx.h" >"$tmp/asyncx.h"
scenarios() { # tests that differ, as a pattern; program
    if ! gcc -std=c99 -D_GNU_SOURCE -w -g -O0 $SAN -include "$here/kit.h" -I"$tmp" -I"$root" -o "$tmp/run" "$root/tests/$2.c" >"$tmp/out" 2>&1; then
        not_ok "tests/$2.c compiles freestanding" "$tmp/out"
        return
    fi
    timeout 60 "$tmp/run" >"$tmp/all" 2>&1
    [ $? -le 1 ] || echo "died" >>"$tmp/all"
    grep -A4 -E '^not ok|^died|runtime error|ERROR' "$tmp/all" | grep -E '^not ok|^died|runtime error|ERROR' | grep -v -E "$1" >"$tmp/out"
    grep -q '^1\.\.' "$tmp/all" || echo "ended early" >>"$tmp/out"
    if [ -s "$tmp/out" ]; then not_ok "tests/$2.c on the freestanding form" "$tmp/out"
    else ok "tests/$2.c on the freestanding form: $(grep -c '^ok' "$tmp/all") scenarios"; fi
}
scenarios 'nothing' ops
scenarios "an aborting group refuses|out of memory|got no memory|whose error is told|a hook may" groups
scenarios "a bare number is refused|a result that won is delivered|but an ax_timeout counts as expired" scopes
scenarios 'both at once: the outer reports|out of memory' generators
scenarios 'the rate is exact|a bare number is refused' pacing

# Without a warning for every target.
compile() { # compiler and flags, variant
    : >"$tmp/said"
    if [ -n "$FULL" ]; then for bits in 16 32 64; do each compile_variant "$1 -DASYNCX_TIME_BITS=$bits"; done
    else
        compile_variant "$1" "$2"
    fi
    if [ -s "$tmp/said" ]; then not_ok "compiles cleanly: $1 $2" "$tmp/said"; else ok "compiles cleanly: $1 $2"; fi
}
compile_variant() {
    case $1 in arm*m3*) board=m3 ;; avr*) board=avr ;; riscv*) board=rv32 ;; *) board=m0 ;; esac
    $1 $WARN -I"$root" -I"$root/examples/embedded" -I"$root/examples/embedded/$board" $2 -c -o "$tmp/x.o" "$here/core.c" >>"$tmp/said" 2>&1 || echo "failed: $1 $2" >>"$tmp/said"
}
while read -r cc; do
    variant=${cc#*|} cc=${cc%%|*}
    if has "${cc%% *}"; then compile "$cc" "$variant"; else missing "${cc%% *}"; fi
done <<END
clang++ -x c++ -std=c++11 -O0|-DASYNCX_TIME_BITS=16 -DASYNCX_DEBUG=1
clang++ -x c++ -std=c++20 -O0|
g++ -x c++ -std=c++20 -O0|-DASYNCX_NO_CANCEL
arm-none-eabi-gcc -std=c99 -Os -mcpu=cortex-m0 -mthumb -ffreestanding|
arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m3 -mthumb -ffreestanding|-DASYNCX_STATIC -DASYNCX_NO_CANCEL
clang --target=thumbv6m-none-eabi -std=c99 -Os -ffreestanding|-DASYNCX_STATIC -DASYNCX_NO_CANCEL
avr-gcc -std=gnu99 -Os -mmcu=atmega328p|
avr-gcc -std=gnu99 -Os -mmcu=atmega328p|-DASYNCX_STATIC -DASYNCX_NO_CANCEL -DASYNCX_TIME_BITS=16
riscv64-unknown-elf-gcc -std=c99 -Os -march=rv32imac_zicsr -mabi=ilp32 -ffreestanding|-DASYNCX_NAMES=1
END

# two files of one program link if their options agree, and do not otherwise
mkdir "$tmp/link"
printf '#define ASYNCX_IMPLEMENTATION\n#include "asyncx.h"\n' >"$tmp/link/one.c"
cat >"$tmp/link/two.c" <<END
#include "asyncx.h"
struct task { ax_frame frame; };
AX_ASYNC(task) { AX_BEGIN; AX_AWAIT(ax_sleep(me, 3)); AX_END; }
static ax_time tick;
void ax_port_lock(void) {}
void ax_port_unlock(void) {}
ax_time ax_port_now(void) { return tick; }
void ax_port_idle(ax_time until) { tick = until; }
void ax_port_wake(void) {}
static ax_loop loop;
static AX_TASK(task) one;
int main(void) { ax_loop_open(&loop, NULL); AX_SPAWN_IN(&loop.root, &one, task); return ax_loop_run(&loop); }
END
# ... also where one only has a function that the other calls
sed 's/^AX_ASYNC.*/AX_EXTERN(task);/' "$tmp/link/two.c" >"$tmp/link/root.c"
sed -n '1,3p' "$tmp/link/two.c" | sed 's/^AX_ASYNC/AX_EXTERN(task);\nAX_PUBLIC/' >"$tmp/link/leaf.c"
cc="${CC:-cc} -std=c99 -DASYNCX_FREESTANDING -I$root"
$cc -c -o "$tmp/link/one.o" "$tmp/link/one.c" >"$tmp/out" 2>&1
if $cc -o "$tmp/run" "$tmp/link/two.c" "$tmp/link/one.o" >>"$tmp/out" 2>&1 && "$tmp/run"; then ok "two files with the same options link and run"
else not_ok "two files with the same options link and run" "$tmp/out"; fi
for option in -DASYNCX_TIME_BITS=16 -DASYNCX_TICK_HZ=100 -DASYNCX_NO_KEEP -DASYNCX_DEBUG=1; do
    if $cc $option -o "$tmp/run" "$tmp/link/two.c" "$tmp/link/one.o" >"$tmp/out" 2>&1; then not_ok "with $option in one file only they do not link" "$tmp/out"
    elif grep -q 'undefined reference.*axi_task_start' "$tmp/out"; then ok "with $option in one file only they do not link"
    else not_ok "with $option in one file only they do not link" "$tmp/out"; fi
    if ! $cc -o "$tmp/run" "$tmp/link/root.c" "$tmp/link/leaf.c" "$tmp/link/one.o" >"$tmp/out" 2>&1 || ! "$tmp/run"; then not_ok "three files link and run" "$tmp/out"
    elif $cc $option -c -o "$tmp/link/leaf.o" "$tmp/link/leaf.c" && ! $cc -o "$tmp/run" "$tmp/link/root.c" "$tmp/link/leaf.o" "$tmp/link/one.o" >"$tmp/out" 2>&1 &&
        grep -q 'undefined reference.*task_axi' "$tmp/out"; then ok "... nor if a leaf has $option"
    else not_ok "... nor if a leaf has $option" "$tmp/out"; fi
done

echo "1..$n"
exit $failed
