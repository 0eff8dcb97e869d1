/* SPDX-License-Identifier: BSD-3-Clause */
/* Strangers that wait for a place. If a hundred machines behind one address register in the same second, they are
 * admitted one after the other, as those before them become known, instead of being turned away. */
#ifndef SERVER_RPC_QUEUE_H
#define SERVER_RPC_QUEUE_H

#include "base/vec.h"
#include "rpc/server_state.h"

/* Those of one loop, the longest waiting first. */
struct rpc_queue {
    struct rpc_server *server;
    struct loop *loop; /* NULL: nobody has waited yet */
    VEC(struct queued_client *) list;
    struct loop_timer timer;
    uint64_t left; /* limits_left when all of them were last tried */
};

/* Takes the stream; if too many wait, returns false and does not. */
bool queue_add(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs);
void queue_end(struct rpc_queue *q);

#endif
