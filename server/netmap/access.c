/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/access.h"

#include "base/map.h"

static const char ALLOW_ALL[] =
    "[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,\"Last\":65535}}]}]";

bool access_is_open(const struct tailnet_snapshot *s)
{
    (void)s;
    return true;
}

bool access_visible(const struct tailnet_snapshot *s, const struct tailnet_node *viewer,
                    const struct tailnet_node *peer)
{
    (void)s;
    return viewer->slot != peer->slot;
}

uint64_t access_block(const struct tailnet_snapshot *s, const struct tailnet_node *viewer, size_t block)
{
    uint64_t mask = 0;

    for (unsigned k = 0; k < TAILNET_BLOCK; k++)
        if (s->blocks[block]->nodes[k])
            mask |= UINT64_C(1) << k;
    if (viewer->slot / TAILNET_BLOCK == block)
        mask &= ~(UINT64_C(1) << viewer->slot % TAILNET_BLOCK);
    return mask;
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

bool access_routes(const struct tailnet_snapshot *s, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                   struct prefixes *out)
{
    (void)s;
    (void)viewer;
    (void)peer;
    (void)out;
    return true;
}

void access_filters(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct access_filters *out)
{
    (void)s;
    (void)node;
    struct access_filter *f = vec_add(out);
    *f = (struct access_filter){.name = "base",
                                .hash = map_hash(ALLOW_ALL, sizeof(ALLOW_ALL) - 1),
                                .rules = ALLOW_ALL,
                                .len = sizeof(ALLOW_ALL) - 1};
}

void access_filters_release(struct access_filters *f)
{
    vec_release(f);
    buf_release(&f->text);
}

static void flag(struct json_out *o, const char *cap)
{
    json_key(o, cap);
    json_nil(o);
}

void access_caps(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct json_out *o)
{
    const struct tailnet_settings *set = s->settings;

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
}

void access_ssh(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct buf *out)
{
    (void)s;
    (void)node;
    buf_adds(out, "{\"rules\":[]}");
}
