/* SPDX-License-Identifier: BSD-3-Clause */
/* Which daemon may write: the one whose session holds an advisory lock. The server ends a session that falls silent, so
 * the lock becomes free only after its last transaction ended, and the next holder reads what that one left. Commits
 * are numbered: after a connection broke, the number tells whether the last one is there, and whether the database lost
 * some. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/postgres/pg.h"

#define BEAT_WAIT_MS 5000

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* A text from the first row, owned by the caller; "" without a row. */
static char *ask_text(struct pg_conn *c, const char *sql)
{
    char *text = NULL;
    PGresult *r;

    if (!c->db || !PQsendQuery(c->db, sql))
        return mem_strdup("");
    while ((r = pg_next(c))) {
        if (!text && PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r))
            text = str_clean(PQgetvalue(r, 0, 0), 80);
        PQclear(r);
    }
    return text ? text : mem_strdup("");
}

static int open_session(struct pg_engine *en, struct err *e)
{
    struct pg_conn *c = &en->writer;
    char sql[240];
    int code = pg_connect(c, &en->place, "writer", e);

    if (code < 0)
        return code;
    snprintf(sql, sizeof(sql),
             "SET idle_session_timeout=%d; SET idle_in_transaction_session_timeout=%d; "
             "SELECT set_config('transaction_timeout','30s',false) WHERE %d>=170000",
             PG_LEASE_MS, PG_LEASE_MS, PQserverVersion(c->db));
    return pg_execute(c, sql, e);
}

static int take_lock(struct pg_conn *c, bool *got, struct err *e)
{
    char sql[80];
    int64_t taken = 0;

    snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%d,%d)::int", PG_LOCK_SPACE, PG_LOCK_WRITER);
    int code = pg_number(c, sql, 0, &taken, e);
    *got = taken == 1;
    return code;
}

static int own_pid(struct pg_conn *c, int64_t *pid, struct err *e)
{
    return pg_number(c, "SELECT pg_backend_pid()", 0, pid, e);
}

/* A pooler in transaction mode would give the lock's session to other clients: detected if a second connection, or the
 * same one a moment later, is served by that session or by another one. */
static int refuse_pooler(struct pg_engine *en, struct err *e)
{
    int64_t first = 0, second = 0, third = 0;
    int code = own_pid(&en->writer, &first, e);

    if (code == 0)
        code = pg_connect_reader(en, e);
    if (code == 0)
        code = pg_execute(&en->reader, "BEGIN", e);
    if (code == 0)
        code = own_pid(&en->reader, &second, e);
    if (code == 0)
        code = own_pid(&en->writer, &third, e);
    if (code == 0)
        code = pg_execute(&en->reader, "ROLLBACK", e);
    if (code == 0 && (first == second || first != third))
        return err_set(
            e, ERR_UNSUPPORTED,
            "%s: a connection pooler in transaction mode stands before the server: name the server itself, or "
            "a pool in session mode",
            en->place.called);
    return code;
}

/* Marks the server's row as this daemon's; raise: with a new run. */
static int mark(struct pg_engine *en, bool raise, struct err *e)
{
    struct pg_conn *c = &en->writer;
    char host[64] = "", *who, *quoted, *sql;
    int64_t run = 0, pid = 0;
    int code = own_pid(c, &pid, e);

    if (code < 0)
        return code;
    if (gethostname(host, sizeof(host) - 1) < 0)
        str_copy(host, sizeof(host), "an unnamed host");
    who = mem_format("process %ld on %s", (long)getpid(), host);
    quoted = PQescapeLiteral(c->db, who, strlen(who));
    sql =
        mem_format("UPDATE server SET run=%s, leader=%s, pid=pg_backend_pid(), beat=clock_timestamp() RETURNING run",
                   raise ? "greatest(run,(SELECT coalesce(max(run),0) FROM event))+1" : "run", quoted ? quoted : "''");
    code = pg_number(c, sql, 0, &run, e);
    if (code == 0 && run < 1)
        code = err_set(e, ERR_IO, "%s: table server has no row", en->place.called);
    en->run = (uint64_t)run;
    en->pid = (int)pid;
    PQfreemem(quoted);
    free(who);
    free(sql);
    return code;
}

