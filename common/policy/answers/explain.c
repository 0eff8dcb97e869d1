/* SPDX-License-Identifier: BSD-3-Clause */
/* Explains why a source reaches a destination or does not: which device or router receives the packet, and which rule
 * lets it in. A user, a tag or a group is many devices; every pair is examined, and the one that gets furthest is
 * shown. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"
#include "json/json.h"

#define ENDS_MAX       256        /* addresses examined on either side */
#define EXPLAIN_BUDGET 100000000U /* comparisons with rules and routes, about a second's worth */

struct explain_end {
    struct addr addr;
    uint32_t slot; /* NONE: not a device */
};
struct explain_ends {
    struct explain_end *items;
    size_t len, cap;
    bool cut;
};

/* The parts of a packet that a rule matches. */
enum { FITS_SOURCE = 4, FITS_TARGET = 2, FITS_SERVICE = 1, FITS_ALL = 7 };

struct explain_path {
    bool allowed, same, seen;
    bool no_ipv4;   /* the attribute disable-ipv4 removes an IPv4 address that the packet needs */
    bool no_return; /* the target is not shown the source's network */
    struct explain_end from, to;
    uint32_t viewer, target; /* the node whose map counts; the node that receives the packet; or NONE */
    struct prefix route;     /* if routed */
    bool routed;
    const struct policy_unit *unit; /* the one that lets it in, or comes closest; NULL: none */
    const struct policy_destination *dst;
    const char *source; /* the rule's selector that names the source */
    int fits;
};

/* ---- who is meant ---- */

static void add_end(struct explain_ends *out, const struct addr *a, uint32_t slot)
{
    struct explain_end e = {*a, slot};

    if (out->len == ENDS_MAX)
        out->cut = true;
    else if (a->bits)
        vec_push(out, e);
}

static uint32_t owner(const struct policy_view *v, const struct addr *a)
{
    for (uint32_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used && (addr_eq(&v->nodes[i].ipv4, a) || addr_eq(&v->nodes[i].ipv6, a)))
            return i;
    return NONE;
}

static void add_node(const struct policy_view *v, uint32_t slot, struct explain_ends *out)
{
    add_end(out, &v->nodes[slot].ipv4, slot);
    add_end(out, &v->nodes[slot].ipv6, slot);
}

static int find_ends(const struct policy_view *v, const char *text, struct explain_ends *out, struct err *e)
{
    static const struct addr outside = {32, {1, 1, 1, 1}};
    struct policy_principal q = {0};
    struct id_list slots = {0};

    for (uint32_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used && str_eq(v->nodes[i].name, text)) {
            add_node(v, i, out);
            return 0;
        }
    for (uint32_t u = 0; u < v->user_count; u++)
        if (str_eq(v->users[u].name, text) || str_eq(v->users[u].email, text))
            for (size_t i = 0; i < v->users[u].devices.len; i++)
                add_node(v, v->users[u].devices.items[i], out);
    if (out->len)
        return 0;
    int kind = selector_read(v->p, text, &q);
    if (kind == PRINCIPAL_PREFIX) {
        add_end(out, &q.prefix.addr, owner(v, &q.prefix.addr));
    } else if (kind == PRINCIPAL_INTERNET) {
        add_end(out, &outside, NONE);
    } else if (kind >= 0 || str_starts(text, "tag:")) {
        if (kind < 0)
            q = (struct policy_principal){.kind = PRINCIPAL_TAG, .text = text, .group = NONE};
        selector_resolve(v, &q, &slots, NULL);
        for (size_t i = 0; i < slots.len; i++)
            add_node(v, slots.items[i], out);
        vec_release(&slots);
    }
    return out->len ? 0 : err_set(e, ERR_MISSING, "\"%.100s\" is no node, user, tag or address with a device", text);
}

/* ---- one rule and one packet ---- */

