/* SPDX-License-Identifier: BSD-3-Clause */
/* Durable state behind a narrow interface: whole records are put and deleted in groups, and all of them are read once
 * at start. One thread owns the database; nobody else waits for a disk. SQLite now; what stands here says nothing of
 * it, so that another database can stand behind. */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include "model/record.h"

struct store;

/* Everything that is read at start. Arrays are ordered by id; records have one reference that the caller owns. */
struct store_image {
    struct user **users;
    size_t user_count;
    struct preauth_key **preauth_keys;
    size_t preauth_key_count;
    struct api_key **api_keys;
    size_t api_key_count;
    struct node **nodes;
    struct node_live *lives; /* one a node: last seen, endpoints, relay, net info; online is false */
    size_t node_count;
    struct primary **primaries;
    size_t primary_count;
    struct policy_text *policy; /* the newest, or NULL */
    uint64_t run;               /* raised by one, durably, by this start */
    uint64_t next_id[8];        /* by enum record_kind: ids are never used twice, not even after a deletion */
};

/* One write of a group. The store takes a reference of the record while it works. */
struct store_write {
    bool remove;
    const void *record; /* its kind and id say what is put or removed */
};

/* Called on the storage thread when a group is durable (code 0) or was refused as a whole (ERR_IO, ERR_UNAVAILABLE for
 * a full disk, with a message for people). Must not block. */
typedef void store_done(void *arg, int code, const struct err *e);

/* path: a file, or ":memory:" in tests. Migrates an older schema forward in one transaction after keeping a copy beside
 * it; refuses a newer one. */
int store_open(const char *path, struct store **out, struct err *e) WARN_UNUSED;
void store_close(struct store *s); /* finishes what was submitted */

int store_load(struct store *s, struct store_image *out, struct err *e) WARN_UNUSED;
void store_image_release(struct store_image *image);

/* Never blocks. Groups become durable in the order of submission, several in one commit where they queue up. writes is
 * copied (records referenced). done may be NULL. */
void store_submit(struct store *s, const struct store_write *writes, size_t count, store_done *done, void *arg);

/* Soft state, written lazily with a later commit or within some seconds; never waited for. */
void store_live(struct store *s, uint64_t node_id, const struct node_live *live);

/* Journal entries newest last: with seq > after (within run) and at most limit; before != 0 instead reads the limit
 * entries that precede that seq. Runs on the caller's thread over a connection of its own (read only). The caller owns
 * the references. *gone becomes true when run.after is unknown. */
int store_events(struct store *s, uint64_t run, uint64_t after, uint64_t before, size_t limit, struct event ***out,
                 size_t *count, bool *gone, struct err *e) WARN_UNUSED;

/* A consistent copy while running, for `headway backup`. ERR_CONFLICT when the file exists. */
int store_backup(struct store *s, const char *path, struct err *e) WARN_UNUSED;

/* Checks that the database answers: for /health. */
int store_ping(struct store *s, struct err *e) WARN_UNUSED;

/* The hourly compact state for `state?at=`: JSON text of a snapshot at a time, and the newest at or before a time. */
void store_put_state(struct store *s, int64_t wall_ns, uint64_t run, uint64_t seq, const char *json);
int store_state_at(struct store *s, int64_t wall_ns, int64_t *at_ns, char **json, struct err *e) WARN_UNUSED;

#endif
