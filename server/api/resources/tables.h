/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of each resource, one table per resource. */
#ifndef SERVER_API_RESOURCES_TABLES_H
#define SERVER_API_RESOURCES_TABLES_H

#include "http/http.h"

#define EVENTS_PAGE_MAX 1000 /* journal entries per answer */

extern const struct http_table users_table, preauthkeys_table, apikeys_table, nodes_table, routes_table, pending_table,
    policy_table, explain_table, reach_table, policy_versions_table, journal_pages_table, journal_table, server_table,
    oauth_clients_table, oauth_token_table, keys_table, v2_devices_table, v2_acl_table, v2_settings_table, v2_dns_table,
    dns_table, v2_users_table, health_table, snapshot_table, past_table, simulate_table, readback_table, webhooks_table;

#endif
