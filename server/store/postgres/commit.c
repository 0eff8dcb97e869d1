/* SPDX-License-Identifier: BSD-3-Clause */
/* Queued groups share one transaction, sent in one pipeline. It increments the number of the newest commit, and only if
 * that is the one that this daemon knows. If one group is refused, each is tried alone. If the connection breaks before
 * the answer, the groups stay open, with their number: pg_reach finds out. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/postgres/pg.h"

#define BATCH 500 /* groups in one transaction */

enum { MAX_PARAMETERS = 64 };

struct pg_command {
    char name[24]; /* of a prepared statement, or "" */
    const char *sql;
    struct pg_values values;
    struct store_group *group; /* NULL: for all groups */
    const char *table;
    uint64_t id;
};

struct pg_pipeline {
    struct pg_engine *en;
    struct arena arena;
    VEC(struct pg_command) commands;
    struct err err;
    int code;
    bool fenced; /* another daemon, or an older state of the database, is in place */
    bool broken;
};

/* ---- statements ---- */

static int prepare(struct pg_conn *c, const char *name, const char *sql, const struct store_table *t, size_t count,
                   struct err *e)
{
    Oid oids[MAX_PARAMETERS];
    PGresult *r;
    int code = 0;

    for (size_t i = 0; i < count; i++)
        oids[i] = pg_column_oid(&t->columns[i]);
    if (!c->db || !PQsendPrepare(c->db, name, sql, (int)count, oids))
        return pg_error(c, NULL, "write", e);
    while ((r = pg_next(c))) {
        if (code == 0 && PQresultStatus(r) != PGRES_COMMAND_OK)
            code = pg_error(c, r, "write", e);
        PQclear(r);
    }
    return code == 0 && !pg_alive(c) ? pg_error(c, NULL, "write", e) : code;
}

static int prepare_one(struct pg_conn *c, char kind, size_t i, struct err *e)
{
    const struct store_table *t = &store_tables[i];
    struct buf sql = BUF_INIT(0);
    size_t count = kind == 'p' ? t->count : kind == 'd' ? t->key_count : 1;
    char name[24];

    if (kind == 'o')
        table_disown_statement(t, &pg_dialect, &sql);
    else
        table_statement(t, &pg_dialect, kind == 'p' ? STATEMENT_PUT : STATEMENT_DELETE, &sql);
    snprintf(name, sizeof(name), "%c%zu", kind, i);
    int code = prepare(c, name, buf_text(&sql), &store_tables[kind == 'o' ? (size_t)RECORD_NODE : i], count, e);
    buf_release(&sql);
    return code;
}

int pg_prepare_writes(struct pg_conn *c, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < STORE_TABLES && code == 0; i++) {
        code = prepare_one(c, 'p', i, e);
        if (code == 0 && i < RECORD_KINDS)
            code = prepare_one(c, 'd', i, e);
        if (code == 0 && store_tables[i].owner)
            code = prepare_one(c, 'o', i, e);
    }
    return code;
}

/* ---- building the pipeline ---- */

static struct pg_command *add(struct pg_pipeline *p, struct store_group *g)
{
    struct pg_command *c = vec_add(&p->commands);

    *c = (struct pg_command){.group = g};
    return c;
}

static void add_sql(struct pg_pipeline *p, const char *sql)
{
    add(p, NULL)->sql = arena_strdup(&p->arena, sql);
}

static void add_prepared(struct pg_pipeline *p, struct store_group *g, char kind, size_t table,
                         const struct pg_values *v, uint64_t id)
{
    struct pg_command *c = add(p, g);

    snprintf(c->name, sizeof(c->name), "%c%zu", kind, table);
    c->values = *v;
    c->table = store_tables[table].name;
    c->id = id;
}

/* Deletes the rows that depend on a removed record. */
static void add_owned(struct pg_pipeline *p, struct store_group *g, const struct record *r)
{
    for (size_t i = 0; i < STORE_TABLES; i++) {
        struct pg_values v = {.count = 1};
        if (!store_tables[i].owner || !str_eq(store_tables[i].owner, store_tables[r->kind].name))
            continue;
        char id[24];
        snprintf(id, sizeof(id), "%llu", (unsigned long long)r->id);
        v.texts = arena_alloc(&p->arena, sizeof(*v.texts));
        v.texts[0] = arena_strdup(&p->arena, id);
        add_prepared(p, g, 'o', i, &v, r->id);
    }
}

