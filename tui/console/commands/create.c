/* SPDX-License-Identifier: BSD-3-Clause */
/* New users and keys: a form, then one call. */
#include "console/commands/create.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "console/tailnet/clients.h"
#include "console/tailnet/dns.h"
#include "console/tailnet/webhooks.h"
#include "json/json.h"

enum { USER_NAME, USER_DISPLAY, USER_EMAIL, USER_ROLE };
enum { KEY_USER, KEY_TAGS, KEY_REUSABLE, KEY_EPHEMERAL, KEY_APPROVAL, KEY_EXPIRES };
enum { API_DESCRIPTION, API_ACCESS, API_EXPIRES };

static const char nobody[] = "(nobody)"; /* no user can be called that */

static const char *value_of(struct app *app, int field)
{
    return form_value(app, field);
}

static void put_text(struct json_out *o, const char *name, const char *text)
{
    if (*text)
        json_put_str(o, name, text);
}

/* Units come in falling order, as people write them: "1h90d" is an edit that went wrong. */
static bool is_in_order(const char *span)
{
    static const char units[] = "ywdhms";
    const char *last = units;

    for (; *span; span++) {
        const char *unit = strchr(units, *span);

        if (!unit || *unit == '\0')
            continue;
        if (unit < last)
            return false;
        last = unit + 1;
    }
    return true;
}

/* "90d" from now on as the server's time; false after a complaint. "" or "never": no end. */
static bool put_expiry(struct app *app, struct json_out *o, int field)
{
    const char *text = value_of(app, field);
    int64_t span;
    struct err e;

    if (!*text || str_eq(text, "never"))
        return true;
    if (duration_parse(text, &span, "expires", &e) < 0 || span <= 0 || !is_in_order(text)) {
        form_complain(app, field, "expires: give a time such as 1h, 30d or 1y, or never");
        return false;
    }
    json_key(o, "expiration");
    json_time(o, app->at.now_ns + span);
    return true;
}

static void send(struct app *app, const char *path, struct buf *body, enum row_kind kind, char *title, char *done)
{
    struct plan *p = plan_new(RISK_NONE, "new");
    size_t call = plan_add_request(p, "POST", mem_strdup(path), buf_take(body), 0, kind);
    char none[] = "";
    const struct row row = {.kind = kind, .key = none};

    p->may_join = kind == ROW_PREAUTH_KEY;
    p->undoable = true;
    plan_add_step(p, call, &row, NULL, title, "-", "exists");
    p->title = title;
    p->done = done;
    plan_submit(app, p);
}

static void make_user(struct app *app)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    const char *name = value_of(app, USER_NAME);

    if (!*name) {
        form_complain(app, USER_NAME, "a user needs a name");
        return;
    }
    json_open(&o, '{');
    json_put_str(&o, "name", name);
    put_text(&o, "displayName", value_of(app, USER_DISPLAY));
    put_text(&o, "email", value_of(app, USER_EMAIL));
    json_put_str(&o, "role", value_of(app, USER_ROLE));
    json_close(&o, '}');
    send(app, "/api/headway/users", &body, ROW_USER, mem_format("create user %s", name),
         mem_format("user %s created", name));
}

static void make_preauth_key(struct app *app)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    const char *user = value_of(app, KEY_USER), *tags = value_of(app, KEY_TAGS);
    bool owned = !str_eq(user, nobody);

    if (!owned && !*tags) {
        form_complain(app, KEY_TAGS, "a pre-auth key needs a user or tags: its nodes must have an owner");
        return;
    }
    json_open(&o, '{');
    if (owned)
        json_put_str(&o, "user", user);
    form_put_words(&o, "tags", tags, "tag:");
    json_key(&o, "reusable");
    json_bool(&o, str_eq(value_of(app, KEY_REUSABLE), "yes"));
    json_key(&o, "ephemeral");
    json_bool(&o, str_eq(value_of(app, KEY_EPHEMERAL), "yes"));
    if (str_eq(value_of(app, KEY_APPROVAL), "yes"))
        json_put_bool(&o, "preauthorized", false);
    if (put_expiry(app, &o, KEY_EXPIRES)) {
        json_close(&o, '}');
        send(app, "/api/headway/preauthkeys", &body, ROW_PREAUTH_KEY, mem_strdup("create a pre-auth key"),
             mem_format("new pre-auth key for %s", owned ? user : tags));
    }
    buf_release(&body);
}

