/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a list as texts for elsewhere: the clipboard, a file. All columns are written, signs as words. */
#ifndef TUI_CONSOLE_MODEL_LIST_TEXT_H
#define TUI_CONSOLE_MODEL_LIST_TEXT_H

#include "console/model/list.h"

/* The columns of one row, separated by tabs; a route's node stands in front. */
void list_row_text(const struct list *l, const struct row *row, const struct clock_reading *at, struct buf *out);
/* One JSON object, or an array of them where whole is set or there is more than one. */
void list_rows_json(const struct list *l, struct row *const *rows, size_t count, bool whole,
                    const struct clock_reading *at, struct buf *out);
/* A line of titles and a line for each row (RFC 4180). What a spreadsheet would take for a formula is quoted by '. */
void list_rows_csv(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                   struct buf *out);
/* The same in columns of equal width, for people. */
void list_rows_table(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                     const struct canvas *c, struct buf *out);

#endif
