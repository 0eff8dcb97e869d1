/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server is asked for beside the objects themselves: what is wrong with routes, who may use a prefix, who
 * takes over next, how far clients follow a move. One question is under way at a time, and nobody waits for it. What is
 * not known yet is not shown. */
#ifndef TUI_CONSOLE_ROUTES_ANSWERS_H
#define TUI_CONSOLE_ROUTES_ANSWERS_H

#include "console/app/view.h"
#include "model/api_past.h"

/* Of the prefix under the cursor. */
struct prefix_answers {
    char *prefix; /* of an exit node "exit ID"; NULL: the cursor is on none */
    bool history_known, follow_known, use_known, next_known;
    struct api_route_history history;
    struct api_followers follow;
    struct api_simulation use;  /* none of its routers advertised it any more: who loses it may use it now */
    struct api_simulation next; /* its primary router went away */
};

/* Of the router under the cursor, where it is drained. */
struct drain_answer {
    uint64_t node; /* 0: there is none */
    bool known;
    struct api_drain drain;
};

/* For the view's descriptor. */
void route_answers_init(struct app *app);
void route_answers_release(struct app *app);
void route_answers_tick(struct app *app);
int64_t route_answers_next_ms(const struct app *app);
bool route_answers_reply(struct app *app, uint64_t id, struct reply *reply);
void route_answers_note(struct app *app, struct row *row, enum note what);
void route_answers_reset(struct app *app);

bool route_check_is_due(const struct app *app); /* routes changed since it was asked what is wrong with them */
const struct prefix_answers *prefix_answers(const struct app *app);
const struct drain_answer *drain_answer(const struct app *app);

#endif
