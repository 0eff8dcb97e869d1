/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/routes/moves.h"

#include <stdio.h>

#include "base/clock.h"
#include "console/routes/answers.h"

#define DAY_CELLS  48
#define CELL_NS    (24 * 3600 * NS_PER_SECOND / DAY_CELLS)
#define DIGITS_MAX 9

/* Who served everybody at a time, by the moves, which are newest first; 0: nobody, UINT64_MAX: not known. */
static uint64_t server_at(const struct m_prefix *p, const struct api_route_history *h, int64_t time_ns)
{
    const struct api_move *oldest = NULL;

    for (size_t i = 0; i < h->moves.len; i++) {
        const struct api_move *m = api_at(&h->moves, struct api_move, i);

        if (*m->via || m->nearest)
            continue;
        if (m->time_ns <= time_ns)
            return m->to;
        oldest = m;
    }
    if (oldest)
        return oldest->from;
    return p->api.primary && p->api.since_ns <= time_ns ? p->api.primary : UINT64_MAX;
}

/* Routers are numbered as they are listed. */
static char digit_of(const struct m_prefix *p, uint64_t node)
{
    for (size_t i = 0; i < p->api.routers.len && i < DIGITS_MAX; i++)
        if (router_at(p, i)->node == node)
            return (char)('1' + i);
    return node == UINT64_MAX ? ' ' : node ? '?' : '.';
}

static void draw_day(struct app *app, struct canvas *c, int row, int col, int cols, const struct m_prefix *p,
                     const struct api_route_history *h)
{
    char line[DAY_CELLS + 1] = "";
    struct buf legend = BUF_INIT(0);

    for (int i = 0; i < DAY_CELLS; i++)
        line[i] = digit_of(p, server_at(p, h, app->at.now_ns - (DAY_CELLS - 1 - i) * CELL_NS));
    line[DAY_CELLS] = '\0';
    int used = canvas_text(c, row, col, 5, ROLE_TIME, "-24h ");
    used += canvas_text(c, row, col + used, cols - used, ROLE_TEXT, line);
    used += canvas_text(c, row, col + used, cols - used, ROLE_TIME, " now  ");
    for (size_t i = 0; i < p->api.routers.len && i < DIGITS_MAX; i++)
        buf_addf(&legend, "%s%zu %s", i ? "  " : "", i + 1, router_at(p, i)->name);
    if (cols > used + 8)
        canvas_text(c, row, col + used, cols - used, ROLE_FAINT, buf_text(&legend));
    buf_release(&legend);
}

static void add_ms(struct buf *b, const char *what, uint64_t ms)
{
    if (ms >= 1000)
        buf_addf(b, ", %s %llu.%llu s", what, (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
    else if (ms)
        buf_addf(b, ", %s %llu ms", what, (unsigned long long)ms);
}

static void draw_move(struct app *app, struct canvas *c, int row, int col, int cols, const struct api_move *m)
{
    struct buf b = BUF_INIT(0);
    char when[AGO_MAX];

    canvas_text(c, row, col, 12, ROLE_TIME, timestamp_text(m->time_ns, app->at.now_ns, when));
    buf_addf(&b, "%s to %s",
             *m->from_name ? m->from_name
             : m->from     ? "?"
                           : "nobody",
             *m->to_name ? m->to_name
             : m->to     ? "?"
                         : "nobody");
    add_ms(&b, "found in", m->detection_ms);
    add_ms(&b, "followed in", m->convergence_ms);
    buf_addf(&b, ": %s", *m->cause ? m->cause : m->text);
    if (*m->actor && !str_eq(m->actor, "server"))
        buf_addf(&b, ", by %s", m->actor);
    if (*m->via)
        buf_addf(&b, "; only via %s", m->via);
    canvas_text(c, row, col + 13, cols - 13, m->to ? ROLE_TEXT : ROLE_BAD, buf_text(&b));
    buf_release(&b);
}

/* As long as the history is not there: what the events tell. */
static int draw_events(struct app *app, struct canvas *c, struct rect at, const char *prefix)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    int64_t until = app->then.on ? app->then.at_ns : INT64_MAX;
    int drawn = 0;

    for (size_t i = t->rows.len; i-- > 0 && drawn < at.rows;) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];
        char text[AGO_MAX];

        if (e->api.time_ns > until || !str_eq(e->api.object, "prefix") || !str_eq(e->api.object_name, prefix))
            continue;
        canvas_text(c, at.row + drawn, at.col, 12, ROLE_TIME, timestamp_text(e->api.time_ns, app->at.now_ns, text));
        canvas_text(c, at.row + drawn++, at.col + 13, at.cols - 13,
                    e->api.weight == WEIGHT_ALARM ? ROLE_BAD : ROLE_TEXT, e->api.text);
    }
    return drawn;
}

void moves_draw(struct app *app, struct canvas *c, struct rect at, const struct m_prefix *p)
{
    const struct prefix_answers *a = prefix_answers(app);
    bool known = a->prefix && str_eq(a->prefix, p->row.key) && a->history_known && !app->then.on;

    if (!known) {
        if (!draw_events(app, c, at, p->row.key) && at.rows > 0)
            canvas_text(c, at.row, at.col, at.cols, ROLE_FAINT, "nothing in the events loaded");
        return;
    }
    if (at.rows > 1) {
        draw_day(app, c, at.row++, at.col, at.cols, p, &a->history);
        at.rows--;
    }
    for (size_t i = 0; i < a->history.moves.len && (int)i < at.rows; i++)
        draw_move(app, c, at.row + (int)i, at.col, at.cols, api_at(&a->history.moves, struct api_move, i));
    if (!a->history.moves.len && at.rows > 0)
        canvas_text(c, at.row, at.col, at.cols, ROLE_FAINT, "it never moved, as far as the journal is kept");
}
