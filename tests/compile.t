#!/bin/sh
# What must not compile, what must warn, and that every macro compiles cleanly as C and C++ in every form. Speaks TAP.
# A compiler that is missing is skipped; with CI set in the environment it is a failure.
export LC_ALL=C # what compilers say is looked at
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/tests/compile
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
WARN="-Wall -Wextra -Wpedantic -Wshadow -Werror"
n=0
failed=0

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { # name, file with the details
    n=$((n + 1))
    failed=1
    echo "not ok $n - $1"
    sed 's/^/# /' "$2" | head -20
}
missing() { # tool
    n=$((n + 1))
    if [ -n "$CI" ]; then failed=1; echo "not ok $n - $1 is missing"; else echo "ok $n - $1 # SKIP not installed"; fi
}
has() { command -v "$1" >/dev/null 2>&1; }

# A function body in a small program: the frame is `my`, with an int n, a slot and a group.
program() {
    cat > "$tmp/$1.c" <<END
#include "asyncx.h"
struct one { ax_frame frame; int n; };
AX_ASYNC(one) { AX_BEGIN; AX_AWAIT(ax_sleep(me, AX_MS(1))); AX_END; }
struct two { ax_frame frame; int n, m; struct one slot; ax_group g; };
AX_ASYNC(two) {
$2
}
int main(void) { ax_loop_desc d = {0}; d.flags = AX_VIRTUAL_CLOCK; (void)AXI_FN(one); return AX_RUN_WITH(&d, two, .n = 2, .m = 4) == 0 ? 0 : 1; }
END
}
# compiles CC FLAGS NAME: quietly; the messages are in $tmp/out.
compiles() { $1 -I"$root" $2 -c -o "$tmp/x.o" "$tmp/$3.c" >"$tmp/out" 2>&1; }

# message NAME CC FLAGS SNIPPET PATTERN: the snippet's compilation says PATTERN (a warning or an error, not about macros of ours only).
message() {
    if ! compiles "$2" "$3" "$4" && grep -Eq "$5" "$tmp/out"; then ok "$1: $2 $3"
    else echo "expected a message like: $5" >>"$tmp/out"; not_ok "$1: $2 $3" "$tmp/out"; fi
}

