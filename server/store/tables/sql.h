/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: statements that are the same for every database. An engine lends a connection; numbers are
 * formatted into the statements, untrusted texts never. */
#ifndef SERVER_STORE_TABLES_SQL_H
#define SERVER_STORE_TABLES_SQL_H

#include "store/tables/tables.h"

struct store_sql;
typedef int store_row(struct store_sql *db, void *arg, struct err *e);

/* A lent connection; its holder has exclusive use. */
struct store_sql {
    const struct store_sql_calls *calls;
    const struct store_dialect *dialect;
};

struct store_sql_calls {
    /* Runs one statement and calls row (may be NULL) for each row of its result until row fails. */
    int (*run)(struct store_sql *db, const char *sql, store_row *row, void *arg, struct err *e);
    /* A column of the current row as a number, 0 for NULL. */
    int64_t (*number)(struct store_sql *db, int column);
    /* The columns of table t, in order, into a record of defaults. ERR_IO names table, row and column. */
    int (*read)(struct store_sql *db, const struct store_table *t, void *record, struct err *e);
    /* Puts a record; may be batched with the next ones, until put_end at the latest. */
    int (*put)(struct store_sql *db, const struct store_table *t, const void *record, struct err *e);
    int (*put_end)(struct store_sql *db, struct err *e);
};

/* Runs a formatted statement; row as above. */
int sql_run(struct store_sql *db, store_row *row, void *arg, struct err *e, const char *format, ...)
    PRINTF_LIKE(5, 6) WARN_UNUSED;
/* The first number of the first row; fallback without a row. */
int sql_number(struct store_sql *db, int64_t fallback, int64_t *out, struct err *e, const char *format, ...)
    PRINTF_LIKE(5, 6) WARN_UNUSED;
/* "SELECT columns FROM table" and the formatted rest. */
char *sql_select(struct store_sql *db, const struct store_table *t, const char *format, ...) PRINTF_LIKE(3, 4);
const char *sql_bool(struct store_sql *db, bool value);
int sql_set_counter(struct store_sql *db, const char *name, uint64_t value, struct err *e) WARN_UNUSED;

/* ---- reads.c ---- */

int sql_position(struct store_sql *db, uint64_t run, uint64_t seq, struct journal_position *out,
                 struct err *e) WARN_UNUSED;
int sql_events(struct store_sql *db, const struct journal_page *page, struct event ***out, size_t *count,
               struct err *e) WARN_UNUSED;
int sql_event_counts(struct store_sql *db, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts,
                     struct err *e) WARN_UNUSED;
int sql_past(struct store_sql *db, int64_t at_ns, struct store_past *out, struct err *e) WARN_UNUSED;
/* See store_policies. */
int sql_policies(struct store_sql *db, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                 size_t *count, struct err *e) WARN_UNUSED;

/* ---- load.c ---- */

int sql_load(struct store_sql *db, struct store_image *image, struct err *e) WARN_UNUSED;
int sql_read_ids(struct store_sql *db, struct store_ids *out, struct err *e) WARN_UNUSED;

/* ---- copy.c ---- */

/* A table's number of rows, and a hash of them in key order, independent of the database. */
struct table_sum {
    uint64_t rows;
    uint8_t hash[32];
};
/* Sums up a table and, if to is not NULL, copies its rows there. Leaves out the counter of starts. */
int sql_copy_table(struct store_sql *from, const struct store_table *t, struct store_sql *to, struct table_sum *out,
                   struct err *e) WARN_UNUSED;

/* ---- retention.c ---- */

/* The clock by which journal entries age: the wall clock may be set, so they age by as much as the monotonic clock
 * advances, and at start by a day at most. */
struct store_age {
    int64_t ns, mono_ms, stored_ns; /* 0: unknown yet */
};

/* One small step of removing what is too old or too much, in a transaction; *more: there is more to do. */
int sql_prune(struct store_sql *db, struct store_age *age, int64_t now_ns, int64_t mono_ms, bool *more,
              struct err *e) WARN_UNUSED;

#endif
