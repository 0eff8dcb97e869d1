/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: connections, the description of tables, and what the storage thread does. */
#ifndef SERVER_STORE_INTERNAL_H
#define SERVER_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/map.h"
#include "store/store.h"

#define STORE_KINDS RECORD_KINDS

/* ---- sql.c ---- */

/* Fills *e for a failed call on db. A full disk, a failing disk and a foreign lock are ERR_UNAVAILABLE, a broken unique
 * index is ERR_CONFLICT, damage is ERR_IO. doing: "write", "read", "open". */
int sql_error(sqlite3 *db, const char *doing, struct err *e);
int sql_exec(sqlite3 *db, const char *sql, struct err *e) WARN_UNUSED;
int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e) WARN_UNUSED;
/* The first column of the first row as a number; fallback without a row or with NULL. */
int sql_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *out, struct err *e) WARN_UNUSED;
/* Runs a statement that returns nothing and makes it ready for the next use. */
int sql_run(sqlite3_stmt *stmt, const char *doing, struct err *e) WARN_UNUSED;
int sql_open(const char *path, int flags, sqlite3 **out, struct err *e) WARN_UNUSED;
void sql_close(sqlite3 *db); /* with its statements */

/* ---- columns.c: one description of each table for writing, reading and deleting ---- */

enum column_type {
    COLUMN_U64,
    COLUMN_TIME,
    COLUMN_U32,
    COLUMN_BOOL,
    COLUMN_ENUM,
    COLUMN_TEXT,
    COLUMN_KEY,      /* KEY_LEN bytes */
    COLUMN_ADDR,     /* text, NULL for none */
    COLUMN_PREFIX,   /* text */
    COLUMN_STRS,     /* JSON array of texts */
    COLUMN_PREFIXES, /* the same, of prefixes */
};

struct column {
    const char *name;
    enum column_type type;
    size_t at;    /* offset in the record */
    unsigned max; /* of COLUMN_ENUM */
};

struct table {
    const char *name;
    size_t key_count; /* the first columns are the primary key */
    const struct column *columns;
    size_t count;
};

extern const struct table store_tables[STORE_KINDS]; /* by enum record_kind */

enum table_sql { TABLE_PUT, TABLE_DELETE, TABLE_SELECT /* open-ended: "SELECT columns FROM table" */ };
void table_sql(const struct table *t, enum table_sql what, struct buf *out);
/* Binds all columns, or only the key. ERR_INTERNAL where a value cannot be stored. */
int table_bind(const struct table *t, sqlite3_stmt *stmt, const void *record, bool key_only, struct err *e) WARN_UNUSED;
/* Reads the current row into a record of defaults. ERR_IO names table, row and column. */
int table_read(const struct table *t, sqlite3_stmt *stmt, void *record, struct err *e) WARN_UNUSED;

void endpoints_format(const struct node_live *live, struct buf *json);
int endpoints_parse(const char *json, struct node_live *live, struct err *e) WARN_UNUSED;

/* ---- schema.c ---- */

struct schema_step {
    const char *sql; /* from the version before to this one; several statements */
};
extern const struct schema_step store_schema[];
extern const size_t store_schema_count;

/* Creates or migrates what is behind db, in one transaction, after a copy path.schema-N of an older one was kept.
 * ERR_UNSUPPORTED for a newer schema and for a database that is not headway's. */
int schema_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps, size_t count,
                   struct err *e) WARN_UNUSED;

/* ---- backup.c ---- */

/* A complete, self-contained, synced copy in a new file of mode 0600. ERR_CONFLICT when path exists. */
int database_copy(sqlite3 *from, const char *path, struct err *e) WARN_UNUSED;

/* ---- the store ---- */

struct group {
    struct group *next;
    store_done *done;
    void *arg;
    int code;
    struct err err;
    char *state_json; /* store_put_state instead of writes */
    int64_t state_ns;
    uint64_t state_run, state_seq;
    size_t count;
    struct store_write writes[];
};

struct store {
    char *path;
    bool memory;
    int lock_fd;
    uint64_t run, first_seq; /* first_seq: the journal entry after those of former runs */

    /* The writing connection belongs to the storage thread; writer_lock is for ":memory:", where readers share it. */
    sqlite3 *writer;
    pthread_mutex_t writer_lock;
    sqlite3_stmt *put[STORE_KINDS], *del[STORE_KINDS];
    sqlite3_stmt *begin, *commit, *savepoint, *release, *undo;
    sqlite3_stmt *live_put, *live_del, *primary_forget, *counter_put, *state_put, *event_prune, *state_prune;
    uint64_t next_id[STORE_KINDS];
    bool next_dirty[STORE_KINDS];
    bool sync_full;
    int64_t prune_ms; /* when to look next, mono_ms */

    /* Other threads read here, one at a time. */
    sqlite3 *reader;
    pthread_mutex_t reader_mutex, *reader_lock;
    sqlite3_stmt *events_after, *events_before, *event_has, *event_newest, *state_at, *ping;

    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t wake;
    struct group *first, **last;
    bool waited;                     /* somebody waits for a group in the queue */
    int64_t lazy_ms;                 /* when groups that nobody waits for are written at the latest; 0: none */
    struct map live;                 /* node id -> struct node_live *, to be written */
    int64_t live_ms;                 /* when; 0: nothing is there */
    uint64_t oldest_seq, newest_seq; /* of the journal entries submitted in this run; 0: none */
    bool stopping;
    int trouble; /* the last write failed for a reason that concerns all writes: its code */
    struct err trouble_err;
};

/* commit.c; on the storage thread. The list is answered and freed. */
void store_commit(struct store *s, struct group *list);
/* Writes what is in map (and empties it); false when nothing could be written: then the map is left. */
bool store_commit_live(struct store *s, struct map *live);
/* Notes whether writing works, for store_ping. */
void store_note(struct store *s, int code, const struct err *e);
int store_sync(struct store *s, bool full, struct err *e) WARN_UNUSED;
int store_begin(struct store *s, struct err *e) WARN_UNUSED;
int store_finish(struct store *s, int code, struct err *e) WARN_UNUSED; /* commits for code 0, else rolls back */
int store_prepare_writes(struct store *s, struct err *e) WARN_UNUSED;

/* journal.c */
int store_prepare_journal(struct store *s, struct err *e) WARN_UNUSED;
/* One small step of retention; true when there is more to do. */
bool store_prune(struct store *s, int64_t now_ns);

/* load.c */
int store_read_counters(sqlite3 *db, uint64_t next_id[STORE_KINDS], struct err *e) WARN_UNUSED;

#endif
