/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls: from the last byte of a request to the last byte of its answer. */
#ifndef SERVER_RPC_CALL_H
#define SERVER_RPC_CALL_H

#include "rpc/conn.h"

void bytes_release(struct rpc_bytes *b);

struct rpc_call *call_new(struct rpc_conn *c, int32_t stream_id);
void call_head(struct rpc_call *call); /* its header is complete */
void call_dispatch(struct rpc_call *call);
void call_overflow(struct rpc_call *call); /* its body exceeds body_max */
void call_refuse(struct rpc_call *call, int status, const char *text);
void call_pull_all(struct rpc_conn *c);    /* pulls from idle streams that are ready */
void call_written_all(struct rpc_conn *c); /* all output has been written to the kernel */
void call_finish_all(struct rpc_conn *c);  /* notifies the handlers of closed calls and frees them */
void call_end_all(struct rpc_conn *c);     /* the same for all calls, with c->why */

#endif
