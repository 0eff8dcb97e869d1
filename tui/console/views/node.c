/* SPDX-License-Identifier: BSD-3-Clause */
/* One node: its identity, its addresses and link, its routes, its events. */
#include "console/views/node.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/routes/prefixes.h"
#include "console/routes/routes.h"
#include "console/screen/graph.h"
#include "console/views/nodes.h"
#include "console/views/pending.h"
#include "console/views/round_trips.h"

enum { LABEL_COLS = 13, ROUND_TRIPS_DRAWN = 60 };

struct pen {
    struct canvas *c;
    struct rect at;
    int row; /* the next line, counted from the top of at; negative: above it */
};

static bool room(const struct pen *p)
{
    return p->row >= 0 && p->row < p->at.rows;
}

static void section(struct pen *p, const char *left, const char *right)
{
    if (room(p))
        canvas_section(p->c, p->at.row + p->row, p->at.col, p->at.cols, left, right);
    p->row++;
}

static void line(struct pen *p, const char *label, enum role role, const char *text)
{
    if (room(p)) {
        canvas_text(p->c, p->at.row + p->row, p->at.col + 3, LABEL_COLS, ROLE_LABEL, label);
        canvas_text(p->c, p->at.row + p->row, p->at.col + 3 + LABEL_COLS, p->at.cols - LABEL_COLS - 4, role, text);
    }
    p->row++;
}

static void linef(struct pen *p, const char *label, enum role role, const char *format, ...) PRINTF_LIKE(4, 5);
static void linef(struct pen *p, const char *label, enum role role, const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    line(p, label, role, text);
}

static void join(const struct strs *s, const char *between, struct buf *out)
{
    for (size_t i = 0; i < s->len; i++)
        buf_addf(out, "%s%s", i ? between : "", s->items[i]);
}

static void draw_title(struct app *app, struct pen *p, const struct m_node *n)
{
    char since[AGO_MAX], text[160];
    int row = p->at.row + p->row++, col = p->at.col + 1;
    enum glyph glyph = node_glyph(n);

    canvas_glyph(p->c, row, col, glyph);
    col += 2;
    if (n->row.gone_ms)
        snprintf(text, sizeof(text), "deleted");
    else if (n->api.since_ns)
        snprintf(text, sizeof(text), "%s for %s", glyph_word(glyph),
                 span_text(app->at.now_ns - n->api.since_ns, since));
    else if (!n->api.online && n->api.last_seen_ns)
        snprintf(text, sizeof(text), "%s, seen %s ago", glyph_word(glyph),
                 span_text(app->at.now_ns - n->api.last_seen_ns, since));
    else
        snprintf(text, sizeof(text), "%s", glyph_word(glyph));
    /* The state is never cut; the name may be. */
    int room = p->at.cols - 10 - (int)strlen(n->row.key) - canvas_width(p->c, text);
    col += canvas_text(p->c, row, col, room > 8 ? room : 8, ROLE_STRONG, n->api.given_name) + 2;
    col += canvas_textf(p->c, row, col, 12, ROLE_FAINT, "id %s", n->row.key) + 2;
    col += canvas_text(p->c, row, col, p->at.col + p->at.cols - col - 1, glyph_role(glyph), text) + 2;
    if (n->api.draining && !n->row.gone_ms)
        col += canvas_text(p->c, row, col, p->at.col + p->at.cols - col - 1, ROLE_WAIT, "drained") + 2;
    if (n->routes.len && n->api.priority != NODE_PRIORITY_DEFAULT && !n->row.gone_ms)
        canvas_textf(p->c, row, col, p->at.col + p->at.cols - col - 1, ROLE_TEXT, "priority %llu",
                     (unsigned long long)n->api.priority);
}

