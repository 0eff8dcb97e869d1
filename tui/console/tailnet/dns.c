/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/tailnet/dns.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/form.h"
#include "console/dialogs/plan.h"
#include "console/model/columns.h"

#define PANE_ROWS 6

static const char path[] = "/api/headway/dns";

static const struct m_dns *dns_of(const struct row *row)
{
    return (const struct m_dns *)row;
}

/* ---- the list ---- */

static const char *member_help(const struct m_dns *d)
{
    static const struct {
        const char *member, *text;
    } helps[] = {
        {"magicDNS", "whether nodes have names: NAME.BASE-DOMAIN"},
        {"overrideLocalDNS", "whether clients use the name servers for all names, instead of those of their network"},
        {"nameservers", "that clients ask for all other names"},
        {"searchDomains", "in which short names are looked for, beside the base domain"},
        {"splitDNS", "name servers for the names of single domains"},
        {"baseDomain", "of the names of nodes"},
        {"extraRecords", "names that clients know beside those of nodes"},
    };

    for (size_t i = 0; i < ARRAY_LEN(helps); i++)
        if (str_eq(helps[i].member, d->member))
            return helps[i].text;
    return "";
}

/* A value in words; NULL: there is none. */
static const char *value_text(const struct m_dns *d, const char *value)
{
    if (!value)
        return "not configured";
    if (!*value)
        return d->domain ? "answered by the clients themselves" : "none";
    return value;
}

static const char *source_text(const struct m_dns *d)
{
    return d->set ? "administrator" : "configuration";
}

static void fill_member(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    snprintf(out->text, sizeof(out->text), "%s%s", dns_of(row)->domain ? "  " : "", row_label(row));
    out->role = ROLE_NAME;
}

FILL(fill_value, m_dns, value_text(o, o->value), *o->value ? ROLE_TEXT : ROLE_FAINT)
FILL(fill_source, m_dns, source_text(o), o->set ? ROLE_WAIT : ROLE_FAINT)
FILL(fill_configured, m_dns, value_text(o, o->configured), ROLE_FAINT)
BY(by_order, m_dns, COMPARE(p->order, q->order))
BY(by_source, m_dns, COMPARE(q->set, p->set))

static const struct list_column columns[] = {
    {.title = "MEMBER", .key = "member", .least = 18, .wish = 20, .share = 1, .fill = fill_member, .compare = by_order},
    {.title = "VALUE", .key = "value", .least = 18, .wish = 30, .share = 3, .fill = fill_value},
    {.title = "COMES FROM",
     .key = "from",
     .least = 13,
     .wish = 13,
     .rank = 1,
     .fill = fill_source,
     .compare = by_source},
    {.title = "CONFIGURED",
     .key = "configured",
     .least = 14,
     .wish = 24,
     .share = 2,
     .rank = 2,
     .fill = fill_configured},
};

static void words(const struct row *row, struct buf *out)
{
    const struct m_dns *d = dns_of(row);

    buf_addf(out, "%s %s %s %s", d->label, d->domain ? d->domain : "", value_text(d, d->value), source_text(d));
}

static void source_word(const struct row *row, struct buf *out)
{
    buf_adds(out, dns_of(row)->set ? "set" : "configured");
}

static void value_words(const struct row *row, struct buf *out)
{
    buf_adds(out, dns_of(row)->value);
}

static const struct filter_field fields[] = {
    {"is", FILTER_STATE, source_word, NULL},
    {"value", FILTER_TEXT, value_words, NULL},
};

static void collect(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_DNS);
}

static const struct list_def dns_def = {
    .noun = "members of DNS",
    .one = "member of DNS",
    .empty = "nothing is known of DNS",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words, .states = "set configured"},
    .sort = 0,
    .kinds = 1U << ROW_DNS,
    .collect = collect,
};

static const struct asked_rows asked = {.kind = ROW_DNS, .path = path, .decode = decode_dns, .object = "dns"};

/* ---- one member ---- */

/* Its lines are LABEL TAB TEXT. */
static void put_facts(const struct m_dns *d, int64_t now_ns, struct buf *out)
{
    char span[AGO_MAX];

    buf_addf(out, "value\t%s\nit is\t%s\ncomes from\tthe %s", value_text(d, d->value), member_help(d), source_text(d));
    if (d->set && d->updated_ns)
        buf_addf(out, "; DNS was last changed %s ago", span_text(now_ns - d->updated_ns, span));
    if (d->fixed)
        buf_adds(out, "; nothing else can set it");
    buf_addf(out, "\nconfigured\t%s\n", value_text(d, d->configured));
}

