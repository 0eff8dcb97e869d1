/* SPDX-License-Identifier: BSD-3-Clause */
/* When a pair gained and lost its path: the path is computed in the tailnet at each time when something it may depend
 * on changed, from now backwards until time runs out. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/view/objects.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/vec.h"
#include "model/api_past.h"
#include "tailnet/past.h"

#define SCAN_PAGE   1000
#define SCAN_MAX    20000 /* journal entries per request */
#define MOMENTS_MAX 200
#define TIME_MAX_MS 5000
#define SETTLED_NS  (100 * NS_PER_MS) /* an entry's change is published a moment after the entry is written */

/* Which journal entries may change a path. */
enum concern { CONCERN_ALL, CONCERN_ENDS, CONCERN_NETWORKS };
static const struct {
    enum event_id id;
    enum concern concern;
} concerns[] = {
    {EVENT_POLICY_CHANGED, CONCERN_ALL},        {EVENT_USER_CREATED, CONCERN_ALL},
    {EVENT_USER_RENAMED, CONCERN_ALL},          {EVENT_USER_ROLE, CONCERN_ALL},
    {EVENT_USER_DELETED, CONCERN_ALL},          {EVENT_NODE_REGISTERED, CONCERN_ENDS},
    {EVENT_NODE_REAUTHENTICATED, CONCERN_ENDS}, {EVENT_NODE_AUTHORIZED, CONCERN_ENDS},
    {EVENT_NODE_UNAUTHORIZED, CONCERN_ENDS},    {EVENT_NODE_RENAMED, CONCERN_ENDS},
    {EVENT_NODE_TAGGED, CONCERN_ENDS},          {EVENT_NODE_DELETED, CONCERN_ENDS},
    {EVENT_ROUTE_APPROVED, CONCERN_NETWORKS},   {EVENT_ROUTE_AUTO_APPROVED, CONCERN_NETWORKS},
    {EVENT_ROUTE_REVOKED, CONCERN_NETWORKS},    {EVENT_ROUTE_SERVED, CONCERN_NETWORKS},
    {EVENT_ROUTE_UNSERVED, CONCERN_NETWORKS},
};

/* The path at a past time. */
struct reach_past {
    bool allowed;
    uint64_t line;
    char *fact;
};

struct reach_pair {
    const char *src, *dst;
    uint64_t port;
    bool ends_are_nodes; /* entries name these; otherwise any node may be among them */
    bool to_network;
};

struct reach_search {
    struct reach_pair q;
    int64_t deadline_ms;
    VEC(struct event *) moments; /* newest first */
    bool complete;               /* back to the beginning of the journal */
    VEC(struct api_reach_change) changes;
    VEC(struct reach_past) states; /* one per change: its texts */
};

/* ---- the moments ---- */

static bool is_node(const struct tailnet_snapshot *s, const char *name)
{
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; i < TAILNET_BLOCK; i++)
            if (s->blocks[b]->nodes[i] && str_eq(s->blocks[b]->nodes[i]->record->given_name, name))
                return true;
    return false;
}

static bool concerns_path(const struct reach_pair *q, const struct event *e)
{
    for (size_t i = 0; i < ARRAY_LEN(concerns); i++) {
        if (!str_eq(e->kind, event_kind(concerns[i].id)))
            continue;
        if (concerns[i].concern == CONCERN_NETWORKS)
            return q->to_network;
        return concerns[i].concern == CONCERN_ALL || !q->ends_are_nodes || str_eq(e->object_name, q->src) ||
               str_eq(e->object_name, q->dst) || strstr(e->text, q->src) || strstr(e->text, q->dst);
    }
    return false;
}

