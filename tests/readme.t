#!/bin/sh
# Every program in README.md compiles as shown, without a warning; the first one runs.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
result() { n=$((n + 1)); if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$tmp/log"; fi; }

awk -v dir="$tmp" '/^```c$/ { k++; on = 1; next } /^```$/ { on = 0 } on { print > (dir "/block" k ".c") }' "$here/README.md"
program=$(grep -l 'int main' "$tmp"/block*.c | head -n 1)
for flags in "-std=c99 -Wall -Wextra -Wpedantic -Werror" "-std=c11 -O2 -Wall -Wextra -Werror"; do
    ${CC:-cc} $flags -I"$here" -include "$here/tests/virtual.h" "$program" -o "$tmp/first" -lpthread >"$tmp/log" 2>&1
    result $? "the first program compiles with $flags"
done
"$tmp/first" >"$tmp/out" 2>"$tmp/log"
result $? "it runs"
printf 'Hello, Alice!\nHello, Bob!\n' | cmp -s - "$tmp/out"
result $? "it greets both"
lines=$(wc -l <"$program")
[ "$lines" -le 30 ]
result $? "it has at most 30 lines"
# the async functions shown on their own compile inside a program
printf '#define ASYNCX_IMPLEMENTATION\n#include "asyncx.h"\nstruct echo { ax_frame frame; int fd; char buffer[512]; };\n' >"$tmp/echo.c"
cat "$(grep -l 'AX_ASYNC(echo)' "$tmp"/block*.c)" >>"$tmp/echo.c"
printf 'int main(void) { return ax_exit(AX_RUN(echo, .fd = -1)) != 1; }\n' >>"$tmp/echo.c"
${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$here" "$tmp/echo.c" -o "$tmp/echo" -lpthread >"$tmp/log" 2>&1 && "$tmp/echo" 2>>"$tmp/log"
result $? "the function with AX_FINALLY compiles and runs"
# the server: a free port in place of its own, two clients, and it still serves
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
sed "s/7000/$port/" "$(grep -l ax_server "$tmp"/block*.c)" >"$tmp/server.c"
${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$here" "$tmp/server.c" -o "$tmp/server" -lpthread >"$tmp/log" 2>&1
result $? "the server compiles"
"$tmp/server" 2>"$tmp/log" &
server=$!
perl -MIO::Socket::INET -e '
    for my $round (1, 2) {
        my ($s, $tries) = (undef, 0);
        until ($s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]")) { die "no server" if $tries++ > 500; select undef, undef, undef, 0.01 }
        print $s "one\r\ntwo\n";
        $s->flush;
        die "wrong answer" unless <$s> eq "1 one\n" && <$s> eq "2 two\n";
    }' "$port" >>"$tmp/log" 2>&1
result $? "and serves"
kill "$server"
wait "$server" 2>/dev/null
echo "1..$n"
