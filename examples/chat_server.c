/* A chat server: rooms, names, and nobody who reads slowly holds the others up.

     chat_server [--host H] [--port N] [--max-clients N] [--backlog N] [--rate N] [--idle S] [--stall S] [--grace S]

   Talk to it with `nc` or `telnet`, a line at a time: /name NAME, /join ROOM, /who, /quit; everything else is said to the room.

   What is said is queued for each who hears it, and sent by a task of his own. When his queue is full he misses lines, and hears
   how many; when he reads nothing at all for too long he has to go. Who says too much is read more slowly. Ctrl-C or SIGTERM:
   nobody new is let in, all are told, and are cut off after the grace time. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "args.h"

static struct { const char *host; int port, max_clients, backlog, rate; double idle, stall, grace; } options =
    {"127.0.0.1", 7001, 100, 64, 10, 600, 10, 5};

enum { LINE = 500, NAME = 24 };

struct message { int readers; size_t size; char text[]; }; /* one for all who hear it */

struct server { ax_frame frame; ax_group group; struct client *clients; int fd, count, numbered; };

struct client {
    ax_frame frame;
    struct server *server;
    struct client *next;
    int fd, missed, skip;
    char name[NAME], room[NAME];
    ax_queue lines; /* of struct message *, to be sent */
    ax_limiter rate;
    ax_group sender;
    ax_reader in;
    char buffer[LINE];
};

/* ---- what is said ---- */

static void let_go(void *item, void *arg) {
    struct message *m = *(struct message **)item;
    (void)arg;
    if (--m->readers == 0) free(m);
}

