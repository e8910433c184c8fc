/* asyncx_curl.h - HTTP by libcurl on the loop of asyncx: thousands of transfers, one thread - MIT-0

   libcurl's multi_socket interface: libcurl keeps the connections and says which descriptors and which one timer it waits for,
   asyncx waits. Include after asyncx.h, link with -lcurl (7.68 or later).

     struct app { ax_frame frame; ax_curl curl; ax_response response; };

     AX_ASYNC(app) {
         AX_BEGIN;
         AX_CHECK(ax_curl_open(&my->curl, me->loop));
         AX_AWAIT(AX_WITHIN(AX_SEC(10),
                            AX_CALL(ax_http, .curl = &my->curl, .url = "https://example.org", .out = &my->response)));
         printf("%ld, %zu bytes\n", my->response.status, my->response.size);
         AX_FINALLY:
         ax_http_free(&my->response);
         ax_curl_close(&my->curl);
         AX_END;
     }

   WHAT HOLDS

     - The await gives the HTTP status, also 404 and 500: an answer is a success (a .setup that sets CURLOPT_FAILONERROR makes
       400 and above AX_EIO). Without one it gives an error: AX_ECONNREFUSED, AX_ECONNRESET (also a body whose chunks are garbled),
       AX_EHOSTUNREACH (no such host), AX_EINVAL (the URL), AX_EOVERFLOW (the body is larger than the limit), AX_EPROTO (TLS, or not
       HTTP), another errno, or AX_EIO. libcurl's own code and text are in the response, which the caller frees, also after an
       error.
     - Time limits are the caller's: AX_WITHIN, and then AX_ETIMEDOUT with ax_expired(me). libcurl's are not used: they can block.
     - A cancelled request is taken out of libcurl at once: its connection is closed and all its memory freed when the await ends.
     - Connections are kept for the next request. An idle one does not keep the loop running.
     - Only http and https, redirects included (10 at most; of GET, HEAD and POST, others get the answer that sends them elsewhere);
       the body's limit counts decoded bytes; HTTP/1.1.

   LIMITS  Requests and responses are held whole in memory. A descriptor that libcurl leaves ready for ever is not slowed down.
   Before libcurl 7.87 a cancel while a host name is being resolved blocks until the resolver answers; later versions let the
   resolver's thread go. */

#ifndef ASYNCX_CURL_H
#define ASYNCX_CURL_H

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifndef SA_RESTART
#error "asyncx_curl.h: define _POSIX_C_SOURCE as 200809L before the first #include"
#endif

#ifndef AX_HTTP_MAX_BODY
#define AX_HTTP_MAX_BODY (16u << 20) /* decoded bytes, unless the request says otherwise */
#endif
#ifndef AX_HTTP_MAX_HEADERS
#define AX_HTTP_MAX_HEADERS (256u << 10)
#endif

struct axi_curl_request;
struct axi_curl_socket;

/* The connections and what runs over them. Open it once per loop and close it before its memory goes and after its last request:
   in AX_FINALLY, or by ax_defer(me, &my->d, ax_curl_close, &my->curl) before the group that uses it is opened. */
typedef struct ax_curl {
    ax_loop *loop; /* private, all of it */
    CURLM *multi;
    ax_timer timer;
    ax_callback soon;
    struct axi_curl_socket *sockets;
    struct axi_curl_request *requests;
    int faults;
} ax_curl;

/* Zeroed before its first use; each request begins by freeing what is in it. ax_http_free fits ax_defer. */
typedef struct ax_response {
    long status;   /* 0: no answer came */
    char *body;    /* followed by a zero byte; NULL if there is none */
    size_t size;
    char *headers; /* the lines of the last answer as they came, followed by a zero byte */
    size_t header_size;
    int code;      /* libcurl's, and its text; "" if all went well */
    char message[CURL_ERROR_SIZE];
} ax_response;

