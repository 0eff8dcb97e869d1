/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of Tailscale's API v2 (https://tailscale.com/api), with the members that headscale 0.30 sends, and OAuth
 * clients as in /api/headway. As in model/api.h, texts are borrowed by writers and owned by readers; api_read,
 * api_write and api_release work on these shapes too. */
#ifndef COMMON_TAILSCALE_TAILSCALE_H
#define COMMON_TAILSCALE_TAILSCALE_H

#include "model/api.h"

#define V2_DEFAULT_KEY_SECONDS 7776000 /* the lifetime of an auth key if none is given: 90 days */

struct api_oauth_client {
    uint64_t id;
    const char *client_id, *description;
    struct strs scopes, tags;
    int64_t created_ns, last_seen_ns;
    uint64_t version;
    const char *key; /* the secret, only in the answer to its creation; or NULL */
};

/* An auth key, or an OAuth client (keyType "client"). */
struct api_v2_key {
    const char *id, *type;
    const char *key; /* as in api_oauth_client */
    const char *description;
    uint64_t expiry_seconds; /* the whole lifetime */
    int64_t created_ns, expires_ns, revoked_ns;
    bool invalid;
    bool reusable, ephemeral, preauthorized; /* these and auth_tags: auth keys only */
    struct strs auth_tags;
    struct strs scopes, tags; /* OAuth clients only */
    const char *user_id;      /* "": no user */
};

struct api_v2_device {
    struct strs addresses;
    const char *name, *hostname;
    uint64_t id, node_id;
    bool authorized, key_expiry_disabled, ephemeral, update_available;
    const char *user;
    struct strs tags;
    int64_t created_ns, expires_ns;
    int64_t last_seen_ns; /* 0: online now */
    const char *machine_key, *node_key, *os, *client_version;
    struct prefixes advertised, enabled; /* only if all fields are requested */
};

struct api_v2_routes {
    struct prefixes advertised, enabled;
};

struct api_v2_user {
    uint64_t id;
    const char *display_name, *login_name, *picture_url, *tailnet_id, *type, *status;
    int role; /* enum user_role */
    int64_t created_ns, last_seen_ns;
    uint64_t device_count;
    bool connected;
};

struct api_v2_settings {
    bool acls_external; /* the policy is in a file */
    const char *acls_link;
    bool devices_approval, auto_updates, users_approval, flow_logs, regional_routing, posture, https;
    uint64_t key_days;
    const char *external_roles;
};

/* As in the API v2 and, for /api/headway, with the state of its deliveries. */
struct api_webhook {
    uint64_t id;
    const char *url, *provider, *creator;
    int64_t created_ns, modified_ns;
    struct strs subscriptions;
    const char *secret; /* only in the answer to its creation; or NULL */
    uint64_t version;
    bool failing;
    int64_t tried_ns, delivered_ns, failing_ns, next_ns;
    uint64_t status, failures, delivered, dropped;
    const char *trouble;
};

/* ---- what webhooks are told of ---- */

struct webhook_type {
    const char *name;
    const char *category; /* its category; NULL: sent to the webhook concerned, without a subscription */
    int event;            /* the kind of journal entry that causes it: enum event_id */
    const char *help;
};
extern const struct webhook_type webhook_types[];
extern const size_t webhook_type_count;
bool webhook_subscribes(const struct strs *subscriptions, const struct webhook_type *type);
/* ERR_INVALID names the member. The host is not resolved before something is sent to it. */
int webhook_check(const char *url, const char *provider, const struct strs *subscriptions, struct err *e) WARN_UNUSED;
/* The host of a URL with its port: the only part of it that others may see. Caller frees. */
char *webhook_host(const char *url);

extern const struct api_shape api_webhook_shape, api_v2_webhook_shape;
extern const struct api_shape api_oauth_client_shape, api_v2_key_shape, api_v2_device_shape, api_v2_routes_shape,
    api_v2_user_shape, api_v2_settings_shape;

#endif