/* A group that cannot be stored gets its result here and adds nothing. */
static void add_group(struct pg_pipeline *p, struct store_group *g)
{
    size_t before = p->commands.len;

    for (size_t i = 0; i < g->count; i++) {
        const struct store_write *w = &g->writes[i];
        const struct record *r = w->record;
        struct pg_values v = {0};
        g->code = pg_bind(&store_tables[r->kind], r, w->remove, &p->arena, &v, &g->err);
        if (g->code < 0) {
            err_prefix(&g->err, "%s %llu", store_tables[r->kind].name, (unsigned long long)r->id);
            p->commands.len = before;
            return;
        }
        add_prepared(p, g, w->remove ? 'd' : 'p', r->kind, &v, r->id);
        ids_note(&p->en->ids, r);
        if (w->remove)
            add_owned(p, g, r);
    }
}

/* Raised numbers are kept even if their group was refused: an id is then skipped, which does no harm. */
static void add_counters(struct pg_pipeline *p)
{
    char sql[200];

    for (size_t i = 0; i < RECORD_KINDS; i++) {
        if (!p->en->ids.raised[i])
            continue;
        snprintf(sql, sizeof(sql),
                 "INSERT INTO counter(name,value) VALUES('next.%s',%llu) ON CONFLICT(name) DO UPDATE SET "
                 "value=excluded.value",
                 store_tables[i].name, (unsigned long long)p->en->ids.next[i]);
        add_sql(p, sql);
    }
}

/* Fails, by a division by zero, if another daemon or an older state of the database is in place. */
static void add_fence(struct pg_pipeline *p, bool numbered)
{
    char sql[240];

    if (numbered)
        snprintf(sql, sizeof(sql),
                 "WITH f AS (UPDATE server SET \"commit\"=\"commit\"+1, beat=clock_timestamp() WHERE run=%llu AND "
                 "\"commit\"=%llu RETURNING 1) SELECT 1/count(*) FROM f",
                 (unsigned long long)p->en->run, (unsigned long long)p->en->commit);
    else
        snprintf(sql, sizeof(sql), "SELECT 1/count(*) FROM server WHERE run=%llu", (unsigned long long)p->en->run);
    add_sql(p, sql);
}

/* ---- sending, and reading the answers ---- */

static bool send_all(struct pg_pipeline *p)
{
    PGconn *db = p->en->writer.db;

    if (!db || !PQenterPipelineMode(db))
        return false;
    for (size_t i = 0; i < p->commands.len; i++) {
        const struct pg_command *c = &p->commands.items[i];
        int ok = c->sql ? PQsendQueryParams(db, c->sql, 0, NULL, NULL, NULL, NULL, 0)
                        : PQsendQueryPrepared(db, c->name, c->values.count, c->values.texts, c->values.lengths,
                                              c->values.formats, 0);
        if (!ok)
            return false;
    }
    return PQpipelineSync(db) == 1;
}

static void note_failure(struct pg_pipeline *p, const struct pg_command *c, const PGresult *r)
{
    if (p->code < 0)
        return;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    p->fenced = state && str_eq(state, "22012");
    p->code = pg_error(&p->en->writer, r, "write", &p->err);
    if (p->code == ERR_IO && c && !c->group) /* it concerns all groups */
        p->code = p->err.code = ERR_UNAVAILABLE;
    if (c && c->table && p->code == ERR_CONFLICT)
        err_prefix(&p->err, "%s %llu", c->table, (unsigned long long)c->id);
}

/* Reads the answers to one command; false: the connection broke. */
static bool read_answers(struct pg_pipeline *p, const struct pg_command *c)
{
    PGresult *r;

    while ((r = pg_next(&p->en->writer))) {
        ExecStatusType status = PQresultStatus(r);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_ABORTED &&
            status != PGRES_PIPELINE_SYNC)
            note_failure(p, c, r);
        PQclear(r);
        if (!p->en->writer.db)
            return false;
        if (status == PGRES_PIPELINE_SYNC)
            return true;
    }
    return pg_alive(&p->en->writer);
}

