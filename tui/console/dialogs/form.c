/* SPDX-License-Identifier: BSD-3-Clause */
/* Forms of a few fields, and the dialog that shows a new secret. */
#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"

enum { FORM_COLS = 72, LABEL_COLS = 14 };

void dialog_form(struct app *app, const char *title, void (*submit)(struct app *app))
{
    dialog_open(app, DIALOG_FORM, title, "Enter make it   Tab next   Esc cancel")->submit = submit;
}

struct form_field *form_add(struct app *app, const char *label, const char *hint, const char *words, const char *value)
{
    struct dialog *d = &app->dialog;
    struct form_field *f = &d->fields[d->field_count < FORM_MAX ? d->field_count++ : FORM_MAX - 1];

    *f = (struct form_field){.label = label, .hint = hint};
    line_set(&f->line, value);
    while (words && *words) {
        size_t len = strcspn(words, " ");
        char *word = mem_format("%.*s", (int)len, words);

        if (str_eq(word, value))
            f->word = f->words.len;
        strs_push(&f->words, word);
        free(word);
        words += len + strspn(words + len, " ");
    }
    return f;
}

const char *form_value(const struct form_field *f)
{
    return f->words.len ? f->words.items[f->word] : f->line.text;
}

static void turn(struct form_field *f, int key)
{
    size_t count = f->words.len;

    if (key == CK_SPACE || key == CK_RIGHT) {
        f->word = (f->word + 1) % count;
    } else if (key == CK_LEFT) {
        f->word = (f->word + count - 1) % count;
    } else if (key > CK_SPACE && key < CK_BACKSPACE) {
        /* A letter goes to the next word that begins with it. */
        for (size_t i = 1; i <= count; i++)
            if (f->words.items[(f->word + i) % count][0] == (char)key) {
                f->word = (f->word + i) % count;
                return;
            }
    }
}

void form_key(struct app *app, int key)
{
    struct dialog *d = &app->dialog;
    struct form_field *f = &d->fields[d->cursor];

    if (key == CK_ENTER)
        d->submit(app);
    else if (key == CK_TAB || key == CK_DOWN)
        d->cursor = (d->cursor + 1) % d->field_count;
    else if (key == CK_BACKTAB || key == CK_UP)
        d->cursor = (d->cursor + d->field_count - 1) % d->field_count;
    else if (f->words.len)
        turn(f, key);
    else
        line_key(&f->line, key);
}

static void draw_words(struct canvas *c, int row, struct rect at, const struct form_field *f, bool cursor)
{
    int col = at.col, limit = at.col + at.cols;

    if (f->words.len > 4) {
        col += canvas_text(c, row, col, limit - col - 16, cursor ? ROLE_STRONG : ROLE_TEXT, form_value(f)) + 2;
        canvas_textf(c, row, col, limit - col, ROLE_FAINT, "%zu of %zu", f->word + 1, f->words.len);
    } else {
        for (size_t i = 0; i < f->words.len && col < limit; i++) {
            char text[LINE_MAX_BYTES];

            snprintf(text, sizeof(text), i == f->word ? "[%s]" : " %s ", f->words.items[i]);
            col += canvas_text(c, row, col, limit - col, i == f->word ? ROLE_STRONG : ROLE_FAINT, text) + 1;
        }
    }
    if (cursor) {
        c->cursor_row = row;
        c->cursor_col = at.col;
        c->cursor_shown = true;
    }
}

void form_draw(struct app *app)
{
    struct dialog *d = &app->dialog;
    struct canvas *c = &app->canvas;
    struct rect in = canvas_frame(c, dialog_centre(c, (int)d->field_count + 5, FORM_COLS), d->title, d->note);

    for (size_t i = 0; i < d->field_count && (int)i < in.rows; i++) {
        const struct form_field *f = &d->fields[i];
        bool cursor = i == d->cursor;
        struct rect at = {in.row + (int)i, in.col + 2 + LABEL_COLS, 1, in.cols - LABEL_COLS - 3};

        if (cursor)
            canvas_glyph(c, at.row, in.col, GLYPH_CURSOR);
        canvas_text(c, at.row, in.col + 2, LABEL_COLS - 1, ROLE_LABEL, f->label);
        if (f->words.len)
            draw_words(c, at.row, at, f, cursor);
        else if (cursor)
            line_draw(&f->line, c, at.row, at.col, at.cols);
        else
            canvas_text(c, at.row, at.col, at.cols, ROLE_TEXT, *f->line.text ? f->line.text : "-");
    }
    if ((int)d->field_count + 1 < in.rows) {
        const struct form_field *f = &d->fields[d->cursor];

        canvas_textf(c, in.row + in.rows - 1, in.col + 2, in.cols - 3, ROLE_FAINT, "%s%s",
                     f->words.len ? "Space changes it; " : "", f->hint);
    }
}

/* ---- secrets ---- */

void dialog_secret(struct app *app, const char *title, const char *secret, const char *command)
{
    struct dialog *d = dialog_open(app, DIALOG_SECRET, title,
                                   command ? "y copy the key   c copy the command   Esc close" : "y copy   Esc close");

    d->secret = mem_strdup(secret);
    d->secret_command = command ? mem_strdup(command) : NULL;
}

void secret_key(struct app *app, int key)
{
    const struct dialog *d = &app->dialog;

    if (key == CK_ESC || key == CK_CTRL('c'))
        dialog_close(app);
    else if (key == 'y')
        app_copy(app, d->secret, "the key");
    else if (key == 'c' && d->secret_command)
        app_copy(app, d->secret_command, "the command");
}

/* A long text over as many rows as it takes, so that a terminal without OSC 52 can be copied from by hand. */
static int draw_wrapped(struct canvas *c, int row, int end, struct rect in, const char *text)
{
    int width = in.cols - 2;

    for (size_t len = strlen(text); len && row < end && width > 0; row++) {
        size_t piece = len < (size_t)width ? len : (size_t)width;

        canvas_textf(c, row, in.col + 2, width, ROLE_STRONG, "%.*s", (int)piece, text);
        text += piece;
        len -= piece;
    }
    return row;
}

void secret_draw(struct app *app)
{
    const struct dialog *d = &app->dialog;
    struct canvas *c = &app->canvas;
    int width = c->cols - 4 < 110 ? c->cols - 4 : 110;
    int inner = width - 6 > 10 ? width - 6 : 10;
    int rows = 5 + (int)strlen(d->secret) / inner + 1;

    if (d->secret_command)
        rows += 2 + (int)strlen(d->secret_command) / inner + 1;
    struct rect in = canvas_frame(c, dialog_centre(c, rows, width), d->title, d->note);
    int row = in.row, end = in.row + in.rows;
    canvas_text(c, row++, in.col, in.cols, ROLE_WARN, "! it is shown only now: the server keeps no copy");
    row = draw_wrapped(c, row + 1, end, in, d->secret);
    if (d->secret_command && row + 1 < end) {
        canvas_text(c, row + 1, in.col, in.cols, ROLE_LABEL, "a machine joins with");
        draw_wrapped(c, row + 2, end, in, d->secret_command);
    }
}
