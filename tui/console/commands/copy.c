/* SPDX-License-Identifier: BSD-3-Clause */
/* y: copies rows as text to the terminal's clipboard, one line per marked row. */
#include "console/commands/copy.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/commands/targets.h"
#include "console/dialogs/dialog.h"
#include "console/model/list_text.h"
#include "console/views/nodes.h"

#define KEY_KINDS  (1U << ROW_PREAUTH_KEY | 1U << ROW_API_KEY)
#define BULK_MAX   10000
#define SAMPLE_MAX 200 /* bytes of the text shown in the menu */

static void copy_label(const struct row *row, struct buf *out)
{
    if (row->kind == ROW_EVENT)
        buf_adds(out, ((const struct m_event *)row)->api.text);
    else if (row->kind == ROW_PREAUTH_KEY || row->kind == ROW_API_KEY)
        buf_adds(out, key_row_text(row));
    else
        buf_adds(out, row_label(row));
}

static void copy_fqdn(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_node *)row)->api.fqdn);
}

static void copy_ipv4(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_node *)row)->ipv4);
}

static void copy_ipv6(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_node *)row)->ipv6);
}

static void copy_email(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_user *)row)->api.email);
}

static void copy_url(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_webhook *)row)->api.url);
}

static void copy_value(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_dns *)row)->value);
}

static void copy_id(const struct row *row, struct buf *out)
{
    buf_adds(out, row->key);
}

static void command_of_node(const struct m_node *n, struct buf *out)
{
    if (!n->waiting) {
        buf_addf(out, "headway nodes list-routes --identifier %s", n->row.key);
        return;
    }
    buf_addf(out, "headway routes approve %s", n->row.key);
    for (size_t i = 0; i < n->routes.len; i++)
        if (n->routes.items[i]->api.state == ROUTE_AVAILABLE)
            buf_addf(out, " %s", n->routes.items[i]->row.key);
}

/* The command line that shows or does what the row is about. */
static void copy_command(const struct row *row, struct buf *out)
{
    switch (row->kind) {
    case ROW_NODE:
        command_of_node((const struct m_node *)row, out);
        break;
    case ROW_ROUTE: {
        const struct m_route *r = (const struct m_route *)row;

        buf_addf(out, "headway routes %s %s %s", r->api.state == ROUTE_AVAILABLE ? "approve" : "revoke",
                 r->node->row.key, row->key);
        break;
    }
    case ROW_PREFIX: {
        const struct m_prefix *p = (const struct m_prefix *)row;

        if (!p->api.exit && p->api.primary)
            buf_addf(out, "headway routes primary %s %llu", row->key, (unsigned long long)p->api.primary);
        break;
    }
    case ROW_EVENT:
        if (((const struct m_event *)row)->api.inverse)
            buf_addf(out, "headway undo %s", row->key);
        break;
    case ROW_PENDING:
        buf_adds(out, ((const struct m_pending *)row)->api.command);
        break;
    case ROW_USER:
        buf_addf(out, "headway preauthkeys create --user %s", row->key);
        break;
    case ROW_PREAUTH_KEY:
        buf_addf(out, "headway preauthkeys expire --id %s", row->key);
        break;
    case ROW_API_KEY:
        buf_addf(out, "headway apikeys expire --id %s", row->key);
        break;
    case ROW_OAUTH_CLIENT:
        buf_addf(out, "headway oauth-clients delete --id %s", row_label(row));
        break;
    case ROW_WEBHOOK:
        buf_addf(out, "headway webhooks test %s", row->key);
        break;
    case ROW_LOGIN:
        buf_adds(out, "headway users logins");
        break;
    case ROW_DNS:
        buf_adds(out, "headway dns show");
        break;
    case ROW_NEED:
    case ROW_KINDS:
        break;
    }
}

static const struct {
    unsigned kinds;
    const char *label;
    void (*copy)(const struct row *row, struct buf *out);
} items[] = {
    {1U << ROW_NODE | 1U << ROW_USER, "name", copy_label},
    {1U << ROW_NODE, "DNS name", copy_fqdn},
    {1U << ROW_NODE, "IPv4", copy_ipv4},
    {1U << ROW_NODE, "IPv6", copy_ipv6},
    {1U << ROW_ROUTE | 1U << ROW_PREFIX, "prefix", copy_label},
    {1U << ROW_EVENT, "text", copy_label},
    {1U << ROW_PENDING, "host", copy_label},
    {KEY_KINDS, "begins with", copy_label},
    {1U << ROW_OAUTH_CLIENT, "client id", copy_label},
    {1U << ROW_WEBHOOK, "host", copy_label},
    {1U << ROW_WEBHOOK, "URL", copy_url},
    {1U << ROW_DNS, "value", copy_value},
    {1U << ROW_LOGIN, "subject", copy_label},
    {1U << ROW_USER, "email", copy_email},
    {1U << ROW_NODE | 1U << ROW_EVENT | 1U << ROW_PENDING | 1U << ROW_USER | 1U << ROW_WEBHOOK | KEY_KINDS, "id",
     copy_id},
    {(1U << ROW_KINDS) - 1, "command", copy_command},
};

static void offer(struct app *app, const char *label, struct buf *text)
{
    if (text->len) {
        char *line = mem_format("%-12s %.*s", label, SAMPLE_MAX, text->data);

        for (char *c = line; *c; c++)
            if (*c == '\n' || *c == '\t')
                *c = ' ';
        dialog_add_choice(app, text->data, line);
        free(line);
    }
    buf_release(text);
}

static void copied(struct app *app, const char *text)
{
    size_t lines = 1;

    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    char *what = lines > 1 ? mem_format("%zu lines", lines) : mem_format("%.60s", text);
    app_copy(app, text, what);
    free(what);
}

static void offer_item(struct app *app, const struct rows *rows, size_t item)
{
    struct buf text = BUF_INIT(0);

    for (size_t r = 0; r < rows->len; r++) {
        struct buf one = BUF_INIT(0);

        if (items[item].kinds & 1U << rows->items[r]->kind)
            items[item].copy(rows->items[r], &one);
        if (one.len)
            buf_addf(&text, "%s%s", text.len ? "\n" : "", one.data);
        buf_release(&one);
    }
    offer(app, items[item].label, &text);
}

static void cmd_copy(struct app *app, const char *arg)
{
    struct rows rows = {0};
    struct buf lines = BUF_INIT(0), json = BUF_INIT(0);
    const struct list *l = app_list(app);

    (void)arg;
    if (app_node(app) && !l->cursor) {
        vec_push(&rows, &app_node(app)->row);
        l = view_list(app, &nodes_view, 0);
    } else {
        app_targets(app, &rows);
    }
    rows.len = rows.len < BULK_MAX ? rows.len : BULK_MAX;
    char *title = rows.len > 1 ? mem_format("copy %zu %s", rows.len, l->def->noun) : mem_strdup("copy");
    dialog_choice(app, title, "Enter copy   letters narrow   Esc cancel", copied);
    app->dialog->label = "find: ";
    free(title);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        offer_item(app, &rows, i);
    for (size_t r = 0; r < rows.len; r++) {
        if (r)
            buf_addc(&lines, '\n');
        list_row_text(l, rows.items[r], &app->at, &lines);
    }
    list_rows_json(l, rows.items, rows.len, false, &app->at, &json);
    offer(app, "row", &lines);
    offer(app, "JSON", &json);
    vec_release(&rows);
}

static const struct console_command commands[] = {
    {.name = "copy",
     .keys = "y",
     .help = "copy the name, the address, the row, JSON or a command",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .run = cmd_copy},
};

const struct command_table copy_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
