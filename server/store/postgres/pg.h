/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store's PostgreSQL engine: its connections, and the few calls that the rest of it is built on. Every
 * call is bounded by its connection's timeout: a server that hangs counts as gone. */
#ifndef SERVER_STORE_POSTGRES_PG_H
#define SERVER_STORE_POSTGRES_PG_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "store/tables/sql.h"

#define PG_LEASE_MS    6000       /* the server ends the daemon's session after this long without a statement */
#define PG_LOCK_SPACE  1751414649 /* "hdwy" */
#define PG_LOCK_WRITER 1
/* For a transaction that may take long: one that moves a tailnet or migrates its schema. A daemon that falls silent in
 * it is still noticed (idle_in_transaction_session_timeout). */
#define PG_NO_TRANSACTION_LIMIT                                                                                        \
    "SELECT set_config('transaction_timeout','0',true) WHERE current_setting('server_version_num')::int>=170000"

/* The database's location; owned texts. */
struct pg_place {
    char *host, *port, *name, *user, *pass, *sslmode, *options;
    char *called; /* its name in messages: without the password */
    uint8_t noise_key[KEY_LEN];
};

struct pg_conn {
    PGconn *db; /* NULL: none */
    const struct pg_place *place;
    int64_t wait_ms; /* per answer */
    bool warned;     /* the server warned about a commit (notices with SQLSTATE 57...) */
};

struct pg_engine {
    struct engine engine; /* first */
    struct pg_place place;

    pthread_mutex_t writer_lock; /* protects the members below */
    /* The storage thread's. The writer's session holds the lock that makes this daemon the only writer. */
    struct pg_conn writer;
    uint64_t run, commit; /* commit: the newest known to be durable */
    int pid;              /* of the writer's session, or of its predecessor that broke; 0: none yet */
    bool lost;
    struct err lost_why;
    struct store_ids ids;

    atomic_llong answered_ms; /* when the writer's session last answered, by clock_mono_ms() */

    /* Used by other threads, one at a time. */
    pthread_mutex_t reader_lock; /* protects reader_taken, whose taker owns the members below */
    pthread_cond_t reader_free;
    bool reader_taken;
    struct pg_conn reader;
    int64_t reader_retry_ms; /* no one tries to reconnect before this */
    struct err reader_why;
};

/* ---- connection.c ---- */

void pg_place_take(struct pg_place *place, const struct store_postgres *with);
void pg_place_release(struct pg_place *place);
/* Connects, checks the server's version and sets what all sessions need. ERR_UNAVAILABLE: it may work later;
 * ERR_UNSUPPORTED: the server is too old. */
int pg_connect(struct pg_conn *c, const struct pg_place *place, const char *purpose, struct err *e) WARN_UNUSED;
void pg_disconnect(struct pg_conn *c);
bool pg_alive(const struct pg_conn *c);
bool pg_still_there(struct pg_conn *c); /* checks whether the server has closed it */
/* The next result; NULL: no more, or the connection is broken or was silent for too long (it is closed then). */
PGresult *pg_next(struct pg_conn *c);
/* Fills *e from a result that is an error, or from the connection. A broken connection is ERR_UNAVAILABLE, a violated
 * unique constraint ERR_CONFLICT. doing: "read", "write". */
int pg_error(struct pg_conn *c, const PGresult *r, const char *doing, struct err *e);
/* One or several statements without parameters; any rows are ignored. */
int pg_execute(struct pg_conn *c, const char *sql, struct err *e) WARN_UNUSED;
/* The first column of the first row; fallback if there is no row or it is NULL. */
int pg_number(struct pg_conn *c, const char *sql, int64_t fallback, int64_t *out, struct err *e) WARN_UNUSED;

/* ---- columns.c ---- */

extern const struct store_dialect pg_dialect;

/* The parameters of one statement. */
struct pg_values {
    int count;
    const char **texts;
    int *lengths, *formats;
};
Oid pg_column_oid(const struct member *c);
/* All columns, or only the key; memory from the arena. ERR_INTERNAL if a value cannot be stored. */
int pg_bind(const struct store_table *t, const void *record, bool key_only, struct arena *a, struct pg_values *out,
            struct err *e) WARN_UNUSED;
/* Reads a row into a record of defaults. ERR_IO names table, row and column. */
int pg_read(const struct store_table *t, const PGresult *r, int row, void *record, struct err *e) WARN_UNUSED;

/* ---- lend.c ---- */

/* A connection as lent to the store's other rooms. */
struct pg_lent {
    struct store_sql sql; /* first */
    struct pg_conn *conn;
    const PGresult *result; /* holds the current row */
    int row;
    struct pg_putting *putting; /* NULL: nothing is being put */
};
struct pg_lent pg_lend(struct pg_conn *c);
/* Connects the reader; called by its taker, or before there are other threads. */
int pg_connect_reader(struct pg_engine *en, struct err *e) WARN_UNUSED;
/* Lends a connection in a reading transaction with one consistent view. */
int pg_snapshot(struct pg_conn *c, store_use *use, void *arg, struct err *e) WARN_UNUSED;
int pg_reading(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;
/* Checks that the server answers; does not wait for long readers. */
int pg_ping(struct engine *en, struct err *e) WARN_UNUSED;
int pg_long_snapshot(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;
int pg_writing(struct engine *en, store_use *use, void *arg, struct err *e) WARN_UNUSED;

/* ---- schema.c; with the lock ---- */

/* Whether a headway schema exists, and its version; 0: none. ERR_UNSUPPORTED: it is newer, or belongs to another server
 * (with another noise key). */
int pg_schema_check(struct pg_conn *c, unsigned *version, struct err *e) WARN_UNUSED;
int pg_schema_upgrade(struct pg_conn *c, struct err *e) WARN_UNUSED;

/* ---- lead.c; on the storage thread ---- */

/* At start: waits while a previous session may still be ending; ERR_CONFLICT: another daemon uses the database. */
int pg_lead_first(struct pg_engine *en, struct err *e) WARN_UNUSED;
int pg_try_writing(struct engine *en, struct err *e) WARN_UNUSED;
int pg_reach(struct engine *en, struct store_reach *out, struct err *e) WARN_UNUSED;

/* ---- commit.c; on the storage thread ---- */

int pg_prepare_writes(struct pg_conn *c, struct err *e) WARN_UNUSED;
int pg_commit(struct engine *en, struct store_group *list, struct err *e) WARN_UNUSED;
/* Puts records through the pipeline, many at once. */
int pg_put(struct store_sql *db, const struct store_table *t, const void *record, struct err *e) WARN_UNUSED;
int pg_put_end(struct store_sql *db, struct err *e) WARN_UNUSED;
void pg_put_drop(struct pg_lent *lent); /* drops what was not sent */
int pg_put_live(struct engine *en, const struct live_row *rows, size_t count, struct err *e) WARN_UNUSED;

#endif