program good 'AX_BEGIN; AX_AWAIT(ax_sleep(me, 0)); my->m = my->n; AX_END;'
program sleep 'AX_BEGIN; ax_sleep(me, 1000000); AX_END;'
program call 'AX_BEGIN; AX_CALL(one, .n = 1); AX_END;'
program call_in 'AX_BEGIN; AX_CALL_IN(&my->slot, one); AX_END;'
program within 'AX_BEGIN; AX_WITHIN(AX_SEC(1), ax_sleep(me, 1000000)); AX_END;'
program number 'AX_BEGIN; my->m = ax_sleep(me, 1000000); AX_END;'
program compare 'AX_BEGIN; if (ax_checkpoint(me) < 0) my->m = 1; AX_END;'
program truth 'AX_BEGIN; if (ax_checkpoint(me)) my->m = 1; AX_END;'
program return_void 'AX_BEGIN; if (my->m) return; AX_AWAIT(ax_sleep(me, 0)); AX_END;'
program return_op 'AX_BEGIN; AX_AWAIT(ax_sleep(me, 0)); return ax_done(my->m); AX_END;'
cat > "$tmp/built.cpp" <<END
#include "asyncx.h"
struct built { ax_frame frame; struct text { char *at; text() : at(0) {} } name; };
AX_ASYNC(built) { AX_BEGIN; AX_AWAIT(ax_sleep(me, 0)); AX_END; }
END
program return_0 'AX_BEGIN; if (my->m) return 0; AX_AWAIT(ax_sleep(me, 0)); AX_END;'
program local 'AX_BEGIN; int i = my->n; AX_AWAIT(ax_sleep(me, 0)); my->m = i; AX_END;'
program local_loop 'AX_BEGIN; { int i; for (i = 0; i < my->n; i++) { AX_AWAIT(ax_sleep(me, 0)); my->m += i; } } AX_END;'
program local_try 'AX_BEGIN; int i = my->n; AX_TRY(ax_sleep(me, 0)); my->m = i; AX_END;'
program local_call 'AX_BEGIN; int i = my->n; AX_AWAIT(AX_CALL(one, .n = i)); my->m = i; AX_END;'
program local_while 'AX_BEGIN; int i = my->n; AX_WHILE(ax_checkpoint(me)) { my->m += i; } AX_END;'
program typo_call 'AX_BEGIN; AX_AWAIT(AX_CALL(one, .nn = 1)); AX_END;'
program typo_spawn 'AX_BEGIN; ax_group_open(me, &my->g, 0); AX_SPAWN(&my->g, one, .nn = 1); AX_END;'
program duplicate 'AX_BEGIN; AX_FINALLY: my->n = 1; AX_FINALLY: my->n = 2; AX_END;'
program finally_return 'AX_BEGIN; AX_AWAIT(ax_sleep(me, 0)); AX_FINALLY: my->n = 1; if (my->m) { AX_RETURN(0); } AX_END;'
program finally_emit 'AX_BEGIN; AX_EMIT(); AX_FINALLY: my->n = 1; AX_EMIT(); AX_END;'
program finally_empty 'AX_BEGIN; AX_AWAIT(ax_sleep(me, 0)); AX_FINALLY: AX_END;'
program dangling 'AX_BEGIN; if (my->n) AX_WHILE(ax_checkpoint(me)) my->m++; else my->m = 0; if (my->n) AX_AWAIT(ax_sleep(me, 0)); else AX_TRY(ax_sleep(me, 0)); AX_END;'

for cc in gcc clang; do
    has $cc || { missing $cc; continue; }
    for form in "" -DASYNCX_SWITCH; do
        if compiles $cc "-std=c99 $WARN -O2 $form" good; then ok "the snippet without a mistake is clean: $cc $form"
        else not_ok "the snippet without a mistake is clean: $cc $form" "$tmp/out"; fi
        if compiles $cc "-std=c99 $WARN -O2 $form" dangling; then ok "AX_WHILE and AX_AWAIT between if and else: $cc $form"
        else not_ok "AX_WHILE and AX_AWAIT between if and else: $cc $form" "$tmp/out"; fi
        if compiles $cc "-std=c99 $WARN -O2 $form" finally_empty; then ok "an empty AX_FINALLY: $cc $form"
        else not_ok "an empty AX_FINALLY: $cc $form" "$tmp/out"; fi
        for opt in -O0 -O2; do
            flags="-std=c99 -Wall -Wextra -Werror $opt $form"
            message "a forgotten await of ax_sleep is a warning" $cc "$flags" sleep 'unused.result|warn_unused_result'
            message "a forgotten await of AX_CALL is a warning" $cc "$flags" call 'unused.(result|value)|warn_unused_result'
            message "a forgotten await of AX_CALL_IN is a warning" $cc "$flags" call_in 'unused.(result|value)|warn_unused_result'
            message "a forgotten await of AX_WITHIN is a warning" $cc "$flags" within 'unused.(result|value)|warn_unused_result'
            message "a local across AX_AWAIT is a warning" $cc "$flags" local "['‘]i['’].*uninitialized"
            message "a local across AX_AWAIT in a loop is a warning" $cc "$flags" local_loop "['‘]i['’].*uninitialized"
            message "a local across AX_TRY is a warning" $cc "$flags" local_try "['‘]i['’].*uninitialized"
            message "a local across AX_CALL is a warning" $cc "$flags" local_call "['‘]i['’].*uninitialized"
            message "a local across AX_WHILE is a warning" $cc "$flags" local_while "['‘]i['’].*uninitialized"
        done
        flags="-std=c99 $form" # no warnings asked for: these are errors
        message "an op's result used as a number is an error" $cc "$flags" number 'error: .*(incompatible type|assigning to)'
        message "an op's result compared is an error" $cc "$flags" compare 'error: invalid operands'
        message "an op's result as a truth value is an error" $cc "$flags" truth 'error: .*(scalar|used struct type)'
        message "a plain return; in a body is an error" $cc "$flags" return_void 'error: .*(return|no value)'
        message "a plain return of an op in a body is an error that says what to write" $cc "$flags" return_op 'error: .*AX_RETURN_is_missing'
        message "a plain return 0; in a body is an error" $cc "$flags" return_0 'error: .*(incompatible|returning)'
        message "a second AX_FINALLY is an error" $cc "$flags" duplicate 'error: duplicate case'
        message "AX_RETURN in AX_FINALLY is an error that says why" $cc "$flags" finally_return 'error: .*AX_RETURN_is_refused_in_AX_FINALLY'
        message "AX_EMIT in AX_FINALLY is an error that says why" $cc "$flags" finally_emit 'error: .*AX_EMIT_is_refused_in_AX_FINALLY'
        message "a misspelt argument of AX_CALL is named" $cc "$flags" typo_call "error: .*no member named ['‘]nn['’]"
        message "a misspelt argument of AX_SPAWN is named" $cc "$flags" typo_spawn "error: .*no member named ['‘]nn['’]"
    done
