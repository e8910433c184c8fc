#!/bin/sh
# Writes footprint.sh's table into README.md between its marks; `check` only tells whether it stands there already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
readme=$here/../../README.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sh "$here/footprint.sh" > "$dir/table"
if grep -q '| -' "$dir/table"; then
    echo "footprint: tools of a board are missing, README.md is left alone" >&2
    exit 77
fi
awk -v table="$dir/table" '
    /^<!-- footprint -->$/ { print; while ((getline line < table) > 0) print line; on = 1 }
    /^<!-- \/footprint -->$/ { on = 0 }
    !on && !/^<!-- footprint -->$/ { print }' "$readme" > "$dir/readme"
case ${1-} in
check) diff -u "$readme" "$dir/readme" ;;
*) cat "$dir/readme" > "$readme" ;;
esac
