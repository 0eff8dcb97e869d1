/* SPDX-License-Identifier: BSD-3-Clause */
/* A scrolling pane is drawn on its own canvas, as tall as it needs; its title stays in place. */
#include "console/pane.h"

#include <stdio.h>

#include "console/app/dispatch.h"

#define TALL_ROWS 150

static int rows_used(const struct canvas *c)
{
    for (int row = c->rows - 1; row >= 0; row--)
        for (int col = 0; col < c->cols; col++)
            if (c->cells[row * c->cols + col].text[0] != L' ')
                return row + 1;
    return 0;
}

/* A different row has a different pane, which starts at its top. */
static void begin(struct pane_scroll *s, const struct app *app)
{
    const struct view_part *part = app_part(app);
    const struct row *row = app_list(app)->cursor;

    if (s->part != part || s->row != row)
        *s = (struct pane_scroll){.part = part, .row = row, .canvas = s->canvas};
}

/* Shows in the title line how much is out of sight and the keys that scroll, left of any text at its end. */
static void tell(const struct app *app, const struct pane_scroll *s, struct canvas *c, struct rect at)
{
    struct buf keys = BUF_INIT(0);
    char text[60];
    int end = at.col + at.cols, run = 0;

    command_keys(app, commands_find(app, "pane-down", strlen("pane-down")), true, &keys);
    snprintf(text, sizeof(text), s->top < s->over ? " %.12s %d more " : " end ", buf_text(&keys), s->over - s->top);
    buf_release(&keys);
    int width = canvas_width(c, text);
    wchar_t rule;
    utf8_next(glyph_text(GLYPH_RULE, c->ascii), &rule);
    for (int col = end - 1; col > at.col; col--) {
        wchar_t cell = c->cells[at.row * c->cols + col].text[0];

        run = cell == rule || (c->plain && cell == L' ') ? run + 1 : 0;
        if (run >= width + 2) {
            canvas_text(c, at.row, col + 1, width, ROLE_KEY, text);
            return;
        }
    }
}

static void draw_scrolling(struct app *app, struct canvas *c, struct rect at)
{
    struct pane_scroll *s = &app->pane;

    begin(s, app);
    s->canvas.ascii = c->ascii;
    s->canvas.plain = c->plain;
    canvas_start(&s->canvas, TALL_ROWS, at.cols);
    app_part(app)->draw_pane(app, &s->canvas, (struct rect){0, 0, TALL_ROWS, at.cols});
    int used = rows_used(&s->canvas);
    s->rows = at.rows;
    s->over = used > at.rows ? used - at.rows : 0;
    s->top = s->top > s->over ? s->over : s->top;
    if (s->top) {
        canvas_copy(c, at.row, at.col, &s->canvas, 0, 1);
        canvas_copy(c, at.row + 1, at.col, &s->canvas, 1 + s->top, at.rows - 1);
    } else {
        app_part(app)->draw_pane(app, c, at);
    }
    if (s->over)
        tell(app, s, c, at);
}

void pane_draw(struct app *app, struct canvas *c)
{
    const struct view_part *part = app_part(app);
    struct rect at = app->layout.pane;

    app->pane.rows = 0;
    if (!at.rows || !part->draw_pane)
        return;
    if (part->foot && at.rows > part->foot) {
        at.rows -= part->foot;
        part->draw_foot(app, c, (struct rect){at.row + at.rows, at.col, part->foot, at.cols});
    }
    if (part->pane_scrolls)
        draw_scrolling(app, c, at);
    else
        part->draw_pane(app, c, at);
}
