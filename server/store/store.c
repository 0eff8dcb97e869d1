/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening, closing, and the storage thread: it sleeps until somebody waits for a group, or until what nobody waits for
 * is due, and then writes all that is there. */
#include "store/store.h"

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
#include "base/thread.h"
#include "store/private.h"

#define LAZY_MS       100   /* a group that nobody waits for: events of elections, of nodes that come and go */
#define LIVE_MS       5000  /* endpoints, last seen */
#define RETRY_MS      10000 /* after a write failed: soft state again, and whether writing works */
#define PRUNE_MS      60000
#define STEP_MS       50 /* between two steps of a retention that has a lot to do */
#define WAL_BYTES     "16777216"
#define RESERVE_BYTES 1048576

/* ---- opening ---- */

/* A second daemon on the same database would undo what the first one knows. */
static int lock_database(struct store *s, struct err *e)
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
        /* The number only helps people; a full disk may leave it out. */
        written = ftruncate(s->lock_fd, 0) < 0 ? -1 : pwrite(s->lock_fd, who, (size_t)len, 0);
        if (written < 0)
            log_debug("store", "%s: %s", path, strerror(errno));
    }
    free(path);
    return code;
}

/* SQLite gives its log files the mode of the database, so that one has to be right before it is opened. */
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

/* A log names no database: SQLite replays one that lies beside the file, whosever it was. A backup is made without one
 * and says so in its header, as a database in use here never does: so a log beside it was left by the database that it
 * replaced, and its pages would spoil it. */
static int set_log_aside(const struct store *s, struct err *e)
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

/* Blocks for the log that are its own: on a full disk small changes, deletions and revocations mostly, still find room.
 * Where the file system cannot do it, or is full already, there is no reserve. */
static void reserve_log(const struct store *s)
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
    int keep = 1, code = sql_prepare(db, "PRAGMA journal_mode=WAL", &stmt, e);
    const char *mode;

    if (code < 0)
        return code;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        code = sql_error(db, "open", e);
    } else {
        mode = (const char *)sqlite3_column_text(stmt, 0);
        if (strcmp(mode, "wal") != 0)
            code = err_set(e, ERR_UNSUPPORTED,
                           "%s: this file system cannot hold the database: no shared memory for its log",
                           sqlite3_db_filename(db, "main"));
    }
    sqlite3_finalize(stmt);
    /* The log stays, empty, when this is closed: so that a start on a full disk finds its blocks. */
    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return code;
}

static int keep_run(sqlite3 *db, int64_t run, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = sql_prepare(db,
                           "INSERT INTO counter(name,value) VALUES('run',?1) ON CONFLICT(name) DO UPDATE SET "
                           "value=excluded.value",
                           &stmt, e);

    if (code == 0) {
        sqlite3_bind_int64(stmt, 1, run);
        code = sql_run(stmt, "write", e);
    }
    sqlite3_finalize(stmt);
    return code;
}

/* The number of this start. Where the disk is full it cannot be kept; then the clock gives one that no start had. */
static int raise_run(struct store *s, struct err *e)
{
    int64_t kept = 0, used = 0, run, seconds = clock_wall_ns() / NS_PER_SECOND;
    struct err why;
    int code = sql_number(s->writer, "SELECT value FROM counter WHERE name='run'", 0, &kept, e);

    if (code == 0)
        code = sql_number(s->writer, "SELECT max(run) FROM event", 0, &used, e);
    if (code < 0)
        return code;
    run = (kept > used ? kept : used) + 1;
    code = keep_run(s->writer, run, &why);
    if (code == ERR_UNAVAILABLE && seconds > run) {
        log_error("store", "%s; the server starts, but cannot keep changes", why.message);
        s->trouble = code;
        s->trouble_err = why;
        run = seconds;
        code = 0;
    }
    if (code < 0 && e)
        *e = why;
    s->run = (uint64_t)run;
    return code;
}

