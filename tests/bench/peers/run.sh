#!/bin/sh
# The same work done by asyncx and by its peers, in one run: `make bench-peers`, about 13 minutes; QUICK=1 is one short round of it.
#
# It builds what the machine has the libraries for and names what is missing. In each round every job is done by every peer in turn,
# forth in one round and back in the next, with a rest before each: what else the machine does hits all. The echo servers of a round
# run side by side and take short turns, as many as TURNS; each turn counts as a round. A ratio is taken within a round; the tables
# give medians over the rounds, and the smallest and largest in brackets.
#
# On Debian: apt-get install gcc g++ libuv1-dev libev-dev libevent-dev libst-dev libboost-fiber-dev python3-uvloop
# golang-go cargo librust-tokio-dev. It needs two cores (the server gets the first, the load the second) and leave to open 5,200 files (ulimit -Hn).
# Servers close with the load.
#
# To be set in the environment:
#   ROUNDS, LONG_ROUNDS   how many; LONG_ROUNDS of the sleepers and timers (one of asyncio's and uvloop's, which take long)
#   TURNS                 of the echo servers in each round
#   WINDOW_MS, WARM_MS    how long an echo server is measured in a turn, and warmed up before that
#   FILES                 how many connections the servers of a job may have together; more servers go in groups
#   N                     sleepers and timers
#   REST                  seconds before each program
#   JOBS, PEERS           some of them, as in JOBS="echo-100-0 echo-50-5000" PEERS="asyncx poll"
#   CC, CXX, PYTHON, CARGO, RUSTC, TOKIO   the programs to use, and the directory with the sources of tokio and what it needs
#
# The figures are left in build/peers/results.txt; `awk -f tests/bench/peers/table.awk build/peers/results.txt` makes the tables.
set -eu
cd "$(dirname "$0")/../../.."
src=tests/bench/peers
out=build/peers
results=$out/results.txt
log=$out/log

if [ -n "${QUICK-}" ]; then
    : "${ROUNDS:=1}" "${LONG_ROUNDS:=1}" "${TURNS:=2}" "${WINDOW_MS:=80}" "${WARM_MS:=30}" "${N:=100000}" "${REST:=0.02}"
    span="300 300"
else
    : "${ROUNDS:=7}" "${LONG_ROUNDS:=3}" "${TURNS:=3}" "${WINDOW_MS:=200}" "${WARM_MS:=80}" "${N:=1000000}" "${REST:=0.1}"
    span="1000 1000" # milliseconds: sleepers sleep, timers run from the first to the sum of both
fi
: "${JOBS:=switch spawn queue-1 queue-64 sleepers timers echo-100-0 echo-1000-0 echo-50-0 echo-50-1000 echo-50-5000}"
: "${PEERS:=asyncx_epoll epoll ev uv asyncx poll st event fiber tokio go uvloop asyncio}"
limit=$(ulimit -Hn)
[ "$limit" -le 30000 ] 2> /dev/null || limit=30000
: "${FILES:=$((limit - 200))}"
: "${CC:=cc}" "${CXX:=c++}" "${TOKIO:=/usr/share/cargo/registry}"
FLAGS="-std=c99 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Werror -O2 -DNDEBUG -I."
# uvloop is a package for Debian's Python, cargo's plain name may be another than Debian's
if [ -z "${PYTHON-}" ]; then PYTHON=python3; [ ! -x /usr/bin/python3 ] || PYTHON=/usr/bin/python3; fi
if [ -z "${CARGO-}" ]; then
    CARGO=cargo
    if [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ]; then CARGO=/usr/bin/cargo RUSTC=${RUSTC:-/usr/bin/rustc}; fi
fi
[ -z "${RUSTC-}" ] || export RUSTC

mkdir -p "$out"
: > "$log"
: > "$results"
have=
note() { echo "# $*" >> "$results"; }
failed() { # with the end of the log
    tail -n 30 "$log" >&2
    echo "bench-peers: $*" >&2
    exit 1
}

# ---- Building -------------------------------------------------------------------------------------------

