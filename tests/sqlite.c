/* The SQLite adapter: values, errors, cancellation in every phase, transactions, and the end of a connection. */
#define ASYNCX_IMPLEMENTATION
#include "asyncx.h"
#include <stdlib.h>

/* The adapter's allocations, so that the n-th can be made to fail. */
static int fail_at = -1;
static int fails(void) { return fail_at >= 0 && fail_at-- == 0; }
static void *test_malloc(size_t size) { return fails() ? NULL : malloc(size); }
static void *test_calloc(size_t n, size_t size) { return fails() ? NULL : calloc(n, size); }
static void *test_realloc(void *p, size_t size) { return fails() ? NULL : realloc(p, size); }
static int busy_ms = 600000; /* a wait for a lock that nothing ends would be seen */
#define AX_SQL_BUSY busy_ms
#define malloc test_malloc
#define calloc test_calloc
#define realloc test_realloc
#include "asyncx_sqlite.h"
#undef malloc
#undef calloc
#undef realloc
#include "tap.h"
#include <unistd.h>

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
#define SELECT(sql) ax_sql_run(me, &my->db, &my->rows, sql, AX_SQL_NONE)

static char file[64];

/* begun(), in every connection: that a statement runs is known, not waited for. */
static int has_begun;
static void begun(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    (void)values;
    __atomic_store_n(&has_begun, 1, __ATOMIC_RELEASE);
    sqlite3_result_int(context, 1);
}
static int add_begun(sqlite3 *db, const char **why, const struct sqlite3_api_routines *api) {
    (void)why;
    (void)api;
    return sqlite3_create_function(db, "begun", 0, SQLITE_UTF8, NULL, begun, NULL, NULL);
}

/* ---- values, rows and errors ---- */

