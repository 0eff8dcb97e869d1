/* SPDX-License-Identifier: BSD-3-Clause */
/* The answers of a policy, evaluated as the language is documented. */
#include <stdlib.h>
#include <string.h>

#include "net/ranges.h"
#include "shared/policy_slow.h"

static bool has_route(const struct slow_node *n, const struct prefix *p)
{
    for (size_t i = 0; i < n->route_count; i++)
        if (prefix_cmp(&n->routes[i], p) == 0)
            return true;
    return false;
}

static bool is_exit(const struct slow_node *n)
{
    for (size_t i = 0; i < n->route_count; i++)
        if (n->routes[i].bits == 0)
            return true;
    return false;
}

static bool on_internet(const struct addr *a)
{
    struct addr_range r[INTERNET_RANGES];

    ranges_internet(r);
    for (size_t i = 0; i < INTERNET_RANGES; i++)
        if (range_has(&r[i], a))
            return true;
    return false;
}

static bool inside_internet(const struct prefix *p)
{
    struct addr_range r[INTERNET_RANGES], own = range_of(p);

    ranges_internet(r);
    for (size_t i = 0; i < INTERNET_RANGES; i++)
        if (range_has(&r[i], &own.first) && range_has(&r[i], &own.last))
            return true;
    return false;
}

static bool meets_internet(const struct prefix *p)
{
    struct addr_range r[INTERNET_RANGES];

    ranges_internet(r);
    for (size_t i = 0; i < INTERNET_RANGES; i++)
        if (range_overlaps_prefix(&r[i], p))
            return true;
    return false;
}

static bool is_member(const struct slow *s, const struct slow_node *n, const struct slow_alias *a)
{
    switch (a->kind) {
    case SLOW_USER:
        return n->user == (int)a->index;
    case SLOW_GROUP:
        return n->user >= 0 && s->group_members[a->index * s->users + (unsigned)n->user];
    case SLOW_TAG:
        return n->tags >> a->index & 1;
    case SLOW_MEMBER:
        return n->user >= 0;
    case SLOW_TAGGED:
        return n->user < 0;
    case SLOW_ANY:
        return true;
    case SLOW_PREFIX:
        return prefix_has_addr(&a->prefix, &n->ipv4) || prefix_has_addr(&a->prefix, &n->ipv6);
    case SLOW_INTERNET:
    case SLOW_SELF:
        break;
    }
    return false;
}

static bool owns(const struct slow_node *n, const struct addr *a)
{
    return addr_eq(&n->ipv4, a) || addr_eq(&n->ipv6, a);
}

/* Is the address a source of the alias? */
static bool address_in(const struct slow *s, const struct slow_alias *a, const struct addr *address)
{
    struct addr_range w[TAILNET_RANGES];

    if (a->kind == SLOW_PREFIX)
        return prefix_has_addr(&a->prefix, address);
    if (a->kind == SLOW_ANY) {
        ranges_tailnet(w);
        for (size_t i = 0; i < TAILNET_RANGES; i++)
            if (range_has(&w[i], address))
                return true;
    }
    for (size_t i = 0; i < s->node_count; i++) {
        const struct slow_node *n = &s->nodes[i];
        if (!n->there)
            continue;
        if (a->kind != SLOW_ANY && owns(n, address) && is_member(s, n, a))
            return true;
        for (size_t k = 0; a->kind == SLOW_ANY && k < n->route_count; k++)
            if (n->routes[k].bits && prefix_has_addr(&n->routes[k], address))
                return true;
    }
    return false;
}

/* Does a subnet route overlap the alias, as a source or destination? */
static bool meets_route(const struct slow_alias *a, const struct prefix *r, bool via)
{
    struct addr_range w[TAILNET_RANGES];
    bool inside = false;

    if (r->bits == 0)
        return false;
    ranges_tailnet(w);
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        inside |= range_overlaps_prefix(&w[i], r);
    switch (a->kind) {
    case SLOW_ANY:
        return !via || inside;
    case SLOW_PREFIX:
        return prefix_overlaps(&a->prefix, r);
    case SLOW_INTERNET:
        return !via && meets_internet(r);
    default:
        return false;
    }
}