static int read_commit(struct pg_engine *en, int64_t *run, int64_t *commit, struct err *e)
{
    int code = pg_number(&en->writer, "SELECT run FROM server", 0, run, e);

    return code == 0 ? pg_number(&en->writer, "SELECT \"commit\" FROM server", 0, commit, e) : code;
}

static int say_taken(struct pg_engine *en, enum err_code code, const char *what, struct err *e)
{
    char *leader = ask_text(&en->writer, "SELECT leader FROM server");

    err_set(e, code, "%s: another headwayd (%s) %s", en->place.called, *leader ? leader : "not known", what);
    free(leader);
    return code;
}

/* ---- start ---- */

static int64_t read_beat(struct pg_conn *c)
{
    int64_t there = 0, beat = 0;

    if (pg_number(c, "SELECT count(*) FROM pg_tables WHERE schemaname='headway' AND tablename='server'", 0, &there,
                  NULL) == 0 &&
        there)
        (void)!pg_number(c, "SELECT (extract(epoch FROM beat)*1000)::bigint FROM server", 0, &beat, NULL);
    return beat;
}

/* A working daemon beats each second; the session of a dead one ends after a lease. */
static int wait_for_lock(struct pg_engine *en, struct err *e)
{
    int64_t until_ms = clock_mono_ms() + PG_LEASE_MS + 2000, beat = 0;
    bool got = false, said = false;

    for (;;) {
        int code = take_lock(&en->writer, &got, e);
        if (code < 0 || got)
            return code;
        int64_t now = read_beat(&en->writer);
        if ((beat && now != beat) || clock_mono_ms() > until_ms)
            return say_taken(en, ERR_CONFLICT, "uses this database", e);
        beat = now;
        if (!said)
            log_info("store", "%s: a former session has not ended yet: waiting", en->place.called);
        said = true;
        pause_ms(200);
    }
}

int pg_lead_first(struct pg_engine *en, struct err *e)
{
    struct pg_lent lent = pg_lend(&en->writer);
    int64_t run = 0, commit = 0;
    int code;

    if ((code = open_session(en, e)) < 0 || (code = wait_for_lock(en, e)) < 0 || (code = refuse_pooler(en, e)) < 0 ||
        (code = pg_schema_upgrade(&en->writer, e)) < 0 || (code = mark(en, true, e)) < 0 ||
        (code = read_commit(en, &run, &commit, e)) < 0 || (code = sql_read_ids(&lent.sql, &en->ids, e)) < 0)
        return code;
    en->commit = (uint64_t)commit;
    if ((code = pg_prepare_writes(&en->writer, e)) == 0)
        atomic_store(&en->answered_ms, clock_mono_ms());
    return code;
}

/* ---- after the start ---- */

static int lose(struct pg_engine *en, const struct err *why, struct err *e)
{
    en->lost = true;
    en->lost_why = *why;
    en->lost_why.code = ERR_GONE;
    pg_disconnect(&en->writer);
    if (e)
        *e = en->lost_why;
    return ERR_GONE;
}

static int beat(struct pg_engine *en, struct err *e)
{
    struct pg_conn *c = &en->writer;
    char sql[160];

    snprintf(sql, sizeof(sql),
             "BEGIN; SET LOCAL synchronous_commit=off; UPDATE server SET beat=clock_timestamp() WHERE run=%llu; COMMIT",
             (unsigned long long)en->run);
    int64_t wait_ms = c->wait_ms;
    c->wait_ms = BEAT_WAIT_MS;
    int code = pg_execute(c, sql, e);
    c->wait_ms = wait_ms;
    if (code < 0)
        pg_disconnect(c);
    else
        atomic_store(&en->answered_ms, clock_mono_ms());
    return code;
}

