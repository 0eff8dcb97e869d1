/* SPDX-License-Identifier: BSD-3-Clause */
/* Dialogs are drawn over the view and receive the keys. A kind of dialog is a pair of functions; most dialogs ask for a
 * line of text or a choice, or show a text. One is open at a time: app->dialog. */
#ifndef TUI_CONSOLE_DIALOGS_DIALOG_H
#define TUI_CONSOLE_DIALOGS_DIALOG_H

#include "console/model/model.h"
#include "console/text/line_input.h"

struct app;

struct dialog_kind {
    void (*key)(struct app *app, int key); /* all keys; with own_escape also Esc and Ctrl-C */
    void (*draw)(struct app *app);
    void (*release)(struct app *app); /* frees extra; NULL: nothing to free */
    bool own_escape;
    bool list_focused; /* keep showing the cursor of the list behind it */
    bool typed;        /* keep the typed text until the server accepts it */
};

struct choice {
    char *key, *text;
};

struct dialog {
    const struct dialog_kind *kind;
    char *title, *note; /* note: what Enter does */
    const char *label;  /* shown before the input line */
    struct line line;   /* the input, or the text that narrows the choices */
    char *text;         /* lines to show, see dialog_text */
    VEC(struct choice) choices;
    size_t cursor, top;
    enum row_kind row_kind; /* the row it concerns, looked up again on acceptance */
    char *row_key;
    void (*accept)(struct app *app, const char *value); /* value: the input, or the choice's key */
    bool refused;                                       /* accept refused the value: stay open */
    char *error;                                        /* the server's reason for refusing; NULL */
    void *extra;                                        /* the kind's own */
};

/* Opens a dialog, replacing the open one. */
struct dialog *dialog_open(struct app *app, const struct dialog_kind *kind, const char *title, const char *note);
void dialog_close(struct app *app);

/* Asks for a line of text. */
void dialog_input(struct app *app, const char *title, const char *note, const char *value,
                  void (*accept)(struct app *app, const char *value));
/* Asks for one of the choices added to it; typing narrows them. */
void dialog_choice(struct app *app, const char *title, const char *note,
                   void (*accept)(struct app *app, const char *value));
void dialog_add_choice(struct app *app, const char *key, const char *text);
/* Shows lines of text. '#' begins a heading, '!' a warning; a tab separates a label from its text. Takes ownership of
 * text. */
void dialog_text(struct app *app, const char *title, char *text);

void dialog_key(struct app *app, int key);

/* For dialog kinds: calls accept and closes the dialog, unless accept refused or opened another one. */
void dialog_accept(struct app *app, const char *value);
/* For accept functions: shows why the value is refused and keeps the dialog open. */
void dialog_refuse(struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);

/* Hides the dialog while its text is sent to the server. dialog_put_back shows it again with the server's refusal,
 * unless another dialog is open by then. NULL if the open dialog does not keep its text. */
struct dialog *dialog_set_aside(struct app *app);
void dialog_put_back(struct app *app, struct dialog *d, const char *error);
void dialog_drop(struct app *app, struct dialog *d); /* d may be NULL */

/* For dialog kinds: a centred frame; draws lines as in dialog_text from line top on and returns the rows used; the rows
 * they need at a width. */
struct rect dialog_centre(const struct canvas *c, int rows, int cols);
int dialog_draw_text(struct canvas *c, struct rect in, const char *text, size_t top);
int dialog_text_rows(const struct canvas *c, const char *text, int width);
size_t dialog_text_lines(const char *text);

#endif
