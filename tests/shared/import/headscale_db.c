/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/import/headscale_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/mem.h"

/* A column that exists in releases from..to; types are SQLite's. */
struct column {
    const char *name, *type;
    int from, to;
};

struct table {
    const char *name;
    int from, to;
    struct column columns[24];
};

#define ALL 23, 30
static const struct table tables[] = {
    {"migrations", ALL, {{"id", "text", ALL}}},
    {"users",
     ALL,
     {{"id", "id", ALL},
      {"created_at", "datetime", ALL},
      {"updated_at", "datetime", ALL},
      {"deleted_at", "datetime", ALL},
      {"name", "text", ALL},
      {"display_name", "text", 24, 30},
      {"email", "text", 24, 30},
      {"provider_identifier", "text", 24, 30},
      {"provider", "text", 24, 30},
      {"profile_pic_url", "text", 24, 30}}},
    {"pre_auth_keys",
     ALL,
     {{"id", "id", ALL},
      {"key", "text", ALL},
      {"prefix", "text", 28, 30},
      {"hash", "blob", 28, 30},
      {"user_id", "integer", ALL},
      {"description", "text", 30, 30},
      {"reusable", "numeric", ALL},
      {"ephemeral", "numeric", ALL},
      {"used", "numeric", ALL},
      {"tags", "text", 24, 30},
      {"expiration", "datetime", ALL},
      {"revoked", "datetime", 30, 30},
      {"created_at", "datetime", ALL}}},
    {"pre_auth_key_acl_tags",
     23,
     23,
     {{"id", "id", 23, 23}, {"pre_auth_key_id", "integer", 23, 23}, {"tag", "text", 23, 23}}},
    {"api_keys",
     ALL,
     {{"id", "id", ALL},
      {"prefix", "text", ALL},
      {"hash", "blob", ALL},
      {"user_id", "integer", 30, 30},
      {"created_at", "datetime", ALL},
      {"expiration", "datetime", ALL},
      {"last_seen", "datetime", ALL}}},
    {"nodes",
     ALL,
     {{"id", "id", ALL},
      {"machine_key", "text", ALL},
      {"node_key", "text", ALL},
      {"disco_key", "text", ALL},
      {"endpoints", "text", ALL},
      {"host_info", "text", ALL},
      {"ipv4", "text", ALL},
      {"ipv6", "text", ALL},
      {"hostname", "text", ALL},
      {"given_name", "varchar(63)", ALL},
      {"user_id", "integer", ALL},
      {"register_method", "text", ALL},
      {"forced_tags", "text", 23, 27},
      {"tags", "text", 28, 30},
      {"auth_key_id", "integer", ALL},
      {"expiry", "datetime", ALL},
      {"last_seen", "datetime", ALL},
      {"approved_routes", "text", 26, 30},
      {"created_at", "datetime", ALL},
      {"updated_at", "datetime", ALL},
      {"deleted_at", "datetime", ALL}}},
    {"routes",
     23,
     25,
     {{"id", "id", 23, 25},
      {"created_at", "datetime", 23, 25},
      {"updated_at", "datetime", 23, 25},
      {"deleted_at", "datetime", 23, 25},
      {"node_id", "integer", 23, 25},
      {"prefix", "text", 23, 25},
      {"advertised", "numeric", 23, 25},
      {"enabled", "numeric", 23, 25},
      {"is_primary", "numeric", 23, 25}}},
    {"policies",
     ALL,
     {{"id", "id", ALL},
      {"created_at", "datetime", ALL},
      {"updated_at", "datetime", ALL},
      {"deleted_at", "datetime", ALL},
      {"data", "text", ALL}}},
    {"database_versions",
     29,
     30,
     {{"id", "id", 29, 30}, {"version", "text", 29, 30}, {"updated_at", "datetime", 29, 30}}},
    {"oauth_clients",
     30,
     30,
     {{"id", "id", 30, 30},
      {"client_id", "text", 30, 30},
      {"secret_hash", "blob", 30, 30},
      {"scopes", "text", 30, 30},
      {"tags", "text", 30, 30},
      {"description", "text", 30, 30},
      {"user_id", "integer", 30, 30},
      {"created_at", "datetime", 30, 30},
      {"revoked", "datetime", 30, 30}}},
    {"oauth_access_tokens",
     30,
     30,
     {{"id", "id", 30, 30}, {"prefix", "text", 30, 30}, {"hash", "blob", 30, 30}, {"expiration", "datetime", 30, 30}}},
};

static const struct {
    const char *id;
    int from;
} migrations[] = {
    {"202312101416", 23},
    {"202406021630", 23},
    {"202409271400", 24},
    {"202407191627", 24},
    {"202501221827", 25},
    {"202502131714", 26},
    {"202505141324", 26},
    {"202507021200", 27},
    {"202511011637-preauthkey-bcrypt", 28},
    {"202511131445-node-forced-tags-to-tags", 28},
    {"202602201200-clear-tagged-node-user-id", 29},
    {"202607241200-clear-tagged-node-expiry", 29},
    {"202606191500-api-key-user-id", 30},
};

static const char *type_of(const char *type, bool postgres)
{
    static const char *const names[][3] = {{"id", "integer PRIMARY KEY AUTOINCREMENT", "bigserial PRIMARY KEY"},
                                           {"datetime", "datetime", "timestamptz"},
                                           {"blob", "blob", "bytea"},
                                           {"integer", "integer", "bigint"},
                                           {"numeric", "numeric DEFAULT false", "boolean DEFAULT false"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(type, names[i][0]) == 0)
            return names[i][postgres ? 2 : 1];
    return type;
}

static char *schema(int minor, bool postgres)
{
    struct buf sql = BUF_INIT(0);

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        const struct table *t = &tables[i];
        const char *comma = "";
        if (minor < t->from || minor > t->to)
            continue;
        buf_addf(&sql, "CREATE TABLE %s(", t->name);
        for (const struct column *c = t->columns; c->name; c++) {
            if (minor < c->from || minor > c->to)
                continue;
            bool number = strcmp(c->type, "id") != 0 || strcmp(t->name, "migrations") != 0;
            buf_addf(&sql, "%s%s %s", comma, c->name, number ? type_of(c->type, postgres) : "text PRIMARY KEY");
            comma = ",";
        }
        buf_adds(&sql, ");");
    }
    for (size_t i = 0; i < ARRAY_LEN(migrations); i++)
        if (migrations[i].from <= minor)
            buf_addf(&sql, "INSERT INTO migrations VALUES('%s');", migrations[i].id);
    return buf_take(&sql);
}

void headscale_db_sql(const char *path, const char *format, ...)
{
    sqlite3 *db = NULL;
    char *said = NULL;
    va_list args;

    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
    sqlite3_free(sql);
    sqlite3_close(db);
}

void headscale_db_make(const char *path, int minor)
{
    char *sql = schema(minor, false);

    remove(path);
    headscale_db_sql(path, "PRAGMA journal_mode=WAL; %s", sql);
    free(sql);
}

char *headscale_db_postgres(int minor)
{
    return schema(minor, true);
}
