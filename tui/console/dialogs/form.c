/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog with several fields. */
#include "console/dialogs/form.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"

enum { FORM_COLS = 72, LABEL_COLS = 14 };

#define FIELDS_MAX 6

struct form {
    struct form_field fields[FIELDS_MAX];
    size_t count, cursor; /* cursor: the field being edited */
    void (*submit)(struct app *app);
};

static struct form *form_of(const struct app *app)
{
    return app->dialog->extra;
}

struct form_field *form_add(struct app *app, const char *label, const char *hint, const char *words, const char *value)
{
    struct form *form = form_of(app);
    struct form_field *f = &form->fields[form->count < FIELDS_MAX ? form->count++ : FIELDS_MAX - 1];

    *f = (struct form_field){.label = mem_strdup(label), .hint = mem_strdup(hint)};
    line_offer(&f->line, value);
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

static const char *value_of(const struct form_field *f)
{
    return f->words.len ? f->words.items[f->word] : line_text(&f->line);
}

const char *form_value(const struct app *app, int field)
{
    return value_of(&form_of(app)->fields[field]);
}

void form_go(struct app *app, int field)
{
    form_of(app)->cursor = (size_t)field;
}

void form_complain(struct app *app, int field, const char *text)
{
    form_go(app, field);
    app_flash(app, ROLE_WARN, "%s", text);
}

void form_put_words(struct json_out *o, const char *member, const char *text, const char *prefix)
{
    json_key(o, member);
    json_open(o, '[');
    while (*(text += strspn(text, " ,"))) {
        size_t len = strcspn(text, " ,");
        bool bare = prefix && strncmp(text, prefix, strlen(prefix)) != 0;
        char *word = mem_format("%s%.*s", bare ? prefix : "", (int)len, text);

        json_str(o, word);
        free(word);
        text += len;
    }
    json_close(o, ']');
}

void form_words(const struct strs *words, struct buf *out)
{
    for (size_t i = 0; i < words->len; i++)
        buf_addf(out, "%s%s", i ? " " : "", words->items[i]);
}

static void turn(struct form_field *f, int key)
{
    size_t count = f->words.len;

    if (key == CK_SPACE || key == CK_RIGHT) {
        f->word = (f->word + 1) % count;
    } else if (key == CK_LEFT) {
        f->word = (f->word + count - 1) % count;
    } else if (key > CK_SPACE && key < CK_BACKSPACE) {
        /* A letter selects the next word beginning with it. */
        for (size_t i = 1; i <= count; i++)
            if (f->words.items[(f->word + i) % count][0] == (char)key) {
                f->word = (f->word + i) % count;
                return;
            }
    }
}

static void form_key(struct app *app, int key)
{
    struct form *form = form_of(app);
    struct form_field *f = &form->fields[form->cursor];

    if (key == CK_ENTER)
        form->submit(app);
    else if (key == CK_TAB || key == CK_DOWN)
        form->cursor = (form->cursor + 1) % form->count;
    else if (key == CK_BACKTAB || key == CK_UP)
        form->cursor = (form->cursor + form->count - 1) % form->count;
    else if (f->words.len)
        turn(f, key);
    else
        line_key(&f->line, key);
}

static void draw_words(struct canvas *c, int row, struct rect at, const struct form_field *f, bool cursor)
{
    int col = at.col, limit = at.col + at.cols;

    if (f->words.len > 4) {
        col += canvas_text(c, row, col, limit - col - 16, cursor ? ROLE_STRONG : ROLE_TEXT, value_of(f)) + 2;
        canvas_textf(c, row, col, limit - col, ROLE_FAINT, "%zu of %zu", f->word + 1, f->words.len);
    } else {
        for (size_t i = 0; i < f->words.len && col < limit; i++) {
            char text[200];

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

static void form_draw(struct app *app)
{
    const struct dialog *d = app->dialog;
    const struct form *form = form_of(app);
    struct canvas *c = &app->canvas;
    const struct form_field *now = &form->fields[form->cursor];
    char *said =
        d->error ? mem_strdup(d->error) : mem_format("%s%s", now->words.len ? "Space changes it; " : "", now->hint);
    int width = dialog_centre(c, 5, FORM_COLS).cols - 7, lines = canvas_lines(c, width, said);
    lines = lines > 2 ? lines : 2; /* the frame keeps its size for all fields */
    struct rect in = canvas_frame(c, dialog_centre(c, (int)form->count + lines + 3, FORM_COLS), d->title, d->note);

    for (size_t i = 0; i < form->count && (int)i < in.rows; i++) {
        const struct form_field *f = &form->fields[i];
        bool cursor = i == form->cursor;
        struct rect at = {in.row + (int)i, in.col + 2 + LABEL_COLS, 1, in.cols - LABEL_COLS - 3};

        if (cursor)
            canvas_glyph(c, at.row, in.col, GLYPH_CURSOR);
        canvas_text(c, at.row, in.col + 2, LABEL_COLS - 1, ROLE_LABEL, f->label);
        if (f->words.len)
            draw_words(c, at.row, at, f, cursor);
        else if (cursor)
            line_draw(&f->line, c, at.row, at.col, at.cols);
        else
            canvas_text(c, at.row, at.col, at.cols, ROLE_TEXT, f->line.len ? line_text(&f->line) : "-");
    }
    int left = in.rows - (int)form->count - 1;
    if (left > 0)
        canvas_wrap(c, (struct rect){in.row + (int)form->count + 1, in.col + 2, left, width},
                    d->error ? ROLE_WARN : ROLE_FAINT, said);
    free(said);
}

static void form_release(struct app *app)
{
    struct form *form = form_of(app);

    for (size_t i = 0; i < form->count; i++) {
        line_release(&form->fields[i].line);
        strs_release(&form->fields[i].words);
        free(form->fields[i].label);
        free(form->fields[i].hint);
    }
    free(form);
}

void dialog_form(struct app *app, const char *title, void (*submit)(struct app *app))
{
    static const struct dialog_kind kind = {.key = form_key, .draw = form_draw, .release = form_release, .typed = true};
    struct form *form = mem_alloc(sizeof(*form));

    form->submit = submit;
    dialog_open(app, &kind, title, "Enter create   Tab next field   Esc cancel")->extra = form;
}
