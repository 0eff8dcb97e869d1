/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_KEYS_H
#define TUI_CONSOLE_VIEWS_KEYS_H

#include "console/app/view.h"

extern const struct console_view keys_view;

#endif
