/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by node, where they are approved; and the view with its other parts. */
#include "console/routes/routes.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/routes/answers.h"
#include "console/routes/exits.h"
#include "console/routes/fact_columns.h"
#include "console/routes/ha.h"
#include "console/routes/prefix_lines.h"
#include "console/routes/prefixes.h"

static const struct m_route *route_of(const struct row *row)
{
    return row->kind == ROW_ROUTE ? (const struct m_route *)row : NULL;
}

static const struct m_node *node_of(const struct row *row)
{
    return (const struct m_node *)row;
}

static const char *const words_of_state[ROUTE_STATES] = {
    [ROUTE_AVAILABLE] = "NOT APPROVED", [ROUTE_APPROVED] = "not advertised", [ROUTE_STANDBY] = "standby",
    [ROUTE_SERVING] = "serving",        [ROUTE_OFFLINE] = "node offline",    [ROUTE_UNHEALTHY] = "unhealthy",
};

static enum role state_role(int state)
{
    return glyph_role(route_state_glyph(state));
}

#define FOLD_MORE_THAN 8 /* addresses of one node in the same state: what an app connector learns */

/* The first of them stands for all, until they are opened. Whoever looks for some sees those that he found. */
static void fold_addresses(const struct list *l, struct m_node *n)
{
    size_t counts[ROUTE_STATES] = {0};
    bool named[ROUTE_STATES] = {false};

    for (size_t i = 0; i < n->routes.len; i++)
        counts[n->routes.items[i]->api.state] += route_is_address(n->routes.items[i]);
    for (size_t i = 0; i < n->routes.len; i++) {
        struct m_route *r = n->routes.items[i];
        size_t count = counts[r->api.state];
        bool fold = count > FOLD_MORE_THAN && route_is_address(r) && !n->row.opened && !*l->filter_text;

        r->stands_for = fold && !named[r->api.state] ? count : 0;
        r->row.folded = fold && named[r->api.state]; /* another one stands for it */
        named[r->api.state] |= fold;
    }
}

static const char *prefix_label(const char *prefix, bool exit)
{
    return !exit ? prefix : str_eq(prefix, "::/0") ? "::/0  exit node" : "0.0.0.0/0  exit node";
}

static void fill_prefix(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_route *r = route_of(row);

    (void)at;
    if (r) {
        out->glyph = (int)route_state_glyph(r->api.state);
        str_copy(out->text, sizeof(out->text), prefix_label(row->key, r->api.exit));
        if (r->stands_for)
            snprintf(out->text, sizeof(out->text), "%zu addresses", r->stands_for);
        out->role = r->api.state == ROUTE_AVAILABLE ? ROLE_WAIT : ROLE_TEXT;
        return;
    }
    out->glyph = (int)node_glyph(node_of(row));
    snprintf(out->text, sizeof(out->text), "%s", node_of(row)->api.given_name);
    out->role = ROLE_STRONG;
}

/* Whether a group is folded. */
static void fill_fold(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_route *r = route_of(row);

    (void)at;
    out->glyph = r && r->stands_for ? GLYPH_FOLDED : r ? -1 : row->folded ? GLYPH_FOLDED : GLYPH_OPEN;
}

static void fill_state(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_route *r = route_of(row);

    (void)at;
    if (r) {
        bool only_via = r->api.state == ROUTE_SERVING && *r->api.via && r->node && r->api.primary != r->node->api.id;
        str_copy(out->text, sizeof(out->text), only_via ? "serving (via)" : words_of_state[r->api.state]);
        out->role = state_role(r->api.state);
        return;
    }
    const struct m_node *n = node_of(row);
    unsigned ghosts = (unsigned)n->routes.len - n->available;

    if (n->available)
        snprintf(out->text, sizeof(out->text), "%u of %u approved", n->available - n->waiting, n->available);
    else
        snprintf(out->text, sizeof(out->text), "%u not advertised", ghosts);
    out->role = n->waiting ? ROLE_WAIT : ROLE_FAINT;
    if (n->api.draining) {
        str_copy(out->text, sizeof(out->text), "DRAINED");
        out->role = ROLE_WAIT;
    }
}

static void fill_primary(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_route *r = route_of(row);

    (void)at;
    if (!r)
        return;
    bool own = r->node && r->api.primary == r->node->api.id;
    str_copy(out->text, sizeof(out->text), own ? "this node" : *r->api.primary_name ? r->api.primary_name : "-");
    if (r->api.exit)
        str_copy(out->text, sizeof(out->text), r->api.state == ROUTE_SERVING ? "each exit node" : "-");
    out->role = own ? ROLE_PRIMARY : ROLE_TEXT;
}

static void fill_approver(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_route *r = route_of(row);

    (void)at;
    if (r)
        str_copy(out->text, sizeof(out->text), *r->api.approved_by ? r->api.approved_by : "-");
    out->role = ROLE_FAINT;
}

