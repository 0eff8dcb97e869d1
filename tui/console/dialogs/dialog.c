/* SPDX-License-Identifier: BSD-3-Clause */
/* Dialogs in general, the one that asks for a line of text, and the one that shows a text. */
#include "console/dialogs/dialog.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"

void dialog_close(struct app *app)
{
    struct dialog *d = app->dialog;

    if (!d)
        return;
    if (d->kind->release)
        d->kind->release(app);
    for (size_t i = 0; i < d->choices.len; i++) {
        free(d->choices.items[i].key);
        free(d->choices.items[i].text);
    }
    vec_release(&d->choices);
    line_release(&d->line);
    free(d->title);
    free(d->note);
    free(d->text);
    free(d->row_key);
    free(d->error);
    free(d);
    app->dialog = NULL;
}

struct dialog *dialog_open(struct app *app, const struct dialog_kind *kind, const char *title, const char *note)
{
    struct dialog *d = mem_alloc(sizeof(*d));

    *d = (struct dialog){.kind = kind, .title = mem_strdup(title), .note = mem_strdup(note)};
    dialog_close(app);
    app->dialogs_opened++;
    app->dialog = d;
    return d;
}

struct dialog *dialog_set_aside(struct app *app)
{
    struct dialog *d = app->dialog && app->dialog->kind->typed ? app->dialog : NULL;

    if (d)
        app->dialog = NULL;
    return d;
}

void dialog_put_back(struct app *app, struct dialog *d, const char *error)
{
    app->dialogs_opened++;
    app->dialog = d;
    mem_replace(&d->error, error);
}

void dialog_drop(struct app *app, struct dialog *d)
{
    struct dialog *open = app->dialog;

    if (!d)
        return;
    app->dialog = d; /* release functions refer to the open dialog */
    dialog_close(app);
    app->dialog = open;
}

void dialog_key(struct app *app, int key)
{
    const struct dialog_kind *kind = app->dialog->kind;

    free(app->dialog->error);
    app->dialog->error = NULL;
    if (!kind->own_escape && (key == CK_ESC || key == CK_CTRL('c')))
        dialog_close(app);
    else
        kind->key(app, key);
}

struct rect dialog_centre(const struct canvas *c, int rows, int cols)
{
    rows = rows < c->rows - 4 ? rows : c->rows - 4;
    cols = cols < c->cols - 2 ? cols : c->cols - 2;
    return (struct rect){(c->rows - rows) / 2, (c->cols - cols) / 2, rows, cols};
}

size_t dialog_text_lines(const char *text)
{
    size_t lines = 0;

    for (; text && *text; text++)
        lines += *text == '\n';
    return lines;
}

/* ---- lines of text ---- */

enum { TEXT_LABEL_COLS = 15 };

/* A line of a text: where its content begins, and its style. */
struct text_line {
    char text[1024];
    const char *body;
    int label_cols;
    enum role role;
};

static void take_line(const char *line, size_t len, struct text_line *out)
{
    snprintf(out->text, sizeof(out->text), "%.*s", (int)len, line);
    char *tab = strchr(out->text, '\t');
    bool heading = out->text[0] == '#', warning = out->text[0] == '!' && !tab;

    out->label_cols = warning ? 2 : tab && !heading ? TEXT_LABEL_COLS : 0;
    out->body = heading || warning ? out->text + 1 : tab ? tab + 1 : out->text;
    out->role = heading ? ROLE_STRONG : warning ? ROLE_WARN : ROLE_TEXT;
    if (tab && !heading && !warning)
        *tab = '\0';
}

static int draw_line(struct canvas *c, struct rect in, const struct text_line *l)
{
    struct rect body = {in.row, in.col + l->label_cols, in.rows, in.cols - l->label_cols};

    if (l->role == ROLE_WARN)
        canvas_text(c, in.row, in.col, 1, ROLE_WARN, "!");
    else if (l->label_cols)
        canvas_text(c, in.row, in.col, TEXT_LABEL_COLS - 1, ROLE_LABEL, l->text);
    return canvas_wrap(c, body, l->role, l->body);
}

int dialog_draw_text(struct canvas *c, struct rect in, const char *text, size_t top)
{
    int drawn = 0;

    for (size_t i = 0; text && *text && drawn < in.rows; i++) {
        size_t len = strcspn(text, "\n");
        struct text_line line;

        take_line(text, len, &line);
        if (i >= top)
            drawn += draw_line(c, (struct rect){in.row + drawn, in.col, in.rows - drawn, in.cols}, &line);
        text += len + (text[len] == '\n');
    }
    return drawn;
}

