/* SPDX-License-Identifier: BSD-3-Clause */
/* What peers see of a node, field by field, and what must be sent when a field changes. */
#include "base/array.h"
#include "tailnet/publish.h"

typedef bool same_function(const struct tailnet_node *a, const struct tailnet_node *b);

static bool same_id(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->r.id == b->record->r.id && a->record->created_ns == b->record->created_ns;
}

static bool same_name(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return str_eq(a->record->given_name, b->record->given_name);
}

static bool same_owner(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->user_id == b->record->user_id && !a->user == !b->user &&
           strs_eq(&a->record->tags, &b->record->tags);
}

static bool same_addresses(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return addr_eq(&a->record->ipv4, &b->record->ipv4) && addr_eq(&a->record->ipv6, &b->record->ipv6);
}

static bool same_serving(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return prefixes_eq(&a->serving, &b->serving);
}

/* Also the input of a policy's routes. */
static bool same_effective(const struct tailnet_node *a, const struct tailnet_node *b)
{
    struct prefixes x = {0}, y = {0};

    if (prefixes_eq(&a->record->available, &b->record->available) &&
        prefixes_eq(&a->record->approved, &b->record->approved))
        return true;
    node_effective(a->record, &x);
    node_effective(b->record, &y);
    bool same = prefixes_eq(&x, &y);
    prefixes_release(&x);
    prefixes_release(&y);
    return same;
}

/* An exit node is suggested to clients while it answers and is not drained (tailcfg.NodeAttrSuggestExitNode). */
static bool same_suggestion(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return (a->live.healthy == b->live.healthy && a->record->draining == b->record->draining) ||
           (!node_is_exit(a->record) && !node_is_exit(b->record));
}

/* Sent in the Hostinfo of exit nodes. */
static bool same_priority(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->priority == b->record->priority || (!node_is_exit(a->record) && !node_is_exit(b->record));
}

/* A node that tests it as a standby sees another route of it. */
static bool same_probe(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->live.probe_helper == b->live.probe_helper && addr_eq(&a->live.probe_target, &b->live.probe_target);
}

static bool same_hostinfo(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return str_eq(a->record->peer_hostinfo, b->record->peer_hostinfo);
}

static bool same_version(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->cap_version == b->record->cap_version;
}

static bool same_expired(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->expired == b->expired;
}

static bool same_authorized(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->authorized == b->record->authorized;
}

static bool same_node_key(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return memcmp(a->record->node_key, b->record->node_key, KEY_LEN) == 0;
}

int64_t tailnet_node_expiry(const struct tailnet_node *n)
{
    const int64_t long_ago = INT64_C(1577836800000000000); /* 2020: past for every client */

    bool by_other_means = n->record->logged_out || !n->record->expiry_ns || (n->user && n->user->suspended_ns);

    return n->expired && by_other_means ? long_ago : n->record->expiry_ns;
}

#define DAY_NS (INT64_C(86400) * 1000000000)
static const int64_t key_end_ns[] = {[KEY_END_WEEK] = 7 * DAY_NS, [KEY_END_DAY] = DAY_NS};

enum key_end tailnet_key_end(const struct node *n, int64_t now_ns)
{
    int64_t left = n->expiry_ns - now_ns;

    if (!n->expiry_ns || left > key_end_ns[KEY_END_WEEK])
        return KEY_END_FAR;
    return left > key_end_ns[KEY_END_DAY] ? KEY_END_WEEK : KEY_END_DAY;
}

int64_t tailnet_key_end_next(const struct node *n, int64_t now_ns)
{
    int64_t left = n->expiry_ns - now_ns;

    if (!n->expiry_ns || left <= 0)
        return n->expiry_ns;
    for (int end = KEY_END_WEEK; end <= KEY_END_DAY; end++)
        if (left > key_end_ns[end])
            return n->expiry_ns - key_end_ns[end];
    return n->expiry_ns;
}

static bool same_expiry(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return tailnet_node_expiry(a) == tailnet_node_expiry(b);
}

static bool same_having_disco(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return key_is_zero(a->record->disco_key) == key_is_zero(b->record->disco_key);
}

static bool same_disco(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return !same_having_disco(a, b) || memcmp(a->record->disco_key, b->record->disco_key, KEY_LEN) == 0;
}

