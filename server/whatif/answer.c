/* SPDX-License-Identifier: BSD-3-Clause */
/* The result of a trial, as the API returns it. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "whatif/trial.h"

#define NAMES_SHOWN 5  /* of a set, besides its size */
#define WAYS_SHOWN  50 /* per set of nodes */
#define LATER_MAX   20 /* later times at which something is due */

static char *text_of(struct trial *t, const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    return arena_strdup(t->arena, prefix_format(p, text));
}

static const char *name_at(const struct trial *t, uint32_t slot)
{
    const struct node *n = slot < t->nodes.len ? t->nodes.items[slot].record : NULL;

    return n ? arena_strdup(t->arena, n->given_name) : NULL;
}

static uint64_t id_at(const struct trial *t, uint32_t slot)
{
    const struct node *n = slot < t->nodes.len ? t->nodes.items[slot].record : NULL;

    return n ? n->r.id : 0;
}

static struct api_names names_of(struct trial *t, const struct policy_slots *slots)
{
    struct api_names names = {.count = slots->len};
    size_t shown = slots->len < NAMES_SHOWN ? slots->len : NAMES_SHOWN;

    names.names.items = arena_alloc(t->arena, (shown + 1) * sizeof(char *));
    names.names.len = shown;
    for (size_t i = 0; i < shown; i++)
        names.names.items[i] = arena_strdup(t->arena, name_at(t, slots->items[i]));
    return names;
}

static const char *way_kind(const struct policy_way_change *c)
{
    return c->from == POLICY_SLOT_NONE ? "gains" : c->to == POLICY_SLOT_NONE ? "loses" : "moves";
}

/* ---- prefixes ---- */

typedef VEC(struct trial_row) row_list;

static int by_prefix(const void *a, const void *b)
{
    return prefix_cmp(&((const struct trial_row *)a)->prefix, &((const struct trial_row *)b)->prefix);
}

static void add_row(const struct trial *t, const struct prefix *p, struct prefixes *listed, row_list *rows)
{
    uint64_t primary = routes_primary(t->q->elections, p, NULL);

    if (!prefix_is_exit(p) && prefixes_add(listed, p))
        vec_push(rows, ((struct trial_row){*p, primary, primary, NULL}));
}

/* What moves, and whatever was asked about: that something stays is an answer too. */
static void collect_rows(const struct trial *t, row_list *rows)
{
    struct prefixes listed = {0};

    for (size_t i = 0; i < t->moves.len; i++) {
        const struct route_move *m = &t->moves.items[i];
        if (m->via)
            continue;
        prefixes_add(&listed, &m->prefix);
        vec_push(rows, ((struct trial_row){m->prefix, m->from, m->to, m->cause}));
    }
    for (size_t i = 0; i < t->nodes.len; i++) {
        const struct trial_node *n = &t->nodes.items[i];
        for (size_t k = 0; n->asked && k < n->record->available.len + n->record->approved.len; k++) {
            const struct prefix *p = k < n->record->available.len
                                         ? &n->record->available.items[k]
                                         : &n->record->approved.items[k - n->record->available.len];
            add_row(t, p, &listed, rows);
        }
    }
    for (size_t i = 0; i < t->rules.len; i++)
        add_row(t, &t->rules.items[i].prefix, &listed, rows);
    prefixes_release(&listed);
    if (rows->len)
        qsort(rows->items, rows->len, sizeof(*rows->items), by_prefix);
}

static bool moves_within(const struct trial *t, const struct prefix *p, const char *via)
{
    for (size_t i = 0; i < t->moves.len; i++)
        if (t->moves.items[i].via && str_eq(t->moves.items[i].via, via) &&
            prefix_cmp(&t->moves.items[i].prefix, p) == 0)
            return true;
    return false;
}

