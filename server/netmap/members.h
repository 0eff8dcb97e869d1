/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: the members of a MapResponse that concern more than one node. */
#ifndef SERVER_NETMAP_MEMBERS_H
#define SERVER_NETMAP_MEMBERS_H

#include "netmap/sent.h"

/* A peer as an element, in the receiver's view. */
void put_peer(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct tailnet_node *peer, const struct peer_view *view);

/* Write the members that differ from what was sent (all of them with first) and note them as sent. True: something was
 * written. */
bool put_self(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct tailnet_node *self, bool first);
bool put_ssh(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
             const struct tailnet_node *self, bool first);
/* Writes nothing while all nodes are sent the same (put_dns). */
bool put_own_dns(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
                 const struct tailnet_node *self, bool first);
void put_profiles(struct json_out *o, const struct netmap_access *a, const struct netmap_owners *owners);
void put_derp(struct json_out *o, const struct netmap_access *a, unsigned cap_version);
void put_dns(struct json_out *o,
             const struct netmap_access *a); /* what is the same for all, and whatever else shares its version */

#endif
