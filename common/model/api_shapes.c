/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of each object, in the order of output. Those of headscale come first, in its order (messages of
 * headscale.v1). */
#include "base/array.h"
#include "model/shape_fields.h"

#include <stddef.h>
#include <string.h>

#include "model/version.h"

#define AS_HEADSCALE "v0.29.2" /* the release whose API and commands these are */

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

static const struct api_words roles = {user_role_name, ROLE_OWNER + 1}, methods = {method_name, REGISTER_OIDC + 1},
                              states = {route_state_name, ROUTE_STATES}, failbacks = {route_failback_name, FAILBACKS},
                              pending_kinds = {pending_name, API_PENDING_SSH + 1},
                              weights = {event_weight_name, WEIGHT_ALARM + 1},
                              severities = {message_severity_name, SEVERITY_HIGH + 1};

static const struct api_field user_fields[] = {
    V1(api_user, "id", "id", id, KIND_ID),
    V1(api_user, "name", "name", name, KIND_TEXT),
    V1(api_user, "createdAt", "created_at", created_ns, KIND_CREATED),
    V1(api_user, "displayName", "display_name", display_name, KIND_TEXT),
    V1(api_user, "email", "email", email, KIND_TEXT),
    V1(api_user, "providerId", "provider_id", provider_id, KIND_TEXT),
    V1(api_user, "provider", "provider", provider, KIND_TEXT),
    V1(api_user, "profilePicUrl", "profile_pic_url", picture_url, KIND_TEXT),
    MORE(api_user, "role", role, WORD(roles)),
    MORE(api_user, "version", version, KIND_U64),
    TOP(api_user, "suspendedAt", suspended_ns, KIND_TIME),
    TOP(api_user, "suspendedBy", suspended_by, KIND_TEXT),
    TOP(api_user, "lastLogin", login_ns, KIND_TIME),
    TOP(api_user, "loginProvider", login_provider, KIND_TEXT),
    TOP(api_user, "providerGroups", groups, KIND_TEXTS),
    TOP(api_user, "nodeCount", node_count, KIND_U64),
};
const struct api_shape api_user_shape = SHAPE(api_user, "user", user_fields);

static const struct api_field identity_fields[] = {
    OWN(api_identity, "userId", user_id, KIND_ID),        OWN(api_identity, "user", user, KIND_TEXT),
    OWN(api_identity, "provider", provider, KIND_TEXT),   OWN(api_identity, "issuer", issuer, KIND_TEXT),
    OWN(api_identity, "subject", subject, KIND_TEXT),     OWN(api_identity, "createdAt", created_ns, KIND_TIME),
    OWN(api_identity, "lastLogin", login_ns, KIND_TIME),  OWN(api_identity, "groupsSeen", groups_ns, KIND_TIME),
    OWN(api_identity, "refreshes", refreshes, KIND_BOOL), OWN(api_identity, "lastRefresh", refreshed_ns, KIND_TIME),
    OWN(api_identity, "trouble", trouble, KIND_TEXT),     OWN(api_identity, "groups", groups, KIND_TEXTS),
};
const struct api_shape api_identity_shape = SHAPE(api_identity, "identity", identity_fields);

static const struct api_field preauth_key_fields[] = {
    V1(api_preauth_key, "user", "user", user, ONE(api_user_shape)),
    V1(api_preauth_key, "id", "id", id, KIND_ID),
    V1(api_preauth_key, "key", "key", key, KIND_TEXT),
    V1(api_preauth_key, "reusable", "reusable", reusable, KIND_BOOL),
    V1(api_preauth_key, "ephemeral", "ephemeral", ephemeral, KIND_BOOL),
    V1(api_preauth_key, "used", "used", used, KIND_BOOL),
    V1(api_preauth_key, "expiration", "expiration", expiration_ns, KIND_TIME),
    V1(api_preauth_key, "createdAt", "created_at", created_ns, KIND_TIME),
    V1(api_preauth_key, "aclTags", "acl_tags", tags, KIND_TEXTS),
    MORE(api_preauth_key, "version", version, KIND_U64),
    MORE(api_preauth_key, "revoked", revoked, KIND_BOOL),
    MORE(api_preauth_key, "preauthorized", preauthorized, KIND_BOOL),
};
const struct api_shape api_preauth_key_shape = SHAPE(api_preauth_key, "pre-auth key", preauth_key_fields);

