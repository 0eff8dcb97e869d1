/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds commands by key and by name, says why one cannot be run, and runs it. */
#ifndef TUI_CONSOLE_APP_DISPATCH_H
#define TUI_CONSOLE_APP_DISPATCH_H

#include "console/app/app.h"

/* All commands of all tables, those of the views first. */
void commands_collect(const struct console_tables *tables, struct command_list *out);

const struct console_command *commands_for_key(const struct app *app, int key); /* NULL: it does nothing here */
/* A beginning is enough that is unique, or is unique among those that work here; NULL where there is none. */
const struct console_command *commands_find(const struct app *app, const char *name, size_t len);
unsigned commands_where(const struct app *app); /* the bit of what is in front */
bool command_is_here(const struct app *app, const struct console_command *c);

/* Why the command cannot be run now; NULL: it can. */
const char *command_refusal(struct app *app, const struct console_command *c);
/* Runs it, or says why not. */
void command_run(struct app *app, const struct console_command *c, const char *arg);
const char *command_completion(struct app *app, const struct console_command *c, size_t index); /* see complete */

/* The keys as they are shown: "a", "j Down". */
/* Writes text with the first key of a command (else ":name") for each "{name}": keys may be bound otherwise. */
void command_text(const struct app *app, const char *text, char *out, size_t size);
/* The title of a pane; keys in its right part are named like that. */
void command_section(const struct app *app, struct canvas *c, struct rect at, const char *left, const char *right);
void command_keys(const struct app *app, const struct console_command *c, bool first_only, struct buf *out);

/* The names of the command's keys, those that the user gave it where he did, separated by blanks. */
const char *command_bound(const struct app *app, const struct console_command *c);
/* Calls use with each name of such a list until it returns true. */
bool keys_each(const char *keys, bool (*use)(const char *name, void *arg), void *arg);

/* Gives a command other keys (names separated by blanks; "": none), which must be keys. ERR_INVALID where there is no
 * such command, or its keys cannot be these. */
int command_bind(struct app *app, const char *name, const char *keys, struct err *e) WARN_UNUSED;
/* Takes back the first binding that shares a key with another command in the same place: ERR_CONFLICT names both. To be
 * called until it returns 0. */
int commands_check_bindings(struct app *app, struct err *e) WARN_UNUSED;
void commands_unbind(struct app *app);

/* It works in every list: told once, not with each view. */
bool command_is_everywhere(const struct console_command *c);

#endif
