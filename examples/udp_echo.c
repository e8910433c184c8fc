/* Datagrams: a server that sends each back to where it came from, and a client that asks it again until it gets an answer.

     udp_echo [--host H] [--port N]                                     the server
     udp_echo --to HOST:PORT [--count N] [--tries N] [--wait S] [TEXT]    the client

   A datagram may get lost, come twice or come late: the client numbers what it sends, asks again, and passes over old answers.
   Ctrl-C or SIGTERM ends the server. The client's exit code: 0 if all was answered, else 1; 130 after Ctrl-C. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"

static struct { const char *host, *to, *to_host; int port, to_port, count, tries; double wait; } options =
    {"127.0.0.1", NULL, NULL, 7002, 0, 3, 4, 0.5};

enum { MOST = 65536 }; /* larger than any datagram: none is cut off */

struct server { ax_frame frame; int fd; long count; ax_addr from; char buffer[MOST]; };
AX_ASYNC(server) {
    char text[AX_ADDR_TEXT];
    ax_addr local;
    AX_BEGIN;
    if ((my->fd = ax_udp_open(options.host, options.port, 0)) < 0) {
        complain("%s:%d: %s", options.host, options.port, ax_strerror(my->fd));
        AX_RETURN(1);
    }
    ax_addr_local(my->fd, &local);
    printf("listening on %s\n", ax_addr_text(&local, text, sizeof text));
    for (;;) { /* not AX_WHILE: a datagram may be empty, which is no end */
        AX_AWAIT(ax_recvfrom(me, my->fd, my->buffer, sizeof my->buffer, &my->from));
        AX_TRY(ax_sendto(me, my->fd, my->buffer, (size_t)me->rc, &my->from));
        if (me->rc < 0) complain("%s: %s", ax_addr_text(&my->from, text, sizeof text), ax_strerror(me->rc));
        else my->count++;
    }
    AX_FINALLY:
    if (my->fd > 0) {
        printf("%ld datagrams\n", my->count);
        ax_close(me->loop, my->fd);
    }
    AX_END;
}

/* One question, if need be several times: 0, AX_ETIMEDOUT, or what the system says of it. */
struct ask { ax_frame frame; int fd, number, tries, size; const char *text; char out[1200], in[MOST]; };
struct answer { ax_frame frame; struct ask *ask; };
AX_ASYNC(answer) {
    struct ask *ask = my->ask;
    AX_BEGIN;
    do { /* until it is the right one */
        AX_AWAIT(ax_read(me, ask->fd, ask->in, sizeof ask->in));
    } while (me->rc != ask->size || memcmp(ask->in, ask->out, (size_t)ask->size));
    AX_RETURN(0);
    AX_END;
}
AX_ASYNC(ask) {
    AX_BEGIN;
    my->size = snprintf(my->out, sizeof my->out, "%d %s", my->number, my->text);
    while (my->tries++ < options.tries) {
        AX_AWAIT(ax_write(me, my->fd, my->out, (size_t)my->size));
        AX_TRY(AX_WITHIN(AX_SEC(options.wait), AX_CALL(answer, .ask = my)));
        if (!ax_expired(me)) AX_RETURN(me->rc);
    }
    AX_RETURN(AX_ETIMEDOUT);
    AX_END;
}

struct client { ax_frame frame; const char *text; int fd, i, failed; ax_time start; };
AX_ASYNC(client) {
    AX_BEGIN;
    my->fd = -1;
    AX_AWAIT(ax_udp_connect(me, options.to_host, options.to_port)); /* only this peer is heard, and told of if nobody listens */
    my->fd = me->rc;
    for (my->i = 1; my->i <= options.count; my->i++) {
        my->start = ax_now(me->loop);
        AX_TRY(AX_CALL(ask, .fd = my->fd, .number = my->i, .text = my->text));
        if (me->rc < 0) my->failed++, complain("%s:%d: %d: %s", options.to_host, options.to_port, my->i, ax_strerror(me->rc));
        else printf("%d: answered after %.2f ms\n", my->i, (double)ax_since(me->loop, my->start) / 1e6);
    }
    AX_RETURN(my->failed > 0);
    AX_FINALLY:
    if (ax_leaving(me) < 0 && ax_leaving(me) != AX_ECANCELED)
        complain("%s:%d: %s", options.to_host, options.to_port, ax_strerror(ax_leaving(me)));
    if (my->fd > 0) ax_close(me->loop, my->fd);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--host", ARG_TEXT, &options.host, 0, 0, "the server's address"},
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "its port; 0: any that is free"},
        {"--to", ARG_TEXT, &options.to, 0, 0, "HOST:PORT to ask: makes this a client"},
        {"--count", ARG_NUMBER, &options.count, 1, 1000000, "so many questions, one after the other"},
        {"--tries", ARG_NUMBER, &options.tries, 1, 100, "so often each is asked"},
        {"--wait", ARG_SECONDS, &options.wait, 0, 3600, "for an answer"},
    };
    int i = ARGS_READ(argc, argv, "[OPTION]... [TEXT]", args, 0, 1), rc;
    const char *text = i < argc ? argv[i] : "hello";
    char *port;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!options.to) {
        rc = AX_RUN(server);
        return ax_exit(rc == AX_EINTR ? 0 : rc); /* Ctrl-C and SIGTERM are how it ends */
    }
    port = args_host((char *)(uintptr_t)options.to, &options.to_host);
    if (!port || (options.to_port = args_number(port, 65535)) < 1) args_wrong("whom to ask? not ", port ? port : options.to, "");
    if (strlen(text) > 1000) args_wrong("too much text", "", "");
    rc = AX_RUN(client, .text = text);
    return rc < 0 && rc != AX_EINTR ? 1 : ax_exit(rc); /* errors were told */
}
