/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking back: of each object the newest image that is not later than a moment. What is older than the beginning of
 * what is kept is thinned out to one image of each object, so a moment after it stays whole. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/sqlite/sqlite.h"

#define HISTORY_DAYS 90
#define HISTORY_KEPT 200000 /* changes after the beginning */
#define HISTORY_STEP 500

int sqlite_prepare_past(struct sqlite_engine *s, struct err *e)
{
    struct buf columns = BUF_INIT(0), policy = BUF_INIT(0);
    int code = 0;

    table_statement(&store_tables[RECORD_HISTORY], &sqlite_dialect, STATEMENT_SELECT, &columns);
    table_statement(&store_tables[RECORD_POLICY], &sqlite_dialect, STATEMENT_SELECT, &policy);
    char *at = mem_format("%s WHERE id IN (SELECT max(id) FROM history WHERE id<=(SELECT max(id) FROM history WHERE "
                          "time_ns<=?1) GROUP BY kind,\"key\") AND image<>''",
                          buf_text(&columns));
    char *text = mem_format("%s WHERE id=?1", buf_text(&policy));
    const struct {
        sqlite3 *db;
        sqlite3_stmt **stmt;
        const char *sql;
    } all[] = {
        {s->reader, &s->past_at, at},
        {s->reader, &s->past_policy, text},
        {s->reader, &s->past_since,
         "SELECT ifnull((SELECT value FROM counter WHERE name='history.since'),(SELECT min(time_ns) FROM history))"},
        {s->writer, &s->past_thin,
         "DELETE FROM history AS h WHERE id<=?1 AND (image='' OR EXISTS (SELECT 1 FROM history AS n WHERE "
         "n.kind=h.kind "
         "AND n.\"key\"=h.\"key\" AND n.id>h.id AND n.id<=?1))"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all) && code == 0; i++)
        code = sqlite_prepare(all[i].db, all[i].sql, all[i].stmt, e);
    buf_release(&columns);
    buf_release(&policy);
    free(at);
    free(text);
    return code;
}

/* ---- reading; with the reader's lock ---- */

static int read_since(struct sqlite_engine *s, int64_t *since_ns, struct err *e)
{
    int rc = sqlite3_step(s->past_since), code = 0;

    *since_ns = rc == SQLITE_ROW && sqlite3_column_type(s->past_since, 0) != SQLITE_NULL
                    ? sqlite3_column_int64(s->past_since, 0)
                    : INT64_MAX;
    if (rc != SQLITE_ROW)
        code = sqlite_error(s->reader, "read", e);
    sqlite3_reset(s->past_since);
    return code;
}

static int read_images(struct sqlite_engine *s, int64_t at_ns, struct store_past *out, struct err *e)
{
    VEC(struct history *) list = {0};
    int code = 0, rc = SQLITE_DONE;

    sqlite3_bind_int64(s->past_at, 1, at_ns);
    while (code == 0 && (rc = sqlite3_step(s->past_at)) == SQLITE_ROW) {
        vec_push(&list, history_new());
        code = sqlite_read(&store_tables[RECORD_HISTORY], s->past_at, list.items[list.len - 1], e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(s->reader, "read", e);
    sqlite3_reset(s->past_at);
    out->items = list.items;
    out->count = list.len;
    return code;
}

static int read_policy(struct sqlite_engine *s, struct store_past *out, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < out->count && code == 0; i++) {
        uint64_t id = 0;
        if (out->items[i]->kind != HISTORY_POLICY ||
            (code = str_u64(out->items[i]->image, 1, INT64_MAX, &id, "policy", e)) < 0)
            continue;
        sqlite3_bind_int64(s->past_policy, 1, (int64_t)id);
        if (sqlite3_step(s->past_policy) == SQLITE_ROW) {
            out->policy = policy_text_new();
            code = sqlite_read(&store_tables[RECORD_POLICY], s->past_policy, out->policy, e);
        }
        sqlite3_reset(s->past_policy);
    }
    return code;
}

int sqlite_past(struct engine *engine, int64_t at_ns, struct store_past *out, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int code;

    pthread_mutex_lock(s->reader_lock);
    code = read_since(s, &out->since_ns, e);
    if (code == 0 && at_ns >= out->since_ns) {
        code = read_images(s, at_ns, out, e);
        if (code == 0)
            code = read_policy(s, out, e);
    }
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

/* ---- retention; inside a transaction of the storage thread ---- */

/* Where the beginning moves to: over the oldest changes, where there are too many, or too old ones; 0: it stays. */
static int find_beginning(struct sqlite_engine *s, int64_t now_ns, int64_t *id, bool *more, struct err *e)
{
    int64_t from = 0, count = 0, step, old = 0;
    char sql[200];
    int code = sqlite_number(s->writer, "SELECT value FROM counter WHERE name='history.base'", 0, &from, e);

    *id = 0;
    if (code < 0)
        return code;
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM history WHERE id>%lld", (long long)from);
    if ((code = sqlite_number(s->writer, sql, 0, &count, e)) < 0)
        return code;
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM (SELECT 1 FROM history WHERE id>%lld AND time_ns<%lld LIMIT %d)",
             (long long)from, (long long)(now_ns - HISTORY_DAYS * 86400 * NS_PER_SECOND), HISTORY_STEP);
    if ((code = sqlite_number(s->writer, sql, 0, &old, e)) < 0)
        return code;
    step = count - HISTORY_KEPT > old ? count - HISTORY_KEPT : old;
    step = step > HISTORY_STEP ? HISTORY_STEP : step;
    if (step <= 0)
        return 0;
    *more |= step == HISTORY_STEP;
    snprintf(sql, sizeof(sql), "SELECT id FROM history WHERE id>%lld ORDER BY id LIMIT 1 OFFSET %lld", (long long)from,
             (long long)(step - 1));
    return sqlite_number(s->writer, sql, 0, id, e);
}

int sqlite_prune_past(struct sqlite_engine *s, int64_t now_ns, bool *more, struct err *e)
{
    int64_t id = 0, since = 0;
    char sql[96];
    int code = find_beginning(s, now_ns, &id, more, e);

    if (code < 0 || id == 0)
        return code;
    snprintf(sql, sizeof(sql), "SELECT time_ns FROM history WHERE id=%lld", (long long)id);
    if ((code = sqlite_number(s->writer, sql, 0, &since, e)) < 0)
        return code;
    sqlite3_bind_int64(s->past_thin, 1, id);
    if ((code = sqlite_run(s->past_thin, "write", e)) < 0 ||
        (code = sqlite_set_counter(s, "history.base", (uint64_t)id, e)) < 0)
        return code;
    return sqlite_set_counter(s, "history.since", (uint64_t)since, e);
}
