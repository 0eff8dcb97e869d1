/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of the journal, and which positions in it leave no doubt about what follows them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/queue.h"

#define PAGE_MAX 10000

/* A query of the database, with room for the answer. */
struct store_question {
    uint64_t run, seq;
    struct journal_position position;
    struct journal_page page;
    struct event ***events;
    int64_t from_ns, step_ns, at_ns;
    size_t cells;
    uint64_t *counts;
    struct store_past *past;
    uint64_t version, before;
    size_t limit, *count;
    struct policy_text ***policies;
};

static int ask(struct store *s, store_use *use, struct store_question *q, struct err *e)
{
    return s->engine->calls->reading(s->engine, use, q, e);
}

static int ask_position(struct store_sql *db, void *arg, struct err *e)
{
    struct store_question *q = arg;

    return sql_position(db, q->run, q->seq, &q->position, e);
}

static int ask_events(struct store_sql *db, void *arg, struct err *e)
{
    struct store_question *q = arg;

    return sql_events(db, &q->page, q->events, q->count, e);
}

static int ask_event_counts(struct store_sql *db, void *arg, struct err *e)
{
    struct store_question *q = arg;

    return sql_event_counts(db, q->from_ns, q->step_ns, q->cells, q->counts, e);
}

static int ask_past(struct store_sql *db, void *arg, struct err *e)
{
    struct store_question *q = arg;

    return sql_past(db, q->at_ns, q->past, e);
}

static int ask_policies(struct store_sql *db, void *arg, struct err *e)
{
    struct store_question *q = arg;

    return sql_policies(db, q->version, q->before, q->limit, q->policies, q->count, e);
}

/* A position is known if there is no doubt about what follows it: a kept entry, or one whose successor is kept, if
 * nothing after it was pruned; the beginning of this run, whether numbering starts at 1 or continues from the last run;
 * and an entry of this run on its way to the disk. 0.0 is the beginning of what is kept. */
static int is_known(struct store *s, uint64_t run, uint64_t seq, bool *known, struct err *e)
{
    struct store_question q = {.run = run, .seq = seq};
    uint64_t oldest, newest;
    int code;

    *known = run == 0 && seq == 0;
    if (*known || run > s->run || seq >= INT64_MAX)
        return 0;
    code = ask(s, ask_position, &q, e);
    struct journal_position at = q.position;
    if (code < 0 || at.pruned)
        return code;
    *known = at.kept;
    if (at.kept || run != s->run)
        return 0;
    pthread_mutex_lock(&s->lock);
    oldest = s->oldest_seq;
    newest = s->newest_seq;
    pthread_mutex_unlock(&s->lock);
    if (newest == 0)
        *known = seq == 0 || seq + 1 == s->first_seq;
    else
        *known = seq <= newest && (at.durable >= 0 ? seq >= (uint64_t)at.durable : seq + 1 >= oldest);
    return 0;
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
    struct store_question q = {.page = {.backwards = before != 0,
                                        .run = run,
                                        .seq = before != 0 ? before : after,
                                        .limit = limit < PAGE_MAX ? limit : PAGE_MAX},
                               .events = out,
                               .count = count};
    bool known = true;
    int code = 0;

    *out = NULL;
    *count = 0;
    if (before == 0 && gone)
        code = is_known(s, run, after, &known, e);
    if (gone)
        *gone = !known;
    if (code < 0 || !known)
        return code;
    code = ask(s, ask_events, &q, e);
    if (before != 0 && code == 0)
        reverse(*out, *count);
    return code;
}

int store_event_counts(struct store *s, int64_t from_ns, int64_t step_ns, size_t cells, uint64_t *counts, struct err *e)
{
    struct store_question q = {.from_ns = from_ns, .step_ns = step_ns, .cells = cells, .counts = counts};

    memset(counts, 0, cells * sizeof(*counts));
    return ask(s, ask_event_counts, &q, e);
}

#define DRAIN_MS 5000

/* Readers of the past ask for what was published a moment ago, which is written asynchronously. */
static void wait_for_writes(struct store *s)
{
    int64_t until = clock_mono_ms() + DRAIN_MS;

    pthread_mutex_lock(&s->lock);
    uint64_t submitted = s->submitted;
    s->waited = s->waited || s->first;
    pthread_cond_signal(&s->wake);
    while (s->written < submitted && thread_cond_wait(&s->idle, &s->lock, until))
        ;
    pthread_mutex_unlock(&s->lock);
}

int store_past(struct store *s, int64_t at_ns, struct store_past *out, struct err *e)
{
    struct store_question q = {.at_ns = at_ns, .past = out};

    *out = (struct store_past){0};
    wait_for_writes(s);
    int code = ask(s, ask_past, &q, e);
    if (code < 0)
        store_past_release(out);
    return code;
}

int store_policies(struct store *s, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                   size_t *count, struct err *e)
{
    struct store_question q = {.version = version, .before = before, .limit = limit, .policies = out, .count = count};

    *out = NULL;
    *count = 0;
    wait_for_writes(s);
    return ask(s, ask_policies, &q, e);
}

void store_past_release(struct store_past *past)
{
    for (size_t i = 0; i < past->count; i++)
        record_unref(past->items[i]);
    free(past->items);
    record_unref(past->policy);
    *past = (struct store_past){.since_ns = past->since_ns};
}