struct values { ax_frame frame; ax_sql db; ax_sql_rows rows; int i, wrong; };
AX_ASYNC(values) {
    char text[32] = "a\0b";
    AX_BEGIN;
    is(ax_sql_exec(me, &my->db, "SELECT 1").axi, AX_EPIPE, "a connection that is not open refuses");
    is(ax_sql_close(me, &my->db).axi, 0, "and to close it is harmless");
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE t(a, b, c, d, e); CREATE TABLE one(id INTEGER PRIMARY KEY CHECK(id > 0)) -- and no more"));
    AX_AWAIT(ax_sql_run(me, &my->db, &my->rows, "INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5)",
                        AX_SQL(ax_sql_null(), ax_sql_int(INT64_MIN + 1), ax_sql_real(0.5), ax_sql_text_n(text, 3), ax_sql_blob("\xff\x00z", 3))));
    memset(text, 'x', sizeof text); /* the job has its own copy */
    is(me->rc, 1, "an insert gives the rows that it changed");
    is(my->rows.last_id, 1, "and the id of the row");
    AX_AWAIT(SELECT("SELECT *, 'caf\xc3\xa9', zeroblob(0) FROM t"));
    is(me->rc, 1, "a select gives its rows");
    is(my->rows.columns, 7, "and columns");
    is(ax_sql_get(&my->rows, 0, 0)->type, SQLITE_NULL, "null comes back");
    is(ax_sql_get_int(&my->rows, 0, 1), INT64_MIN + 1, "an integer of 64 bits comes back");
    ok(ax_sql_get_real(&my->rows, 0, 2) == 0.5, "a double comes back");
    ok(ax_sql_get(&my->rows, 0, 3)->size == 3 && !memcmp(ax_sql_get_text(&my->rows, 0, 3), "a\0b", 4), "text with a zero byte comes back");
    ok(ax_sql_get(&my->rows, 0, 4)->type == SQLITE_BLOB && !memcmp(ax_sql_get_text(&my->rows, 0, 4), "\xff\x00z", 3), "a blob comes back");
    ok(!strcmp(ax_sql_get_text(&my->rows, 0, 5), "caf\xc3\xa9"), "UTF-8 comes back");
    ok(ax_sql_get(&my->rows, 0, 6)->type == SQLITE_BLOB && ax_sql_get(&my->rows, 0, 6)->size == 0, "an empty blob comes back");
    is(ax_sql_get(&my->rows, 1, 0)->type, SQLITE_NULL, "what is beyond the rows is null");
    AX_AWAIT(SELECT("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x, 'row ' || x FROM c"));
    is(me->rc, 5000, "many rows");
    ok(!strcmp(ax_sql_get_text(&my->rows, 4999, 1), "row 5000"), "to the last one");
    AX_AWAIT(ax_sql_exec(me, &my->db, "PRAGMA journal_mode=WAL"));
    AX_AWAIT(ax_sql_exec(me, &my->db, "DROP TABLE t"));
    ok(1, "nothing stays open behind a statement");

    for (; my->i < 200; my->i++) { /* more than are kept prepared, and each twice */
        snprintf(text, sizeof text, "SELECT %d -- and so on", my->i / 2 % 50);
        AX_TRY(SELECT(text));
        if (me->rc != 1 || ax_sql_get_int(&my->rows, 0, 0) != my->i / 2 % 50) my->wrong++;
    }
    is(my->wrong, 0, "many different statements");
    AX_AWAIT(ax_sql_exec(me, &my->db, "INSERT INTO one VALUES(7)"));
    AX_AWAIT(SELECT("SELECT * FROM one"));
    is(my->rows.columns, 1, "a table of one column");
    AX_AWAIT(ax_sql_exec(me, &my->db, "ALTER TABLE one ADD COLUMN more; DELETE FROM one"));
    AX_AWAIT(SELECT("SELECT * FROM one"));
    is(me->rc, 0, "emptied meanwhile");
    AX_AWAIT(ax_sql_exec(me, &my->db, "INSERT INTO one VALUES(7, 8)"));
    AX_AWAIT(SELECT("SELECT * FROM one"));
    ok(my->rows.columns == 2 && ax_sql_get_int(&my->rows, 0, 1) == 8, "the same statement sees a column that was added");
    AX_AWAIT(ax_sql_exec(me, &my->db, "DELETE FROM one"));

    AX_TRY(SELECT("SELECT nonsense"));
    is(me->rc, AX_EINVAL, "an error in the SQL");
    ok(!strcmp(my->rows.message, "no such column: nonsense") && !strcmp(my->db.message, my->rows.message), "with SQLite's text: %s", my->rows.message);
    AX_TRY(ax_sql_run(me, &my->db, NULL, "SELECT ?1", AX_SQL_NONE));
    is(me->rc, AX_EINVAL, "too few values");
    AX_TRY(SELECT("SELECT 1; SELECT 2"));
    is(me->rc, AX_EINVAL, "two statements in one");
    AX_TRY(SELECT(""));
    is(me->rc, AX_EINVAL, "no statement");
    AX_TRY(ax_sql_run(me, &my->db, &my->rows, "INSERT INTO one(id) VALUES(?1)", AX_SQL(ax_sql_int(-1))));
    is(me->rc, AX_EEXIST, "a constraint");
    is(my->rows.code, SQLITE_CONSTRAINT_CHECK, "with the extended code");
    AX_TRY(ax_sql_run(me, &my->db, NULL, "SELECT json_extract(?1, '$.a')", AX_SQL(ax_sql_text("<html>"))));
    is(me->rc, AX_EINVAL, "JSON that is none");
    AX_TRY(ax_sql_exec(me, &my->db, "BEGIN; INSERT INTO one(id) VALUES(1); nonsense"));
    AX_AWAIT(SELECT("SELECT * FROM one"));
    is(me->rc, 0, "a script that fails leaves no transaction");
    AX_FINALLY:
    ax_sql_free(&my->rows);
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

struct refusals { ax_frame frame; ax_sql db; };
AX_ASYNC(refusals) {
    AX_BEGIN;
    AX_TRY(ax_sql_open(me, &my->db, "/tmp", 0));
    ok(me->rc < 0 && my->db.message[0], "a directory can't be opened: %s", my->db.message);
    AX_TRY(ax_sql_open(me, &my->db, "/no/such/file", AX_SQL_READONLY));
    is(me->rc, AX_ENOENT, "nor a file that does not exist");
    AX_AWAIT(ax_sql_open(me, &my->db, file, 0));
    AX_TRY(ax_sql_open(me, &my->db, file, 0));
    is(me->rc, AX_EBUSY, "nor twice");
    AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE IF NOT EXISTS t(x)"));
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_AWAIT(ax_sql_open(me, &my->db, file, AX_SQL_READONLY));
    AX_TRY(ax_sql_exec(me, &my->db, "INSERT INTO t VALUES(1)"));
    is(me->rc, AX_EROFS, "read-only means it");
    AX_FINALLY:
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

/* ---- cancellation ---- */

struct cancels { ax_frame frame; ax_sql db, other; ax_sql_rows rows; ax_sql_tx tx; ax_group g; ax_task *t; };

struct endless { ax_frame frame; ax_sql *db; };
AX_ASYNC(endless) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_run(me, my->db, NULL, ENDLESS, AX_SQL_NONE));
    AX_END;
}
struct fills { ax_frame frame; ax_sql *db; };
AX_ASYNC(fills) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_exec(me, my->db, "WITH RECURSIVE c(x) AS (SELECT begun() UNION ALL SELECT x + 1 FROM c) INSERT INTO t SELECT x FROM c"));
    AX_END;
}
struct insert { ax_frame frame; ax_sql *db; int x, shielded; };
AX_ASYNC(insert) {
    AX_BEGIN;
    if (my->shielded) AX_AWAIT(ax_sql_run_shielded(me, my->db, NULL, "INSERT INTO t VALUES(?1)", AX_SQL(ax_sql_int(my->x))));
    else AX_AWAIT(ax_sql_run(me, my->db, NULL, "INSERT INTO t VALUES(?1)", AX_SQL(ax_sql_int(my->x))));
    AX_END;
}

