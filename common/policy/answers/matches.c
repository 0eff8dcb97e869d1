/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules that concern a user, or an address and a port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/view/view.h"
#include "json/json.h"

/* The subject: a user or, if user is NONE, an address and a port. */
struct match_of {
    const struct policy_view *v;
    uint32_t user;
    struct addr addr;
    uint16_t port;
    const struct vnode *node; /* the node with the address; NULL: none */
};

/* ---- what is asked about ---- */

static uint32_t user_called(const struct policy_view *v, const char *text)
{
    for (uint32_t u = 0; u < v->user_count; u++) {
        const struct vuser *x = &v->users[u];
        size_t len = strlen(x->name);
        bool named = *x->name && strncmp(text, x->name, len) == 0 && (!text[len] || str_eq(text + len, "@"));
        if (!x->gone && (named || (*x->email && str_eq(text, x->email))))
            return u;
    }
    return NONE;
}

static int read_address(const char *text, struct match_of *m, struct err *e)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool quoted = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    char *host = mem_strndup(text + quoted, len - 2 * (size_t)quoted);
    int rc =
        colon && addr_parse(host, &m->addr, NULL) == 0 && str_u64(colon + 1, 1, 65535, &port, "port", NULL) == 0
            ? 0
            : err_field(e, ERR_INVALID, "previewFor", "'%.80s' is not an address and a port such as 10.0.0.1:22", text);

    m->port = (uint16_t)port;
    for (uint32_t i = 0; rc == 0 && i < m->v->slots; i++) {
        const struct vnode *n = view_node(m->v, i);
        if (n && (addr_eq(&n->ipv4, &m->addr) || addr_eq(&n->ipv6, &m->addr)))
            m->node = n;
    }
    free(host);
    return rc;
}

/* ---- one rule ---- */

static bool source_fits(const struct match_of *m, const struct policy_principal *q)
{
    const struct vuser *u = &m->v->users[m->user];

    if (q->kind == PRINCIPAL_ANY || q->kind == PRINCIPAL_DANGER || user_in(m->v, q, m->user))
        return true;
    for (size_t i = 0; q->kind == PRINCIPAL_PREFIX && i < u->devices.len; i++)
        if (node_matches(m->v, &m->v->nodes[u->devices.items[i]], q))
            return true;
    return false;
}

static bool has_port(const struct port_range *ports, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i].first <= port && port <= ports[i].last)
            return true;
    return false;
}

static bool port_fits(const struct policy_rule *r, const struct policy_destination *d, uint16_t port)
{
    if (!r->is_grant)
        return has_port(d->ports, d->port_count, port);
    for (size_t i = 0; i < r->services.len; i++)
        if (has_port(r->services.items[i].ports, r->services.items[i].port_count, port))
            return true;
    return false;
}

static bool target_fits(const struct match_of *m, const struct policy_principal *q)
{
    bool internet = false;

    switch (q->kind) {
    case PRINCIPAL_ANY:
    case PRINCIPAL_DANGER:
        return true;
    case PRINCIPAL_PREFIX:
        return prefix_has_addr(&q->prefix, &m->addr);
    case PRINCIPAL_INTERNET:
        for (size_t i = 0; i < INTERNET_RANGES; i++)
            internet = internet || range_has(&m->v->internet[i], &m->addr);
        return internet;
    case PRINCIPAL_SELF:
        return m->node && !m->node->tagged;
    default:
        return m->node && node_matches(m->v, m->node, q);
    }
}

static bool rule_fits(const struct match_of *m, const struct policy_rule *r)
{
    const struct policy_principal *all = m->v->p->principals.items;
    bool fits = false;

    for (size_t i = 0; m->user != NONE && !fits && i < r->src.len; i++)
        fits = source_fits(m, &all[r->src.items[i].principal]);
    for (size_t i = 0; m->user == NONE && !fits && i < r->dst.len; i++)
        fits = port_fits(r, &r->dst.items[i], m->port) && target_fits(m, &all[r->dst.items[i].alias.principal]);
    return fits;
}

/* ---- as JSON ---- */

static void add_ports(struct buf *out, const struct port_range *ports, size_t count)
{
    if (ports_all(ports, count)) {
        buf_addc(out, '*');
        return;
    }
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s%u", i ? "," : "", ports[i].first);
        if (ports[i].last != ports[i].first)
            buf_addf(out, "-%u", ports[i].last);
    }
}

static void put_target(struct json_out *o, const char *host, const struct port_range *ports, size_t count)
{
    struct buf text = BUF_INIT(0);

    buf_addf(&text,
             strchr(host, ':') && strspn(host, "0123456789abcdefABCDEF:./") == strlen(host) ? "[%s]:" : "%s:", host);
    add_ports(&text, ports, count);
    json_str(o, buf_text(&text));
    buf_release(&text);
}

static void put_targets(struct json_out *o, const struct policy_rule *r)
{
    for (size_t i = 0; i < r->dst.len; i++) {
        const struct policy_destination *d = &r->dst.items[i];
        if (!r->is_grant)
            put_target(o, d->alias.text, d->ports, d->port_count);
        for (size_t k = 0; r->is_grant && k < r->services.len; k++)
            put_target(o, d->alias.text, r->services.items[k].ports, r->services.items[k].port_count);
    }
}

static void put_match(struct json_out *o, const struct policy_rule *r, uint64_t line)
{
    json_open(o, '{');
    json_key(o, "users");
    json_open(o, '[');
    for (size_t i = 0; i < r->src.len; i++)
        json_str(o, r->src.items[i].text);
    json_close(o, ']');
    json_key(o, "ports");
    json_open(o, '[');
    put_targets(o, r);
    json_close(o, ']');
    json_put_u64(o, "lineNumber", line);
    if (r->via.len) {
        json_key(o, "via");
        json_open(o, '[');
        for (size_t i = 0; i < r->via.len; i++)
            json_str(o, r->via.items[i]);
        json_close(o, ']');
    }
    json_key(o, "postures");
    json_raw(o, "[]", 2);
    json_close(o, '}');
}

int policy_matches(const struct policy_view *v, bool user, const char *text, struct json_out *o, struct err *e)
{
    static const char everything[] = "{\"users\":[\"*\"],\"ports\":[\"*:*\"],\"lineNumber\":0,\"postures\":[]}";
    struct match_of m = {.v = v, .user = user ? user_called(v, text) : NONE};
    const struct policy *p = v->p;
    uint64_t line = 1;
    size_t at = 0;

    if (user && m.user == NONE)
        return err_field(e, ERR_INVALID, "previewFor", "no user is called '%.80s'", text);
    if (!user && read_address(text, &m, e) < 0)
        return ERR_INVALID;
    json_open(o, '[');
    if (p->allow_all)
        json_raw(o, everything, sizeof(everything) - 1);
    for (size_t i = 0; i < p->rules.len && !view_is_cancelled(v); i++) {
        const struct policy_rule *r = p->rules.items[i];
        if (r->connector || !rule_fits(&m, r))
            continue;
        if (r->offset < at) /* the sections may come in any order */
            line = 1, at = 0;
        for (; at < r->offset; at++)
            line += p->text[at] == '\n';
        put_match(o, r, line);
    }
    json_close(o, ']');
    return 0;
}
