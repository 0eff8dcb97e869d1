/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of a view that depend on the policy alone. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"

static void index_literals(struct policy_view *v)
{
    for (uint32_t i = 0; i < v->p->principals.len; i++) {
        const struct policy_principal *q = &v->p->principals.items[i];
        size_t k = 0;

        if (q->kind != PRINCIPAL_PREFIX)
            continue;
        map_put(&v->literal_index, &q->prefix, sizeof(q->prefix), (void *)(uintptr_t)(i + 1U));
        while (k < v->length_count &&
               (v->lengths[k].bits != q->prefix.addr.bits || v->lengths[k].len != q->prefix.bits))
            k++;
        if (k == v->length_count) {
            v->lengths[k].bits = q->prefix.addr.bits;
            v->lengths[k].len = q->prefix.bits;
            v->length_count++;
        }
    }
}

/* Records the unit as one that the principals of its list are sources of. */
static void index_sources(struct policy_view *v, const struct policy_unit *u, bool self)
{
    const struct policy_source_list *l = &v->p->lists.items[u->sources];

    for (size_t i = 0; i < l->count; i++) {
        struct vprincipal *q = &v->principals[l->principals[i]];
        if (self)
            vec_push(&q->self_units, u->index);
        else
            vec_push(&q->src_units, u->index);
    }
}

static void index_plain_unit(struct policy_view *v, const struct policy_unit *u)
{
    bool literal = false;

    for (size_t i = 0; i < u->dst.len; i++) {
        uint32_t id = u->dst.items[i].alias.principal;
        const struct policy_principal *q = &v->p->principals.items[id];

        vec_push(&v->principals[id].filter_units, u->index);
        if (u->companion)
            continue;
        vec_push(&v->principals[id].dst_units, u->index);
        if (u->ip && (q->kind == PRINCIPAL_INTERNET || q->inside_internet))
            bit_set(v->exit_units, u->index);
        literal |= u->full && q->kind == PRINCIPAL_PREFIX && q->prefix.bits == q->prefix.addr.bits;
    }
    if (u->companion)
        return;
    index_sources(v, u, false);
    bit_set(v->plain_units, u->index);
    if (u->ip)
        bit_set(v->plain_ip_units, u->index);
    if (u->internet)
        bit_set(v->internet_units, u->index);
    if (literal)
        vec_push(&v->literal_units, u->index);
}

static uint32_t via_group(struct policy_view *v, const struct policy_rule *r)
{
    struct policy_via_group g = {0};
    struct strs names = {0};
    struct buf key = BUF_INIT(0);

    for (size_t i = 0; i < r->via.len; i++)
        strs_push(&names, r->via.items[i]);
    strs_sort(&names);
    for (size_t i = 0; i < names.len; i++) {
        vec_push(&g.tags, principal_find(v->p, PRINCIPAL_TAG, names.items[i]));
        buf_addf(&key, "%s%s", i ? ", " : "", names.items[i]);
    }
    strs_release(&names);
    uintptr_t known = (uintptr_t)map_gets(&v->via_group_index, buf_text(&key));
    if (known) {
        vec_release(&g.tags);
        buf_release(&key);
        return (uint32_t)(known - 1);
    }
    g.key = buf_take(&key);
    vec_push(&v->via_groups, g);
    (void)map_puts(&v->via_group_index, g.key, (void *)(uintptr_t)v->via_groups.len);
    return (uint32_t)(v->via_groups.len - 1);
}

static void index_via_unit(struct policy_view *v, const struct policy_unit *u)
{
    struct policy_via_rule *last = v->via_rules.len ? &v->via_rules.items[v->via_rules.len - 1] : NULL;
    uint32_t id = u->dst.items[0].alias.principal;

    index_sources(v, u, false);
    vec_push(&v->principals[id].dst_units, u->index);
    if (v->p->principals.items[id].kind == PRINCIPAL_ANY)
        bit_set(v->via_any_units, u->index);
    if (u->internet)
        bit_set(v->internet_units, u->index);
    if (last && v->p->units.items[last->first].rule == u->rule) {
        last->count++;
        last->internet |= u->internet;
        return;
    }
    struct policy_via_rule r = {.first = u->index, .count = 1, .group = via_group(v, u->rule), .internet = u->internet};
    vec_push(&v->via_rules, r);
}

static void index_lists(struct policy_view *v)
{
    v->lists = mem_alloc((v->p->lists.len + 1) * sizeof(*v->lists));
    for (uint32_t i = 0; i < v->p->lists.len; i++) {
        const struct policy_source_list *l = &v->p->lists.items[i];
        for (size_t j = 0; j < l->count; j++) {
            const struct policy_principal *q = &v->p->principals.items[l->principals[j]];
            vec_push(&v->principals[l->principals[j]].lists, i);
            v->lists[i].any |= q->kind == PRINCIPAL_ANY;
            v->lists[i].danger |= q->kind == PRINCIPAL_DANGER;
            if (q->kind == PRINCIPAL_PREFIX || q->kind == PRINCIPAL_INTERNET)
                vec_push(&v->lists[i].literals, l->principals[j]);
        }
    }
}

void view_index_policy(struct policy_view *v)
{
    const struct policy *p = v->p;

    v->unit_words = p->units.len / 64 + 1;
    v->principal_words = p->principals.len / 64 + 1;
    v->principals = mem_alloc((p->principals.len + 1) * sizeof(*v->principals));
    v->plain_units = bits_new(v->unit_words);
    v->plain_ip_units = bits_new(v->unit_words);
    v->internet_units = bits_new(v->unit_words);
    v->exit_units = bits_new(v->unit_words);
    v->via_any_units = bits_new(v->unit_words);
    v->unit_src = mem_alloc((p->units.len + 1) * sizeof(*v->unit_src));
    v->unit_dst = mem_alloc((p->units.len + 1) * sizeof(*v->unit_dst));
    v->unit_recv = mem_alloc((p->units.len + 1) * sizeof(*v->unit_recv));
    ranges_internet(v->internet);
    ranges_tailnet(v->tailnet);
    index_literals(v);
    index_lists(v);
    for (size_t i = 0; i < p->units.len; i++) {
        const struct policy_unit *u = &p->units.items[i];
        switch (u->kind) {
        case UNIT_PLAIN:
            index_plain_unit(v, u);
            break;
        case UNIT_VIA:
            index_via_unit(v, u);
            break;
        case UNIT_SELF:
            vec_push(&v->self_units, u->index);
            if (!u->companion)
                index_sources(v, u, true);
            break;
        }
    }
}
