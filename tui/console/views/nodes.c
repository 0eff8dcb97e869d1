/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of nodes, and the list of those waiting for approval. */
#include "console/views/nodes.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/routes/routes.h"
#include "console/views/round_trips.h"

static const struct m_node *node_of(const struct row *row)
{
    return row->kind == ROW_NODE ? (const struct m_node *)row : NULL;
}

static const struct m_pending *pending_of(const struct row *row)
{
    return (const struct m_pending *)row;
}

static void fill_label(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    out->glyph = (int)(n ? node_glyph(n) : GLYPH_PENDING);
    str_copy(out->text, sizeof(out->text), n ? n->api.given_name : pending_of(row)->api.hostname);
    out->role = n ? ROLE_NAME : ROLE_WAIT;
}

/* The glyph has the colour of the state, the name its own, so the glyph is a separate column. */
static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    out->glyph = (int)(n ? node_glyph(n) : GLYPH_PENDING);
    out->text[0] = '\0';
}

static void fill_plain_name(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    fill_label(row, at, out);
    out->glyph = -1;
    if (node_of(row) && !node_of(row)->api.online)
        out->role = ROLE_OFF;
}

static void fill_owner(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    str_copy(out->text, sizeof(out->text), n ? n->owner : "(none)");
    if (n && n->api.tags.len > 1)
        snprintf(out->text, sizeof(out->text), "%.150s +%zu", n->owner, n->api.tags.len - 1);
    out->role = !n ? ROLE_OFF : n->tagged ? ROLE_TAG : ROLE_USER;
}

static void fill_address(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    str_copy(out->text, sizeof(out->text), n ? (*n->ipv4 ? n->ipv4 : n->ipv6) : "-");
    out->role = ROLE_ADDRESS;
}

static void fill_ipv6(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    str_copy(out->text, sizeof(out->text), n ? n->ipv6 : "-");
    out->role = ROLE_ADDRESS;
}

static void fill_seen(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);
    char text[AGO_MAX];

    out->role = ROLE_TIME;
    if (!n)
        str_copy(out->text, sizeof(out->text), ago_text(pending_of(row)->api.created_ns, at->now_ns, text));
    else if (n->api.online)
        str_copy(out->text, sizeof(out->text), n->api.healthy ? "now" : "no reply");
    else
        str_copy(out->text, sizeof(out->text), ago_text(n->api.last_seen_ns, at->now_ns, text));
    if (n && n->api.online)
        out->role = n->api.healthy ? ROLE_OK : ROLE_BAD;
}

static void fill_routes(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);

    (void)at;
    out->role = ROLE_FAINT;
    str_copy(out->text, sizeof(out->text), "-");
    if (!n || !n->routes.len)
        return;
    unsigned approved = n->available - n->waiting;
    snprintf(out->text, sizeof(out->text), "%u/%u", approved, n->available);
    out->role = n->waiting     ? ROLE_WAIT
                : n->unhealthy ? ROLE_BAD
                : n->serving   ? ROLE_PRIMARY
                : n->available ? ROLE_STANDBY
                               : ROLE_OFF;
    out->glyph = n->waiting                         ? GLYPH_UNAPPROVED
                 : n->unhealthy                     ? GLYPH_UNHEALTHY
                 : n->serving                       ? GLYPH_SERVING
                 : !n->api.online || n->api.expired ? GLYPH_ROUTE_OFFLINE
                                                    : GLYPH_STANDBY;
}

static void fill_expiry(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_node *n = node_of(row);
    char text[AGO_MAX];

    if (!n) {
        str_copy(out->text, sizeof(out->text), "PENDING");
        out->role = ROLE_WAIT;
        return;
    }
    str_copy(out->text, sizeof(out->text), n->api.expired ? "EXPIRED" : until_text(n->api.expiry_ns, at->now_ns, text));
    bool soon = n->api.expiry_ns && n->api.expiry_ns - at->now_ns < INT64_C(7) * 86400 * 1000000000;
    out->role = n->api.expired ? ROLE_BAD : soon ? ROLE_WAIT : ROLE_TIME;
}

static void fill_os(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), node_of(row) ? node_of(row)->api.os : pending_of(row)->api.os);
    out->role = ROLE_FAINT;
}

