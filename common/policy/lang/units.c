/* SPDX-License-Identifier: BSD-3-Clause */
/* Turns rules into units. A unit has one list of sources and one list of destinations, and views keep one bit for it.
 * Units of their own are: the part of a rule with autogroup:self, because it means something different on each user's
 * devices; each destination of a grant with via, because a router is only involved in the destinations that it routes;
 * and each companion, which grants a capability in the opposite direction. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lang/parse.h"

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Interns the set and takes ownership of the array. */
static uint32_t list_intern(struct policy *p, uint32_t *principals, size_t count)
{
    size_t kept = 0;

    if (count)
        qsort(principals, count, sizeof(*principals), by_number);
    for (size_t i = 0; i < count; i++)
        if (!kept || principals[kept - 1] != principals[i])
            principals[kept++] = principals[i];
    uintptr_t known = (uintptr_t)map_get(&p->list_index, principals, kept * sizeof(*principals));
    if (known) {
        free(principals);
        return (uint32_t)(known - 1);
    }
    struct policy_source_list list = {principals, kept};
    vec_push(&p->lists, list);
    map_put(&p->list_index, principals, kept * sizeof(*principals), (void *)(uintptr_t)p->lists.len);
    return (uint32_t)(p->lists.len - 1);
}

static uint32_t list_of_aliases(struct policy *p, const struct policy_selectors *a)
{
    uint32_t *ids = mem_resize(NULL, a->len + 1, sizeof(*ids));

    for (size_t i = 0; i < a->len; i++)
        ids[i] = a->items[i].principal;
    return list_intern(p, ids, a->len);
}

static uint32_t list_of_destinations(struct policy *p, const struct policy_unit *u)
{
    uint32_t *ids = mem_resize(NULL, u->dst.len + 1, sizeof(*ids));

    for (size_t i = 0; i < u->dst.len; i++)
        ids[i] = u->dst.items[i].alias.principal;
    return list_intern(p, ids, u->dst.len);
}

static bool covers_internet(const struct policy *p, const struct policy_unit *u)
{
    struct addr_ranges all = {0}, net = {0}, v4 = {0}, v6 = {0};
    struct addr_range internet[INTERNET_RANGES];
    bool yes = false;

    for (size_t i = 0; i < u->dst.len; i++) {
        const struct policy_principal *q = &p->principals.items[u->dst.items[i].alias.principal];
        if (q->kind == PRINCIPAL_ANY || q->kind == PRINCIPAL_INTERNET)
            yes = true;
        else if (q->kind == PRINCIPAL_PREFIX)
            ranges_push_prefix(&all, &q->prefix);
    }
    if (!yes && all.len) {
        ranges_normalise(&all);
        ranges_push_text(&v4, "0.0.0.0/0");
        ranges_push_text(&v6, "::/0");
        ranges_internet(internet);
        for (size_t i = 0; i < INTERNET_RANGES; i++)
            ranges_push(&net, &internet[i]);
        yes = ranges_covers(&all, &v4) || ranges_covers(&all, &v6) || ranges_covers(&all, &net);
    }
    ranges_release(&all);
    ranges_release(&net);
    ranges_release(&v4);
    ranges_release(&v6);
    return yes;
}

static bool rule_full(const struct policy_rule *r)
{
    for (size_t i = 0; i < r->services.len; i++)
        if (r->services.items[i].proto == PROTO_DEFAULT &&
            (!r->is_grant || ports_all(r->services.items[i].ports, r->services.items[i].port_count)))
            return true;
    return false;
}

static struct policy_unit *unit_add(struct policy *p, enum policy_unit_kind kind, const struct policy_rule *r)
{
    struct policy_unit *u = vec_add(&p->units);

    *u = (struct policy_unit){.kind = kind,
                              .rule = r,
                              .index = (uint32_t)(p->units.len - 1),
                              .base = (uint32_t)(p->units.len - 1),
                              .ip = r->services.len > 0,
                              .cap = r->apps.len > 0 && kind != UNIT_VIA,
                              .full = rule_full(r)};
    return u;
}

/* Adds the reversed rules that some capabilities imply. of: index of the unit that they accompany. */
static void add_companions(struct policy *p, size_t of)
{
    static const struct {
        const char *name, *companion;
    } pairs[] = {{"tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"},
                 {"tailscale.com/cap/relay", "tailscale.com/cap/relay-target"}};
    const struct policy_rule *r = p->units.items[of].rule;

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < r->apps.len; i++) {
            if (!str_eq(r->apps.items[i].name, pairs[k].name))
                continue;
            uint32_t sources = list_of_destinations(p, &p->units.items[of]);
            struct policy_unit *u = unit_add(p, p->units.items[of].kind, r);
            u->companion = pairs[k].companion;
            u->base = (uint32_t)of;
            u->sources = sources;
            u->ip = u->full = false;
            u->cap = true;
            for (size_t j = 0; j < r->src.len; j++) {
                struct policy_destination d = {.alias = r->src.items[j]};
                vec_push(&u->dst, d);
            }
        }
}

