/* SPDX-License-Identifier: BSD-3-Clause */
/* Migrates an older database, and creates the schema in an empty file. Each version of the schema adds what the tables'
 * descriptions say (tables/tables.c), then runs its step. Released versions are never edited; a new version is added.
 * The database records its version in user_version. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite/sqlite.h"

#define APPLICATION_ID 0x68647779 /* "hdwy" */

/* The hourly states were never written. An entry is an administrator's if its actor is not a node, the policy or the
 * server itself. */
static const char third_step[] = "DROP TABLE IF EXISTS state;"
                                 "UPDATE event SET by_admin=1 WHERE actor NOT IN ('server','policy','') AND actor NOT "
                                 "LIKE 'node %';";

const struct schema_step sqlite_schema[] = {{3, third_step}, {0, NULL}};

static int keep_copy(sqlite3 *db, const char *path, int64_t version, struct err *e)
{
    char *copy = mem_format("%s.schema-%lld", path, (long long)version);
    int code = sqlite_copy(db, copy, e);

    /* If a copy of that version exists already, the time makes the name unique. */
    if (code == ERR_CONFLICT) {
        free(copy);
        copy =
            mem_format("%s.schema-%lld.%lld", path, (long long)version, (long long)(clock_wall_ns() / NS_PER_SECOND));
        code = sqlite_copy(db, copy, e);
    }
    if (code < 0)
        err_prefix(e, "a copy before the migration to a newer schema");
    else
        log_info("store", "migrating the database to a newer schema; the present one is kept as %s", copy);
    free(copy);
    return code;
}

static int run_version(sqlite3 *db, const struct schema_step *steps, unsigned version, struct err *e)
{
    struct buf sql = BUF_INIT(0);
    int code;

    schema_statements(&sqlite_dialect, version, &sql);
    for (; steps->version; steps++)
        if (steps->version == version)
            buf_adds(&sql, steps->sql);
    code = sqlite_execute(db, buf_text(&sql), e);
    if (code < 0)
        err_prefix(e, "schema version %u", version);
    buf_release(&sql);
    return code;
}

