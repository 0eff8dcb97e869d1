/* SPDX-License-Identifier: BSD-3-Clause */
/* Detects whether the client is still there. */
#ifndef SERVER_RPC_PING_H
#define SERVER_RPC_PING_H

#include "rpc/conn.h"

/* read_now: reads what has arrived, before a silent client is given up. */
void ping_start(struct rpc_conn *c, void (*read_now)(struct rpc_conn *c));
void ping_heard(struct rpc_conn *c);
bool ping_is_expected(struct rpc_conn *c); /* for a received acknowledgement; false: it was not expected */
void ping_answered(struct rpc_conn *c, const uint8_t opaque[8]);

#endif
