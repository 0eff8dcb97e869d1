/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of groups and the storage thread: it sleeps until someone waits for a group, or until groups that no one
 * waits for are due, and then writes everything that is queued. */
#include "store/store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/queue.h"

#define LAZY_MS   100   /* for groups that no one waits for: elections, nodes going online and offline */
#define LIVE_MS   5000  /* endpoints, last seen */
#define LIVE_STEP 1000  /* rows at once: a commit that someone waits for does not wait for ten thousand of these */
#define RETRY_MS  10000 /* after a failed write: retries soft state, and tests whether writing works */
#define PRUNE_MS  60000
#define BEAT_MS   1000
#define AGAIN_MS  50   /* between two tries to reach the database, doubled up to BEAT_MS */
#define AWAY_MS   9000 /* how long a group waits for a database that is away: callers wait for 10 s */
#define END_MS    2000 /* the same at the end */
#define STEP_MS   50   /* between two steps of retention with much to do */

static int64_t earliest(int64_t a, int64_t b)
{
    return b != 0 && b < a ? b : a;
}

static struct store_group *take_groups(struct store *s, int64_t now)
{
    struct store_group *list = s->first;

    if (!list || s->away || !(s->waited || s->stopping || now >= s->lazy_ms))
        return NULL;
    s->first = NULL;
    s->last = &s->first;
    s->waited = false;
    s->lazy_ms = 0;
    return list;
}

static bool concerns_all(int code)
{
    return code == ERR_UNAVAILABLE || code == ERR_IO;
}

/* Notes whether writing works, for store_ping. */
static void note(struct store *s, int code, const struct err *e)
{
    static struct log_limit limit;
    int before;

    if (code < 0 && !concerns_all(code))
        return;
    pthread_mutex_lock(&s->lock);
    before = s->trouble;
    s->trouble = code;
    if (code < 0)
        s->trouble_err = *e;
    pthread_mutex_unlock(&s->lock);
    if (code < 0)
        log_limited(&limit, 6, LOG_LEVEL_ERROR, "store", "%s", e->message);
    else if (before < 0)
        log_info("store", "%s: writing works again", s->path);
}

static void free_live(struct node_live *live)
{
    if (!live)
        return;
    node_live_release(live);
    free(live);
}

/* Takes up to LIVE_STEP rows from those to be written; their texts belong to taken. */
static size_t take_live(struct store *s, struct live_row *rows, struct node_live **taken)
{
    size_t count = 0;

    for (struct map_entry *m; count < LIVE_STEP && (m = map_first(&s->live)); count++) {
        memcpy(&rows[count].id, m->key, sizeof(rows->id));
        taken[count] = m->value;
        rows[count].live = *taken[count];
        map_delu(&s->live, rows[count].id);
    }
    return count;
}

/* Called and left with the lock held; not held while writing. What could not be written is put back, unless something
 * newer arrived meanwhile. */
static void write_live(struct store *s)
{
    struct live_row *rows = mem_alloc(LIVE_STEP * sizeof(*rows));
    struct node_live **taken = mem_alloc(LIVE_STEP * sizeof(struct node_live *));
    size_t count = take_live(s, rows, taken);
    struct err e = {0};

    s->live_ms = 0;
    pthread_mutex_unlock(&s->lock);
    int code = s->engine->calls->put_live(s->engine, rows, count, &e);
    note(s, code, &e);
    bool lost = code < 0 && concerns_all(code);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < count; i++)
        if (lost && !map_getu(&s->live, rows[i].id))
            map_putu(&s->live, rows[i].id, taken[i]);
        else
            free_live(taken[i]);
    if (s->live.len > 0 && !(lost && s->stopping))
        s->live_ms = clock_mono_ms() + (lost ? RETRY_MS : 0);
    free(rows);
    free(taken);
}

static void answer(struct store_group *g)
{
    static struct log_limit limit;

    if (g->code < 0 && !g->done)
        log_limited(&limit, 6, LOG_LEVEL_ERROR, "store", "not written: %s", g->err.message);
    if (g->done)
        g->done(g->arg, g->code, &g->err);
    for (size_t i = 0; i < g->count; i++)
        record_unref(g->writes[i].record);
    free(g);
}

/* Answers groups that have a result, in order; the rest, from the first open one on, returns to the front of the queue.
 * Called and left with the lock held; not held while answering. */
