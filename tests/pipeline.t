#!/bin/sh
# hn_pipeline against hn_server on this machine: what it stores, what it says, and its exit code. Both builds.
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
export LC_ALL=C
unset http_proxy all_proxy ALL_PROXY
count=0 failed=0 servers=
command -v timeout >/dev/null && limit='timeout 30' || limit=
tmp=$(mktemp -d) || exit 1
trap 'for p in $servers; do kill -KILL $p 2>/dev/null; done; rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

ok() { # ok NAME COMMAND...
    name=$1 count=$((count + 1))
    shift
    if "$@"; then echo "ok $count - $name"; return; fi
    echo "not ok $count - $name"
    failed=1
    echo "# $*"
    sed 's/^/#   /' "$tmp/out" "$tmp/err" 2>/dev/null
}
heed="env --default-signal=INT" # a shell starts what runs in the background with Ctrl-C ignored, which AX_RUN respects
says() { grep -q -- "$1" "$tmp/out" "$tmp/err"; }

serve() { # serve OPTION...: $url and $server
    : > "$tmp/server"
    $heed "$dir/examples/hn_server" "$@" > "$tmp/server" 2> "$tmp/server.err" &
    server=$! url=
    servers="$servers $server"
    tries=100
    while url=$(sed -n 's/^listening on //p' "$tmp/server"); [ -z "$url" ] && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.05
    done
}
stop() {
    kill -INT "$server"
    wait "$server"
    rc=$?
    ok "the server ends in order" test "$rc" = 0 -a ! -s "$tmp/server.err"
}
pipeline() { # pipeline OPTION...: $rc, what it says, and a fresh database
    rm -f "$tmp"/db*
    $limit "$dir/examples/hn_pipeline" --db "$tmp/db" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
    rc=$?
}
rows() {
    if command -v sqlite3 > /dev/null; then sqlite3 "$tmp/db" "SELECT count(*) FROM story"
    else python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM story").fetchone()[0])' "$tmp/db"; fi
}

for dir in "$B" "$B/san"; do
    echo "# $dir"
    serve --delay 5
    pipeline --base "$url" --count 60
    ok "all is stored: 0" test "$rc" = 0
    ok "and it says so" says '^fetched 60, failed 0, stored 60 in '
    ok "and it is true" test "$(rows)" = 60
    ok "five stories are shown" test "$(grep -c '^ *[0-9]*  [A-Z]' "$tmp/out")" = 5
    pipeline --base "$url" --count 3 --sequential --quiet
    ok "quiet: 0 and not a word" test "$rc" = 0 -a ! -s "$tmp/out" -a ! -s "$tmp/err"
    pipeline --base "$url/elsewhere"
    ok "no such page: 1" test "$rc" = 1
    ok "and it says so" says 'elsewhere/v0/topstories.json: HTTP 404'
    pipeline --base "$url" --count 3 --db "$tmp/no/such/directory/db"
    ok "a database in no directory: 1" test "$rc" = 1
    ok "and it says so" says 'directory/db: no such name, file or directory'
    pipeline --base "$url" --count 3 --db "$tmp"
    ok "a directory as database: 1" test "$rc" = 1
    echo "This is not a database, but it is longer than the header of one, which has a hundred bytes: so it is looked at." > "$tmp/db.txt"
    "$dir/examples/hn_pipeline" --base "$url" --db "$tmp/db.txt" > "$tmp/out" 2> "$tmp/err"
    rc=$?
    ok "another file as database: 1" test "$rc" = 1
    ok "and it says so" says 'file is not a database'
    kill -STOP "$server"
    pipeline --base "$url" --timeout 0.2 --retries 1
    kill -CONT "$server"
    ok "a silent server: 1" test "$rc" = 1
    ok "and it says so" says 'topstories.json: timed out'
    stop

    serve --delay 5 --fail 30
    pipeline --base "$url" --count 40 --retries 0
    ok "some fail: 3" test "$rc" = 3
    ok "with the reason" says '^  [0-9]* x HTTP 503$'
    ok "and the others are stored" says "^fetched $(rows), failed $((40 - $(rows))), stored $(rows) in"
    pipeline --base "$url" --count 80
    ok "with retries all are stored: 0" test "$rc" = 0 -a "$(rows)" = 80
    stop

    serve --delay 5 --null 20
    pipeline --base "$url" --count 50
    ok "a null is no failure: 0" test "$rc" = 0
    ok "and nothing to store" says "^fetched 50, failed 0, stored $(rows) in"
    ok "and it is counted" says "^  $((50 - $(rows))) x not a story"
    stop

    serve --delay 5 --bad 20
    pipeline --base "$url" --count 50
    ok "stories that are no JSON: 3" test "$rc" = 3
    ok "with the reason" says "^  $((50 - $(rows))) x malformed JSON"
    stop

    serve --bad 100
    pipeline --base "$url"
    ok "a list that is no JSON: 1" test "$rc" = 1
    ok "and it says so" says 'topstories.json: malformed JSON'
    stop
    pipeline --base "$url" --retries 1
    ok "nobody listens: 1" test "$rc" = 1
    ok "and it says so" says 'topstories.json: connection refused'
    pipeline --base http://nobody.invalid --retries 0
    ok "no such host: 1" test "$rc" = 1
    ok "and it says so" says 'nobody.invalid/v0/topstories.json: no such host'

    serve --delay 5000
    pipeline --base "$url" --count 6 --concurrency 6 --timeout 1 --retries 1
    ok "every story times out: 1" test "$rc" = 1
    ok "with the reason" says '^  6 x timed out'
    stop

    serve --delay 40
    rm -f "$tmp"/db*
    $heed "$dir/examples/hn_pipeline" --db "$tmp/db" --base "$url" --count 100 --concurrency 2 > "$tmp/out" 2> "$tmp/err" &
    pid=$!
    servers="$servers $pid"
    tries=100
    until [ "$(rows 2>/dev/null || echo 0)" -ge 5 ] || [ "$tries" = 0 ]; do tries=$((tries - 1)); sleep 0.05; done
    kill -INT "$pid"
    wait "$pid"
    rc=$?
    ok "Ctrl-C: 130" test "$rc" = 130
    ok "a part is stored" test "$(rows)" -gt 0 -a "$(rows)" -lt 100
    ok "all that came, and it says so" says "^fetched $(rows), failed 0, stored $(rows) in"
    ok "no journal is left" test ! -e "$tmp/db-wal"
    stop

    "$dir/examples/hn_pipeline" --help > "$tmp/out"; rc=$?
    ok "help: 0" test "$rc" = 0
    "$dir/examples/hn_pipeline" --count 0 2> "$tmp/err"; rc=$?
    ok "wrong usage: 2" test "$rc" = 2
done
echo "1..$count"
exit "$failed"