int dialog_text_rows(const struct canvas *c, const char *text, int width)
{
    int rows = 0;

    while (text && *text) {
        size_t len = strcspn(text, "\n");
        struct text_line line;

        take_line(text, len, &line);
        rows += canvas_lines(c, width - line.label_cols, line.body);
        text += len + (text[len] == '\n');
    }
    return rows;
}

/* ---- a text to read ---- */

/* How far a key scrolls a text: lines, or to its ends. */
static long scroll_of(int key)
{
    static const struct {
        int key;
        long lines;
    } keys[] = {
        {CK_DOWN, 1},       {'j', 1},           {CK_UP, -1},    {'k', -1},           {CK_PGDN, 10},
        {CK_SPACE, 10},     {CK_CTRL('f'), 10}, {CK_PGUP, -10}, {CK_CTRL('b'), -10}, {CK_CTRL('d'), 5},
        {CK_CTRL('u'), -5}, {CK_HOME, -100000}, {'g', -100000}, {CK_END, 100000},    {'G', 100000},
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == key)
            return keys[i].lines;
    return 0;
}

static void text_key(struct app *app, int key)
{
    struct dialog *d = app->dialog;
    long lines = (long)dialog_text_lines(d->text), top = (long)d->top + scroll_of(key);

    if (key == 'q' || key == CK_ENTER || key == 'w')
        dialog_close(app);
    else
        d->top = top < 0 || !lines ? 0 : top < lines ? (size_t)top : (size_t)lines - 1;
}

static void text_draw(struct app *app)
{
    struct dialog *d = app->dialog;
    struct canvas *c = &app->canvas;
    int width = 96 < c->cols - 2 ? 96 : c->cols - 2;
    int lines = dialog_text_rows(c, d->text, width - 4) + 2;
    struct rect in = canvas_frame(c, dialog_centre(c, lines > 5 ? lines : 5, width), d->title, d->note);

    dialog_draw_text(c, in, d->text, d->top);
}

void dialog_text(struct app *app, const char *title, char *text)
{
    static const struct dialog_kind kind = {.key = text_key, .draw = text_draw};

    dialog_open(app, &kind, title, "arrows, pages scroll   Esc close")->text = text;
}

/* ---- a text to type ---- */

static void input_key(struct app *app, int key)
{
    if (key == CK_ENTER)
        dialog_accept(app, line_text(&app->dialog->line));
    else
        line_key(&app->dialog->line, key);
}

enum { INPUT_COLS = 70 };

static void input_draw(struct app *app)
{
    struct dialog *d = app->dialog;
    struct canvas *c = &app->canvas;
    int width = dialog_centre(c, 5, INPUT_COLS).cols - 4, lines = dialog_text_rows(c, d->text, width);
    int why = d->error ? canvas_lines(c, width, d->error) : 0;
    struct rect in = canvas_frame(c, dialog_centre(c, 5 + lines + why, INPUT_COLS), d->title, d->note);

    dialog_draw_text(c, in, d->text, 0);
    line_draw(&d->line, c, in.row + lines + 1, in.col, in.cols);
    if (d->error)
        canvas_wrap(c, (struct rect){in.row + lines + 2, in.col, why, in.cols}, ROLE_WARN, d->error);
}

void dialog_input(struct app *app, const char *title, const char *note, const char *value,
                  void (*accept)(struct app *app, const char *value))
{
    static const struct dialog_kind kind = {.key = input_key, .draw = input_draw, .typed = true};
    struct dialog *d = dialog_open(app, &kind, title, note);

    line_set(&d->line, value);
    d->accept = accept;
}

void dialog_accept(struct app *app, const char *value)
{
    uint64_t opened = app->dialogs_opened;
    char *copy = mem_strdup(value);

    /* The callback may open another dialog, but may read from this one until it returns. */
    app->dialog->refused = false;
    app->dialog->accept(app, copy);
    free(copy);
    if (app->dialogs_opened == opened && app->dialog && !app->dialog->refused)
        dialog_close(app);
}

void dialog_refuse(struct app *app, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    app_flash(app, ROLE_WARN, "%s", text);
    if (app->dialog)
        app->dialog->refused = true;
}
