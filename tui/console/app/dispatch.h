/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds commands by key and by name, reports why one is unavailable, and runs it. */
#ifndef TUI_CONSOLE_APP_DISPATCH_H
#define TUI_CONSOLE_APP_DISPATCH_H

#include "console/app/app.h"

/* All commands of all tables; the views' own come first. */
void commands_collect(const struct console_tables *tables, struct command_list *out);

const struct console_command *commands_for_key(const struct app *app, int key); /* NULL: unbound here */
/* An abbreviation suffices if it is unique, or unique among the commands available here. NULL if not found. */
const struct console_command *commands_find(const struct app *app, const char *name, size_t len);
unsigned commands_where(const struct app *app); /* the bit of the current place */
bool command_is_here(const struct app *app, const struct console_command *c);

/* Where the command works: ":routes (2), :routes ha"; the caller frees it. NULL: in no list. */
char *command_places(const struct app *app, const struct console_command *c);
/* The first command of any view that has the key; NULL: none. */
const struct console_command *commands_elsewhere(const struct app *app, int key);
/* That it is not available in this view, and where it is; valid until the next refusal. */
const char *command_not_here(struct app *app, const struct console_command *c);
/* Why the command is unavailable now; NULL if it is available. */
const char *command_refusal(struct app *app, const struct console_command *c);
/* Runs it, or shows why it is unavailable. */
void command_run(struct app *app, const struct console_command *c, const char *arg);
const char *command_completion(struct app *app, const struct console_command *c, size_t index); /* see complete */

/* Writes text with each "{name}" replaced by the first key of that command, or ":name" if it has none: the user may
 * have bound other keys. */
void command_text(const struct app *app, const char *text, char *out, size_t size);
/* Draws the title of a pane; "{name}" in it works as in command_text. */
void command_section(const struct app *app, struct canvas *c, struct rect at, const char *left, const char *right);
/* Appends the command's keys as shown to the user: "a", "j Down". */
void command_keys(const struct app *app, const struct console_command *c, bool first_only, struct buf *out);

/* The names of the command's keys, separated by blanks: the user's binding if there is one. */
const char *command_bound(const struct app *app, const struct console_command *c);
/* Calls use for each name in such a list until it returns true; returns whether it did. */
bool keys_each(const char *keys, bool (*use)(const char *name, void *arg), void *arg);

/* Binds a command to other keys (names separated by blanks; "": none). ERR_INVALID for an unknown command or an
 * unusable key. */
int command_bind(struct app *app, const char *name, const char *keys, struct err *e) WARN_UNUSED;
/* Removes the first binding that shares a key with another command in the same place; ERR_CONFLICT names both. Call it
 * until it returns 0. */
int commands_check_bindings(struct app *app, struct err *e) WARN_UNUSED;
void commands_unbind(struct app *app);

/* Whether it works in every list; help shows such commands once instead of with each view. */
bool command_is_everywhere(const struct console_command *c);

#endif
