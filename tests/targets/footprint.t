#!/bin/sh
# The README's table of what programs weigh is what they weigh, and they do what they should without linking any big helper. TAP.
# TARGETS=quick: not the table, and of the programs the smallest one and the one with all parts, on M0 and AVR.
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
# result STATUS NAME NAME-OF-FAILURE
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $3"; sed 's/^/# /' "$dir/log"; fi
}

if [ "${TARGETS-}" = quick ]; then export BOARDS="m0 avr" ROWS="1 task: asyncx, smallest|all of these "; else
    "$here/../footprint/readme.sh" check > "$dir/log" 2>&1
    rc=$?
    if [ $rc -eq 77 ] && [ -z "${CI-}" ]; then echo "1..0 # SKIP $(tail -n 1 "$dir/log")"; exit 0; fi
    result $rc "the README's table is not stale" "the README's table is stale: make footprint"
fi
timeout 280 "$here/../footprint/footprint.sh" check > "$dir/log" 2>&1
result $? "the programs do what they should" "the programs do what they should"
echo "1..$n"
