/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/tailnet/logins.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "console/model/columns.h"

static const struct api_identity *login_of(const struct row *row)
{
    return &((const struct m_login *)row)->api;
}

static const char *state_word(const struct api_identity *i)
{
    return *i->trouble ? "trouble" : i->login_ns ? "ok" : "linked";
}

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct api_identity *i = login_of(row);

    (void)at;
    out->glyph = (int)(*i->trouble ? GLYPH_UNHEALTHY : i->login_ns ? GLYPH_ONLINE : GLYPH_OFFLINE);
}

static void fill_groups(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct buf b = BUF_INIT(0);

    (void)at;
    form_words(&login_of(row)->groups, &b);
    str_copy(out->text, sizeof(out->text), b.len ? b.data : "-");
    buf_release(&b);
}

/* When the provider last confirmed it without the person; "-": it is not asked. */
static void fill_refreshed(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct api_identity *i = login_of(row);
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text),
             *i->trouble    ? "trouble"
             : i->refreshes ? ago_text(i->refreshed_ns, at->now_ns, text)
                            : "-");
    out->role = *i->trouble ? ROLE_BAD : ROLE_TIME;
}

FILL(fill_user, m_login, o->api.user, ROLE_USER)
FILL(fill_provider, m_login, o->api.provider, ROLE_TEXT)
FILL(fill_subject, m_login, o->api.subject, ROLE_NAME)
FILL_AGO(fill_login, m_login, login_ns)
BY(by_user, m_login, strverscmp(p->api.user, q->api.user))
BY(by_provider, m_login, strverscmp(p->api.provider, q->api.provider))
BY(by_subject, m_login, strverscmp(p->api.subject, q->api.subject))
BY(by_login, m_login, COMPARE(q->api.login_ns, p->api.login_ns))

static const struct list_column columns[] = {
    {.title = "S", .key = "sign", .least = 1, .wish = 1, .fill = fill_sign},
    {.title = "USER", .key = "user", .least = 10, .wish = 14, .share = 1, .fill = fill_user, .compare = by_user},
    {.title = "PROVIDER",
     .key = "provider",
     .least = 8,
     .wish = 10,
     .rank = 1,
     .fill = fill_provider,
     .compare = by_provider},
    {.title = "SUBJECT",
     .key = "subject",
     .name = true,
     .least = 14,
     .wish = 20,
     .share = 2,
     .fill = fill_subject,
     .compare = by_subject},
    {.title = "LOGIN", .key = "login", .least = 7, .wish = 8, .rank = 2, .fill = fill_login, .compare = by_login},
    {.title = "REFRESHED", .key = "refreshed", .least = 9, .wish = 9, .rank = 3, .fill = fill_refreshed},
    {.title = "GROUPS", .key = "groups", .least = 10, .wish = 16, .share = 2, .rank = 4, .fill = fill_groups},
};

static void words(const struct row *row, struct buf *out)
{
    const struct api_identity *i = login_of(row);

    buf_addf(out, "%s %s %s %s %s %s ", i->user, i->provider, i->issuer, i->subject, i->trouble, state_word(i));
    form_words(&i->groups, out);
}

static void user_text(const struct row *row, struct buf *out)
{
    buf_adds(out, login_of(row)->user);
}

static void provider_text(const struct row *row, struct buf *out)
{
    buf_adds(out, login_of(row)->provider);
}

static void group_text(const struct row *row, struct buf *out)
{
    form_words(&login_of(row)->groups, out);
}

static void state_text(const struct row *row, struct buf *out)
{
    buf_adds(out, state_word(login_of(row)));
}

static int64_t login_ns(const struct row *row)
{
    return login_of(row)->login_ns;
}

static const struct filter_field fields[] = {
    {"user", FILTER_TEXT, user_text, NULL},   {"provider", FILTER_TEXT, provider_text, NULL},
    {"group", FILTER_TEXT, group_text, NULL}, {"is", FILTER_STATE, state_text, NULL},
    {"login", FILTER_SINCE, NULL, login_ns},
};

static void collect(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_LOGIN);
}

const struct list_def logins_def = {
    .noun = "logins",
    .one = "login",
    .empty = "no OpenID provider knows anybody: {users} {link} links a user",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words, .states = "ok linked trouble"},
    .sort = 1,
    .kinds = 1U << ROW_LOGIN,
    .collect = collect,
};

const struct asked_rows logins_asked = {
    .kind = ROW_LOGIN, .path = "/api/headway/identities", .decode = decode_logins, .object = "user"};

