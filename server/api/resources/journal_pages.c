/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the journal: pages, searches, and its activity over time. */
#include <stdlib.h>
#include <string.h>

#include "api/change/change.h"
#include "api/change/events.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/request/samples.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "base/array.h"
#include "base/vec.h"
#include "model/api_past.h"

#define EVENTS_DEFAULT 100
#define SCAN_PAGE      1000
#define SCAN_MAX       20000 /* entries per search; the next search continues there */

/* A search of the journal: either after or before an entry. */
struct journal_search {
    uint64_t run, after, before;
    size_t limit;
    /* Only before an entry: the search terms; NULL: any. Each matches a part of the text in any case. */
    const char *kind, *actor, *object, *text;
    int64_t until_ns; /* 0: any time */
    /* found, newest first */
    VEC(struct event *) events;
    uint64_t next_run, next_seq; /* the oldest entry examined, if there are older ones */
    int64_t read_to_ns;
};

static bool holds(const char *text, const char *part)
{
    return !part || strcasestr(text, part);
}

/* Matches the kind's name in the API or the words shown to people. */
static bool kind_holds(const char *kind, const char *part)
{
    return holds(kind, part) || holds(event_kind_words(kind), part);
}

static bool is_wanted(const struct journal_search *j, const struct event *e)
{
    return (!j->until_ns || e->time_ns <= j->until_ns) && kind_holds(e->kind, j->kind) && holds(e->actor, j->actor) &&
           holds(e->object_name, j->object) &&
           (holds(e->text, j->text) || holds(e->object_name, j->text) || kind_holds(e->kind, j->text) ||
            holds(e->actor, j->text));
}

static bool is_search(const struct journal_search *j)
{
    return j->kind || j->actor || j->object || j->text || j->until_ns;
}

/* Called newest first; false: no more are wanted. */
static bool look_at(struct journal_search *j, struct event *e)
{
    if (j->events.len >= j->limit)
        return false;
    j->next_run = e->run;
    j->next_seq = e->r.id;
    j->read_to_ns = e->time_ns;
    if (is_wanted(j, e))
        vec_push(&j->events, record_ref(e));
    return true;
}

static int search(struct rest_request *r, struct journal_search *j)
{
    size_t page = is_search(j) ? SCAN_PAGE : j->limit;
    bool more = true;

    j->next_run = j->run;
    j->next_seq = j->before;
    for (size_t scanned = 0; scanned < SCAN_MAX && more; scanned += page) {
        struct event **events = NULL;
        size_t count = 0;
        int code = store_events(r->api->with.store, j->next_run, 0, j->next_seq, page, &events, &count, NULL, &r->err);
        if (code < 0)
            return code;
        bool all = true;
        for (size_t i = count; i-- > 0;) {
            all = all && look_at(j, events[i]);
            record_unref(events[i]);
        }
        free(events);
        if (all && count < page) {
            j->next_run = 0; /* reached the beginning */
            return 0;
        }
        more = all && j->events.len < j->limit;
    }
    return 0;
}

static void write_page(struct rest_request *r, struct event *const *events, size_t count, bool newest_first,
                       const struct journal_search *j)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_key(&o, "events");
    json_open(&o, '[');
    for (size_t i = 0; i < count; i++)
        write_event(&o, events[newest_first ? count - 1 - i : i]);
    json_close(&o, ']');
    write_event_id(&o, "event", r->s->event_run, r->s->event_seq);
    if (newest_first) {
        write_event_id(&o, "next", j->next_run, j->next_seq);
        json_put_time(&o, "readTo", j->read_to_ns);
    }
    json_close(&o, '}');
}

static enum http_flow read_before(struct rest_request *r)
{
    struct journal_search *j = r->state;
    int code = search(r, j);

    if (code == 0)
        write_page(r, j->events.items, j->events.len, true, j);
    for (size_t i = 0; i < j->events.len; i++)
        record_unref(j->events.items[i]);
    vec_release(&j->events);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}

static enum http_flow read_after(struct rest_request *r)
{
    const struct journal_search *j = r->state;
    struct event **events = NULL;
    size_t count = 0;
    bool gone = false;

    if (store_events(r->api->with.store, j->run, j->after, 0, j->limit, &events, &count, &gone, &r->err) < 0)
        return reply_error(r, &r->err);
    if (gone) {
        free(events);
        return reply_code(r, ERR_GONE, "the journal does not know that event any more");
    }
    write_page(r, events, count, false, j);
    for (size_t i = 0; i < count; i++)
        record_unref(events[i]);
    free(events);
    return HTTP_DONE;
}

static int read_criteria(struct rest_request *r, struct journal_search *j)
{
    const struct {
        const char *name, **to;
    } texts[] = {{"kind", &j->kind}, {"actor", &j->actor}, {"object", &j->object}, {"text", &j->text}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = arg_query(r, texts[i].name);

        if (text && str_check(text, 255, true, texts[i].name, &r->err) < 0)
            return r->err.code;
        *texts[i].to = text && *text ? text : NULL;
    }
    return arg_time(r, "until", &j->until_ns);
}

