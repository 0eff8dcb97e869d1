/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/2 by nghttp2: frames become calls, answers become frames. */
#ifndef SERVER_RPC_HTTP2_H
#define SERVER_RPC_HTTP2_H

#include "rpc/conn.h"

int http2_server_init(struct rpc_server *s, struct err *e) WARN_UNUSED;
int http2_start(struct rpc_conn *c) WARN_UNUSED;
void http2_feed(struct rpc_conn *c, const uint8_t *bytes, size_t len);
void http2_produce(struct rpc_conn *c); /* fills the writer as far as possible */

#endif