static void fill_version(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const char *version = node_of(row) ? node_of(row)->api.client_version : pending_of(row)->api.client_version;

    (void)at;
    /* "1.82.0-t5a8b...": the part after the dash names a build. */
    snprintf(out->text, sizeof(out->text), "%.*s", (int)strcspn(version, "-"), version);
    out->role = ROLE_FAINT;
}

static void fill_relay(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), node_of(row) ? node_of(row)->api.relay_name : "");
    out->role = ROLE_FAINT;
}

static const char *name_of(const struct row *row)
{
    return node_of(row) ? node_of(row)->api.given_name : pending_of(row)->api.hostname;
}

static int by_name(const struct row *a, const struct row *b)
{
    return strverscmp(name_of(a), name_of(b));
}

/* Compares nodes by a property; those waiting for approval come first. */
#define BY(name, expression)                                                                                           \
    static int name(const struct row *a, const struct row *b)                                                          \
    {                                                                                                                  \
        const struct m_node *p = node_of(a), *q = node_of(b);                                                          \
                                                                                                                       \
        if (!p || !q)                                                                                                  \
            return (q == NULL) - (p == NULL);                                                                          \
        return expression;                                                                                             \
    }
#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

static int64_t seen_order(const struct m_node *n)
{
    return n->api.online ? INT64_MAX : n->api.last_seen_ns;
}

static int compare_addresses(const char *a, const char *b)
{
    struct addr p = {0}, q = {0};

    if (addr_parse(a, &p, NULL) < 0 || addr_parse(b, &q, NULL) < 0)
        return strcmp(a, b);
    return addr_cmp(&p, &q);
}

BY(by_state, COMPARE(node_glyph(p), node_glyph(q)))
BY(by_owner, strverscmp(p->owner, q->owner))
BY(by_address, compare_addresses(*p->ipv4 ? p->ipv4 : p->ipv6, *q->ipv4 ? q->ipv4 : q->ipv6))
BY(by_ipv6, compare_addresses(p->ipv6, q->ipv6))
BY(by_seen, COMPARE(seen_order(q), seen_order(p)))
BY(by_routes, COMPARE(q->waiting * 1000 + q->available, p->waiting * 1000 + p->available))
BY(by_expiry, COMPARE((uint64_t)p->api.expiry_ns - 1, (uint64_t)q->api.expiry_ns - 1))
BY(by_os, strcmp(p->api.os, q->api.os))
BY(by_version, strverscmp(p->api.client_version, q->api.client_version))
BY(by_relay, strcmp(p->api.relay_name, q->api.relay_name))

static const struct list_column columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_sign, .compare = by_state, .changed = 0},
    {.title = "NAME",
     .key = "name",
     .name = true,
     .least = 12,
     .wish = 16,
     .share = 6,
     .fill = fill_plain_name,
     .compare = by_name,
     .changed = FIELD_NAME},
    {.title = "OWNER",
     .key = "owner",
     .least = 10,
     .wish = 12,
     .share = 3,
     .rank = 5,
     .fill = fill_owner,
     .compare = by_owner,
     .changed = FIELD_OWNER},
    {.title = "ADDRESS",
     .key = "address",
     .least = 15,
     .wish = 15,
     .rank = 4,
     .fill = fill_address,
     .compare = by_address,
     .changed = FIELD_ADDRESS},
    {.title = "ADDRESS 6",
     .key = "address6",
     .least = 20,
     .wish = 24,
     .rank = 15,
     .fill = fill_ipv6,
     .compare = by_ipv6},
    {.title = "SEEN",
     .key = "seen",
     .least = 8,
     .wish = 8,
     .rank = 2,
     .fill = fill_seen,
     .compare = by_seen,
     .changed = FIELD_ONLINE},
    {.title = "ROUTES",
     .key = "routes",
     .least = 7,
     .wish = 9,
     .rank = 1,
     .fill = fill_routes,
     .compare = by_routes,
     .changed = FIELD_ROUTES},
    {.title = "EXPIRY",
     .key = "expiry",
     .least = 7,
     .wish = 9,
     .rank = 6,
     .fill = fill_expiry,
     .compare = by_expiry,
     .changed = FIELD_EXPIRY},
    {.title = "RTT ms", .key = "rtt", .least = 8, .wish = 8, .rank = 7, .fill = fill_trip, .compare = by_trip},
    {.title = "LAST 16", .key = "rtts", .least = 16, .wish = 16, .rank = 12, .fill = fill_trips},
    {.title = "RELAY",
     .key = "relay",
     .least = 6,
     .wish = 9,
     .share = 3,
     .rank = 13,
     .fill = fill_relay,
     .compare = by_relay,
     .changed = FIELD_RELAY},
    {.title = "OS", .key = "os", .least = 7, .wish = 8, .rank = 11, .fill = fill_os, .compare = by_os},
    {.title = "VERSION",
     .key = "version",
     .least = 8,
     .wish = 9,
     .rank = 14,
     .fill = fill_version,
     .compare = by_version},
};