/* ---- why ---- */

void login_why(const struct app *app, const struct m_login *row, struct buf *out)
{
    const struct api_identity *i = &row->api;
    char text[AGO_MAX];

    buf_addf(out, "#%s of %s is user %s\nissuer\t%s\n", i->subject, i->provider, i->user, i->issuer);
    buf_addf(out, "known\tfor %s\n", span_text(app->at.now_ns - i->created_ns, text));
    if (i->login_ns)
        buf_addf(out, "logged in\t%s ago\n", span_text(app->at.now_ns - i->login_ns, text));
    else
        buf_adds(out, "logged in\tnever: an administrator linked it\n");
    if (!i->refreshes)
        buf_adds(out, "refreshed\tno: the provider gave no refresh token\n");
    else if (i->refreshed_ns)
        buf_addf(out, "refreshed\t%s ago: the provider still knew the person\n",
                 span_text(app->at.now_ns - i->refreshed_ns, text));
    else
        buf_adds(out, "refreshed\tnot yet\n");
    if (*i->trouble)
        buf_addf(out, "!the provider did not answer: %s\n", i->trouble);
    for (size_t k = 0; k < i->groups.len; k++)
        buf_addf(out, "group\t%s\n", i->groups.items[k]);
    if (i->groups_ns)
        buf_addf(out, "groups\tas the provider said %s ago\n", span_text(app->at.now_ns - i->groups_ns, text));
    else
        buf_adds(out, "groups\tthe provider said none\n");
}

void logins_of_user(const struct app *app, uint64_t user_id, struct buf *out)
{
    const struct row_table *t = model_table(&app->model, ROW_LOGIN);
    char text[AGO_MAX];

    for (size_t k = 0; k < t->rows.len; k++) {
        const struct api_identity *i = login_of(t->rows.items[k]);

        if (t->rows.items[k]->gone_ms || i->user_id != user_id)
            continue;
        buf_addf(out, "known as\t%s of %s, ", i->subject, i->provider);
        if (i->login_ns)
            buf_addf(out, "logged in %s ago\n", span_text(app->at.now_ns - i->login_ns, text));
        else
            buf_adds(out, "never logged in\n");
    }
}

/* ---- ending a link ---- */

static void add_unlink(struct plan *p, const struct m_login *row)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    json_open(&o, '{');
    json_put_str(&o, "provider", row->api.provider);
    json_put_str(&o, "subject", row->api.subject);
    json_put_bool(&o, "linked", false);
    json_close(&o, '}');
    char *path = mem_format("/api/headway/users/%llu/link", (unsigned long long)row->api.user_id);
    size_t call = plan_add_request(p, "POST", path, buf_take(&body), 0, ROW_USER);
    char *what = row_title(&row->row), *before = mem_format("logs in as %s", row->api.user);
    plan_add_step(p, call, &row->row, NULL, what, before, "logs in as nobody");
    free(what);
    free(before);
}

static void cmd_unlink(struct app *app, const char *arg)
{
    struct rows rows = {0};

    (void)arg;
    app_targets(app, &rows);
    for (size_t i = rows.len; i-- > 0;)
        if (rows.items[i]->gone_ms)
            vec_remove(&rows, i);
    if (!rows.len) {
        app_flash(app, ROLE_WARN, "unlink: it has ended already");
        return;
    }
    struct plan *p = plan_new(RISK_ASK, "unlink");
    p->undoable = true;
    for (size_t i = 0; i < rows.len; i++)
        add_unlink(p, (const struct m_login *)rows.items[i]);
    if (rows.len == 1) {
        char *what = row_title(rows.items[0]);

        p->title = mem_format("end the link of %s to user %s", what, login_of(rows.items[0])->user);
        p->done = mem_format("%s is no longer linked to %s", what, login_of(rows.items[0])->user);
        free(what);
    } else {
        p->title = mem_format("end %zu links of logins to users", rows.len);
        p->done = mem_format("%zu logins are no longer linked", rows.len);
    }
    p->note = mem_strdup("groups that the provider said go; nodes of the user stay");
    vec_release(&rows);
    plan_submit(app, p);
}

static const struct console_command commands[] = {
    {.name = "unlink",
     .keys = "d Del",
     .hint = "unlink",
     .help = "end the link of the login to its user",
     .where = IN_LOGINS,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 3,
     .run = cmd_unlink},
};

const struct command_table login_commands = {.items = commands, .len = ARRAY_LEN(commands)};
