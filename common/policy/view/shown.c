/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of a peer's routes a viewer is shown. Plain rules open a destination on every router that has a route to it, so
 * what they allow does not depend on the router; a grant with via only opens it on its own routers. A viewer with such
 * a grant is therefore directed to the router that serves it, and away from others wherever that router covers the same
 * addresses. Only plain rules that name the prefix and open everything that the grant opens override this. */
#include <stdlib.h>
#include <string.h>

#include "policy/view/view.h"

static unsigned family_of(const struct prefix *p)
{
    return p->addr.bits == 32 ? FAMILY_V4 : FAMILY_V6;
}

unsigned unit_source_families(const struct policy_view *v, const struct policy_unit *u, const struct vclass *c)
{
    const struct policy_source_list *l = &v->p->lists.items[u->sources];
    unsigned families = 0;

    for (size_t i = 0; i < l->count && families != FAMILY_BOTH; i++) {
        const struct policy_principal *q = &v->p->principals.items[l->principals[i]];
        if (bit_has(c->addr, l->principals[i]))
            families |= q->kind == PRINCIPAL_PREFIX ? family_of(&q->prefix) : FAMILY_BOTH;
    }
    return families;
}

/* ---- grants with via ---- */

struct via_steering {
    bool included, excluded;
};

/* Does the rule direct the viewer's packets for a route (NONE: the exit routes)? */
static bool rule_steers(const struct policy_view *v, const struct vclass *viewer, const struct policy_via_rule *rule,
                        uint32_t route)
{
    if (!bit_has(viewer->src_addr, rule->first))
        return false;
    if (route == NONE)
        return rule->internet;
    const struct vroute *r = v->routes.items[route];
    return via_rule_matches(r, rule) &&
           (unit_source_families(v, &v->p->units.items[rule->first], viewer) & family_of(&r->prefix));
}

static struct via_steering steer(const struct policy_view *v, const struct vclass *viewer, uint32_t peer,
                                 uint32_t route)
{
    struct via_steering s = {0};

    for (size_t i = 0; i < v->via_rules.len; i++) {
        const struct policy_via_rule *rule = &v->via_rules.items[i];

        if (!rule_steers(v, viewer, rule, route))
            continue;
        if (route == NONE ? via_has_tag(v, &v->nodes[peer], rule->group)
                          : v->routes.items[route]->winners[rule->group] == peer)
            s.included = true;
        else
            s.excluded = true;
    }
    return s;
}

/* ---- does a plain rule open all that a grant with via opens? ---- */

static bool proto_fits(int proto, int wanted)
{
    return proto == wanted || (proto == PROTO_DEFAULT && (wanted == 6 || wanted == 17 || wanted == 1 || wanted == 58));
}

/* The unit opens the ports from first up to, but excluding, the result, for the protocol on the whole prefix. */
static uint32_t opened_until(const struct policy_view *v, const struct policy_unit *u, const struct prefix *p,
                             int proto, uint32_t first)
{
    uint32_t last = first;

    for (size_t d = 0; d < u->dst.len; d++) {
        const struct policy_principal *q = &v->p->principals.items[u->dst.items[d].alias.principal];
        if (q->kind != PRINCIPAL_PREFIX || !prefix_covers(&q->prefix, p))
            continue;
        for (size_t i = 0; i < u->rule->services.len; i++) {
            const struct policy_service *s = &u->rule->services.items[i];
            const struct port_range *ports = u->rule->is_grant ? s->ports : u->dst.items[d].ports;
            size_t count = u->rule->is_grant ? s->port_count : u->dst.items[d].port_count;
            for (size_t k = 0; k < count && proto_fits(s->proto, proto); k++)
                if (ports[k].first <= first && ports[k].last + 1U > last)
                    last = ports[k].last + 1U;
        }
    }
    return last;
}

