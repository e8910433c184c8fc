# Makes tables of what run.sh measured: lines of round, job, peer, name of the figure, value; notes begin with "#".

/^# missing: / { missing = missing (missing ? "; " : "") substr($0, 12); next }
/^#/ { notes = notes substr($0, 3) "\n"; next }
{
    value[$1, $2, $3, $4] = $5
    seen[$2, $3] = 1
    jobs[$2] = 1
    if ($2 ~ /^echo/) runs[$1, $2, $3] = 1
    if ($1 > rounds) rounds = $1
}

function sort(a, n,    i, k, x) {
    for (i = 2; i <= n; i++) {
        x = a[i]
        for (k = i - 1; k > 0 && a[k] > x; k--) a[k + 1] = a[k]
        a[k + 1] = x
    }
}
# Whether in an echo run neither the server nor the load had its core for 90 % of the time: with 50 connections and more one of
# them always has work, so other programs took the cores, and with them the caches.
function disturbed(r, job, p) { return value[r, job, p, "busy"] < 0.9 && value[r, job, p, "load_busy"] < 0.9 }

# Sets low, middle and high of a figure over the rounds; if "by" is given, of its ratio to that peer's in the same round. Disturbed
# runs count only if there are no others.
function collect(job, p, figure, by,    n) {
    n = job ~ /^echo/ ? gather(job, p, figure, by, 1) : 0
    return n ? n : gather(job, p, figure, by, 0)
}
function gather(job, p, figure, by, quiet,    a, n, r) {
    n = 0
    for (r = 1; r <= rounds; r++) {
        if (!((r, job, p, figure) in value)) continue
        if (quiet && (disturbed(r, job, p) || by && disturbed(r, job, by))) continue
        if (!by) a[++n] = value[r, job, p, figure] + 0
        else if ((r, job, by, figure) in value && value[r, job, by, figure] > 0)
            a[++n] = value[r, job, p, figure] / value[r, job, by, figure]
    }
    if (!n) return 0
    sort(a, n)
    low = a[1]
    high = a[n]
    middle = n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
    return n
}

# Three digits that count.
function short(x) {
    if (x >= 99.95) return comma(sprintf("%.0f", x))
    return sprintf(x >= 9.995 ? "%.1f" : x >= 0.9995 ? "%.2f" : "%.3f", x)
}
function comma(x) { return length(x) <= 3 ? x : comma(substr(x, 1, length(x) - 3)) "," substr(x, length(x) - 2) }
function fine(x) { return x < 9.995 ? sprintf("%.2f", x) : short(x) }

# One figure, as its column says: its median; with its spread; its ratio to that of asyncx.
function median(job, p, figure) { return collect(job, p, figure) ? short(middle) : "-" }
function spread(job, p, figure,    n) {
    n = collect(job, p, figure)
    return n > 1 ? short(middle) " (" short(low) ".." short(high) ")" : n ? short(middle) : "-"
}
function ratio(job, p, figure) { return collect(job, p, figure, "asyncx") ? fine(middle) : "-" }
function column(job, p, how) {
    if (how ~ /~/) return median(job, p, substr(how, 2))
    if (how ~ /:/) return ratio(job, p, substr(how, 2))
    return spread(job, p, how)
}

# A row for each peer that did the job. The columns' figures: "~name" is without spread, ":name" the ratio.
function table(job, title, columns, figures,    n, i, k, p, how, line) {
    if (!(job in jobs)) return
    n = split(figures, how, " ")
    print "\n" title "\n\n| | " columns " |"
    for (i = 0; i <= n; i++) printf "|---"
    print "|"
    for (i = 1; i <= peers; i++) {
        p = peer[i]
        if (!seen[job, p]) continue
        line = "| " name[p]
        for (k = 1; k <= n; k++) line = line " | " column(job, p, how[k])
        print line " |"
    }
}
function echo_table(job, title) {
    table(job, "TCP echo of 64 bytes, request and response, server and load on a core each, " title,
        "CPU us per request | x asyncx | requests per s | p50 us | p99 us | server busy | load busy",
        "cpu_us :cpu_us rps ~p50_us ~p99_us ~busy ~load_busy")
}

# One line for each aim, of the rounds' ratios: "most" where the ratio shall be small, "least" where it shall be large.
function aim(what, job, figure, a, b, most,    n) {
    if (!(job in jobs)) return
    n = collect(job, a, figure, b)
    if (!n) print "- " what ": not measured"
    else printf "- %s: %.3f (%d: %.3f..%.3f), at most %.2f: %s\n", what, middle, n, low, high, most, verdict(middle <= most)
}
function aim_times(what, b, least,    n) {
    if (!("switch" in jobs)) return
    n = collect("switch", b, "ns", "asyncx")
    if (!n) print "- " what ": not measured"
    else printf "- %s: %.2f (%d: %.2f..%.2f), at least %d: %s\n", what, middle, n, low, high, least, verdict(middle >= least)
}
function verdict(ok) { return ok ? "reached" : "MISSED" }

