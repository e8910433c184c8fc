#!/bin/sh
# What programs weigh, as a table in Markdown: the whole image with start-up, tick and port, built with -Os. Flash is text + data,
# RAM is data + bss, without the stack. All do the same (blink.h); a row of asyncx has its own flags.
#
#   footprint.sh            the table
#   footprint.sh check      instead: all programs do what they should, on the host and on the boards, and link no big helper
#
# FLAGS: more flags for all. BOARDS, ROWS: only these, ROWS as a pattern of grep -E. Boards whose tools are missing have "-" (in CI
# that is a failure).
set -u
here=$(cd "$(dirname "$0")" && pwd)
target=$here/../targets/target.sh
boards="m0 m3 avr rv32"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

lean="-DASYNCX_NO_GENERATORS -DASYNCX_NO_KEEP"
smallest=-DASYNCX_NO_CANCEL

# name | source, without .c | flags. A row whose source is not there is left out.
rows() {
    sed 's/^ *//' <<END | grep -E "${ROWS-}"
        tick, an empty loop | empty |
        tick, asyncx, a task that waits for an interrupt | asyncx_empty | $smallest
        1 task: state machine by hand | machine_1 |
        1 task: protothread, 2-byte state | protothread_1 |
        1 task: async function, no scheduler | async_1 |
        1 task: asyncx, smallest | asyncx_1 | $smallest
        2 tasks: state machines by hand | machine_2 |
        2 tasks: protothreads | protothread_2 |
        2 tasks: async functions, no scheduler | async_2 |
        2 tasks: asyncx, smallest | asyncx_2 | $smallest
        3 tasks, two of one function: asyncx, smallest | asyncx_2 | $smallest -DTHREE
        smallest, semaphore | asyncx_1 | $smallest -DPART=SEMAPHORE
        smallest, queue | asyncx_1 | $smallest -DPART=QUEUE
        asyncx, all but keep and generators | asyncx_1 | $lean
        1 task in a group, and a cancel | asyncx_1 | $lean -DIN_GROUP
        the same, semaphore | asyncx_1 | $lean -DIN_GROUP -DPART=SEMAPHORE
        the same, queue | asyncx_1 | $lean -DIN_GROUP -DPART=QUEUE
        the same, time limit of an await | asyncx_1 | $lean -DIN_GROUP -DPART=LIMIT
        the same, time limit of a body | asyncx_1 | $lean -DIN_GROUP -DPART=BODY_LIMIT
        all of these | asyncx_1 | $lean -DIN_GROUP -DPART=ALL
        all of these, 16-bit ticks | asyncx_1 | $lean -DIN_GROUP -DPART=ALL -DASYNCX_TIME_BITS=16
        1 task in a group, with keep and generators | asyncx_1 | -DIN_GROUP
END
}

have=
for board in ${BOARDS-$boards}; do
    if "$target" have "$board" > "$dir/log"; then have="$have $board"; else
        cat "$dir/log" >&2
        [ -z "${CI-}" ] || exit 1
    fi
done

# build BOARD SOURCE FLAG...
build() {
    board=$1 source=$2
    shift 2
    # shellcheck disable=SC2086
    "$target" build "$board" "$dir/image" "$here/$source.c" -- -DNDEBUG "$@" ${FLAGS-}
}

table() {
    echo "| flash / RAM in bytes | M0 | M3 | AVR | RV32 |"
    echo "|---|---:|---:|---:|---:|"
    rows | while IFS='|' read -r name source flags; do
        source=${source# } source=${source% }
        [ -f "$here/$source.c" ] || continue
        printf '| %s' "$name"
        for board in $boards; do
            case "$have " in
            *" $board "*)
                # shellcheck disable=SC2086
                if build "$board" "$source" -DBOARD_BARE $flags 2> "$dir/log"; then
                    "$target" size "$board" "$dir/image" | { read -r flash ram; printf '| %s / %s ' "$flash" "$ram"; }
                else
                    printf '| fails '
                    sed 's/^/# /' "$dir/log" >&2
                fi
                ;;
            *) printf '| - ' ;;
            esac
        done
        echo '|'
    done
}

# What a program says in 2.5 s. Two LEDs that change at the same tick may do so in either order.
expected() {
    case $1 in
    *_1) printf 'led 1 @0\nled 0 @100\nled 1 @1000\nled 0 @1100\nled 1 @2000\nled 0 @2100\n' ;;
    *_2)
        expected x_1
        printf 'led2 1 @0\nled2 0 @300\nled2 1 @1000\nled2 0 @1300\nled2 1 @2000\nled2 0 @2300\n'
        ;;
    esac | sort
}

check() {
    status=0
    rows > "$dir/rows"
    [ -s "$dir/rows" ] || { echo "# no such rows"; status=1; }
    while IFS='|' read -r name source flags; do
        source=${source# } source=${source% } name=${name% }
        [ -f "$here/$source.c" ] || continue
        for board in host $have; do
            # shellcheck disable=SC2086
            build "$board" "$source" -Werror -DBOARD_TRACE -DBOARD_RUN_MS=2500 $flags || { status=1; continue; }
            "$target" run "$board" "$dir/image" > "$dir/out" || { echo "# $name, $board: exit $?"; status=1; }
            sort -u "$dir/out" > "$dir/sorted" # twice the same: two tasks of one function
            expected "$source" > "$dir/expected"
            diff "$dir/expected" "$dir/sorted" > "$dir/log" || { status=1; echo "# $name, $board:"; cat "$dir/log"; }
            [ "$board" != host ] || continue
            case $board in avr) nm=avr-nm ;; rv32) nm=riscv64-unknown-elf-nm ;; *) nm=arm-none-eabi-nm ;; esac
            # shellcheck disable=SC2086
            build "$board" "$source" -DBOARD_BARE $flags || status=1
            ! "$nm" "$dir/image" | grep -E 'div|mod[sdh]i|printf|malloc|memset|memcpy' || {
                echo "# $name, $board: links these"
                status=1
            }
        done
    done < "$dir/rows"
    [ $status = 0 ] && echo "ok: all do what they should"
    return $status
}

case ${1-table} in
table) table ;;
check) check ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
