/* SPDX-License-Identifier: BSD-3-Clause */
/* Administrators' operations: one function each, which returns 0 or an error; listed in the table of operations.c. */
#ifndef SERVER_CORE_ADMIN_OPERATIONS_H
#define SERVER_CORE_ADMIN_OPERATIONS_H

#include "core/core.h"

struct core_state;

#define ADMIN_LATER 1 /* whoever took the call over answers it, with admin_begin and admin_end */
typedef int admin_function(struct core_state *s, struct core_admin *a, struct err *e);
void admin_run(struct core_state *s, struct core_call *call);
void admin_begin(struct core_state *s, struct core_admin *a);
void admin_end(struct core_state *s, struct core_admin *a, int code);

int admin_matches(const struct core_admin *a, uint64_t version, struct err *e) WARN_UNUSED;
/* Whether the text is a tag, regardless of the policy. */
int admin_check_tag(const char *tag, const char *field, struct err *e) WARN_UNUSED;
/* Sets the call's inverse. */
void admin_inverse(struct core_admin *a, const struct core_admin *operation);
void admin_result(struct core_admin *a, const void *record); /* the object that the call returns; takes a reference */
void core_rule_write(struct json_out *o, const struct core_admin *a);
void preauth_keys_reap(struct core_state *s);
void oauth_tokens_expire(struct core_state *s); /* removes expired ones, and schedules itself for the next one */
/* An API key was used. */
void apikey_seen_run(struct core_state *s, uint64_t id, const char *fast_hash); /* fast_hash NULL: unchanged */
/* The outcome of a delivery. */
void webhook_progress_run(struct core_state *s, const struct core_webhook *p);
/* A choice made by admin_primary is durable now. */
void primary_choose(struct core_state *s, const struct primary *choice);
void via_primary_choose(struct core_state *s, const struct via_primary *choice);

extern admin_function admin_preauthkey_revoke, admin_oauth_client_create, admin_oauth_client_set,
    admin_oauth_client_delete, admin_oauth_token;
extern admin_function admin_webhook_create, admin_webhook_set, admin_webhook_rotate, admin_webhook_delete,
    admin_webhook_test;
extern admin_function admin_user_suspend, admin_user_link, admin_user_create, admin_user_rename, admin_user_role,
    admin_user_delete, admin_preauthkey_create, admin_preauthkey_expire, admin_preauthkey_delete, admin_apikey_create,
    admin_apikey_expire, admin_apikey_delete, admin_node_rename, admin_node_tags, admin_node_expire, admin_node_delete,
    admin_node_authorize, admin_node_routes, admin_routes_edit, admin_routes_many, admin_primary, admin_node_drain,
    admin_node_priority, admin_prefix_set, admin_register, admin_auth_approve, admin_auth_reject, admin_debug_node,
    admin_backfill, admin_policy_set, admin_server_message, admin_dns_set;

#endif
