/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of each prefix on each node, and the routers of each prefix. */
#include <stdlib.h>

#include "api/view/view.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/vec.h"
#include "policy/policy.h"
#include "routes/routes.h"

static int compare_prefix(const void *key, const void *item)
{
    const struct primary *const *primary = item;

    return prefix_cmp(key, &(*primary)->prefix);
}

static const struct primary *find_primary(const struct tailnet_snapshot *s, const struct prefix *p)
{
    bool found;
    size_t i = array_search(p, s->primaries, s->primary_count, sizeof(void *), compare_prefix, &found);

    return found ? s->primaries[i] : NULL;
}

/* The router that serves p now, NULL: none. */
static const struct tailnet_node *primary_of(struct api_view *v, const struct prefix *p, int64_t *since_ns)
{
    const struct primary *primary = find_primary(v->s, p);
    const struct tailnet_node *n = primary ? show_find_node(v, primary->r.id) : NULL;

    if (!n || !prefixes_has(&n->serving, p))
        return NULL; /* remembered for a restart, not serving */
    if (since_ns)
        *since_ns = primary->since_ns;
    return n;
}

static int compare_via(const void *key, const void *item)
{
    const struct via_primary *const *server = item;

    return prefix_cmp(key, &(*server)->prefix);
}

/* The tags of the grants that the node serves p for. NULL: none. */
static const char *via_of(const struct tailnet_snapshot *s, uint64_t node, const struct prefix *p, struct arena *a)
{
    struct buf tags = BUF_INIT(0);
    size_t i = array_search(p, s->via_primaries, s->via_primary_count, sizeof(void *), compare_via, NULL);

    for (; i < s->via_primary_count && prefix_cmp(&s->via_primaries[i]->prefix, p) == 0; i++)
        if (s->via_primaries[i]->r.id == node)
            buf_addf(&tags, "%s%s", tags.len ? "; " : "", s->via_primaries[i]->tags);
    const char *text = tags.len ? arena_strdup(a, buf_text(&tags)) : NULL;
    buf_release(&tags);
    return text;
}

/* A node that serves a via group is a standby for everybody else. */
static enum route_state explain_via(enum route_state state, const char *via, const struct tailnet_node *primary,
                                    struct buf *sentence)
{
    if (state == ROUTE_SERVING) {
        buf_addf(sentence, "; also for grants via %s", via);
        return state;
    }
    if (state != ROUTE_STANDBY && state != ROUTE_UNHEALTHY)
        return state;
    sentence->len = 0;
    buf_addf(sentence, "elected via %s; ", via);
    if (primary)
        buf_addf(sentence, "%s serves everybody else", primary->record->given_name);
    else
        buf_adds(sentence, "nobody serves the prefix for others");
    return ROUTE_SERVING;
}

/* Likewise a node that serves only those it is the nearest to. */
static enum route_state explain_nearest(enum route_state state, const struct nearest_prefix *nearest, uint32_t router,
                                        const struct tailnet_node *primary, struct buf *sentence)
{
    size_t count = 0;

    for (size_t i = 0; i < nearest->viewers; i++)
        count += nearest->routers[i] == router;
    if (state == ROUTE_STANDBY) {
        sentence->len = 0;
        buf_addf(sentence, "serves the %zu node%s that it is the nearest router of; %s is the primary", count,
                 count == 1 ? "" : "s", primary ? primary->record->given_name : "nobody");
        return ROUTE_SERVING;
    }
    if (state == ROUTE_SERVING)
        buf_adds(sentence, "; others serve the nodes that they are nearer to");
    return state;
}

static enum route_state explain(const struct tailnet_snapshot *s, const struct tailnet_node *n, const struct prefix *p,
                                const char *via, const struct tailnet_node *primary, struct arena *a,
                                const char **reason)
{
    const struct nearest_prefix *nearest = tailnet_nearest_find(s->nearest, p);
    const struct primary *record = find_primary(s, p);
    bool is_primary = primary == n;
    struct buf sentence = BUF_INIT(0);
    struct route_facts facts = {.node = n->record,
                                .prefix = p,
                                .flags = routes_flags_of(n->record, &n->live, n->expired),
                                .unreachable = prefixes_has(&n->live.unreachable, p),
                                .carried = prefixes_has(&n->live.carried, p),
                                .chosen = record && record->chosen,
                                .primary = primary ? primary->record : NULL};
    enum route_state state = route_explain(&facts, &sentence);

    if (nearest && (is_primary || nearest_serves(nearest, n->slot)))
        state = explain_nearest(state, nearest, n->slot, primary, &sentence);
    if (via)
        state = explain_via(state, via, primary, &sentence);
    if (state == ROUTE_SERVING || state == ROUTE_STANDBY || state == ROUTE_AVAILABLE)
        for (size_t i = 0; i < n->live.warnings.len; i++)
            buf_addf(&sentence, "; warning: %s", n->live.warnings.items[i].text);

    *reason = arena_strdup(a, buf_text(&sentence));
    buf_release(&sentence);
    return state;
}

