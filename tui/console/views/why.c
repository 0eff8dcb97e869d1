/* SPDX-License-Identifier: BSD-3-Clause */
/* The facts behind the state of a row, as far as the server reports them. */
#include "console/views/why.h"

#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/model/findings.h"
#include "console/routes/prefix_lines.h"
#include "console/tailnet/clients.h"
#include "console/tailnet/dns.h"
#include "console/tailnet/logins.h"
#include "console/tailnet/webhooks.h"
#include "console/views/event_detail.h"

static void add_events(struct app *app, const char *object, uint64_t id, const char *name, struct buf *out)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    size_t found = 0;

    for (size_t i = t->rows.len; i-- > 0 && found < 6;) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];
        char text[AGO_MAX];

        if (!str_eq(e->api.object, object) || (id ? e->api.object_id != id : !str_eq(e->api.object_name, name)))
            continue;
        if (!found++)
            buf_adds(out, "#what happened\n");
        buf_addf(out, "%s\t%s (%s)\n", timestamp_text(e->api.time_ns, app->at.now_ns, text), e->api.text, e->api.actor);
    }
}

static void why_node(struct app *app, const struct m_node *n, struct buf *out)
{
    char text[AGO_MAX], back[80];

    buf_addf(out, "#%s is %s\n", n->api.given_name, glyph_word(node_glyph(n)));
    if (n->api.expired)
        buf_addf(out, "key\texpired %s ago: the user must run tailscale up again\n",
                 span_text(app->at.now_ns - n->api.expiry_ns, text));
    if (n->api.logged_out)
        buf_adds(out, "session\tit logged out\n");
    if (n->api.online)
        buf_addf(out, "session\tits map stream is open, from %s\n",
                 *n->api.source ? n->api.source : "an unknown address");
    else if (n->api.last_seen_ns)
        buf_addf(out, "session\tno map stream is open; seen %s ago\n",
                 span_text(app->at.now_ns - n->api.last_seen_ns, text));
    else
        buf_adds(out, "session\tno map stream is open; it was never connected\n");
    if (n->api.online && !n->api.healthy)
        buf_adds(out, "probe\tno answer, although its map stream is open\n");
    for (size_t i = 0; i < n->api.warnings.len; i++) {
        const struct api_warning *w = api_at(&n->api.warnings, struct api_warning, i);
        buf_addf(out, "!warning for %s: %s\n", span_text(app->at.now_ns - w->since_ns, text), w->text);
    }
    if (n->api.draining) {
        command_text(app, "{drain} puts it back", back, sizeof(back));
        buf_addf(out, "service\tdrained: others serve its prefixes where they can; %s\n", back);
    }
    if (!app->then.on)
        findings_of(&app->model, n->api.id, NULL, out);
    if (n->waiting)
        buf_addf(out, "!%u of its %u routes are waiting for approval\n", n->waiting, n->available);
    add_events(app, "node", n->api.id, n->api.given_name, out);
}

static void why_route(struct app *app, const struct m_route *r, struct buf *out)
{
    const struct m_prefix *p = model_find(&app->model, ROW_PREFIX, r->row.key);

    buf_addf(out, "#%s on %s: %s\n", r->row.key, r->node->api.given_name, glyph_word(route_state_glyph(r->api.state)));
    if (*r->api.reason)
        buf_addf(out, "reason\t%s\n", r->api.reason);
    buf_addf(out, "advertised\t%s\n",
             r->api.state == ROUTE_APPROVED ? "no: the client does not advertise it now" : "yes");
    bool approved = r->api.state != ROUTE_AVAILABLE;
    buf_addf(out, "approved\t%s%s%s\n", approved ? "yes" : "no", approved && *r->api.approved_by ? ", by " : "",
             approved ? r->api.approved_by : "");
    buf_addf(out, "node\t%s\n", glyph_word(node_glyph(r->node)));
    if (!r->api.exit)
        buf_addf(out, "served by\t%s\n", *r->api.primary_name ? r->api.primary_name : "nobody");
    if (!app->then.on)
        findings_of(&app->model, r->node->api.id, r->row.key, out);
    for (size_t i = 0; p && i < p->api.routers.len; i++) {
        if (i == 0)
            buf_adds(out, "#all routers of the prefix\n");
        buf_addf(out, "%s\t%s: %s\n", router_at(p, i)->name, glyph_word(route_state_glyph(router_at(p, i)->state)),
                 router_at(p, i)->reason);
    }
    add_events(app, "prefix", 0, r->row.key, out);
}

static void why_prefix(struct app *app, const struct m_prefix *p, struct buf *out)
{
    buf_addf(out, "#%s is served by %s\n", p->row.key,
             p->api.exit            ? "every approved exit node"
             : *p->api.primary_name ? p->api.primary_name
                                    : "nobody");
    for (size_t i = 0; i < p->api.routers.len; i++)
        buf_addf(out, "%s\t%s: %s\n", router_at(p, i)->name, glyph_word(route_state_glyph(router_at(p, i)->state)),
                 router_at(p, i)->reason);
    prefix_lines(app, p, out);
    add_events(app, "prefix", 0, p->row.key, out);
}

