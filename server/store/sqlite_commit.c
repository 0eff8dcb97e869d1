/* SPDX-License-Identifier: BSD-3-Clause */
/* What the storage thread writes. Groups that queued up share one transaction, each in a savepoint of its own, so that
 * one that is refused takes nothing with it. Where the whole transaction fails (a full disk mostly), the log is emptied
 * into the database, and each group is tried alone: a small one may still fit. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/private.h"

#define LIVE_STEP                                                                                                      \
    1000 /* rows a transaction, so that who waits for a commit does not wait for ten thousand of these                 \
          */

int store_sync(struct store *s, bool full, struct err *e)
{
    int code;

    if (s->sync_full == full)
        return 0;
    code = sql_exec(s->writer, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
    if (code == 0)
        s->sync_full = full;
    return code;
}

static int prepare_table(struct store *s, size_t kind, struct err *e)
{
    struct buf put = BUF_INIT(0), del = BUF_INIT(0);
    int code;

    table_sql(&store_tables[kind], TABLE_PUT, &put);
    table_sql(&store_tables[kind], TABLE_DELETE, &del);
    code = sql_prepare(s->writer, buf_text(&put), &s->put[kind], e);
    if (code == 0)
        code = sql_prepare(s->writer, buf_text(&del), &s->del[kind], e);
    buf_release(&put);
    buf_release(&del);
    return code;
}

int store_prepare_writes(struct store *s, struct err *e)
{
    const struct {
        sqlite3_stmt **stmt;
        const char *sql;
    } fixed[] = {
        {&s->begin, "BEGIN IMMEDIATE"},
        {&s->commit, "COMMIT"},
        {&s->savepoint, "SAVEPOINT one"},
        {&s->release, "RELEASE one"},
        {&s->undo, "ROLLBACK TO one"},
        /* Only for a node that exists: a late one must not outlive its node. */
        {&s->live_put,
         "INSERT INTO node_live(id,last_seen_ns,home_derp,endpoints,net_info) SELECT ?1,?2,?3,?4,?5 WHERE "
         "EXISTS(SELECT 1 FROM node WHERE id=?1) ON CONFLICT(id) DO UPDATE SET "
         "last_seen_ns=excluded.last_seen_ns,home_derp=excluded.home_derp,endpoints=excluded.endpoints,"
         "net_info=excluded.net_info"},
        {&s->live_del, "DELETE FROM node_live WHERE id=?1"},
        {&s->primary_forget, "DELETE FROM primary_router WHERE node_id=?1"},
        {&s->counter_put, "INSERT INTO counter(name,value) VALUES('next.'||?1,?2) ON CONFLICT(name) DO UPDATE SET "
                          "value=max(value,excluded.value)"},
        {&s->state_put,
         "INSERT INTO state(at_ns,run,seq,json,bytes) VALUES(?1,?2,?3,?4,?5) ON CONFLICT(at_ns) DO NOTHING"},
    };
    int code = 0;

    for (size_t i = 0; i < STORE_KINDS && code == 0; i++)
        code = prepare_table(s, i, e);
    for (size_t i = 0; i < ARRAY_LEN(fixed) && code == 0; i++)
        code = sql_prepare(s->writer, fixed[i].sql, fixed[i].stmt, e);
    return code;
}

int store_begin(struct store *s, struct err *e)
{
    return sql_run(s->begin, "write", e);
}

int store_finish(struct store *s, int code, struct err *e)
{
    if (code == 0)
        code = sql_run(s->commit, "write", e);
    if (code < 0 && !sqlite3_get_autocommit(s->writer))
        sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static int put_state(struct store *s, const struct group *g, struct err *e)
{
    sqlite3_bind_int64(s->state_put, 1, g->state_ns);
    sqlite3_bind_int64(s->state_put, 2, (int64_t)g->state_run);
    sqlite3_bind_int64(s->state_put, 3, (int64_t)g->state_seq);
    sqlite3_bind_text(s->state_put, 4, g->state_json, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->state_put, 5, (int64_t)strlen(g->state_json));
    return sql_run(s->state_put, "write", e);
}

static void note_id(struct store *s, const struct record *r)
{
    if (r->kind == RECORD_PRIMARY || r->id < s->next_id[r->kind])
        return;
    s->next_id[r->kind] = r->id + 1;
    s->next_dirty[r->kind] = true;
}

static int apply_write(struct store *s, const struct store_write *w, struct err *e)
{
    const struct record *r = w->record;
    sqlite3_stmt *stmt = w->remove ? s->del[r->kind] : s->put[r->kind];
    int code = table_bind(&store_tables[r->kind], stmt, r, w->remove, e);

    if (code == 0)
        code = sql_run(stmt, "write", e);
    if (code == ERR_CONFLICT)
        err_prefix(e, "%s %llu", store_tables[r->kind].name, (unsigned long long)r->id);
    if (code < 0)
        return code;
    note_id(s, r);
    if (w->remove && r->kind == RECORD_NODE) {
        sqlite3_bind_int64(s->live_del, 1, (int64_t)r->id);
        code = sql_run(s->live_del, "write", e);
        if (code == 0) {
            sqlite3_bind_int64(s->primary_forget, 1, (int64_t)r->id);
            code = sql_run(s->primary_forget, "write", e);
        }
    }
    return code;
}

static int apply_group(struct store *s, struct group *g)
{
    int code = 0;

    if (g->state_json)
        code = put_state(s, g, &g->err);
    for (size_t i = 0; i < g->count && code == 0; i++)
        code = apply_write(s, &g->writes[i], &g->err);
    return code;
}

/* Raised numbers are kept even where their group was refused: an id is skipped then, which does no harm. */
static int put_counters(struct store *s, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < STORE_KINDS && code == 0; i++) {
        if (!s->next_dirty[i])
            continue;
        sqlite3_bind_text(s->counter_put, 1, store_tables[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s->counter_put, 2, (int64_t)s->next_id[i]);
        code = sql_run(s->counter_put, "write", e);
    }
    return code;
}

/* One transaction over the list up to end. A negative code: all of it was undone. */
static int commit_together(struct store *s, struct group *list, const struct group *end, struct err *e)
{
    int code = store_sync(s, true, e);

    if (code == 0)
        code = store_begin(s, e);
    if (code < 0)
        return code;
    for (struct group *g = list; g != end; g = g->next) {
        code = sql_run(s->savepoint, "write", e);
        if (code < 0)
            return store_finish(s, code, e);
        g->code = apply_group(s, g);
        if (g->code < 0 && sqlite3_get_autocommit(s->writer)) {
            if (e)
                *e = g->err;
            return g->code;
        }
        if (g->code < 0)
            code = sql_run(s->undo, "write", e);
        if (code == 0)
            code = sql_run(s->release, "write", e);
        if (code < 0)
            return store_finish(s, code, e);
    }
    code = store_finish(s, put_counters(s, e), e);
    if (code == 0)
        memset(s->next_dirty, 0, sizeof(s->next_dirty));
    return code;
}

static void refuse(struct group *list, const struct group *end, int code, const struct err *e)
{
    for (struct group *g = list; g != end; g = g->next) {
        g->code = code;
        g->err = *e;
    }
}

static bool concerns_all(int code)
{
    return code == ERR_UNAVAILABLE || code == ERR_IO;
}

void store_note(struct store *s, int code, const struct err *e)
{
    static struct log_limit limit;
    int before;

    if (code < 0 && !concerns_all(code))
        return;
    pthread_mutex_lock(&s->lock);
    before = s->trouble;
    s->trouble = code;
    if (code < 0)
        s->trouble_err = *e;
    pthread_mutex_unlock(&s->lock);
    if (code < 0)
        log_limited(&limit, 6, LOG_LEVEL_ERROR, "store", "%s", e->message);
    else if (before < 0)
        log_info("store", "%s: writing works again", s->path);
}

static void answer(struct group *g)
{
    if (g->done)
        g->done(g->arg, g->code, &g->err);
    for (size_t i = 0; i < g->count; i++)
        record_unref(g->writes[i].record);
    free(g->state_json);
    free(g);
}

void store_commit(struct store *s, struct group *list)
{
    struct err e = {0};
    struct group *next;
    int code;

    pthread_mutex_lock(&s->writer_lock);
    code = commit_together(s, list, NULL, &e);
    if (code < 0) {
        sqlite3_wal_checkpoint_v2(s->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        for (struct group *g = list; g; g = g->next) {
            code = commit_together(s, g, g->next, &e);
            if (code < 0)
                refuse(g, g->next, code, &e);
        }
    }
    pthread_mutex_unlock(&s->writer_lock);
    store_note(s, code, &e);
    for (struct group *g = list; g; g = next) {
        static struct log_limit limit;
        next = g->next;
        if (g->code < 0 && !g->done)
            log_limited(&limit, 6, LOG_LEVEL_ERROR, "store", "not written: %s", g->err.message);
        answer(g);
    }
}

/* ---- soft state ---- */

static int put_live(struct store *s, const struct map_entry *entry, struct err *e)
{
    const struct node_live *live = entry->value;
    struct buf endpoints = BUF_INIT(0);
    uint64_t id;
    int code;

    memcpy(&id, entry->key, sizeof(id));
    endpoints_format(live, &endpoints);
    sqlite3_bind_int64(s->live_put, 1, (int64_t)id);
    sqlite3_bind_int64(s->live_put, 2, live->last_seen_ns);
    sqlite3_bind_int64(s->live_put, 3, live->home_derp);
    sqlite3_bind_text(s->live_put, 4, buf_text(&endpoints), -1, SQLITE_STATIC);
    sqlite3_bind_text(s->live_put, 5, live->net_info ? live->net_info : "", -1, SQLITE_STATIC);
    code = sql_run(s->live_put, "write", e);
    buf_release(&endpoints);
    return code;
}

bool store_commit_live(struct store *s, struct map *live)
{
    struct map_entry *written[LIVE_STEP];
    struct err e = {0};
    size_t count = 0;
    int code;

    pthread_mutex_lock(&s->writer_lock);
    code = store_sync(s, false, &e);
    if (code == 0)
        code = store_begin(s, &e);
    if (code == 0) {
        for (struct map_entry *m = map_first(live); m && count < LIVE_STEP && code == 0; m = map_next(live, m)) {
            code = put_live(s, m, &e);
            written[count++] = m;
        }
        code = store_finish(s, code, &e);
    }
    pthread_mutex_unlock(&s->writer_lock);
    store_note(s, code, &e);
    if (code < 0 && concerns_all(code))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct node_live *gone = written[i]->value;
        map_del(live, written[i]->key, written[i]->len);
        node_live_release(gone);
        free(gone);
    }
    return true;
}
