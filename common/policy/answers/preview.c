/* SPDX-License-Identifier: BSD-3-Clause */
/* What a change of the policy adds and removes. Nodes that neither policy distinguishes form a group; for each pair of
 * groups that a rule connects, it compares what one may do on the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/answers/preview.h"

#define TEXTS_SHOWN 20 /* in one row */

/* ---- groups ---- */

/* If there are SSH rules between a user's own devices, these form a group of their own. */
static bool by_users(const struct preview *p)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < p->v[side]->p->ssh.len; i++)
            if (ssh_rule_is_own(p->v[side], &p->v[side]->p->ssh.items[i]))
                return true;
    return false;
}

static void build_groups(struct preview *p)
{
    bool users = by_users(p);

    for (uint32_t slot = 0; slot < p->v[0]->slots; slot++) {
        const struct vnode *a = view_node(p->v[0], slot), *b = view_node(p->v[1], slot);
        if (!a || !b)
            continue;
        uint64_t key[3] = {a->class_id, b->class_id, users && !a->tagged ? a->user_id : 0};
        uintptr_t known = (uintptr_t)map_get(&p->group_index, key, sizeof(key));
        if (!known) {
            struct preview_group g = {.class_id = {a->class_id, b->class_id}};
            vec_push(&p->groups, g);
            known = p->groups.len;
            map_put(&p->group_index, key, sizeof(key), (void *)known);
        }
        struct preview_group *g = &p->groups.items[known - 1];
        vec_push(&g->nodes, slot);
        g->online += a->online;
    }
}

/* ---- comparing ---- */

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort_unique(struct id_list *l)
{
    size_t kept = 0;

    if (l->len)
        qsort(l->items, l->len, sizeof(*l->items), by_id);
    for (size_t i = 0; i < l->len; i++)
        if (!kept || l->items[kept - 1] != l->items[i])
            l->items[kept++] = l->items[i];
    l->len = kept;
}

static void add_all(struct id_list *to, const struct id_list *from)
{
    for (size_t i = 0; i < from->len; i++)
        vec_push(to, from->items[i]);
}

static struct preview_row *row_for(struct preview *p, bool lost, uint32_t from, const struct preview_difference *d)
{
    static const struct id_list nothing;
    const struct id_list *texts = &d->texts[lost], *kept = lost ? &d->kept : &nothing;
    struct buf key = BUF_INIT(0);

    buf_addf(&key, "%d %u", lost, from);
    for (size_t i = 0; i < texts->len; i++)
        buf_addf(&key, " %u", texts->items[i]);
    buf_adds(&key, " kept");
    for (size_t i = 0; i < kept->len; i++)
        buf_addf(&key, " %u", kept->items[i]);
    uintptr_t known = (uintptr_t)map_gets(&p->row_index, buf_text(&key));
    if (!known) {
        struct preview_row r = {.lost = lost};
        vec_push(&r.from, from);
        add_all(&r.texts, texts);
        add_all(&r.kept, kept);
        vec_push(&p->rows, r);
        known = p->rows.len;
        map_puts(&p->row_index, buf_text(&key), (void *)known);
    }
    buf_release(&key);
    return &p->rows.items[known - 1];
}

static void compare_pair(struct preview *p, uint32_t from, uint32_t to, struct preview_held *held)
{
    const struct preview_group *a = &p->groups.items[from], *b = &p->groups.items[to];
    size_t pairs = a->nodes.len * b->nodes.len - (from == to ? a->nodes.len : 0);
    size_t online = a->online * b->online - (from == to ? a->online : 0);

    for (int side = 0; side < 2; side++)
        sort_unique(&held->access[side]);
    if (!pairs || (ids_eq(&held->access[0], &held->access[1]) && !held->ssh[0].len && !held->ssh[1].len) ||
        !preview_spend(p, 1))
        return;
    const struct preview_difference *d = preview_difference(p, held);
    for (int lost = 0; lost < 2; lost++) {
        if (!d->texts[lost].len)
            continue;
        struct preview_row *r = row_for(p, lost == 1, from, d);
        vec_push(&r->to, to);
        r->pairs += pairs;
        r->online_pairs += online;
    }
}

