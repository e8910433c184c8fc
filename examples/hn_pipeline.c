/* Fetches the top stories of Hacker News, many at a time, and stores them in an SQLite database.

     hn_pipeline [--base URL] [--count N] [--concurrency K] [--timeout S] [--retries N] [--db FILE] [--sequential] [--quiet]

   Every story is a task of its own: it takes a slot, fetches with a time limit and retries, and is stored as soon as it has
   come. A story that fails is counted and disturbs nobody. Ctrl-C stops the fetching; what has come is stored and reported.

   Exit code: 0 all is stored, 1 an error that ended the run, 2 wrong usage, 3 some stories failed, 130 Ctrl-C. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include "asyncx_curl.h"
#include "asyncx_sqlite.h"
#include "args.h"
#include <unistd.h>

static struct { const char *base, *db; int count, concurrency, retries, quiet; double timeout; } options =
    {"https://hacker-news.firebaseio.com", "hn.db", 100, 20, 3, 0, 10};

enum { REASONS = 12 };
struct reason { char text[48]; int count; };

struct pipeline {
    ax_frame frame;
    ax_curl curl;
    ax_sql db;
    ax_sem slots; /* so many requests at a time */
    ax_group background, stories;
    ax_sql_rows ids;
    int i, fetched, stored, missing, failed;
    struct reason reasons[REASONS];
    ax_time start;
};

/* ---- words ---- */

static void blame(const char *what, const char *why, const char *detail) {
    if (*detail) complain("%s: %s (%s)", what, why, detail);
    else complain("%s: %s", what, why);
}

/* Why a request failed: its await gave an HTTP status or an error. */
static const char *why(int rc, char *text, size_t size) {
    if (rc >= 0) snprintf(text, size, "HTTP %d", rc);
    else if (rc == AX_EHOSTUNREACH) snprintf(text, size, "no such host");
    else snprintf(text, size, "%s", ax_strerror(rc));
    return text;
}

static void note_failure(struct pipeline *p, const char *text) {
    struct reason *r = p->reasons;
    while (r->count && strcmp(r->text, text) && r < p->reasons + REASONS - 1) r++; /* the last one takes all the rest */
    if (!r->count) snprintf(r->text, sizeof r->text, "%s", r < p->reasons + REASONS - 1 ? text : "other reasons");
    r->count++;
    p->failed++;
}

static void print_line(const char *s) { /* a title may hold anything, but must not steer the terminal */
    for (; s && *s; s++) putchar((unsigned char)*s < 32 || *s == 127 ? ' ' : *s);
    putchar('\n');
}

/* ---- fetching ---- */

/* What may be gone at the next try: a broken connection, too many requests, a server in trouble. */
static int is_passing(int rc) {
    if (rc >= 0) return rc == 429 || rc >= 500;
    return rc != AX_EINVAL && rc != AX_ENOMEM && rc != AX_EOVERFLOW && rc != AX_EPROTO && rc != -ELOOP;
}

/* Gets a URL, if need be several times: the HTTP status or the error of the last attempt. */
struct get { ax_frame frame; struct pipeline *p; const char *url; ax_response *out; ax_backoff backoff; };
AX_ASYNC(get) {
    struct pipeline *p = my->p;
    AX_BEGIN;
    my->backoff.base = AX_MS(100);
    my->backoff.cap = AX_SEC(6);
    for (;;) {
        AX_TRY(AX_WITHIN(AX_SEC(options.timeout), AX_CALL(ax_http, .curl = &p->curl, .url = my->url, .out = my->out)));
        if (my->backoff.tries == options.retries || !is_passing(me->rc)) AX_RETURN(me->rc);
        AX_AWAIT(ax_sleep(me, ax_backoff_next(&my->backoff)));
    }
    AX_END;
}

/* ---- one story ---- */

