/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading the journal back, page by page, when the cursor nears the oldest entry or a filter leaves the screen empty.
 * Only entries that pass the list's filter are kept. */
#ifndef TUI_CONSOLE_VIEWS_EVENTS_BACK_H
#define TUI_CONSOLE_VIEWS_EVENTS_BACK_H

#include "console/app/app.h"

struct events_back {
    uint64_t request; /* in flight; 0: none */
    char *next;       /* where to continue; NULL: where the model's entries end; "": there is nothing older */
    int64_t to_ns;    /* how far back it was read; 0: not beyond the model's entries */
    char *filter;     /* the list's filter at that time */
    int64_t retry_ms; /* after an error: not before this time */
};

void events_back_release(struct events_back *b);
/* Requests the next page if needed. near: the user is near the oldest entry. */
void events_back_tick(struct app *app, struct events_back *b, struct list *list, struct list *newest, bool near);
bool events_back_reply(struct app *app, struct events_back *b, struct list *list, uint64_t id, struct reply *reply);
/* Drops the entries read back. */
void events_back_stop(struct app *app, struct events_back *b, struct list *list, struct list *newest);
/* "back to 24 Nov 14:03", "all that is kept"; false: unknown. */
bool events_back_text(const struct app *app, const struct events_back *b, char *text, size_t size);

#endif
