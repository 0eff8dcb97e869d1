/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems of routes, and surprises for those who approve them. One function per check; each adds what it finds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/view/as_approved.h"
#include "api/view/server_addresses.h"
#include "api/view/view.h"
#include "base/array.h"
#include "base/vec.h"
#include "net/via6.h"
#include "policy/policy.h"

#define PROBLEMS_MAX 1000
#define NAMES_SHOWN  5

typedef VEC(struct api_route_problem) problem_list;

/* Common to all routes of one inquiry. */
struct route_inquiry {
    struct api_view *v;
    struct api *api;
    struct tailnet *tailnet;
    struct as_approved *as_approved; /* made on demand */
    struct map accepts;              /* node id -> enum accepts_routes */
    struct server_addresses server;
};

struct route_check {
    const struct route_inquiry *all;
    const struct tailnet_node *node;
    const struct prefix *prefix;
    bool approved;
    struct arena *a;
    problem_list *out;
};

static void found(const struct route_check *c, const char *code, bool warning, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void found(const struct route_check *c, const char *code, bool warning, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_end_whole(text);
    vec_push(c->out, ((struct api_route_problem){.prefix = *c->prefix,
                                                 .node = c->node->record->r.id,
                                                 .name = c->node->record->given_name,
                                                 .code = code,
                                                 .warning = warning,
                                                 .text = arena_strdup(c->a, text)}));
}

static void check_advertised(const struct route_check *c)
{
    if (!prefixes_has(&c->node->record->available, c->prefix))
        found(c, "not-advertised", true, "the node does not advertise it: nobody serves it until it does");
}

static void check_node(const struct route_check *c)
{
    const struct node_warnings *w = &c->node->live.warnings;

    for (size_t i = 0; i < w->len; i++)
        found(c, w->items[i].code, true, "the client warns: %s", w->items[i].text);
    if (prefixes_has(&c->node->live.unreachable, c->prefix))
        found(c, "does-not-forward", true, "the node does not forward: the probe target does not answer through it");
}

/* Ranges that the tailnet or hosts use themselves. The site-to-site range of 4via6 is within the tailnet's own. */
static void check_range(const struct route_check *c)
{
    static const struct {
        const char *range, *what;
    } ranges[] = {{"100.64.0.0/10", "the addresses of the tailnet"},
                  {"fd7a:115c:a1e0::/48", "the addresses of the tailnet"},
                  {"127.0.0.0/8", "loopback addresses"},
                  {"::1/128", "loopback addresses"},
                  {"169.254.0.0/16", "link-local addresses"},
                  {"fe80::/10", "link-local addresses"},
                  {"224.0.0.0/4", "multicast addresses"},
                  {"ff00::/8", "multicast addresses"}};
    struct prefix range, network;
    uint32_t site;

    if (via6_contains(c->prefix)) {
        if (!via6_decode(c->prefix, &site, &network))
            found(c, "via6", true, "it holds several sites: a 4via6 prefix names one, and is at least a /96");
        else if (site > VIA6_SITE_MAX)
            found(c, "via6", true, "it names site %u: clients know sites up to %d", (unsigned)site, VIA6_SITE_MAX);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (prefix_parse(ranges[i].range, &range, NULL, NULL) == 0 &&
            (prefix_covers(&range, c->prefix) || prefix_covers(c->prefix, &range)))
            found(c, "special-range", true, "it overlaps %s, %s", ranges[i].range, ranges[i].what);
}

static bool is_kept(const struct route_check *c)
{
    const struct tailnet_snapshot *s = c->all->v->s;
    struct prefix_rule rule = prefix_rule_of(snapshot_prefix_settings(s, c->prefix), &s->settings->routing);

    return rule.keep == PREFIX_KEEP;
}

/* Another router's prefix that contains this one, or is within it: clients use the longer one. */
static void check_other_prefixes(const struct route_check *c, const struct tailnet_node *n)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < n->record->approved.len; i++) {
        const struct prefix *p = &n->record->approved.items[i];
        if (n == c->node || prefix_is_exit(p) || !prefixes_has(&n->record->available, p) ||
            prefix_cmp(p, c->prefix) == 0)
            continue;
        if (prefix_covers(p, c->prefix) && !is_kept(c))
            found(c, "covered", false,
                  "%s of %s covers it: traffic falls to that one where nobody serves this one; see --keep of "
                  "'headway routes set'",
                  prefix_format(p, text), n->record->given_name);
        else if (prefix_covers(c->prefix, p))
            found(c, "covers", false, "%s of %s lies within it, and is taken first", prefix_format(p, text),
                  n->record->given_name);
    }
}

