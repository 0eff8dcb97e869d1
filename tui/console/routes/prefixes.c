/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by prefix: who serves each, who stands by, who could. */
#include "console/routes/prefixes.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/routes/fact_columns.h"
#include "console/routes/prefix_lines.h"
#include "console/screen/graph.h"

#define DEPTH_MAX    8
#define MS_COLS      8
#define AGE_COLS     6
#define MEMBERS_COLS 76 /* where their sessions have room */

enum { PREFIX_COLUMN = 1 };

static const struct m_prefix *prefix_of(const struct row *row)
{
    return (const struct m_prefix *)row;
}

struct tally {
    unsigned serving, standby, waiting, unhealthy, offline, ghost;
};

static struct tally tally(const struct m_prefix *p)
{
    struct tally t = {0};

    for (size_t i = 0; i < p->api.routers.len; i++) {
        enum route_state state = (enum route_state)router_at(p, i)->state;

        t.serving += state == ROUTE_SERVING;
        t.standby += state == ROUTE_STANDBY;
        t.waiting += state == ROUTE_AVAILABLE;
        t.unhealthy += state == ROUTE_UNHEALTHY;
        t.offline += state == ROUTE_OFFLINE;
        t.ghost += state == ROUTE_APPROVED;
    }
    return t;
}

static enum route_state state_of(const struct m_prefix *p)
{
    struct tally t = tally(p);

    return t.serving     ? ROUTE_SERVING
           : t.unhealthy ? ROUTE_UNHEALTHY
           : t.offline   ? ROUTE_OFFLINE
           : t.waiting   ? ROUTE_AVAILABLE
           : t.standby   ? ROUTE_STANDBY
                         : ROUTE_APPROVED;
}

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    out->glyph = (int)route_state_glyph((int)state_of(prefix_of(row)));
}

static void fill_prefix(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), row->key);
    if (row->facts && row->facts->hides) {
        out->glyph = GLYPH_FOLDED;
        snprintf(out->text, sizeof(out->text), "%s +%zu", row->key, row->facts->hides);
    }
}

static void fill_primary(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_prefix *p = prefix_of(row);
    struct tally t = tally(p);

    (void)at;
    str_copy(out->text, sizeof(out->text), *p->api.primary_name ? p->api.primary_name : "-");
    if (p->api.exit)
        snprintf(out->text, sizeof(out->text), "%u exit node%s", t.serving, t.serving == 1 ? "" : "s");
    out->role = *p->api.primary_name || (p->api.exit && t.serving) ? ROLE_PRIMARY : ROLE_FAINT;
}

void prefix_standby(const struct m_prefix *p, struct list_field *out)
{
    const char *first = NULL, *drained = NULL;
    unsigned more = 0;

    for (size_t i = 0; i < p->api.routers.len; i++) {
        const struct api_router *r = router_at(p, i);

        if (r->state == ROUTE_STANDBY && router_is_drained(p, i)) {
            drained = drained ? drained : r->name;
        } else if (r->state == ROUTE_STANDBY) {
            more += first != NULL;
            first = first ? first : r->name;
        }
    }
    if (more)
        snprintf(out->text, sizeof(out->text), "%.150s +%u", first, more);
    else
        str_copy(out->text, sizeof(out->text), first ? first : drained ? drained : "-");
    out->glyph = !first && drained ? GLYPH_DRAINED : -1;
    out->role = first ? ROLE_STANDBY : drained ? ROLE_WAIT : ROLE_FAINT;
}

static void fill_standby(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    prefix_standby(prefix_of(row), out);
}

static void fill_count(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct tally t = tally(prefix_of(row));
    unsigned approved = t.serving + t.standby + t.unhealthy + t.offline;

    (void)at;
    snprintf(out->text, sizeof(out->text), "%u/%u", approved, approved + t.waiting);
    out->role = t.waiting ? ROLE_WAIT : ROLE_TEXT;
}

static void fill_note(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_prefix *p = prefix_of(row);
    struct tally t = tally(p);

    /* What is wrong has a column of its own only on wide screens. */
    if (row->facts && row->facts->warnings) {
        fill_finding(row, at, out);
        return;
    }
    out->role = ROLE_WAIT;
    if (t.unhealthy)
        snprintf(out->text, sizeof(out->text), "%u unhealthy", t.unhealthy);
    else if (t.waiting)
        snprintf(out->text, sizeof(out->text), "%u not approved", t.waiting);
    else if (t.offline)
        snprintf(out->text, sizeof(out->text), "%u offline", t.offline);
    else if (t.ghost)
        snprintf(out->text, sizeof(out->text), "not advertised");
    else if (p->api.nearest)
        snprintf(out->text, sizeof(out->text), "nearest of %u", t.serving + t.standby);
    else
        fill_finding(row, at, out);
    if (t.unhealthy)
        out->role = ROLE_BAD;
}

