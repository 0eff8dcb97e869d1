/* SPDX-License-Identifier: BSD-3-Clause */
/* The past: the tailnet at a given time, and the routers that served a prefix. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "api/view/operations.h"
#include "base/vec.h"
#include "model/api_past.h"
#include "tailnet/past.h"

#define DNS_MAX (1U << 20) /* bytes of an image */

static const char *name_of(struct api_view *v, uint64_t id)
{
    const struct tailnet_node *n = show_find_node(v, id);

    return n ? n->record->given_name : "";
}

static void fill_nodes(struct api_view *v, struct arena *a, struct api_list *out)
{
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);

    out->items = arena_alloc(a, (count + 1) * sizeof(struct api_node));
    for (size_t i = 0; i < count; i++) {
        struct api_node *n = api_at(out, struct api_node, out->len++);
        show_node(v, nodes[i], a, n);
        show_node_routes(v, nodes[i], a, n);
    }
    free(nodes);
}

/* The routers of a prefix that serve viewers by nearness, with the names of the viewers. */
static void fill_nearest_of(const struct tailnet_snapshot *s, const struct nearest_prefix *p, struct arena *a,
                            struct api_list *out)
{
    struct map places = {0}; /* slot of a router -> its index in out, plus 1 */

    for (uint32_t viewer = 0; viewer < p->viewers; viewer++) {
        const struct tailnet_node *n = snapshot_node(s, viewer), *router = p->routers[viewer] == TAILNET_SLOT_NONE
                                                                               ? NULL
                                                                               : snapshot_node(s, p->routers[viewer]);
        if (!n || !router)
            continue;
        uintptr_t place = (uintptr_t)map_getu(&places, router->slot);
        if (!place) {
            *api_at(out, struct api_nearest, out->len++) =
                (struct api_nearest){.prefix = p->prefix,
                                     .router = router->record->r.id,
                                     .name = router->record->given_name,
                                     .nodes.items = arena_alloc(a, (p->viewers + 1) * sizeof(char *))};
            place = out->len;
            map_putu(&places, router->slot, (void *)place);
        }
        struct strs *nodes = &api_at(out, struct api_nearest, place - 1)->nodes;
        nodes->items[nodes->len++] = n->record->given_name;
    }
    map_release(&places);
}

static void fill_nearest(const struct tailnet_snapshot *s, struct arena *a, struct api_list *out)
{
    size_t routers = 0;

    for (size_t i = 0; s->nearest && i < s->nearest->len; i++)
        for (size_t word = 0; word < s->nearest->items[i].words; word++)
            routers += (size_t)__builtin_popcountll(s->nearest->items[i].serving[word]);
    out->items = arena_alloc(a, (routers + 1) * sizeof(struct api_nearest));
    for (size_t i = 0; s->nearest && i < s->nearest->len; i++)
        fill_nearest_of(s, &s->nearest->items[i], a, out);
}

static void write_state(struct rest_request *r, const struct tailnet_snapshot *s, const char *dns, int64_t since_ns)
{
    struct arena a = ARENA_INIT(0);
    struct json_out o = reply_json(r);
    struct api_past past = {.time_ns = s->wall_ns, .since_ns = since_ns, .dns = dns};
    const struct config *c = api_config(r->api);
    struct api_view v;

    show_init(&v, NULL, s);
    fill_nodes(&v, &a, &past.nodes);
    past.users.items = arena_alloc(&a, (s->user_count + 1) * sizeof(struct api_user));
    for (size_t i = 0; i < s->user_count; i++)
        show_user(s->users[i], api_at(&past.users, struct api_user, past.users.len++));
    past.primaries.items = arena_alloc(&a, (s->primary_count + 1) * sizeof(struct api_primary));
    for (size_t i = 0; i < s->primary_count; i++)
        *api_at(&past.primaries, struct api_primary, past.primaries.len++) =
            (struct api_primary){.prefix = s->primaries[i]->prefix,
                                 .node = s->primaries[i]->r.id,
                                 .name = name_of(&v, s->primaries[i]->r.id),
                                 .since_ns = s->primaries[i]->since_ns};
    show_prefixes(&v, NULL, &a, &past.prefixes);
    fill_nearest(s, &a, &past.nearest);
    past.policy = (struct api_policy){.text = s->policy ? s->policy->text : "",
                                      .updated_ns = s->policy ? s->policy->updated_ns : 0,
                                      .version = s->policy ? s->policy->r.version : 0,
                                      .mode = policy_mode(c)};
    api_write(&o, &api_past_shape, &past, API_HEADWAY);
    show_release(&v);
    arena_release(&a);
    config_unref(c);
}