/* Does one request: the HTTP status, or an error. May suspend. What these point to has to stay until it ends. */
struct ax_http {
    ax_frame frame;
    ax_curl *curl;
    const char *url;
    ax_response *out;
    /* the rest is optional */
    const char *method;           /* GET; with a body POST */
    const char *text;             /* a body, as a text; application/x-www-form-urlencoded unless the headers say otherwise */
    const void *body;             /* or these bytes */
    size_t body_size;
    const char *const *headers;   /* "Name: value", ..., NULL */
    size_t max_body;              /* of the answer: AX_EOVERFLOW beyond it */
    int (*setup)(CURL *, void *); /* sets what else libcurl has (a proxy, credentials, certificates), but none of what is set here;
                                     its error is the request's */
    void *setup_arg;
};
AX_DECLARE(ax_http) __attribute__((unused));

/* 0, AX_ENOMEM, or AX_EBUSY if it is open. Ignores SIGPIPE if nobody handles it, since TLS libraries write without protection. */
static inline int ax_curl_open(ax_curl *curl, ax_loop *loop);
/* Closes all connections. Requests in flight end with AX_EPIPE. Twice is harmless, and so is one that was never opened but
   zeroed. */
static inline void ax_curl_close(void *curl);
static inline void ax_http_free(void *response);
/* The value of a header, or NULL; not followed by a zero byte but by the end of the line. */
static inline const char *ax_http_header(const ax_response *response, const char *name, size_t *size);

/* ---- private from here ---- */

struct axi_curl_request {
    struct axi_curl_request *next, **at;
    ax_curl *curl;
    CURL *easy;
    ax_task *task;
    ax_response *out, got; /* got becomes *out when it is complete: until then the waiter's memory is not touched */
    struct curl_slist *headers;
    size_t max_body, body_cap, header_cap;
    int fault;
};

struct axi_curl_socket {
    struct axi_curl_socket *next, **at;
    ax_curl *curl;
    ax_watch watch;
};

/* ---- libcurl calls: these only record ---- */

static inline int axi_curl_more(char **p, size_t *cap, size_t want) {
    size_t n = *cap ? *cap : 1024;
    char *q;
    if (want <= *cap) return 1;
    while (n < want) n *= 2;
    if (!(q = (char *)realloc(*p, n))) return 0;
    *p = q;
    *cap = n;
    return 1;
}

static inline size_t axi_curl_append(struct axi_curl_request *r, char **p, size_t *size, size_t *cap, size_t max,
                                     const char *data, size_t n) {
    if (n > max || *size > max - n) r->fault = AX_EOVERFLOW;
    else if (!axi_curl_more(p, cap, *size + n + 1)) r->fault = AX_ENOMEM;
    if (r->fault) return 0;
    memcpy(*p + *size, data, n);
    *size += n;
    (*p)[*size] = 0;
    return n;
}

static inline size_t axi_curl_on_body(char *data, size_t one, size_t n, void *request) {
    struct axi_curl_request *r = (struct axi_curl_request *)request;
    return axi_curl_append(r, &r->got.body, &r->got.size, &r->body_cap, r->max_body, data, one * n);
}

static inline size_t axi_curl_on_header(char *data, size_t one, size_t n, void *request) {
    struct axi_curl_request *r = (struct axi_curl_request *)request;
    /* another answer: after a 100, a redirect, a challenge */
    if (one * n >= 5 && !memcmp(data, "HTTP/", 5)) r->got.header_size = 0;
    return axi_curl_append(r, &r->got.headers, &r->got.header_size, &r->header_cap, AX_HTTP_MAX_HEADERS, data, one * n);
}

static inline void axi_curl_on_soon(ax_loop *loop, void *curl);

/* One timer, one-shot; 0 means soon, but not inside this call; -1 deletes it. */
static inline int axi_curl_on_timer(CURLM *multi, long ms, void *curl) {
    ax_curl *c = (ax_curl *)curl;
    (void)multi;
    ax_timer_stop(&c->timer);
    ax_callback_stop(&c->soon);
    /* libcurl rounds down and would be asked too early: hence one more. A timer that can't be had is a hang: then soon. */
    if (ms > 0 && ax_timer_start(c->loop, &c->timer, ax_now(c->loop) + AX_MS(1) * ((ax_time)ms + 1), axi_curl_on_soon, c) >= 0)
        return 0;
    if (ms >= 0) ax_soon(c->loop, &c->soon, axi_curl_on_soon, c);
    return 0;
}

