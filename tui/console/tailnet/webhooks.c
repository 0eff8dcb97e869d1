/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/tailnet/webhooks.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "console/model/columns.h"

enum { URL, RECEIVER, EVENTS };

#define PANE_ROWS 7

static const char themselves[] = "plain"; /* no chat service: it takes the events themselves */

static const struct api_webhook *webhook_of(const struct row *row)
{
    return &((const struct m_webhook *)row)->api;
}

/* ---- the list ---- */

static const char *state_word(const struct api_webhook *w)
{
    return w->failing ? "failing" : w->delivered_ns ? "ok" : "new";
}

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct api_webhook *w = webhook_of(row);

    (void)at;
    out->glyph = (int)(w->failing ? GLYPH_UNHEALTHY : w->delivered_ns ? GLYPH_ONLINE : GLYPH_OFFLINE);
}

/* The URL of a chat service is a secret: whoever has it can write there. */
static void put_url(const struct api_webhook *w, struct buf *out)
{
    if (*w->provider) {
        char *host = webhook_host(w->url);

        buf_addf(out, "%s, for %s", host, w->provider);
        free(host);
    } else {
        buf_adds(out, w->url);
    }
}

static void fill_url(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct buf b = BUF_INIT(0);

    (void)at;
    put_url(webhook_of(row), &b);
    str_copy(out->text, sizeof(out->text), buf_text(&b));
    out->role = ROLE_NAME;
    buf_release(&b);
}

static void fill_events(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    struct buf b = BUF_INIT(0);

    (void)at;
    form_words(&webhook_of(row)->subscriptions, &b);
    str_copy(out->text, sizeof(out->text), b.len ? b.data : "-");
    buf_release(&b);
}

/* How long it has failed, or that it does not. */
static void fill_state(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct api_webhook *w = webhook_of(row);
    char span[AGO_MAX];

    if (w->failing)
        snprintf(out->text, sizeof(out->text), "failing %s", span_text(at->now_ns - w->failing_ns, span));
    else
        str_copy(out->text, sizeof(out->text), w->delivered_ns ? "ok" : "no delivery");
    out->role = w->failing ? ROLE_BAD : w->delivered_ns ? ROLE_OK : ROLE_FAINT;
}

static void fill_next(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct api_webhook *w = webhook_of(row);
    char span[AGO_MAX];

    if (!w->next_ns)
        str_copy(out->text, sizeof(out->text), "-");
    else if (w->next_ns <= at->now_ns)
        str_copy(out->text, sizeof(out->text), "now");
    else
        snprintf(out->text, sizeof(out->text), "in %s", span_text(w->next_ns - at->now_ns, span));
    out->role = ROLE_TIME;
}

static void fill_dropped(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)webhook_of(row)->dropped);
    out->role = webhook_of(row)->dropped ? ROLE_WARN : ROLE_FAINT;
}

FILL(fill_id, row, o->key, ROLE_FAINT)
FILL_AGO(fill_delivered, m_webhook, delivered_ns)
BY(by_id, row, strverscmp(p->key, q->key))
BY(by_url, m_webhook, strcmp(p->host, q->host))
BY(by_state, m_webhook, COMPARE(q->api.failing, p->api.failing))
BY(by_delivered, m_webhook, COMPARE(q->api.delivered_ns, p->api.delivered_ns))
BY(by_dropped, m_webhook, COMPARE(q->api.dropped, p->api.dropped))

