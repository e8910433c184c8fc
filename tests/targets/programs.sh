# To be sourced: how the programs of examples/embedded are built for a board and a test. Wants $here, $dir and $board;
# $also: a further source.
#
# input/NAME.txt is typed at the console: a line is "AT TEXT", in ms after the start, a byte a ms and a return at the end; of
# "AT=TEXT" all bytes come at once; \b is a backspace. input/NAME.c holds what else is done to the board.
root=$here/../..
boards=$root/examples/embedded
. "$here/target.sh"

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
    target_build "$board" "$dir/$name" $sources ${also-} -- -Werror "$@"
}