static void fill_since(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), ago_text(prefix_of(row)->api.since_ns, at->now_ns, text));
    out->role = ROLE_TIME;
}

static int by_prefix(const struct row *a, const struct row *b)
{
    return prefix_cmp(&prefix_of(a)->api.prefix, &prefix_of(b)->api.prefix);
}

static int by_state(const struct row *a, const struct row *b)
{
    return (int)state_of(prefix_of(a)) - (int)state_of(prefix_of(b));
}

static int by_primary(const struct row *a, const struct row *b)
{
    return strverscmp(prefix_of(a)->api.primary_name, prefix_of(b)->api.primary_name);
}

static int by_since(const struct row *a, const struct row *b)
{
    int64_t p = prefix_of(a)->api.since_ns, q = prefix_of(b)->api.since_ns;

    return (p < q) - (p > q);
}

static int by_count(const struct row *a, const struct row *b)
{
    size_t p = prefix_of(a)->api.routers.len, q = prefix_of(b)->api.routers.len;

    return (p < q) - (p > q);
}

static const struct list_column columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_sign, .compare = by_state},
    {.title = "PREFIX",
     .key = "prefix",
     .least = 18,
     .wish = 20,
     .share = 3,
     .fill = fill_prefix,
     .compare = by_prefix},
    {.title = "SERVED BY",
     .key = "primary",
     .least = 11,
     .wish = 14,
     .share = 3,
     .fill = fill_primary,
     .compare = by_primary,
     .changed = FIELD_STATE},
    {.title = "STANDBY", .key = "standby", .least = 10, .wish = 13, .share = 3, .rank = 2, .fill = fill_standby},
    {.title = "ADV", .key = "routers", .least = 4, .wish = 4, .rank = 2, .fill = fill_count, .compare = by_count},
    {.title = "USED BY",
     .key = "used",
     .least = 8,
     .wish = 8,
     .rank = 1,
     .right = true,
     .fill = fill_used_by,
     .compare = by_used},
    {.title = "NOTE", .key = "note", .least = 15, .wish = 17, .share = 2, .rank = 3, .fill = fill_note},
    {.title = "FINDING",
     .key = "finding",
     .least = 18,
     .wish = 18,
     .share = 2,
     .rank = 4,
     .fill = fill_finding,
     .compare = by_finding},
    {.title = "SINCE", .key = "since", .least = 7, .wish = 7, .rank = 5, .fill = fill_since, .compare = by_since},
};

static void words(const struct row *row, struct buf *out)
{
    const struct m_prefix *p = prefix_of(row);

    buf_addf(out, "%s %s %s", row->key, route_state_name((int)state_of(p)), p->api.exit ? "exit" : "");
    for (size_t i = 0; i < p->api.routers.len; i++)
        buf_addf(out, " %s %s%s", router_at(p, i)->name, route_state_name(router_at(p, i)->state),
                 router_is_drained(p, i) ? " drained" : "");
    buf_adds(out, p->api.nearest ? " nearest" : "");
    buf_adds(out, *p->api.probe ? " probed" : "");
    finding_words(row, out);
}

static void text_states(const struct row *row, struct buf *out)
{
    const struct m_prefix *p = prefix_of(row);

    buf_adds(out, p->api.exit ? "exit" : "");
    state_words((int)state_of(p), out);
    for (size_t i = 0; i < p->api.routers.len; i++) {
        state_words(router_at(p, i)->state, out);
        buf_adds(out, router_is_drained(p, i) ? " drained" : "");
    }
    buf_adds(out, p->api.nearest ? " nearest" : "");
    buf_adds(out, *p->api.probe ? " probed" : "");
    finding_states(row, out);
}

static void text_prefix(const struct row *row, struct buf *out)
{
    buf_adds(out, row->key);
}

static void text_node(const struct row *row, struct buf *out)
{
    for (size_t i = 0; i < prefix_of(row)->api.routers.len; i++)
        buf_addf(out, "%s ", router_at(prefix_of(row), i)->name);
}

static const struct filter_field fields[] = {
    {"prefix", FILTER_NETWORK, text_prefix, NULL},
    {"route", FILTER_NETWORK, text_prefix, NULL},
    {"node", FILTER_TEXT, text_node, NULL},
    {"is", FILTER_STATE, text_states, NULL},
};

static int order_prefixes(const void *a, const void *b)
{
    return by_prefix(*(const struct row *const *)a, *(const struct row *const *)b);
}

