/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors: which nodes they are, which nodes use them, which routes they add. */
#include "policy/view/view.h"

size_t policy_connector_apps(const struct policy_view *v)
{
    return v->p->connector_apps.len;
}

const struct policy_connector_app *policy_connector_app(const struct policy_view *v, size_t app)
{
    return v->p->connector_apps.items[app];
}

bool policy_app_has_connector(const struct policy_view *v, size_t app, uint32_t slot)
{
    const struct policy_connector_app *a = v->p->connector_apps.items[app];
    const struct vnode *n = view_node(v, slot);

    if (!n || !n->connector)
        return false;
    for (size_t i = 0; i < a->connectors.len; i++)
        if (str_eq(a->connectors.items[i], "*") || strs_has(&n->tags, a->connectors.items[i]))
            return true;
    return false;
}

bool policy_app_has_user(const struct policy_view *v, size_t app, uint32_t slot)
{
    const struct policy_attr *attr = &v->p->attrs.items[v->p->connector_apps.items[app]->attr];
    const struct vnode *n = view_node(v, slot);

    for (size_t i = 0; n && i < attr->target.len; i++)
        if (node_matches(v, n, &v->p->principals.items[attr->target.items[i].principal]))
            return true;
    return false;
}

/* Connectors only learn public addresses: clients skip these ranges (ipnlocal.allowedAutoRoute), and a client that does
 * not is not trusted. */
static bool is_learned(const struct prefix *route)
{
    static const char *const never[] = {
        "100.64.0.0/10", "fd7a:115c:a1e0::/48", "127.0.0.0/8", "::1/128",   "169.254.0.0/16",
        "fe80::/10",     "224.0.0.0/4",         "ff00::/8",    "0.0.0.0/8", "::/128",
        "240.0.0.0/4"};
    struct prefix p;

    if (route->bits != route->addr.bits)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (prefix_parse(never[i], &p, NULL, NULL) == 0 && prefix_covers(&p, route))
            return false;
    return true;
}

bool connector_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route)
{
    for (size_t i = 0; i < v->p->connector_apps.len; i++) {
        const struct policy_connector_app *a = v->p->connector_apps.items[i];
        if ((prefixes_has(&a->routes, route) || (a->domains.len && is_learned(route))) &&
            policy_app_has_connector(v, i, slot))
            return true;
    }
    return false;
}
