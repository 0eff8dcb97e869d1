/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing a database file: its lock, its log, its schema, and the number of this start. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite/sqlite.h"

#define WAL_BYTES     "16777216"
#define RESERVE_BYTES 1048576

/* A second daemon on the same database would undo the first one's work. */
static int lock_database(struct sqlite_engine *s, struct err *e)
{
    char *path = mem_format("%s.lock", s->path);
    char who[32];
    int code = 0, len;
    ssize_t written;

    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0) {
        code = err_set(e, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = read(s->lock_fd, who, sizeof(who) - 1);
        who[n > 0 ? n : 0] = '\0';
        code = err_set(e, ERR_CONFLICT, "%s: another headwayd (process %.12s) uses this database", s->path, who);
    } else {
        len = snprintf(who, sizeof(who), "%ld", (long)getpid());
        /* The number is only for people; on a full disk it may be missing. */
        written = ftruncate(s->lock_fd, 0) < 0 ? -1 : pwrite(s->lock_fd, who, (size_t)len, 0);
        if (written < 0)
            log_debug("store", "%s: %s", path, strerror(errno));
    }
    free(path);
    return code;
}

/* SQLite gives its log files the mode of the database, which must therefore be right before opening. */
static int private_file(const char *path, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), code = 0;

    if (fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        code = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        code = err_set(e, ERR_INVALID, "%s: this is no regular file", path);
    else if ((st.st_mode & 077) && fchmod(fd, 0600) < 0)
        log_warn("store", "%s: others can read it, and its mode cannot be changed: %s", path, strerror(errno));
    close(fd);
    return code;
}

/* A log does not name its database: SQLite replays one found beside the file, whatever it belongs to. A backup is made
 * without a log and says so in its header, as a database in use here never does: so a log beside it was left by the
 * database that it replaced, and its pages would corrupt it. */
static int set_log_aside(const struct sqlite_engine *s, struct err *e)
{
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    char *log = mem_format("%s-wal", s->path), *aside = mem_format("%s-wal.replaced", s->path);
    char *shared = mem_format("%s-shm", s->path);
    char head[20];
    struct stat st;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC), code = 0;
    bool in_use = true; /* bytes 18 and 19: the versions of the format for writing and reading, 2 with a log */

    if (fd >= 0 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0)
        in_use = head[18] != 1 || head[19] != 1;
    if (fd >= 0)
        close(fd);
    if (!in_use && lstat(log, &st) == 0 && st.st_size > 0) {
        if (rename(log, aside) < 0)
            code = err_set(e, ERR_UNAVAILABLE, "%s belongs to another database and cannot be moved: %s", log,
                           strerror(errno));
        else
            log_warn("store", "%s was restored from a copy; the log of the database before is kept as %s", s->path,
                     aside);
        if (code == 0)
            unlink(shared);
    }
    free(log);
    free(aside);
    free(shared);
    return code;
}

/* Allocates blocks for the log in advance: on a full disk small changes, mostly deletions and revocations, still fit.
 * If the file system does not support it, or is full already, there is no reserve. */
static void reserve_log(const struct sqlite_engine *s)
{
    char *path = mem_format("%s-wal", s->path);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RESERVE_BYTES) < 0)
        log_debug("store", "%s: no room is reserved: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(path);
}

static int write_ahead(sqlite3 *db, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int keep = 1, code = sqlite_prepare(db, "PRAGMA journal_mode=WAL", &stmt, e);
    const char *mode;

    if (code < 0)
        return code;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        code = sqlite_error(db, "open", e);
    } else {
        mode = (const char *)sqlite3_column_text(stmt, 0);
        if (strcmp(mode, "wal") != 0)
            code = err_set(e, ERR_UNSUPPORTED,
                           "%s: this file system cannot hold the database: no shared memory for its log",
                           sqlite3_db_filename(db, "main"));
    }
    sqlite3_finalize(stmt);
    /* Keep the log, empty, when this is closed, so that a start on a full disk finds its blocks. */
    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return code;
}

static int keep_run(sqlite3 *db, int64_t run, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite_prepare(db,
                              "INSERT INTO counter(name,value) VALUES('run',?1) ON CONFLICT(name) DO UPDATE SET "
                              "value=excluded.value",
                              &stmt, e);

    if (code == 0) {
        sqlite3_bind_int64(stmt, 1, run);
        code = sqlite_run(stmt, "write", e);
    }
    sqlite3_finalize(stmt);
    return code;
}

