/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about routes as the API takes them, and answers that become facts of rows. */
#ifndef TUI_CONSOLE_ROUTES_QUESTIONS_H
#define TUI_CONSOLE_ROUTES_QUESTIONS_H

#include "console/app/app.h"
#include "json/json.h"

/* The caller owns what they return. */
char *question_url(const char *prefix, const char *tail); /* of a prefix */
/* What the routes that may serve would lead to if none of them was there: who loses something uses it now. only: this
 * prefix, or "exit ID" for an exit node; NULL: all. NULL where nothing serves. */
char *question_of_use(const struct app *app, const char *only);

/* Each takes the answer; a prefix or node that is gone is passed over. */
void take_findings(struct app *app, const json_t *json);
void take_all_use(struct app *app, const json_t *json);
void count_flips(struct app *app, const char *prefix, const json_t *json); /* json NULL: there was no answer */

#endif
