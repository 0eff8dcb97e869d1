/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of the journal, looking back, and past policy texts. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "store/tables/sql.h"

static long long bounded(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (long long)number;
}

struct record_rows {
    const struct store_table *table;
    enum record_kind kind;
    VEC(void *) list;
};

static int take_record(struct store_sql *db, void *arg, struct err *e)
{
    struct record_rows *rows = arg;

    vec_push(&rows->list, record_new(rows->kind));
    return db->calls->read(db, rows->table, rows->list.items[rows->list.len - 1], e);
}

/* Runs a statement, frees it and returns its rows. On an error the list is empty. */
static int read_rows(struct store_sql *db, enum record_kind kind, char *sql, void *out, size_t *count, struct err *e)
{
    struct record_rows rows = {.table = &store_tables[kind], .kind = kind};
    int code = db->calls->run(db, sql, take_record, &rows, e);

    free(sql);
    for (size_t i = 0; code < 0 && i < rows.list.len; i++)
        record_unref(rows.list.items[i]);
    if (code < 0)
        vec_release(&rows.list);
    memcpy(out, &rows.list.items, sizeof(void *));
    *count = rows.list.len;
    return code;
}

/* ---- the journal ---- */

int sql_position(struct store_sql *db, uint64_t run, uint64_t seq, struct journal_position *out, struct err *e)
{
    long long r = bounded(run), s = bounded(seq);
    int64_t has = 0, pruned = 0;
    int code;

    /* No entry has a number after the greatest. */
    if ((code = sql_number(db, 0, &has, e, "SELECT 1 FROM event WHERE run=%lld AND seq IN (%lld,%lld)", r, s,
                           s < INT64_MAX ? s + 1 : s)) < 0 ||
        (code = sql_number(db, 0, &pruned, e,
                           "SELECT 1 FROM counter AS r, counter AS s WHERE r.name='pruned.run' AND s.name='pruned.seq' "
                           "AND (r.value,s.value)>(%lld,%lld)",
                           r, s)) < 0)
        return code;
    out->kept = has == 1;
    out->pruned = pruned == 1;
    return sql_number(db, -1, &out->durable, e, "SELECT coalesce(max(seq),-1) FROM event WHERE run=%lld", r);
}

int sql_events(struct store_sql *db, const struct journal_page *page, struct event ***out, size_t *count, struct err *e)
{
    char *where = mem_format(page->backwards ? " WHERE (run,seq)<(%lld,%lld) ORDER BY run DESC,seq DESC LIMIT %zu"
                                             : " WHERE (run,seq)>(%lld,%lld) ORDER BY run,seq LIMIT %zu",
                             bounded(page->run), bounded(page->seq), page->limit);
    char *sql = sql_select(db, &store_tables[RECORD_EVENT], "%s", where);

    free(where);
    return read_rows(db, RECORD_EVENT, sql, out, count, e);
}

struct span_counts {
    size_t count;
    uint64_t *counts;
};

static int take_cell(struct store_sql *db, void *arg, struct err *e)
{
    struct span_counts *c = arg;
    int64_t cell = db->calls->number(db, 0);

    (void)e;
    if (cell >= 0 && (uint64_t)cell < c->count)
        c->counts[cell] = (uint64_t)db->calls->number(db, 1);
    return 0;
}

int sql_event_counts(struct store_sql *db, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts,
                     struct err *e)
{
    struct span_counts c = {.count = cells, .counts = counts};
    int64_t until_ns = from_ns + step_ns * (int64_t)cells;

    return sql_run(
        db, take_cell, &c, e,
        "SELECT (time_ns-(%lld))/%lld AS cell,count(*) FROM event WHERE time_ns>=%lld AND time_ns<%lld GROUP "
        "BY cell",
        (long long)from_ns, (long long)step_ns, (long long)from_ns, (long long)until_ns);
}

/* ---- the past ---- */

static int read_policy(struct store_sql *db, struct store_past *out, struct err *e)
{
    struct policy_text **found = NULL;
    int code = 0;

    for (size_t i = 0; i < out->count && code == 0; i++) {
        uint64_t id = 0;
        size_t count = 0;
        if (out->items[i]->kind != HISTORY_POLICY ||
            (code = str_u64(out->items[i]->image, 1, INT64_MAX, &id, "policy", e)) < 0)
            continue;
        char *sql = sql_select(db, &store_tables[RECORD_POLICY], " WHERE id=%llu", (unsigned long long)id);
        code = read_rows(db, RECORD_POLICY, sql, &found, &count, e);
        if (count)
            out->policy = found[0];
        free(found);
    }
    return code;
}

int sql_past(struct store_sql *db, int64_t at_ns, struct store_past *out, struct err *e)
{
    int code = sql_number(db, INT64_MAX, &out->since_ns, e,
                          "SELECT coalesce((SELECT value FROM counter WHERE name='history.since'),(SELECT min(time_ns) "
                          "FROM history),%lld)",
                          (long long)INT64_MAX);

    if (code < 0 || at_ns < out->since_ns)
        return code;
    char *sql = sql_select(db, &store_tables[RECORD_HISTORY],
                           " WHERE id IN (SELECT max(id) FROM history WHERE id<=(SELECT max(id) FROM history WHERE "
                           "time_ns<=%lld) GROUP BY kind,\"key\") AND image<>''",
                           (long long)at_ns);
    code = read_rows(db, RECORD_HISTORY, sql, &out->items, &out->count, e);
    return code == 0 ? read_policy(db, out, e) : code;
}

int sql_policies(struct store_sql *db, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                 size_t *count, struct err *e)
{
    /* A list leaves out the texts; columns in the table's order. */
    char *sql = version
                    ? sql_select(db, &store_tables[RECORD_POLICY], " WHERE version=%lld ORDER BY id DESC LIMIT 1",
                                 bounded(version))
                    : mem_format("SELECT id,version,'' AS text,updated_ns,author,note FROM policy WHERE version<%lld "
                                 "ORDER BY version DESC LIMIT %zu",
                                 bounded(before), limit);

    return read_rows(db, RECORD_POLICY, sql, out, count, e);
}
