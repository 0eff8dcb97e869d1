/* SPDX-License-Identifier: BSD-3-Clause */
/* The view: its parts, and input for them. */
#include <stdio.h>

#include "console/app/app.h"
#include "console/past/past.h"
#include "console/reach/reach.h"

/* ---- the life of the view ---- */

static void init(struct app *app)
{
    reach_path_init(&reach_of(app)->path);
    reach_of(app)->history = (struct reach_history){0};
    for (int i = REACH_MATRIX; i < REACH_TABLES; i++)
        reach_table_init(&reach_of(app)->tables[i], (enum reach_part)i);
}

static void release(struct app *app)
{
    reach_path_release(&reach_of(app)->path);
    reach_history_release(&reach_of(app)->history);
    for (int i = REACH_MATRIX; i < REACH_TABLES; i++)
        reach_table_release(&reach_of(app)->tables[i]);
}

static void reset(struct app *app)
{
    release(app);
    init(app);
}

/* Lists forget their scope when the server changes. */
static void tick(struct app *app)
{
    struct reach_page *r = reach_of(app);

    for (int i = 0; i < REACH_PARTS; i++)
        view_list(app, &reach_view, i)->scope = i == REACH_PATH      ? &r->path.steps.row
                                                : i == REACH_HISTORY ? &r->history.rows.row
                                                                     : &r->tables[i].rows.row;
}

static void enter(struct app *app)
{
    struct reach_path *p = &reach_of(app)->path;

    tick(app);
    if (app->place.view != &reach_view || app->conn.state != CONN_LIVE)
        return;
    if (app->place.part == REACH_HISTORY)
        reach_history_ask(app, false);
    else if (app->place.part != REACH_PATH)
        reach_table_ask(app, (enum reach_part)app->place.part, false);
    else if (*p->src && !p->at_ns && !p->call)
        reach_path_ask(app);
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    struct reach_page *r = reach_of(app);

    if (!id)
        return false;
    if (id == r->path.call) {
        reach_path_reply(app, reply);
        return true;
    }
    if (id == r->path.back_call) {
        reach_path_back_reply(app, reply);
        return true;
    }
    if (id == r->history.call) {
        reach_history_reply(app, reply);
        return true;
    }
    for (int i = REACH_MATRIX; i < REACH_TABLES; i++)
        if (id == r->tables[i].call) {
            reach_table_reply(app, &r->tables[i], reply);
            return true;
        }
    return false;
}

static void draw(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    if (app->place.part == REACH_PATH)
        reach_path_draw(app, c, at);
    else if (app->place.part == REACH_HISTORY)
        reach_history_draw(app, c, at, focused);
    else
        reach_table_draw(app, c, at, focused);
}

static bool escape(struct app *app)
{
    return reach_table_back(app);
}

static int say(struct canvas *c, int col, int limit, enum role role, const char *text)
{
    return col + canvas_width(c, text) <= limit ? col + canvas_text(c, 1, col, limit - col, role, text) + 3 : limit;
}

static int draw_facts(struct app *app, struct canvas *c, int col, int limit)
{
    const struct reach_table *t = reach_table_shown(app);
    const struct list *l = app_list(app);
    int64_t at_ns = t                                  ? t->at_ns
                    : app->place.part == REACH_HISTORY ? reach_of(app)->history.at_ns
                                                       : reach_of(app)->path.at_ns;
    char text[AGO_MAX + 80], ago[AGO_MAX];

    if (t && t->at_ns && !t->trouble) {
        if (*l->filter_text)
            snprintf(text, sizeof(text), "%zu of %zu", l->order.len, l->total);
        else if (t->rows.items.len < t->rows_total)
            snprintf(text, sizeof(text), "%zu of %llu %s", t->rows.items.len, (unsigned long long)t->rows_total,
                     l->def->noun);
        else
            snprintf(text, sizeof(text), "%zu %s", t->rows.items.len,
                     t->rows.items.len == 1 ? l->def->one : l->def->noun);
        col = say(c, col, limit, ROLE_TEXT, text);
        if (*l->filter_text) {
            snprintf(text, sizeof(text), "/%s", l->filter_text);
            col = say(c, col, limit, ROLE_MATCH, text);
        }
    }
    if (!at_ns)
        return col;
    /* The answer is as of that moment: later changes require a new request. */
    snprintf(text, sizeof(text), "as of %s", timestamp_text(at_ns, app->at.now_ns, ago));
    return say(c, col, limit, ROLE_FAINT, text);
}

const struct console_view reach_view = {
    .name = "reach",
    .title = "Reach",
    .digit = '3',
    .then = &past_unknown_view,
    .commands = &reach_commands,
    .sections = {{IN_REACH, "Reach, a path"},
                 {IN_REACH_TABLE, "Reach, matrix and lists"},
                 {IN_REACH_HISTORY, "Reach, history"}},
    .parts = {{.name = "path", .def = &reach_steps_def, .where = IN_REACH},
              {.name = "matrix", .def = &reach_matrix_def, .where = IN_REACH_TABLE},
              {.name = "from", .def = &reach_from_def, .where = IN_REACH_TABLE},
              {.name = "to", .def = &reach_to_def, .where = IN_REACH_TABLE},
              {.name = "neighbours", .def = &reach_neighbours_def, .where = IN_REACH_TABLE},
              {.name = "history", .def = &reach_history_def, .where = IN_REACH_HISTORY}},
    .no_tail = true,
    .state_size = sizeof(struct reach_page),
    .init = init,
    .reset = reset,
    .release = release,
    .enter = enter,
    .tick = tick,
    .reply = reply_to,
    .escape = escape,
    .words = reach_words,
    .draw = draw,
    .draw_facts = draw_facts,
};
