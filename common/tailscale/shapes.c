/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of each object, in Tailscale's order. */
#include "model/record.h"
#include "model/shape_fields.h"
#include "tailscale/tailscale.h"

/* Omitted if it is empty. */
/* NOLINTBEGIN(bugprone-macro-parentheses): kinds are initialisers */
#define MAYBE(type, json, member, what)                                                                                \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_V1, .optional = true       \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct api_words roles = {user_role_name, ROLE_OWNER + 1};

static const struct api_field client_fields[] = {
    OWN(api_oauth_client, "id", id, KIND_ID),
    OWN(api_oauth_client, "clientId", client_id, KIND_TEXT),
    OWN(api_oauth_client, "description", description, KIND_TEXT),
    OWN(api_oauth_client, "scopes", scopes, KIND_TEXTS),
    OWN(api_oauth_client, "tags", tags, KIND_TEXTS),
    OWN(api_oauth_client, "createdAt", created_ns, KIND_TIME),
    OWN(api_oauth_client, "lastSeen", last_seen_ns, KIND_TIME),
    OWN(api_oauth_client, "version", version, KIND_U64),
    OWN(api_oauth_client, "key", key, KIND_TEXT_OR_NULL),
};
const struct api_shape api_oauth_client_shape = SHAPE(api_oauth_client, "OAuth client", client_fields);

/* {"devices":{"create":{...}}}: all three are parts of the key. */
static const struct api_field create_fields[] = {
    OWN(api_v2_key, "reusable", reusable, KIND_BOOL),
    OWN(api_v2_key, "ephemeral", ephemeral, KIND_BOOL),
    OWN(api_v2_key, "preauthorized", preauthorized, KIND_BOOL),
    OWN(api_v2_key, "tags", auth_tags, KIND_TEXTS),
};
static const struct api_shape create_shape = SHAPE(api_v2_key, "what a key may register", create_fields);
static const struct api_field devices_fields[] = {OWN(api_v2_key, "create", id, PART(create_shape))};
static const struct api_shape devices_shape = SHAPE(api_v2_key, "what a key may do to devices", devices_fields);
static const struct api_field capability_fields[] = {OWN(api_v2_key, "devices", id, PART(devices_shape))};
static const struct api_shape capabilities_shape = SHAPE(api_v2_key, "what a key may do", capability_fields);
_Static_assert(offsetof(struct api_v2_key, id) == 0, "the parts of a key begin where it begins");

static const struct api_field key_fields[] = {
    OWN(api_v2_key, "id", id, KIND_TEXT),
    OWN(api_v2_key, "keyType", type, KIND_TEXT),
    MAYBE(api_v2_key, "key", key, KIND_TEXT_OR_NULL),
    MAYBE(api_v2_key, "description", description, KIND_TEXT),
    MAYBE(api_v2_key, "expirySeconds", expiry_seconds, KIND_U64),
    OWN(api_v2_key, "created", created_ns, KIND_CREATED),
    MAYBE(api_v2_key, "expires", expires_ns, KIND_TIME),
    MAYBE(api_v2_key, "revoked", revoked_ns, KIND_TIME),
    OWN(api_v2_key, "invalid", invalid, KIND_BOOL),
    OWN(api_v2_key, "capabilities", id, PART(capabilities_shape)),
    MAYBE(api_v2_key, "scopes", scopes, KIND_TEXTS),
    MAYBE(api_v2_key, "tags", tags, KIND_TEXTS),
    MAYBE(api_v2_key, "userId", user_id, KIND_TEXT),
};
const struct api_shape api_v2_key_shape = SHAPE(api_v2_key, "key", key_fields);

static const struct api_field device_fields[] = {
    OWN(api_v2_device, "addresses", addresses, KIND_TEXTS),
    OWN(api_v2_device, "name", name, KIND_TEXT),
    OWN(api_v2_device, "id", id, KIND_ID),
    OWN(api_v2_device, "nodeId", node_id, KIND_ID),
    OWN(api_v2_device, "authorized", authorized, KIND_BOOL),
    OWN(api_v2_device, "user", user, KIND_TEXT),
    OWN(api_v2_device, "tags", tags, KIND_TEXTS),
    OWN(api_v2_device, "keyExpiryDisabled", key_expiry_disabled, KIND_BOOL),
    OWN(api_v2_device, "created", created_ns, KIND_CREATED),
    MAYBE(api_v2_device, "expires", expires_ns, KIND_TIME),
    OWN(api_v2_device, "hostname", hostname, KIND_TEXT),
    OWN(api_v2_device, "isEphemeral", ephemeral, KIND_BOOL),
    MAYBE(api_v2_device, "lastSeen", last_seen_ns, KIND_TIME),
    OWN(api_v2_device, "machineKey", machine_key, KIND_TEXT),
    OWN(api_v2_device, "nodeKey", node_key, KIND_TEXT),
    OWN(api_v2_device, "os", os, KIND_TEXT),
    OWN(api_v2_device, "clientVersion", client_version, KIND_TEXT),
    OWN(api_v2_device, "updateAvailable", update_available, KIND_BOOL),
    MAYBE(api_v2_device, "advertisedRoutes", advertised, KIND_PREFIXES),
    MAYBE(api_v2_device, "enabledRoutes", enabled, KIND_PREFIXES),
};
const struct api_shape api_v2_device_shape = SHAPE(api_v2_device, "device", device_fields);

