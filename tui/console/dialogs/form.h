/* SPDX-License-Identifier: BSD-3-Clause */
/* A dialog with several fields: opened empty, then given its fields. */
#ifndef TUI_CONSOLE_DIALOGS_FORM_H
#define TUI_CONSOLE_DIALOGS_FORM_H

#include "base/str.h"
#include "console/text/line_input.h"

struct app;

/* A text, or one of some words (yes and no among them). */
struct form_field {
    const char *label, *hint; /* hint: what is meant, below the fields while the cursor is on it */
    struct line line;
    struct strs words; /* empty: a text */
    size_t word;
};

void dialog_form(struct app *app, const char *title, void (*submit)(struct app *app));
/* words: NULL for a text, else separated by blanks; the value is the word that is chosen at first. */
struct form_field *form_add(struct app *app, const char *label, const char *hint, const char *words, const char *value);
const char *form_value(const struct app *app, int field); /* fields are numbered as they were added */
void form_go(struct app *app, int field);                 /* puts the cursor there */

#endif
