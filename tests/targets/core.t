#!/bin/sh
# The core's tests on every board: the same scenarios as on the host; on AVR bytes from a real interrupt as well, and what wakes the
# processor. TAP. Boards whose tools are missing are skipped (in CI that is a failure). TARGETS=quick: M0, and on AVR
# what has to do with its interrupts.
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0

# is GOT WANT NAME [FILE of details]
is() {
    count=$((count + 1))
    if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
        failed=1
        printf 'not ok %d - %s\n#   got      %s\n#   expected %s\n' $count "$3" "$1" "$2"
        [ -z "$4" ] || grep -v '^ok' "$4" | sed 's/^/# /' | head -20
    fi
}
# core BOARD NAME FLAGS [ARGUMENT...]
core() {
    board=$1 name=$2 flags=$3
    shift 3
    # shellcheck disable=SC2086
    if "$target" build "$board" "$dir/image" "$here/core.c" -- -Werror $flags >"$dir/out" 2>&1; then
        TARGET_TIMEOUT=60 "$target" run "$board" "$dir/image" "$@" >"$dir/out" 2>&1
    else false; fi
    is "exit $?" "exit 0" "$board: $name" "$dir/out"
}
boards="m0 m3 rv32" rates="9600 115200 500000" parts="1 2 3 4 5 6 7 8 9 10" quick=
[ "${TARGETS-}" = quick ] && boards=m0 rates=500000 parts="1 9" quick=1
for board in $boards; do
    if "$target" have $board >"$dir/out"; then
        core $board "the core" ""
        [ -z "$quick" ] || continue
        core $board "the core with 16-bit ticks" -DASYNCX_TIME_BITS=16
        core $board "the core without cancellation" -DASYNCX_NO_CANCEL
    elif [ $? != 77 ]; then is missing there "tools of $board"
    else count=$((count + 1)); echo "ok $count - $board # SKIP $(cat "$dir/out")"; fi
done

if "$target" have avr >"$dir/out"; then
    for part in $parts; do core avr "the core, part $part" -DPART=$part --cycles 4000000000; done
    if [ -z "$quick" ]; then
        core avr "sleeping, with 16-bit ticks" "-DPART=1 -DASYNCX_TIME_BITS=16"
        core avr "flags and rings, with 16-bit ticks" "-DPART=9 -DASYNCX_TIME_BITS=16"
        core avr "sleeping, without cancellation" "-DPART=1 -DASYNCX_NO_CANCEL"
    fi

    perl -e 'print map { chr($_ % 256) } 0 .. 9999' >"$dir/bytes"
    ring() { # FLAGS ARGUMENT...: what it printed, and how it ended
        flags=$1
        shift
        # shellcheck disable=SC2086
        "$target" build avr "$dir/ring" "$here/ring.c" -- -Werror $flags || { echo "does not build"; return; }
        "$target" run avr "$dir/ring" --uart "$dir/bytes" "$@" 2>/dev/null
        echo "exit $?"
    }
    for rate in $rates; do
        is "$(ring "" --uart-rate $rate)" "got 10000, lost 0
exit 0" "avr: 10,000 bytes through a ring at $rate baud"
    done
    if [ -z "$quick" ]; then
        is "$(ring -DRING=256 --uart-rate 500000)" "got 10000, lost 0
exit 0" "avr: ... through one of 256 bytes"
        is "$(ring -DRING=2 --uart-rate 115200)" "got 10000, lost 0
exit 0" "avr: ... through one of 2 bytes"
    fi
    is "$(ring -DSLOW --uart-rate 115200 | tail -1)" "exit 0" "avr: a reader that is too slow hears of every gap"
    "$target" build avr "$dir/ring" "$here/ring.c" -- -Werror -DTOTAL=12
    lost=0
    phase=0
    while [ $phase -lt 128 ]; do # one byte after the other into a program that sleeps, at every phase of its going to sleep
        "$target" run avr "$dir/ring" --cycles 1600000 --uart "$dir/bytes" --uart-at $((20000 + phase)) --uart-rate 40000 >/dev/null 2>&1 || lost=$((lost + 1))
        phase=$((phase + 1))
    done
    is $lost 0 "avr: bytes from 128 phases, none is slept over"

    "$target" build avr "$dir/tickless" "$here/tickless.c" -- -Werror
    wakes=$("$target" run avr "$dir/tickless" --stats 2>&1 | sed -n 's/.* wakes=\([0-9]*\) .*/\1/p')
    is "$wakes" 43 "avr: in 10 s of sleep the timer's 40 periods and three deadlines wake, nothing else"
elif [ $? != 77 ]; then is missing there "tools of avr"
else count=$((count + 1)); echo "ok $count - avr # SKIP $(cat "$dir/out")"; fi

echo "1..$count"
exit $failed
