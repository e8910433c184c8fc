/* A small HTTP/1.1 server that speaks a part of the Hacker News API with made-up stories: something for hn_pipeline to fetch
   without a network, and an example of a server.

     hn_server [--port N] [--delay MS] [--fail PCT] [--null PCT] [--bad PCT] [--max-clients N] [--idle S]

   GET /v0/topstories.json gives 500 ids, GET /v0/item/ID.json a story after the delay; null for ids that don't exist. Some can be
   made to fail: a 503 the first time, a null, a JSON that is cut off. Ctrl-C or SIGTERM ends it. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"
#include <strings.h>
#include <sys/socket.h>

enum { STORIES = 500, FIRST_ID = 42000000, MAX_HEAD = 8192, MAX_ANSWER = 8192, MAX_BODY = 65536 };

static struct { int port, delay, fail, null, bad, max_clients; double idle; } options = {0, 20, 0, 0, 0, 1000, 15};
static unsigned char failed[STORIES]; /* once */

/* ---- what is served ---- */

struct answer { int status; size_t size; char body[MAX_ANSWER]; };

static void answer(struct answer *a, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void answer(struct answer *a, int status, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    a->status = status;
    a->size = (size_t)vsnprintf(a->body, sizeof a->body, fmt, ap);
    va_end(ap);
}

static unsigned hash(unsigned x) { /* Knuth's multiplicative, so that every run serves the same */
    x *= 2654435761u;
    return x ^ x >> 15;
}

static void top_stories(struct answer *a) {
    size_t n = 0;
    int i;
    if (options.bad == 100) {
        answer(a, 200, "<html>");
        return;
    }
    for (i = 0; i < STORIES; i++) n += (size_t)snprintf(a->body + n, sizeof a->body - n, "%c%d", i ? ',' : '[', FIRST_ID + i * 7);
    a->size = n + (size_t)snprintf(a->body + n, sizeof a->body - n, "]");
    a->status = 200;
}

/* The place of an id among the stories, or -1. */
static int story_index(long id) {
    long i = (id - FIRST_ID) / 7;
    return id >= FIRST_ID && (id - FIRST_ID) % 7 == 0 && i < STORIES ? (int)i : -1;
}

static void story(struct answer *a, long id) {
    static const char *const what[] = {"A faster", "The hidden cost of", "Show HN: A tiny", "Why we left",
                                       "Ask HN: What happened to", "Understanding"};
    static const char *const of[] = {"event loop", "caf\\u00e9 menu", "database", "\\\"simple\\\" parser",
                                     "garbage collector", "C compiler", "queue"};
    int i = story_index(id);
    unsigned h = hash((unsigned)id);
    if (i < 0 || (int)(h / 100 % 100) < options.null) {
        answer(a, 200, "null");
    } else if (!failed[i] && (int)(h % 100) < options.fail) {
        failed[i] = 1;
        answer(a, 503, "busy\n");
    } else if ((int)(h / 10000 % 100) < options.bad) {
        answer(a, 200, "{\"id\":%ld,\"title\":\"", id);
    } else {
        answer(a, 200,
               "{\"by\":\"user%u\",\"descendants\":%u,\"id\":%ld,\"score\":%u,\"time\":%ld,\"title\":\"%s %s\",\"type\":\"story\","
               "\"url\":\"https://example.org/%ld\"}",
               h % 89, h % 300, id, 1 + h % 997, 1700000000L + i * 60L, what[h / 7 % 6], of[h / 43 % 7], id);
    }
}

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "HTTP Version Not Supported";
    }
}

/* ---- requests ---- */

struct request { const char *method, *path; size_t body; int keep; };

/* Takes a head apart, in place: 0, or the status to answer. */
static int parse(char *head, size_t size, struct request *r) {
    char *line, *next = strstr(head, "\r\n"), *version, *value;
    if (strlen(head) != size) return 400; /* a zero byte */
    if (next) *next = 0, next += 2;
    r->method = head;
    if (!(r->path = strchr(head, ' ')) || r->path == head) return 400;
    head[r->path++ - head] = 0;
    if (!(version = strchr(r->path, ' ')) || *r->path != '/') return 400;
    head[version++ - head] = 0;
    if (strncmp(version, "HTTP/1.", 7) || strlen(version) != 8) return strncmp(version, "HTTP/", 5) ? 400 : 505;
    r->keep = version[7] != '0';
    while ((line = next) != NULL) {
        if ((next = strstr(line, "\r\n")) != NULL) *next = 0, next += 2;
        if (!(value = strchr(line, ':')) || value == line || *line == ' ' || *line == '\t') return 400;
        *value++ = 0;
        value += strspn(value, " \t");
        if (!strcasecmp(line, "Connection")) {
            if (!strcasecmp(value, "close")) r->keep = 0;
            if (!strcasecmp(value, "keep-alive")) r->keep = 1;
        } else if (!strcasecmp(line, "Transfer-Encoding")) {
            return 400; /* we take no chunked bodies, and must not guess where one ends */
        } else if (!strcasecmp(line, "Content-Length")) {
            if (!*value || strspn(value, "0123456789") != strlen(value)) return 400;
            if (strlen(value) > 9 || (r->body = (size_t)strtoul(value, NULL, 10)) > MAX_BODY) return 413;
        }
    }
    return 0;
}

/* ---- a connection ---- */