static const struct api_field api_key_fields[] = {
    V1(api_api_key, "id", "id", id, KIND_ID),
    V1(api_api_key, "prefix", "prefix", prefix, KIND_TEXT),
    V1(api_api_key, "expiration", "expiration", expiration_ns, KIND_TIME),
    V1(api_api_key, "createdAt", "created_at", created_ns, KIND_TIME),
    V1(api_api_key, "lastSeen", "last_seen", last_seen_ns, KIND_TIME),
    MORE(api_api_key, "description", description, KIND_TEXT),
    MORE(api_api_key, "readOnly", read_only, KIND_BOOL),
    MORE(api_api_key, "version", version, KIND_U64),
    MORE(api_api_key, "key", key, KIND_TEXT_OR_NULL),
};
const struct api_shape api_api_key_shape = SHAPE(api_api_key, "API key", api_key_fields);

static const struct api_field route_fields[] = {
    OWN(api_route, "prefix", prefix, KIND_PREFIX),
    OWN(api_route, "state", state, WORD(states)),
    OWN(api_route, "exit", exit, KIND_BOOL),
    OWN(api_route, "primary", primary, KIND_ID),
    OWN(api_route, "primaryName", primary_name, KIND_TEXT_OR_NULL),
    OWN(api_route, "reason", reason, KIND_TEXT),
    OWN(api_route, "approvedBy", approved_by, KIND_TEXT_OR_NULL),
    OWN(api_route, "via", via, KIND_TEXT_OR_NULL),
};
const struct api_shape api_route_shape = SHAPE(api_route, "route", route_fields);

static const struct api_field node_route_fields[] = {
    OWN(api_node_route, "node", node, KIND_ID),
    OWN(api_node_route, "name", name, KIND_TEXT),
    OWN(api_node_route, "prefix", route.prefix, KIND_PREFIX),
    OWN(api_node_route, "state", route.state, WORD(states)),
    OWN(api_node_route, "exit", route.exit, KIND_BOOL),
    OWN(api_node_route, "primary", route.primary, KIND_ID),
    OWN(api_node_route, "primaryName", route.primary_name, KIND_TEXT_OR_NULL),
    OWN(api_node_route, "next", next, KIND_ID),
    OWN(api_node_route, "nextName", next_name, KIND_TEXT_OR_NULL),
    OWN(api_node_route, "reason", route.reason, KIND_TEXT),
    OWN(api_node_route, "approvedBy", route.approved_by, KIND_TEXT_OR_NULL),
    OWN(api_node_route, "via", route.via, KIND_TEXT_OR_NULL),
};
const struct api_shape api_node_route_shape = SHAPE(api_node_route, "route", node_route_fields);

static const struct api_field route_problem_fields[] = {
    OWN(api_route_problem, "prefix", prefix, KIND_PREFIX), OWN(api_route_problem, "node", node, KIND_ID),
    OWN(api_route_problem, "name", name, KIND_TEXT),       OWN(api_route_problem, "code", code, KIND_TEXT),
    OWN(api_route_problem, "warning", warning, KIND_BOOL), OWN(api_route_problem, "text", text, KIND_TEXT),
};
const struct api_shape api_route_problem_shape = SHAPE(api_route_problem, "route problem", route_problem_fields);

static const struct api_field warning_fields[] = {
    OWN(api_warning, "code", code, KIND_TEXT),
    OWN(api_warning, "text", text, KIND_TEXT),
    OWN(api_warning, "since", since_ns, KIND_TIME),
};
static const struct api_shape warning_shape = SHAPE(api_warning, "warning", warning_fields);

