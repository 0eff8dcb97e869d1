/* SPDX-License-Identifier: BSD-3-Clause */
/* Two more looks at the routes: prefixes that several nodes can serve, with what happened to them, and exit nodes. */
#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"

/* ---- prefixes with more than one router ---- */

struct route_group {
    unsigned members, able, waiting; /* able: serving or ready to */
    const char *standby;             /* one that could take over, NULL */
};

static struct route_group group_of(const struct row *row)
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    struct route_group g = {0};

    for (size_t i = 0; i < p->api.routers.len; i++) {
        const struct api_router *r = router_at(p, i);

        if (r->state == ROUTE_AVAILABLE) {
            g.waiting++;
        } else if (r->state != ROUTE_APPROVED) {
            g.members++;
            g.able += r->state == ROUTE_SERVING || r->state == ROUTE_STANDBY;
            g.standby = g.standby ? g.standby : r->state == ROUTE_STANDBY ? r->name : NULL;
        }
    }
    return g;
}

bool ha_is_group(const struct row *row)
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    struct route_group g = group_of(row);

    return !p->api.exit && g.members + g.waiting > 1;
}

bool ha_is_degraded(const struct row *row)
{
    struct route_group g = group_of(row);

    return g.able < g.members || g.able < 2;
}

static void fill_group_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    out->glyph = !g.able ? GLYPH_OFFLINE : ha_is_degraded(row) ? GLYPH_EXPIRED : GLYPH_SERVING;
}

static void fill_group_prefix(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), row->key);
}

static void fill_group_members(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    if (g.waiting)
        snprintf(out->text, sizeof(out->text), "%u +%u", g.members, g.waiting);
    else
        snprintf(out->text, sizeof(out->text), "%u", g.members);
    out->role = g.waiting ? ROLE_WAIT : ROLE_TEXT;
}

static void fill_group_primary(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_prefix *p = (const struct m_prefix *)row;

    (void)at;
    str_copy(out->text, sizeof(out->text), *p->api.primary_name ? p->api.primary_name : "NOBODY");
    out->role = *p->api.primary_name ? ROLE_PRIMARY : ROLE_BAD;
}

static void fill_group_able(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    snprintf(out->text, sizeof(out->text), "%u of %u", g.able, g.members);
    out->role = !g.able ? ROLE_BAD : ha_is_degraded(row) ? ROLE_WAIT : ROLE_OK;
}

static void fill_group_note(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    if (g.standby)
        snprintf(out->text, sizeof(out->text), "%.150s ready", g.standby);
    else
        str_copy(out->text, sizeof(out->text), g.waiting ? "another waits" : "nobody is ready");
    out->role = g.standby ? ROLE_STANDBY : ROLE_WAIT;
}

static void fill_group_since(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), ago_text(((const struct m_prefix *)row)->api.since_ns, at->now_ns, text));
    out->role = ROLE_TIME;
}

static int by_prefix(const struct row *a, const struct row *b)
{
    return prefix_cmp(&((const struct m_prefix *)a)->api.prefix, &((const struct m_prefix *)b)->api.prefix);
}

static int by_trouble(const struct row *a, const struct row *b)
{
    struct route_group p = group_of(a), q = group_of(b);

    return (int)(p.able * q.members) - (int)(q.able * p.members);
}

static int by_since(const struct row *a, const struct row *b)
{
    int64_t p = ((const struct m_prefix *)a)->api.since_ns, q = ((const struct m_prefix *)b)->api.since_ns;

    return (p < q) - (p > q);
}

static const struct list_column group_columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_group_sign, .compare = by_trouble},
    {.title = "PREFIX",
     .key = "prefix",
     .least = 18,
     .wish = 20,
     .share = 2,
     .fill = fill_group_prefix,
     .compare = by_prefix},
    {.title = "MEMBERS", .key = "members", .least = 7, .wish = 7, .rank = 4, .fill = fill_group_members},
    {.title = "SERVED BY",
     .key = "primary",
     .least = 11,
     .wish = 14,
     .share = 2,
     .fill = fill_group_primary,
     .changed = FIELD_STATE},
    {.title = "HEALTHY",
     .key = "healthy",
     .least = 7,
     .wish = 7,
     .rank = 1,
     .fill = fill_group_able,
     .compare = by_trouble},
    {.title = "IF IT FAILS", .key = "next", .least = 13, .wish = 15, .share = 2, .rank = 2, .fill = fill_group_note},
    {.title = "SINCE", .key = "since", .least = 6, .wish = 7, .rank = 3, .fill = fill_group_since, .compare = by_since},
};

