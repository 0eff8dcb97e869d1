/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawing the matrix, and the lists of one against all. */
#include <stdio.h>

#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/reach/reach.h"

#define CELL_LEAST 6
#define CELL_MOST  18

static int row_width(const struct list *l, const struct canvas *c, int cols)
{
    int width = 12;

    for (size_t i = l->top; i < l->order.len && i < l->top + (size_t)c->rows; i++) {
        int w = canvas_width(c, ((const struct reach_row *)l->order.items[i])->text) + 1;
        width = w > width ? w : width;
    }
    return width < cols / 3 ? width : cols / 3;
}

static const char *cell_text(const struct reach_answer *a)
{
    return !a->some ? "-" : str_eq(a->what, "any") ? "ALL" : a->what;
}

static int column_width(const struct reach_table *t, const struct list *l, const struct canvas *c, size_t column)
{
    int width = canvas_width(c, t->columns.items[column].name);

    width = width > CELL_LEAST ? width : CELL_LEAST;
    for (size_t i = l->top; i < l->order.len && i < l->top + (size_t)c->rows; i++) {
        const struct reach_answer *a = &((const struct reach_row *)l->order.items[i])->answers[column];
        int w = canvas_width(c, cell_text(a)) + (a->some && !a->all);
        width = w > width ? w : width;
    }
    return width < CELL_MOST ? width : CELL_MOST;
}

/* Scrolls so that the column under the cursor is visible; returns the first one that is not. */
static size_t fit_columns(struct reach_table *t, const struct list *l, const struct canvas *c, int room)
{
    if (t->column < t->left)
        t->left = t->column;
    for (;;) {
        size_t end = t->left;
        int used = 0;

        for (; end < t->columns.len; end++) {
            used += column_width(t, l, c, end) + 1;
            if (used > room && end > t->left)
                break;
        }
        if (t->column < end || end == t->columns.len)
            return end;
        t->left++;
    }
}

/* A row of the matrix and the other end may be the same node. */
static bool is_itself(const struct reach_row *row, const struct reach_column *column)
{
    return str_eq(row->kind, "node") && str_eq(column->kind, "node") && str_eq(row->text, column->name);
}

static void draw_cell(struct canvas *c, int row, int col, int width, const struct reach_row *r,
                      const struct reach_column *column, const struct reach_answer *a, bool under)
{
    int room = a->some && !a->all ? width - 1 : width;
    int used = is_itself(r, column) ? canvas_text(c, row, col, width, ROLE_FAINT, "=")
                                    : canvas_text(c, row, col, room,
                                                  !a->some ? ROLE_FAINT
                                                  : a->all ? ROLE_OK
                                                           : ROLE_WAIT,
                                                  cell_text(a));

    if (a->some && !a->all)
        canvas_text(c, row, col + used, 1, ROLE_WAIT, "~");
    if (under)
        canvas_role(c, (struct rect){row, col, 1, width}, ROLE_TAB_ON);
}

static void draw_heads(const struct reach_table *t, const struct list *l, struct canvas *c, struct rect at, int first,
                       size_t end)
{
    int col = at.col + 2 + first;

    canvas_text(c, at.row, at.col + 2, first - 1, ROLE_HEADER, "from \\ to");
    for (size_t i = t->left; i < end; i++) {
        int width = column_width(t, l, c, i);
        canvas_name(c, at.row, col, width, i == t->column ? ROLE_TAB_ON : ROLE_HEADER, t->columns.items[i].name);
        col += width + 1;
    }
}

static void draw_matrix(struct app *app, struct reach_table *t, struct canvas *c, struct rect at, bool focused)
{
    struct list *l = app_list(app);
    struct rect body = {at.row + 1, at.col, at.rows - 3, at.cols};

    list_scroll(l, body.rows > 0 ? (size_t)body.rows : 0);
    int first = row_width(l, c, at.cols);
    size_t end = fit_columns(t, l, c, at.cols - first - 3);
    draw_heads(t, l, c, at, first, end);
    if (!l->order.len) {
        char text[80];

        command_text(app, *l->filter_text ? "nothing matches the filter; {escape} clears it" : "there is no source",
                     text, sizeof(text));
        canvas_text(c, body.row + 1, at.col + 2, at.cols - 4, ROLE_FAINT, text);
    }
    for (int i = 0; i < body.rows && l->top + (size_t)i < l->order.len; i++) {
        const struct reach_row *r = (const struct reach_row *)l->order.items[l->top + (size_t)i];
        struct rect line = {body.row + i, at.col, 1, at.cols};
        bool cursor = focused && l->order.items[l->top + (size_t)i] == l->cursor;
        int col = at.col + 2 + first;

        canvas_name(c, line.row, at.col + 2, first - 1, ROLE_NAME, r->text);
        for (size_t k = t->left; k < end; k++) {
            int width = column_width(t, l, c, k);
            draw_cell(c, line.row, col, width, r, &t->columns.items[k], &r->answers[k], cursor && k == t->column);
            col += width + 1;
        }
        canvas_hit(c, line, HIT_ROW, (int)(l->top + (size_t)i));
        if (!cursor)
            continue;
        canvas_glyph(c, line.row, at.col, GLYPH_CURSOR);
        canvas_flag(c, line, CANVAS_SELECTED);
        c->cursor_row = line.row;
        c->cursor_col = at.col;
    }
}