static const struct list_column columns[] = {
    {.title = "S", .key = "sign", .least = 1, .wish = 1, .fill = fill_sign},
    {.title = "ID", .key = "id", .least = 3, .wish = 3, .rank = 5, .fill = fill_id, .compare = by_id},
    {.title = "URL",
     .key = "url",
     .name = true,
     .least = 18,
     .wish = 28,
     .share = 3,
     .fill = fill_url,
     .compare = by_url},
    {.title = "EVENTS", .key = "events", .least = 12, .wish = 24, .share = 2, .rank = 3, .fill = fill_events},
    {.title = "STATE", .key = "state", .least = 11, .wish = 11, .fill = fill_state, .compare = by_state},
    {.title = "DELIVERED",
     .key = "delivered",
     .least = 9,
     .wish = 9,
     .rank = 1,
     .fill = fill_delivered,
     .compare = by_delivered},
    {.title = "NEXT TRY", .key = "next", .least = 8, .wish = 8, .rank = 2, .fill = fill_next},
    {.title = "DROPPED",
     .key = "dropped",
     .least = 7,
     .wish = 7,
     .right = true,
     .rank = 4,
     .fill = fill_dropped,
     .compare = by_dropped},
};

static void words(const struct row *row, struct buf *out)
{
    const struct api_webhook *w = webhook_of(row);

    buf_addf(out, "%s %s %s %s %s ", row->key, ((const struct m_webhook *)row)->host, w->provider, state_word(w),
             w->trouble);
    form_words(&w->subscriptions, out);
}

static void events_text(const struct row *row, struct buf *out)
{
    form_words(&webhook_of(row)->subscriptions, out);
}

static void state_text(const struct row *row, struct buf *out)
{
    buf_adds(out, state_word(webhook_of(row)));
}

static int64_t delivered_ns(const struct row *row)
{
    return webhook_of(row)->delivered_ns;
}

static const struct filter_field fields[] = {
    {"event", FILTER_TEXT, events_text, NULL},
    {"is", FILTER_STATE, state_text, NULL},
    {"delivered", FILTER_SINCE, NULL, delivered_ns},
};

static void collect(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_WEBHOOK);
}

static const struct list_def webhooks_def = {
    .noun = "webhooks",
    .one = "webhook",
    .empty = "no webhooks: {new} creates one, which tells another server what happens",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words, .states = "failing ok new"},
    .sort = 2,
    .kinds = 1U << ROW_WEBHOOK,
    .collect = collect,
};

static const struct asked_rows asked = {
    .kind = ROW_WEBHOOK, .path = "/api/headway/webhooks", .decode = decode_webhooks, .object = "webhook"};

/* ---- how deliveries go ---- */

/* Of the last try, and the next one; its lines are LABEL TAB TEXT. */
static void put_deliveries(const struct api_webhook *w, int64_t now_ns, struct buf *out)
{
    char span[AGO_MAX];

    if (!w->tried_ns)
        buf_adds(out, "last try\tnone yet");
    else if (w->failing)
        buf_addf(out, "last try\t%s ago: %s", span_text(now_ns - w->tried_ns, span),
                 *w->trouble ? w->trouble : "it failed");
    else
        buf_addf(out, "last try\t%s ago: delivered", span_text(now_ns - w->tried_ns, span));
    if (w->status)
        buf_addf(out, " (HTTP status %llu)", (unsigned long long)w->status);
    buf_adds(out, "\nfailing\t");
    if (w->failing)
        buf_addf(out, "for %s, %llu tr%s in a row; ", span_text(now_ns - w->failing_ns, span),
                 (unsigned long long)w->failures, w->failures == 1 ? "y" : "ies");
    else
        buf_adds(out, "no");
    if (w->failing && w->next_ns > now_ns)
        buf_addf(out, "next try in %s", span_text(w->next_ns - now_ns, span));
    else if (w->failing)
        buf_adds(out, "it is tried again now");
    buf_addf(out, "\ndelivered\t%llu event%s", (unsigned long long)w->delivered, w->delivered == 1 ? "" : "s");
    if (w->delivered_ns)
        buf_addf(out, ", the last %s ago", span_text(now_ns - w->delivered_ns, span));
    if (w->dropped)
        buf_addf(out, "; %llu dropped: too old or too many", (unsigned long long)w->dropped);
    buf_addc(out, '\n');
}