static const struct api_field node_fields[] = {
    V1(api_node, "id", "id", id, KIND_ID),
    V1(api_node, "machineKey", "machine_key", machine_key, KIND_TEXT),
    V1(api_node, "nodeKey", "node_key", node_key, KIND_TEXT),
    V1(api_node, "discoKey", "disco_key", disco_key, KIND_TEXT),
    V1(api_node, "ipAddresses", "ip_addresses", addrs, KIND_ADDRS),
    V1(api_node, "name", "name", hostname, KIND_TEXT),
    V1(api_node, "user", "user", user, ONE(api_user_shape)),
    V1(api_node, "lastSeen", "last_seen", last_seen_ns, KIND_TIME),
    V1(api_node, "expiry", "expiry", expiry_ns, KIND_TIME),
    V1(api_node, "preAuthKey", "pre_auth_key", preauth_key, ONE(api_preauth_key_shape)),
    V1(api_node, "createdAt", "created_at", created_ns, KIND_TIME),
    V1(api_node, "registerMethod", "register_method", method, WORD(methods)),
    V1(api_node, "givenName", "given_name", given_name, KIND_TEXT),
    V1(api_node, "online", "online", online, KIND_BOOL),
    V1(api_node, "approvedRoutes", "approved_routes", approved, KIND_PREFIXES),
    V1(api_node, "availableRoutes", "available_routes", available, KIND_PREFIXES),
    V1(api_node, "subnetRoutes", "subnet_routes", serving, KIND_PREFIXES),
    V1(api_node, "tags", "tags", tags, KIND_TEXTS),
    MORE(api_node, "fqdn", fqdn, KIND_TEXT),
    MORE(api_node, "version", version, KIND_U64),
    MORE(api_node, "expired", expired, KIND_BOOL),
    MORE(api_node, "loggedOut", logged_out, KIND_BOOL),
    MORE(api_node, "ephemeral", ephemeral, KIND_BOOL),
    MORE(api_node, "needsApproval", needs_approval, KIND_BOOL),
    MORE(api_node, "approvalAt", approval_ns, KIND_TIME),
    MORE(api_node, "approvalBy", approval_by, KIND_TEXT_OR_NULL),
    MORE(api_node, "draining", draining, KIND_BOOL),
    MORE(api_node, "priority", priority, KIND_U64),
    MORE(api_node, "healthy", healthy, KIND_BOOL),
    MORE(api_node, "since", since_ns, KIND_TIME),
    MORE(api_node, "os", os, KIND_TEXT),
    MORE(api_node, "osVersion", os_version, KIND_TEXT),
    MORE(api_node, "clientVersion", client_version, KIND_TEXT),
    MORE(api_node, "capVersion", cap_version, KIND_U64),
    MORE(api_node, "endpoints", endpoints, KIND_ENDPOINTS),
    MORE(api_node, "relay", relay, KIND_U64),
    MORE(api_node, "relayName", relay_name, KIND_TEXT),
    MORE(api_node, "source", source, KIND_TEXT),
    MORE(api_node, "exitNode", exit_node, KIND_BOOL),
    MORE(api_node, "usesExitNode", exit_node_id, KIND_ID),
    MORE(api_node, "removedRoutes", removed, KIND_PREFIXES),
    MORE(api_node, "routes", routes, MANY(api_route_shape)),
    MORE(api_node, "warnings", warnings, MANY(warning_shape)),
};
const struct api_shape api_node_shape = SHAPE(api_node, "node", node_fields);

static const struct api_field pending_fields[] = {
    OWN(api_pending, "authId", auth_id, KIND_TEXT),
    OWN(api_pending, "kind", kind, WORD(pending_kinds)),
    OWN(api_pending, "machineKey", machine_key, KIND_TEXT),
    OWN(api_pending, "nodeKey", node_key, KIND_TEXT),
    OWN(api_pending, "hostname", hostname, KIND_TEXT),
    OWN(api_pending, "os", os, KIND_TEXT),
    OWN(api_pending, "clientVersion", client_version, KIND_TEXT),
    OWN(api_pending, "source", source, KIND_TEXT),
    OWN(api_pending, "requestTags", request_tags, KIND_TEXTS),
    OWN(api_pending, "routes", routes, KIND_PREFIXES),
    OWN(api_pending, "createdAt", created_ns, KIND_TIME),
    OWN(api_pending, "expiresAt", expires_ns, KIND_TIME),
    OWN(api_pending, "command", command, KIND_TEXT),
    OWN(api_pending, "sshSource", ssh_source, KIND_TEXT_OR_NULL),
    OWN(api_pending, "sshTarget", ssh_target, KIND_TEXT_OR_NULL),
    OWN(api_pending, "sshUser", ssh_user, KIND_TEXT_OR_NULL),
    OWN(api_pending, "loginProvider", login_provider, KIND_TEXT_OR_NULL),
    OWN(api_pending, "loginUser", login_user, KIND_TEXT_OR_NULL),
    OWN(api_pending, "loginSince", login_since_ns, KIND_TIME),
};
const struct api_shape api_pending_shape = SHAPE(api_pending, "pending registration", pending_fields);

static const struct api_field router_fields[] = {
    OWN(api_router, "node", node, KIND_ID),         OWN(api_router, "name", name, KIND_TEXT),
    OWN(api_router, "state", state, WORD(states)),  OWN(api_router, "reason", reason, KIND_TEXT),
    OWN(api_router, "via", via, KIND_TEXT_OR_NULL),
};
const struct api_shape api_router_shape = SHAPE(api_router, "router", router_fields);

