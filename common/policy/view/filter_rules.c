/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/view/filter_rules.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"

void emit_comma(struct buf *out)
{
    if (out->len && !strchr("[{:", out->data[out->len - 1]))
        buf_addc(out, ',');
}

void emit_text(struct buf *out, const char *text)
{
    emit_comma(out);
    buf_addc(out, '"');
    buf_adds(out, text);
    buf_addc(out, '"');
}

void emit_addresses(const struct vnode *n, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    if (n->ipv4.bits)
        emit_text(out, addr_format(&n->ipv4, text));
    if (n->ipv6.bits)
        emit_text(out, addr_format(&n->ipv6, text));
}

void list_texts(const struct policy_view *v, uint32_t list, struct strs *out)
{
    const struct vlist *l = &v->lists[list];
    char text[PREFIX_TEXT_MAX];

    strs_release(out);
    if (l->danger) {
        strs_push(out, "*");
        return;
    }
    for_bits(slot, l->members, v->slots / 64)
    {
        const struct vnode *n = &v->nodes[slot];
        if (n->ipv4.bits)
            strs_push(out, addr_format(&n->ipv4, text));
        if (n->ipv6.bits)
            strs_push(out, addr_format(&n->ipv6, text));
    }
    for (size_t i = 0; i < l->literals.len; i++)
        strs_push(out, v->p->principals.items[l->literals.items[i]].text);
    if (l->any) {
        for (size_t i = 0; i < TAILNET_RANGES; i++)
            strs_push(out, tailnet_range_text[i]);
        for (size_t i = 0; i < v->pool_count; i++)
            strs_push(out, prefix_format(&v->pools[i], text));
        for (size_t i = 0; i < v->subnets.len; i++)
            strs_push(out, prefix_format(&v->subnets.items[i], text));
    }
    strs_sort(out);
}

void list_ranges(const struct policy_view *v, uint32_t list, struct addr_ranges *out)
{
    struct strs texts = {0};

    list_texts(v, list, &texts);
    for (size_t i = 0; i < texts.len; i++)
        ranges_push_text(out, texts.items[i]);
    strs_release(&texts);
    ranges_normalise(out);
}

enum policy_reach destination_reach(const struct policy_view *v, const struct vclass *c, uint32_t principal)
{
    const struct policy_principal *q = &v->p->principals.items[principal];
    bool addr = bit_has(c->addr, principal), hit = bit_has(c->hits, principal);

    switch (q->kind) {
    case PRINCIPAL_ANY:
    case PRINCIPAL_DANGER:
        return REACH_ANY;
    case PRINCIPAL_PREFIX:
        return addr || hit || (c->exit && q->inside_internet) ? REACH_LITERAL : REACH_NOT;
    case PRINCIPAL_INTERNET:
        return addr || hit || c->exit ? REACH_INTERNET : REACH_NOT;
    default:
        return addr ? REACH_SELF : REACH_NOT;
    }
}

static void add_port_entries(struct buf *out, const char *ip, const struct port_range *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (out->len)
            buf_addc(out, ',');
        buf_addf(out, "{\"IP\":\"%s\",\"Ports\":{\"First\":%u,\"Last\":%u}}", ip, ports[i].first, ports[i].last);
    }
}

static void add_own_entries(const struct vnode *n, const struct port_range *ports, size_t count, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    if (n->ipv4.bits)
        add_port_entries(out, addr_format(&n->ipv4, text), ports, count);
    if (n->ipv6.bits)
        add_port_entries(out, addr_format(&n->ipv6, text), ports, count);
}

/* An exit node gets all ranges of autogroup:internet; a router of public prefixes gets those that it routes. */
static void add_internet_entries(const struct policy_view *v, const struct vnode *n, const struct port_range *ports,
                                 size_t count, bool whole, struct buf *out)
{
    for (size_t i = 0; i < INTERNET_RANGES; i++) {
        bool mine = whole || range_has(&v->internet[i], &n->ipv4) || range_has(&v->internet[i], &n->ipv6);
        for (size_t k = 0; !mine && k < n->routes.len; k++)
            mine = !prefix_is_exit(&n->routes.items[k]) && range_overlaps_prefix(&v->internet[i], &n->routes.items[k]);
        if (mine)
            add_port_entries(out, internet_range_text[i], ports, count);
    }
}

static void add_via_any(const struct policy_view *v, const struct vnode *n, const struct port_range *ports,
                        size_t count, struct buf *out)
{
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        for (size_t k = 0; k < n->routes.len; k++)
            if (!prefix_is_exit(&n->routes.items[k]) && range_overlaps_prefix(&v->tailnet[i], &n->routes.items[k])) {
                add_port_entries(out, tailnet_range_text[i], ports, count);
                break;
            }
}

