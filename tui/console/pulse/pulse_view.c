/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of what needs somebody is made from the objects that the console holds, at most once a second. */
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "console/app/app.h"
#include "console/model/columns.h"
#include "console/policy/policy_page.h"
#include "console/pulse/fleet.h"
#include "console/pulse/needs.h"
#include "console/pulse/pulse.h"
#include "console/pulse/reports.h"
#include "console/routes/routes.h"
#include "console/tailnet/webhooks.h"
#include "console/views/node.h"

#define LOOK_MS       1000  /* between two searches where something changed */
#define LOOK_AGAIN_MS 30000 /* where nothing did: time passes, keys expire */

struct pulse_state {
    unsigned revision; /* of the model that was searched */
    int64_t looked_ms; /* 0: it was not yet */
    bool opened;       /* it had its chance to open by itself */
    unsigned answers;  /* of the server's that were looked at */
    struct pulse_reports reports;
};

static struct pulse_state *state_of(const struct app *app)
{
    return view_state(app, &pulse_view);
}

/* ---- the list ---- */

static const struct m_need *need_of(const struct row *row)
{
    return (const struct m_need *)row;
}

static enum role severity_role(int severity)
{
    static const enum role roles[] = {
        [WEIGHT_INFO] = ROLE_FAINT, [WEIGHT_CHANGE] = ROLE_TEXT, [WEIGHT_WARN] = ROLE_WAIT, [WEIGHT_ALARM] = ROLE_BAD};

    return roles[severity];
}

static void fill_severity(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    int severity = need_of(row)->severity;

    (void)at;
    out->glyph = severity == WEIGHT_ALARM ? GLYPH_UNHEALTHY : severity == WEIGHT_WARN ? GLYPH_PENDING : GLYPH_DOT;
}

FILL(fill_object, m_need, o->name, severity_role(o->severity))
FILL(fill_text, m_need, o->text, severity_role(o->severity))

static int by_severity(const struct row *a, const struct row *b)
{
    const struct m_need *p = need_of(a), *q = need_of(b);

    if (p->severity != q->severity)
        return COMPARE(q->severity, p->severity);
    return strcmp(p->code, q->code);
}

BY(by_object, m_need, strverscmp(p->name, q->name))

static const struct list_column columns[] = {
    {.title = "S", .key = "state", .least = 2, .wish = 2, .fill = fill_severity, .compare = by_severity},
    {.title = "OBJECT",
     .key = "object",
     .name = true,
     .least = 14,
     .wish = 20,
     .share = 1,
     .fill = fill_object,
     .compare = by_object},
    {.title = "NEEDS YOU", .key = "text", .least = 30, .wish = 50, .share = 3, .fill = fill_text},
};

static void words(const struct row *row, struct buf *out)
{
    buf_addf(out, "%s %s %s", need_of(row)->code, need_of(row)->name, need_of(row)->text);
}

static void text_code(const struct row *row, struct buf *out)
{
    buf_adds(out, need_of(row)->code);
}

static void text_object(const struct row *row, struct buf *out)
{
    buf_adds(out, need_of(row)->name);
}

static const struct filter_field fields[] = {
    {"code", FILTER_TEXT, text_code, NULL},
    {"object", FILTER_TEXT, text_object, NULL},
};

static void collect(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_NEED);
}

static const struct list_def needs_def = {
    .noun = "need you",
    .one = "needs you",
    .empty = "nothing needs you",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words},
    .sort = 0,
    .kinds = 1U << ROW_NEED,
    .collect = collect,
};

static void jump_to_prefix(struct app *app, const char *prefix)
{
    struct buf filter = BUF_INIT(0);

    filter_exactly("prefix", prefix, &filter);
    app_jump(app, &routes_view, "prefix", buf_text(&filter));
    buf_release(&filter);
}

void pulse_open(struct app *app, const struct m_need *need)
{
    const struct need_place *place = needs_place(need->code);

    if (need->of == ROW_NODE && model_find(&app->model, ROW_NODE, need->object))
        app_go(app, &node_view, 0, need->object);
    else if (need->of == ROW_PREFIX)
        jump_to_prefix(app, need->object);
    else if (place)
        app_jump(app, place->view, place->part, place->filter);
    else if (str_eq(need->code, "webhook-failing"))
        app_jump(app, &webhooks_view, "", "is:failing");
    else if (str_starts(need->code, "policy-"))
        app_go(app, &policy_view, 0, NULL);
    else
        app_flash(app, ROLE_INFO, "%s: %s", need->name, need->text);
}

/* ---- how much there is ---- */

struct pulse_counts {
    size_t nodes, online, expired, routers, exits;
    size_t advertised, approved, serving, waiting;
    size_t prefixes, unapproved, unserved;
};

