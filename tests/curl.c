/* The curl adapter against a server on the same loop: answers, broken connections, cancellation in every phase, the idle pool. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdlib.h>

/* The adapter's allocations, so that the n-th can be made to fail. */
static int fail_at = -1;
static int fails(void) { return fail_at >= 0 && fail_at-- == 0; }
static void *test_calloc(size_t n, size_t size) { return fails() ? NULL : calloc(n, size); }
static void *test_realloc(void *p, size_t size) { return fails() ? NULL : realloc(p, size); }
#define calloc test_calloc
#define realloc test_realloc
#include "asyncx_curl.h"
#undef calloc
#undef realloc
#include "tap.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A resolver that waits until it may go on: libcurl calls this one. Before 7.87 libcurl waits for it, whatever the limit is. */
static int may_resolve = LIBCURL_VERSION_NUM < 0x075700;
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    struct timespec t = {0, 1000000};
    (void)host;
    (void)service;
    (void)hints;
    *result = NULL;
    while (!__atomic_load_n(&may_resolve, __ATOMIC_ACQUIRE)) nanosleep(&t, NULL);
    return EAI_NONAME;
}

/* Around the backend: how often the loop went to sleep for a moment. */
static int naps;
static int counts_naps(ax_loop *loop, void *self, ax_time timeout) {
    naps += timeout > 0 && timeout <= AX_MS(2);
    return ASYNCX_BACKEND->wait(loop, self, timeout);
}

/* ---- the server ---- */

static int port, connections, asked, aborted;

struct client { ax_frame frame; int fd; size_t have, head, length; char in[4096], out[512]; int i; };

