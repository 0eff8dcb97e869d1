/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking back the last change, or the one of the event under the cursor; doing the last one again. */
#include "console/commands/undo.h"

#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
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

/* The call that puts the policy in force again that the entry replaced; NULL: it is about something else. */
static const char *policy_before(const struct m_event *e)
{
    return e && str_eq(e->api.kind, "policy.changed") ? e->api.inverse : NULL;
}

static void cmd_undo(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    struct plan *p = plan_new(RISK_ASK, "undo");
    const char *text, *policy = NULL;

    (void)arg;
    if (row && row->kind == ROW_EVENT) {
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", row->key), NULL, 0, ROW_KINDS);

        text = ((const struct m_event *)row)->api.text;
        policy = policy_before(((const struct m_event *)row));
        plan_add_step(p, call, row, NULL, text, "done", "undone");
    } else {
        const struct undo *u = &app->undos.items[app->undos.len - 1];

        text = u->text;
        p->undoes_ms = u->at_ms;
        for (size_t i = u->events.len; i-- > 0;) {
            const struct row event = {.kind = ROW_EVENT, .key = u->events.items[i]};
            const struct m_event *known = model_find(&app->model, ROW_EVENT, event.key);
            size_t call =
                plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", event.key), NULL, 0, ROW_KINDS);

            policy = policy_before(known) ? policy_before(known) : policy;

            plan_add_step(p, call, &event, NULL, known ? known->api.text : text, "done", "undone");
        }
    }
    p->title = mem_format("undo: \"%s\"", text);
    p->done = mem_format("undone: \"%s\"", text);
    plan_submit(app, p);
    if (policy)
        plan_policy_ask(app, p, policy);
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
};

const struct command_table undo_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
