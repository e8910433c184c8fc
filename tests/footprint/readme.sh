#!/bin/sh
# Writes footprint.sh's table, and the header's own share, into README.md between its marks; `check` only tells whether it stands there already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
readme=$here/../../README.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sh "$here/footprint.sh" > "$dir/table"
own() { # what the header itself takes of "all of these"
    sh "$here/share.sh" "$@" | awk '$2 == "asyncx.h" { sub(/...$/, ",&", $1); print $1 }'
}
if grep -q '| -' "$dir/table"; then
    echo "footprint: tools of a board are missing, README.md is left alone" >&2
    exit 77
fi
echo "
Of \"all of these\" the header's own part is $(own m0) bytes on the M0, $(own avr) on AVR ($(own avr -DASYNCX_TIME_BITS=16) with 16-bit ticks,
$(own avr -DASYNCX_TIME_BITS=16 -mcall-prologues) with \`-mcall-prologues\` too); the rest is the application, the port and the start-up (\`sh tests/footprint/share.sh avr\`)." >> "$dir/table"
awk -v table="$dir/table" '
    /^<!-- footprint -->$/ { print; while ((getline line < table) > 0) print line; on = 1 }
    /^<!-- \/footprint -->$/ { on = 0 }
    !on && !/^<!-- footprint -->$/ { print }' "$readme" > "$dir/readme"
case ${1-} in
check) diff -u "$readme" "$dir/readme" ;;
*) cat "$dir/readme" > "$readme" ;;
esac