static int reply(struct client *c, const char *extra, const char *body) {
    return snprintf(c->out, sizeof c->out, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s", extra, strlen(body), body);
}

/* Ends the path with a zero byte; the method before it, too. */
static void split(char *request) {
    request = strchr(request, ' ');
    *request++ = 0;
    request[strcspn(request, " ")] = 0;
}

AX_ASYNC(client) {
    struct linger reset = {1, 0};
    const char *path = my->in + strcspn(my->in, " ") + 1; /* after the method, also once that ends with a zero byte */
    AX_BEGIN;
    for (;;) {
        for (my->have = 0, my->in[0] = 0; !strstr(my->in, "\r\n\r\n"); my->in[my->have] = 0) {
            AX_AWAIT(ax_read(me, my->fd, my->in + my->have, sizeof my->in - 1 - my->have));
            if (me->rc == 0) AX_RETURN(0);
            my->have += (size_t)me->rc;
        }
        my->head = (size_t)(strstr(my->in, "\r\n\r\n") + 4 - my->in);
        my->length = strstr(my->in, "Content-Length: ") ? (size_t)atoi(strstr(my->in, "Content-Length: ") + 16) : 0;
        while (my->have < my->head + my->length) {
            AX_AWAIT(ax_read(me, my->fd, my->in + my->have, sizeof my->in - 1 - my->have));
            if (me->rc == 0) AX_RETURN(0);
            my->in[my->have += (size_t)me->rc] = 0;
        }
        split(my->in);
        asked += !strcmp(path, "/never") || !strcmp(path, "/drip");
        if (!strcmp(path, "/ok")) {
            reply(my, "X-Test:  a value \r\n", "hello");
        } else if (!strcmp(path, "/echo")) { /* the method, the type of the body, the body */
            char type[64] = "", answer[256];
            if (strstr(path + strlen(path) + 1, "Content-Type: ")) sscanf(strstr(path + strlen(path) + 1, "Content-Type: ") + 14, "%63s", type);
            snprintf(answer, sizeof answer, "%.20s|%s|%.*s", my->in, type, (int)my->length & 127, my->in + my->head);
            reply(my, "", answer);
            if (!strcmp(my->in, "HEAD")) *(strstr(my->out, "\r\n\r\n") + 4) = 0;
        } else if (!strcmp(path, "/elsewhere")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 303 See Other\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
        } else if (!strcmp(path, "/missing")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
        } else if (!strcmp(path, "/redirect")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 302 Found\r\nX-Test: old\r\nLocation: /ok\r\nContent-Length: 4\r\n\r\naway");
        } else if (!strcmp(path, "/loop")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
        } else if (!strcmp(path, "/file")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n");
        } else if (!strcmp(path, "/garbage")) {
            snprintf(my->out, sizeof my->out, "SMTP ready\r\n\r\n");
        } else if (!strcmp(path, "/cut")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        } else if (!strcmp(path, "/drip") || !strcmp(path, "/chunks")) {
            snprintf(my->out, sizeof my->out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        } else if (!strcmp(path, "/never")) {
            my->out[0] = 0;
        } else if (!strcmp(path, "/reset")) {
            setsockopt(my->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            AX_RETURN(0);
        } else {
            AX_RETURN(0); /* /close */
        }
        AX_AWAIT(ax_write_all(me, my->fd, my->out, strlen(my->out)));
        if (!strcmp(path, "/cut") || !strcmp(path, "/garbage")) AX_RETURN(0);
        if (!strcmp(path, "/chunks")) {
            for (my->i = 0; my->i < 1000; my->i++) AX_AWAIT(ax_write_all(me, my->fd, "A\r\n0123456789\r\n", 15));
            AX_AWAIT(ax_write_all(me, my->fd, "0\r\n\r\n", 5));
        }
        while (!strcmp(path, "/drip")) {
            AX_TRY(ax_write_all(me, my->fd, "1\r\nx\r\n", 6));
            if (me->rc < 0) aborted++;
            if (me->rc < 0) AX_RETURN(0);
            AX_AWAIT(ax_sleep(me, AX_MS(2)));
        }
        if (!strcmp(path, "/never")) {
            AX_TRY(ax_read(me, my->fd, my->in, 1));
            if (me->rc <= 0) aborted++;
            AX_RETURN(0);
        }
    }
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

struct server { ax_frame frame; int fd; ax_group clients; };
AX_ASYNC(server) {
    AX_BEGIN;
    ax_group_open(me, &my->clients, AX_GROUP_COLLECT);
    for (;;) {
        AX_AWAIT(ax_accept(me, my->fd, NULL));
        connections++;
        AX_SPAWN(&my->clients, client, .fd = me->rc);
    }
    AX_FINALLY:
    ax_close(me->loop, my->fd);
    AX_END;
}

static int listen_on_any(int *at) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&a, &size) < 0) exit(1);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *at = ntohs(a.sin_port);
    return fd;
}

/* ---- the tests ---- */

static const char *url_at(int at, const char *path) {
    static char text[8][128];
    static int i;
    i = (i + 1) % 8;
    snprintf(text[i], sizeof text[i], "http://127.0.0.1:%d%s", at, path);
    return text[i];
}
static const char *url(const char *path) { return url_at(port, path); }
#define GET(path) AX_CALL(ax_http, .curl = &my->curl, .url = url(path), .out = &my->r)

struct app { ax_frame frame; ax_curl curl; ax_response r; ax_group servers, g; ax_task *t; int i, n, deaf, deaf_port; char *upload; unsigned polls; };
enum { UPLOAD = 16 << 20 }; /* more than a socket takes */

static int same(const ax_response *r, const char *name, const char *value) {
    size_t size;
    const char *s = ax_http_header(r, name, &size);
    return s ? size == strlen(value) && !memcmp(s, value, size) : !value[0];
}

struct fetch { ax_frame frame; ax_curl *curl; const char *path; ax_task *victim; ax_response r; int *count; };
AX_ASYNC(fetch) {
    AX_BEGIN;
    AX_AWAIT(AX_CALL(ax_http, .curl = my->curl, .url = url(my->path), .out = &my->r));
    if (my->victim) ax_cancel(my->victim);
    if (my->victim) AX_AWAIT(AX_CALL(ax_http, .curl = my->curl, .url = url(my->path), .out = &my->r));
    ++*my->count;
    AX_FINALLY:
    ax_http_free(&my->r);
    AX_END;
}

static int set_up(CURL *easy, void *rc) {
    static struct curl_slist line = {(char *)(intptr_t)"Content-Type: text/set", NULL};
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, &line);
    return *(int *)rc;
}