static void show_route(struct api_view *v, const struct tailnet_node *n, const struct prefix *p, struct arena *a,
                       struct api_route *out)
{
    bool exit = prefix_is_exit(p);
    const struct tailnet_node *primary = exit ? NULL : primary_of(v, p, NULL);
    const char *by = node_approver(n->record, p);

    *out = (struct api_route){.prefix = *p,
                              .exit = exit,
                              .primary = primary ? primary->record->r.id : 0,
                              .primary_name = primary ? primary->record->given_name : NULL,
                              .approved_by = *by ? by : NULL,
                              .via = via_of(v->s, n->record->r.id, p, a)};
    out->state = (int)explain(v->s, n, p, out->via, primary, a, &out->reason);
}

/* The prefixes advertised or approved, in order; caller releases them. */
static void known_prefixes(const struct node *n, struct prefixes *out)
{
    prefixes_copy(out, &n->available);
    for (size_t i = 0; i < n->approved.len; i++)
        prefixes_add(out, &n->approved.items[i]);
}

void show_node_routes(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out)
{
    struct prefixes known = {0};

    if (!n->record->available.len && !n->record->approved.len)
        return;
    known_prefixes(n->record, &known);
    struct api_route *routes = arena_alloc(a, known.len * sizeof(*routes));
    for (size_t i = 0; i < known.len; i++)
        show_route(v, n, &known.items[i], a, &routes[i]);
    out->routes = (struct api_list){routes, known.len};
    prefixes_release(&known);
}

/* ---- by prefix ---- */

struct router_at {
    struct prefix prefix;
    const struct tailnet_node *node;
};

static int router_order(const void *a, const void *b)
{
    const struct router_at *x = a, *y = b;
    int order = prefix_cmp(&x->prefix, &y->prefix);

    if (order)
        return order;
    return x->node->record->r.id < y->node->record->r.id ? -1 : x->node->record->r.id > y->node->record->r.id;
}

typedef VEC(struct router_at) router_list;

static void collect(const struct tailnet_node *n, const struct prefixes *only, router_list *out)
{
    struct prefixes known = {0};

    if (!n->record->available.len && !n->record->approved.len)
        return;
    known_prefixes(n->record, &known);
    for (size_t i = 0; i < known.len; i++)
        if (!only || prefixes_has(only, &known.items[i]))
            vec_push(out, ((struct router_at){known.items[i], n}));
    prefixes_release(&known);
}

static size_t group_end(const router_list *all, size_t begin)
{
    size_t end = begin + 1;

    while (end < all->len && prefix_cmp(&all->items[begin].prefix, &all->items[end].prefix) == 0)
        end++;
    return end;
}

void show_rule(const struct tailnet_snapshot *s, const struct prefix_settings *settings, struct arena *a,
               struct api_prefix *out)
{
    static char names[][16] = {"failback", "keep", "holdDown", "failbackDelay", "probe", "nearest"};
    struct prefix_rule rule = prefix_rule_of(settings, &s->settings->routing);
    unsigned own = settings ? prefix_rule_own(&settings->rule) : 0;
    char text[TIME_TEXT_MAX], probe[ADDR_TEXT_MAX];

    for (size_t i = 0; !rule.probe.bits && i < s->settings->probe_count; i++)
        if (prefix_cmp(&s->settings->probes[i].prefix, &out->prefix) == 0)
            rule.probe = s->settings->probes[i].target;

    out->failback = (int)rule.failback;
    out->keep = rule.keep == PREFIX_KEEP;
    out->nearest = rule.nearest == PREFIX_NEAREST;
    out->hold_down = arena_strdup(a, duration_format(rule.hold_down_ns, text));
    out->failback_delay = arena_strdup(a, duration_format(rule.failback_delay_ns, text));
    out->probe = rule.probe.bits ? arena_strdup(a, addr_format(&rule.probe, probe)) : NULL;
    out->version = own ? settings->r.version : 0;
    out->own = (struct strs){.items = arena_alloc(a, ARRAY_LEN(names) * sizeof(char *))};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (own & 1u << i)
            out->own.items[out->own.len++] = names[i];
}

/* The routers of one prefix. */
struct routers_of {
    const struct router_at *items;
    size_t count;
    struct prefix_rule rule;
};

/* The router that takes over when the primary fails; NULL: none. */
static const struct tailnet_node *next_of(const struct routers_of *all, const struct tailnet_node *primary,
                                          const char *tags)
{
    const struct tailnet_node *next = NULL;

    for (size_t i = 0; i < all->count; i++)
        next = show_better_router(next, all->items[i].node, primary, &all->items->prefix, &all->rule, tags);
    return next;
}

