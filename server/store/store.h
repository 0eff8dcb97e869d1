/* SPDX-License-Identifier: BSD-3-Clause */
/* Durable state behind a narrow interface: whole records are put and deleted in groups, and all of them are read once
 * at start. One thread owns the database; nobody else waits for a disk. The database is a file of SQLite's, or lies
 * with a server of PostgreSQL, which may be away for a while. */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include "model/member.h"
#include "model/record.h"

struct store;

/* What is kept of a kind of records, member by member. */
struct members store_members(enum record_kind kind);

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
    struct via_primary **via_primaries;
    size_t via_primary_count;
    struct prefix_settings **prefix_settings;
    size_t prefix_settings_count;
    struct policy_text **policies; /* the newest, or none */
    size_t policy_count;
    struct server_message **messages; /* one, or none */
    size_t message_count;
    struct dns_settings **dns_settings; /* likewise */
    size_t dns_settings_count;
    struct pending **pendings;
    size_t pending_count;
    struct ssh_approval **ssh_approvals;
    size_t ssh_approval_count;
    struct deleted_node **deleted_nodes; /* by time; so the next */
    size_t deleted_node_count;
    struct admin_call **admin_calls;
    size_t admin_call_count;
    struct identity **identities;
    size_t identity_count;
    struct oauth_client **oauth_clients;
    size_t oauth_client_count;
    struct oauth_token **oauth_tokens;
    size_t oauth_token_count;
    struct webhook **webhooks;
    size_t webhook_count;
    uint64_t run;                   /* raised by one, durably, by this start */
    uint64_t next_id[RECORD_KINDS]; /* ids are never used twice, not even after a deletion; 0: the kind has none */
};

/* One write of a group, applied in the order of the group: what makes room for another (a deletion, a new name) comes
 * first. The store takes a reference of the record while it works. */
struct store_write {
    bool remove;
    const void *record; /* its kind and id say what is put or removed */
};

/* Called on the storage thread when a group is durable (code 0) or was refused as a whole: ERR_UNAVAILABLE for a full
 * or failing disk and for a database that is away (later ones may go through), ERR_CONFLICT for what must be unique,
 * ERR_IO for damage, ERR_INTERNAL for a record that could not be read again; with a message for people. ERR_TIMEOUT:
 * the connection broke while it was written, and whether it is durable is not known yet; once that is known it is
 * called again, with 0 or ERR_UNAVAILABLE. Where that is 0, later groups that were submitted by then are refused. Must
 * not block. */
typedef void store_done(void *arg, int code, const struct err *e);

/* path: a file in a folder that exists, or ":memory:" in tests. Migrates an older schema forward in one transaction
 * after keeping a copy, PATH.schema-N, beside it. ERR_UNSUPPORTED for a newer schema and for what is no headway
 * database, ERR_CONFLICT while another daemon has it open, ERR_IO for damage. Starts on a full disk. */
int store_open(const char *path, struct store **out, struct err *e) WARN_UNUSED;
/* A database of PostgreSQL. Texts are borrowed; "" stands for libpq's own default. */
struct store_postgres {
    const char *host, *name, *user, *pass, *sslmode;
    const char *options; /* a connection string with more */
    uint16_t port;
    const uint8_t *noise_key; /* the public half: a database belongs to one */
};
/* The same in the schema headway of such a database. ERR_UNAVAILABLE: it is not reached, which may change;
 * ERR_CONFLICT: another daemon uses it; ERR_UNSUPPORTED: a newer schema, another server's database or headscale's, a
 * server before version 14, a connection pooler that lends sessions by the transaction. */
int store_open_postgres(const struct store_postgres *with, struct store **out, struct err *e) WARN_UNUSED;
/* Whether this daemon may not use the database any more: another one took it over, or it lost commits. */
bool store_is_lost(struct store *s, struct err *e);

/* What store_open and store_load would say to the database in that file, without changing it; 0 where there is none
 * yet. *image holds what they would read, nothing for a new database; its run is 0 where an older schema was not read.
 */
int store_check(const char *path, struct store_image *image, struct err *e) WARN_UNUSED;
int store_check_postgres(const struct store_postgres *with, struct store_image *image, struct err *e) WARN_UNUSED;
/* Whether a file is a database of headscale's, without making files beside it as SQLite does. */
bool store_is_headscale(const char *path);
/* Whether the database in that file holds a policy. */
bool store_holds_policy(const char *path);
/* Makes a new database of the records of an image (of its next_id 0 stands for "as the records say"), with event as the
 * first of the journal, and reads it again. origin: where they come from. path must not exist, or is ":memory:" to try
 * it only. Where it fails nothing is left; a record that cannot be stored is named. */
