/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_WHY_H
#define TUI_CONSOLE_VIEWS_WHY_H

#include "base/buf.h"
#include "console/model/model.h"

struct app;

/* Appends the reasons for the state of the row, as lines for dialog_text. */
void why_lines(struct app *app, const struct row *row, struct buf *out);

#endif