/* To one client, or to all of a room, or (room NULL) to everybody. */
static void say(struct server *server, struct client *one, const char *room, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void say(struct server *server, struct client *one, const char *room, const char *format, ...) {
    struct message *m = malloc(sizeof *m + LINE + 2 * NAME);
    struct client *c;
    va_list ap;
    if (m) {
        va_start(ap, format);
        m->readers = 1;
        m->size = (size_t)vsnprintf(m->text, LINE + 2 * NAME, format, ap);
        va_end(ap);
    }
    for (c = one ? one : server->clients; c; c = one ? NULL : c->next) {
        if (!one && room && strcmp(room, c->room)) continue;
        if (m && ax_queue_try_put(&c->lines, &m) == 0) m->readers++;
        else c->missed++; /* this one only: nobody waits for him */
    }
    if (m) let_go(&m, NULL);
}

struct sender { ax_frame frame; struct client *c; struct message *message; char note[64]; };
AX_ASYNC(sender) {
    struct client *c = my->c;
    AX_BEGIN;
    AX_WHILE(ax_queue_get(me, &c->lines, &my->message)) {
        AX_AWAIT(AX_WITHIN(AX_SEC(options.stall), ax_write_all(me, c->fd, my->message->text, my->message->size)));
        let_go(&my->message, NULL);
        my->message = NULL;
        if (!c->missed || c->lines.count) continue;
        snprintf(my->note, sizeof my->note, "* you missed %d lines\n", c->missed);
        c->missed = 0;
        AX_AWAIT(AX_WITHIN(AX_SEC(options.stall), ax_write_all(me, c->fd, my->note, strlen(my->note))));
    }
    AX_FINALLY:
    if (my->message) let_go(&my->message, NULL);
    AX_END;
}

/* ---- what is heard ---- */

static int is_name(const char *s) {
    return *s && strlen(s) < NAME && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(s);
}

static int obey(struct client *c, char *line) { /* 0 if the client wants to go */
    struct server *s = c->server;
    struct client *other;
    char *p;
    for (p = line; *p; p++) if ((unsigned char)*p < 32 || *p == 127) *p = '?'; /* must not steer other people's terminals */
    if (!strcmp(line, "/quit")) return 0;
    if (!strncmp(line, "/name ", 6)) {
        for (other = s->clients; other && strcmp(other->name, line + 6); other = other->next) {}
        if (!is_name(line + 6) || other) {
            say(s, c, NULL, "* %s\n", other ? "that name is taken" : "a name has letters and digits, at most 23");
            return 1;
        }
        say(s, NULL, c->room, "* %s is now %s\n", c->name, line + 6);
        strcpy(c->name, line + 6);
    } else if (!strncmp(line, "/join ", 6)) {
        if (!is_name(line + 6)) {
            say(s, c, NULL, "* a room has letters and digits, at most 23\n");
            return 1;
        }
        say(s, NULL, c->room, "* %s leaves %s\n", c->name, c->room);
        strcpy(c->room, line + 6);
        say(s, NULL, c->room, "* %s joins %s\n", c->name, c->room);
    } else if (!strcmp(line, "/who")) {
        for (other = s->clients; other; other = other->next) say(s, c, NULL, "* %s is in %s\n", other->name, other->room);
    } else if (*line == '/') {
        say(s, c, NULL, "* /name NAME, /join ROOM, /who or /quit\n");
    } else if (*line) {
        say(s, NULL, c->room, "%s: %s\n", c->name, line);
    }
    return 1;
}

AX_ASYNC(client) {
    struct client **at;
    AX_BEGIN;
    AX_CHECK(ax_queue_init_growing(&my->lines, me->loop, (size_t)options.backlog, sizeof(struct message *)));
    ax_limiter_init(&my->rate, options.rate, AX_SEC(1), options.rate);
    ax_reader_init(&my->in, my->fd, my->buffer, sizeof my->buffer);
    snprintf(my->name, sizeof my->name, "guest%d", ++my->server->numbered % 1000000);
    strcpy(my->room, "lobby");
    my->next = my->server->clients;
    my->server->clients = my;
    ax_group_open(me, &my->sender, 0); /* when it fails, this body is left */
    AX_SPAWN(&my->sender, sender, .c = my);
    say(my->server, NULL, my->room, "* %s joins %s\n", my->name, my->room);
    for (;;) {
        AX_TRY(AX_WITHIN(AX_SEC(options.idle), ax_reader_line(me, &my->in)));
        if (me->rc == AX_EOVERFLOW) { /* what came of it is dropped, and so is the rest, which is the next line */
            my->skip = 1;
            AX_AWAIT(ax_reader_some(me, &my->in));
        } else if (me->rc <= 0) {
            break;
        } else if (my->skip) {
            my->skip = 0;
            say(my->server, my, NULL, "* at most %d bytes in a line\n", LINE - 1);
        } else if (!obey(my, my->in.data)) {
            break;
        }
        AX_AWAIT(ax_limiter_acquire(me, &my->rate, 1));
    }
    if (me->rc == AX_ETIMEDOUT) say(my->server, my, NULL, "* too long without a word\n");
    ax_queue_close(&my->lines); /* what is in it is still sent, if that does not take too long */
    AX_AWAIT(AX_WITHIN(AX_SEC(options.stall), ax_group_join(me, &my->sender)));
    AX_FINALLY:
    for (at = &my->server->clients; *at && *at != my; at = &(*at)->next) {}
    if (*at) {
        *at = my->next;
        say(my->server, NULL, my->room, "* %s is gone\n", my->name);
    }
    if (ax_leaving(me) == AX_ETIMEDOUT) complain("%s: does not read", my->name);
    else if (ax_leaving(me) == AX_ENOMEM) complain("%s: %s", my->name, ax_strerror(AX_ENOMEM)); /* to hang up is no error */
    if (my->lines.item_size) {
        ax_queue_close_now(&my->lines, let_go, NULL);
        ax_queue_free(&my->lines);
    }
    ax_close(me->loop, my->fd);
    my->server->count--;
    AX_END;
}

/* ---- the server ---- */

struct accepting { ax_frame frame; struct server *server; int refused; };
AX_ASYNC(accepting) {
    static const char full[] = "* full, come back later\n";
    struct server *s = my->server;
    AX_BEGIN;
    AX_WHILE(ax_accept(me, s->fd, NULL)) {
        if (s->count < options.max_clients && AX_SPAWN(&s->group, client, .server = s, .fd = me->rc)) {
            s->count++;
        } else {
            my->refused = me->rc;
            AX_TRY(ax_write(me, my->refused, full, sizeof full - 1)); /* does not wait: nothing was sent there before */
            ax_close(me->loop, my->refused);
        }
    }
    AX_FINALLY:
    ax_close(me->loop, s->fd);
    AX_END;
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
    ax_group_open(me, &my->group, AX_GROUP_COLLECT); /* a client's error is its own */
    AX_TRY_ALL(AX_CALL(accepting, .server = my)); /* Ctrl-C or SIGTERM cancels this task: */
    ax_uncancel(me);                              /* it was heard, and the clients may stay for a while */
    say(my, NULL, NULL, "* the server ends in %g seconds\n", options.grace);
    AX_TRY(AX_WITHIN(AX_SEC(options.grace), ax_group_join(me, &my->group)));
    AX_END;
}

int main(int argc, char **argv) {
    static const struct arg args[] = {
        {"--host", ARG_TEXT, &options.host, 0, 0, "the address to listen on"},
        {"--port", ARG_NUMBER, &options.port, 0, 65535, "the port; 0: any that is free"},
        {"--max-clients", ARG_NUMBER, &options.max_clients, 1, 100000, "so many at a time; more are refused"},
        {"--backlog", ARG_NUMBER, &options.backlog, 1, 10000, "lines that wait for a client to read"},
        {"--rate", ARG_NUMBER, &options.rate, 1, 100000, "lines a second that a client may say"},
        {"--idle", ARG_SECONDS, &options.idle, 0, 86400, "a client may be silent for so long"},
        {"--stall", ARG_SECONDS, &options.stall, 0, 3600, "a client may read nothing for so long"},
        {"--grace", ARG_SECONDS, &options.grace, 0, 3600, "what clients get to say good-bye at the end"},
    };
    ARGS_READ(argc, argv, "[OPTION]...", args, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    return ax_exit(AX_RUN(server));
}
