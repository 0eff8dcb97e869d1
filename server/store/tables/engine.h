/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: the interface of a database engine. The store queues, answers and schedules; an engine writes,
 * reads and reports. It knows tables only by their descriptions (tables.h). */
#ifndef SERVER_STORE_ENGINE_H
#define SERVER_STORE_ENGINE_H

#include "store/store.h"

/* A group of writes, applied as a whole or not at all. */
struct store_group {
    struct store_group *next;
    store_done *done;
    void *arg;
    uint64_t series;  /* as in store_submit */
    int64_t until_ms; /* mono; how long it may wait while the database is away */
    bool open;        /* the engine could not decide it */
    uint64_t number;  /* of the commit that may contain it, if that is not known; 0: none */
    int code;         /* the engine's result, with err */
    struct err err;
    size_t count;
    struct store_write writes[];
};

/* A node's soft state, as stored; borrowed. */
struct live_row {
    uint64_t id;
    struct node_live live;
};

struct counter_row {
    char *name;
    uint64_t value;
};

struct engine_start {
    uint64_t run;       /* number of this start, higher than any before */
    uint64_t first_seq; /* number of the next journal entry, if numbering continues over starts */
    int trouble;        /* it started but cannot write: the code, with err; 0: it can */
    struct err err;
};

/* The result of reaching the database again. */
struct store_reach {
    bool again;       /* the connection is a new one */
    uint64_t durable; /* the newest commit's number */
};

struct journal_page {
    bool backwards; /* the entries before run.seq, newest first; else those after it, oldest first */
    uint64_t run, seq;
    size_t limit;
};

/* The database's knowledge of a journal position. */
struct journal_position {
    bool kept;       /* the entry, or its successor in the same run, exists */
    bool pruned;     /* a later entry was removed for its age or number */
    int64_t durable; /* the newest entry of the run; -1: none */
};

/* Groups of a series depend on one another: after one is refused all later ones are. */
struct store_refusal {
    uint64_t series; /* the newest series with a refused group */
    struct err err;
};
/* Whether a group depends on a refused one. */
bool refusal_covers(const struct store_refusal *r, const struct store_group *g);
void refusal_note(struct store_refusal *r, const struct store_group *g); /* call after each group's final result */
/* Sets that result for the groups up to end. */
void refuse_groups(struct store_group *list, const struct store_group *end, int code, const struct err *e);

struct store_sql;
typedef int store_use(struct store_sql *db, void *arg, struct err *e);

struct engine {
    const struct engine_calls *calls;
    struct store_refusal refusal; /* the storage thread's */
};

/* Codes are those of store_done. Unless noted otherwise, any thread may call, and each call is self-contained. */
struct engine_calls {
    void (*close)(struct engine *en);

    /* Storage thread. commit: writes the groups in order and sets each one's result; a refused one affects only those
     * of its series that follow, also in later calls. Returns the last failure that affects all writes, or 0. */
    int (*commit)(struct engine *en, struct store_group *list, struct err *e);
    /* NULL if the database is local. Called each second and after a failure, to make sure that the database is reached.
     * ERR_UNAVAILABLE: it is away, and commit leaves groups open; ERR_GONE: this daemon may no longer use it. */
    int (*reach)(struct engine *en, struct store_reach *out, struct err *e);
    int (*put_live)(struct engine *en, const struct live_row *rows, size_t count, struct err *e);
    int (*try_writing)(struct engine *en, struct err *e);
    /* Lends the writing connection inside a transaction that a power failure may lose. */
    int (*writing)(struct engine *en, store_use *use, void *arg, struct err *e);

    /* Lends a connection inside a read transaction. */
    int (*reading)(struct engine *en, store_use *use, void *arg, struct err *e);
    /* The same with a separate connection that no one waits for: for long reads. */
    int (*snapshot)(struct engine *en, store_use *use, void *arg, struct err *e);
    int (*backup)(struct engine *en, const char *path, struct err *e); /* NULL: from a snapshot */
    int (*ping)(struct engine *en, struct err *e);
};

/* Ids are never reused: the next of each kind that has them, and which of these are not stored yet. */
struct store_ids {
    uint64_t next[RECORD_KINDS];
    bool raised[RECORD_KINDS];
};
void ids_note(struct store_ids *ids, const struct record *r);

/* sqlite/open.c; path as in store_open. */
int sqlite_engine_open(const char *path, struct engine **out, struct engine_start *start, struct err *e) WARN_UNUSED;

/* sqlite/backup.c: makes a self-contained, synced database of mode 0600 in a new file; use fills it in a transaction.
 * ERR_CONFLICT if path exists. */
int sqlite_make_file(const char *path, store_use *use, void *arg, struct err *e) WARN_UNUSED;

/* postgres/open.c */
int pg_engine_open(const struct store_postgres *with, struct engine **out, struct engine_start *start,
                   struct err *e) WARN_UNUSED;

/* image.c: what is read at start; an engine fills it table by table. */
/* Appends a record of defaults to its kind's list; the image owns it. */
struct record *image_add(struct store_image *image, enum record_kind kind);
/* After the records: makes room for soft state; then returns where to put a node's, NULL for an unknown node. */
void image_make_lives(struct store_image *image);
struct node_live *image_live(struct store_image *image, uint64_t node_id);
/* Sorts the lists and checks that they are consistent; ERR_IO names a row that is not. */
int image_check(struct store_image *image, struct err *e) WARN_UNUSED;

#endif
