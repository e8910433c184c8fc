#!/bin/sh
# Whose code is in the image of "all of these": bytes by the file that each instruction comes from (its line in the debugging
# information). share.sh [BOARD [FLAG...]], as `share.sh avr -DASYNCX_TIME_BITS=16`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
board=${1-m0}
[ $# -eq 0 ] || shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$here/../targets/target.sh" build "$board" "$dir/image" "$here/asyncx_1.c" -- -g -DNDEBUG -DBOARD_BARE -DASYNCX_NO_GENERATORS \
    -DASYNCX_NO_KEEP -DIN_GROUP -DPART=ALL "$@"
case $board in avr) tools=avr- ;; rv32) tools=riscv64-unknown-elf- ;; *) tools=arm-none-eabi- ;; esac
${tools}objdump -dl "$dir/image" | perl -ne '
    if (m{(\w+\.[chS]):\d+}) { $file = $1 }
    elsif (/^ +[0-9a-f]+:\t((?:[0-9a-f]{2,8} )+)/) { ($code = $1) =~ s/ //g; $bytes{$file // "the C library"} += length($code) / 2 }
    END { printf "%6d %s\n", $bytes{$_}, $_ for sort { $bytes{$b} <=> $bytes{$a} } keys %bytes }'