/* What one group may do on others, by group. */
struct holdings {
    struct preview_held *on;
    struct id_list touched;
};

static struct preview_held *hold_on(struct holdings *h, uint32_t group)
{
    struct preview_held *held = &h->on[group];

    if (!held->access[0].len && !held->access[1].len && !held->ssh[0].len && !held->ssh[1].len)
        vec_push(&h->touched, group);
    return held;
}

static void hold_units(struct preview *p, uint32_t from, int side, struct holdings *h)
{
    const struct policy_view *v = p->v[side];
    const struct vclass *c = &v->classes.items[p->groups.items[from].class_id[side]];
    uint64_t *units = bits_new(v->unit_words);

    bits_or(units, c->src_addr, v->unit_words);
    bits_or(units, c->self_src, v->unit_words);
    for_bits(u, units, v->unit_words)
    {
        const struct policy_unit *unit = &v->p->units.items[u];
        unsigned families = unit->kind == UNIT_SELF ? FAMILY_BOTH : unit_source_families(v, unit, c);
        if (c->hides_ipv4)
            families &= ~FAMILY_V4;
        for (size_t i = 0; i < p->by_unit[side][u].len && preview_spend(p, 1); i++) {
            struct preview_opening *o = &p->by_unit[side][u].items[i];
            const struct vclass *d = &v->classes.items[p->groups.items[o->group].class_id[side]];
            uint32_t access = preview_access(p, o, families);
            if (access != NONE && (unit->kind != UNIT_SELF || d->user == c->user))
                vec_push(&hold_on(h, o->group)->access[side], access);
        }
    }
    free(units);
}

/* The SSH rules in order of evaluation: checks first. */
static void hold_ssh(struct preview *p, uint32_t from, int side, struct holdings *h)
{
    const struct policy_view *v = p->v[side];
    const struct id_list *own = &p->groups.items[from].nodes;

    for (int check = 1; check >= 0; check--)
        for (uint32_t r = 0; r < v->p->ssh.len; r++) {
            const struct policy_ssh_rule *rule = &v->p->ssh.items[r];
            for (size_t i = 0; rule->check == (check == 1) && i < p->by_ssh_rule[side][r].len && preview_spend(p, 1);
                 i++) {
                uint32_t to = p->by_ssh_rule[side][r].items[i].group;
                const struct id_list *others = &p->groups.items[to].nodes;
                if (ssh_pair_fits(v, rule, own->items[0], others->items[others->len - 1]))
                    vec_push(&hold_on(h, to)->ssh[side], r);
            }
        }
}

static void compare_all(struct preview *p)
{
    struct holdings h = {.on = mem_alloc((p->groups.len + 1) * sizeof(*h.on))};

    for (uint32_t g = 0; g < p->groups.len; g++) {
        for (int side = 0; side < 2; side++) {
            hold_units(p, g, side, &h);
            hold_ssh(p, g, side, &h);
        }
        for (size_t i = 0; i < h.touched.len; i++) {
            struct preview_held *held = &h.on[h.touched.items[i]];
            compare_pair(p, g, h.touched.items[i], held);
            for (int side = 0; side < 2; side++)
                held->access[side].len = held->ssh[side].len = 0;
        }
        h.touched.len = 0;
    }
    for (size_t g = 0; g < p->groups.len; g++)
        for (int side = 0; side < 2; side++) {
            vec_release(&h.on[g].access[side]);
            vec_release(&h.on[g].ssh[side]);
        }
    free(h.on);
    vec_release(&h.touched);
}

/* ---- output ---- */

static size_t nodes_of(const struct preview *p, const struct id_list *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < groups->len; i++)
        count += p->groups.items[groups->items[i]].nodes.len;
    return count;
}

