/* SPDX-License-Identifier: BSD-3-Clause */
/* Columns are added by rank while their minimum widths fit; then they get the widths they wish for, then a share of the
 * rest. Only rows on the screen are formatted. */
#include "console/model/list.h"

#include <stdio.h>

#include "console/screen/graph.h"

#define GUTTER 3 /* columns for cursor, mark, and state of change */

enum { RANK_MAX = 15, RANK_LUXURY = 10 }; /* from this rank on, shown only if all others have the width they wish for */

struct fitted {
    int width[LIST_COLUMNS_MAX]; /* 0: not shown */
    int order[LIST_COLUMNS_MAX], count;
    bool chosen; /* by the user: rank is ignored */
};

static int total_width(const struct list_def *def, const struct fitted *f)
{
    int total = 0;

    for (int i = 0; i < def->column_count; i++)
        total += f->width[i] ? f->width[i] + 1 : 0;
    return total;
}

/* The width that fits nine names of ten: one long name must not cost the others their columns. */
static int name_width(const struct list *l)
{
    size_t all = 0, fit = 0;
    int width = 0;

    for (int i = 0; i <= LIST_NAME_MOST; i++)
        all += l->name_widths[i];
    while (width < LIST_NAME_MOST && (fit += l->name_widths[width]) * 10 < all * 9)
        width++;
    return width;
}

/* The width a column wishes for: names are not cut. */
static int wish_of(const struct list *l, int column)
{
    const struct list_column *c = &l->def->columns[column];
    int name = c->name ? name_width(l) : 0;

    return name > c->wish ? name : c->wish;
}

/* The total width that the shown columns wish for. */
static int wished_width(const struct list *l, const struct fitted *f)
{
    int total = 0;

    for (int i = 0; i < l->def->column_count; i++)
        if (f->width[i])
            total += (wish_of(l, i) > f->width[i] ? wish_of(l, i) : f->width[i]) + 1;
    return total;
}

/* The width a column gets before the others: names take up to two fifths of the screen. */
static int least_of(const struct list *l, int column, int width)
{
    const struct list_column *c = &l->def->columns[column];
    int most = width * 2 / 5, name = c->name ? name_width(l) : 0;

    name = name < most ? name : most;
    return name > c->least ? name : c->least;
}

static void choose(const struct list *l, int width, struct fitted *f)
{
    const struct list_def *def = l->def;

    /* Columns that the user put first are dropped last. */
    for (int at = 0; at < f->count && f->chosen; at++)
        if (!at || total_width(def, f) + least_of(l, f->order[at], width) + 1 <= width)
            f->width[f->order[at]] = least_of(l, f->order[at], width);
    for (int rank = 0; rank <= RANK_MAX && !f->chosen; rank++)
        for (int i = 0; i < def->column_count; i++) {
            const struct list_column *c = &def->columns[i];
            int others = rank < RANK_LUXURY ? total_width(def, f) : wished_width(l, f);

            if (c->rank == rank && (!rank || others + c->least + 1 <= width))
                f->width[i] = least_of(l, i, width);
        }
}

static struct fitted fit(const struct list *l, int width)
{
    const struct list_def *def = l->def;
    struct fitted f = {.chosen = l->chosen_len > 0};
    int shares = 0;

    f.count = f.chosen ? (int)l->chosen_len : def->column_count;
    for (int i = 0; i < f.count; i++)
        f.order[i] = f.chosen ? l->chosen[i] : i;
    choose(l, width, &f);
    int left = width - total_width(def, &f);
    for (int rank = 0; rank <= RANK_MAX; rank++)
        for (int i = 0; i < def->column_count; i++) {
            const struct list_column *c = &def->columns[i];
            int more = wish_of(l, i) - f.width[i];

            if (!f.width[i] || c->rank != rank || more <= 0)
                continue;
            more = more < left ? more : left > 0 ? left : 0;
            f.width[i] += more;
            left -= more;
        }
    for (int i = 0; i < def->column_count; i++)
        shares += f.width[i] ? def->columns[i].share : 0;
    for (int i = 0; i < def->column_count && left > 0 && shares; i++)
        if (f.width[i])
            f.width[i] += left * def->columns[i].share / shares;
    return f;
}

static int column_named(const struct list_def *def, const char *name, size_t len)
{
    for (int i = 0; i < def->column_count; i++)
        if (strlen(def->columns[i].key) == len && strncmp(def->columns[i].key, name, len) == 0)
            return i;
    return -1;
}

int list_choose(struct list *l, const char *keys, struct err *e)
{
    unsigned char chosen[LIST_COLUMNS_MAX];
    size_t count = 0;

    while (*(keys += strspn(keys, " ,"))) {
        size_t len = strcspn(keys, " ,");
        int column = column_named(l->def, keys, len);
        bool twice = false;

        if (column < 0)
            return err_set(e, ERR_INVALID, "there is no column '%.*s'", (int)(len < 40 ? len : 40), keys);
        for (size_t i = 0; i < count; i++)
            twice |= chosen[i] == column;
        if (!twice)
            chosen[count++] = (unsigned char)column;
        keys += len;
    }
    memcpy(l->chosen, chosen, count);
    l->chosen_len = count;
    return 0;
}

bool list_shows(const struct list *l, int column)
{
    return l->shown & 1U << column;
}

void list_chosen(const struct list *l, struct buf *out)
{
    for (size_t i = 0; i < l->chosen_len; i++)
        buf_addf(out, "%s%s", i ? " " : "", l->def->columns[l->chosen[i]].key);
}