static void draw_identity(struct app *app, struct pen *p, const struct m_node *n)
{
    const struct api_preauth_key *key = n->api.preauth_key;
    struct buf tags = BUF_INIT(0);
    char text[AGO_MAX], id[24] = "";

    if (key)
        snprintf(id, sizeof(id), "%llu", (unsigned long long)key->id);

    for (size_t i = 0; i < n->api.warnings.len; i++)
        line(p, i ? "" : "warning", ROLE_BAD, api_at(&n->api.warnings, struct api_warning, i)->text);
    section(p, "identity", "");
    linef(p, "addresses", ROLE_ADDRESS, "%s  %s", n->ipv4, n->ipv6);
    line(p, "name", ROLE_TEXT, *n->api.fqdn ? n->api.fqdn : n->api.given_name);
    join(&n->api.tags, "  ", &tags);
    if (n->api.tags.len)
        line(p, "tags", ROLE_TAG, buf_text(&tags));
    else
        line(p, "owner", ROLE_USER, *n->owner ? n->owner : "-");
    const char *expires = n->api.expired ? "EXPIRED" : until_text(n->api.expiry_ns, app->at.now_ns, text);
    linef(p, "key", n->api.expired ? ROLE_BAD : ROLE_TEXT, "%.16s  expires %s%s", n->api.node_key,
          n->api.expiry_ns ? "in " : "", expires);
    linef(p, "joined", ROLE_TEXT, "%s ago%s%s%s", span_text(app->at.now_ns - n->api.created_ns, text),
          key ? " with pre-auth key " : "", key ? id : "", n->api.ephemeral ? ", ephemeral" : "");
    const char *by = n->api.approval_by;
    span_text(app->at.now_ns - n->api.approval_ns, text);
    if (n->api.needs_approval && !*by)
        line(p, "approval", ROLE_WAIT, "waits for an administrator");
    else if (*by)
        linef(p, "approval", n->api.needs_approval ? ROLE_WAIT : ROLE_TEXT, "%sby %s %s ago",
              n->api.needs_approval ? "taken back " : "", by, text);
    if (*n->api.client_version || *n->api.os)
        linef(p, "client", ROLE_TEXT, "%s  %s %s  capability %llu", n->api.client_version, n->api.os, n->api.os_version,
              (unsigned long long)n->api.cap_version);
    else
        line(p, "client", ROLE_TEXT, "not known");
    if (!str_eq(n->api.hostname, n->api.given_name))
        line(p, "calls itself", ROLE_TEXT, n->api.hostname);
    buf_release(&tags);
}

/* The home relay, then the others, nearest first, with the client's measurements. */
static void draw_relays(struct pen *p, const struct m_node *n, const struct api_node_round_trips *known)
{
    struct buf text = BUF_INIT(0);
    char ms[TRIP_TEXT_MAX];

    buf_adds(&text, *n->api.relay_name ? n->api.relay_name : "not known");
    for (size_t i = 0; known && i < known->relays.len; i++) {
        const struct api_relay_latency *l = api_at(&known->relays, struct api_relay_latency, i);

        if (l->region == n->api.relay && l->us < UINT32_MAX)
            buf_addf(&text, " %s ms", trip_text((uint32_t)l->us, ms));
    }
    for (size_t i = 0; known && i < known->relays.len; i++) {
        const struct api_relay_latency *l = api_at(&known->relays, struct api_relay_latency, i);

        if (l->region != n->api.relay && l->us < UINT32_MAX)
            buf_addf(&text, "   %s %s", *l->name ? l->name : "?", trip_text((uint32_t)l->us, ms));
    }
    line(p, "home relay", ROLE_TEXT, buf_text(&text));
    buf_release(&text);
}

/* "11 ms, 9.1 to 40, 1 lost", and the last ones as a graph. */
static void draw_trips(struct pen *p, const struct m_node *n, const struct api_node_round_trips *known)
{
    uint32_t us[ROUND_TRIPS_DRAWN], least = GRAPH_LOST, most = 0;
    size_t count = 0, lost = 0, len = known ? known->round_trips.len : 0;
    char last[TRIP_TEXT_MAX], low[TRIP_TEXT_MAX], high[TRIP_TEXT_MAX], span[AGO_MAX], text[120];

    for (size_t i = len > ROUND_TRIPS_DRAWN ? len - ROUND_TRIPS_DRAWN : 0; i < len; i++) {
        us[count] = trip_us(api_at(&known->round_trips, struct api_round_trip, i));
        lost += us[count] == GRAPH_LOST;
        least = us[count] < least ? us[count] : least;
        most = us[count] != GRAPH_LOST && us[count] > most ? us[count] : most;
        count++;
    }
    if (!count) {
        line(p, "round trip", ROLE_FAINT, "not measured yet");
        return;
    }
    const struct api_round_trip *first = api_at(&known->round_trips, struct api_round_trip, len - count);
    int used =
        snprintf(text, sizeof(text), "%s%s", trip_text(us[count - 1], last), us[count - 1] == GRAPH_LOST ? "" : " ms");
    if (least != GRAPH_LOST)
        used += snprintf(text + used, sizeof(text) - (size_t)used, ", %s to %s", trip_text(least, low),
                         trip_text(most, high));
    if (lost)
        used += snprintf(text + used, sizeof(text) - (size_t)used, ", %zu lost", lost);
    snprintf(text + used, sizeof(text) - (size_t)used, "; the last %zu in %s%s", count,
             span_text(known->last.time_ns - first->time_ns, span), n->api.online ? "" : ", before it went offline");
    line(p, "round trip", us[count - 1] == GRAPH_LOST ? ROLE_BAD : ROLE_TEXT, text);
    if (room(p)) {
        size_t shown = p->at.cols - LABEL_COLS - 4 < (int)count ? (size_t)(p->at.cols - LABEL_COLS - 4) : count;

        graph_trips(p->c, p->at.row + p->row, p->at.col + 3 + LABEL_COLS, us + count - shown, shown);
    }
    p->row++;
}

