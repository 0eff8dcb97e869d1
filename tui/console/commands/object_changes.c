/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to nodes, users, keys and registrations. */
#include "console/commands/object_changes.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/commands/targets.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "json/json.h"

struct object_change {
    const char *verb, *past, *method, *tail, *body, *before;
    const char *after; /* NULL: what deleting does */
    bool expires;      /* what has expired already is left out */
    enum risk risk;
    bool undoable, keeps_object; /* the answer holds the object */
    bool waiting;                /* it is done to registrations */
    const char *note;
};

static const char *after_deletion(const struct row *row)
{
    switch (row->kind) {
    case ROW_NODE:
        return "deleted; it must join again";
    case ROW_USER:
        return "deleted with its keys";
    case ROW_PREAUTH_KEY:
        return "deleted; its nodes stay";
    case ROW_API_KEY:
        return "deleted; what uses it is refused";
    case ROW_OAUTH_CLIENT:
        return "deleted; its access tokens end";
    case ROW_WEBHOOK:
        return "deleted, once it was told so";
    case ROW_ROUTE:
    case ROW_PREFIX:
    case ROW_EVENT:
    case ROW_PENDING:
    case ROW_DNS:
    case ROW_LOGIN:
    case ROW_NEED:
    case ROW_KINDS:
        break;
    }
    return "gone";
}

/* A key that has ended stays so. */
static bool has_expired(const struct app *app, const struct row *row)
{
    int64_t expiry_ns = row->kind == ROW_PREAUTH_KEY || row->kind == ROW_API_KEY ? key_row_expiry_ns(row) : 0;

    return expiry_ns && expiry_ns <= app->at.now_ns;
}

/* What the change does not apply to. */
struct left_out {
    size_t waiting, expired;
};

static struct left_out leave_out(const struct app *app, const struct object_change *d, struct rows *rows)
{
    struct left_out out = {0};

    for (size_t i = rows->len; i-- > 0;) {
        bool waits = rows->items[i]->kind == ROW_PENDING && !d->waiting;

        if (!waits && !(d->expires && has_expired(app, rows->items[i])))
            continue;
        out.waiting += waits;
        out.expired += !waits;
        vec_remove(rows, i);
    }
    return out;
}

static char *note_of(const struct object_change *d, struct left_out out)
{
    struct buf note = BUF_INIT(0);

    if (d->note)
        buf_adds(&note, d->note);
    if (out.waiting)
        buf_addf(&note, "%s%zu registration%s left out", note.len ? "; " : "", out.waiting,
                 out.waiting == 1 ? " is" : "s are");
    if (out.expired)
        buf_addf(&note, "%s%zu that %s expired %s left out", note.len ? "; " : "", out.expired,
                 out.expired == 1 ? "has" : "have", out.expired == 1 ? "is" : "are");
    return note.len ? buf_take(&note) : NULL;
}

static const char *before_of(const struct object_change *d, const struct row *row)
{
    return d->expires && row->kind == ROW_NODE && ((const struct m_node *)row)->api.expired ? "expired" : d->before;
}

