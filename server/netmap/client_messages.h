/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: messages to the user of a client, besides the network map (MapResponse.DisplayMessages, before
 * capability version 117 MapResponse.Health). Clients show them in `tailscale status` and in their windows. */
#ifndef SERVER_NETMAP_CLIENT_MESSAGES_H
#define SERVER_NETMAP_CLIENT_MESSAGES_H

#include "netmap/access.h"

enum { CLIENT_MESSAGE_KINDS = 6 };

struct sent_messages {
    uint64_t hash[CLIENT_MESSAGE_KINDS]; /* by row of the table; 0: not shown */
    uint32_t exit_slot;                  /* last known slot of the receiver's exit node */
};

/* Writes the member with what differs from what was sent, and notes it as sent. False: no difference. The message makes
 * clients rebuild everything, so call this only if one of its causes changed. */
bool put_messages(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *self,
                  unsigned cap_version, struct sent_messages *sent);

#endif