static bool wildcard_has(const struct policy_view *v, const struct addr *a)
{
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        if (range_has(&v->tailnet[i], a))
            return true;
    for (size_t i = 0; i < v->pool_count; i++)
        if (prefix_has_addr(&v->pools[i], a))
            return true;
    for (size_t i = 0; i < v->routes.len; i++)
        if (v->routes.items[i] && prefix_has_addr(&v->routes.items[i]->prefix, a))
            return true;
    return false;
}

static bool source_fits(const struct policy_view *v, uint32_t principal, const struct explain_end *from)
{
    const struct policy_principal *q = &v->p->principals.items[principal];

    switch (q->kind) {
    case PRINCIPAL_ANY:
        return wildcard_has(v, &from->addr);
    case PRINCIPAL_DANGER:
        return true;
    case PRINCIPAL_PREFIX:
        return prefix_has_addr(&q->prefix, &from->addr);
    default:
        return from->slot != NONE && bit_has(v->classes.items[v->nodes[from->slot].class_id].addr, principal);
    }
}

/* The selector that names the source, or NULL. */
static const char *rule_source(const struct policy_view *v, const struct policy_unit *u, uint32_t target,
                               const struct explain_end *from)
{
    if (u->kind == UNIT_SELF && (from->slot == NONE || target == NONE || v->nodes[target].user == NONE ||
                                 v->nodes[target].user != v->nodes[from->slot].user))
        return NULL;
    for (size_t i = 0; i < u->rule->src.len; i++)
        if (source_fits(v, u->rule->src.items[i].principal, from))
            return u->rule->src.items[i].text;
    return NULL;
}

static bool internet_has(const struct policy_view *v, const struct vnode *n, bool exit, const struct addr *to)
{
    for (size_t i = 0; i < INTERNET_RANGES; i++) {
        bool mine = exit || range_has(&v->internet[i], &n->ipv4) || range_has(&v->internet[i], &n->ipv6);
        for (size_t k = 0; !mine && k < n->routes.len; k++)
            mine = !prefix_is_exit(&n->routes.items[k]) && range_overlaps_prefix(&v->internet[i], &n->routes.items[k]);
        if (mine && range_has(&v->internet[i], to))
            return true;
    }
    return false;
}

static bool via_any_has(const struct policy_view *v, const struct vnode *n, const struct addr *to)
{
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        for (size_t k = 0; k < n->routes.len; k++)
            if (range_has(&v->tailnet[i], to) && !prefix_is_exit(&n->routes.items[k]) &&
                range_overlaps_prefix(&v->tailnet[i], &n->routes.items[k]))
                return true;
    return false;
}

static bool target_fits(const struct policy_view *v, const struct policy_unit *u, const struct policy_destination *d,
                        uint32_t target, const struct addr *to)
{
    if (target == NONE)
        return false;
    const struct vnode *n = &v->nodes[target];
    const struct vclass *c = &v->classes.items[n->class_id];
    const struct policy_principal *q = &v->p->principals.items[d->alias.principal];
    bool own = addr_eq(&n->ipv4, to) || addr_eq(&n->ipv6, to);

    if (u->kind == UNIT_SELF)
        return own;
    if (u->kind == UNIT_VIA)
        return bit_has(c->recv, u->index) && (q->kind == PRINCIPAL_INTERNET ? internet_has(v, n, true, to)
                                              : q->kind == PRINCIPAL_ANY    ? via_any_has(v, n, to)
                                                                            : prefix_has_addr(&q->prefix, to));
    if (internet_has(v, n, true, to) && unit_grants_exit(v, u, c))
        return true;
    switch (destination_reach(v, c, d->alias.principal)) {
    case REACH_NOT:
        return false;
    case REACH_SELF:
        return own;
    case REACH_LITERAL:
        return prefix_has_addr(&q->prefix, to);
    case REACH_ANY:
        return true;
    case REACH_INTERNET:
        return internet_has(v, n, c->exit, to);
    }
    return false;
}

