/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections as used by the rest of the store. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "store/postgres/pg.h"

#define READER_WAIT_MS  5000
#define READER_RETRY_MS 500
#define PING_WAIT_MS    1000
#define ANSWERED_MS     3000 /* the writer gets an answer each second */
/* The server stops working on a query whose client is gone: repeated requests would fill it with abandoned queries.
 * Servers on some systems do not know the setting. */
#define READER_SETTINGS                                                                                                \
    "SELECT set_config('client_connection_check_interval','2s',false) WHERE version() LIKE '%linux%'"

/* Row by row: a table may be too large to be held in memory twice. After an error the rest of the result is read and
 * discarded. */
static int run(struct store_sql *sql, const char *text, store_row *row, void *arg, struct err *e)
{
    struct pg_lent *lent = (struct pg_lent *)sql;
    struct pg_conn *c = lent->conn;
    PGresult *r;
    int code = 0;

    if (!c->db || !PQsendQuery(c->db, text) || !PQsetSingleRowMode(c->db))
        return pg_error(c, NULL, "read", e);
    while ((r = pg_next(c))) {
        ExecStatusType status = PQresultStatus(r);
        if (code == 0 && status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            code = pg_error(c, r, "read", e);
        lent->result = r;
        for (lent->row = 0; code == 0 && row && lent->row < PQntuples(r); lent->row++)
            code = row(sql, arg, e);
        PQclear(r);
    }
    return code == 0 && !pg_alive(c) ? pg_error(c, NULL, "read", e) : code;
}

static int64_t number(struct store_sql *sql, int column)
{
    const struct pg_lent *lent = (const struct pg_lent *)sql;

    return strtoll(PQgetvalue(lent->result, lent->row, column), NULL, 10);
}

static int read_row(struct store_sql *sql, const struct store_table *t, void *record, struct err *e)
{
    const struct pg_lent *lent = (const struct pg_lent *)sql;

    return pg_read(t, lent->result, lent->row, record, e);
}

struct pg_lent pg_lend(struct pg_conn *c)
{
    static const struct store_sql_calls calls = {
        .run = run, .number = number, .read = read_row, .put = pg_put, .put_end = pg_put_end};

    return (struct pg_lent){.sql = {.calls = &calls, .dialect = &pg_dialect}, .conn = c};
}

int pg_snapshot(struct pg_conn *c, store_use *use, void *arg, struct err *e)
{
    struct pg_lent lent = pg_lend(c);
    int code = pg_execute(c, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", e);

    if (code < 0)
        return code;
    code = use(&lent.sql, arg, e);
    if (c->db && pg_execute(c, "ROLLBACK", NULL) < 0)
        pg_disconnect(c);
    return code;
}

/* ---- the reader ---- */

int pg_connect_reader(struct pg_engine *en, struct err *e)
{
    int code = pg_connect(&en->reader, &en->place, "reader", e);

    en->reader.wait_ms = READER_WAIT_MS;
    return code == 0 ? pg_execute(&en->reader, READER_SETTINGS, e) : code;
}

static int connect_reader(struct pg_engine *en, struct err *e)
{
    int64_t now = clock_mono_ms();

    if (en->reader.db && pg_execute(&en->reader, "SELECT 1", NULL) == 0)
        return 0;
    if (now < en->reader_retry_ms) {
        if (e)
            *e = en->reader_why;
        return en->reader_why.code;
    }
    int code = pg_connect_reader(en, &en->reader_why);
    if (code < 0) {
        en->reader_retry_ms = clock_mono_ms() + READER_RETRY_MS;
        if (e)
            *e = en->reader_why;
    }
    return code;
}

/* False: other readers took too long. */
static bool take_reader(struct pg_engine *en, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    bool in_time = true;

    pthread_mutex_lock(&en->reader_lock);
    while (en->reader_taken && in_time)
        in_time = thread_cond_wait(&en->reader_free, &en->reader_lock, until_ms);
    bool taken = !en->reader_taken;
    en->reader_taken = true;
    pthread_mutex_unlock(&en->reader_lock);
    return taken;
}

static void give_reader(struct pg_engine *en)
{
    pthread_mutex_lock(&en->reader_lock);
    en->reader_taken = false;
    pthread_cond_signal(&en->reader_free);
    pthread_mutex_unlock(&en->reader_lock);
}

static int read_taken(struct pg_engine *en, store_use *use, void *arg, struct err *e)
{
    int code = connect_reader(en, e);

    if (code == 0)
        code = pg_snapshot(&en->reader, use, arg, e);
    give_reader(en);
    return code;
}

int pg_reading(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    if (!take_reader(en, READER_WAIT_MS))
        return err_set(e, ERR_UNAVAILABLE, "%s: others have read from it for too long: try again", en->place.called);
    return read_taken(en, use, arg, e);
}

static int ask_run(struct store_sql *db, void *arg, struct err *e)
{
    int64_t run = 0;

    (void)arg;
    return sql_number(db, 0, &run, e, "SELECT run FROM server");
}

int pg_ping(struct engine *engine, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    if (take_reader(en, PING_WAIT_MS))
        return read_taken(en, ask_run, NULL, e);
    int64_t answered_ms = atomic_load(&en->answered_ms);
    return clock_mono_ms() - answered_ms < ANSWERED_MS
               ? 0
               : err_set(e, ERR_UNAVAILABLE, "%s: it does not answer", en->place.called);
}

int pg_long_snapshot(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;
    struct pg_conn c = {0};
    int code = pg_connect(&c, &en->place, "snapshot", e);

    if (code == 0)
        code = pg_snapshot(&c, use, arg, e);
    pg_disconnect(&c);
    return code;
}

/* ---- the writer ---- */

int pg_writing(struct engine *engine, store_use *use, void *arg, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;
    struct pg_conn *c = &en->writer;
    struct pg_lent lent = pg_lend(c);
    int code;

    pthread_mutex_lock(&en->writer_lock);
    code = pg_execute(c, "BEGIN; SET LOCAL synchronous_commit=off; " PG_NO_TRANSACTION_LIMIT, e);
    if (code == 0)
        code = use(&lent.sql, arg, e);
    if (lent.putting && code == 0)
        code = pg_put_end(&lent.sql, e);
    pg_put_drop(&lent);
    if (code == 0)
        code = pg_execute(c, "COMMIT", e);
    else if (c->db && pg_execute(c, "ROLLBACK", NULL) < 0)
        pg_disconnect(c);
    pthread_mutex_unlock(&en->writer_lock);
    return code;
}