/* Some names, and their total number. */
struct name_list {
    struct buf text;
    size_t count;
};

static void add_name(struct name_list *names, const char *name)
{
    if (names->count++ < NAMES_SHOWN)
        buf_addf(&names->text, "%s%s", names->text.len ? ", " : "", name);
}

static const char *end_names(struct name_list *names)
{
    if (names->count > NAMES_SHOWN)
        buf_addf(&names->text, " and %zu more", names->count - NAMES_SHOWN);
    return buf_text(&names->text);
}

static enum accepts_routes accepts(const struct route_check *c, const struct tailnet_node *n)
{
    return (enum accepts_routes)(uintptr_t)map_getu(&c->all->accepts, n->record->r.id);
}

static const struct addr *address_in(const struct tailnet_node *n, const struct prefix *p)
{
    for (size_t i = 0; i < n->live.endpoint_count; i++) {
        const struct addr *a = &n->live.endpoints[i].addr;
        if (prefix_covers(p, &(struct prefix){*a, a->bits}))
            return a;
    }
    return NULL;
}

/* A client whose own network is the prefix loses the path to its neighbours when it accepts the route. */
static void check_own_lans(const struct route_check *c, const struct tailnet_snapshot *s)
{
    struct name_list names = {.text = BUF_INIT(0)};
    char text[ADDR_TEXT_MAX];

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        const struct addr *a =
            n && n != c->node && !prefixes_has(&n->record->available, c->prefix) && accepts(c, n) != REFUSES_ROUTES
                ? address_in(n, c->prefix)
                : NULL;
        if (!a)
            continue;
        char *name = mem_format("%s (%s)", n->record->given_name, addr_format(a, text));
        add_name(&names, name);
        free(name);
    }
    if (names.count)
        found(c, "own-network", true,
              "%s %s an address in it: where %s the route, its own network is reached through %s", end_names(&names),
              names.count == 1 ? "has" : "have", names.count == 1 ? "it accepts" : "one accepts",
              c->node->record->given_name);
    buf_release(&names.text);
}

static void check_server(const struct route_check *c)
{
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < c->all->server.len; i++) {
        const struct addr *a = &c->all->server.items[i];
        if (!prefix_covers(c->prefix, &(struct prefix){*a, a->bits}))
            continue;
        found(c, "covers-server", false,
              "it covers %s, an address of this server: programs other than the client reach it through %s",
              addr_format(a, text), c->node->record->given_name);
        return;
    }
}

/* Whether the node could carry it once it is approved. */
static bool can_carry(const struct tailnet_node *n, const struct prefix *p)
{
    return n->live.online && !n->expired && n->record->authorized && prefixes_has(&n->record->available, p) &&
           n->live.healthy && !prefixes_has(&n->live.unreachable, p);
}

static bool can_serve(const struct tailnet_node *n, const struct prefix *p)
{
    return can_carry(n, p) && prefixes_has(&n->record->approved, p);
}

static bool is_shown_to(const struct policy_view *v, const struct tailnet_node *viewer, const struct route_check *c)
{
    struct prefixes shown = {0};

    if (!policy_sees(v, viewer->slot, c->node->slot))
        return false;
    policy_routes(v, viewer->slot, c->node->slot, &shown);
    bool is = prefixes_has(&shown, c->prefix);
    prefixes_release(&shown);
    return is;
}

/* How many of the nodes that the policy shows the prefix to are known to accept it. */
struct viewer_count {
    bool any; /* the policy shows it to some node */
    size_t accept;
    struct name_list refuse;
    bool partly; /* more nodes were not asked yet than refused it */
};

/* Routers of a prefix reach it themselves, and must not accept it. */
static bool is_client_of(const struct route_check *c, const struct tailnet_node *n)
{
    return n && n != c->node && !prefixes_has(&n->record->available, c->prefix);
}

/* If no asked node accepts it: whether too many have not been asked to tell. */
static void count_unasked(const struct route_check *c, const struct policy_view *v, struct viewer_count *out)
{
    const struct tailnet_snapshot *s = c->all->v->s;
    size_t unasked = 0;

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK && !out->partly; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        unasked +=
            is_client_of(c, n) && n->live.online && accepts(c, n) == ACCEPTS_UNKNOWN && (!v || is_shown_to(v, n, c));
        out->partly = unasked > out->refuse.count;
    }
}