void emit_ports(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                const struct policy_service *s, struct buf *out)
{
    static const struct port_range every = {0, UINT16_MAX};
    const struct vclass *c = &v->classes.items[n->class_id];

    if (u->kind == UNIT_VIA && !bit_has(c->recv, u->index))
        return;
    for (size_t i = 0; i < u->dst.len; i++) {
        const struct policy_destination *d = &u->dst.items[i];
        const struct policy_principal *q = &v->p->principals.items[d->alias.principal];
        const struct port_range *ports = u->rule->is_grant ? s->ports : d->ports;
        size_t count = u->rule->is_grant ? s->port_count : d->port_count;

        if (u->kind == UNIT_VIA && q->kind == PRINCIPAL_ANY) {
            add_via_any(v, n, ports, count, out);
            continue;
        }
        if (u->kind == UNIT_VIA && q->kind == PRINCIPAL_INTERNET) {
            add_internet_entries(v, n, ports, count, true, out);
            continue;
        }
        switch (u->kind == UNIT_SELF ? REACH_SELF : destination_reach(v, c, d->alias.principal)) {
        case REACH_NOT:
            break;
        case REACH_SELF:
            add_own_entries(n, ports, count, out);
            break;
        case REACH_LITERAL:
            add_port_entries(out, q->text, ports, count);
            break;
        case REACH_ANY:
            add_port_entries(out, "*", ports, count);
            break;
        case REACH_INTERNET:
            add_internet_entries(v, n, ports, count, c->exit, out);
            break;
        }
    }
    if (s->proto == PROTO_DEFAULT && unit_grants_exit(v, u, c))
        add_internet_entries(v, n, &every, 1, true, out);
}

/* The prefixes of this node to which a destination of a capability applies. */
static void grant_prefixes(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                           uint32_t principal, struct prefixes *out)
{
    const struct vclass *c = &v->classes.items[n->class_id];
    const struct policy_principal *q = &v->p->principals.items[principal];
    enum policy_reach reach = u->kind == UNIT_SELF ? REACH_SELF : destination_reach(v, c, principal);
    const struct addr *own[2] = {&n->ipv4, &n->ipv6};

    for (size_t i = 0; i < 2; i++) {
        struct prefix one = {*own[i], own[i]->bits};
        if (own[i]->bits && (reach == REACH_SELF || reach == REACH_ANY ||
                             (reach == REACH_LITERAL && prefix_has_addr(&q->prefix, own[i]))))
            prefixes_add(out, &one);
    }
    if (reach == REACH_LITERAL && bit_has(c->hits, principal))
        prefixes_add(out, &q->prefix);
    struct prefix ula;
    for (size_t k = 0; reach == REACH_ANY && k < n->routes.len; k++)
        if (prefix_parse(tailnet_range_text[2], &ula, NULL, NULL) == 0 && !prefix_is_exit(&n->routes.items[k]) &&
            prefix_overlaps(&ula, &n->routes.items[k]))
            prefixes_add(out, &ula);
}

static void add_cap_map(const struct policy_unit *u, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '{');
    if (u->companion) {
        json_key(&o, u->companion);
        json_nil(&o);
    }
    for (size_t i = 0; !u->companion && i < u->rule->apps.len; i++) {
        json_key(&o, u->rule->apps.items[i].name);
        json_raw(&o, u->rule->apps.items[i].json, strlen(u->rule->apps.items[i].json));
    }
    json_close(&o, '}');
}

void emit_grants(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < u->dst.len; i++) {
        struct prefixes own = {0};

        grant_prefixes(v, n, u, u->dst.items[i].alias.principal, &own);
        if (own.len) {
            if (out->len)
                buf_addc(out, ',');
            buf_adds(out, "{\"Dsts\":[");
            for (size_t k = 0; k < own.len; k++)
                emit_text(out, prefix_format(&own.items[k], text));
            buf_adds(out, "],\"CapMap\":");
            add_cap_map(u, out);
            buf_addc(out, '}');
        }
        prefixes_release(&own);
        if (u->kind == UNIT_SELF && u->companion)
            break;
    }
}

void emit_resolving(const struct policy_unit *u, struct buf *out)
{
    static const struct port_range dns = {53, 53};

    if (u->rule->connector)
        add_port_entries(out, "0.0.0.0", &dns, 1);
}

void emit_rule(struct buf *out, const char *sources, int proto, const char *dst, bool cap)
{
    if (out->len && out->data[out->len - 1] != '[')
        buf_addc(out, ',');
    buf_addf(out, "{\"SrcIPs\":[");
    buf_adds(out, sources);
    buf_adds(out, cap ? "],\"CapGrant\":[" : "],\"DstPorts\":[");
    buf_adds(out, dst);
    buf_addc(out, ']');
    if (!cap && proto != PROTO_DEFAULT)
        buf_addf(out, ",\"IPProto\":[%d]", proto);
    buf_addc(out, '}');
}

void self_sources(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                  struct id_list *slots)
{
    if (n->tagged || n->user == NONE)
        return;
    const struct id_list *devices = &v->users[n->user].devices;
    bool me = bit_has(v->classes.items[n->class_id].self_src, u->base);

    for (size_t i = 0; i < devices->len; i++) {
        bool matched = bit_has(v->classes.items[v->nodes[devices->items[i]].class_id].self_src, u->base);
        if (u->companion ? me : matched)
            vec_push(slots, devices->items[i]);
    }
}
