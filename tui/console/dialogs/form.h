/* SPDX-License-Identifier: BSD-3-Clause */
/* A dialog with several fields: open it with dialog_form, then add fields. */
#ifndef TUI_CONSOLE_DIALOGS_FORM_H
#define TUI_CONSOLE_DIALOGS_FORM_H

#include "base/str.h"
#include "console/text/line_input.h"
#include "json/json.h"

struct app;

/* A text field, or a choice of words (such as yes and no). */
struct form_field {
    char *label, *hint; /* copies; hint: explanation, shown below while the cursor is on the field */
    struct line line;
    struct strs words; /* empty: a text field */
    size_t word;
};

void dialog_form(struct app *app, const char *title, void (*submit)(struct app *app));
/* words: NULL for a text field, else separated by blanks; value is the initial text or word. All are
 * copied: the row that they come from may be replaced while the dialog is open. */
struct form_field *form_add(struct app *app, const char *label, const char *hint, const char *words, const char *value);
const char *form_value(const struct app *app, int field);         /* numbered from 0 in the order added */
void form_go(struct app *app, int field);                         /* moves the cursor to the field */
void form_complain(struct app *app, int field, const char *text); /* shows what is wrong and moves the cursor there */
/* For fields that hold several words, separated by blanks or commas. Words without prefix get it (NULL: none). */
void form_put_words(struct json_out *o, const char *member, const char *text, const char *prefix);
void form_words(const struct strs *words, struct buf *out); /* the words as such a field shows them */

#endif
