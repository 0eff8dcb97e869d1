/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a list as text, for the clipboard or a file: all columns, with words instead of glyphs. */
#ifndef TUI_CONSOLE_MODEL_LIST_TEXT_H
#define TUI_CONSOLE_MODEL_LIST_TEXT_H

#include "console/model/list.h"

/* The columns of one row, separated by tabs; for a route, its node first. */
void list_row_text(const struct list *l, const struct row *row, const struct clock_reading *at, struct buf *out);
/* A JSON object, or an array if whole is set or there are several rows. */
void list_rows_json(const struct list *l, struct row *const *rows, size_t count, bool whole,
                    const struct clock_reading *at, struct buf *out);
/* A line of titles, then a line for each row (RFC 4180). Text that a spreadsheet would take for a formula is quoted by
 * '. */
void list_rows_csv(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                   struct buf *out);
/* The same as an aligned table, for people. */
void list_rows_table(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                     const struct canvas *c, struct buf *out);

#endif