static int by_weight(const void *a, const void *b)
{
    const struct preview_row *x = a, *y = b;

    if (x->lost != y->lost)
        return x->lost ? -1 : 1;
    if (x->online_pairs != y->online_pairs)
        return x->online_pairs > y->online_pairs ? -1 : 1;
    return (x->pairs < y->pairs) - (x->pairs > y->pairs);
}

static void put_texts(const struct preview *p, const char *key, const struct id_list *texts, struct json_out *o)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t k = 0; k < texts->len && k < TEXTS_SHOWN; k++)
        json_str(o, p->texts.items[texts->items[k]]);
    json_close(o, ']');
}

static void put_rows(struct preview *p, size_t max_rows, struct json_out *o)
{
    json_key(o, "rows");
    json_open(o, '[');
    for (size_t i = 0; i < p->rows.len && i < max_rows; i++) {
        const struct preview_row *r = &p->rows.items[i];
        json_open(o, '{');
        json_put_str(o, "kind", r->lost ? "lost" : "gained");
        preview_names(p, "sources", &r->from, nodes_of(p, &r->from), o);
        preview_names(p, "destinations", &r->to, nodes_of(p, &r->to), o);
        put_texts(p, "what", &r->texts, o);
        put_texts(p, "kept", &r->kept, o);
        json_put_u64(o, "pairs", r->pairs);
        json_put_u64(o, "online_pairs", r->online_pairs);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_all(struct preview *p, size_t max_rows, struct json_out *o)
{
    size_t pairs[2] = {0}, routes[2] = {0};

    if (p->rows.len)
        qsort(p->rows.items, p->rows.len, sizeof(*p->rows.items), by_weight);
    for (size_t i = 0; i < p->rows.len; i++)
        pairs[p->rows.items[i].lost] += p->rows.items[i].pairs;
    for (size_t i = 0; i < p->routes.len; i++)
        routes[p->routes.items[i].hidden] += p->routes.items[i].count;
    json_key(o, "totals");
    json_open(o, '{');
    json_put_u64(o, "pairs_lost", pairs[1]);
    json_put_u64(o, "pairs_gained", pairs[0]);
    json_put_u64(o, "routes_hidden", routes[1]);
    json_put_u64(o, "routes_shown", routes[0]);
    json_put_u64(o, "routes_approved", p->approvals->len);
    json_put_u64(o, "rows", p->rows.len + p->routes.len);
    if (!p->left)
        json_put_bool(o, "incomplete", true);
    json_close(o, '}');
    put_rows(p, max_rows, o);
    preview_put_routes(p, max_rows, o);
    preview_put_ways(p, max_rows, o);
    preview_put_cost(p, o);
}

static void preview_release(struct preview *p)
{
    preview_release_access(p);
    preview_release_differences(p);
    for (size_t i = 0; i < p->groups.len; i++)
        vec_release(&p->groups.items[i].nodes);
    for (size_t i = 0; i < p->rows.len; i++) {
        vec_release(&p->rows.items[i].texts);
        vec_release(&p->rows.items[i].kept);
        vec_release(&p->rows.items[i].from);
        vec_release(&p->rows.items[i].to);
    }
    vec_release(&p->groups);
    vec_release(&p->texts);
    vec_release(&p->rows);
    map_release(&p->group_index);
    map_release(&p->text_index);
    map_release(&p->row_index);
    arena_release(&p->arena);
    preview_release_routes(p);
}

void policy_preview(const struct policy_view *before, const struct policy_view *after,
                    const struct policy_approvals *approvals, size_t max_rows, struct json_out *o)
{
    static const struct policy_approvals none;
    struct preview p = {.v = {before, after}, .approvals = approvals ? approvals : &none, .left = PREVIEW_BUDGET};

    build_groups(&p);
    for (int side = 0; side < 2; side++)
        preview_build_openings(&p, side);
    compare_all(&p);
    preview_compare_routes(&p);
    put_all(&p, max_rows, o);
    preview_release(&p);
}