static void count_node(const struct m_node *n, struct pulse_counts *out)
{
    out->nodes++;
    out->online += n->api.online;
    out->expired += n->api.expired;
    out->routers += n->approved && !n->api.exit_node;
    out->exits += n->api.exit_node;
    out->advertised += n->available;
    out->approved += n->approved;
    out->serving += n->serving;
    out->waiting += n->waiting;
}

static struct pulse_counts count_all(const struct model *m)
{
    const struct row_table *nodes = model_table(m, ROW_NODE), *prefixes = model_table(m, ROW_PREFIX);
    struct pulse_counts counts = {0};

    for (size_t i = 0; i < nodes->rows.len; i++)
        if (!nodes->rows.items[i]->gone_ms)
            count_node((const struct m_node *)nodes->rows.items[i], &counts);
    for (size_t i = 0; i < prefixes->rows.len; i++) {
        const struct m_prefix *p = (const struct m_prefix *)prefixes->rows.items[i];

        if (p->row.gone_ms || p->api.exit)
            continue;
        bool approved = false;
        for (size_t k = 0; k < p->api.routers.len; k++)
            approved |= router_at(p, k)->state != ROUTE_AVAILABLE;
        counts.prefixes++;
        counts.unapproved += !approved;
        counts.unserved += approved && !p->api.primary;
    }
    return counts;
}

enum { LABEL_COLS = 12 };

/* Returns the line behind it. */
static int draw_line(struct canvas *c, struct rect at, int line, const char *label, enum role role, const char *text)
{
    if (line >= at.rows)
        return line;
    canvas_text(c, at.row + line, at.col + 3, LABEL_COLS, ROLE_LABEL, label);
    return line +
           canvas_wrap(c,
                       (struct rect){at.row + line, at.col + 3 + LABEL_COLS, at.rows - line, at.cols - 4 - LABEL_COLS},
                       role, text);
}

static const char *s_of(size_t count)
{
    return count == 1 ? "" : "s";
}

static int draw_counts(const struct app *app, struct canvas *c, struct rect at)
{
    struct pulse_counts n = count_all(&app->model);
    char text[200];

    snprintf(text, sizeof(text), "%zu: %zu online, %zu offline, %zu expired; %zu router%s, %zu exit node%s", n.nodes,
             n.online, n.nodes - n.online, n.expired, n.routers, s_of(n.routers), n.exits, s_of(n.exits));
    int line = draw_line(c, at, 1, "nodes", ROLE_TEXT, text);
    snprintf(text, sizeof(text), "%zu advertised, %zu approved, %zu serving, %zu waiting", n.advertised, n.approved,
             n.serving, n.waiting);
    line = draw_line(c, at, line, "routes", ROLE_TEXT, text);
    snprintf(text, sizeof(text), "%zu: %zu approved, %zu of them without a router", n.prefixes,
             n.prefixes - n.unapproved, n.unserved);
    return draw_line(c, at, line, "prefixes", ROLE_TEXT, text);
}

static void draw_accounts(const struct app *app, struct canvas *c, struct rect at, int line)
{
    size_t users = model_table(&app->model, ROW_USER)->index.len,
           joining = model_table(&app->model, ROW_PREAUTH_KEY)->index.len,
           programs = model_table(&app->model, ROW_API_KEY)->index.len;
    char text[200], ago[AGO_MAX];

    snprintf(text, sizeof(text), "%zu user%s, %zu pre-auth key%s, %zu API key%s", users, s_of(users), joining,
             s_of(joining), programs, s_of(programs));
    line = draw_line(c, at, line, "accounts", ROLE_TEXT, text);
    const struct api_samples *hour = &state_of(app)->reports.samples;
    if (!hour->samples.len)
        return;
    if (hour->backup_ns)
        snprintf(text, sizeof(text), "%s ago", span_text(app->at.now_ns - hour->backup_ns, ago));
    (void)draw_line(c, at, line, "backup", ROLE_TEXT, hour->backup_ns ? text : "none since the server started");
}

static const struct api_health_reason *reason_of(const struct app *app, const char *code)
{
    const struct api_list *reasons = &state_of(app)->reports.health.reasons;

    for (size_t i = 0; i < reasons->len && !app->then.on; i++)
        if (str_eq(api_at(reasons, struct api_health_reason, i)->code, code))
            return api_at(reasons, struct api_health_reason, i);
    return NULL;
}

/* Relays and clients. Returns the line behind it. */
static int draw_fleet(struct app *app, struct canvas *c, struct rect at, int line)
{
    const struct api_health_reason *trouble = reason_of(app, "relay-unreachable");
    struct buf text = BUF_INIT(0);

    fleet_relays(&app->model, &text);
    line = draw_line(c, at, line, "relays", ROLE_TEXT, buf_text(&text));
    if (trouble)
        line = draw_line(c, at, line, "", ROLE_BAD, trouble->text);
    buf_clear(&text);
    bool old = fleet_versions(&app->model, &text) > 0;
    if (text.len)
        line = draw_line(c, at, line, "clients", old ? ROLE_WAIT : ROLE_TEXT, buf_text(&text));
    buf_release(&text);
    return line;
}