static bool is_served(const struct api_list *groups, const char *via)
{
    for (size_t i = 0; i < groups->len; i++)
        if (str_eq(api_at(groups, struct api_prefix_group, i)->via, via))
            return true;
    return false;
}

/* Sources whose packets for the prefix go, by a grant, to a group of routers of which none can serve them. policy NULL:
 * there are no groups. */
static void show_unserved(const struct policy_view *policy, const struct prefix *p, struct arena *a,
                          struct api_list *out)
{
    struct api_prefix_group *list = (struct api_prefix_group *)(uintptr_t)out->items;

    for (size_t i = 0; policy && i < policy_via_groups(policy); i++) {
        struct strs tags = {0};
        const char *via = policy_via_group(policy, i, &tags);
        strs_release(&tags);
        if (policy_via_concerns(policy, i, p) && !is_served(out, via))
            list[out->len++] = (struct api_prefix_group){.via = arena_strdup(a, via)};
    }
}

static void show_groups(struct api_view *v, const struct policy_view *policy, const struct routers_of *all,
                        struct arena *a, struct api_list *out)
{
    const struct prefix *p = &all->items->prefix;
    size_t first = array_search(p, v->s->via_primaries, v->s->via_primary_count, sizeof(void *), compare_via, NULL);
    size_t end = first, most = policy ? policy_via_groups(policy) : 0;

    while (end < v->s->via_primary_count && prefix_cmp(&v->s->via_primaries[end]->prefix, p) == 0)
        end++;
    struct api_prefix_group *list = arena_alloc(a, (end - first + most + 1) * sizeof(*list));
    *out = (struct api_list){list, 0};
    for (size_t i = first; i < end; i++) {
        const struct via_primary *g = v->s->via_primaries[i];
        const struct tailnet_node *primary = show_find_node(v, g->r.id), *next;
        if (!primary)
            continue;
        next = next_of(all, primary, g->tags);
        list[out->len++] = (struct api_prefix_group){.via = g->tags,
                                                     .primary = g->r.id,
                                                     .primary_name = primary->record->given_name,
                                                     .next = next ? next->record->r.id : 0,
                                                     .next_name = next ? next->record->given_name : NULL,
                                                     .since_ns = g->since_ns};
    }
    show_unserved(policy, p, a, out);
}

static void show_prefix(struct api_view *v, const struct policy_view *policy, const struct router_at *routers,
                        size_t count, struct arena *a, struct api_prefix *out)
{
    const struct prefix *p = &routers->prefix;
    bool exit = prefix_is_exit(p);
    int64_t since_ns = 0;
    const struct tailnet_node *primary = exit ? NULL : primary_of(v, p, &since_ns);
    struct api_router *list = arena_alloc(a, count * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        list[i] =
            (struct api_router){.node = routers[i].node->record->r.id, .name = routers[i].node->record->given_name};
        list[i].via = via_of(v->s, list[i].node, p, a);
        list[i].state = (int)explain(v->s, routers[i].node, p, list[i].via, primary, a, &list[i].reason);
    }
    *out = (struct api_prefix){.prefix = *p,
                               .exit = exit,
                               .primary = primary ? primary->record->r.id : 0,
                               .primary_name = primary ? primary->record->given_name : NULL,
                               .since_ns = since_ns,
                               .routers = {list, count}};
    if (!exit) {
        struct routers_of all = {routers, count,
                                 prefix_rule_of(snapshot_prefix_settings(v->s, p), &v->s->settings->routing)};
        const struct tailnet_node *next = next_of(&all, primary, NULL);
        out->next = next ? next->record->r.id : 0;
        out->next_name = next ? next->record->given_name : NULL;
        show_groups(v, policy, &all, a, &out->groups);
    }
    show_rule(v->s, snapshot_prefix_settings(v->s, p), a, out);
}

void show_prefixes(struct api_view *v, const struct prefixes *only, struct arena *a, struct api_list *out)
{
    router_list all = {0};
    size_t groups = 0;

    for (size_t b = 0; b < v->s->block_count; b++)
        for (size_t i = 0; v->s->blocks[b] && i < TAILNET_BLOCK; i++)
            if (v->s->blocks[b]->nodes[i])
                collect(v->s->blocks[b]->nodes[i], only, &all);
    if (all.len)
        qsort(all.items, all.len, sizeof(*all.items), router_order);
    for (size_t i = 0; i < all.len; i = group_end(&all, i))
        groups++;
    struct api_prefix *list = arena_alloc(a, groups * sizeof(*list) + 1);
    groups = 0;
    const struct policy_view *policy = v->tailnet ? tailnet_policy_read(v->tailnet) : NULL;
    for (size_t i = 0, end; i < all.len; i = end) {
        end = group_end(&all, i);
        show_prefix(v, policy, &all.items[i], end - i, a, &list[groups++]);
    }
    if (v->tailnet)
        tailnet_policy_done(v->tailnet);
    *out = (struct api_list){list, groups};
    vec_release(&all);
}