/* The JSON goes into the table as it came: SQLite takes it apart. `null`, a story that does not exist, inserts nothing. */
static const char *const insert_story =
    "INSERT OR REPLACE INTO story(id, title, score, by, time, url) "
    "SELECT json_extract(?1, '$.id'), json_extract(?1, '$.title'), coalesce(json_extract(?1, '$.score'), 0),"
    " json_extract(?1, '$.by'), json_extract(?1, '$.time'), json_extract(?1, '$.url') "
    "WHERE json_type(?1) = 'object' AND json_extract(?1, '$.title') IS NOT NULL";

struct story {
    ax_frame frame;
    struct pipeline *p;
    int64_t id;
    ax_permit slot;
    ax_response response;
    ax_sql_rows stored;
    char url[512];
};
AX_ASYNC(story) {
    struct pipeline *p = my->p;
    char text[48];
    AX_BEGIN;
    snprintf(my->url, sizeof my->url, "%s/v0/item/%lld.json", options.base, (long long)my->id);
    AX_AWAIT(ax_sem_enter(me, &p->slots, &my->slot));
    AX_TRY(AX_CALL(get, .p = p, .url = my->url, .out = &my->response));
    if (me->rc != 200) {
        note_failure(p, why(me->rc, text, sizeof text));
        AX_RETURN(0);
    }
    p->fetched++;
    ax_sem_leave(&my->slot);
    AX_TRY(ax_sql_run_shielded(me, &p->db, &my->stored, insert_story, AX_SQL(ax_sql_text_n(my->response.body, my->response.size))));
    if (me->rc > 0) p->stored++;
    else if (me->rc == 0) p->missing++;
    else note_failure(p, *my->stored.message ? my->stored.message : ax_strerror(me->rc));
    AX_FINALLY:
    ax_http_free(&my->response);
    ax_sql_free(&my->stored);
    AX_END;
}

/* ---- before, beside and after them ---- */

struct open_database { ax_frame frame; struct pipeline *p; };
AX_ASYNC(open_database) {
    ax_sql *db = &my->p->db;
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, db, options.db, 0));
    AX_AWAIT(ax_sql_exec(me, db, "CREATE TABLE IF NOT EXISTS story(id INTEGER PRIMARY KEY, title TEXT NOT NULL,"
                                 " score INTEGER NOT NULL, by TEXT, time INTEGER, url TEXT)"));
    AX_END;
}

/* The ids of the top stories, into p->ids: 0, or 1 after a complaint. */
struct list_ids { ax_frame frame; struct pipeline *p; ax_response response; char url[512]; };
AX_ASYNC(list_ids) {
    struct pipeline *p = my->p;
    char text[48];
    AX_BEGIN;
    snprintf(my->url, sizeof my->url, "%s/v0/topstories.json", options.base);
    AX_TRY(AX_CALL(get, .p = p, .url = my->url, .out = &my->response));
    if (me->rc != 200) {
        blame(my->url, why(me->rc, text, sizeof text), my->response.message);
        AX_RETURN(1);
    }
    AX_TRY(ax_sql_run(me, &p->db, &p->ids, "SELECT value FROM json_each(?1) WHERE type = 'integer' LIMIT ?2",
                      AX_SQL(ax_sql_text_n(my->response.body, my->response.size), ax_sql_int(options.count))));
    if (me->rc <= 0) {
        blame(my->url, me->rc < 0 ? p->ids.message : "there are no ids of stories in the answer", "");
        AX_RETURN(1);
    }
    AX_FINALLY:
    ax_http_free(&my->response);
    AX_END;
}

/* Runs in the background: one line that changes on a terminal, else a line a second. */
struct progress { ax_frame frame; struct pipeline *p; int terminal; };
AX_ASYNC(progress) {
    struct pipeline *p = my->p;
    AX_BEGIN;
    my->terminal = isatty(STDERR_FILENO);
    for (;;) {
        AX_AWAIT(ax_sleep(me, my->terminal ? AX_MS(100) : AX_SEC(1)));
        fprintf(stderr, "%s%d of %d fetched, %d failed%s", my->terminal ? "\r" : "", p->fetched, p->ids.count, p->failed,
                my->terminal ? "" : "\n");
    }
    AX_FINALLY:
    if (my->terminal) fputs("\r\033[K", stderr);
    AX_END;
}