static void draw_link(struct app *app, struct pen *p, const struct m_node *n)
{
    const struct api_node_round_trips *known = nodes_trips(app, n);
    struct buf ends = BUF_INIT(0);
    char text[ADDR_PORT_TEXT_MAX];

    for (size_t i = 0; i < n->api.endpoints.len; i++)
        buf_addf(&ends, "%s%s", i ? "  " : "", addr_port_format(&n->api.endpoints.items[i], text));
    section(p, "link", "");
    line(p, "connected", ROLE_ADDRESS, *n->api.source ? n->api.source : "not connected");
    draw_relays(p, n, known);
    draw_trips(p, n, known);
    line(p, "endpoints", ROLE_ADDRESS, ends.len ? ends.data : "none");
    buf_release(&ends);
}

static void draw_events(struct app *app, struct pen *p, const struct m_node *n)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    char text[120], all[40];

    command_text(app, "{events-of} all", all, sizeof(all));
    section(p, "events", all);
    int first = p->row;
    for (size_t i = t->rows.len; i-- > 0 && room(p);) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];

        if (e->api.object_id != n->api.id || !str_eq(e->api.object, "node"))
            continue;
        canvas_text(p->c, p->at.row + p->row, p->at.col + 3, 12, ROLE_TIME,
                    timestamp_text(e->api.time_ns, app->at.now_ns, text));
        struct rect at = {p->at.row + p->row, p->at.col + 3 + LABEL_COLS, p->at.rows - p->row > 1 ? 2 : 1,
                          p->at.cols - LABEL_COLS - 4};
        p->row += canvas_wrap(p->c, at, e->api.weight == WEIGHT_ALARM ? ROLE_BAD : ROLE_TEXT, e->api.text);
    }
    if (p->row == first && room(p)) {
        command_text(app, "none among those that are read: {events-of} reads further back", text, sizeof(text));
        canvas_text(p->c, p->at.row + p->row++, p->at.col + 3, p->at.cols - 4, ROLE_FAINT, text);
    }
}

/* If the screen is too low, the facts above the routes scroll away, and return when the cursor moves up from the first
 * route. */
struct node_state {
    int scroll, scroll_max; /* lines */
};

#define ROUTES_LEAST 4 /* rows of routes shown in any case */

static struct node_state *state_of(const struct app *app)
{
    return view_state(app, &node_view);
}

static void draw_routes(struct app *app, struct pen *p, const struct m_node *n, bool focused)
{
    struct list *l = view_list(app, &node_view, 0);
    char right[60];

    snprintf(right, sizeof(right), "%u of %u approved", n->available - n->waiting, n->available);
    section(p, "routes", n->routes.len ? right : "");
    l->cursor_hidden = l->cursor != NULL;
    if (!n->routes.len) {
        line(p, "", ROLE_FAINT, "advertises none");
        return;
    }
    int space = p->at.rows - p->row - 1, rows = (int)l->order.len;
    if (space < 1)
        return;
    /* Keep a few lines for the events below if there are more routes than fit. */
    rows = rows < space ? rows : space;
    if (rows > space - 4 && rows > ROUTES_LEAST)
        rows = space - 4 > ROUTES_LEAST ? space - 4 : ROUTES_LEAST;
    rows = rows < space ? rows : space;
    struct rect header = {p->at.row + p->row, p->at.col, 1, p->at.cols};
    struct rect body = {header.row + 1, p->at.col, rows, p->at.cols};
    struct list_look look = {.focused = focused, .hit_rows = HIT_ROW};
    list_draw(l, p->c, header, body, &app->at, &look);
    p->row += rows + 1;
}

static void draw_facts(struct app *app, struct pen *p, const struct m_node *n)
{
    draw_identity(app, p, n);
    draw_link(app, p, n);
}

/* How far the facts scroll so that the first routes are visible. */
static void limit_scroll(struct app *app, const struct m_node *n, struct canvas *c, int rows)
{
    struct node_state *s = state_of(app);
    struct pen nowhere = {.c = c};
    int routes = n->routes.len < ROUTES_LEAST ? (int)n->routes.len : ROUTES_LEAST;

    draw_facts(app, &nowhere, n);
    s->scroll_max = nowhere.row + 2 + routes - rows;
    s->scroll_max = s->scroll_max > nowhere.row ? nowhere.row : s->scroll_max;
    s->scroll_max = s->scroll_max < 0 ? 0 : s->scroll_max;
    s->scroll = s->scroll < s->scroll_max ? s->scroll : s->scroll_max;
}

