#!/bin/sh
# The programs of examples/embedded on a board: builds and runs each, compares what it says with expected/NAME.out, which is the
# same for all boards, and proves that nothing costly was linked. TAP.
#
#   examples.sh BOARD [NAME...]      BOARD: m0, m3, avr, rv32, or host, there under the sanitizers too
#
# input/NAME.txt is typed at the console: a line is "AT TEXT", in ms after the start, a byte a ms and a return at the end; of
# "AT=TEXT" all bytes come at once; \b is a backspace. input/NAME.c holds what else is done to the board. Exit 77 without the
# board's tools.
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
boards=$root/examples/embedded
board=${1:?board}
shift
. "$here/target.sh"
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

# What a program needs to be built, and what its test adds: how long it runs, what is traced.
options_of() {
    case $1 in uart_shell) echo "-DASYNCX_NAMES=1" ;; esac
}
test_of() {
    case $1 in
    blink | arduino) echo "-DBOARD_TRACE -DBOARD_RUN_MS=2000" ;;
    debounce) echo "-DBOARD_TRACE -DBOARD_RUN_MS=5000" ;;
    esac
}

# typed FILE: as a table for board.c
typed() {
    echo '#include "board.h"'
    echo 'const struct board_byte board_bytes[] = {'
    awk 'BEGIN { for (i = 32; i < 127; i++) code[sprintf("%c", i)] = i; code["\b"] = 8; code["\r"] = 13 }
         { at = $0 + 0; text = $0; sub(/^[0-9]+/, "", text); pace = substr(text, 1, 1) != "="
           text = substr(text, 2) "\r"; gsub(/\\b/, "\b", text)
           for (i = 1; i <= length(text); i++) printf "{%d, %d}, ", at + pace * i, code[substr(text, i, 1)]
           print "" }' "$1"
    echo '{-1, 0}};'
}

# build NAME FLAGS...: the program with its input
build() {
    name=$1
    shift
    case $name in
    freertos) # on a stand-in
        ${CC:-cc} -std=c99 -Wall -Wextra -Werror -g "$@" -I"$root" -I"$boards" -I"$here/freertos" \
            "$here/freertos/freertos.c" -o "$dir/$name"
        return
        ;;
    arduino) # a sketch is C++; the rest is not
        # shellcheck disable=SC2046,SC2154
        "${target_cross}g++" $(target_flags "$board" | sed 's/-std=[^ ]*//; s/-DASYNCX_FREESTANDING//; s/-T [^ ]*//') \
            -std=gnu++11 -Werror -fno-exceptions -fno-rtti "$@" -I"$root" -I"$here/arduino" -include Arduino.h \
            -x c++ -c "$boards/arduino/blink/blink.ino" -o "$dir/sketch.o" || return
        sources="$here/arduino/arduino.c $dir/sketch.o"
        set -- "-I$here/arduino" "$@"
        ;;
    *) sources=$boards/$name.c ;;
    esac
    [ -f "$here/input/$name.c" ] && sources="$sources $here/input/$name.c"
    if [ -f "$here/input/$name.txt" ]; then
        typed "$here/input/$name.txt" > "$dir/typed.c"
        sources="$sources $dir/typed.c"
    fi
    # shellcheck disable=SC2086
    target_build "$board" "$dir/$name" $sources -- -Werror "$@"
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
    *) check "$example" "$said" ", over the wrap of the tick" "$wrap" ;;
    esac
done
echo "1..$count"
exit $failed