AX_ASYNC(cancels) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, file, 0));
    AX_AWAIT(ax_sql_open(me, &my->other, file, 0));
    AX_AWAIT(ax_sql_exec(me, &my->db, "DROP TABLE IF EXISTS t; CREATE TABLE t(x)"));

    AX_TRY(AX_WITHIN(AX_MS(30), ax_sql_run(me, &my->db, NULL, ENDLESS, AX_SQL_NONE)));
    is(me->rc, AX_ETIMEDOUT, "a limit ends a running query");
    AX_AWAIT(SELECT("SELECT 1"));
    is(me->rc, 1, "the connection is fit for the next");

    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    AX_SPAWN(&my->g, endless, .db = &my->db);
    my->t = AX_SPAWN(&my->g, insert, .db = &my->db, .x = 1);
    AX_SPAWN(&my->g, insert, .db = &my->db, .x = 2, .shielded = 1);
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    ax_cancel(my->t);
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_checkpoint(me));
    ax_group_cancel(&my->g);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(SELECT("SELECT x FROM t"));
    ok(me->rc == 1 && ax_sql_get_int(&my->rows, 0, 0) == 2, "what waits is dropped, what is shielded is carried out");

    AX_AWAIT(ax_sql_exec(me, &my->other, "BEGIN IMMEDIATE"));
    AX_TRY(AX_WITHIN(AX_MS(30), ax_sql_exec(me, &my->db, "INSERT INTO t VALUES(3)")));
    is(me->rc, AX_ETIMEDOUT, "a limit ends a wait for a lock");
    busy_ms = 1;
    AX_TRY(ax_sql_exec(me, &my->db, "INSERT INTO t VALUES(3)"));
    is(me->rc, AX_EBUSY, "else it is given up after AX_SQL_BUSY");
    busy_ms = 600000;
    AX_AWAIT(ax_sql_exec(me, &my->other, "ROLLBACK"));

    AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));
    AX_AWAIT(ax_sql_exec(me, &my->tx.db, "INSERT INTO t VALUES(4)"));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    my->t = AX_SPAWN(&my->g, fills, .db = &my->tx.db);
    while (!__atomic_load_n(&has_begun, __ATOMIC_ACQUIRE) && ax_task_status(my->t) == AX_EINPROGRESS) AX_AWAIT(ax_sleep(me, AX_MS(1)));
    ax_cancel(my->t);
    AX_TRY(ax_join(me, my->t));
    is(me->rc, AX_ECANCELED, "a cancel ends a write in a transaction");
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_TRY(ax_sql_exec(me, &my->tx.db, "INSERT INTO t VALUES(5)"));
    is(me->rc, AX_EPERM, "which is gone then, and takes no more");
    AX_TRY(ax_sql_commit(me, &my->tx));
    is(me->rc, AX_EPERM, "and can't be committed");
    ok(!strcmp(my->tx.db.message, "the transaction was rolled back"), "with a clear word");
    AX_AWAIT(ax_sql_rollback(me, &my->tx));
    AX_AWAIT(SELECT("SELECT x FROM t WHERE x > 2"));
    is(me->rc, 0, "nothing of it is there");
    AX_FINALLY:
    ax_sql_free(&my->rows);
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_AWAIT(ax_sql_close(me, &my->other));
    AX_END;
}