struct report { ax_frame frame; struct pipeline *p; ax_sql_rows top; };
AX_ASYNC(report) {
    struct pipeline *p = my->p;
    int i;
    AX_BEGIN;
    printf("fetched %d, failed %d, stored %d in %.3f s\n", p->fetched, p->failed, p->stored,
           (double)(ax_now(me->loop) - p->start) / 1e9);
    if (p->missing) printf("  %d x not a story\n", p->missing);
    for (i = 0; i < REASONS && p->reasons[i].count; i++) printf("  %d x %s\n", p->reasons[i].count, p->reasons[i].text);
    AX_AWAIT(ax_sql_run(me, &p->db, &my->top, "SELECT score, title FROM story ORDER BY score DESC, id LIMIT 5", AX_SQL_NONE));
    for (i = 0; i < my->top.count; i++) {
        printf("%6lld  ", (long long)ax_sql_get_int(&my->top, i, 0));
        print_line(ax_sql_get_text(&my->top, i, 1));
    }
    AX_FINALLY:
    ax_sql_free(&my->top);
    AX_END;
}

AX_ASYNC(pipeline) {
    AX_BEGIN;
    my->start = ax_now(me->loop);
    ax_sem_init(&my->slots, options.concurrency, 0);

    AX_TRY(AX_CALL(open_database, .p = my));
    if (me->rc < 0) {
        blame(options.db, ax_strerror(me->rc), my->db.message);
        AX_RETURN(1);
    }
    AX_CHECK(ax_curl_open(&my->curl, me->loop));
    AX_AWAIT(AX_CALL(list_ids, .p = my));
    if (me->rc > 0) AX_RETURN(me->rc);

    ax_group_open(me, &my->background, AX_GROUP_BACKGROUND);
    if (!options.quiet) AX_SPAWN(&my->background, progress, .p = my);
    ax_group_open(me, &my->stories, AX_GROUP_COLLECT);
    for (my->i = 0; my->i < my->ids.count; my->i++)
        AX_SPAWN(&my->stories, story, .p = my, .id = ax_sql_get_int(&my->ids, my->i, 0));
    AX_AWAIT(ax_group_join(me, &my->stories));

    my->failed += me->rc; /* none, unless memory ran out */
    AX_RETURN(my->failed ? my->stored ? 3 : 1 : 0);

    AX_FINALLY: /* also after Ctrl-C, when the tasks above have ended */
    if (my->i && !options.quiet) AX_AWAIT(AX_CALL(report, .p = my));
    if (my->i && me->rc < 0) blame(options.db, ax_strerror(me->rc), my->db.message);
    ax_sql_free(&my->ids);
    ax_curl_close(&my->curl);
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

int main(int argc, char **argv) {
    static int sequential;
    static const struct arg args[] = {
        {"--base", ARG_TEXT, &options.base, 0, 0, "the server"},
        {"--count", ARG_NUMBER, &options.count, 1, 10000, "so many stories"},
        {"--concurrency", ARG_NUMBER, &options.concurrency, 1, 10000, "so many requests at a time"},
        {"--sequential", ARG_FLAG, &sequential, 0, 0, "one request at a time"},
        {"--timeout", ARG_SECONDS, &options.timeout, 0, 86400, "for each request"},
        {"--retries", ARG_NUMBER, &options.retries, 0, 10000, "after the first attempt"},
        {"--db", ARG_TEXT, &options.db, 0, 0, "the database"},
        {"--quiet", ARG_FLAG, &options.quiet, 0, 0, "only errors"},
    };
    ARGS_READ(argc, argv, "[OPTION]...", args, 0, 0);
    if (strlen(options.base) > 400) args_wrong("--base: too long", "", "");
    if (sequential) options.concurrency = 1;
    return ax_exit(AX_RUN(pipeline));
}
