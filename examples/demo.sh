#!/bin/sh
# demo.sh [DIR]: hn_pipeline against a local hn_server, one request at a time and then 20; the programs are in DIR/examples, the
# database stays in DIR/hn.db. A hundred stories of 20 ms take 2 s in the one case, and 0.1 s at best in the other.
dir=${1:-build}
count=100 delay=20 limit=20
out=$dir/demo.out
server=
unset http_proxy all_proxy ALL_PROXY # the server is on this machine
finish() {
    [ -n "$server" ] && { kill "$server"; wait "$server"; } 2>/dev/null
    rm -f "$out"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$dir/examples/hn_server" --port 0 --delay "$delay" > "$out" &
server=$!
tries=100
until url=$(sed -n 's/^listening on //p' "$out" 2>/dev/null) && [ -n "$url" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] && kill -0 "$server" 2>/dev/null || { echo "demo: the server did not start" >&2; exit 1; }
    sleep 0.05
done

run() {
    rm -f "$dir/hn.db" "$dir/hn.db-wal" "$dir/hn.db-shm"
    "$dir/examples/hn_pipeline" --base "$url" --count "$count" --db "$dir/hn.db" "$@"
}
seconds() { printf '%s\n' "$1" | sed -n 's/^fetched .* in \([0-9.]*\) s$/\1/p'; }

echo "$count stories of $delay ms each, from a server on this machine"
one=$(run --sequential) || { echo "demo: the sequential run failed" >&2; exit 1; }
echo "one at a time:   $(seconds "$one") s"
many=$(run --concurrency "$limit") || { echo "demo: the concurrent run failed" >&2; exit 1; }
echo "$limit at a time:    $(seconds "$many") s"
awk -v a="$(seconds "$one")" -v b="$(seconds "$many")" -v ideal="$(( (count + limit - 1) / limit * delay ))" \
    'BEGIN { printf "speed-up:        %.1f x; the ideal is %.3f s, this is %.2f times that\n", a / b, ideal / 1000, b * 1000 / ideal }'
printf '%s\n' "$many"
echo "the database is $dir/hn.db"
