/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rules open from one end of a matrix to another. */
#include "policy/answers/reach.h"

static void add_services(struct reach_cell *out, const struct policy_unit *u, const struct policy_destination *d)
{
    for (size_t i = 0; i < u->rule->services.len; i++) {
        const struct policy_service *s = &u->rule->services.items[i];
        const struct port_range *ports = u->rule->is_grant ? s->ports : d->ports;
        size_t count = u->rule->is_grant ? s->port_count : d->port_count;
        for (size_t k = 0; k < count; k++)
            vec_push(&out->services, ((struct reach_service){s->proto, ports[k].first, ports[k].last}));
    }
}

static void found(struct reach_cell *out, const struct policy_unit *u, uint32_t from, uint32_t to, bool all)
{
    if (!out->some || (u->rule->offset < out->rule->offset && out->all == all) || (all && !out->all)) {
        out->rule = u->rule;
        out->from = from;
        out->to = to;
    }
    out->some = true;
    out->all |= all;
}

/* ---- nodes ---- */

/* Combines facts about one rule of both ends: each of its sources reaches each of its destinations in the families that
 * they share. */
static void join(struct reach *r, const struct reach_end *a, const struct reach_end *b, const struct reach_fact *from,
                 const struct reach_fact *to, struct reach_cell *out)
{
    const struct policy_unit *u = &r->v->p->units.items[from->unit];

    if (!(from->families & to->families) || (from->nodes == 1 && to->nodes == 1 && from->first == to->first))
        return;
    bool all = from->nodes == a->slots.len && to->nodes == b->slots.len;
    found(out, u, from->first, to->first == from->first ? to->last : to->first, all);
    if (out->from == out->to)
        out->from = from->last;
    add_services(out, u, &u->dst.items[to->dst]);
}

static bool join_facts(struct reach *r, const struct reach_end *a, const struct reach_end *b, struct reach_cell *out)
{
    size_t i = 0, k = 0;

    if (!reach_spend(r, 1 + a->facts.len + b->facts.len))
        return false;
    while (i < a->facts.len && k < b->facts.len)
        if (a->facts.items[i].unit < b->facts.items[k].unit) {
            i++;
        } else {
            if (a->facts.items[i].unit == b->facts.items[k].unit)
                join(r, a, b, &a->facts.items[i], &b->facts.items[k], out);
            k++;
        }
    return true;
}

/* A device of the user among the slots, other than not. */
static uint32_t device_of(const struct reach *r, const struct reach_end *end, uint32_t user, uint32_t not )
{
    for (size_t i = 0; i < end->slots.len; i++) {
        const struct vnode *n = &r->v->nodes[end->slots.items[i]];
        if (!n->tagged && n->user == user && end->slots.items[i] != not )
            return end->slots.items[i];
    }
    return NONE;
}

/* Finds two devices of one user, one on either side. */
static bool find_own_pair(struct reach *r, const struct reach_end *a, const struct reach_end *b, uint32_t user,
                          uint32_t *from, uint32_t *to)
{
    *from = device_of(r, a, user, NONE);
    *to = device_of(r, b, user, *from);
    if (*to == NONE) { /* that side has no device but this one */
        *to = *from;
        *from = device_of(r, a, user, *to);
    }
    return reach_spend(r, a->slots.len + b->slots.len) && *from != NONE && device_of(r, b, user, *from) != NONE;
}

static bool join_own(struct reach *r, const struct reach_end *a, const struct reach_end *b, struct reach_cell *out)
{
    const struct policy_view *v = r->v;
    size_t words = BITS_WORDS(v->user_count);

    for (size_t k = 0; k < v->self_units.len && a->self_users && b->users; k++) {
        const struct policy_unit *u = &v->p->units.items[v->self_units.items[k]];
        if (!reach_spend(r, words))
            return false;
        if (!u->ip || u->companion || !a->self_users[k])
            continue;
        for_bits(user, a->self_users[k], words)
        {
            uint32_t from, to;
            if (!bit_has(b->users, user) || !find_own_pair(r, a, b, user, &from, &to))
                continue;
            found(out, u, from, to, false);
            for (size_t d = 0; d < u->dst.len; d++)
                add_services(out, u, &u->dst.items[d]);
            break;
        }
    }
    return true;
}

/* ---- networks ---- */

static bool meets_net(const struct addr_range *ranges, size_t count, const struct prefix *p)
{
    for (size_t i = 0; i < count; i++)
        if (range_overlaps_prefix(&ranges[i], p))
            return true;
    return false;
}