static bool plain_opens(const struct policy_view *v, const struct vclass *viewer, const struct prefix *p, int proto,
                        const struct port_range *ports)
{
    uint32_t next = ports->first;

    while (next <= ports->last) {
        uint32_t reached = next;
        for_bits(i, viewer->src_addr, v->unit_words)
        {
            const struct policy_unit *u = &v->p->units.items[i];
            if (bit_has(v->plain_ip_units, i) && (unit_source_families(v, u, viewer) & family_of(p))) {
                uint32_t end = opened_until(v, u, p, proto, next);
                reached = end > reached ? end : reached;
            }
        }
        if (reached == next)
            return false;
        next = reached;
    }
    return true;
}

static bool plain_opens_rule(const struct policy_view *v, const struct vclass *viewer, const struct prefix *p,
                             const struct policy_rule *rule)
{
    static const int usual[] = {6, 17, 1, 58};

    for (size_t i = 0; i < rule->services.len; i++) {
        const struct policy_service *s = &rule->services.items[i];
        for (size_t k = 0; k < s->port_count; k++)
            for (size_t n = 0; n < (s->proto == PROTO_DEFAULT ? ARRAY_LEN(usual) : 1); n++)
                if (!plain_opens(v, viewer, p, s->proto == PROTO_DEFAULT ? usual[n] : s->proto, &s->ports[k]))
                    return false;
    }
    return true;
}

/* Do plain rules name the route and open everything that grants with via open on it? Then the primary will do. */
static bool plain_suffices(const struct policy_view *v, const struct vclass *viewer, uint32_t route)
{
    const struct vroute *r = v->routes.items[route];

    for (size_t i = 0; i < v->via_rules.len; i++) {
        const struct policy_via_rule *rule = &v->via_rules.items[i];
        for (uint32_t u = rule->first; rule_steers(v, viewer, rule, route) && u < rule->first + rule->count; u++) {
            const struct policy_principal *q =
                &v->p->principals.items[v->p->units.items[u].dst.items[0].alias.principal];
            bool narrower = q->kind == PRINCIPAL_PREFIX && prefix_covers(&r->prefix, &q->prefix);
            if (bit_has(r->dst, u) &&
                !plain_opens_rule(v, viewer, narrower ? &q->prefix : &r->prefix, v->p->units.items[u].rule))
                return false;
        }
    }
    return true;
}

/* ---- subnet routes ---- */

/* Does another router that serves the viewer by a grant with via have the route, or one that covers it? */
static bool has_alternative(const struct policy_view *v, const struct vclass *viewer, uint32_t peer,
                            const struct prefix *route)
{
    struct prefix around = *route;

    for (uint8_t bits = route->bits; bits > 0; bits--) {
        prefix_shorten(&around, bits);
        uintptr_t known = (uintptr_t)map_get(&v->route_index, &around, sizeof(around));
        for (size_t i = 0; known && i < v->via_rules.len; i++) {
            const struct policy_via_rule *rule = &v->via_rules.items[i];
            uint32_t winner = v->routes.items[known - 1]->winners[rule->group];
            if (winner != NONE && winner != peer && rule_steers(v, viewer, rule, (uint32_t)(known - 1)))
                return true;
        }
    }
    return false;
}

static bool has_primary(const struct policy_view *v, const struct vroute *r)
{
    for (size_t i = 0; i < r->holders.len; i++)
        if (prefixes_has(&v->nodes[r->holders.items[i]].serving, &r->prefix))
            return true;
    return false;
}

/* Rules without via: packets from the viewer to the route, or between the viewer's addresses and sources behind the
 * route. A capability alone does not open a network, but its sources behind a router need a way back. */
static void plain_tests(const struct policy_view *v, const struct vclass *viewer, const struct vroute *r, bool *plain,
                        bool *any)
{
    *plain = *any = false;
    for (size_t i = 0; i < v->unit_words; i++) {
        uint64_t to = viewer->src[i] & r->dst[i], from = viewer->dst[i] & r->src[i];
        *plain |= (to & v->plain_ip_units[i]) != 0;
        *any |= ((to & v->plain_ip_units[i]) | (from & v->plain_units[i]) | ((to | from) & viewer->recv[i])) != 0;
    }
}

