/* SPDX-License-Identifier: BSD-3-Clause */
/* Every path that is answered, by door. The first route that fits is taken, so literal segments stand before
 * parameters. 404, 405 with Allow, the check of members and the pages of documentation come from this table. */
#include "base/array.h"
#include "http/private.h"

#define V1(how, where, function, right, body, ask, text)                                                               \
    {                                                                                                                  \
        .method = (how), .path = "/api/v1" where, .run = (function), .need = (right), .doors = DOORS_API,              \
        .dialect = DIALECT_V1, .takes = (body), .query = (ask), .help = (text)                                         \
    }
#define HEADWAY(how, where, function, right, body, ask, text)                                                          \
    {                                                                                                                  \
        .method = (how), .path = "/api/headway" where, .run = (function), .need = (right), .doors = DOORS_API,         \
        .dialect = DIALECT_HEADWAY, .takes = (body), .query = (ask), .help = (text)                                    \
    }
#define PAGE(how, where, function, at, ask, text)                                                                      \
    {                                                                                                                  \
        .method = (how), .path = (where), .run = (function), .need = NEED_NOTHING, .doors = (at),                      \
        .dialect = DIALECT_TEXT, .query = (ask), .help = (text)                                                        \
    }

#define R NEED_READ
#define A NEED_ADMIN