/* Does the destination open any of the network on this router? */
static bool opens_network(const struct policy_view *v, const struct policy_unit *u, const struct policy_destination *d,
                          const struct vclass *router, const struct prefix *net)
{
    const struct policy_principal *q = &v->p->principals.items[d->alias.principal];

    if (u->kind == UNIT_VIA) {
        if (!bit_has(router->recv, u->index))
            return false;
        return q->kind == PRINCIPAL_INTERNET ? meets_net(v->internet, INTERNET_RANGES, net)
               : q->kind == PRINCIPAL_ANY    ? meets_net(v->tailnet, TAILNET_RANGES, net)
                                             : prefix_overlaps(&q->prefix, net);
    }
    switch (destination_reach(v, router, d->alias.principal)) {
    case REACH_NOT:
    case REACH_SELF:
        return false;
    case REACH_LITERAL:
        return prefix_overlaps(&q->prefix, net);
    case REACH_ANY:
        return true;
    case REACH_INTERNET:
        return meets_net(v->internet, INTERNET_RANGES, net);
    }
    return false;
}

/* The router that the source is shown for the route; NONE if there is none. */
static uint32_t router_for(struct reach *r, uint32_t source, uint32_t route)
{
    const struct id_list *holders = &r->v->routes.items[route]->holders;
    uint32_t best = NONE;

    for (size_t i = 0; i < holders->len && reach_spend(r, r->v->unit_words + 1); i++) {
        uint32_t peer = holders->items[i];
        if (peer != source && (best == NONE || r->v->nodes[peer].order < r->v->nodes[best].order) &&
            policy_sees(r->v, source, peer) && view_route_shown(r->v, source, peer, route))
            best = peer;
    }
    return best;
}

/* The rules for packets of one class of sources to a router, or through an exit node. */
struct way_through {
    const struct prefix *net; /* NULL: the internet, through an exit node */
    uint32_t router;
};

static bool opens_way(struct reach *r, const struct way_through *w, const struct policy_unit *u, size_t d)
{
    const struct policy_view *v = r->v;
    const struct vclass *c = &v->classes.items[v->nodes[w->router].class_id];

    if (w->net)
        return opens_network(v, u, &u->dst.items[d], c, w->net);
    if (unit_grants_exit(v, u, c))
        return true;
    return u->internet && (u->kind == UNIT_PLAIN || (u->kind == UNIT_VIA && bit_has(c->recv, u->index)));
}

static bool class_reaches(struct reach *r, const struct reach_class *c, const struct way_through *w,
                          struct reach_cell *out, bool *reaches)
{
    const struct policy_view *v = r->v;
    const struct vclass *class = &v->classes.items[c->class_id];
    const struct vclass *router = &v->classes.items[v->nodes[w->router].class_id];
    unsigned wanted = !w->net ? FAMILY_BOTH : w->net->addr.bits == 32 ? FAMILY_V4 : FAMILY_V6;

    wanted &= c->families & ~(router->hides_ipv4 ? FAMILY_V4 : 0U);
    for_bits(i, class->src_addr, v->unit_words)
    {
        const struct policy_unit *u = &v->p->units.items[i];
        if (!u->ip || u->companion || u->kind == UNIT_SELF || !(unit_source_families(v, u, class) & wanted))
            continue;
        if (!reach_spend(r, 1 + u->dst.len + v->p->lists.items[u->sources].count))
            return false;
        for (size_t d = 0; d < u->dst.len; d++)
            if (opens_way(r, w, u, d)) {
                found(out, u, c->first == w->router ? c->last : c->first, w->router, false);
                add_services(out, u, &u->dst.items[d]);
                *reaches = true;
            }
    }
    return true;
}

/* Nodes of a class are shown the same, but a router need not have a class of its own, and has no way through itself. */
static bool end_reaches(struct reach *r, const struct reach_end *from, const struct reach_end *to,
                        struct reach_cell *out)
{
    const struct policy_view *v = r->v;
    size_t nodes = 0;

    for (size_t i = 0; i < from->classes.len; i++) {
        const struct reach_class *c = &from->classes.items[i];
        struct way_through w = {.router = to->kind == REACH_KIND_EXIT ? to->slots.items[0] : NONE};
        uint32_t source = c->first == w.router ? c->last : c->first;
        bool reaches = false;

        if (!reach_spend(r, v->unit_words + 1))
            return false;
        if (to->kind == REACH_KIND_PREFIX) {
            w.net = &v->routes.items[to->route]->prefix;
            w.router = router_for(r, source, to->route);
        } else if (source == w.router || !policy_sees(v, source, w.router) || !view_exit_shown(v, source, w.router)) {
            continue;
        }
        if (w.router != NONE && !class_reaches(r, c, &w, out, &reaches))
            return false;
        nodes += reaches ? c->nodes : 0;
    }
    out->all = out->some && nodes == from->slots.len;
    return true;
}

bool reach_cell(struct reach *r, const struct reach_end *from, const struct reach_end *to, struct reach_cell *out)
{
    out->services.len = 0;
    out->some = out->all = false;
    out->rule = NULL;
    out->from = out->to = NONE;
    if (to->kind == REACH_KIND_PREFIX || to->kind == REACH_KIND_EXIT)
        return end_reaches(r, from, to, out);
    return join_facts(r, from, to, out) && join_own(r, from, to, out);
}