static bool service_fits(const struct policy_unit *u, const struct policy_destination *d, int proto, uint16_t port)
{
    for (size_t i = 0; i < u->rule->services.len; i++) {
        const struct policy_service *s = &u->rule->services.items[i];
        const struct port_range *ports = u->rule->is_grant ? s->ports : d->ports;
        size_t count = u->rule->is_grant ? s->port_count : d->port_count;

        if (s->proto != proto &&
            !(s->proto == PROTO_DEFAULT && (proto == 6 || proto == 17 || proto == 1 || proto == 58)))
            continue;
        for (size_t k = 0; k < count; k++)
            if (port == 0 || (ports[k].first <= port && port <= ports[k].last))
                return true;
    }
    return false;
}

/* Tries all rules and keeps the one that lets the packet in, or else the closest. */
static void match_rules(const struct policy_view *v, struct explain_path *p, int proto, uint16_t port)
{
    for (size_t i = 0; i < v->p->units.len && p->fits != FITS_ALL; i++) {
        const struct policy_unit *u = &v->p->units.items[i];
        if (u->companion || !u->ip)
            continue;
        const char *source = rule_source(v, u, p->target, &p->from);
        for (size_t k = 0; k < u->dst.len; k++) {
            int fits = (source ? FITS_SOURCE : 0) |
                       (target_fits(v, u, &u->dst.items[k], p->target, &p->to.addr) ? FITS_TARGET : 0) |
                       (service_fits(u, &u->dst.items[k], proto, port) ? FITS_SERVICE : 0);
            if (fits < (FITS_TARGET | FITS_SERVICE) || fits <= p->fits)
                continue;
            p->fits = fits;
            p->unit = u;
            p->dst = &u->dst.items[k];
            p->source = source;
        }
    }
}

/* ---- the path ---- */

/* The router that receives packets for an address of no device: the one with the longest route that the viewer is
 * shown. */
static void find_router(const struct policy_view *v, struct explain_path *p)
{
    for (uint32_t i = 0; p->viewer != NONE && i < v->slots; i++) {
        struct prefixes shown = {0};

        if (!policy_sees(v, p->viewer, i) || !v->nodes[i].routes.len)
            continue;
        policy_routes(v, p->viewer, i, &shown);
        for (size_t k = 0; k < shown.len; k++) {
            bool longer = !p->routed || shown.items[k].bits > p->route.bits ||
                          (shown.items[k].bits == p->route.bits && v->nodes[i].order < v->nodes[p->target].order);
            if (prefix_has_addr(&shown.items[k], &p->to.addr) && longer) {
                p->routed = true;
                p->route = shown.items[k];
                p->target = i;
            }
        }
        prefixes_release(&shown);
    }
}

/* A source that is not a device sends through the router that serves its network. */
static uint32_t find_viewer(const struct policy_view *v, const struct explain_end *from)
{
    uint32_t best = from->slot;
    uint8_t bits = 0;

    for (uint32_t i = 0; from->slot == NONE && i < v->slots; i++)
        for (size_t k = 0; v->nodes[i].used && k < v->nodes[i].serving.len; k++)
            if (prefix_has_addr(&v->nodes[i].serving.items[k], &from->addr) &&
                v->nodes[i].serving.items[k].bits >= bits) {
                best = i;
                bits = v->nodes[i].serving.items[k].bits;
            }
    return best;
}

/* Both nodes must have the other's address: the viewer that of the destination, the target that of the source. */
static void check_addresses(const struct policy_view *v, struct explain_path *p)
{
    struct prefixes shown = {0};

    if (!p->seen)
        return;
    bool own = p->from.slot != NONE || !p->routed;
    p->no_ipv4 = p->from.addr.bits == 32 && own && policy_hides_ipv4(v, p->viewer, p->target);
    if (p->from.slot != NONE || p->same)
        return;
    policy_routes(v, p->target, p->viewer, &shown);
    p->no_return = true;
    for (size_t i = 0; i < shown.len; i++)
        p->no_return &= !prefix_has_addr(&shown.items[i], &p->from.addr);
    prefixes_release(&shown);
}