static void change_objects(struct app *app, const struct object_change *d)
{
    struct rows rows = {0};
    struct plan *p;

    whole_targets(app, &rows);
    struct left_out out = leave_out(app, d, &rows);
    if (!rows.len) {
        app_flash(app, ROLE_WARN, "%s: %s", d->verb,
                  out.waiting   ? "it is not a node yet: approve or reject it"
                  : out.expired ? "it has expired already"
                                : "nothing is selected");
        vec_release(&rows); /* all of them may be gone */
        return;
    }
    p = plan_new(d->risk, d->verb);
    p->undoable = d->undoable;
    for (size_t i = 0; i < rows.len; i++) {
        const struct row *row = rows.items[i];
        char *path = mem_format("/api/headway/%s/%s%s", row_path(row->kind), row->key, d->tail);
        size_t call = plan_add_request(p, d->method, path, d->body ? mem_strdup(d->body) : NULL, row_version(row),
                                       d->keeps_object ? row->kind : ROW_KINDS);

        char *title = row_title(row);
        plan_add_step(p, call, row, NULL, title, before_of(d, row), d->after ? d->after : after_deletion(row));
        free(title);
    }
    if (rows.len == 1) {
        char *title = row_title(rows.items[0]);

        p->title = mem_format("%s %s", d->verb, title);
        p->done = mem_format("%s %s", title, d->past);
        free(title);
        p->word = d->risk == RISK_TYPE ? mem_strdup(row_label(rows.items[0])) : NULL;
    } else {
        p->title = mem_format("%s %zu %s", d->verb, rows.len, app_list(app)->def->noun);
        p->done = mem_format("%zu %s %s", rows.len, app_list(app)->def->noun, d->past);
        p->word = d->risk == RISK_TYPE ? mem_format("%zu", rows.len) : NULL;
    }
    p->note = note_of(d, out);
    vec_release(&rows);
    plan_submit(app, p);
}

static void cmd_expire(struct app *app, const char *arg)
{
    static const struct object_change node = {.verb = "expire",
                                              .past = "expired",
                                              .method = "POST",
                                              .tail = "/expire",
                                              .body = "{}",
                                              .before = "key valid",
                                              .after = "expired; it must log in again",
                                              .risk = RISK_ASK,
                                              .undoable = true,
                                              .keeps_object = true,
                                              .expires = true};
    static const struct object_change key = {.verb = "expire",
                                             .past = "expired",
                                             .method = "POST",
                                             .tail = "/expire",
                                             .before = "valid",
                                             .after = "expired; it is no longer accepted",
                                             .risk = RISK_ASK,
                                             .keeps_object = true,
                                             .expires = true,
                                             .note = "an expired key cannot be renewed"};

    (void)arg;
    change_objects(app, commands_where(app) == IN_KEYS ? &key : &node);
}

static void cmd_delete(struct app *app, const char *arg)
{
    static const struct object_change change = {.verb = "delete",
                                                .past = "deleted",
                                                .method = "DELETE",
                                                .tail = "",
                                                .before = "exists",
                                                .risk = RISK_TYPE,
                                                .note = "this cannot be undone"};

    (void)arg;
    change_objects(app, &change);
}

static void cmd_reject(struct app *app, const char *arg)
{
    static const struct object_change change = {.verb = "reject",
                                                .past = "rejected",
                                                .method = "POST",
                                                .tail = "/reject",
                                                .before = "waits",
                                                .after = "rejected",
                                                .waiting = true,
                                                .risk = RISK_ASK,
                                                .note = "the user is told, and can ask again"};

    (void)arg;
    change_objects(app, &change);
}

/* ---- users: whether they may log in, and as whom ---- */

static const char *refuse_suspended(struct app *app, bool suspended, const char *why)
{
    struct rows rows = {0};
    size_t other = 0;

    whole_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++)
        other += rows.items[i]->kind == ROW_USER &&
                 (((const struct m_user *)rows.items[i])->api.suspended_ns != 0) != suspended;
    vec_release(&rows);
    return other ? NULL : why;
}

static const char *refuse_suspend(struct app *app)
{
    return refuse_suspended(app, true, "suspended already");
}

static const char *refuse_restore(struct app *app)
{
    return refuse_suspended(app, false, "not suspended");
}

static void cmd_suspend_user(struct app *app, const char *arg)
{
    static const struct object_change change = {.verb = "suspend",
                                                .past = "suspended",
                                                .method = "POST",
                                                .tail = "/suspended",
                                                .body = "{\"suspended\":true}",
                                                .before = "may log in",
                                                .after = "suspended: its nodes are logged out",
                                                .risk = RISK_ASK,
                                                .undoable = true,
                                                .keeps_object = true,
                                                .note =
                                                    "tagged nodes stay; logging in is refused until it is restored"};

    (void)arg;
    change_objects(app, &change);
}

