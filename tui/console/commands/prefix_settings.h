/* SPDX-License-Identifier: BSD-3-Clause */
/* How a prefix is served: failback, hold-down, what happens while nobody can serve it. */
#ifndef TUI_CONSOLE_COMMANDS_PREFIX_SETTINGS_H
#define TUI_CONSOLE_COMMANDS_PREFIX_SETTINGS_H

#include "console/app/command.h"

extern const struct command_table prefix_settings_commands;

#endif
