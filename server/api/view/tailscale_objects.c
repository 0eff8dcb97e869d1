/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/view/tailscale_objects.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "tailscale/tailscale.h"

/* Rounded: a key is made a moment after its expiry was determined. */
static uint64_t seconds_between(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? (uint64_t)(to_ns - from_ns + NS_PER_SECOND / 2) / (uint64_t)NS_PER_SECOND : 0;
}

void write_v2_auth_key(struct json_out *o, const struct preauth_key *k, const char *whole, int64_t now_ns)
{
    char id[24], user[24] = "";
    bool ended = k->expiration_ns && k->expiration_ns <= now_ns;

    snprintf(id, sizeof(id), "%llu", (unsigned long long)k->r.id);
    if (k->user_id)
        snprintf(user, sizeof(user), "%llu", (unsigned long long)k->user_id);
    const struct api_v2_key out = {.id = id,
                                   .type = "auth",
                                   .key = whole,
                                   .description = k->description,
                                   .expiry_seconds = seconds_between(k->created_ns, k->expiration_ns),
                                   .created_ns = k->created_ns,
                                   .expires_ns = k->expiration_ns,
                                   .revoked_ns = k->revoked_ns,
                                   .invalid = k->revoked || ended || (k->used && !k->reusable),
                                   .reusable = k->reusable,
                                   .ephemeral = k->ephemeral,
                                   .preauthorized = k->preauthorized,
                                   .auth_tags = k->tags,
                                   .user_id = user};
    api_write(o, &api_v2_key_shape, &out, API_V1);
}

void write_v2_client(struct json_out *o, const struct oauth_client *c, const char *whole)
{
    const struct api_v2_key out = {.id = c->client_id,
                                   .type = "client",
                                   .key = whole,
                                   .description = c->description,
                                   .created_ns = c->created_ns,
                                   .preauthorized = true,
                                   .scopes = c->scopes,
                                   .tags = c->tags,
                                   .user_id = ""};

    api_write(o, &api_v2_key_shape, &out, API_V1);
}

void write_v2_device(struct json_out *o, const struct tailnet_node *n, bool all_fields)
{
    const struct node *r = n->record;
    char machine[KEY_TEXT_MAX], key[KEY_TEXT_MAX], text[ADDR_TEXT_MAX];
    struct api_v2_device out = {.name = r->given_name,
                                .hostname = r->hostname,
                                .id = r->r.id,
                                .node_id = r->r.id,
                                .authorized = r->authorized,
                                .key_expiry_disabled = !r->expiry_ns,
                                .ephemeral = r->ephemeral,
                                .user = n->user       ? user_login(n->user)
                                        : r->tags.len ? "tagged-devices"
                                                      : "",
                                .tags = r->tags,
                                .created_ns = r->created_ns,
                                .expires_ns = r->expiry_ns,
                                .last_seen_ns = n->live.online ? 0 : n->live.last_seen_ns,
                                .machine_key = key_format("mkey:", r->machine_key, machine),
                                .node_key = key_format("nodekey:", r->node_key, key),
                                .os = r->os,
                                .client_version = r->client_version};

    if (r->ipv4.bits)
        strs_push(&out.addresses, addr_format(&r->ipv4, text));
    if (r->ipv6.bits)
        strs_push(&out.addresses, addr_format(&r->ipv6, text));
    if (all_fields) {
        out.advertised = r->available;
        out.enabled = r->approved;
    }
    api_write(o, &api_v2_device_shape, &out, API_V1);
    strs_release(&out.addresses);
}

void write_v2_routes(struct json_out *o, const struct node *n)
{
    const struct api_v2_routes out = {.advertised = n->available, .enabled = n->approved};

    api_write(o, &api_v2_routes_shape, &out, API_V1);
}

/* Figures about a user from its nodes. */
struct nodes_of_user {
    uint64_t count;
    int64_t last_seen_ns;
    bool connected;
};

static void sum_nodes(const struct tailnet_snapshot *s, const struct map *by_user)
{
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            struct nodes_of_user *sum = n ? map_getu(by_user, n->record->user_id) : NULL;
            if (!sum)
                continue;
            sum->count++;
            sum->connected = sum->connected || n->live.online;
            sum->last_seen_ns = n->live.last_seen_ns > sum->last_seen_ns ? n->live.last_seen_ns : sum->last_seen_ns;
        }
}

void write_v2_users(struct json_out *o, const struct tailnet_snapshot *s, const struct user *const *users, size_t count)
{
    struct nodes_of_user *sums = mem_alloc((count + 1) * sizeof(*sums));
    struct map by_user = {0};

    for (size_t i = 0; i < count; i++)
        map_putu(&by_user, users[i]->r.id, &sums[i]);
    sum_nodes(s, &by_user);
    for (size_t i = 0; i < count; i++) {
        const struct user *u = users[i];
        struct api_v2_user out = {.id = u->r.id,
                                  .display_name = user_display(u),
                                  .login_name = user_login(u),
                                  .picture_url = u->picture_url,
                                  .tailnet_id = "1",
                                  .type = "member",
                                  .status = u->suspended_ns ? "suspended" : "active",
                                  .role = (int)u->role,
                                  .created_ns = u->created_ns,
                                  .device_count = sums[i].count,
                                  .last_seen_ns = sums[i].last_seen_ns,
                                  .connected = sums[i].connected};
        api_write(o, &api_v2_user_shape, &out, API_V1);
    }
    map_release(&by_user);
    free(sums);
}