static bool same_endpoints(const struct tailnet_node *a, const struct tailnet_node *b)
{
    bool same = a->live.endpoint_count == b->live.endpoint_count;

    for (size_t i = 0; same && i < a->live.endpoint_count; i++)
        same = addr_port_eq(&a->live.endpoints[i], &b->live.endpoints[i]);
    return same;
}

static bool same_relay(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->live.home_derp == b->live.home_derp;
}

static bool same_having_relay(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->live.home_derp == b->live.home_derp || b->live.home_derp != 0;
}

/* LastSeen is sent while the node is offline. */
static bool same_online(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->live.online == b->live.online && (a->live.online || a->live.last_seen_ns == b->live.last_seen_ns);
}

static bool same_requests(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return prefixes_eq(&a->record->available, &b->record->available) &&
           strs_eq(&a->record->request_tags, &b->record->request_tags);
}

/* Reported to its user. */
static bool same_forwarding(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return node_warnings_has(&a->live.warnings, WARNING_FORWARDING_OFF) ==
           node_warnings_has(&b->live.warnings, WARNING_FORWARDING_OFF);
}

/* What the node is sent about the exit node that it uses. */
static bool same_exit_node(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return a->record->exit_node_id == b->record->exit_node_id;
}

/* The node's own DNS configuration may name it. */
static bool same_device(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return str_eq(a->record->hostname, b->record->hostname) && str_eq(a->record->os, b->record->os);
}

static bool same_role(const struct tailnet_node *a, const struct tailnet_node *b)
{
    return !a->user || !b->user || a->user->role == b->user->role;
}

/* tailcfg.PeerChange has members for what CHANGE_KEYS, CHANGE_ENDPOINTS and CHANGE_ONLINE cover, but none of them can
 * express removal: for that, and for all other fields, the whole node is sent. */
static const struct {
    const char *fields; /* of tailcfg.Node */
    same_function *same;
    uint32_t change;
} table[] = {
    {"ID StableID Created", same_id, CHANGE_WHOLE | CHANGE_SELF},
    {"Name", same_name, CHANGE_WHOLE | CHANGE_SELF},
    {"User Tags", same_owner, CHANGE_WHOLE | CHANGE_SELF},
    {"Addresses AllowedIPs", same_addresses, CHANGE_WHOLE | CHANGE_SELF},
    {"AllowedIPs PrimaryRoutes", same_serving, CHANGE_WHOLE | CHANGE_SELF},
    {"AllowedIPs", same_effective, CHANGE_WHOLE | CHANGE_SELF},
    {"AllowedIPs", same_probe, CHANGE_WHOLE},
    {"CapMap", same_suggestion, CHANGE_WHOLE},
    {"Hostinfo", same_priority, CHANGE_WHOLE},
    {"Hostinfo", same_hostinfo, CHANGE_WHOLE | CHANGE_SELF},
    {"Cap", same_version, CHANGE_WHOLE | CHANGE_SELF},
    {"Expired", same_expired, CHANGE_WHOLE | CHANGE_SELF},
    {"MachineAuthorized", same_authorized, CHANGE_WHOLE | CHANGE_SELF},
    {"Key", same_node_key, CHANGE_KEYS | CHANGE_SELF},
    {"KeyExpiry", same_expiry, CHANGE_KEYS | CHANGE_SELF},
    {"DiscoKey", same_disco, CHANGE_KEYS | CHANGE_SELF},
    /* A first key is an addition: it revokes nothing and is not urgent. */
    {"DiscoKey", same_having_disco, CHANGE_WHOLE},
    {"Endpoints", same_endpoints, CHANGE_ENDPOINTS},
    {"HomeDERP", same_relay, CHANGE_ENDPOINTS},
    {"HomeDERP", same_having_relay, CHANGE_WHOLE},
    {"Online LastSeen", same_online, CHANGE_ONLINE},
    /* Only in the node's own map. */
    {"Hostinfo", same_requests, CHANGE_SELF},
    {"CapMap", same_role, CHANGE_SELF},
    {"", same_exit_node, CHANGE_SELF},
    {"", same_forwarding, CHANGE_SELF},
    {"", same_device, CHANGE_SELF},
};

uint32_t tailnet_node_difference(const struct tailnet_node *a, const struct tailnet_node *b)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (!table[i].same(a, b))
            mask |= table[i].change;
    return mask;
}
