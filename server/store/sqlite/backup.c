/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of the whole database while it is in use. A copy is made under a temporary name, checked and synced, and only
 * then gets its own name: a file of that name is always complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "store/sqlite/sqlite.h"

static int check_copy(sqlite3 *db, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite_prepare(db, "PRAGMA quick_check(1)", &stmt, e);

    if (code < 0)
        return code;
    if (sqlite3_step(stmt) != SQLITE_ROW)
        code = sqlite_error(db, "check", e);
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
        code = err_set(e, ERR_IO, "the copy is damaged, so the database is: %s", sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return code;
}

/* The content of a new file. */
struct origin {
    sqlite3 *from; /* a copy of this database or, if use is not NULL, what that writes */
    store_use *use;
    void *arg;
};

static int fill_by_use(const char *path, const struct origin *o, struct err *e)
{
    sqlite3 *to = NULL;
    int code = sqlite_connect(path, SQLITE_OPEN_READWRITE, &to, e);

    if (code == 0)
        code = sqlite_upgrade(to, path, sqlite_schema, schema_newest(), e);
    if (code == 0)
        code = sqlite_execute(to, "BEGIN IMMEDIATE", e);
    if (code == 0) {
        struct sqlite_lent lent = sqlite_lend(to);
        code = o->use(&lent.sql, o->arg, e);
        (void)!lent.sql.calls->put_end(&lent.sql, NULL);
    }
    if (code == 0)
        code = sqlite_execute(to, "COMMIT", e);
    if (code == 0)
        code = check_copy(to, e);
    sqlite_disconnect(to);
    return code;
}

static int fill(sqlite3 *from, const char *path, struct err *e)
{
    sqlite3 *to = NULL;
    sqlite3_backup *backup;
    int code = sqlite_connect(path, SQLITE_OPEN_READWRITE, &to, e), rc;

    if (code < 0)
        return code;
    errno = 0;
    backup = sqlite3_backup_init(to, "main", from, "main");
    rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
    if ((sqlite3_backup_finish(backup) != SQLITE_OK && backup) || rc != SQLITE_DONE) {
        /* The reason is on whichever side failed. */
        code = sqlite_error(sqlite3_errcode(to) == SQLITE_OK ? from : to, "copy", e);
    } else {
        /* A single file without a log beside it. */
        code = sqlite_execute(to, "PRAGMA journal_mode=DELETE", e);
        if (code == 0)
            code = check_copy(to, e);
    }
    sqlite_disconnect(to);
    return code;
}

static int sync_path(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;

    if (fd < 0 || fsync(fd) < 0)
        code = err_set(e, ERR_UNAVAILABLE, "%s: cannot sync: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return code;
}

static int make_file(const char *path, const struct origin *o, struct err *e)
{
    char unique[2 * 4 + 1], *part;
    int code = 0, fd;

    crypto_random_hex(unique, 4);
    part = mem_format("%s.part-%s", path, unique);
    if (access(path, F_OK) == 0)
        code = err_set(e, ERR_CONFLICT, "%s: this file exists", path);
    if (code == 0) {
        fd = open(part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            code = err_set(e, errno == ENOENT ? ERR_MISSING : ERR_UNAVAILABLE, "%s: %s", part, strerror(errno));
        else
            close(fd);
        if (code == 0)
            code = o->use ? fill_by_use(part, o, e) : fill(o->from, part, e);
        if (code == 0)
            code = sync_path(part, e);
        /* link() and not rename(): it refuses a file that appeared meanwhile. */
        if (code == 0 && link(part, path) < 0)
            code = err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
        unlink(part);
        if (code == 0)
            code = file_sync_folder(path, e);
    }
    free(part);
    return code;
}

int sqlite_copy(sqlite3 *from, const char *path, struct err *e)
{
    return make_file(path, &(struct origin){.from = from}, e);
}

int sqlite_make_file(const char *path, store_use *use, void *arg, struct err *e)
{
    return make_file(path, &(struct origin){.use = use, .arg = arg}, e);
}

int sqlite_backup(struct engine *engine, const char *path, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    sqlite3 *db = NULL;
    int code;

    if (s->memory) {
        pthread_mutex_lock(&s->writer_lock);
        code = sqlite_copy(s->writer, path, e);
        pthread_mutex_unlock(&s->writer_lock);
        return code;
    }
    /* A separate connection: one long read transaction that neither writers nor other readers wait for. */
    code = sqlite_connect(s->path, SQLITE_OPEN_READONLY, &db, e);
    if (code == 0)
        code = sqlite_copy(db, path, e);
    sqlite_disconnect(db);
    return code;
}
