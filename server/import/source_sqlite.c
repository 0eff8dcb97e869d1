/* SPDX-License-Identifier: BSD-3-Clause */
/* headscale's SQLite file, from a private copy: SQLite makes files beside a database with a log, even to read it. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/source.h"

#define COPY_TRIES 3
#define COPY_MAX   (INT64_C(8) << 30) /* bytes */

struct sqlite_source {
    struct source source; /* first */
    sqlite3 *db;
    char folder[64]; /* of the copy; "": none */
};

static const char *const endings[] = {"", "-wal", "-journal",
                                      "-shm"}; /* the last one is made by SQLite, never copied */

static int sql_error(sqlite3 *db, const char *name, struct err *e)
{
    return err_set(e, ERR_IO, "%s: %s", name, sqlite3_errmsg(db));
}

/* ---- the copy ---- */

/* SQLite's locks are on bytes that belong to no page. Every program that has the database open in WAL mode holds
 * one. */
static long holder_of(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};

    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? (long)lock.l_pid : 0;
}

static int copy_bytes(int from, int to, const char *name, struct err *e)
{
    char part[65536];
    int64_t total = 0;
    ssize_t n;

    while ((n = read(from, part, sizeof(part))) > 0) {
        total += n;
        if (total > COPY_MAX)
            return err_set(e, ERR_TOOBIG, "%s is larger than %lld bytes", name, (long long)COPY_MAX);
        if (file_write_fd(to, part, (size_t)n) < 0)
            return err_set(e, ERR_UNAVAILABLE, "cannot copy %s to a temporary file (TMPDIR): %s", name,
                           strerror(errno));
    }
    return n < 0 ? err_set(e, ERR_IO, "%s: %s", name, strerror(errno)) : 0;
}

/* ERR_MISSING: there is no such file. */
static int copy_file(const char *from, const char *to, bool *busy, struct err *e)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out, rc;
    struct stat st;

    if (in < 0)
        return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "%s: %s", from, strerror(errno));
    if (fstat(in, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(in);
        return err_set(e, ERR_INVALID, "%s: this is no regular file", from);
    }
    long holder = busy ? holder_of(in) : 0;
    if (holder)
        *busy = true;
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    rc = out < 0 ? err_set(e, ERR_UNAVAILABLE, "%s: %s", to, strerror(errno)) : copy_bytes(in, out, from, e);
    if (out >= 0)
        close(out);
    close(in);
    return rc;
}

struct stamp {
    off_t size[3];
    struct timespec changed[3];
};

static void stamp_files(const char *path, struct stamp *out)
{
    *out = (struct stamp){0};
    for (size_t i = 0; i < ARRAY_LEN(out->size); i++) {
        char *name = mem_format("%s%s", path, endings[i]);
        struct stat st;
        if (stat(name, &st) == 0) {
            out->size[i] = st.st_size;
            out->changed[i] = st.st_mtim;
        }
        free(name);
    }
}

static int copy_once(const char *path, const char *copy, bool *busy, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < 3 && rc == 0; i++) {
        char *from = mem_format("%s%s", path, endings[i]), *to = mem_format("%s%s", copy, endings[i]);
        unlink(to);
        rc = copy_file(from, to, i == 0 ? busy : NULL, e);
        if (rc == ERR_MISSING && i > 0)
            rc = 0;
        free(from);
        free(to);
    }
    return rc;
}

/* A consistent copy: repeated if it changed meanwhile. */
static int copy_database(const char *path, const char *copy, bool *busy, struct err *e)
{
    struct stamp before, after;

    for (int i = 0; i < COPY_TRIES; i++) {
        stamp_files(path, &before);
        int rc = copy_once(path, copy, busy, e);
        if (rc < 0)
            return rc;
        stamp_files(path, &after);
        if (memcmp(&before, &after, sizeof(before)) == 0)
            return 0;
    }
    return err_set(e, ERR_CONFLICT, "%s changes while it is read: stop headscale first", path);
}

static int make_folder(struct sqlite_source *s, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(s->folder, sizeof(s->folder), "%s/headway-import.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");

    if (n < 0 || (size_t)n >= sizeof(s->folder) || !mkdtemp(s->folder)) {
        s->folder[0] = '\0';
        return err_set(e, ERR_UNAVAILABLE, "cannot make a temporary folder (TMPDIR): %s", strerror(errno));
    }
    return 0;
}

static void remove_copy(struct sqlite_source *s)
{
    if (!*s->folder)
        return;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        char *name = mem_format("%s/db%s", s->folder, endings[i]);
        unlink(name);
        free(name);
    }
    rmdir(s->folder);
}

/* ---- reading ---- */

static void close_sqlite(struct source *source)
{
    struct sqlite_source *s = (struct sqlite_source *)source;

    sqlite3_close(s->db);
    remove_copy(s);
    free(s);
}

