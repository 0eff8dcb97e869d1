/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking back: the tailnet of a moment. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "tailnet/past.h"

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

static void write_state(struct rest_request *r, const struct tailnet_snapshot *s, int64_t since_ns)
{
    struct arena a = ARENA_INIT(0);
    struct json_out o = reply_json(r);
    struct api_past past = {.time_ns = s->wall_ns, .since_ns = since_ns};
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
                 int64_t at_ns, int64_t since_ns)
{
    struct tailnet_snapshot *s;
    int code = past_snapshot(images, count, policy, r->s->settings, at_ns, &s, &r->err);

    if (code < 0)
        return code;
    write_state(r, s, since_ns);
    tailnet_unpin(s);
    return 0;
}

/* As of the newest publication: the same by the same way. */
static int write_present(struct rest_request *r, int64_t since_ns)
{
    struct past_images images = {0};

    past_take(r->s, &images);
    int code = build(r, images.items, images.len, r->s->policy, r->s->wall_ns, since_ns);
    past_release(&images);
    return code;
}

static enum http_flow read_state(struct rest_request *r)
{
    int64_t at_ns = *(const int64_t *)r->state;
    struct store_past past;
    char when[TIME_TEXT_MAX];
    int code = store_past(r->api->with.store, at_ns, &past, &r->err);

    if (code == 0 && !at_ns)
        code = write_present(r, past.since_ns);
    else if (code == 0 && at_ns < past.since_ns)
        code = err_field(&r->err, ERR_GONE, "at", "nothing is known from before %s",
                         past.since_ns == INT64_MAX ? "now" : time_format(past.since_ns, when));
    else if (code == 0)
        code = build(r, past.items, past.count, past.policy, at_ns, past.since_ns);
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

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/state"), .run = state_get, .need = NEED_READ, .query = "at:time", .answer = "State",
     .help = "Nodes, routes, primary routers and policy of a moment that is kept; without a time as they are"},
};
const struct http_table past_table = API_TABLE(rows);