static const struct api_field routes_fields[] = {
    OWN(api_v2_routes, "advertisedRoutes", advertised, KIND_PREFIXES),
    OWN(api_v2_routes, "enabledRoutes", enabled, KIND_PREFIXES),
};
const struct api_shape api_v2_routes_shape = SHAPE(api_v2_routes, "device's routes", routes_fields);

static const struct api_field user_fields[] = {
    OWN(api_v2_user, "id", id, KIND_ID),
    OWN(api_v2_user, "displayName", display_name, KIND_TEXT),
    OWN(api_v2_user, "loginName", login_name, KIND_TEXT),
    OWN(api_v2_user, "profilePicUrl", picture_url, KIND_TEXT),
    OWN(api_v2_user, "tailnetId", tailnet_id, KIND_TEXT),
    OWN(api_v2_user, "created", created_ns, KIND_CREATED),
    OWN(api_v2_user, "type", type, KIND_TEXT),
    OWN(api_v2_user, "role", role, WORD(roles)),
    OWN(api_v2_user, "status", status, KIND_TEXT),
    OWN(api_v2_user, "deviceCount", device_count, KIND_U64),
    OWN(api_v2_user, "lastSeen", last_seen_ns, KIND_CREATED),
    OWN(api_v2_user, "currentlyConnected", connected, KIND_BOOL),
};
const struct api_shape api_v2_user_shape = SHAPE(api_v2_user, "user", user_fields);

static const struct api_field settings_fields[] = {
    OWN(api_v2_settings, "aclsExternallyManagedOn", acls_external, KIND_BOOL),
    OWN(api_v2_settings, "aclsExternalLink", acls_link, KIND_TEXT),
    OWN(api_v2_settings, "devicesApprovalOn", devices_approval, KIND_BOOL),
    OWN(api_v2_settings, "devicesAutoUpdatesOn", auto_updates, KIND_BOOL),
    OWN(api_v2_settings, "devicesKeyDurationDays", key_days, KIND_U64),
    OWN(api_v2_settings, "usersApprovalOn", users_approval, KIND_BOOL),
    OWN(api_v2_settings, "usersRoleAllowedToJoinExternalTailnets", external_roles, KIND_TEXT),
    OWN(api_v2_settings, "networkFlowLoggingOn", flow_logs, KIND_BOOL),
    OWN(api_v2_settings, "regionalRoutingOn", regional_routing, KIND_BOOL),
    OWN(api_v2_settings, "postureIdentityCollectionOn", posture, KIND_BOOL),
    OWN(api_v2_settings, "httpsEnabled", https, KIND_BOOL),
};
const struct api_shape api_v2_settings_shape = SHAPE(api_v2_settings, "settings", settings_fields);

static const struct api_field v2_webhook_fields[] = {
    OWN(api_webhook, "endpointId", id, KIND_ID),
    OWN(api_webhook, "endpointUrl", url, KIND_TEXT),
    OWN(api_webhook, "providerType", provider, KIND_TEXT),
    OWN(api_webhook, "creatorLoginName", creator, KIND_TEXT),
    OWN(api_webhook, "created", created_ns, KIND_CREATED),
    OWN(api_webhook, "lastModified", modified_ns, KIND_CREATED),
    OWN(api_webhook, "subscriptions", subscriptions, KIND_TEXTS),
    MAYBE(api_webhook, "secret", secret, KIND_TEXT_OR_NULL),
};
const struct api_shape api_v2_webhook_shape = SHAPE(api_webhook, "webhook", v2_webhook_fields);

static const struct api_field webhook_fields[] = {
    OWN(api_webhook, "id", id, KIND_ID),
    OWN(api_webhook, "endpointUrl", url, KIND_TEXT),
    OWN(api_webhook, "providerType", provider, KIND_TEXT),
    OWN(api_webhook, "creator", creator, KIND_TEXT),
    OWN(api_webhook, "createdAt", created_ns, KIND_TIME),
    OWN(api_webhook, "modifiedAt", modified_ns, KIND_TIME),
    OWN(api_webhook, "subscriptions", subscriptions, KIND_TEXTS),
    OWN(api_webhook, "version", version, KIND_U64),
    OWN(api_webhook, "failing", failing, KIND_BOOL),
    OWN(api_webhook, "failingSince", failing_ns, KIND_TIME),
    OWN(api_webhook, "failures", failures, KIND_U64),
    OWN(api_webhook, "lastTry", tried_ns, KIND_TIME),
    OWN(api_webhook, "lastDelivery", delivered_ns, KIND_TIME),
    OWN(api_webhook, "nextTry", next_ns, KIND_TIME),
    OWN(api_webhook, "lastStatus", status, KIND_U64),
    OWN(api_webhook, "lastError", trouble, KIND_TEXT),
    OWN(api_webhook, "delivered", delivered, KIND_U64),
    OWN(api_webhook, "dropped", dropped, KIND_U64),
    OWN(api_webhook, "secret", secret, KIND_TEXT_OR_NULL),
};
const struct api_shape api_webhook_shape = SHAPE(api_webhook, "webhook", webhook_fields);
