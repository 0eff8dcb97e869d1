/* SPDX-License-Identifier: BSD-3-Clause */
/* What a change of policy gives and takes. Nodes that both policies treat alike form a group; what a group may do on
 * another is a set of tokens (target, protocol, ports), and the two sets are compared once for each pair of groups that
 * some rule connects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/answers/preview.h"

/* ---- groups ---- */

static void build_groups(struct preview *p)
{
    for (uint32_t slot = 0; slot < p->v[0]->slots; slot++) {
        const struct vnode *a = view_node(p->v[0], slot), *b = view_node(p->v[1], slot);
        if (!a || !b)
            continue;
        uint32_t key[2] = {a->class_id, b->class_id};
        uintptr_t known = (uintptr_t)map_get(&p->group_index, key, sizeof(key));
        if (!known) {
            struct preview_group g = {.class_id = {key[0], key[1]}};
            vec_push(&p->groups, g);
            known = p->groups.len;
            map_put(&p->group_index, key, sizeof(key), (void *)known);
        }
        struct preview_group *g = &p->groups.items[known - 1];
        vec_push(&g->nodes, slot);
        g->online += a->online;
    }
}

/* ---- tokens ---- */

static uint32_t token_intern(struct preview *p, const char *target, int proto, uint16_t first, uint16_t last)
{
    struct buf key = BUF_INIT(0);

    buf_addf(&key, "%d %u %u %s", proto, first, last, target);
    uintptr_t known = (uintptr_t)map_gets(&p->token_index, buf_text(&key));
    if (!known) {
        struct preview_token t = {arena_strdup(&p->arena, target), proto, first, last};
        vec_push(&p->tokens, t);
        known = p->tokens.len;
        map_puts(&p->token_index, buf_text(&key), (void *)known);
    }
    buf_release(&key);
    return (uint32_t)(known - 1);
}

static void add_services(struct preview *p, const struct policy_unit *u, const struct policy_destination *d,
                         const char *target, struct id_list *out)
{
    for (size_t i = 0; u->ip && i < u->rule->services.len; i++) {
        const struct policy_service *s = &u->rule->services.items[i];
        const struct port_range *ports = u->rule->is_grant ? s->ports : d->ports;
        size_t count = u->rule->is_grant ? s->port_count : d->port_count;
        for (size_t k = 0; k < count; k++)
            vec_push(out, token_intern(p, target, s->proto, ports[k].first, ports[k].last));
    }
    for (size_t i = 0; u->cap && i < u->rule->apps.len; i++) {
        char *name = mem_format("cap %s", u->rule->apps.items[i].name);
        vec_push(out, token_intern(p, name, PROTO_DEFAULT, 0, 0));
        free(name);
    }
}

static const char *target_text(const struct policy_view *v, const struct vclass *c, const struct policy_unit *u,
                               const struct policy_destination *d)
{
    const struct policy_principal *q = &v->p->principals.items[d->alias.principal];

    if (u->kind == UNIT_SELF)
        return "";
    if (u->kind == UNIT_VIA)
        return !bit_has(c->recv, u->index) ? NULL : q->kind == PRINCIPAL_INTERNET ? "autogroup:internet" : q->text;
    switch (destination_reach(v, c, d->alias.principal)) {
    case REACH_NOT:
        return NULL;
    case REACH_SELF:
        return "";
    case REACH_LITERAL: /* a literal that is this device's own address is the device */
        return q->prefix.bits == q->prefix.addr.bits && bit_has(c->addr, d->alias.principal) ? "" : q->text;
    case REACH_ANY:
        return "*";
    case REACH_INTERNET:
        return "autogroup:internet";
    }
    return NULL;
}

static void build_gifts(struct preview *p, int side)
{
    const struct policy_view *v = p->v[side];

    p->by_unit[side] = mem_alloc((v->p->units.len + 1) * sizeof(struct preview_accesses));
    for (uint32_t g = 0; g < p->groups.len; g++) {
        const struct vclass *c = &v->classes.items[p->groups.items[g].class_id[side]];
        uint64_t *units = bits_new(v->unit_words);

        bits_or(units, c->filter, v->unit_words);
        for (size_t i = 0; c->user != NONE && i < v->self_units.len; i++)
            bit_set(units, v->self_units.items[i]);
        for_bits(i, units, v->unit_words)
        {
            const struct policy_unit *u = &v->p->units.items[i];
            struct preview_access gift = {.group = g};
            for (size_t k = 0; !u->companion && k < u->dst.len; k++) {
                const char *target = target_text(v, c, u, &u->dst.items[k]);
                if (target)
                    add_services(p, u, &u->dst.items[k], target, &gift.tokens);
            }
            if (unit_grants_exit(v, u, c))
                vec_push(&gift.tokens, token_intern(p, "autogroup:internet", PROTO_DEFAULT, 0, UINT16_MAX));
            if (gift.tokens.len)
                vec_push(&p->by_unit[side][i], gift);
        }
        free(units);
    }
}

