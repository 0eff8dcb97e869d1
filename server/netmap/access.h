/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: who may see what. Nothing else in the room queries policies.
 *
 * The view is the policy applied to the newest nodes, and a snapshot may be a little older; the difference is sent
 * with the next snapshot, because every change of the view is published after it is made. */
#ifndef SERVER_NETMAP_ACCESS_H
#define SERVER_NETMAP_ACCESS_H

#include "base/buf.h"
#include "base/vec.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct netmap_access {
    const struct tailnet_snapshot *snapshot;
    const struct policy_view *view; /* NULL: all nodes see each other with all routes */
};

/* Whether peer is in viewer's map. False for viewer itself. */
bool access_visible(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer);

/* The same for a whole block: bit k is its node k. */
uint64_t access_block(const struct netmap_access *a, const struct tailnet_node *viewer, size_t block);

/* A peer's AllowedIPs besides its addresses, for a viewer that may use all of it: the prefixes that it is elected for,
 * and its effective exit routes, as a pair or not at all. out is released first. */
void access_all_routes(const struct tailnet_node *peer, struct prefixes *out);

/* Whether the node is suggested as exit node to clients that may use it (tailcfg.NodeAttrSuggestExitNode). */
bool access_suggests(const struct tailnet_node *n);

/* How a viewer is shown a peer. hash 0: whole, as to every viewer that may use all of it; the other members are then
 * unset. */
struct peer_view {
    uint64_t hash;
    struct prefixes routes;
    bool no_ipv4; /* attribute disable-ipv4 at either end */
};
void access_peer(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                 struct peer_view *out); /* out->routes is released first */

/* The parts of the packet filter that were sent, by name (MapResponse.PacketFilters). */
struct sent_filter {
    bool everything; /* the one part that allows everything: there was no policy */
    bool nothing;    /* the one part that allows nothing: the node awaits approval */
    struct policy_parts parts;
};
/* Writes the member PacketFilters with what differs from *sent, or all of it with first, and updates *sent. False: no
 * difference, nothing written. */
bool access_filter(const struct netmap_access *a, const struct tailnet_node *node, bool first, struct sent_filter *sent,
                   struct json_out *o);

/* Writes the members of the node's own CapMap into an open object. */
void access_caps(const struct netmap_access *a, const struct tailnet_node *node, struct json_out *o);

/* tailcfg.SSHPolicy of a node, a JSON object. Versions are equal only if the texts are. */
void access_ssh(const struct netmap_access *a, const struct tailnet_node *node, struct buf *out);
uint64_t access_ssh_version(const struct netmap_access *a, const struct tailnet_node *node);

#endif