/* One task's cancel at any moment never ends its neighbour's statement. */
struct neighbour { ax_frame frame; ax_sql *db; int i, wrong; };
AX_ASYNC(neighbour) {
    AX_BEGIN;
    for (; my->i < 300; my->i++) {
        AX_TRY(ax_sql_run(me, my->db, NULL, "SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 50) SELECT x FROM c)", AX_SQL_NONE));
        if (me->rc != 1) my->wrong++;
    }
    is(my->wrong, 0, "a cancel never hits a neighbour's statement");
    AX_END;
}
struct restless { ax_frame frame; ax_sql *db; int i; };
AX_ASYNC(restless) {
    AX_BEGIN;
    for (;; my->i++)
        AX_TRY(AX_WITHIN(AX_US(10 + my->i * 37 % 900), ax_sql_run(me, my->db, NULL, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000) SELECT count(*) FROM c", AX_SQL_NONE)));
    AX_END;
}
struct race { ax_frame frame; ax_sql db; ax_group g; };
AX_ASYNC(race) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    ax_group_open(me, &my->g, AX_GROUP_BACKGROUND);
    AX_SPAWN(&my->g, restless, .db = &my->db);
    AX_AWAIT(AX_CALL(neighbour, .db = &my->db));
    ax_group_cancel(&my->g);
    AX_TRY(ax_group_join(me, &my->g));
    AX_FINALLY:
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

/* ---- transactions ---- */

struct add { ax_frame frame; ax_sql *db; ax_sql_tx tx; ax_sql_rows rows; int fail; };
AX_ASYNC(add) { /* read, wait, write: wrong if two do it at the same time */
    AX_BEGIN;
    AX_AWAIT(ax_sql_begin(me, my->db, &my->tx));
    AX_AWAIT(ax_sql_run(me, &my->tx.db, &my->rows, "SELECT n FROM counter", AX_SQL_NONE));
    AX_AWAIT(ax_checkpoint(me));
    AX_AWAIT(ax_sql_run(me, &my->tx.db, NULL, "UPDATE counter SET n = ?1", AX_SQL(ax_sql_int(ax_sql_get_int(&my->rows, 0, 0) + 1))));
    if (my->fail) AX_RETURN(AX_EINVAL); /* leaves: rolled back */
    AX_AWAIT(ax_sql_commit(me, &my->tx));
    AX_FINALLY:
    ax_sql_free(&my->rows);
    AX_END;
}
struct transactions { ax_frame frame; ax_sql db; ax_sql_rows rows; ax_sql_tx tx; ax_group g; int i; };
AX_ASYNC(transactions) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE counter(n); INSERT INTO counter VALUES(0)"));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    for (my->i = 0; my->i < 20; my->i++) AX_SPAWN(&my->g, add, .db = &my->db, .fail = my->i % 4 == 3);
    AX_AWAIT(ax_group_join(me, &my->g));
    is(me->rc, 5, "some transactions are left without a commit");
    AX_AWAIT(SELECT("SELECT n FROM counter"));
    is(ax_sql_get_int(&my->rows, 0, 0), 15, "they are rolled back, the others add up");

    AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));
    AX_TRY(SELECT("SELECT n FROM counter"));
    is(me->rc, AX_EDEADLK, "the owner must not wait for its own transaction");
    AX_TRY(ax_sql_begin(me, &my->db, &my->tx));
    is(me->rc, AX_EDEADLK, "nor begin another");
    AX_AWAIT(ax_sql_commit(me, &my->tx));
    AX_TRY(ax_sql_exec(me, &my->tx.db, "SELECT 1"));
    is(me->rc, AX_EPERM, "after its end a transaction takes no more");
    AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));
    ok(1, "the same struct can begin again");
    AX_FINALLY: /* it was rolled back before this */
    AX_AWAIT(SELECT("SELECT n FROM counter"));
    is(me->rc, 1, "in the cleanup the connection is free");
    ax_sql_free(&my->rows);
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

