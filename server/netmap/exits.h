/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: the exit nodes that a receiver may choose from. A client that chooses automatically (--exit-
 * node=auto:any) chooses anew in two cases: when told that the one in use is offline, and when sent its own node, which
 * makes it rebuild everything. From v1.100 on it ignores all other changes (a changed or removed peer:
 * ipnlocal.UpdateNetmapDelta), and would stay with a dead exit node after another one was approved or came back. So
 * whenever the choice changes, the receiver is sent its own node. */
#ifndef SERVER_NETMAP_EXITS_H
#define SERVER_NETMAP_EXITS_H

#include "netmap/sent.h"

/* The receiver was sent all peers of a snapshot. */
void exits_first(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self);
/* The receiver is shown the peer in the way of view (NULL: find out). */
void exits_note(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                const struct tailnet_node *peer, const struct peer_view *view);
/* The peer in that slot is no longer shown. */
void exits_forget(struct netmap_session *s, uint32_t slot);

#endif