static bool routes_meet(const struct slow_node *n, const struct slow_alias *a, bool via)
{
    for (size_t i = 0; i < n->route_count; i++)
        if (meets_route(a, &n->routes[i], via))
            return true;
    return false;
}

static bool is_source(const struct slow *s, const struct slow_rule *r, const struct addr *address)
{
    for (size_t i = 0; i < r->srcs; i++)
        if (address_in(s, &r->src[i], address))
            return true;
    return false;
}

static bool names_exit(const struct slow *s)
{
    for (size_t i = 0; i < s->rule_count; i++) {
        if (s->rules[i].via >= 0)
            return true;
        for (size_t k = 0; k < s->rules[i].dsts; k++)
            if (s->rules[i].dst[k].kind == SLOW_INTERNET)
                return true;
    }
    return false;
}

/* Is the address in what node n receives of one destination of a rule? */
static bool is_target(const struct slow *s, const struct slow_rule *r, const struct slow_alias *d,
                      const struct slow_node *n, const struct addr *to)
{
    bool exit = is_exit(n);

    if (r->via >= 0) {
        bool mine = (n->tags >> r->via & 1) && (d->kind == SLOW_INTERNET ? exit : routes_meet(n, d, true));
        return mine && (d->kind == SLOW_INTERNET ? on_internet(to) : prefix_has_addr(&d->prefix, to));
    }
    switch (d->kind) {
    case SLOW_ANY:
        return true;
    case SLOW_INTERNET:
        if (!on_internet(to))
            return false;
        if (exit)
            return true;
        for (size_t i = 0; i < n->route_count; i++) { /* the whole range that overlaps a route */
            struct addr_range w[INTERNET_RANGES];
            ranges_internet(w);
            for (size_t k = 0; k < INTERNET_RANGES; k++)
                if (range_has(&w[k], to) && range_overlaps_prefix(&w[k], &n->routes[i]))
                    return true;
        }
        return false;
    case SLOW_PREFIX:
        if (!names_exit(s) && exit && d->prefix.bits == d->prefix.addr.bits && is_member(s, n, d) && d->first == 0 &&
            r->proto < 0 && on_internet(to))
            return true;
        return prefix_has_addr(&d->prefix, to) &&
               (is_member(s, n, d) || routes_meet(n, d, false) || (exit && inside_internet(&d->prefix)));
    default:
        return is_member(s, n, d) && owns(n, to);
    }
}

bool slow_lets(const struct slow *s, size_t index, const struct addr *from, const struct addr *to, int proto,
               uint16_t port)
{
    const struct slow_node *n = &s->nodes[index];

    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        if (!r->ip)
            continue;
        if (r->proto >= 0 ? r->proto != proto : proto != 6 && proto != 17 && proto != 1 && proto != 58)
            continue;
        for (size_t k = 0; k < r->dsts; k++) {
            const struct slow_alias *d = &r->dst[k];
            if (port < d->first || port > d->last)
                continue;
            if (d->kind != SLOW_SELF) {
                if (is_target(s, r, d, n, to) && is_source(s, r, from))
                    return true;
                continue;
            }
            for (size_t j = 0; n->user >= 0 && owns(n, to) && j < s->node_count; j++)
                for (size_t a = 0; a < r->srcs; a++)
                    if (s->nodes[j].there && s->nodes[j].user == n->user && owns(&s->nodes[j], from) &&
                        is_member(s, &s->nodes[j], &r->src[a]))
                        return true;
        }
    }
    return false;
}

/* ---- peers ---- */

static bool source_hit(const struct slow *s, const struct slow_rule *r, const struct slow_node *n)
{
    for (size_t i = 0; i < r->srcs; i++)
        if (is_member(s, n, &r->src[i]) || routes_meet(n, &r->src[i], false))
            return true;
    return false;
}