/* Groups of via in which a prefix stays with a router that was asked about, which may be offline and keep it. */
static void add_staying_groups(struct trial *t)
{
    const struct tailnet_snapshot *s = t->q->s;

    for (size_t i = 0; i < s->via_primary_count; i++) {
        const struct via_primary *g = s->via_primaries[i];
        const struct trial_node *n = trial_by_id(t, g->r.id);
        struct route_place at = {&g->prefix, g->tags};
        if (n && n->asked && !moves_within(t, &g->prefix, g->tags) &&
            routes_primary_at(t->q->elections, &at) == g->r.id)
            vec_push(&t->moves,
                     ((struct route_move){.prefix = g->prefix, .via = g->tags, .from = g->r.id, .to = g->r.id}));
    }
}

static const char *outcome_of(const struct trial *t, const struct trial_row *row)
{
    const struct trial_node *to = trial_by_id(t, row->to);

    if (!row->to)
        return row->from ? "unserved" : "unused";
    if (!to || !to->live.online)
        return "dropped";
    return row->from == row->to ? "stays" : row->from ? "moves" : "served";
}

/* For a prefix that stays: what the node that was asked about does for it. */
static char *explain(struct trial *t, const struct trial_row *row)
{
    const struct trial_node *primary = trial_by_id(t, row->to), *asked = primary && primary->asked ? primary : NULL;
    struct buf sentence = BUF_INIT(0);

    for (size_t i = 0; i < t->nodes.len && !asked; i++) {
        const struct trial_node *n = &t->nodes.items[i];
        if (n->asked && !n->gone &&
            (prefixes_has(&n->record->available, &row->prefix) || prefixes_has(&n->record->approved, &row->prefix)))
            asked = n;
    }
    if (asked) {
        struct route_facts facts = {.node = asked->record,
                                    .prefix = &row->prefix,
                                    .flags = routes_flags_of(asked->record, &asked->live, asked->expired),
                                    .primary = primary ? primary->record : NULL};
        buf_addf(&sentence, "%s: ", asked->record->given_name);
        (void)route_explain(&facts, &sentence);
    }
    char *text = arena_strdup(t->arena, buf_text(&sentence));
    buf_release(&sentence);
    return text;
}

static const char *reason_of(struct trial *t, const struct trial_row *row)
{
    const struct trial_node *n = trial_by_id(t, row->from ? row->from : row->to);

    static const char *const whole[] = {"by administrator", "higher priority", "the oldest router serves",
                                        "rule changed", "elected"}; /* the others concern the node */

    if (!row->cause)
        return explain(t, row);
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (str_eq(row->cause, whole[i]))
            return whole[i];
    char *text = mem_format("%s %s%s", n ? n->record->given_name : "a deleted node",
                            str_eq(row->cause, "approved") || str_eq(row->cause, "drained") ? "was " : "", row->cause);
    char *kept = arena_strdup(t->arena, text);
    free(text);
    return kept;
}

/* Traffic to a network that no router serves goes to the narrowest served one around it. */
static void find_cover(struct trial *t, struct api_simulated_prefix *out)
{
    const struct prefix *best = NULL;

    for (size_t i = 0; i < t->nodes.len; i++) {
        const struct trial_node *n = &t->nodes.items[i];
        for (size_t k = 0; n->record && !n->gone && n->live.online && k < n->serving.len; k++) {
            const struct prefix *p = &n->serving.items[k];
            if (p->bits < out->prefix.bits && prefix_covers(p, &out->prefix) && (!best || p->bits > best->bits)) {
                best = p;
                out->covered_by_name = name_at(t, (uint32_t)i);
            }
        }
    }
    out->covered_by = best ? text_of(t, best) : NULL;
}

/* Whether the prefix also moves within a group of via: each election then counts the nodes that change from or to its
 * routers. */
static bool is_divided(const struct trial *t, const struct prefix *p)
{
    for (size_t i = 0; i < t->moves.len; i++)
        if (t->moves.items[i].via && prefix_cmp(&t->moves.items[i].prefix, p) == 0)
            return true;
    return false;
}

