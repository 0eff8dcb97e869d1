/* SPDX-License-Identifier: BSD-3-Clause */
/* One node, one stream: the newest. A disk that was cloned makes two clients out of one node, and each takes the stream
 * from the other without end; that is seen, said, and slowed down. Any thread. now: mono ms. */
#ifndef SERVER_CONTROL_TAKEOVER_H
#define SERVER_CONTROL_TAKEOVER_H

#include "control/state.h"

struct stream_ref {
    struct session_group *group;
    uint64_t number; /* of the session; 0: there is none */
};

/* A stream begins: milliseconds that it must wait, because two machines pass the same node back and forth. */
int64_t takeover_begin(struct control *c, uint64_t node_id, const struct stream_ref *stream,
                       const struct addr_port *peer, int64_t now);
/* Its first map is written. false: a newer one was faster, and this one ends. Otherwise *loser is the older stream of
 * the node that must end. */
bool takeover_claim(struct control *c, uint64_t node_id, uint64_t number, struct session_group *group,
                    struct stream_ref *loser);
/* The newest stream of the node; number 0: it has none. */
struct stream_ref takeover_stream(struct control *c, uint64_t node_id);
void takeover_release(struct control *c, uint64_t node_id, uint64_t number, int64_t now);
void takeover_release_all(struct control *c);

#endif
