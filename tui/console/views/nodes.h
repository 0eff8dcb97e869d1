/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_NODES_H
#define TUI_CONSOLE_VIEWS_NODES_H

#include "console/app/view.h"

extern const struct console_view nodes_view;

#endif
