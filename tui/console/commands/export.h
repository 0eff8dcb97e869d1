/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_COMMANDS_EXPORT_H
#define TUI_CONSOLE_COMMANDS_EXPORT_H

#include "console/app/command.h"

extern const struct command_table export_commands;

#endif
