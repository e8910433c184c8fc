/* Fetches web pages over plain HTTP/1.1, without a library for it: several at a time, each within a time limit and a size.

     http_get [--timeout S] [--max-bytes N] [--parallel N] [-o FILE] URL...

   The bodies are written in the order of the URLs, and a line about each on stderr. A body may come with a Content-Length, in
   chunks, or up to the end of the connection; one that is cut short is an error. Redirections are told, not followed; there is no
   https.
   Exit code: 0 if all gave a 2xx, else 1; 130 after Ctrl-C. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"
#include <strings.h>

static struct { const char *output; double timeout; int most, parallel; } options = {NULL, 30, 10 << 20, 8};

struct page { const char *url; char *body; size_t size, room; int status, rc; const char *why; char location[256]; ax_time took; };

struct get {
    ax_frame frame;
    struct page *page;
    char host[256];
    const char *path;
    int port, fd, chunked, has_length;
    size_t host_size, want;
    ax_reader in;
    ax_writer out;
    char in_buffer[16384], out_buffer[8192];
};

static int bad(struct page *page, const char *why) {
    page->why = why;
    return AX_EPROTO;
}

/* http://host[:port][/path]: 0 or an error. */
static int parse_url(struct get *g) {
    const char *host = g->page->url + 7, *end, *named;
    char *port;
    if (strncmp(g->page->url, "http://", 7)) return bad(g->page, "only http:// is possible");
    g->path = end = host + strcspn(host, "/?#");
    if (end == host || end - host >= (int)sizeof g->host || strpbrk(g->page->url, " \r\n")) return bad(g->page, "no such URL");
    memcpy(g->host, host, (size_t)(end - host));
    g->host_size = (size_t)(end - host); /* with the port, as the Host header wants it */
    g->port = 80;
    if (end[-1] != ']' && (port = args_host(g->host, &named)) != NULL) {
        if ((g->port = args_number(port, 65535)) < 1) return bad(g->page, "no such port");
    } else if (*g->host == '[') {
        g->host[end - host - 1] = 0;
    }
    if (*g->host == '[') memmove(g->host, g->host + 1, strlen(g->host));
    return 0;
}

/* Room for so many more bytes of the body: 0 or an error. */
static int make_room(struct page *page, size_t more) {
    size_t room = page->room ? page->room : 4096;
    char *body;
    if (more > (size_t)options.most - page->size) {
        page->why = "too large";
        return AX_EOVERFLOW;
    }
    while (room - page->size < more) room *= 2;
    if (room == page->room) return 0;
    if (!(body = realloc(page->body, room))) return AX_ENOMEM;
    page->body = body;
    page->room = room;
    return 0;
}

static int parse_header(struct get *g, const char *line) {
    const char *value = strchr(line, ':');
    char *p;
    if (!value) return bad(g->page, "not HTTP");
    for (value++; *value == ' ' || *value == '\t'; value++) {}
    if (!strncasecmp(line, "Content-Length:", 15)) {
        int n = args_number(value, INT_MAX - 1);
        if (n < 0 || (g->has_length && g->want != (size_t)n)) return bad(g->page, "a Content-Length that is too large, or none");
        g->has_length = 1;
        g->want = (size_t)n;
    } else if (!strncasecmp(line, "Transfer-Encoding:", 18)) {
        if (strcasecmp(value, "chunked")) return bad(g->page, "an unknown Transfer-Encoding");
        g->chunked = 1;
    } else if (!strncasecmp(line, "Location:", 9)) {
        snprintf(g->page->location, sizeof g->page->location, "%s", value);
        for (p = g->page->location; *p; p++) if ((unsigned char)*p < 32) *p = '?'; /* must not steer the terminal */
    }
    return 0;
}

/* The status line and the headers: 0 or an error. */
struct read_head { ax_frame frame; struct get *get; };
AX_ASYNC(read_head) {
    struct get *g = my->get;
    int minor;
    AX_BEGIN;
    do { /* a 1xx says that the real one is to come */
        AX_AWAIT(ax_reader_line(me, &g->in));
        if (me->rc == 0 || sscanf(g->in.data, "HTTP/1.%d %3d", &minor, &g->page->status) != 2) AX_RETURN(bad(g->page, "not HTTP"));
        for (;;) {
            AX_AWAIT(ax_reader_line(me, &g->in));
            if (me->rc == 0) AX_RETURN(bad(g->page, "cut short"));
            if (g->in.length == 0) break;
            AX_CHECK(parse_header(g, g->in.data));
        }
    } while (g->page->status / 100 == 1);
    AX_END;
}

/* The next g->want bytes of the body. */
struct read_part { ax_frame frame; struct get *get; };
AX_ASYNC(read_part) {
    struct get *g = my->get;
    AX_BEGIN;
    AX_CHECK(make_room(g->page, g->want));
    AX_TRY(ax_reader_exactly(me, &g->in, g->page->body + g->page->size, g->want));
    g->page->size += g->in.length;
    if (me->rc == 0 || me->rc == AX_EPIPE) AX_RETURN(bad(g->page, "cut short"));
    AX_RETURN(me->rc);
    AX_END;
}

