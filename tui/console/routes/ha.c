/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes that several nodes can serve, with what happened to them. */
#include "console/routes/ha.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/routes/fact_columns.h"
#include "console/routes/moves.h"
#include "console/routes/prefix_lines.h"
#include "console/routes/prefixes.h"

struct route_group {
    unsigned members, able, waiting; /* able: serving, or ready to and not drained */
};

static struct route_group group_of(const struct row *row)
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    struct route_group g = {0};

    for (size_t i = 0; i < p->api.routers.len; i++) {
        const struct api_router *r = router_at(p, i);
        bool ready = r->state == ROUTE_STANDBY && !router_is_drained(p, i);

        if (r->state == ROUTE_AVAILABLE) {
            g.waiting++;
        } else if (r->state != ROUTE_APPROVED) {
            g.members++;
            g.able += r->state == ROUTE_SERVING || ready;
        }
    }
    return g;
}

static bool is_group(const struct row *row)
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    struct route_group g = group_of(row);

    return !p->api.exit && g.members + g.waiting > 1;
}

static bool is_degraded(const struct row *row)
{
    struct route_group g = group_of(row);

    return g.able < g.members;
}

static void fill_group_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    out->glyph = !g.members         ? GLYPH_UNAPPROVED
                 : !g.able          ? GLYPH_OFFLINE
                 : is_degraded(row) ? GLYPH_EXPIRED
                                    : GLYPH_SERVING;
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
    if (g.members)
        snprintf(out->text, sizeof(out->text), "%u of %u", g.able, g.members);
    else
        str_copy(out->text, sizeof(out->text), "-");
    out->role = !g.members ? ROLE_FAINT : !g.able ? ROLE_BAD : is_degraded(row) ? ROLE_WAIT : ROLE_OK;
}

static void fill_group_note(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct route_group g = group_of(row);

    (void)at;
    prefix_standby((const struct m_prefix *)row, out);
    if (str_eq(out->text, "-")) {
        if (g.waiting)
            snprintf(out->text, sizeof(out->text), "%u waiting", g.waiting);
        out->role = ROLE_WAIT;
    }
}

static void fill_group_since(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), ago_text(((const struct m_prefix *)row)->api.since_ns, at->now_ns, text));
    out->role = ROLE_TIME;
}

static void fill_group_flips(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    bool known = row->facts && row->facts->flips_known && row->facts->flips != FLIPS_UNKNOWN;

    (void)at;
    out->role = known && row->facts->flips ? ROLE_WAIT : ROLE_FAINT;
    if (known)
        snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)row->facts->flips);
    else
        str_copy(out->text, sizeof(out->text), "-");
}

static uint64_t flips_of(const struct row *row)
{
    return row->facts && row->facts->flips_known && row->facts->flips != FLIPS_UNKNOWN ? row->facts->flips : 0;
}

static int by_flips(const struct row *a, const struct row *b)
{
    return (flips_of(a) < flips_of(b)) - (flips_of(a) > flips_of(b));
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
    {.title = "MEMBERS", .key = "members", .least = 7, .wish = 7, .rank = 5, .fill = fill_group_members},
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
    {.title = "STANDBY", .key = "next", .least = 13, .wish = 15, .share = 2, .rank = 2, .fill = fill_group_note},
    {.title = "FLIPS",
     .key = "flips",
     .least = 5,
     .wish = 5,
     .rank = 3,
     .right = true,
     .fill = fill_group_flips,
     .compare = by_flips},
    {.title = "FINDING",
     .key = "finding",
     .least = 18,
     .wish = 18,
     .share = 1,
     .rank = 6,
     .fill = fill_finding,
     .compare = by_finding},
    {.title = "SINCE", .key = "since", .least = 6, .wish = 7, .rank = 3, .fill = fill_group_since, .compare = by_since},
};

