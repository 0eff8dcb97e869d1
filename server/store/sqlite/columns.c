/* SPDX-License-Identifier: BSD-3-Clause */
/* SQLite's types of the columns, and how values get into its statements and out of its rows. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/sqlite.h"

const struct store_dialect sqlite_dialect = {
    .types = {[MEMBER_U64] = "INTEGER",
              [MEMBER_TIME] = "INTEGER",
              [MEMBER_U32] = "INTEGER",
              [MEMBER_BOOL] = "INTEGER",
              [MEMBER_ENUM] = "INTEGER",
              [MEMBER_TEXT] = "TEXT",
              [MEMBER_KEY] = "BLOB",
              [MEMBER_ADDR] = "TEXT",
              [MEMBER_PREFIX] = "TEXT",
              [MEMBER_STRS] = "TEXT",
              [MEMBER_PREFIXES] = "TEXT",
              [MEMBER_ENDPOINTS] = "TEXT"},
    .zero_key = "x'0000000000000000000000000000000000000000000000000000000000000000'",
    .parameter = '?',
    .truth = {"0", "1"},
    .table_end = " STRICT",
    .keyed_by_text = ", WITHOUT ROWID",
};

/* ---- writing ---- */

static int bind_u64(sqlite3_stmt *stmt, int at, uint64_t value)
{
    return value > INT64_MAX ? SQLITE_RANGE : sqlite3_bind_int64(stmt, at, (int64_t)value);
}

static int bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    size_t len = strlen(text);

    /* What cannot be read back must not be stored: the next start would fail on it. */
    return str_utf8(text, len) ? sqlite3_bind_text64(stmt, at, text, len, SQLITE_STATIC, SQLITE_UTF8) : SQLITE_MISMATCH;
}

static int bind_list(const struct member *c, sqlite3_stmt *stmt, int at, const void *value)
{
    struct buf b = BUF_INIT(0);

    if (!column_list_text(c, value, &b)) {
        buf_release(&b);
        return SQLITE_TOOBIG;
    }
    size_t len = b.len;
    return sqlite3_bind_text64(stmt, at, buf_take(&b), len, free, SQLITE_UTF8);
}

static int bind_column(const struct member *c, sqlite3_stmt *stmt, int at, const void *record)
{
    const void *value = (const char *)record + c->at;
    char text[PREFIX_TEXT_MAX];
    unsigned number;

    switch (c->type) {
    case MEMBER_U64:
        return bind_u64(stmt, at, *(const uint64_t *)value);
    case MEMBER_TIME:
        return sqlite3_bind_int64(stmt, at, *(const int64_t *)value);
    case MEMBER_U32:
        return sqlite3_bind_int64(stmt, at, *(const uint32_t *)value);
    case MEMBER_BOOL:
        return sqlite3_bind_int(stmt, at, *(const bool *)value);
    case MEMBER_ENUM:
        memcpy(&number, value, sizeof(number));
        return number > c->max ? SQLITE_RANGE : sqlite3_bind_int64(stmt, at, number);
    case MEMBER_TEXT:
        return bind_text(stmt, at, *(char *const *)value ? *(char *const *)value : "");
    case MEMBER_KEY:
        return sqlite3_bind_blob(stmt, at, value, KEY_LEN, SQLITE_STATIC);
    case MEMBER_ADDR:
        if (((const struct addr *)value)->bits == 0)
            return sqlite3_bind_null(stmt, at);
        return sqlite3_bind_text(stmt, at, addr_format(value, text), -1, SQLITE_TRANSIENT);
    case MEMBER_PREFIX:
        return sqlite3_bind_text(stmt, at, prefix_format(value, text), -1, SQLITE_TRANSIENT);
    case MEMBER_STRS:
    case MEMBER_PREFIXES:
    case MEMBER_ENDPOINTS:
    default: /* only in messages */
        break;
    }
    return bind_list(c, stmt, at, value);
}

int sqlite_bind(const struct store_table *t, sqlite3_stmt *stmt, const void *record, bool key_only, struct err *e)
{
    size_t count = key_only ? t->key_count : t->count;

    for (size_t i = 0; i < count; i++) {
        int rc = bind_column(&t->columns[i], stmt, (int)i + 1, record);
        if (rc != SQLITE_OK) {
            sqlite3_clear_bindings(stmt);
            return err_field(e, ERR_INTERNAL, t->columns[i].name, "%s cannot be stored: %s", t->columns[i].name,
                             sqlite3_errstr(rc));
        }
    }
    return 0;
}

/* ---- reading ---- */

/* The text of a column without a NUL inside, or NULL. */
static const char *row_text(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    size_t len = (size_t)sqlite3_column_bytes(stmt, at);

    return text && strlen(text) == len && str_utf8(text, len) ? text : NULL;
}

/* Returns a description of a valid value, or NULL if the value is valid. */
static const char *read_column(const struct member *c, sqlite3_stmt *stmt, int at, void *value)
{
    const char *text;

    if (c->type < MEMBER_TEXT)
        return sqlite3_column_type(stmt, at) == SQLITE_INTEGER
                   ? column_read_number(c, sqlite3_column_int64(stmt, at), value)
                   : "a number";
    if (c->type == MEMBER_KEY) {
        if (sqlite3_column_type(stmt, at) != SQLITE_BLOB || sqlite3_column_bytes(stmt, at) != KEY_LEN)
            return "a key of 32 bytes";
        memcpy(value, sqlite3_column_blob(stmt, at), KEY_LEN);
        return NULL;
    }
    if (c->type == MEMBER_ADDR && sqlite3_column_type(stmt, at) == SQLITE_NULL)
        return NULL;
    text = row_text(stmt, at);
    return text ? column_read_text(c, text, value) : "UTF-8 text";
}

int sqlite_read(const struct store_table *t, sqlite3_stmt *stmt, void *record, struct err *e)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct member *c = &t->columns[i];
        const char *wanted = read_column(c, stmt, (int)i, (char *)record + c->at);
        const char *key, *value;

        if (!wanted)
            continue;
        key = (const char *)sqlite3_column_text(stmt, 0);
        value = (const char *)sqlite3_column_text(stmt, (int)i);
        return err_field(e, ERR_IO, c->name, "table %s, row %.40s: column %s holds '%.60s', which is not %s", t->name,
                         key ? key : "NULL", c->name, value ? value : "NULL", wanted);
    }
    return 0;
}
