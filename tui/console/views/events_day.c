/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/views/events_day.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "console/net/request.h"
#include "console/screen/graph.h"
#include "model/api_past.h"

#define STEP_S   1800
#define AGAIN_MS 30000 /* today grows */

static int64_t midnight(int64_t at_ns)
{
    time_t at = (time_t)(at_ns / NS_PER_SECOND);
    struct tm day;

    if (!localtime_r(&at, &day))
        return 0;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    return (int64_t)mktime(&day) * NS_PER_SECOND;
}

static bool is_in(const struct events_day *d, int64_t at_ns)
{
    return at_ns >= d->from_ns && at_ns < d->from_ns + (int64_t)DAY_CELLS * STEP_S * NS_PER_SECOND;
}

void events_day_tick(struct app *app, struct events_day *d, int64_t at_ns)
{
    int64_t from_ns = midnight(at_ns);
    bool grows = is_in(d, app->wall_ns) && app->at.now_ms - d->asked_ms >= AGAIN_MS;
    char when[TIME_TEXT_MAX], path[120];

    if (from_ns != d->from_ns)
        *d = (struct events_day){.from_ns = from_ns};
    else if (d->asked_ms && !grows)
        return;
    if (d->request || !app->net.send || app->conn.state != CONN_LIVE)
        return;
    snprintf(path, sizeof(path), "/api/headway/events/counts?step=%d&from=%s", STEP_S, time_format(from_ns, when));
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = path,
                                  .body = "",
                                  .whole = true,
                                  .background = true,
                                  .result = ROW_KINDS};
    d->request = request.id;
    d->asked_ms = app->at.now_ms;
    app->net.send(app->net.context, &request);
}

bool events_day_reply(struct events_day *d, uint64_t id, struct reply *reply)
{
    struct api_event_counts answer;

    if (!id || id != d->request)
        return false;
    d->request = 0;
    if (reply->e.code < 0 || api_read(&api_event_counts_shape, reply->json, &answer, API_FOR_TERMINAL, NULL) < 0)
        return true;
    memset(d->counts, 0, sizeof(d->counts));
    for (size_t i = 0; i < answer.counts.len; i++) {
        const struct api_event_count *c = api_at(&answer.counts, struct api_event_count, i);
        int64_t cell = (c->time_ns - d->from_ns) / (STEP_S * NS_PER_SECOND);

        if (cell >= 0 && cell < DAY_CELLS)
            d->counts[cell] = c->count;
    }
    d->known = true;
    api_release(&api_event_counts_shape, &answer);
    return true;
}

void events_day_draw(struct app *app, const struct events_day *d, struct canvas *c, struct rect at, int64_t at_ns)
{
    int64_t cell_ns = STEP_S * NS_PER_SECOND;
    int wide = at.cols >= 2 * DAY_CELLS + 12 ? 2 : 1,
        cell = is_in(d, at_ns) ? (int)((at_ns - d->from_ns) / cell_ns) : -1;
    bool today = is_in(d, app->wall_ns);
    size_t cells = today ? (size_t)((app->wall_ns - d->from_ns) / cell_ns) + 1 : DAY_CELLS;
    uint64_t total = 0;
    char when[AGO_MAX], title[60];

    for (size_t i = 0; i < DAY_CELLS; i++)
        total += d->counts[i];
    if (d->known)
        snprintf(title, sizeof(title), "%llu, 30 min a cell", (unsigned long long)total);
    canvas_section(c, at.row, at.col, at.cols, "day", d->known ? title : "");
    if (at.rows < 2 || !d->known)
        return;
    canvas_text(c, at.row + 1, at.col + 1, 2, ROLE_FAINT, "00");
    graph_bars(c, at.row + 1, at.col + 4, d->counts, cells, wide);
    canvas_text(c, at.row + 1, at.col + 5 + (int)cells * wide, 5, ROLE_FAINT, today ? "now" : "24");
    if (at.rows > 2 && cell >= 0) {
        canvas_text(c, at.row + 2, at.col + 4 + cell * wide, 1, ROLE_CURSOR, "^");
        canvas_text(c, at.row + 2, at.col + 6 + cell * wide, 14, ROLE_TIME, timestamp_text(at_ns, app->wall_ns, when));
    }
}
