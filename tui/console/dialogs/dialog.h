/* SPDX-License-Identifier: BSD-3-Clause */
/* What lies over the view and takes the keys: a plan, a form with one text or one choice, or text to read. */
#ifndef TUI_CONSOLE_DIALOGS_DIALOG_H
#define TUI_CONSOLE_DIALOGS_DIALOG_H

#include "console/model/model.h"
#include "console/text/line_input.h"

struct app;
struct plan;

enum dialog_kind {
    DIALOG_NONE,
    DIALOG_PLAN,
    DIALOG_INPUT,
    DIALOG_CHOICE,
    DIALOG_FORM,
    DIALOG_COLUMNS,
    DIALOG_TEXT,
    DIALOG_SECRET,
    DIALOG_HELP
};

/* One line of a form: a text, or one of some words (yes and no among them). */
struct form_field {
    const char *label, *hint; /* hint: what is meant, below the fields while the cursor is on it */
    struct line line;
    struct strs words; /* empty: a text */
    size_t word;
};
#define FORM_MAX 6

struct choice {
    char *key, *text;
};

struct dialog {
    enum dialog_kind kind;
    char *title, *note; /* note: what Enter does */
    const char *label;  /* DIALOG_CHOICE: in front of what narrows */
    struct plan *plan;  /* DIALOG_PLAN; owned by the app's list of plans */
    struct line line;   /* DIALOG_INPUT: the text; DIALOG_CHOICE and DIALOG_HELP: what narrows the list */
    char *text;         /* lines to read, above the input or the choices, too; may hold roles, see dialog_text */
    VEC(struct choice) choices;
    size_t cursor, top;
    enum row_kind row_kind; /* what it is about: looked up again when it is accepted */
    char *row_key;
    struct form_field fields[FORM_MAX]; /* DIALOG_FORM; cursor is the field that is edited */
    size_t field_count;
    char *secret, *secret_command; /* DIALOG_SECRET: what is shown once, and the line that uses it */
    void (*submit)(struct app *app);
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

/* form.c: a form is opened empty, then gets its fields. words: NULL for a text, else separated by blanks; the value is
 * the word that is chosen at first. */
void dialog_form(struct app *app, const char *title, void (*submit)(struct app *app));
struct form_field *form_add(struct app *app, const char *label, const char *hint, const char *words, const char *value);
const char *form_value(const struct form_field *f);
void form_key(struct app *app, int key);
void form_draw(struct app *app);
/* A key that was just made: it stays until Esc and can be copied, itself or in the command that uses it (NULL: none).
 */
void dialog_secret(struct app *app, const char *title, const char *secret, const char *command);
void secret_key(struct app *app, int key);
void secret_draw(struct app *app);
/* columns.c: the columns of the list in front. */
void columns_key(struct app *app, int key);
void columns_draw(struct app *app);

struct dialog *dialog_open(struct app *app, enum dialog_kind kind, const char *title, const char *note);
struct rect dialog_centre(const struct canvas *c, int rows, int cols);

void dialog_key(struct app *app, int key);
void dialog_draw(struct app *app);

/* plan_draw.c */
void plan_key(struct app *app, struct plan *plan, int key);
void plan_draw(struct app *app, struct plan *plan);

#endif
