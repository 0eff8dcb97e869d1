/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal's pages and how long its entries are kept. What administrators did and what clients cause are kept apart:
 * however much clients cause, it pushes out nothing that an administrator did. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/sqlite/sqlite.h"

#define NS_PER_DAY  (86400 * NS_PER_SECOND)
#define EVENTS_KEPT 100000 /* of each of both */
#define EVENTS_FEW  1000   /* the newest ones of both stay, however old they are */
#define DAYS_KEPT   90
#define PRUNE_STEP  500
#define UNSET_BEFORE_NS                                                                                                \
    (INT64_C(1735689600) * NS_PER_SECOND) /* 2025: such a time is of a clock that was not set yet                      \
                                           */

int sqlite_prepare_journal(struct sqlite_engine *s, struct err *e)
{
    struct buf columns = BUF_INIT(0);
    int code = 0;

    table_statement(&store_tables[RECORD_EVENT], &sqlite_dialect, STATEMENT_SELECT, &columns);
    char *after = mem_format("%s WHERE (run,seq)>(?1,?2) ORDER BY run,seq LIMIT ?3", buf_text(&columns));
    char *before = mem_format("%s WHERE (run,seq)<(?1,?2) ORDER BY run DESC,seq DESC LIMIT ?3", buf_text(&columns));
    const struct {
        sqlite3 *db;
        sqlite3_stmt **stmt;
        const char *sql;
    } all[] = {
        {s->reader, &s->events_after, after},
        {s->reader, &s->events_before, before},
        {s->reader, &s->event_counts,
         "SELECT (time_ns-?1)/?2 AS cell,count(*) FROM event WHERE time_ns>=?1 AND time_ns<?3 GROUP BY cell"},
        {s->reader, &s->event_has, "SELECT 1 FROM event WHERE run=?1 AND seq IN (?2,?2+1)"},
        {s->reader, &s->event_newest, "SELECT max(seq) FROM event WHERE run=?1"},
        {s->reader, &s->event_pruned,
         "SELECT 1 FROM counter AS r, counter AS s WHERE r.name='pruned.run' AND s.name='pruned.seq' AND "
         "(r.value,s.value)>(?1,?2)"},
        {s->reader, &s->ping, "SELECT value FROM counter WHERE name='run'"},
        {s->writer, &s->event_prune,
         "DELETE FROM event WHERE rowid IN (SELECT rowid FROM event WHERE by_admin=?1 ORDER BY run,seq LIMIT ?2) AND "
         "(?3 OR time_ns<?4) RETURNING run,seq"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all) && code == 0; i++)
        code = sqlite_prepare(all[i].db, all[i].sql, all[i].stmt, e);
    buf_release(&columns);
    free(after);
    free(before);
    return code;
}

/* ---- reading; all with the reader's lock ---- */

static int64_t bounded(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static int ask(sqlite3_stmt *stmt, uint64_t run, uint64_t seq, int64_t fallback, int64_t *out, struct err *e)
{
    int rc, code = 0;

    sqlite3_bind_int64(stmt, 1, bounded(run));
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, bounded(seq));
    rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0) : fallback;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        code = sqlite_error(sqlite3_db_handle(stmt), "read", e);
    sqlite3_reset(stmt);
    return code;
}

int sqlite_position(struct engine *engine, uint64_t run, uint64_t seq, struct journal_position *out, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int64_t has = 0, pruned = 0;
    int code;

    pthread_mutex_lock(s->reader_lock);
    if ((code = ask(s->event_has, run, seq, 0, &has, e)) == 0 &&
        (code = ask(s->event_pruned, run, seq, 0, &pruned, e)) == 0)
        code = ask(s->event_newest, run, 0, -1, &out->durable, e);
    pthread_mutex_unlock(s->reader_lock);
    out->kept = has == 1;
    out->pruned = pruned == 1;
    return code;
}

