/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies whole databases from one engine to another: for a backup, and to move. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/queue.h"

#define RUN_OF_SQLITE   "SELECT coalesce((SELECT value FROM counter WHERE name='run'),0)"
#define RUN_OF_POSTGRES "SELECT run FROM server"

struct move {
    struct engine *to;
    bool to_postgres, from_postgres;
    struct store_sql *source;
    struct store_moved *moved;
};

static int check_table(struct store_sql *to, const struct store_table *t, const struct table_sum *wanted, struct err *e)
{
    struct table_sum found;
    int code = sql_copy_table(to, t, NULL, &found, e);

    if (code < 0)
        return code;
    if (found.rows != wanted->rows)
        return err_set(e, ERR_IO, "table %s: %llu rows were copied, %llu are there", t->name,
                       (unsigned long long)wanted->rows, (unsigned long long)found.rows);
    if (memcmp(found.hash, wanted->hash, sizeof(found.hash)) != 0)
        return err_set(e, ERR_IO, "table %s: what was copied reads otherwise than what it was copied from", t->name);
    return 0;
}

static int check_empty(struct store_sql *to, struct err *e)
{
    for (size_t i = 0; i < STORE_TABLES; i++) {
        int64_t rows = 0;
        if (i == TABLE_COUNTER)
            continue;
        int code = sql_number(to, 0, &rows, e, "SELECT count(*) FROM \"%s\"", store_tables[i].name);
        if (code < 0)
            return code;
        if (rows)
            return err_set(e, ERR_CONFLICT, "it holds a tailnet already: table %s has %lld rows", store_tables[i].name,
                           (long long)rows);
    }
    return 0;
}

/* The next start gets a number that neither database has had. */
static int copy_run(struct move *m, struct store_sql *to, struct err *e)
{
    int64_t from_run = 0, to_run = 0;
    int code = sql_number(m->source, 0, &from_run, e, "%s", m->from_postgres ? RUN_OF_POSTGRES : RUN_OF_SQLITE);

    if (code == 0)
        code = sql_number(to, 0, &to_run, e, "%s", m->to_postgres ? RUN_OF_POSTGRES : RUN_OF_SQLITE);
    if (code < 0 || to_run >= from_run)
        return code;
    return m->to_postgres ? sql_run(to, NULL, NULL, e, "UPDATE server SET run=%lld", (long long)from_run)
                          : sql_set_counter(to, "run", (uint64_t)from_run, e);
}

static int fill(struct store_sql *to, void *arg, struct err *e)
{
    struct move *m = arg;
    struct table_sum sums[STORE_TABLES];
    int code = check_empty(to, e);

    for (size_t i = 0; i < STORE_TABLES && code == 0; i++)
        code = sql_copy_table(m->source, &store_tables[i], to, &sums[i], e);
    for (size_t i = 0; i < STORE_TABLES && code == 0; i++)
        code = check_table(to, &store_tables[i], &sums[i], e);
    if (code == 0)
        code = copy_run(m, to, e);
    /* This commit must survive whatever happens next. */
    if (code == 0 && m->to_postgres)
        code = sql_run(to, NULL, NULL, e, "SET LOCAL synchronous_commit=on");
    if (code == 0 && m->moved) {
        m->moved->users = sums[RECORD_USER].rows;
        m->moved->nodes = sums[RECORD_NODE].rows;
        m->moved->events = sums[RECORD_EVENT].rows;
    }
    return code;
}

/* ---- a backup ---- */

struct backup {
    struct move move;
    const char *path;
};

static int fill_file(struct store_sql *from, void *arg, struct err *e)
{
    struct backup *b = arg;

    b->move.source = from;
    return sqlite_make_file(b->path, fill, &b->move, e);
}

int store_backup(struct store *s, const char *path, struct err *e)
{
    const struct engine_calls *calls = s->engine->calls;
    struct backup b = {.move = {.from_postgres = true}, .path = path};

    int code = calls->backup ? calls->backup(s->engine, path, e) : calls->snapshot(s->engine, fill_file, &b, e);
    if (code == 0)
        atomic_store(&s->backup_ns, clock_wall_ns());
    return code;
}

int64_t store_backup_ns(struct store *s)
{
    return atomic_load(&s->backup_ns);
}

/* ---- moving ---- */

static int from_source(struct store_sql *from, void *arg, struct err *e)
{
    struct move *m = arg;

    m->source = from;
    return m->to->calls->writing(m->to, fill, m, e);
}

int store_move_to_postgres(const char *path, const struct store_postgres *with, struct store_moved *out, struct err *e)
{
    struct move m = {.to_postgres = true, .moved = out};
    struct engine_start start = {0};
    struct engine *from = NULL;
    int code = access(path, R_OK) < 0 ? err_set(e, ERR_MISSING, "%s: %s", path, strerror(errno))
                                      : sqlite_engine_open(path, &from, &start, e);

    if (code == 0)
        code = pg_engine_open(with, &m.to, &start, e);
    if (code == 0)
        code = from->calls->snapshot(from, from_source, &m, e);
    if (m.to)
        m.to->calls->close(m.to);
    if (from)
        from->calls->close(from);
    return code;
}

int store_move_to_sqlite(const struct store_postgres *with, const char *path, struct store_moved *out, struct err *e)
{
    struct backup b = {.move = {.from_postgres = true, .moved = out}, .path = path};
    struct engine_start start = {0};
    struct engine *from = NULL;
    int code = pg_engine_open(with, &from, &start, e);

    if (code == 0)
        code = from->calls->snapshot(from, fill_file, &b, e);
    if (from)
        from->calls->close(from);
    return code;
}
