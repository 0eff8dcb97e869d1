/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes objects in the form of Tailscale's API v2. */
#ifndef SERVER_API_VIEW_TAILSCALE_OBJECTS_H
#define SERVER_API_VIEW_TAILSCALE_OBJECTS_H

#include "api/request/endpoint.h"

/* whole: the secret, in the answer to its creation; otherwise NULL. */
void write_v2_auth_key(struct json_out *o, const struct preauth_key *k, const char *whole, int64_t now_ns);
void write_v2_client(struct json_out *o, const struct oauth_client *c, const char *whole);
void write_v2_webhook(struct json_out *o, const struct webhook *w, const char *secret);
void write_v2_device(struct json_out *o, const struct tailnet_node *n, bool all_fields);
void write_v2_routes(struct json_out *o, const struct node *n);
/* Writes users with figures from their nodes, in one pass over all nodes. */
void write_v2_users(struct json_out *o, const struct tailnet_snapshot *s, const struct user *const *users,
                    size_t count);

#endif