static const struct api_field served_fields[] = {
    OWN(api_served, "prefix", prefix, KIND_PREFIX),
    OWN(api_served, "via", via, KIND_TEXT_OR_NULL),
    OWN(api_served, "successor", successor, KIND_ID),
    OWN(api_served, "successorName", successor_name, KIND_TEXT_OR_NULL),
};
static const struct api_shape served_shape = SHAPE(api_served, "prefix", served_fields);

static const struct api_field drain_fields[] = {
    OWN(api_drain, "node", node, KIND_ID),
    OWN(api_drain, "name", name, KIND_TEXT),
    OWN(api_drain, "draining", draining, KIND_BOOL),
    OWN(api_drain, "exitNode", exit_node, KIND_BOOL),
    OWN(api_drain, "serves", serves, MANY(served_shape)),
    OWN(api_drain, "confirmed", confirmed, KIND_BOOL),
    OWN(api_drain, "safe", safe, KIND_BOOL),
    OWN(api_drain, "asking", asking, KIND_BOOL),
    OWN(api_drain, "usedBy", used_by, KIND_U64),
    OWN(api_drain, "untold", untold, KIND_U64),
    OWN(api_drain, "text", text, KIND_TEXT),
};
const struct api_shape api_drain_shape = SHAPE(api_drain, "drain", drain_fields);

static const struct api_field prefix_group_fields[] = {
    OWN(api_prefix_group, "via", via, KIND_TEXT),
    OWN(api_prefix_group, "primary", primary, KIND_ID),
    OWN(api_prefix_group, "primaryName", primary_name, KIND_TEXT),
    OWN(api_prefix_group, "next", next, KIND_ID),
    OWN(api_prefix_group, "nextName", next_name, KIND_TEXT_OR_NULL),
    OWN(api_prefix_group, "since", since_ns, KIND_TIME),
};
static const struct api_shape prefix_group_shape =
    SHAPE(api_prefix_group, "group of routers of a prefix", prefix_group_fields);

static const struct api_field prefix_fields[] = {
    OWN(api_prefix, "prefix", prefix, KIND_PREFIX),
    OWN(api_prefix, "exit", exit, KIND_BOOL),
    OWN(api_prefix, "primary", primary, KIND_ID),
    OWN(api_prefix, "primaryName", primary_name, KIND_TEXT_OR_NULL),
    OWN(api_prefix, "next", next, KIND_ID),
    OWN(api_prefix, "nextName", next_name, KIND_TEXT_OR_NULL),
    OWN(api_prefix, "since", since_ns, KIND_TIME),
    OWN(api_prefix, "routers", routers, MANY(api_router_shape)),
    OWN(api_prefix, "groups", groups, MANY(prefix_group_shape)),
    OWN(api_prefix, "failback", failback, WORD(failbacks)),
    OWN(api_prefix, "keep", keep, KIND_BOOL),
    OWN(api_prefix, "nearest", nearest, KIND_BOOL),
    OWN(api_prefix, "holdDown", hold_down, KIND_TEXT),
    OWN(api_prefix, "failbackDelay", failback_delay, KIND_TEXT),
    OWN(api_prefix, "probe", probe, KIND_TEXT_OR_NULL),
    OWN(api_prefix, "own", own, KIND_TEXTS),
    OWN(api_prefix, "version", version, KIND_U64),
};
const struct api_shape api_prefix_shape = SHAPE(api_prefix, "prefix", prefix_fields);

static const struct api_field exit_user_fields[] = {
    OWN(api_exit_user, "node", node, KIND_ID),
    OWN(api_exit_user, "name", name, KIND_TEXT),
    OWN(api_exit_user, "online", online, KIND_BOOL),
};
static const struct api_shape api_exit_user_shape = SHAPE(api_exit_user, "user of an exit node", exit_user_fields);

static const struct api_field exit_fields[] = {
    OWN(api_exit, "node", node, KIND_ID),
    OWN(api_exit, "name", name, KIND_TEXT),
    OWN(api_exit, "state", state, WORD(states)),
    OWN(api_exit, "reason", reason, KIND_TEXT),
    OWN(api_exit, "online", online, KIND_BOOL),
    OWN(api_exit, "draining", draining, KIND_BOOL),
    OWN(api_exit, "suggested", suggested, KIND_BOOL),
    OWN(api_exit, "priority", priority, KIND_U64),
    OWN(api_exit, "usedBy", used_by, KIND_U64),
    OWN(api_exit, "users", users, MANY(api_exit_user_shape)),
};
const struct api_shape api_exit_shape = SHAPE(api_exit, "exit node", exit_fields);

