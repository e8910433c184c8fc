/* A TCP server that sends back what it gets: a task per client, limits on their number and their silence, and an orderly end.

     echo_server [--host H] [--port N] [--max-clients N] [--idle S] [--grace S]

   With --port 0 the system chooses a free port; the first line says which. Ctrl-C or SIGTERM: no more clients are accepted,
   those that are there may finish, and are cut off after the grace time. A second Ctrl-C ends the program at once. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"

static struct { const char *host; int port, max_clients; double idle, grace; } options = {"127.0.0.1", 7000, 100, 60, 5};

struct server { ax_frame frame; int fd, served, cut_off; long long bytes; };

struct client { ax_frame frame; struct server *server; int fd; char buffer[4096]; };
AX_ASYNC(client) {
    AX_BEGIN;
    for (;;) {
        AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_read(me, my->fd, my->buffer, sizeof my->buffer)));
        if (me->rc == 0) break;
        my->server->bytes += me->rc;
        /* under a limit, too: who never reads would stay here for ever */
        AX_AWAIT(AX_WITHIN(AX_SEC(options.idle), ax_write_all(me, my->fd, my->buffer, (size_t)me->rc)));
    }
    AX_END;
}

static ax_op serve(ax_task *me, int fd, const ax_addr *peer, void *server) { /* ax_server closes it */
    (void)peer;
    return AX_CALL(client, .server = server, .fd = fd);
}

static void ended(int status, const ax_addr *peer, void *arg) {
    struct server *server = arg;
    char text[AX_ADDR_TEXT];
    server->served++;
    if (status == AX_ECANCELED) server->cut_off++;
    else if (status < 0) complain("%s: %s", ax_addr_text(peer, text, sizeof text), ax_strerror(status));
}

AX_ASYNC(server) {
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
    AX_AWAIT(AX_CALL(ax_server, .fd = my->fd, .serve = serve, .ended = ended, .arg = my, .max_clients = options.max_clients,
                     .grace = AX_SEC(options.grace)));
    AX_FINALLY:
    if (my->fd > 0) printf("%d clients, %lld bytes, %d cut off\n", my->served, my->bytes, my->cut_off);
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--host", ARG_TEXT, &options.host, 0, 0, "the address to listen on"},
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "the port; 0: any that is free"},
        {"--max-clients", ARG_NUMBER, &options.max_clients, 1, 100000, "so many at a time; more have to wait"},
        {"--idle", ARG_SECONDS, &options.idle, 0, 86400, "who is silent or does not read for so long has to go"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "what clients get to finish at the end"},
    };
    int status;
    ARGS_READ(argc, argv, "[OPTION]...", args, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 0); /* who waits for the port gets it at once, through a pipe too */
    status = AX_RUN(server);
    return ax_exit(status == AX_EINTR ? 0 : status); /* Ctrl-C and SIGTERM are how it ends */
}
