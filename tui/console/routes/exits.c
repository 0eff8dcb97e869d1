/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes: a route stands for the pair of both families. */
#include "console/routes/exits.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/routes/fact_columns.h"
#include "console/routes/prefix_lines.h"

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

/* Clients that choose for themselves are told of those that serve and are not drained. */
static enum glyph exit_glyph(const struct m_route *r)
{
    if (r->api.state != ROUTE_SERVING)
        return route_state_glyph(r->api.state);
    return r->node->api.draining ? GLYPH_DRAINED : GLYPH_SUGGESTED;
}

static void fill_exit_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    out->glyph = (int)exit_glyph(exit_of(row));
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
    enum glyph glyph = exit_glyph(exit_of(row));

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

static void fill_exit_priority(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    uint64_t priority = exit_of(row)->node->api.priority;

    (void)at;
    snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)priority);
    out->role = priority == NODE_PRIORITY_DEFAULT ? ROLE_FAINT : ROLE_TEXT;
}

static void fill_exit_users(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = exit_of(row)->node;

    (void)at;
    if (!n->exit_users)
        str_copy(out->text, sizeof(out->text), "-");
    else
        snprintf(out->text, sizeof(out->text), "%u", n->exit_users);
    out->role = !n->exit_users ? ROLE_FAINT : n->api.online && n->api.healthy ? ROLE_TEXT : ROLE_BAD;
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
    {.title = "NODE", .key = "name", .name = true, .least = 14, .wish = 18, .share = 3, .fill = fill_exit_node},
    {.title = "ADDRESS", .key = "address", .least = 15, .wish = 15, .rank = 2, .fill = fill_exit_address},
    {.title = "STATE", .key = "word", .least = 14, .wish = 14, .fill = fill_exit_state, .changed = FIELD_STATE},
    {.title = "USED BY", .key = "users", .least = 7, .wish = 7, .rank = 1, .right = true, .fill = fill_exit_users},
    {.title = "ALLOWED", .key = "allowed", .least = 7, .wish = 7, .rank = 1, .right = true, .fill = fill_used_by},
    {.title = "PRIORITY",
     .key = "priority",
     .least = 8,
     .wish = 8,
     .rank = 2,
     .right = true,
     .fill = fill_exit_priority},
    {.title = "OFFERS", .key = "families", .least = 9, .wish = 9, .rank = 3, .fill = fill_exit_families},
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

    buf_addf(out, "%s %s %s %s%s", r->node->api.given_name, r->node->ipv4, glyph_word(route_state_glyph(r->api.state)),
             r->api.state == ROUTE_AVAILABLE ? "waiting" : glyph_word(exit_glyph(r)),
             r->node->api.draining ? " drained" : "");
    buf_adds(out, r->node->api.online ? " online" : " offline");
    finding_words(row, out);
}

static void exit_states(const struct row *row, struct buf *out)
{
    const struct m_route *r = exit_of(row);

    buf_adds(out, r->node->api.online ? "online" : "offline");
    state_words(r->api.state, out);
    buf_adds(out, r->node->api.draining ? " drained" : r->api.state == ROUTE_SERVING ? " suggested" : "");
    finding_states(row, out);
}

static const struct filter_field exit_fields[] = {
    {"node", FILTER_TEXT, exit_words, NULL},
    {"is", FILTER_STATE, exit_states, NULL},
};

static int by_node_name(const void *a, const void *b)
{
    const struct m_route *p = *(struct m_route *const *)a, *q = *(struct m_route *const *)b;
    int order = strverscmp(p->node->api.given_name, q->node->api.given_name);

    return order ? order : strcmp(p->node->row.key, q->node->row.key);
}

static void count_users(const struct model *m, const struct row_table *nodes)
{
    for (size_t i = 0; i < nodes->rows.len; i++)
        ((struct m_node *)nodes->rows.items[i])->exit_users = 0;
    for (size_t i = 0; i < nodes->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)nodes->rows.items[i];
        struct m_node *exit =
            n->api.exit_node_id && n->api.online && !n->row.gone_ms ? model_node(m, n->api.exit_node_id) : NULL;

        if (exit)
            exit->exit_users++;
    }
}

static void collect_exits(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    VEC(struct m_route *) found = {0};

    count_users(m, t);
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

const struct list_def exits_def = {
    .noun = "exit nodes",
    .one = "exit node",
    .empty = "no exit nodes: tailscale set --advertise-exit-node offers one",
    .columns = exit_columns,
    .column_count = ARRAY_LEN(exit_columns),
    .fields = {.items = exit_fields,
               .len = ARRAY_LEN(exit_fields),
               .words = exit_words,
               .states = "online suggested " ROUTE_STATE_WORDS},
    .sort = -1,
    .tree = true,
    .kinds = 1U << ROW_NODE | 1U << ROW_ROUTE,
    .collect = collect_exits,
};

void exits_pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_ROUTE)
        return;
    const struct m_route *r = exit_of(row);
    bool waits = r->api.state == ROUTE_AVAILABLE;
    command_section(app, c, at, r->node->api.given_name, waits ? "{approve} approve" : "{revoke} revoke");
    canvas_textf(c, at.row + 1, at.col + 3, at.cols - 4, ROLE_TEXT, "offers %s%s%s%s", row->key, twin(r) ? " and " : "",
                 twin(r) ? twin(r)->row.key : "", waits ? ": both are approved together" : "");
    struct buf lines = BUF_INIT(0), names = BUF_INIT(0);
    size_t users = model_exit_users(&app->model, r->node->api.id, &names);
    if (users)
        buf_addf(&lines, "used by\t%s\n", buf_text(&names));
    else
        buf_adds(&lines, "used by\tnobody who is online says so (clients before 1.86 do not)\n");
    allowed_line(app, r, &lines);
    route_lines(app, r, &lines);
    dialog_draw_text(c, (struct rect){at.row + 2, at.col + 3, at.rows - 2, at.cols - 4}, buf_text(&lines), 0);
    buf_release(&names);
    buf_release(&lines);
}