void dns_why(const struct app *app, const struct m_dns *row, struct buf *out)
{
    buf_addf(out, "#%s%s%s\n", row->label, row->domain ? ": " : "", row->domain ? row->domain : "");
    put_facts(row, app->at.now_ns, out);
}

static void pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf text = BUF_INIT(0);

    if (!row || row->kind != ROW_DNS)
        return;
    command_section(app, c, at, row_label(row), dns_of(row)->fixed ? "" : "{change} change, {reset} as configured");
    put_facts(dns_of(row), app->at.now_ns, &text);
    dialog_draw_text(c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, buf_text(&text), 0);
    buf_release(&text);
}

/* ---- changes ---- */

/* A change of what all clients are told, with one step for the row. */
static void submit(struct app *app, const struct m_dns *row, char *body, const char *verb, const char *after)
{
    struct plan *p = plan_new(RISK_ASK, verb);
    size_t call = plan_add_request(p, "POST", mem_strdup(path), body, row->version, ROW_KINDS);

    p->undoable = true;
    plan_add_step(p, call, &row->row, NULL, row_label(&row->row), value_text(row, row->value), after);
    p->title = mem_format("%s %s%s", verb, row->domain ? "split DNS of " : "", row_label(&row->row));
    p->done = mem_format("%s%s changed", row->domain ? "split DNS of " : "", row_label(&row->row));
    p->note = mem_strdup("all clients are told at once");
    plan_submit(app, p);
}

/* {"changeSplitDNS":{DOMAIN:SERVERS}}; servers NULL: the domain is removed. */
static char *split_body(const char *domain, const char *servers)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    json_open(&o, '{');
    json_key(&o, "changeSplitDNS");
    json_open(&o, '{');
    form_put_words(&o, domain, servers, NULL);
    json_close(&o, '}');
    json_close(&o, '}');
    return buf_take(&body);
}

static bool is_switch(const struct m_dns *row)
{
    return str_eq(row->member, "magicDNS") || str_eq(row->member, "overrideLocalDNS");
}

static void change(struct app *app)
{
    const struct m_dns *row = model_find(&app->model, ROW_DNS, app->dialog->row_key);
    const char *value = form_value(app, 0);

    if (!row) {
        app_flash(app, ROLE_WARN, "change: the domain has been removed");
        return;
    }
    if (str_eq(value, row->value)) {
        app_flash(app, ROLE_INFO, "change: nothing to change");
        dialog_close(app);
        return;
    }
    if (row->domain) {
        if (!value[strspn(value, " ,")])
            form_complain(app, 0, "a domain needs at least one name server; {remove-domain} removes it");
        else
            submit(app, row, split_body(row->domain, value), "change", value);
        return;
    }
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    json_open(&o, '{');
    if (is_switch(row))
        json_put_bool(&o, row->member, str_eq(value, "on"));
    else
        form_put_words(&o, row->member, value, NULL);
    json_close(&o, '}');
    submit(app, row, buf_take(&body), "change", value_text(row, value));
}

void dns_edit_form(struct app *app, const struct m_dns *row)
{
    char *title = mem_format("%s%s%s", row->label, row->domain ? " of " : "", row->domain ? row->domain : "");

    dialog_form(app, title, change);
    app->dialog->row_kind = ROW_DNS;
    app->dialog->row_key = mem_strdup(row->row.key);
    mem_replace(&app->dialog->note, "Enter change   Esc cancel");
    form_add(app, row->domain ? "name servers" : "value",
             row->domain ? "addresses or https URLs, separated by blanks" : member_help(row),
             is_switch(row) ? "on off" : NULL, row->value);
    free(title);
}

enum { DOMAIN, SERVERS };

static void make(struct app *app)
{
    const char *domain = form_value(app, DOMAIN), *servers = form_value(app, SERVERS);
    char *key = mem_format("splitDNS %s", domain);
    const struct m_dns *there = model_find(&app->model, ROW_DNS, key);
    const struct m_dns *all = model_find(&app->model, ROW_DNS, "splitDNS");

    if (!*domain || strpbrk(domain, " ,"))
        form_complain(app, DOMAIN, "one domain is needed, such as corp.example.com");
    else if (!servers[strspn(servers, " ,")])
        form_complain(app, SERVERS, "a domain needs at least one name server");
    else if (there || !all)
        form_complain(app, DOMAIN, "the domain has name servers already: {change} changes them");
    else {
        struct m_dns fresh = *all;

        fresh.row.key = key;
        fresh.domain = domain;
        fresh.value = "-";
        submit(app, &fresh, split_body(domain, servers), "add", servers);
    }
    free(key);
}

