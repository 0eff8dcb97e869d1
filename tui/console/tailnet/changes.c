/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to objects of this room alone; creating and deleting are with those of other objects. */
#include "console/tailnet/changes.h"

#include "base/array.h"
#include "console/app/app.h"
#include "console/tailnet/clients.h"
#include "console/tailnet/dns.h"
#include "console/tailnet/webhooks.h"

static void cmd_change(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;

    (void)arg;
    if (row && row->gone_ms)
        app_flash(app, ROLE_WARN, "change: it has been deleted");
    else if (row && row->kind == ROW_OAUTH_CLIENT)
        oauth_client_edit_form(app, (const struct m_oauth_client *)row);
    else if (row && row->kind == ROW_WEBHOOK)
        webhook_edit_form(app, (const struct m_webhook *)row);
    else if (row && row->kind == ROW_DNS)
        dns_edit_form(app, (const struct m_dns *)row);
}

static const char *refuse_change(struct app *app)
{
    const struct row *row = app_list(app)->cursor;
    const struct m_dns *d = row && row->kind == ROW_DNS ? (const struct m_dns *)row : NULL;

    if (d && d->fixed)
        return "only the configuration can set it";
    return d && !d->domain && str_eq(d->member, "splitDNS") ? "change its domains, or add one: {new}" : NULL;
}

static const struct console_command commands[] = {
    {.name = "change",
     .keys = "e",
     .hint = "change",
     .help = "change what the OAuth client may do, what the webhook is told of, or the member of DNS",
     .args = "[NAME]",
     .where = IN_CLIENTS | IN_WEBHOOKS | IN_DNS,
     .needs = CHANGE | NO_REPEAT,
     .rank = 3,
     .run = cmd_change,
     .refuse = refuse_change},
};

const struct command_table tailnet_change_commands = {.items = commands, .len = ARRAY_LEN(commands)};
