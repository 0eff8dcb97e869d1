/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server itself says of its health, and how the last hour was: asked for in the background. */
#ifndef TUI_CONSOLE_PULSE_REPORTS_H
#define TUI_CONSOLE_PULSE_REPORTS_H

#include "console/app/app.h"
#include "model/api_health.h"
#include "model/api_past.h"

struct server_report { /* one of the two */
    uint64_t request;  /* that is under way; 0 */
    int64_t asked_ms;
    unsigned answers; /* that came */
};

struct pulse_reports {
    struct server_report health_asked, samples_asked;
    struct api_health health;
    struct api_samples samples;
};

void pulse_reports_release(struct pulse_reports *p);
void pulse_reports_tick(struct app *app, struct pulse_reports *p, bool front); /* front: somebody looks at them */
bool pulse_reports_reply(struct pulse_reports *p, uint64_t id, struct reply *reply);
/* Draws the last hour and returns how many lines that takes; 0: nothing is known of it. */
int pulse_reports_draw(const struct pulse_reports *p, struct canvas *c, struct rect at);

#endif
