/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/tailnet/clients.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "console/model/columns.h"

enum { DESCRIPTION, SCOPES, TAGS };

static const struct api_oauth_client *client_of(const struct row *row)
{
    return &((const struct m_oauth_client *)row)->api;
}

/* ---- the list ---- */

static void fill_words(const struct strs *words, enum role role, struct list_field *out)
{
    struct buf b = BUF_INIT(0);

    form_words(words, &b);
    str_copy(out->text, sizeof(out->text), b.len ? b.data : "-");
    out->role = role;
    buf_release(&b);
}

static void fill_scopes(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    fill_words(&client_of(row)->scopes, ROLE_TEXT, out);
}

static void fill_tags(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    fill_words(&client_of(row)->tags, ROLE_TAG, out);
}

FILL(fill_id, m_oauth_client, o->api.client_id, ROLE_NAME)
FILL(fill_description, m_oauth_client, *o->api.description ? o->api.description : "-", ROLE_TEXT)
FILL_AGO(fill_created, m_oauth_client, created_ns)
FILL_AGO(fill_seen, m_oauth_client, last_seen_ns)
BY(by_id, m_oauth_client, strcmp(p->api.client_id, q->api.client_id))
BY(by_description, m_oauth_client, strverscmp(p->api.description, q->api.description))
BY(by_created, m_oauth_client, COMPARE(q->api.created_ns, p->api.created_ns))
BY(by_seen, m_oauth_client, COMPARE(q->api.last_seen_ns, p->api.last_seen_ns))

static const struct list_column columns[] = {
    {.title = "CLIENT", .key = "id", .least = 12, .wish = 12, .fill = fill_id, .compare = by_id},
    {.title = "DESCRIPTION",
     .key = "description",
     .least = 11,
     .wish = 20,
     .share = 2,
     .rank = 1,
     .fill = fill_description,
     .compare = by_description},
    {.title = "SCOPES", .key = "scopes", .least = 12, .wish = 24, .share = 2, .rank = 2, .fill = fill_scopes},
    {.title = "TAGS", .key = "tags", .least = 8, .wish = 12, .share = 1, .rank = 5, .fill = fill_tags},
    {.title = "CREATED",
     .key = "created",
     .least = 7,
     .wish = 7,
     .rank = 4,
     .fill = fill_created,
     .compare = by_created},
    {.title = "LAST USED", .key = "seen", .least = 9, .wish = 9, .rank = 3, .fill = fill_seen, .compare = by_seen},
};

static void words(const struct row *row, struct buf *out)
{
    const struct api_oauth_client *c = client_of(row);

    buf_addf(out, "%s %s %s ", row->key, c->client_id, c->description);
    form_words(&c->scopes, out);
    buf_addc(out, ' ');
    form_words(&c->tags, out);
}

static void scopes_text(const struct row *row, struct buf *out)
{
    form_words(&client_of(row)->scopes, out);
}

static void tags_text(const struct row *row, struct buf *out)
{
    form_words(&client_of(row)->tags, out);
}

static int64_t seen_ns(const struct row *row)
{
    return client_of(row)->last_seen_ns;
}

static const struct filter_field fields[] = {
    {"scope", FILTER_TEXT, scopes_text, NULL},
    {"tag", FILTER_TEXT, tags_text, NULL},
    {"seen", FILTER_SINCE, NULL, seen_ns},
};

static void collect(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_OAUTH_CLIENT);
}

const struct list_def oauth_clients_def = {
    .noun = "OAuth clients",
    .one = "OAuth client",
    .empty = "no OAuth clients: {new} creates one, for programs that need a few rights",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words},
    .sort = 1,
    .kinds = 1U << ROW_OAUTH_CLIENT,
    .collect = collect,
};

const struct asked_rows oauth_clients_asked = {.kind = ROW_OAUTH_CLIENT,
                                               .path = "/api/headway/oauth-clients",
                                               .decode = decode_oauth_clients,
                                               .object = "oauthclient"};

/* ---- making and changing one ---- */

/* The body of both requests; NULL after a complaint. */
static char *read_form(struct app *app)
{
    const char *scopes = form_value(app, SCOPES);
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    if (!scopes[strspn(scopes, " ,")]) {
        form_complain(app, SCOPES, "an OAuth client needs at least one scope, such as devices:core or all:read");
        return NULL;
    }
    json_open(&o, '{');
    json_put_str(&o, "description", form_value(app, DESCRIPTION));
    form_put_words(&o, "scopes", scopes, NULL);
    form_put_words(&o, "tags", form_value(app, TAGS), "tag:");
    json_close(&o, '}');
    return buf_take(&body);
}

