/* SPDX-License-Identifier: BSD-3-Clause */
/* Round trips of nodes: requested every few seconds for the nodes on the screen. */
#ifndef TUI_CONSOLE_VIEWS_ROUND_TRIPS_H
#define TUI_CONSOLE_VIEWS_ROUND_TRIPS_H

#include "console/app/app.h"
#include "model/api_past.h"

struct trips_poll {
    uint64_t request; /* in flight; 0: none */
    int64_t asked_ms;
    char *asked;                   /* the ids requested */
    struct api_round_trips answer; /* the last answer */
};

void trips_release(struct trips_poll *t);
/* Adds a node to the next request. */
void trips_add(struct buf *ids, const struct row *row);
/* Sends the request when it is due; all: the last round trip of every node, ids only tell that somebody is looking. */
void trips_ask(struct app *app, struct trips_poll *t, const struct buf *ids, bool all);
int64_t trips_next_ms(const struct app *app, const struct trips_poll *t);
bool trips_reply(struct app *app, struct trips_poll *t, uint64_t id, struct reply *reply);

/* What is known of the node; NULL: nothing yet. */
const struct api_node_round_trips *trips_of(const struct trips_poll *t, const struct m_node *n);
uint32_t trip_us(const struct api_round_trip *t); /* GRAPH_LOST if it was lost */

/* Columns of nodes. */
void fill_trip(const struct row *row, const struct clock_reading *at, struct list_field *out);
void fill_trips(const struct row *row, const struct clock_reading *at, struct list_field *out);
int by_trip(const struct row *a, const struct row *b);

#endif
