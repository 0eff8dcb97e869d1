/* SPDX-License-Identifier: BSD-3-Clause */
/* Strangers for whom there is no place yet. A hundred machines behind one address that register in the same second come
 * in one after the other, as those before them become known; they are not sent away to try again. */
#ifndef SERVER_RPC_QUEUE_H
#define SERVER_RPC_QUEUE_H

#include "base/vec.h"
#include "rpc/server_state.h"

/* Those of one loop, the first for the longest. */
struct rpc_queue {
    struct rpc_server *server;
    struct loop *loop; /* NULL: nobody has come yet */
    VEC(struct queued_client *) list;
    struct loop_timer timer;
    uint64_t left; /* limits_left, when all of them were tried */
};

/* Takes the stream; false, and it does not: too many wait. */
bool queue_add(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs);
void queue_end(struct rpc_queue *q);

#endif