static int read_page(sqlite3_stmt *stmt, struct event ***out, size_t *count, struct err *e)
{
    VEC(struct event *) list = {0};
    int code = 0, rc = SQLITE_DONE;

    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        vec_push(&list, event_new());
        code = sqlite_read(&store_tables[RECORD_EVENT], stmt, list.items[list.len - 1], e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(sqlite3_db_handle(stmt), "read", e);
    sqlite3_reset(stmt);
    if (code < 0) {
        for (size_t i = 0; i < list.len; i++)
            record_unref(list.items[i]);
        vec_release(&list);
    }
    *out = list.items;
    *count = list.len;
    return code;
}

int sqlite_events(struct engine *engine, const struct journal_page *page, struct event ***out, size_t *count,
                  struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    sqlite3_stmt *stmt = page->backwards ? s->events_before : s->events_after;
    int code;

    pthread_mutex_lock(s->reader_lock);
    sqlite3_bind_int64(stmt, 1, bounded(page->run));
    sqlite3_bind_int64(stmt, 2, bounded(page->seq));
    sqlite3_bind_int64(stmt, 3, (int64_t)page->limit);
    code = read_page(stmt, out, count, e);
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

int sqlite_event_counts(struct engine *engine, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts,
                        struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int rc, code = 0;

    pthread_mutex_lock(s->reader_lock);
    sqlite3_bind_int64(s->event_counts, 1, from_ns);
    sqlite3_bind_int64(s->event_counts, 2, step_ns);
    sqlite3_bind_int64(s->event_counts, 3, from_ns + step_ns * (int64_t)cells);
    while ((rc = sqlite3_step(s->event_counts)) == SQLITE_ROW) {
        int64_t cell = sqlite3_column_int64(s->event_counts, 0);
        if (cell >= 0 && (uint64_t)cell < cells)
            counts[cell] = (uint64_t)sqlite3_column_int64(s->event_counts, 1);
    }
    if (rc != SQLITE_DONE)
        code = sqlite_error(s->reader, "read", e);
    sqlite3_reset(s->event_counts);
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

/* ---- retention; on the storage thread ---- */

/* Where the time of the retention stood when it was last stored; without that, the newest entry's. */
static int read_age(struct sqlite_engine *s, int64_t *out, struct err *e)
{
    int code = sqlite_number(s->writer, "SELECT value FROM counter WHERE name='journal.aged'", 0, out, e);

    if (code == 0 && *out == 0)
        code = sqlite_number(s->writer, "SELECT time_ns FROM event ORDER BY run DESC,seq DESC LIMIT 1", 0, out, e);
    return code;
}

/* Moves the time of the retention on. A wall clock that jumps ahead, and maybe back again, takes no entry along. */
static int grow_old(struct sqlite_engine *s, int64_t now_ns, int64_t mono_ms, struct err *e)
{
    int64_t may_be = s->aged_ns + (mono_ms - s->aged_mono_ms) * NS_PER_MS;

    if (s->aged_ns == 0) {
        int code = read_age(s, &s->aged_ns, e);
        if (code < 0)
            return code;
        may_be = s->aged_ns + NS_PER_DAY;
        if (s->aged_ns < UNSET_BEFORE_NS)
            may_be = s->aged_ns = now_ns;
    }
    if (now_ns < may_be)
        may_be = now_ns;
    if (may_be > s->aged_ns)
        s->aged_ns = may_be;
    s->aged_mono_ms = mono_ms;
    if (s->aged_ns - s->aged_stored_ns < NS_PER_DAY / 24)
        return 0;
    s->aged_stored_ns = s->aged_ns;
    return sqlite_set_counter(s, "journal.aged", (uint64_t)s->aged_ns, e);
}

/* Runs the deletion; last: the newest entry that went. */
static int delete_events(struct sqlite_engine *s, size_t *count, int64_t last[2], struct err *e)
{
    int rc, code = 0;

    *count = 0;
    while ((rc = sqlite3_step(s->event_prune)) == SQLITE_ROW) {
        int64_t run = sqlite3_column_int64(s->event_prune, 0), seq = sqlite3_column_int64(s->event_prune, 1);
        if (run > last[0] || (run == last[0] && seq > last[1])) {
            last[0] = run;
            last[1] = seq;
        }
        ++*count;
    }
    if (rc != SQLITE_DONE)
        code = sqlite_error(s->writer, "write", e);
    sqlite3_reset(s->event_prune);
    return code;
}

/* A reader that stands before what went has missed it (sqlite_position). */
static int note_pruned(struct sqlite_engine *s, const int64_t last[2], struct err *e)
{
    int64_t run = 0, seq = 0;
    int code;

    if ((code = sqlite_number(s->writer, "SELECT value FROM counter WHERE name='pruned.run'", 0, &run, e)) < 0 ||
        (code = sqlite_number(s->writer, "SELECT value FROM counter WHERE name='pruned.seq'", 0, &seq, e)) < 0)
        return code;
    if (last[0] < run || (last[0] == run && last[1] <= seq))
        return 0;
    code = sqlite_set_counter(s, "pruned.run", (uint64_t)last[0], e);
    return code == 0 ? sqlite_set_counter(s, "pruned.seq", (uint64_t)last[1], e) : code;
}

static int prune_events(struct sqlite_engine *s, bool by_admin, int64_t oldest_ns, bool *more, struct err *e)
{
    int64_t total = 0, over, step, last[2] = {0};
    size_t count;
    int code = sqlite_number(s->writer,
                             by_admin ? "SELECT count(*) FROM event WHERE by_admin=1"
                                      : "SELECT count(*) FROM event WHERE by_admin=0",
                             0, &total, e);

    if (code < 0)
        return code;
    over = total - EVENTS_KEPT;
    step = over > 0 ? over : total - EVENTS_FEW;
    if (step > PRUNE_STEP)
        step = PRUNE_STEP;
    if (step <= 0)
        return 0;
    sqlite3_bind_int(s->event_prune, 1, by_admin);
    sqlite3_bind_int64(s->event_prune, 2, step);
    sqlite3_bind_int(s->event_prune, 3, over > 0);
    sqlite3_bind_int64(s->event_prune, 4, oldest_ns);
    code = delete_events(s, &count, last, e);
    if (code == 0 && count > 0)
        code = note_pruned(s, last, e);
    *more |= code == 0 && (over > PRUNE_STEP || count == PRUNE_STEP);
    return code;
}

int sqlite_prune(struct engine *engine, int64_t now_ns, int64_t mono_ms, bool *more, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    int code;

    *more = false;
    pthread_mutex_lock(&s->writer_lock);
    code = sqlite_sync(s, false, e);
    if (code == 0)
        code = sqlite_begin(s, e);
    if (code == 0) {
        code = grow_old(s, now_ns, mono_ms, e);
        int64_t aged_ns = s->aged_ns < now_ns ? s->aged_ns : now_ns, oldest_ns = aged_ns - DAYS_KEPT * NS_PER_DAY;
        if (code == 0)
            code = prune_events(s, false, oldest_ns, more, e);
        if (code == 0)
            code = prune_events(s, true, oldest_ns, more, e);
        if (code == 0)
            code = sqlite_prune_past(s, aged_ns, more, e);
        if (code == 0)
            code = sqlite_prune_policies(s, more, e);
        code = sqlite_finish(s, code, e);
    }
    pthread_mutex_unlock(&s->writer_lock);
    return code;
}
