/* SPDX-License-Identifier: BSD-3-Clause */
/* What leaves the core for those who read: snapshots and entries of the journal. Built with CORE_ENCODES, which tests
 * are, each is written as the message that another daemon would get, and they read what was made of it. */
#ifndef SERVER_CORE_READERS_H
#define SERVER_CORE_READERS_H

#include "tailnet/publish.h"

struct core_state;

/* What the next snapshot is made from; to be unpinned. */
const struct tailnet_snapshot *readers_last(struct core_state *s);
/* Takes the snapshot. */
void readers_publish(struct core_state *s, struct tailnet_snapshot *next, const struct change *changes, size_t count);
void readers_hear(struct core_state *s, const struct event *e);

#endif