/* ---- comparing ---- */

static bool token_covers(const struct preview_token *wide, const struct preview_token *t)
{
    bool proto = wide->proto == t->proto ||
                 (wide->proto == PROTO_DEFAULT && (t->proto == 6 || t->proto == 17 || t->proto == 1 || t->proto == 58));
    bool cap = str_starts(t->target, "cap ");

    return proto && (str_eq(wide->target, t->target) || (!cap && str_eq(wide->target, "*"))) &&
           wide->first <= t->first && t->last <= wide->last;
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Tokens of one that nothing of the other covers, sorted. */
static void only_in(const struct preview *p, const struct id_list *one, const struct id_list *other,
                    struct id_list *out)
{
    for (size_t i = 0; i < one->len; i++) {
        bool covered = false;
        for (size_t k = 0; k < other->len && !covered; k++)
            covered = one->items[i] == other->items[k] ||
                      token_covers(&p->tokens.items[other->items[k]], &p->tokens.items[one->items[i]]);
        if (!covered)
            vec_push(out, one->items[i]);
    }
    size_t kept = 0;
    if (out->len)
        qsort(out->items, out->len, sizeof(*out->items), by_id);
    for (size_t i = 0; i < out->len; i++)
        if (!kept || out->items[kept - 1] != out->items[i])
            out->items[kept++] = out->items[i];
    out->len = kept;
}

static struct preview_row *row_for(struct preview *p, bool lost, uint32_t from, const struct id_list *tokens)
{
    struct buf key = BUF_INIT(0);

    buf_addf(&key, "%d %u", lost, from);
    for (size_t i = 0; i < tokens->len; i++)
        buf_addf(&key, " %u", tokens->items[i]);
    uintptr_t known = (uintptr_t)map_gets(&p->row_index, buf_text(&key));
    if (!known) {
        struct preview_row r = {.lost = lost};
        vec_push(&r.from, from);
        for (size_t i = 0; i < tokens->len; i++)
            vec_push(&r.tokens, tokens->items[i]);
        vec_push(&p->rows, r);
        known = p->rows.len;
        map_puts(&p->row_index, buf_text(&key), (void *)known);
    }
    buf_release(&key);
    return &p->rows.items[known - 1];
}

static void compare_pair(struct preview *p, uint32_t from, uint32_t to, const struct id_list *before,
                         const struct id_list *after)
{
    const struct preview_group *a = &p->groups.items[from], *b = &p->groups.items[to];
    size_t pairs = a->nodes.len * b->nodes.len - (from == to ? a->nodes.len : 0);
    size_t online = a->online * b->online - (from == to ? a->online : 0);

    for (int lost = 0; lost < 2 && pairs; lost++) {
        struct id_list tokens = {0};
        only_in(p, lost ? before : after, lost ? after : before, &tokens);
        if (tokens.len) {
            struct preview_row *r = row_for(p, lost == 1, from, &tokens);
            vec_push(&r->to, to);
            r->pairs += pairs;
            r->online_pairs += online;
        }
        vec_release(&tokens);
    }
}

/* What one group may do, on every group that a rule of either policy takes it to. */
static void compare_source(struct preview *p, uint32_t from, struct id_list *held[2], struct id_list *touched)
{
    for (int side = 0; side < 2; side++) {
        const struct policy_view *v = p->v[side];
        const struct vclass *c = &v->classes.items[p->groups.items[from].class_id[side]];
        uint64_t *units = bits_new(v->unit_words);

        bits_or(units, c->src_addr, v->unit_words);
        bits_or(units, c->self_src, v->unit_words);
        for_bits(u, units, v->unit_words) for (size_t i = 0; i < p->by_unit[side][u].len; i++)
        {
            const struct preview_access *g = &p->by_unit[side][u].items[i];
            const struct vclass *d = &v->classes.items[p->groups.items[g->group].class_id[side]];
            if (v->p->units.items[u].kind == UNIT_SELF && d->user != c->user)
                continue;
            if (!held[0][g->group].len && !held[1][g->group].len)
                vec_push(touched, g->group);
            for (size_t k = 0; k < g->tokens.len; k++)
                vec_push(&held[side][g->group], g->tokens.items[k]);
        }
        free(units);
    }
    for (size_t i = 0; i < touched->len; i++) {
        uint32_t to = touched->items[i];
        compare_pair(p, from, to, &held[0][to], &held[1][to]);
        held[0][to].len = held[1][to].len = 0;
    }
    touched->len = 0;
}

static void compare_all(struct preview *p)
{
    struct id_list *held[2], touched = {0};

    for (int side = 0; side < 2; side++)
        held[side] = mem_alloc((p->groups.len + 1) * sizeof(struct id_list));
    for (uint32_t g = 0; g < p->groups.len; g++)
        compare_source(p, g, held, &touched);
    for (int side = 0; side < 2; side++) {
        for (size_t g = 0; g < p->groups.len; g++)
            vec_release(&held[side][g]);
        free(held[side]);
    }
    vec_release(&touched);
}

/* ---- telling ---- */

void preview_names(const struct preview *p, const char *key, const struct id_list *groups, size_t count,
                   struct json_out *o)
{
    size_t shown = 0;

    json_key(o, key);
    json_open(o, '{');
    json_key(o, "names");
    json_open(o, '[');
    for (size_t i = 0; i < groups->len && shown < PREVIEW_NAMES; i++) {
        const struct preview_group *g = &p->groups.items[groups->items[i]];
        for (size_t k = 0; k < g->nodes.len && shown < PREVIEW_NAMES; k++, shown++)
            json_str(o, p->v[0]->nodes[g->nodes.items[k]].name);
    }
    json_close(o, ']');
    json_put_u64(o, "count", count);
    json_close(o, '}');
}

static size_t nodes_of(const struct preview *p, const struct id_list *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < groups->len; i++)
        count += p->groups.items[groups->items[i]].nodes.len;
    return count;
}