done

# An await inside a switch of the user's: works with labels as values, is trapped and reported in the switch form.
for cc in gcc clang; do
    has $cc || continue
    for form in "" -DASYNCX_SWITCH; do
        if $cc -std=c99 $WARN -O1 $form -I"$root" -o "$tmp/inside" "$here/inside.c" -lpthread >"$tmp/out" 2>&1; then
            got=$("$tmp/inside" 2>&1)
            if [ -z "$form" ]; then want="status 0, count 2, report: none"
            else want="status -14, count 0, report: a resume point is lost: an await inside a switch of yours, in the switch form"; fi
            if [ "$got" = "$want" ]; then ok "an await inside a switch of one's own: $cc $form"
            else printf 'got      %s\nexpected %s\n' "$got" "$want" >"$tmp/out"; not_ok "an await inside a switch of one's own: $cc $form" "$tmp/out"; fi
        else not_ok "an await inside a switch of one's own compiles: $cc $form" "$tmp/out"; fi
    done
done

# A body that is the argument of a macro of the user's.
for cc in gcc clang; do
    has $cc || continue
    for form in "" -DASYNCX_SWITCH; do
        if $cc -std=c99 $WARN -O1 $form -I"$root" -o "$tmp/argument" "$here/argument.c" -lpthread >"$tmp/out" 2>&1 &&
            "$tmp/argument" >"$tmp/out" 2>&1 && [ "$(tr '\n' ' ' <"$tmp/out")" = "-32 end cleanup " ]; then ok "a body as a macro's argument: $cc $form"
        else not_ok "a body as a macro's argument: $cc $form" "$tmp/out"; fi
    done
done