static void run_pipeline(struct pg_pipeline *p)
{
    struct pg_conn *c = &p->en->writer;
    bool well;

    c->warned = false;
    well = send_all(p);
    for (size_t i = 0; i < p->commands.len && well; i++)
        well = read_answers(p, &p->commands.items[i]);
    if (well)
        well = read_answers(p, NULL); /* of the end of the pipeline */
    if (well)
        well = PQexitPipelineMode(c->db) == 1;
    if (well && p->code < 0)
        well = pg_execute(c, "ROLLBACK", NULL) == 0;
    p->broken = !well || c->warned || p->fenced;
    if (p->broken && p->code == 0)
        p->code = pg_error(c, NULL, "write", &p->err);
    if (p->broken)
        pg_disconnect(c);
}

static void end_pipeline(struct pg_pipeline *p)
{
    vec_release(&p->commands);
    arena_release(&p->arena);
}

/* ---- groups ---- */

/* One transaction over the list up to end. On a negative code nothing was committed or, if the connection broke, all
 * groups are open. */
static int commit_together(struct pg_engine *en, struct store_group *list, const struct store_group *end, bool *broken,
                           struct err *e)
{
    struct pg_pipeline p = {.en = en};
    size_t sent = 0;

    add_sql(&p, "BEGIN");
    add_fence(&p, true);
    for (struct store_group *g = list; g != end; g = g->next) {
        size_t before = p.commands.len;
        g->number = 0;
        if (refusal_covers(&en->engine.refusal, g)) {
            refuse_groups(g, g->next, en->engine.refusal.err.code, &en->engine.refusal.err);
            continue;
        }
        add_group(&p, g);
        refusal_note(&en->engine.refusal, g);
        if (g->code == 0)
            g->number = en->commit + 1;
        sent += p.commands.len > before;
    }
    add_counters(&p);
    add_sql(&p, "COMMIT");
    /* The connection may have ended while idle: nothing was sent, so nothing is in doubt. */
    bool gone = !pg_still_there(&en->writer);
    if (sent && gone) {
        p.broken = true;
        p.code = pg_error(&en->writer, NULL, "write", &p.err);
        for (struct store_group *g = list; g != end; g = g->next)
            g->number = 0;
    } else if (sent) {
        run_pipeline(&p);
    }
    *broken = p.broken;
    if (sent && p.code == 0) {
        atomic_store(&en->answered_ms, clock_mono_ms());
        en->commit++;
        memset(en->ids.raised, 0, sizeof(en->ids.raised));
    }
    for (struct store_group *g = list; g != end; g = g->next)
        if (!p.broken)
            g->number = 0;
    if (p.code < 0 && e)
        *e = p.err;
    end_pipeline(&p);
    return p.code;
}

/* Groups are answered in order: none before an earlier one whose result is unknown. */
static void leave_open(struct store_group *list)
{
    for (struct store_group *g = list; g; g = g->next) {
        g->open = true;
        g->code = 0;
    }
}

/* Commits each group alone, after they were refused together. */
static int commit_each(struct pg_engine *en, struct store_group *list, const struct store_group *end, bool *broken,
                       struct err *e)
{
    int failure = 0;

    for (struct store_group *g = list; g != end; g = g->next) {
        struct store_refusal before = en->engine.refusal;
        g->code = 0;
        int code = commit_together(en, g, g->next, broken, e);
        if (*broken) {
            en->engine.refusal = before;
            leave_open(g);
            return code;
        }
        if (code < 0)
            refuse_groups(g, g->next, code, e);
        if (code == ERR_UNAVAILABLE || code == ERR_IO)
            failure = code;
        refusal_note(&en->engine.refusal, g);
    }
    return failure;
}