struct read_chunks { ax_frame frame; struct get *get; };
AX_ASYNC(read_chunks) {
    struct get *g = my->get;
    char *end;
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(ax_reader_line(me, &g->in));
        if (me->rc == 0) AX_RETURN(bad(g->page, "cut short"));
        g->want = (size_t)strtoul(g->in.data, &end, 16);
        if (end == g->in.data || !strchr("; \t", *end) || *g->in.data == '-') AX_RETURN(bad(g->page, "a chunk without a size"));
        if (!g->want) break;
        AX_AWAIT(AX_CALL(read_part, .get = g));
        AX_AWAIT(ax_reader_line(me, &g->in));
        if (me->rc == 0 || g->in.length) AX_RETURN(bad(g->page, "a chunk of another size"));
    }
    do { /* what may come after the last one */
        AX_AWAIT(ax_reader_line(me, &g->in));
        if (me->rc == 0) AX_RETURN(bad(g->page, "cut short"));
    } while (g->in.length);
    AX_END;
}

AX_ASYNC(get) {
    AX_BEGIN;
    AX_CHECK(parse_url(my));
    AX_AWAIT(ax_tcp_connect(me, my->host, my->port));
    my->fd = me->rc;
    ax_reader_init(&my->in, my->fd, my->in_buffer, sizeof my->in_buffer);
    ax_writer_init(&my->out, my->fd, my->out_buffer, sizeof my->out_buffer);
    AX_AWAIT(ax_writer_printf(me, &my->out,
                              "GET %s%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: http_get\r\nConnection: close\r\n\r\n",
                              *my->path == '/' ? "" : "/", (int)strcspn(my->path, "#"), my->path,
                              (int)my->host_size, my->page->url + 7));
    AX_AWAIT(ax_writer_flush(me, &my->out));
    AX_AWAIT(AX_CALL(read_head, .get = my));
    if (my->page->status == 204 || my->page->status == 304) AX_RETURN(0);
    if (my->chunked) {
        AX_AWAIT(AX_CALL(read_chunks, .get = my));
    } else if (my->has_length) {
        AX_AWAIT(AX_CALL(read_part, .get = my));
    } else {
        AX_WHILE(ax_reader_some(me, &my->in)) {
            AX_CHECK(make_room(my->page, my->in.length));
            memcpy(my->page->body + my->page->size, my->in.data, my->in.length);
            my->page->size += my->in.length;
        }
    }
    AX_RETURN(0);
    AX_FINALLY:
    if (my->fd > 0) ax_close(me->loop, my->fd);
    AX_END;
}

struct fetch { ax_frame frame; struct page *page; ax_sem *slots; ax_permit slot; ax_time start; };
AX_ASYNC(fetch) {
    AX_BEGIN;
    AX_AWAIT(ax_sem_enter(me, my->slots, &my->slot));
    my->start = ax_now(me->loop);
    AX_TRY(AX_WITHIN(AX_SEC(options.timeout), AX_CALL(get, .page = my->page)));
    my->page->rc = me->rc;
    my->page->took = ax_since(me->loop, my->start);
    AX_END;
}

struct app { ax_frame frame; struct page *pages; int count, i; ax_sem slots; ax_group all; };
AX_ASYNC(app) {
    AX_BEGIN;
    ax_sem_init(&my->slots, options.parallel, 0);
    ax_group_open(me, &my->all, 0);
    for (; my->i < my->count; my->i++) AX_SPAWN(&my->all, fetch, .page = &my->pages[my->i], .slots = &my->slots);
    AX_END; /* waits for all */
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--timeout", ARG_SECONDS, &options.timeout, 0, 3600, "what a page may take, from the look-up of its host"},
        {"--max-bytes", ARG_NUMBER, &options.most, 1, 1 << 30, "a body may have so many"},
        {"--parallel", ARG_NUMBER, &options.parallel, 1, 1000, "so many pages at a time"},
        {"-o", ARG_TEXT, &options.output, 0, 0, "where the bodies are written, else to stdout"},
    };
    int first = ARGS_READ(argc, argv, "[OPTION]... URL...", args, 1, 10000), i, rc, failed = 0;
    struct page *pages = calloc((size_t)(argc - first), sizeof *pages);
    FILE *to = options.output ? fopen(options.output, "wb") : stdout;
    if (!to || !pages) {
        complain("%s: %s", options.output ? options.output : "pages", strerror(errno));
        return 1;
    }
    for (i = 0; i < argc - first; i++) pages[i].url = argv[first + i];
    rc = AX_RUN(app, .pages = pages, .count = argc - first);
    for (i = 0; rc >= 0 && i < argc - first; i++) {
        struct page *p = &pages[i];
        if (p->rc < 0) complain("%s: %s", p->url, p->why ? p->why : ax_strerror(p->rc));
        else complain("%s: %d, %zu bytes, %.2f s%s%s", p->url, p->status, p->size, (double)p->took / 1e9,
                      *p->location ? ", see " : "", p->location);
        if (p->rc < 0 || p->status / 100 != 2) failed = 1;
        if (p->rc >= 0 && p->size) fwrite(p->body, 1, p->size, to);
        free(p->body);
    }
    free(pages);
    if (fflush(to) || ferror(to)) complain("%s: %s", options.output ? options.output : "stdout", strerror(errno)), failed = 1;
    if (options.output) fclose(to);
    return rc < 0 ? ax_exit(rc) : failed;
}