static void draw_header(struct list *l, struct canvas *c, struct rect at, const struct fitted *f, int hits)
{
    int col = at.col + GUTTER;

    for (int n = 0; n < f->count; n++) {
        int i = f->order[n];
        const struct list_column *column = &l->def->columns[i];
        int width = f->width[i];

        if (!width)
            continue;
        bool sorted = l->sort == i && *column->title && !l->def->tree;
        char title[40];
        snprintf(title, sizeof(title), "%s%s", column->title,
                 sorted ? glyph_text(l->reverse ? GLYPH_DOWN : GLYPH_UP, c->ascii) : "");
        if (column->right)
            canvas_right(c, at.row, col, width, sorted ? ROLE_STRONG : ROLE_FAINT, title);
        else
            canvas_text(c, at.row, col, width, sorted ? ROLE_STRONG : ROLE_FAINT, title);
        if (hits && column->compare)
            canvas_hit(c, (struct rect){at.row, col, 1, width}, hits, i);
        col += width + 1;
    }
}

enum { TRIP_COLS = 4 }; /* width of the number in front of its bar */

static void draw_trips(struct canvas *c, int row, int col, int width, const struct list_field *f)
{
    size_t count = f->trips->trip_count, shown = count < (size_t)width ? count : (size_t)width;

    if (f->all_trips)
        graph_trips(c, row, col + width - (int)shown, f->trips->trips + count - shown, shown);
    else if (width >= TRIP_COLS + METER_COLS && count)
        graph_meter(c, row, col + TRIP_COLS, f->trips->trips[count - 1]);
}

static void draw_field(struct canvas *c, int row, int col, int width, const struct list_column *column,
                       struct list_field *f, bool changed)
{
    int room = width;

    if (f->trips)
        draw_trips(c, row, col, width, f);
    if (f->trips && f->all_trips)
        return;
    if (f->glyph >= 0) {
        int used = canvas_glyph(c, row, col, (enum glyph)f->glyph);

        if (*f->text) {
            col += used + 1;
            room -= used + 1;
        }
    }
    if (column->right)
        canvas_right(c, row, col, room, f->role, f->text);
    else if (column->name)
        canvas_name(c, row, col, room, f->role, f->text);
    else
        canvas_text(c, row, col, room, f->role, f->text);
    if (changed) {
        int used = canvas_width(c, f->text);

        if (column->right ? used + 2 <= room : used + 1 < room)
            canvas_glyph(c, row, column->right ? col + room - used - 2 : col + used + 1, GLYPH_CHANGED);
    }
}

static void draw_row(struct list *l, struct canvas *c, struct rect at, const struct fitted *f, struct row *row,
                     const struct clock_reading *when, bool cursor)
{
    int col = at.col + GUTTER;
    int indent = l->def->indent ? l->def->indent(row) : 0;
    bool changed = row->changed_ms && when->now_ms - row->changed_ms < CHANGED_MS;

    if (cursor)
        canvas_glyph(c, at.row, at.col, GLYPH_CURSOR);
    if (row->marked)
        canvas_glyph(c, at.row, at.col + 1, GLYPH_MARK);
    for (int n = 0; n < f->count; n++) {
        int i = f->order[n];
        const struct list_column *column = &l->def->columns[i];
        struct list_field field = {.role = ROLE_TEXT, .glyph = -1};
        int width = f->width[i], shift = i == l->def->indented ? indent : 0;

        if (!width)
            continue;
        column->fill(row, when, &field);
        draw_field(c, at.row, col + shift, width - shift, column, &field, changed && (row->changed & column->changed));
        col += width + 1;
    }
    struct rect line = {at.row, at.col, 1, at.cols};
    if (row->failure) {
        int from = at.col + at.cols / 2;

        canvas_clear(c, (struct rect){at.row, from, 1, at.cols - at.cols / 2});
        canvas_text(c, at.row, from + 1, at.cols - at.cols / 2 - 1, ROLE_ERROR, row->failure);
    }
    if (row->gone_ms)
        canvas_flag(c, line, CANVAS_DIM | CANVAS_STRUCK);
    if (cursor)
        canvas_flag(c, line, CANVAS_SELECTED);
}

static void draw_empty(const struct list *l, struct canvas *c, struct rect body, const char *said)
{
    const char *text = said ? said : l->def->empty;

    if (!said && *l->filter_text)
        text = "nothing matches the filter";
    int width = canvas_width(c, text);
    int col = width < body.cols ? body.col + (body.cols - width) / 2 : body.col;
    canvas_text(c, body.row + body.rows / 3, col, body.cols, ROLE_FAINT, text);
}

void list_draw(struct list *l, struct canvas *c, struct rect header, struct rect body, const struct clock_reading *at,
               const struct list_look *look)
{
    struct fitted f = fit(l, body.cols - GUTTER);

    l->shown = 0;
    l->cursor_hidden = body.rows < 1;
    for (int i = 0; i < l->def->column_count; i++)
        l->shown |= f.width[i] ? 1U << i : 0;
    draw_header(l, c, header, &f, look->hit_headers);
    list_scroll(l, body.rows > 0 ? (size_t)body.rows : 0);
    if (!l->order.len)
        draw_empty(l, c, body, look->empty);
    for (int i = 0; i < body.rows && l->top + (size_t)i < l->order.len; i++) {
        struct row *row = l->order.items[l->top + (size_t)i];
        struct rect line = {body.row + i, body.col, 1, body.cols};
        bool cursor = look->focused && row == l->cursor;

        draw_row(l, c, line, &f, row, at, cursor);
        if (cursor) {
            c->cursor_row = line.row;
            c->cursor_col = line.col;
        }
        if (look->hit_rows)
            canvas_hit(c, line, look->hit_rows, (int)(l->top + (size_t)i));
    }
}