static void pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf text = BUF_INIT(0);

    if (!row || row->kind != ROW_WEBHOOK)
        return;
    const struct api_webhook *w = webhook_of(row);
    command_section(app, c, at, ((const struct m_webhook *)row)->host,
                    "{test} test, {change} change, {rotate} new secret");
    buf_adds(&text, "url\t");
    put_url(w, &text);
    buf_adds(&text, "\nevents\t");
    form_words(&w->subscriptions, &text);
    buf_addc(&text, '\n');
    put_deliveries(w, app->at.now_ns, &text);
    dialog_draw_text(c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, buf_text(&text), 0);
    buf_release(&text);
}

void webhook_why(const struct app *app, const struct m_webhook *row, struct buf *out)
{
    const struct api_webhook *w = &row->api;
    char span[AGO_MAX];

    buf_addf(out, "#webhook %s is %s\nurl\t", row->row.key, state_word(w));
    put_url(w, out);
    buf_addf(out, "\ncreated\t%s ago%s%s\n", span_text(app->at.now_ns - w->created_ns, span), *w->creator ? " by " : "",
             w->creator);
    for (size_t i = 0; i < w->subscriptions.len; i++)
        buf_addf(out, "event\t%s\n", w->subscriptions.items[i]);
    put_deliveries(w, app->at.now_ns, out);
}

/* ---- changes ---- */

/* Puts the events into the body; false after a complaint. */
static bool put_events(struct app *app, struct json_out *o, int field)
{
    const char *text = form_value(app, field);

    if (!text[strspn(text, " ,")]) {
        form_complain(app, field, "a webhook needs at least one type of events, such as categoryTailnetManagement");
        return false;
    }
    form_put_words(o, "subscriptions", text, NULL);
    return true;
}

static void make(struct app *app)
{
    const char *url = form_value(app, URL), *receiver = form_value(app, RECEIVER);
    char none[] = "";
    const struct row row = {.kind = ROW_WEBHOOK, .key = none};
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    if (!*url) {
        form_complain(app, URL, "a webhook needs the URL that events are sent to");
        return;
    }
    json_open(&o, '{');
    json_put_str(&o, "endpointUrl", url);
    json_put_str(&o, "providerType", str_eq(receiver, themselves) ? "" : receiver);
    if (!put_events(app, &o, EVENTS)) {
        buf_release(&body);
        return;
    }
    json_close(&o, '}');
    char *host = webhook_host(url);
    struct plan *p = plan_new(RISK_NONE, "new");
    p->undoable = true;
    size_t call = plan_add_request(p, "POST", mem_strdup("/api/headway/webhooks"), buf_take(&body), 0, ROW_WEBHOOK);
    p->title = mem_format("create a webhook to %s", host);
    p->done = mem_format("new webhook to %s: the secret of its signatures", host);
    free(host);
    plan_add_step(p, call, &row, NULL, p->title, "-", "exists");
    plan_submit(app, p);
}

static void add_events_field(struct app *app, const char *events)
{
    form_add(app, "events",
             "categoryTailnetManagement, categoryDeviceMisconfigurations, categoryRoutes, or types of events of "
             "headway-api(7)",
             NULL, events);
}

void webhook_form(struct app *app, const char *url)
{
    dialog_form(app, "new webhook", make);
    form_add(app, "url", "https://HOST/PATH that events are posted to", NULL, url);
    form_add(app, "receiver", "plain: signed JSON; or the chat service that it is of",
             "plain slack mattermost googlechat discord", themselves);
    add_events_field(app, "categoryTailnetManagement");
}

static void change(struct app *app)
{
    const struct m_webhook *row = model_find(&app->model, ROW_WEBHOOK, app->dialog->row_key);
    struct buf body = BUF_INIT(0), was = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    if (!row) {
        app_flash(app, ROLE_WARN, "change: the webhook has been deleted");
        return;
    }
    json_open(&o, '{');
    if (!put_events(app, &o, 0)) {
        buf_release(&body);
        return;
    }
    json_close(&o, '}');
    form_words(&row->api.subscriptions, &was);
    struct plan *p = plan_new(RISK_NONE, "change");
    p->undoable = true;
    size_t call = plan_add_request(p, "PUT", mem_format("/api/headway/webhooks/%s", row->row.key), buf_take(&body),
                                   row->api.version, ROW_WEBHOOK);
    plan_add_step(p, call, &row->row, NULL, row->host, buf_text(&was), form_value(app, 0));
    p->title = mem_format("change what the webhook to %s is told of", row->host);
    p->done = mem_format("webhook to %s changed", row->host);
    buf_release(&was);
    plan_submit(app, p);
}