/* Without since and before: the newest. */
static int read_bounds(struct rest_request *r, struct journal_search *j)
{
    const char *since = arg_query(r, "since"), *before = arg_query(r, "before"), *limit = arg_query(r, "limit");
    struct api_event_id id = {r->s->event_run, r->s->event_seq + 1};
    uint64_t count = EVENTS_DEFAULT;

    if ((limit && str_u64(limit, 1, EVENTS_PAGE_MAX, &count, "limit", &r->err) < 0) || read_criteria(r, j) < 0)
        return r->err.code;
    j->limit = (size_t)count;
    if (since && (before || is_search(j)))
        return err_field(&r->err, ERR_INVALID, "since", "since does not go together with before and with criteria");
    if (since && *since) {
        if (api_event_id_parse(since, &id, &r->err) < 0)
            return r->err.code;
        j->after = id.seq;
    } else {
        if (before && *before && api_event_id_parse(before, &id, &r->err) < 0)
            return r->err.code;
        j->before = id.seq;
    }
    j->run = id.run;
    return 0;
}

static enum http_flow events_list(struct rest_request *r)
{
    const char *since = arg_query(r, "since");
    bool follow = false;

    if (arg_query(r, "follow") && arg_bool(r, "follow", &follow) < 0)
        return reply_error(r, &r->err);
    if (follow)
        return events_follow(r, since ? since : r->http.last_event_id);
    struct journal_search *j = arena_alloc(&r->http.arena, sizeof(*j));
    *j = (struct journal_search){0};
    if (read_bounds(r, j) < 0)
        return reply_error(r, &r->err);
    r->state = j;
    return request_later(r, HTTP_DISK, since && *since ? read_after : read_before);
}

/* ---- how busy it was ---- */

#define STEP_DEFAULT 1800 /* seconds */
#define STEP_MAX     (7 * 86400)
#define SPANS        48 /* per answer */

struct count_request {
    int64_t from_ns;
    uint64_t step;
};

static enum http_flow read_counts(struct rest_request *r)
{
    const struct count_request *q = r->state;
    int64_t step_ns = (int64_t)q->step * NS_PER_SECOND;
    struct api_event_count list[SPANS];
    struct api_event_counts answer = {.from_ns = q->from_ns, .step = q->step, .counts = {.items = list}};
    uint64_t counts[SPANS];

    if (store_event_counts(r->api->with.store, q->from_ns, step_ns, SPANS, counts, &r->err) < 0)
        return reply_error(r, &r->err);
    for (size_t i = 0; i < SPANS; i++)
        if (counts[i])
            list[answer.counts.len++] = (struct api_event_count){q->from_ns + (int64_t)i * step_ns, counts[i]};
    struct json_out o = reply_json(r);
    api_write(&o, &api_event_counts_shape, &answer, API_HEADWAY);
    return HTTP_DONE;
}

static enum http_flow counts_get(struct rest_request *r)
{
    struct count_request *q = arena_alloc(&r->http.arena, sizeof(*q));
    const char *step = arg_query(r, "step");

    *q = (struct count_request){.step = STEP_DEFAULT};
    if ((step && str_u64(step, 1, STEP_MAX, &q->step, "step", &r->err) < 0) || arg_time(r, "from", &q->from_ns) < 0)
        return reply_error(r, &r->err);
    int64_t length_ns = SPANS * (int64_t)q->step * NS_PER_SECOND;
    if (!q->from_ns)
        q->from_ns = clock_wall_ns() - length_ns;
    if (q->from_ns < 0 || q->from_ns > INT64_MAX - length_ns) {
        err_field(&r->err, ERR_INVALID, "from", "from is no time that the journal can have entries of");
        return reply_error(r, &r->err);
    }
    r->state = q;
    return request_later(r, HTTP_DISK, read_counts);
}

/* ---- how the last hour was ---- */

static enum http_flow samples_get(struct rest_request *r)
{
    struct api_sample list[SAMPLES_KEPT];
    struct api_samples answer = {.interval = SAMPLE_SECONDS,
                                 .samples = {.items = list, .len = samples_copy(r->api->sampler, list)}};
    struct json_out o = reply_json(r);

    api_write(&o, &api_samples_shape, &answer, API_HEADWAY);
    return HTTP_DONE;
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/events"), .run = events_list, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "since:text before:text limit:number follow:bool kind:text actor:text object:text text:text until:time",
     .answer = "Page",
     .help = "The journal: after an entry, or before one (the newest without either), then only those that hold the "
             "texts; next is where to go on with before. With follow=1 as server-sent events"},
    {HEADWAY("GET", "/events/counts"), .run = counts_get, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "from:time step:number", .answer = "EventCounts",
     .help = "How many entries the journal got in each of 48 spans of step seconds (1800) from a time on; the default "
             "is that they end now"},
    {HEADWAY("GET", "/samples"), .run = samples_get, .need = NEED_READ, .scope = SCOPE_ALL, .answer = "Samples",
     .help = "How the last hour was, minute by minute: nodes, entries of the journal, failovers, the database"},
};
const struct http_table journal_pages_table = API_TABLE(rows);