static void group_words(const struct row *row, struct buf *out)
{
    const struct m_prefix *p = (const struct m_prefix *)row;

    buf_addf(out, "%s%s", row->key, ha_is_degraded(row) ? " degraded" : "");
    for (size_t i = 0; i < p->api.routers.len; i++)
        buf_addf(out, " %s %s", router_at(p, i)->name, route_state_name(router_at(p, i)->state));
}

static void group_prefix(const struct row *row, struct buf *out)
{
    buf_adds(out, row->key);
}

static const struct filter_field group_fields[] = {
    {"prefix", FILTER_NETWORK, group_prefix, NULL},
    {"route", FILTER_NETWORK, group_prefix, NULL},
};

/* A prefix whose second router went may be the cursor's: it stays until the cursor leaves. */
static void collect_groups(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_PREFIX);

    for (size_t i = 0; i < t->rows.len; i++)
        if (ha_is_group(t->rows.items[i]) || t->rows.items[i] == l->cursor)
            list_add(l, t->rows.items[i]);
}

const struct list_def ha_def = {
    .noun = "groups",
    .one = "group",
    .empty = "no prefix has two routers: advertise and approve one on a second node, and it takes over",
    .columns = group_columns,
    .column_count = ARRAY_LEN(group_columns),
    .fields = {.items = group_fields, .len = ARRAY_LEN(group_fields), .words = group_words},
    .sort = 1,
    .kinds = 1U << ROW_PREFIX,
    .always_whole = true,
    .collect = collect_groups,
};

static int draw_history(struct app *app, struct canvas *c, struct rect at, const char *prefix)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    int drawn = 0;

    for (size_t i = t->rows.len; i-- > 0 && drawn < at.rows;) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];
        char text[AGO_MAX];

        if (!str_eq(e->api.object, "prefix") || !str_eq(e->api.object_name, prefix))
            continue;
        canvas_text(c, at.row + drawn, at.col + 3, 12, ROLE_TIME, timestamp_text(e->api.time_ns, app->at.now_ns, text));
        canvas_text(c, at.row + drawn++, at.col + 16, at.cols - 17,
                    e->api.weight == WEIGHT_ALARM ? ROLE_BAD : ROLE_TEXT, e->api.text);
    }
    return drawn;
}

static void pane_group(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_PREFIX)
        return;
    const struct m_prefix *p = (const struct m_prefix *)row;
    struct rect members = at;
    members.rows = (int)p->api.routers.len + 1 < at.rows * 2 / 3 ? (int)p->api.routers.len + 1 : at.rows * 2 / 3;
    pane_prefix(app, c, members);
    at.row += members.rows;
    at.rows -= members.rows;
    if (at.rows < 2)
        return;
    pane_section(c, at.row, at.col, at.cols, "what happened", "Enter routes   f make primary   o out of service");
    at.row++;
    at.rows--;
    if (!draw_history(app, c, at, row->key))
        canvas_text(c, at.row, at.col + 3, at.cols - 4, ROLE_FAINT, "nothing, as far as the journal was read");
}

/* ---- exit nodes: a route stands for the pair of both families ---- */

static const struct m_route *exit_of(const struct row *row)
{
    return (const struct m_route *)row;
}

/* The other family's route of the same node, NULL. */
static const struct m_route *twin(const struct m_route *r)
{
    for (size_t i = 0; r->node && i < r->node->routes.len; i++)
        if (r->node->routes.items[i]->api.exit && r->node->routes.items[i] != r)
            return r->node->routes.items[i];
    return NULL;
}

static void fill_exit_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    out->glyph = (int)route_state_glyph(exit_of(row)->api.state);
}

static void fill_exit_node(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), exit_of(row)->node->api.given_name);
    out->role = exit_of(row)->node->api.online ? ROLE_NAME : ROLE_OFF;
}

static void fill_exit_address(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = exit_of(row)->node;

    (void)at;
    str_copy(out->text, sizeof(out->text), *n->ipv4 ? n->ipv4 : n->ipv6);
    out->role = ROLE_ADDRESS;
}

static void fill_exit_state(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    enum glyph glyph = route_state_glyph(exit_of(row)->api.state);

    (void)at;
    str_copy(out->text, sizeof(out->text),
             exit_of(row)->api.state == ROUTE_AVAILABLE ? "NOT APPROVED" : glyph_word(glyph));
    out->role = glyph_role(glyph);
}

static void fill_exit_families(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    bool four = exit_of(row)->api.prefix.addr.bits == 32, both = twin(exit_of(row)) != NULL;

    (void)at;
    str_copy(out->text, sizeof(out->text), both ? "IPv4 IPv6" : four ? "IPv4" : "IPv6");
    out->role = both ? ROLE_TEXT : ROLE_WAIT;
}

