/* asyncx_sqlite.h - SQLite for asyncx: the loop never waits for the disk or for a lock - MIT-0

   A connection has an executor of its own, with one thread. What one asks for is done there, in that order; the results come
   back to the loop. Include after asyncx.h, link with -lsqlite3.

     struct app { ax_frame frame; ax_sql db; ax_sql_tx tx; ax_sql_rows rows; int i; };

     AX_ASYNC(app) {
         AX_BEGIN;
         AX_AWAIT(ax_sql_open(me, &my->db, "app.db", 0));
         AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE IF NOT EXISTS user(id INTEGER PRIMARY KEY, name TEXT)"));

         AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));      // rolled back if the body is left before the commit
         AX_AWAIT(ax_sql_run(me, &my->tx.db, NULL, "INSERT INTO user(name) VALUES(?1)", AX_SQL(ax_sql_text("Ann"))));
         AX_AWAIT(ax_sql_commit(me, &my->tx));

         AX_AWAIT(ax_sql_run(me, &my->db, &my->rows, "SELECT id, name FROM user", AX_SQL_NONE));
         for (my->i = 0; my->i < my->rows.count; my->i++) puts(ax_sql_get_text(&my->rows, my->i, 1));

         AX_FINALLY:
         ax_sql_free(&my->rows);
         AX_AWAIT(ax_sql_close(me, &my->db));               // harmless if it was never opened
         AX_END;
     }

   WHAT HOLDS

     - A job owns its memory: SQL and bound values are copied when you ask, rows are handed over when it is done.
     - A cancelled wait stops the work. A job that has not begun is dropped; a running one is told and the wait ends
       once it has stopped, within milliseconds, also while it waits for another process's lock. If it was done already the
       result stands and the cancel is met at the next wait, as everywhere in asyncx. sqlite3_interrupt is not used:
       it could hit a neighbour's statement.
     - A COMMIT, a rollback, a close and ax_sql_run_shielded are carried out even if the task is or has been cancelled.
     - A transaction belongs to one task: other tasks' statements wait until it has ended. A statement that is cancelled
       while it writes takes its whole transaction back (SQLite's rule): the commit then fails with AX_EPERM.
     - Errors are statuses: AX_EBUSY (locked for longer than 5 s; at once if a transaction that has read wants to write, and
       another has written since: roll it back, or begin it with ax_sql_begin), AX_EINVAL (an error in the SQL), AX_EEXIST (a
       constraint), AX_EROFS, AX_ENOSPC, an errno of the system. SQLite's own code and text are in the handle and in the rows.
     - A connection that is open and idle does not keep the loop running. One that nobody closed is closed with its loop.

   LIMITS  A query's rows come all at once, at most AX_SQL_MAX_BYTES. A single function of SQL is not interrupted: instr() or
   replace() of megabytes may take seconds. Don't use a connection across fork(). */

#ifndef ASYNCX_SQLITE_H
#define ASYNCX_SQLITE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __cplusplus
#include <initializer_list>
#endif
#ifndef CLOCK_MONOTONIC
#error "asyncx_sqlite.h: define _POSIX_C_SOURCE as 200809L before the first #include"
#endif

#ifndef AX_SQL_MAX_BYTES
#define AX_SQL_MAX_BYTES (64u << 20) /* of one result, and of any value; more is AX_EOVERFLOW */
#endif
#ifndef AX_SQL_STATEMENTS
#define AX_SQL_STATEMENTS 32 /* prepared statements that a connection keeps, by their text */
#endif
#ifndef AX_SQL_BUSY
#define AX_SQL_BUSY 5000 /* ms to wait for other connections' locks */
#endif

/* ---- values and rows ---- */

typedef struct ax_sql_value {
    int type; /* SQLITE_NULL, SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT or SQLITE_BLOB */
    int64_t integer;
    double real;
    const void *data; /* text is followed by a zero byte */
    size_t size;
} ax_sql_value;

/* A result. Zeroed before its first use; each statement begins by freeing what is in it. ax_sql_free fits ax_defer. */
typedef struct ax_sql_rows {
    int count, columns;
    int changes;     /* rows that the statement inserted, updated or deleted */
    int64_t last_id; /* the last inserted row */
    int code;        /* SQLite's extended code, 0 for success, and its text */
    char message[160];
    ax_sql_value *values; /* row by row */
    char *bytes;
} ax_sql_rows;

