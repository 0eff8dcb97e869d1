/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: the exit nodes that a receiver may choose among. A client that chooses for itself
 * (--exit-node=auto:any) does so anew in two cases: when it is told that the one in use is offline, and with its own
 * node, which makes it build everything anew. A client from v1.100 on takes all else for no reason to (a peer that
 * changed or is gone: ipnlocal.UpdateNetmapDelta), and would stay with a dead exit node after another one was approved
 * or came back. So whenever the choice differs, the receiver is sent its own node. */
#ifndef SERVER_NETMAP_EXITS_H
#define SERVER_NETMAP_EXITS_H

#include "netmap/sent.h"

/* The receiver was shown all peers of a snapshot. */
void exits_first(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self);
/* It is shown the peer, as view (NULL: find out) says. */
void exits_note(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                const struct tailnet_node *peer, const struct peer_view *view);
/* The peer in that slot is not shown any more. */
void exits_forget(struct netmap_session *s, uint32_t slot);

#endif