static void count_viewers(const struct trial *t, struct api_simulated_prefix *out)
{
    bool divided = is_divided(t, &out->prefix);
    uint32_t from = trial_slot(t, out->from), to = trial_slot(t, out->to);

    for (size_t i = 0; i < t->ways.changes.len; i++) {
        const struct policy_way_change *c = &t->ways.changes.items[i];
        bool here =
            !divided || (c->from != POLICY_SLOT_NONE && c->from == from) || (c->to != POLICY_SLOT_NONE && c->to == to);
        if (!here || prefix_cmp(&c->route, &out->prefix) != 0)
            continue;
        if (c->from == POLICY_SLOT_NONE)
            out->gain += c->viewers;
        else if (c->to == POLICY_SLOT_NONE)
            out->lose += c->viewers;
        else
            out->move += c->viewers;
    }
}

static void fill_prefix(struct trial *t, const struct trial_row *row, struct api_simulated_prefix *out)
{
    size_t candidates;

    routes_count(t->q->elections, &row->prefix, NULL, &candidates);
    *out = (struct api_simulated_prefix){.prefix = row->prefix,
                                         .outcome = outcome_of(t, row),
                                         .from = row->from,
                                         .from_name = name_at(t, trial_slot(t, row->from)),
                                         .to = row->to,
                                         .to_name = name_at(t, trial_slot(t, row->to)),
                                         .reason = reason_of(t, row),
                                         .candidates = candidates};
    count_viewers(t, out);
    if (str_eq(out->outcome, "unserved"))
        find_cover(t, out);
}

static void fill_via(struct trial *t, const struct route_move *m, struct api_simulated_prefix *out)
{
    const struct trial_row row = {m->prefix, m->from, m->to, m->cause};

    *out = (struct api_simulated_prefix){.prefix = m->prefix,
                                         .via = arena_strdup(t->arena, m->via),
                                         .outcome = outcome_of(t, &row),
                                         .from = m->from,
                                         .from_name = name_at(t, trial_slot(t, m->from)),
                                         .to = m->to,
                                         .to_name = name_at(t, trial_slot(t, m->to)),
                                         .reason = m->cause || m->from == m->to ? reason_of(t, &row) : "the policy"};
    count_viewers(t, out);
}

static void note_later(struct trial *t, const struct route_move *m, int64_t wait_ms, struct api_list *prefixes)
{
    for (size_t i = 0; i < prefixes->len; i++) {
        struct api_simulated_prefix *p = api_at(prefixes, struct api_simulated_prefix, i);
        if (!str_eq(p->via ? p->via : "", m->via ? m->via : "") || prefix_cmp(&p->prefix, &m->prefix) != 0)
            continue;
        p->later_name = name_at(t, trial_slot(t, m->to));
        p->later_seconds = (uint64_t)(wait_ms + 999) / 1000;
    }
}

/* Who takes over once hold-downs and failback delays are over. */
static void elect_later(struct trial *t, struct api_list *prefixes)
{
    int64_t due = routes_due(t->q->elections);

    for (int i = 0; due != INT64_MAX && i < LATER_MAX; due = routes_due(t->q->elections), i++) {
        struct routes_time then = {t->now.wall_ns + (due - t->now.mono_ms) * NS_PER_MS, due};
        struct route_moves moves = {0};
        routes_elect(t->q->elections, &then, &moves);
        for (size_t k = 0; k < moves.len; k++)
            note_later(t, &moves.items[k], due - t->now.mono_ms, prefixes);
        route_moves_release(&moves);
    }
}

/* Prefixes that lose their service come first, then those that move. */
static int weight_of(const struct api_simulated_prefix *p)
{
    static const char *const order[] = {"unserved", "dropped", "moves", "served", "stays", "unused"};
    int i = 0;

    while (i < 5 && !str_eq(p->outcome, order[i]))
        i++;
    return i;
}