static int find_moments(struct rest_request *r, struct reach_search *s)
{
    uint64_t run = r->s->event_run, before = r->s->event_seq + 1;
    bool more = true;

    for (size_t scanned = 0; scanned < SCAN_MAX && more; scanned += SCAN_PAGE) {
        struct event **page = NULL;
        size_t count = 0;
        int code = store_events(r->api->with.store, run, 0, before, SCAN_PAGE, &page, &count, NULL, &r->err);
        if (code < 0)
            return code;
        for (size_t i = count; i-- > 0;) {
            run = page[i]->run;
            before = page[i]->r.id;
            if (more && concerns_path(&s->q, page[i]))
                vec_push(&s->moments, record_ref(page[i]));
            more = more && s->moments.len < MOMENTS_MAX;
            record_unref(page[i]);
        }
        free(page);
        s->complete = more && count < SCAN_PAGE;
        more = more && !s->complete;
    }
    return 0;
}

/* ---- the path in one of them ---- */

static void take_fact(const json_t *answer, struct reach_past *out)
{
    const json_t *steps = json_object_get(answer, "steps"),
                 *last = json_array_get(steps, json_array_size(steps) ? json_array_size(steps) - 1 : 0);

    out->fact = mem_strdup(json_text(last, "text", ""));
    json_int_t line = json_integer_value(json_object_get(last, "line"));
    out->line = line > 0 ? (uint64_t)line : 0;
}

/* A name that did not exist then is no error: there was no path. */
static int explain_in(struct rest_request *r, const struct reach_pair *q, const struct tailnet_snapshot *s,
                      struct reach_past *out)
{
    const struct config *c = api_config(r->api);
    struct policy_problems problems = {0};
    struct tailnet_policy_input w;
    struct policy *p = policy_in_force(s);
    struct buf text = BUF_INIT(0);
    json_t *answer = NULL;
    struct err e;

    *out = (struct reach_past){0};
    tailnet_policy_input_init(&w, s, &c->prefixes.v4, &c->prefixes.v6);
    w.tailnet.cancel = http_stopping(r->api->http);
    struct policy_view *v = policy_view_bounded(p, &w.tailnet, NULL, &problems);
    int code = v ? policy_explain(v, q->src, q->dst, -1, (uint16_t)q->port, &out->allowed, &text, &e)
                 : err_set(&e, ERR_TOOBIG, "%.200s", problems.items[0].text);
    if (code == 0 && json_read(buf_text(&text), text.len, UINT32_MAX, "explanation", &answer, &e) == 0) {
        take_fact(answer, out);
    } else {
        out->fact = mem_strdup(e.message);
        if (code != ERR_TOOBIG)
            code = 0;
    }
    json_decref(answer);
    buf_release(&text);
    policy_view_free(v);
    policy_problems_release(&problems);
    tailnet_policy_input_release(&w);
    policy_unref(p);
    config_unref(c);
    return code < 0 ? err_set(&r->err, (enum err_code)code, "%.200s", out->fact) : 0;
}

/* *known false: nothing is kept of that time. */
static int explain_at(struct rest_request *r, const struct reach_pair *q, int64_t at_ns, bool *known,
                      struct reach_past *out)
{
    struct tailnet_snapshot *s = NULL;
    struct store_past past;
    int code = store_past(r->api->with.store, at_ns, &past, &r->err);

    *out = (struct reach_past){0};
    *known = code == 0 && at_ns >= past.since_ns;
    if (*known)
        code = past_snapshot(past.items, past.count, past.policy, r->s->settings, at_ns, &s, &r->err);
    if (s)
        code = explain_in(r, q, s, out);
    if (s)
        tailnet_unpin(s);
    store_past_release(&past);
    return code;
}

/* ---- the whole ---- */

static void add_change(struct reach_search *s, const struct reach_past *state, int64_t at_ns, const struct event *e)
{
    vec_push(&s->states, ((struct reach_past){.fact = mem_strdup(state->fact)}));
    vec_push(&s->changes,
             ((struct api_reach_change){.time_ns = at_ns,
                                        .allowed = state->allowed,
                                        .fact = s->states.items[s->states.len - 1].fact,
                                        .line = state->line,
                                        .event = e ? (struct api_event_id){e->run, e->r.id} : (struct api_event_id){0},
                                        .actor = e ? e->actor : NULL,
                                        .text = e ? e->text : NULL}));
}