static struct explain_path find_path(const struct policy_view *v, const struct explain_end *from,
                                     const struct explain_end *to, int proto, uint16_t port)
{
    struct explain_path p = {.from = *from, .to = *to, .target = to->slot};

    p.viewer = find_viewer(v, from);
    if (to->slot == NONE)
        find_router(v, &p);
    p.same = p.target != NONE && p.target == p.viewer && !p.routed;
    p.seen = p.target != NONE && p.viewer != NONE && (p.same || policy_sees(v, p.viewer, p.target));
    match_rules(v, &p, proto, port);
    check_addresses(v, &p);
    p.allowed = p.seen && !p.no_ipv4 && !p.no_return && (p.same || p.fits == FITS_ALL);
    return p;
}

/* ---- telling ---- */

struct explain_writer {
    struct json_out o;
    const struct policy_view *v;
    unsigned line; /* of the policy, for the next step; 0: none */
};

static void step(struct explain_writer *w, bool ok, const char *format, ...) PRINTF_LIKE(3, 4);
static void step(struct explain_writer *w, bool ok, const char *format, ...)
{
    char line[600];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    json_open(&w->o, '{');
    json_put_bool(&w->o, "ok", ok);
    json_put_str(&w->o, "text", line);
    if (w->line)
        json_put_u64(&w->o, "line", w->line);
    w->line = 0;
    json_close(&w->o, '}');
}

static unsigned rule_name(const struct policy_view *v, const struct policy_rule *r, char *out, size_t size)
{
    unsigned line = 0, column = 0;

    if (r->offset == SIZE_MAX) {
        snprintf(out, size, "%s",
                 v->absent ? "no policy is set, so everything is allowed"
                           : "no acls and no grants, so everything is allowed");
        return 0;
    }
    str_place(v->p->text, v->p->len, r->offset, &line, &column);
    snprintf(out, size, "%s %zu (line %u)", r->connector ? "app" : r->is_grant ? "grant" : "acl", r->index + 1, line);
    return line;
}

static void put_source(struct explain_writer *w, const struct explain_path *p)
{
    char from[PREFIX_TEXT_MAX];
    const struct vnode *n = p->viewer == NONE ? NULL : &w->v->nodes[p->viewer];

    addr_format(&p->from.addr, from);
    if (!n)
        step(w, false, "%s is no device's address, and no router serves a network that holds it", from);
    else if (p->from.slot == NONE)
        step(w, true, "%s is behind the router %s", from, n->name);
    else if (n->tagged)
        step(w, true, "%s is %s, tagged %s", from, n->name, n->tags.items[0]);
    else
        step(w, true, "%s is %s, a device of %s", from, n->name,
             n->user == NONE ? "nobody" : w->v->users[n->user].name);
}

/* Does any router serve the subnet route, for everybody or within a via group? */
static bool is_served(const struct policy_view *v, const struct prefix *p)
{
    uintptr_t known = (uintptr_t)map_get(&v->route_index, p, sizeof(*p));
    const struct vroute *r = known ? v->routes.items[known - 1] : NULL;

    for (size_t g = 0; r && g < v->via_groups.len; g++)
        if (r->winners[g] != NONE)
            return true;
    for (size_t i = 0; r && i < r->holders.len; i++)
        if (prefixes_has(&v->nodes[r->holders.items[i]].serving, p))
            return true;
    return false;
}

