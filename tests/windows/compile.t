#!/bin/sh
# The header, and a program over all of its parts, compile for Windows without a warning: compilers, languages, forms. Speaks TAP; with CI set nothing may be missing.
root=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0
for compiler in "x86_64-w64-mingw32-gcc -std=c99" "i686-w64-mingw32-gcc -std=c99" "x86_64-w64-mingw32-g++ -std=c++11 -x c++" \
    "clang --target=x86_64-w64-mingw32 -std=c99"; do
    for form in -O0 "-O2 -DNDEBUG" "-O1 -DASYNCX_SWITCH -DASYNCX_COMMA"; do
        n=$((n + 1))
        if ! command -v "${compiler%% *}" > /dev/null; then
            if [ -n "$CI" ]; then failed=1; echo "not ok $n - ${compiler%% *} is missing"; else echo "ok $n - # SKIP ${compiler%% *} is not installed"; fi
        elif $compiler -Wall -Wextra -Wpedantic -Wshadow -Werror $form -I"$root" -I"$root/tests" -c -o "$tmp/o" \
            "$root/tests/sockets.c" > "$tmp/out" 2>&1 && [ ! -s "$tmp/out" ]; then
            echo "ok $n - $compiler $form"
        else
            failed=1
            echo "not ok $n - $compiler $form"
            sed 's/^/# /' "$tmp/out" | head -20
        fi
    done
done
echo "1..$n"
exit $failed
