/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: a node's own DNS configuration. */
#ifndef SERVER_NETMAP_DNS_H
#define SERVER_NETMAP_DNS_H

#include "netmap/access.h"

/* Whether the configuration differs between nodes. */
bool dns_is_own(const struct netmap_access *a);
/* Writes the member DNSConfig for this node. */
void dns_put_own(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *node);

#endif
