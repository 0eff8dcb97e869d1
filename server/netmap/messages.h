/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: the two kinds of messages. */
#ifndef SERVER_NETMAP_MESSAGES_H
#define SERVER_NETMAP_MESSAGES_H

#include "netmap/update.h"

/* full.c */
void full_map(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_snapshot *peers_of,
              const struct tailnet_node *self, struct netmap_worker *w, struct netmap_message *out);
/* delta.c; false: nothing to send. */
bool delta_message(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                   struct netmap_worker *w, struct netmap_message *out);

/* split.c: a delta of many items, block by block, so that receivers share the parts that do not contain themselves. The
 * object is open in w->json and holds the members for this receiver alone (own). */
void split_delta(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                 struct netmap_worker *w, struct netmap_update *update, bool own, struct netmap_message *out);

#endif
