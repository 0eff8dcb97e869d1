/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of each object, in the order in which they are written. headscale's come first and in headscale's order
 * (headscale.v1 messages); what stands under API_HEADWAY is written on /api/headway only. */
#include "base/array.h"
#include "model/shape.h"

#include <stddef.h>

#define FIELD(type, json, member, what, from)                                                                          \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = (what), .scope = (from)                       \
    }
#define NESTED(type, json, member, what, from, of)                                                                     \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = (what), .scope = (from), .shape = &(of)       \
    }
#define WORD(type, json, member, from, of)                                                                             \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = KIND_WORD, .scope = (from), .words = &(of)    \
    }
#define SHAPE(type, label, table)                                                                                      \
    {                                                                                                                  \
        .what = (label), .size = sizeof(struct type), .fields = (table), .count = ARRAY_LEN(table)                     \
    }

static const char *method_name(int method)
{
    static const char *const names[] = {
        [REGISTER_UNSPECIFIED] = "REGISTER_METHOD_UNSPECIFIED",
        [REGISTER_AUTH_KEY] = "REGISTER_METHOD_AUTH_KEY",
        [REGISTER_CLI] = "REGISTER_METHOD_CLI",
        [REGISTER_OIDC] = "REGISTER_METHOD_OIDC",
    };

    return names[method];
}

static const char *pending_name(int kind)
{
    return kind == API_PENDING_SSH ? "ssh" : "register";
}

static const char *weight_name(int weight)
{
    static const char *const names[] = {
        [WEIGHT_INFO] = "info", [WEIGHT_CHANGE] = "change", [WEIGHT_WARN] = "warn", [WEIGHT_ALARM] = "alarm"};

    return names[weight];
}

static const struct api_words roles = {user_role_name, ROLE_OWNER + 1}, methods = {method_name, REGISTER_OIDC + 1},
                              states = {route_state_name, ROUTE_STATES},
                              pending_kinds = {pending_name, API_PENDING_SSH + 1},
                              weights = {weight_name, WEIGHT_ALARM + 1};

static const struct api_field user_fields[] = {
    FIELD(api_user, "id", id, KIND_ID, API_V1),
    FIELD(api_user, "name", name, KIND_TEXT, API_V1),
    FIELD(api_user, "createdAt", created_ns, KIND_CREATED, API_V1),
    FIELD(api_user, "displayName", display_name, KIND_TEXT, API_V1),
    FIELD(api_user, "email", email, KIND_TEXT, API_V1),
    FIELD(api_user, "providerId", provider_id, KIND_TEXT, API_V1),
    FIELD(api_user, "provider", provider, KIND_TEXT, API_V1),
    FIELD(api_user, "profilePicUrl", picture_url, KIND_TEXT, API_V1),
    WORD(api_user, "role", role, API_HEADWAY, roles),
    FIELD(api_user, "version", version, KIND_U64, API_HEADWAY),
    FIELD(api_user, "nodeCount", node_count, KIND_U64, API_HEADWAY_TOP),
};
const struct api_shape api_user_shape = SHAPE(api_user, "user", user_fields);

static const struct api_field preauth_key_fields[] = {
    NESTED(api_preauth_key, "user", user, KIND_ONE, API_V1, api_user_shape),
    FIELD(api_preauth_key, "id", id, KIND_ID, API_V1),
    FIELD(api_preauth_key, "key", key, KIND_TEXT, API_V1),
    FIELD(api_preauth_key, "reusable", reusable, KIND_BOOL, API_V1),
    FIELD(api_preauth_key, "ephemeral", ephemeral, KIND_BOOL, API_V1),
    FIELD(api_preauth_key, "used", used, KIND_BOOL, API_V1),
    FIELD(api_preauth_key, "expiration", expiration_ns, KIND_TIME, API_V1),
    FIELD(api_preauth_key, "createdAt", created_ns, KIND_TIME, API_V1),
    FIELD(api_preauth_key, "aclTags", tags, KIND_TEXTS, API_V1),
    FIELD(api_preauth_key, "version", version, KIND_U64, API_HEADWAY),
    FIELD(api_preauth_key, "revoked", revoked, KIND_BOOL, API_HEADWAY),
};
const struct api_shape api_preauth_key_shape = SHAPE(api_preauth_key, "pre-auth key", preauth_key_fields);