static void make_api_key(struct app *app)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    const char *what = value_of(app, API_DESCRIPTION);

    json_open(&o, '{');
    put_text(&o, "description", what);
    json_key(&o, "readOnly");
    json_bool(&o, str_eq(value_of(app, API_ACCESS), "read-only"));
    if (put_expiry(app, &o, API_EXPIRES)) {
        json_close(&o, '}');
        send(app, "/api/headway/apikeys", &body, ROW_API_KEY, mem_strdup("create an API key"),
             mem_format("new API key%s%s", *what ? " for " : "", what));
    }
    buf_release(&body);
}

static int by_text(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static void add_users(struct app *app, struct strs *to)
{
    const struct row_table *t = model_table(&app->model, ROW_USER);

    for (size_t i = 0; i < t->rows.len; i++)
        if (!t->rows.items[i]->gone_ms)
            strs_push(to, ((const struct m_user *)t->rows.items[i])->api.name);
    if (to->len > 1)
        qsort(to->items, to->len, sizeof(*to->items), by_text);
    strs_push(to, nobody);
}

static void cmd_new(struct app *app, const char *arg)
{
    unsigned kinds = app_list(app)->def->kinds;

    if (kinds & 1U << ROW_USER) {
        dialog_form(app, "new user", make_user);
        form_add(app, "name", "used in policies and commands; no slash, not digits alone", NULL, arg);
        form_add(app, "display name", "shown to people; optional", NULL, "");
        form_add(app, "email", "optional", NULL, "");
        form_add(app, "role", "what the user may administer", "member admin owner", "member");
    } else if (kinds & 1U << ROW_PREAUTH_KEY) {
        dialog_form(app, "new pre-auth key", make_preauth_key);
        struct form_field *user = form_add(app, "user", "the owner of nodes that join with it", NULL, "");
        add_users(app, &user->words);
        form_add(app, "tags", "nodes that join with it get these tags instead of the user", NULL, arg);
        form_add(app, "reusable", "may more than one node use it?", "no yes", "no");
        form_add(app, "ephemeral", "are its nodes removed soon after they disconnect?", "no yes", "no");
        form_add(app, "approval", "do its nodes wait for approval where node.approval is on?", "no yes", "no");
        form_add(app, "expires", "1h, 30d, 1y: until when nodes can join; they stay", NULL, "1h");
    } else if (kinds & 1U << ROW_OAUTH_CLIENT) {
        oauth_client_form(app, arg);
    } else if (kinds & 1U << ROW_WEBHOOK) {
        webhook_form(app, arg);
    } else if (kinds & 1U << ROW_DNS) {
        dns_domain_form(app, arg);
    } else {
        dialog_form(app, "new API key", make_api_key);
        form_add(app, "description", "what it is for", NULL, arg);
        form_add(app, "access", "full access, or read-only", "full read-only", "full");
        form_add(app, "expires", "1h, 30d, 1y, or never", NULL, "90d");
    }
}

static const struct console_command commands[] = {
    {.name = "new",
     .keys = "N",
     .hint = "new",
     .help = "create a user, a key, an OAuth client, a webhook, or name servers for a domain",
     .args = "[NAME]",
     .where = IN_USERS | IN_KEYS | IN_CLIENTS | IN_WEBHOOKS | IN_DNS,
     .needs = NEED_WRITE,
     .rank = 2,
     .run = cmd_new},
};

const struct command_table create_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
