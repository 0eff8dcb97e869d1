/* SPDX-License-Identifier: BSD-3-Clause */
/* PostgreSQL's types of the columns, and how values get into its statements and out of its rows: as text, except for
 * keys, which are sent as bytes. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/postgres/pg.h"

#define INT8_OID  20
#define INT2_OID  21
#define BOOL_OID  16
#define BYTEA_OID 17
#define TEXT_OID  25

#define TEXT_TYPE "text COLLATE \"C\""

const struct store_dialect pg_dialect = {
    .types = {[MEMBER_U64] = "bigint",
              [MEMBER_TIME] = "bigint",
              [MEMBER_U32] = "bigint",
              [MEMBER_BOOL] = "boolean",
              [MEMBER_ENUM] = "smallint",
              [MEMBER_TEXT] = TEXT_TYPE,
              [MEMBER_KEY] = "bytea",
              [MEMBER_ADDR] = TEXT_TYPE,
              [MEMBER_PREFIX] = TEXT_TYPE,
              [MEMBER_STRS] = TEXT_TYPE,
              [MEMBER_PREFIXES] = TEXT_TYPE,
              [MEMBER_ENDPOINTS] = TEXT_TYPE},
    .zero_key = "'\\x0000000000000000000000000000000000000000000000000000000000000000'::bytea",
    .parameter = '$',
    .truth = {"false", "true"},
    .table_end = "",
    .keyed_by_text = "",
};

Oid pg_column_oid(const struct member *c)
{
    static const Oid oids[MEMBER_COLUMN_TYPES] = {
        [MEMBER_U64] = INT8_OID,  [MEMBER_TIME] = INT8_OID, [MEMBER_U32] = INT8_OID,
        [MEMBER_BOOL] = BOOL_OID, [MEMBER_ENUM] = INT2_OID, [MEMBER_KEY] = BYTEA_OID};

    return oids[c->type] ? oids[c->type] : TEXT_OID;
}

/* ---- writing ---- */

int pg_bind(const struct store_table *t, const void *record, bool key_only, struct arena *a, struct pg_values *out,
            struct err *e)
{
    size_t count = key_only ? t->key_count : t->count;

    out->count = (int)count;
    out->texts = arena_alloc(a, count * sizeof(*out->texts));
    out->lengths = arena_alloc(a, count * sizeof(*out->lengths));
    out->formats = arena_alloc(a, count * sizeof(*out->formats));
    for (size_t i = 0; i < count; i++) {
        const struct member *c = &t->columns[i];
        const char *why = NULL;
        out->texts[i] = column_text(c, (const char *)record + c->at, a, &why);
        out->lengths[i] = c->type == MEMBER_KEY ? KEY_LEN : 0;
        out->formats[i] = c->type == MEMBER_KEY;
        if (why)
            return err_field(e, ERR_INTERNAL, c->name, "%s cannot be stored: %s", c->name, why);
    }
    return 0;
}

/* ---- reading ---- */

static bool read_hex(const char *text, uint8_t out[KEY_LEN])
{
    if (strlen(text) != 2 + 2 * KEY_LEN || text[0] != '\\' || text[1] != 'x')
        return false;
    for (size_t i = 0; i < KEY_LEN; i++) {
        const char pair[3] = {text[2 + 2 * i], text[3 + 2 * i], '\0'};
        char *end;
        out[i] = (uint8_t)strtoul(pair, &end, 16);
        if (end != pair + 2)
            return false;
    }
    return true;
}

/* Returns a description of a valid value, or NULL if the value is valid. */
static const char *read_value(const struct member *c, const PGresult *r, int row, int at, void *value)
{
    const char *text = PQgetvalue(r, row, at);
    char *end;

    if (PQgetisnull(r, row, at))
        return c->type == MEMBER_ADDR ? NULL : "a value";
    if (c->type == MEMBER_BOOL)
        return column_read_number(c, *text == 't', value);
    if (c->type < MEMBER_TEXT) {
        errno = 0;
        long long number = strtoll(text, &end, 10);
        return *text && !*end && errno == 0 ? column_read_number(c, number, value) : "a number";
    }
    if (c->type == MEMBER_KEY)
        return read_hex(text, value) ? NULL : "a key of 32 bytes";
    return str_utf8(text, strlen(text)) ? column_read_text(c, text, value) : "UTF-8 text";
}

int pg_read(const struct store_table *t, const PGresult *r, int row, void *record, struct err *e)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct member *c = &t->columns[i];
        const char *wanted = i < (size_t)PQnfields(r) ? read_value(c, r, row, (int)i, (char *)record + c->at) : "there";
        if (wanted)
            return err_field(e, ERR_IO, c->name, "table %s, row %.40s: column %s holds '%.60s', which is not %s",
                             t->name, PQgetvalue(r, row, 0), c->name, PQgetvalue(r, row, (int)i), wanted);
    }
    return 0;
}
