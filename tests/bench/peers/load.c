/* The load of `make bench-peers`: starts echo servers on one core, sends them requests from another, and says what they took.

     load ACTIVE IDLE WARM_MS WINDOW_MS TURNS SERVER [ARGUMENT...] [-- SERVER [ARGUMENT...]]...

   A server gets a free port as its last argument. Of its ACTIVE connections each sends 64 bytes, waits for the echo, and sends the
   next 64; the IDLE ones send one request at the beginning and one at the end. Each byte that comes back is compared.

   Only one server has work at a time. They take TURNS, forth and back, of a warm-up and a window each: what else the machine does
   in these moments hits them alike, and its ups and downs of seconds do not come between them. What is counted lies within a
   window, the server's CPU time too. Each line of output is the number of the server, the turn, a name and a value.

   A wrong byte, a closed or starved connection or a dead server ends the run with an error; exit code 3 is a limit of this machine:
   descriptors or cores.

   It waits by epoll and does nothing else than a read, a compare, a look at the clock and a write for each request, so that it is
   hardly slower than a server. One of the two then always has work; if neither had its core for most of a window, other programs
   had it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, BATCH = 64, MOST_SERVERS = 32, EXIT_LIMIT = 3 };

struct conn {
    int fd, got;    /* bytes of the echo so far */
    uint64_t sent;  /* when the request went */
    unsigned count; /* of requests answered; they are different from each other and from those of other connections */
    uint64_t data[SIZE / 8];
};

static struct server {
    pid_t pid;
    struct sockaddr_in address;
    struct conn *first, *idle, *active;
    int poller;
    long resident; /* bytes of its memory that came with the idle connections */
} servers[MOST_SERVERS];
static int n_servers, n_active, n_idle;

static void stop_servers(void) {
    struct server *s;
    for (s = servers; s < servers + n_servers; s++) {
        if (s->pid <= 0) continue;
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
        s->pid = 0;
    }
}
static int has_ended(struct server *s) {
    if (waitpid(s->pid, NULL, WNOHANG) == 0) return 0;
    s->pid = 0;
    return 1;
}

static void die(int code, const char *text, ...) {
    va_list args;
    va_start(args, text);
    fputs("load: ", stderr);
    vfprintf(stderr, text, args);
    fputc('\n', stderr);
    va_end(args);
    stop_servers();
    exit(code);
}
static void check(int ok, const char *what) {
    if (!ok) die(1, "%s: %s", what, strerror(errno));
}

static uint64_t clock_of(clockid_t id) {
    struct timespec t;
    check(clock_gettime(id, &t) == 0, "clock_gettime");
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static uint64_t now(void) { return clock_of(CLOCK_MONOTONIC); }

/* All threads of the server, in nanoseconds, up to this moment: what /proc/PID/schedstat says of one thread. */
static uint64_t server_cpu(const struct server *s) {
    clockid_t id;
    int rc = clock_getcpuclockid(s->pid, &id);
    if (rc) die(1, "the server's CPU clock: %s", strerror(rc));
    return clock_of(id);
}

static long server_resident(const struct server *s) { /* bytes of its memory that are in RAM now */
    char path[64];
    long pages = -1;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)s->pid);
    check((f = fopen(path, "r")) != NULL, path);
    if (fscanf(f, "%*d %ld", &pages) != 1) die(1, "%s can't be read", path);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* ---- A server's process ---- */

static void pin(int which) { /* to the first or second of the cores that this process may use */
    static cpu_set_t allowed;
    cpu_set_t one;
    int core, left = which;
    if (!CPU_COUNT(&allowed)) check(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    if (CPU_COUNT(&allowed) < 2) die(EXIT_LIMIT, "two cores are needed");
    for (core = 0; !CPU_ISSET(core, &allowed) || left-- > 0; core++) {}
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    check(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

static void raise_limit(rlim_t wanted) { /* the servers inherit it */
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted) limit.rlim_max = wanted; /* only root may */
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die(EXIT_LIMIT, "the hard limit of open files is too low: %lu are needed (ulimit -Hn)", (unsigned long)wanted);
}

static void start_server(struct server *s, char **argv, int argc) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    char port[16];
    char **args = (char **)calloc((size_t)argc + 2, sizeof *args);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(args != NULL && fd >= 0, "socket");
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && getsockname(fd, (struct sockaddr *)&a, &size) == 0, "bind");
    close(fd);
    s->address = a;
    snprintf(port, sizeof port, "%u", (unsigned)ntohs(a.sin_port));
    memcpy(args, argv, (size_t)argc * sizeof *args);
    args[argc] = port;
    check((s->pid = fork()) >= 0, "fork");
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* never left behind */
        pin(0);
        execvp(args[0], args);
        fprintf(stderr, "load: %s: %s\n", args[0], strerror(errno));
        _exit(127);
    }
    free(args);
}

