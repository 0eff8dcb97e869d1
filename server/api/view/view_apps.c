/* SPDX-License-Identifier: BSD-3-Clause */
/* Apps of the policy: their connectors, and the addresses these have learned. */
#include <stdlib.h>

#include "api/view/view.h"
#include "base/vec.h"
#include "model/api_health.h"
#include "model/hostinfo.h"
#include "policy/policy.h"

typedef VEC(struct api_app_connector) connector_list;

static bool has_tag(const struct policy_connector_app *app, const struct node *n)
{
    for (size_t i = 0; i < app->connectors.len; i++)
        if (strs_has(&n->tags, app->connectors.items[i]))
            return true;
    return false;
}

static const char *trouble_of(const struct tailnet_node *n)
{
    const struct node *r = n->record;

    if (!peer_hostinfo_is_connector(r->peer_hostinfo))
        return "it does not offer to be a connector: tailscale set --advertise-connector";
    if (!r->authorized)
        return "it waits for approval";
    if (n->expired)
        return "its key has expired";
    if (!n->live.online)
        return "it is offline";
    if (!r->ipv4.bits || !peer_hostinfo_port(r->peer_hostinfo, "peerapi4"))
        return "its client has no peer API at an IPv4 address";
    return n->live.healthy ? NULL : "it answers no probe";
}

/* Addresses that the node advertises besides the app's networks: learned ones, for whichever app. */
static void show_learned(const struct node *n, const struct policy_connector_app *app, struct arena *a,
                         struct prefixes *out)
{
    out->items = arena_alloc(a, (n->available.len + 1) * sizeof(*out->items));
    for (size_t i = 0; i < n->available.len; i++) {
        const struct prefix *p = &n->available.items[i];
        if (p->bits == p->addr.bits && !prefixes_has(&app->routes, p))
            out->items[out->len++] = *p;
    }
}

static struct strs copy_texts(const struct strs *from, struct arena *a)
{
    struct strs to = {.items = arena_alloc(a, (from->len + 1) * sizeof(char *))};

    for (; to.len < from->len; to.len++)
        to.items[to.len] = arena_strdup(a, from->items[to.len]);
    return to;
}

static void show_app(struct api_view *v, const struct policy_view *policy, size_t i, struct arena *a,
                     struct api_app *out)
{
    const struct policy_connector_app *app = policy_connector_app(policy, i);
    connector_list list = {0};

    *out = (struct api_app){.name = arena_strdup(a, app->name),
                            .tags = copy_texts(&app->connectors, a),
                            .domains = copy_texts(&app->domains, a)};
    out->routes.items = arena_alloc(a, (app->routes.len + 1) * sizeof(*out->routes.items));
    for (; out->routes.len < app->routes.len; out->routes.len++)
        out->routes.items[out->routes.len] = app->routes.items[out->routes.len];
    for (uint32_t slot = 0; slot < v->s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(v->s, slot);
        if (!n)
            continue;
        out->users += policy_app_has_user(policy, i, slot);
        if (!policy_app_has_connector(policy, i, slot) && !has_tag(app, n->record))
            continue;
        struct api_app_connector *c = vec_add(&list);
        *c = (struct api_app_connector){
            .node = n->record->r.id, .name = n->record->given_name, .online = n->live.online, .trouble = trouble_of(n)};
        c->ready = !c->trouble;
        show_learned(n->record, app, a, &c->learned);
        out->ready += c->ready;
    }
    struct api_app_connector *items = arena_alloc(a, (list.len + 1) * sizeof(*items));
    if (list.len)
        memcpy(items, list.items, list.len * sizeof(*items));
    out->connectors = (struct api_list){items, list.len};
    vec_release(&list);
}

void show_apps(struct api_view *v, struct tailnet *t, struct arena *a, struct api_list *out)
{
    const struct policy_view *policy = tailnet_policy_read(t);
    size_t count = policy ? policy_connector_apps(policy) : 0;
    struct api_app *items = arena_alloc(a, (count + 1) * sizeof(*items));

    for (size_t i = 0; i < count; i++)
        show_app(v, policy, i, a, &items[i]);
    tailnet_policy_done(t);
    *out = (struct api_list){items, count};
}