static inline void axi_curl_on_ready(ax_loop *loop, unsigned events, void *socket);

static inline void axi_curl_socket_drop(struct axi_curl_socket *s) {
    ax_watch_stop(&s->watch);
    if ((*s->at = s->next) != NULL) s->next->at = s->at;
    free(s);
}

/* The descriptor is libcurl's and may be closed already. It may say the same twice. -1 would end every transfer: never returned. */
static inline int axi_curl_on_socket(CURL *easy, curl_socket_t fd, int what, void *curl, void *socket) {
    ax_curl *c = (ax_curl *)curl;
    struct axi_curl_socket *s = (struct axi_curl_socket *)socket;
    unsigned events = what == CURL_POLL_IN ? AX_IN : what == CURL_POLL_OUT ? AX_OUT : what == CURL_POLL_INOUT ? AX_IN | AX_OUT : 0;
    char *request = NULL;
    if (what == CURL_POLL_REMOVE) {
        if (s) axi_curl_socket_drop(s);
        return 0;
    }
    if (s) {
        ax_watch_set(&s->watch, events);
        return 0;
    }
    if ((s = (struct axi_curl_socket *)calloc(1, sizeof *s)) != NULL) {
        s->curl = c;
        if ((s->next = c->sockets) != NULL) s->next->at = &s->next;
        s->at = &c->sockets;
        c->sockets = s;
        ax_watch_unref(&s->watch);
        if (ax_watch_start(c->loop, &s->watch, (int)fd, events, axi_curl_on_ready, s) >= 0 && !curl_multi_assign(c->multi, fd, s))
            return 0;
        axi_curl_socket_drop(s);
    }
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request) == CURLE_OK && request) {
        ((struct axi_curl_request *)(void *)request)->fault = AX_ENOMEM;
        c->faults = 1;
    }
    return 0;
}

/* ---- the loop calls: here libcurl is called, and never from within itself ---- */

static inline void axi_curl_request_free(struct axi_curl_request *r) {
    if (r->easy) curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    free(r->got.body);
    free(r->got.headers);
    free(r);
}

/* Takes the request out of libcurl, in any phase; its connection is closed if it is in use. */
static inline void axi_curl_remove(struct axi_curl_request *r) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L); /* else a resolver thread is joined, for as long as it takes */
#endif
    curl_multi_remove_handle(r->curl->multi, r->easy);
    if ((*r->at = r->next) != NULL) r->next->at = r->at;
}

static inline int axi_curl_status(struct axi_curl_request *r, CURLcode code) {
    long sys = 0, sent = 0;
    if (r->fault) return r->fault;
    curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &sys);
    curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &sent);
    switch ((int)code) {
    case CURLE_OK: return (int)r->got.status;
    case CURLE_URL_MALFORMAT: case CURLE_BAD_FUNCTION_ARGUMENT: return AX_EINVAL;
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is not HTTP; or the URL */
        return sent && !r->got.status ? AX_EPROTO : AX_EINVAL;
    case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY: return AX_EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT: return sys ? -(int)sys : AX_ECONNREFUSED;
    case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: case CURLE_GOT_NOTHING: case CURLE_PARTIAL_FILE: return AX_ECONNRESET;
    case CURLE_OUT_OF_MEMORY: return AX_ENOMEM;
    case CURLE_OPERATION_TIMEDOUT: return AX_ETIMEDOUT;
    case CURLE_TOO_MANY_REDIRECTS: return -ELOOP;
    case CURLE_WEIRD_SERVER_REPLY: case CURLE_BAD_CONTENT_ENCODING: return AX_EPROTO;
    case CURLE_SSL_CONNECT_ERROR: case CURLE_PEER_FAILED_VERIFICATION: return AX_EPROTO;
    default: return AX_EIO;
    }
}