void webhook_edit_form(struct app *app, const struct m_webhook *row)
{
    struct buf events = BUF_INIT(0);
    char *title = mem_format("events of the webhook to %s", row->host);

    form_words(&row->api.subscriptions, &events);
    dialog_form(app, title, change);
    app->dialog->row_kind = ROW_WEBHOOK;
    app->dialog->row_key = mem_strdup(row->row.key);
    mem_replace(&app->dialog->note, "Enter change   Esc cancel");
    add_events_field(app, buf_text(&events));
    buf_release(&events);
    free(title);
}

/* What is done to the one under the cursor by POST, without a body. */
static void post(struct app *app, const char *tail, struct plan *p, const char *before, const char *after)
{
    const struct m_webhook *row = (const struct m_webhook *)app_list(app)->cursor;
    char *path = mem_format("/api/headway/webhooks/%s/%s", row->row.key, tail);
    size_t call = plan_add_request(p, "POST", path, mem_strdup("{}"), row->api.version, ROW_WEBHOOK);

    plan_add_step(p, call, &row->row, NULL, row->host, before, after);
    plan_submit(app, p);
}

static const char *refuse_gone(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    return row && row->gone_ms ? "it has been deleted" : NULL;
}

static void cmd_test(struct app *app, const char *arg)
{
    const struct m_webhook *row = (const struct m_webhook *)app_list(app)->cursor;
    struct plan *p = plan_new(RISK_NONE, "test");

    (void)arg;
    p->title = mem_format("send a test event to %s", row->host);
    p->done = mem_format("a test event goes to %s: the list shows how that went", row->host);
    post(app, "test", p, "-", "a test event is sent");
}

static void cmd_rotate(struct app *app, const char *arg)
{
    const struct m_webhook *row = (const struct m_webhook *)app_list(app)->cursor;
    struct plan *p = plan_new(RISK_ASK, "rotate");

    (void)arg;
    p->title = mem_format("new secret for the webhook to %s", row->host);
    p->done = mem_format("the webhook to %s has a new secret", row->host);
    p->note =
        mem_strdup("the receiver must know the new one: deliveries are signed with it from now on; this cannot be "
                   "undone");
    post(app, "rotate", p, "signed with the secret it knows", "signed with a new one");
}

static const struct console_command commands[] = {
    {.name = "webhooks",
     .keys = "",
     .help = "webhooks, and how their deliveries go",
     .args = "[FILTER]",
     .where = IN_ANY,
     .opens = &webhooks_view},
    {.name = "test",
     .keys = "t",
     .hint = "test",
     .help = "send the webhook a test event",
     .where = IN_WEBHOOKS,
     .needs = CHANGE,
     .rank = 3,
     .run = cmd_test,
     .refuse = refuse_gone},
    {.name = "rotate",
     .keys = "r",
     .hint = "secret",
     .help = "give the webhook a new secret",
     .where = IN_WEBHOOKS,
     .needs = CHANGE | NO_REPEAT,
     .risk = RISK_ASK,
     .rank = 6,
     .run = cmd_rotate,
     .refuse = refuse_gone},
};

const struct console_view webhooks_view = {
    .name = "webhooks",
    .title = "Webhooks",
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_WEBHOOKS, "Webhooks"}},
    .parts = {{.def = &webhooks_def,
               .asked = &asked,
               .where = IN_WEBHOOKS,
               .pane = PANE_ROWS,
               .pane_scrolls = true,
               .draw_pane = pane}},
};