/* How deep each stands in the tree of those that are listed; flat where they are not in the order of the tree. */
static void set_depths(struct list *l)
{
    bool tree = l->sort == PREFIX_COLUMN && !l->reverse;
    VEC(struct row *) rows = {0};
    const struct m_prefix *open[DEPTH_MAX];
    unsigned depth = 0;

    for (size_t i = 0; i < l->order.len; i++)
        vec_push(&rows, l->order.items[i]);
    if (rows.len > 1)
        qsort(rows.items, rows.len, sizeof(*rows.items), order_prefixes);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_prefix *p = prefix_of(rows.items[i]);

        while (depth && !prefix_covers(&open[depth - 1]->api.prefix, &p->api.prefix))
            depth--;
        if (depth || rows.items[i]->facts)
            row_facts(rows.items[i])->depth = tree ? depth : 0;
        if (!p->api.exit && depth < DEPTH_MAX)
            open[depth++] = p;
    }
    vec_release(&rows);
}

/* Whether rows within a folded prefix are hidden: a filter lists all it finds, another order is no tree. */
static bool hides_folded(const struct list *l)
{
    return l->sort == PREFIX_COLUMN && !l->reverse && !*l->filter_text;
}

static bool is_within(const struct m_prefix *p, const struct m_prefix *wide)
{
    return wide && !p->api.exit && prefix_covers(&wide->api.prefix, &p->api.prefix);
}

/* The cursor's row is always listed. */
static void collect(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_PREFIX);
    VEC(struct row *) rows = {0};
    const struct m_prefix *folded = NULL;
    bool hide = hides_folded(l);

    for (size_t i = 0; i < t->rows.len; i++) {
        if (t->rows.items[i]->facts)
            t->rows.items[i]->facts->hides = 0;
        vec_push(&rows, t->rows.items[i]);
    }
    if (rows.len > 1)
        qsort(rows.items, rows.len, sizeof(*rows.items), order_prefixes);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_prefix *p = prefix_of(rows.items[i]);

        if (hide && is_within(p, folded) && rows.items[i] != l->cursor) {
            row_facts(model_find(m, ROW_PREFIX, folded->row.key))->hides++;
            continue;
        }
        list_add(l, rows.items[i]);
        if (p->row.folded && !p->api.exit && !is_within(p, folded))
            folded = p;
    }
    vec_release(&rows);
    set_depths(l);
}

static size_t count_prefixes(const struct model *m)
{
    return model_table(m, ROW_PREFIX)->rows.len;
}

static size_t place_of(const struct list *l, const struct row *row)
{
    size_t at = 0;

    while (at < l->order.len && l->order.items[at] != row)
        at++;
    return at;
}

static bool contains_next(const struct list *l, size_t at)
{
    return at + 1 < l->order.len && l->order.items[at]->kind == ROW_PREFIX &&
           is_within(prefix_of(l->order.items[at + 1]), prefix_of(l->order.items[at])) &&
           !prefix_of(l->order.items[at])->api.exit;
}

void prefixes_fold(struct list *l, struct row *row, bool fold)
{
    size_t at = place_of(l, row);

    if (!hides_folded(l) || at == l->order.len)
        return;
    if (fold && (row->folded || !contains_next(l, at))) {
        const struct m_prefix *from = prefix_of(row);

        row = NULL;
        while (!row && at-- > 0)
            if (!prefix_of(l->order.items[at])->api.exit && is_within(from, prefix_of(l->order.items[at])))
                row = l->order.items[at];
        if (!row)
            return;
    }
    row->folded = fold;
    l->cursor = row;
    l->forced = true;
}

const char *prefixes_no_fold(const struct list *l)
{
    if (*l->filter_text)
        return "a filter lists all that it finds: {escape} clears it";
    return hides_folded(l) ? NULL : "prefixes fold in the order of their addresses: :sort prefix";
}

static int indent(const struct row *row)
{
    return row->facts ? (int)row->facts->depth * 2 : 0;
}

const struct list_def prefixes_def = {
    .noun = "prefixes",
    .one = "prefix",
    .empty = "no routes",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields,
               .len = ARRAY_LEN(fields),
               .words = words,
               .states = "exit nearest probed " ROUTE_STATE_WORDS},
    .sort = PREFIX_COLUMN,
    .folds = true,
    .shows_cursor = true,
    .total = count_prefixes,
    .always_whole = true,
    .indent = indent,
    .indented = PREFIX_COLUMN,
    .kinds = 1U << ROW_PREFIX,
    .collect = collect,
};

/* "priority after 5m, hold-down 30s, kept": how it is served. */
static void rule_text(const struct api_prefix *p, char *text, size_t size)
{
    if (!*p->hold_down) { /* of a daemon that says nothing of it */
        text[0] = '\0';
        return;
    }
    bool sticky = p->failback == FAILBACK_STICKY;
    snprintf(text, size, "%s%s%s, hold-down %s, %s", route_failback_name(p->failback), sticky ? "" : " after ",
             sticky ? "" : p->failback_delay, p->hold_down, p->keep ? "kept if unserved" : "withdrawn if unserved");
}

