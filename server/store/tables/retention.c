/* SPDX-License-Identifier: BSD-3-Clause */
/* How long things are kept: journal entries, images for looking back, past policy texts. Administrators' entries and
 * those caused by clients are counted separately: however many clients cause, they displace no administrator's
 * entry. */
#include "base/clock.h"
#include "store/tables/sql.h"

#define NS_PER_DAY    (86400 * NS_PER_SECOND)
#define EVENTS_KEPT   100000 /* of each kind */
#define EVENTS_FEW    1000   /* the newest of each kind stay, however old */
#define DAYS_KEPT     90
#define PRUNE_STEP    500
#define HISTORY_DAYS  90
#define HISTORY_KEPT  200000 /* changes since the beginning */
#define HISTORY_STEP  500
#define POLICIES_KEPT 500
#define POLICIES_STEP 20                  /* removed per transaction; a text may have 4 MiB */
#define UNSET_BEFORE  INT64_C(1735689600) /* 2025: an earlier time is from a clock that was not set yet */

/* ---- age ---- */

/* The retention's clock as last stored; if none was, the newest entry's time. */
static int read_age(struct store_sql *db, int64_t *out, struct err *e)
{
    int code = sql_number(db, 0, out, e, "SELECT value FROM counter WHERE name='journal.aged'");

    if (code == 0 && *out == 0)
        code = sql_number(db, 0, out, e, "SELECT time_ns FROM event ORDER BY run DESC,seq DESC LIMIT 1");
    return code;
}

/* Advances the retention's clock. A wall clock that jumps ahead, and perhaps back again, removes no entries. */
static int grow_old(struct store_sql *db, struct store_age *age, int64_t now_ns, int64_t mono_ms, struct err *e)
{
    int64_t may_be = age->ns + (mono_ms - age->mono_ms) * NS_PER_MS;

    if (age->ns == 0) {
        int code = read_age(db, &age->ns, e);
        if (code < 0)
            return code;
        may_be = age->ns + NS_PER_DAY;
        if (age->ns < UNSET_BEFORE * NS_PER_SECOND)
            may_be = age->ns = now_ns;
    }
    if (now_ns < may_be)
        may_be = now_ns;
    if (may_be > age->ns)
        age->ns = may_be;
    age->mono_ms = mono_ms;
    if (age->ns - age->stored_ns < NS_PER_DAY / 24)
        return 0;
    age->stored_ns = age->ns;
    return sql_set_counter(db, "journal.aged", (uint64_t)age->ns, e);
}

/* ---- the journal ---- */

struct pruned_events {
    int64_t run, seq; /* the newest entry removed */
    int64_t count;
};

static int take_gone(struct store_sql *db, void *arg, struct err *e)
{
    struct pruned_events *g = arg;
    int64_t run = db->calls->number(db, 0), seq = db->calls->number(db, 1);

    (void)e;
    if (run > g->run || (run == g->run && seq > g->seq)) {
        g->run = run;
        g->seq = seq;
    }
    g->count++;
    return 0;
}

/* A reader at a position before the removed entries has missed them (sql_position). */
static int note_pruned(struct store_sql *db, const struct pruned_events *g, struct err *e)
{
    int64_t run = 0, seq = 0;
    int code;

    if ((code = sql_number(db, 0, &run, e, "SELECT value FROM counter WHERE name='pruned.run'")) < 0 ||
        (code = sql_number(db, 0, &seq, e, "SELECT value FROM counter WHERE name='pruned.seq'")) < 0)
        return code;
    if (g->run < run || (g->run == run && g->seq <= seq))
        return 0;
    code = sql_set_counter(db, "pruned.run", (uint64_t)g->run, e);
    return code == 0 ? sql_set_counter(db, "pruned.seq", (uint64_t)g->seq, e) : code;
}

static int prune_events(struct store_sql *db, bool by_admin, int64_t oldest_ns, bool *more, struct err *e)
{
    int64_t total = 0, over, step;
    struct pruned_events gone = {0};
    int code = sql_number(db, 0, &total, e, "SELECT count(*) FROM event WHERE by_admin=%s", sql_bool(db, by_admin));

    if (code < 0)
        return code;
    over = total - EVENTS_KEPT;
    step = over > 0 ? over : total - EVENTS_FEW;
    if (step > PRUNE_STEP)
        step = PRUNE_STEP;
    if (step <= 0)
        return 0;
    code = sql_run(db, take_gone, &gone, e,
                   "DELETE FROM event WHERE (run,seq) IN (SELECT run,seq FROM event WHERE by_admin=%s ORDER BY run,seq "
                   "LIMIT %lld) AND time_ns<%lld RETURNING run,seq",
                   sql_bool(db, by_admin), (long long)step, over > 0 ? (long long)INT64_MAX : (long long)oldest_ns);
    if (code == 0 && gone.count > 0)
        code = note_pruned(db, &gone, e);
    *more |= code == 0 && (over > PRUNE_STEP || gone.count == PRUNE_STEP);
    return code;
}

