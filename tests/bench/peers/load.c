/* The load of `make bench-peers`: starts an echo server on one core, sends it requests from another, and says what they took.

     load ACTIVE IDLE WARM_MS WINDOW_MS SERVER [ARGUMENT...]

   The server gets a free port as its last argument. ACTIVE connections each send 64 bytes, wait for the echo, and send the next 64;
   IDLE ones send one request at the beginning and one at the end. Each byte that comes back is compared. What is counted lies
   within the window, the server's CPU time too. A wrong byte, a closed or starved connection or a dead server ends the run with an
   error; exit code 3 is a limit of this machine: descriptors or cores.

   It waits by epoll and does nothing else than a read, a compare, a look at the clock and a write for each request, so that it is
   hardly slower than a server. One of the two then always has work; if neither had its core for most of the window, other
   programs had it, and another window is taken, up to three. */
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

enum { SIZE = 64, BATCH = 64, EXIT_LIMIT = 3 };

struct conn {
    int fd, got;    /* bytes of the echo so far */
    uint64_t sent;  /* when the request went */
    unsigned count; /* of requests answered; they are different from each other and from those of other connections */
    uint64_t data[SIZE / 8];
};

static pid_t server;
static struct sockaddr_in address;

static void stop_server(void) {
    if (server <= 0) return;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
}

static void die(int code, const char *text, ...) {
    va_list args;
    va_start(args, text);
    fputs("load: ", stderr);
    vfprintf(stderr, text, args);
    fputc('\n', stderr);
    va_end(args);
    stop_server();
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
static uint64_t server_cpu(void) {
    clockid_t id;
    int rc = clock_getcpuclockid(server, &id);
    if (rc) die(1, "the server's CPU clock: %s", strerror(rc));
    return clock_of(id);
}

static long server_resident(void) { /* bytes of its memory that are in RAM now */
    char path[64];
    long pages = -1;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)server);
    check((f = fopen(path, "r")) != NULL, path);
    if (fscanf(f, "%*d %ld", &pages) != 1) die(1, "%s can't be read", path);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* ---- The server's process ---- */

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

static void raise_limit(rlim_t wanted) { /* the server inherits it */
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted) limit.rlim_max = wanted; /* only root may */
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die(EXIT_LIMIT, "the hard limit of open files is too low: %lu are needed (ulimit -Hn)", (unsigned long)wanted);
}

static void start_server(char **argv, int argc) {
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
    address = a;
    snprintf(port, sizeof port, "%u", (unsigned)ntohs(a.sin_port));
    memcpy(args, argv, (size_t)argc * sizeof *args);
    args[argc] = port;
    check((server = fork()) >= 0, "fork");
    if (server == 0) {
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

static void conn_open(struct conn *c, unsigned number) {
    struct timeval patience = {10, 0};
    uint64_t end = now() + 10000000000u;
    size_t i;
    for (;;) {
        check((c->fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0, "socket");
        if (connect(c->fd, (struct sockaddr *)&address, sizeof address) == 0) break;
        if (errno != ECONNREFUSED || now() > end) check(0, "connect"); /* not listening yet */
        if (waitpid(server, NULL, WNOHANG) != 0) server = 0, die(1, "the server did not start");
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
static struct conn *connect_all(int n, unsigned number) {
    struct conn *c = (struct conn *)calloc((size_t)n + 1, sizeof *c);
    int i, k;
    check(c != NULL, "calloc");
    for (i = 0; i < n; i += BATCH) { /* few at a time: no backlog overflows, and each is accepted */
        for (k = i; k < n && k < i + BATCH; k++) conn_open(&c[k], number + (unsigned)k);
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

int main(int argc, char **argv) {
    static struct epoll_event events[256];
    struct conn *active, *idle, *first;
    int n_active, n_idle, poller, i, n;
    uint64_t warm, window, t, start, begin = 0, end = 0, cpu = 0, own = 0, requests = 0;
    int windows = 3;
    long resident;
    if (argc < 6) die(2, "ACTIVE IDLE WARM_MS WINDOW_MS SERVER [ARGUMENT...]");
    n_active = atoi(argv[1]);
    n_idle = atoi(argv[2]);
    warm = strtoull(argv[3], NULL, 10) * 1000000;
    window = strtoull(argv[4], NULL, 10) * 1000000;
    raise_limit((rlim_t)(n_active + n_idle + 100));
    start_server(argv + 5, argc - 5);
    pin(1);

    first = connect_all(1, 1u << 30); /* what the first connection makes the server allocate is none of an idle one's */
    resident = server_resident();
    idle = connect_all(n_idle, 1u << 29);
    resident = server_resident() - resident;
    active = connect_all(n_active, 0);
    check((poller = epoll_create1(0)) >= 0, "epoll_create1");
    for (i = 0; i < n_active; i++) {
        struct epoll_event e;
        e.events = EPOLLIN;
        e.data.ptr = &active[i];
        active[i].count = 0;
        check(fcntl(active[i].fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
        check(epoll_ctl(poller, EPOLL_CTL_ADD, active[i].fd, &e) == 0, "epoll_ctl");
    }
    start = now();
    for (i = 0; i < n_active; i++) conn_send(&active[i], now());
    for (t = start; !end;) {
        n = epoll_wait(poller, events, 256, 10000);
        check(n >= 0 || errno == EINTR, "epoll_wait");
        if (n == 0) die(1, "no echo within 10 s");
        for (i = 0; i < n; i++) {
            struct conn *c = (struct conn *)events[i].data.ptr;
            if (!conn_receive(c)) continue;
            t = now();
            if (begin) {
                histogram[bucket_of(t - c->sent)]++;
                requests++;
            }
            conn_send(c, t);
        }
        if (!begin && t - start >= warm) {
            begin = t;
            cpu = server_cpu();
            own = clock_of(CLOCK_PROCESS_CPUTIME_ID);
        } else if (begin && t - begin >= window) {
            end = now();
            cpu = server_cpu() - cpu;
            own = clock_of(CLOCK_PROCESS_CPUTIME_ID) - own;
            if (--windows && (double)(cpu > own ? cpu : own) < 0.9 * (double)(end - begin)) { /* from the beginning */
                start = end - warm;
                begin = end = requests = 0;
                memset(histogram, 0, sizeof histogram);
            }
        }
    }
    for (i = 0; i < n_active; i++)
        if (!active[i].count) die(1, "connection %d of %d was never served", i + 1, n_active);
    greet(idle, n_idle);
    greet(first, 1);
    if (waitpid(server, NULL, WNOHANG) != 0) server = 0, die(1, "the server ended early");
    stop_server();
    for (i = 0; i < n_active; i++) reset(active[i].fd);
    for (i = 0; i < n_idle; i++) reset(idle[i].fd);
    reset(first->fd);

    printf("rps %.0f\n", (double)requests * 1e9 / (double)(end - begin));
    printf("cpu_us %.3f\n", (double)cpu / 1000 / (double)requests);
    printf("p50_us %.1f\n", percentile(requests, 0.50));
    printf("p99_us %.1f\n", percentile(requests, 0.99));
    printf("busy %.3f\n", (double)cpu / (double)(end - begin));
    printf("load_busy %.3f\n", (double)own / (double)(end - begin));
    if (n_idle) printf("idle_bytes %.0f\n", (double)resident / n_idle);
    return 0;
}
