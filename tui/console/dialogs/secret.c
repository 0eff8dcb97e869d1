/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog that shows a new key, once. */
#include "console/dialogs/secret.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"

struct shown_secret {
    char *text, *command; /* command: NULL where there is none */
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

static void secret_draw(struct app *app)
{
    const struct dialog *d = app->dialog;
    const struct shown_secret *s = d->extra;
    struct canvas *c = &app->canvas;
    int width = c->cols - 4 < 110 ? c->cols - 4 : 110;
    int inner = width - 6 > 10 ? width - 6 : 10;
    int rows = 5 + (int)strlen(s->text) / inner + 1;

    if (s->command)
        rows += 2 + (int)strlen(s->command) / inner + 1;
    struct rect in = canvas_frame(c, dialog_centre(c, rows, width), d->title, d->note);
    int row = in.row, end = in.row + in.rows;
    canvas_text(c, row++, in.col, in.cols, ROLE_WARN, "! shown only once: the server keeps no copy");
    row = draw_wrapped(c, row + 1, end, in, s->text);
    if (s->command && row + 1 < end) {
        canvas_text(c, row + 1, in.col, in.cols, ROLE_LABEL, "join a machine with");
        draw_wrapped(c, row + 2, end, in, s->command);
    }
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
