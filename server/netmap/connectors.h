/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: what app connectors and their users are sent. */
#ifndef SERVER_NETMAP_CONNECTORS_H
#define SERVER_NETMAP_CONNECTORS_H

#include "netmap/access.h"

/* Whether the policy has apps. */
bool connectors_exist(const struct netmap_access *a);
/* Whether the node's record offers it as a connector, regardless of the policy. */
bool connectors_offered(const struct tailnet_node *n);
/* Members of the CapMap of a connector: its apps. */
void connectors_put_caps(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *node);
/* Adds to routes (tailcfg.DNSConfig.Routes) the domains of the node's apps, each with its connectors' resolvers. */
void connectors_add_routes(const struct netmap_access *a, const struct tailnet_node *node, json_t *routes);

#endif
