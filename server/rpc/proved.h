/* SPDX-License-Identifier: BSD-3-Clause */
/* Remembers where machines have proved a node's key: the last 16,384 IPv4 addresses and IPv6 /64s. Any thread. */
#ifndef SERVER_RPC_PROVED_H
#define SERVER_RPC_PROVED_H

#include "net/prefix.h"

struct rpc_proved;
struct rpc_proved *proved_new(void);
void proved_free(struct rpc_proved *p);
void proved_add(struct rpc_proved *p, const struct addr *from);
bool proved_has(struct rpc_proved *p, const struct addr *from);

#endif