static inline void ax_sql_free(void *rows_) {
    ax_sql_rows *rows = (ax_sql_rows *)rows_;
    free(rows->values);
    free(rows->bytes);
    memset(rows, 0, sizeof *rows);
}
static inline const ax_sql_value *ax_sql_get(const ax_sql_rows *rows, int row, int column) {
    static const ax_sql_value none = {SQLITE_NULL, 0, 0, NULL, 0};
    if (row < 0 || row >= rows->count || column < 0 || column >= rows->columns) return &none;
    return &rows->values[(size_t)row * (size_t)rows->columns + (size_t)column];
}
static inline int64_t ax_sql_get_int(const ax_sql_rows *rows, int row, int column) {
    return ax_sql_get(rows, row, column)->integer;
}
static inline double ax_sql_get_real(const ax_sql_rows *rows, int row, int column) { return ax_sql_get(rows, row, column)->real; }
/* NULL if it is neither text nor a blob. */
static inline const char *ax_sql_get_text(const ax_sql_rows *rows, int row, int column) {
    return (const char *)ax_sql_get(rows, row, column)->data;
}

static inline ax_sql_value axi_sql_value(int type, int64_t integer, double real, const void *data, size_t size) {
    ax_sql_value v;
    v.type = type;
    v.integer = integer;
    v.real = real;
    v.data = data;
    v.size = size;
    return v;
}
static inline ax_sql_value ax_sql_null(void) { return axi_sql_value(SQLITE_NULL, 0, 0, NULL, 0); }
static inline ax_sql_value ax_sql_int(int64_t i) { return axi_sql_value(SQLITE_INTEGER, i, 0, NULL, 0); }
static inline ax_sql_value ax_sql_real(double d) { return axi_sql_value(SQLITE_FLOAT, 0, d, NULL, 0); }
static inline ax_sql_value ax_sql_text_n(const char *s, size_t n) {
    return axi_sql_value(s ? SQLITE_TEXT : SQLITE_NULL, 0, 0, s, s ? n : 0);
}
static inline ax_sql_value ax_sql_text(const char *s) { return ax_sql_text_n(s, s ? strlen(s) : 0); }
static inline ax_sql_value ax_sql_blob(const void *p, size_t n) { return axi_sql_value(SQLITE_BLOB, 0, 0, p, n); }

/* The values for ?1, ?2 and so on: AX_SQL(ax_sql_int(1), ax_sql_text(name)), or AX_SQL_NONE. */
#ifdef __cplusplus
template <class... V> struct axi_sql_values { enum { count = sizeof...(V) }; };
template <class... V> axi_sql_values<V...> axi_sql_count(V...);
#define AX_SQL(...) decltype(axi_sql_count(__VA_ARGS__))::count, std::initializer_list<ax_sql_value>{__VA_ARGS__}.begin()
#else
#define AX_SQL(...) ((int)(sizeof((ax_sql_value[]){__VA_ARGS__}) / sizeof(ax_sql_value))), ((const ax_sql_value[]){__VA_ARGS__})
#endif
#define AX_SQL_NONE 0, NULL

/* ---- connections ---- */

struct axi_sql;

typedef struct ax_sql {
    int code; /* public, read-only: SQLite's extended code of the last failure through this handle, and its text */
    char message[160];
    struct axi_sql *conn; /* NULL: not open */
    unsigned tx;
} ax_sql;

typedef struct ax_sql_tx {
    ax_sql db; /* the connection as its owner sees it: &tx.db in ax_sql_run and the others */
    ax_deferred scope;
} ax_sql_tx;

enum {
    AX_SQL_READONLY = 1, /* neither create nor write */
    AX_SQL_PLAIN = 2     /* none of: journal_mode=WAL, synchronous=NORMAL, foreign_keys=ON */
};

/* Opens the database on a new thread. The handle must outlive what is asked of it. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_open(ax_task *me, ax_sql *db, const char *path, unsigned flags);
/* Runs a script of statements whose rows don't matter. A transaction that it leaves open after an error is rolled back. 0.
   May suspend. */
static inline AX_MUST_USE ax_op ax_sql_exec(ax_task *me, ax_sql *db, const char *script);
/* Runs one statement: the number of its rows or, if it has no columns, of the rows that it changed. out may be NULL.
   May suspend. */
static inline AX_MUST_USE ax_op ax_sql_run(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count,
                                           const ax_sql_value *values);
/* The same for work that must not be lost: it is carried out even if the task is or has been cancelled. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_run_shielded(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count,
                                                    const ax_sql_value *values);
/* BEGIN IMMEDIATE, once no other transaction of this connection is open. A scope: when the frame is left without a commit,
   the rollback is queued before anybody else's next statement. AX_EDEADLK inside one's own. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_begin(ax_task *me, ax_sql *db, ax_sql_tx *tx);
/* AX_EPERM if the transaction is not open or was rolled back under way; it can still be rolled back. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_commit(ax_task *me, ax_sql_tx *tx);
static inline AX_MUST_USE ax_op ax_sql_rollback(ax_task *me, ax_sql_tx *tx); /* 0. May suspend. */
/* Jobs that have begun or wait end with AX_EPIPE, except shielded ones, which are carried out; then the thread is joined. 0.
   May suspend. */
static inline AX_MUST_USE ax_op ax_sql_close(ax_task *me, ax_sql *db);

/* ---- private from here ---- */

/* From AXI_SQL_RUN_SHIELDED on a job is carried out whatever happens to who asked for it. */
enum {
    AXI_SQL_OPEN, AXI_SQL_SCRIPT, AXI_SQL_RUN, AXI_SQL_BEGIN, AXI_SQL_RUN_SHIELDED, AXI_SQL_COMMIT, AXI_SQL_ROLLBACK, AXI_SQL_CLOSE
};

/* One thing to do. It is the loop's, then the worker's while the executor runs it, then the loop's again; only `cancel` is seen
   by both sides at the same time. */
struct axi_sql_job {
    struct axi_sql *conn;
    int kind, bind_count;
    int wants_rows; /* or else only their number */
    int cancel;     /* atomic: to stop */
    unsigned tx;
    char *sql; /* the values and the texts follow the struct */
    ax_sql_value *binds;
    int status;
    ax_sql_rows rows;
    size_t value_cap, byte_count, byte_cap;
};

struct axi_sql_statement {
    sqlite3_stmt *stmt;
    char *sql;
    unsigned used;
};

struct axi_sql {
    ax_executor executor; /* the worker: one thread, first come, first served */
    ax_sem gate;          /* an open transaction holds it; what is not part of it passes through */
    ax_loop *loop;
    ax_callback closer;
    int refs; /* the handle, each job, each scope of a transaction */
    int open, closing; /* closing is atomic: the worker looks at it */
    unsigned flags, next_tx, owned; /* owned: the transaction that holds the gate */
    ax_task *owner;
    sqlite3 *db; /* the worker's from here */
    struct axi_sql_job *running;
    unsigned tx, uses;
    int tx_lost;
    int64_t busy_since;
    struct axi_sql_statement cache[AX_SQL_STATEMENTS];
};

static inline void axi_sql_unref(struct axi_sql *c) {
    if (--c->refs == 0) free(c);
}

static inline int axi_sql_is_shielded(const struct axi_sql_job *job) { return job->kind >= AXI_SQL_RUN_SHIELDED; }

/* ---- on the worker ---- */

static inline int axi_sql_status(sqlite3 *db, int code) {
    int sys = db ? sqlite3_system_errno(db) : 0;
    switch (code & 255) {
    case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE: return 0;
    case SQLITE_BUSY: case SQLITE_LOCKED: return AX_EBUSY;
    case SQLITE_NOMEM: return AX_ENOMEM;
    case SQLITE_INTERRUPT: return AX_ECANCELED;
    case SQLITE_TOOBIG: return AX_EOVERFLOW;
    case SQLITE_CONSTRAINT: return AX_EEXIST;
    case SQLITE_READONLY: return AX_EROFS;
    case SQLITE_PERM: case SQLITE_AUTH: return AX_EACCES;
    case SQLITE_FULL: return AX_ENOSPC;
    case SQLITE_CANTOPEN: return sys ? -sys : AX_ENOENT;
    case SQLITE_IOERR: return sys ? -sys : AX_EIO;
    case SQLITE_CORRUPT: case SQLITE_NOTADB: return AX_EIO;
    default: return AX_EINVAL;
    }
}

static inline void axi_sql_fail(struct axi_sql_job *job, int status, int code, const char *text) {
    job->status = status;
    job->rows.code = code;
    snprintf(job->rows.message, sizeof job->rows.message, "%s", text);
}
static inline void axi_sql_failed(struct axi_sql_job *job, int code) { /* errmsg dies with the next call: copied now */
    sqlite3 *db = job->conn->db;
    int extended = db ? sqlite3_extended_errcode(db) : code;
    if ((extended & 255) != (code & 255)) extended = code;
    axi_sql_fail(job, axi_sql_status(db, code), extended,
                 db && extended != SQLITE_MISUSE ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

/* What the running job is to end with if it does not succeed: it is told by its flag, or all are told by the connection's. */
static inline int axi_sql_cancelled(struct axi_sql *c) {
    if (!c->running) return 0;
    if (__atomic_load_n(&c->running->cancel, __ATOMIC_RELAXED)) return AX_ECANCELED;
    return !axi_sql_is_shielded(c->running) && __atomic_load_n(&c->closing, __ATOMIC_RELAXED) ? AX_EPIPE : 0;
}
static inline int axi_sql_progress(void *arg) { return axi_sql_cancelled((struct axi_sql *)arg) != 0; }

/* Instead of busy_timeout, which nothing can end early. */
static inline int axi_sql_busy(void *arg, int count) {
    struct axi_sql *c = (struct axi_sql *)arg;
    struct timespec t;
    int64_t now;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    if (!count) c->busy_since = now;
    if (axi_sql_cancelled(c) || now - c->busy_since >= AX_SQL_BUSY) return 0;
    t.tv_sec = 0;
    t.tv_nsec = 1000000L * (count < 4 ? count + 1 : 5);
    nanosleep(&t, NULL);
    return 1;
}

/* Prepares the statements of a script one by one and steps each to its end. */
static inline int axi_sql_script(struct axi_sql *c, const char *sql) {
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && *sql) {
        sqlite3_stmt *stmt = NULL;
        if (axi_sql_cancelled(c)) return SQLITE_INTERRUPT;
        rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, &sql);
        if (rc != SQLITE_OK || !stmt) continue;
        do rc = sqlite3_step(stmt);
        while (rc == SQLITE_ROW && !axi_sql_cancelled(c));
        if (rc == SQLITE_ROW) rc = SQLITE_INTERRUPT;
        if (sqlite3_finalize(stmt) == SQLITE_OK && rc == SQLITE_DONE) rc = SQLITE_OK;
    }
    return rc;
}

static inline void axi_sql_forget_statement(struct axi_sql_statement *s) {
    sqlite3_finalize(s->stmt);
    free(s->sql);
    s->stmt = NULL;
    s->sql = NULL;
    s->used = 0;
}

static inline int axi_sql_is_empty(sqlite3 *db, const char *sql) { /* blanks and comments */
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    int empty = rc == SQLITE_OK && !stmt;
    sqlite3_finalize(stmt);
    return empty;
}

static inline sqlite3_stmt *axi_sql_prepared(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    struct axi_sql_statement *oldest = c->cache, *s;
    const char *tail = NULL;
    size_t size = strlen(job->sql) + 1;
    int rc;
    for (s = c->cache; s < c->cache + AX_SQL_STATEMENTS; s++) {
        if (s->sql && !strcmp(s->sql, job->sql)) {
            s->used = ++c->uses;
            return s->stmt;
        }
        if (s->used < oldest->used) oldest = s;
    }
    if (oldest->sql) axi_sql_forget_statement(oldest);
    rc = sqlite3_prepare_v3(c->db, job->sql, -1, SQLITE_PREPARE_PERSISTENT, &oldest->stmt, &tail);
    if (rc != SQLITE_OK) {
        axi_sql_failed(job, rc);
    } else if (!oldest->stmt || (*tail && !axi_sql_is_empty(c->db, tail))) {
        axi_sql_fail(job, AX_EINVAL, SQLITE_MISUSE, oldest->stmt ? "more than one statement: use ax_sql_exec" : "no statement");
    } else if ((oldest->sql = (char *)malloc(size)) == NULL) {
        axi_sql_fail(job, AX_ENOMEM, SQLITE_NOMEM, "out of memory");
    } else {
        memcpy(oldest->sql, job->sql, size);
        oldest->used = ++c->uses;
        return oldest->stmt;
    }
    axi_sql_forget_statement(oldest);
    return NULL;
}

/* SQLITE_STATIC: the job outlives the statement's run. */
static inline int axi_sql_bind(sqlite3_stmt *stmt, int i, const ax_sql_value *v) {
    switch (v->type) {
    case SQLITE_INTEGER: return sqlite3_bind_int64(stmt, i, v->integer);
    case SQLITE_FLOAT: return sqlite3_bind_double(stmt, i, v->real);
    case SQLITE_TEXT: return sqlite3_bind_text64(stmt, i, (const char *)v->data, v->size, SQLITE_STATIC, SQLITE_UTF8);
    case SQLITE_BLOB:
        return v->size ? sqlite3_bind_blob64(stmt, i, v->data, v->size, SQLITE_STATIC) : sqlite3_bind_zeroblob(stmt, i, 0);
    default: return sqlite3_bind_null(stmt, i);
    }
}

static inline int axi_sql_more(void **array, size_t *cap, size_t want, size_t item) {
    size_t n = *cap ? *cap : 64;
    void *p;
    if (want <= *cap) return SQLITE_OK;
    if (want > AX_SQL_MAX_BYTES / item) return SQLITE_TOOBIG;
    while (n < want) n *= 2;
    if (!(p = realloc(*array, n * item))) return SQLITE_NOMEM;
    *array = p;
    *cap = n;
    return SQLITE_OK;
}

/* Copies a row. Until the last one the data are offsets, since the bytes still move. */
static inline int axi_sql_row(struct axi_sql_job *job, sqlite3_stmt *stmt) {
    ax_sql_rows *rows = &job->rows;
    int i, rc, n = rows->columns = sqlite3_column_count(stmt); /* right only now: the schema may have changed */
    size_t at = (size_t)rows->count * (size_t)n;
    void *values = rows->values, *bytes = rows->bytes;
    rc = axi_sql_more(&values, &job->value_cap, at + (size_t)n, sizeof *rows->values);
    rows->values = (ax_sql_value *)values;
    for (i = 0; i < n && rc == SQLITE_OK; i++) {
        ax_sql_value *v = &rows->values[at + (size_t)i];
        const void *data;
        *v = ax_sql_null();
        v->type = sqlite3_column_type(stmt, i);
        if (v->type == SQLITE_INTEGER) v->integer = sqlite3_column_int64(stmt, i), v->real = (double)v->integer;
        if (v->type == SQLITE_FLOAT) v->real = sqlite3_column_double(stmt, i), v->integer = sqlite3_column_int64(stmt, i);
        if (v->type != SQLITE_TEXT && v->type != SQLITE_BLOB) continue;
        data = v->type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, i) : sqlite3_column_blob(stmt, i);
        v->size = (size_t)sqlite3_column_bytes(stmt, i);
        if (!data && v->size) return SQLITE_NOMEM;
        rc = axi_sql_more(&bytes, &job->byte_cap, job->byte_count + v->size + 1, 1);
        rows->bytes = (char *)bytes;
        if (rc != SQLITE_OK) break;
        v->integer = (int64_t)job->byte_count;
        if (v->size) memcpy(rows->bytes + job->byte_count, data, v->size);
        rows->bytes[job->byte_count + v->size] = 0;
        job->byte_count += v->size + 1;
    }
    if (rc == SQLITE_OK) rows->count++;
    return rc;
}

static inline void axi_sql_settle(ax_sql_rows *rows) {
    size_t i, n = (size_t)rows->count * (size_t)rows->columns;
    for (i = 0; i < n; i++) {
        ax_sql_value *v = &rows->values[i];
        if (v->type != SQLITE_TEXT && v->type != SQLITE_BLOB) continue;
        v->data = rows->bytes + v->integer;
        v->integer = 0;
    }
}

static inline void axi_sql_run(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    sqlite3_stmt *stmt = axi_sql_prepared(job);
    int i, rc = SQLITE_OK, copied = SQLITE_OK, before;
    if (!stmt) return;
    before = sqlite3_total_changes(c->db);
    if (sqlite3_bind_parameter_count(stmt) != job->bind_count) {
        axi_sql_fail(job, AX_EINVAL, SQLITE_RANGE, "the statement has another number of parameters");
        return;
    }
    for (i = 0; i < job->bind_count && rc == SQLITE_OK; i++) rc = axi_sql_bind(stmt, i + 1, &job->binds[i]);
    job->rows.columns = sqlite3_column_count(stmt);
    while (rc == SQLITE_OK && copied == SQLITE_OK) {
        int step = sqlite3_step(stmt);
        if (step != SQLITE_ROW) {
            if (step != SQLITE_DONE) rc = step;
            break;
        }
        if (axi_sql_cancelled(c)) copied = SQLITE_INTERRUPT;
        else if (job->wants_rows) copied = axi_sql_row(job, stmt);
        else job->rows.count++;
    }
    if (copied != SQLITE_OK) axi_sql_fail(job, axi_sql_status(NULL, copied), copied, sqlite3_errstr(copied));
    else if (rc != SQLITE_OK) axi_sql_failed(job, rc);
    sqlite3_reset(stmt); /* at once: an open one would lock its tables */
    sqlite3_clear_bindings(stmt);
    if (job->status < 0) return;
    job->rows.changes = sqlite3_total_changes(c->db) == before ? 0 : sqlite3_changes(c->db);
    job->rows.last_id = sqlite3_last_insert_rowid(c->db);
    job->status = job->rows.columns ? job->rows.count : job->rows.changes;
    if (job->wants_rows) axi_sql_settle(&job->rows);
}

static inline void axi_sql_open_file(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    int readonly = (c->flags & AX_SQL_READONLY) != 0;
    int rc = sqlite3_open_v2(job->sql, &c->db, SQLITE_OPEN_NOMUTEX |
                             (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE), NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(c->db, 1);
        sqlite3_progress_handler(c->db, 1000, axi_sql_progress, c);
        sqlite3_busy_handler(c->db, axi_sql_busy, c);
        sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, AX_SQL_MAX_BYTES < INT_MAX ? (int)AX_SQL_MAX_BYTES : INT_MAX);
        if (!readonly && sqlite3_db_readonly(c->db, "main") == 1) {
            axi_sql_fail(job, AX_EROFS, SQLITE_READONLY, "the file can't be written");
            return;
        }
        /* the first access shows whether it is a database */
        if (c->flags & AX_SQL_PLAIN) rc = axi_sql_script(c, "PRAGMA schema_version");
        else if (readonly) rc = axi_sql_script(c, "PRAGMA schema_version; PRAGMA foreign_keys=ON");
        else rc = axi_sql_script(c, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON");
    }
    if (rc != SQLITE_OK) axi_sql_failed(job, rc);
}

static inline void axi_sql_close_file(struct axi_sql *c) {
    struct axi_sql_statement *s;
    for (s = c->cache; s < c->cache + AX_SQL_STATEMENTS; s++) axi_sql_forget_statement(s);
    sqlite3_close(c->db);
    c->db = NULL;
}

static inline void axi_sql_rollback_all(struct axi_sql *c) {
    if (!sqlite3_get_autocommit(c->db)) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    c->tx = 0;
}

static inline void axi_sql_statements(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    int rc, was_idle = sqlite3_get_autocommit(c->db);
    if (job->kind == AXI_SQL_RUN || job->kind == AXI_SQL_RUN_SHIELDED) {
        axi_sql_run(job);
    } else if ((rc = axi_sql_script(c, job->sql)) != SQLITE_OK) {
        axi_sql_failed(job, rc);
        if (was_idle && !job->tx) axi_sql_rollback_all(c);
    }
}

static inline void axi_sql_work(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    int begins = job->kind == AXI_SQL_BEGIN;
    if (c->tx && (begins || !job->tx)) axi_sql_rollback_all(c); /* its owner has left it: before, the gate was closed */
    if (job->kind == AXI_SQL_OPEN) {
        axi_sql_open_file(job);
    } else if (job->kind == AXI_SQL_ROLLBACK) {
        if (job->tx == c->tx) axi_sql_rollback_all(c); /* or it has ended already */
    } else if (job->kind != AXI_SQL_CLOSE) {
        if (job->tx && !begins && (job->tx != c->tx || c->tx_lost)) {
            axi_sql_fail(job, AX_EPERM, SQLITE_ABORT_ROLLBACK,
                         job->tx == c->tx ? "the transaction was rolled back" : "the transaction has ended");
            return;
        }
        axi_sql_statements(job);
        if (begins && job->status >= 0) c->tx = job->tx, c->tx_lost = 0;
        else if (job->kind == AXI_SQL_COMMIT && job->status >= 0) c->tx = 0;
        else if (job->tx && c->tx == job->tx && sqlite3_get_autocommit(c->db)) c->tx_lost = 1;
    }
}

/* What the executor calls: its copy of the data is a pointer, since a job outlives its run. */
static inline int axi_sql_perform(void *copy) {
    struct axi_sql_job *job = *(struct axi_sql_job **)copy;
    struct axi_sql *c = job->conn;
    c->running = job;
    job->status = axi_sql_cancelled(c);
    if (job->status >= 0) axi_sql_work(job);
    if (job->status < 0 && axi_sql_cancelled(c)) job->status = axi_sql_cancelled(c);
    if (job->kind == AXI_SQL_CLOSE || (job->kind == AXI_SQL_OPEN && job->status < 0)) axi_sql_close_file(c);
    c->running = NULL;
    return job->status;
}

/* ---- on the loop: a job ---- */

/* With copies of the SQL and the values, in one block. NULL if there is no memory or no connection. */
static inline struct axi_sql_job *axi_sql_job_new(struct axi_sql *c, unsigned tx, int kind, const char *sql, int count,
                                                  const ax_sql_value *values) {
    size_t size = sizeof(struct axi_sql_job) + (size_t)count * sizeof *values + strlen(sql) + 1;
    struct axi_sql_job *job;
    char *at;
    int i;
    for (i = 0; i < count; i++) size += values[i].size + 1;
    if (!c || !(job = (struct axi_sql_job *)malloc(size))) return NULL;
    memset(job, 0, sizeof *job);
    c->refs++;
    job->conn = c;
    job->kind = kind;
    job->tx = tx;
    job->bind_count = count;
    job->binds = (ax_sql_value *)(void *)(job + 1);
    if (count) memcpy(job->binds, values, (size_t)count * sizeof *values);
    at = (char *)(job->binds + count);
    for (i = 0; i < count; i++) {
        if (values[i].size) memcpy(at, values[i].data, values[i].size);
        job->binds[i].data = at;
        at += values[i].size;
        *at++ = 0;
    }
    job->sql = at;
    memcpy(at, sql, strlen(sql) + 1);
    return job;
}

static inline void axi_sql_open_gate(struct axi_sql *c) {
    c->owned = 0;
    c->owner = NULL;
    ax_sem_release(&c->gate);
}

/* What has changed for the others. */
static inline void axi_sql_done(struct axi_sql_job *job, ax_task *asker, int ok) {
    struct axi_sql *c = job->conn;
    if (job->kind == AXI_SQL_OPEN) c->open = ok;
    if (job->kind == AXI_SQL_CLOSE && ok) c->open = 0;
    if (job->tx != c->owned) return;
    if (job->kind == AXI_SQL_BEGIN && ok) c->owner = asker;
    if (job->kind == AXI_SQL_BEGIN && !ok) axi_sql_open_gate(c);
    if ((job->kind == AXI_SQL_COMMIT || job->kind == AXI_SQL_ROLLBACK) && ok) axi_sql_open_gate(c);
}

static inline int axi_sql_tell(void *copy) { /* the worker has begun with it: it ends soon */
    __atomic_store_n(&(*(struct axi_sql_job **)copy)->cancel, 1, __ATOMIC_RELAXED);
    return AX_STAY;
}

/* Carries a job out: through the gate and to the worker. A task of its own, so that a cancel of who asked need not reach it. */
struct axi_sql_carry { ax_frame frame; struct axi_sql_job *job; ax_task *asker; ax_future *done; };
AX_ASYNC(axi_sql_carry) {
    struct axi_sql_job *job = my->job;
    struct axi_sql *c = job->conn;
    AX_BEGIN;
    if (job->kind == AXI_SQL_OPEN) AX_CHECK(ax_executor_open(c->loop, &c->executor, 1, 0));
    if (!job->tx || job->kind == AXI_SQL_BEGIN) {
        AX_AWAIT(ax_sem_acquire(me, &c->gate));
        if (job->tx) c->owned = job->tx;
        else ax_sem_release(&c->gate); /* the next one wakes later, and so comes to the worker later */
    }
    if (c->closing && !axi_sql_is_shielded(job)) AX_RETURN(AX_EPIPE);
    AX_AWAIT(ax_executor_run(me, &c->executor, axi_sql_perform, axi_sql_tell, &my->job, sizeof my->job));
    AX_RETURN(me->rc);
    AX_FINALLY:
    axi_sql_done(job, my->asker, ax_leaving(me) >= 0);
    if (!c->open) AX_TRY(ax_executor_close(me, &c->executor));
    ax_future_complete(my->done, ax_leaving(me));
    AX_END;
}

/* Asks for a job and waits until it is done, or has stopped. */
struct axi_sql_ask {
    ax_frame frame;
    struct axi_sql_job *job; /* NULL: out of memory */
    ax_sql *db;              /* is told of an error */
    ax_sql_rows *out;
    int ends;    /* db may not be open afterwards */
    int sent;    /* the job was sent on its way */
    int closing; /* it closes the connection, which opens again if that fails */
    ax_future done;
    ax_group group;
    AX_TASK(axi_sql_carry) carry;
};

static inline int axi_sql_forget(ax_future *done, void *arg) {
    struct axi_sql_ask *ask = (struct axi_sql_ask *)arg;
    (void)done;
    if (!axi_sql_is_shielded(ask->job)) ax_cancel(&ask->carry.task);
    return AX_STAY;
}

static inline void axi_sql_hand_over(struct axi_sql_ask *ask, int status) {
    struct axi_sql_job *job = ask->job;
    if (ask->db && status < 0) {
        ask->db->code = job->rows.code;
        memcpy(ask->db->message, job->rows.message, sizeof ask->db->message);
    }
    if (ask->out) *ask->out = job->rows;
    else ax_sql_free(&job->rows);
    axi_sql_unref(job->conn);
    free(job);
}

/* Sends the job on its way: 0 or an error. */
static inline int axi_sql_send(ax_task *me, struct axi_sql_ask *my) {
    struct axi_sql *c = my->job->conn;
    my->sent = 1;
    if (my->job->kind == AXI_SQL_CLOSE) {
        if (c->closing) return AX_EALREADY;
        __atomic_store_n(&c->closing, my->closing = 1, __ATOMIC_RELAXED);
        if (c->owned) axi_sql_open_gate(c); /* its owner has not ended it, and now can't */
    }
    my->job->wants_rows = my->out != NULL;
    my->done.cancel = axi_sql_forget;
    my->done.arg = my;
    ax_group_open(me, &my->group, AX_GROUP_COLLECT);
    return AX_SPAWN_IN(&my->group, &my->carry, axi_sql_carry, .job = my->job, .asker = me, .done = &my->done) ? 0 : AX_ENOMEM;
}

AX_ASYNC(axi_sql_ask) {
    AX_BEGIN;
    if (!my->job) AX_RETURN(AX_ENOMEM);
    AX_CHECK(axi_sql_send(me, my));
    AX_AWAIT(ax_future_wait(me, &my->done));
    AX_RETURN(me->rc);
    AX_FINALLY:
    if (my->job && !my->sent && axi_sql_is_shielded(my->job) && axi_sql_send(me, my) >= 0) /* cancelled before it began */
        AX_AWAIT(ax_future_wait(me, &my->done));
    if (my->job) axi_sql_hand_over(my, ax_leaving(me));
    if (my->ends && my->db->conn && !my->db->conn->open) {
        ax_callback_stop(&my->db->conn->closer);
        axi_sql_unref(my->db->conn);
        my->db->conn = NULL;
    }
    if (my->closing && my->db->conn) __atomic_store_n(&my->db->conn->closing, 0, __ATOMIC_RELAXED);
    AX_END;
}

/* ---- on the loop: what one can ask for ---- */