static const struct api_field api_key_fields[] = {
    FIELD(api_api_key, "id", id, KIND_ID, API_V1),
    FIELD(api_api_key, "prefix", prefix, KIND_TEXT, API_V1),
    FIELD(api_api_key, "expiration", expiration_ns, KIND_TIME, API_V1),
    FIELD(api_api_key, "createdAt", created_ns, KIND_TIME, API_V1),
    FIELD(api_api_key, "lastSeen", last_seen_ns, KIND_TIME, API_V1),
    FIELD(api_api_key, "description", description, KIND_TEXT, API_HEADWAY),
    FIELD(api_api_key, "readOnly", read_only, KIND_BOOL, API_HEADWAY),
    FIELD(api_api_key, "version", version, KIND_U64, API_HEADWAY),
    FIELD(api_api_key, "key", key, KIND_TEXT_OR_NULL, API_HEADWAY),
};
const struct api_shape api_api_key_shape = SHAPE(api_api_key, "API key", api_key_fields);

static const struct api_field route_fields[] = {
    FIELD(api_route, "prefix", prefix, KIND_PREFIX, API_V1),
    WORD(api_route, "state", state, API_V1, states),
    FIELD(api_route, "exit", exit, KIND_BOOL, API_V1),
    FIELD(api_route, "primary", primary, KIND_ID, API_V1),
    FIELD(api_route, "primaryName", primary_name, KIND_TEXT_OR_NULL, API_V1),
    FIELD(api_route, "reason", reason, KIND_TEXT, API_V1),
    FIELD(api_route, "approvedBy", approved_by, KIND_TEXT_OR_NULL, API_V1),
};
const struct api_shape api_route_shape = SHAPE(api_route, "route", route_fields);

static const struct api_field node_fields[] = {
    FIELD(api_node, "id", id, KIND_ID, API_V1),
    FIELD(api_node, "machineKey", machine_key, KIND_TEXT, API_V1),
    FIELD(api_node, "nodeKey", node_key, KIND_TEXT, API_V1),
    FIELD(api_node, "discoKey", disco_key, KIND_TEXT, API_V1),
    FIELD(api_node, "ipAddresses", addrs, KIND_ADDRS, API_V1),
    FIELD(api_node, "name", hostname, KIND_TEXT, API_V1),
    NESTED(api_node, "user", user, KIND_ONE, API_V1, api_user_shape),
    FIELD(api_node, "lastSeen", last_seen_ns, KIND_TIME, API_V1),
    FIELD(api_node, "expiry", expiry_ns, KIND_TIME, API_V1),
    NESTED(api_node, "preAuthKey", preauth_key, KIND_ONE, API_V1, api_preauth_key_shape),
    FIELD(api_node, "createdAt", created_ns, KIND_TIME, API_V1),
    WORD(api_node, "registerMethod", method, API_V1, methods),
    FIELD(api_node, "givenName", given_name, KIND_TEXT, API_V1),
    FIELD(api_node, "online", online, KIND_BOOL, API_V1),
    FIELD(api_node, "approvedRoutes", approved, KIND_PREFIXES, API_V1),
    FIELD(api_node, "availableRoutes", available, KIND_PREFIXES, API_V1),
    FIELD(api_node, "subnetRoutes", serving, KIND_PREFIXES, API_V1),
    FIELD(api_node, "tags", tags, KIND_TEXTS, API_V1),
    FIELD(api_node, "fqdn", fqdn, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "version", version, KIND_U64, API_HEADWAY),
    FIELD(api_node, "expired", expired, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "loggedOut", logged_out, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "ephemeral", ephemeral, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "draining", draining, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "healthy", healthy, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "since", since_ns, KIND_TIME, API_HEADWAY),
    FIELD(api_node, "os", os, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "osVersion", os_version, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "clientVersion", client_version, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "capVersion", cap_version, KIND_U64, API_HEADWAY),
    FIELD(api_node, "endpoints", endpoints, KIND_ENDPOINTS, API_HEADWAY),
    FIELD(api_node, "relay", relay, KIND_U64, API_HEADWAY),
    FIELD(api_node, "relayName", relay_name, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "source", source, KIND_TEXT, API_HEADWAY),
    FIELD(api_node, "exitNode", exit_node, KIND_BOOL, API_HEADWAY),
    FIELD(api_node, "removedRoutes", removed, KIND_PREFIXES, API_HEADWAY),
    NESTED(api_node, "routes", routes, KIND_MANY, API_HEADWAY, api_route_shape),
};
const struct api_shape api_node_shape = SHAPE(api_node, "node", node_fields);

