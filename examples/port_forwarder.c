/* Forwards TCP connections to another host and port: both directions at the same time, each of which may end before the other.

     port_forwarder [--host H] [--port N] [--max-clients N] [--connect S] [--idle S] [--grace S] HOST:PORT

   An end of the stream is handed on as one (a half close): `printf 'question' | nc` gets its answer through it, too. Ctrl-C or
   SIGTERM: nobody new is accepted, connections may end by themselves, and are cut off after the grace time. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"
#include <sys/socket.h>

static struct { const char *host, *to; int port, to_port, max_clients; double connect, idle, grace; } options =
    {"127.0.0.1", NULL, 0, 0, 100, 10, 300, 5};

struct forwarder { ax_frame frame; int fd, served, cut_off; };

struct connection {
    ax_frame frame;
    struct forwarder *forwarder;
    int near, far;
    ax_addr peer;
    ax_timeout idle;
    ax_group both;
};

struct pump { ax_frame frame; struct connection *c; int from, to; char buffer[16384]; };
AX_ASYNC(pump) {
    AX_BEGIN;
    AX_WHILE(ax_read(me, my->from, my->buffer, sizeof my->buffer)) {
        /* one limit for both: a download says nothing in the other direction for as long as it takes */
        ax_timeout_reschedule(&my->c->idle, ax_after(me->loop, AX_SEC(options.idle)));
        AX_AWAIT(ax_write_all(me, my->to, my->buffer, (size_t)me->rc));
    }
    shutdown(my->to, SHUT_WR);
    AX_END;
}

AX_ASYNC(connection) {
    char text[AX_ADDR_TEXT];
    AX_BEGIN;
    AX_TRY(AX_WITHIN(AX_SEC(options.connect), ax_tcp_connect(me, options.to, options.to_port)));
    if ((my->far = me->rc) < 0) {
        complain("%s:%d: %s", options.to, options.to_port, ax_strerror(me->rc));
        AX_RETURN(0);
    }
    ax_timeout_open(me, &my->idle, AX_SEC(options.idle));
    ax_group_open(me, &my->both, 0); /* an error of one ends the other */
    AX_SPAWN(&my->both, pump, .c = my, .from = my->near, .to = my->far);
    AX_SPAWN(&my->both, pump, .c = my, .from = my->far, .to = my->near);
    AX_AWAIT(ax_group_join(me, &my->both));
    AX_FINALLY:
    my->forwarder->served++;
    if (ax_leaving(me) == AX_ECANCELED) my->forwarder->cut_off++;
    else if (ax_leaving(me) < 0) complain("%s: %s", ax_addr_text(&my->peer, text, sizeof text), ax_strerror(ax_leaving(me)));
    if (my->far > 0) ax_close(me->loop, my->far);
    AX_END;
}

static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *forwarder) { /* ax_server closes it */
    return AX_CALL(connection, .forwarder = forwarder, .near = fd, .peer = *peer);
}

AX_ASYNC(forwarder) {
    char text[AX_ADDR_TEXT];
    ax_addr local;
    AX_BEGIN;
    if ((my->fd = ax_tcp_listen(options.host, options.port, 0)) < 0) {
        complain("%s:%d: %s", options.host, options.port, ax_strerror(my->fd));
        AX_RETURN(1);
    }
    ax_addr_local(my->fd, &local);
    printf("listening on %s\n", ax_addr_text(&local, text, sizeof text));
    /* when all places are taken, clients wait in the system's queue; Ctrl-C or SIGTERM cancels this task */
    AX_AWAIT(AX_CALL(ax_server, .fd = my->fd, .serve = serve, .arg = my, .max_clients = options.max_clients,
                     .grace = AX_SEC(options.grace)));
    AX_FINALLY:
    if (my->fd > 0) printf("%d connections, %d cut off\n", my->served, my->cut_off);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--host", ARG_TEXT, &options.host, 0, 0, "the address to listen on"},
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "the port; 0: any that is free"},
        {"--max-clients", ARG_NUMBER, &options.max_clients, 1, 100000, "so many at a time; more have to wait"},
        {"--connect", ARG_SECONDS, &options.connect, 0, 3600, "what a connection to HOST may take"},
        {"--idle", ARG_SECONDS, &options.idle, 0, 86400, "after so long without a byte it ends"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "what connections get to finish at the end"},
    };
    int status;
    char *to = argv[ARGS_READ(argc, argv, "[OPTION]... HOST:PORT", args, 1, 1)], *port = args_host(to, &options.to);
    if (!port || (options.to_port = args_number(port, 65535)) < 1) args_wrong("where to? not to ", port ? port : to, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = AX_RUN(forwarder);
    return ax_exit(status == AX_EINTR ? 0 : status); /* Ctrl-C and SIGTERM are how it ends */
}