static const struct api_field relay_fields[] = {
    OWN(api_relay, "id", id, KIND_U64),
    OWN(api_relay, "code", code, KIND_TEXT),
    OWN(api_relay, "name", name, KIND_TEXT),
};
const struct api_shape api_relay_shape = SHAPE(api_relay, "relay", relay_fields);

static const struct api_field event_fields[] = {
    OWN(api_event, "id", id, KIND_EVENT_ID),        OWN(api_event, "time", time_ns, KIND_TIME),
    OWN(api_event, "kind", kind, KIND_TEXT),        OWN(api_event, "weight", weight, WORD(weights)),
    OWN(api_event, "actor", actor, KIND_TEXT),      OWN(api_event, "object", object, KIND_TEXT),
    OWN(api_event, "objectId", object_id, KIND_ID), OWN(api_event, "objectName", object_name, KIND_TEXT),
    OWN(api_event, "text", text, KIND_TEXT),        OWN(api_event, "detail", detail, KIND_JSON),
    OWN(api_event, "inverse", inverse, KIND_JSON),  OWN(api_event, "undoneBy", undone_by, KIND_EVENT_ID),
};
const struct api_shape api_event_shape = SHAPE(api_event, "event", event_fields);

static const struct api_field page_fields[] = {
    OWN(api_page, "events", events, MANY(api_event_shape)),
    OWN(api_page, "event", newest, KIND_EVENT_ID),
    OWN(api_page, "next", next, KIND_EVENT_ID),
    OWN(api_page, "readTo", read_to_ns, KIND_TIME),
};
const struct api_shape api_page_shape = SHAPE(api_page, "journal", page_fields);

static const struct api_field server_fields[] = {
    OWN(api_server, "url", url, KIND_TEXT),
    OWN(api_server, "version", version, KIND_TEXT),
    OWN(api_server, "baseDomain", base_domain, KIND_TEXT),
    OWN(api_server, "startedAt", started_ns, KIND_TIME),
    OWN(api_server, "policyMode", policy_mode, KIND_TEXT),
    OWN(api_server, "policyPath", policy_path, KIND_TEXT),
};
const struct api_shape api_server_shape = SHAPE(api_server, "server", server_fields);

static const struct api_field policy_mark_fields[] = {
    OWN(api_policy_mark, "present", present, KIND_BOOL),
    OWN(api_policy_mark, "updatedAt", updated_ns, KIND_TIME),
    OWN(api_policy_mark, "version", version, KIND_U64),
};
const struct api_shape api_policy_mark_shape = SHAPE(api_policy_mark, "policy", policy_mark_fields);

static const struct api_field counts_fields[] = {
    OWN(api_counts, "nodes", nodes, KIND_U64),
    OWN(api_counts, "online", online, KIND_U64),
    OWN(api_counts, "routesAvailable", routes_available, KIND_U64),
    OWN(api_counts, "routesServing", routes_serving, KIND_U64),
};
const struct api_shape api_counts_shape = SHAPE(api_counts, "counts", counts_fields);

static const struct api_field snapshot_fields[] = {
    OWN(api_snapshot, "event", event, KIND_EVENT_ID),
    OWN(api_snapshot, "time", time_ns, KIND_TIME),
    OWN(api_snapshot, "server", server, PART(api_server_shape)),
    OWN(api_snapshot, "nodes", nodes, MANY(api_node_shape)),
    OWN(api_snapshot, "users", users, MANY(api_user_shape)),
    OWN(api_snapshot, "preAuthKeys", preauth_keys, MANY(api_preauth_key_shape)),
    OWN(api_snapshot, "apiKeys", api_keys, MANY(api_api_key_shape)),
    OWN(api_snapshot, "pending", pending, MANY(api_pending_shape)),
    OWN(api_snapshot, "prefixes", prefixes, MANY(api_prefix_shape)),
    OWN(api_snapshot, "relays", relays, MANY(api_relay_shape)),
    OWN(api_snapshot, "policy", policy, PART(api_policy_mark_shape)),
    OWN(api_snapshot, "counts", counts, PART(api_counts_shape)),
};
const struct api_shape api_snapshot_shape = SHAPE(api_snapshot, "snapshot", snapshot_fields);

