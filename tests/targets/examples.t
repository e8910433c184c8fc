#!/bin/sh
# The programs of examples/embedded on every board (on the host: tests/embedded.t). TAP. Boards whose tools are missing are skipped
# (in CI that is a failure). TARGETS=quick: M0 and AVR only, and not over
# the wrap of the tick.
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0
boards="m0 m3 avr rv32"
[ "${TARGETS-}" = quick ] && boards="m0 avr"

# Renumbers what each run says, so that it is one.
for board in $boards; do
    "$here/examples.sh" $board > "$dir/said" 2>&1
    status=$?
    if [ $status = 77 ]; then
        count=$((count + 1))
        echo "ok $count - $board # SKIP $(sed 's/^# //' "$dir/said")"
        continue
    fi
    sed '/^1\.\./d; s/^\(not \)\{0,1\}ok [0-9]*/\1ok/' "$dir/said" |
        awk -v n=$count '/^(not )?ok/ { sub(/ok/, "ok " (++n)) } { print }'
    count=$((count + $(grep -cE '^(not )?ok' "$dir/said")))
    grep -q '^1\.\.' "$dir/said" || { count=$((count + 1)); echo "not ok $count - $board: examples.sh came to its end"; }
    [ $status = 0 ] || failed=1
done
echo "1..$count"
exit $failed
