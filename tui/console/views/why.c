/* SPDX-License-Identifier: BSD-3-Clause */
/* The facts behind what a row shows, as far as the server told them. */
#include "console/views/why.h"

#include "console/app/app.h"
#include "console/views/nodes.h"

static void add_events(struct app *app, const char *object, const char *id, const char *name, struct buf *out)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    size_t found = 0;

    for (size_t i = t->rows.len; i-- > 0 && found < 6;) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];
        char text[AGO_MAX];

        if (!str_eq(e->object, object) || (id ? !str_eq(e->object_id, id) : !str_eq(e->object_name, name)))
            continue;
        if (!found++)
            buf_adds(out, "#what happened\n");
        buf_addf(out, "%s\t%s (%s)\n", timestamp_text(e->time_ns, app->at.now_ns, text), e->text, e->actor);
    }
}

static void why_node(struct app *app, const struct m_node *n, struct buf *out)
{
    char text[AGO_MAX];

    buf_addf(out, "#%s is %s\n", n->name, glyph_word(node_glyph(n)));
    if (n->expired)
        buf_addf(out, "key\texpired %s ago: the person runs tailscale up again\n",
                 span_text(app->at.now_ns - n->expiry_ns, text));
    if (n->logged_out)
        buf_adds(out, "session\tit logged out\n");
    if (n->online)
        buf_addf(out, "session\tits map stream is open, from %s\n", *n->source ? n->source : "an unknown address");
    else
        buf_addf(out, "session\tno map stream is open; seen %s\n", ago_text(n->last_seen_ns, app->at.now_ns, text));
    if (n->online && !n->healthy)
        buf_adds(out, "probe\tit does not answer although its stream is open\n");
    if (n->draining)
        buf_adds(out, "service\tout of service: others serve its prefixes where they can; o ends that\n");
    if (n->waiting)
        buf_addf(out, "!%u of its %u routes wait for approval\n", n->waiting, n->available);
    add_events(app, "node", n->row.key, n->name, out);
}

static void why_route(struct app *app, const struct m_route *r, struct buf *out)
{
    const struct m_prefix *p = model_find(&app->model, ROW_PREFIX, r->row.key);

    buf_addf(out, "#%s on %s: %s\n", r->row.key, r->node->name, glyph_word(m_state_glyph(r->state)));
    if (*r->reason)
        buf_addf(out, "reason\t%s\n", r->reason);
    buf_addf(out, "advertised\t%s\n", r->state == ROUTE_APPROVED ? "no: the client does not offer it now" : "yes");
    bool approved = r->state != ROUTE_AVAILABLE;
    buf_addf(out, "approved\t%s%s%s\n", approved ? "yes" : "no", approved && *r->approved_by ? ", by " : "",
             approved ? r->approved_by : "");
    buf_addf(out, "node\t%s\n", glyph_word(node_glyph(r->node)));
    if (!r->exit)
        buf_addf(out, "served by\t%s\n", *r->primary_name ? r->primary_name : "nobody");
    for (size_t i = 0; p && i < p->routers.len; i++) {
        if (i == 0)
            buf_adds(out, "#all routers of the prefix\n");
        buf_addf(out, "%s\t%s: %s\n", p->routers.items[i].name, glyph_word(m_state_glyph(p->routers.items[i].state)),
                 p->routers.items[i].reason);
    }
    add_events(app, "prefix", NULL, r->row.key, out);
}

static void why_prefix(struct app *app, const struct m_prefix *p, struct buf *out)
{
    buf_addf(out, "#%s is served by %s\n", p->row.key,
             p->exit            ? "every approved exit node"
             : *p->primary_name ? p->primary_name
                                : "nobody");
    for (size_t i = 0; i < p->routers.len; i++)
        buf_addf(out, "%s\t%s: %s\n", p->routers.items[i].name, glyph_word(m_state_glyph(p->routers.items[i].state)),
                 p->routers.items[i].reason);
    add_events(app, "prefix", NULL, p->row.key, out);
}

static void why_event(const struct m_event *e, struct buf *out)
{
    buf_addf(out, "#%s\n", e->text);
    buf_addf(out, "id\t%s\nkind\t%s\nby\t%s\nobject\t%s %s\n", e->row.key, e->event_kind, e->actor, e->object,
             e->object_name);
    if (*e->undone_by)
        buf_addf(out, "undone by\t%s\n", e->undone_by);
    else
        buf_addf(out, "undo\t%s\n", e->undoable ? "u takes it back" : "not possible");
    if (*e->detail)
        buf_addf(out, "detail\t%s\n", e->detail);
}

static void why_key(struct app *app, const struct m_key *k, struct buf *out)
{
    char text[AGO_MAX];

    buf_addf(out, "#key %s\n", k->row.key);
    buf_addf(out, "begins with\t%s\n", k->prefix);
    if (*k->user)
        buf_addf(out, "user\t%s\n", k->user);
    for (size_t i = 0; i < k->tags.len; i++)
        buf_addf(out, "tag\t%s\n", k->tags.items[i]);
    if (*k->description)
        buf_addf(out, "description\t%s\n", k->description);
    buf_addf(out, "created\t%s ago\n", span_text(app->at.now_ns - k->created_ns, text));
    until_text(k->expiry_ns, app->at.now_ns, text);
    buf_addf(out, "expires\t%s%s\n", k->expiry_ns > app->at.now_ns ? "in " : "", text);
    if (k->row.kind == ROW_PREAUTH_KEY)
        buf_addf(out, "may be used\t%s%s\n",
                 k->reusable ? "many times"
                 : k->used   ? "no more: it was used"
                             : "once",
                 k->ephemeral ? ", for nodes that are forgotten when they leave" : "");
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
        why_event((const struct m_event *)row, out);
        break;
    case ROW_PENDING:
        buf_adds(out, "#it waits until somebody approves or rejects it\n");
        buf_addf(out, "link\t%s\nor run\t%s\n", row->key, ((const struct m_pending *)row)->command);
        break;
    case ROW_USER:
        buf_addf(out, "#user %s\nid\t%s\nnodes\t%llu\nlogin by\t%s\n", ((const struct m_user *)row)->name, row->key,
                 (unsigned long long)((const struct m_user *)row)->nodes,
                 *((const struct m_user *)row)->provider ? ((const struct m_user *)row)->provider
                                                         : "keys and approval");
        break;
    case ROW_PREAUTH_KEY:
    case ROW_API_KEY:
        why_key(app, (const struct m_key *)row, out);
        break;
    case ROW_KINDS:
        break;
    }
}
