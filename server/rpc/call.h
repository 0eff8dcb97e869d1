/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls: from the last byte of a request to the last byte of its answer. */
#ifndef SERVER_RPC_CALL_H
#define SERVER_RPC_CALL_H

#include "rpc/conn.h"

void bytes_release(struct rpc_bytes *b);

struct rpc_call *call_new(struct rpc_conn *c, int32_t stream_id);
void call_head(struct rpc_call *call); /* its header is there */
void call_dispatch(struct rpc_call *call);
void call_overflow(struct rpc_call *call); /* its body exceeds body_max */
void call_refuse(struct rpc_call *call, int status, const char *text);
void call_pull_all(struct rpc_conn *c);    /* asks idle streams that are ready */
void call_written_all(struct rpc_conn *c); /* everything produced is in the kernel */
void call_finish_all(struct rpc_conn *c);  /* tells and frees the closed ones */
void call_end_all(struct rpc_conn *c);     /* tells and frees all, for c->why */

#endif
