#!/bin/sh
# Runs a program for Windows under wine: run.sh PROGRAM [ARGUMENT...]
export WINEPREFIX="${WINEPREFIX:-$PWD/build/wine}" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
unset DISPLAY
mkdir -p "$WINEPREFIX"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
wine "$@" < /dev/null > "$out" || status=$?
tr -d '\r' < "$out"
exit "$status"
