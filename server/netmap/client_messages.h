/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: what the server tells the user of a client, beside the network map (MapResponse.DisplayMessages,
 * before capability version 117 MapResponse.Health). Clients show it in `tailscale status` and in their windows. */
#ifndef SERVER_NETMAP_CLIENT_MESSAGES_H
#define SERVER_NETMAP_CLIENT_MESSAGES_H

#include "netmap/access.h"

enum { CLIENT_MESSAGE_KINDS = 6 };

struct sent_messages {
    uint64_t hash[CLIENT_MESSAGE_KINDS]; /* by row of the table; 0: not shown */
    uint32_t exit_slot;                  /* where the receiver's exit node stood last */
};

/* Writes the member with what differs from what was told, and notes it as told. False: nothing differs. The message
 * makes clients rebuild everything, so it is asked only where one of its causes changed. */
bool put_messages(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *self,
                  unsigned cap_version, struct sent_messages *sent);

#endif
