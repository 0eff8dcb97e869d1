/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/encode.h"

#include <stdio.h>

#include "base/clock.h"
#include "netmap/access.h"
#include "netmap/connectors.h"

#define LONG_AGO "2020-01-01T00:00:00Z" /* a key expiry that every client takes for past */

static void put_key(struct json_out *o, const char *name, const char *kind, const uint8_t key[KEY_LEN])
{
    char text[KEY_TEXT_MAX];

    json_put_str(o, name, key_format(kind, key, text));
}

static void put_prefix(struct json_out *o, const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    json_str(o, prefix_format(p, text));
}

static void put_prefixes(struct json_out *o, const char *name, const struct prefixes *p)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < p->len; i++)
        put_prefix(o, &p->items[i]);
    json_close(o, ']');
}

static void put_texts(struct json_out *o, const char *name, const struct strs *s)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < s->len; i++)
        json_str(o, s->items[i]);
    json_close(o, ']');
}

static void put_endpoints(struct json_out *o, const struct node_live *live)
{
    char text[ADDR_PORT_TEXT_MAX];

    json_key(o, "Endpoints");
    json_open(o, '[');
    for (size_t i = 0; i < live->endpoint_count; i++)
        json_str(o, addr_port_format(&live->endpoints[i], text));
    json_close(o, ']');
}

/* IPv4 first, as clients expect; AllowedIPs are in the order of the set. */
static void put_addresses(struct json_out *o, const struct node *n, bool no_ipv4, struct prefixes *allowed)
{
    const struct addr *both[] = {&n->ipv4, &n->ipv6};

    json_key(o, "Addresses");
    json_open(o, '[');
    for (size_t i = 0; i < 2; i++) {
        if (!both[i]->bits || (no_ipv4 && i == 0))
            continue;
        struct prefix p = {*both[i], both[i]->bits};
        put_prefix(o, &p);
        prefixes_add(allowed, &p);
    }
    json_close(o, ']');
}

static void put_name(struct json_out *o, const struct tailnet_snapshot *s, const struct node *n)
{
    struct buf name = BUF_INIT(0);

    snapshot_fqdn(s, n, &name);
    json_put_str(o, "Name", buf_text(&name));
    buf_release(&name);
}

uint64_t encode_owner(const struct tailnet_node *n)
{
    return n->user ? n->user->r.id : TAGGED_USER_ID;
}

static void put_identity(struct json_out *o, uint64_t id)
{
    json_put_u64(o, "ID", id);
    json_put_id(o, "StableID", id);
}

static void put_expiry(struct json_out *o, const struct tailnet_node *n)
{
    int64_t expiry_ns = tailnet_node_expiry(n);

    if (expiry_ns)
        json_put_time(o, "KeyExpiry", expiry_ns);
}

static void put_head(struct json_out *o, const struct tailnet_snapshot *s, const struct tailnet_node *n, bool no_ipv4,
                     struct prefixes *allowed)
{
    put_identity(o, n->record->r.id);
    put_name(o, s, n->record);
    json_put_u64(o, "User", encode_owner(n));
    put_key(o, "Key", "nodekey:", n->record->node_key);
    put_expiry(o, n);
    if (!key_is_zero(n->record->disco_key))
        put_key(o, "DiscoKey", "discokey:", n->record->disco_key);
    put_addresses(o, n->record, no_ipv4, allowed);
}

static void put_presence(struct json_out *o, const struct tailnet_node *n)
{
    json_put_time(o, "Created", n->record->created_ns ? n->record->created_ns : 1);
    if (n->record->cap_version)
        json_put_u64(o, "Cap", n->record->cap_version);
    if (n->record->tags.len)
        put_texts(o, "Tags", &n->record->tags);
}

/* Without LastSeen a client shows the node as never seen, so it is absent only if nothing is known. */
static void put_online(struct json_out *o, const struct tailnet_node *n)
{
    if (!n->live.online && n->live.last_seen_ns)
        json_put_time(o, "LastSeen", n->live.last_seen_ns);
    json_put_bool(o, "Online", n->live.online);
}

static void put_subnets(struct json_out *o, const struct prefixes *routes)
{
    size_t exits = 0;

    for (size_t i = 0; i < routes->len; i++)
        exits += prefix_is_exit(&routes->items[i]);
    if (routes->len == exits)
        return;
    json_key(o, "PrimaryRoutes");
    json_open(o, '[');
    for (size_t i = 0; i < routes->len; i++)
        if (!prefix_is_exit(&routes->items[i]))
            put_prefix(o, &routes->items[i]);
    json_close(o, ']');
}

/* The client's own report and, for an exit node, the priority by which clients with the capability traffic-steering
 * choose (Location.Priority, since capability version 119), which the server alone sets. No place is named: of exit
 * nodes in one place `tailscale exit-node list` shows only the best. */
static void put_hostinfo(struct json_out *o, const struct node *n, bool exit)
{
    size_t len = strlen(n->peer_hostinfo);

    json_key(o, "Hostinfo");
    json_open(o, '{');
    if (len > 2)
        json_raw(o, n->peer_hostinfo + 1, len - 2);
    if (exit) {
        json_key(o, "Location");
        json_open(o, '{');
        json_put_u64(o, "Priority", n->priority);
        json_close(o, '}');
    }
    json_close(o, '}');
}