static void fill_reason(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    if (route_of(row))
        str_copy(out->text, sizeof(out->text), route_of(row)->api.reason);
    out->role = ROLE_FAINT;
}

static const struct list_column route_columns[] = {
    {.title = "", .key = "state", .least = 1, .wish = 1, .fill = fill_fold},
    {.title = "NODE / PREFIX", .key = "prefix", .name = true, .least = 20, .wish = 24, .share = 2, .fill = fill_prefix},
    {.title = "STATE", .key = "word", .least = 17, .wish = 18, .share = 1, .fill = fill_state, .changed = FIELD_STATE},
    {.title = "SERVED BY",
     .key = "primary",
     .least = 10,
     .wish = 14,
     .share = 2,
     .rank = 1,
     .fill = fill_primary,
     .changed = FIELD_STATE},
    {.title = "FINDING", .key = "finding", .least = 18, .wish = 18, .share = 2, .rank = 2, .fill = fill_finding},
    {.title = "APPROVED BY", .key = "approver", .least = 11, .wish = 14, .share = 2, .rank = 3, .fill = fill_approver},
    {.title = "WHY", .key = "why", .least = 34, .wish = 40, .share = 4, .rank = 10, .fill = fill_reason},
};

static void route_words(const struct row *row, struct buf *out)
{
    const struct m_route *r = route_of(row);

    if (r && r->node)
        buf_addf(out, "%s %s %s%s %s %s", row->key, r->node->api.given_name, words_of_state[r->api.state],
                 r->api.state == ROUTE_AVAILABLE ? " waiting" : "", r->api.exit ? "exit" : "", r->api.primary_name);
    finding_words(row, out);
}

static void route_prefix(const struct row *row, struct buf *out)
{
    if (route_of(row))
        buf_adds(out, row->key);
}

static void route_node(const struct row *row, struct buf *out)
{
    const struct m_route *r = route_of(row);

    if (r && r->node)
        buf_adds(out, r->node->api.given_name);
}

static void route_state(const struct row *row, struct buf *out)
{
    const struct m_route *r = route_of(row);

    if (r) {
        state_words(r->api.state, out);
        buf_adds(out, r->api.exit ? " exit" : "");
    }
    if (r && r->node)
        buf_addf(out, "%s%s", r->node->api.online ? " online" : " offline", r->node->api.draining ? " drained" : "");
    finding_states(row, out);
}

static void route_primary(const struct row *row, struct buf *out)
{
    if (route_of(row))
        buf_adds(out, route_of(row)->api.primary_name);
}

static const struct filter_field route_fields[] = {
    {"prefix", FILTER_NETWORK, route_prefix, NULL}, {"route", FILTER_NETWORK, route_prefix, NULL},
    {"node", FILTER_TEXT, route_node, NULL},        {"is", FILTER_STATE, route_state, NULL},
    {"primary", FILTER_TEXT, route_primary, NULL},
};

#define ROUTE_FIELDS                                                                                                   \
    {                                                                                                                  \
        .items = route_fields, .len = ARRAY_LEN(route_fields), .words = route_words,                                   \
        .states = "exit online " ROUTE_STATE_WORDS                                                                     \
    }

static int by_node_name(const void *a, const void *b)
{
    const struct m_node *p = *(struct m_node *const *)a, *q = *(struct m_node *const *)b;
    int order = strverscmp(p->api.given_name, q->api.given_name);

    return order ? order : (p->api.id > q->api.id) - (p->api.id < q->api.id);
}

static void add_group(struct list *l, struct m_node *n)
{
    VEC(struct row *) hits = {0};

    l->total += n->routes.len;
    fold_addresses(l, n);
    for (size_t i = 0; i < n->routes.len; i++)
        if (!n->routes.items[i]->row.folded && list_matches(l, &n->routes.items[i]->row))
            vec_push(&hits, &n->routes.items[i]->row);
    if (hits.len || l->cursor == &n->row) {
        list_add(l, &n->row);
        for (size_t i = 0; i < hits.len && !n->row.folded; i++)
            list_add(l, hits.items[i]);
    }
    vec_release(&hits);
}

static void collect_routes(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    VEC(struct m_node *) nodes = {0};

    for (size_t i = 0; i < t->rows.len; i++)
        if (node_of(t->rows.items[i])->routes.len)
            vec_push(&nodes, (struct m_node *)t->rows.items[i]);
    if (nodes.len > 1)
        qsort(nodes.items, nodes.len, sizeof(*nodes.items), by_node_name);
    for (size_t i = 0; i < nodes.len; i++)
        add_group(l, nodes.items[i]);
    vec_release(&nodes);
}

static size_t count_routes(const struct model *m)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        count += t->rows.items[i]->gone_ms ? 0 : node_of(t->rows.items[i])->routes.len;
    return count;
}

static int indent_route(const struct row *row)
{
    return row->kind == ROW_ROUTE ? 2 : 0;
}