/* One text per row. */
static int read_names(struct source *source, const char *sql, const char *parameter, struct strs *out, struct err *e)
{
    sqlite3 *db = ((struct sqlite_source *)source)->db;
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return sql_error(db, source->name, e);
    if (parameter)
        sqlite3_bind_text(stmt, 1, parameter, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (sqlite3_column_text(stmt, 0))
            strs_push(out, (const char *)sqlite3_column_text(stmt, 0));
    int code = rc == SQLITE_DONE ? 0 : sql_error(db, source->name, e);
    sqlite3_finalize(stmt);
    return code;
}

/* Tables with pages of their own: a view or a virtual table would run code that somebody wrote into the file. */
static int list_tables(struct source *source, struct strs *out, struct err *e)
{
    return read_names(source, "SELECT name FROM sqlite_schema WHERE type='table' AND rootpage>0 LIMIT 10000", NULL, out,
                      e);
}

static int list_columns(struct source *source, const char *table, struct strs *out, struct err *e)
{
    return read_names(source, "SELECT name FROM pragma_table_info(?1)", table, out, e);
}

static void take_value(sqlite3_stmt *stmt, int at, struct source_value *out)
{
    *out = (struct source_value){.kind = SOURCE_NULL, .text = ""};
    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_NULL:
        return;
    case SQLITE_INTEGER:
        out->kind = SOURCE_NUMBER;
        out->number = sqlite3_column_int64(stmt, at);
        return;
    default: /* a blob is a text to headscale too */
        out->kind = SOURCE_TEXT;
        out->text = (const char *)sqlite3_column_text(stmt, at);
        out->len = (size_t)sqlite3_column_bytes(stmt, at);
        if (!out->text)
            *out = (struct source_value){.kind = SOURCE_TEXT, .text = ""};
    }
}

static int read_rows(struct source *source, const char *sql, const struct source_table *t, source_row *each, void *arg,
                     struct err *e)
{
    sqlite3 *db = ((struct sqlite_source *)source)->db;
    struct source_value values[SOURCE_COLUMNS_MAX];
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_DONE, code = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return sql_error(db, source->name, e);
    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (size_t i = 0; i < t->count; i++)
            take_value(stmt, (int)i, &values[i]);
        code = each(arg, values, e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sql_error(db, source->name, e);
    sqlite3_finalize(stmt);
    return code;
}

static int64_t read_sequence(struct source *source, const char *table)
{
    sqlite3 *db = ((struct sqlite_source *)source)->db;
    sqlite3_stmt *stmt = NULL;
    int64_t found = 0;

    if (sqlite3_prepare_v2(db, "SELECT seq FROM sqlite_sequence WHERE name=?1", -1, &stmt, NULL) != SQLITE_OK)
        return 0;
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        found = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return found;
}

/* ---- opening ---- */

static int open_copy(struct sqlite_source *s, const char *copy, struct err *e)
{
    struct strs said = {0};
    int rc;

    if (sqlite3_open_v2(copy, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return sql_error(s->db, s->source.name, e);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, (int)SOURCE_VALUE_MAX);
    if (sqlite3_exec(s->db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", NULL, NULL, NULL) != SQLITE_OK)
        return sql_error(s->db, s->source.name, e);
    rc = read_names(&s->source, "PRAGMA quick_check(1)", NULL, &said, e);
    if (rc == 0 && (said.len == 0 || !str_eq(said.items[0], "ok")))
        rc = err_set(e, ERR_IO, "%s: the database is damaged: %.120s", s->source.name,
                     said.len ? said.items[0] : "no answer");
    strs_release(&said);
    return rc;
}

int source_open_sqlite(const char *path, bool *busy, struct source **out, struct err *e)
{
    static const struct source_calls calls = {.close = close_sqlite,
                                              .tables = list_tables,
                                              .columns = list_columns,
                                              .rows = read_rows,
                                              .sequence = read_sequence};
    struct sqlite_source *s = mem_alloc(sizeof(*s));
    bool held = false;

    s->source.calls = &calls;
    s->source.name = mem_strdup(path);
    int rc = make_folder(s, e);
    if (rc == 0) {
        char *copy = mem_format("%s/db", s->folder);
        rc = copy_database(path, copy, &held, e);
        if (rc == 0 && held && !busy)
            rc = err_set(e, ERR_CONFLICT, "%s: a program has this database open: stop headscale first", path);
        if (rc == 0)
            rc = open_copy(s, copy, e);
        free(copy);
    }
    if (rc == 0)
        rc = list_tables(&s->source, &s->source.tables, e);
    strs_sort(&s->source.tables);
    if (busy)
        *busy = held;
    if (rc < 0) {
        source_close(&s->source);
        return rc;
    }
    *out = &s->source;
    return 0;
}