/* ---- the past ---- */

/* The new beginning: after the oldest changes, if they are too many or too old; 0: unchanged. */
static int find_beginning(struct store_sql *db, int64_t now_ns, int64_t *id, bool *more, struct err *e)
{
    int64_t from = 0, count = 0, step, old = 0;
    int code = sql_number(db, 0, &from, e, "SELECT value FROM counter WHERE name='history.base'");

    *id = 0;
    if (code < 0 ||
        (code = sql_number(db, 0, &count, e, "SELECT count(*) FROM history WHERE id>%lld", (long long)from)) < 0 ||
        (code = sql_number(db, 0, &old, e,
                           "SELECT count(*) FROM (SELECT 1 FROM history WHERE id>%lld AND time_ns<%lld LIMIT %d) AS o",
                           (long long)from, (long long)(now_ns - HISTORY_DAYS * NS_PER_DAY), HISTORY_STEP)) < 0)
        return code;
    step = count - HISTORY_KEPT > old ? count - HISTORY_KEPT : old;
    step = step > HISTORY_STEP ? HISTORY_STEP : step;
    if (step <= 0)
        return 0;
    *more |= step == HISTORY_STEP;
    return sql_number(db, 0, id, e, "SELECT id FROM history WHERE id>%lld ORDER BY id LIMIT 1 OFFSET %lld",
                      (long long)from, (long long)(step - 1));
}

/* Before the beginning only one image per object is kept, so everything later stays complete. */
static int prune_past(struct store_sql *db, int64_t now_ns, bool *more, struct err *e)
{
    int64_t id = 0, since = 0;
    int code = find_beginning(db, now_ns, &id, more, e);

    if (code < 0 || id == 0)
        return code;
    if ((code = sql_number(db, 0, &since, e, "SELECT time_ns FROM history WHERE id=%lld", (long long)id)) < 0 ||
        (code = sql_run(db, NULL, NULL, e,
                        "DELETE FROM history AS h WHERE id<=%lld AND (image='' OR EXISTS (SELECT 1 FROM history AS n "
                        "WHERE n.kind=h.kind AND n.\"key\"=h.\"key\" AND n.id>h.id AND n.id<=%lld))",
                        (long long)id, (long long)id)) < 0 ||
        (code = sql_set_counter(db, "history.base", (uint64_t)id, e)) < 0)
        return code;
    return sql_set_counter(db, "history.since", (uint64_t)since, e);
}

/* ---- policies: the newest, and those that looking back may need ---- */

static int take_count(struct store_sql *db, void *arg, struct err *e)
{
    (void)db;
    (void)e;
    ++*(int *)arg;
    return 0;
}

static int prune_policies(struct store_sql *db, bool *more, struct err *e)
{
    int count = 0;
    int code = sql_run(db, take_count, &count, e,
                       "DELETE FROM policy WHERE id IN (SELECT id FROM policy AS p WHERE id<=(SELECT id FROM policy "
                       "ORDER BY id DESC LIMIT 1 OFFSET %d) AND NOT EXISTS (SELECT 1 FROM history AS h WHERE h.kind=%d "
                       "AND h.\"key\"='' AND h.image=CAST(p.id AS TEXT)) ORDER BY id LIMIT %d) RETURNING id",
                       POLICIES_KEPT, HISTORY_POLICY, POLICIES_STEP);

    *more |= code == 0 && count == POLICIES_STEP;
    return code;
}

int sql_prune(struct store_sql *db, struct store_age *age, int64_t now_ns, int64_t mono_ms, bool *more, struct err *e)
{
    int code = grow_old(db, age, now_ns, mono_ms, e);
    int64_t aged_ns = age->ns < now_ns ? age->ns : now_ns, oldest_ns = aged_ns - DAYS_KEPT * NS_PER_DAY;

    *more = false;
    if (code == 0)
        code = prune_events(db, false, oldest_ns, more, e);
    if (code == 0)
        code = prune_events(db, true, oldest_ns, more, e);
    if (code == 0)
        code = prune_past(db, aged_ns, more, e);
    if (code == 0)
        code = prune_policies(db, more, e);
    return code;
}
