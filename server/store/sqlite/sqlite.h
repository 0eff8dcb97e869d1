/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store's SQLite engine: its connections and the few calls that the rest of it is built on. */
#ifndef SERVER_STORE_SQLITE_H
#define SERVER_STORE_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/tables/engine.h"
#include "store/tables/sql.h"

struct sqlite_engine {
    struct engine engine; /* first */
    char *path;
    bool memory;
    int lock_fd;

    /* The writing connection belongs to the storage thread; writer_lock is for ":memory:", where readers share it. */
    sqlite3 *writer;
    pthread_mutex_t writer_lock;
    sqlite3_stmt *put[STORE_TABLES], *del[RECORD_KINDS], *disown[STORE_TABLES];
    sqlite3_stmt *begin, *commit, *savepoint, *release, *undo;
    struct store_ids ids;
    bool sync_full;

    /* Used by other threads, one at a time. */
    sqlite3 *reader;
    pthread_mutex_t reader_mutex, *reader_lock;
};

/* ---- sqlite.c ---- */

/* Fills *e for a failed call on db. A full disk, a failing disk and a foreign lock are ERR_UNAVAILABLE, a broken unique
 * index is ERR_CONFLICT, damage is ERR_IO. doing: "write", "read", "open". */
int sqlite_error(sqlite3 *db, const char *doing, struct err *e);
int sqlite_execute(sqlite3 *db, const char *sql, struct err *e) WARN_UNUSED;
int sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e) WARN_UNUSED;
/* The first column of the first row as a number; fallback without a row or with NULL. */
int sqlite_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *out, struct err *e) WARN_UNUSED;
/* Runs a statement that returns nothing and makes it ready for the next use. */
int sqlite_run(sqlite3_stmt *stmt, const char *doing, struct err *e) WARN_UNUSED;
int sqlite_connect(const char *path, int flags, sqlite3 **out, struct err *e) WARN_UNUSED;
void sqlite_disconnect(sqlite3 *db); /* with its statements */

/* ---- columns.c ---- */

extern const struct store_dialect sqlite_dialect;

/* Binds all columns, or only the key. ERR_INTERNAL if a value cannot be stored. */
int sqlite_bind(const struct store_table *t, sqlite3_stmt *stmt, const void *record, bool key_only,
                struct err *e) WARN_UNUSED;
/* Reads the current row into a record of defaults. ERR_IO names table, row and column. */
int sqlite_read(const struct store_table *t, sqlite3_stmt *stmt, void *record, struct err *e) WARN_UNUSED;

/* ---- schema.c ---- */

/* What a version of the schema does besides adding tables, columns and indexes (schema_statements). */
struct schema_step {
    unsigned version;
    const char *sql; /* several statements */
};
extern const struct schema_step sqlite_schema[]; /* ended by version 0 */

/* Creates db's schema or migrates it to version newest in one transaction; an older database is first copied to
 * path.schema-N. ERR_UNSUPPORTED: a newer schema, or not a headway database. */
int sqlite_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps, unsigned newest,
                   struct err *e) WARN_UNUSED;

/* ---- backup.c ---- */

/* Writes a complete, self-contained, synced copy to a new file of mode 0600. ERR_CONFLICT if path exists. */
int sqlite_copy(sqlite3 *from, const char *path, struct err *e) WARN_UNUSED;
int sqlite_backup(struct engine *en, const char *path, struct err *e) WARN_UNUSED;

/* ---- commit.c; on the storage thread ---- */

int sqlite_prepare_writes(struct sqlite_engine *en, struct err *e) WARN_UNUSED;
int sqlite_commit(struct engine *en, struct store_group *list, struct err *e) WARN_UNUSED;
int sqlite_put_live(struct engine *en, const struct live_row *rows, size_t count, struct err *e) WARN_UNUSED;
int sqlite_try_writing(struct engine *en, struct err *e) WARN_UNUSED;
int sqlite_sync(struct sqlite_engine *en, bool full, struct err *e) WARN_UNUSED;
int sqlite_begin(struct sqlite_engine *en, struct err *e) WARN_UNUSED;
/* Commits for code 0, else rolls back. */
int sqlite_finish(struct sqlite_engine *en, int code, struct err *e) WARN_UNUSED;
/* Inside a transaction. */
int sqlite_set_counter(struct sqlite_engine *en, const char *name, uint64_t value, struct err *e) WARN_UNUSED;

/* ---- lend.c ---- */

/* A connection as lent to the store's other rooms. */
struct sqlite_lent {
    struct store_sql sql; /* first */
    sqlite3 *db;
    sqlite3_stmt *row;               /* the current row */
    sqlite3_stmt *put[STORE_TABLES]; /* prepared when needed; sqlite_put_end frees them */
};
struct sqlite_lent sqlite_lend(sqlite3 *db);
int sqlite_reading(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;
int sqlite_snapshot(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;
int sqlite_writing(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;

#endif
