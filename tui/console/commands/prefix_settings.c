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

enum { FAILBACK, KEEP, NEAREST, HOLD_DOWN, FAILBACK_DELAY, PROBE, SETTINGS };

static const char configured[] = "configured";
static const char *const members[SETTINGS] = {"failback", "keep", "nearest", "holdDown", "failbackDelay", "probe"};

static const char *selected_prefix(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    return row && (row->kind == ROW_PREFIX || row->kind == ROW_ROUTE) ? row->key : NULL;
}

static const char *const labels[SETTINGS] = {"failback", "if unserved", "router", "hold-down", "delay", "probe"};

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

/* An address within the prefix, or nothing. */
static bool is_probe(struct app *app, const struct m_prefix *p)
{
    const char *text = form_value(app, PROBE);
    struct addr a;

    if (is_default(text) ||
        (addr_parse(text, &a, NULL) == 0 && prefix_covers(&p->api.prefix, &(struct prefix){a, a.bits})))
        return true;
    form_go(app, PROBE);
    app_flash(app, ROLE_WARN, "give the address of a host within %s, or nothing for no probe", p->row.key);
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
        else if (i == NEAREST && !is_default(form_value(app, i)))
            json_put_bool(&o, members[i], str_eq(form_value(app, i), "nearest"));
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

static const char *own_value(const struct api_prefix *p, int member, const char *value, const char *otherwise)
{
    return strs_has(&p->own, members[member]) ? value : otherwise;
}

/* What the prefix says itself of a member; "": nothing. */
static const char *value_now(const struct api_prefix *p, int member)
{
    const char *const values[SETTINGS] = {
        [FAILBACK] = route_failback_name(p->failback), [KEEP] = p->keep ? "keep" : "withdraw",
        [NEAREST] = p->nearest ? "nearest" : "one",    [HOLD_DOWN] = p->hold_down,
        [FAILBACK_DELAY] = p->failback_delay,          [PROBE] = p->probe};

    return own_value(p, member, values[member],
                     member == FAILBACK || member == KEEP || member == NEAREST ? configured : "");
}

/* One step for each setting that changes. */
static void add_steps(struct app *app, struct plan *p, size_t call, const struct m_prefix *row)
{
    for (int i = 0; i < SETTINGS; i++) {
        const char *was = value_now(&row->api, i), *now = form_value(app, i);
        const char *none = i == PROBE ? "none" : configured;

        if (!str_eq(was, now))
            plan_add_step(p, call, &row->row, NULL, labels[i], is_default(was) ? none : was,
                          is_default(now) ? none : now);
    }
}

static void submit(struct app *app)
{
    char *prefix = mem_strdup(app->dialog->row_key);
    const struct m_prefix *row = model_find(&app->model, ROW_PREFIX, prefix);

    if (!row || !is_duration(app, HOLD_DOWN) || !is_duration(app, FAILBACK_DELAY) || !is_probe(app, row)) {
        free(prefix);
        return;
    }
    struct plan *p = plan_new(RISK_NONE, "settings");
    p->undoable = true;
    size_t call = plan_add_request(p, "POST", prefix_path(prefix, ""), body_of(app), row->api.version, ROW_PREFIX);
    add_steps(app, p, call, row);
    if (!p->steps.len) {
        app_flash(app, ROLE_INFO, "settings: nothing to change");
        plan_free(p);
        free(prefix);
        dialog_close(app);
        return;
    }
    p->title = mem_format("settings of %s", prefix);
    p->done = mem_format("settings of %s changed", prefix);
    free(prefix);
    plan_submit(app, p);
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
    mem_replace(&app->dialog->note, "Enter set   Tab next field   Esc cancel");
    static const struct {
        const char *hint, *words;
    } fields[SETTINGS] = {
        [FAILBACK] = {"does a better router that is well again take over?", "configured sticky oldest priority"},
        [KEEP] = {"while no router can serve it", "configured withdraw keep"},
        [NEAREST] = {"one serves all, or each node takes the nearest", "configured one nearest"},
        [HOLD_DOWN] = {"how long it stays after it moved; empty: as configured", NULL},
        [FAILBACK_DELAY] = {"how long a better router must be well; empty: as configured", NULL},
        [PROBE] = {"a host behind it that answers pings; empty: it is not probed", NULL},
    };
    for (int i = 0; i < SETTINGS; i++)
        form_add(app, labels[i], fields[i].hint, fields[i].words, value_now(p, i));
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
     .help = "set how the prefix is served: failback, keep, nearest, hold-down, probe",
     .where = IN_ROUTES | IN_PREFIXES | IN_NODE,
     .needs = CHANGE | NEED_SHOWN | NO_REPEAT,
     .rank = 9,
     .run = cmd_settings,
     .refuse = refuse_settings},
};

const struct command_table prefix_settings_commands = {.items = commands, .len = ARRAY_LEN(commands)};
