/* An echo server with libuv: reads into one buffer that all connections share, as large as libuv suggests, and writes with
   uv_try_write; a request of the connection's own takes what the socket does not. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct client { uv_tcp_t tcp; uv_write_t request; char *rest; };

static void has_written(uv_write_t *request, int status);

static void has_closed(uv_handle_t *h) { free(h); }

static void gives_buffer(uv_handle_t *h, size_t size, uv_buf_t *buffer) {
    static char shared[65536];
    (void)h;
    (void)size;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void has_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buffer) {
    struct client *c = (struct client *)(void *)s;
    uv_buf_t data;
    int written;
    if (n == 0) return;
    if (n < 0) {
        uv_close((uv_handle_t *)s, has_closed);
        return;
    }
    data = uv_buf_init(buffer->base, (unsigned)n);
    written = uv_try_write(s, &data, 1);
    if (written == n) return;
    if (written < 0) written = 0; /* UV_EAGAIN; an error comes again with the write */
    uv_read_stop(s);
    data.len -= (size_t)written;
    if (!(c->rest = (char *)malloc(data.len))) exit(1);
    memcpy(c->rest, data.base + written, data.len);
    data.base = c->rest;
    uv_write(&c->request, s, &data, 1, has_written);
}

static void has_written(uv_write_t *request, int status) {
    struct client *c = (struct client *)(void *)request->handle;
    free(c->rest);
    if (status < 0) uv_close((uv_handle_t *)&c->tcp, has_closed);
    else uv_read_start(request->handle, gives_buffer, has_read);
}

static void accepts(uv_stream_t *listener, int status) {
    struct client *c;
    if (status < 0) return;
    if (!(c = (struct client *)malloc(sizeof *c))) exit(1);
    uv_tcp_init(listener->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) == 0) uv_read_start((uv_stream_t *)&c->tcp, gives_buffer, has_read);
    else uv_close((uv_handle_t *)&c->tcp, has_closed);
}

int main(int argc, char **argv) {
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in a;
    uv_tcp_t listener;
    uv_ip4_addr("127.0.0.1", atoi(argv[argc - 1]), &a);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&a, 0) < 0 || uv_listen((uv_stream_t *)&listener, 1024, accepts) < 0) return 1;
    return uv_run(loop, UV_RUN_DEFAULT);
}