static int build(struct rest_request *r, struct history *const *images, size_t count, const struct policy_text *policy,
                 const char *dns, int64_t at_ns, int64_t since_ns)
{
    struct tailnet_snapshot *s;
    int code = past_snapshot(images, count, policy, r->s->settings, at_ns, &s, &r->err);

    if (code < 0)
        return code;
    write_state(r, s, dns, since_ns);
    tailnet_unpin(s);
    return 0;
}

/* The clients' DNS settings as JSON; a damaged text is skipped. NULL: none. Caller frees. */
static char *dns_of(const struct store_past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        json_t *image = NULL;
        if (past->items[i]->kind != HISTORY_DNS ||
            json_read_large(past->items[i]->image, strlen(past->items[i]->image), DNS_MAX, "image", &image, NULL) < 0)
            continue;
        char *text = json_compact(image);
        json_decref(image);
        return text;
    }
    return NULL;
}

/* The newest publication, in the same form. */
static int write_present(struct rest_request *r, int64_t since_ns)
{
    struct past_images images = {0};

    const struct config *c = api_config(r->api);
    struct buf dns = BUF_INIT(0);
    past_take(r->s, &images);
    core_dns_image(c, r->s->settings->dns_own, &dns);
    int code = build(r, images.items, images.len, r->s->policy, buf_text(&dns), r->s->wall_ns, since_ns);
    past_release(&images);
    buf_release(&dns);
    config_unref(c);
    return code;
}

static int build_past(struct rest_request *r, const struct store_past *past, int64_t at_ns)
{
    char *dns = dns_of(past);
    int code = build(r, past->items, past->count, past->policy, dns, at_ns, past->since_ns);

    free(dns);
    return code;
}

static enum http_flow read_state(struct rest_request *r)
{
    int64_t at_ns = *(const int64_t *)r->state;
    struct store_past past;
    char when[TIME_TEXT_MAX];
    int code = store_past(r->api->with.store, at_ns, &past, &r->err);

    if (code == 0 && !at_ns)
        code = write_present(r, past.since_ns == INT64_MAX ? r->s->wall_ns : past.since_ns);
    else if (code == 0 && at_ns < past.since_ns)
        code = err_field(&r->err, ERR_GONE, "at", "nothing is known from before %s",
                         past.since_ns == INT64_MAX ? "now"
                                                    : time_format(past.since_ns / NS_PER_SECOND * NS_PER_SECOND, when));
    else if (code == 0)
        code = build_past(r, &past, at_ns);
    store_past_release(&past);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}

static enum http_flow state_get(struct rest_request *r)
{
    int64_t *at_ns = arena_alloc(&r->http.arena, sizeof(*at_ns));

    *at_ns = 0;
    if (arg_time(r, "at", at_ns) < 0)
        return reply_error(r, &r->err);
    if (*at_ns > clock_wall_ns()) {
        err_field(&r->err, ERR_INVALID, "at", "at lies in the future");
        return reply_error(r, &r->err);
    }
    r->state = at_ns;
    return request_later(r, HTTP_DISK, read_state);
}

/* ---- who served a prefix ---- */

#define MOVES_DEFAULT 50
#define MOVES_MAX     1000
#define SCAN_PAGE     1000
#define SCAN_MAX      20000 /* journal entries per request */

#define FOLLOWED_MAX 64 /* at a time, in one history */

