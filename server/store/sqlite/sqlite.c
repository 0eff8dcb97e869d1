/* SPDX-License-Identifier: BSD-3-Clause */
/* The few SQLite calls that the engine is built on, with errors that tell people what to do. */
#include <errno.h>

#include "store/sqlite/sqlite.h"

/* SQLite does not keep the system error of a failed COMMIT. The caller clears errno first, and it is still set. */
static int system_error(sqlite3 *db)
{
    return errno ? errno : sqlite3_system_errno(db);
}

static bool disk_is_full(int rc, int os)
{
    return rc == SQLITE_FULL || (rc == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT || os == EFBIG));
}

int sqlite_error(sqlite3 *db, const char *doing, struct err *e)
{
    int extended = sqlite3_extended_errcode(db), rc = extended & 0xff;
    int os = system_error(db);
    const char *path = sqlite3_db_filename(db, "main");

    if (!path || !*path)
        path = "the database";
    if (disk_is_full(rc, os))
        return err_set(e, ERR_UNAVAILABLE, "%s: the disk is full, nothing was changed", path);
    switch (rc) {
    case SQLITE_CONSTRAINT:
        return err_set(e, ERR_CONFLICT, "%s", sqlite3_errmsg(db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, ERR_UNAVAILABLE, "%s: another program has locked the database", path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(e, ERR_UNAVAILABLE, "%s: cannot %s: no permission, or the file system is read-only", path,
                       doing);
    case SQLITE_CANTOPEN:
        return err_set(e, ERR_UNAVAILABLE, "%s: cannot open: %s", path, strerror(os));
    case SQLITE_CORRUPT:
        return err_set(e, ERR_IO, "%s: the database is damaged (%s): restore a backup", path, sqlite3_errmsg(db));
    case SQLITE_NOTADB:
        return err_set(e, ERR_IO, "%s: this file is no database", path);
    case SQLITE_IOERR:
        return err_set(e, ERR_UNAVAILABLE, "%s: cannot %s: input/output error %d (%s)", path, doing, extended,
                       strerror(os));
    case SQLITE_NOMEM:
        return err_set(e, ERR_UNAVAILABLE, "%s: cannot %s: no memory", path, doing);
    default:
        return err_set(e, ERR_IO, "%s: cannot %s: %s", path, doing, sqlite3_errmsg(db));
    }
}

int sqlite_execute(sqlite3 *db, const char *sql, struct err *e)
{
    errno = 0;
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sqlite_error(db, "write", e);
}

int sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e)
{
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return sqlite_error(db, "read", e);
    return 0;
}

int sqlite_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *out, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite_prepare(db, sql, &stmt, e), rc;

    if (code < 0)
        return code;
    rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0) : fallback;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        code = sqlite_error(db, "read", e);
    sqlite3_finalize(stmt);
    return code;
}

int sqlite_run(sqlite3_stmt *stmt, const char *doing, struct err *e)
{
    int rc, code = 0;

    errno = 0;
    rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        code = sqlite_error(sqlite3_db_handle(stmt), doing, e);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return code;
}

int sqlite_connect(const char *path, int flags, sqlite3 **out, struct err *e)
{
    sqlite3 *db = NULL;

    errno = 0;
    if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK) {
        int code = db ? sqlite_error(db, "open", e) : err_set(e, ERR_UNAVAILABLE, "%s: cannot open: no memory", path);
        sqlite3_close(db);
        return code;
    }
    sqlite3_busy_timeout(db, 10000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *out = db;
    return 0;
}

void sqlite_disconnect(sqlite3 *db)
{
    sqlite3_stmt *stmt;

    if (!db)
        return;
    while ((stmt = sqlite3_next_stmt(db, NULL)))
        sqlite3_finalize(stmt);
    sqlite3_close(db);
}