static void count_viewers(const struct route_check *c, const struct policy_view *v, struct viewer_count *out)
{
    const struct tailnet_snapshot *s = c->all->v->s;

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        enum accepts_routes says = n ? accepts(c, n) : ACCEPTS_UNKNOWN;
        if (!n || n == c->node || (out->any && says == ACCEPTS_UNKNOWN) || (v && !is_shown_to(v, n, c)))
            continue;
        out->any = true;
        if (!is_client_of(c, n))
            continue;
        out->accept += says == ACCEPTS_ROUTES;
        if (says == REFUSES_ROUTES)
            add_name(&out->refuse, n->record->given_name);
    }
    if (out->refuse.count && !out->accept)
        count_unasked(c, v, out);
}

static void say_viewers(const struct route_check *c, struct viewer_count *viewers)
{
    size_t refuse = viewers->refuse.count;

    if (!viewers->any && c->all->v->s->node_count > 1)
        found(c, "nobody-allowed", true, "the policy lets no other node use it");
    if (refuse && !prefix_is_exit(c->prefix))
        found(c, "not-accepted", viewers->accept == 0 && !viewers->partly,
              "%zu of %zu nodes that were asked %s not accept routes: %s; see 'tailscale set --accept-routes'", refuse,
              refuse + viewers->accept, refuse == 1 ? "does" : "do", end_names(&viewers->refuse));
}

/* For a route that is served, or would be. Exit routes are used by choice, whatever a node accepts. */
static void check_viewers(const struct route_check *c, bool serves)
{
    struct viewer_count viewers = {.refuse.text = BUF_INIT(0)};

    if (serves) {
        const struct policy_view *v = tailnet_policy_read(c->all->tailnet);
        count_viewers(c, v, &viewers);
        tailnet_policy_done(c->all->tailnet);
        say_viewers(c, &viewers);
    } else {
        as_approved_make(c->all->as_approved, c->all->api, c->all->v->s);
        count_viewers(c, c->all->as_approved->view, &viewers);
        if (c->all->as_approved->open || c->all->as_approved->view)
            say_viewers(c, &viewers);
    }
    buf_release(&viewers.refuse.text);
}

/* Routers of one prefix see it on one another. One that accepts routes would reach its own network through the
 * tunnel. */
static void check_router_accepts(const struct route_check *c)
{
    const struct tailnet_snapshot *s = c->all->v->s;

    if (accepts(c, c->node) != ACCEPTS_ROUTES || prefixes_has(&c->node->serving, c->prefix))
        return;
    for (size_t i = 0; i < s->primary_count; i++) {
        const struct tailnet_node *primary = snapshot_node_by_id(s, s->primaries[i]->r.id);
        if (primary && prefix_cmp(&s->primaries[i]->prefix, c->prefix) == 0)
            found(c, "router-accepts", true,
                  "it accepts routes, and so reaches its own network through %s: 'tailscale set --accept-routes=false'",
                  primary->record->given_name);
    }
}

/* Why the node itself carries nothing; NULL: it would. Missing forwarding is reported elsewhere. */
static const char *why_not(const struct tailnet_node *n)
{
    return !n->live.online          ? "is offline"
           : n->expired             ? "has an expired key"
           : !n->record->authorized ? "is not approved"
           : !n->live.healthy       ? "answers no probe"
                                    : NULL;
}

/* Approved and advertised, but nobody carries its packets; others: how many routers could. */
static void check_served(const struct route_check *c, unsigned others)
{
    const struct tailnet_node *n = c->node;
    const char *why = why_not(n);

    if (!c->approved || others || !why || !prefixes_has(&n->record->available, c->prefix))
        return;
    if (prefix_is_exit(c->prefix))
        found(c, "not-served", true, "the node %s, and no other exit node can be used", why);
    else if (prefixes_has(&n->live.carried, c->prefix))
        found(c, "carried", true,
              "its control connection is lost, and it goes on forwarding: no other router can take over");
    else if (prefixes_has(&n->serving, c->prefix))
        found(c, "not-served", true,
              "the node %s, keeps the prefix, and no other router can serve it: packets to it may be lost", why);
    else
        found(c, "not-served", true, "nobody serves it: the node %s, and no other router can", why);
}