static bool covers_internet(const struct slow_rule *r)
{
    bool low = false, high = false;

    for (size_t i = 0; i < r->dsts; i++) {
        const struct slow_alias *d = &r->dst[i];
        if (d->kind == SLOW_ANY || d->kind == SLOW_INTERNET)
            return true;
        low |= d->kind == SLOW_PREFIX && d->prefix.bits == 1 && d->prefix.addr.bytes[0] == 0;
        high |= d->kind == SLOW_PREFIX && d->prefix.bits == 1 && d->prefix.addr.bytes[0] == 128;
    }
    return low && high;
}

static bool target_hit(const struct slow *s, const struct slow_rule *r, const struct slow_alias *d,
                       const struct slow_node *n)
{
    bool covers = r->via >= 0 ? d->kind == SLOW_INTERNET : covers_internet(r);

    return is_member(s, n, d) || routes_meet(n, d, r->via >= 0) || (is_exit(n) && covers);
}

static bool router_for(const struct slow_rule *r, const struct slow_alias *d, const struct slow_node *n)
{
    return (n->tags >> r->via & 1) && (d->kind == SLOW_INTERNET ? is_exit(n) : routes_meet(n, d, true));
}

static bool reaches(const struct slow *s, const struct slow_node *a, const struct slow_node *b)
{
    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        for (size_t k = 0; k < r->dsts; k++) {
            const struct slow_alias *d = &r->dst[k];
            if (d->kind == SLOW_SELF) {
                for (size_t j = 0; a->user >= 0 && a->user == b->user && j < r->srcs; j++)
                    if (is_member(s, a, &r->src[j]))
                        return true;
                continue;
            }
            if (r->via >= 0 && !router_for(r, d, a) && !router_for(r, d, b))
                continue;
            if (source_hit(s, r, a) && target_hit(s, r, d, b))
                return true;
        }
    }
    return false;
}

bool slow_sees(const struct slow *s, size_t a, size_t b)
{
    return a != b && (reaches(s, &s->nodes[a], &s->nodes[b]) || reaches(s, &s->nodes[b], &s->nodes[a]));
}

/* ---- routes ---- */

/* The oldest router that is online is the primary. */
bool slow_serves(const struct slow *s, size_t node, const struct prefix *p)
{
    if (p->bits == 0 || !s->nodes[node].online)
        return false;
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].there && s->nodes[i].online && has_route(&s->nodes[i], p) &&
            s->nodes[i].order < s->nodes[node].order)
            return false;
    return true;
}

/* The oldest healthy router with the tag. */
static size_t via_winner(const struct slow *s, int tag, const struct prefix *p)
{
    size_t best = SLOW_NOBODY;

    for (size_t i = 0; i < s->node_count; i++) {
        const struct slow_node *n = &s->nodes[i];
        if (n->there && n->online && n->healthy && (n->tags >> tag & 1) && has_route(n, p) &&
            (best == SLOW_NOBODY || n->order < s->nodes[best].order))
            best = i;
    }
    return best;
}

/* Is the node's own address of the family a source of the rule? */
static bool own_source(const struct slow *s, const struct slow_rule *r, const struct slow_node *n, bool ipv6)
{
    for (size_t i = 0; i < r->srcs; i++) {
        const struct slow_alias *a = &r->src[i];
        if (a->kind == SLOW_PREFIX ? prefix_has_addr(&a->prefix, ipv6 ? &n->ipv6 : &n->ipv4) : is_member(s, n, a))
            return true;
    }
    return false;
}

static bool is_ipv6(const struct prefix *p)
{
    return p->addr.bits == 128;
}