/* clang-format off */
const struct route http_routes[] = {
    V1("GET", "/user", v1_users_list, R, NULL, "id name email", "Users, or the one that fits"),
    V1("POST", "/user", v1_users_create, A, "name displayName email pictureUrl", NULL, "Makes a user"),
    V1("DELETE", "/user/{id}", v1_users_delete, A, NULL, NULL, "Removes a user without nodes, and its keys"),
    V1("POST", "/user/{id}/rename/{newName}", v1_users_rename, A, NULL, NULL, "Gives a user another name"),

    V1("GET", "/preauthkey", v1_preauthkeys_list, R, NULL, "user", "Pre-auth keys, of one user where one is named"),
    V1("POST", "/preauthkey", v1_preauthkeys_create, A, "user reusable ephemeral expiration aclTags", NULL, "Makes a pre-auth key; the only answer with the whole key"),
    V1("POST", "/preauthkey/expire", v1_preauthkeys_expire, A, "id user key", NULL, "Ends a pre-auth key"),
    V1("DELETE", "/preauthkey", v1_preauthkeys_delete, A, NULL, "id", "Removes a pre-auth key; its nodes stay"),

    V1("GET", "/node", v1_nodes_list, R, NULL, "user", "Nodes, of one user where one is named"),
    V1("POST", "/node/register", v1_nodes_register, A, "user key", "user key", "Admits a node that waits; older form of auth/register"),
    V1("POST", "/node/backfillips", v1_nodes_backfill, A, "confirmed", "confirmed", "Gives addresses to nodes that lack one"),
    V1("GET", "/node/{nodeId}", v1_nodes_get, R, NULL, NULL, "One node"),
    V1("DELETE", "/node/{nodeId}", v1_nodes_delete, A, NULL, NULL, "Removes a node"),
    V1("POST", "/node/{nodeId}/expire", v1_nodes_expire, A, "expiry disableExpiry", "expiry disableExpiry", "Ends a node's key now or at a time, or never"),
    V1("POST", "/node/{nodeId}/rename/{newName}", v1_nodes_rename, A, NULL, NULL, "Gives a node another name"),
    V1("POST", "/node/{nodeId}/tags", v1_nodes_tags, A, "tags", NULL, "Replaces a node's tags"),
    V1("POST", "/node/{nodeId}/approve_routes", v1_nodes_routes, A, "routes", NULL, "Replaces what is approved of a node's routes"),
    V1("POST", "/node/{nodeId}/user", v1_nodes_move, A, "user", NULL, "Gone: moved nodes between users up to headscale 0.27"),
    V1("POST", "/debug/node", v1_debug_node, A, "user key name routes", NULL, "Makes a registration that no client stands behind"),

    V1("POST", "/auth/register", v1_auth_register, A, "user authId", NULL, "Admits a node that waits, for a user"),
    V1("POST", "/auth/approve", v1_auth_approve, A, "authId", NULL, "Approves a session that waits for a check"),
    V1("POST", "/auth/reject", v1_auth_reject, A, "authId", NULL, "Rejects what waits"),

    V1("GET", "/apikey", v1_apikeys_list, R, NULL, NULL, "API keys"),
    V1("POST", "/apikey", v1_apikeys_create, A, "expiration description readOnly", NULL, "Makes an API key; the only answer with the whole key"),
    V1("POST", "/apikey/expire", v1_apikeys_expire, A, "prefix id", NULL, "Ends an API key"),
    V1("DELETE", "/apikey/{prefix}", v1_apikeys_delete, A, NULL, "id", "Removes an API key"),
    V1("DELETE", "/apikey", v1_apikeys_delete, A, NULL, "id prefix", "Removes an API key by its id"),

    V1("GET", "/policy", v1_policy_get, R, NULL, NULL, "The policy's text"),
    V1("PUT", "/policy", v1_policy_set, A, "policy", NULL, "Replaces the policy"),
    V1("POST", "/policy/check", v1_policy_check, R, "policy", NULL, "Checks a policy and changes nothing"),
    V1("GET", "/health", v1_health, R, NULL, NULL, "Whether the database answers"),
    V1("GET", "/docs", page_docs, NEED_NOTHING, NULL, NULL, "This table"),
    V1("GET", "/openapi.json", page_openapi, NEED_NOTHING, NULL, NULL, "The same for programs (OpenAPI 3.0)"),
    V1("GET", "/openapi-3.0.json", page_openapi, NEED_NOTHING, NULL, NULL, "The same under its other name"),
    V1("GET", "/openapi.yaml", page_openapi_yaml, NEED_NOTHING, NULL, NULL, "The same as YAML"),
    V1("GET", "/openapi-3.0.yaml", page_openapi_yaml, NEED_NOTHING, NULL, NULL, "The same under its other name"),

    HEADWAY("GET", "/whoami", headway_whoami, R, NULL, NULL, "Who asks, what they may, what answers"),
    HEADWAY("GET", "/snapshot", headway_snapshot, R, NULL, NULL, "Everything that is shown, with the event it is true for"),
    HEADWAY("GET", "/events", headway_events, R, NULL, "since before limit follow", "The journal; with follow=1 as server-sent events"),
    HEADWAY("GET", "/pending", headway_pending, R, NULL, NULL, "Registrations and sessions that wait"),
    HEADWAY("POST", "/pending/{authId}/approve", headway_pending_approve, A, "user", "dry_run", "Admits a node for a user, or approves a session"),
    HEADWAY("POST", "/pending/{authId}/reject", headway_pending_reject, A, "", "dry_run", "Rejects what waits"),
    HEADWAY("GET", "/routes", headway_routes, R, NULL, NULL, "Routes by node, each with its state and the reason"),
    HEADWAY("GET", "/prefixes", headway_prefixes, R, NULL, NULL, "Routes by prefix: who serves, who could"),
    HEADWAY("POST", "/prefixes/{prefix}/primary", headway_primary, A, "node", "dry_run", "Makes a node serve a prefix"),
    HEADWAY("GET", "/nodes", headway_nodes, R, NULL, NULL, "Nodes"),
    HEADWAY("GET", "/nodes/{id}", headway_node, R, NULL, NULL, "One node"),
    HEADWAY("DELETE", "/nodes/{id}", headway_node_delete, A, NULL, "dry_run", "Removes a node"),
    HEADWAY("POST", "/nodes/{id}/routes", headway_node_routes, A, "approve revoke", "dry_run", "Approves and revokes single prefixes"),
    HEADWAY("POST", "/nodes/{id}/rename", headway_node_rename, A, "name", "dry_run", "Gives a node another name"),
    HEADWAY("POST", "/nodes/{id}/expire", headway_node_expire, A, "expiry disable", "dry_run", "Ends a node's key now or at a time, or never"),
    HEADWAY("POST", "/nodes/{id}/tags", headway_node_tags, A, "tags", "dry_run", "Replaces a node's tags"),
    HEADWAY("POST", "/nodes/{id}/drain", headway_node_drain, A, "drained", "dry_run", "Moves a node's prefixes to others, or lets it serve again (drained: false)"),
    HEADWAY("GET", "/users", headway_users, R, NULL, NULL, "Users"),
    HEADWAY("POST", "/users", headway_user_create, A, "name displayName email role", "dry_run", "Makes a user"),
    HEADWAY("POST", "/users/{id}/rename", headway_user_rename, A, "name", "dry_run", "Gives a user another name"),
    HEADWAY("POST", "/users/{id}/role", headway_user_role, A, "role", "dry_run", "Sets a user's role: member, admin or owner"),
    HEADWAY("DELETE", "/users/{id}", headway_user_delete, A, NULL, "dry_run", "Removes a user without nodes, and its keys"),
    HEADWAY("GET", "/preauthkeys", headway_preauthkeys, R, NULL, NULL, "Pre-auth keys"),
    HEADWAY("POST", "/preauthkeys", headway_preauthkey_create, A, "user reusable ephemeral expiration tags", "dry_run", "Makes a pre-auth key; the only answer with the whole key"),
    HEADWAY("POST", "/preauthkeys/{id}/expire", headway_preauthkey_expire, A, "", "dry_run", "Ends a pre-auth key"),
    HEADWAY("DELETE", "/preauthkeys/{id}", headway_preauthkey_delete, A, NULL, "dry_run", "Removes a pre-auth key"),
    HEADWAY("GET", "/apikeys", headway_apikeys, R, NULL, NULL, "API keys"),
    HEADWAY("POST", "/apikeys", headway_apikey_create, A, "description readOnly expiration", "dry_run", "Makes an API key; the only answer with the whole key"),
    HEADWAY("POST", "/apikeys/{id}/expire", headway_apikey_expire, A, "", "dry_run", "Ends an API key"),
    HEADWAY("DELETE", "/apikeys/{id}", headway_apikey_delete, A, NULL, "dry_run", "Removes an API key"),
    HEADWAY("POST", "/undo/{event}", headway_undo, A, "", "dry_run", "Takes an entry of the journal back"),
    HEADWAY("GET", "/policy", headway_policy_get, R, NULL, NULL, "The policy's text and version"),
    HEADWAY("PUT", "/policy", headway_policy_set, A, "policy", "dry_run", "Replaces the policy"),
    HEADWAY("POST", "/policy/check", headway_policy_check, R, "policy", NULL, "Checks a policy and changes nothing"),
    HEADWAY("POST", "/policy/adopt", headway_policy_adopt, A, "", NULL, "Makes sure that the database holds the policy of the file"),
    HEADWAY("POST", "/policy/preview", headway_policy_preview, R, "policy", NULL, "Who would gain and lose access to what"),
    HEADWAY("GET", "/explain", headway_explain, R, NULL, "src dst port", "Whether one reaches another, and why"),
    HEADWAY("GET", "/relay/status", headway_relay, R, NULL, NULL, "The built-in relay: who is connected, what went through, what was dropped"),
    {.method = "POST", .path = "/api/headway/backup", .run = headway_backup, .need = A, .doors = DOOR_UNIX, .dialect = DIALECT_HEADWAY, .takes = "path", .help = "Copies the database to a new file; on the unix socket only"},

    PAGE("GET", "/", page_root, DOOR_PUBLIC | DOOR_UNIX, NULL, "A word about what answers here"),
    PAGE("GET", "/health", page_health, DOOR_PUBLIC | DOOR_UNIX | DOOR_METRICS, NULL, "Whether the database answers, for probes"),
    PAGE("GET", "/version", page_version, DOOR_PUBLIC | DOOR_UNIX | DOOR_METRICS, NULL, "The version"),
    PAGE("GET", "/robots.txt", page_robots, DOOR_PUBLIC, NULL, "Keeps search engines away"),
    PAGE("GET", "/key", page_key, DOOR_PUBLIC, "v", "The server's public key, for Tailscale clients"),
    PAGE("GET", "/register/{authId}", page_register, DOOR_PUBLIC, NULL, "Tells whoever registers a node what an administrator types"),
    PAGE("GET", "/auth/{authId}", page_auth, DOOR_PUBLIC, NULL, "The same for a session that waits for a check"),
    PAGE("GET", "/apple", page_apple, DOOR_PUBLIC, NULL, "How an iPhone, an iPad or a Mac joins"),
    PAGE("GET", "/apple/{platform}", page_apple_profile, DOOR_PUBLIC, NULL, "The profile that points such a device here"),
    PAGE("GET", "/windows", page_windows, DOOR_PUBLIC, NULL, "How a machine with Windows joins"),
    {.method = "POST", .path = "/verify", .run = page_verify, .doors = DOOR_PUBLIC, .dialect = DIALECT_TEXT, .takes = "NodePublic Source", .help = "Whether a relay may serve a node"},
    PAGE("GET", "/machine/ping-response", page_ping_response, DOOR_PUBLIC, "id", "A client answers a ping"),
    PAGE("GET", "/swagger", page_docs, DOOR_PUBLIC, NULL, "The API's documentation under its older name"),
    PAGE("GET", "/swagger/v1/openapiv2.json", page_openapi, DOOR_PUBLIC, NULL, "The same for programs"),
    PAGE("GET", "/metrics", metrics_page, DOOR_METRICS, NULL, "Figures for Prometheus"),
    PAGE("GET", "/debug", debug_index, DOOR_METRICS, NULL, "What can be looked into, from this machine only"),
    PAGE("GET", "/debug/", debug_index, DOOR_METRICS, NULL, "The same"),
    PAGE("GET", "/debug/overview", debug_overview, DOOR_METRICS, NULL, "Counts"),
    PAGE("GET", "/debug/routes", debug_routes, DOOR_METRICS, NULL, "Available, serving and unhealthy"),
    PAGE("GET", "/debug/derp", debug_derp, DOOR_METRICS, NULL, "The DERP map"),
    PAGE("GET", "/debug/policy", debug_policy, DOOR_METRICS, NULL, "The policy's text"),
};
/* clang-format on */
const size_t http_route_count = ARRAY_LEN(http_routes);
