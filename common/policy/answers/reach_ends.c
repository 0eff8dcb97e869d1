/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows and columns of a matrix, and the facts about each of them. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/answers/reach.h"

/* ---- finding ---- */

struct end_finder {
    struct reach *r;
    struct reach_ends *out;
    size_t max;
    uint64_t *within;  /* slots; NULL: all */
    struct prefix net; /* the networks that overlap it; addr.bits 0: those of the nodes in within */
};

static struct reach_end *add_end(struct end_finder *f, enum reach_kind kind, const char *name)
{
    f->out->total++;
    if (f->out->len == f->max)
        return NULL;
    vec_push(f->out, ((struct reach_end){.kind = kind, .name = mem_strdup(name), .route = NONE}));
    return &f->out->items[f->out->len - 1];
}

static bool any_within(const struct end_finder *f, const struct id_list *slots)
{
    if (!f->within)
        return true;
    for (size_t i = 0; i < slots->len; i++)
        if (bit_has(f->within, slots->items[i]))
            return true;
    return false;
}

/* Takes ownership of the slots. */
static void add_nodes_end(struct end_finder *f, enum reach_kind kind, const char *name, struct id_list *slots)
{
    struct reach_end *end = any_within(f, slots) ? add_end(f, kind, name) : NULL;

    if (end) {
        end->slots = *slots;
        *slots = (struct id_list){0};
    }
    vec_release(slots);
}