# compile NAME SOURCE OPTION...
compile() {
    name=$1 file=$2
    shift 2
    # shellcheck disable=SC2086
    $CC $FLAGS -o "$out/$name" "$src/$file.c" "$@" >> "$log" 2>&1 || failed "$file.c does not compile"
}
included() { printf '#include <%s>\n' "$1" | $CC -E -x c - > /dev/null 2>&1; }
# library PEER HEADER OPTION PACKAGE
library() {
    if included "$2"; then
        compile "echo_$1" "echo_$1" "$3"
        compile "tasks_$1" "tasks_$1" "$3"
        have="$have $1"
    else note "missing: $1, the package $4"; fi
}

compile load load
compile echo_asyncx echo_asyncx -lpthread
compile tasks_asyncx tasks_asyncx -lpthread
compile echo_poll echo_poll
compile echo_epoll echo_epoll
have="asyncx poll epoll"
if grep -q ASYNCX_EPOLL asyncx.h; then
    compile echo_asyncx_epoll echo_asyncx -DASYNCX_EPOLL -lpthread
    have="$have asyncx_epoll"
else note "missing: asyncx_epoll, this asyncx.h has no ASYNCX_EPOLL"; fi
library ev ev.h -lev libev-dev
library uv uv.h -luv libuv1-dev
library event event2/event.h -levent_core libevent-dev
library st st.h -lst libst-dev

if command -v "$CXX" > /dev/null && printf '#include <boost/fiber/all.hpp>\n' | "$CXX" -E -x c++ - > /dev/null 2>&1; then
    "$CXX" -std=c++17 -Wall -Wextra -O2 -DNDEBUG -o "$out/tasks_fiber" "$src/tasks_fiber.cpp" -lboost_fiber -lboost_context \
        >> "$log" 2>&1 || failed "tasks_fiber.cpp does not compile"
    have="$have fiber"
else note "missing: fiber, the packages g++ and libboost-fiber-dev"; fi

if command -v go > /dev/null; then
    for program in echo_go tasks_go; do
        go build -o "$out/$program" "$src/$program.go" >> "$log" 2>&1 || failed "$program.go does not compile"
    done
    have="$have go"
else note "missing: go, the package golang-go"; fi

if command -v "$CARGO" > /dev/null && ls -d "$TOKIO"/tokio-1.* > /dev/null 2>&1; then
    mkdir -p "$out/tokio"
    cp -p "$src/Cargo.toml" "$src/echo_tokio.rs" "$src/tasks_tokio.rs" "$out/tokio"
    (cd "$out/tokio" && "$CARGO" build --offline --release --config 'source.crates-io.replace-with="system"' \
        --config "source.system.directory=\"$TOKIO\"") >> "$log" 2>&1 || failed "the programs for tokio do not compile"
    cp "$out/tokio/target/release/echo_tokio" "$out/tokio/target/release/tasks_tokio" "$out"
    have="$have tokio"
else note "missing: tokio, the packages cargo and librust-tokio-dev"; fi

if "$PYTHON" -c 'import asyncio' > /dev/null 2>&1; then have="$have asyncio"; else note "missing: asyncio, the package python3"; fi
if "$PYTHON" -c 'import uvloop' > /dev/null 2>&1; then have="$have uvloop"
else note "missing: uvloop, the package python3-uvloop"; fi

# program echo|tasks PEER: its command
program() {
    case $2 in
    asyncio | uvloop) echo "$PYTHON $src/$1_asyncio.py $2" ;;
    *) echo "$out/$1_$2" ;;
    esac
}

# ---- What it runs on ------------------------------------------------------------------------------------

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed q)
note "${cpu:-$(uname -m)}, $(getconf _NPROCESSORS_ONLN) cores, Linux $(uname -r), $($CC --version | sed q)"
versions=
for p in asyncx ev uv event st fiber go uvloop asyncio; do
    case " $have " in
    *" $p "*) versions="$versions, $($(program tasks $p) version)" ;;
    esac
done
case " $have " in
*" tokio "*) versions="$versions, tokio $(sed -n '/name = "tokio"/{n;s/[^0-9.]//gp;}' "$out/tokio/Cargo.lock")" ;;
esac
! commit=$(git describe --always --dirty 2> /dev/null) || versions="$versions; commit $commit"
note "${versions#, }"
note "rounds: $ROUNDS, of the sleepers and timers $LONG_ROUNDS with $N of each; echo: $TURNS turns in each, $WINDOW_MS ms after $WARM_MS ms"

