/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/asked.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define AGAIN_MS 5000 /* while it is shown */

typedef bool use_part(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg);

/* Calls use for each part with such a list until it returns true. */
static bool each_part(struct app *app, use_part *use, void *arg)
{
    for (size_t i = 0; i < app->tables->view_count; i++) {
        const struct console_view *v = app->tables->views[i];

        for (int part = 0; part < view_part_count(v); part++)
            if (v->parts[part].asked && use(app, v, part, &app->views[i].asked[part], arg))
                return true;
    }
    return false;
}

static bool is_due(const struct app *app, const struct asked_state *s)
{
    return !s->request && (!s->asked_ms || (s->stale && !s->trouble) || app->at.now_ms - s->asked_ms >= AGAIN_MS);
}

static bool ask(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg)
{
    const struct asked_rows *a = view->parts[part].asked;

    (void)arg;
    if (app->place.view != view || app->place.part != part || !is_due(app, s))
        return false;
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = a->path,
                                  .body = "",
                                  .background = true,
                                  .result = ROW_KINDS,
                                  .decode = a->decode};
    s->request = request.id;
    s->asked_ms = app->at.now_ms;
    s->stale = false;
    app->net.send(app->net.context, &request);
    return false;
}

void asked_tick(struct app *app)
{
    if (app->net.send && app->conn.state == CONN_LIVE && !app->then.on)
        each_part(app, ask, NULL);
}

static bool note_object(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg)
{
    (void)app;
    s->stale |= str_eq(view->parts[part].asked->object, arg);
    return false;
}

void asked_note(struct app *app, const struct row *row, enum note what)
{
    if (row->kind == ROW_EVENT && what == NOTE_NEW)
        each_part(app, note_object, (void *)(uintptr_t)((const struct m_event *)row)->api.object);
}

/* Of rows that are in the snapshot only those that are known: events add and remove them. */
static void keep_known(const struct model *m, struct model_delta *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->rows.len; i++)
        if (MODEL_ASKED & 1U << d->rows.items[i]->kind || model_find(m, d->rows.items[i]->kind, d->rows.items[i]->key))
            d->rows.items[kept++] = d->rows.items[i];
        else
            row_free(d->rows.items[i]);
    d->rows.len = kept;
}

struct arrived {
    uint64_t id;
    struct reply *reply;
};

static bool take(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg)
{
    struct arrived *a = arg;

    if (s->request != a->id)
        return false;
    s->request = 0;
    s->asked_ms = app->at.now_ms; /* who is slow is asked less often */
    free(s->trouble);
    s->trouble = a->reply->e.code < 0 ? mem_strdup(a->reply->e.message) : NULL;
    if (s->trouble || (app->frozen && !(MODEL_ASKED & 1U << view->parts[part].asked->kind)))
        return true;
    keep_known(&app->model, &a->reply->read);
    app_delta(app, &a->reply->read);
    return true;
}

void asked_reply(struct app *app, uint64_t id, struct reply *reply)
{
    each_part(app, take, &(struct arrived){id, reply});
}

static bool forget(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg)
{
    (void)app;
    (void)view;
    (void)part;
    (void)arg;
    free(s->trouble);
    *s = (struct asked_state){0};
    return false;
}

void asked_forget(struct app *app)
{
    each_part(app, forget, NULL);
}

static bool say_missing(struct app *app, const struct console_view *view, int part, struct asked_state *s, void *arg)
{
    struct buf *text = arg;

    if (app->place.view != view || app->place.part != part || !(MODEL_ASKED & 1U << view->parts[part].asked->kind) ||
        model_table(&app->model, view->parts[part].asked->kind)->known)
        return false;
    if (s->trouble)
        buf_addf(text, "the server does not tell: %s", s->trouble);
    else
        buf_adds(text, "not read yet");
    return true;
}

bool asked_missing(const struct app *app, char *text, size_t size)
{
    struct buf b = BUF_INIT(0);
    bool missing = each_part((struct app *)(uintptr_t)app, say_missing, &b);

    str_copy(text, size, buf_text(&b));
    buf_release(&b);
    return missing;
}