static int by_text(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_users(struct end_finder *f)
{
    const struct policy_view *v = f->r->v;
    VEC(const char *) names = {0};
    struct map index = {0};

    for (uint32_t u = 0; u < v->user_count; u++)
        if (!v->users[u].gone) {
            vec_push(&names, v->users[u].name);
            map_put(&index, v->users[u].name, strlen(v->users[u].name) + 1, (void *)(uintptr_t)(u + 1U));
        }
    if (names.len)
        qsort(names.items, names.len, sizeof(*names.items), by_text);
    for (size_t i = 0; i < names.len && reach_spend(f->r, 1); i++) {
        uintptr_t u = (uintptr_t)map_get(&index, names.items[i], strlen(names.items[i]) + 1);
        struct id_list slots = {0};
        for (size_t k = 0; k < v->users[u - 1].devices.len; k++)
            vec_push(&slots, v->users[u - 1].devices.items[k]);
        add_nodes_end(f, REACH_KIND_USER, names.items[i], &slots);
    }
    vec_release(&names);
    map_release(&index);
}

static void add_selector(struct end_finder *f, enum reach_kind kind, const struct policy_principal *q, const char *name)
{
    struct id_list slots = {0};

    /* Ends beyond the maximum are only counted. */
    if (f->out->len == f->max && !f->within) {
        f->out->total++;
        return;
    }
    if (!reach_spend(f->r, f->r->v->slots))
        return;
    selector_resolve(f->r->v, q, &slots, NULL);
    add_nodes_end(f, kind, name, &slots);
}

static void add_groups(struct end_finder *f)
{
    const struct policy *p = f->r->v->p;

    for (uint32_t i = 0; i < p->groups.len; i++)
        add_selector(f, REACH_KIND_GROUP,
                     &(struct policy_principal){.kind = PRINCIPAL_GROUP, .text = p->groups.items[i].name, .group = i},
                     p->groups.items[i].name);
}

/* Tags of nodes, and those that the policy names. */
static void add_tags(struct end_finder *f)
{
    const struct policy_view *v = f->r->v;
    struct strs tags = {0};
    struct map known = {0};

    for (uint32_t i = 0; i < v->slots; i++)
        for (size_t k = 0; v->nodes[i].used && k < v->nodes[i].tags.len; k++)
            if (!map_put(&known, v->nodes[i].tags.items[k], strlen(v->nodes[i].tags.items[k]) + 1, f))
                strs_push(&tags, v->nodes[i].tags.items[k]);
    for (size_t i = 0; i < v->p->tags.len; i++)
        if (!map_put(&known, v->p->tags.items[i].tag, strlen(v->p->tags.items[i].tag) + 1, f))
            strs_push(&tags, v->p->tags.items[i].tag);
    if (tags.len)
        qsort(tags.items, tags.len, sizeof(*tags.items), by_text);
    for (size_t i = 0; i < tags.len; i++)
        add_selector(f, REACH_KIND_TAG,
                     &(struct policy_principal){.kind = PRINCIPAL_TAG, .text = tags.items[i], .group = NONE},
                     tags.items[i]);
    strs_release(&tags);
    map_release(&known);
}

struct named_slot {
    const char *name;
    uint32_t slot;
};

static int by_name(const void *a, const void *b)
{
    const struct named_slot *x = a, *y = b;
    int order = strverscmp(x->name, y->name);

    return order ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static void add_each_node(struct end_finder *f, enum reach_kind kind)
{
    const struct policy_view *v = f->r->v;
    VEC(struct named_slot) nodes = {0};

    for (uint32_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used && (!f->within || bit_has(f->within, i)) &&
            (kind == REACH_KIND_NODE || prefixes_has_exit(&v->nodes[i].routes)))
            vec_push(&nodes, ((struct named_slot){v->nodes[i].name, i}));
    if (nodes.len)
        qsort(nodes.items, nodes.len, sizeof(*nodes.items), by_name);
    for (size_t i = 0; i < nodes.len; i++) {
        struct reach_end *end = add_end(f, kind, nodes.items[i].name);
        if (end)
            vec_push(&end->slots, nodes.items[i].slot);
    }
    vec_release(&nodes);
}

static bool wants_route(const struct end_finder *f, const struct vroute *r)
{
    if (f->net.addr.bits && prefix_overlaps(&f->net, &r->prefix))
        return true;
    return (!f->net.addr.bits && !f->within) || (f->within && any_within(f, &r->holders));
}

static void add_prefixes(struct end_finder *f)
{
    const struct policy_view *v = f->r->v;

    for (size_t i = 0; i < v->subnets.len; i++) {
        uintptr_t known = (uintptr_t)map_get(&v->route_index, &v->subnets.items[i], sizeof(v->subnets.items[i]));
        char text[PREFIX_TEXT_MAX];
        if (!known || !wants_route(f, v->routes.items[known - 1]))
            continue;
        struct reach_end *end = add_end(f, REACH_KIND_PREFIX, prefix_format(&v->subnets.items[i], text));
        if (end)
            end->route = (uint32_t)(known - 1);
    }
}

/* ---- what a text stands for ---- */

static bool add_kind(struct end_finder *f, const char *word, size_t len, bool sources)
{
    static const char *const words[] = {
        [REACH_KIND_USER] = "users", [REACH_KIND_GROUP] = "groups",    [REACH_KIND_TAG] = "tags",
        [REACH_KIND_NODE] = "nodes", [REACH_KIND_PREFIX] = "prefixes", [REACH_KIND_EXIT] = "exits"};
    enum reach_kind kind = REACH_KIND_SELECTOR;

    for (size_t i = REACH_KIND_USER; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == len && strncmp(words[i], word, len) == 0)
            kind = (enum reach_kind)i;
    switch (kind) {
    case REACH_KIND_USER:
        add_users(f);
        return true;
    case REACH_KIND_GROUP:
        add_groups(f);
        return true;
    case REACH_KIND_TAG:
        add_tags(f);
        return true;
    case REACH_KIND_PREFIX:
        if (!sources)
            add_prefixes(f);
        return !sources;
    case REACH_KIND_NODE:
        add_each_node(f, kind);
        return true;
    case REACH_KIND_EXIT:
        if (!sources)
            add_each_node(f, kind);
        return !sources;
    case REACH_KIND_SELECTOR:
        break;
    }
    return false;
}

/* Reads a node, a user, or a selector of policies, with the kind as in explanations. */
static int read_selector(const struct policy_view *v, const char *text, struct policy_principal *q,
                         struct id_list *slots)
{
    for (uint32_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used && str_eq(v->nodes[i].name, text)) {
            vec_push(slots, i);
            return PRINCIPAL_USER;
        }
    for (uint32_t u = 0; u < v->user_count; u++)
        if (!v->users[u].gone && (str_eq(v->users[u].name, text) || str_eq(v->users[u].email, text))) {
            for (size_t i = 0; i < v->users[u].devices.len; i++)
                vec_push(slots, v->users[u].devices.items[i]);
            return PRINCIPAL_USER;
        }
    int kind = selector_read(v->p, text, q);
    if (kind < 0 && str_starts(text, "tag:")) {
        *q = (struct policy_principal){.kind = PRINCIPAL_TAG, .text = text, .group = NONE};
        kind = PRINCIPAL_TAG;
    }
    if (kind >= 0)
        selector_resolve(v, q, slots, NULL);
    return kind;
}

static int unknown(const char *text, struct err *e)
{
    return err_set(e, ERR_MISSING, "\"%.100s\" is no node, user, tag or group here, and no network that is routed",
                   text);
}

static int add_one(struct end_finder *f, const char *text, bool sources, struct err *e)
{
    struct policy_principal q = {0};
    struct id_list slots = {0};
    int kind = read_selector(f->r->v, text, &q, &slots);

    if (!sources && kind == PRINCIPAL_INTERNET) {
        vec_release(&slots);
        add_each_node(f, REACH_KIND_EXIT);
        return 0;
    }
    if (!sources && kind == PRINCIPAL_PREFIX && !slots.len) {
        f->net = q.prefix;
        add_prefixes(f);
        return f->out->total ? 0 : unknown(text, e);
    }
    if (kind < 0) {
        vec_release(&slots);
        return unknown(text, e);
    }
    add_nodes_end(f, REACH_KIND_SELECTOR, text, &slots);
    return 0;
}

static int read_within(struct end_finder *f, const char *in, struct err *e)
{
    const struct policy_view *v = f->r->v;
    struct policy_principal q = {0};
    struct id_list slots = {0};
    int kind = read_selector(v, in, &q, &slots);

    if (kind < 0) {
        vec_release(&slots);
        return unknown(in, e);
    }
    if (kind == PRINCIPAL_PREFIX)
        f->net = q.prefix;
    f->within = bits_new(v->slots / 64);
    for (size_t i = 0; i < slots.len; i++)
        bit_set(f->within, slots.items[i]);
    vec_release(&slots);
    return 0;
}

int reach_ends_find(struct reach *r, const char *text, const char *in, bool sources, size_t max, struct reach_ends *out,
                    struct err *e)
{
    struct end_finder f = {.r = r, .out = out, .max = max};
    int code = in && *in ? read_within(&f, in, e) : 0;
    size_t len = strcspn(text, ",");

    if (code == 0 && !add_kind(&f, text, len, sources))
        code = text[len] ? ERR_INVALID : add_one(&f, text, sources, e);
    while (code == 0 && text[len]) {
        text += len + 1;
        len = strcspn(text, ",");
        code = add_kind(&f, text, len, sources) ? 0 : ERR_INVALID;
    }
    if (code == ERR_INVALID)
        code = err_set(e, ERR_INVALID, "\"%.*s\" is no kind of %s: %s", len < 100 ? (int)len : 100, text,
                       sources ? "source" : "destination",
                       sources ? "users, groups, tags, nodes" : "users, groups, tags, nodes, prefixes, exits");
    free(f.within);
    return code;
}

void reach_ends_release(const struct policy_view *v, struct reach_ends *ends)
{
    for (size_t i = 0; i < ends->len; i++) {
        struct reach_end *end = &ends->items[i];
        for (size_t k = 0; end->self_users && k < v->self_units.len; k++)
            free(end->self_users[k]);
        free(end->self_users);
        free(end->users);
        free(end->name);
        vec_release(&end->slots);
        vec_release(&end->classes);
        vec_release(&end->facts);
    }
    vec_release(ends);
}

/* ---- what the rules say ---- */

static unsigned address_families(const struct vnode *n)
{
    return (n->ipv4.bits ? FAMILY_V4 : 0U) | (n->ipv6.bits ? FAMILY_V6 : 0U);
}

static void sort_classes(struct reach *r, struct reach_end *end)
{
    struct map index = {0};

    for (size_t i = 0; i < end->slots.len && reach_spend(r, 1); i++) {
        uint32_t slot = end->slots.items[i];
        const struct vnode *n = &r->v->nodes[slot];
        uintptr_t known = (uintptr_t)map_getu(&index, n->class_id + 1U);
        if (!known) {
            vec_push(&end->classes, ((struct reach_class){.class_id = n->class_id, .first = slot}));
            known = end->classes.len;
            map_putu(&index, n->class_id + 1U, (void *)known);
        }
        struct reach_class *c = &end->classes.items[known - 1];
        c->nodes++;
        c->last = slot;
        c->families |= address_families(n) & ~(r->v->classes.items[n->class_id].hides_ipv4 ? FAMILY_V4 : 0U);
    }
    map_release(&index);
}

static void add_fact(struct reach_end *end, struct map *index, uint32_t unit, uint32_t dst, unsigned families,
                     const struct reach_class *c)
{
    uint64_t key = (uint64_t)unit << 32 | (dst + 1U);
    uintptr_t known = (uintptr_t)map_getu(index, key);

    if (!known) {
        vec_push(&end->facts, ((struct reach_fact){.unit = unit, .dst = dst, .first = c->first}));
        known = end->facts.len;
        map_putu(index, key, (void *)known);
    }
    struct reach_fact *fact = &end->facts.items[known - 1];
    fact->families |= families;
    fact->nodes += c->nodes;
    fact->last = c->last;
}

static int by_unit(const void *a, const void *b)
{
    const struct reach_fact *x = a, *y = b;

    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (x->dst > y->dst) - (x->dst < y->dst);
}

static void sort_facts(struct reach_end *end)
{
    if (end->facts.len)
        qsort(end->facts.items, end->facts.len, sizeof(*end->facts.items), by_unit);
}

/* Collects the users of the untagged devices and, for each autogroup:self rule, those whose devices are its sources. */
static void learn_users(struct reach *r, struct reach_end *end, bool source)
{
    const struct policy_view *v = r->v;
    size_t words = BITS_WORDS(v->user_count);

    if (!v->self_units.len || !reach_spend(r, WORD_COST * words * (source ? v->self_units.len + 1 : 1)))
        return;
    end->users = bits_new(words);
    if (source)
        end->self_users = mem_alloc(v->self_units.len * sizeof(*end->self_users));
    for (size_t i = 0; i < end->classes.len; i++) {
        const struct vclass *c = &v->classes.items[end->classes.items[i].class_id];
        if (c->user == NONE)
            continue;
        bit_set(end->users, c->user);
        for (size_t k = 0; source && k < v->self_units.len; k++)
            if (bit_has(c->self_src, v->self_units.items[k])) {
                if (!end->self_users[k])
                    end->self_users[k] = bits_new(words);
                bit_set(end->self_users[k], c->user);
            }
    }
}

/* The families by the addresses of the nodes themselves. */
static unsigned target_families(const struct policy_view *v, const struct vclass *c, uint32_t principal)
{
    const struct policy_principal *q = &v->p->principals.items[principal];

    switch (destination_reach(v, c, principal)) {
    case REACH_NOT:
    case REACH_INTERNET:
        return 0;
    case REACH_LITERAL:
        return !bit_has(c->addr, principal) ? 0 : q->prefix.addr.bits == 32 ? FAMILY_V4 : FAMILY_V6;
    case REACH_SELF:
    case REACH_ANY:
        return FAMILY_BOTH;
    }
    return 0;
}

/* Collects the facts about a unit and a class. Returns false if the budget is used up. */
typedef bool learn_unit(struct reach *r, struct reach_end *end, struct map *index, const struct reach_class *c,
                        uint32_t unit);

static bool learn_as_source(struct reach *r, struct reach_end *end, struct map *index, const struct reach_class *c,
                            uint32_t u)
{
    const struct policy_view *v = r->v;
    const struct policy_unit *unit = &v->p->units.items[u];
    unsigned families = unit_source_families(v, unit, &v->classes.items[c->class_id]) & c->families;

    if (!reach_spend(r, WORD_COST + v->p->lists.items[unit->sources].count))
        return false;
    if (families)
        add_fact(end, index, u, 0, families, c);
    return true;
}

static bool learn_as_target(struct reach *r, struct reach_end *end, struct map *index, const struct reach_class *c,
                            uint32_t u)
{
    const struct policy_view *v = r->v;
    const struct policy_unit *unit = &v->p->units.items[u];

    if (!reach_spend(r, WORD_COST + unit->dst.len))
        return false;
    for (uint32_t d = 0; d < unit->dst.len; d++) {
        unsigned families =
            target_families(v, &v->classes.items[c->class_id], unit->dst.items[d].alias.principal) & c->families;
        if (families)
            add_fact(end, index, u, d, families, c);
    }
    return true;
}

static void learn_classes(struct reach *r, struct reach_end *end, bool source)
{
    learn_unit *learn = source ? learn_as_source : learn_as_target;
    const struct policy_view *v = r->v;
    struct map index = {0};

    sort_classes(r, end);
    for (size_t i = 0; i < end->classes.len; i++) {
        const struct vclass *class = &v->classes.items[end->classes.items[i].class_id];
        const uint64_t *units = source ? class->src_addr : class->dst;
        for_bits(u, units, v->unit_words)
        {
            if (bit_has(v->plain_ip_units, u) && !learn(r, end, &index, &end->classes.items[i], u))
                break;
        }
    }
    sort_facts(end);
    learn_users(r, end, source);
    map_release(&index);
}

void reach_learn_source(struct reach *r, struct reach_end *end)
{
    learn_classes(r, end, true);
}

void reach_learn_target(struct reach *r, struct reach_end *end)
{
    learn_classes(r, end, false);
}