#define is_text(got, want, name) ok((got) && !strcmp(got, want), "%s: %s", name, (got) ? (got) : "no body")

AX_ASYNC(app) {
    static const char *const json[] = {"Content-Type: application/json", NULL}, *const at_once[] = {"Expect:", NULL};
    size_t size;
    AX_BEGIN;
    ax_group_open(me, &my->servers, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->servers, server, .fd = listen_on_any(&port));
    AX_CHECK(ax_curl_open(&my->curl, me->loop));
    is(ax_curl_open(&my->curl, me->loop), AX_EBUSY, "it is opened once");

    /* answers */
    AX_AWAIT(GET("/ok"));
    is(me->rc, 200, "an answer gives its status");
    ok(my->r.status == 200 && my->r.size == 5 && !strcmp(my->r.body, "hello"), "and its body");
    ok(same(&my->r, "x-test", "a value") && same(&my->r, "Content-Length", "5"), "and its headers");
    ok(!ax_http_header(&my->r, "X-Tes", &size) && !ax_http_header(&my->r, "Other", &size), "and no others");
    ok(my->r.code == 0 && !my->r.message[0], "and no error");
    AX_AWAIT(GET("/missing"));
    is(me->rc, 404, "so does a 404");
    AX_AWAIT(GET("/redirect"));
    ok(me->rc == 200 && !strcmp(my->r.body, "hello") && same(&my->r, "X-Test", "a value") && same(&my->r, "Location", ""),
       "a redirect is followed, and only the last answer's headers are kept");
    is(connections, 1, "all over one connection");
    AX_AWAIT(GET("/chunks"));
    is(my->r.size, 10000, "a body in chunks");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/chunks"), .out = &my->r, .max_body = 10000));
    is(me->rc, 200, "a body that is as large as the limit");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = url("/chunks"), .out = &my->r, .max_body = 9999));
    is(me->rc, AX_EOVERFLOW, "and one that is larger");

    /* other methods */
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .text = "a=1&b=2"));
    is_text(my->r.body, "POST|application/x-www-form-urlencoded|a=1&b=2", "a body is posted");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .body = "{\"a\":1} and more", .body_size = 7, .headers = json));
    is_text(my->r.body, "POST|application/json|{\"a\":1}", "so much of it, with its type");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "POST"));
    is_text(my->r.body, "POST|application/x-www-form-urlencoded|", "or none");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "PUT", .text = "x", .headers = json));
    is_text(my->r.body, "PUT|application/json|x", "or put");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .body = "not sent", .body_size = 0, .headers = json));
    is_text(my->r.body, "POST|application/json|", "bytes that are none");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "DELETE"));
    is_text(my->r.body, "DELETE||", "DELETE");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "HEAD"));
    ok(me->rc == 200 && !my->r.size && same(&my->r, "Content-Length", "6"), "HEAD");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/elsewhere"), .out = &my->r, .text = "a=1"));
    is_text(my->r.body, "GET||", "what came of a POST is got");
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/elsewhere"), .out = &my->r, .method = "PUT", .text = "a=1"));
    ok(me->rc == 303 && same(&my->r, "Location", "/echo"), "what came of a PUT is told");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "GET /ok HTTP/1.1\r\nX-More:"));
    is(me->rc, AX_EINVAL, "a method that would be more than one");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = ""));
    is(me->rc, AX_EINVAL, "none");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .method = "HEAD", .text = "x"));
    is(me->rc, AX_EINVAL, "HEAD with a body");
    my->n = 0;
    AX_AWAIT(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .setup = set_up, .setup_arg = &my->n));
    is_text(my->r.body, "GET|text/set|", "any other option of libcurl");
    my->n = AX_EPERM;
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = url("/echo"), .out = &my->r, .setup = set_up, .setup_arg = &my->n));
    is(me->rc, AX_EPERM, "which may fail");

    /* failures */
    AX_TRY(GET("/loop"));
    is(me->rc, -ELOOP, "a redirect without end");
    AX_TRY(GET("/file"));
    is(me->rc, AX_EINVAL, "a redirect to a file");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = "file:///etc/hostname", .out = &my->r));
    is(me->rc, AX_EINVAL, "a file");
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = "http://127.0.0.1:1/", .out = &my->r));
    is(me->rc, AX_ECONNREFUSED, "nobody listens");
    is(my->r.code, CURLE_COULDNT_CONNECT, "with libcurl's code");
    ok(my->r.message[0] && !my->r.body && !my->r.status, "and text: %s", my->r.message);
    AX_TRY(GET("/close"));
    is(me->rc, AX_ECONNRESET, "closed without an answer");
    AX_TRY(GET("/reset"));
    is(me->rc, AX_ECONNRESET, "reset");
    AX_TRY(GET("/cut"));
    is(me->rc, AX_ECONNRESET, "closed in the body");
    AX_TRY(GET("/garbage"));
    is(me->rc, AX_EPROTO, "no HTTP");

    for (my->i = 0, my->n = 0; my->i < 100; my->i++) { /* a fresh connection each time, so that there is a socket to be watched */
        ax_curl_close(&my->curl);
        AX_CHECK(ax_curl_open(&my->curl, me->loop));
        fail_at = my->i;
        AX_TRY(GET("/chunks"));
        if (me->rc == 200 && fail_at >= 0) break;
        if (me->rc != AX_ENOMEM) my->n++;
    }
    fail_at = -1;
    ok(me->rc == 200 && !my->n && my->i > 5, "each of %d allocations may fail", my->i);

    /* the loop's side */
    naps = 0;
    for (my->n = 0; my->n < 40; my->n++) AX_AWAIT(GET("/ok"));
    ok(naps < 20, "a timer of 0 is the next turn, not the next millisecond: %d naps in 40 requests", naps);
    for (my->i = 0; my->i < 50; my->i++) { /* what the requests have left may take its time */
        my->polls = me->loop->polls;
        AX_AWAIT(ax_sleep(me, AX_MS(50)));
        if (me->loop->polls - my->polls < 5) break;
    }
    ok(me->loop->polls - my->polls < 5, "an idle pool costs no turns: %u", me->loop->polls - my->polls);

    ax_group_open(me, &my->g, 0);
    for (my->i = my->n = 0; my->i < 100; my->i++) AX_SPAWN(&my->g, fetch, .curl = &my->curl, .path = "/ok", .count = &my->n);
    AX_AWAIT(ax_group_join(me, &my->g));
    is(my->n, 100, "a hundred at a time");

    /* cancellation */
    do AX_TRY(AX_WITHIN(AX_MS(20), GET("/never")));
    while (!asked && me->rc == AX_ETIMEDOUT); /* it may end before the request is there */
    ok(me->rc == AX_ETIMEDOUT && ax_expired(me), "a limit while the server is silent");
    ok(!my->r.body && !my->r.message[0], "leaves an empty response");
    my->n = asked;
    do AX_TRY(AX_WITHIN(AX_MS(20), GET("/drip")));
    while (asked == my->n && me->rc == AX_ETIMEDOUT);
    ok(me->rc == AX_ETIMEDOUT, "a limit in the body");
    while (aborted < asked) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    is(aborted, asked, "the server sees all go");
    AX_CHECK(my->deaf = listen_on_any(&my->deaf_port));
    if (!(my->upload = (char *)malloc(UPLOAD))) abort();
    memset(my->upload, 'x', UPLOAD);
    AX_TRY(AX_WITHIN(AX_MS(50), AX_CALL(ax_http, .curl = &my->curl, .url = url_at(my->deaf_port, "/"), .out = &my->r, .body = my->upload,
                                        .body_size = UPLOAD, .headers = at_once)));
    free(my->upload);
    ok(me->rc == AX_ETIMEDOUT, "a limit while a body is sent to who does not read; the body may go then");
    ax_close(me->loop, my->deaf);
    AX_TRY(AX_WITHIN(AX_MS(20), AX_CALL(ax_http, .curl = &my->curl, .url = "http://slow.test/", .out = &my->r)));
    ok(me->rc == AX_ETIMEDOUT, "a limit while the name is resolved does not wait for the resolver");
    __atomic_store_n(&may_resolve, 1, __ATOMIC_RELEASE);
    AX_TRY(AX_CALL(ax_http, .curl = &my->curl, .url = "http://slow.test/", .out = &my->r));
    is(me->rc, AX_EHOSTUNREACH, "no such host");

    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    my->n = 0;
    my->t = AX_SPAWN(&my->g, fetch, .curl = &my->curl, .path = "/ok", .count = &my->n);
    AX_AWAIT(ax_checkpoint(me));
    ax_cancel(my->t); /* added, but not begun */
    my->t = AX_SPAWN(&my->g, fetch, .curl = &my->curl, .path = "/never", .count = &my->n);
    AX_SPAWN(&my->g, fetch, .curl = &my->curl, .path = "/ok", .victim = my->t, .count = &my->n);
    AX_AWAIT(ax_group_join(me, &my->g));
    is(my->n, 1, "a request's end starts one and cancels another");

    ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    AX_SPAWN(&my->g, fetch, .curl = &my->curl, .path = "/never", .count = &my->n);
    AX_AWAIT(ax_sleep(me, AX_MS(10)));
    ax_curl_close(&my->curl);
    AX_AWAIT(ax_group_next(me, &my->g, &my->t));
    is(ax_task_status(my->t), AX_EPIPE, "a request that is in flight at the close is told");
    AX_TRY(GET("/ok"));
    is(me->rc, AX_EPERM, "and no more is taken");
    ax_curl_close(&my->curl);
    AX_CHECK(ax_curl_open(&my->curl, me->loop));
    AX_AWAIT(GET("/ok"));
    is(me->rc, 200, "it can be opened again");
    AX_FINALLY:
    ax_http_free(&my->r);
    ax_curl_close(&my->curl);
    AX_END;
}

/* A pool that is warm, in a loop that is run until nothing keeps it. */
static ax_curl warm;
struct warm_up { ax_frame frame; ax_response r; ax_group servers; };
AX_ASYNC(warm_up) {
    AX_BEGIN;
    ax_group_open(me, &my->servers, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->servers, server, .fd = listen_on_any(&port));
    AX_AWAIT(AX_CALL(ax_http, .curl = &warm, .url = url("/ok"), .out = &my->r));
    AX_FINALLY:
    ax_http_free(&my->r);
    AX_END;
}

int main(void) {
    ax_loop loop;
    ax_loop_desc desc = {.backend = NULL};
    ax_backend counting = *ASYNCX_BACKEND;
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    counting.wait = counts_naps;
    desc.backend = &counting;
    is(AX_RUN_WITH(&desc, app), 0, "requests");

    ax_loop_open(&loop, NULL);
    is(ax_curl_open(&warm, &loop), 0, "a loop of one's own");
    AX_SPAWN(&loop.root, warm_up);
    is(ax_loop_run(&loop), 0, "ends though connections are kept");
    ax_curl_close(&warm);
    is(ax_loop_close(&loop), 0, "and closes");
    return tap_end();
}