/* No router is shown: reports whether the policy hides one. */
static void put_no_router(struct explain_writer *w, const struct explain_path *p, const char *to)
{
    char route[PREFIX_TEXT_MAX];

    for (uint32_t i = 0; i < w->v->slots; i++)
        for (size_t k = 0; w->v->nodes[i].used && k < w->v->nodes[i].routes.len; k++)
            if (prefix_has_addr(&w->v->nodes[i].routes.items[k], &p->to.addr) &&
                (!prefix_is_exit(&w->v->nodes[i].routes.items[k]) ||
                 internet_has(w->v, &w->v->nodes[i], true, &p->to.addr))) {
                const struct prefix *r = &w->v->nodes[i].routes.items[k];
                step(w, false, "%s routes %s, but %s", w->v->nodes[i].name, prefix_format(r, route),
                     prefix_is_exit(r) || is_served(w->v, r)
                         ? "the policy does not offer that route to the source"
                         : "nobody serves that route now: its routers are offline or cannot serve");
                return;
            }
    step(w, false, "%s is no device's address, and no router has an approved route to it", to);
}

static void put_path(struct explain_writer *w, const struct explain_path *p)
{
    char to[PREFIX_TEXT_MAX], route[PREFIX_TEXT_MAX];

    addr_format(&p->to.addr, to);
    if (p->target == NONE)
        put_no_router(w, p, to);
    else if (p->routed)
        step(w, true, "%s goes through %s, which routes %s", to, w->v->nodes[p->target].name,
             prefix_format(&p->route, route));
    else
        step(w, true, "%s is %s", to, w->v->nodes[p->target].name);
    if (p->target != NONE && p->viewer != NONE && !p->seen)
        step(w, false, "%s and %s do not see each other", w->v->nodes[p->viewer].name, w->v->nodes[p->target].name);
    if (p->no_ipv4)
        step(w, false, "the attribute disable-ipv4 hides IPv4 addresses between %s and %s", w->v->nodes[p->viewer].name,
             w->v->nodes[p->target].name);
    if (p->no_return)
        step(w, false, "the policy does not offer %s the way back to %s, a network behind %s",
             w->v->nodes[p->target].name, addr_format(&p->from.addr, to), w->v->nodes[p->viewer].name);
}

static void put_rule(struct explain_writer *w, const struct explain_path *p, uint16_t port)
{
    char rule[100], wanted[20] = "";

    if (p->same) {
        step(w, true,
             p->from.slot == NONE ? "it is the source's own router: the packet does not pass the tailnet"
                                  : "it is the same device");
        return;
    }
    if (!p->unit) {
        step(w, false, "no rule opens this destination");
        return;
    }
    w->line = rule_name(w->v, p->unit->rule, rule, sizeof(rule));
    if (port)
        snprintf(wanted, sizeof(wanted), " %u", port);
    if (p->fits == FITS_ALL && p->unit->rule->offset == SIZE_MAX)
        step(w, true, "%s", rule);
    else if (p->fits == FITS_ALL)
        step(w, p->allowed, "%s lets %s reach %s", rule, p->source, p->dst->alias.text);
    else if (!(p->fits & FITS_SOURCE))
        step(w, false, "the closest rule is %s: it opens %s, but not to this source", rule, p->dst->alias.text);
    else if (!(p->fits & FITS_TARGET))
        step(w, false, "the closest rule is %s: it names the source (%s), but its destination is %s", rule, p->source,
             p->dst->alias.text);
    else
        step(w, false, "the closest rule is %s: it names source (%s) and destination (%s), but not port%s", rule,
             p->source, p->dst->alias.text, wanted);
}

static void put_members(struct explain_writer *w, const struct explain_path *p)
{
    char text[PREFIX_TEXT_MAX];

    if (p->unit && p->unit->rule->offset != SIZE_MAX) {
        unsigned line = 0, column = 0;
        str_place(w->v->p->text, w->v->p->len, p->unit->rule->offset, &line, &column);
        json_key(&w->o, p->fits == FITS_ALL ? "rule" : "nearest");
        json_open(&w->o, '{');
        json_put_str(&w->o, "section",
                     p->unit->rule->connector  ? "nodeAttrs"
                     : p->unit->rule->is_grant ? "grants"
                                               : "acls");
        json_put_u64(&w->o, "index", p->unit->rule->index);
        json_put_u64(&w->o, "line", line);
        json_put_str(&w->o, "source", p->source ? p->source : "");
        json_put_str(&w->o, "destination", p->dst->alias.text);
        json_close(&w->o, '}');
    }
    if (p->target != NONE)
        json_put_str(&w->o, p->routed ? "router" : "node", w->v->nodes[p->target].name);
    if (p->routed)
        json_put_str(&w->o, "route", prefix_format(&p->route, text));
}