static void cmd_restore_user(struct app *app, const char *arg)
{
    static const struct object_change change = {.verb = "restore",
                                                .past = "restored",
                                                .method = "POST",
                                                .tail = "/suspended",
                                                .body = "{\"suspended\":false}",
                                                .before = "suspended",
                                                .after = "may log in",
                                                .risk = RISK_ASK,
                                                .undoable = true,
                                                .keeps_object = true,
                                                .note = "its nodes have to log in again"};

    (void)arg;
    change_objects(app, &change);
}

enum { LINK_PROVIDER, LINK_SUBJECT, LINK_WHAT };

static void link_user(struct app *app)
{
    const struct m_user *u = model_find(&app->model, ROW_USER, app->dialog->row_key);
    const char *provider = form_value(app, LINK_PROVIDER), *subject = form_value(app, LINK_SUBJECT);
    bool on = str_eq(form_value(app, LINK_WHAT), "link");
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    if (!*provider || !*subject) {
        form_go(app, *provider ? LINK_SUBJECT : LINK_PROVIDER);
        app_flash(app, ROLE_WARN, "link: %s is needed", *provider ? "a subject" : "a provider");
        return;
    }
    if (!u) {
        app_flash(app, ROLE_WARN, "link: the user has been deleted");
        return;
    }
    json_open(&o, '{');
    json_put_str(&o, "provider", provider);
    json_put_str(&o, "subject", subject);
    json_put_bool(&o, "linked", on);
    json_close(&o, '}');
    struct plan *p = plan_new(RISK_ASK, on ? "link" : "unlink");
    char *who = mem_format("%s of %s", subject, provider);
    size_t call = plan_add_request(p, "POST", mem_format("/api/headway/users/%s/link", u->row.key), buf_take(&body),
                                   u->api.version, ROW_USER);
    p->undoable = true;
    plan_add_step(p, call, &u->row, NULL, who, on ? "not linked" : "logs in as the user",
                  on ? "logs in as the user" : "not linked");
    p->title = mem_format(on ? "link %s to %s" : "end the link of %s to %s", who, u->api.name);
    p->done = mem_format(on ? "%s linked to %s" : "%s no longer linked to %s", who, u->api.name);
    free(who);
    plan_submit(app, p);
}

static void cmd_link(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_USER || row->gone_ms) {
        app_flash(app, ROLE_WARN, "link: no user is selected");
        return;
    }
    char *title = mem_format("logins of %s", row_label(row));
    dialog_form(app, title, link_user);
    app->dialog->row_kind = ROW_USER;
    app->dialog->row_key = mem_strdup(row->key);
    form_add(app, "provider", "the name of an OpenID provider in the daemon's configuration", NULL, arg);
    form_add(app, "subject", "what the provider calls the person: the claim sub", NULL, "");
    form_add(app, "what", "link: a login there is one as this user; unlink: no longer", "link unlink", "link");
    free(title);
}

/* ---- rename ---- */

static void rename_row(struct app *app, struct row *row, const char *name)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    if (!*name) {
        dialog_refuse(app, "rename: a name is needed");
        return;
    }
    if (str_eq(name, row_label(row))) {
        app_flash(app, ROLE_INFO, "rename: nothing to change");
        return;
    }
    struct plan *p = plan_new(RISK_NONE, "rename");
    p->undoable = true;
    json_open(&o, '{');
    json_put_str(&o, "name", name);
    json_close(&o, '}');
    size_t call = plan_add_request(p, "POST", mem_format("/api/headway/%s/%s/rename", row_path(row->kind), row->key),
                                   buf_take(&body), row_version(row), row->kind);
    plan_add_step(p, call, row, NULL, row_label(row), row_label(row), name);
    p->title = mem_format("rename %s to %s", row_label(row), name);
    p->done = mem_format("%s renamed to %s", row_label(row), name);
    plan_submit(app, p);
}