static int open_writer(struct store *s, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | (s->memory ? SQLITE_OPEN_MEMORY : 0), code;

    if (!s->memory &&
        ((code = lock_database(s, e)) < 0 || (code = private_file(s->path, e)) < 0 || (code = set_log_aside(s, e)) < 0))
        return code;
    if ((code = sql_open(s->path, flags, &s->writer, e)) < 0)
        return code;
    if (!s->memory && (code = write_ahead(s->writer, e)) < 0)
        return code;
    code = sql_exec(s->writer,
                    "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=" WAL_BYTES "; PRAGMA cell_size_check=ON;"
                    "PRAGMA temp_store=MEMORY",
                    e);
    s->sync_full = true;
    if (code == 0)
        code = schema_upgrade(s->writer, s->path, store_schema, store_schema_count, e);
    if (code == 0 && !s->memory) {
        /* What a former run left in the log goes into the database, so that the log begins at its front again. */
        sqlite3_wal_checkpoint_v2(s->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        reserve_log(s);
    }
    if (code == 0)
        code = store_read_counters(s->writer, s->next_id, e);
    if (code == 0)
        code = raise_run(s, e);
    s->first_seq = s->next_id[RECORD_EVENT];
    return code;
}

static int open_reader(struct store *s, struct err *e)
{
    if (s->memory) {
        s->reader = s->writer;
        s->reader_lock = &s->writer_lock;
        return 0;
    }
    s->reader_lock = &s->reader_mutex;
    return sql_open(s->path, SQLITE_OPEN_READONLY, &s->reader, e);
}

/* ---- the storage thread ---- */

static void wait_until(struct store *s, int64_t until_ms)
{
    (void)thread_cond_wait(&s->wake, &s->lock, until_ms);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return b != 0 && b < a ? b : a;
}

static struct group *take_groups(struct store *s, int64_t now)
{
    struct group *list = s->first;

    if (!list || !(s->waited || s->stopping || now >= s->lazy_ms))
        return NULL;
    s->first = NULL;
    s->last = &s->first;
    s->waited = false;
    s->lazy_ms = 0;
    return list;
}

/* Puts back what could not be written, unless something newer arrived meanwhile. */
static void keep_live(struct store *s, struct map *old)
{
    for (struct map_entry *m = map_first(old); m; m = map_next(old, m)) {
        struct node_live *live = m->value;
        if (!map_has(&s->live, m->key, m->len)) {
            map_put(&s->live, m->key, m->len, live);
        } else {
            node_live_release(live);
            free(live);
        }
    }
    map_release(old);
}

/* Called and left with the lock held; not held while writing. */
static void write_live(struct store *s)
{
    struct map live = s->live;
    bool written;

    s->live = (struct map){0};
    s->live_ms = 0;
    pthread_mutex_unlock(&s->lock);
    written = store_commit_live(s, &live);
    pthread_mutex_lock(&s->lock);
    keep_live(s, &live);
    if (s->live.len > 0)
        s->live_ms = clock_mono_ms() + (written ? 0 : RETRY_MS);
    if (!written && s->stopping)
        s->live_ms = 0;
}

static void write_groups(struct store *s, struct group *list)
{
    pthread_mutex_unlock(&s->lock);
    store_commit(s, list);
    pthread_mutex_lock(&s->lock);
}

/* Retention, and after a failure a try whether writing works again. */
static void tend(struct store *s)
{
    bool trouble = s->trouble < 0, more = false;
    struct err e = {0};

    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&s->writer_lock);
    if (trouble) {
        int code = store_sync(s, true, &e);
        if (code == 0)
            code = sql_exec(s->writer, "UPDATE counter SET value=value WHERE name='run'", &e);
        pthread_mutex_unlock(&s->writer_lock);
        store_note(s, code, &e);
    } else {
        more = store_prune(s, clock_wall_ns());
        pthread_mutex_unlock(&s->writer_lock);
    }
    pthread_mutex_lock(&s->lock);
    s->prune_ms = clock_mono_ms() + (more ? STEP_MS : s->trouble < 0 ? RETRY_MS : PRUNE_MS);
}

