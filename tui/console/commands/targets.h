/* SPDX-License-Identifier: BSD-3-Clause */
/* The API paths of rows, for the commands that change them. */
#ifndef TUI_CONSOLE_COMMANDS_TARGETS_H
#define TUI_CONSOLE_COMMANDS_TARGETS_H

#include "console/app/app.h"

const char *row_path(enum row_kind kind); /* its path below /api/headway; NULL: none of its own */
uint64_t row_version(const struct row *row);
char *prefix_path(const char *prefix, const char *tail); /* of a prefix; the caller frees it */
/* The rows that an action on whole objects applies to: the open node, else the marked ones, else the one under the
 * cursor. */
bool names_row(const struct app *app, enum row_kind kind, const char *words); /* whether the first word does */
void whole_targets(struct app *app, struct rows *out);

#endif
