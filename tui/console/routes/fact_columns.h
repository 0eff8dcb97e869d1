/* SPDX-License-Identifier: BSD-3-Clause */
/* Columns and words of what the console was told beside routes and prefixes (struct row_facts). */
#ifndef TUI_CONSOLE_ROUTES_FACT_COLUMNS_H
#define TUI_CONSOLE_ROUTES_FACT_COLUMNS_H

#include "console/model/list.h"

void fill_finding(const struct row *row, const struct clock_reading *at, struct list_field *out);
void fill_used_by(const struct row *row, const struct clock_reading *at, struct list_field *out);
int by_finding(const struct row *a, const struct row *b);
int by_used(const struct row *a, const struct row *b);

/* For filters: " finding warning" and the word of the gravest finding; nothing where there is none. */
void finding_words(const struct row *row, struct buf *out);
/* How a filter finds a route's state, and what is found of the row. */
void state_words(int state, struct buf *out);
void finding_states(const struct row *row, struct buf *out);
#define ROUTE_STATE_WORDS                                                                                              \
    "approved not-approved waiting serving standby offline unhealthy not-advertised drained finding warning note"

#endif
