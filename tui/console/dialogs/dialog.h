/* SPDX-License-Identifier: BSD-3-Clause */
/* What lies over the view and takes the keys. A kind of dialog is a pair of functions; most are made by asking for one
 * text, for one of some choices, or by showing a text. One is open at a time: app->dialog. */
#ifndef TUI_CONSOLE_DIALOGS_DIALOG_H
#define TUI_CONSOLE_DIALOGS_DIALOG_H

#include "console/model/model.h"
#include "console/text/line_input.h"

struct app;

struct dialog_kind {
    void (*key)(struct app *app, int key); /* all keys, Esc and Ctrl-C too where own_escape is set */
    void (*draw)(struct app *app);
    void (*release)(struct app *app); /* of extra; NULL: nothing is to be done */
    bool own_escape;
    bool list_focused; /* the cursor of the list behind it is still shown */
    bool typed;        /* what was typed in it is kept until the server took it */
};

struct choice {
    char *key, *text;
};

struct dialog {
    const struct dialog_kind *kind;
    char *title, *note; /* note: what Enter does */
    const char *label;  /* in front of the line that is typed */
    struct line line;   /* what is typed: the text, or what narrows the list */
    char *text;         /* lines to read, see dialog_text */
    VEC(struct choice) choices;
    size_t cursor, top;
    enum row_kind row_kind; /* what it is about: looked up again when it is accepted */
    char *row_key;
    void (*accept)(struct app *app, const char *value); /* the typed text, or the choice's key */
    bool refused;                                       /* what was accepted is not good: it stays open */
    char *error;                                        /* why the server did not take it; NULL */
    void *extra;                                        /* the kind's own */
};

/* Opens one instead of the one that is open. */
struct dialog *dialog_open(struct app *app, const struct dialog_kind *kind, const char *title, const char *note);
void dialog_close(struct app *app);

/* Asks for a text. */
void dialog_input(struct app *app, const char *title, const char *note, const char *value,
                  void (*accept)(struct app *app, const char *value));
/* Asks for one of the choices that are added to it; letters narrow them. */
void dialog_choice(struct app *app, const char *title, const char *note,
                   void (*accept)(struct app *app, const char *value));
void dialog_add_choice(struct app *app, const char *key, const char *text);
/* Lines of text. A line that begins with '#' is a heading, one with '!' a warning; label and text may be separated by a
 * tab. Takes the text over. */
void dialog_text(struct app *app, const char *title, char *text);

void dialog_key(struct app *app, int key);

/* For kinds of dialogs that accept: hands the value over and closes the dialog, unless accept opened another one. */
void dialog_accept(struct app *app, const char *value);
/* For accept functions: says why the value will not do; the dialog, where there is one, stays open with it. */
void dialog_refuse(struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);

/* What was typed is on its way to the server: the dialog leaves the screen, and comes back where that refuses it,
 * unless another one is open then. NULL where the open one is not typed. */
struct dialog *dialog_set_aside(struct app *app);
void dialog_put_back(struct app *app, struct dialog *d, const char *error);
void dialog_drop(struct app *app, struct dialog *d); /* NULL: nothing */

/* For kinds of dialogs: a frame in the middle, and lines of text as in dialog_text from the top-th on (returns the
 * rows), and how many rows they take at a width. */
struct rect dialog_centre(const struct canvas *c, int rows, int cols);
int dialog_draw_text(struct canvas *c, struct rect in, const char *text, size_t top);
int dialog_text_rows(const struct canvas *c, const char *text, int width);
size_t dialog_text_lines(const char *text);

#endif
