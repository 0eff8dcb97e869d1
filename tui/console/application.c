/* SPDX-License-Identifier: BSD-3-Clause */
/* The application as a whole: start and end, switching servers, and input from the network. */
#include "console/application.h"
#include "console/app/asked.h"
#include "console/app/dispatch.h"

#include "base/mem.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "console/dialogs/prompt.h"

#define EACH_VIEW(app, i) (size_t i = 0; (i) < (app)->tables->view_count; (i)++)

static void note_row(void *context, struct row *row, enum note what)
{
    struct app *app = context;

    /* Users who cannot see marks and moving rows get one line saying what happened. */
    if (app->canvas.plain && row->kind == ROW_EVENT && what == NOTE_NEW && app->conn.state == CONN_LIVE)
        app_flash(app, ROLE_INFO, "%s", ((const struct m_event *)row)->api.text);

    for
        EACH_VIEW(app, i)
        {
            const struct console_view *v = app->tables->views[i];

            for (int part = 0; part < view_part_count(v); part++)
                list_note(&app->views[i].lists[part], row, what);
            if (v->note)
                v->note(app, row, what);
        }
    asked_note(app, row, what);
}

static void begin(struct app *app)
{
    app->model.note = note_row;
    app->model.context = app;
    app->place = app->last = (struct view_place){.view = app->tables->views[0]};
}

void app_init(struct app *app)
{
    app->tables = &console_tables;
    commands_collect(app->tables, &app->commands);
    app->views = mem_alloc(app->tables->view_count * sizeof(*app->views));
    for
        EACH_VIEW(app, i)
        {
            const struct console_view *v = app->tables->views[i];

            for (int part = 0; part < view_part_count(v); part++) {
                list_init(&app->views[i].lists[part], v->parts[part].def);
                app->views[i].lists[part].saved = &app->saved;
            }
            app->views[i].data = v->state_size ? mem_alloc(v->state_size) : NULL;
            if (v->init)
                v->init(app);
        }
    begin(app);
    app->next_request = 1;
}

/* Everything that belongs to one server, except the state of views. */
static void forget_server(struct app *app)
{
    dialog_close(app);
    plans_release(app);
    undos_release(&app->undos);
    undos_release(&app->redos);
    for (size_t i = 0; i < app->held.len; i++)
        delta_release(&app->held.items[i]);
    app_places_release(app);
    vec_release(&app->held);
    strs_release(&app->watched);
    model_release(&app->model);
    free(app->conn.why);
    free(app->actor);
    app->actor = NULL;
    app->conn = (struct connection){0};
}

void app_reset(struct app *app)
{
    forget_server(app);
    for
        EACH_VIEW(app, i)
        {
            const struct console_view *v = app->tables->views[i];

            for (int part = 0; part < view_part_count(v); part++)
                list_empty(&app->views[i].lists[part]);
            if (v->reset)
                v->reset(app);
        }
    asked_forget(app);
    begin(app);
    app->wall_ns -= app->clock_skew_ns;
    app->clock_skew_ns = 0;
    app_time_again(app);
    app->read_only = app->frozen = app->plan_mode = false;
    app->repeat = NULL;
    app->flash.until_ms = 1;
}

void app_release(struct app *app)
{
    forget_server(app);
    prompt_release(app);
    asked_forget(app);
    for
        EACH_VIEW(app, i)
        {
            const struct console_view *v = app->tables->views[i];

            if (v->release)
                v->release(app);
            for (int part = 0; part < view_part_count(v); part++)
                list_release(&app->views[i].lists[part]);
            free(app->views[i].data);
        }
    free(app->views);
    commands_unbind(app);
    vec_release(&app->commands);
    for (size_t i = 0; i < app->messages.len; i++)
        free(app->messages.items[i].text);
    vec_release(&app->messages);
    strs_release(&app->servers);
    saved_filters_release(&app->saved);
    buf_release(&app->paste.text);
    canvas_release(&app->canvas);
    canvas_release(&app->pane.canvas);
    free(app->flash.text);
    free(app->repeat_arg);
    free(app->address);
    free(app->clipboard);
    free(app->save_display);
}