static void *storage_thread(void *arg)
{
    struct store *s = arg;
    struct group *list;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        if ((list = take_groups(s, now))) {
            write_groups(s, list);
        } else if (s->live_ms != 0 && (now >= s->live_ms || s->stopping)) {
            write_live(s);
        } else if (s->stopping) {
            break;
        } else if (now >= s->prune_ms) {
            tend(s);
        } else {
            int64_t until = earliest(earliest(s->prune_ms, s->lazy_ms), s->live_ms);
            if (s->trouble < 0)
                until = earliest(until, now + RETRY_MS);
            wait_until(s, until);
            if (s->trouble < 0 && s->prune_ms > now + RETRY_MS)
                s->prune_ms = now + RETRY_MS;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int start_thread(struct store *s, struct err *e)
{
    s->prune_ms = clock_mono_ms() + PRUNE_MS;
    return thread_start(&s->thread, "storage", storage_thread, s, e);
}

/* ---- the public face ---- */

int store_open(const char *path, struct store **out, struct err *e)
{
    struct store *s = mem_alloc(sizeof(*s));
    int code;

    s->path = mem_strdup(path);
    s->memory = str_eq(path, ":memory:");
    s->lock_fd = -1;
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->writer_lock, NULL);
    pthread_mutex_init(&s->reader_mutex, NULL);
    thread_cond_init(&s->wake);

    code = open_writer(s, e);
    if (code == 0)
        code = open_reader(s, e);
    if (code == 0)
        code = store_prepare_writes(s, e);
    if (code == 0)
        code = store_prepare_journal(s, e);
    if (code == 0)
        code = start_thread(s, e);
    if (code < 0) {
        store_close(s);
        s = NULL;
    }
    *out = s;
    return code;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->thread.runs) {
        pthread_mutex_lock(&s->lock);
        s->stopping = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        thread_join(&s->thread);
    }
    for (struct map_entry *m = map_first(&s->live); m; m = map_next(&s->live, m)) {
        node_live_release(m->value);
        free(m->value);
    }
    map_release(&s->live);
    if (s->reader != s->writer)
        sql_close(s->reader);
    sql_close(s->writer);
    /* The log is empty now: one with old pages in it would spoil a backup that is put in the database's place. */
    if (s->writer && !s->memory)
        reserve_log(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->writer_lock);
    pthread_mutex_destroy(&s->reader_mutex);
    free(s->path);
    free(s);
}

static void note_event(struct store *s, const struct record *r)
{
    if (r->kind != RECORD_EVENT || ((const struct event *)r)->run != s->run)
        return;
    if (s->oldest_seq == 0)
        s->oldest_seq = r->id;
    if (r->id > s->newest_seq)
        s->newest_seq = r->id;
}

static void enqueue(struct store *s, struct group *g)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < g->count; i++)
        note_event(s, g->writes[i].record);
    *s->last = g;
    s->last = &g->next;
    if (g->done)
        s->waited = true;
    else if (s->lazy_ms == 0)
        s->lazy_ms = clock_mono_ms() + LAZY_MS;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void store_submit(struct store *s, const struct store_write *writes, size_t count, store_done *done, void *arg)
{
    struct group *g = mem_alloc(sizeof(*g) + count * sizeof(*writes));

    g->done = done;
    g->arg = arg;
    g->count = count;
    for (size_t i = 0; i < count; i++) {
        g->writes[i] = writes[i];
        record_ref(writes[i].record);
    }
    enqueue(s, g);
}

void store_put_state(struct store *s, int64_t wall_ns, uint64_t run, uint64_t seq, const char *json)
{
    struct group *g = mem_alloc(sizeof(*g));

    g->state_json = mem_strdup(json);
    g->state_ns = wall_ns;
    g->state_run = run;
    g->state_seq = seq;
    enqueue(s, g);
}

void store_live(struct store *s, uint64_t node_id, const struct node_live *live)
{
    struct node_live *copy = mem_alloc(sizeof(*copy)), *before;

    node_live_copy(copy, live);
    pthread_mutex_lock(&s->lock);
    before = map_putu(&s->live, node_id, copy);
    if (s->live_ms == 0) {
        s->live_ms = clock_mono_ms() + LIVE_MS;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (before) {
        node_live_release(before);
        free(before);
    }
}

int store_ping(struct store *s, struct err *e)
{
    int code;

    pthread_mutex_lock(s->reader_lock);
    code = sql_run(s->ping, "read", e);
    pthread_mutex_unlock(s->reader_lock);
    if (code < 0)
        return code;
    pthread_mutex_lock(&s->lock);
    code = s->trouble;
    if (code < 0 && e)
        *e = s->trouble_err;
    pthread_mutex_unlock(&s->lock);
    return code;
}