static int rank(const struct explain_path *p)
{
    return (p->allowed ? 100 : 0) + (p->seen ? 10 : 0) + (p->target != NONE ? 8 : 0) + p->fits;
}

/* The pair of ends that gets furthest, and the numbers of allowed and denied pairs. */
struct explain_result {
    struct explain_path best;
    size_t yes, no;
    bool cut; /* the budget was used up */
};

static void try_pairs(const struct policy_view *v, const struct explain_ends *from, const struct explain_ends *to,
                      int proto, uint16_t port, struct explain_result *r)
{
    uint64_t spent = 0, cost = v->p->units.len + v->slots + v->routes.len;

    for (size_t i = 0; i < from->len; i++)
        for (size_t k = 0; k < to->len; k++) {
            if (from->items[i].addr.bits != to->items[k].addr.bits)
                continue;
            r->cut = spent > EXPLAIN_BUDGET;
            if (r->cut)
                return;
            spent += cost;
            struct explain_path p = find_path(v, &from->items[i], &to->items[k], proto, port);
            r->yes += p.allowed;
            r->no += !p.allowed;
            if (r->yes + r->no == 1 || rank(&p) > rank(&r->best))
                r->best = p;
        }
}

static void put_result(struct explain_writer *w, const struct explain_result *r, const struct explain_ends *from,
                       const struct explain_ends *to, uint16_t port)
{
    json_put_bool(&w->o, "allowed", r->best.allowed);
    json_put_u64(&w->o, "pairs_allowed", r->yes);
    json_put_u64(&w->o, "pairs_denied", r->no);
    json_key(&w->o, "steps");
    json_open(&w->o, '[');
    put_source(w, &r->best);
    if (r->best.viewer != NONE)
        put_path(w, &r->best);
    if (r->best.viewer != NONE && r->best.target != NONE)
        put_rule(w, &r->best, port);
    if (r->yes && r->no)
        step(w, true, "%zu pairs of addresses are allowed, %zu are not", r->yes, r->no);
    if (from->cut || to->cut)
        step(w, true, "only the first %d addresses of each side were looked at", ENDS_MAX);
    if (r->cut)
        step(w, true, "only the first %zu pairs of addresses were looked at", r->yes + r->no);
    json_close(&w->o, ']');
    put_members(w, &r->best);
}

int policy_explain(const struct policy_view *v, const char *src, const char *dst, int proto, uint16_t port,
                   bool *allowed, struct buf *out, struct err *e)
{
    struct explain_ends from = {0}, to = {0};
    struct explain_result r = {.best = {.target = NONE, .viewer = NONE}};
    struct explain_writer w = {.o = JSON_OUT(out), .v = v};

    int code = find_ends(v, src, &from, e);
    if (code == 0)
        code = find_ends(v, dst, &to, e);
    if (code == 0) {
        try_pairs(v, &from, &to, proto < 0 ? 6 : proto, port, &r);
        if (r.yes + r.no == 0)
            code = err_set(e, ERR_INVALID, "\"%.80s\" and \"%.80s\" have no address family in common", src, dst);
    }
    if (code == 0) {
        *allowed = r.best.allowed;
        json_open(&w.o, '{');
        json_put_str(&w.o, "src", src);
        json_put_str(&w.o, "dst", dst);
        if (port)
            json_put_u64(&w.o, "port", port);
        put_result(&w, &r, &from, &to, port);
        json_close(&w.o, '}');
    }
    vec_release(&from);
    vec_release(&to);
    return code;
}
