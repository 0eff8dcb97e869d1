/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: nodes, patches and profiles in the JSON form of tailcfg. */
#ifndef SERVER_NETMAP_ENCODE_H
#define SERVER_NETMAP_ENCODE_H

#include "netmap/access.h"
#include "json/json.h"

/* A tailcfg.Node as element or value. routes: AllowedIPs besides the addresses. */
void encode_peer(struct json_out *o, const struct tailnet_snapshot *s, const struct tailnet_node *n,
                 const struct prefixes *routes, bool no_ipv4);
void encode_self(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *n);

/* The node as sent when it no longer exists: its key expired long ago. */
void encode_goodbye(struct json_out *o, uint64_t node_id, const uint8_t node_key[KEY_LEN], const char *name);

/* tailcfg.PeerChange for the bits of mask (CHANGE_ONLINE, CHANGE_ENDPOINTS, CHANGE_KEYS); one or two elements. */
void encode_patch(struct json_out *o, const struct tailnet_node *n, uint32_t mask);

/* tailcfg.UserProfile. user NULL: that of tagged nodes. */
void encode_profile(struct json_out *o, const struct user *user);

/* The id of the owner under which a node is shown. */
uint64_t encode_owner(const struct tailnet_node *n);

#endif
