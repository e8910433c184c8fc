#!/bin/sh
# The ports of examples/embedded: exit codes arrive, sleep is exact to the tick, no interrupt is slept over. TAP.
# Boards whose tools are missing are skipped (in CI that is a failure). TARGETS=quick: without the long sleep, the variants, the
# board like another (M3), and the proof that the sweeps can tell.
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0

# is GOT WANT NAME
is() {
    count=$((count + 1))
    if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
        failed=1
        printf 'not ok %d - %s\n#   got      %s\n#   expected %s\n' $count "$3" "$1" "$2"
    fi
}

# outcome BOARD PROGRAM FLAGS [ARGUMENT...]: what it printed, and how it ended
outcome() {
    board=$1 program=$2 flags=$3
    shift 3
    # shellcheck disable=SC2086
    "$target" build "$board" "$dir/$board" "$here/$program.c" -- -Werror $FLAGS $flags || { echo "does not build"; return; }
    out=$("$target" run "$board" "$dir/$board" "$@" 2> "$dir/log")
    echo "${out:+$out, }exit $?"
}

quick= levels="-O0 -O1 -Os -O3" wrongs="1 2" all="m0 m3 avr rv32 host"
[ "${TARGETS-}" = quick ] && quick=1 levels=-Os wrongs= all="m0 avr rv32 host"
boards=
for board in $all; do
    if "$target" have $board; then boards="$boards $board"; elif [ $? != 77 ]; then is missing there "tools of $board"; fi
done

for board in $boards; do
    is "$(outcome $board clock "")" "slept 5000, late 0, exit 0" "$board: sleep is exact to the tick"
    is "$(outcome $board clock "-DBOARD_TICK_START=(INT32_MAX-1999) -DSTATUS=3")" "slept 5000, late 0, exit 3" \
        "$board: also over the wrap of the tick; a status arrives"
    if [ -z "$quick" ]; then
        is "$(outcome $board clock "-DASYNCX_TIME_BITS=16 -DBOARD_TICK_START=30000")" "slept 5000, late 0, exit 0" \
            "$board: also with ticks of 16 bits"
        long=
        [ $board = avr ] && long="--cycles 90000000000"
        # shellcheck disable=SC2086
        is "$(outcome $board clock -DLONG $long)" "slept 5040001, late 0, exit 0" \
            "$board: also for 84 minutes, over the wraps of counters"
    fi
    is "$(outcome $board clock "-DBOARD_RUN_MS=4321")" "exit 0" "$board: BOARD_RUN_MS ends it"
    is "$(outcome $board input "")" "a@50 down@100 up@101 b@101 down@2500 q@3000 , exit 0" "$board: scripted input, at its time"
    is "$(outcome $board input "-DBOARD_TICK_START=(INT32_MAX-100)")" "a@50 down@101 up@101 b@101 down@2500 q@3000 , exit 0" \
        "$board: at the tick that is AX_FOREVER's value too, a tick later"
    case $board in
    m0 | m3)
        is "$(outcome $board fault "")" "exit 99" "$board: a fault is exit 99"
        is "$(outcome $board fault -DLOCK_UP)" "exit 134" "$board: a lock-up is exit 134"
        ;;
    host)
        is "$(outcome host input -DNO_SCRIPT)" "exit 98" "host: a sleep that nothing can end is exit 98"
        is "$(outcome host clock -DBOARD_BARE)" "slept 5000, late 0, exit 0" "host: BOARD_BARE needs no BOARD_RUN_MS"
        for cc in gcc clang; do
            command -v $cc > "$dir/log" || continue
            for level in $levels; do
                is "$(CC=$cc && export CC && outcome host input $level)" "a@50 down@100 up@101 b@101 down@2500 q@3000 , exit 0" \
                    "host: the program's script is found by $cc $level"
            done
        done
        ;;
    rv32) is "$(outcome $board fault "")" "exit 99" "$board: a fault is exit 99" ;;
    avr)
        is "$(outcome avr fault "")" "exit 134" "avr: a jump to nowhere is exit 134"
        for flags in "" -DNO_SCRIPT; do
            "$target" build avr "$dir/avr$flags" "$here/input.c" -- $flags
            "$target" size avr "$dir/avr$flags" | cut -d' ' -f2 > "$dir/ram$flags"
        done
        is "$(cat "$dir/ram")" "$(cat "$dir/ram-DNO_SCRIPT")" "avr: a script is in flash, not in RAM"
        is "$(outcome avr clock "" --cycles 1000000)" "exit 124" "avr: the budget of cycles is kept"
        printf 'abq' > "$dir/bytes"
        is "$(outcome avr input -DNO_SCRIPT --press 5:1,40:0 --uart "$dir/bytes" --uart-at 320000 --uart-rate 500)" \
            "down@5 a@20 up@40 b@40 q@60 , exit 0" "avr: a real pin and a real UART"
        ;;
    esac
done

# lost PROGRAM FLAGS: raises INT0 at each of 512 cycles around the first sleep; says how many were slept over
lost() {
    outcome avr "$1" "$2" --stats > /dev/null
    first=$(sed -n 's/.*first-sleep=\([0-9]*\).*/\1/p' "$dir/log")
    lost=0 at=$((first - 480))
    while [ $at -lt $((first + 32)) ]; do
        "$target" run avr "$dir/avr" --cycles 16000000 --irq-at $at || lost=$((lost + 1))
        at=$((at + 1))
    done
    echo "$lost"
}
case $boards in
*avr*)
    is "$(lost wake "")" 0 "avr: of 512 phases of an interrupt around the sleep no flag of asyncx is lost"
    [ -n "$quick" ] || is "$(lost race "")" 0 "avr: nor is one that a program tests itself"
    for wrong in $wrongs; do
        n=$(lost race -DWRONG=$wrong)
        echo "# wrong $wrong: $n of 512 lost"
        is $((n > 0)) 1 "avr: a wrong one (race.c, WRONG $wrong) loses some: the sweep can tell"
    done
    ;;
esac
echo "1..$count"
exit $failed