static const struct api_field pending_fields[] = {
    FIELD(api_pending, "authId", auth_id, KIND_TEXT, API_V1),
    WORD(api_pending, "kind", kind, API_V1, pending_kinds),
    FIELD(api_pending, "machineKey", machine_key, KIND_TEXT, API_V1),
    FIELD(api_pending, "nodeKey", node_key, KIND_TEXT, API_V1),
    FIELD(api_pending, "hostname", hostname, KIND_TEXT, API_V1),
    FIELD(api_pending, "os", os, KIND_TEXT, API_V1),
    FIELD(api_pending, "clientVersion", client_version, KIND_TEXT, API_V1),
    FIELD(api_pending, "source", source, KIND_TEXT, API_V1),
    FIELD(api_pending, "requestTags", request_tags, KIND_TEXTS, API_V1),
    FIELD(api_pending, "routes", routes, KIND_PREFIXES, API_V1),
    FIELD(api_pending, "createdAt", created_ns, KIND_TIME, API_V1),
    FIELD(api_pending, "expiresAt", expires_ns, KIND_TIME, API_V1),
    FIELD(api_pending, "command", command, KIND_TEXT, API_V1),
    FIELD(api_pending, "sshSource", ssh_source, KIND_TEXT_OR_NULL, API_V1),
    FIELD(api_pending, "sshTarget", ssh_target, KIND_TEXT_OR_NULL, API_V1),
    FIELD(api_pending, "sshUser", ssh_user, KIND_TEXT_OR_NULL, API_V1),
};
const struct api_shape api_pending_shape = SHAPE(api_pending, "pending registration", pending_fields);

static const struct api_field router_fields[] = {
    FIELD(api_router, "node", node, KIND_ID, API_V1),
    FIELD(api_router, "name", name, KIND_TEXT, API_V1),
    WORD(api_router, "state", state, API_V1, states),
    FIELD(api_router, "reason", reason, KIND_TEXT, API_V1),
};
const struct api_shape api_router_shape = SHAPE(api_router, "router", router_fields);

static const struct api_field prefix_fields[] = {
    FIELD(api_prefix, "prefix", prefix, KIND_PREFIX, API_V1),
    FIELD(api_prefix, "exit", exit, KIND_BOOL, API_V1),
    FIELD(api_prefix, "primary", primary, KIND_ID, API_V1),
    FIELD(api_prefix, "primaryName", primary_name, KIND_TEXT_OR_NULL, API_V1),
    FIELD(api_prefix, "since", since_ns, KIND_TIME, API_V1),
    NESTED(api_prefix, "routers", routers, KIND_MANY, API_V1, api_router_shape),
};
const struct api_shape api_prefix_shape = SHAPE(api_prefix, "prefix", prefix_fields);

static const struct api_field relay_fields[] = {
    FIELD(api_relay, "id", id, KIND_U64, API_V1),
    FIELD(api_relay, "code", code, KIND_TEXT, API_V1),
    FIELD(api_relay, "name", name, KIND_TEXT, API_V1),
};
const struct api_shape api_relay_shape = SHAPE(api_relay, "relay", relay_fields);

static const struct api_field event_fields[] = {
    FIELD(api_event, "id", id, KIND_EVENT_ID, API_V1),
    FIELD(api_event, "time", time_ns, KIND_TIME, API_V1),
    FIELD(api_event, "kind", kind, KIND_TEXT, API_V1),
    WORD(api_event, "weight", weight, API_V1, weights),
    FIELD(api_event, "actor", actor, KIND_TEXT, API_V1),
    FIELD(api_event, "object", object, KIND_TEXT, API_V1),
    FIELD(api_event, "objectId", object_id, KIND_ID, API_V1),
    FIELD(api_event, "objectName", object_name, KIND_TEXT, API_V1),
    FIELD(api_event, "text", text, KIND_TEXT, API_V1),
    FIELD(api_event, "detail", detail, KIND_JSON, API_V1),
    FIELD(api_event, "inverse", inverse, KIND_JSON, API_V1),
    FIELD(api_event, "undoneBy", undone_by, KIND_EVENT_ID, API_V1),
};
const struct api_shape api_event_shape = SHAPE(api_event, "event", event_fields);

static const struct api_field server_fields[] = {
    FIELD(api_server, "url", url, KIND_TEXT, API_V1),
    FIELD(api_server, "version", version, KIND_TEXT, API_V1),
    FIELD(api_server, "baseDomain", base_domain, KIND_TEXT, API_V1),
    FIELD(api_server, "startedAt", started_ns, KIND_TIME, API_V1),
    FIELD(api_server, "policyMode", policy_mode, KIND_TEXT, API_V1),
    FIELD(api_server, "policyPath", policy_path, KIND_TEXT, API_V1),
};
const struct api_shape api_server_shape = SHAPE(api_server, "server", server_fields);

