/* SPDX-License-Identifier: BSD-3-Clause */
/* Durable state behind a narrow interface: whole records are put and deleted in groups, and all are read once at start.
 * One thread owns the database; no other thread waits for a disk. The database is an SQLite file or on a PostgreSQL
 * server, which may be unreachable for a while. */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include "model/member.h"
#include "model/record.h"

struct store;

/* The stored members of a kind of record. */
struct members store_members(enum record_kind kind);

/* Everything read at start. Arrays are ordered by id; the caller owns one reference to each record. */
struct store_image {
    struct user **users;
    size_t user_count;
    struct preauth_key **preauth_keys;
    size_t preauth_key_count;
    struct api_key **api_keys;
    size_t api_key_count;
    struct node **nodes;
    struct node_live *lives; /* one per node: last seen, endpoints, relay, net info; online is false */
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
    struct deleted_node **deleted_nodes; /* by time; likewise the next */
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
    uint64_t run;                   /* incremented durably by each start */
    uint64_t next_id[RECORD_KINDS]; /* ids are never reused, not even after a deletion; 0: the kind has none */
};

/* One write of a group, applied in the group's order: what makes room for another write (a deletion, a new name) comes
 * first. The store takes a reference to the record while it works. */
struct store_write {
    bool remove;
    const void *record; /* its kind and id identify what is put or removed */
};

/* Called on the storage thread when a group is durable (code 0) or was refused as a whole, with a message for people.
 * ERR_UNAVAILABLE: a full or failing disk, or an unreachable database (later groups may succeed); ERR_CONFLICT: a
 * unique value exists already; ERR_IO: damage; ERR_INTERNAL: a record that could not be read back. ERR_TIMEOUT: the
 * connection broke during the write, and whether it is durable is not known yet; once it is, this is called again with
 * 0 or ERR_UNAVAILABLE. If it is 0, later groups submitted in the meantime are refused. Must not block. */
typedef void store_done(void *arg, int code, const struct err *e);

/* path: a file in an existing folder, or ":memory:" in tests. Migrates an older schema in one transaction after making
 * a copy beside it, PATH.schema-N. ERR_UNSUPPORTED: a newer schema, or not a headway database; ERR_CONFLICT: another
 * daemon has it open; ERR_IO: damage. Works on a full disk. */
int store_open(const char *path, struct store **out, struct err *e) WARN_UNUSED;
/* A PostgreSQL database. Texts are borrowed; "" stands for libpq's default. */
struct store_postgres {
    const char *host, *name, *user, *pass, *sslmode;
    const char *options; /* a connection string with further options */
    uint16_t port;
    const uint8_t *noise_key; /* the public half: a database belongs to one server */
};
/* The same in the schema headway of such a database. ERR_UNAVAILABLE: unreachable at present; ERR_CONFLICT: another
 * daemon uses it; ERR_UNSUPPORTED: a newer schema, another server's database or headscale's, a server before version
 * 14, or a connection pooler in transaction mode. */
int store_open_postgres(const struct store_postgres *with, struct store **out, struct err *e) WARN_UNUSED;
/* Whether this daemon may no longer use the database: another one took it over, or it lost commits. */
bool store_is_lost(struct store *s, struct err *e);

/* Checks a database file as store_open and store_load would, without changing it; 0 if there is none yet. *image holds
 * what they would read, nothing for a new database; its run is 0 if the schema is older and was not read. */
int store_check(const char *path, struct store_image *image, struct err *e) WARN_UNUSED;
int store_check_postgres(const struct store_postgres *with, struct store_image *image, struct err *e) WARN_UNUSED;
/* Whether the file is a headscale database; makes no files beside it, as opening it with SQLite would. */
bool store_is_headscale(const char *path);
/* Whether the database file holds a policy. */
bool store_holds_policy(const char *path);
/* Makes a new database from the records of an image (0 in its next_id: derive it from the records), with event as the
 * first journal entry, and reads it back. origin: where the records come from. path must not exist, or is ":memory:"
 * for a trial. Leaves nothing behind on failure; the error names a record that cannot be stored. */
int store_import(const char *path, const struct store_image *image, const char *origin, const struct event *event,
                 struct err *e) WARN_UNUSED;
/* Whether the database file was made by store_import: from what (owned by the caller) and when. */
bool store_imported(const char *path, char **origin, int64_t *when_ns);
void store_close(struct store *s); /* finishes what was submitted */

int store_load(struct store *s, struct store_image *out, struct err *e) WARN_UNUSED;
void store_image_release(struct store_image *image);

/* Never blocks. Groups become durable, and are answered, in order of submission; several share a commit when they queue
 * up. series: groups of one series depend on one another: after one is refused, all later ones of the series are, with
 * its code. Series are numbered upwards; 0: the group depends on none. writes is copied (records are referenced). done
 * may be NULL: the group may then wait 0.1 s for others. */
void store_submit(struct store *s, uint64_t series, const struct store_write *writes, size_t count, store_done *done,
                  void *arg);

/* Groups answered with ERR_TIMEOUT get no second answer. */
void store_forget(struct store *s);

/* Soft state, written with a later commit or within some seconds; no one waits for it. */
void store_live(struct store *s, uint64_t node_id, const struct node_live *live);

/* Durable journal entries, newest last: those after run.after, including later runs, at most limit (and at most
 * 10,000); 0.0 is before the oldest kept entry. before != 0 instead reads the limit entries that precede run.before;
 * UINT64_MAX for both reads the newest. *gone becomes true if run.after is unknown (not a kept entry, the beginning of
 * this run, or a submitted entry of this run), or if an entry after it was removed for its age or number. gone NULL:
 * the caller continues after a page that it read. Runs on the caller's thread over a read-only connection of its own.
 * The caller owns *out (free) and its references. */
int store_events(struct store *s, uint64_t run, uint64_t after, uint64_t before, size_t limit, struct event ***out,
                 size_t *count, bool *gone, struct err *e) WARN_UNUSED;

/* Counts the entries in each of cells consecutive spans of step_ns, starting at from_ns; counts has room for cells.
 * Runs on the caller's thread, like store_events. */
int store_event_counts(struct store *s, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts,
                       struct err *e) WARN_UNUSED;

/* The state at a past time: the newest image of each object that is not later, without objects gone by then. Waits
 * until earlier submissions are written, some seconds at most. since_ns: start of the kept history; if at_ns is before
 * it, nothing else is returned. Runs on the caller's thread, like store_events. */
struct store_past {
    int64_t since_ns; /* INT64_MAX: no history yet */
    struct history **items;
    size_t count;
    struct policy_text *policy; /* NULL: none was in force */
};
int store_past(struct store *s, int64_t at_ns, struct store_past *out, struct err *e) WARN_UNUSED;
void store_past_release(struct store_past *past);

/* Past policy texts: with a version that one, whole (*count 0: it is not kept); with 0 those before version before,
 * newest first, at most limit, without their texts. Waits and runs like store_past. The caller owns *out (free) and its
 * references. */
int store_policies(struct store *s, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                   size_t *count, struct err *e) WARN_UNUSED;

/* Makes a consistent, checked and synced copy while running, for `headway backup`. ERR_CONFLICT if the file exists,
 * ERR_MISSING if its folder does not, ERR_UNAVAILABLE if it cannot be written. */
int store_backup(struct store *s, const char *path, struct err *e) WARN_UNUSED;

/* Moves everything, including journal and counters, from a database of one engine into an empty one of the other, in
 * one transaction. Rows and their hashes are compared before the commit. No daemon may use either. ERR_CONFLICT: one
 * does, the target is not empty, or its file exists. */
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
