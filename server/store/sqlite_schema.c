/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables, and how an older database becomes a present one. A step that was released is never edited; a new one is
 * added. The database says in user_version how many steps it has seen. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/private.h"

#define APPLICATION_ID 0x68647779 /* "hdwy" */
#define ZERO_KEY       "x'0000000000000000000000000000000000000000000000000000000000000000'"

static const char first_schema[] =
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE user(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, name TEXT NOT NULL,"
    " display_name TEXT NOT NULL, email TEXT NOT NULL, provider_id TEXT NOT NULL, provider TEXT NOT NULL,"
    " picture_url TEXT NOT NULL, role INTEGER NOT NULL, created_ns INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX user_name ON user(name) WHERE provider = '';"
    "CREATE UNIQUE INDEX user_provider_id ON user(provider_id) WHERE provider_id <> '';"
    "CREATE TABLE preauth_key(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, user_id INTEGER NOT NULL,"
    " prefix TEXT NOT NULL, secret_hash TEXT NOT NULL, tags TEXT NOT NULL, reusable INTEGER NOT NULL,"
    " ephemeral INTEGER NOT NULL, used INTEGER NOT NULL, revoked INTEGER NOT NULL, expiration_ns INTEGER NOT NULL,"
    " created_ns INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX preauth_key_prefix ON preauth_key(prefix) WHERE prefix <> '';"
    "CREATE TABLE api_key(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, prefix TEXT NOT NULL,"
    " secret_hash TEXT NOT NULL, description TEXT NOT NULL, read_only INTEGER NOT NULL,"
    " expiration_ns INTEGER NOT NULL, created_ns INTEGER NOT NULL, last_seen_ns INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX api_key_prefix ON api_key(prefix) WHERE prefix <> '';"
    "CREATE TABLE node(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, machine_key BLOB NOT NULL,"
    " node_key BLOB NOT NULL, disco_key BLOB NOT NULL, hostname TEXT NOT NULL, given_name TEXT NOT NULL,"
    " user_id INTEGER NOT NULL, tags TEXT NOT NULL, ipv4 TEXT, ipv6 TEXT, method INTEGER NOT NULL,"
    " preauth_key_id INTEGER NOT NULL, ephemeral INTEGER NOT NULL, logged_out INTEGER NOT NULL,"
    " created_ns INTEGER NOT NULL, expiry_ns INTEGER NOT NULL, available TEXT NOT NULL, approved TEXT NOT NULL,"
    " removed TEXT NOT NULL, request_tags TEXT NOT NULL, cap_version INTEGER NOT NULL, os TEXT NOT NULL,"
    " os_version TEXT NOT NULL, client_version TEXT NOT NULL, hostinfo TEXT NOT NULL, peer_hostinfo TEXT NOT NULL)"
    " STRICT;"
    "CREATE UNIQUE INDEX node_node_key ON node(node_key) WHERE node_key <> " ZERO_KEY ";"
    "CREATE UNIQUE INDEX node_given_name ON node(lower(given_name)) WHERE given_name <> '';"
    "CREATE UNIQUE INDEX node_ipv4 ON node(ipv4);"
    "CREATE UNIQUE INDEX node_ipv6 ON node(ipv6);"
    "CREATE TABLE node_live(id INTEGER PRIMARY KEY, last_seen_ns INTEGER NOT NULL, home_derp INTEGER NOT NULL,"
    " endpoints TEXT NOT NULL, net_info TEXT NOT NULL) STRICT;"
    "CREATE TABLE policy(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, text TEXT NOT NULL,"
    " updated_ns INTEGER NOT NULL) STRICT;"
    "CREATE TABLE primary_router(prefix TEXT PRIMARY KEY, node_id INTEGER NOT NULL, version INTEGER NOT NULL,"
    " since_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE event(run INTEGER NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL,"
    " time_ns INTEGER NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, object TEXT NOT NULL,"
    " object_id INTEGER NOT NULL, object_name TEXT NOT NULL, text TEXT NOT NULL, detail TEXT NOT NULL,"
    " inverse TEXT NOT NULL, undone_run INTEGER NOT NULL, undone_by INTEGER NOT NULL, PRIMARY KEY(run, seq)) STRICT;"
    "CREATE TABLE state(at_ns INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " json TEXT NOT NULL)"
    " STRICT;";

/* Who approved a route, and whether a router is drained. */
static const char second_schema[] = "ALTER TABLE node ADD COLUMN approved_by TEXT NOT NULL DEFAULT '[]';"
                                    "ALTER TABLE node ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;";

const struct schema_step store_schema[] = {{first_schema}, {second_schema}};
const size_t store_schema_count = ARRAY_LEN(store_schema);

static int keep_copy(sqlite3 *db, const char *path, int64_t version, struct err *e)
{
    char *copy = mem_format("%s.schema-%lld", path, (long long)version);
    int code = database_copy(db, copy, e);

    /* Where a copy of that version is kept already, the time makes the name unique. */
    if (code == ERR_CONFLICT) {
        free(copy);
        copy =
            mem_format("%s.schema-%lld.%lld", path, (long long)version, (long long)(clock_wall_ns() / NS_PER_SECOND));
        code = database_copy(db, copy, e);
    }
    if (code < 0)
        err_prefix(e, "a copy before the migration to a newer schema");
    else
        log_info("store", "migrating the database to a newer schema; the present one is kept as %s", copy);
    free(copy);
    return code;
}

static int run_steps(sqlite3 *db, const struct schema_step *steps, size_t from, size_t to, struct err *e)
{
    int code = sql_exec(db, "BEGIN IMMEDIATE", e);

    if (code < 0)
        return code;
    for (size_t i = from; i < to && code == 0; i++) {
        code = sql_exec(db, steps[i].sql, e);
        if (code < 0)
            err_prefix(e, "schema step %zu", i + 1);
    }
    if (code == 0) {
        char *mark = mem_format("PRAGMA user_version=%zu; PRAGMA application_id=%d; COMMIT", to, APPLICATION_ID);
        code = sql_exec(db, mark, e);
        free(mark);
    }
    if (code < 0 && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

int schema_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps, size_t count, struct err *e)
{
    int64_t version = 0, application = 0, tables = 0;
    int code;

    if ((code = sql_number(db, "PRAGMA user_version", 0, &version, e)) < 0 ||
        (code = sql_number(db, "PRAGMA application_id", 0, &application, e)) < 0 ||
        (code = sql_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, e)) < 0)
        return code;
    if (tables > 0 && (application != APPLICATION_ID || version < 1))
        return err_set(e, ERR_UNSUPPORTED, "%s: this database was not made by headway; name another file", path);
    if (version > (int64_t)count)
        return err_set(
            e, ERR_UNSUPPORTED,
            "%s: a newer headway wrote this database (schema %lld, this one knows %zu): run that version, or "
            "restore the copy that it kept",
            path, (long long)version, count);
    if (version == (int64_t)count)
        return 0;
    if (version > 0 && (code = keep_copy(db, path, version, e)) < 0)
        return code;
    return run_steps(db, steps, (size_t)version, count, e);
}
