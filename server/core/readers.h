/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core hands to readers: snapshots and journal entries. Built with CORE_ENCODES, as tests are, each is encoded
 * as the message that another daemon would get, and readers get what is decoded from it. */
#ifndef SERVER_CORE_READERS_H
#define SERVER_CORE_READERS_H

#include "tailnet/publish.h"

struct core_state;

/* The snapshot that the next one is made from; unpin it. */
const struct tailnet_snapshot *readers_last(struct core_state *s);
/* Takes over the snapshot. */
void readers_publish(struct core_state *s, struct tailnet_snapshot *next, const struct change *changes, size_t count);
void readers_hear(struct core_state *s, const struct event *e);

#endif
