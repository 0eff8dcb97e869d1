/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: who may see what. The rest of the room asks nothing else about policies.
 *
 * The view is the policy as it applies to the newest nodes, and a snapshot may be a little older; the difference is
 * told with the next snapshot, because every change of the view is published after it. */
#ifndef SERVER_NETMAP_ACCESS_H
#define SERVER_NETMAP_ACCESS_H

#include "base/buf.h"
#include "base/vec.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct netmap_access {
    const struct tailnet_snapshot *snapshot;
    const struct policy_view *view; /* NULL: everybody sees everybody with all routes */
};

/* Is peer in viewer's map? False for viewer itself. */
bool access_visible(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer);

/* The same for a block at once: bit k stands for its node k. */
uint64_t access_block(const struct netmap_access *a, const struct tailnet_node *viewer, size_t block);

/* What a peer's AllowedIPs hold beside its addresses for whoever may use all of it: the prefixes that it is elected
 * for, and its effective exit routes as a pair or not at all. out is released first. */
void access_all_routes(const struct tailnet_node *peer, struct prefixes *out);

/* Clients that may use the node as exit node are to choose it (tailcfg.NodeAttrSuggestExitNode). */
bool access_suggests(const struct tailnet_node *n);

/* How a viewer is shown a peer. hash 0: whole, as everybody who may use all of it; the rest is then not set. */
struct peer_view {
    uint64_t hash;
    struct prefixes routes;
    bool no_ipv4; /* attribute disable-ipv4 at either end */
};
void access_peer(const struct netmap_access *a, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                 struct peer_view *out); /* out->routes is released first */

/* What of the packet filter was told, by named parts (MapResponse.PacketFilters). */
struct sent_filter {
    bool everything; /* the one part that allows all: there was no policy */
    bool nothing;    /* the one part that allows nothing: the node waits for approval */
    struct policy_parts parts;
};
/* Writes the member PacketFilters with what differs from told, or all of it with first, and updates told. False:
 * nothing differs, nothing was written. */
bool access_filter(const struct netmap_access *a, const struct tailnet_node *node, bool first, struct sent_filter *sent,
                   struct json_out *o);

/* Writes the members of the node's own CapMap into an open object. */
void access_caps(const struct netmap_access *a, const struct tailnet_node *node, struct json_out *o);

/* tailcfg.SSHPolicy of a node, a JSON object. The version is the same only while the text is. */
void access_ssh(const struct netmap_access *a, const struct tailnet_node *node, struct buf *out);
uint64_t access_ssh_version(const struct netmap_access *a, const struct tailnet_node *node);

#endif