static void check_route(const struct route_check *c)
{
    const struct tailnet_snapshot *s = c->all->v->s;
    unsigned others = 0;

    check_advertised(c);
    check_node(c);
    check_range(c);
    check_server(c);
    check_own_lans(c, s);
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (!n)
            continue;
        check_other_prefixes(c, n);
        others += n != c->node && can_serve(n, c->prefix);
    }
    check_router_accepts(c);
    check_served(c, others);
    if (can_carry(c->node, c->prefix))
        check_viewers(c, prefixes_has(&c->node->serving, c->prefix));
    if (c->approved && !others && can_carry(c->node, c->prefix))
        found(c, "no-survivor", false, "no other router can take over");
}

/* 0.0.0.0/0 represents both. */
static void check_exit(const struct route_check *c)
{
    const struct tailnet_snapshot *s = c->all->v->s;
    const struct prefixes *available = &c->node->record->available;
    struct prefixes both = {0};
    unsigned others = 0;

    prefixes_add(&both, c->prefix);
    prefixes_pair_exit(&both);
    check_node(c);
    if (!prefixes_has_exit(available))
        check_advertised(c);
    else
        for (size_t i = 0; i < both.len; i++)
            if (!prefixes_has(available, &both.items[i]))
                found(c, "one-family", true,
                      "the node advertises only one of 0.0.0.0/0 and ::/0: clients offer an exit node that has both");
    prefixes_release(&both);
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        others += n && n != c->node && can_serve(n, c->prefix);
    }
    check_served(c, others);
    if (!can_carry(c->node, c->prefix))
        return;
    check_viewers(c, prefixes_has(&c->node->record->approved, c->prefix));
    if (c->approved && !others)
        found(c, "no-survivor", false, "no other exit node can take over");
}

/* The prefixes to examine: approved ones include those that the node does not advertise yet. */
static void asked_prefixes(const struct node *n, const struct route_question *q, struct prefixes *out)
{
    if (q->as_approved) {
        prefixes_copy(out, q->prefixes);
        return;
    }
    prefixes_copy(out, &n->available);
    for (size_t i = 0; i < n->approved.len; i++)
        prefixes_add(out, &n->approved.items[i]);
}

static bool is_asked(const struct route_question *q, const struct prefixes *of_node, const struct prefix *p)
{
    static const struct prefix all_ipv4 = {.addr.bits = 32};

    if (prefix_is_exit(p) && prefix_cmp(p, &all_ipv4) != 0 && prefixes_has(of_node, &all_ipv4))
        return false;
    return !q->prefixes || prefixes_has(q->prefixes, p) || (prefix_is_exit(p) && prefixes_has_exit(q->prefixes));
}

static void check_all_of(const struct route_inquiry *all, const struct route_question *q, const struct tailnet_node *n,
                         struct arena *a, problem_list *list)
{
    struct prefixes asked = {0};

    asked_prefixes(n->record, q, &asked);
    for (size_t i = 0; i < asked.len && list->len < PROBLEMS_MAX; i++) {
        const struct prefix *p = &asked.items[i];
        const struct route_check check = {all, n, p, q->as_approved || prefixes_has(&n->record->approved, p), a, list};
        if (!is_asked(q, &asked, p))
            continue;
        if (prefix_is_exit(p))
            check_exit(&check);
        else
            check_route(&check);
    }
    prefixes_release(&asked);
}

void show_route_problems(struct api_view *v, struct api *api, const struct route_question *q, struct arena *a,
                         struct api_list *out)
{
    struct as_approved as_approved = {0};
    struct route_inquiry all = {.v = v, .api = api, .tailnet = api->with.tailnet, .as_approved = &as_approved};
    problem_list list = {0};
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);

    readback_preferences(api->with.readback, &all.accepts);
    server_addresses_get(api, v->s, q->may_wait, &all.server);
    for (size_t i = 0; i < count; i++)
        if (!q->node || q->node == nodes[i]->record->r.id)
            check_all_of(&all, q, nodes[i], a, &list);
    free(nodes);
    map_release(&all.accepts);
    as_approved_release(&as_approved);
    struct api_route_problem *items = arena_alloc(a, (list.len + 1) * sizeof(*items));
    if (list.len)
        memcpy(items, list.items, list.len * sizeof(*items));
    *out = (struct api_list){items, list.len};
    vec_release(&list);
}