bool view_route_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer, uint32_t route)
{
    const struct vclass *a = &v->classes.items[v->nodes[viewer].class_id];
    const struct vroute *r = v->routes.items[route];
    bool primary = prefixes_has(&v->nodes[peer].serving, &r->prefix), plain, any;

    for (size_t i = 0; primary && i < a->route_count; i++)
        if (a->routes[i] == route)
            return true;
    plain_tests(v, a, r, &plain, &any);
    if (v->via_rules.len == 0)
        return primary && any;
    struct via_steering s = steer(v, a, peer, route);
    if (s.included)
        return primary || !plain || !plain_suffices(v, a, route) || !has_primary(v, r);
    if (!primary || !any)
        return false;
    if (!s.excluded)
        return true;
    return plain && (plain_suffices(v, a, route) || !has_alternative(v, a, peer, &r->prefix));
}

bool unit_names_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router)
{
    if (!router->exit || !u->full || u->kind != UNIT_PLAIN || u->companion)
        return false;
    for (size_t i = 0; i < u->dst.len; i++) {
        const struct policy_principal *q = &v->p->principals.items[u->dst.items[i].alias.principal];
        if (q->kind == PRINCIPAL_PREFIX && q->prefix.bits == q->prefix.addr.bits &&
            bit_has(router->addr, u->dst.items[i].alias.principal) &&
            (u->rule->is_grant || ports_all(u->dst.items[i].ports, u->dst.items[i].port_count)))
            return true;
    }
    return false;
}

bool unit_grants_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router)
{
    return !v->p->names_exit && unit_names_exit(v, u, router);
}

bool view_exit_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer)
{
    const struct vclass *a = &v->classes.items[v->nodes[viewer].class_id];
    const struct vclass *router = &v->classes.items[v->nodes[peer].class_id];
    bool plain = false, test = false;

    if (!router->exit)
        return false;
    for (size_t i = 0; i < v->unit_words; i++) {
        uint64_t to = a->src[i] & v->internet_units[i];
        plain |= (to & v->plain_ip_units[i]) != 0;
        test |= (to & (v->plain_ip_units[i] | a->recv[i])) != 0;
    }
    for (size_t i = 0; !plain && !v->p->names_exit && i < v->literal_units.len; i++) {
        uint32_t u = v->literal_units.items[i];
        if (bit_has(a->src, u) && unit_grants_exit(v, &v->p->units.items[u], router))
            plain = test = true;
    }
    struct via_steering s = steer(v, a, peer, NONE);
    return (test && (!s.excluded || plain)) || (s.included && !plain);
}

bool policy_leads(const struct policy_view *v, uint32_t viewer, const struct prefix *p)
{
    const struct vnode *from = view_node(v, viewer);
    uintptr_t known = (uintptr_t)map_get(&v->route_index, p, sizeof(*p));

    for (size_t i = 0; from && known && i < v->via_rules.len; i++)
        if (rule_steers(v, &v->classes.items[from->class_id], &v->via_rules.items[i], (uint32_t)(known - 1)))
            return true;
    return false;
}

void policy_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, struct prefixes *out)
{
    const struct vnode *from = view_node(v, viewer), *to = view_node(v, peer);

    prefixes_release(out);
    if (!from || !to || viewer == peer)
        return;
    for (size_t i = 0; i < to->route_ids.len; i++)
        if (view_route_shown(v, viewer, peer, to->route_ids.items[i]))
            prefixes_add(out, &v->routes.items[to->route_ids.items[i]]->prefix);
    if (prefixes_has_exit(&to->routes) && view_exit_shown(v, viewer, peer))
        for (size_t i = 0; i < to->routes.len; i++)
            if (prefix_is_exit(&to->routes.items[i]))
                prefixes_add(out, &to->routes.items[i]);
}
