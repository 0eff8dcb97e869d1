/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog that shows a new key, once. */
#include "console/dialogs/secret.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"

struct shown_secret {
    char *text, *command; /* command: NULL if there is none */
};

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void secret_release(struct app *app)
{
    struct shown_secret *s = app->dialog->extra;

    wipe(s->text);
    wipe(s->command);
    free(s);
}

static void secret_key(struct app *app, int key)
{
    const struct shown_secret *s = app->dialog->extra;

    if (key == 'y')
        app_copy(app, s->text, "the key");
    else if (key == 'c' && s->command)
        app_copy(app, s->command, "the command");
}

/* Draws a text over whole lines of the screen with nothing beside it, so that it can be selected in a terminal without
 * OSC 52. Returns the row after it. */
static int draw_whole_lines(struct canvas *c, int row, int end, const char *text)
{
    size_t width = (size_t)c->cols;

    for (size_t len = strlen(text); len && row < end; row++) {
        size_t piece = len < width ? len : width;

        canvas_textf(c, row, 0, c->cols, ROLE_STRONG, "%.*s", (int)piece, text);
        text += piece;
        len -= piece;
    }
    return row;
}

static int lines_of(const struct canvas *c, const char *text)
{
    return text ? (int)((strlen(text) + (size_t)c->cols - 1) / (size_t)c->cols) : 0;
}

static void secret_draw(struct app *app)
{
    const struct dialog *d = app->dialog;
    const struct shown_secret *s = d->extra;
    struct canvas *c = &app->canvas;
    int rows = 6 + lines_of(c, s->text) + (s->command ? 2 + lines_of(c, s->command) : 0);

    rows = rows < c->rows - 4 ? rows : c->rows - 4;
    int row = (c->rows - rows) / 2, end = row + rows - 1;
    canvas_clear(c, (struct rect){row, 0, rows, c->cols});
    canvas_section(c, row, 0, c->cols, d->title, "");
    canvas_text(c, row + 1, 0, c->cols, ROLE_WARN, "! shown only once: store it now");
    row = draw_whole_lines(c, row + 3, end, s->text);
    if (s->command && row + 2 < end) {
        canvas_text(c, row + 1, 0, c->cols, ROLE_LABEL, "join a machine with");
        draw_whole_lines(c, row + 2, end, s->command);
    }
    canvas_section(c, end, 0, c->cols, d->note, "");
}

void dialog_secret(struct app *app, const char *title, const char *text, const char *command)
{
    static const struct dialog_kind kind = {.key = secret_key, .draw = secret_draw, .release = secret_release};
    struct shown_secret *s = mem_alloc(sizeof(*s));

    s->text = mem_strdup(text);
    s->command = command ? mem_strdup(command) : NULL;
    dialog_open(app, &kind, title, command ? "y copy the key   c copy the command   Esc close" : "y copy   Esc close")
        ->extra = s;
}
