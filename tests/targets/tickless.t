#!/bin/sh
# Nothing wakes a processor that sleeps but what has a cause: a deadline, an input, on AVR the end of its timer's period. On AVR
# also what share of the cycles is slept. TAP. Boards whose tools are missing are skipped (in CI that is a failure).
# TARGETS=quick: host and AVR only.
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target.sh
examples=$here/../../examples/embedded
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

# Each program, and how long it runs.
sources() {
    case $1 in
    debounce) echo "$examples/debounce.c $here/input/debounce.c" ;;
    *) echo "$examples/$1.c" ;;
    esac
}
length() {
    case $1 in
    blink) echo "-DBOARD_RUN_MS=10000" ;;
    debounce) echo "-DBOARD_RUN_MS=5000" ;;
    sensors) echo "-DREPORTS=500" ;;
    esac
}

# run BOARD PROGRAM SOURCE|"" FLAG...: what it says; on AVR the runner's account is in $dir/stats
run() {
    board=$1 program=$2 more=$3
    shift 3
    # shellcheck disable=SC2046,SC2086
    "$target" build "$board" "$dir/$board" $(sources "$program") $more -- -Werror $(length "$program") "$@" || return
    options=
    [ "$board" = avr ] && options="--stats --cycles 4000000000"
    # shellcheck disable=SC2086
    "$target" run "$board" "$dir/$board" $options 2> "$dir/stats"
}
# woken BOARD PROGRAM FLAG...: what ended its sleeps
woken() {
    board=$1 program=$2
    shift 2
    run "$board" "$program" "$here/idle.c" -Wl,--wrap=main,--wrap=ax_port_idle,--wrap=board_exit "$@" | sed -n 's/^idle: //p'
}
stat() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" "$dir/stats"; }
# number NAME of a line of `woken`
number() { echo "$woken" | sed -n "s/.*$1 \([0-9]*\).*/\1/p"; }

all="host m0 m3 rv32 avr"
[ "${TARGETS-}" = quick ] && all="host avr"
boards=
for board in $all; do
    if "$target" have $board > "$dir/log"; then boards="$boards $board"; elif [ $? != 77 ]; then is missing there "tools of $board"
    else count=$((count + 1)); echo "ok $count - $board # SKIP $(cat "$dir/log")"; fi
done

# blink in 10 s, by arithmetic: an LED each 500 ms, one each 300 ms; of the AVR's periods of 250 ms those at which no LED changes.
# At the end itself the program does not return from its sleep.
blink=$(awk 'BEGIN { for (t = 1; t < 10000; t++) if (t % 500 == 0 || t % 300 == 0) d++; else if (t % 250 == 0) p++
                     printf "deadlines %d, inputs 0, the port\047s ", d
                     print p > "/dev/stderr" }' 2> "$dir/periods")
# The host's virtual clock jumps from cause to cause: its count is what the others are held to.
for board in $boards; do
    for program in blink debounce sensors; do
        woken=$(woken "$board" $program)
        causes="$(number deadlines) deadlines and $(number inputs) inputs"
        if [ "$board" = host ]; then
            echo "$causes" > "$dir/$program"
            [ $program = blink ] && is "$woken" "${blink}0, neither 0" "host: blink is woken at the changes of its LEDs"
            [ $program = debounce ] && is "$(number inputs)" 22 "host: debounce is woken by every change of its button"
            continue
        fi
        is "$causes, $(number neither) others" "$(cat "$dir/$program"), 0 others" \
            "$board: $program is woken by $(cat "$dir/$program"), nothing else"
        [ "$board" = avr ] || continue
        end=1
        [ $program = sensors ] && end=0 # its end is no sleep
        causes=$(($(number deadlines) + $(number inputs) + end))
        is "$(stat wakes)" $((causes + $(number "port's"))) \
            "avr: $program: so many wake-ups in the emulator too, with the $(number "port's") of the port's period"
        [ $program = blink ] &&
            is "$woken" "$blink$(cat "$dir/periods"), neither 0" "avr: blink: the port's are at its empty periods"
    done
    woken=$(woken "$board" blink -DWRONG)
    is "$(($(number neither) > 40))" 1 "$board: a port that wakes every 100 ms is found out"
done

# percent N OF: two decimals, rounded down
percent() { awk "BEGIN { printf \"%.2f\", int(10000 * $1 / $2) / 100 }"; }
# asleep PROGRAM SOURCE|"" LEAST WHAT FLAG...
asleep() {
    program=$1 more=$2 least=$3 what=$4
    shift 4
    run avr "$program" "$more" "$@" > "$dir/said"
    share=$(percent "$(stat asleep)" "$(stat cycles)")
    awake=$(($(stat cycles) - $(stat asleep)))
    is "$(awk "BEGIN { print ($share >= $least) }")" 1 \
        "avr: $what sleeps in $share % of its cycles (at least $least), and is awake for $((awake / $(stat wakes))) in a wake-up"
}
case $boards in
*avr*)
    asleep blink "" 99.8 "blink"
    asleep debounce "" 99.5 "debounce"
    asleep sensors "$here/silent.c" 99 "sensors, its console apart," -Wl,--wrap=board_say,--wrap=board_say_number
    silent=$awake
    asleep sensors "" 98 "sensors"
    echo "# its console: $((awake - silent)) cycles for $(stat sent) bytes, which take 160 each to be sent at 1 Mbaud: \
$(percent $((awake - silent)) "$(stat cycles)") %"
    ;;
esac
echo "1..$count"
exit $failed