/* Returns the line behind it. */
static int draw_certificate(struct app *app, struct canvas *c, struct rect at, int line)
{
    const struct api_certificate *of = state_of(app)->reports.health.certificate;
    char text[400], left[AGO_MAX], renews[AGO_MAX];

    if (!of || app->then.on)
        return line;
    bool fails = of->trouble && *of->trouble;
    if (!of->ends_ns)
        snprintf(text, sizeof(text), "%s: none yet", of->name);
    else if (of->ends_ns <= app->at.now_ns)
        snprintf(text, sizeof(text), "%s: ended %s ago", of->name, span_text(app->at.now_ns - of->ends_ns, left));
    else if (fails || of->renews_ns <= app->at.now_ns)
        snprintf(text, sizeof(text), "%s: ends in %s%s", of->name, span_text(of->ends_ns - app->at.now_ns, left),
                 fails ? ", renewal fails" : "");
    else
        snprintf(text, sizeof(text), "%s: ends in %s, renewed in %s", of->name,
                 span_text(of->ends_ns - app->at.now_ns, left), span_text(of->renews_ns - app->at.now_ns, renews));
    return draw_line(c, at, line, "certificate", fails ? ROLE_WAIT : ROLE_TEXT, text);
}

static void pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct api_server *server = &app->model.server;
    char text[AGO_MAX + 8], up[AGO_MAX];

    span_text(app->at.now_ns - server->started_ns, up);
    snprintf(text, sizeof(text), "up %s", up);
    canvas_section(c, at.row, at.col, at.cols, app->then.on ? "then" : "now",
                   server->started_ns && !app->then.on ? text : "");
    int line = draw_counts(app, c, at);
    if (app->then.on)
        return; /* the rest is not known of the past */
    line = draw_certificate(app, c, at, draw_fleet(app, c, at, line));
    line +=
        pulse_reports_draw(&state_of(app)->reports, c, (struct rect){at.row + line, at.col, at.rows - line, at.cols});
    draw_accounts(app, c, at, line);
}

/* ---- the view ---- */

static size_t alarms(const struct model *m)
{
    const struct row_table *t = model_table(m, ROW_NEED);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        count += !t->rows.items[i]->gone_ms && need_of(t->rows.items[i])->severity == WEIGHT_ALARM;
    return count;
}

/* Opens by itself when the console starts and something is wrong. */
static void open_once(struct app *app, struct pulse_state *s, bool first, bool answered)
{
    bool idle = app->place.view == app->tables->views[0] && !app->back_len && !app->dialog && !app->prompt.kind &&
                !app_list(app)->hold_until_ms;

    /* The server may know of more, and answers a moment later. */
    if (s->opened || !(first || answered))
        return;
    s->opened = answered || alarms(&app->model);
    if (alarms(&app->model) && idle)
        app_go(app, &pulse_view, 0, NULL);
}

static void tick(struct app *app)
{
    struct pulse_state *s = state_of(app);
    int64_t since = app->at.now_ms - s->looked_ms;
    struct model_delta found;

    pulse_reports_tick(app, &s->reports, app->place.view == &pulse_view);
    bool answered = s->answers != s->reports.health_asked.answers, first = !s->looked_ms;
    if (!app->model.filled || app->frozen ||
        (s->looked_ms && !answered && since < (s->revision == app->model.revision ? LOOK_AGAIN_MS : LOOK_MS)))
        return;
    needs_find(&app->model, app->then.on ? NULL : &s->reports.health.reasons, app->at.now_ns, &found);
    model_apply(&app->model, &found, app->at.now_ms);
    s->revision = app->model.revision;
    s->looked_ms = app->at.now_ms;
    s->answers = s->reports.health_asked.answers;
    open_once(app, s, first, answered);
}

static void reset(struct app *app)
{
    pulse_reports_release(&state_of(app)->reports);
    *state_of(app) = (struct pulse_state){0};
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    return pulse_reports_reply(&state_of(app)->reports, id, reply);
}

static size_t badge(const struct app *app)
{
    return alarms(&app->model);
}

static const struct console_command commands[] = {
    {.name = "pulse",
     .keys = "0",
     .help = "what needs you, and how much there is of everything",
     .args = "[FILTER]",
     .where = IN_ANY,
     .opens = &pulse_view},
};

const struct console_view pulse_view = {
    .name = "pulse",
    .title = "Pulse",
    .digit = '0',
    .tab_rank = -1,
    .commands = COMMAND_TABLE(commands),
    .parts =
        {{.def = &needs_def, .where = IN_OTHER_LISTS, .pane = PANE_LARGE, .pane_scrolls = true, .draw_pane = pane}},
    .state_size = sizeof(struct pulse_state),
    .reset = reset,
    .release = reset,
    .reply = reply_to,
    .tick = tick,
    .badge = badge,
};
