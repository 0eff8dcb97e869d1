/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/access.h"

#include "base/map.h"

static const char ALLOW_ALL[] =
    "[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,\"Last\":65535}}]}]";

bool access_visible(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer)
{
    if (!viewer->record->authorized || !peer->record->authorized)
        return false;
    return a->view ? policy_sees(a->view, viewer->slot, peer->slot) : viewer->slot != peer->slot;
}

uint64_t access_block(const struct netmap_access *a, const struct tailnet_node *viewer, size_t block)
{
    uint64_t mask = 0;

    for (unsigned k = 0; k < TAILNET_BLOCK && viewer->record->authorized; k++) {
        const struct tailnet_node *n = a->snapshot->blocks[block]->nodes[k];
        if (n && n->record->authorized)
            mask |= UINT64_C(1) << k;
    }
    if (viewer->slot / TAILNET_BLOCK == block)
        mask &= ~(UINT64_C(1) << viewer->slot % TAILNET_BLOCK);
    return mask && a->view ? mask & policy_sees_mask(a->view, viewer->slot, (uint32_t)block) : mask;
}

void access_all_routes(const struct tailnet_node *peer, struct prefixes *out)
{
    struct prefixes effective = {0};

    prefixes_copy(out, &peer->serving);
    if (!node_is_exit(peer->record))
        return;
    node_effective(peer->record, &effective);
    for (size_t i = 0; i < effective.len; i++)
        if (prefix_is_exit(&effective.items[i]))
            prefixes_add(out, &effective.items[i]);
    prefixes_release(&effective);
}

bool access_suggests(const struct tailnet_node *n)
{
    return n->live.healthy && !n->record->draining;
}

/* Moves prefixes that are served by the nearest router from the primary's routes to those of the viewer's router. */
static void show_nearest(const struct netmap_access *a, const struct tailnet_node *viewer,
                         const struct tailnet_node *peer, struct prefixes *routes)
{
    for (size_t i = 0; i < a->snapshot->nearest->len; i++) {
        const struct nearest_prefix *n = &a->snapshot->nearest->items[i];
        if (!prefixes_has(&peer->record->approved, &n->prefix))
            continue;
        uint32_t router = tailnet_nearer_router(n, a->view, viewer->slot);
        if (router == peer->slot)
            prefixes_add(routes, &n->prefix);
        else if (router != TAILNET_SLOT_NONE)
            prefixes_del(routes, &n->prefix);
    }
}

/* The viewer tests the peer as a standby: it reaches the probe target through it, whichever router serves. */
static void add_probe(const struct tailnet_node *viewer, const struct tailnet_node *peer, struct peer_view *out)
{
    const struct addr *target = &peer->live.probe_target;

    if (peer->live.probe_helper != viewer->record->r.id)
        return;
    if (!out->hash)
        access_all_routes(peer, &out->routes);
    prefixes_add(&out->routes, &(struct prefix){*target, target->bits});
    out->hash = (map_hash(out->routes.items, out->routes.len * sizeof(*out->routes.items)) << 2 | 1 |
                 (uint64_t)out->no_ipv4 << 1);
}

static void own_view(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                     struct peer_view *out)
{
    struct prefixes all = {0};

    out->no_ipv4 = a->view && policy_hides_ipv4(a->view, viewer->slot, peer->slot);
    bool router = peer->record->approved.len > 0 || peer->serving.len > 0;
    if (router && a->view)
        policy_routes(a->view, viewer->slot, peer->slot, &out->routes);
    else if (router)
        access_all_routes(peer, &out->routes);
    if (router && a->snapshot->nearest)
        show_nearest(a, viewer, peer, &out->routes);
    if (router && !out->no_ipv4) {
        access_all_routes(peer, &all);
        bool whole = prefixes_eq(&all, &out->routes);
        prefixes_release(&all);
        if (whole)
            return;
    }
    if (router || out->no_ipv4)
        out->hash = (map_hash(out->routes.items, out->routes.len * sizeof(*out->routes.items)) << 2 | 1 |
                     (uint64_t)out->no_ipv4 << 1);
}

void access_peer(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                 struct peer_view *out)
{
    prefixes_release(&out->routes);
    *out = (struct peer_view){0};
    if (a->view || a->snapshot->nearest)
        own_view(a, viewer, peer, out);
    if (peer->live.probe_helper)
        add_probe(viewer, peer, out);
}

/* A filter without rules must be sent explicitly: it lets nothing in, whereas an absent one would leave the old one in
 * force. */