static const struct api_field policy_mark_fields[] = {
    FIELD(api_policy_mark, "present", present, KIND_BOOL, API_V1),
    FIELD(api_policy_mark, "updatedAt", updated_ns, KIND_TIME, API_V1),
    FIELD(api_policy_mark, "version", version, KIND_U64, API_V1),
};
static const struct api_shape policy_mark_shape = SHAPE(api_policy_mark, "policy", policy_mark_fields);

static const struct api_field counts_fields[] = {
    FIELD(api_counts, "nodes", nodes, KIND_U64, API_V1),
    FIELD(api_counts, "online", online, KIND_U64, API_V1),
    FIELD(api_counts, "routesAvailable", routes_available, KIND_U64, API_V1),
    FIELD(api_counts, "routesServing", routes_serving, KIND_U64, API_V1),
};
static const struct api_shape counts_shape = SHAPE(api_counts, "counts", counts_fields);

static const struct api_field snapshot_fields[] = {
    FIELD(api_snapshot, "event", event, KIND_EVENT_ID, API_V1),
    FIELD(api_snapshot, "time", time_ns, KIND_TIME, API_V1),
    NESTED(api_snapshot, "server", server, KIND_PART, API_V1, api_server_shape),
    NESTED(api_snapshot, "nodes", nodes, KIND_MANY, API_V1, api_node_shape),
    NESTED(api_snapshot, "users", users, KIND_MANY, API_V1, api_user_shape),
    NESTED(api_snapshot, "preAuthKeys", preauth_keys, KIND_MANY, API_V1, api_preauth_key_shape),
    NESTED(api_snapshot, "apiKeys", api_keys, KIND_MANY, API_V1, api_api_key_shape),
    NESTED(api_snapshot, "pending", pending, KIND_MANY, API_V1, api_pending_shape),
    NESTED(api_snapshot, "prefixes", prefixes, KIND_MANY, API_V1, api_prefix_shape),
    NESTED(api_snapshot, "relays", relays, KIND_MANY, API_V1, api_relay_shape),
    NESTED(api_snapshot, "policy", policy, KIND_PART, API_V1, policy_mark_shape),
    NESTED(api_snapshot, "counts", counts, KIND_PART, API_V1, counts_shape),
};
const struct api_shape api_snapshot_shape = SHAPE(api_snapshot, "snapshot", snapshot_fields);

static const struct api_field changed_fields[] = {
    NESTED(api_changed, "nodes", nodes, KIND_MANY, API_V1, api_node_shape),
    NESTED(api_changed, "users", users, KIND_MANY, API_V1, api_user_shape),
    NESTED(api_changed, "preAuthKeys", preauth_keys, KIND_MANY, API_V1, api_preauth_key_shape),
    NESTED(api_changed, "apiKeys", api_keys, KIND_MANY, API_V1, api_api_key_shape),
    NESTED(api_changed, "pending", pending, KIND_MANY, API_V1, api_pending_shape),
    NESTED(api_changed, "prefixes", prefixes, KIND_MANY, API_V1, api_prefix_shape),
};
static const struct api_field removed_fields[] = {
    FIELD(api_removed, "nodes", nodes, KIND_TEXTS, API_V1),
    FIELD(api_removed, "users", users, KIND_TEXTS, API_V1),
    FIELD(api_removed, "preAuthKeys", preauth_keys, KIND_TEXTS, API_V1),
    FIELD(api_removed, "apiKeys", api_keys, KIND_TEXTS, API_V1),
    FIELD(api_removed, "pending", pending, KIND_TEXTS, API_V1),
    FIELD(api_removed, "prefixes", prefixes, KIND_TEXTS, API_V1),
};
static const struct api_shape changed_shape = SHAPE(api_changed, "changed", changed_fields);
static const struct api_shape removed_shape = SHAPE(api_removed, "removed", removed_fields);

/* Stands beside an event's members in a message of the stream: the same object is read with both shapes. */
static const struct api_field changes_fields[] = {
    NESTED(api_changes, "changed", changed, KIND_PART, API_V1, changed_shape),
    NESTED(api_changes, "removed", removed, KIND_PART, API_V1, removed_shape),
};
const struct api_shape api_changes_shape = SHAPE(api_changes, "event", changes_fields);
