/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: the source database, whichever engine holds it. Tables and columns are looked up by name: both
 * differ between releases. None of its contents is trusted. */
#ifndef SERVER_IMPORT_SOURCE_H
#define SERVER_IMPORT_SOURCE_H

#include "base/str.h"
#include "config/config.h"

enum source_kind { SOURCE_NULL, SOURCE_NUMBER, SOURCE_TEXT };

/* One column in one row; borrowed until the next row. */
struct source_value {
    enum source_kind kind;
    int64_t number;
    const char *text; /* len bytes and a NUL; they may contain others */
    size_t len;
};

#define SOURCE_COLUMNS_MAX 24
#define SOURCE_VALUE_MAX   (8u << 20) /* bytes */

struct source_table {
    const char *name;
    const char *const *columns; /* rows are ordered by the first one; missing columns are NULL in each row */
    size_t count, most;         /* of columns; of rows, at most */
};

typedef int source_row(void *arg, const struct source_value *values, struct err *e);

struct source;
struct source_calls {
    void (*close)(struct source *s);
    int (*tables)(struct source *s, struct strs *out, struct err *e);
    int (*columns)(struct source *s, const char *table, struct strs *out, struct err *e);
    int (*rows)(struct source *s, const char *sql, const struct source_table *t, source_row *each, void *arg,
                struct err *e);
    /* The highest number that a table ever gave to a row; 0: not known. */
    int64_t (*sequence)(struct source *s, const char *table);
};
struct source {
    const struct source_calls *calls;
    char *name; /* for people, without a password: a path, or "postgresql://HOST:PORT/NAME" */
    struct strs tables;
};

/* Reads a private copy of the file and its log: SQLite would write beside the original. If a program has it open: sets
 * *busy, or ERR_CONFLICT if busy is NULL. */
int source_open_sqlite(const char *path, bool *busy, struct source **out, struct err *e) WARN_UNUSED;
/* One read-only transaction, by database.postgres of the configuration. */
int source_open_postgres(const struct config *c, struct source **out, struct err *e) WARN_UNUSED;
/* The name that the source of this configuration has, or would have; caller frees. NULL: there is no such file. */
char *source_name(const struct config *c);
void source_close(struct source *s); /* NULL is allowed */

bool source_has(const struct source *s, const char *table);
int source_has_column(struct source *s, const char *table, const char *column, bool *has, struct err *e) WARN_UNUSED;
/* Calls each for every row, in the order of the first column, until it fails; does nothing if there is no such table.
 * ERR_TOOBIG beyond most rows. */
int source_read(struct source *s, const struct source_table *t, source_row *each, void *arg, struct err *e) WARN_UNUSED;

#endif