static int by_weight(const void *a, const void *b)
{
    const struct api_simulated_prefix *x = a, *y = b;
    uint64_t losses[2] = {x->lose, y->lose};

    if (weight_of(x) != weight_of(y))
        return weight_of(x) - weight_of(y);
    if (losses[0] != losses[1])
        return losses[0] > losses[1] ? -1 : 1;
    return prefix_cmp(&x->prefix, &y->prefix);
}

static void fill_prefixes(struct trial *t, struct api_simulation *out)
{
    row_list rows = {0};

    collect_rows(t, &rows);
    add_staying_groups(t);
    size_t count = rows.len;
    for (size_t i = 0; i < t->moves.len; i++)
        count += t->moves.items[i].via != NULL;
    struct api_simulated_prefix *list = arena_alloc(t->arena, (count + 1) * sizeof(*list));
    for (size_t i = 0; i < rows.len; i++)
        fill_prefix(t, &rows.items[i], &list[i]);
    for (size_t i = 0, at = rows.len; i < t->moves.len; i++)
        if (t->moves.items[i].via)
            fill_via(t, &t->moves.items[i], &list[at++]);
    vec_release(&rows);
    elect_later(t, &(struct api_list){list, count});
    if (count)
        qsort(list, count, sizeof(*list), by_weight);
    for (size_t i = 0; i < count; i++) {
        out->totals.unserved += weight_of(&list[i]) < 2;
        out->totals.moved += str_eq(list[i].outcome, "moves");
    }
    out->prefixes = (struct api_list){list, count < WHATIF_ROWS ? count : WHATIF_ROWS};
}

/* ---- exit nodes ---- */

/* How many clients report it as their exit node. */
static uint64_t in_use(const struct trial *t, uint32_t exit)
{
    uint64_t id = id_at(t, exit), count = 0;

    for (size_t i = 0; i < t->nodes.len; i++) {
        const struct trial_node *n = &t->nodes.items[i];
        count += id && n->record && !n->fresh && n->record->exit_node_id == id;
    }
    return count;
}

/* Of the nodes that lose this exit node, how many have none left. */
static uint64_t left_without(const struct trial *t, uint32_t change)
{
    uint64_t count = 0;

    for (size_t i = 0; i < t->ways.rows.len; i++) {
        const struct policy_way_viewers *row = &t->ways.rows.items[i];
        bool concerned = false;
        for (size_t k = 0; k < row->changes.len && row->no_exit; k++)
            concerned |= row->changes.items[k] == change;
        count += concerned ? row->viewers.len : 0;
    }
    return count;
}

static void fill_exits(struct trial *t, struct api_simulation *out)
{
    size_t count = 0;

    for (size_t i = 0; i < t->ways.changes.len; i++)
        count += prefix_is_exit(&t->ways.changes.items[i].route);
    struct api_simulated_exit *list = arena_alloc(t->arena, (count + 1) * sizeof(*list));
    count = 0;
    for (size_t i = 0; i < t->ways.changes.len && count < WHATIF_ROWS; i++) {
        const struct policy_way_change *c = &t->ways.changes.items[i];
        uint32_t exit = c->from == POLICY_SLOT_NONE ? c->to : c->from;
        if (!prefix_is_exit(&c->route))
            continue;
        struct api_simulated_exit *x = &list[count++];
        *x = (struct api_simulated_exit){.node = id_at(t, exit), .name = name_at(t, exit), .kind = way_kind(c)};
        x->viewers = c->viewers;
        if (c->to == POLICY_SLOT_NONE) {
            x->without = left_without(t, (uint32_t)i);
            x->in_use = in_use(t, exit);
        }
    }
    out->exits = (struct api_list){list, count};
}

/* ---- viewers ---- */

static int by_count(const void *a, const void *b)
{
    const struct api_simulated_viewers *x = a, *y = b;

    return (x->viewers.count < y->viewers.count) - (x->viewers.count > y->viewers.count);
}

