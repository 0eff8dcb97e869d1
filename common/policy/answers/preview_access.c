/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rules of one view open on a group of nodes, in terms of what is reached: own addresses by family, networks
 * that the nodes route, protocols, ports, capabilities; and to which groups SSH rules lead. */
#include <stdlib.h>
#include <string.h>

#include "policy/answers/preview.h"

static unsigned box_family(const struct preview_box *b)
{
    return b->place == BOX_OWN4                                 ? FAMILY_V4
           : b->place == BOX_OWN6 || b->range.first.bits == 128 ? FAMILY_V6
                                                                : FAMILY_V4;
}

static uint32_t box_intern(struct preview *p, const struct preview_box *b)
{
    uintptr_t known = (uintptr_t)map_get(&p->box_index, b, sizeof(*b));

    if (!known) {
        vec_push(&p->boxes, *b);
        known = p->boxes.len;
        map_put(&p->box_index, b, sizeof(*b), (void *)known);
    }
    return (uint32_t)(known - 1);
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Takes ownership of the list. */
static uint32_t access_intern(struct preview *p, struct id_list *boxes)
{
    size_t kept = 0;

    if (!boxes->len) {
        vec_release(boxes);
        return NONE;
    }
    qsort(boxes->items, boxes->len, sizeof(*boxes->items), by_id);
    for (size_t i = 0; i < boxes->len; i++)
        if (!kept || boxes->items[kept - 1] != boxes->items[i])
            boxes->items[kept++] = boxes->items[i];
    boxes->len = kept;
    uintptr_t known = (uintptr_t)map_get(&p->access_index, boxes->items, kept * sizeof(*boxes->items));
    if (known) {
        vec_release(boxes);
        return (uint32_t)(known - 1);
    }
    vec_push(&p->accesses, *boxes);
    map_put(&p->access_index, boxes->items, kept * sizeof(*boxes->items), (void *)(uintptr_t)p->accesses.len);
    return (uint32_t)(p->accesses.len - 1);
}

/* ---- one unit and one group ---- */

struct opening_builder {
    struct preview *p;
    const struct policy_view *v;
    const struct vclass *c;
    const struct vnode *n; /* one of the group */
    const struct policy_unit *u;
    struct id_list boxes;
};

static void add_box(struct opening_builder *b, enum box_place place, const struct addr_range *range, int proto,
                    uint16_t first, uint16_t last, uint32_t text)
{
    struct preview_box box;

    memset(&box, 0, sizeof(box));
    box.place = place;
    box.proto = proto;
    box.first = first;
    box.last = last;
    box.text = text;
    if (range)
        box.range = *range;
    vec_push(&b->boxes, box_intern(b->p, &box));
}

/* For protocols without ports, any range reaches all of them. */
static void add_ports(struct opening_builder *b, enum box_place place, const struct addr_range *range, int proto,
                      const struct port_range *ports, size_t count)
{
    bool ipv6 = place == BOX_OWN6 || (place == BOX_RANGE && range->first.bits == 128);

    if ((proto == 1 && ipv6) || (proto == 58 && !ipv6))
        return;
    if (!proto_has_ports(proto) && count)
        add_box(b, place, range, proto, 0, UINT16_MAX, 0);
    for (size_t i = 0; proto_has_ports(proto) && i < count; i++)
        add_box(b, place, range, proto, ports[i].first, ports[i].last, 0);
}

static void add_services(struct opening_builder *b, const struct policy_destination *d, enum box_place place,
                         const struct addr_range *range)
{
    static const int usual[] = {6, 17, 1, 58};

    for (size_t i = 0; b->u->ip && i < b->u->rule->services.len; i++) {
        const struct policy_service *s = &b->u->rule->services.items[i];
        const struct port_range *ports = b->u->rule->is_grant ? s->ports : d->ports;
        size_t count = b->u->rule->is_grant ? s->port_count : d->port_count;
        if (s->proto != PROTO_DEFAULT)
            add_ports(b, place, range, s->proto, ports, count);
        for (size_t k = 0; s->proto == PROTO_DEFAULT && k < ARRAY_LEN(usual); k++)
            add_ports(b, place, range, usual[k], ports, count);
    }
}

/* The values of a capability, each as text of its own, because it does not matter how rules combine them. */
static const struct id_list *app_texts(struct preview *p, const struct policy_app *app)
{
    struct id_list *texts = map_get(&p->app_texts, &app, sizeof(app));
    json_t *values = NULL, *value;
    size_t i;

    if (texts)
        return texts;
    texts = mem_alloc(sizeof(*texts));
    map_put(&p->app_texts, &app, sizeof(app), texts);
    if (json_read_large(app->json, strlen(app->json), SIZE_MAX, "a capability", &values, NULL) == 0)
        json_array_foreach(values, i, value)
        {
            char *compact = json_compact(value), *text = mem_format("cap %s %s", app->name, compact);
            vec_push(texts, preview_text(p, text));
            free(text);
            free(compact);
        }
    json_decref(values);
    if (!texts->len) {
        char *text = mem_format("cap %s", app->name);
        vec_push(texts, preview_text(p, text));
        free(text);
    }
    return texts;
}

static void add_own(struct opening_builder *b, const struct policy_destination *d, unsigned families)
{
    for (enum box_place place = BOX_OWN4; place <= BOX_OWN6; place++) {
        bool there = place == BOX_OWN4 ? b->n->ipv4.bits && !b->c->hides_ipv4 : b->n->ipv6.bits != 0;
        if (!there || !(families & (place == BOX_OWN4 ? FAMILY_V4 : FAMILY_V6)))
            continue;
        add_services(b, d, place, NULL);
        for (size_t i = 0; b->u->cap && !b->u->companion && i < b->u->rule->apps.len; i++) {
            const struct id_list *texts = app_texts(b->p, &b->u->rule->apps.items[i]);
            for (size_t k = 0; k < texts->len; k++)
                add_box(b, place, NULL, BOX_CAPABILITY, 0, 0, texts->items[k]);
        }
    }
}

/* Adds the intersection of two ranges. */
static void add_part(struct opening_builder *b, const struct policy_destination *d, const struct addr_range *x,
                     const struct addr_range *y)
{
    struct addr_range both = *x;

    if (x->first.bits != y->first.bits || addr_cmp(&x->last, &y->first) < 0 || addr_cmp(&y->last, &x->first) < 0)
        return;
    if (addr_cmp(&both.first, &y->first) < 0)
        both.first = y->first;
    if (addr_cmp(&both.last, &y->last) > 0)
        both.last = y->last;
    add_services(b, d, BOX_RANGE, &both);
}

/* Adds the part of the range that the group routes. */
static void add_routed(struct opening_builder *b, const struct policy_destination *d, const struct addr_range *range)
{
    for (size_t i = 0; i < b->c->route_count; i++) {
        struct addr_range own = range_of(&b->v->routes.items[b->c->routes[i]]->prefix);
        add_part(b, d, range, &own);
    }
}

static void add_internet(struct opening_builder *b, const struct policy_destination *d, bool exit)
{
    for (size_t i = 0; i < INTERNET_RANGES; i++)
        if (exit)
            add_services(b, d, BOX_RANGE, &b->v->internet[i]);
        else
            add_routed(b, d, &b->v->internet[i]);
}

/* Adds an exit node that is granted by its own address: all ports. */
static void add_exit(struct opening_builder *b)
{
    static const struct port_range all = {0, UINT16_MAX};
    static const int usual[] = {6, 17, 1, 58};

    for (size_t i = 0; i < INTERNET_RANGES; i++)
        for (size_t k = 0; k < ARRAY_LEN(usual); k++)
            add_ports(b, BOX_RANGE, &b->v->internet[i], usual[k], &all, 1);
}

static void add_everything(struct opening_builder *b, const struct policy_destination *d)
{
    add_own(b, d, FAMILY_BOTH);
    for (size_t i = 0; i < b->c->route_count; i++) {
        struct addr_range own = range_of(&b->v->routes.items[b->c->routes[i]]->prefix);
        add_services(b, d, BOX_RANGE, &own);
    }
    if (b->c->exit)
        add_internet(b, d, true);
}

static void add_literal(struct opening_builder *b, const struct policy_destination *d, const struct policy_principal *q)
{
    struct addr_range range = range_of(&q->prefix);

    if (bit_has(b->c->addr, d->alias.principal))
        add_own(b, d, q->prefix.addr.bits == 32 ? FAMILY_V4 : FAMILY_V6);
    add_routed(b, d, &range);
    for (size_t i = 0; b->c->exit && i < INTERNET_RANGES; i++)
        add_part(b, d, &range, &b->v->internet[i]);
}

static void add_via(struct opening_builder *b, const struct policy_destination *d, const struct policy_principal *q)
{
    struct addr_range range;

    if (!bit_has(b->c->recv, b->u->index))
        return;
    switch (q->kind) {
    case PRINCIPAL_INTERNET:
        add_internet(b, d, true);
        break;
    case PRINCIPAL_ANY:
        for (size_t i = 0; i < TAILNET_RANGES; i++)
            add_routed(b, d, &b->v->tailnet[i]);
        break;
    default:
        range = range_of(&q->prefix);
        add_routed(b, d, &range);
    }
}

static void add_destination(struct opening_builder *b, const struct policy_destination *d)
{
    const struct policy_principal *q = &b->v->p->principals.items[d->alias.principal];

    if (b->u->kind == UNIT_SELF) {
        add_own(b, d, FAMILY_BOTH);
        return;
    }
    if (b->u->kind == UNIT_VIA) {
        add_via(b, d, q);
        return;
    }
    switch (destination_reach(b->v, b->c, d->alias.principal)) {
    case REACH_NOT:
        break;
    case REACH_SELF:
        add_own(b, d, FAMILY_BOTH);
        break;
    case REACH_LITERAL:
        add_literal(b, d, q);
        break;
    case REACH_ANY:
        add_everything(b, d);
        break;
    case REACH_INTERNET:
        add_internet(b, d, b->c->exit);
        break;
    }
}

/* ---- all of a view ---- */

static void build_group(struct preview *p, int side, uint32_t group)
{
    const struct policy_view *v = p->v[side];
    struct opening_builder b = {.p = p, .v = v};
    uint64_t *units = bits_new(v->unit_words);

    b.c = &v->classes.items[p->groups.items[group].class_id[side]];
    b.n = &v->nodes[p->groups.items[group].nodes.items[0]];
    bits_or(units, b.c->filter, v->unit_words);
    for (size_t i = 0; b.c->user != NONE && i < v->self_units.len; i++)
        bit_set(units, v->self_units.items[i]);
    for_bits(i, units, v->unit_words)
    {
        b.u = &v->p->units.items[i];
        if (!preview_spend(p, 1 + b.u->dst.len * (1 + b.c->route_count)))
            break;
        for (size_t k = 0; !b.u->companion && k < b.u->dst.len; k++)
            add_destination(&b, &b.u->dst.items[k]);
        if (unit_grants_exit(v, b.u, b.c))
            add_exit(&b);
        struct preview_opening o = {.group = group, .access = {NONE, PREVIEW_UNKNOWN, PREVIEW_UNKNOWN, NONE}};
        o.access[FAMILY_BOTH] = access_intern(p, &b.boxes);
        b.boxes = (struct id_list){0};
        if (o.access[FAMILY_BOTH] != NONE)
            vec_push(&p->by_unit[side][i], o);
    }
    free(units);
}

static void build_ssh(struct preview *p, int side, uint32_t group)
{
    const struct policy_view *v = p->v[side];
    const struct vnode *n = &v->nodes[p->groups.items[group].nodes.items[0]];

    for (size_t i = 0; i < v->p->ssh.len && preview_spend(p, 1); i++) {
        struct preview_opening o = {.group = group};
        if (ssh_rule_leads_to(v, &v->p->ssh.items[i], n))
            vec_push(&p->by_ssh_rule[side][i], o);
    }
}

void preview_build_openings(struct preview *p, int side)
{
    const struct policy *policy = p->v[side]->p;

    p->by_unit[side] = mem_alloc((policy->units.len + 1) * sizeof(struct preview_openings));
    p->by_ssh_rule[side] = mem_alloc((policy->ssh.len + 1) * sizeof(struct preview_openings));
    for (uint32_t g = 0; g < p->groups.len; g++) {
        build_group(p, side, g);
        build_ssh(p, side, g);
    }
}

uint32_t preview_access(struct preview *p, struct preview_opening *o, unsigned families)
{
    if (o->access[families] != PREVIEW_UNKNOWN)
        return o->access[families];
    struct id_list some = {0};
    const struct id_list *all = &p->accesses.items[o->access[FAMILY_BOTH]];

    for (size_t i = 0; i < all->len; i++)
        if (box_family(&p->boxes.items[all->items[i]]) & families)
            vec_push(&some, all->items[i]);
    o->access[families] = access_intern(p, &some);
    return o->access[families];
}

void preview_release_access(struct preview *p)
{
    for (int side = 0; side < 2; side++) {
        for (size_t u = 0; u < p->v[side]->p->units.len; u++)
            vec_release(&p->by_unit[side][u]);
        for (size_t r = 0; r < p->v[side]->p->ssh.len; r++)
            vec_release(&p->by_ssh_rule[side][r]);
        free(p->by_unit[side]);
        free(p->by_ssh_rule[side]);
    }
    for (size_t i = 0; i < p->accesses.len; i++)
        vec_release(&p->accesses.items[i]);
    for (struct map_entry *e = map_first(&p->app_texts); e; e = map_next(&p->app_texts, e)) {
        struct id_list *texts = e->value;
        vec_release(texts);
        free(texts);
    }
    vec_release(&p->accesses);
    vec_release(&p->boxes);
    map_release(&p->access_index);
    map_release(&p->box_index);
    map_release(&p->app_texts);
}
