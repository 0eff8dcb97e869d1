/* SPDX-License-Identifier: BSD-3-Clause */
/* One node, one stream: the newest. A disk that was cloned makes two clients out of one node, and each takes the stream
 * from the other without end; that is seen, said, and slowed down. Any thread. now: mono ms. */
#ifndef SERVER_CONTROL_TAKEOVER_H
#define SERVER_CONTROL_TAKEOVER_H

#include "control/state.h"

/* A stream begins: milliseconds that it must wait, because two machines pass the same node back and forth. */
int64_t takeover_delay(struct control *c, uint64_t node_id, const struct addr_port *peer, int64_t now);

struct takeover_loser {
    struct session_group *group;
    uint64_t number; /* 0: there is none */
};
/* Its first map is written. false: a newer one was faster, and this one ends. Otherwise *loser is the older stream of
 * the node that must end. */
bool takeover_claim(struct control *c, uint64_t node_id, uint64_t number, struct session_group *group,
                    struct takeover_loser *loser);
void takeover_release(struct control *c, uint64_t node_id, uint64_t number, int64_t now);
void takeover_release_all(struct control *c);

#endif