static bool nothing(bool first, struct sent_filter *sent, struct json_out *o)
{
    if (!first && sent->nothing)
        return false;
    policy_parts_release(&sent->parts);
    *sent = (struct sent_filter){.nothing = true};
    json_key(o, "PacketFilters");
    json_open(o, '{');
    if (!first)
        json_key(o, "*"), json_nil(o);
    json_key(o, "base");
    json_raw(o, "[]", 2);
    json_close(o, '}');
    return true;
}

static bool everything(bool first, struct sent_filter *sent, struct json_out *o)
{
    if (!first && sent->everything)
        return false;
    bool replaces = (sent->parts.len > 0 || sent->nothing) && !first;
    policy_parts_release(&sent->parts);
    *sent = (struct sent_filter){.everything = true};
    json_key(o, "PacketFilters");
    json_open(o, '{');
    if (replaces)
        json_key(o, "*"), json_nil(o);
    json_key(o, "base");
    json_raw(o, ALLOW_ALL, sizeof(ALLOW_ALL) - 1);
    json_close(o, '}');
    return true;
}

bool access_filter(const struct netmap_access *a, const struct tailnet_node *node, bool first, struct sent_filter *sent,
                   struct json_out *o)
{
    if (!node->record->authorized)
        return nothing(first, sent, o);
    if (!a->view)
        return everything(first, sent, o);

    struct policy_parts now = {0};
    struct buf delta = BUF_INIT(0);
    bool anew = first || sent->everything || sent->nothing; /* then nothing that was sent is valid any more */
    size_t members = policy_filter_delta(a->view, node->slot, anew ? NULL : &sent->parts, &now, &delta);
    bool write = anew || members > 0;
    if (write) {
        json_key(o, "PacketFilters");
        json_open(o, '{');
        if ((sent->everything || sent->nothing) && !first)
            json_key(o, "*"), json_nil(o);
        if (anew && members == 0)
            json_key(o, "base"), json_raw(o, "[]", 2);
        else if (delta.len > 2)
            json_raw(o, delta.data + 1, delta.len - 2);
        json_close(o, '}');
    }
    buf_release(&delta);
    policy_parts_release(&sent->parts);
    sent->parts = now;
    sent->everything = sent->nothing = false;
    return write;
}

static void flag(struct json_out *o, const char *cap)
{
    json_key(o, cap);
    json_nil(o);
}

static void put_attrs(const struct netmap_access *a, const struct tailnet_node *node, struct json_out *o)
{
    struct strs attrs = {0};

    policy_attrs(a->view, node->slot, &attrs);
    for (size_t i = 0; i < attrs.len; i++) {
        bool written = str_eq(attrs.items[i], "randomize-client-port") ? a->snapshot->settings->randomize_client_port
                       : str_eq(attrs.items[i], "traffic-steering")    ? a->snapshot->ranked_exits > 0
                                                                       : false;
        if (!written)
            flag(o, attrs.items[i]);
    }
    strs_release(&attrs);
}

void access_caps(const struct netmap_access *a, const struct tailnet_node *node, struct json_out *o)
{
    const struct tailnet_settings *set = a->snapshot->settings;

    if (node->user && node->user->role != ROLE_MEMBER)
        flag(o, "https://tailscale.com/cap/is-admin");
    if (node->user && node->user->role == ROLE_OWNER)
        flag(o, "https://tailscale.com/cap/is-owner");
    flag(o, "https://tailscale.com/cap/ssh");
    if (set->taildrop)
        flag(o, "https://tailscale.com/cap/file-sharing");
    json_key(o, "default-auto-update");
    json_raw(o, set->auto_update ? "[true]" : "[false]", set->auto_update ? 6 : 7);
    if (set->randomize_client_port)
        flag(o, "randomize-client-port");
    if (a->snapshot->ranked_exits)
        flag(o, "traffic-steering");
    if (a->view)
        put_attrs(a, node, o);
}

void access_ssh(const struct netmap_access *a, const struct tailnet_node *node, struct buf *out)
{
    struct buf rules = BUF_INIT(0);

    if (a->view)
        policy_ssh(a->view, node->slot, a->snapshot->settings->server_url, &rules);
    buf_addf(out, "{\"rules\":%s}", rules.len ? rules.data : "[]");
    buf_release(&rules);
}

uint64_t access_ssh_version(const struct netmap_access *a, const struct tailnet_node *node)
{
    return a->view ? policy_ssh_version(a->view, node->slot) : 0;
}
