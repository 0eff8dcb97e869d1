/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: what a database has to do. The store queues, answers and decides when; an engine writes, reads
 * and reports. It knows the tables by their descriptions alone (tables.h). */
#ifndef SERVER_STORE_ENGINE_H
#define SERVER_STORE_ENGINE_H

#include "store/store.h"

/* A group of writes, applied as a whole or not at all. */
struct store_group {
    struct store_group *next;
    store_done *done;
    void *arg;
    uint64_t series;  /* as in store_submit */
    int64_t until_ms; /* mono; while the database is away it waits so long */
    bool open;        /* the engine could not give it a verdict */
    uint64_t number;  /* of the commit that may hold it, where that is not known; 0: none does */
    int code;         /* the engine's verdict, with err */
    struct err err;
    size_t count;
    struct store_write writes[];
};

/* What is soft about a node, as it is stored; borrowed. */
struct live_row {
    uint64_t id;
    struct node_live live;
};

struct counter_row {
    char *name;
    uint64_t value;
};

struct engine_start {
    uint64_t run;       /* of this start, higher than any before */
    uint64_t first_seq; /* number of the journal's next entry, where numbers go on over starts */
    int trouble;        /* it starts, but cannot write: the code, with err; 0: it can */
    struct err err;
};

/* What reaching the database again found. */
struct store_reach {
    bool again;       /* the connection is a new one */
    uint64_t durable; /* the newest commit's number */
};

struct journal_page {
    bool backwards; /* the entries before run.seq, newest first; else those after it, oldest first */
    uint64_t run, seq;
    size_t limit;
};

/* What the database knows about a position in the journal. */
struct journal_position {
    bool kept;       /* the entry, or the one that follows it in its run, is there */
    bool pruned;     /* an entry that came after it was removed for its age or number */
    int64_t durable; /* the newest entry of the run; -1: none */
};

/* Groups of a series were decided upon one another: after one is refused all later ones are. */
struct store_refusal {
    uint64_t series; /* the newest of which a group was refused */
    struct err err;
};
/* Whether a group stands on one that was refused. */
bool refusal_covers(const struct store_refusal *r, const struct store_group *g);
void refusal_note(struct store_refusal *r, const struct store_group *g); /* after each group's verdict for good */
/* Gives the groups up to end that verdict. */
void refuse_groups(struct store_group *list, const struct store_group *end, int code, const struct err *e);

struct store_sql;
typedef int store_use(struct store_sql *db, void *arg, struct err *e);

struct engine {
    const struct engine_calls *calls;
    struct store_refusal refusal; /* the storage thread's */
};

/* Codes are those of store_done. Unless marked otherwise, any thread may call, and each call is complete in itself. */
struct engine_calls {
    void (*close)(struct engine *en);

    /* The storage thread. commit: writes the groups in their order and gives each its verdict; a refused one takes
     * nothing with it but those of its series that follow, also in later calls. Returns the last failure that concerns
     * all writes, or 0. */
    int (*commit)(struct engine *en, struct store_group *list, struct err *e);
    /* NULL where nothing lies between the daemon and its database. Makes sure that it is reached, each second, and
     * after a failure. ERR_UNAVAILABLE: it is away; commit leaves groups open then. ERR_GONE: this daemon may not use
     * it any more. */
    int (*reach)(struct engine *en, struct store_reach *out, struct err *e);
    int (*put_live)(struct engine *en, const struct live_row *rows, size_t count, struct err *e);
    int (*try_writing)(struct engine *en, struct err *e);
    /* Lends the writing connection inside a transaction that may be lost with the machine's power. */
    int (*writing)(struct engine *en, store_use *use, void *arg, struct err *e);

    /* Lends a connection inside a transaction that reads. */
    int (*reading)(struct engine *en, store_use *use, void *arg, struct err *e);
    /* The same with a connection of its own, which nobody waits for: for what takes long. */
    int (*snapshot)(struct engine *en, store_use *use, void *arg, struct err *e);
    int (*backup)(struct engine *en, const char *path, struct err *e); /* NULL: from a snapshot */
    int (*ping)(struct engine *en, struct err *e);
};

/* Ids are never used twice: the next of each kind, where it has one, and which are not stored yet. */
struct store_ids {
    uint64_t next[RECORD_KINDS];
    bool raised[RECORD_KINDS];
};
void ids_note(struct store_ids *ids, const struct record *r);

/* sqlite/open.c; path as in store_open. */
int sqlite_engine_open(const char *path, struct engine **out, struct engine_start *start, struct err *e) WARN_UNUSED;

/* sqlite/backup.c: makes a self-contained, synced database of mode 0600 in a new file, which use fills in a
 * transaction. ERR_CONFLICT when path exists. */
int sqlite_make_file(const char *path, store_use *use, void *arg, struct err *e) WARN_UNUSED;

/* postgres/open.c */
int pg_engine_open(const struct store_postgres *with, struct engine **out, struct engine_start *start,
                   struct err *e) WARN_UNUSED;

/* image.c: what a start reads, filled by an engine table by table. */
/* A record of defaults at the end of its kind's list, the image's. */
struct record *image_add(struct store_image *image, enum record_kind kind);
/* After the records: room for what is soft; then where to put a node's, NULL for a node that is unknown. */
void image_make_lives(struct store_image *image);
struct node_live *image_live(struct store_image *image, uint64_t node_id);
/* Orders the lists and checks that they fit together; ERR_IO names the row that does not. */
int image_check(struct store_image *image, struct err *e) WARN_UNUSED;

#endif
