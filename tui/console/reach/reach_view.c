/* SPDX-License-Identifier: BSD-3-Clause */
/* The view: its parts, and what comes in for them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/past/past.h"
#include "console/reach/reach.h"

struct reach_page *reach_of(const struct app *app)
{
    return view_state(app, &reach_view);
}

/* ---- rows of its own ---- */

void reach_rows_clear(struct reach_rows *rows)
{
    for (size_t i = 0; i < rows->items.len; i++) {
        free(rows->items.items[i]->row.key);
        free(rows->items.items[i]->text);
        free(rows->items.items[i]);
    }
    vec_release(&rows->items);
}

struct reach_row *reach_rows_add(struct reach_rows *rows)
{
    struct reach_row *row = mem_alloc(sizeof(*row));

    row->row = (struct row){.kind = ROW_KINDS, .key = mem_format("%zu", rows->items.len)};
    vec_push(&rows->items, row);
    return row;
}

/* ---- the life of the view ---- */

static void init(struct app *app)
{
    reach_path_init(&reach_of(app)->path);
}

static void release(struct app *app)
{
    reach_path_release(&reach_of(app)->path);
}

static void reset(struct app *app)
{
    release(app);
    init(app);
}

/* Lists forget their scope with the server that they showed. */
static void tick(struct app *app)
{
    view_list(app, &reach_view, 0)->scope = &reach_of(app)->path.steps.row;
}

static void enter(struct app *app)
{
    struct reach_path *p = &reach_of(app)->path;

    if (*p->src && !p->at_ns && !p->call)
        reach_path_ask(app);
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    if (!id || id != reach_of(app)->path.call)
        return false;
    reach_path_reply(app, reply);
    return true;
}

static void draw(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    (void)focused;
    reach_path_draw(app, c, at);
}

static int draw_facts(struct app *app, struct canvas *c, int col, int limit)
{
    const struct reach_path *p = &reach_of(app)->path;
    char text[AGO_MAX + 16], ago[AGO_MAX];

    if (!p->at_ns)
        return col;
    /* It is as of then: what changed since is asked for again. */
    snprintf(text, sizeof(text), "as of %s", timestamp_text(p->at_ns, app->at.now_ns, ago));
    if (col + canvas_width(c, text) > limit)
        return limit;
    return col + canvas_text(c, 1, col, limit - col, ROLE_FAINT, text) + 3;
}

const struct console_view reach_view = {
    .name = "reach",
    .title = "Reach",
    .digit = '3',
    .then = &past_unknown_view,
    .commands = &reach_commands,
    .sections = {{IN_REACH, "Reach"}},
    .parts = {{.name = "path", .def = &reach_steps_def, .where = IN_REACH}},
    .no_tail = true,
    .state_size = sizeof(struct reach_page),
    .init = init,
    .reset = reset,
    .release = release,
    .enter = enter,
    .tick = tick,
    .reply = reply_to,
    .draw = draw,
    .draw_facts = draw_facts,
};
