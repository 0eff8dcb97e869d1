/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/tables/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static char *format_text(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
static char *format_text(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

int sql_run(struct store_sql *db, store_row *row, void *arg, struct err *e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *sql = format_text(format, args);
    va_end(args);
    int code = db->calls->run(db, sql, row, arg, e);
    free(sql);
    return code;
}

struct first {
    int64_t value;
    bool read;
};

static int take_first(struct store_sql *db, void *arg, struct err *e)
{
    struct first *f = arg;

    (void)e;
    if (!f->read)
        f->value = db->calls->number(db, 0);
    f->read = true;
    return 0;
}

int sql_number(struct store_sql *db, int64_t fallback, int64_t *out, struct err *e, const char *format, ...)
{
    struct first f = {.value = fallback};
    va_list args;

    va_start(args, format);
    char *sql = format_text(format, args);
    va_end(args);
    int code = db->calls->run(db, sql, take_first, &f, e);
    free(sql);
    *out = f.value;
    return code;
}

char *sql_select(struct store_sql *db, const struct store_table *t, const char *format, ...)
{
    struct buf sql = BUF_INIT(0);
    va_list args;

    table_statement(t, db->dialect, STATEMENT_SELECT, &sql);
    va_start(args, format);
    char *rest = format_text(format, args);
    va_end(args);
    buf_adds(&sql, rest);
    free(rest);
    return buf_take(&sql);
}

const char *sql_bool(struct store_sql *db, bool value)
{
    return db->dialect->truth[value];
}

int sql_set_counter(struct store_sql *db, const char *name, uint64_t value, struct err *e)
{
    return sql_run(db, NULL, NULL, e,
                   "INSERT INTO counter(name,value) VALUES('%s',%llu) ON CONFLICT(name) DO UPDATE SET "
                   "value=excluded.value",
                   name, (unsigned long long)value);
}