/* Hands the result over and queues the task; it does not run inside. */
static inline void axi_curl_finish(struct axi_curl_request *r, CURLcode code) {
    int status;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &r->got.status);
    status = axi_curl_status(r, code);
    axi_curl_remove(r);
    r->got.code = (int)code;
    if (r->fault == AX_EOVERFLOW) strcpy(r->got.message, "the answer is larger than the limit");
    else if (code && !r->got.message[0]) strncat(r->got.message, curl_easy_strerror(code), sizeof r->got.message - 1);
    else if (!code) r->got.message[0] = 0;
    *r->out = r->got;
    r->got.body = r->got.headers = NULL;
    ax_wake(r->task, status);
    axi_curl_request_free(r);
}

/* libcurl's state is unknown after an error of the multi interface: everything ends, the next request begins anew. */
static inline void axi_curl_reset(ax_curl *c, int fault) {
    CURLM *multi = c->multi;
    while (c->requests) {
        c->requests->fault = fault;
        axi_curl_finish(c->requests, CURLE_OK);
    }
    curl_multi_cleanup(multi); /* may call back */
    c->multi = NULL;
    while (c->sockets) axi_curl_socket_drop(c->sockets);
    ax_timer_stop(&c->timer);
    ax_callback_stop(&c->soon);
}

static inline void axi_curl_act(ax_curl *c, curl_socket_t fd, int bits) {
    struct axi_curl_request *r, *next;
    CURLMsg *m;
    int left;
    CURLMcode rc = curl_multi_socket_action(c->multi, fd, bits, &left);
    if (rc != CURLM_OK && rc != CURLM_BAD_SOCKET) {
        axi_curl_reset(c, AX_EIO);
        return;
    }
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) { /* always all of them: nothing else tells of an end */
        CURLcode code = m->data.result;
        char *request = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &request);
        axi_curl_finish((struct axi_curl_request *)(void *)request, code); /* the message dies here */
    }
    if (!c->faults) return;
    c->faults = 0;
    for (r = c->requests; r; r = next) {
        next = r->next;
        if (r->fault) axi_curl_finish(r, CURLE_OUT_OF_MEMORY);
    }
}

static inline void axi_curl_on_soon(ax_loop *loop, void *curl) {
    (void)loop;
    axi_curl_act((ax_curl *)curl, CURL_SOCKET_TIMEOUT, 0);
}

static inline void axi_curl_on_ready(ax_loop *loop, unsigned events, void *socket) {
    struct axi_curl_socket *s = (struct axi_curl_socket *)socket;
    int bits = (events & (AX_IN | AX_PRI | AX_HUP) ? CURL_CSELECT_IN : 0) | (events & AX_OUT ? CURL_CSELECT_OUT : 0) |
               (events & (AX_ERR | AX_NVAL) ? CURL_CSELECT_ERR : 0);
    (void)loop;
    if (events & AX_NVAL) ax_watch_set(&s->watch, 0); /* closed under us: poll() would report it for ever */
    axi_curl_act(s->curl, s->watch.fd, bits);         /* s may be gone now */
}

/* ---- requests ---- */

static inline int axi_curl_method(CURL *e, const struct ax_http *http) {
    const char *body = http->text ? http->text : (const char *)http->body;
    const char *method = http->method ? http->method : body ? "POST" : "GET";
    const int is_post = !strcmp(method, "POST");
    if (!method[0] || method[strcspn(method, " \t\r\n")]) return AX_EINVAL; /* it would write lines of its own */
    if (body || is_post) {
        const size_t size = http->text ? strlen(http->text) : body ? http->body_size : 0;
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, body ? body : "");
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    }
    if (!strcmp(method, "HEAD")) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        return body ? AX_EINVAL : 0;
    }
    if (is_post || (!body && !strcmp(method, "GET"))) return 0;
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L); /* it would repeat the method, whatever the answer says */
    return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method) ? AX_ENOMEM : 0;
}

static inline int axi_curl_options(struct axi_curl_request *r, const struct ax_http *http) {
    CURL *e = r->easy;
    CURLcode rc;
    const char *const *headers = http->headers;
    for (; headers && *headers; headers++) {
        struct curl_slist *more = curl_slist_append(r->headers, *headers);
        if (!more) return AX_ENOMEM;
        r->headers = more;
    }
    if ((rc = curl_easy_setopt(e, CURLOPT_URL, http->url)) != CURLE_OK) return rc == CURLE_OUT_OF_MEMORY ? AX_ENOMEM : AX_EINVAL;
    curl_easy_setopt(e, CURLOPT_PRIVATE, (char *)(void *)r);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->got.message);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, axi_curl_on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, (void *)r);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, axi_curl_on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, (void *)r);
    if (r->headers) curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* multiplexed transfers stall in 7.88 */
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "asyncx/" ASYNCX_VERSION);
    return axi_curl_method(e, http);
}