int store_import(const char *path, const struct store_image *image, const char *origin, const struct event *event,
                 struct err *e) WARN_UNUSED;
/* Whether the database in that file was made that way: from where (the caller's) and when. */
bool store_imported(const char *path, char **origin, int64_t *when_ns);
void store_close(struct store *s); /* finishes what was submitted */

int store_load(struct store *s, struct store_image *out, struct err *e) WARN_UNUSED;
void store_image_release(struct store_image *image);

/* Never blocks. Groups become durable, and are answered, in the order of submission, several in one commit where they
 * queue up. series: groups of one series were decided upon one another: after one is refused all later ones of the
 * series are, with its code. Series are numbered upwards; 0: the group stands for itself. writes is copied (records
 * referenced). done may be NULL: then the group may wait 0.1 s for company. */
void store_submit(struct store *s, uint64_t series, const struct store_write *writes, size_t count, store_done *done,
                  void *arg);

/* Groups that were answered with ERR_TIMEOUT are answered no more. */
void store_forget(struct store *s);

/* Soft state, written lazily with a later commit or within some seconds; never waited for. */
void store_live(struct store *s, uint64_t node_id, const struct node_live *live);

/* Journal entries that are durable, newest last: those after run.after over the following runs too, at most limit (and
 * at most 10,000); 0.0 is before the oldest that is kept. before != 0 instead reads the limit entries that precede
 * run.before; UINT64_MAX for both reads the newest. *gone becomes true when run.after is unknown: neither an entry that
 * is kept, nor the beginning of this run, nor one of this run that was submitted, or when an entry after it was removed
 * for its age or number. gone NULL: the caller goes on after a page that it read. Runs on the caller's thread over a
 * connection of its own (read only). The caller owns *out (free) and its references. */
int store_events(struct store *s, uint64_t run, uint64_t after, uint64_t before, size_t limit, struct event ***out,
                 size_t *count, bool *gone, struct err *e) WARN_UNUSED;

/* How many entries were made in each of cells spans of step_ns that follow one another from from_ns on; counts has room
 * for as many. Runs on the caller's thread, like store_events. */
int store_event_counts(struct store *s, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts,
                       struct err *e) WARN_UNUSED;

/* What is known of a moment: of each object the newest image that is not later, without what was gone by then. Waits
 * until what was submitted before is written, some seconds at most. since_ns: the beginning of what is kept; where
 * at_ns is before it there is nothing else. Runs on the caller's thread, like store_events. */
struct store_past {
    int64_t since_ns; /* INT64_MAX: nothing is kept yet */
    struct history **items;
    size_t count;
    struct policy_text *policy; /* NULL: none was in force */
};
int store_past(struct store *s, int64_t at_ns, struct store_past *out, struct err *e) WARN_UNUSED;
void store_past_release(struct store_past *past);

/* Texts that were the policy: with a version that one, whole (*count 0: it is not kept); with 0 those before the
 * version before, newest first, at most limit, without their texts. Waits and runs like store_past. The caller owns
 * *out (free) and its references. */
int store_policies(struct store *s, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                   size_t *count, struct err *e) WARN_UNUSED;

/* A consistent, checked and synced copy while running, for `headway backup`. ERR_CONFLICT when the file exists,
 * ERR_MISSING when its folder does not, ERR_UNAVAILABLE when it cannot be written. */
int store_backup(struct store *s, const char *path, struct err *e) WARN_UNUSED;

/* Moves everything from a database of one engine into an empty one of the other, in one transaction: the journal and
 * the counters too. Rows and their hashes are compared before it is committed. No daemon may use either. ERR_CONFLICT:
 * one does, the target is not empty, or its file exists. */
struct store_moved {
    uint64_t users, nodes, events;
};
int store_move_to_postgres(const char *path, const struct store_postgres *with, struct store_moved *out,
                           struct err *e) WARN_UNUSED;
int store_move_to_sqlite(const struct store_postgres *with, const char *path, struct store_moved *out,
                         struct err *e) WARN_UNUSED;

/* Checks that the database answers and that the last write worked: for /health. */
int store_ping(struct store *s, struct err *e) WARN_UNUSED;

#endif