/* ---- the end ---- */

struct close_early { ax_frame frame; ax_sql db; ax_group g; ax_task *running, *waiting; };
AX_ASYNC(close_early) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT | AX_GROUP_KEEP);
    my->running = AX_SPAWN(&my->g, endless, .db = &my->db);
    my->waiting = AX_SPAWN(&my->g, endless, .db = &my->db);
    AX_AWAIT(ax_sleep(me, AX_MS(20)));
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_AWAIT(ax_checkpoint(me));
    is(ax_task_status(my->running), AX_EPIPE, "a close does not wait for a query: it is told");
    is(ax_task_status(my->waiting), AX_EPIPE, "and the one that waited");
    AX_END;
}

struct forgetful { ax_frame frame; ax_sql db; ax_sql_tx tx; };
AX_ASYNC(forgetful) { /* neither closes nor commits */
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, file, 0));
    AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));
    AX_AWAIT(ax_sql_exec(me, &my->tx.db, "INSERT INTO t VALUES(99)"));
    AX_END;
}
struct forgotten { ax_frame frame; ax_sql db; ax_sql_rows rows; };
AX_ASYNC(forgotten) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, file, 0));
    AX_AWAIT(SELECT("SELECT x FROM t WHERE x = 99"));
    is(me->rc, 0, "a connection that nobody closed is closed with its loop, its transaction rolled back");
    AX_FINALLY:
    AX_AWAIT(ax_sql_close(me, &my->db));
    ax_sql_free(&my->rows);
    AX_END;
}