# ---- Running --------------------------------------------------------------------------------------------

pin=
! command -v taskset > /dev/null || pin="taskset -c $(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" # the first core allowed

# measure ROUND JOB PEER: a line for each figure that the program prints; of echo servers several at once: "PEER..."
measure() {
    case " $limited " in *" $2 "*) return 0 ;; esac
    [ ! -t 2 ] || printf '\r\033[Kround %d of %d: %s, %s' "$1" "$ROUNDS" "$2" "$3" >&2
    case $2 in
    echo-*)
        numbers=${2#echo-}
        command="$out/load ${numbers%-*} ${numbers#*-} $WARM_MS $WINDOW_MS $TURNS"
        between=
        for server in $3; do
            command="$command $between $(program echo "$server")"
            between=--
        done
        ;;
    queue-*) command="$pin $(program tasks "$3") queue ${2#*-}" ;;
    sleepers | timers) command="$pin $(program tasks "$3") $2 $N $span" ;;
    *) command="$pin $(program tasks "$3") $2" ;;
    esac
    sleep "$REST"
    # A virtual machine's host may take a second to hand out so much memory: it is taken, touched and given back just before.
    [ "$2" != sleepers ] || dd if=/dev/zero of=/dev/null bs=$((N * 2000)) count=1 2>> "$log" || :
    status=0
    # shellcheck disable=SC2086
    timeout 300 $command > "$out/figures" 2>> "$log" || status=$?
    case $status in
    0)
        case $2 in
        echo-*)
            awk -v from=$((($1 - 1) * TURNS)) -v job="$2" -v names="$3" \
                'BEGIN { split(names, name, " ") } { print from + $2, job, name[$1], $3, $4 }' "$out/figures" >> "$results"
            ;;
        *) sed "s/^/$1 $2 $3 /" "$out/figures" >> "$results" ;;
        esac
        ;;
    3)
        limit=$(tail -n 1 "$log")
        note "not run: $2, ${limit#load: }"
        limited="$limited $2"
        ;;
    *) failed "$2 by $3 ended with $status: $command" ;;
    esac
}

# can JOB PEER: whether the peer has such a thing; libraries of callbacks have no tasks, bare loops have neither tasks nor timers,
# a million stacks of State Threads or Boost.Fiber are too much memory; the one has no queues, of the other there is no server
can() {
    case $1-$2 in
    echo-*-fiber | queue-*-st | sleepers-fiber | sleepers-st | timers-fiber | timers-st) return 1 ;;
    echo-*) ;;
    *-poll | *-epoll | *-asyncx_epoll) return 1 ;;
    sleepers-* | timers-*) ;;
    *-ev | *-uv | *-event) return 1 ;;
    esac
}

limited=
round=1
order=
for p in $PEERS; do
    case " $have " in
    *" $p "*) order="$order $p" ;;
    esac
done
while [ "$round" -le "$ROUNDS" ]; do
    for job in $JOBS; do
        case $job in
        echo-*)
            number=${job#echo-}
            most=$((FILES / (${number%-*} + ${number#*-})))
            group= size=0
            for p in $order; do
                can "$job" "$p" || continue
                group="$group $p"
                size=$((size + 1))
                [ "$size" -ge "$most" ] || continue
                measure "$round" "$job" "$group"
                group= size=0
            done
            [ -z "$group" ] || measure "$round" "$job" "$group"
            continue
            ;;
        esac
        for p in $order; do
            can "$job" "$p" || continue
            case $job-$p in
            sleepers-asyncio | sleepers-uvloop | timers-asyncio | timers-uvloop) [ "$round" -eq 1 ] || continue ;;
            sleepers-* | timers-*) [ "$round" -le "$LONG_ROUNDS" ] || continue ;;
            esac
            measure "$round" "$job" "$p"
        done
    done
    back=
    for p in $order; do back="$p $back"; done
    order=$back
    round=$((round + 1))
done
[ ! -t 2 ] || printf '\r\033[K' >&2
awk -f "$src/table.awk" "$results"