/* The round trips of its control connection, the newest at the right; nothing in the past. */
static const struct row_facts *trips_of(const struct app *app, const struct m_node *n)
{
    return n && n->api.online && !app->then.on && n->row.facts && n->row.facts->trip_count ? n->row.facts : NULL;
}

static bool any_trips(const struct app *app, const struct m_prefix *p)
{
    for (size_t i = 0; i < p->api.routers.len; i++)
        if (trips_of(app, model_node(&app->model, router_at(p, i)->node)))
            return true;
    return false;
}

static int draw_trips(struct canvas *c, int row, int col, const struct row_facts *f)
{
    char text[TRIP_TEXT_MAX], ms[TRIP_TEXT_MAX + 4];

    if (!f) {
        canvas_right(c, row, col + TRIPS_SHOWN, MS_COLS, ROLE_FAINT, "-");
        return TRIPS_SHOWN + MS_COLS;
    }
    uint32_t last = f->trips[f->trip_count - 1];
    graph_trips(c, row, col + TRIPS_SHOWN - (int)f->trip_count, f->trips, f->trip_count);
    snprintf(ms, sizeof(ms), "%s%s", trip_text(last, text), last == GRAPH_LOST ? "" : " ms");
    canvas_right(c, row, col + TRIPS_SHOWN, MS_COLS, graph_role(last), ms);
    return TRIPS_SHOWN + MS_COLS;
}

/* Since when its session is open. */
static int draw_age(const struct app *app, struct canvas *c, int row, int col, const struct m_node *n)
{
    char span[AGO_MAX];

    canvas_right(c, row, col, AGE_COLS, ROLE_TIME,
                 n && n->api.online && n->api.since_ns ? span_text(app->at.now_ns - n->api.since_ns, span) : "-");
    return AGE_COLS + 2;
}

/* Returns the row below them. */
static int draw_routers(struct app *app, struct canvas *c, struct rect at, const struct m_prefix *p, bool members)
{
    int name = 8, line = at.row + 1, end = at.row + at.rows;

    bool trips = members && at.cols >= MEMBERS_COLS && any_trips(app, p);
    char rule[96] = "every approved exit node serves";
    if (!p->api.exit)
        rule_text(&p->api, rule, sizeof(rule));
    canvas_section(c, at.row, at.col, at.cols, p->row.key, rule);
    for (size_t i = 0; i < p->api.routers.len; i++) {
        int width = canvas_width(c, router_at(p, i)->name);

        name = width > name ? width : name;
    }
    name = name < 24 ? name : 24;
    for (size_t i = 0; i < p->api.routers.len && line < end; i++) {
        const struct api_router *r = router_at(p, i);
        int col = at.col + 3, left = (int)(p->api.routers.len - i);
        enum glyph glyph = router_is_drained(p, i) ? GLYPH_DRAINED : route_state_glyph(r->state);

        canvas_glyph(c, line, col, glyph);
        canvas_text(c, line, col + 2, name, ROLE_TEXT, r->name);
        canvas_text(c, line, col + name + 4, 13, glyph_role(glyph), glyph_word(glyph));
        col += name + 18;
        const struct m_node *n = model_node(&app->model, r->node);
        if (trips)
            col += draw_trips(c, line, col, trips_of(app, n));
        if (members && at.cols >= MEMBERS_COLS)
            col += draw_age(app, c, line, col, n);
        /* Long reasons take a second line where every router has one. */
        struct rect why = {line, col, end - line >= 2 * left ? 2 : 1, at.col + at.cols - col - 1};
        line += canvas_wrap(c, why, ROLE_FAINT, r->reason);
    }
    if (!p->api.routers.len)
        canvas_text(c, line++, at.col + 3, at.cols - 3, ROLE_FAINT, "no router");
    return line;
}

void prefixes_pane(struct app *app, struct canvas *c, struct rect at)
{
    routers_pane(app, c, at, false);
}

void routers_pane(struct app *app, struct canvas *c, struct rect at, bool members)
{
    const struct row *row = app_list(app)->cursor;
    struct buf lines = BUF_INIT(0);

    if (!row || row->kind != ROW_PREFIX)
        return;
    prefix_lines(app, prefix_of(row), &lines);
    struct rect routers = at;
    if (lines.len)
        routers.rows = at.rows / 2 + 1;
    int below = draw_routers(app, c, routers, prefix_of(row), members);
    dialog_draw_text(c, (struct rect){below, at.col + 3, at.row + at.rows - below, at.cols - 4}, buf_text(&lines), 0);
    buf_release(&lines);
}
