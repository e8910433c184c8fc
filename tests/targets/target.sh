#!/bin/sh
# Builds and runs a program of examples/embedded for a board: m0, m3, avr, rv32, or host.
#
#   target.sh build BOARD OUT SOURCE... [-- FLAG...]     the board's own sources are added
#   target.sh run BOARD IMAGE [ARGUMENT...]              console on stdout; arguments go to the emulator (avr: to avr_run)
#   target.sh have BOARD                                 exit 0 if its compiler and emulator are there
#   target.sh size BOARD IMAGE                           flash (text + data) and RAM (data + bss), the stack apart
#
# Exit of run: the program's status; 99 after a fault, 134 when the processor locked up, 124 when it ran for more than
# $TARGET_TIMEOUT seconds (20). Exit of all: 77 if a tool is missing, 1 in CI. Also to be sourced, for its functions.

target_root=${target_root:-$(cd "$(dirname "$0")/../.." && pwd)}
target_boards=$target_root/examples/embedded
target_work=${target_work:-$target_root/build/targets}

# need COMMAND PACKAGE
target_need() {
    command -v "$1" > /dev/null 2>&1 && return
    echo "# $1 is missing (Debian: $2)"
    [ -n "${CI-}" ] && exit 1
    exit 77
}

target_tools() {
    case $1 in
    m0 | m3) target_cross=arm-none-eabi-; target_need ${target_cross}gcc gcc-arm-none-eabi ;;
    avr) target_cross=avr-; target_need avr-gcc "gcc-avr, avr-libc" ;;
    rv32) target_cross=riscv64-unknown-elf-; target_need ${target_cross}gcc gcc-riscv64-unknown-elf ;;
    host) target_cross= ;;
    *) echo "# no such board: $1" >&2; exit 2 ;;
    esac
}

target_emulator() {
    case $1 in
    m0 | m3) target_need qemu-system-arm qemu-system-arm ;;
    rv32) target_need qemu-system-riscv32 qemu-system-misc ;;
    avr)
        # shellcheck disable=SC2086
        if [ ! "$target_work/avr_run" -nt "$target_root/tests/targets/avr_run.c" ]; then
            [ -f /usr/include/simavr/sim_avr.h ] || target_need simavr-headers libsimavr-dev
            mkdir -p "$target_work"
            ${CC:-cc} -std=c99 -Wall -Wextra -O2 -isystem /usr/include/simavr -o "$target_work/avr_run.$$" \
                "$target_root/tests/targets/avr_run.c" -lsimavr && mv "$target_work/avr_run.$$" "$target_work/avr_run" || exit 1
        fi
        ;;
    esac
}

# The flags of a board. Freestanding: no C library, and sections so that what is not called is not linked.
target_flags() {
    echo "-Os -Wall -Wextra -ffunction-sections -fdata-sections -Wl,--gc-sections -DASYNCX_FREESTANDING"
    case $1 in
    m0) echo "-std=c99 -mcpu=cortex-m0 -mthumb -ffreestanding -nostdlib -T $target_boards/m0/link.ld" ;;
    m3) echo "-std=c99 -mcpu=cortex-m3 -mthumb -ffreestanding -nostdlib -T $target_boards/m3/link.ld" ;;
    avr) echo "-std=gnu99 -mmcu=atmega328p -mrelax -DF_CPU=16000000UL" ;;
    rv32) echo "-std=c99 -march=rv32imac_zicsr -mabi=ilp32 -ffreestanding -nostdlib -T $target_boards/rv32/link.ld" ;;
    host) echo "-std=c99 -g" ;;
    esac
}

target_build() {
    board=$1 out=$2
    shift 2
    target_tools "$board"
    sources=
    while [ $# -gt 0 ] && [ "$1" != -- ]; do sources="$sources $1"; shift; done
    [ $# -gt 0 ] && shift
    case $board in
    rv32) sources="$sources $target_boards/rv32/start.S" ;;
    m0 | m3) sources="$sources $target_boards/$board/start.c" ;;
    esac
    case $board in avr | host) libraries= ;; *) libraries=-lgcc ;; esac
    cc=${target_cross}gcc
    [ "$board" = host ] && cc=${CC:-cc}
    # shellcheck disable=SC2046,SC2086
    timeout 120 $cc $(target_flags "$board") "$@" -I"$target_boards" -I"$target_boards/$board" -I"$target_root" $sources \
        "$target_boards/$board/port.c" "$target_boards/board.c" $libraries -o "$out"
}

# -icount: time is counted in instructions, so that a run is repeatable and sleep takes no time.
target_run() {
    board=$1 image=$2
    shift 2
    target_emulator "$board"
    limit="timeout ${TARGET_TIMEOUT:-20}"
    qemu="-display none -monitor none -serial stdio"
    arm="-semihosting-config enable=on,target=native -icount shift=5,sleep=off"
    # shellcheck disable=SC2086
    case $board in
    m0) $limit qemu-system-arm -M microbit $qemu $arm -kernel "$image" "$@" < /dev/null ;;
    m3) $limit qemu-system-arm -M mps2-an385 $qemu $arm -kernel "$image" "$@" < /dev/null ;;
    rv32) $limit qemu-system-riscv32 -M virt -bios none $qemu -icount shift=4,sleep=off -kernel "$image" "$@" < /dev/null ;;
    avr) $limit "$target_work/avr_run" "$@" "$image" ;;
    host) $limit "$image" "$@" ;;
    esac
}

target_size() {
    target_tools "$1"
    "${target_cross}size" "$2" | awk 'NR == 2 { print $1 + $2, $2 + $3 }'
}

case ${0##*/} in
target.sh)
    command=${1-}
    [ $# -gt 0 ] && shift
    case $command in
    build) target_build "$@" ;;
    run) target_run "$@" ;;
    size) target_size "$@" ;;
    have) target_tools "$1"; target_emulator "$1" ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    ;;
esac
