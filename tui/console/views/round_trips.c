/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests cover the nodes on the screen; for a list sorted by round trips, occasionally all nodes. */
#include "console/views/round_trips.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/screen/graph.h"

#define ASK_MS     5000
#define ASK_ALL_MS 30000
#define ASKED_MAX  200 /* nodes per request */

void trips_release(struct trips_poll *t)
{
    api_release(&api_round_trips_shape, &t->answer);
    free(t->asked);
    *t = (struct trips_poll){0};
}

/* ---- asking ---- */

void trips_add(struct buf *ids, const struct row *row)
{
    size_t count = 1;

    for (const char *c = buf_text(ids); *c; c++)
        count += *c == ',';
    if (row && row->kind == ROW_NODE && !row->gone_ms && count < ASKED_MAX)
        buf_addf(ids, "%s%s", ids->len ? "," : "", row->key);
}

static bool is_due(const struct app *app, const struct trips_poll *t, const struct buf *ids, bool all)
{
    int64_t since = app->at.now_ms - t->asked_ms;
    bool same = t->asked && str_eq(t->asked, buf_text(ids));

    if (t->request || !app->net.send || app->conn.state != CONN_LIVE || app->then.on || app->frozen || !ids->len)
        return false;
    return !t->asked_ms || since >= (all ? ASK_ALL_MS : same ? ASK_MS : ASK_MS / 5);
}

void trips_ask(struct app *app, struct trips_poll *t, const struct buf *ids, bool all)
{
    if (!is_due(app, t, ids, all))
        return;
    char *path = mem_format("/api/headway/roundtrips?nodes=%s", buf_text(ids));
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = all ? "/api/headway/roundtrips" : path,
                                  .body = "",
                                  .whole = true,
                                  .background = true,
                                  .result = ROW_KINDS};
    t->request = request.id;
    t->asked_ms = app->at.now_ms;
    mem_replace(&t->asked, buf_text(ids));
    app->net.send(app->net.context, &request);
    free(path);
}

int64_t trips_next_ms(const struct app *app, const struct trips_poll *t)
{
    return app->conn.state == CONN_LIVE && !t->request && t->asked_ms ? t->asked_ms + ASK_MS : 0;
}

/* ---- answers ---- */

uint32_t trip_us(const struct api_round_trip *t)
{
    return t->lost ? GRAPH_LOST : t->us < GRAPH_LOST ? (uint32_t)t->us : GRAPH_LOST - 1;
}

static void take_node(struct app *app, const struct api_node_round_trips *answer)
{
    struct m_node *n = model_node(&app->model, answer->node);
    size_t len = answer->round_trips.len, from = len > TRIPS_SHOWN ? len - TRIPS_SHOWN : 0;

    if (!n || !answer->last.time_ns)
        return;
    struct row_facts *f = row_facts(&n->row);
    if (!len) { /* only the last one is known */
        f->trips[0] = trip_us(&answer->last);
        f->trip_count = 1;
        return;
    }
    for (size_t i = from; i < len; i++)
        f->trips[i - from] = trip_us(api_at(&answer->round_trips, struct api_round_trip, i));
    f->trip_count = len - from;
}

bool trips_reply(struct app *app, struct trips_poll *t, uint64_t id, struct reply *reply)
{
    struct api_round_trips answer;

    if (!id || id != t->request)
        return false;
    t->request = 0;
    if (reply->e.code < 0 || api_read(&api_round_trips_shape, reply->json, &answer, API_FOR_TERMINAL, NULL) < 0)
        return true;
    api_release(&api_round_trips_shape, &t->answer);
    t->answer = answer;
    for (size_t i = 0; i < answer.nodes.len; i++)
        take_node(app, api_at(&answer.nodes, struct api_node_round_trips, i));
    return true;
}

const struct api_node_round_trips *trips_of(const struct trips_poll *t, const struct m_node *n)
{
    for (size_t i = 0; i < t->answer.nodes.len; i++) {
        const struct api_node_round_trips *answer = api_at(&t->answer.nodes, struct api_node_round_trips, i);

        if (answer->node == n->api.id)
            return answer;
    }
    return NULL;
}

/* ---- columns ---- */

/* Measurements of a client say nothing once it is offline. */
static const struct row_facts *facts_of(const struct row *row)
{
    return row->kind == ROW_NODE && ((const struct m_node *)row)->api.online && row->facts && row->facts->trip_count
               ? row->facts
               : NULL;
}

void fill_trip(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct row_facts *f = facts_of(row);
    char text[TRIP_TEXT_MAX];

    (void)at;
    str_copy(out->text, sizeof(out->text), f ? trip_text(f->trips[f->trip_count - 1], text) : "-");
    out->role = !f ? ROLE_FAINT : f->trips[f->trip_count - 1] == GRAPH_LOST ? ROLE_BAD : ROLE_TEXT;
    out->trips = f;
}

void fill_trips(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct row_facts *f = facts_of(row);
    char text[TRIP_TEXT_MAX];
    size_t used = 0;

    (void)at;
    for (size_t i = 0; f && i < f->trip_count && used + TRIP_TEXT_MAX < sizeof(out->text); i++)
        used += (size_t)snprintf(out->text + used, sizeof(out->text) - used, "%s%s", i ? " " : "",
                                 trip_text(f->trips[i], text));
    out->trips = f;
    out->all_trips = true;
}

static uint64_t trip_order(const struct row *row)
{
    const struct row_facts *f = facts_of(row);

    return f ? f->trips[f->trip_count - 1] : UINT64_MAX;
}

int by_trip(const struct row *a, const struct row *b)
{
    uint64_t p = trip_order(a), q = trip_order(b);

    return (p > q) - (p < q);
}