static int run_versions(sqlite3 *db, const struct schema_step *steps, unsigned from, unsigned to, struct err *e)
{
    int code = sqlite_execute(db, "BEGIN IMMEDIATE", e);

    if (code < 0)
        return code;
    for (unsigned version = from + 1; version <= to && code == 0; version++)
        code = run_version(db, steps, version, e);
    if (code == 0) {
        char *mark = mem_format("PRAGMA user_version=%u; PRAGMA application_id=%d; COMMIT", to, APPLICATION_ID);
        code = sqlite_execute(db, mark, e);
        free(mark);
    }
    if (code < 0 && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static int say_foreign(const char *path, struct err *e)
{
    return err_set(e, ERR_UNSUPPORTED,
                   "%s: this database was not made by headway: name another file ('headwayd import' takes over one of "
                   "headscale's)",
                   path);
}

static int has_column(sqlite3 *db, const char *table, const char *column, bool *has, struct err *e)
{
    char *sql = mem_format("SELECT count(*) FROM pragma_table_info('%s') WHERE name='%s'", table, column);
    int64_t count = 0;
    int code = sqlite_number(db, sql, 0, &count, e);

    free(sql);
    *has = count > 0;
    return code;
}

/* Two builds between two releases may give one version to two schemas. */
static int check_columns(sqlite3 *db, const char *path, unsigned version, struct err *e)
{
    const struct store_table *t, *table = NULL;
    const struct member *c;
    const char *first = NULL;
    unsigned missing = 0;
    bool has;
    int code;

    for (size_t i = 0; (c = schema_column(version, i, &t)); i++) {
        if ((code = has_column(db, t->name, c->name, &has, e)) < 0)
            return code;
        if (!has && !missing++) {
            table = t;
            first = c->name;
        }
    }
    if (!missing)
        return 0;
    return err_set(e, ERR_UNSUPPORTED,
                   "%s: column %s of table %s%s is missing from schema %u: a headway from between two releases made "
                   "this database: run that one, or restore %s.schema-%u or a backup",
                   path, first, table->name, missing > 1 ? " (and others)" : "", version, path, version - 1);
}

/* The schema version; 0 if the database is empty. */
static int read_version(sqlite3 *db, const char *path, unsigned newest, int64_t *version, struct err *e)
{
    int64_t application = 0, tables = 0;
    int code;

    if ((code = sqlite_number(db, "PRAGMA user_version", 0, version, e)) < 0 ||
        (code = sqlite_number(db, "PRAGMA application_id", 0, &application, e)) < 0 ||
        (code = sqlite_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, e)) < 0)
        return code;
    if (tables > 0 && (application != APPLICATION_ID || *version < 1))
        return say_foreign(path, e);
    if (*version > (int64_t)newest)
        return err_set(e, ERR_UNSUPPORTED,
                       "%s: a newer headway wrote this database (schema %lld, this one knows %u): run that version, or "
                       "restore the copy that it kept",
                       path, (long long)*version, newest);
    return tables > 0 ? check_columns(db, path, (unsigned)*version, e) : 0;
}

/* A file name in the form of an SQLite URI. */
static char *file_uri(const char *path, const char *options)
{
    struct buf uri = BUF_INIT(0);

    buf_adds(&uri, "file:");
    for (const char *c = path; *c; c++)
        if (strchr("%?#", *c))
            buf_addf(&uri, "%%%02X", (unsigned char)*c);
        else
            buf_addc(&uri, *c);
    buf_adds(&uri, options);
    return buf_take(&uri);
}

/* Makes no file beside the database and takes no lock. */
static bool has_headscale_tables(const char *path, bool with_log)
{
    char *uri = file_uri(path, with_log ? "?vfs=unix-none" : "?immutable=1");
    sqlite3 *db = NULL;
    int64_t tables = 0;

    if (sqlite_connect(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &db, NULL) < 0 ||
        (with_log && (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK ||
                      sqlite_execute(db, "PRAGMA locking_mode=EXCLUSIVE", NULL) < 0)) ||
        sqlite_number(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('migrations','users','nodes')", 0, &tables,
                      NULL) < 0)
        tables = 0;
    sqlite_disconnect(db);
    free(uri);
    return tables == 3;
}

/* A new database that was not closed has all its tables in the log beside it. */
bool store_is_headscale(const char *path)
{
    char *log = mem_format("%s-wal", path);
    bool is = has_headscale_tables(path, false) || (access(log, F_OK) == 0 && has_headscale_tables(path, true));

    free(log);
    return is;
}

static int check_content(sqlite3 *db, const char *path, struct store_image *image, struct err *e)
{
    struct sqlite_lent lent = sqlite_lend(db);
    int code = sqlite_execute(db, "BEGIN", e);

    if (code == 0)
        code = sql_load(&lent.sql, image, e);
    if (code == 0)
        code = image_check(image, e);
    if (code < 0 && !str_starts(e->message, path))
        err_prefix(e, "%s", path);
    image->run = 1;
    return code;
}

int store_check(const char *path, struct store_image *image, struct err *e)
{
    sqlite3 *db = NULL;
    int64_t version = 0;
    struct stat st;

    *image = (struct store_image){.run = 1};
    if (stat(path, &st) < 0)
        return 0; /* it will be created; whether it can be is checked elsewhere */
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_INVALID, "%s: this is no regular file", path);
    if (st.st_size == 0)
        return 0;
    image->run = 0;
    if (store_is_headscale(path))
        return say_foreign(path, e);
    int code = sqlite_connect(path, SQLITE_OPEN_READONLY, &db, e);
    if (code == 0)
        code = read_version(db, path, schema_newest(), &version, e);
    if (code == 0 && version == (int64_t)schema_newest())
        code = check_content(db, path, image, e);
    sqlite_disconnect(db);
    return code;
}

bool store_holds_policy(const char *path)
{
    sqlite3 *db = NULL;
    int64_t count = 0;

    if (sqlite_connect(path, SQLITE_OPEN_READONLY, &db, NULL) == 0)
        (void)!sqlite_number(db, "SELECT count(*) FROM policy WHERE id=(SELECT max(id) FROM policy) AND text<>''", 0,
                             &count, NULL);
    sqlite_disconnect(db);
    return count > 0;
}

int sqlite_upgrade(sqlite3 *db, const char *path, const struct schema_step *steps, unsigned newest, struct err *e)
{
    int64_t version = 0;
    int code = read_version(db, path, newest, &version, e);

    if (code < 0)
        return code;
    if (version == (int64_t)newest)
        return 0;
    if (version > 0 && (code = keep_copy(db, path, version, e)) < 0)
        return code;
    return run_versions(db, steps, (unsigned)version, newest, e);
}