static void renamed(struct app *app, const char *name)
{
    struct row *row = model_find(&app->model, app->dialog->row_kind, app->dialog->row_key);

    if (row)
        rename_row(app, row, name);
    else
        app_flash(app, ROLE_WARN, "it has been deleted");
}

/* ":rename OLD NEW": what is renamed always comes first. */
static bool takes_name(const struct app *app, const char *words)
{
    (void)app;
    (void)words;
    return false;
}

static void cmd_rename(struct app *app, const char *arg)
{
    struct row *row = app_node(app) ? &app_node(app)->row : app_list(app)->cursor;

    if (!row || (row->kind != ROW_NODE && row->kind != ROW_USER)) {
        app_flash(app, ROLE_WARN, "rename: only nodes and users have names");
        return;
    }
    if (*arg) {
        app_repeat_with(app, ""); /* the next one gets another name */
        rename_row(app, row, arg);
        return;
    }
    char *title = mem_format("rename %s", row_label(row));
    dialog_input(app, title, "Enter rename   Esc cancel", row_label(row), renamed);
    app->dialog->row_kind = row->kind;
    app->dialog->row_key = mem_strdup(row->key);
    free(title);
}

/* ---- letting a node in ---- */

static void admit_for(struct app *app, const char *waiting_key, const char *user_key)
{
    const struct m_pending *w = model_find(&app->model, ROW_PENDING, waiting_key);
    const struct m_user *u = model_find(&app->model, ROW_USER, user_key);

    if (!w || !u) {
        app_flash(app, ROLE_WARN, "%s no longer exists", w ? "the user" : "the registration");
        return;
    }
    app_repeat_with(app, u->api.name);
    struct plan *p = plan_new(RISK_NONE, "approve");
    char *after = mem_format("node of %s", u->api.name);
    size_t call = plan_add_request(p, "POST", mem_format("/api/headway/pending/%s/approve", w->row.key),
                                   mem_format("{\"user\":\"%s\"}", u->row.key), 0, ROW_NODE);
    plan_add_step(p, call, &w->row, NULL, w->api.hostname, "waits", after);
    p->title = mem_format("approve %s as a node of %s", w->api.hostname, u->api.name);
    p->done = mem_format("%s approved as a node of %s", w->api.hostname, u->api.name);
    free(after);
    plan_submit(app, p);
}

static void admitted(struct app *app, const char *user_key)
{
    admit_for(app, app->dialog->row_key, user_key);
}

static const char *user_named(struct app *app, const char *name)
{
    const struct row_table *t = model_table(&app->model, ROW_USER);

    for (size_t i = 0; i < t->rows.len; i++)
        if (!t->rows.items[i]->gone_ms && str_eq(((const struct m_user *)t->rows.items[i])->api.name, name))
            return t->rows.items[i]->key;
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strverscmp((*(struct m_user *const *)a)->api.name, (*(struct m_user *const *)b)->api.name);
}

