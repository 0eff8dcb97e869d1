/* SPDX-License-Identifier: BSD-3-Clause */
/* The administrator's message to the users of all clients. */
#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

#define TEXT_MAX 500 /* bytes; clients show it on one line of `tailscale status` */
#define URL_MAX  500

static int read_severity(const struct core_admin *a, enum message_severity *out, struct err *e)
{
    *out = SEVERITY_MEDIUM;
    if (!a->severity || !*a->severity)
        return 0;
    for (int x = SEVERITY_LOW; x <= SEVERITY_HIGH; x++)
        if (str_eq(a->severity, message_severity_name(x))) {
            *out = (enum message_severity)x;
            return 0;
        }
    return err_field(e, ERR_INVALID, "severity", "'%.60s' is no severity: low, medium or high", a->severity);
}

/* Clients drop a button whose URL is not https, or http if they reach the server by http. */
static int check_url(const struct core_state *s, const char *url, struct err *e)
{
    bool http = str_starts(s->config->server_url, "http://");
    const char *host = str_starts(url, "https://") ? url + 8 : http && str_starts(url, "http://") ? url + 7 : NULL;

    if (!*url)
        return 0;
    if (str_check(url, URL_MAX, true, "url", e) < 0)
        return ERR_INVALID;
    if (!host || strcspn(host, "/?#") == 0 || strchr(url, ' '))
        return err_field(e, ERR_INVALID, "url", "'%.80s' is no URL that clients open: write https://HOST/...%s", url,
                         http ? ", or http://" : "");
    return 0;
}

int admin_server_message(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct server_message *old = s->message_work;
    const char *text = a->text ? a->text : "", *url = a->url ? a->url : "";
    enum message_severity severity;

    if (str_check(text, TEXT_MAX, true, "text", e) < 0 || read_severity(a, &severity, e) < 0 ||
        check_url(s, url, e) < 0)
        return e->code;
    if (!*text && (!old || !*old->text)) {
        admin_result(a, old);
        return 0;
    }
    struct server_message *m = server_message_new();
    m->r.id = 1;
    m->r.version = old ? old->r.version + 1 : 1;
    mem_replace(&m->text, text);
    mem_replace(&m->url, *text ? url : "");
    m->severity = severity;
    m->updated_ns = clock_wall_ns();
    struct event_note note = {.id = EVENT_SERVER_MESSAGE, .object = "server"};
    if (*text)
        journal(s, &note, "All clients are told (%s): %s", message_severity_name((int)severity), text);
    else
        journal(s, &note, "The message to all clients was taken back: %s", old->text);
    admin_inverse(
        a, &(struct core_admin){.op = ADMIN_SERVER_MESSAGE,
                                .text = old ? old->text : "",
                                .url = old && *old->url ? old->url : NULL,
                                .severity = old && *old->text ? message_severity_name((int)old->severity) : NULL});
    admin_result(a, m);
    tx_put(s, m);
    return 0;
}