static void group_words(const struct row *row, struct buf *out)
{
    const struct m_prefix *p = (const struct m_prefix *)row;

    buf_addf(out, "%s%s", row->key, is_degraded(row) ? " degraded" : "");
    for (size_t i = 0; i < p->api.routers.len; i++)
        buf_addf(out, " %s %s%s", router_at(p, i)->name, route_state_name(router_at(p, i)->state),
                 router_is_drained(p, i) ? " drained" : "");
    buf_adds(out, p->api.nearest ? " nearest" : "");
    finding_words(row, out);
}

static void group_states(const struct row *row, struct buf *out)
{
    const struct m_prefix *p = (const struct m_prefix *)row;

    buf_adds(out, is_degraded(row) ? "degraded" : "");
    for (size_t i = 0; i < p->api.routers.len; i++) {
        state_words(router_at(p, i)->state, out);
        buf_adds(out, router_is_drained(p, i) ? " drained" : "");
    }
    buf_adds(out, p->api.nearest ? " nearest" : "");
    finding_states(row, out);
}

static void group_prefix(const struct row *row, struct buf *out)
{
    buf_adds(out, row->key);
}

static const struct filter_field group_fields[] = {
    {"prefix", FILTER_NETWORK, group_prefix, NULL},
    {"route", FILTER_NETWORK, group_prefix, NULL},
    {"is", FILTER_STATE, group_states, NULL},
    {"node", FILTER_TEXT, group_words, NULL},
};

/* A prefix whose second router went may be the cursor's: it stays until the cursor leaves. */
static void collect_groups(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_PREFIX);

    for (size_t i = 0; i < t->rows.len; i++)
        if (is_group(t->rows.items[i]) || t->rows.items[i] == l->cursor)
            list_add(l, t->rows.items[i]);
}

const struct list_def ha_def = {
    .noun = "groups",
    .one = "group",
    .empty = "no prefix has two routers: advertise and approve it on a second node for failover",
    .columns = group_columns,
    .column_count = ARRAY_LEN(group_columns),
    .fields = {.items = group_fields,
               .len = ARRAY_LEN(group_fields),
               .words = group_words,
               .states = "degraded nearest " ROUTE_STATE_WORDS},
    .sort = 1,
    .kinds = 1U << ROW_PREFIX,
    .always_whole = true,
    .collect = collect_groups,
};

static size_t lines_of(const struct canvas *c, const struct buf *lines, int cols)
{
    return (size_t)dialog_text_rows(c, buf_text(lines), cols);
}

void ha_pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf lines = BUF_INIT(0);
    char flips[40] = "";

    if (!row || row->kind != ROW_PREFIX)
        return;
    const struct m_prefix *p = (const struct m_prefix *)row;
    prefix_lines(app, p, &lines);
    /* Routers and facts get what they need, but a third stays for what happened. */
    int wish = (int)p->api.routers.len + 1 + (int)lines_of(c, &lines, at.cols - 4), most = at.rows - at.rows / 3;
    struct rect facts = at;
    facts.rows = wish < most ? wish : most;
    routers_pane(app, c, facts, true);
    buf_release(&lines);
    at.row += facts.rows;
    at.rows -= facts.rows;
    if (at.rows < 2)
        return;
    if (row->facts && row->facts->flips_known && row->facts->flips != FLIPS_UNKNOWN)
        snprintf(flips, sizeof(flips), "%llu flip%s in 24 h", (unsigned long long)row->facts->flips,
                 row->facts->flips == 1 ? "" : "s");
    canvas_section(c, at.row, at.col, at.cols, "what happened", flips);
    moves_draw(app, c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, p);
}

bool ha_trouble(const struct app *app, char *text, size_t size)
{
    const struct row_table *t = model_table(&app->model, ROW_PREFIX);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        count += !t->rows.items[i]->gone_ms && is_group(t->rows.items[i]) && is_degraded(t->rows.items[i]);
    snprintf(text, size, "%zu degraded", count);
    return count > 0;
}
