/* SPDX-License-Identifier: BSD-3-Clause */
/* One node, one stream: the newest. A cloned disk makes two clients out of one node, and each takes the stream from the
 * other endlessly; that is detected, reported and slowed down. Any thread. now: mono ms. */
#ifndef SERVER_CONTROL_TAKEOVER_H
#define SERVER_CONTROL_TAKEOVER_H

#include "control/state.h"

struct stream_ref {
    struct session_group *group;
    uint64_t number; /* of the session; 0: none */
};

/* A stream begins: returns how many milliseconds it must wait because two machines take the node from each other. */
int64_t takeover_begin(struct control *c, uint64_t node_id, const struct stream_ref *stream,
                       const struct addr_port *peer, int64_t now);
/* Its first map is written. False: a newer stream was faster, and this one ends. Otherwise *loser is the node's older
 * stream, which must end. */
bool takeover_claim(struct control *c, uint64_t node_id, uint64_t number, struct session_group *group,
                    struct stream_ref *loser);
/* The newest stream of the node; number 0: none. */
struct stream_ref takeover_stream(struct control *c, uint64_t node_id);
void takeover_release(struct control *c, uint64_t node_id, uint64_t number, int64_t now);
void takeover_release_all(struct control *c);

#endif