void dns_domain_form(struct app *app, const char *domain)
{
    dialog_form(app, "name servers for a domain", make);
    form_add(app, "domain", "whose names are asked of them, such as corp.example.com", NULL, domain);
    form_add(app, "name servers", "addresses or https URLs, separated by blanks", NULL, "");
}

static const char *refuse_remove(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    return !row || !dns_of(row)->domain || row->gone_ms ? "only a domain of split DNS can be removed" : NULL;
}

static void cmd_remove_domain(struct app *app, const char *arg)
{
    const struct m_dns *row = dns_of(app_list(app)->cursor);

    (void)arg;
    submit(app, row, split_body(row->domain, ""), "remove", "removed");
}

/* The member as a whole: that of a domain is all of split DNS. */
static const struct m_dns *member_of(const struct app *app, const struct row *row)
{
    const struct m_dns *d = dns_of(row);

    return d->domain ? model_find(&app->model, ROW_DNS, d->member) : d;
}

static void members_to_reset(struct app *app, struct rows *out)
{
    struct rows rows = {0};

    app_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_dns *d = rows.items[i]->gone_ms ? NULL : member_of(app, rows.items[i]);
        bool there = !d || !d->set;

        for (size_t k = 0; k < out->len && !there; k++)
            there = out->items[k] == &d->row;
        if (!there)
            vec_push(out, (struct row *)(uintptr_t)&d->row);
    }
    vec_release(&rows);
}

static void cmd_reset(struct app *app, const char *arg)
{
    struct rows rows = {0};
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    (void)arg;
    members_to_reset(app, &rows);
    struct plan *p = plan_new(RISK_ASK, "reset");
    p->undoable = true;
    json_open(&o, '{');
    json_key(&o, "reset");
    json_open(&o, '[');
    for (size_t i = 0; i < rows.len; i++)
        json_str(&o, dns_of(rows.items[i])->member);
    json_close(&o, ']');
    json_close(&o, '}');
    size_t call =
        plan_add_request(p, "POST", mem_strdup(path), buf_take(&body), dns_of(rows.items[0])->version, ROW_KINDS);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_dns *d = dns_of(rows.items[i]);

        plan_add_step(p, call, rows.items[i], NULL, d->label, value_text(d, d->value), value_text(d, d->configured));
    }
    p->title = rows.len == 1 ? mem_format("%s as configured", dns_of(rows.items[0])->label)
                             : mem_format("%zu members of DNS as configured", rows.len);
    p->done = rows.len == 1 ? mem_format("%s is as configured", dns_of(rows.items[0])->label)
                            : mem_format("%zu members of DNS are as configured", rows.len);
    p->note = mem_strdup("all clients are told at once");
    vec_release(&rows);
    plan_submit(app, p);
}

static const char *refuse_reset(struct app *app)
{
    struct rows rows = {0};

    members_to_reset(app, &rows);
    bool none = !rows.len;
    vec_release(&rows);
    return none ? "it is as configured" : NULL;
}

static const struct console_command commands[] = {
    {.name = "dns",
     .keys = "",
     .help = "what clients are told of DNS, and where that comes from",
     .args = "[FILTER]",
     .where = IN_ANY,
     .opens = &dns_view},
    {.name = "reset",
     .keys = "x",
     .hint = "as configured",
     .help = "let the configuration hold again for the member of DNS",
     .where = IN_DNS,
     .needs = CHANGES | NO_REPEAT,
     .risk = RISK_ASK,
     .rank = 4,
     .run = cmd_reset,
     .refuse = refuse_reset},
    {.name = "remove-domain",
     .keys = "d Del",
     .hint = "remove",
     .help = "remove the domain from split DNS",
     .where = IN_DNS,
     .needs = CHANGE | NO_REPEAT,
     .risk = RISK_ASK,
     .rank = 6,
     .run = cmd_remove_domain,
     .refuse = refuse_remove},
};

const struct console_view dns_view = {
    .name = "dns",
    .title = "DNS",
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_DNS, "DNS"}},
    .parts = {{.def = &dns_def,
               .asked = &asked,
               .where = IN_DNS,
               .pane = PANE_ROWS,
               .pane_scrolls = true,
               .draw_pane = pane}},
};