struct connection {
    ax_frame frame;
    int fd;
    ax_reader in;
    ax_writer out;
    struct request request;
    struct answer answer;
    char in_buffer[MAX_HEAD], out_buffer[2 * (MAX_ANSWER + 512)]; /* an answer goes out in one piece */
};

/* Decides what to answer. Items take their time. */
struct decide { ax_frame frame; const struct request *request; struct answer *answer; long id; };
AX_ASYNC(decide) {
    const struct request *r = my->request;
    struct answer *a = my->answer;
    char *end;
    AX_BEGIN;
    a->status = 404;
    if (strcmp(r->method, "GET") && strcmp(r->method, "HEAD")) {
        a->status = 405;
    } else if (!strcmp(r->path, "/v0/topstories.json")) {
        top_stories(a);
    } else if (!strncmp(r->path, "/v0/item/", 9)) {
        my->id = strtol(r->path + 9, &end, 10);
        if (end == r->path + 9 || strcmp(end, ".json")) AX_RETURN(0);
        AX_AWAIT(ax_sleep(me, AX_MS(options.delay)));
        story(a, my->id);
    }
    AX_END;
}

struct respond { ax_frame frame; struct connection *c; };
AX_ASYNC(respond) {
    struct connection *c = my->c;
    struct answer *a = &c->answer;
    AX_BEGIN;
    if (!a->size) answer(a, a->status, "%s\n", reason(a->status));
    AX_AWAIT(ax_writer_printf(me, &c->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n", a->status,
                              reason(a->status), a->status == 200 ? "application/json" : "text/plain", a->size,
                              a->status == 405 ? "Allow: GET, HEAD\r\n" : "", c->request.keep ? "" : "Connection: close\r\n"));
    if (strcmp(c->request.method, "HEAD")) AX_AWAIT(ax_writer_write(me, &c->out, a->body, a->size));
    AX_AWAIT(ax_writer_flush(me, &c->out));
    AX_END;
}

AX_ASYNC(connection) {
    AX_BEGIN;
    ax_reader_init(&my->in, my->fd, my->in_buffer, sizeof my->in_buffer);
    ax_writer_init(&my->out, my->fd, my->out_buffer, sizeof my->out_buffer);
    do {
        AX_TRY(AX_WITHIN(AX_SEC(options.idle), ax_reader_until(me, &my->in, "\r\n\r\n", 4)));
        if (me->rc <= 0 && me->rc != AX_EOVERFLOW) AX_RETURN(0); /* the client has gone, or has nothing more to say */
        memset(&my->request, 0, sizeof my->request);
        my->request.method = "GET";
        my->answer.size = 0;
        my->answer.status = me->rc < 0 ? 431 : parse(my->in.data, my->in.length, &my->request);
        if (my->answer.status) my->request.keep = 0; /* who knows where the next request begins */
        else AX_AWAIT(AX_CALL(decide, .request = &my->request, .answer = &my->answer));
        AX_AWAIT(AX_WITHIN(AX_SEC(10), AX_CALL(respond, .c = my)));
        if (my->request.keep && my->request.body)
            AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_reader_exactly(me, &my->in, NULL, my->request.body)));
    } while (my->request.keep);
    /* To close on unread bytes would reset the connection, and the client might lose the answer: read for a moment. */
    shutdown(my->fd, SHUT_WR);
    AX_AWAIT(AX_WITHIN(AX_MS(500), ax_reader_exactly(me, &my->in, NULL, MAX_BODY)));
    AX_END;
}

static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *arg) { /* ax_server closes it */
    (void)peer, (void)arg;
    return AX_CALL(connection, .fd = fd);
}

/* ---- the server ---- */

struct server { ax_frame frame; int fd; };
AX_ASYNC(server) {
    char text[AX_ADDR_TEXT];
    ax_addr local;
    AX_BEGIN;
    if ((my->fd = ax_tcp_listen("127.0.0.1", options.port, 0)) < 0) {
        complain("port %d: %s", options.port, ax_strerror(my->fd));
        AX_RETURN(1);
    }
    ax_addr_local(my->fd, &local);
    printf("listening on http://%s\n", ax_addr_text(&local, text, sizeof text));
    AX_AWAIT(AX_CALL(ax_server, .fd = my->fd, .serve = serve, .max_clients = options.max_clients)); /* until Ctrl-C or SIGTERM */
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "the port; 0: any that is free"},
        {"--delay", ARG_NUMBER, &options.delay, 0, 60000, "milliseconds that an item takes"},
        {"--fail", ARG_NUMBER, &options.fail, 0, 100, "so many percent of the items answer 503 the first time"},
        {"--null", ARG_NUMBER, &options.null, 0, 100, "so many are null"},
        {"--bad", ARG_NUMBER, &options.bad, 0, 100, "so many are no JSON; with 100 the list isn't either"},
        {"--max-clients", ARG_NUMBER, &options.max_clients, 1, 100000, "so many at a time; more have to wait"},
        {"--idle", ARG_SECONDS, &options.idle, 0, 86400, "a client may be silent for so long"},
    };
    int status;
    ARGS_READ(argc, argv, "[OPTION]...", args, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 0); /* who waits for the port gets it at once, through a pipe too */
    status = AX_RUN(server);
    return ax_exit(status == AX_EINTR ? 0 : status); /* Ctrl-C and SIGTERM are how it ends */
}