void app_heard(struct app *app, int64_t at_ms)
{
    app->conn.heard_ms = at_ms;
}

void app_connection(struct app *app, enum connection_state state, const char *why, int64_t retry_in_ms)
{
    struct connection *c = &app->conn;

    if (state == CONN_LIVE && state != c->state)
        asked_forget(app);
    if (state != c->state) {
        if (c->state == CONN_LIVE || !c->since_ns)
            c->since_ns = app->wall_ns;
        c->since_ms = app->at.now_ms;
    }
    c->attempt = state == CONN_DOWN ? c->attempt + 1 : state == CONN_LOADING ? c->attempt : 0;
    c->state = state;
    c->retry_ms = retry_in_ms > 0 ? app->at.now_ms + retry_in_ms : 0;
    mem_replace(&c->why, why);
    if (app->place.view->enter)
        app->place.view->enter(app);
}

void app_whoami(struct app *app, const char *actor, bool read_only)
{
    mem_replace(&app->actor, actor);
    app->read_only = read_only;
}

void app_reply(struct app *app, uint64_t id, struct reply *reply)
{
    bool taken;

    if (reply->delta.rows.len)
        app_apply(app, &reply->delta);
    taken = plan_reply(app, id, reply);
    for
        EACH_VIEW(app, i)
    if (!taken && app->tables->views[i]->reply)
        taken = app->tables->views[i]->reply(app, id, reply);
    if (!taken)
        asked_reply(app, id, reply);
    reply_release(reply);
}

static int64_t sooner(int64_t next, int64_t wish, int64_t now)
{
    return wish > now && wish < next ? wish : next;
}

int64_t app_next_ms(const struct app *app)
{
    int64_t now = app->at.now_ms, next = now - now % 1000 + 1000;
    const struct list *l = app_list(app);

    if (l->dirty || l->touched.len)
        next = sooner(next, l->hold_until_ms, now);
    if (app->flash.text)
        next = sooner(next, app->flash.until_ms, now);
    for
        EACH_VIEW(app, i)
        {
            int64_t wish = app->tables->views[i]->next_ms ? app->tables->views[i]->next_ms(app) : 0;

            /* A wish that the last tick did not fulfil cannot be fulfilled yet: without this the screen would be
             * drawn as fast as the processor can. */
            if (wish > app->ticked_ms && wish < next)
                next = wish;
        }
    return next;
}

void app_settings(struct app *app, const struct settings *settings)
{
    struct err e = {0};
    const char *first = settings->problems.len ? settings->problems.items[0] : NULL;
    size_t before = app->messages.len;

    for (size_t i = 0; i < settings->keys.len; i++)
        if (command_bind(app, settings->keys.items[i].command, settings->keys.items[i].keys, &e) < 0)
            app_flash(app, ROLE_ERROR, "console.yaml, line %u: %s", settings->keys.items[i].line, e.message);
    while (commands_check_bindings(app, &e) < 0)
        app_flash(app, ROLE_ERROR, "console.yaml: %s", e.message);
    for (size_t i = 0; i < settings->filters.len; i++) {
        const struct saved_filter *f = &settings->filters.items[i];

        if (saved_filter_set(&app->saved, f->name, f->text, &e) < 0)
            app_flash(app, ROLE_ERROR, "console.yaml: %s", e.message);
        else
            app->saved.items[app->saved.len - 1].configured = true;
    }
    for (size_t i = settings->problems.len; first && i-- > 0;)
        app_flash(app, ROLE_ERROR, "%s", settings->problems.items[i]);
    if (app->messages.len > before + 1) {
        char *text =
            mem_format("%zu problems ({messages} lists them): %s", app->messages.len - before, app->flash.text);

        mem_replace(&app->flash.text, text);
        free(text);
    }
}
