/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that take another way under another policy, and the cost of the change: how many clients are sent something
 * new, and how much. The nodes of a group are sent the same except for their own addresses, so one stands for all. */
#include <stdlib.h>

#include "base/array.h"
#include "policy/answers/preview.h"

/* ---- ways ---- */

static void put_slots(const struct preview *p, const struct policy_slots *slots, struct json_out *o)
{
    json_key(o, "viewers");
    json_open(o, '{');
    json_key(o, "names");
    json_open(o, '[');
    for (size_t i = 0; i < slots->len && i < PREVIEW_NAMES; i++)
        json_str(o, p->v[0]->nodes[slots->items[i]].name);
    json_close(o, ']');
    json_put_u64(o, "count", slots->len);
    json_close(o, '}');
}

static void put_end(const struct preview *p, const char *key, uint32_t slot, struct json_out *o)
{
    json_put_str(o, key, slot == POLICY_SLOT_NONE ? "" : p->v[0]->nodes[slot].name);
}

static void put_way(const struct preview *p, const struct policy_way_change *c, const struct policy_way_viewers *row,
                    struct json_out *o)
{
    char text[PREFIX_TEXT_MAX];

    json_open(o, '{');
    json_put_str(o, "kind", c->from == POLICY_SLOT_NONE ? "gains" : c->to == POLICY_SLOT_NONE ? "loses" : "moves");
    json_put_str(o, "route", prefix_format(&c->route, text));
    json_put_bool(o, "exit", prefix_is_exit(&c->route));
    put_end(p, "from", c->from, o);
    put_end(p, "to", c->to, o);
    put_slots(p, &row->viewers, o);
    json_close(o, '}');
}

static const char *user_name(const struct policy_view *v, uint64_t id)
{
    for (uint32_t i = 0; i < v->user_count; i++)
        if (v->users[i].id == id)
            return v->users[i].name;
    return "";
}

void preview_put_ways(struct preview *p, size_t max_rows, struct json_out *o)
{
    struct policy_ways ways = {0};
    char text[PREFIX_TEXT_MAX];
    size_t shown = 0;

    policy_compare_ways(&(struct policy_side){.view = p->v[0]}, &(struct policy_side){.view = p->v[1]}, &ways);
    json_key(o, "ways");
    json_open(o, '[');
    for (size_t i = 0; i < ways.rows.len && shown < max_rows; i++)
        for (size_t k = 0; k < ways.rows.items[i].changes.len && shown < max_rows; k++, shown++)
            put_way(p, &ways.changes.items[ways.rows.items[i].changes.items[k]], &ways.rows.items[i], o);
    json_close(o, ']');
    json_key(o, "cut_off");
    json_open(o, '[');
    for (size_t i = 0; i < ways.cut_off.len && i < max_rows; i++) {
        json_open(o, '{');
        json_put_str(o, "user", user_name(p->v[1], ways.cut_off.items[i].user_id));
        json_put_str(o, "route", prefix_format(&ways.cut_off.items[i].route, text));
        json_put_bool(o, "exit", prefix_is_exit(&ways.cut_off.items[i].route));
        json_close(o, '}');
    }
    json_close(o, ']');
    policy_ways_release(&ways);
}

/* ---- cost ---- */

struct preview_cost {
    uint64_t nodes, online, changed, filters, peers, bytes; /* bytes: of the filters that online nodes are sent */
    bool incomplete;
};

static bool sees_others(const struct preview *p, uint32_t slot)
{
    for (uint32_t block = 0; block < p->v[0]->slots / 64; block++)
        if (policy_sees_mask(p->v[0], slot, block) != policy_sees_mask(p->v[1], slot, block))
            return true;
    return false;
}

static bool has_other_rules(const struct preview *p, uint32_t slot)
{
    struct strs attrs[2] = {0};
    struct buf ssh[2] = {BUF_INIT(0), BUF_INIT(0)};

    for (int side = 0; side < 2; side++) {
        policy_attrs(p->v[side], slot, &attrs[side]);
        policy_ssh(p->v[side], slot, "", &ssh[side]);
    }
    bool differs = attrs[0].len != attrs[1].len || !str_eq(buf_text(&ssh[0]), buf_text(&ssh[1]));
    for (size_t i = 0; !differs && i < attrs[0].len; i++)
        differs = !str_eq(attrs[0].items[i], attrs[1].items[i]);
    for (int side = 0; side < 2; side++) {
        strs_release(&attrs[side]);
        buf_release(&ssh[side]);
    }
    return differs;
}

static void cost_of(struct preview *p, const struct preview_group *g, struct preview_cost *cost)
{
    struct buf filter[2] = {BUF_INIT(0), BUF_INIT(0)};
    uint32_t slot = g->nodes.items[0];

    for (int side = 0; side < 2; side++)
        policy_filter(p->v[side], slot, &filter[side]);
    bool filters = !str_eq(buf_text(&filter[0]), buf_text(&filter[1])), peers = sees_others(p, slot);
    cost->filters += filters ? g->nodes.len : 0;
    cost->peers += peers ? g->nodes.len : 0;
    cost->changed += filters || peers || has_other_rules(p, slot) ? g->nodes.len : 0;
    cost->bytes += g->online * filter[1].len;
    cost->incomplete |= !preview_spend(p, (filter[0].len + filter[1].len + p->v[0]->slots) / 8 + 1);
    buf_release(&filter[0]);
    buf_release(&filter[1]);
}

void preview_put_cost(struct preview *p, struct json_out *o)
{
    struct preview_cost cost = {0};

    for (size_t i = 0; i < p->groups.len && !cost.incomplete; i++)
        cost_of(p, &p->groups.items[i], &cost);
    for (size_t i = 0; i < p->groups.len; i++) {
        cost.nodes += p->groups.items[i].nodes.len;
        cost.online += p->groups.items[i].online;
    }
    json_key(o, "cost");
    json_open(o, '{');
    json_put_u64(o, "nodes", cost.nodes);
    json_put_u64(o, "online", cost.online);
    json_put_u64(o, "changed", cost.changed);
    json_put_u64(o, "filters", cost.filters);
    json_put_u64(o, "peers", cost.peers);
    json_put_u64(o, "bytes", cost.bytes);
    if (cost.incomplete)
        json_put_bool(o, "incomplete", true);
    json_close(o, '}');
}
