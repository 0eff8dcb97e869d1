/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/source.h"

#include <stdlib.h>

#include "base/mem.h"

void source_close(struct source *s)
{
    if (!s)
        return;
    strs_release(&s->tables);
    free(s->name);
    s->calls->close(s);
}

bool source_has(const struct source *s, const char *table)
{
    return strs_has(&s->tables, table);
}

int source_has_column(struct source *s, const char *table, const char *column, bool *has, struct err *e)
{
    struct strs columns = {0};
    int rc = source_has(s, table) ? s->calls->columns(s, table, &columns, e) : 0;

    strs_sort(&columns);
    *has = strs_has(&columns, column);
    strs_release(&columns);
    return rc;
}

/* The names are this program's: none of them contains a quote. */
static char *select_text(const struct source_table *t, const struct strs *there)
{
    struct buf sql = BUF_INIT(0);

    buf_adds(&sql, "SELECT ");
    for (size_t i = 0; i < t->count; i++)
        buf_addf(&sql, strs_has(there, t->columns[i]) ? "%s\"%s\"" : "%sNULL", i ? "," : "", t->columns[i]);
    buf_addf(&sql, " FROM \"%s\" ORDER BY \"%s\" LIMIT %zu", t->name, t->columns[0], t->most + 1);
    return buf_take(&sql);
}

struct counted {
    const struct source_table *table;
    source_row *each;
    void *arg;
    size_t rows;
};

static int count_row(void *arg, const struct source_value *values, struct err *e)
{
    struct counted *c = arg;

    if (c->rows++ >= c->table->most)
        return err_set(e, ERR_TOOBIG, "table %s has more than %zu rows", c->table->name, c->table->most);
    return c->each(c->arg, values, e);
}

int source_read(struct source *s, const struct source_table *t, source_row *each, void *arg, struct err *e)
{
    struct counted counted = {.table = t, .each = each, .arg = arg};
    struct strs there = {0};
    int rc;

    if (!source_has(s, t->name))
        return 0;
    rc = s->calls->columns(s, t->name, &there, e);
    strs_sort(&there);
    if (rc == 0 && !strs_has(&there, t->columns[0]))
        rc = err_set(e, ERR_UNSUPPORTED, "table %s has no column %s", t->name, t->columns[0]);
    if (rc == 0) {
        char *sql = select_text(t, &there);
        rc = s->calls->rows(s, sql, t, count_row, &counted, e);
        free(sql);
    }
    strs_release(&there);
    return rc;
}

char *source_name(const struct config *c)
{
    return config_is_postgres(c) ? mem_format("postgresql://%s:%lld/%s", c->database.postgres.host,
                                              (long long)c->database.postgres.port, c->database.postgres.name)
                                 : realpath(c->database.sqlite_path, NULL);
}