/* Does a grant with via direct the viewer's packets for the route? */
static bool via_leads(const struct slow *s, const struct slow_rule *r, const struct slow_node *viewer,
                      const struct prefix *route)
{
    if (r->via < 0)
        return false;
    if (route->bits == 0) {
        for (size_t k = 0; k < r->dsts; k++)
            if (r->dst[k].kind == SLOW_INTERNET && (own_source(s, r, viewer, false) || own_source(s, r, viewer, true)))
                return true;
        return false;
    }
    for (size_t k = 0; k < r->dsts; k++)
        if (meets_route(&r->dst[k], route, true) && own_source(s, r, viewer, is_ipv6(route)))
            return true;
    return false;
}

static bool usual(int proto)
{
    return proto == 6 || proto == 17 || proto == 1 || proto == 58;
}

/* Does any plain rule let the viewer use one port on the whole prefix, which it names? */
static bool named_lets(const struct slow *s, const struct slow_node *viewer, const struct prefix *p, int proto,
                       unsigned port)
{
    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        if (r->via >= 0 || !r->ip || (r->proto >= 0 ? r->proto != proto : !usual(proto)) ||
            !own_source(s, r, viewer, is_ipv6(p)))
            continue;
        for (size_t k = 0; k < r->dsts; k++)
            if (r->dst[k].kind == SLOW_PREFIX && prefix_covers(&r->dst[k].prefix, p) && r->dst[k].first <= port &&
                port <= r->dst[k].last)
                return true;
    }
    return false;
}

/* Do plain rules open, by name, everything that grants with via open to the viewer on the route? */
static bool plain_suffices(const struct slow *s, const struct slow_node *viewer, const struct prefix *route)
{
    static const int protos[] = {6, 17, 1, 58};

    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        if (!via_leads(s, r, viewer, route))
            continue;
        for (size_t k = 0; k < r->dsts && r->ip; k++) {
            const struct slow_alias *d = &r->dst[k];
            if (!meets_route(d, route, true))
                continue;
            const struct prefix *p = d->kind == SLOW_PREFIX && prefix_covers(route, &d->prefix) ? &d->prefix : route;
            for (size_t n = 0; n < 4; n++)
                for (unsigned port = d->first; (r->proto < 0 || r->proto == protos[n]) && port <= d->last; port++)
                    if (!named_lets(s, viewer, p, protos[n], port))
                        return false;
        }
    }
    return true;
}

/* Does another router serve the viewer for the route or one that covers it? */
static bool has_alternative(const struct slow *s, const struct slow_node *viewer, size_t peer,
                            const struct prefix *route)
{
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; s->nodes[i].there && i != peer && k < s->nodes[i].route_count; k++) {
            const struct prefix *around = &s->nodes[i].routes[k];
            for (size_t r = 0; around->bits && prefix_covers(around, route) && r < s->rule_count; r++)
                if (via_leads(s, &s->rules[r], viewer, around) && via_winner(s, s->rules[r].via, around) == i)
                    return true;
        }
    return false;
}

static bool plain_to(const struct slow *s, const struct slow_node *viewer, const struct prefix *route)
{
    for (size_t i = 0; i < s->rule_count; i++)
        for (size_t k = 0; k < s->rules[i].dsts; k++)
            if (s->rules[i].via < 0 && s->rules[i].ip && s->rules[i].dst[k].kind != SLOW_SELF &&
                source_hit(s, &s->rules[i], viewer) && meets_route(&s->rules[i].dst[k], route, false))
                return true;
    return false;
}

/* The way back for sources behind the route, and what a router of a grant with via is shown. */
static bool other_reasons(const struct slow *s, const struct slow_node *viewer, const struct prefix *route)
{
    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        bool behind = false;
        for (size_t a = 0; a < r->srcs; a++)
            behind |= meets_route(&r->src[a], route, false);
        for (size_t k = 0; k < r->dsts; k++) {
            const struct slow_alias *d = &r->dst[k];
            if (d->kind == SLOW_SELF || (r->via >= 0 && !router_for(r, d, viewer)))
                continue;
            if (behind && target_hit(s, r, d, viewer))
                return true;
            if (r->via >= 0 && source_hit(s, r, viewer) && meets_route(d, route, true))
                return true;
        }
    }
    return false;
}