static const struct api_field changed_fields[] = {
    OWN(api_changed, "nodes", nodes, MANY(api_node_shape)),
    OWN(api_changed, "users", users, MANY(api_user_shape)),
    OWN(api_changed, "preAuthKeys", preauth_keys, MANY(api_preauth_key_shape)),
    OWN(api_changed, "apiKeys", api_keys, MANY(api_api_key_shape)),
    OWN(api_changed, "pending", pending, MANY(api_pending_shape)),
    OWN(api_changed, "prefixes", prefixes, MANY(api_prefix_shape)),
};
static const struct api_field removed_fields[] = {
    OWN(api_removed, "nodes", nodes, KIND_TEXTS),
    OWN(api_removed, "users", users, KIND_TEXTS),
    OWN(api_removed, "preAuthKeys", preauth_keys, KIND_TEXTS),
    OWN(api_removed, "apiKeys", api_keys, KIND_TEXTS),
    OWN(api_removed, "pending", pending, KIND_TEXTS),
    OWN(api_removed, "prefixes", prefixes, KIND_TEXTS),
};
static const struct api_shape changed_shape = SHAPE(api_changed, "changed", changed_fields);
static const struct api_shape removed_shape = SHAPE(api_removed, "removed", removed_fields);

/* Next to an event's members in a message of the stream: the same object is read with both shapes. */
static const struct api_field changes_fields[] = {
    OWN(api_changes, "changed", changed, PART(changed_shape)),
    OWN(api_changes, "removed", removed, PART(removed_shape)),
};
const struct api_shape api_changes_shape = SHAPE(api_changes, "event", changes_fields);

static const struct api_field limits_fields[] = {
    OWN(api_limits, "bodyBytes", body_bytes, KIND_U64),
    OWN(api_limits, "eventsPage", events_page, KIND_U64),
};
static const struct api_shape limits_shape = SHAPE(api_limits, "limits", limits_fields);

static const struct api_field whoami_fields[] = {
    OWN(api_whoami, "actor", actor, KIND_TEXT),
    OWN(api_whoami, "scope", scope, KIND_TEXT),
    OWN(api_whoami, "version", version, KIND_TEXT),
    OWN(api_whoami, "serverUrl", server_url, KIND_TEXT),
    OWN(api_whoami, "baseDomain", base_domain, KIND_TEXT),
    OWN(api_whoami, "policyMode", policy_mode, KIND_TEXT),
    OWN(api_whoami, "time", time_ns, KIND_TIME),
    OWN(api_whoami, "readOnly", read_only, KIND_BOOL),
    OWN(api_whoami, "limits", limits, PART(limits_shape)),
    OWN(api_whoami, "listens", listens, KIND_TEXTS),
};
const struct api_shape api_whoami_shape = SHAPE(api_whoami, "whoami", whoami_fields);

static const struct api_field change_fields[] = {
    OWN(api_change, "event", event, KIND_EVENT_ID), OWN(api_change, "events", events, KIND_TEXTS),
    OWN(api_change, "version", version, KIND_U64),  OWN(api_change, "inverse", inverse, KIND_JSON),
    OWN(api_change, "text", text, KIND_TEXT),
};
const struct api_shape api_change_shape = SHAPE(api_change, "change", change_fields);

/* Version and mode are not headscale's. */
static const struct api_field message_fields[] = {
    OWN(api_message, "text", text, KIND_TEXT),      OWN(api_message, "severity", severity, WORD(severities)),
    OWN(api_message, "url", url, KIND_TEXT),        OWN(api_message, "updatedAt", updated_ns, KIND_TIME),
    OWN(api_message, "version", version, KIND_U64),
};
const struct api_shape api_message_shape = SHAPE(api_message, "message", message_fields);

static const struct api_field policy_fields[] = {
    V1(api_policy, "policy", "policy", text, KIND_TEXT),
    V1(api_policy, "updatedAt", "updated_at", updated_ns, KIND_TIME),
    MORE(api_policy, "version", version, KIND_U64),
    MORE(api_policy, "mode", mode, KIND_TEXT),
};
const struct api_shape api_policy_shape = SHAPE(api_policy, "policy", policy_fields);

static const struct api_field finding_fields[] = {
    OWN(api_finding, "line", line, KIND_U64),
    OWN(api_finding, "column", column, KIND_U64),
    OWN(api_finding, "severity", severity, KIND_TEXT),
    OWN(api_finding, "message", message, KIND_TEXT),
};
const struct api_shape api_finding_shape = SHAPE(api_finding, "finding", finding_fields);

