/* SPDX-License-Identifier: BSD-3-Clause */
/* Both directions are cells of a matrix with a single row or column; only what is reached is kept. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/answers/reach.h"

struct neighbour {
    const struct reach_end *end;
    struct reach_cell out, in;
};

struct neighbour_list {
    struct neighbour *items;
    size_t len, cap, total, max;
};

static bool is_itself(const struct reach_end *whose, const struct reach_end *other)
{
    return whose->slots.len == 1 && other->slots.len == 1 && whose->slots.items[0] == other->slots.items[0] &&
           other->kind == REACH_KIND_NODE;
}

static struct neighbour *add(struct neighbour_list *list, const struct reach_end *end)
{
    list->total++;
    if (list->len == list->max)
        return NULL;
    vec_push(list, ((struct neighbour){.end = end}));
    return &list->items[list->len - 1];
}

static bool look_out(struct reach *r, struct reach_end *from, struct reach_end *to, struct reach_cell *out)
{
    reach_learn_target(r, to);
    return reach_cell(r, from, to, out);
}

static bool look_in(struct reach *r, struct reach_end *from, struct reach_end *to, struct reach_cell *out)
{
    reach_learn_source(r, from);
    return reach_cell(r, from, to, out);
}

struct neighbour_ends {
    struct reach_ends source, target;   /* the node or selector, as both */
    struct reach_ends sources, targets; /* all nodes; all nodes and networks, in the same order */
};

/* Returns false if the budget is used up. */
static bool find(struct reach *r, struct neighbour_ends *e, struct neighbour_list *list)
{
    struct reach_end *from = &e->source.items[0], *to = &e->target.items[0];

    reach_learn_source(r, from);
    reach_learn_target(r, to);
    for (size_t i = 0; i < e->targets.len; i++) {
        struct reach_cell out = {0}, in = {0};

        if (is_itself(from, &e->targets.items[i]))
            continue;
        bool good = look_out(r, from, &e->targets.items[i], &out) &&
                    (i >= e->sources.len || look_in(r, &e->sources.items[i], to, &in));
        struct neighbour *n = good && (out.some || in.some) ? add(list, &e->targets.items[i]) : NULL;
        if (n) {
            n->out = out;
            n->in = in;
        } else {
            vec_release(&out.services);
            vec_release(&in.services);
        }
        if (!good)
            return false;
    }
    return true;
}

static void put_direction(const struct reach_lines *lines, const char *name, struct reach_cell *c, struct json_out *o)
{
    char key[16];

    json_key(o, name);
    json_open(o, '[');
    reach_put_services(c, o);
    json_close(o, ']');
    snprintf(key, sizeof(key), "%s_line", name);
    json_put_u64(o, key, c->some && c->rule->offset != SIZE_MAX ? reach_line_at(lines, c->rule->offset) : 0);
    snprintf(key, sizeof(key), "%s_all", name);
    json_put_bool(o, key, c->some && c->all);
}

static void put(const struct policy_view *v, const struct reach_lines *lines, struct neighbour *n, struct json_out *o)
{
    bool through = n->end->kind == REACH_KIND_PREFIX || n->end->kind == REACH_KIND_EXIT;

    json_open(o, '{');
    json_put_str(o, "kind", reach_kind_name(n->end->kind));
    json_put_str(o, "name", n->end->name);
    json_put_bool(o, "online", n->end->slots.len && v->nodes[n->end->slots.items[0]].online);
    put_direction(lines, "out", &n->out, o);
    put_direction(lines, "in", &n->in, o);
    if (through && n->out.some)
        json_put_str(o, "router", v->nodes[n->out.to].name);
    json_close(o, '}');
}

int policy_neighbours(const struct policy_view *v, const char *of, size_t max, struct json_out *o, struct err *e)
{
    struct reach r = {.v = v, .left = REACH_BUDGET};
    struct neighbour_ends ends = {0};
    struct neighbour_list list = {.max = max};
    int code = reach_ends_find(&r, of, NULL, true, 1, &ends.source, e);

    if (code == 0)
        code = reach_ends_find(&r, of, NULL, false, 1, &ends.target, e);
    if (code == 0 && (ends.source.total != 1 || ends.target.total != 1))
        code = err_field(e, ERR_INVALID, "of", "neighbours are of one: a node, user, tag or group");
    if (code == 0)
        code = reach_ends_find(&r, "nodes", NULL, true, SIZE_MAX, &ends.sources, e);
    if (code == 0)
        code = reach_ends_find(&r, "nodes,prefixes,exits", NULL, false, SIZE_MAX, &ends.targets, e);
    if (code == 0) {
        bool whole = find(&r, &ends, &list);
        struct reach_lines lines = {0};
        reach_index_lines(v->p, &lines);
        json_put_u64(o, "nodes", ends.source.items[0].slots.len);
        json_key(o, "neighbours");
        json_open(o, '[');
        for (size_t i = 0; i < list.len; i++)
            put(v, &lines, &list.items[i], o);
        json_close(o, ']');
        json_put_u64(o, "total", list.total);
        json_put_bool(o, "incomplete", !whole);
        vec_release(&lines.starts);
    }
    for (size_t i = 0; i < list.len; i++) {
        vec_release(&list.items[i].out.services);
        vec_release(&list.items[i].in.services);
    }
    vec_release(&list);
    reach_ends_release(v, &ends.source);
    reach_ends_release(v, &ends.target);
    reach_ends_release(v, &ends.sources);
    reach_ends_release(v, &ends.targets);
    return code;
}
