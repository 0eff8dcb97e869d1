/* SPDX-License-Identifier: BSD-3-Clause */
/* Queued groups share one transaction, each in a savepoint of its own, so that a refused one does not affect the
 * others. If the whole transaction fails (mostly because of a full disk), the log is checkpointed into the database,
 * and each group is tried alone: a small one may still fit. */
#include <stdio.h>

#include "base/array.h"
#include "store/sqlite/sqlite.h"

int sqlite_sync(struct sqlite_engine *s, bool full, struct err *e)
{
    int code;

    if (s->sync_full == full)
        return 0;
    code = sqlite_execute(s->writer, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
    if (code == 0)
        s->sync_full = full;
    return code;
}

static int prepare_text(struct sqlite_engine *s, struct buf *sql, sqlite3_stmt **out, struct err *e)
{
    int code = sqlite_prepare(s->writer, buf_text(sql), out, e);

    buf_clear(sql);
    return code;
}

static int prepare_table(struct sqlite_engine *s, size_t i, struct err *e)
{
    const struct store_table *t = &store_tables[i];
    struct buf sql = BUF_INIT(0);
    int code;

    table_statement(t, &sqlite_dialect, STATEMENT_PUT, &sql);
    code = prepare_text(s, &sql, &s->put[i], e);
    if (code == 0 && i < RECORD_KINDS) {
        table_statement(t, &sqlite_dialect, STATEMENT_DELETE, &sql);
        code = prepare_text(s, &sql, &s->del[i], e);
    }
    if (code == 0 && t->owner) {
        table_disown_statement(t, &sqlite_dialect, &sql);
        code = prepare_text(s, &sql, &s->disown[i], e);
    }
    buf_release(&sql);
    return code;
}

int sqlite_prepare_writes(struct sqlite_engine *s, struct err *e)
{
    const struct {
        sqlite3_stmt **stmt;
        const char *sql;
    } fixed[] = {
        {&s->begin, "BEGIN IMMEDIATE"}, {&s->commit, "COMMIT"},        {&s->savepoint, "SAVEPOINT one"},
        {&s->release, "RELEASE one"},   {&s->undo, "ROLLBACK TO one"},
    };
    int code = 0;

    for (size_t i = 0; i < STORE_TABLES && code == 0; i++)
        code = prepare_table(s, i, e);
    for (size_t i = 0; i < ARRAY_LEN(fixed) && code == 0; i++)
        code = sqlite_prepare(s->writer, fixed[i].sql, fixed[i].stmt, e);
    return code;
}

int sqlite_begin(struct sqlite_engine *s, struct err *e)
{
    return sqlite_run(s->begin, "write", e);
}

int sqlite_finish(struct sqlite_engine *s, int code, struct err *e)
{
    if (code == 0)
        code = sqlite_run(s->commit, "write", e);
    if (code < 0 && !sqlite3_get_autocommit(s->writer))
        sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* Deletes the rows that depend on a removed record. */
static int remove_owned(struct sqlite_engine *s, const struct record *r, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < STORE_TABLES && code == 0; i++) {
        if (!s->disown[i] || !str_eq(store_tables[i].owner, store_tables[r->kind].name))
            continue;
        sqlite3_bind_int64(s->disown[i], 1, (int64_t)r->id);
        code = sqlite_run(s->disown[i], "write", e);
    }
    return code;
}

static int apply_write(struct sqlite_engine *s, const struct store_write *w, struct err *e)
{
    const struct record *r = w->record;
    const struct store_table *t = &store_tables[r->kind];
    sqlite3_stmt *stmt = w->remove ? s->del[r->kind] : s->put[r->kind];
    int code = sqlite_bind(t, stmt, r, w->remove, e);

    if (code == 0)
        code = sqlite_run(stmt, "write", e);
    if (code == ERR_CONFLICT || code == ERR_INTERNAL)
        err_prefix(e, "%s %llu", t->name, (unsigned long long)r->id);
    if (code < 0)
        return code;
    ids_note(&s->ids, r);
    return w->remove ? remove_owned(s, r, e) : 0;
}

static int apply_group(struct sqlite_engine *s, struct store_group *g)
{
    int code = 0;

    for (size_t i = 0; i < g->count && code == 0; i++)
        code = apply_write(s, &g->writes[i], &g->err);
    return code;
}

int sqlite_set_counter(struct sqlite_engine *s, const char *name, uint64_t value, struct err *e)
{
    sqlite3_stmt *stmt = s->put[TABLE_COUNTER];

    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(stmt, 2, (int64_t)value);
    return sqlite_run(stmt, "write", e);
}

/* Raised numbers are kept even if their group was refused: an id is then skipped, which does no harm. */
static int put_counters(struct sqlite_engine *s, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < RECORD_KINDS && code == 0; i++) {
        char name[64];
        if (!s->ids.raised[i])
            continue;
        snprintf(name, sizeof(name), "next.%s", store_tables[i].name);
        code = sqlite_set_counter(s, name, s->ids.next[i], e);
    }
    return code;
}