static void conclude(struct store *s, struct store_group *list)
{
    uint64_t count = 0;

    pthread_mutex_unlock(&s->lock);
    for (struct store_group *next; list && !list->open; list = next) {
        next = list->next;
        answer(list);
        count++;
    }
    pthread_mutex_lock(&s->lock);
    s->written += count;
    pthread_cond_broadcast(&s->idle);
    if (!list)
        return;
    struct store_group **end = &list;
    for (; *end; end = &(*end)->next)
        (*end)->open = false;
    *end = s->first;
    if (!s->first)
        s->last = end;
    s->first = list;
    s->waited = true;
}

static void write_groups(struct store *s, struct store_group *list)
{
    struct err e = {0};

    pthread_mutex_unlock(&s->lock);
    int code = s->engine->calls->commit(s->engine, list, &e);
    note(s, code, &e);
    pthread_mutex_lock(&s->lock);
    if (code < 0 && s->engine->calls->reach) {
        s->away = true;
        s->reach_ms = 0;
    }
    conclude(s, list);
}

/* ---- a database that is away ---- */

static void end_doubtful(struct store *s)
{
    for (struct store_group *g = s->doubtful, *next; g; g = next) {
        next = g->next;
        g->done = NULL;
        g->code = 0;
        answer(g);
    }
    s->doubtful = NULL;
}

/* The second answers to groups that were being written when the connection broke: they are durable or not. Returns
 * whether any group that was refused is durable. With the lock held, since store_forget ends these answers. */
static bool settle(struct store *s, uint64_t durable)
{
    bool late = false;

    for (struct store_group *g = s->doubtful; g; g = g->next) {
        g->code = g->number <= durable ? 0 : ERR_UNAVAILABLE;
        late = late || g->code == 0;
        g->done(g->arg, g->code, &g->err);
    }
    end_doubtful(s);
    return late;
}

void store_forget(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    end_doubtful(s);
    pthread_mutex_unlock(&s->lock);
}

/* Takes the groups at the front of the queue that are durable already. With the lock held. */
static struct store_group *take_durable(struct store *s, uint64_t durable)
{
    struct store_group *list = s->first, **end = &list;

    while (*end && (*end)->number && (*end)->number <= durable)
        end = &(*end)->next;
    if (end == &list)
        return NULL;
    s->first = *end;
    if (!s->first)
        s->last = &s->first;
    *end = NULL;
    return list;
}

static void found_again(struct store *s, uint64_t durable)
{
    bool late = settle(s, durable);
    struct store_group *list = take_durable(s, durable);

    for (struct store_group *g = s->first; g; g = g->next)
        g->number = 0;
    if (list)
        conclude(s, list);
    if (late) {
        /* Groups decided meanwhile did not know of it: they must be decided again. */
        s->engine->refusal.series = s->newest_series;
        err_set(&s->engine->refusal.err, ERR_CONFLICT, "an earlier change was stored after all");
    }
}

/* Called and left with the lock held. */
static void reach(struct store *s)
{
    struct store_reach found = {0};
    struct err e = {0};

    s->reaching = true;
    pthread_cond_signal(&s->looks);
    pthread_mutex_unlock(&s->lock);
    int code = s->engine->calls->reach(s->engine, &found, &e);
    /* Reachability says nothing about a full disk: a noted write failure stays until a write succeeds. */
    if (code < 0 || found.again || s->unreached)
        note(s, code == ERR_GONE ? ERR_UNAVAILABLE : code, &e);
    pthread_mutex_lock(&s->lock);
    s->reaching = false;
    s->unreached = code < 0;
    s->away = code < 0;
    s->lost = code == ERR_GONE;
    if (code == 0 && found.again)
        found_again(s, found.durable);
    if (code == 0)
        s->retry_wait_ms = AGAIN_MS;
    s->reach_ms = clock_mono_ms() + (code == 0 ? BEAT_MS : s->retry_wait_ms);
    if (code < 0)
        s->retry_wait_ms = 2 * s->retry_wait_ms < BEAT_MS ? 2 * s->retry_wait_ms : BEAT_MS;
}

static bool has_waited(const struct store *s, const struct store_group *g, int64_t now)
{
    return s->lost || now >= g->until_ms - (s->stopping ? AWAY_MS - END_MS : 0) ||
           refusal_covers(&s->engine->refusal, g);
}

