/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the connections of a server. */
#ifndef SERVER_RPC_SERVER_STATE_H
#define SERVER_RPC_SERVER_STATE_H

#include <stdatomic.h>

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "rpc/limits.h"
#include "rpc/noise.h"
#include "rpc/proved.h"
#include "rpc/rpc.h"

struct rpc_queue;

struct rpc_server {
    struct rpc_server_options options;
    struct noise_server noise;
    struct rpc_limits *limits;
    struct rpc_proved *proved;
    struct buf early; /* the EarlyNoise message */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *h2_options;
    struct rpc_conn **conns;  /* list heads, by loop; each used by its loop only */
    uint8_t **frame_buffers;  /* also by loop; see http2.c */
    struct rpc_queue *queues; /* likewise */
    atomic_bool stopping;
    atomic_uint connections;
    atomic_uint_fast64_t handshakes, handshakes_failed, calls, bytes_in, bytes_out, pings, dead;
};

static inline void count_add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif
