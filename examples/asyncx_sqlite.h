/* asyncx_sqlite.h - SQLite for asyncx: the loop never waits for the disk or for a lock - MIT-0

   A connection has a thread of its own. Every call of SQLite is made there, in the order in which it was asked for;
   the results come back to the loop. Include after asyncx.h, link with -lsqlite3.

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
     - A COMMIT, a rollback, a close and ax_sql_run_shielded are carried out even if the task is cancelled meanwhile.
     - A transaction belongs to one task: other tasks' statements wait until it has ended. A statement that is cancelled
       while it writes takes its whole transaction back (SQLite's rule): the commit then fails with AX_EPERM.
     - Errors are statuses: AX_EBUSY (locked for longer than 5 s), AX_EINVAL (an error in the SQL), -EEXIST (a constraint),
       -EROFS, -ENOSPC, an errno of the system. SQLite's own code and text are in the handle and in the rows.
     - A connection that is open and idle does not keep the loop running. One that nobody closed is closed with its loop.

   LIMITS  A query's rows come all at once, at most AX_SQL_MAX_BYTES. Don't use a connection across fork(). */

#ifndef ASYNCX_SQLITE_H
#define ASYNCX_SQLITE_H

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef AX_SQL_MAX_BYTES
#define AX_SQL_MAX_BYTES (64u << 20) /* of one result; more is AX_EOVERFLOW */
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
static inline int64_t ax_sql_get_int(const ax_sql_rows *rows, int row, int column) { return ax_sql_get(rows, row, column)->integer; }
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
static inline ax_sql_value ax_sql_text_n(const char *s, size_t n) { return axi_sql_value(s ? SQLITE_TEXT : SQLITE_NULL, 0, 0, s, s ? n : 0); }
static inline ax_sql_value ax_sql_text(const char *s) { return ax_sql_text_n(s, s ? strlen(s) : 0); }
static inline ax_sql_value ax_sql_blob(const void *p, size_t n) { return axi_sql_value(SQLITE_BLOB, 0, 0, p, n); }

/* The values for ?1, ?2 and so on: AX_SQL(ax_sql_int(1), ax_sql_text(name)), or AX_SQL_NONE. */
#define AX_SQL(...) ((int)(sizeof((ax_sql_value[]){__VA_ARGS__}) / sizeof(ax_sql_value))), ((const ax_sql_value[]){__VA_ARGS__})
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
    int scoped;
    struct axi_sql_job *rollback; /* made beforehand, so that it can't fail */
} ax_sql_tx;

enum {
    AX_SQL_READONLY = 1, /* neither create nor write */
    AX_SQL_PLAIN = 2     /* none of: journal_mode=WAL, synchronous=NORMAL, foreign_keys=ON */
};

/* Opens the database on a new thread. The handle must outlive what is asked of it. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_open(ax_task *me, ax_sql *db, const char *path, unsigned flags);
/* Runs a script of statements whose rows don't matter. A transaction that it leaves open after an error is rolled back. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_exec(ax_task *me, ax_sql *db, const char *script);
/* Runs one statement: the number of its rows or, if it has no columns, of the rows that it changed. out may be NULL. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_run(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count, const ax_sql_value *values);
/* The same for work that must not be lost: it is carried out even if the task is or has been cancelled. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_run_shielded(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count,
                                                    const ax_sql_value *values);
/* BEGIN IMMEDIATE, once no other transaction of this connection is open. A scope: when the frame is left without a commit,
   the rollback is queued before anybody else's next statement. AX_EDEADLK inside one's own. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_begin(ax_task *me, ax_sql *db, ax_sql_tx *tx);
/* AX_EPERM if the transaction is not open or was rolled back under way; it can still be rolled back. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_commit(ax_task *me, ax_sql_tx *tx);
static inline AX_MUST_USE ax_op ax_sql_rollback(ax_task *me, ax_sql_tx *tx); /* 0. May suspend. */
/* Jobs that have begun or wait end with AX_EPIPE, except shielded ones, which are carried out; then the thread is joined. 0. May suspend. */
static inline AX_MUST_USE ax_op ax_sql_close(ax_task *me, ax_sql *db);

/* ---- private from here ---- */

enum { AXI_SQL_OPEN, AXI_SQL_SCRIPT, AXI_SQL_RUN, AXI_SQL_BEGIN, AXI_SQL_COMMIT, AXI_SQL_ROLLBACK, AXI_SQL_CLOSE };
enum { AXI_SQL_WAITS, AXI_SQL_RUNS, AXI_SQL_DONE };

/* One thing to do on the worker. Only `state` and `next` (under the lock) and `cancel` (atomic) are seen by both sides; what
   follows belongs to whoever has the job: the loop, then the worker, then the loop again. */
struct axi_sql_job {
    ax_callback done;
    struct axi_sql *conn;
    struct axi_sql_job *next;
    int state, cancel; /* cancel: the status that it ends with, if it does not succeed */
    ax_task *task;     /* who waits; NULL: nobody */
    ax_sql *db;
    ax_sql_rows *out;
    int kind, shielded, bind_count;
    unsigned tx, flags;
    char *sql; /* the texts and values follow the struct */
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
    pthread_mutex_t lock; /* the queue's */
    pthread_cond_t work;
    struct axi_sql_job *first, **last;
    int closing, quit, opened;
    ax_loop *loop; /* the loop's side */
    ax_callback closer;
    pthread_t thread;
    int refs; /* the open handle, each job, each scope of a transaction */
    unsigned next_tx, owned;
    ax_task *owner;
    sqlite3 *db; /* the worker's side */
    struct axi_sql_job *running;
    unsigned tx, uses;
    int tx_lost;
    int64_t busy_since;
    struct axi_sql_statement cache[AX_SQL_STATEMENTS];
};

static inline void axi_sql_unref(struct axi_sql *c, int refs) {
    if ((c->refs -= refs) > 0) return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->work);
    free(c);
}

/* ---- on the worker: one job ---- */

static inline int axi_sql_status(sqlite3 *db, int code) {
    int sys = db ? sqlite3_system_errno(db) : 0;
    switch (code & 255) {
    case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE: return 0;
    case SQLITE_BUSY: case SQLITE_LOCKED: return AX_EBUSY;
    case SQLITE_NOMEM: return AX_ENOMEM;
    case SQLITE_INTERRUPT: return AX_ECANCELED;
    case SQLITE_TOOBIG: return AX_EOVERFLOW;
    case SQLITE_CONSTRAINT: return -EEXIST;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_PERM: case SQLITE_AUTH: return -EACCES;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_CANTOPEN: return sys ? -sys : -ENOENT;
    case SQLITE_IOERR: return sys ? -sys : -EIO;
    case SQLITE_CORRUPT: case SQLITE_NOTADB: return -EIO;
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
    axi_sql_fail(job, axi_sql_status(db, code), extended, db && extended != SQLITE_MISUSE ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static inline int axi_sql_cancelled(struct axi_sql *c) {
    return c->running ? __atomic_load_n(&c->running->cancel, __ATOMIC_RELAXED) : 0;
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

static inline sqlite3_stmt *axi_sql_statement(struct axi_sql_job *job) {
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

static inline int axi_sql_bind(sqlite3_stmt *stmt, int i, const ax_sql_value *v) { /* static: the job outlives the statement's run */
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
    sqlite3_stmt *stmt = axi_sql_statement(job);
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
        else if (job->out) copied = axi_sql_row(job, stmt);
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
    if (job->out) axi_sql_settle(&job->rows);
}

static inline void axi_sql_open_file(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    int rc = sqlite3_open_v2(job->sql, &c->db,
                             (job->flags & AX_SQL_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                                 SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(c->db, 1);
        sqlite3_progress_handler(c->db, 1000, axi_sql_progress, c);
        sqlite3_busy_handler(c->db, axi_sql_busy, c);
        if (!(job->flags & AX_SQL_READONLY) && sqlite3_db_readonly(c->db, "main") == 1) {
            axi_sql_fail(job, -EROFS, SQLITE_READONLY, "the file can't be written");
            return;
        }
        /* the first access shows whether it is a database */
        rc = axi_sql_script(c, job->flags & AX_SQL_PLAIN      ? "PRAGMA schema_version"
                               : job->flags & AX_SQL_READONLY ? "PRAGMA schema_version; PRAGMA foreign_keys=ON"
                                                              : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON");
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
}

static inline void axi_sql_perform(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    int rc = SQLITE_OK;
    if (job->kind == AXI_SQL_OPEN) {
        axi_sql_open_file(job);
        return;
    }
    if (job->kind == AXI_SQL_ROLLBACK) {
        if (job->tx != c->tx) return; /* it has ended already */
        axi_sql_rollback_all(c);
        c->tx = 0;
        return;
    }
    if (job->tx && job->kind != AXI_SQL_BEGIN && (job->tx != c->tx || c->tx_lost)) {
        axi_sql_fail(job, AX_EPERM, SQLITE_ABORT_ROLLBACK, job->tx == c->tx ? "the transaction was rolled back" : "the transaction has ended");
        return;
    }
    if (job->kind == AXI_SQL_RUN) {
        axi_sql_run(job);
    } else {
        int was_idle = sqlite3_get_autocommit(c->db);
        rc = axi_sql_script(c, job->sql);
        if (rc != SQLITE_OK) axi_sql_failed(job, rc);
        if (rc != SQLITE_OK && was_idle && !job->tx) axi_sql_rollback_all(c);
    }
    if (job->kind == AXI_SQL_BEGIN && job->status >= 0) c->tx = job->tx, c->tx_lost = 0;
    else if (job->kind == AXI_SQL_COMMIT && job->status >= 0) c->tx = 0;
    else if (job->tx && c->tx == job->tx && sqlite3_get_autocommit(c->db)) c->tx_lost = 1;
}

/* ---- on the worker: the queue ---- */

/* The first job that may run now. While a transaction is open that is its own, or one that will be refused. */
static inline struct axi_sql_job *axi_sql_next(struct axi_sql *c) {
    struct axi_sql_job **at, *job;
    for (at = &c->first; (job = *at) != NULL; at = &job->next) {
        if (c->tx && job->tx != c->tx && (!job->tx || job->kind == AXI_SQL_BEGIN)) continue;
        if (!(*at = job->next)) c->last = at;
        return job;
    }
    return NULL;
}

static inline void axi_sql_done(ax_loop *loop, void *arg);

static inline void *axi_sql_worker(void *arg) {
    struct axi_sql *c = (struct axi_sql *)arg;
    int over = 0;
    pthread_mutex_lock(&c->lock);
    while (!over) {
        struct axi_sql_job *job = axi_sql_next(c);
        if (!job && c->closing && c->tx) { /* its owner has not ended it, and now can't */
            axi_sql_rollback_all(c);
            c->tx = 0;
            continue;
        }
        if (!job && c->quit) break;
        if (!job) {
            pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        job->state = AXI_SQL_RUNS;
        c->running = job;
        pthread_mutex_unlock(&c->lock);
        if (job->kind != AXI_SQL_CLOSE) axi_sql_perform(job);
        if (job->status < 0 && axi_sql_cancelled(c)) job->status = axi_sql_cancelled(c);
        over = job->kind == AXI_SQL_CLOSE || (job->kind == AXI_SQL_OPEN && job->status < 0);
        if (over) axi_sql_close_file(c);
        pthread_mutex_lock(&c->lock);
        c->running = NULL;
        job->state = AXI_SQL_DONE;
        ax_post(c->loop, &job->done, axi_sql_done, job); /* from here on the job is the loop's */
    }
    pthread_mutex_unlock(&c->lock);
    if (c->db) axi_sql_close_file(c);
    return NULL;
}

/* ---- on the loop ---- */

static inline void axi_sql_job_free(struct axi_sql_job *job) {
    ax_sql_free(&job->rows);
    free(job);
}

static inline void axi_sql_done(ax_loop *loop, void *arg) {
    struct axi_sql_job *job = (struct axi_sql_job *)arg;
    struct axi_sql *c = job->conn;
    int over = job->kind == AXI_SQL_CLOSE || (job->kind == AXI_SQL_OPEN && job->status < 0);
    if (over) {
        pthread_join(c->thread, NULL); /* it is on its way out */
        if (job->db) job->db->conn = NULL;
        ax_callback_stop(&c->closer);
    }
    if (job->status >= 0) {
        if (job->kind == AXI_SQL_OPEN) c->opened = 1;
        if (job->kind == AXI_SQL_BEGIN) c->owned = job->tx, c->owner = job->task;
        if ((job->kind == AXI_SQL_COMMIT || job->kind == AXI_SQL_ROLLBACK) && c->owned == job->tx) c->owner = NULL;
    }
    if (job->status < 0 && job->db) {
        job->db->code = job->rows.code;
        memcpy(job->db->message, job->rows.message, sizeof job->db->message);
    }
    if (job->out) {
        *job->out = job->rows;
        memset(&job->rows, 0, sizeof job->rows);
    }
    if (job->task) ax_wake(job->task, job->status);
    ax_loop_release(loop);
    axi_sql_job_free(job);
    axi_sql_unref(c, over ? 2 : 1); /* the job's, and the handle's */
}

static inline int axi_sql_forget(ax_task *task, void *arg) {
    struct axi_sql_job *job = (struct axi_sql_job *)arg, **at;
    struct axi_sql *c = job->conn;
    (void)task;
    if (job->shielded) return AX_STAY;
    pthread_mutex_lock(&c->lock);
    if (job->state != AXI_SQL_WAITS) { /* it is told, or it is done and the result stands */
        __atomic_store_n(&job->cancel, AX_ECANCELED, __ATOMIC_RELAXED);
        pthread_mutex_unlock(&c->lock);
        return AX_STAY;
    }
    for (at = &c->first; *at != job; at = &(*at)->next) {}
    if (!(*at = job->next)) c->last = at;
    pthread_mutex_unlock(&c->lock);
    ax_loop_release(c->loop);
    axi_sql_job_free(job);
    axi_sql_unref(c, 1);
    return 0;
}

/* A job with copies of the SQL and the values in one block. */
static inline struct axi_sql_job *axi_sql_job(ax_sql *db, int kind, const char *sql, int count, const ax_sql_value *values) {
    size_t size = sizeof(struct axi_sql_job) + (size_t)count * sizeof *values + strlen(sql) + 1;
    struct axi_sql_job *job;
    char *at;
    int i;
    for (i = 0; i < count; i++) size += values[i].size + 1;
    if (!(job = (struct axi_sql_job *)malloc(size))) return NULL;
    memset(job, 0, sizeof *job);
    job->kind = kind;
    job->conn = db->conn;
    job->db = db;
    job->tx = db->tx;
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

static inline void axi_sql_queue(struct axi_sql_job *job) {
    struct axi_sql *c = job->conn;
    c->refs++;
    ax_loop_hold(c->loop);
    pthread_mutex_lock(&c->lock);
    *c->last = job;
    c->last = &job->next;
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
}

static inline ax_op axi_sql_ask(ax_task *me, ax_sql *db, int kind, int shielded, ax_sql_rows *out, const char *sql, int count,
                                const ax_sql_value *values) {
    struct axi_sql *c = db->conn;
    struct axi_sql_job *job;
    if (out) ax_sql_free(out);
    if (!c || c->closing || !c->opened) return ax_done(AX_EPIPE);
    if (!db->tx && c->owner == me) return ax_done(AX_EDEADLK); /* would wait for its own transaction: &tx.db is meant */
    if (!(job = axi_sql_job(db, kind, sql, count, values))) return ax_done(AX_ENOMEM);
    job->shielded = shielded;
    job->out = out;
    job->task = me;
    axi_sql_queue(job);
    return ax_park(me, axi_sql_forget, job);
}

static inline ax_op ax_sql_exec(ax_task *me, ax_sql *db, const char *script) {
    return axi_sql_ask(me, db, AXI_SQL_SCRIPT, 0, NULL, script, 0, NULL);
}
static inline ax_op ax_sql_run(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count, const ax_sql_value *values) {
    return axi_sql_ask(me, db, AXI_SQL_RUN, 0, out, sql, count, values);
}
static inline ax_op ax_sql_run_shielded(ax_task *me, ax_sql *db, ax_sql_rows *out, const char *sql, int count, const ax_sql_value *values) {
    return axi_sql_ask(me, db, AXI_SQL_RUN, 1, out, sql, count, values);
}

static inline void axi_sql_shut(struct axi_sql *c, int quit) {
    struct axi_sql_job **at, *job, *dropped = NULL;
    pthread_mutex_lock(&c->lock);
    c->closing = 1;
    c->quit = quit;
    for (at = &c->first; (job = *at) != NULL;) {
        if (job->shielded) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = dropped;
        dropped = job;
    }
    c->last = at;
    if (c->running && !c->running->shielded) __atomic_store_n(&c->running->cancel, AX_EPIPE, __ATOMIC_RELAXED);
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
    while ((job = dropped) != NULL) {
        dropped = job->next;
        job->status = AX_EPIPE;
        job->state = AXI_SQL_DONE;
        ax_post(c->loop, &job->done, axi_sql_done, job); /* the task may be asked to cancel before it hears */
    }
}

static inline void axi_sql_at_close(ax_loop *loop, void *arg) { /* nobody closed it */
    struct axi_sql *c = (struct axi_sql *)arg;
    (void)loop;
    axi_sql_shut(c, 1);
    pthread_join(c->thread, NULL);
    axi_sql_unref(c, 1);
}

static inline ax_op ax_sql_close(ax_task *me, ax_sql *db) {
    struct axi_sql *c = db->conn;
    struct axi_sql_job *job;
    if (!c) return ax_done(0);
    if (c->closing) return ax_done(AX_EALREADY);
    if (!c->opened) return ax_done(AX_EBUSY);
    if (db->tx) return ax_done(AX_EPERM); /* a transaction's handle */
    if (!(job = axi_sql_job(db, AXI_SQL_CLOSE, "", 0, NULL))) return ax_done(AX_ENOMEM); /* then it is closed with the loop */
    job->shielded = 1;
    job->task = me;
    axi_sql_shut(c, 0);
    axi_sql_queue(job);
    return ax_park(me, axi_sql_forget, job);
}

static inline ax_op ax_sql_open(ax_task *me, ax_sql *db, const char *path, unsigned flags) {
    struct axi_sql *c;
    struct axi_sql_job *job = NULL;
    sigset_t all, old;
    int rc;
    if (db->conn) return ax_done(AX_EBUSY);
    if (!sqlite3_threadsafe()) return ax_done(AX_EPERM);
    memset(db, 0, sizeof *db);
    if (!(c = (struct axi_sql *)calloc(1, sizeof *c))) return ax_done(AX_ENOMEM);
    db->conn = c;
    c->loop = me->loop;
    c->last = &c->first;
    c->refs = 1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    if (!(job = axi_sql_job(db, AXI_SQL_OPEN, path, 0, NULL))) {
        rc = ENOMEM;
    } else {
        sigfillset(&all); /* signals are for the loop's thread */
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(&c->thread, NULL, axi_sql_worker, c);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    if (rc) {
        db->conn = NULL;
        free(job);
        axi_sql_unref(c, 1);
        return ax_done(-rc);
    }
    ax_at_close(c->loop, &c->closer, axi_sql_at_close, c);
    job->flags = flags;
    job->task = me;
    job->state = AXI_SQL_RUNS; /* never just dropped: there is a thread to be joined */
    axi_sql_queue(job);
    return ax_park(me, axi_sql_forget, job);
}

/* ---- transactions ---- */

/* The frame is left: what is open is rolled back. Nothing waits for it; the queue's order does the rest. */
static inline void axi_sql_leave(void *arg) {
    ax_sql_tx *tx = (ax_sql_tx *)arg;
    struct axi_sql *c = tx->db.conn;
    if (c->owned == tx->db.tx && c->owner && !c->closing) {
        c->owner = NULL;
        tx->rollback->tx = tx->db.tx;
        axi_sql_queue(tx->rollback);
    } else {
        free(tx->rollback);
    }
    tx->rollback = NULL;
    tx->scoped = 0;
    tx->db.conn = NULL;
    axi_sql_unref(c, 1);
}

static inline ax_op ax_sql_begin(ax_task *me, ax_sql *db, ax_sql_tx *tx) {
    struct axi_sql *c = db->conn;
    int rc;
    if (!c || c->closing || !c->opened) return ax_done(AX_EPIPE);
    if (db->tx || c->owner == me) return ax_done(AX_EDEADLK);
    if (!tx->scoped) {
        memset(tx, 0, sizeof *tx);
        if (!(tx->rollback = axi_sql_job(db, AXI_SQL_ROLLBACK, "", 0, NULL))) return ax_done(AX_ENOMEM);
        if ((rc = ax_defer(me, &tx->scope, axi_sql_leave, tx)) < 0) {
            free(tx->rollback);
            return ax_done(rc);
        }
        tx->rollback->shielded = 1;
        tx->rollback->db = NULL;
        tx->scoped = 1;
        tx->db.conn = c;
        c->refs++;
    } else if (tx->db.conn != c) {
        return ax_done(AX_EBUSY);
    }
    tx->db.tx = ++c->next_tx;
    return axi_sql_ask(me, &tx->db, AXI_SQL_BEGIN, 0, NULL, "BEGIN IMMEDIATE", 0, NULL);
}

static inline ax_op ax_sql_commit(ax_task *me, ax_sql_tx *tx) { return axi_sql_ask(me, &tx->db, AXI_SQL_COMMIT, 1, NULL, "COMMIT", 0, NULL); }
static inline ax_op ax_sql_rollback(ax_task *me, ax_sql_tx *tx) { return axi_sql_ask(me, &tx->db, AXI_SQL_ROLLBACK, 1, NULL, "", 0, NULL); }

#endif

/* Licence: MIT-0, as asyncx.h. */