static void words(const struct row *row, struct buf *out)
{
    if (node_of(row)) {
        buf_adds(out, node_of(row)->words);
        return;
    }
    const struct m_pending *p = pending_of(row);
    buf_addf(out, "%s %s %s %s pending", p->api.hostname, p->api.os, p->api.source, row->key);
}

#define TEXT_FIELD(name, member)                                                                                       \
    static void name(const struct row *row, struct buf *out)                                                           \
    {                                                                                                                  \
        if (node_of(row))                                                                                              \
            buf_adds(out, node_of(row)->api.member);                                                                   \
    }
TEXT_FIELD(text_os, os)
TEXT_FIELD(text_version, client_version)
TEXT_FIELD(text_relay, relay_name)

static void text_name(const struct row *row, struct buf *out)
{
    buf_adds(out, name_of(row));
}

static void text_owner(const struct row *row, struct buf *out)
{
    if (node_of(row) && !node_of(row)->tagged)
        buf_adds(out, node_of(row)->owner);
}

static void text_tags(const struct row *row, struct buf *out)
{
    for (size_t i = 0; node_of(row) && i < node_of(row)->api.tags.len; i++)
        buf_addf(out, "%s ", node_of(row)->api.tags.items[i]);
}

static void text_ip(const struct row *row, struct buf *out)
{
    if (node_of(row))
        buf_addf(out, "%s %s", node_of(row)->ipv4, node_of(row)->ipv6);
}

static void text_routes(const struct row *row, struct buf *out)
{
    for (size_t i = 0; node_of(row) && i < node_of(row)->routes.len; i++)
        buf_addf(out, "%s ", node_of(row)->routes.items[i]->row.key);
}

static void text_state(const struct row *row, struct buf *out)
{
    const struct m_node *n = node_of(row);

    if (!n) {
        buf_adds(out, "pending");
        return;
    }
    buf_addf(out, "%s%s%s%s%s%s%s",
             n->api.expired  ? "expired"
             : n->api.online ? "online"
                             : "offline",
             n->api.expired && n->api.online ? " online" : "", n->api.online && !n->api.healthy ? " unhealthy" : "",
             n->api.needs_approval ? " not-approved" : "", n->waiting ? " waiting" : "",
             n->api.warnings.len ? " warned" : "", n->api.draining ? " drained" : "");
}

#define NODE_STATES "online offline expired pending unhealthy not-approved waiting warned drained"

static void text_id(const struct row *row, struct buf *out)
{
    buf_adds(out, row->key);
}

static int64_t time_seen(const struct row *row)
{
    const struct m_node *n = node_of(row);

    return !n ? pending_of(row)->api.created_ns : n->api.online ? FILTER_NOW : n->api.last_seen_ns;
}

static int64_t time_expiry(const struct row *row)
{
    return node_of(row) ? node_of(row)->api.expiry_ns : 0;
}

static int64_t time_created(const struct row *row)
{
    return node_of(row) ? node_of(row)->api.created_ns : pending_of(row)->api.created_ns;
}

static const struct filter_field fields[] = {
    {"name", FILTER_TEXT, text_name, NULL},        {"user", FILTER_TEXT, text_owner, NULL},
    {"tag", FILTER_TEXT, text_tags, NULL},         {"ip", FILTER_NETWORK, text_ip, NULL},
    {"route", FILTER_NETWORK, text_routes, NULL},  {"os", FILTER_TEXT, text_os, NULL},
    {"version", FILTER_TEXT, text_version, NULL},  {"relay", FILTER_TEXT, text_relay, NULL},
    {"is", FILTER_STATE, text_state, NULL},        {"id", FILTER_TEXT, text_id, NULL},
    {"seen", FILTER_SINCE, NULL, time_seen},       {"exp", FILTER_UNTIL, NULL, time_expiry},
    {"created", FILTER_SINCE, NULL, time_created},
};