static inline int axi_curl_multi(ax_curl *c) {
    if (!c->multi) {
        if (!(c->multi = curl_multi_init())) return AX_ENOMEM;
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, axi_curl_on_socket);
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, (void *)c);
        curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, axi_curl_on_timer);
        curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, (void *)c);
    }
    return 0;
}

/* The wait is cancelled: no callback of libcurl can be on the stack, since they wake and cancel nobody. */
static inline int axi_curl_forget(ax_task *task, void *request) {
    struct axi_curl_request *r = (struct axi_curl_request *)request;
    (void)task;
    axi_curl_remove(r);
    axi_curl_request_free(r);
    return 0;
}

static inline ax_op axi_curl_perform(ax_task *me, const struct ax_http *http) {
    ax_curl *c = http->curl;
    struct axi_curl_request *r;
    int rc;
    ax_http_free(http->out);
    if (!c->loop || c->loop != me->loop) return ax_done(AX_EPERM);
    if ((rc = axi_curl_multi(c)) < 0) return ax_done(rc);
    if (!(r = (struct axi_curl_request *)calloc(1, sizeof *r))) return ax_done(AX_ENOMEM);
    r->curl = c;
    r->task = me;
    r->out = http->out;
    r->max_body = http->max_body ? http->max_body : AX_HTTP_MAX_BODY;
    r->easy = curl_easy_init();
    rc = r->easy ? axi_curl_options(r, http) : AX_ENOMEM;
    if (rc >= 0 && http->setup) rc = http->setup(r->easy, http->setup_arg);
    if (rc >= 0 && curl_multi_add_handle(c->multi, r->easy)) rc = AX_ENOMEM; /* starts nothing yet, only asks for the timer */
    if (rc < 0) {
        axi_curl_request_free(r);
        return ax_done(rc);
    }
    if ((r->next = c->requests) != NULL) r->next->at = &r->next;
    r->at = &c->requests;
    c->requests = r;
    return ax_park(me, axi_curl_forget, r);
}

AX_ASYNC(ax_http) {
    AX_BEGIN;
    AX_AWAIT(axi_curl_perform(me, my));
    AX_RETURN(me->rc);
    AX_END;
}

static inline int ax_curl_open(ax_curl *c, ax_loop *loop) {
    struct sigaction act;
    int rc;
    if (c->loop) return AX_EBUSY;
    memset(c, 0, sizeof *c);
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) return AX_ENOMEM;
    if (!sigaction(SIGPIPE, NULL, &act) && act.sa_handler == SIG_DFL) {
        act.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &act, NULL);
    }
    c->loop = loop;
    ax_timer_unref(&c->timer);
    if ((rc = axi_curl_multi(c)) < 0) ax_curl_close(c);
    return rc;
}

static inline void ax_curl_close(void *curl) {
    ax_curl *c = (ax_curl *)curl;
    if (!c->loop) return;
    if (c->multi) axi_curl_reset(c, AX_EPIPE);
    c->loop = NULL;
    curl_global_cleanup();
}

static inline void ax_http_free(void *response) {
    ax_response *r = (ax_response *)response;
    free(r->body);
    free(r->headers);
    memset(r, 0, sizeof *r);
}

static inline const char *ax_http_header(const ax_response *r, const char *name, size_t *size) {
    const char *line = r->headers, *end;
    size_t n = strlen(name);
    for (; line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if ((size_t)(end - line) <= n || strncasecmp(line, name, n) || line[n] != ':') continue;
        for (line += n + 1; *line == ' ' || *line == '\t'; line++) {}
        while (end > line && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t' || *end == '\0')) end--;
        *size = (size_t)(end - line);
        return line;
    }
    return NULL;
}

#endif

/* Licence: MIT-0, as asyncx.h. */
