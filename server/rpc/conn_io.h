/* SPDX-License-Identifier: BSD-3-Clause */
/* Input and output of a connection, its start and end. */
#ifndef SERVER_RPC_CONN_IO_H
#define SERVER_RPC_CONN_IO_H

#include "rpc/conn.h"

/* Takes lead (allocated; sent before the first record), the stream and its places in the limits. */
struct rpc_conn *conn_new(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs,
                          const struct noise_keys *keys, enum rpc_standing standing, void *lead, size_t lead_len);
void conn_close_now(struct rpc_conn *c); /* for a server shutdown: writes what it can, then frees it */

#endif
