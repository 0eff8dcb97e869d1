/* SPDX-License-Identifier: BSD-3-Clause */
/* A form with what a prefix says itself; what is left to the configuration is empty, or "configured". */
#include "console/commands/prefix_settings.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/commands/targets.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "json/json.h"

enum { FAILBACK, KEEP, HOLD_DOWN, FAILBACK_DELAY, SETTINGS };

static const char configured[] = "configured";
static const char *const members[SETTINGS] = {"failback", "keep", "holdDown", "failbackDelay"};

static const char *selected_prefix(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    return row && (row->kind == ROW_PREFIX || row->kind == ROW_ROUTE) ? row->key : NULL;
}

static bool is_default(const char *value)
{
    return !*value || str_eq(value, configured);
}

static bool is_duration(struct app *app, int field)
{
    const char *text = form_value(app, field);
    int64_t span;
    struct err e;

    if (is_default(text) || (duration_parse(text, &span, members[field], &e) == 0 && span >= 0))
        return true;
    form_go(app, field);
    app_flash(app, ROLE_WARN, "give a time such as 30s or 5m, or nothing for what is configured");
    return false;
}

static char *body_of(struct app *app)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    for (int i = 0; i < SETTINGS; i++)
        if (i == KEEP && !is_default(form_value(app, i)))
            json_put_bool(&o, members[i], str_eq(form_value(app, i), "keep"));
        else if (!is_default(form_value(app, i)))
            json_put_str(&o, members[i], form_value(app, i));
    json_key(&o, "reset");
    json_open(&o, '[');
    for (int i = 0; i < SETTINGS; i++)
        if (is_default(form_value(app, i)))
            json_str(&o, members[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_take(&b);
}

static char *text_of(struct app *app)
{
    struct buf b = BUF_INIT(0);

    for (int i = 0; i < SETTINGS; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", is_default(form_value(app, i)) ? configured : form_value(app, i));
    return buf_take(&b);
}

static void submit(struct app *app)
{
    char *prefix = mem_strdup(app->dialog->row_key);
    const struct row *row = model_find(&app->model, ROW_PREFIX, prefix);

    if (!row || !is_duration(app, HOLD_DOWN) || !is_duration(app, FAILBACK_DELAY)) {
        free(prefix);
        return;
    }
    struct plan *p = plan_new(RISK_NONE, "settings");
    p->undoable = true;
    char *after = text_of(app);
    size_t call = plan_add_request(p, "POST", prefix_path(prefix, ""), body_of(app),
                                   ((const struct m_prefix *)row)->api.version, ROW_PREFIX);
    plan_add_step(p, call, row, NULL, prefix, "", after);
    free(after);
    p->title = mem_format("settings of %s", prefix);
    p->done = mem_format("settings of %s changed", prefix);
    free(prefix);
    dialog_close(app);
    plan_submit(app, p);
}

static const char *own_value(const struct api_prefix *p, int member, const char *value, const char *otherwise)
{
    return strs_has(&p->own, members[member]) ? value : otherwise;
}

static void cmd_settings(struct app *app, const char *arg)
{
    const char *prefix = selected_prefix(app);
    const struct m_prefix *row = model_find(&app->model, ROW_PREFIX, prefix);
    const struct api_prefix *p = &row->api;

    (void)arg;
    char *title = mem_format("how %s is served", prefix);
    dialog_form(app, title, submit);
    free(title);
    app->dialog->row_kind = ROW_PREFIX;
    app->dialog->row_key = mem_strdup(prefix);
    form_add(app, "failback", "does a better router that is well again take over?", "configured sticky oldest priority",
             own_value(p, FAILBACK, route_failback_name(p->failback), configured));
    form_add(app, "if unserved", "while no router can serve it", "configured withdraw keep",
             own_value(p, KEEP, p->keep ? "keep" : "withdraw", configured));
    form_add(app, "hold-down", "how long it stays after it moved; empty: as configured", NULL,
             own_value(p, HOLD_DOWN, p->hold_down, ""));
    form_add(app, "delay", "how long a better router must be well; empty: as configured", NULL,
             own_value(p, FAILBACK_DELAY, p->failback_delay, ""));
}

static const char *refuse_settings(struct app *app)
{
    const char *prefix = selected_prefix(app);
    const struct m_prefix *p = prefix ? model_find(&app->model, ROW_PREFIX, prefix) : NULL;

    if (!p)
        return "the selection is not a prefix";
    return p->api.exit ? "exit routes are not elected: every approved exit node serves" : NULL;
}

static const struct console_command commands[] = {
    {.name = "settings",
     .keys = "i",
     .hint = "settings",
     .help = "set how the prefix is served: failback, hold-down, keep or withdraw",
     .where = IN_ROUTES | IN_PREFIXES | IN_NODE,
     .needs = CHANGE | NEED_SHOWN | NO_REPEAT,
     .rank = 9,
     .run = cmd_settings,
     .refuse = refuse_settings},
};

const struct command_table prefix_settings_commands = {.items = commands, .len = ARRAY_LEN(commands)};