static void collect(const struct model *m, struct list *l)
{
    const struct row_table *nodes = model_table(m, ROW_NODE), *pending = model_table(m, ROW_PENDING);

    for (size_t i = 0; i < nodes->rows.len; i++)
        list_add(l, nodes->rows.items[i]);
    for (size_t i = 0; i < pending->rows.len; i++)
        list_add(l, pending->rows.items[i]);
}

static size_t count_nodes(const struct model *m)
{
    return model_table(m, ROW_NODE)->index.len;
}

static const struct list_def nodes_def = {
    .noun = "nodes",
    .one = "node",
    .empty = "no nodes yet: {users} {new} creates a user, {keys} {new} a key and the command to join with",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words, .states = NODE_STATES},
    .sort = 1,
    .kinds = 1U << ROW_NODE | 1U << ROW_PENDING,
    .counted = 1U << ROW_NODE,
    .total = count_nodes,
    .collect = collect,
};

static bool trouble(const struct app *app, char *text, size_t size)
{
    size_t count = model_table(&app->model, ROW_PENDING)->index.len;

    snprintf(text, size, "%zu waiting", count);
    return count > 0;
}

static struct trips_poll *poll_of(const struct app *app)
{
    return view_state(app, &nodes_view);
}

const struct api_node_round_trips *nodes_trips(const struct app *app, const struct m_node *n)
{
    return trips_of(poll_of(app), n);
}

static void reset(struct app *app)
{
    trips_release(poll_of(app));
}

static bool is_sorted_by_trips(const struct list *l)
{
    return l->sort >= 0 && l->def->columns[l->sort].compare == by_trip;
}

static bool shows_members(const struct app *app)
{
    return app->place.view == &routes_view && str_eq(app_part(app)->name, "ha");
}

/* The routers of the prefix under the cursor, whose pane shows them. */
static void add_members(const struct app *app, struct buf *ids)
{
    const struct row *row = app_list((struct app *)(uintptr_t)app)->cursor;

    for (size_t i = 0; row && row->kind == ROW_PREFIX && i < ((const struct m_prefix *)row)->api.routers.len; i++) {
        const struct m_node *n = model_node(&app->model, router_at((const struct m_prefix *)row, i)->node);

        if (n)
            trips_add(ids, &n->row);
    }
}

/* Requests the nodes on the screen, or the open one. */
static void tick(struct app *app)
{
    const struct list *l = view_list(app, &nodes_view, 0);
    bool front = app->place.view == &nodes_view;
    struct buf ids = BUF_INIT(0);

    if (app_node(app))
        trips_add(&ids, &app_node(app)->row);
    for (size_t i = l->top; front && i < l->order.len && i < l->top + l->height; i++)
        trips_add(&ids, l->order.items[i]);
    if (shows_members(app))
        add_members(app, &ids);
    trips_ask(app, poll_of(app), &ids, front && is_sorted_by_trips(l));
    buf_release(&ids);
}

static int64_t next_ms(const struct app *app)
{
    return app->place.view == &nodes_view || app_node(app) || shows_members(app) ? trips_next_ms(app, poll_of(app)) : 0;
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    struct list *l = view_list(app, &nodes_view, 0);

    if (!trips_reply(app, poll_of(app), id, reply))
        return false;
    l->dirty = l->dirty || is_sorted_by_trips(l);
    return true;
}

static const struct console_command commands[] = {
    {.name = "nodes", .keys = "1", .help = "all nodes", .args = "[FILTER]", .where = IN_ANY, .opens = &nodes_view},
};

const struct console_view nodes_view = {
    .name = "nodes",
    .title = "Nodes",
    .digit = '1',
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_NODES, "List of nodes"}},
    .parts = {{.def = &nodes_def, .where = IN_NODES, .trouble = trouble}},
    .state_size = sizeof(struct trips_poll),
    .reset = reset,
    .release = reset,
    .tick = tick,
    .next_ms = next_ms,
    .reply = reply_to,
};
