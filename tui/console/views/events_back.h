/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading the journal back: page by page, as the cursor comes near the oldest entry, or as a filter leaves the screen
 * empty. What is fetched is what the list's filter lets through. */
#ifndef TUI_CONSOLE_VIEWS_EVENTS_BACK_H
#define TUI_CONSOLE_VIEWS_EVENTS_BACK_H

#include "console/app/app.h"

struct events_back {
    uint64_t request; /* that is under way; 0 */
    char *next;       /* where it goes on; NULL: where the model's entries end; "": there is nothing older */
    int64_t to_ns;    /* how far back was read; 0: not beyond the model's */
    char *filter;     /* of the list, when it was read */
    int64_t retry_ms; /* not before then, after an error */
};

void events_back_release(struct events_back *b);
/* Asks for the next page where one is wanted. near: the user is near the oldest entry. */
void events_back_tick(struct app *app, struct events_back *b, struct list *list, struct list *newest, bool near);
bool events_back_reply(struct app *app, struct events_back *b, struct list *list, uint64_t id, struct reply *reply);
/* Gives up what was read back. */
void events_back_stop(struct app *app, struct events_back *b, struct list *list, struct list *newest);
/* "back to 24 Nov 14:03", "all that is kept"; false: not known. */
bool events_back_text(const struct app *app, const struct events_back *b, char *text, size_t size);

#endif
