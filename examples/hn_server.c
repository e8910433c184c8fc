/* A small HTTP/1.1 server that speaks a part of the Hacker News API with made-up stories: something for hn_pipeline to fetch
   without a network, and an example of a server. One task per connection, in a group that is cancelled at the end.

     hn_server [--port N] [--delay MS] [--fail PCT] [--null PCT] [--bad PCT] [--idle S]

   GET /v0/topstories.json gives 500 ids, GET /v0/item/ID.json a story after the delay; null for ids that don't exist. Some can be
   made to fail: a 503 the first time, a null, a JSON that is cut off. Ctrl-C ends it in order. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STORIES = 500, FIRST_ID = 42000000, CONNECTIONS = 1000, MAX_HEAD = 8192, MAX_BODY = 65536 };

struct options { int port, delay, fail, null, bad, idle; };
struct server { struct options options; ax_sem connections; unsigned char failed[STORIES]; };

/* ---- what is served ---- */

struct answer { int status; size_t size; char body[8192]; };

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

static void top_stories(struct answer *a, struct server *server) {
    size_t n = 0;
    int i;
    if (server->options.bad == 100) {
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

static void story(struct answer *a, struct server *server, long id) {
    static const char *const what[] = {"A faster", "The hidden cost of", "Show HN: A tiny", "Why we left",
                                       "Ask HN: What happened to", "Understanding"};
    static const char *const of[] = {"event loop", "caf\\u00e9 menu", "database", "\\\"simple\\\" parser",
                                     "garbage collector", "C compiler", "queue"};
    int i = story_index(id);
    unsigned h = hash((unsigned)id);
    if (i < 0 || (int)(h / 100 % 100) < server->options.null) {
        answer(a, 200, "null");
    } else if (!server->failed[i] && (int)(h % 100) < server->options.fail) {
        server->failed[i] = 1;
        answer(a, 503, "busy\n");
    } else if ((int)(h / 10000 % 100) < server->options.bad) {
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

/* Takes the head apart, in place: 0, or the status to answer. */
static int parse(char *head, struct request *r) {
    char *line = strstr(head, "\r\n"), *version, *end;
    memset(r, 0, sizeof *r);
    *line = 0;
    r->method = head;
    if (!(r->path = strchr(head, ' ')) || r->path == head) return 400;
    head[r->path++ - head] = 0;
    if (!(version = strchr(r->path, ' ')) || *r->path != '/') return 400;
    head[version++ - head] = 0;
    if (strncmp(version, "HTTP/1.", 7) || strlen(version) != 8) return strncmp(version, "HTTP/", 5) ? 400 : 505;
    r->keep = version[7] != '0';
    for (line += 2; *line && strncmp(line, "\r\n", 2); line = end + 2) {
        char *value = strchr(line, ':');
        if (!(end = strstr(line, "\r\n"))) return 400;
        *end = 0;
        if (!value || value == line || *line == ' ' || *line == '\t') return 400;
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
    struct server *server;
    int fd;
    struct request request;
    size_t have, head, skip; /* bytes in `in`; of these the request's head; bytes to pass over */
    char in[MAX_HEAD + 1];
    struct answer answer;
    char out[8192 + 512];
};

/* Reads until a whole head is there: 1 and its size, 0 when the client has closed, -EMSGSIZE if it grows too large. */
struct read_head { ax_frame frame; struct connection *c; };
AX_ASYNC(read_head) {
    struct connection *c = my->c;
    char *end;
    AX_BEGIN;
    for (;;) {
        c->in[c->have] = 0;
        if (strlen(c->in) != c->have) AX_RETURN(AX_EINVAL); /* a zero byte */
        if ((end = strstr(c->in, "\r\n\r\n")) != NULL) {
            c->head = (size_t)(end - c->in) + 4;
            AX_RETURN(1);
        }
        if (c->have == MAX_HEAD) AX_RETURN(-EMSGSIZE);
        AX_AWAIT(ax_read(me, c->fd, c->in + c->have, MAX_HEAD - c->have));
        if (me->rc == 0) AX_RETURN(0);
        c->have += (size_t)me->rc;
    }
    AX_END;
}

struct respond { ax_frame frame; struct connection *c; size_t size; };
AX_ASYNC(respond) {
    struct connection *c = my->c;
    struct answer *a = &c->answer;
    AX_BEGIN;
    if (a->status != 200 && !a->size) answer(a, a->status, "%s\n", reason(a->status));
    my->size = (size_t)snprintf(c->out, sizeof c->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n%s",
                                a->status, reason(a->status), a->status == 200 ? "application/json" : "text/plain", a->size,
                                a->status == 405 ? "Allow: GET, HEAD\r\n" : "", c->request.keep ? "" : "Connection: close\r\n",
                                strcmp(c->request.method, "HEAD") ? a->body : "");
    AX_AWAIT(ax_write_all(me, c->fd, c->out, my->size));
    AX_END;
}

/* Decides what to answer. Items take their time. */
struct serve { ax_frame frame; struct connection *c; long id; };
AX_ASYNC(serve) {
    struct connection *c = my->c;
    struct answer *a = &c->answer;
    char *end;
    AX_BEGIN;
    if (strcmp(c->request.method, "GET") && strcmp(c->request.method, "HEAD")) {
        a->status = 405;
    } else if (!strcmp(c->request.path, "/v0/topstories.json")) {
        top_stories(a, c->server);
    } else if (!strncmp(c->request.path, "/v0/item/", 9)) {
        my->id = strtol(c->request.path + 9, &end, 10);
        if (end == c->request.path + 9 || strcmp(end, ".json")) {
            a->status = 404;
        } else {
            AX_AWAIT(ax_sleep(me, AX_MS(c->server->options.delay)));
            story(a, c->server, my->id);
        }
    } else {
        a->status = 404;
    }
    AX_END;
}

AX_ASYNC(connection) {
    AX_BEGIN;
    for (;;) {
        AX_TRY(AX_WITHIN(AX_SEC(1) * my->server->options.idle, AX_CALL(read_head, .c = my)));
        if (me->rc == 0 || me->rc == AX_ETIMEDOUT) AX_RETURN(0); /* the client has gone, or has nothing more to say */
        my->answer.status = me->rc == -EMSGSIZE ? 431 : me->rc == AX_EINVAL ? 400 : 0;
        my->answer.size = 0;
        my->request.method = "GET";
        if (me->rc < 0 && !my->answer.status) AX_RETURN(me->rc);
        if (!my->answer.status) my->answer.status = parse(my->in, &my->request);
        if (my->answer.status) my->request.keep = 0; /* who knows where the next request begins */
        if (!my->answer.status) AX_AWAIT(AX_CALL(serve, .c = my));
        AX_AWAIT(AX_WITHIN(AX_SEC(10), AX_CALL(respond, .c = my)));

        if (!my->request.keep) break;
        my->skip = my->head + my->request.body; /* a body is passed over; perhaps the next request came with it */
        while (my->skip > my->have) {
            my->skip -= my->have;
            AX_AWAIT(AX_WITHIN(AX_SEC(1) * my->server->options.idle, ax_read(me, my->fd, my->in, MAX_HEAD)));
            if (me->rc == 0) AX_RETURN(0);
            my->have = (size_t)me->rc;
        }
        my->have -= my->skip;
        memmove(my->in, my->in + my->skip, my->have);
    }
    /* To close on unread bytes would reset the connection, and the client might lose the answer: read for a moment. */
    shutdown(my->fd, SHUT_WR);
    for (my->skip = 0; my->skip < MAX_BODY; my->skip += (size_t)me->rc) {
        AX_AWAIT(AX_WITHIN(AX_MS(500), ax_read(me, my->fd, my->in, MAX_HEAD)));
        if (me->rc == 0) break;
    }
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    ax_sem_release(&my->server->connections);
    AX_END;
}

/* ---- the server ---- */

static int listen_on(int *port) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    int one = 1, rc, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -errno;
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_port = htons((unsigned short)*port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ax_nonblocking(fd) < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(fd, 512) < 0 || getsockname(fd, (struct sockaddr *)&a, &size) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    *port = ntohs(a.sin_port);
    return fd;
}

struct app { ax_frame frame; struct options options; struct server server; ax_group clients; int listener, fd; };
AX_ASYNC(app) {
    int one = 1;
    AX_BEGIN;
    my->server.options = my->options;
    ax_sem_init(&my->server.connections, CONNECTIONS, 0);
    /* a client's error is its own; at the end all are cancelled */
    ax_group_open(me, &my->clients, AX_GROUP_COLLECT | AX_GROUP_BACKGROUND);
    if ((my->listener = listen_on(&my->server.options.port)) < 0) AX_RETURN(my->listener);
    printf("listening on http://127.0.0.1:%d\n", my->server.options.port);
    fflush(stdout);
    for (;;) {
        AX_AWAIT(ax_sem_acquire(me, &my->server.connections)); /* beyond that, clients wait in the kernel's queue */
        AX_TRY(ax_accept(me, my->listener, NULL));
        if (me->rc < 0) {                                      /* out of descriptors, for example: later */
            ax_sem_release(&my->server.connections);
            AX_AWAIT(ax_sleep(me, AX_MS(100)));
            continue;
        }
        my->fd = me->rc;
        setsockopt(my->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!AX_SPAWN(&my->clients, connection, .server = &my->server, .fd = my->fd)) {
            ax_close(me->loop, my->fd);
            ax_sem_release(&my->server.connections);
        }
    }
    AX_FINALLY:
    if (my->listener > 0) ax_close(me->loop, my->listener);
    AX_END;
}

static int usage(FILE *to) {
    fputs("usage: hn_server [--port N] [--delay MS] [--fail PCT] [--null PCT] [--bad PCT] [--idle S]\n"
          "  --port N    listen there; 0, the default: any free one\n"
          "  --delay MS  time that an item takes, 20\n"
          "  --fail PCT  so many percent of the items answer 503 the first time, 0\n"
          "  --null PCT  so many are null, 0\n"
          "  --bad PCT   so many are no JSON, 0; with 100 the list isn't either\n"
          "  --idle S    a client may be silent for so long, 15\n", to);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    struct options o = {0, 20, 0, 0, 0, 15};
    int i;
    for (i = 1; i < argc; i++) {
        const char *const names[] = {"--port", "--delay", "--fail", "--null", "--bad", "--idle"};
        int *const values[] = {&o.port, &o.delay, &o.fail, &o.null, &o.bad, &o.idle}, *value = NULL;
        size_t k;
        char *end;
        if (!strcmp(argv[i], "--help")) return usage(stdout);
        for (k = 0; k < sizeof names / sizeof *names; k++)
            if (!strcmp(argv[i], names[k])) value = values[k];
        if (!value || ++i == argc) return usage(stderr);
        *value = (int)strtol(argv[i], &end, 10);
        if (*end || !*argv[i] || *value < 0 || *value > 65535) return usage(stderr);
    }
    return ax_exit(AX_RUN(app, .options = o));
}