static void add_via_units(struct policy *p, const struct policy_rule *r)
{
    for (size_t i = 0; i < r->dst.len; i++) {
        uint32_t sources = list_of_aliases(p, &r->src);
        struct policy_unit *u = unit_add(p, UNIT_VIA, r);

        u->sources = sources;
        vec_push(&u->dst, r->dst.items[i]);
        u->internet = p->principals.items[r->dst.items[i].alias.principal].kind == PRINCIPAL_INTERNET;
        u->full = false;
    }
}

static void add_part(struct policy *p, const struct policy_rule *r, bool self)
{
    uint32_t sources = list_of_aliases(p, &r->src);
    struct policy_unit *u = NULL;

    for (size_t i = 0; i < r->dst.len; i++) {
        bool is_self = p->principals.items[r->dst.items[i].alias.principal].kind == PRINCIPAL_SELF;
        if (is_self != self)
            continue;
        if (!u)
            u = unit_add(p, self ? UNIT_SELF : UNIT_PLAIN, r);
        vec_push(&u->dst, r->dst.items[i]);
    }
    if (!u)
        return;
    u->sources = sources;
    u->internet = !self && covers_internet(p, u);
    u->full &= !self;
    add_companions(p, u->index);
}

/* autogroup:self is moved behind the other destinations if any of them is not an autogroup; otherwise the order is
 * kept. */
static bool self_first(const struct policy *p, const struct policy_rule *r)
{
    bool first = r->dst.len && p->principals.items[r->dst.items[0].alias.principal].kind == PRINCIPAL_SELF;

    for (size_t i = 0; i < r->dst.len; i++)
        switch (p->principals.items[r->dst.items[i].alias.principal].kind) {
        case PRINCIPAL_ANY:
        case PRINCIPAL_USER:
        case PRINCIPAL_GROUP:
        case PRINCIPAL_TAG:
        case PRINCIPAL_PREFIX:
        case PRINCIPAL_DOMAIN:
        case PRINCIPAL_HOST:
            return false;
        default:
            break;
        }
    return first;
}

/* Adds a rule from source to every destination on all ports. */
static void add_open_rule(struct policy *p, enum policy_principal_kind source)
{
    struct policy_rule *r = mem_alloc(sizeof(*r));
    struct policy_service s = {.proto = PROTO_DEFAULT};
    struct policy_destination d = {.port_count = 1, .ports = arena_alloc(&p->arena, sizeof(struct port_range))};
    struct policy_selector from = {.principal = principal_intern(p, source, "", NULL), .text = "*"};

    d.alias = (struct policy_selector){.principal = principal_intern(p, PRINCIPAL_ANY, "", NULL), .text = "*"};
    if (d.ports)
        d.ports[0] = (struct port_range){0, UINT16_MAX};
    r->offset = SIZE_MAX;
    vec_push(&r->services, s);
    vec_push(&r->src, from);
    vec_push(&r->dst, d);
    vec_push(&p->rules, r);
}

void units_build(struct policy *p)
{
    if (p->allow_all)
        add_open_rule(p, PRINCIPAL_ANY);
    for (size_t i = 0; i < p->rules.len; i++) {
        const struct policy_rule *r = p->rules.items[i];

        if (r->src.len == 0 || r->dst.len == 0)
            continue;
        for (size_t j = 0; j < r->dst.len; j++)
            p->names_exit |= p->principals.items[r->dst.items[j].alias.principal].kind == PRINCIPAL_INTERNET;
        p->names_exit |= r->via.len > 0;
        if (r->via.len) {
            add_via_units(p, r);
        } else {
            bool self = self_first(p, r);
            add_part(p, r, self);
            add_part(p, r, !self);
        }
    }
    for (size_t i = 0; i < p->ssh.len; i++)
        p->ssh.items[i].sources = list_of_aliases(p, &p->ssh.items[i].src);
}

struct policy *policy_open(void)
{
    struct policy *p = policy_alloc();

    p->text = mem_strdup("");
    add_open_rule(p, PRINCIPAL_DANGER);
    units_build(p);
    return p;
}