void admit(struct app *app, const char *user)
{
    const struct row *row = app_list(app)->cursor;
    const struct row_table *t = model_table(&app->model, ROW_USER);
    struct buf text = BUF_INIT(0);
    char waits[AGO_MAX];
    VEC(struct m_user *) users = {0};

    if (!row || row->kind != ROW_PENDING || row->gone_ms)
        return;
    const char *why = app_why_not_write(app);
    if (why) {
        app_flash(app, ROLE_WARN, "approve: %s", why);
        return;
    }
    if (*user) {
        if (user_named(app, user))
            admit_for(app, row->key, user_named(app, user));
        else
            app_flash(app, ROLE_WARN, "approve: there is no user '%s'", user);
        return;
    }
    const struct m_pending *p = (const struct m_pending *)row;
    dialog_choice(app, "approve a new node", "Enter approve for this user   Esc cancel", admitted);
    app->dialog->label = "user: ";
    app->dialog->row_kind = ROW_PENDING;
    app->dialog->row_key = mem_strdup(row->key);
    struct buf client = BUF_INIT(0);
    pending_client(p, &client);
    buf_addf(&text, "host\t%s\n", p->api.hostname);
    buf_addf(&text, "client\t%s, waiting for %s\n", buf_text(&client),
             span_text(app->at.now_ns - p->api.created_ns, waits));
    buf_release(&client);
    buf_addf(&text, "auth id\t%s\n", row->key);
    buf_adds(&text, "!compare it with the one on the user's own screen\n");
    for (size_t i = 0; i < p->api.request_tags.len; i++)
        buf_addf(&text, "asks for\t%s\n", p->api.request_tags.items[i]);
    app->dialog->text = buf_take(&text);
    for (size_t i = 0; i < t->rows.len; i++)
        if (!t->rows.items[i]->gone_ms)
            vec_push(&users, (struct m_user *)t->rows.items[i]);
    if (users.len > 1)
        qsort(users.items, users.len, sizeof(*users.items), by_name);
    for (size_t i = 0; i < users.len; i++)
        dialog_add_choice(app, users.items[i]->row.key, users.items[i]->api.name);
    vec_release(&users);
    if (!app->dialog->choices.len) {
        dialog_close(app);
        app_flash(app, ROLE_WARN, "no users yet: {users} {new} creates one");
    }
}

static bool takes_user(const struct app *app, const char *words)
{
    return !names_row(app, ROW_PENDING, words);
}

static void cmd_admit(struct app *app, const char *arg)
{
    admit(app, arg);
}

static const struct console_command commands[] = {
    {.name = "admit",
     .keys = "a",
     .hint = "approve",
     .help = "approve the node for a user of your choice",
     .args = "[NAME] [USER]",
     .takes = takes_user,
     .where = IN_PENDING,
     .needs = CHANGE,
     .risk = RISK_ASK,
     .rank = 2,
     .run = cmd_admit},
    {.name = "reject",
     .keys = "x",
     .hint = "reject",
     .help = "reject the registration",
     .where = IN_PENDING,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 3,
     .run = cmd_reject},
    {.name = "expire",
     .keys = "x",
     .hint = "expire",
     .help = "expire the node's key, or the pre-auth or API key",
     .where = IN_NODES | IN_KEYS,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 6,
     .run = cmd_expire},
    {.name = "suspend-user",
     .keys = "x",
     .hint = "suspend",
     .help = "suspend the user: its nodes are logged out and it cannot log in",
     .where = IN_USERS,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 4,
     .run = cmd_suspend_user,
     .refuse = refuse_suspend},
    {.name = "restore-user",
     .keys = "a",
     .hint = "restore",
     .help = "let the suspended user log in again",
     .where = IN_USERS,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 5,
     .run = cmd_restore_user,
     .refuse = refuse_restore},
    {.name = "link",
     .keys = "i",
     .hint = "link",
     .help = "link the user to whom an OpenID provider knows, or end that",
     .args = "[NAME] [PROVIDER]",
     .takes = takes_name,
     .where = IN_USERS,
     .needs = CHANGE,
     .risk = RISK_ASK,
     .rank = 6,
     .run = cmd_link},
    {.name = "rename",
     .keys = "n",
     .hint = "rename",
     .help = "rename it",
     .args = "[NAME] [NEW NAME]",
     .takes = takes_name,
     .where = IN_NODES | IN_NODE | IN_USERS,
     .needs = CHANGE,
     .rank = 7,
     .run = cmd_rename},
    {.name = "delete",
     .keys = "d Del",
     .hint = "delete",
     .help = "delete it permanently",
     .where = IN_NODES | IN_NODE | IN_USERS | IN_KEYS | IN_CLIENTS | IN_WEBHOOKS,
     .needs = CHANGES,
     .risk = RISK_TYPE,
     .rank = 9,
     .run = cmd_delete},
};

const struct command_table object_change_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