static int commit_all(struct pg_engine *en, struct store_group *list, struct err *e)
{
    int failure = 0;

    while (list) {
        struct store_refusal before = en->engine.refusal;
        struct store_group *end = list;
        bool broken = false;
        for (size_t n = 0; end && n < BATCH; n++)
            end = end->next;
        int code = commit_together(en, list, end, &broken, e);
        if (broken)
            leave_open(list);
        if (code < 0)
            en->engine.refusal = before;
        if (code < 0 && !broken)
            code = commit_each(en, list, end, &broken, e);
        if (broken)
            return code;
        failure = code < 0 ? code : failure;
        list = end;
    }
    return failure;
}

int pg_commit(struct engine *engine, struct store_group *list, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    pthread_mutex_lock(&en->writer_lock);
    int code = commit_all(en, list, e);
    pthread_mutex_unlock(&en->writer_lock);
    return code;
}

/* ---- many records, inside a transaction ---- */

#define PUT_STEP 500

struct pg_putting {
    struct pg_engine en; /* used only for its connection */
    struct pg_pipeline pipeline;
};

static int put_now(struct pg_lent *lent, struct err *e)
{
    struct pg_putting *p = lent->putting;

    if (!p->pipeline.commands.len)
        return 0;
    p->en.writer = *lent->conn;
    run_pipeline(&p->pipeline);
    *lent->conn = p->en.writer;
    int code = p->pipeline.code;
    if (code < 0 && e)
        *e = p->pipeline.err;
    end_pipeline(&p->pipeline);
    p->pipeline = (struct pg_pipeline){.en = &p->en};
    return code;
}

int pg_put(struct store_sql *db, const struct store_table *t, const void *record, struct err *e)
{
    struct pg_lent *lent = (struct pg_lent *)db;
    struct pg_values v = {0};

    if (!lent->putting) {
        lent->putting = mem_alloc(sizeof(*lent->putting));
        lent->putting->pipeline.en = &lent->putting->en;
    }
    struct pg_pipeline *p = &lent->putting->pipeline;
    int code = pg_bind(t, record, false, &p->arena, &v, e);
    if (code < 0)
        return code;
    for (int i = 0; i < v.count; i++) { /* the record may be freed before it is sent */
        size_t len = v.lengths[i] ? (size_t)v.lengths[i] : v.texts[i] ? strlen(v.texts[i]) : 0;
        char *copy = arena_alloc(&p->arena, len + 1);
        memcpy(copy, v.texts[i] ? v.texts[i] : "", len);
        v.texts[i] = v.texts[i] ? copy : NULL;
    }
    add_prepared(p, NULL, 'p', (size_t)(t - store_tables), &v, 0);
    return p->commands.len < PUT_STEP ? 0 : put_now(lent, e);
}

void pg_put_drop(struct pg_lent *lent)
{
    if (lent->putting)
        end_pipeline(&lent->putting->pipeline);
    free(lent->putting);
    lent->putting = NULL;
}

int pg_put_end(struct store_sql *db, struct err *e)
{
    struct pg_lent *lent = (struct pg_lent *)db;
    int code = lent->putting ? put_now(lent, e) : 0;

    pg_put_drop(lent);
    return code;
}

int pg_put_live(struct engine *engine, const struct live_row *rows, size_t count, struct err *e)
{
    struct pg_pipeline p = {.en = (struct pg_engine *)engine};
    int code = 0;

    add_sql(&p, "BEGIN");
    add_sql(&p, "SET LOCAL synchronous_commit=off");
    add_fence(&p, false);
    for (size_t i = 0; i < count && code == 0; i++) {
        struct pg_values v = {0};
        code = pg_bind(&store_tables[TABLE_NODE_LIVE], &rows[i], false, &p.arena, &v, e);
        add_prepared(&p, NULL, 'p', TABLE_NODE_LIVE, &v, rows[i].id);
    }
    add_sql(&p, "COMMIT");
    if (code == 0) {
        pthread_mutex_lock(&p.en->writer_lock);
        run_pipeline(&p);
        pthread_mutex_unlock(&p.en->writer_lock);
        code = p.code;
        if (code < 0 && e)
            *e = p.err;
    }
    end_pipeline(&p);
    return code;
}
