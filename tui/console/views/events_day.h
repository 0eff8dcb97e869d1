/* SPDX-License-Identifier: BSD-3-Clause */
/* How busy the journal was on the day of the entry under the cursor, by half hours. */
#ifndef TUI_CONSOLE_VIEWS_EVENTS_DAY_H
#define TUI_CONSOLE_VIEWS_EVENTS_DAY_H

#include "console/app/app.h"

#define DAY_CELLS 48

struct events_day {
    int64_t from_ns;  /* midnight; 0: no day yet */
    uint64_t request; /* in flight; 0: none */
    int64_t asked_ms; /* time of the last request */
    bool known;
    uint64_t counts[DAY_CELLS];
};

void events_day_tick(struct app *app, struct events_day *d, int64_t at_ns); /* at_ns: some time of the day */
bool events_day_reply(struct events_day *d, uint64_t id, struct reply *reply);
void events_day_draw(struct app *app, const struct events_day *d, struct canvas *c, struct rect at, int64_t at_ns);

#endif
