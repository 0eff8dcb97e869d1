/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal's pages, the hourly states, and how long both are kept. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/private.h"

#define NS_PER_DAY   (86400 * NS_PER_SECOND)
#define EVENTS_KEPT  100000
#define EVENTS_FEW   1000 /* the newest ones stay, however old they are */
#define DAYS_KEPT    90
#define HOURLY_KEPT  (2 * NS_PER_DAY) /* older than that one state a day is kept */
#define STATES_BYTES 268435456
#define PRUNE_STEP   500
#define PAGE_MAX     10000

int store_prepare_journal(struct store *s, struct err *e)
{
    struct buf columns = BUF_INIT(0);
    char *after, *before;
    int code;

    table_sql(&store_tables[RECORD_EVENT], TABLE_SELECT, &columns);
    after = mem_format("%s WHERE (run,seq)>(?1,?2) ORDER BY run,seq LIMIT ?3", buf_text(&columns));
    before = mem_format("%s WHERE (run,seq)<(?1,?2) ORDER BY run DESC,seq DESC LIMIT ?3", buf_text(&columns));
    if ((code = sql_prepare(s->reader, after, &s->events_after, e)) == 0 &&
        (code = sql_prepare(s->reader, before, &s->events_before, e)) == 0 &&
        (code = sql_prepare(s->reader, "SELECT 1 FROM event WHERE run=?1 AND seq IN (?2,?2+1)", &s->event_has, e)) ==
            0 &&
        (code = sql_prepare(s->reader, "SELECT max(seq) FROM event WHERE run=?1", &s->event_newest, e)) == 0 &&
        (code = sql_prepare(s->reader, "SELECT at_ns,json FROM state WHERE at_ns<=?1 ORDER BY at_ns DESC LIMIT 1",
                            &s->state_at, e)) == 0 &&
        (code = sql_prepare(s->reader, "SELECT value FROM counter WHERE name='run'", &s->ping, e)) == 0 &&
        (code = sql_prepare(s->writer,
                            "DELETE FROM event WHERE rowid IN (SELECT rowid FROM event ORDER BY run,seq LIMIT ?1) AND "
                            "(?2 OR time_ns<?3)",
                            &s->event_prune, e)) == 0)
        code = sql_prepare(s->writer,
                           "DELETE FROM state WHERE at_ns IN (SELECT at_ns FROM (SELECT at_ns, min(at_ns) OVER "
                           "(PARTITION BY at_ns/86400000000000) AS first, sum(bytes) OVER (ORDER BY at_ns DESC) "
                           "AS bytes FROM state) WHERE at_ns<?1 OR (at_ns<?2 AND at_ns<>first) OR bytes>?3)",
                           &s->state_prune, e);
    buf_release(&columns);
    free(after);
    free(before);
    return code;
}

/* ---- reading; all with the reader's lock ---- */

static int64_t number_of(sqlite3_stmt *stmt, uint64_t run, uint64_t seq, int64_t fallback)
{
    int64_t number = fallback;

    sqlite3_bind_int64(stmt, 1, (int64_t)run);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, (int64_t)seq);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return number;
}

/* Known is what leaves no doubt about what follows it: an entry that is kept, or whose successor is; the beginning of
 * this run, whether it counts from 1 or goes on where the last one ended; and an entry of this run that is on its way
 * to the disk. 0.0 is the beginning of what is kept. */
static bool known(struct store *s, uint64_t run, uint64_t seq)
{
    uint64_t oldest, newest;
    int64_t durable;

    if (run == 0 && seq == 0)
        return true;
    if (run > s->run || seq >= INT64_MAX)
        return false;
    if (number_of(s->event_has, run, seq, 0) == 1)
        return true;
    if (run != s->run)
        return false;
    pthread_mutex_lock(&s->lock);
    oldest = s->oldest_seq;
    newest = s->newest_seq;
    pthread_mutex_unlock(&s->lock);
    if (newest == 0)
        return seq == 0 || seq + 1 == s->first_seq;
    durable = number_of(s->event_newest, run, 0, -1);
    return seq <= newest && (durable >= 0 ? seq >= (uint64_t)durable : seq + 1 >= oldest);
}

static uint64_t bounded(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : number;
}

