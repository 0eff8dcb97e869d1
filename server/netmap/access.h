/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: who may see what, in a snapshot. The rest of the room asks nothing else about policies. */
#ifndef SERVER_NETMAP_ACCESS_H
#define SERVER_NETMAP_ACCESS_H

#include "base/buf.h"
#include "base/vec.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

/* Everybody sees everybody with all routes: no policy is set. */
bool access_is_open(const struct tailnet_snapshot *s);

/* Is peer in viewer's map? False for viewer itself. */
bool access_visible(const struct tailnet_snapshot *s, const struct tailnet_node *viewer,
                    const struct tailnet_node *peer);

/* The same for a block at once: bit k stands for its node k. */
uint64_t access_block(const struct tailnet_snapshot *s, const struct tailnet_node *viewer, size_t block);

/* What a peer's AllowedIPs hold beside its addresses for whoever may use all of it: the prefixes that it is elected
 * for, and its effective exit routes as a pair or not at all. out is released first. */
void access_all_routes(const struct tailnet_node *peer, struct prefixes *out);

/* What viewer may use of them. True: all, and out is untouched. False: out (released first) holds what it may. */
bool access_routes(const struct tailnet_snapshot *s, const struct tailnet_node *viewer, const struct tailnet_node *peer,
                   struct prefixes *out);

/* MapResponse.PacketFilters of a node. Names are short; rules is a JSON array of tailcfg.FilterRule. */
#define ACCESS_NAME_MAX 24
struct access_filter {
    char name[ACCESS_NAME_MAX];
    uint64_t hash; /* of rules */
    const char *rules;
    size_t len;
};
struct access_filters {
    struct access_filter *items;
    size_t len, cap;
    struct buf text; /* what rules may point into */
};
void access_filters(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct access_filters *out);
void access_filters_release(struct access_filters *f);

/* Writes the members of the node's own CapMap into an open object. */
void access_caps(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct json_out *o);

/* tailcfg.SSHPolicy of a node, a JSON object. */
void access_ssh(const struct tailnet_snapshot *s, const struct tailnet_node *node, struct buf *out);

#endif