static void doubt(struct store *s, struct store_group *g)
{
    struct store_group **last = &s->doubtful;

    while (*last)
        last = &(*last)->next;
    g->next = NULL;
    *last = g;
    g->done(g->arg, g->code, &g->err);
}

/* Refuses groups that have waited long enough; those that may have been written get another answer later. With the lock
 * held. */
static void refuse_late(struct store *s, int64_t now)
{
    struct store_group *list = NULL, **end = &list;

    while (s->first && has_waited(s, s->first, now)) {
        struct store_group *g = s->first;
        g->code = g->number ? ERR_TIMEOUT : ERR_UNAVAILABLE;
        g->err = s->trouble_err;
        g->err.code = (enum err_code)g->code;
        if (g->number)
            err_set(&g->err, ERR_TIMEOUT,
                    "the database went away while this was written: whether it is done is not known");
        refusal_note(&s->engine->refusal, g);
        s->first = g->next;
        *end = g;
        end = &g->next;
    }
    *end = NULL;
    if (!s->first)
        s->last = &s->first;
    for (struct store_group *g = list, *next; g; g = next) {
        next = g->next;
        if (g->code == ERR_TIMEOUT && g->done)
            doubt(s, g);
        else
            answer(g);
        s->written++;
    }
    pthread_cond_broadcast(&s->idle);
}

