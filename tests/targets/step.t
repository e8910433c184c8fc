#!/bin/sh
# An interrupt at every instruction of the loop (step.c), on x86-64 Linux.
here=$(cd "$(dirname "$0")" && pwd)
case $(uname -sm) in "Linux x86_64") ;; *) echo "1..0 # SKIP single steps are for x86-64 Linux"; exit 0 ;; esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
if ! ${CC:-cc} -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -I"$here/../.." -o "$dir/step" "$here/step.c" > "$dir/log" 2>&1; then
    sed 's/^/# /' "$dir/log"
    printf 'not ok 1 - it compiles\n1..1\n'
    exit 1
fi
quick=
[ "${TARGETS-}" = quick ] && quick=quick
timeout 250 "$dir/step" $quick