/* The number of this start. On a full disk it cannot be stored; then the clock gives one that no start has had. */
static int raise_run(struct sqlite_engine *s, struct engine_start *start, struct err *e)
{
    int64_t kept = 0, used = 0, run, seconds = clock_wall_ns() / NS_PER_SECOND;
    struct err why;
    int code = sqlite_number(s->writer, "SELECT value FROM counter WHERE name='run'", 0, &kept, e);

    if (code == 0)
        code = sqlite_number(s->writer, "SELECT max(run) FROM event", 0, &used, e);
    if (code < 0)
        return code;
    run = (kept > used ? kept : used) + 1;
    code = keep_run(s->writer, run, &why);
    if (code == ERR_UNAVAILABLE && seconds > run) {
        log_error("store", "%s; the server starts, but cannot keep changes", why.message);
        start->trouble = code;
        start->err = why;
        run = seconds;
        code = 0;
    }
    if (code < 0 && e)
        *e = why;
    start->run = (uint64_t)run;
    return code;
}

static int open_writer(struct sqlite_engine *s, struct engine_start *start, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | (s->memory ? SQLITE_OPEN_MEMORY : 0), code;

    if (!s->memory &&
        ((code = lock_database(s, e)) < 0 || (code = private_file(s->path, e)) < 0 || (code = set_log_aside(s, e)) < 0))
        return code;
    if ((code = sqlite_connect(s->path, flags, &s->writer, e)) < 0)
        return code;
    if (!s->memory && (code = write_ahead(s->writer, e)) < 0)
        return code;
    code = sqlite_execute(s->writer,
                          "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=" WAL_BYTES "; PRAGMA cell_size_check=ON;"
                          "PRAGMA temp_store=MEMORY",
                          e);
    s->sync_full = true;
    if (code == 0)
        code = sqlite_upgrade(s->writer, s->path, sqlite_schema, schema_newest(), e);
    if (code == 0 && !s->memory) {
        /* Checkpoints what an earlier run left in the log, so that the log starts from its beginning. */
        sqlite3_wal_checkpoint_v2(s->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        reserve_log(s);
    }
    if (code == 0) {
        struct sqlite_lent lent = sqlite_lend(s->writer);
        code = sql_read_ids(&lent.sql, &s->ids, e);
    }
    if (code == 0)
        code = raise_run(s, start, e);
    start->first_seq = s->ids.next[RECORD_EVENT];
    return code;
}

static int open_reader(struct sqlite_engine *s, struct err *e)
{
    if (s->memory) {
        s->reader = s->writer;
        s->reader_lock = &s->writer_lock;
        return 0;
    }
    s->reader_lock = &s->reader_mutex;
    return sqlite_connect(s->path, SQLITE_OPEN_READONLY, &s->reader, e);
}

static void close_engine(struct engine *engine)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;

    if (s->reader != s->writer)
        sqlite_disconnect(s->reader);
    sqlite_disconnect(s->writer);
    /* The log is empty now: one with old pages would corrupt a backup put in the database's place. */
    if (s->writer && !s->memory)
        reserve_log(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_mutex_destroy(&s->writer_lock);
    pthread_mutex_destroy(&s->reader_mutex);
    free(s->path);
    free(s);
}

static int ping(struct engine *engine, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int64_t run;
    int code;

    pthread_mutex_lock(s->reader_lock);
    code = sqlite_number(s->reader, "SELECT value FROM counter WHERE name='run'", 0, &run, e);
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

static uint64_t log_bytes(struct engine *engine)
{
    char *path = mem_format("%s-wal", ((struct sqlite_engine *)engine)->path);
    struct stat file;
    uint64_t bytes = stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;

    free(path);
    return bytes;
}

int sqlite_engine_open(const char *path, struct engine **out, struct engine_start *start, struct err *e)
{
    static const struct engine_calls calls = {
        .close = close_engine,
        .commit = sqlite_commit,
        .put_live = sqlite_put_live,
        .try_writing = sqlite_try_writing,
        .writing = sqlite_writing,
        .reading = sqlite_reading,
        .snapshot = sqlite_snapshot,
        .backup = sqlite_backup,
        .ping = ping,
        .log_bytes = log_bytes,
    };
    struct sqlite_engine *s = mem_alloc(sizeof(*s));
    int code;

    s->engine.calls = &calls;
    s->path = mem_strdup(path);
    s->memory = str_eq(path, ":memory:");
    s->lock_fd = -1;
    pthread_mutex_init(&s->writer_lock, NULL);
    pthread_mutex_init(&s->reader_mutex, NULL);
    code = open_writer(s, start, e);
    if (code == 0)
        code = open_reader(s, e);
    if (code == 0)
        code = sqlite_prepare_writes(s, e);
    *out = &s->engine;
    if (code < 0) {
        close_engine(&s->engine);
        *out = NULL;
    }
    return code;
}
