/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors. A connector is sent its apps; their users resolve the apps' domains through connectors, by DNS over
 * HTTP at their peer API. The connectors learn the addresses from that and advertise them to the server as routes. */
#include "netmap/connectors.h"

#include <stdio.h>

#include "model/hostinfo.h"

#define CAPABILITY     "tailscale.com/app-connectors"
#define STORE_ROUTES   "store-appc-routes"
#define RESOLVERS_MAX  2 /* per domain: clients ask all of them at once */
#define CONNECTORS_MAX 64

bool connectors_exist(const struct netmap_access *a)
{
    return a->view && policy_connector_apps(a->view) > 0;
}

bool connectors_offered(const struct tailnet_node *n)
{
    return peer_hostinfo_is_connector(n->record->peer_hostinfo);
}

void connectors_put_caps(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *node)
{
    bool open = false;

    for (size_t i = 0; connectors_exist(a) && i < policy_connector_apps(a->view); i++) {
        if (!policy_app_has_connector(a->view, i, node->slot))
            continue;
        const char *json = policy_connector_app(a->view, i)->json;
        if (!open) {
            json_key(o, CAPABILITY);
            json_open(o, '[');
        }
        open = true;
        json_raw(o, json, strlen(json));
    }
    if (!open)
        return;
    json_close(o, ']');
    /* It keeps learned routes over restarts, and withdraws them when a domain leaves the policy. */
    if (!policy_has_attr(a->view, node->slot, STORE_ROUTES))
        json_key(o, STORE_ROUTES), json_nil(o);
}

/* Better first: online and not drained, then by priority, then by age. */
static bool is_better(const struct tailnet_node *x, const struct tailnet_node *y)
{
    bool well[2] = {x->live.healthy && !x->record->draining, y->live.healthy && !y->record->draining};

    if (well[0] != well[1])
        return well[0];
    if (x->record->priority != y->record->priority)
        return x->record->priority > y->record->priority;
    return x->record->r.id < y->record->r.id;
}

/* The connectors of the app that the viewer can ask, best first; at most RESOLVERS_MAX. */
static size_t find_connectors(const struct netmap_access *a, const struct tailnet_node *viewer, size_t app,
                              const struct tailnet_node *const *offered, size_t count, const struct tailnet_node **best)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        const struct tailnet_node *n = offered[i];
        if (!policy_app_has_connector(a->view, app, n->slot) || !access_visible(a, viewer, n))
            continue;
        size_t at = found;
        while (at > 0 && is_better(n, best[at - 1]))
            at--;
        if (at == RESOLVERS_MAX)
            continue;
        found += found < RESOLVERS_MAX;
        for (size_t k = found - 1; k > at; k--)
            best[k] = best[k - 1];
        best[at] = n;
    }
    return found;
}

static size_t find_offered(const struct netmap_access *a, const struct tailnet_node **out)
{
    size_t count = 0;

    for (uint32_t slot = 0; slot < a->snapshot->block_count * TAILNET_BLOCK && count < CONNECTORS_MAX; slot++) {
        const struct tailnet_node *n = snapshot_node(a->snapshot, slot);
        /* The peer API over IPv4: clients ask for permission to reach 0.0.0.0, see emit_resolving of the policy. */
        if (n && n->live.online && !n->expired && n->record->ipv4.bits && connectors_offered(n) &&
            peer_hostinfo_port(n->record->peer_hostinfo, "peerapi4"))
            out[count++] = n;
    }
    return count;
}

static void add_resolver(json_t *list, const struct node *n)
{
    char address[ADDR_TEXT_MAX], url[ADDR_TEXT_MAX + 40];
    json_t *entry;
    size_t i;

    snprintf(url, sizeof(url), "http://%s:%u/dns-query", addr_format(&n->ipv4, address),
             peer_hostinfo_port(n->peer_hostinfo, "peerapi4"));
    json_array_foreach(list, i, entry)
    {
        if (str_eq(json_text(entry, "Addr", ""), url))
            return;
    }
    if (json_array_size(list) < RESOLVERS_MAX)
        json_array_append_new(list, json_pack("{s:s}", "Addr", url));
}

static void add_domains(json_t *routes, const struct policy_connector_app *app, const struct tailnet_node *const *best,
                        size_t count)
{
    for (size_t i = 0; i < app->domains.len; i++) {
        const char *domain = app->domains.items[i];
        domain += str_starts(domain, "*.") ? 2 : 0;
        json_t *list = json_object_get(routes, domain);
        if (!list)
            json_object_set_new(routes, domain, list = json_array());
        for (size_t k = 0; k < count; k++)
            add_resolver(list, best[k]->record);
    }
}

void connectors_add_routes(const struct netmap_access *a, const struct tailnet_node *node, json_t *routes)
{
    const struct tailnet_node *offered[CONNECTORS_MAX], *best[RESOLVERS_MAX];
    size_t count = connectors_exist(a) ? find_offered(a, offered) : 0;

    for (size_t i = 0; count && i < policy_connector_apps(a->view); i++) {
        /* a connector that asked another one, or itself, for its own domains would cause a loop */
        if (!policy_app_has_user(a->view, i, node->slot) || policy_app_has_connector(a->view, i, node->slot))
            continue;
        size_t found = find_connectors(a, node, i, offered, count, best);
        if (found)
            add_domains(routes, policy_connector_app(a->view, i), best, found);
    }
}
