/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/pulse/reports.h"

#include <stdio.h>

#include "base/array.h"
#include "console/net/request.h"
#include "console/screen/graph.h"
#include "model/api_health.h"

#define HEALTH_FRONT_MS 5000
#define HEALTH_MS       30000
#define SAMPLES_MS      30000
#define CELLS_MAX       60
#define LABEL_COLS      12
#define VALUE_COLS      9
#define VALUE_MAX       40

void pulse_reports_release(struct pulse_reports *p)
{
    api_release(&api_health_shape, &p->health);
    api_release(&api_samples_shape, &p->samples);
    *p = (struct pulse_reports){0};
}

static void ask(struct app *app, struct server_report *q, const char *path, int64_t every_ms)
{
    if (q->request || !app->net.send || app->conn.state != CONN_LIVE ||
        (q->asked_ms && app->at.now_ms - q->asked_ms < every_ms))
        return;
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = path,
                                  .body = "",
                                  .whole = true,
                                  .background = true,
                                  .result = ROW_KINDS};
    q->request = request.id;
    q->asked_ms = app->at.now_ms;
    app->net.send(app->net.context, &request);
}

void pulse_reports_tick(struct app *app, struct pulse_reports *p, bool front)
{
    ask(app, &p->health_asked, "/api/headway/health", front ? HEALTH_FRONT_MS : HEALTH_MS);
    if (front)
        ask(app, &p->samples_asked, "/api/headway/samples", SAMPLES_MS);
}

/* True: the answer was for it. What is no such object leaves what was there. */
static bool take(struct server_report *q, const struct api_shape *shape, void *object, void *fresh, size_t size,
                 uint64_t id, struct reply *reply)
{
    if (!id || id != q->request)
        return false;
    q->request = 0;
    q->answers++;
    if (reply->e.code < 0 || api_read(shape, reply->json, fresh, API_FOR_TERMINAL, NULL) < 0)
        return true;
    api_release(shape, object);
    memcpy(object, fresh, size);
    return true;
}

bool pulse_reports_reply(struct pulse_reports *p, uint64_t id, struct reply *reply)
{
    struct api_health health;
    struct api_samples samples;

    return take(&p->health_asked, &api_health_shape, &p->health, &health, sizeof(health), id, reply) ||
           take(&p->samples_asked, &api_samples_shape, &p->samples, &samples, sizeof(samples), id, reply);
}

/* ---- the last hour ---- */

static uint64_t online(const struct api_sample *s)
{
    return s->online;
}

static uint64_t events(const struct api_sample *s)
{
    return s->events;
}

static uint64_t failovers(const struct api_sample *s)
{
    return s->failovers;
}

static uint64_t pushes(const struct api_sample *s)
{
    return s->pushes;
}

static uint64_t sent(const struct api_sample *s)
{
    return s->sent_bytes;
}

static uint64_t round_trip(const struct api_sample *s)
{
    return s->median_us ? s->median_us : GRAPH_GAP;
}

static uint64_t push(const struct api_sample *s)
{
    return s->push_p99_us ? s->push_p99_us : GRAPH_GAP;
}

static uint64_t writing(const struct api_sample *s)
{
    return s->write_p99_us ? s->write_p99_us : GRAPH_GAP;
}

static uint64_t wal(const struct api_sample *s)
{
    return s->wal_bytes ? s->wal_bytes : GRAPH_GAP;
}

static uint64_t database(const struct api_sample *s)
{
    return s->database_ok ? s->database_ms : GRAPH_GAP;
}

static void plain(uint64_t number, char text[VALUE_MAX])
{
    snprintf(text, VALUE_MAX, "%llu", (unsigned long long)number);
}

static void bytes(uint64_t number, char text[VALUE_MAX])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)number;
    size_t unit = 0;

    for (; value >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
        value /= 1000;
    snprintf(text, VALUE_MAX, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void micro(uint64_t number, char text[VALUE_MAX])
{
    snprintf(text, VALUE_MAX, number < 9950 ? "%.1f ms" : "%.0f ms", (double)number / 1000);
}

static void milli(uint64_t number, char text[VALUE_MAX])
{
    snprintf(text, VALUE_MAX, "%llu ms", (unsigned long long)number);
}

static const struct {
    const char *label;
    uint64_t (*number)(const struct api_sample *s); /* GRAPH_GAP: not known */
    void (*text)(uint64_t number, char text[VALUE_MAX]);
    const char *gap; /* what that means */
} lines[] = {
    {"online", online, plain, ""},
    {"events/min", events, plain, ""},
    {"failovers", failovers, plain, ""},
    {"pushes/min", pushes, plain, ""},
    {"sent/min", sent, bytes, ""},
    {"push p99", push, micro, "none"},
    {"round trip", round_trip, micro, "unknown"},
    {"database", database, milli, "failing"},
    {"write p99", writing, micro, "none"},
    {"wal", wal, bytes, "none"},
};

static void draw_line(const struct pulse_reports *p, struct canvas *c, struct rect at, size_t line)
{
    uint64_t cells[CELLS_MAX];
    size_t count = p->samples.samples.len < CELLS_MAX ? p->samples.samples.len : CELLS_MAX;
    int room = at.cols - 3 - LABEL_COLS - VALUE_COLS;
    char text[VALUE_MAX];
    bool known;

    count = (int)count > room ? (size_t)room : count;
    for (size_t i = 0; i < count; i++)
        cells[i] =
            lines[line].number(api_at(&p->samples.samples, struct api_sample, p->samples.samples.len - count + i));
    canvas_text(c, at.row, at.col + 3, LABEL_COLS, ROLE_LABEL, lines[line].label);
    graph_bars(c, at.row, at.col + 3 + LABEL_COLS, cells, count, 1);
    known = cells[count - 1] != GRAPH_GAP;
    if (known)
        lines[line].text(cells[count - 1], text);
    else
        str_copy(text, sizeof(text), lines[line].gap);
    canvas_text(c, at.row, at.col + 4 + LABEL_COLS + (int)count, VALUE_COLS - 1,
                known                            ? ROLE_TEXT
                : lines[line].number == database ? ROLE_BAD
                                                 : ROLE_FAINT,
                text);
}

int pulse_reports_draw(const struct pulse_reports *p, struct canvas *c, struct rect at)
{
    if (!p->samples.samples.len || at.rows < 2 || at.cols < 40)
        return 0;
    canvas_section(c, at.row, at.col, at.cols, "last hour", "a minute a cell");
    for (size_t i = 0; i < ARRAY_LEN(lines) && (int)i + 1 < at.rows; i++)
        draw_line(p, c, (struct rect){at.row + 1 + (int)i, at.col, 1, at.cols}, i);
    return 1 + (int)ARRAY_LEN(lines);
}
