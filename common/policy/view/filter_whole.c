/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet filter in the form of the recordings: rules in the policy's order, equal sources merged over the whole
 * tailnet before selecting a node's part, sources sorted as text. For people and for comparison; the form that clients
 * receive is in filter_parts.c. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/filter_rules.h"

struct whole_rule {
    char *sources;
    int proto;
    bool cap;
    struct buf dst;
};
struct whole_rules {
    struct whole_rule *items;
    size_t len, cap;
};

/* The rule to add to: the existing one with these sources and protocol, or a new one at the end. */
static struct whole_rule *rule_for(struct whole_rules *rules, const char *sources, int proto, bool cap)
{
    for (size_t i = 0; !cap && i < rules->len; i++)
        if (!rules->items[i].cap && rules->items[i].proto == proto && str_eq(rules->items[i].sources, sources))
            return &rules->items[i];
    struct whole_rule *r = vec_add(rules);
    *r = (struct whole_rule){.sources = mem_strdup(sources), .proto = proto, .cap = cap};
    return r;
}

static void sources_text(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                         struct buf *out)
{
    struct strs texts = {0};
    struct id_list slots = {0};
    char text[PREFIX_TEXT_MAX];

    if (u->kind != UNIT_SELF) {
        list_texts(v, u->sources, &texts);
    } else {
        self_sources(v, n, u, &slots);
        for (size_t i = 0; i < slots.len; i++) {
            const struct vnode *d = &v->nodes[slots.items[i]];
            if (d->ipv4.bits)
                strs_push(&texts, addr_format(&d->ipv4, text));
            if (d->ipv6.bits)
                strs_push(&texts, addr_format(&d->ipv6, text));
        }
        strs_sort(&texts);
        vec_release(&slots);
    }
    for (size_t i = 0; i < texts.len; i++)
        emit_text(out, texts.items[i]);
    strs_release(&texts);
}

static void add_unit(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                     struct whole_rules *rules)
{
    const struct vclass *c = &v->classes.items[n->class_id];
    struct buf sources = BUF_INIT(0);
    bool local = u->kind == UNIT_SELF ? !n->tagged : u->kind == UNIT_VIA ? bit_has(c->recv, u->index) : true;

    if (!local)
        return;
    sources_text(v, n, u, &sources);
    for (size_t i = 0; u->ip && sources.len && i < u->rule->services.len; i++) {
        const struct policy_service *s = &u->rule->services.items[i];
        struct whole_rule *r = rule_for(rules, buf_text(&sources), s->proto, false);
        emit_ports(v, n, u, s, &r->dst);
    }
    if (u->cap && (sources.len || u->kind != UNIT_SELF)) {
        struct whole_rule *r = rule_for(rules, buf_text(&sources), PROTO_DEFAULT, true);
        emit_grants(v, n, u, &r->dst);
        bool granted = r->dst.len > 0;
        if (granted && u->rule->connector)
            emit_resolving(u, &rule_for(rules, buf_text(&sources), PROTO_DEFAULT, false)->dst);
    }
    buf_release(&sources);
}

void policy_filter(const struct policy_view *v, uint32_t slot, struct buf *out)
{
    const struct vnode *n = view_node(v, slot);
    struct whole_rules rules = {0};

    buf_addc(out, '[');
    for (size_t i = 0; n && i < v->p->units.len; i++)
        add_unit(v, n, &v->p->units.items[i], &rules);
    for (size_t i = 0; i < rules.len; i++) {
        if (rules.items[i].dst.len)
            emit_rule(out, rules.items[i].sources, rules.items[i].proto, buf_text(&rules.items[i].dst),
                      rules.items[i].cap);
        free(rules.items[i].sources);
        buf_release(&rules.items[i].dst);
    }
    vec_release(&rules);
    buf_addc(out, ']');
}