struct followed_move {
    uint64_t of, ms; /* the router moved to, or the exit node left; how long until all had followed */
};

struct history_scan {
    struct prefix prefix;
    char text[PREFIX_TEXT_MAX];
    uint64_t run, before, limit;
    int64_t since_ns;
    /* found */
    VEC(struct event *) events;
    VEC(json_t *) details;  /* one per event, NULL: none */
    VEC(uint64_t) after_ms; /* one per event: how long until all asked nodes used the new router; 0: not known */
    VEC(struct followed_move) followed; /* whose moves are older, and not found yet */
    bool complete;                      /* back to the beginning of the journal, or of the requested time */
};

static bool is_move(const char *kind)
{
    return str_eq(kind, event_kind(EVENT_ROUTE_SERVED)) || str_eq(kind, event_kind(EVENT_ROUTE_FAILOVER)) ||
           str_eq(kind, event_kind(EVENT_ROUTE_UNSERVED)) || str_eq(kind, event_kind(EVENT_ROUTE_NEAREST)) ||
           str_eq(kind, event_kind(EVENT_EXIT_USABLE)) || str_eq(kind, event_kind(EVENT_EXIT_ENDED));
}

static bool names_prefix(const json_t *detail, const char *prefix)
{
    const json_t *list = json_object_get(detail, "prefixes");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(json_string_value(json_array_get(list, i)), prefix))
            return true;
    return false;
}

static uint64_t number_of(const json_t *detail, const char *name)
{
    const json_t *value = json_object_get(detail, name);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;

    return number > 0 ? (uint64_t)number : 0;
}

static uint64_t id_in(const json_t *detail, const char *name)
{
    uint64_t id = 0;

    return detail && json_get_u64(detail, name, &id, NULL) == 0 ? id : 0;
}

/* How long it took until all asked nodes had followed the move; 0: not known. */
static uint64_t take_followed(struct history_scan *h, const struct event *e, const json_t *detail)
{
    uint64_t of = id_in(detail, str_eq(e->kind, event_kind(EVENT_EXIT_ENDED)) ? "from" : "to");

    for (size_t i = 0; i < h->followed.len; i++)
        if (h->followed.items[i].of == of) {
            uint64_t ms = h->followed.items[i].ms;
            vec_remove(&h->followed, i);
            return ms;
        }
    return 0;
}

/* A move, or the report of clients about it (which is newer, so it comes first). Takes the reference of detail. */
static void take_move(struct history_scan *h, struct event *e, json_t *detail)
{
    bool followed = str_eq(e->kind, event_kind(EVENT_ROUTE_FOLLOWED));
    bool mine = (str_eq(e->object, "prefix") && str_eq(e->object_name, h->text)) || names_prefix(detail, h->text);

    if (mine && followed && h->followed.len < FOLLOWED_MAX) {
        vec_push(&h->followed, ((struct followed_move){e->object_id, number_of(detail, "convergenceMs")}));
    } else if (mine && !followed) {
        vec_push(&h->events, record_ref(e));
        vec_push(&h->details, json_incref(detail));
        vec_push(&h->after_ms, take_followed(h, e, detail));
    }
    json_decref(detail);
}

static void look_at(struct history_scan *h, struct event *e)
{
    json_t *detail = NULL;

    if (!is_move(e->kind) && !str_eq(e->kind, event_kind(EVENT_ROUTE_FOLLOWED)))
        return;
    if (*e->detail && json_read_large(e->detail, strlen(e->detail), STORED_MAX, "detail", &detail, NULL) < 0)
        detail = NULL;
    take_move(h, e, detail);
}

/* Called newest first; false: no more are wanted. */
static bool take_entry(struct history_scan *h, struct event *e)
{
    if (e->time_ns < h->since_ns) {
        h->complete = true;
        return false;
    }
    look_at(h, e);
    h->run = e->run;
    h->before = e->r.id;
    return h->events.len < h->limit;
}