/* One that has been cancelled, and has had its share of awaits that never waited: the next one refuses, but what is shielded. */
struct late { ax_frame frame; ax_sql *db, own; int awaits; };
AX_ASYNC(late) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->own, ":memory:", 0));
    ax_cancel(me);
    while (my->awaits--) AX_AWAIT(ax_done(0));
    AX_TRY_ALL(ax_sql_run_shielded(me, my->db, NULL, "INSERT INTO t VALUES(1)", AX_SQL_NONE));
    ax_cancel(me);
    AX_FINALLY:
    for (my->awaits = 120; my->awaits--;) AX_AWAIT(ax_done(0));
    AX_AWAIT(ax_sql_close(me, &my->own));
    if (my->own.conn) ok(0, "closed");
    AX_END;
}
struct lates { ax_frame frame; ax_sql db; ax_sql_rows rows; ax_group g; int awaits; };
AX_ASYNC(lates) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE t(x)"));
    ax_group_open(me, &my->g, AX_GROUP_COLLECT);
    for (my->awaits = 100; my->awaits < 132; my->awaits++) AX_SPAWN(&my->g, late, .db = &my->db, .awaits = my->awaits);
    AX_AWAIT(ax_group_join(me, &my->g));
    AX_AWAIT(SELECT("SELECT x FROM t"));
    is(me->rc, 32, "what is shielded is carried out, however late the cancel is met; and a close");
    AX_FINALLY:
    ax_sql_free(&my->rows);
    AX_AWAIT(ax_sql_close(me, &my->db));
    AX_END;
}

/* Every allocation of the adapter and of the loop fails once. */
static void *loop_alloc(void *ctx, void *p, size_t old, size_t size) {
    (void)ctx, (void)old;
    if (size) return fails() ? NULL : realloc(p, size);
    free(p);
    return NULL;
}
struct poor { ax_frame frame; ax_sql db; ax_sql_rows rows; ax_sql_tx tx; };
AX_ASYNC(poor) {
    AX_BEGIN;
    AX_AWAIT(ax_sql_open(me, &my->db, ":memory:", 0));
    AX_AWAIT(ax_sql_exec(me, &my->db, "CREATE TABLE t(x)"));
    AX_AWAIT(ax_sql_begin(me, &my->db, &my->tx));
    AX_AWAIT(ax_sql_run(me, &my->tx.db, NULL, "INSERT INTO t VALUES(?1)", AX_SQL(ax_sql_text("a text"))));
    AX_AWAIT(ax_sql_commit(me, &my->tx));
    AX_AWAIT(SELECT("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 100) SELECT i, x FROM c, t"));
    if (me->rc != 100) AX_RETURN(AX_EINVAL);
    AX_FINALLY:
    ax_sql_free(&my->rows);
    AX_AWAIT(ax_sql_close(me, &my->db));
    if (me->rc == AX_ENOMEM) AX_AWAIT(ax_sql_close(me, &my->db)); /* it is open still */
    if (me->rc < 0 || my->db.conn) ok(0, "closed: %s", ax_errname(me->rc));
    AX_END;
}

int main(void) {
    int i, rc, wrong = 0;
    ax_loop_desc desc = {.alloc = loop_alloc};
    snprintf(file, sizeof file, "/tmp/asyncx-sqlite-%ld", (long)getpid());
    sqlite3_auto_extension((void (*)(void))add_begun);
    is(AX_RUN(values), 0, "values, rows and errors");
    is(AX_RUN(refusals), 0, "refusals");
    is(AX_RUN(cancels), 0, "cancellation");
    is(AX_RUN(race), 0, "a race of cancels");
    is(AX_RUN(transactions), 0, "transactions");
    is(AX_RUN(close_early), 0, "close");
    is(AX_RUN(lates), 0, "late");
    for (i = 0; i < 20; i++)
        if (AX_RUN(forgetful) < 0) break;
    is(i, 20, "the program ends without a close");
    is(AX_RUN(forgotten), 0, "afterwards");
    for (i = 0, rc = AX_ENOMEM; rc < 0 && i < 100; i++) {
        fail_at = i;
        rc = AX_RUN_WITH(&desc, poor);
        if (rc < 0 && rc != AX_ENOMEM) wrong++;
        if (rc == 0 && fail_at < 0) rc = AX_ENOMEM; /* that was the close */
    }
    fail_at = -1;
    ok(rc == 0 && !wrong && i > 10, "each of %d allocations may fail", i - 1);
    remove(file);
    return tap_end();
}