static int read_page(sqlite3_stmt *stmt, struct event ***out, size_t *count, struct err *e)
{
    VEC(struct event *) list = {0};
    int code = 0, rc = SQLITE_DONE;

    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        vec_push(&list, event_new());
        code = table_read(&store_tables[RECORD_EVENT], stmt, list.items[list.len - 1], e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sql_error(sqlite3_db_handle(stmt), "read", e);
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

static void reverse(struct event **list, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct event *other = list[count - 1 - i];
        list[count - 1 - i] = list[i];
        list[i] = other;
    }
}

int store_events(struct store *s, uint64_t run, uint64_t after, uint64_t before, size_t limit, struct event ***out,
                 size_t *count, bool *gone, struct err *e)
{
    sqlite3_stmt *stmt = before != 0 ? s->events_before : s->events_after;
    int code = 0;

    *out = NULL;
    *count = 0;
    pthread_mutex_lock(s->reader_lock);
    *gone = before == 0 && !known(s, run, after);
    if (!*gone) {
        sqlite3_bind_int64(stmt, 1, (int64_t)bounded(run));
        sqlite3_bind_int64(stmt, 2, (int64_t)bounded(before != 0 ? before : after));
        sqlite3_bind_int64(stmt, 3, limit < PAGE_MAX ? (int64_t)limit : PAGE_MAX);
        code = read_page(stmt, out, count, e);
    }
    pthread_mutex_unlock(s->reader_lock);
    if (before != 0 && code == 0)
        reverse(*out, *count);
    return code;
}

int store_state_at(struct store *s, int64_t wall_ns, int64_t *at_ns, char **json, struct err *e)
{
    int code = 0, rc;

    pthread_mutex_lock(s->reader_lock);
    sqlite3_bind_int64(s->state_at, 1, wall_ns);
    rc = sqlite3_step(s->state_at);
    if (rc == SQLITE_ROW) {
        *at_ns = sqlite3_column_int64(s->state_at, 0);
        *json = mem_strdup((const char *)sqlite3_column_text(s->state_at, 1));
    } else if (rc == SQLITE_DONE) {
        code = err_set(e, ERR_GONE, "no state of that time is kept");
    } else {
        code = sql_error(s->reader, "read", e);
    }
    sqlite3_reset(s->state_at);
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

/* ---- retention; on the storage thread ---- */

static int prune_events(struct store *s, int64_t now_ns, bool *more, struct err *e)
{
    int64_t total = 0, over, few, step;
    int code = sql_number(s->writer, "SELECT count(*) FROM event", 0, &total, e);

    if (code < 0)
        return code;
    over = total - EVENTS_KEPT;
    few = total - EVENTS_FEW;
    step = over > 0 ? over : few;
    if (step > PRUNE_STEP)
        step = PRUNE_STEP;
    if (step <= 0)
        return 0;
    sqlite3_bind_int64(s->event_prune, 1, step);
    sqlite3_bind_int(s->event_prune, 2, over > 0);
    sqlite3_bind_int64(s->event_prune, 3, now_ns - DAYS_KEPT * NS_PER_DAY);
    code = sql_run(s->event_prune, "write", e);
    *more = code == 0 && (over > PRUNE_STEP || sqlite3_changes(s->writer) == PRUNE_STEP);
    return code;
}

static int prune_states(struct store *s, int64_t now_ns, struct err *e)
{
    sqlite3_bind_int64(s->state_prune, 1, now_ns - DAYS_KEPT * NS_PER_DAY);
    sqlite3_bind_int64(s->state_prune, 2, now_ns - HOURLY_KEPT);
    sqlite3_bind_int64(s->state_prune, 3, STATES_BYTES);
    return sql_run(s->state_prune, "write", e);
}

bool store_prune(struct store *s, int64_t now_ns)
{
    struct err e = {0};
    bool more = false;
    int code = store_sync(s, false, &e);

    if (code == 0)
        code = store_begin(s, &e);
    if (code < 0)
        return false;
    code = prune_events(s, now_ns, &more, &e);
    if (code == 0 && !more)
        code = prune_states(s, now_ns, &e);
    return store_finish(s, code, &e) == 0 && more;
}
