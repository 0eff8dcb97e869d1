/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog that chooses the columns of a list and their order, with immediate effect. */
#include "console/dialogs/column_chooser.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"

/* All columns: those shown, in their order, then the others. Returns how many are shown. */
static size_t arrange(const struct list *l, int all[LIST_COLUMNS_MAX])
{
    size_t shown = l->chosen_len, count = shown;

    for (size_t i = 0; i < shown; i++)
        all[i] = l->chosen[i];
    for (int i = 0; i < l->def->column_count; i++) {
        bool known = false;

        for (size_t j = 0; j < shown; j++)
            known |= all[j] == i;
        if (!known)
            all[count++] = i;
    }
    return shown;
}

static const char *title_of(const struct list_column *c)
{
    return *c->title ? c->title : "(sign)";
}

static void toggle(struct list *l, const int *all, size_t at)
{
    if (at >= l->chosen_len) {
        l->chosen[l->chosen_len++] = (unsigned char)all[at];
    } else if (l->chosen_len > 1) {
        memmove(&l->chosen[at], &l->chosen[at + 1], l->chosen_len - at - 1);
        l->chosen_len--;
    }
}

static size_t shift(struct list *l, size_t at, int step)
{
    size_t to = at + (size_t)step;

    if (at >= l->chosen_len || to >= l->chosen_len)
        return at;
    unsigned char moved = l->chosen[at];
    l->chosen[at] = l->chosen[to];
    l->chosen[to] = moved;
    return to;
}

static void chooser_key(struct app *app, int key)
{
    struct dialog *d = app->dialog;
    struct list *l = app_list(app);
    int all[LIST_COLUMNS_MAX];
    size_t count = (size_t)l->def->column_count;

    arrange(l, all);
    if (key == CK_DOWN || key == 'j' || key == CK_TAB) {
        d->cursor = (d->cursor + 1) % count;
    } else if (key == CK_UP || key == 'k' || key == CK_BACKTAB) {
        d->cursor = (d->cursor + count - 1) % count;
    } else if (key == CK_SPACE) {
        int column = all[d->cursor];

        toggle(l, all, d->cursor);
        arrange(l, all);
        for (size_t i = 0; i < count; i++)
            if (all[i] == column)
                d->cursor = i;
    } else if (key == '<' || key == CK_LEFT) {
        d->cursor = shift(l, d->cursor, -1);
    } else if (key == '>' || key == CK_RIGHT) {
        d->cursor = shift(l, d->cursor, 1);
    } else if (key == '0') {
        l->chosen_len = 0;
        dialog_close(app);
    } else if (key == CK_ENTER || key == 'c' || key == 'q') {
        dialog_close(app);
    }
}

static void chooser_draw(struct app *app)
{
    struct dialog *d = app->dialog;
    struct canvas *c = &app->canvas;
    const struct list *l = app_list(app);
    int all[LIST_COLUMNS_MAX], count = l->def->column_count;
    size_t shown = arrange(l, all);
    struct rect in = canvas_frame(c, dialog_centre(c, count + 2, 56), d->title, d->note);
    int top = (int)d->cursor >= in.rows ? (int)d->cursor - in.rows + 1 : 0;

    for (int i = top; i < count && i - top < in.rows; i++) {
        int row = in.row + i - top;
        bool on = (size_t)i < shown, cursor = (size_t)i == d->cursor;

        if (cursor)
            canvas_glyph(c, row, in.col, GLYPH_CURSOR);
        canvas_text(c, row, in.col + 2, 3, on ? ROLE_OK : ROLE_FAINT, on ? "[x]" : "[ ]");
        canvas_text(c, row, in.col + 6, 20, on ? ROLE_STRONG : ROLE_TEXT, title_of(&l->def->columns[all[i]]));
        if (on && !list_shows(l, all[i]))
            canvas_text(c, row, in.col + 27, in.cols - 27, ROLE_WAIT, "no room at this width");
        if (cursor)
            canvas_flag(c, (struct rect){row, in.col, 1, in.cols}, CANVAS_SELECTED);
    }
}

void column_chooser(struct app *app)
{
    static const struct dialog_kind kind = {.key = chooser_key, .draw = chooser_draw};
    struct list *l = app_list(app);
    char *title = mem_format("columns: %s", l->def->noun);

    dialog_open(app, &kind, title, "Space on, off   < > move   0 default   Esc close");
    free(title);
    /* Initially on: what the list shows if everything fits. */
    if (!l->chosen_len)
        for (int i = 0; i < l->def->column_count; i++)
            if (list_shows(l, i))
                l->chosen[l->chosen_len++] = (unsigned char)i;
}