/* One transaction over the list up to end. On a negative code all of it was undone. */
static int commit_together(struct sqlite_engine *s, struct store_group *list, const struct store_group *end,
                           struct err *e)
{
    int code = sqlite_sync(s, true, e);

    if (code == 0)
        code = sqlite_begin(s, e);
    if (code < 0)
        return code;
    for (struct store_group *g = list; g != end; g = g->next) {
        if (refusal_covers(&s->engine.refusal, g)) {
            refuse_groups(g, g->next, s->engine.refusal.err.code, &s->engine.refusal.err);
            continue;
        }
        code = sqlite_run(s->savepoint, "write", e);
        if (code < 0)
            return sqlite_finish(s, code, e);
        g->code = apply_group(s, g);
        if (g->code < 0 && sqlite3_get_autocommit(s->writer)) {
            if (e)
                *e = g->err;
            return g->code;
        }
        if (g->code < 0)
            code = sqlite_run(s->undo, "write", e);
        if (code == 0)
            code = sqlite_run(s->release, "write", e);
        if (code < 0)
            return sqlite_finish(s, code, e);
        refusal_note(&s->engine.refusal, g);
    }
    code = sqlite_finish(s, put_counters(s, e), e);
    if (code == 0)
        memset(s->ids.raised, 0, sizeof(s->ids.raised));
    return code;
}

int sqlite_commit(struct engine *engine, struct store_group *list, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    struct store_refusal before = s->engine.refusal;
    int failure;

    pthread_mutex_lock(&s->writer_lock);
    failure = commit_together(s, list, NULL, e);
    if (failure < 0) {
        failure = 0;
        s->engine.refusal = before;
        sqlite3_wal_checkpoint_v2(s->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        for (struct store_group *g = list; g; g = g->next) {
            int code = commit_together(s, g, g->next, e);
            if (code < 0)
                refuse_groups(g, g->next, failure = code, e);
            refusal_note(&s->engine.refusal, g);
        }
    }
    pthread_mutex_unlock(&s->writer_lock);
    return failure;
}

int sqlite_put_live(struct engine *engine, const struct live_row *rows, size_t count, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    const struct store_table *t = &store_tables[TABLE_NODE_LIVE];
    int code;

    pthread_mutex_lock(&s->writer_lock);
    code = sqlite_sync(s, false, e);
    if (code == 0)
        code = sqlite_begin(s, e);
    if (code == 0) {
        for (size_t i = 0; i < count && code == 0; i++) {
            code = sqlite_bind(t, s->put[TABLE_NODE_LIVE], &rows[i], false, e);
            if (code == 0)
                code = sqlite_run(s->put[TABLE_NODE_LIVE], "write", e);
        }
        code = sqlite_finish(s, code, e);
    }
    pthread_mutex_unlock(&s->writer_lock);
    return code;
}

int sqlite_try_writing(struct engine *engine, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int code;

    pthread_mutex_lock(&s->writer_lock);
    code = sqlite_sync(s, true, e);
    if (code == 0)
        code = sqlite_execute(s->writer, "UPDATE counter SET value=value WHERE name='run'", e);
    pthread_mutex_unlock(&s->writer_lock);
    return code;
}
