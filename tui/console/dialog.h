/* SPDX-License-Identifier: BSD-3-Clause */
/* What lies over the view and takes the keys: a plan, a form with one text or one choice, or text to read. */
#ifndef TUI_CONSOLE_DIALOG_H
#define TUI_CONSOLE_DIALOG_H

#include "console/line.h"
#include "console/model.h"

struct app;
struct plan;

enum dialog_kind { DIALOG_NONE, DIALOG_PLAN, DIALOG_INPUT, DIALOG_CHOICE, DIALOG_TEXT, DIALOG_HELP };

struct choice {
    char *key, *text;
};

struct dialog {
    enum dialog_kind kind;
    char *title, *note; /* note: what Enter does */
    struct plan *plan;  /* DIALOG_PLAN; owned by the app's list of plans */
    struct line line;   /* DIALOG_INPUT: the text; DIALOG_CHOICE and DIALOG_HELP: what narrows the list */
    char *text;         /* lines to read, above the input or the choices, too; may hold roles, see dialog_text */
    VEC(struct choice) choices;
    size_t cursor, top;
    enum row_kind row_kind; /* what it is about: looked up again when it is accepted */
    char *row_key;
    void (*accept)(struct app *app, const char *value); /* the typed text, or the choice's key */
};

void dialog_close(struct app *app);
void dialog_plan(struct app *app, struct plan *plan);
void dialog_input(struct app *app, const char *title, const char *note, const char *value,
                  void (*accept)(struct app *app, const char *value));
void dialog_choice(struct app *app, const char *title, const char *note,
                   void (*accept)(struct app *app, const char *value));
void dialog_add_choice(struct app *app, const char *key, const char *text);
/* Lines of text. A line that begins with '#' is a heading, one with '!' a warning; label and text may be separated by a
 * tab. Takes the text over. */
void dialog_text(struct app *app, const char *title, char *text);
void dialog_help(struct app *app);

void dialog_key(struct app *app, int key);
void dialog_draw(struct app *app);

/* plan_draw.c */
void plan_key(struct app *app, struct plan *plan, int key);
void plan_draw(struct app *app, struct plan *plan);

#endif