static struct api_list ways_of(struct trial *t, const struct policy_way_viewers *row)
{
    size_t shown = row->changes.len < WAYS_SHOWN ? row->changes.len : WAYS_SHOWN;
    struct api_simulated_way *ways = arena_alloc(t->arena, (shown + 1) * sizeof(*ways));

    for (size_t i = 0; i < shown; i++) {
        const struct policy_way_change *c = &t->ways.changes.items[row->changes.items[i]];
        ways[i] = (struct api_simulated_way){.prefix = c->route,
                                             .exit = prefix_is_exit(&c->route),
                                             .kind = way_kind(c),
                                             .from_name = name_at(t, c->from),
                                             .to_name = name_at(t, c->to)};
    }
    return (struct api_list){ways, shown};
}

static void count_row(const struct trial *t, const struct policy_way_viewers *row, struct api_simulated_totals *out)
{
    bool gain = false, lose = false, move = false;

    for (size_t i = 0; i < row->changes.len; i++) {
        const struct policy_way_change *c = &t->ways.changes.items[row->changes.items[i]];
        gain |= c->from == POLICY_SLOT_NONE;
        lose |= c->to == POLICY_SLOT_NONE;
        move |= c->from != POLICY_SLOT_NONE && c->to != POLICY_SLOT_NONE;
    }
    out->gain += gain ? row->viewers.len : 0;
    out->lose += lose ? row->viewers.len : 0;
    out->move += move ? row->viewers.len : 0;
}

static void fill_viewers(struct trial *t, struct api_simulation *out)
{
    size_t count = t->ways.rows.len;
    struct api_simulated_viewers *list = arena_alloc(t->arena, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        const struct policy_way_viewers *row = &t->ways.rows.items[i];
        list[i] = (struct api_simulated_viewers){
            .viewers = names_of(t, &row->viewers), .changes = ways_of(t, row), .no_exit = row->no_exit};
        for (size_t k = 0; k < row->viewers.len; k++)
            list[i].online += t->nodes.items[row->viewers.items[k]].live.online;
        count_row(t, row, &out->totals);
    }
    if (count)
        qsort(list, count, sizeof(*list), by_count);
    out->viewers = (struct api_list){list, count < WHATIF_ROWS ? count : WHATIF_ROWS};
}

static void fill_cut_off(struct trial *t, struct api_simulation *out)
{
    size_t count = t->ways.cut_off.len;
    struct api_simulated_cut_off *list = arena_alloc(t->arena, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        const struct policy_cut_off *c = &t->ways.cut_off.items[i];
        const struct user *u = snapshot_user(t->q->s, c->user_id);
        list[i] = (struct api_simulated_cut_off){
            .user = u ? user_login(u) : "", .prefix = c->route, .exit = prefix_is_exit(&c->route)};
    }
    out->totals.cut_off = count;
    out->cut_off = (struct api_list){list, count < WHATIF_ROWS ? count : WHATIF_ROWS};
}

static void fill_approvals(struct trial *t, struct api_simulation *out)
{
    size_t count = t->approvals.len < WHATIF_ROWS ? t->approvals.len : WHATIF_ROWS;
    struct api_approval *list = arena_alloc(t->arena, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        const struct policy_approval *x = &t->approvals.items[i];
        list[i] = (struct api_approval){.route = text_of(t, &x->route), .router = name_at(t, x->slot)};
    }
    out->totals.approved = t->approvals.len;
    out->approvals = (struct api_list){list, count};
}

void trial_answer(struct trial *t, struct api_simulation *out)
{
    *out = (struct api_simulation){.totals.incomplete = t->ways.incomplete};
    fill_prefixes(t, out);
    fill_exits(t, out);
    fill_viewers(t, out);
    fill_cut_off(t, out);
    fill_approvals(t, out);
}
