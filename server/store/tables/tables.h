/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: the layout of records in tables. Each table is described once; its schema, its statements,
 * and what a database writes and reads follow from that. A database adds its dialect and the conversion of column
 * values. */
#ifndef SERVER_STORE_TABLES_H
#define SERVER_STORE_TABLES_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/member.h"
#include "store/tables/engine.h"

/* Which rows an index holds. */
enum index_rows { INDEX_ALL, INDEX_TEXT_EMPTY, INDEX_TEXT_SET, INDEX_KEY_SET };

struct store_index {
    const char *name, *on; /* SQL inside the parentheses */
    const char *column;    /* the column that rows refers to */
    enum index_rows rows;
    bool repeats; /* not unique */
    unsigned since;
};

struct store_table {
    const char *name;
    size_t key_count; /* the first columns are the primary key */
    const struct member *columns;
    size_t count;
    const struct store_index *indexes;
    size_t index_count;
    unsigned since; /* schema version, from 1 */
    /* Rows are deleted with the owner's row that their column names; guarded: put only if that row exists. */
    const char *owner, *owner_column;
    bool guarded;
    /* Offsets of its records in struct store_image: the array and its length. 0: not loaded at start. */
    size_t items, length;
    const char *order; /* of loading; NULL: by the key */
};

enum store_table_id { TABLE_NODE_LIVE = RECORD_KINDS, TABLE_COUNTER, STORE_TABLES };
extern const struct store_table store_tables[STORE_TABLES]; /* by enum record_kind, then the others */

struct store_dialect {
    const char *types[MEMBER_COLUMN_TYPES]; /* SQL */
    const char *zero_key;                   /* SQL of an all-zero key */
    char parameter;                         /* precedes the number of a parameter */
    const char *truth[2];                   /* false, true */
    const char *table_end;                  /* after the closing parenthesis */
    const char *keyed_by_text;              /* added to that */
};

/* Whether its records have ids that are never reused: the last column of the key. */
bool table_is_numbered(const struct store_table *t);

enum store_statement {
    STATEMENT_PUT,
    STATEMENT_DELETE,
    STATEMENT_SELECT /* open-ended: "SELECT columns FROM table" */
};
/* Parameters are numbered from 1, like the columns. */
void table_statement(const struct store_table *t, const struct store_dialect *d, enum store_statement what,
                     struct buf *out);
/* Deletes the rows that depend on the owner's row whose id is parameter 1. */
void table_disown_statement(const struct store_table *t, const struct store_dialect *d, struct buf *out);
unsigned column_since(const struct store_table *t, const struct member *c); /* schema version */
/* The columns that a schema of that version must have, one by one; NULL after the last. */
const struct member *schema_column(unsigned version, size_t number, const struct store_table **table);
/* The newest schema version that a table, column or index has. */
unsigned schema_newest(void);
/* The tables, columns and indexes that this schema version added, as statements. */
void schema_statements(const struct store_dialect *d, unsigned version, struct buf *out);

/* The value as text, NULL for none, a key as its bytes; memory from the arena or the record. *why: why it cannot be
 * stored. */
const char *column_text(const struct member *c, const void *value, struct arena *a, const char **why);

/* Column values in the form that all databases share: text. False if the value is too long to be stored. */
bool column_list_text(const struct member *c, const void *value, struct buf *json);
/* From text into a record of defaults; for MEMBER_TEXT, MEMBER_ADDR and later types. NULL, or a description of a valid
 * value. */
const char *column_read_text(const struct member *c, const char *text, void *value);
/* The same for the types before MEMBER_TEXT. */
const char *column_read_number(const struct member *c, int64_t number, void *value);

#endif