END {
    peers = split("asyncx asyncx_epoll poll epoll ev uv event st fiber tokio go uvloop asyncio libdill", peer, " ")
    split("asyncx|asyncx with epoll|poll() by hand|epoll by hand|libev|libuv|libevent|State Threads|Boost.Fiber|tokio|Go|uvloop|asyncio|libdill", names, "|")
    for (i = 1; i <= peers; i++) name[peer[i]] = names[i]

    print "asyncx and its peers: medians over the rounds (smallest..largest); ratios are taken within a round"
    print ""
    printf "%s", notes
    print missing ? "missing: " missing : "nothing is missing"

    if ("switch" in jobs) { # a stackful switch as that library publishes it, since Debian does not have it
        for (i = 1; i <= rounds; i++) value[i, "switch", "libdill", "ns"] = 15
        seen["switch", "libdill"] = 1
    }
    table("switch", "Suspend and resume, two tasks in turn, ns of CPU time; libdill's is a constant, not measured. libev, libuv\n" \
        "and libevent have no tasks.", "ns | x asyncx", "ns :ns")
    table("spawn", "Spawn and join, 100 at a time, ns of CPU time", "ns | x asyncx", "ns :ns")
    table("queue-1", "An item through a queue of 1, from one task to another, ns of CPU time", "ns | x asyncx", "ns :ns")
    table("queue-64", "An item through a queue of 64, from one task to another, ns of CPU time", "ns | x asyncx", "ns :ns")
    table("sleepers", "Sleepers: all are started, each sleeps a random time within the span, all are awaited. Those of libev,\n" \
        "libuv and libevent are bare timers with a callback, the others tasks. Bytes: growth of resident memory (RSS).",
        "CPU s | x asyncx | wall s | bytes each", "cpu_s :cpu_s wall_s ~bytes")
    table("timers", "Timers: all are inserted with random deadlines, half are cancelled, the loop runs once the rest is due (in\n" \
        "Go they fire as they become due). ns of CPU time for each; all three: the sum over all that were inserted.",
        "insert | cancel | fire | all three | x asyncx", "insert_ns cancel_ns fire_ns all_ns :all_ns")
    name["asyncx"] = "asyncx with poll()"
    echo_table("echo-100-0", "100 connections")
    echo_table("echo-1000-0", "1,000 connections")
    echo_table("echo-50-0", "50 connections, none idle")
    echo_table("echo-50-1000", "50 connections beside 1,000 idle ones")
    echo_table("echo-50-5000", "50 connections beside 5,000 idle ones")
    table("echo-50-5000", "Memory of an idle connection: growth of the server's resident memory (RSS) over 5,000 connections\n" \
        "that have had one request answered. The kernel's memory for their sockets is not in it.",
        "bytes each | x asyncx", "idle_bytes :idle_bytes")

    for (run in runs) {
        split(run, part, SUBSEP)
        if (disturbed(part[1], part[2], part[3])) bad++
        all++
    }
    if (bad)
        print "\nOf " all " echo runs " bad " were disturbed by other programs, and count only where there was none better:\n" \
            "neither the server nor the load had its core for 90 % of the time. Best is a machine with nothing else to do."

    print "\nTo reach, of asyncx: the median ratio (rounds: smallest..largest)\n"
    for (i = 1; i <= 2; i++) {
        job = i == 1 ? "echo-100-0" : "echo-1000-0"
        what = "CPU per request, " (i == 1 ? "100" : "1,000") " connections, with poll(), to "
        aim(what "poll() by hand", job, "cpu_us", "asyncx", "poll", 1.05)
        aim(what "libev", job, "cpu_us", "asyncx", "ev", 1)
        aim(what "libuv", job, "cpu_us", "asyncx", "uv", 1)
        sub(/poll\(\)/, "epoll", what) # which libev and libuv use
        aim(what "libev", job, "cpu_us", "asyncx_epoll", "ev", 1)
        aim(what "libuv", job, "cpu_us", "asyncx_epoll", "uv", 1)
    }
    what = "CPU per request, 50 connections beside 5,000 idle ones, with epoll, to "
    aim(what "epoll by hand", "echo-50-5000", "cpu_us", "asyncx_epoll", "epoll", 1.05)
    aim(what "libev", "echo-50-5000", "cpu_us", "asyncx_epoll", "ev", 1)
    aim(what "libuv", "echo-50-5000", "cpu_us", "asyncx_epoll", "uv", 1)
    aim("CPU of the sleepers, to libev's bare timers", "sleepers", "cpu_s", "asyncx", "ev", 1)
    aim("timers, insert, to libev", "timers", "insert_ns", "asyncx", "ev", 1)
    aim("timers, cancel, to libev", "timers", "cancel_ns", "asyncx", "ev", 1)
    aim("timers, fire, to libev", "timers", "fire_ns", "asyncx", "ev", 1)
    aim("timers, all three, to libev", "timers", "all_ns", "asyncx", "ev", 1)
    aim_times("suspend and resume, times faster than libdill's constant", "libdill", 5)
    aim_times("suspend and resume, times faster than State Threads', which have stacks, too", "st", 5)
    aim_times("suspend and resume, times faster than Boost.Fiber's, which have stacks, too", "fiber", 5)
    aim_times("suspend and resume, times faster than Go's", "go", 12)
    aim_times("suspend and resume, times faster than asyncio's", "asyncio", 400)
}