static void why_event(const struct app *app, const struct m_event *e, struct buf *out)
{
    char id[API_EVENT_ID_MAX], undo[80];

    buf_addf(out, "#%s\n", e->api.text);
    buf_addf(out, "id\t%s\nkind\t%s (%s)\nby\t%s\nobject\t", e->row.key, event_kind_words(e->api.kind), e->api.kind,
             e->api.actor);
    event_object(e->api.object, e->api.object_id, e->api.object_name, out);
    buf_addc(out, '\n');
    if (e->api.undone_by.run) {
        buf_addf(out, "undone by\t%s\n", api_event_id_format(&e->api.undone_by, id));
    } else {
        command_text(app, e->api.inverse ? "possible: {undo}" : "not possible", undo, sizeof(undo));
        buf_addf(out, "undo\t%s\n", undo);
    }
    if (e->api.detail) {
        buf_adds(out, "detail\t");
        event_detail(e->api.detail, out);
        buf_addc(out, '\n');
    }
}

static void why_key_begin(const struct app *app, const struct row *row, int64_t created_ns, struct buf *out)
{
    int64_t expiry_ns = key_row_expiry_ns(row);
    char text[AGO_MAX];

    char *title = row_title(row);

    buf_addf(out, "#%s\n", title);
    free(title);
    buf_addf(out, "begins with\t%s\n", key_row_text(row));
    buf_addf(out, "created\t%s ago\n", span_text(app->at.now_ns - created_ns, text));
    if (expiry_ns && expiry_ns <= app->at.now_ns)
        buf_addf(out, "expired\t%s ago\n", span_text(app->at.now_ns - expiry_ns, text));
    else
        buf_addf(out, "expires\t%s%s\n", expiry_ns ? "in " : "", until_text(expiry_ns, app->at.now_ns, text));
}

static void why_preauth_key(const struct app *app, const struct m_preauth_key *k, struct buf *out)
{
    int64_t expiry_ns = key_row_expiry_ns(&k->row);
    bool gone = expiry_ns && expiry_ns <= app->at.now_ns;

    why_key_begin(app, &k->row, k->api.created_ns, out);
    if (k->api.user)
        buf_addf(out, "user\t%s\n", k->api.user->name);
    for (size_t i = 0; i < k->api.tags.len; i++)
        buf_addf(out, "tag\t%s\n", k->api.tags.items[i]);
    buf_addf(out, "may be used\t%s%s\n",
             k->api.reusable && !gone ? "many times"
             : k->api.used            ? "no more: it was used"
             : gone                   ? "no more: it has expired"
                                      : "once",
             k->api.ephemeral ? ", for nodes that are forgotten when they leave" : "");
}

static void why_api_key(const struct app *app, const struct m_api_key *k, struct buf *out)
{
    why_key_begin(app, &k->row, k->api.created_ns, out);
    if (*k->api.description)
        buf_addf(out, "description\t%s\n", k->api.description);
}

static void why_user(const struct app *app, const struct m_user *u, struct buf *out)
{
    char text[AGO_MAX];

    buf_addf(out, "#user %s\nid\t%s\nnodes\t%llu\nlogin by\t%s\n", u->api.name, u->row.key,
             (unsigned long long)u->api.node_count, *u->api.provider ? u->api.provider : "keys and approval");
    logins_of_user(app, u->api.id, out);
    if (u->api.suspended_ns)
        buf_addf(out, "suspended\t%s ago%s%s\n", span_text(app->at.now_ns - u->api.suspended_ns, text),
                 u->api.suspended_by && *u->api.suspended_by ? " by " : "",
                 u->api.suspended_by ? u->api.suspended_by : "");
}

static void why_login(const struct app *app, const struct m_pending *p, struct buf *out)
{
    struct buf text = BUF_INIT(0);

    pending_login(p, app->at.now_ns, &text);
    if (text.len)
        buf_addf(out, "login\t%s\n", text.data);
    buf_release(&text);
}

void why_lines(struct app *app, const struct row *row, struct buf *out)
{
    switch (row->kind) {
    case ROW_NODE:
        why_node(app, (const struct m_node *)row, out);
        break;
    case ROW_ROUTE:
        why_route(app, (const struct m_route *)row, out);
        break;
    case ROW_PREFIX:
        why_prefix(app, (const struct m_prefix *)row, out);
        break;
    case ROW_EVENT:
        why_event(app, (const struct m_event *)row, out);
        break;
    case ROW_PENDING:
        buf_adds(out, "#waiting until somebody approves or rejects it\n");
        why_login(app, (const struct m_pending *)row, out);
        buf_addf(out, "auth id\t%s\nor run\t%s\n", row->key, ((const struct m_pending *)row)->api.command);
        break;
    case ROW_USER:
        why_user(app, (const struct m_user *)row, out);
        break;
    case ROW_PREAUTH_KEY:
        why_preauth_key(app, (const struct m_preauth_key *)row, out);
        break;
    case ROW_API_KEY:
        why_api_key(app, (const struct m_api_key *)row, out);
        break;
    case ROW_OAUTH_CLIENT:
        oauth_client_why(app, (const struct m_oauth_client *)row, out);
        add_events(app, "oauthclient", ((const struct m_oauth_client *)row)->api.id, "", out);
        break;
    case ROW_WEBHOOK:
        webhook_why(app, (const struct m_webhook *)row, out);
        add_events(app, "webhook", ((const struct m_webhook *)row)->api.id, "", out);
        break;
    case ROW_LOGIN:
        login_why(app, (const struct m_login *)row, out);
        add_events(app, "user", ((const struct m_login *)row)->api.user_id, "", out);
        break;
    case ROW_DNS:
        dns_why(app, (const struct m_dns *)row, out);
        add_events(app, "dns", 0, "", out);
        break;
    case ROW_NEED:
        buf_addf(out, "#%s\n%s\n", ((const struct m_need *)row)->name, ((const struct m_need *)row)->text);
        break;
    case ROW_KINDS:
        break;
    }
}
