#!/bin/sh
# The network programs among the examples, for real, on ports that the system chooses: against each other and against talk.pl.
# Both builds. A program's name as argument: only that one.
cd "$(dirname "$0")/.." || exit 1
B=${B:-build} only=${1:-}
export LC_ALL=C # one that is not there is told of by perl
count=0 failed=0 pids=
command -v timeout >/dev/null && limit='timeout 20' || limit=
tmp=$(mktemp -d) && : > "$tmp/server" && : > "$tmp/server.err" || exit 1
trap 'for p in $pids; do kill -KILL $p 2>/dev/null; done; rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

ok() { # ok NAME COMMAND...
    name=$1 count=$((count + 1))
    shift
    if "$@" > "$tmp/said" 2>&1; then echo "ok $count - $name"; return; fi
    echo "not ok $count - $name"
    failed=1
    echo "# $*" | head -n 1 | cut -c1-300
    cat "$tmp/said" "$tmp/out" "$tmp/err" "$tmp/server" "$tmp/server.err" 2>/dev/null | head -n 50 | cut -c1-300 | sed 's/^/#   /'
}
talk() { perl tests/talk.pl "$@"; }
says() { grep -q -- "$1" "$tmp/out" "$tmp/err"; }
told() { grep -q -- "$1" "$tmp/server" "$tmp/server.err"; }
until_true() { # until_true COMMAND...: waits for that, for at most 30 s
    tries=1500
    until "$@" || [ "$tries" = 0 ]; do tries=$((tries - 1)); sleep 0.02; done
    [ "$tries" != 0 ]
}
until_told() { until_true told "$1"; }
# A shell starts what runs in the background with Ctrl-C ignored, which AX_RUN respects.
heed() { exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$@"; }
# Whether the program has a handler for Ctrl-C: before, it would just be killed, with 130 as well. (Its process begins as a copy of
# this shell, which has one too.)
catches() { readlink "/proc/$1/exe" | grep -q '/examples/' && grep -q '^SigCgt:.*[2367abef]$' "/proc/$1/status"; }
start() { # start PROGRAM OPTION...: $pid, and $port if it says one
    : > "$tmp/server"
    (heed "$dir/examples/$@") > "$tmp/server" 2> "$tmp/server.err" < /dev/null &
    pid=$!
    pids="$pids $pid"
    until_told '^listening on '
    port=$(sed -n 's/^listening on .*:\([0-9]*\).*/\1/p' "$tmp/server" | head -n 1)
}
ends() { # ends STATUS: the program that was started
    wait "$pid"
    rc=$?
    test "$rc" = "$1" || { echo "exit code $rc"; return 1; }
}
run() { # run PROGRAM OPTION...: $rc, what it says
    program=$1
    shift
    $limit "$dir/examples/$program" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
    rc=$?
}
usage() { # what all have in common
    run "$1" --help
    ok "$1 --help: 0, and on stdout" test "$rc" = 0 -a ! -s "$tmp/err" -a -s "$tmp/out"
    run "$1" --nonsense
    ok "an unknown option: 2" test "$rc" = 2
    ok "with a hint" says "^$1: unknown option --nonsense; see $1 --help"
}

test_echo_server() {
    usage echo_server
    run echo_server --port 65536
    ok "no such port: 2" test "$rc" = 2
    start echo_server --port 0 --max-clients 2 --idle 60 --grace 60
    run echo_server --port "$port"
    ok "a port in use: 1" test "$rc" = 1
    ok "with the port and the reason" says "^echo_server: 127.0.0.1:$port: address already in use"
    ok "all comes back, and the end too" talk "open@a $port" 'fill@a 100000' 'drain@a 100000' shut@a eof@a
    ok "beyond two clients one waits" talk "open@a $port" 'send@a x' 'get@a x' "open@b $port" 'send@b x' 'get@b x' \
        "open@c $port" 'send@c hello' close@a 'get@c hello'
    ok "a reset" talk "open@a $port" 'send@a x' 'get@a x' reset@a
    ok "is said with the address" until_told '^echo_server: 127.0.0.1:[0-9]*: connection reset by peer'
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    ok "nothing to cut off" told ' 0 cut off'

    start echo_server --port 0 --idle 0.3
    ok "who is silent is told to go" talk "open@a $port" eof@a
    ok "and that is said" until_told '^echo_server: 127.0.0.1:[0-9]*: timed out'
    ok "who does not read has to go, too" talk "open@a $port" 'stuff@a 20000000'
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0

    start echo_server --port 0 --grace 60
    ok "after Ctrl-C nobody comes in, who is there finishes" talk "open@a $port" "open@b $port" 'send@a x' 'send@b x' \
        'get@a x' 'get@b x' "kill INT $pid" "send@a y" "get@a y" "refused $port" 'send@a bye' shut@a 'get@a bye' eof@a shut@b eof@b
    ok "the server: 0" ends 0
    ok "it says so" told '^2 clients, 6 bytes, 0 cut off'
    ok "and nothing else" test ! -s "$tmp/server.err"
    start echo_server --port 0 --grace 0.1
    ok "who does not is cut off" talk "open@a $port" 'send@a x' 'get@a x' "kill INT $pid" eof@a
    ok "the server: 0" ends 0
    ok "it says so" told '^1 clients, 1 bytes, 1 cut off'
}

test_subprocess() {
    usage subprocess
    run subprocess
    ok "no command: 2" test "$rc" = 2
    run subprocess --input 'some words' cat 'echo wrong >&2'
    ok "output and errors come through: 0" test "$rc" = 0 -a "$(cat "$tmp/out")" = 'some words' -a "$(cat "$tmp/err")" = wrong
    run subprocess --input "$(head -c 100000 /dev/zero | tr '\0' x)" 'cat; cat "$0" >&2' 'head -c 1'
    ok "more than pipes hold, in and out at once" test "$(wc -c < "$tmp/out")" = 100001
    run subprocess --lines --input "$(printf 'a\nb')" cat 'exec head -c 1' 'echo wrong >&2; exit 3'
    ok "lines as they come, behind the number of their command" test "$rc" = 1 -a "$(sort "$tmp/out" | tr '\n' ,)" = '1: a,1: b,2: a,'
    ok "its errors too" says '^wrong'
    run subprocess --max-bytes 10 'echo 123456789abcdef'
    ok "too much output: its beginning" test "$rc" = 0 -a "$(cat "$tmp/out")" = 123456789a
    ok "and it is said" says 'more than 10 bytes, the rest is dropped'
    run subprocess 'exit 3' 'kill -9 $$' true nonsense
    ok "commands that fail: 1" test "$rc" = 1
    ok "with the exit code" says '^subprocess: exit 3: exit code 3'
    ok "or the signal" says '^subprocess: kill -9 $$: ended by signal 9'
    ok "or that there is none such" says '^subprocess: nonsense: exit code 127'
    run subprocess --limit 0.1 --grace 5 'exec sleep 77' # how else commands end, and refuse to, is for process.c
    ok "beyond the time limit: 1" test "$rc" = 1
    ok "and it is said" says ': timed out'
    ok "it was asked to end" says ': ended by signal 15'
    run subprocess --grace 0.1 'sleep 5 & echo $!'
    ok "something in the background does not hold it up: 0" test "$rc" = 0
    kill "$(cat "$tmp/out")"
    (trap '' INT TERM; "$dir/examples/subprocess" 'kill -INT $$' 'kill -TERM $$' > "$tmp/out" 2> "$tmp/err")
    ok "signals that we ignore are not ignored there" says 'ended by signal 2'
    ok "none of them" says 'ended by signal 15'
    if [ -d /proc/self/fd ]; then
        handed=$(exec ls /proc/self/fd < /dev/null 2> /dev/null) # what this script itself was given
        run subprocess 'sleep 0.1' 'sleep 0.1; exec ls /proc/self/fd'
        ok "no descriptor of ours is handed down" test "$(cat "$tmp/out")" = "$handed"
    fi
    run subprocess $(seq 100 | sed 's/.*/true/')
    ok "of many that end at once none is lost: 0" test "$rc" = 0 -a ! -s "$tmp/err"
    for signal in INT:130 TERM:143; do
        code=${signal#*:} signal=${signal%:*}
        rm -f "$tmp/pid"
        heed "$dir/examples/subprocess" --grace 0.1 'sleep 5' "trap '' TERM; echo \$\$ > $tmp/pid; sleep 5; sleep 5" \
            > "$tmp/server" 2> "$tmp/server.err" &
        pid=$!
        until_true test -s "$tmp/pid"
        kill -$signal "$pid"
        ok "SIG$signal ends it: $code" ends "$code"
        ok "and all commands" test -s "$tmp/pid" -a -z "$(kill -0 "$(cat "$tmp/pid")" 2> /dev/null && echo left)"
    done
}

test_port_forwarder() {
    usage port_forwarder
    for to in nowhere nowhere: :80 host:0 host:65536 host:http; do run port_forwarder "$to"; test "$rc" = 2 || break; done
    ok "no host and port to go to: 2" test "$rc" = 2
    start port_forwarder --port 0 nobody.invalid:80
    ok "an unknown host: who comes is let go" talk "open@a $port" eof@a
    ok "and the host is named" until_told '^port_forwarder: nobody.invalid:[0-9]*: '
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0

    start echo_server --port 0 --grace 5
    server=$pid inner=$port
    start port_forwarder --port 0 --max-clients 3 --idle 60 --grace 60 "127.0.0.1:$inner"
    run port_forwarder --port "$port" localhost:1
    ok "a port in use: 1" test "$rc" = 1
    ok "with the port and the reason" says "^port_forwarder: 127.0.0.1:$port: address already in use"
    ok "all goes through and comes back, after the half close, too" talk "open@a $port" 'fill@a 3000000' shut@a \
        'drain@a 3000000' eof@a
    ok "by turns" talk "open@a $port" 'send@a one' 'get@a one' 'send@a two' 'get@a two' close@a
    ok "after Ctrl-C who is there finishes" talk "open@a $port" 'send@a x' 'get@a x' "kill INT $pid" 'send@a y' 'get@a y' \
        "refused $port" shut@a eof@a
    ok "the forwarder: 0" ends 0
    ok "it says so" told '^3 connections, 0 cut off'
    start port_forwarder --port 0 --idle 0.3 "127.0.0.1:$inner"
    ok "who is silent has to go" talk "open@a $port" eof@a
    ok "and that is said" until_told '^port_forwarder: 127.0.0.1:[0-9]*: timed out'
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    start port_forwarder --port 0 --grace 0.1 "127.0.0.1:$inner"
    ok "who does not finish is cut off" talk "open@a $port" 'send@a x' 'get@a x' "kill INT $pid" eof@a
    ok "the forwarder: 0" ends 0
    ok "it says so" told '^1 connections, 1 cut off'
    pid=$server
    kill -TERM "$pid"
    ok "no connection is left behind it" ends 0

    start port_forwarder --port 0 "127.0.0.1:$inner"
    ok "nobody listens there any more" talk "open@a $port" eof@a
    ok "and that is said" until_told "^port_forwarder: 127.0.0.1:$inner: connection refused"
    kill -TERM "$pid"
    ok "the forwarder: 0 again" ends 0
}

test_chat_server() {
    usage chat_server
    start chat_server --port 0 --max-clients 3 --backlog 16 --rate 100000 --stall 0.2 --grace 0.3
    run chat_server --port "$port"
    ok "a port in use: 1" test "$rc" = 1
    ok "with the port and the reason" says "^chat_server: 127.0.0.1:$port: address already in use"
    ok "what is said is heard in the same room" talk "open@a $port" 'get@a joins lobby\n' "open@b $port" 'get@a joins lobby\n' \
        'send@a /name ann\nhello\n' 'get@b is now ann\nann: hello\n' 'send@b /name ann\n' 'get@b taken' 'send@b /name bob\n' \
        'get@b now bob\n' 'send@b /join den\n' 'get@b bob joins den\n' 'get@a bob leaves lobby\n' 'send@a unheard\n/who\n' \
        'get@a ann: unheard\n\* bob is in den\n\* ann is in lobby\n' 'send@b hi\r\n' 'get@b ^bob: hi\n' "send@b /quit\\n" eof@b \
        'send@a x\n' 'get@a ^ann: x\n' shut@a eof@a
    ok "what steers terminals is not handed on" talk "open@a $port" "send@a $(printf '\033')[31m\\n" 'get@a : \?\[31m\n'
    ok "beyond three clients one is refused" talk "open@a $port" 'get@a joins' "open@b $port" 'get@b joins' "open@c $port" \
        'get@c joins' "open@d $port" 'get@d full' end@d
    ok "a line that is too long is dropped, the next is heard" talk "open@a $port" 'get@a joins lobby\n' 'fill@a 100' \
        "send@a $(head -c 2000 /dev/zero | tr '\0' x)" 'send@a \nhello\n' 'get@a at most 499 bytes in a line\n.*: hello\n'
    long=$(head -c 480 /dev/zero | tr '\0' y) many=
    for i in 1 2 3 4 5 6 7 8 9 10; do many="$many$long\\n"; done
    ok "who does not read holds nobody up" talk "slow@b $port" 'get@b joins lobby\n' "open@a $port" 'get@a joins' \
        "nag@a 1200 - $many" "wait 0.4"
    ok "and has to go" until_told '^chat_server: guest[0-9]*: does not read'
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    ok "nothing else to complain of" test "$(wc -l < "$tmp/server.err")" = 1

    start chat_server --port 0 --backlog 4 --rate 100000
    ok "who reads too late has missed something" talk "slow@b $port" 'get@b joins lobby\n' "open@a $port" 'get@a joins' \
        "nag@a 50 - $many" 'get@b you missed [0-9]+ lines'
    kill -TERM "$pid"
    ok "nobody is left, it does not use its grace time" ends 0

    start chat_server --port 0 --idle 0.3
    ok "who says nothing has to go" talk "open@a $port" 'get@a without a word' end@a
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    start chat_server --port 0 --rate 20 --grace 60
    ok "after Ctrl-C all are told, and may go" talk "open@a $port" 'get@a joins' "open@b $port" 'get@b joins' \
        "kill INT $pid" 'get@a ends in 60' 'get@b ends in 60' "refused $port" \
        'send@a bye\n/quit\n' 'get@b bye' end@a 'get@b gone' 'send@b /quit\n' end@b
    ok "the server: 0" ends 0
    start chat_server --port 0 --grace 0.1
    ok "who does not is cut off" talk "open@a $port" 'get@a joins' "kill INT $pid" 'get@a ends in 0.1' end@a
    ok "the server: 0" ends 0
}

page() { # page NAME FORMAT: what talk.pl answers to /NAME
    printf "$2" > "$tmp/www/$1"
}
test_http_get() {
    usage http_get
    run http_get
    ok "no URL: 2" test "$rc" = 2
    run http_get --max-bytes 0 x
    ok "nothing to get: 2" test "$rc" = 2
    rm -rf "$tmp/www"
    mkdir "$tmp/www"
    page length 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more'
    page close 'HTTP/1.0 200 OK\r\n\r\nup to the end'
    page chunks 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n chunks\r\n0\r\nX: y\r\n\r\n'
    page early 'HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    page empty 'HTTP/1.1 204 No Content\r\n\r\n'
    page moved 'HTTP/1.1 301 Moved\r\nLocation: http://else.where/\r\nContent-Length: 0\r\n\r\n'
    page cut 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'
    page cutchunk 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello'
    page badchunk 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n'
    page nosize 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello'
    page huge 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello'
    page nothttp '220 smtp.example.com ready\r\n'
    page twolengths 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'
    { page large 'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n'; head -c 300000 /dev/zero | tr '\0' x >> "$tmp/www/large"; }
    : > "$tmp/server"
    perl tests/talk.pl "www $tmp/www" > "$tmp/server" 2> "$tmp/server.err" &
    pid=$!
    pids="$pids $pid"
    until_told '^listening on '
    url=$(sed -n 's/^listening on //p' "$tmp/server")
    get() { run http_get --timeout 5 "$@"; }
    fails() { # fails PAGE WHY
        get "$url/$1"
        ok "$1: 1" test "$rc" = 1 -a ! -s "$tmp/out"
        ok "$1: $2" says "^http_get: $url/$1: $2"
    }
    get "$url/length" "$url/close" "$url/chunks" "$url/early?x#y" "$url/empty" "$url/large"
    ok "many at once: 0" test "$rc" = 0
    ok "their bodies in order" test "$(head -c 32 "$tmp/out")" = 'helloup to the endhello chunksok'
    ok "to the last byte" test "$(wc -c < "$tmp/out")" = 300032
    ok "and a line about each" says "^http_get: $url/large: 200, 300000 bytes, "
    get --parallel 1 -o "$tmp/file" "$url/length" "$url/close"
    ok "one after the other, into a file" test "$rc" = 0 -a ! -s "$tmp/out" -a "$(cat "$tmp/file")" = 'helloup to the end'
    get -o "$tmp/no/file" "$url/length"
    ok "a file that can't be: 1" test "$rc" = 1
    ok "and it is named" says 'no/file: No such file'
    get "$url/moved"
    ok "a redirection: 1, and where to" says '301, 0 bytes, .* see http://else.where/'
    fails cut 'cut short'
    fails cutchunk 'cut short'
    fails badchunk 'a chunk of another size'
    fails nosize 'a chunk without a size'
    fails huge 'too large'
    fails nothttp 'not HTTP'
    fails twolengths 'a Content-Length'
    get --max-bytes 299999 "$url/large" "$url/length"
    ok "more than it may have" says "/large: too large"
    ok "the others are there" test "$rc" = 1 -a "$(cat "$tmp/out")" = hello
    get --timeout 0.2 "$url/silent" "$url/length"
    ok "a silent server" says '/silent: timed out'
    get https://x/ http:// http://x:0/
    ok "what can't be got" test "$(wc -l < "$tmp/err")" = 3 -a "$rc" = 1
    get http://nobody.invalid/
    ok "an unknown host" says '^http_get: http://nobody.invalid/: no such name'
    kill -KILL "$pid"
    wait "$pid" 2> /dev/null
    fails length 'connection refused'
    start hn_server --delay 5000
    (heed "$dir/examples/http_get" "http://127.0.0.1:$port/v0/item/42000000.json") > "$tmp/out" 2> "$tmp/err" &
    get=$!
    ok "http_get runs" until_true catches "$get"
    kill -INT "$get"
    wait "$get"
    rc=$?
    ok "Ctrl-C: 130, and not a word" test "$rc" = 130 -a ! -s "$tmp/err"
    kill -INT "$pid"
    wait "$pid"
}

test_hn_server() {
    usage hn_server
    start hn_server --delay 1 --idle 2 --max-clients 1
    run hn_server --port "$port"
    ok "a port in use: 1" test "$rc" = 1
    ok "and it is said" says "^hn_server: port $port: address already in use"
    ok "a connection is kept, a body is passed over, requests may come at once" talk "open@a $port" \
        'send@a GET /v0/item/42000000.json HTTP/1.1\r\n\r\n' 'get@a ^HTTP/1.1 200 OK\r\n.*{"by":.*}' \
        'send@a POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcdeHEAD /v0/item/1.json HTTP/1.1\r\nA: b\r\n\r\nGET /x HTTP/1.0\r\n\r\n' \
        'get@a ^HTTP/1.1 405 .*Allow: GET, HEAD\r\n\r\nMethod Not Allowed\n' 'get@a ^HTTP/1.1 200 .*Content-Length: 4\r\n\r\n' \
        'get@a ^HTTP/1.1 404 .*Connection: close\r\n\r\nNot Found\n' eof@a
    for head in 'GET' 'GET /' 'GET x HTTP/1.1' 'GET / HTTP/1.1\r\nx' 'GET / HTTP/1.1\r\nA: b\r\n c' 'GET / HTTP/1.1\r\nContent-Length: -1' \
        'GET / HTTP/1.1\r\nTransfer-Encoding: chunked'; do
        ok "no request ($(printf %.22s "$head" | tr '\\' /)): 400" talk "open@a $port" "send@a $head\\r\\n\\r\\nGET " 'get@a ^HTTP/1.1 400 .*Bad Request\n' eof@a
    done
    ok "another protocol: 505" talk "open@a $port" 'send@a GET / HTTP/2.0\r\n\r\n' 'get@a ^HTTP/1.1 505 ' end@a
    ok "too large a body: 413" talk "open@a $port" 'send@a GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n' 'get@a ^HTTP/1.1 413 ' end@a
    ok "too large a head: 431" talk "open@a $port" 'fill@a 8200' 'get@a ^HTTP/1.1 431 ' end@a
    ok "the next client waits for its place; who stops amid a request has to go" talk "open@a $port" 'send@a GET /' "open@b $port" \
        'send@b GET /x HTTP/1.1\r\n\r\n' eof@a 'get@b ^HTTP/1.1 404 '
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    ok "and not a word" test ! -s "$tmp/server.err"
}

# How many connections to $port wait for an answer.
unanswered() { awk -v port=":$(printf %04X "$port")" '$4 == "02" && substr($3, 9) == port && !seen[$2]++ { n++ } END { print n + 0 }' /proc/net/tcp; }
many_unanswered() { [ "$(unanswered)" -ge "$1" ]; }
test_tcp_check() {
    usage tcp_check
    run tcp_check
    ok "no host: 2" test "$rc" = 2
    for to in host host: :80 host:0 host:5-4 host:1,,2 host:1, host:x host:65536 h:1-60000,1-60000; do
        run tcp_check "$to"
        test "$rc" = 2 || break
    done
    ok "no list of ports: 2" test "$rc" = 2
    start echo_server --port 0
    run tcp_check --parallel 2 "127.0.0.1:$port,1" "localhost:$port" "[::1]:1" nobody.invalid:80-82
    ok "some do not: 1" test "$rc" = 1
    ok "the table" test "$(sed 's/[0-9.]* ms$/T/; s/\t/ /g' "$tmp/out")" = "127.0.0.1:$port open T
127.0.0.1:1 connection refused
localhost:$port open T
::1:1 $(sed -n 's/^::1:1\t//p' "$tmp/out")
nobody.invalid:80 no such name, file or directory
nobody.invalid:81 no such name, file or directory
nobody.invalid:82 no such name, file or directory
2 of 7 open"
    run tcp_check --open "127.0.0.1:$port,$port,1"
    ok "only those that are open" test "$(wc -l < "$tmp/out")" = 3
    run tcp_check "127.0.0.1:$port"
    ok "all do: 0" test "$rc" = 0
    run tcp_check --parallel 500 127.0.0.1:1-3000
    ok "three thousand" test "$(wc -l < "$tmp/out")" = 3001
    kill -TERM "$pid"
    wait "$pid"
    # a queue that is full: who comes then gets no answer
    : > "$tmp/server"
    perl -MSocket -e '$| = 1; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, pack_sockaddr_in(0, INADDR_LOOPBACK)); listen(S, 0);
        my ($port) = unpack_sockaddr_in(getsockname(S));
        for (0 .. 3) { socket($c[$_], PF_INET, SOCK_STREAM | 2048, 0); connect($c[$_], pack_sockaddr_in($port, INADDR_LOOPBACK)) }
        print "listening on 127.0.0.1:$port\n"; sleep 100' > "$tmp/server" 2> "$tmp/server.err" &
    pid=$!
    pids="$pids $pid"
    until_told '^listening on '
    port=$(sed -n 's/.*://p' "$tmp/server")
    run tcp_check --timeout 0.2 "127.0.0.1:$port"
    ok "no answer" says "^127.0.0.1:$port.timed out"
    waiting=$(unanswered)
    (heed "$dir/examples/tcp_check" --parallel 2 --timeout 60 "127.0.0.1:1,$port,$port,$port") > "$tmp/out" 2> "$tmp/err" &
    check=$!
    ok "tcp_check runs" until_true catches "$check"
    ok "one is refused, two get no answer" until_true many_unanswered "$((waiting + 2))"
    kill -INT "$check"
    wait "$check"
    rc=$?
    ok "Ctrl-C: 130" test "$rc" = 130
    ok "and what is known" test "$(head -n 1 "$tmp/out"; tail -n 1 "$tmp/out")" = "$(
        printf '127.0.0.1:1\tconnection refused\n0 of 4 open, 3 not known')"
    kill -KILL "$pid"
    wait "$pid" 2> /dev/null
}

test_udp_echo() {
    usage udp_echo
    run udp_echo --to nowhere
    ok "nobody to ask: 2" test "$rc" = 2
    run udp_echo --to nobody.invalid:1
    ok "an unknown host: 1" test "$rc" = 1
    ok "and it is named" says '^udp_echo: nobody.invalid:1: no such name'
    start udp_echo --port 0
    run udp_echo --port "$port"
    ok "a port in use: 1" test "$rc" = 1
    ok "with the port and the reason" says "^udp_echo: 127.0.0.1:$port: address already in use"
    run udp_echo --to "127.0.0.1:$port" --count 100 "some words"
    ok "all is answered: 0" test "$rc" = 0 -a "$(wc -l < "$tmp/out")" = 100
    kill -STOP "$pid"
    run udp_echo --to "127.0.0.1:$port" --count 1 --tries 3 --wait 0.1
    ok "a silent server: 1" test "$rc" = 1
    ok "and it is named" says "^udp_echo: 127.0.0.1:$port: 1: timed out"
    (sleep 0.3; kill -CONT "$pid") &
    run udp_echo --to "127.0.0.1:$port" --count 2 --tries 20 --wait 0.1
    ok "one that is late: asked again, its late answers are passed over" test "$rc" = 0 -a "$(wc -l < "$tmp/out")" = 2
    kill -TERM "$pid"
    ok "SIGTERM: 0" ends 0
    ok "it says how many" told '^1[0-9][0-9] datagrams'
    run udp_echo --to "127.0.0.1:$port" --count 1
    ok "nobody listens: 1" test "$rc" = 1
    ok "and it is named" says "^udp_echo: 127.0.0.1:$port: 1: connection refused"
}

test_loop_per_thread() {
    usage loop_per_thread
    run loop_per_thread --threads 65
    ok "too many threads: 2" test "$rc" = 2
    run loop_per_thread --host 192.0.2.1
    ok "an address that is not ours: 1" test "$rc" = 1
    ok "and it is named" says '^loop_per_thread: 192.0.2.1:7003: '
    start loop_per_thread --port 0 --threads 3 --idle 60 --grace 60
    ok "lines come back" talk "open@a $port" 'send@a one\ntwo\r\n' 'get@a ^one\ntwo\n' shut@a eof@a
    clients=
    for i in $(seq 30); do clients="$clients open@c$i:$port send@c$i:x\\n get@c$i:x\n close@c$i"; done
    ok "from thirty, too" talk $clients
    ok "the counters of all loops" talk "open@a $port" 'send@a stats\n' \
        'get@a loop 0.*: [0-9]+ clients.*loop 2.*: \d+ clients, \d+ lines\n'
    ok "from many at once, until Ctrl-C comes" talk "open@a $port" "open@b $port" "open@c $port" "open@d $port" \
        'send@a stats\nstats\nstats\n' 'send@b stats\nstats\nstats\n' 'send@c stats\nstats\nstats\n' 'send@d x\n' 'get@d x\n' \
        "kill INT $pid" 'get@a loop 2.*loop 2.*loop 2' "refused $port" 'send@a x\n' 'get@a x\n' shut@a end@a shut@b end@b shut@c shut@d end@d end@c
    ok "the server: 0" ends 0
    ok "it has counted all" told '^[3-9][0-9] clients, 4[3-9] lines'
    start loop_per_thread --port 0 --threads 2 --grace 0.1
    ok "SIGTERM cuts off who stays" talk "open@a $port" 'send@a x\n' 'get@a x\n' "kill TERM $pid" end@a
    ok "the server: 0" ends 0
}

for dir in "$B" "$B/san"; do
    echo "# $dir"
    for program in echo_server subprocess port_forwarder chat_server http_get hn_server tcp_check udp_echo loop_per_thread; do
        [ -n "$only" ] && [ "$only" != "$program" ] || "test_$program"
    done
done
echo "1..$count"
exit "$failed"