static const struct list_def routes_def = {
    .noun = "routes",
    .one = "route",
    .empty = "no routes: tailscale set --advertise-routes=10.0.0.0/8 advertises one",
    .columns = route_columns,
    .column_count = ARRAY_LEN(route_columns),
    .fields = ROUTE_FIELDS,
    .sort = -1,
    .tree = true,
    .kinds = 1U << ROW_NODE | 1U << ROW_ROUTE,
    .counted = 1U << ROW_ROUTE,
    .total = count_routes,
    .folds = true,
    .collect = collect_routes,
    .indent = indent_route,
    .indented = 1,
};

/* ---- the routes of the node that is open ---- */

static void collect_detail(const struct model *m, struct list *l)
{
    struct m_node *n = (struct m_node *)l->scope;

    (void)m;
    if (n)
        fold_addresses(l, n);
    for (size_t i = 0; n && i < n->routes.len; i++)
        if (!n->routes.items[i]->row.folded)
            list_add(l, &n->routes.items[i]->row);
}

static const struct list_column detail_columns[] = {
    {.title = "PREFIX", .key = "prefix", .least = 18, .wish = 22, .share = 2, .fill = fill_prefix},
    {.title = "STATE", .key = "word", .least = 14, .wish = 14, .fill = fill_state, .changed = FIELD_STATE},
    {.title = "SERVED BY", .key = "primary", .least = 10, .wish = 14, .share = 1, .rank = 1, .fill = fill_primary},
    {.title = "FINDING", .key = "finding", .least = 18, .wish = 18, .share = 1, .rank = 2, .fill = fill_finding},
    {.title = "APPROVED BY", .key = "approver", .least = 11, .wish = 14, .share = 1, .rank = 3, .fill = fill_approver},
    {.title = "WHY", .key = "why", .least = 34, .wish = 40, .share = 4, .rank = 10, .fill = fill_reason},
};

const struct list_def node_routes_def = {
    .noun = "routes",
    .one = "route",
    .empty = "advertises no routes",
    .columns = detail_columns,
    .column_count = ARRAY_LEN(detail_columns),
    .fields = ROUTE_FIELDS,
    .sort = -1,
    .tree = true,
    .kinds = 1U << ROW_NODE | 1U << ROW_ROUTE,
    .fixed_columns = true,
    .folds = true,
    .collect = collect_detail,
};

static bool routes_trouble(const struct app *app, char *text, size_t size)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        count += t->rows.items[i]->gone_ms ? 0 : node_of(t->rows.items[i])->waiting;
    snprintf(text, size, "%zu waiting", count);
    return count > 0;
}

/* Below the list: what is wrong with the route under the cursor, or with its router, and what to do. */
static void routes_pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf lines = BUF_INIT(0);

    if (!row)
        return;
    const struct m_route *r = route_of(row);
    char *title = r ? mem_format("%s on %s", row->key, r->node->api.given_name) : mem_strdup(row_label(row));
    canvas_section(c, at.row, at.col, at.cols, title, "");
    if (r)
        route_lines(app, r, &lines);
    else
        router_lines(app, node_of(row), &lines);
    dialog_draw_text(c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, buf_text(&lines), 0);
    free(title);
    buf_release(&lines);
}

static const struct console_command commands[] = {
    {.name = "routes",
     .keys = "2",
     .help = "routes by node, by prefix, with several routers, exit nodes",
     .args = "[node|prefix|ha|exit] [FILTER]",
     .where = IN_ANY,
     .opens = &routes_view},
};

const struct console_view routes_view = {
    .init = route_answers_init,
    .release = route_answers_release,
    .reset = route_answers_reset,
    .tick = route_answers_tick,
    .next_ms = route_answers_next_ms,
    .reply = route_answers_reply,
    .note = route_answers_note,
    .name = "routes",
    .title = "Routes",
    .digit = '2',
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_ROUTES, "Routes by node, exit nodes"}, {IN_PREFIXES, "Routes by prefix, several routers"}},
    .parts = {{.name = "node",
               .def = &routes_def,
               .where = IN_ROUTES,
               .pane = 5,
               .pane_scrolls = true,
               .draw_pane = routes_pane,
               .trouble = routes_trouble},
              {.name = "prefix",
               .def = &prefixes_def,
               .where = IN_PREFIXES,
               .pane = PANE_LARGE,
               .pane_scrolls = true,
               .draw_pane = prefixes_pane,
               .trouble = routes_trouble},
              {.name = "ha",
               .def = &ha_def,
               .where = IN_PREFIXES,
               .pane = PANE_LARGE,
               .pane_scrolls = true,
               .draw_pane = ha_pane,
               .trouble = ha_trouble},
              {.name = "exit",
               .def = &exits_def,
               .where = IN_ROUTES,
               .pane = 7,
               .pane_scrolls = true,
               .draw_pane = exits_pane,
               .trouble = routes_trouble}},
};
