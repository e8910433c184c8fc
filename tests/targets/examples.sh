#!/bin/sh
# The programs of examples/embedded on a board: builds and runs each, compares what it says with expected/NAME.out, which is the
# same for all boards, and proves that nothing costly was linked. TAP.
#
#   examples.sh BOARD [NAME...]      BOARD: m0, m3, avr, rv32, or host, there under the sanitizers too
#
# Input: see programs.sh. Exit 77 without the board's tools.
here=$(cd "$(dirname "$0")" && pwd)
board=${1:?board}
shift
. "$here/programs.sh"
target_tools "$board"
target_emulator "$board"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0

# is GOT WANT NAME
is() {
    count=$((count + 1))
    if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
        failed=1
        echo "not ok $count - $3"
        printf '%s\n' "$2" > "$dir/want"
        printf '%s\n' "$1" | diff "$dir/want" - | sed 's/^/# /'
    fi
}

# program NAME FLAGS...: what it says, and how it ends
program() {
    # shellcheck disable=SC2046
    build "$@" $(options_of "$1") $(test_of "$1") || { echo "does not build"; return; }
    target_run "$board" "$dir/$1"
    echo "exit $?"
}

# weigh NAME: flash and RAM as a user would build it, with no input but the real one
weigh() {
    # shellcheck disable=SC2046
    target_build "$board" "$dir/weight" "$boards/$1.c" -- -DNDEBUG $(options_of "$1") && target_size "$board" "$dir/weight"
}

# light NAME: whether its RAM is what its head comment says
light() {
    weight=$(weigh "$1")
    case $board in
    m0) most=$(sed -n 's/.*at most \([0-9]*\) bytes on a Cortex-M0.*/\1/p' "$boards/$1.c") ;;
    avr) most=$(sed -n 's/.* \([0-9]*\) on an AVR.*/\1/p' "$boards/$1.c") ;;
    *)
        echo "# $1: $weight bytes of flash and RAM"
        return
        ;;
    esac
    is $((${weight#* } <= ${most:-0})) 1 "$board: $1 takes ${weight% *} bytes of flash, ${weight#* } of RAM: no more than it says"
}

# What a small program must not hold: memory by malloc, formatted output, copies by the C library, divisions by hand.
costly() {
    case $board in
    avr) nm=avr-nm ;;
    rv32) nm=riscv64-unknown-elf-nm ;;
    *) nm="arm-none-eabi-nm" ;;
    esac
    $nm "$1" > "$dir/symbols"
    grep -q ' T main$' "$dir/symbols" || echo "no symbols"
    grep -iE 'malloc|printf|mem(set|cpy|move)|div|mod(si|hi|qi)' "$dir/symbols"
}

# check NAME WANT HOW FLAGS...
check() {
    name=$1 want=$2 how=$3
    shift 3
    is "$(program "$name" "$@")" "$want" "$board: $name$how"
}

wrap="-DBOARD_TICK_START=(INT32_MAX-1234)"
san="-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
# shellcheck disable=SC2046,SC2012
[ $# -gt 0 ] || set -- $(cd "$here/expected" && ls ./*.out | sed 's/..//; s/\.out$//')
for example; do
    said=$(cat "$here/expected/$example.out"; echo "exit 0")
    [ "$example" = freertos ] && [ "$board" != host ] && continue
    check "$example" "$said" ""
    if [ "$board" != host ]; then
        is "$(costly "$dir/$example")" "" "$board: $example holds no malloc, printf, memset, memcpy, division"
        [ "$example" = arduino ] || light "$example"
    fi
    [ "$example" != blink ] || check "$example" "$said" ", ASYNCX_NO_CANCEL" -DASYNCX_NO_CANCEL
    case $board in
    host) # shellcheck disable=SC2086
        check "$example" "$said" ", sanitizers, over the wrap of the tick" "$wrap" $san ;;
    *) [ "${TARGETS-}" = quick ] || check "$example" "$said" ", over the wrap of the tick" "$wrap" ;;
    esac
done
echo "1..$count"
exit $failed