static const struct api_field check_fields[] = {
    OWN(api_check, "ok", ok, KIND_BOOL),
    OWN(api_check, "findings", findings, MANY(api_finding_shape)),
};
const struct api_shape api_check_shape = SHAPE(api_check, "check", check_fields);

/* common/policy writes the answers below itself, row by row, from classes of nodes. These are the members that readers
 * use. */
static const struct api_field step_fields[] = {
    OWN(api_step, "ok", ok, KIND_BOOL),
    OWN(api_step, "text", text, KIND_TEXT),
    OWN(api_step, "line", line, KIND_U64),
};
static const struct api_shape step_shape = SHAPE(api_step, "step", step_fields);

static const struct api_field explanation_fields[] = {
    OWN(api_explanation, "src", src, KIND_TEXT),
    OWN(api_explanation, "dst", dst, KIND_TEXT),
    OWN(api_explanation, "port", port, KIND_U64),
    OWN(api_explanation, "allowed", allowed, KIND_BOOL),
    OWN(api_explanation, "pairs_allowed", pairs_allowed, KIND_U64),
    OWN(api_explanation, "pairs_denied", pairs_denied, KIND_U64),
    OWN(api_explanation, "steps", steps, MANY(step_shape)),
    OWN(api_explanation, "rule", rule, KIND_JSON),
    OWN(api_explanation, "nearest", nearest, KIND_JSON),
    OWN(api_explanation, "node", node, KIND_TEXT_OR_NULL),
    OWN(api_explanation, "router", router, KIND_TEXT_OR_NULL),
    OWN(api_explanation, "route", route, KIND_TEXT_OR_NULL),
};
const struct api_shape api_explanation_shape = SHAPE(api_explanation, "explanation", explanation_fields);

static const struct api_field names_fields[] = {
    OWN(api_names, "count", count, KIND_U64),
    OWN(api_names, "names", names, KIND_TEXTS),
};
const struct api_shape api_names_shape = SHAPE(api_names, "names", names_fields);

static const struct api_field access_fields[] = {
    OWN(api_access, "kind", kind, KIND_TEXT),
    OWN(api_access, "pairs", pairs, KIND_U64),
    OWN(api_access, "online_pairs", online_pairs, KIND_U64),
    OWN(api_access, "sources", sources, PART(api_names_shape)),
    OWN(api_access, "destinations", destinations, PART(api_names_shape)),
    OWN(api_access, "what", what, KIND_TEXTS),
    OWN(api_access, "kept", kept, KIND_TEXTS),
};
static const struct api_shape access_shape = SHAPE(api_access, "access", access_fields);

static const struct api_field route_shown_fields[] = {
    OWN(api_route_shown, "kind", kind, KIND_TEXT),
    OWN(api_route_shown, "route", route, KIND_TEXT),
    OWN(api_route_shown, "router", router, KIND_TEXT),
    OWN(api_route_shown, "viewers", viewers, PART(api_names_shape)),
};
static const struct api_shape route_shown_shape = SHAPE(api_route_shown, "route", route_shown_fields);

static const struct api_field approval_fields[] = {
    OWN(api_approval, "route", route, KIND_TEXT),
    OWN(api_approval, "router", router, KIND_TEXT),
    OWN(api_approval, "viewers", viewers, KIND_U64),
};
const struct api_shape api_approval_shape = SHAPE(api_approval, "approval", approval_fields);

static const struct api_field totals_fields[] = {
    OWN(api_totals, "pairs_lost", pairs_lost, KIND_U64),
    OWN(api_totals, "pairs_gained", pairs_gained, KIND_U64),
    OWN(api_totals, "routes_hidden", routes_hidden, KIND_U64),
    OWN(api_totals, "routes_shown", routes_shown, KIND_U64),
    OWN(api_totals, "routes_approved", routes_approved, KIND_U64),
    OWN(api_totals, "rows", rows, KIND_U64),
    OWN(api_totals, "incomplete", incomplete, KIND_BOOL),
};
static const struct api_shape totals_shape = SHAPE(api_totals, "totals", totals_fields);

static const struct api_field preview_way_fields[] = {
    OWN(api_preview_way, "kind", kind, KIND_TEXT), OWN(api_preview_way, "route", route, KIND_TEXT),
    OWN(api_preview_way, "exit", exit, KIND_BOOL), OWN(api_preview_way, "from", from, KIND_TEXT),
    OWN(api_preview_way, "to", to, KIND_TEXT),     OWN(api_preview_way, "viewers", viewers, PART(api_names_shape)),
};
static const struct api_shape preview_way_shape = SHAPE(api_preview_way, "way", preview_way_fields);