/* The cell under the cursor, in words. */
static void draw_words(struct app *app, struct canvas *c, struct rect at)
{
    const struct reach_table *t = reach_table_shown(app);
    const struct reach_answer *a;
    const char *from, *to;
    struct buf b = BUF_INIT(0);

    canvas_rule(c, at.row, at.col, at.cols);
    if (reach_table_cell(app, &from, &to, &a)) {
        buf_addf(&b, "%s %s %s: ", from, glyph_text(GLYPH_ARROW, c->ascii), to);
        if (!a)
            buf_adds(&b, "no rule opens it");
        else
            buf_addf(&b, "%s%s", a->what, a->all ? "" : ", some nodes only or by several rules");
        if (a && a->line)
            buf_addf(&b, ", line %u", a->line);
        if (a && a->to && a->from)
            buf_addf(&b, "; for example %s %s %s", a->from, glyph_text(GLYPH_ARROW, c->ascii), a->to);
    }
    if (t->part == REACH_MATRIX && t->columns.len < t->columns_total) {
        char more[80];
        snprintf(more, sizeof(more), "%zu of %llu columns", t->columns.len, (unsigned long long)t->columns_total);
        canvas_right(c, at.row, at.col, at.cols - 1, ROLE_FAINT, more);
    }
    canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_TEXT, buf_text(&b));
    buf_release(&b);
}

/* The subject of the list. */
static void draw_whose(const struct reach_table *t, struct canvas *c, struct rect at)
{
    static const char *const words[REACH_TABLES] = {
        [REACH_FROM] = "source ", [REACH_TO] = "destination ", [REACH_NEIGHBOURS] = "neighbours of "};
    int used = canvas_text(c, at.row, at.col + 2, at.cols - 3, ROLE_LABEL, words[t->part]);

    canvas_name(c, at.row, at.col + 2 + used, at.cols - 4 - used, ROLE_STRONG,
                t->part == REACH_TO ? t->asked.to : t->asked.from);
}

static const char *excuse(const struct app *app, const struct reach_table *t)
{
    if (t->call)
        return "asking the server ...";
    if (t->trouble)
        return t->trouble;
    if (t->at_ns)
        return NULL;
    if (app->conn.state != CONN_LIVE)
        return "not connected: the server is not asked yet";
    if (t->part == REACH_NEIGHBOURS)
        return "{explain} names one whose neighbours are listed, those it reaches and those who reach it: a node, "
               "user, "
               "tag or group";
    return t->part == REACH_FROM ? "{explain} names a source: a node, user, tag, group or address"
                                 : "{explain} names a destination: a node, user, tag, group, network or address";
}

void reach_table_draw(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    struct reach_table *t = reach_table_shown(app);
    struct list_look look = {.focused = focused, .hit_rows = HIT_ROW, .hit_headers = HIT_COLUMN};
    const char *why = excuse(app, t);

    if (why) {
        char text[400];

        command_text(app, why, text, sizeof(text));
        canvas_wrap(c, (struct rect){at.row + 1, at.col + 2, at.rows - 1, at.cols - 4},
                    t->trouble && !t->call ? ROLE_BAD : ROLE_FAINT, text);
        return;
    }
    struct rect below = {at.row + at.rows - 2, at.col, 2, at.cols};
    if (t->part == REACH_MATRIX) {
        draw_matrix(app, t, c, at, focused);
    } else {
        draw_whose(t, c, at);
        list_draw(app_list(app), c, (struct rect){at.row + 1, at.col, 1, at.cols},
                  (struct rect){at.row + 2, at.col, at.rows - 4, at.cols}, &app->at, &look);
    }
    draw_words(app, c, below);
}
