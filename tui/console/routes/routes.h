/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_ROUTES_ROUTES_H
#define TUI_CONSOLE_ROUTES_ROUTES_H

#include "console/app/view.h"

extern const struct console_view routes_view;
/* The routes of the node that is the list's scope. */
extern const struct list_def node_routes_def;

#endif
