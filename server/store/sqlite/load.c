/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads everything at start, in one read transaction. What cannot be read stops the start with the row's name; soft
 * state that cannot be read is only forgotten. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite/sqlite.h"

static void add_order(const struct store_table *t, struct buf *sql)
{
    buf_adds(sql, " ORDER BY ");
    if (t->order)
        buf_adds(sql, t->order);
    for (size_t i = 0; i < t->key_count && !t->order; i++)
        buf_addf(sql, "%s\"%s\"", i ? "," : "", t->columns[i].name);
}

static int select_all(sqlite3 *db, const struct store_table *t, sqlite3_stmt **out, struct err *e)
{
    struct buf sql = BUF_INIT(0);
    int code;

    table_statement(t, &sqlite_dialect, STATEMENT_SELECT, &sql);
    add_order(t, &sql);
    code = sqlite_prepare(db, buf_text(&sql), out, e);
    buf_release(&sql);
    return code;
}

static int load_table(sqlite3 *db, enum record_kind kind, struct store_image *image, struct err *e)
{
    const struct store_table *t = &store_tables[kind];
    sqlite3_stmt *stmt = NULL;
    int code = select_all(db, t, &stmt, e), rc = SQLITE_DONE;

    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        code = sqlite_read(t, stmt, image_add(image, kind), e);
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(db, "read", e);
    sqlite3_finalize(stmt);
    return code;
}

static void load_live(sqlite3_stmt *stmt, struct store_image *image)
{
    struct live_row row = {.live = {.healthy = true, .net_info = mem_strdup(""), .source = mem_strdup("")}};
    int64_t id = sqlite3_column_int64(stmt, 0);
    struct node_live *live = image_live(image, (uint64_t)id);
    struct err why;

    if (live && sqlite_read(&store_tables[TABLE_NODE_LIVE], stmt, &row, &why) < 0)
        log_warn("store", "node %lld: %s; it is forgotten, and what stands after it", (long long)id, why.message);
    node_live_release(live ? live : &row.live);
    if (live)
        *live = row.live;
}

static int load_lives(sqlite3 *db, struct store_image *image, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = select_all(db, &store_tables[TABLE_NODE_LIVE], &stmt, e), rc = SQLITE_DONE;

    image_make_lives(image);
    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        load_live(stmt, image);
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(db, "read", e);
    sqlite3_finalize(stmt);
    return code;
}

/* The number of a record of this kind; the journal's entries have theirs beside the run. */
static const char *id_column(const struct store_table *t)
{
    return t->columns[t->key_count - 1].name;
}

int sqlite_read_counters(sqlite3 *db, uint64_t next_id[RECORD_KINDS], struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < RECORD_KINDS && code == 0; i++) {
        const struct store_table *t = &store_tables[i];
        int64_t counted = 1, used = 0;
        char *sql;

        if (!table_is_numbered(t))
            continue;
        sql = mem_format("SELECT value FROM counter WHERE name='next.%s'", t->name);
        code = sqlite_number(db, sql, 1, &counted, e);
        free(sql);
        if (code < 0)
            continue;
        sql = mem_format("SELECT max(%s) FROM \"%s\"", id_column(t), t->name);
        code = sqlite_number(db, sql, 0, &used, e);
        free(sql);
        next_id[i] = (uint64_t)(counted > used ? counted : used + 1);
    }
    return code;
}

int sqlite_load_all(sqlite3 *db, struct store_image *image, struct err *e)
{
    int code = 0;

    for (size_t kind = 0; kind < RECORD_KINDS && code == 0; kind++)
        if (store_tables[kind].length)
            code = load_table(db, (enum record_kind)kind, image, e);
    if (code == 0)
        code = load_lives(db, image, e);
    return code == 0 ? sqlite_read_counters(db, image->next_id, e) : code;
}

int sqlite_load(struct engine *engine, struct store_image *image, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int code;

    pthread_mutex_lock(s->reader_lock);
    code = sqlite_execute(s->reader, "BEGIN", e);
    if (code == 0) {
        code = sqlite_load_all(s->reader, image, e);
        sqlite3_exec(s->reader, "COMMIT", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(s->reader_lock);
    return code;
}
