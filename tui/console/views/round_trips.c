/* SPDX-License-Identifier: BSD-3-Clause */
/* Asked for are the nodes on the screen; where the list is sorted by round trips, all of them now and then. */
#include "console/views/round_trips.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/screen/graph.h"
#include "console/views/node.h"
#include "console/views/nodes.h"

#define ASK_MS     5000
#define ASK_ALL_MS 30000
#define ASKED_MAX  200 /* nodes of one question */

void trips_release(struct trips_poll *t)
{
    api_release(&api_round_trips_shape, &t->told);
    free(t->asked);
    *t = (struct trips_poll){0};
}

/* ---- asking ---- */

static void add_id(struct buf *ids, size_t *count, const struct row *row)
{
    if (row && row->kind == ROW_NODE && !row->gone_ms && *count < ASKED_MAX)
        buf_addf(ids, "%s%s", (*count)++ ? "," : "", row->key);
}

static bool is_sorted_by_trips(const struct list *l)
{
    return l->def->columns[l->sort].compare == by_trip;
}

/* Those that are looked at; nothing: nobody is. all: they are every node. */
static void ids_in_front(const struct app *app, struct buf *ids, bool *all)
{
    const struct list *l = app_list(app);
    size_t count = 0;

    *all = false;
    if (app->place.view == &node_view) {
        add_id(ids, &count, l->scope);
    } else if (app->place.view == &nodes_view) {
        *all = l->sort >= 0 && is_sorted_by_trips(l);
        for (size_t i = l->top; i < l->order.len && i < l->top + l->height; i++)
            add_id(ids, &count, l->order.items[i]);
    }
}

static bool is_due(const struct app *app, const struct trips_poll *t, const struct buf *ids, bool all)
{
    int64_t since = app->at.now_ms - t->asked_ms;
    bool same = t->asked && str_eq(t->asked, buf_text(ids));

    if (t->request || !app->net.send || app->conn.state != CONN_LIVE || app->then.on || app->frozen || !ids->len)
        return false;
    return !t->asked_ms || since >= (all ? ASK_ALL_MS : same ? ASK_MS : ASK_MS / 5);
}

void trips_tick(struct app *app, struct trips_poll *t)
{
    struct buf ids = BUF_INIT(0);
    bool all;

    ids_in_front(app, &ids, &all);
    if (is_due(app, t, &ids, all)) {
        char *path = mem_format("/api/headway/roundtrips?nodes=%s", buf_text(&ids));
        struct app_request request = {.id = app->next_request++,
                                      .method = "GET",
                                      .path = all ? "/api/headway/roundtrips" : path,
                                      .body = "",
                                      .whole = true,
                                      .background = true,
                                      .result = ROW_KINDS};
        t->request = request.id;
        t->asked_ms = app->at.now_ms;
        mem_replace(&t->asked, buf_text(&ids));
        app->net.send(app->net.context, &request);
        free(path);
    }
    buf_release(&ids);
}

int64_t trips_next_ms(const struct app *app, const struct trips_poll *t)
{
    bool front = app->place.view == &nodes_view || app->place.view == &node_view;

    return front && app->conn.state == CONN_LIVE && !t->request && t->asked_ms ? t->asked_ms + ASK_MS : 0;
}

/* ---- what is told ---- */

uint32_t trip_us(const struct api_round_trip *t)
{
    return t->lost ? GRAPH_LOST : t->us < GRAPH_LOST ? (uint32_t)t->us : GRAPH_LOST - 1;
}

static void take_node(struct app *app, const struct api_node_round_trips *told)
{
    struct m_node *n = model_node(&app->model, told->node);
    size_t len = told->round_trips.len, from = len > TRIPS_SHOWN ? len - TRIPS_SHOWN : 0;

    if (!n || !told->last.time_ns)
        return;
    struct row_facts *f = row_facts(&n->row);
    if (!len) { /* only the last one was told */
        f->trips[0] = trip_us(&told->last);
        f->trip_count = 1;
        return;
    }
    for (size_t i = from; i < len; i++)
        f->trips[i - from] = trip_us(api_at(&told->round_trips, struct api_round_trip, i));
    f->trip_count = len - from;
}

bool trips_reply(struct app *app, struct trips_poll *t, uint64_t id, struct reply *reply)
{
    struct api_round_trips told;

    if (!id || id != t->request)
        return false;
    t->request = 0;
    if (reply->e.code < 0 || api_read(&api_round_trips_shape, reply->json, &told, API_FOR_TERMINAL, NULL) < 0)
        return true;
    api_release(&api_round_trips_shape, &t->told);
    t->told = told;
    for (size_t i = 0; i < told.nodes.len; i++)
        take_node(app, api_at(&told.nodes, struct api_node_round_trips, i));
    struct list *l = view_list(app, &nodes_view, 0);
    l->dirty = l->dirty || (l->sort >= 0 && is_sorted_by_trips(l));
    return true;
}

const struct api_node_round_trips *trips_of(const struct trips_poll *t, const struct m_node *n)
{
    for (size_t i = 0; i < t->told.nodes.len; i++) {
        const struct api_node_round_trips *told = api_at(&t->told.nodes, struct api_node_round_trips, i);

        if (told->node == n->api.id)
            return told;
    }
    return NULL;
}

const char *trip_text(uint32_t us, char text[TRIP_TEXT_MAX])
{
    if (us == GRAPH_LOST)
        snprintf(text, TRIP_TEXT_MAX, "lost");
    else if (us < 9950)
        snprintf(text, TRIP_TEXT_MAX, "%.1f", us / 1000.0);
    else
        snprintf(text, TRIP_TEXT_MAX, "%u", (us + 500) / 1000);
    return text;
}

/* ---- columns ---- */

/* What was measured while a client was connected says nothing about one that is not. */
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
