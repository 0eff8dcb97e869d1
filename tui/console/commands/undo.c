/* SPDX-License-Identifier: BSD-3-Clause */
/* Undoing the last change, or that of the event under the cursor; redoing the last undone one. */
#include "console/commands/undo.h"

#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/commands/changed_since.h"
#include "console/dialogs/plan.h"

static const char *refuse_repeat(struct app *app)
{
    if (!app->repeat)
        return "there is no change to repeat yet";
    return command_is_here(app, app->repeat) ? NULL : "the last change does not apply in this view";
}

static void cmd_repeat(struct app *app, const char *arg)
{
    char *last = mem_strdup(app->repeat_arg);

    (void)arg;
    command_run(app, app->repeat, last);
    free(last);
}

static const char *refuse_undo(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    if (row && row->kind == ROW_EVENT) {
        const struct m_event *e = (const struct m_event *)row;

        if (e->api.undone_by.run)
            return "it is already undone";
        return e->api.inverse ? NULL : "this cannot be undone";
    }
    if (!app->undos.len)
        return "there is nothing to undo";
    return NULL;
}

/* The call that restores the policy which the entry replaced; NULL: it concerns something else. */
static const char *policy_before(const struct m_event *e)
{
    return e && str_eq(e->api.kind, "policy.changed") ? e->api.inverse : NULL;
}

/* What the entry did. Undoing an undo repeats the original change, so its text is used. */
static const char *text_of(const struct app *app, const struct plan *p, const struct m_event *e, const char *other)
{
    const struct row_table *events = model_table(&app->model, ROW_EVENT);

    for (size_t i = 0; e && !p->takes_back && i < events->rows.len; i++) {
        const struct api_event *undone = &((const struct m_event *)events->rows.items[i])->api;
        if (undone->undone_by.run == e->api.id.run && undone->undone_by.seq == e->api.id.seq)
            return undone->text;
    }
    return e && p->takes_back ? e->api.text : other;
}

/* The calls that undo a change made of these entries, newest first. before: the present state, for the steps. Returns
 * the call that restores another policy, if there is one. */
static const char *add_events(struct app *app, struct plan *p, const struct undo *u, const char *before,
                              const char *after)
{
    const char *policy = NULL;

    for (size_t i = u->events.len; i-- > 0;) {
        const struct row event = {.kind = ROW_EVENT, .key = u->events.items[i]};
        const struct m_event *known = model_find(&app->model, ROW_EVENT, event.key);
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", event.key), NULL, 0, ROW_KINDS);

        policy = policy_before(known) ? policy_before(known) : policy;
        plan_add_step(p, call, &event, NULL, text_of(app, p, known, u->text), before, after);
    }
    return policy;
}

/* Undoing would overwrite what somebody changed again: show that. */
static void submit(struct app *app, struct plan *p, const char *text, const char *policy, const struct strs *events)
{
    const struct m_event *later = changed_since(&app->model, events);

    if (later)
        p->note = mem_format("changed since then by %s: %s", later->api.actor, later->api.text);
    p->title = mem_format("%s: \"%s\"", p->verb, text);
    p->done = mem_format("%s: \"%s\"", p->takes_back ? "undone" : "done again", text);
    p->what = mem_strdup(text);
    plan_submit(app, p);
    if (policy)
        plan_policy_ask(app, p, policy);
}

static void cmd_undo(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    struct plan *p = plan_new(RISK_ASK, "undo");

    (void)arg;
    p->takes_back = true;
    if (row && row->kind == ROW_EVENT) {
        const struct m_event *e = (const struct m_event *)row;
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", row->key), NULL, 0, ROW_KINDS);

        plan_add_step(p, call, row, NULL, e->api.text, "done", "undone");
        submit(app, p, e->api.text, policy_before(e), &(struct strs){.items = (char *[]){row->key}, .len = 1});
    } else {
        const struct undo *u = &app->undos.items[app->undos.len - 1];

        p->undoes_ms = u->at_ms;
        submit(app, p, u->text, add_events(app, p, u, "done", "undone"), &u->events);
    }
}

/* The entry that undid this one; NULL: unknown here. */
static const struct m_event *undone_by(const struct app *app, const struct m_event *e)
{
    char id[API_EVENT_ID_MAX];

    return model_find(&app->model, ROW_EVENT, api_event_id_format(&e->api.undone_by, id));
}

static const char *refuse_redo(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    if (row && row->kind == ROW_EVENT) {
        const struct m_event *e = (const struct m_event *)row, *undo = undone_by(app, e);

        if (!e->api.undone_by.run)
            return "it was not undone";
        if (undo && undo->api.undone_by.run)
            return "it was already done again";
        return undo && !undo->api.inverse ? "this cannot be done again" : NULL;
    }
    return app->redos.len ? NULL : "nothing was undone since your last change, or it cannot be done again";
}

/* An undo is a journal entry like any other: undoing it repeats the change. */
static void cmd_redo(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    struct plan *p = plan_new(RISK_ASK, "redo");

    (void)arg;
    p->undoable = true;
    if (row && row->kind == ROW_EVENT) {
        const struct m_event *e = (const struct m_event *)row;
        char id[API_EVENT_ID_MAX];
        size_t call =
            plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", api_event_id_format(&e->api.undone_by, id)),
                             NULL, 0, ROW_KINDS);

        plan_add_step(p, call, row, NULL, e->api.text, "undone", "done again");
        submit(app, p, e->api.text, policy_before(undone_by(app, e)),
               &(struct strs){.items = (char *[]){id}, .len = 1});
    } else {
        const struct undo *u = &app->redos.items[app->redos.len - 1];

        p->redoes_ms = u->at_ms;
        submit(app, p, u->text, add_events(app, p, u, "undone", "done again"), &u->events);
    }
}

static const struct console_command commands[] = {
    {.name = "repeat",
     .keys = ".",
     .help = "repeat the last change on the marked rows or the selected one",
     .where = IN_ANY,
     .needs = NEED_WRITE | NO_REPEAT,
     .run = cmd_repeat,
     .refuse = refuse_repeat},
    {.name = "undo",
     .keys = "u",
     .help = "undo your last change; in the events: the selected one",
     .where = IN_ANY,
     .needs = NEED_WRITE | NO_REPEAT,
     .risk = RISK_ASK,
     .rank = 20,
     .run = cmd_undo,
     .refuse = refuse_undo},
    {.name = "redo",
     .keys = "Ctrl-R",
     .help = "do again what you undid last; in the events: the selected one",
     .where = IN_ANY,
     .needs = NEED_WRITE | NO_REPEAT,
     .risk = RISK_ASK,
     .run = cmd_redo,
     .refuse = refuse_redo},
};

const struct command_table undo_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
