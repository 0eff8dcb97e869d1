/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections as used by the rest of the store. */
#include "store/sqlite/sqlite.h"

static int run(struct store_sql *sql, const char *text, store_row *row, void *arg, struct err *e)
{
    struct sqlite_lent *lent = (struct sqlite_lent *)sql;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite_prepare(lent->db, text, &stmt, e), rc = SQLITE_DONE;

    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        lent->row = stmt;
        code = row ? row(sql, arg, e) : 0;
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(lent->db, sqlite3_stmt_readonly(stmt) ? "read" : "write", e);
    sqlite3_finalize(stmt);
    return code;
}

static int64_t number(struct store_sql *sql, int column)
{
    return sqlite3_column_int64(((struct sqlite_lent *)sql)->row, column);
}

static int read_row(struct store_sql *sql, const struct store_table *t, void *record, struct err *e)
{
    return sqlite_read(t, ((struct sqlite_lent *)sql)->row, record, e);
}

static int put(struct store_sql *sql, const struct store_table *t, const void *record, struct err *e)
{
    struct sqlite_lent *lent = (struct sqlite_lent *)sql;
    sqlite3_stmt **stmt = &lent->put[t - store_tables];
    int code = 0;

    if (!*stmt) {
        struct buf text = BUF_INIT(0);
        table_statement(t, &sqlite_dialect, STATEMENT_PUT, &text);
        code = sqlite_prepare(lent->db, buf_text(&text), stmt, e);
        buf_release(&text);
    }
    if (code == 0)
        code = sqlite_bind(t, *stmt, record, false, e);
    return code == 0 ? sqlite_run(*stmt, "write", e) : code;
}

static int put_end(struct store_sql *sql, struct err *e)
{
    struct sqlite_lent *lent = (struct sqlite_lent *)sql;

    (void)e;
    for (size_t i = 0; i < STORE_TABLES; i++) {
        sqlite3_finalize(lent->put[i]);
        lent->put[i] = NULL;
    }
    return 0;
}

struct sqlite_lent sqlite_lend(sqlite3 *db)
{
    static const struct store_sql_calls calls = {
        .run = run, .number = number, .read = read_row, .put = put, .put_end = put_end};

    return (struct sqlite_lent){.sql = {.calls = &calls, .dialect = &sqlite_dialect}, .db = db};
}

int sqlite_reading(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    struct sqlite_lent lent = sqlite_lend(s->reader);
    int code;

    pthread_mutex_lock(s->reader_lock);
    code = sqlite_execute(s->reader, "BEGIN", e);
    if (code == 0) {
        code = use(&lent.sql, arg, e);
        sqlite3_exec(s->reader, "COMMIT", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

int sqlite_snapshot(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    sqlite3 *db = NULL;
    int code = sqlite_connect(s->path, SQLITE_OPEN_READONLY, &db, e);

    if (code == 0)
        code = sqlite_execute(db, "BEGIN", e);
    if (code == 0) {
        struct sqlite_lent lent = sqlite_lend(db);
        code = use(&lent.sql, arg, e);
    }
    sqlite_disconnect(db);
    return code;
}

int sqlite_writing(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    struct sqlite_lent lent = sqlite_lend(s->writer);
    int code;

    pthread_mutex_lock(&s->writer_lock);
    code = sqlite_sync(s, false, e);
    if (code == 0)
        code = sqlite_begin(s, e);
    if (code == 0)
        code = sqlite_finish(s, use(&lent.sql, arg, e), e);
    pthread_mutex_unlock(&s->writer_lock);
    return code;
}
