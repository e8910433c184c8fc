#!/bin/sh
# How deep the stack of each example gets, as a table in Markdown: bytes below the call of main, interrupts included, of a run with
# the input of its test (the script comes in the timer's interrupt and is deeper than a real one). On AVR the runner looks at the
# stack pointer after each instruction; on the others the stack is painted (stack.c). Boards whose tools are missing have "-".
here=$(cd "$(dirname "$0")" && pwd)
. "$here/programs.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
columns="m0 m3 avr rv32"

have=
for board in $columns; do
    if "$here/target.sh" have "$board" > "$dir/log"; then have="$have $board"; else
        cat "$dir/log" >&2
        [ -z "${CI-}" ] || exit 1
    fi
done

# deepest NAME FLAGS...
deepest() {
    name=$1
    shift
    also=
    if [ "$board" != avr ]; then
        also=$here/stack.c
        set -- -Wl,--wrap=main,--wrap=board_exit "$@"
    fi
    # shellcheck disable=SC2046
    build "$name" -DNDEBUG "$@" $(options_of "$name") $(test_of "$name" | sed 's/-DBOARD_TRACE//') 2> "$dir/log" || {
        echo fails
        sed 's/^/# /' "$dir/log" >&2
        return
    }
    if [ "$board" = avr ]; then
        target_run avr "$dir/$name" --stats 2>&1 > "$dir/said" | sed -n 's/.* stack=\([0-9]*\) .*/\1/p'
    else
        target_run "$board" "$dir/$name" | sed -n 's/^stack: //p'
    fi
}

echo "| deepest stack in bytes | M0 | M3 | AVR | RV32 |"
echo "|---|---:|---:|---:|---:|"
while IFS='|' read -r name flags; do
    printf '| %s' "$name$flags"
    for board in $columns; do
        case "$have " in
        *" $board "*)
            target_tools "$board"
            # shellcheck disable=SC2086
            printf ' | %s' "$(deepest "$name" $flags)"
            ;;
        *) printf ' | -' ;;
        esac
    done
    echo ' |'
done <<END
blink| -DASYNCX_NO_CANCEL
blink|
arduino|
debounce|
sensors|
uart_shell|
END
