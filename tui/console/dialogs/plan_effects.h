/* SPDX-License-Identifier: BSD-3-Clause */
/* What a plan would do to routes: its requests are told to the server as a question ("what if"), which answers with
 * figures for each viewer. They arrive after the plan is on the screen; nobody waits for them. */
#ifndef TUI_CONSOLE_DIALOGS_PLAN_EFFECTS_H
#define TUI_CONSOLE_DIALOGS_PLAN_EFFECTS_H

#include "console/model/decode.h"

struct app;
struct plan;

struct plan_effects {
    bool wanted; /* some request of the plan can change who serves what */
    uint64_t id; /* of the question that is under way; 0: none is */
    bool known;
    struct api_simulation answer; /* where known */
    char *refused;                /* why there is none; NULL */
    char *text;                   /* lines as in dialog_text: warnings, then figures */
    size_t top;                   /* the line that is shown first */
};

/* Asks anew, for what is neither left out nor refused. */
void plan_effects_ask(struct app *app, struct plan *plan);
/* The answer to the question; false where it is not. */
bool plan_effects_reply(struct plan *plan, uint64_t id, struct reply *reply);
/* The text anew, after the server said something. */
void plan_effects_tell(struct plan *plan);
void plan_effects_release(struct plan_effects *e);

/* One line for one prefix of an answer, without its end: "10.0.0.0/8 moves from a to b: 3 nodes". True where somebody
 * loses something. */
bool simulated_prefix_text(const struct api_simulated_prefix *p, struct buf *out);

#endif