static bool has_primary(const struct slow *s, const struct prefix *route)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].there && has_route(&s->nodes[i], route) && slow_serves(s, i, route))
            return true;
    return false;
}

static bool shows_exit(const struct slow *s, const struct slow_node *viewer, const struct slow_node *peer)
{
    static const struct prefix exit = {{.bits = 32}, 0};
    bool plain = false, any = false, included = false, excluded = false;

    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        if (via_leads(s, r, viewer, &exit)) {
            included |= peer->tags >> r->via & 1;
            excluded |= !(peer->tags >> r->via & 1);
        }
        for (size_t k = 0; k < r->dsts && source_hit(s, r, viewer); k++) {
            const struct slow_alias *d = &r->dst[k];
            any |= r->via >= 0 && d->kind == SLOW_INTERNET && router_for(r, d, viewer);
            plain |= r->via < 0 && r->ip && covers_internet(r);
            plain |= !names_exit(s) && r->via < 0 && r->ip && d->kind == SLOW_PREFIX && is_member(s, peer, d) &&
                     d->prefix.bits == d->prefix.addr.bits && d->first == 0 && d->last == UINT16_MAX && r->proto < 0;
        }
    }
    return ((plain || any) && (!excluded || plain)) || (included && !plain);
}

bool slow_shows(const struct slow *s, size_t viewer, size_t peer, const struct prefix *route)
{
    const struct slow_node *v = &s->nodes[viewer], *n = &s->nodes[peer];
    bool included = false, excluded = false, primary = slow_serves(s, peer, route), plain;

    if (route->bits == 0)
        return shows_exit(s, v, n);
    if (primary && has_route(v, route))
        return true;
    plain = plain_to(s, v, route);
    for (size_t i = 0; i < s->rule_count; i++)
        if (via_leads(s, &s->rules[i], v, route)) {
            bool serves = via_winner(s, s->rules[i].via, route) == peer;
            included |= serves;
            excluded |= !serves;
        }
    if (included)
        return primary || !plain || !plain_suffices(s, v, route) || !has_primary(s, route);
    if (!primary || !(plain || other_reasons(s, v, route)))
        return false;
    return !excluded || (plain && (plain_suffices(s, v, route) || !has_alternative(s, v, peer, route)));
}

/* ---- packets ---- */

static bool without_ipv4(const struct slow *s, const struct slow_node *n)
{
    for (size_t i = 0; i < s->without_ipv4_count; i++)
        if (is_member(s, n, &s->without_ipv4[i]))
            return true;
    return false;
}

bool slow_hides_ipv4(const struct slow *s, size_t a, size_t b)
{
    return without_ipv4(s, &s->nodes[a]) || without_ipv4(s, &s->nodes[b]);
}

/* The router for the viewer's packets to an address of no node: the longest route, among equals the oldest router. */
static size_t router_of(const struct slow *s, size_t viewer, const struct addr *to)
{
    size_t best = SLOW_NOBODY;
    int bits = -1;

    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; s->nodes[i].there && slow_sees(s, viewer, i) && k < s->nodes[i].route_count; k++) {
            const struct prefix *p = &s->nodes[i].routes[k];
            bool better = p->bits > bits || (p->bits == bits && s->nodes[i].order < s->nodes[best].order);
            if (better && prefix_has_addr(p, to) && slow_shows(s, viewer, i, p)) {
                best = i;
                bits = p->bits;
            }
        }
    return best;
}

bool slow_reaches(const struct slow *s, size_t from, const struct addr *to, int proto, uint16_t port)
{
    const struct addr *source = to->bits == 32 ? &s->nodes[from].ipv4 : &s->nodes[from].ipv6;

    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].there && owns(&s->nodes[i], to))
            return !(to->bits == 32 && slow_hides_ipv4(s, from, i)) &&
                   (i == from || (slow_sees(s, from, i) && slow_lets(s, i, source, to, proto, port)));
    size_t router = router_of(s, from, to);
    return router != SLOW_NOBODY && !(to->bits == 32 && slow_hides_ipv4(s, from, router)) &&
           slow_lets(s, router, source, to, proto, port);
}