static void make(struct app *app)
{
    const char *what = form_value(app, DESCRIPTION);
    char none[] = "", *body = read_form(app);
    const struct row row = {.kind = ROW_OAUTH_CLIENT, .key = none};

    if (!body)
        return;
    struct plan *p = plan_new(RISK_NONE, "new");
    p->undoable = true;
    size_t call = plan_add_request(p, "POST", mem_strdup("/api/headway/oauth-clients"), body, 0, ROW_OAUTH_CLIENT);
    p->title = mem_strdup("create an OAuth client");
    p->done = mem_format("new OAuth client%s%s", *what ? " for " : "", what);
    plan_add_step(p, call, &row, NULL, p->title, "-", "exists");
    plan_submit(app, p);
}

static void add_fields(struct app *app, const char *description, const char *scopes, const char *tags)
{
    form_add(app, "description", "what it is for", NULL, description);
    form_add(app, "scopes", "what its tokens may do: devices:core, auth_keys, policy_file, dns, all:read, ...", NULL,
             scopes);
    form_add(app, "tags", "what nodes and keys that it makes may carry; devices:core and auth_keys need some", NULL,
             tags);
}

void oauth_client_form(struct app *app, const char *description)
{
    dialog_form(app, "new OAuth client", make);
    add_fields(app, description, "", "");
}

static void change(struct app *app)
{
    const struct m_oauth_client *row = model_find(&app->model, ROW_OAUTH_CLIENT, app->dialog->row_key);
    const struct api_oauth_client *c = row ? &row->api : NULL;
    const char *now[] = {form_value(app, DESCRIPTION), form_value(app, SCOPES), form_value(app, TAGS)};
    static const char *const labels[] = {"description", "scopes", "tags"};
    struct buf scopes = BUF_INIT(0), tags = BUF_INIT(0);

    if (!c) {
        app_flash(app, ROLE_WARN, "change: the OAuth client has been deleted");
        return;
    }
    char *body = read_form(app);
    if (!body)
        return;
    form_words(&c->scopes, &scopes);
    form_words(&c->tags, &tags);
    const char *was[] = {c->description, buf_text(&scopes), buf_text(&tags)};
    struct plan *p = plan_new(RISK_ASK, "change");
    p->undoable = true;
    size_t call = plan_add_request(p, "PUT", mem_format("/api/headway/oauth-clients/%s", row->row.key), body,
                                   c->version, ROW_OAUTH_CLIENT);
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        if (!str_eq(was[i], now[i]))
            plan_add_step(p, call, &row->row, NULL, labels[i], *was[i] ? was[i] : "none", *now[i] ? now[i] : "none");
    buf_release(&scopes);
    buf_release(&tags);
    if (!p->steps.len) {
        app_flash(app, ROLE_INFO, "change: nothing to change");
        plan_free(p);
        dialog_close(app);
        return;
    }
    p->title = mem_format("change OAuth client %s", c->client_id);
    p->done = mem_format("OAuth client %s changed", c->client_id);
    p->note = mem_strdup("its access tokens end: programs fetch new ones");
    plan_submit(app, p);
}

void oauth_client_edit_form(struct app *app, const struct m_oauth_client *row)
{
    struct buf scopes = BUF_INIT(0), tags = BUF_INIT(0);
    char *title = mem_format("change OAuth client %s", row->api.client_id);

    form_words(&row->api.scopes, &scopes);
    form_words(&row->api.tags, &tags);
    dialog_form(app, title, change);
    app->dialog->row_kind = ROW_OAUTH_CLIENT;
    app->dialog->row_key = mem_strdup(row->row.key);
    mem_replace(&app->dialog->note, "Enter change   Tab next field   Esc cancel");
    add_fields(app, row->api.description, buf_text(&scopes), buf_text(&tags));
    buf_release(&scopes);
    buf_release(&tags);
    free(title);
}

/* ---- why ---- */

void oauth_client_why(const struct app *app, const struct m_oauth_client *row, struct buf *out)
{
    const struct api_oauth_client *c = &row->api;
    char text[AGO_MAX];

    buf_addf(out, "#OAuth client %s\n", c->client_id);
    if (*c->description)
        buf_addf(out, "description\t%s\n", c->description);
    buf_addf(out, "created\t%s ago\n", span_text(app->at.now_ns - c->created_ns, text));
    if (c->last_seen_ns)
        buf_addf(out, "last used\t%s ago\n", span_text(app->at.now_ns - c->last_seen_ns, text));
    else
        buf_adds(out, "last used\tnever: it fetched no access token\n");
    for (size_t i = 0; i < c->scopes.len; i++)
        buf_addf(out, "scope\t%s\n", c->scopes.items[i]);
    for (size_t i = 0; i < c->tags.len; i++)
        buf_addf(out, "tag\t%s\n", c->tags.items[i]);
    if (!c->tags.len)
        buf_adds(out, "tags\tnone\n");
}
