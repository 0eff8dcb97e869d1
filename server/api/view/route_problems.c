/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a route, or surprises whoever approves it. One function a question; each adds what it finds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/view/view.h"
#include "base/array.h"
#include "base/vec.h"
#include "policy/policy.h"

#define PROBLEMS_MAX 1000

typedef VEC(struct api_route_problem) problem_list;

struct route_check {
    struct api_view *v;
    struct tailnet *tailnet;
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

static void check_node(const struct route_check *c)
{
    const struct node_warnings *w = &c->node->live.warnings;

    if (!prefixes_has(&c->node->record->available, c->prefix))
        found(c, "not-advertised", true, "the node does not advertise it: nobody serves it until it does");

    for (size_t i = 0; i < w->len; i++)
        found(c, w->items[i].code, true, "the client warns: %s", w->items[i].text);
    if (prefixes_has(&c->node->live.unreachable, c->prefix))
        found(c, "does-not-forward", true, "the node does not forward: the probe target does not answer through it");
}

/* Ranges that the tailnet or a host uses itself. The site-to-site range 4via6 lies within the tailnet's own. */
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
    struct prefix via6, range;

    if (prefix_parse("fd7a:115c:a1e0:b1a::/64", &via6, NULL, NULL) == 0 && prefix_covers(&via6, c->prefix))
        return;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (prefix_parse(ranges[i].range, &range, NULL, NULL) == 0 &&
            (prefix_covers(&range, c->prefix) || prefix_covers(c->prefix, &range)))
            found(c, "special-range", true, "it overlaps %s, %s", ranges[i].range, ranges[i].what);
}

/* Another router's prefix that covers this one, or lies within it: clients take the longer one. */
static void check_other_prefixes(const struct route_check *c, const struct tailnet_node *n)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < n->record->approved.len; i++) {
        const struct prefix *p = &n->record->approved.items[i];
        if (n == c->node || prefix_is_exit(p) || !prefixes_has(&n->record->available, p) ||
            prefix_cmp(p, c->prefix) == 0)
            continue;
        if (prefix_covers(p, c->prefix))
            found(c, "covered", false,
                  "%s of %s covers it: traffic falls to that one where nobody serves this one; see --keep of "
                  "'headway routes set'",
                  prefix_format(p, text), n->record->given_name);
        else if (prefix_covers(c->prefix, p))
            found(c, "covers", false, "%s of %s lies within it, and is taken first", prefix_format(p, text),
                  n->record->given_name);
    }
}

/* A client whose own network the prefix is loses its way to its neighbours when it accepts the route. */
static void check_own_lan(const struct route_check *c, const struct tailnet_node *n)
{
    char text[ADDR_TEXT_MAX];

    if (n == c->node || prefixes_has(&n->record->available, c->prefix))
        return;
    for (size_t i = 0; i < n->live.endpoint_count; i++) {
        const struct addr *a = &n->live.endpoints[i].addr;
        if (!prefix_covers(c->prefix, &(struct prefix){*a, a->bits}))
            continue;
        found(c, "own-network", true,
              "%s has an address in it (%s): if it accepts the route, it reaches its own network through %s",
              n->record->given_name, addr_format(a, text), c->node->record->given_name);
        return;
    }
}

/* Once it is approved. */
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

/* Of the node that serves: whom the policy shows the prefix. */
static void check_viewers(const struct route_check *c)
{
    const struct policy_view *v = tailnet_policy_read(c->tailnet);
    const struct tailnet_snapshot *s = c->v->s;
    bool any = !v;

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK && !any; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        any = n && n != c->node && is_shown_to(v, n, c);
    }
    tailnet_policy_done(c->tailnet);
    if (!any)
        found(c, "nobody-allowed", true, "the policy lets no other node use it");
}

static void check_route(const struct route_check *c)
{
    const struct tailnet_snapshot *s = c->v->s;
    unsigned others = 0;

    check_node(c);
    check_range(c);
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (!n)
            continue;
        check_other_prefixes(c, n);
        check_own_lan(c, n);
        others += n != c->node && can_serve(n, c->prefix);
    }
    if (!c->approved)
        return;
    if (!others && can_carry(c->node, c->prefix))
        found(c, "no-survivor", false, "no other router can take over");
    if (prefixes_has(&c->node->serving, c->prefix))
        check_viewers(c);
}

/* What is asked about: of the approved ones, those too that the node does not advertise yet. */
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

void show_route_problems(struct api_view *v, struct tailnet *t, const struct route_question *q, struct arena *a,
                         struct api_list *out)
{
    problem_list list = {0};
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);

    for (size_t i = 0; i < count; i++) {
        const struct node *n = nodes[i]->record;
        struct prefixes asked = {0};
        if (q->node && q->node != n->r.id)
            continue;
        asked_prefixes(n, q, &asked);
        for (size_t k = 0; k < asked.len && list.len < PROBLEMS_MAX; k++) {
            const struct prefix *p = &asked.items[k];
            if (prefix_is_exit(p) || (q->prefixes && !prefixes_has(q->prefixes, p)))
                continue;
            check_route(
                &(struct route_check){v, t, nodes[i], p, q->as_approved || prefixes_has(&n->approved, p), a, &list});
        }
        prefixes_release(&asked);
    }
    free(nodes);
    struct api_route_problem *items = arena_alloc(a, (list.len + 1) * sizeof(*items));
    if (list.len)
        memcpy(items, list.items, list.len * sizeof(*items));
    *out = (struct api_list){items, list.len};
    vec_release(&list);
}