# Every macro once. clean NAME: the command that follows succeeds and says nothing.
clean() {
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1 && [ ! -s "$tmp/out" ]; then ok "$name"; return 0
    else echo "$*" >>"$tmp/out"; not_ok "$name" "$tmp/out"; return 1; fi
}
runs() { # name, program
    if [ "$("$2" 2>"$tmp/out")" = good ]; then ok "$1"; else "$2" >>"$tmp/out" 2>&1; not_ok "$1" "$tmp/out"; fi
}
cat > "$tmp/adapters.c" <<'END'
#include "asyncx.h"
#include "asyncx_curl.h"
#include "asyncx_process.h"
#include "asyncx_sqlite.h"
struct app { ax_frame frame; ax_sql db; ax_sql_rows rows; ax_curl curl; ax_response response; ax_output out; };
AX_ASYNC(app) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = "http://localhost", .out = &my->response));
    AX_AWAIT(AX_CALL(ax_process, .out = &my->out));
    AX_AWAIT(ax_sql_run(me, &my->db, &my->rows, "SELECT ?1, ?2", AX_SQL(ax_sql_int(1), ax_sql_text("a"))));
    AX_END;
}
ax_op start(ax_task *me);
ax_op start(ax_task *me) { return AX_CALL(app); }
END
for cc in gcc clang; do
    has $cc || continue
    case $cc in gcc) cxx=g++ ;; *) cxx=clang++ ;; esac
    for adapter in curl process sqlite; do
        name="asyncx_$adapter.h says what it needs of POSIX: $cc"
        printf '#include "asyncx.h"\n#include "asyncx_%s.h"\nint n;\n' $adapter > "$tmp/posix.c"
        $cc -std=c99 -I"$root" -I"$root/examples" -fsyntax-only "$tmp/posix.c" >"$tmp/out" 2>&1
        if grep -q "asyncx_$adapter.h: define _POSIX_C_SOURCE" "$tmp/out"; then ok "$name"; else not_ok "$name" "$tmp/out"; fi
    done
    if has $cxx; then
        $cxx -I"$root" -fsyntax-only "$tmp/built.cpp" >"$tmp/out" 2>&1
        if grep -q 'error: .*constructors and destructor of a frame never run' "$tmp/out"; then ok "a frame with a constructor is an error: $cxx"; else not_ok "a frame with a constructor is an error: $cxx" "$tmp/out"; fi
    fi
    for std in c99 c11 c++11 c++20; do
        compiler=$cc
        case $std in c++*) compiler="$cxx -x c++"; has $cxx || { missing $cxx; continue; } ;; esac
        clean "the adapters: $compiler -std=$std" $compiler -std=$std $WARN -D_POSIX_C_SOURCE=200809L -I"$root" -I"$root/examples" -c -o "$tmp/use.o" "$tmp/adapters.c"
        # the header's implementation alone, in the ways that change it; what the last one leaves is linked below
        for how in "-O0 -DASYNCX_EPOLL -D_POSIX_C_SOURCE=200809L" "-O0 -DASYNCX_KQUEUE -D_GNU_SOURCE -I$here/../kqueue" \
            "-O0 -D_POSIX_C_SOURCE=200809L" "-O2 -DNDEBUG"; do
            case "$std $how" in c++*KQUEUE*|c11*-O0*|c++20*-O0*) continue ;; esac # the stand-in for kqueue is C; two standards do for -O0
            clean "implementation: $compiler -std=$std $how" $compiler -std=$std $WARN $how -I"$root" -DASYNCX_IMPLEMENTATION -c -o "$tmp/impl.o" "$here/other.c"
        done
        # a user's file in every form
        for form in "" -DASYNCX_SWITCH -DASYNCX_COMMA "-DASYNCX_SWITCH -DASYNCX_COMMA"; do
            case $std in c99|c++11) hows=2 ;; *) hows=1 ;; esac
            for how in -O0 "-O2 -DNDEBUG"; do
                [ $hows = 2 ] || [ "$how" != -O0 ] || continue
                clean "every macro: $compiler -std=$std $form $how" $compiler -std=$std $WARN $form $how -D_GNU_SOURCE -I"$root" -c -o "$tmp/use.o" "$here/macros.c" || continue
            done
            # the last ones (-O2 -DNDEBUG) are a program of two translation units
            clean "two translation units link: $compiler -std=$std $form" ${compiler%% *} -o "$tmp/two" "$tmp/use.o" "$tmp/impl.o" $([ "$compiler" = "$cc" ] || echo -lstdc++) -lpthread &&
                runs "two translation units run: $compiler -std=$std $form" "$tmp/two"
        done
    done
    # other options in one of two files
    for others in "-O0 -DASYNCX_TRACE=0" "-O2 -DNDEBUG -DASYNCX_TRACE=1"; do
        $cc -std=c99 $others -D_GNU_SOURCE -I"$root" -c -o "$tmp/use.o" "$here/macros.c" && $cc -std=c99 -O2 -DNDEBUG -I"$root" -DASYNCX_IMPLEMENTATION -c -o "$tmp/impl.o" "$here/other.c"
        if ! $cc -o "$tmp/two" "$tmp/use.o" "$tmp/impl.o" -lpthread >"$tmp/out" 2>&1 && grep -q 'axi_call_debug' "$tmp/out"; then ok "files of other options do not link: $cc $others"
        else not_ok "files of other options do not link: $cc $others" "$tmp/out"; fi
        # also one that only has a function that others call
        printf '#include "asyncx.h"\nstruct leaf { ax_frame frame; int n; };\nAX_EXTERN(leaf);\n' >"$tmp/leaf.h"
        printf '#include "leaf.h"\nAX_PUBLIC(leaf) { AX_BEGIN; AX_AWAIT(ax_sleep(me, AX_MS(1))); AX_RETURN(my->n); AX_END; }\n' >"$tmp/leaf.c"
        printf '#define ASYNCX_IMPLEMENTATION\n#include "leaf.h"\nint main(void) { return AX_RUN(leaf, .n = 3) != 3; }\n' >"$tmp/root.c"
        leaf="$cc -std=c99 -D_GNU_SOURCE -I$root -I$tmp"
        if $leaf -O2 -DNDEBUG -c -o "$tmp/root.o" "$tmp/root.c" && $leaf -O2 -DNDEBUG -c -o "$tmp/leaf.o" "$tmp/leaf.c" &&
            $cc -o "$tmp/two" "$tmp/root.o" "$tmp/leaf.o" -lpthread && "$tmp/two" &&
            $leaf $others -c -o "$tmp/leaf.o" "$tmp/leaf.c" && ! $cc -o "$tmp/two" "$tmp/root.o" "$tmp/leaf.o" -lpthread >"$tmp/out" 2>&1 &&
            grep -q 'leaf_axi_debug' "$tmp/out"; then ok "... nor a leaf"
        else not_ok "... nor a leaf" "$tmp/out"; fi
    done
    clean "the warnings that some turn on: $cc" $cc -std=c99 $WARN -Wconversion -Wcast-qual -Wstrict-prototypes -O2 -I"$root" -DASYNCX_IMPLEMENTATION -c -o "$tmp/impl.o" "$here/other.c"
    for how in -O0 -O2; do
        clean "... also for times of any number: $cc $how" $cc -std=c99 $how $WARN -Wconversion -I"$root" -c -o "$tmp/use.o" "$here/numbers.c"
    done
    clean "one translation unit: $cc" $cc -std=c99 $WARN -O1 -I"$root" -DASYNCX_IMPLEMENTATION -DONE -o "$tmp/one" "$here/macros.c" -lpthread &&
        runs "one translation unit runs: $cc" "$tmp/one"
    clean "private copies, one: $cc" $cc -std=c99 $WARN -O1 -I"$root" -DASYNCX_STATIC -DASYNCX_IMPLEMENTATION -c -o "$tmp/a.o" "$here/macros.c"
    clean "private copies, another: $cc" $cc -std=c99 $WARN -O1 -I"$root" -DASYNCX_STATIC -DASYNCX_IMPLEMENTATION -c -o "$tmp/b.o" "$here/other.c"
    clean "private copies link: $cc" $cc -o "$tmp/ab" "$tmp/a.o" "$tmp/b.o" -lpthread && runs "private copies run together: $cc" "$tmp/ab"
done
if has tcc; then
    clean "every macro: tcc" tcc -Wall -D_GNU_SOURCE -I"$root" -DASYNCX_IMPLEMENTATION -DONE -o "$tmp/tcc" "$here/macros.c" -lpthread && runs "every macro runs: tcc" "$tmp/tcc"
else missing tcc; fi

echo "1..$n"
exit $failed
