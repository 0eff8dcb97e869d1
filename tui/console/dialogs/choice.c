/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog that asks for one of several choices. */
#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"

static bool choice_shown(const struct dialog *d, size_t i)
{
    return strcasestr(d->choices.items[i].text, line_text(&d->line)) != NULL;
}

static size_t choices_shown(const struct dialog *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->choices.len; i++)
        count += choice_shown(d, i);
    return count;
}

static const struct choice *chosen(const struct dialog *d)
{
    size_t at = 0;

    for (size_t i = 0; i < d->choices.len; i++)
        if (choice_shown(d, i) && at++ == d->cursor)
            return &d->choices.items[i];
    return NULL;
}

static void draw_choice(struct app *app)
{
    struct dialog *d = app->dialog;
    struct canvas *c = &app->canvas;
    int lines = dialog_text_rows(c, d->text, (c->cols - 2 < 72 ? c->cols - 2 : 72) - 4), list = (int)d->choices.len;

    list = list < 10 ? list : 10;
    struct rect in = canvas_frame(c, dialog_centre(c, lines + list + 5, 72), d->title, d->note);
    int row = in.row + dialog_draw_text(c, in, d->text, 0);
    row += lines > 0;
    int used = canvas_text(c, row, in.col, in.cols, ROLE_LABEL, d->label), typed = row;
    line_draw(&d->line, c, row++, in.col + used, in.cols - used);
    int room = in.row + in.rows - row;
    size_t at = 0, top = room > 0 && d->cursor >= (size_t)room ? d->cursor - (size_t)room + 1 : 0;
    for (size_t i = 0; i < d->choices.len; i++) {
        if (!choice_shown(d, i))
            continue;
        if (at >= top && (int)(at - top) < room) {
            int line = row + (int)(at - top);

            if (at == d->cursor)
                canvas_glyph(c, line, in.col, GLYPH_CURSOR);
            canvas_text(c, line, in.col + 2, in.cols - 2, at == d->cursor ? ROLE_STRONG : ROLE_TEXT,
                        d->choices.items[i].text);
            if (at == d->cursor)
                canvas_flag(c, (struct rect){line, in.col, 1, in.cols}, CANVAS_SELECTED);
            canvas_hit(c, (struct rect){line, in.col, 1, in.cols}, HIT_CHOICE, (int)at);
        }
        at++;
    }
    /* The terminal's cursor is on the choice, or in the input line. */
    if (d->line.len)
        line_draw(&d->line, c, typed, in.col + used, in.cols - used);
    if (!at)
        canvas_text(c, row, in.col + 2, in.cols - 2, ROLE_FAINT, "nothing matches");
}

static void choice_key(struct app *app, int key)
{
    struct dialog *d = app->dialog;
    size_t count = choices_shown(d);

    if (key == CK_DOWN || key == CK_TAB || key == CK_CTRL('n')) {
        d->cursor = count ? (d->cursor + 1) % count : 0;
    } else if (key == CK_UP || key == CK_BACKTAB || key == CK_CTRL('p')) {
        d->cursor = count ? (d->cursor + count - 1) % count : 0;
    } else if (key == CK_ENTER) {
        const struct choice *choice = chosen(d);

        if (choice)
            dialog_accept(app, choice->key);
    } else if (line_key(&d->line, key)) {
        d->cursor = 0;
    }
}

void dialog_choice(struct app *app, const char *title, const char *note,
                   void (*accept)(struct app *app, const char *value))
{
    static const struct dialog_kind kind = {.key = choice_key, .draw = draw_choice};
    struct dialog *d = dialog_open(app, &kind, title, note);

    d->accept = accept;
    d->label = "";
}

void dialog_add_choice(struct app *app, const char *key, const char *text)
{
    vec_push(&app->dialog->choices, ((struct choice){.key = mem_strdup(key), .text = mem_strdup(text)}));
}