/* The lock is taken. Its holder may be this daemon's own previous session, which has not noticed that it was abandoned;
 * one that waits for a standby is in the middle of a commit, and stays. */
static int wait_again(struct pg_engine *en, struct err *e)
{
    struct pg_conn *c = &en->writer;
    int64_t run = 0, commit = 0, mine = 0;
    char sql[480];
    struct err why;
    int code = read_commit(en, &run, &commit, e);

    if (code < 0)
        return code;
    if (run != (int64_t)en->run) {
        say_taken(en, ERR_GONE, "took over this database", &why);
        return lose(en, &why, e);
    }
    snprintf(
        sql, sizeof(sql),
        "SELECT count(CASE WHEN a.wait_event IS DISTINCT FROM 'SyncRep' THEN pg_terminate_backend(a.pid) END) FROM "
        "pg_locks AS l JOIN pg_stat_activity AS a USING(pid) WHERE l.locktype='advisory' AND l.classid=%d AND "
        "l.objid=%d AND l.objsubid=2 AND l.granted AND l.database=(SELECT oid FROM pg_database WHERE "
        "datname=current_database()) AND a.pid=%d",
        PG_LOCK_SPACE, PG_LOCK_WRITER, en->pid);
    if ((code = pg_number(c, sql, 0, &mine, e)) < 0)
        return code;
    return err_set(e, ERR_UNAVAILABLE, "%s: the session before has not ended yet", en->place.called);
}

static int compare(struct pg_engine *en, struct err *e)
{
    int64_t run = 0, commit = 0;
    struct err why;
    int code = read_commit(en, &run, &commit, e);

    if (code < 0)
        return code;
    if (run != (int64_t)en->run) {
        say_taken(en, ERR_GONE, "took over this database", &why);
        return lose(en, &why, e);
    }
    if ((uint64_t)commit < en->commit) {
        err_set(&why, ERR_GONE,
                "%s: it lost the last %llu commits (it was restored, or failed over without synchronous replication): "
                "starting anew from what it holds",
                en->place.called, (unsigned long long)en->commit - (unsigned long long)commit);
        return lose(en, &why, e);
    }
    en->commit = (uint64_t)commit;
    return 0;
}

static int reach(struct pg_engine *en, struct store_reach *out, struct err *e)
{
    bool got = false;
    int code;

    *out = (struct store_reach){0};
    if (en->lost) {
        *e = en->lost_why;
        return ERR_GONE;
    }
    if (pg_alive(&en->writer) && beat(en, e) == 0)
        return 0;
    code = open_session(en, e);
    if (code == 0)
        code = take_lock(&en->writer, &got, e);
    if (code == 0)
        code = got ? compare(en, e) : wait_again(en, e);
    if (code == 0)
        code = mark(en, false, e);
    if (code == 0)
        code = pg_prepare_writes(&en->writer, e);
    if (code < 0) {
        pg_disconnect(&en->writer);
        return code == ERR_GONE ? code : (int)(e->code = ERR_UNAVAILABLE);
    }
    atomic_store(&en->answered_ms, clock_mono_ms());
    *out = (struct store_reach){.again = true, .durable = en->commit};
    return 0;
}

/* Allocates space that partly filled pages do not have, and leaves nothing behind: this detects a full disk. */
int pg_try_writing(struct engine *engine, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    pthread_mutex_lock(&en->writer_lock);
    int code = pg_execute(&en->writer,
                          "BEGIN; INSERT INTO counter(name,value) SELECT 'room '||n,0 FROM generate_series(1,2000) n; "
                          "ROLLBACK",
                          e);
    if (code < 0 && en->writer.db && pg_execute(&en->writer, "ROLLBACK", NULL) < 0)
        pg_disconnect(&en->writer);
    pthread_mutex_unlock(&en->writer_lock);
    return code;
}

int pg_reach(struct engine *engine, struct store_reach *out, struct err *e)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    pthread_mutex_lock(&en->writer_lock);
    int code = reach(en, out, e);
    pthread_mutex_unlock(&en->writer_lock);
    return code;
}