void encode_peer(struct json_out *o, const struct tailnet_snapshot *s, const struct tailnet_node *n,
                 const struct prefixes *routes, bool no_ipv4)
{
    struct prefixes allowed = {0};
    bool exit = prefixes_has_exit(routes);

    json_open(o, '{');
    put_head(o, s, n, no_ipv4, &allowed);
    /* Without routes AllowedIPs equal the addresses, which is what an absent member means (capability version 112). */
    if (routes->len) {
        for (size_t i = 0; i < routes->len; i++)
            prefixes_add(&allowed, &routes->items[i]);
        put_prefixes(o, "AllowedIPs", &allowed);
    }
    prefixes_release(&allowed);
    put_endpoints(o, &n->live);
    if (n->live.home_derp)
        json_put_u64(o, "HomeDERP", n->live.home_derp);
    put_hostinfo(o, n->record, exit);
    put_presence(o, n);
    put_subnets(o, routes);
    put_online(o, n);
    if (n->expired)
        json_put_bool(o, "Expired", true);
    if (exit && access_suggests(n))
        json_key(o, "CapMap"), json_raw(o, "{\"suggest-exit-node\":null}", 26);
    json_close(o, '}');
}

/* What a client needs of its own Hostinfo: what peers see, and what it requested. */
static void put_own_hostinfo(struct json_out *o, const struct node *n)
{
    size_t len = strlen(n->peer_hostinfo);

    json_key(o, "Hostinfo");
    json_open(o, '{');
    if (len > 2)
        json_raw(o, n->peer_hostinfo + 1, len - 2);
    if (n->request_tags.len)
        put_texts(o, "RequestTags", &n->request_tags);
    if (n->available.len)
        put_prefixes(o, "RoutableIPs", &n->available);
    json_close(o, '}');
}

/* Prefixes that it is elected for, and those that it serves as nearest router: clients with a BIRD daemon announce the
 * tailnet to their network only while they are primary for something. */
static void put_own_subnets(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *n)
{
    struct prefixes serving = {0};

    tailnet_nearest_serving(a->snapshot->nearest, n->slot, &serving);
    for (size_t i = 0; i < n->serving.len; i++)
        prefixes_add(&serving, &n->serving.items[i]);
    put_subnets(o, &serving);
    prefixes_release(&serving);
}

void encode_self(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *n)
{
    struct prefixes allowed = {0}, effective = {0};

    node_effective(n->record, &effective);
    json_open(o, '{');
    put_head(o, a->snapshot, n, a->view && policy_has_attr(a->view, n->slot, "disable-ipv4"), &allowed);
    for (size_t i = 0; i < effective.len; i++)
        prefixes_add(&allowed, &effective.items[i]);
    put_prefixes(o, "AllowedIPs", &allowed);
    put_endpoints(o, &n->live);
    if (n->live.home_derp)
        json_put_u64(o, "HomeDERP", n->live.home_derp);
    put_own_hostinfo(o, n->record);
    put_presence(o, n);
    put_own_subnets(o, a, n);
    json_put_bool(o, "Online", true);
    json_put_bool(o, "MachineAuthorized", n->record->authorized); /* an expired key is no reason to ask for approval */
    if (n->expired)
        json_put_bool(o, "Expired", true);
    json_key(o, "CapMap");
    json_open(o, '{');
    access_caps(a, n, o);
    connectors_put_caps(o, a, n);
    json_close(o, '}');
    json_close(o, '}');
    prefixes_release(&allowed);
    prefixes_release(&effective);
}

void encode_goodbye(struct json_out *o, uint64_t node_id, const uint8_t node_key[KEY_LEN], const char *name)
{
    json_open(o, '{');
    put_identity(o, node_id);
    json_put_str(o, "Name", name);
    json_put_u64(o, "User", TAGGED_USER_ID);
    put_key(o, "Key", "nodekey:", node_key);
    json_put_str(o, "KeyExpiry", LONG_AGO);
    json_key(o, "Addresses"), json_raw(o, "[]", 2);
    json_key(o, "AllowedIPs"), json_raw(o, "[]", 2);
    json_put_bool(o, "Online", false);
    json_put_bool(o, "MachineAuthorized", true);
    json_put_bool(o, "Expired", true);
    json_close(o, '}');
}

static void put_patch_keys(struct json_out *o, const struct tailnet_node *n)
{
    char text[TIME_TEXT_MAX];

    put_key(o, "Key", "nodekey:", n->record->node_key);
    if (!key_is_zero(n->record->disco_key))
        put_key(o, "DiscoKey", "discokey:", n->record->disco_key);
    json_put_str(o, "KeyExpiry", time_format(tailnet_node_expiry(n), text)); /* the zero time: never */
}

void encode_patch(struct json_out *o, const struct tailnet_node *n, uint32_t mask)
{
    json_open(o, '{');
    json_put_u64(o, "NodeID", n->record->r.id);
    if (mask & CHANGE_ENDPOINTS) {
        if (n->live.home_derp)
            json_put_u64(o, "DERPRegion", n->live.home_derp);
        put_endpoints(o, &n->live);
    }
    if (mask & CHANGE_KEYS) {
        put_patch_keys(o, n);
        /* Since v1.98 clients drop a disco key that comes with Online:false and an old LastSeen: two patches. */
        if (mask & CHANGE_ONLINE) {
            json_close(o, '}');
            json_open(o, '{');
            json_put_u64(o, "NodeID", n->record->r.id);
        }
    }
    if (mask & CHANGE_ONLINE)
        put_online(o, n);
    json_close(o, '}');
}

void encode_profile(struct json_out *o, const struct user *user)
{
    json_open(o, '{');
    if (user) {
        json_put_u64(o, "ID", user->r.id);
        json_put_str(o, "LoginName", user_login(user));
        json_put_str(o, "DisplayName", user_display(user));
        if (*user->picture_url)
            json_put_str(o, "ProfilePicURL", user->picture_url);
    } else {
        json_put_u64(o, "ID", TAGGED_USER_ID);
        json_put_str(o, "LoginName", "tagged-devices");
        json_put_str(o, "DisplayName", "Tagged Devices");
    }
    json_close(o, '}');
}