/* Each of several hosts may use up its timeout: no group waits longer for that. */
static void *refuser_thread(void *arg)
{
    struct store *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        bool waits = s->reaching && s->away && s->first;
        if (waits && has_waited(s, s->first, clock_mono_ms()))
            refuse_late(s, clock_mono_ms());
        else if (waits)
            (void)thread_cond_wait(&s->looks, &s->lock, s->first->until_ms);
        else
            pthread_cond_wait(&s->looks, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct pruning {
    struct store *s;
    int64_t now_ns, mono_ms;
    bool *more;
};

static int prune(struct store_sql *db, void *arg, struct err *e)
{
    struct pruning *p = arg;

    return sql_prune(db, &p->s->age, p->now_ns, p->mono_ms, p->more, e);
}

int store_prune(struct store *s, int64_t now_ns, int64_t mono_ms, bool *more, struct err *e)
{
    struct pruning p = {.s = s, .now_ns = now_ns, .mono_ms = mono_ms, .more = more};

    *more = false;
    return s->engine->calls->writing(s->engine, prune, &p, e);
}

/* Retention and, after a failure, a test whether writing works again. */
static void tend(struct store *s)
{
    bool trouble = s->trouble < 0, more = false;
    struct err e = {0};

    pthread_mutex_unlock(&s->lock);
    if (trouble)
        note(s, s->engine->calls->try_writing(s->engine, &e), &e);
    else if (store_prune(s, clock_wall_ns(), clock_mono_ms(), &more, &e) < 0)
        more = false;
    pthread_mutex_lock(&s->lock);
    s->prune_ms = clock_mono_ms() + (more ? STEP_MS : s->trouble < 0 ? RETRY_MS : PRUNE_MS);
}

/* When something is due if nothing happens before. */
static int64_t next_ms(const struct store *s)
{
    int64_t until = s->away ? INT64_MAX : earliest(earliest(s->prune_ms, s->lazy_ms), s->live_ms);

    if (s->engine->calls->reach && !s->lost)
        until = earliest(until, s->reach_ms);
    if (s->away && s->first)
        until = earliest(until, s->first->until_ms - (s->stopping ? AWAY_MS - END_MS : 0));
    return until == INT64_MAX ? clock_mono_ms() + BEAT_MS : until;
}

static void *storage_thread(void *arg)
{
    struct store *s = arg;
    struct store_group *list;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        if (s->engine->calls->reach && now >= s->reach_ms && !s->lost) {
            reach(s);
        } else if ((list = take_groups(s, now))) {
            write_groups(s, list);
        } else if (s->away && s->first && has_waited(s, s->first, now)) {
            refuse_late(s, now);
        } else if (s->live_ms != 0 && !s->away && (now >= s->live_ms || s->stopping)) {
            write_live(s);
        } else if (s->stopping && !s->first) {
            break;
        } else if (now >= s->prune_ms && !s->away) {
            tend(s);
        } else {
            int64_t until = next_ms(s);
            if (s->trouble < 0)
                until = earliest(until, now + RETRY_MS);
            (void)thread_cond_wait(&s->wake, &s->lock, until);
            if (s->trouble < 0 && s->prune_ms > now + RETRY_MS)
                s->prune_ms = now + RETRY_MS;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static struct store *new_store(const char *called)
{
    struct store *s = mem_alloc(sizeof(*s));

    s->path = mem_strdup(called);
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    thread_cond_init(&s->wake);
    thread_cond_init(&s->idle);
    thread_cond_init(&s->looks);
    return s;
}

static int start_store(struct store *s, const struct engine_start *start, int code, struct store **out, struct err *e)
{
    s->run = start->run;
    s->first_seq = start->first_seq;
    s->trouble = start->trouble;
    s->trouble_err = start->err;
    s->prune_ms = clock_mono_ms() + PRUNE_MS;
    s->reach_ms = clock_mono_ms() + BEAT_MS;
    s->retry_wait_ms = AGAIN_MS;
    if (code == 0)
        code = thread_start(&s->thread, "storage", storage_thread, s, e);
    if (code == 0 && s->engine->calls->reach)
        code = thread_start(&s->refuser, "storage away", refuser_thread, s, e);
    if (code < 0) {
        store_close(s);
        s = NULL;
    }
    *out = s;
    return code;
}

int store_open(const char *path, struct store **out, struct err *e)
{
    struct store *s = new_store(path);
    struct engine_start start = {0};

    return start_store(s, &start, sqlite_engine_open(path, &s->engine, &start, e), out, e);
}

int store_open_postgres(const struct store_postgres *with, struct store **out, struct err *e)
{
    struct store *s = new_store(*with->name ? with->name : "PostgreSQL");
    struct engine_start start = {0};

    return start_store(s, &start, pg_engine_open(with, &s->engine, &start, e), out, e);
}

bool store_is_lost(struct store *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    bool lost = s->lost;
    if (lost && e)
        *e = s->trouble_err;
    pthread_mutex_unlock(&s->lock);
    return lost;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_cond_signal(&s->looks);
    pthread_mutex_unlock(&s->lock);
    thread_join(&s->refuser);
    thread_join(&s->thread);
    end_doubtful(s);
    for (struct map_entry *m = map_first(&s->live); m; m = map_next(&s->live, m))
        free_live(m->value);
    map_release(&s->live);
    if (s->engine)
        s->engine->calls->close(s->engine);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->idle);
    pthread_cond_destroy(&s->looks);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

static int load(struct store_sql *db, void *arg, struct err *e)
{
    return sql_load(db, arg, e);
}

int store_load(struct store *s, struct store_image *out, struct err *e)
{
    int code;

    *out = (struct store_image){.run = s->run};
    code = s->engine->calls->reading(s->engine, load, out, e);
    if (code == 0)
        code = image_check(out, e);
    if (code < 0) {
        err_prefix(e, "%s", s->path);
        store_image_release(out);
    }
    return code;
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

void store_submit(struct store *s, uint64_t series, const struct store_write *writes, size_t count, store_done *done,
                  void *arg)
{
    struct store_group *g = mem_alloc(sizeof(*g) + count * sizeof(*writes));

    g->done = done;
    g->arg = arg;
    g->series = series;
    g->until_ms = clock_mono_ms() + AWAY_MS;
    g->count = count;
    for (size_t i = 0; i < count; i++) {
        g->writes[i] = writes[i];
        record_ref(writes[i].record);
    }
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < count; i++)
        note_event(s, writes[i].record);
    *s->last = g;
    s->last = &g->next;
    s->submitted++;
    if (series > s->newest_series)
        s->newest_series = series;
    if (done)
        s->waited = true;
    else if (s->lazy_ms == 0)
        s->lazy_ms = clock_mono_ms() + LAZY_MS;
    pthread_cond_signal(&s->wake);
    if (s->reaching)
        pthread_cond_signal(&s->looks);
    pthread_mutex_unlock(&s->lock);
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
    free_live(before);
}

int store_ping(struct store *s, struct err *e)
{
    int code = s->engine->calls->ping(s->engine, e);

    if (code < 0)
        return code;
    pthread_mutex_lock(&s->lock);
    code = s->trouble;
    if (code < 0 && e)
        *e = s->trouble_err;
    pthread_mutex_unlock(&s->lock);
    return code;
}

uint64_t store_log_bytes(struct store *s)
{
    return s->engine->calls->log_bytes ? s->engine->calls->log_bytes(s->engine) : 0;
}