static void draw(struct app *app, struct canvas *c, struct rect body, bool focused)
{
    struct m_node *n = (struct m_node *)view_list(app, &node_view, 0)->scope;
    struct pen title = {.c = c, .at = body}, pen = {.c = c, .at = body};

    if (!n) {
        char gone[80];

        command_text(app, "this node no longer exists; {escape} goes back", gone, sizeof(gone));
        canvas_text(c, body.row + body.rows / 3, body.col + 3, body.cols - 6, ROLE_FAINT, gone);
        return;
    }
    draw_title(app, &title, n);
    pen.at.row++;
    pen.at.rows--;
    limit_scroll(app, n, c, pen.at.rows);
    pen.row = -state_of(app)->scroll;
    draw_facts(app, &pen, n);
    draw_routes(app, &pen, n, focused);
    if (room(&pen))
        draw_events(app, &pen, n);
}

static void move(struct app *app, long rows)
{
    struct node_state *s = state_of(app);
    struct list *l = view_list(app, &node_view, 0);

    if (rows < 0 && !list_position(l)) {
        s->scroll = rows < -s->scroll ? 0 : s->scroll + (int)rows;
    } else if (rows > 0 && s->scroll < s->scroll_max) {
        s->scroll = rows > s->scroll_max - s->scroll ? s->scroll_max : s->scroll + (int)rows;
    } else {
        list_move(l, rows, app->at.now_ms);
        list_mark_range(l);
    }
}

static void enter(struct app *app)
{
    struct list *routes = view_list(app, &node_view, 0);
    struct m_node *node = app_node(app);

    if (!node || routes->scope == &node->row)
        return;
    routes->scope = &node->row;
    routes->cursor = NULL;
    routes->index = routes->top = 0;
    routes->forced = true;
    routes->cursor_hidden = false;
    state_of(app)->scroll = node->routes.len ? INT_MAX : 0;
}

/* Which of the nodes it is. */
static void count(const struct app *app, char *text, size_t size)
{
    const struct list *nodes = view_list(app, &nodes_view, 0);
    const struct m_node *node = app_node(app);

    text[0] = '\0';
    /* The list's filter may hide it, or it may not have been received yet. */
    for (size_t i = 0; i < nodes->order.len && node; i++)
        if (nodes->order.items[i] == &node->row)
            snprintf(text, size, "%zu of %zu", i + 1, nodes->order.len);
}

static const char *crumb(const struct app *app)
{
    const struct m_node *node = app_node(app);

    return node ? node->api.given_name : "gone";
}

const struct console_view node_view = {
    .name = "node",
    .title = "Node",
    .tab = &nodes_view,
    .sections = {{IN_NODE, "One node"}},
    .parts = {{.def = &node_routes_def, .where = IN_NODE, .count = count}},
    .state_size = sizeof(struct node_state),
    .enter = enter,
    .move = move,
    .draw = draw,
    .crumb = crumb,
};

static void peek_routes(struct pen *p, const struct m_node *n)
{
    section(p, "routes", "");
    for (size_t i = 0; i < n->routes.len && room(p); i++) {
        const struct m_route *r = n->routes.items[i];
        enum glyph glyph = route_state_glyph(r->api.state);
        int row = p->at.row + p->row++;

        canvas_glyph(p->c, row, p->at.col + 3, glyph);
        canvas_text(p->c, row, p->at.col + 5, 20, ROLE_TEXT, r->row.key);
        canvas_text(p->c, row, p->at.col + 26, p->at.cols - 27, glyph_role(glyph), glyph_word(glyph));
        if (room(p) && *r->api.reason)
            p->row += canvas_wrap(
                p->c, (struct rect){p->at.row + p->row, p->at.col + 5, p->at.rows - p->row > 1 ? 2 : 1, p->at.cols - 6},
                ROLE_FAINT, r->api.reason);
    }
    if (!n->routes.len)
        line(p, "", ROLE_FAINT, "advertises none");
}

void node_peek_draw(struct app *app, struct canvas *c, struct rect at, struct row *row)
{
    struct pen pen = {.c = c, .at = at};

    if (row && row->kind == ROW_ROUTE)
        row = &((struct m_route *)row)->node->row;
    if (row && row->kind == ROW_PREFIX) {
        prefixes_pane(app, c, at);
        return;
    }
    if (row && row->kind == ROW_PENDING) {
        pending_pane(app, c, at);
        return;
    }
    if (!row || row->kind != ROW_NODE)
        return;
    const struct m_node *n = (const struct m_node *)row;
    draw_title(app, &pen, n);
    draw_identity(app, &pen, n);
    draw_link(app, &pen, n);
    peek_routes(&pen, n);
    if (room(&pen))
        draw_events(app, &pen, n);
}
