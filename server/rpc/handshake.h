/* SPDX-License-Identifier: BSD-3-Clause */
/* From the first message of a handshake to a connection, or to a refusal that the client can show. */
#ifndef SERVER_RPC_HANDSHAKE_H
#define SERVER_RPC_HANDSHAKE_H

#include "rpc/server_state.h"

/* Takes a place for the connection, according to the standing of its machine key; false: there is none. */
bool handshake_admit(struct rpc_server *s, const struct noise_handshake *hs, const struct addr *from,
                     enum rpc_standing *standing);
/* Answers the handshake of an admitted client; takes the stream and its places. */
void handshake_finish(struct rpc_server *s, struct stream *stream, struct noise_handshake *hs,
                      enum rpc_standing standing);
/* After the upgrade only an error message of the handshake reaches the client's log. Takes the stream. */
void handshake_refuse(struct stream *stream, const char *text);
void handshake_refuse_full(struct stream *stream);

#endif