static int scan(struct rest_request *r, struct history_scan *h)
{
    bool more = true;

    for (size_t scanned = 0; scanned < SCAN_MAX && more; scanned += SCAN_PAGE) {
        struct event **page = NULL;
        size_t count = 0;
        int code = store_events(r->api->with.store, h->run, 0, h->before, SCAN_PAGE, &page, &count, NULL, &r->err);
        if (code < 0)
            return code;
        for (size_t i = count; i-- > 0;) {
            more = more && take_entry(h, page[i]);
            record_unref(page[i]);
        }
        free(page);
        h->complete = h->complete || (more && count < SCAN_PAGE);
        more = more && !h->complete;
    }
    return 0;
}

static void show_move(const struct event *e, const json_t *detail, uint64_t after_ms, struct api_move *out)
{
    *out = (struct api_move){.event = {e->run, e->r.id},
                             .time_ns = e->time_ns,
                             .from = id_in(detail, "from"),
                             .to = id_in(detail, "to"),
                             .from_name = json_text(detail, "fromName", NULL),
                             .to_name = json_text(detail, "toName", NULL),
                             .cause = json_text(detail, "cause", NULL),
                             .via = json_text(detail, "via", NULL),
                             .nearest = str_eq(e->kind, event_kind(EVENT_ROUTE_NEAREST)),
                             .actor = e->actor,
                             .detection_ms = number_of(detail, "detectionMs"),
                             .convergence_ms = after_ms,
                             .text = e->text};
}

static enum http_flow read_history(struct rest_request *r)
{
    struct history_scan *h = r->state;
    struct arena a = ARENA_INIT(0);
    int code = scan(r, h);

    if (code == 0) {
        struct api_route_history history = {.prefix = h->prefix};
        history.moves.items = arena_alloc(&a, (h->events.len + 1) * sizeof(struct api_move));
        for (size_t i = 0; i < h->events.len; i++) {
            show_move(h->events.items[i], h->details.items[i], h->after_ms.items[i],
                      api_at(&history.moves, struct api_move, i));
            history.moves.len++;
            history.flips += str_eq(h->events.items[i]->kind, event_kind(EVENT_ROUTE_FAILOVER));
        }
        if (!h->complete)
            history.next = (struct api_event_id){h->run, h->before};
        struct json_out o = reply_json(r);
        api_write(&o, &api_route_history_shape, &history, API_HEADWAY);
    }
    for (size_t i = 0; i < h->events.len; i++) {
        record_unref(h->events.items[i]);
        json_decref(h->details.items[i]);
    }
    vec_release(&h->events);
    vec_release(&h->details);
    vec_release(&h->after_ms);
    vec_release(&h->followed);
    arena_release(&a);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}

static enum http_flow history_get(struct rest_request *r)
{
    struct history_scan *h = arena_alloc(&r->http.arena, sizeof(*h));
    struct api_event_id before = {r->s->event_run, r->s->event_seq + 1};
    const char *limit = arg_query(r, "limit"), *from = arg_query(r, "before");

    *h = (struct history_scan){.limit = MOVES_DEFAULT};
    if (prefix_parse_route(r->http.params[0], &h->prefix, &r->err) < 0 ||
        (limit && str_u64(limit, 1, MOVES_MAX, &h->limit, "limit", &r->err) < 0) ||
        (from && *from && api_event_id_parse(from, &before, &r->err) < 0) || arg_time(r, "since", &h->since_ns) < 0)
        return reply_error(r, &r->err);
    prefix_format(&h->prefix, h->text);
    h->run = before.run;
    h->before = before.seq;
    r->state = h;
    return request_later(r, HTTP_DISK, read_history);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/state"), .run = state_get, .need = NEED_READ, .scope = SCOPE_ALL, .query = "at:time",
     .answer = "State",
     .help = "Nodes, routes, primary routers and policy of a moment that is kept; without a time as they are"},
    {HEADWAY("GET", "/prefixes/{prefix}/history"), .run = history_get, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .query = "before:text since:time limit:number", .answer = "RouteHistory",
     .help = "Who served a prefix and why it changed, newest first; next is where to go on"},
};
const struct http_table past_table = API_TABLE(rows);