/* If the path differs before and after a time, the change then caused it; earlier times are examined one by one. */
static int search(struct rest_request *r, struct reach_search *s, struct reach_past *now, int64_t *back_to_ns)
{
    int64_t at_ns = r->s->wall_ns;
    size_t i = 0;

    for (; i < s->moments.len; i++) {
        const struct event *e = s->moments.items[i];
        bool oldest = i + 1 == s->moments.len, known;
        struct reach_past before;

        if (clock_mono_ms() >= s->deadline_ms || atomic_load(http_stopping(r->api->http)))
            break;
        int64_t before_ns = oldest ? e->time_ns - NS_PER_MS : s->moments.items[i + 1]->time_ns + SETTLED_NS;
        before_ns = before_ns < e->time_ns ? before_ns : e->time_ns - 1;
        int code = explain_at(r, &s->q, before_ns, &known, &before);
        if (code < 0)
            return code;
        if (!known) { /* nothing is kept of the time before */
            s->complete = true;
            i = s->moments.len;
            break;
        }
        if (before.allowed != now->allowed)
            add_change(s, now, e->time_ns, e);
        free(now->fact);
        *now = before;
        at_ns = oldest ? before_ns : e->time_ns;
    }
    s->complete = s->complete && i == s->moments.len;
    *back_to_ns = at_ns;
    return 0;
}

static enum http_flow answer(struct rest_request *r)
{
    struct reach_search s = {.q = *(const struct reach_pair *)r->state, .deadline_ms = clock_mono_ms() + TIME_MAX_MS};
    struct api_reach_history h = {0};
    struct reach_past now = {0};
    int code = explain_in(r, &s.q, r->s, &now);

    h.allowed = now.allowed;
    if (code == 0)
        code = find_moments(r, &s);
    if (code == 0)
        code = search(r, &s, &now, &h.back_to_ns);
    if (code == 0) {
        add_change(&s, &now, h.back_to_ns, NULL);
        h.changes = (struct api_list){.items = s.changes.items, .len = s.changes.len};
        h.complete = s.complete;
        struct json_out o = reply_json(r);
        api_write(&o, &api_reach_history_shape, &h, API_HEADWAY);
    }
    free(now.fact);
    for (size_t i = 0; i < s.moments.len; i++)
        record_unref(s.moments.items[i]);
    for (size_t i = 0; i < s.states.len; i++)
        free(s.states.items[i].fact);
    vec_release(&s.moments);
    vec_release(&s.states);
    vec_release(&s.changes);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}

enum http_flow reach_history_get(struct rest_request *r)
{
    struct reach_pair *q = arena_alloc(&r->http.arena, sizeof(*q));
    static const char *const needed[] = {"src", "dst"};
    const char *port = arg_query(r, "port");
    struct prefix p;

    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!arg_query(r, needed[i]) || !*arg_query(r, needed[i])) {
            err_field(&r->err, ERR_INVALID, needed[i], "%s is missing: a node, user, tag, group, host or address",
                      needed[i]);
            return reply_error(r, &r->err);
        }
    *q = (struct reach_pair){.src = arg_query(r, "src"), .dst = arg_query(r, "dst")};
    if (port && str_u64(port, 0, UINT16_MAX, &q->port, "port", &r->err) < 0)
        return reply_error(r, &r->err);
    q->ends_are_nodes = is_node(r->s, q->src) && is_node(r->s, q->dst);
    q->to_network =
        str_eq(q->dst, "autogroup:internet") || prefix_parse(q->dst, &p, NULL, NULL) == 0 || !is_node(r->s, q->dst);
    r->state = q;
    return heavy_later(r, answer);
}