static void put_token(const struct preview_token *t, struct json_out *o)
{
    struct buf b = BUF_INIT(0);
    const char *proto = proto_name(t->proto);

    if (str_starts(t->target, "cap ")) {
        buf_adds(&b, t->target);
    } else {
        if (*t->target)
            buf_addf(&b, "%s ", t->target);
        if (proto)
            buf_addf(&b, "%s ", proto);
        else if (t->proto != PROTO_DEFAULT)
            buf_addf(&b, "protocol %d ", t->proto);
        if (t->first == 0 && t->last == UINT16_MAX)
            buf_adds(&b, "all ports");
        else if (t->first == t->last)
            buf_addf(&b, "port %u", t->first);
        else
            buf_addf(&b, "ports %u-%u", t->first, t->last);
    }
    json_str(o, buf_text(&b));
    buf_release(&b);
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
        json_key(o, "what");
        json_open(o, '[');
        for (size_t k = 0; k < r->tokens.len && k < 20; k++)
            put_token(&p->tokens.items[r->tokens.items[k]], o);
        json_close(o, ']');
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
    json_close(o, '}');
    put_rows(p, max_rows, o);
    preview_put_routes(p, max_rows, o);
}

static void preview_release(struct preview *p)
{
    for (int side = 0; side < 2; side++) {
        for (size_t u = 0; u < p->v[side]->p->units.len; u++) {
            for (size_t i = 0; i < p->by_unit[side][u].len; i++)
                vec_release(&p->by_unit[side][u].items[i].tokens);
            vec_release(&p->by_unit[side][u]);
        }
        free(p->by_unit[side]);
    }
    for (size_t i = 0; i < p->groups.len; i++)
        vec_release(&p->groups.items[i].nodes);
    for (size_t i = 0; i < p->rows.len; i++) {
        vec_release(&p->rows.items[i].tokens);
        vec_release(&p->rows.items[i].from);
        vec_release(&p->rows.items[i].to);
    }
    vec_release(&p->groups);
    vec_release(&p->tokens);
    vec_release(&p->rows);
    map_release(&p->group_index);
    map_release(&p->token_index);
    map_release(&p->row_index);
    arena_release(&p->arena);
    preview_release_routes(p);
}

void policy_preview(const struct policy_view *before, const struct policy_view *after,
                    const struct policy_approvals *approvals, size_t max_rows, struct json_out *o)
{
    static const struct policy_approvals none;
    struct preview p = {.v = {before, after}, .approvals = approvals ? approvals : &none};

    build_groups(&p);
    for (int side = 0; side < 2; side++)
        build_gifts(&p, side);
    compare_all(&p);
    preview_compare_routes(&p);
    put_all(&p, max_rows, o);
    preview_release(&p);
}
