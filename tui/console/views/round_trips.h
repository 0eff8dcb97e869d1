/* SPDX-License-Identifier: BSD-3-Clause */
/* How far nodes are away: the server is asked for those that are looked at, a few seconds apart. */
#ifndef TUI_CONSOLE_VIEWS_ROUND_TRIPS_H
#define TUI_CONSOLE_VIEWS_ROUND_TRIPS_H

#include "console/app/app.h"
#include "model/api_past.h"

struct trips_poll {
    uint64_t request; /* that is under way; 0 */
    int64_t asked_ms;
    char *asked;                   /* the ids */
    struct api_round_trips answer; /* the last one */
};

void trips_release(struct trips_poll *t);
/* Adds a node to those that are asked for. */
void trips_add(struct buf *ids, const struct row *row);
/* Asks where that is due; all: for the last round trip of every node, ids only say that somebody looks. */
void trips_ask(struct app *app, struct trips_poll *t, const struct buf *ids, bool all);
int64_t trips_next_ms(const struct app *app, const struct trips_poll *t);
bool trips_reply(struct app *app, struct trips_poll *t, uint64_t id, struct reply *reply);

/* What is known of the node; NULL: nothing yet. */
const struct api_node_round_trips *trips_of(const struct trips_poll *t, const struct m_node *n);
uint32_t trip_us(const struct api_round_trip *t); /* GRAPH_LOST where it was lost */

/* Columns of nodes. */
void fill_trip(const struct row *row, const struct clock_reading *at, struct list_field *out);
void fill_trips(const struct row *row, const struct clock_reading *at, struct list_field *out);
int by_trip(const struct row *a, const struct row *b);

#endif