bool slow_is_member(const struct slow *s, size_t node, const struct slow_alias *a)
{
    return is_member(s, &s->nodes[node], a);
}

/* ---- rules as such ---- */

static bool self_lets(const struct slow *s, const struct slow_rule *r, const struct addr *from, const struct addr *to)
{
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; s->nodes[i].there && owns(&s->nodes[i], from) && k < s->node_count; k++)
            for (size_t a = 0; s->nodes[k].there && owns(&s->nodes[k], to) && a < r->srcs; a++)
                if (s->nodes[i].user >= 0 && s->nodes[i].user == s->nodes[k].user &&
                    is_member(s, &s->nodes[i], &r->src[a]))
                    return true;
    return false;
}

/* Does the destination of the rule name the address? */
static bool names_address(const struct slow *s, const struct slow_rule *r, const struct slow_alias *d,
                          const struct addr *a)
{
    struct addr_range w[TAILNET_RANGES];

    switch (d->kind) {
    case SLOW_ANY:
        ranges_tailnet(w);
        for (size_t i = 0; i < TAILNET_RANGES; i++)
            if (r->via < 0 || range_has(&w[i], a))
                return true;
        return false;
    case SLOW_PREFIX:
        return prefix_has_addr(&d->prefix, a);
    case SLOW_INTERNET:
        return on_internet(a);
    default:
        for (size_t i = 0; i < s->node_count; i++)
            if (s->nodes[i].there && owns(&s->nodes[i], a) && is_member(s, &s->nodes[i], d))
                return true;
        return false;
    }
}

static bool rule_lets(const struct slow *s, const struct slow_rule *r, const struct addr *from, const struct addr *to,
                      uint16_t port)
{
    for (size_t k = 0; k < r->dsts; k++) {
        const struct slow_alias *d = &r->dst[k];
        if (port < d->first || port > d->last)
            continue;
        if (d->kind == SLOW_SELF ? self_lets(s, r, from, to) : names_address(s, r, d, to) && is_source(s, r, from))
            return true;
    }
    return false;
}

bool slow_rule_lets(const struct slow *s, const struct addr *from, const struct slow_alias *to, int proto,
                    uint16_t port)
{
    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        if (!r->ip || (proto >= 0 && r->proto >= 0 && r->proto != proto))
            continue;
        if (to->kind == SLOW_PREFIX && rule_lets(s, r, from, &to->prefix.addr, port))
            return true;
        for (size_t n = 0; to->kind != SLOW_PREFIX && n < s->node_count; n++)
            if (s->nodes[n].there && is_member(s, &s->nodes[n], to) &&
                (rule_lets(s, r, from, &s->nodes[n].ipv4, port) || rule_lets(s, r, from, &s->nodes[n].ipv6, port)))
                return true;
    }
    return false;
}

bool slow_holds(const struct slow *s, size_t from, size_t to, int value, bool ipv6)
{
    const struct slow_node *a = &s->nodes[from], *b = &s->nodes[to];

    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        for (size_t k = 0; r->app == value && r->via < 0 && k < r->dsts; k++) {
            const struct slow_alias *d = &r->dst[k];
            bool there = d->kind == SLOW_PREFIX ? prefix_has_addr(&d->prefix, ipv6 ? &b->ipv6 : &b->ipv4)
                                                : d->kind != SLOW_SELF && is_member(s, b, d);
            if (d->kind == SLOW_SELF)
                there = self_lets(s, r, ipv6 ? &a->ipv6 : &a->ipv4, ipv6 ? &b->ipv6 : &b->ipv4);
            if (there && (d->kind == SLOW_SELF || own_source(s, r, a, ipv6)))
                return true;
        }
    }
    return false;
}