/* ---- Connections ---- */

static void reset(int fd) { /* without a TIME_WAIT that the next run would meet */
    struct linger l = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(fd);
}

static void conn_open(struct server *s, struct conn *c, unsigned number) {
    struct timeval patience = {10, 0};
    uint64_t end = now() + 10000000000u;
    size_t i;
    for (;;) {
        check((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0, "socket"); /* none for the next server */
        if (connect(c->fd, (struct sockaddr *)&s->address, sizeof s->address) == 0) break;
        if (errno != ECONNREFUSED || now() > end) check(0, "connect"); /* not listening yet */
        if (has_ended(s)) die(1, "the server did not start");
        close(c->fd);
        usleep(5000);
    }
    check(setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0, "setsockopt");
    for (i = 0; i < SIZE / 8; i++) c->data[i] = (uint64_t)number << 32 | i;
}

static void conn_send(struct conn *c, uint64_t t) {
    size_t i;
    for (i = 0; i < SIZE / 8; i++) c->data[i] += 0x0101010100u;
    c->sent = t;
    c->got = 0;
    if (send(c->fd, c->data, SIZE, MSG_NOSIGNAL) != SIZE) check(0, "a request");
}

/* Reads of the echo what there is. 1 once it is complete. */
static int conn_receive(struct conn *c) {
    char back[SIZE + 1]; /* one more, to see what was not asked for */
    ssize_t n = recv(c->fd, back, sizeof back - (size_t)c->got, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    check(n >= 0, "an echo");
    if (n == 0) die(1, "the server closed a connection");
    if (c->got + n > SIZE || memcmp(back, (char *)c->data + c->got, (size_t)n) != 0) die(1, "a wrong echo");
    c->got += (int)n;
    if (c->got < SIZE) return 0;
    c->count++;
    return 1;
}

/* One request each, some at a time; waits for the echo. */
static void greet(struct conn *c, int n) {
    int i, k;
    for (i = 0; i < n; i += BATCH) {
        for (k = i; k < n && k < i + BATCH; k++) conn_send(&c[k], 0);
        for (k = i; k < n && k < i + BATCH; k++) {
            unsigned before = c[k].count;
            while (c[k].count == before && conn_receive(&c[k]) == 0)
                if (c[k].got == 0) die(1, "no echo within 10 s");
        }
    }
}
static struct conn *connect_all(struct server *s, int n, unsigned number) {
    struct conn *c = (struct conn *)calloc((size_t)n + 1, sizeof *c);
    int i, k;
    check(c != NULL, "calloc");
    for (i = 0; i < n; i += BATCH) { /* few at a time: no backlog overflows, and each is accepted */
        for (k = i; k < n && k < i + BATCH; k++) conn_open(s, &c[k], number + (unsigned)k);
        greet(c + i, k - i);
    }
    return c;
}

/* ---- Latencies: 64 counters for each power of two, so that a value is known within 2 % ---- */

static unsigned histogram[64 * 64];

static unsigned bucket_of(uint64_t ns) {
    unsigned exponent = 0;
    while (ns >> exponent >= 128) exponent++;
    return exponent * 64 + (unsigned)(ns >> exponent); /* below 64: exponent 0 */
}
static double value_of(unsigned bucket) { /* the middle of it, in microseconds */
    unsigned exponent = bucket < 128 ? 0 : bucket / 64 - 1;
    return ((double)(bucket - exponent * 64) + 0.5) * (double)((uint64_t)1 << exponent) / 1000;
}
static double percentile(uint64_t requests, double share) {
    uint64_t below = 0;
    unsigned i = 0;
    for (; i < 64 * 64; i++)
        if ((double)(below += histogram[i]) >= share * (double)requests) break;
    return value_of(i);
}

/* ---- The run ---- */

static void begin(struct server *s, char **argv, int argc) {
    int i;
    start_server(s, argv, argc);
    s->first = connect_all(s, 1, 1u << 30); /* what the first connection makes the server allocate is none of an idle one's */
    s->resident = server_resident(s);
    s->idle = connect_all(s, n_idle, 1u << 29);
    s->resident = server_resident(s) - s->resident;
    s->active = connect_all(s, n_active, 0);
    check((s->poller = epoll_create1(EPOLL_CLOEXEC)) >= 0, "epoll_create1");
    for (i = 0; i < n_active; i++) {
        struct conn *c = &s->active[i];
        struct epoll_event e;
        e.events = EPOLLIN;
        e.data.ptr = c;
        c->count = 0;
        check(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
        check(epoll_ctl(s->poller, EPOLL_CTL_ADD, c->fd, &e) == 0, "epoll_ctl");
        conn_send(c, 0); /* in the turns each always has a request under way */
    }
}

static void take_turn(struct server *s, uint64_t warm, uint64_t window, int turn) {
    static struct epoll_event events[256];
    uint64_t t, start = now(), begun = 0, end = 0, cpu = 0, own = 0, requests = 0;
    int number = (int)(s - servers) + 1, i, n;
    memset(histogram, 0, sizeof histogram);
    for (i = 0; i < n_active; i++) s->active[i].sent = start; /* not when other servers had their turns */
    for (t = start; !end;) {
        n = epoll_wait(s->poller, events, 256, 10000);
        check(n >= 0 || errno == EINTR, "epoll_wait");
        if (n == 0) die(1, "no echo within 10 s");
        for (i = 0; i < n; i++) {
            struct conn *c = (struct conn *)events[i].data.ptr;
            if (!conn_receive(c)) continue;
            t = now();
            if (begun) {
                histogram[bucket_of(t - c->sent)]++;
                requests++;
            }
            conn_send(c, t);
        }
        if (!begun && t - start >= warm) {
            begun = t;
            cpu = server_cpu(s);
            own = clock_of(CLOCK_PROCESS_CPUTIME_ID);
        } else if (begun && t - begun >= window) {
            end = now();
            cpu = server_cpu(s) - cpu;
            own = clock_of(CLOCK_PROCESS_CPUTIME_ID) - own;
        }
    }
    printf("%d %d rps %.0f\n", number, turn, (double)requests * 1e9 / (double)(end - begun));
    printf("%d %d cpu_us %.3f\n", number, turn, (double)cpu / 1000 / (double)requests);
    printf("%d %d p50_us %.1f\n", number, turn, percentile(requests, 0.50));
    printf("%d %d p99_us %.1f\n", number, turn, percentile(requests, 0.99));
    printf("%d %d busy %.3f\n", number, turn, (double)cpu / (double)(end - begun));
    printf("%d %d load_busy %.3f\n", number, turn, (double)own / (double)(end - begun));
}

static void finish(struct server *s) {
    int i;
    for (i = 0; i < n_active; i++)
        if (!s->active[i].count) die(1, "connection %d of %d was never served", i + 1, n_active);
    greet(s->idle, n_idle);
    greet(s->first, 1);
    if (has_ended(s)) die(1, "the server ended early");
    if (n_idle) printf("%d 1 idle_bytes %.0f\n", (int)(s - servers) + 1, (double)s->resident / n_idle);
}

static void reset_all(struct conn *c, int n) {
    while (n-- > 0) reset(c[n].fd);
}

int main(int argc, char **argv) {
    uint64_t warm, window;
    int turns, turn, from, to, i;
    if (argc < 7) die(2, "ACTIVE IDLE WARM_MS WINDOW_MS TURNS SERVER [ARGUMENT...] [-- SERVER [ARGUMENT...]]...");
    n_active = atoi(argv[1]);
    n_idle = atoi(argv[2]);
    warm = strtoull(argv[3], NULL, 10) * 1000000;
    window = strtoull(argv[4], NULL, 10) * 1000000;
    turns = atoi(argv[5]);
    for (from = 6, to = 6; to <= argc; to++) n_servers += to == argc || !strcmp(argv[to], "--");
    if (n_servers > MOST_SERVERS) die(2, "at most %d servers", MOST_SERVERS);
    raise_limit((rlim_t)(n_servers * (n_active + n_idle + 2) + 100));
    pin(1);
    for (i = 0; i < n_servers; i++, from = to + 1) {
        for (to = from; to < argc && strcmp(argv[to], "--") != 0; to++) {}
        if (to == from) die(2, "a server without a name");
        begin(&servers[i], argv + from, to - from);
    }
    for (turn = 1; turn <= turns; turn++)
        for (i = 0; i < n_servers; i++) take_turn(&servers[turn % 2 ? i : n_servers - 1 - i], warm, window, turn);
    for (i = 0; i < n_servers; i++) finish(&servers[i]);
    stop_servers();
    for (i = 0; i < n_servers; i++) {
        reset_all(servers[i].active, n_active);
        reset_all(servers[i].idle, n_idle);
        reset_all(servers[i].first, 1);
    }
    return 0;
}