static void fill_exit_approver(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), *exit_of(row)->api.approved_by ? exit_of(row)->api.approved_by : "-");
    out->role = ROLE_FAINT;
}

static void fill_exit_relay(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text),
             *exit_of(row)->node->api.relay_name ? exit_of(row)->node->api.relay_name : "-");
    out->role = ROLE_FAINT;
}

static void fill_exit_seen(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = exit_of(row)->node;
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), n->api.online ? "now" : ago_text(n->api.last_seen_ns, at->now_ns, text));
    out->role = n->api.online ? ROLE_OK : ROLE_TIME;
}

static const struct list_column exit_columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_exit_sign},
    {.title = "NODE", .key = "name", .least = 14, .wish = 18, .share = 3, .fill = fill_exit_node},
    {.title = "ADDRESS", .key = "address", .least = 15, .wish = 15, .rank = 2, .fill = fill_exit_address},
    {.title = "STATE", .key = "word", .least = 14, .wish = 14, .fill = fill_exit_state, .changed = FIELD_STATE},
    {.title = "OFFERS", .key = "families", .least = 9, .wish = 9, .rank = 1, .fill = fill_exit_families},
    {.title = "SEEN", .key = "seen", .least = 7, .wish = 8, .rank = 3, .fill = fill_exit_seen},
    {.title = "APPROVED BY",
     .key = "approver",
     .least = 11,
     .wish = 13,
     .share = 2,
     .rank = 4,
     .fill = fill_exit_approver},
    {.title = "RELAY", .key = "relay", .least = 6, .wish = 9, .rank = 5, .fill = fill_exit_relay},
};

static void exit_words(const struct row *row, struct buf *out)
{
    const struct m_route *r = exit_of(row);

    buf_addf(out, "%s %s %s %s", r->node->api.given_name, r->node->ipv4, glyph_word(route_state_glyph(r->api.state)),
             r->api.state == ROUTE_AVAILABLE ? "waiting" : "");
}

static int by_node_name(const void *a, const void *b)
{
    const struct m_route *p = *(struct m_route *const *)a, *q = *(struct m_route *const *)b;
    int order = strverscmp(p->node->api.given_name, q->node->api.given_name);

    return order ? order : strcmp(p->node->row.key, q->node->row.key);
}

static void collect_exits(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    VEC(struct m_route *) found = {0};

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];
        struct m_route *first = NULL;

        for (size_t j = 0; j < n->routes.len && !first; j++)
            first = n->routes.items[j]->api.exit ? n->routes.items[j] : NULL;
        l->total += first != NULL;
        if (first && list_matches(l, &first->row))
            vec_push(&found, first);
    }
    if (found.len > 1)
        qsort(found.items, found.len, sizeof(*found.items), by_node_name);
    for (size_t i = 0; i < found.len; i++)
        vec_push(&l->order, &found.items[i]->row);
    vec_release(&found);
}

const struct list_def exit_def = {
    .noun = "exit nodes",
    .one = "exit node",
    .empty = "no node offers to be an exit node: tailscale set --advertise-exit-node does",
    .columns = exit_columns,
    .column_count = ARRAY_LEN(exit_columns),
    .fields = {.words = exit_words},
    .sort = -1,
    .tree = true,
    .kinds = 1U << ROW_NODE | 1U << ROW_ROUTE,
    .collect = collect_exits,
};

static void pane_exit(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_ROUTE)
        return;
    const struct m_route *r = exit_of(row);
    bool waits = r->api.state == ROUTE_AVAILABLE;
    pane_section(c, at.row, at.col, at.cols, r->node->api.given_name, waits ? "a approve" : "x revoke");
    canvas_textf(c, at.row + 1, at.col + 3, at.cols - 4, ROLE_TEXT, "offers %s%s%s%s", row->key, twin(r) ? " and " : "",
                 twin(r) ? twin(r)->row.key : "", waits ? ": both are approved together" : "");
    canvas_text(c, at.row + 2, at.col + 3, at.cols - 4, ROLE_FAINT, r->api.reason);
    canvas_text(c, at.row + 3, at.col + 3, at.cols - 4, ROLE_FAINT,
                "people choose it on their machines; the server does not learn who did");
}

void pane_routes(struct app *app, struct canvas *c, struct rect at)
{
    switch (app_list_id(app)) {
    case LIST_HA:
        pane_group(app, c, at);
        break;
    case LIST_EXIT:
        pane_exit(app, c, at);
        break;
    default:
        pane_prefix(app, c, at);
        break;
    }
}
