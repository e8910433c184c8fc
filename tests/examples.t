#!/bin/sh
# Runs each example that has an expected output, NAME.out in tests/examples, plain and under the sanitizers, and compares.
# A build on the virtual clock takes no time and must say nothing on stderr; an example that has none runs in real time.
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
count=0 failed=0
command -v timeout >/dev/null && limit='timeout 20' || limit=

check() { # name program stderr
    count=$((count + 1))
    got=$($limit "$2" 2>&"$3"; echo "exit $?")
    want=$(cat "tests/examples/$1.out"; echo "exit 0")
    if [ "$got" = "$want" ]; then
        echo "ok $count - $2"
    else
        failed=1
        echo "not ok $count - $2"
        printf '%s\n' "$got" | diff "tests/examples/$1.out" - | sed 's/^/# /'
    fi
}

exec 3>/dev/null
for out in tests/examples/*.out; do
    name=$(basename "$out" .out)
    for san in '' san/; do
        if [ -x "$B/${san}virtual/$name" ]; then check "$name" "$B/${san}virtual/$name" 1
        else check "$name" "$B/${san}examples/$name" 3; fi
    done
done
echo "1..$count"
exit $failed