static inline ax_op axi_sql_start(ax_task *me, ax_sql *db, int kind, ax_sql_rows *out, const char *sql, int count,
                                  const ax_sql_value *values) {
    struct axi_sql *c = db->conn;
    if (out) ax_sql_free(out);
    if (!c || c->closing || !c->open) return ax_done(AX_EPIPE);
    if (!db->tx && c->owner == me) return ax_done(AX_EDEADLK); /* would wait for its own transaction: &tx.db is meant */
    return AX_CALL(axi_sql_ask, .db = db, .out = out, .job = axi_sql_job_new(c, db->tx, kind, sql, count, values));
}

static inline ax_op ax_sql_exec(ax_task *me, ax_sql *db, const char *script) {
    return axi_sql_start(me, db, AXI_SQL_SCRIPT, NULL, script, 0, NULL);
}
static inline ax_op ax_sql_run(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count, const ax_sql_value *values) {
    return axi_sql_start(me, db, AXI_SQL_RUN, out, sql, count, values);
}
static inline ax_op ax_sql_run_shielded(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count,
                                        const ax_sql_value *values) {
    return axi_sql_start(me, db, AXI_SQL_RUN_SHIELDED, out, sql, count, values);
}

static inline void axi_sql_at_close(ax_loop *loop, void *conn) { /* nobody closed it; the worker has nothing to do any more */
    (void)loop;
    axi_sql_close_file((struct axi_sql *)conn);
    axi_sql_unref((struct axi_sql *)conn);
}

static inline struct axi_sql *axi_sql_connection(ax_loop *loop, ax_sql *db, unsigned flags) {
    struct axi_sql *c = (struct axi_sql *)calloc(1, sizeof *c);
    if (!c) return NULL;
    c->loop = loop;
    c->flags = flags;
    c->refs = 1;
    ax_sem_init(&c->gate, 1, 1);
    ax_at_close(loop, &c->closer, axi_sql_at_close, c);
    return db->conn = c;
}

static inline ax_op ax_sql_open(ax_task *me, ax_sql *db, const char *path, unsigned flags) {
    if (db->conn) return ax_done(AX_EBUSY);
    if (!sqlite3_threadsafe()) return ax_done(AX_EPERM);
    memset(db, 0, sizeof *db);
    return AX_CALL(axi_sql_ask, .db = db, .ends = 1,
                   .job = axi_sql_job_new(axi_sql_connection(me->loop, db, flags), 0, AXI_SQL_OPEN, path, 0, NULL));
}

static inline ax_op ax_sql_close(ax_task *me, ax_sql *db) {
    struct axi_sql *c = db->conn;
    if (!c) return ax_done(0);
    if (!c->open) return ax_done(AX_EBUSY);
    if (db->tx) return ax_done(AX_EPERM); /* a transaction's handle */
    return AX_CALL(axi_sql_ask, .db = db, .ends = 1, .job = axi_sql_job_new(c, 0, AXI_SQL_CLOSE, "", 0, NULL));
}

/* ---- transactions ---- */

/* The frame is left: what is open is rolled back. Nothing waits for it, and if there is no memory for it, the next job does it. */
static inline void axi_sql_leave(void *arg) {
    ax_sql_tx *tx = (ax_sql_tx *)arg;
    struct axi_sql *c = tx->db.conn;
    if (c->owned == tx->db.tx) {
        axi_sql_open_gate(c);
        AX_SPAWN(&c->loop->root, axi_sql_ask, .job = axi_sql_job_new(c, tx->db.tx, AXI_SQL_ROLLBACK, "", 0, NULL));
    }
    tx->db.conn = NULL;
    axi_sql_unref(c);
}

static inline ax_op ax_sql_begin(ax_task *me, ax_sql *db, ax_sql_tx *tx) {
    struct axi_sql *c = db->conn;
    int rc;
    if (!c || c->closing || !c->open) return ax_done(AX_EPIPE);
    if (db->tx || c->owner == me) return ax_done(AX_EDEADLK);
    if (tx->db.conn && tx->db.conn != c) return ax_done(AX_EBUSY);
    if (!tx->db.conn) {
        memset(tx, 0, sizeof *tx);
        if ((rc = ax_defer(me, &tx->scope, axi_sql_leave, tx)) < 0) return ax_done(rc);
        tx->db.conn = c;
        c->refs++;
    }
    tx->db.tx = ++c->next_tx;
    return axi_sql_start(me, &tx->db, AXI_SQL_BEGIN, NULL, "BEGIN IMMEDIATE", 0, NULL);
}

static inline ax_op ax_sql_commit(ax_task *me, ax_sql_tx *tx) {
    return axi_sql_start(me, &tx->db, AXI_SQL_COMMIT, NULL, "COMMIT", 0, NULL);
}
static inline ax_op ax_sql_rollback(ax_task *me, ax_sql_tx *tx) {
    return axi_sql_start(me, &tx->db, AXI_SQL_ROLLBACK, NULL, "", 0, NULL);
}

#endif

/* Licence: MIT-0, as asyncx.h. */
