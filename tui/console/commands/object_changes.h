/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_COMMANDS_OBJECT_CHANGES_H
#define TUI_CONSOLE_COMMANDS_OBJECT_CHANGES_H

#include "console/app/command.h"

extern const struct command_table object_change_commands;

/* Lets the registration under the cursor in for this user; "": asks for which. */
void admit(struct app *app, const char *user);

#endif
