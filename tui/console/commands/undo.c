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
        return "you changed nothing yet";
    return command_is_here(app, app->repeat) ? NULL : "the last change makes no sense in this view";
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
            return "it was undone already";
        return e->api.inverse ? NULL : "this cannot be undone";
    }
    if (!app->undos.len)
        return "you changed nothing that can be taken back";
    return NULL;
}

static void cmd_undo(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    struct plan *p = plan_new(RISK_ASK, "undo");
    const char *text;

    (void)arg;
    if (row && row->kind == ROW_EVENT) {
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/undo/%s", row->key), NULL, 0, ROW_KINDS);

        text = ((const struct m_event *)row)->api.text;
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

            plan_add_step(p, call, &event, NULL, known ? known->api.text : text, "done", "undone");
        }
    }
    p->title = mem_format("undo: %s", text);
    p->done = mem_format("undone: %s", text);
    plan_submit(app, p);
}

static const struct console_command commands[] = {
    {.name = "repeat",
     .keys = ".",
     .help = "do the last change again, to what the cursor or the marks are on",
     .where = IN_ANY,
     .needs = NEED_WRITE | NO_REPEAT,
     .run = cmd_repeat,
     .refuse = refuse_repeat},
    {.name = "undo",
     .keys = "u",
     .help = "take back your last change; in the events: this one",
     .where = IN_ANY,
     .needs = NEED_WRITE | NO_REPEAT,
     .risk = RISK_ASK,
     .rank = 20,
     .run = cmd_undo,
     .refuse = refuse_undo},
};

const struct command_table undo_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