static const struct api_field preview_cut_off_fields[] = {
    OWN(api_preview_cut_off, "user", user, KIND_TEXT),
    OWN(api_preview_cut_off, "route", route, KIND_TEXT),
    OWN(api_preview_cut_off, "exit", exit, KIND_BOOL),
};
static const struct api_shape preview_cut_off_shape = SHAPE(api_preview_cut_off, "user", preview_cut_off_fields);

static const struct api_field preview_cost_fields[] = {
    OWN(api_preview_cost, "nodes", nodes, KIND_U64),
    OWN(api_preview_cost, "online", online, KIND_U64),
    OWN(api_preview_cost, "changed", changed, KIND_U64),
    OWN(api_preview_cost, "filters", filters, KIND_U64),
    OWN(api_preview_cost, "peers", peers, KIND_U64),
    OWN(api_preview_cost, "bytes", bytes, KIND_U64),
    OWN(api_preview_cost, "incomplete", incomplete, KIND_BOOL),
};
static const struct api_shape preview_cost_shape = SHAPE(api_preview_cost, "cost", preview_cost_fields);

static const struct api_field preview_test_fields[] = {
    OWN(api_preview_test, "line", line, KIND_U64),      OWN(api_preview_test, "kind", kind, KIND_TEXT),
    OWN(api_preview_test, "want", want, KIND_TEXT),     OWN(api_preview_test, "source", source, KIND_TEXT),
    OWN(api_preview_test, "target", target, KIND_TEXT), OWN(api_preview_test, "passed", passed, KIND_BOOL),
};
const struct api_shape api_preview_test_shape = SHAPE(api_preview_test, "test", preview_test_fields);

static const struct api_field preview_fields[] = {
    OWN(api_preview, "ok", ok, KIND_BOOL),
    OWN(api_preview, "findings", findings, MANY(api_finding_shape)),
    OWN(api_preview, "rows", rows, MANY(access_shape)),
    OWN(api_preview, "routes", routes, MANY(route_shown_shape)),
    OWN(api_preview, "viewers", viewers, KIND_JSON),
    OWN(api_preview, "approvals", approvals, MANY(api_approval_shape)),
    OWN(api_preview, "ways", ways, MANY(preview_way_shape)),
    OWN(api_preview, "cut_off", cut_off, MANY(preview_cut_off_shape)),
    OWN(api_preview, "tests", tests, MANY(api_preview_test_shape)),
    OWN(api_preview, "tests_passed", tests_passed, KIND_U64),
    OWN(api_preview, "tests_failed", tests_failed, KIND_U64),
    OWN(api_preview, "cost", cost, PART(preview_cost_shape)),
    OWN(api_preview, "compile_ms", compile_ms, KIND_U64),
    OWN(api_preview, "totals", totals, PART(totals_shape)),
};
const struct api_shape api_preview_shape = SHAPE(api_preview, "preview", preview_fields);

static const struct api_field backup_fields[] = {
    OWN(api_backup, "path", path, KIND_TEXT),
    OWN(api_backup, "bytes", bytes, KIND_U64),
};
const struct api_shape api_backup_shape = SHAPE(api_backup, "backup", backup_fields);

static const struct api_field version_go_fields[] = {
    OWN(api_version_go, "version", version, KIND_TEXT),
    OWN(api_version_go, "os", os, KIND_TEXT),
    OWN(api_version_go, "arch", arch, KIND_TEXT),
};
static const struct api_shape version_go_shape = SHAPE(api_version_go, "go", version_go_fields);

static const struct api_field version_fields[] = {
    OWN(api_version, "version", version, KIND_TEXT),    OWN(api_version, "headway", headway, KIND_TEXT),
    OWN(api_version, "commit", commit, KIND_TEXT),      OWN(api_version, "buildTime", build_time, KIND_TEXT),
    OWN(api_version, "go", go, PART(version_go_shape)), OWN(api_version, "dirty", dirty, KIND_BOOL),
};
const struct api_shape api_version_shape = SHAPE(api_version, "version", version_fields);

void api_version_fill(struct api_version *out)
{
    *out = (struct api_version){
        .version = AS_HEADSCALE,
        .headway = headway_version,
        .commit = headway_version,
        .build_time = "unknown",
        .go = {.version = "none", .os = "linux", .arch = sizeof(void *) == 8 ? "64-bit" : "32-bit"},
        .dirty = strstr(headway_version, "-dirty") != NULL,
    };
}
