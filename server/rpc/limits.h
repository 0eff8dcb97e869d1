/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounds the number of connections, for strangers by address and for machines by key. Any thread. Each enter is paired
 * with a leave that has the same arguments; false means that the bound is reached. */
#ifndef SERVER_RPC_LIMITS_H
#define SERVER_RPC_LIMITS_H

#include "rpc/rpc.h"

#define LIMIT_PER_MACHINE 32 /* per machine key; clients use up to three, and more while their network flaps */

struct rpc_limits;
struct rpc_limits *limits_new(void);
void limits_free(struct rpc_limits *l);
bool limits_enter_machine(struct rpc_limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN]);
void limits_leave_machine(struct rpc_limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN]);
bool limits_enter(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from);
void limits_leave(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from);
bool limits_enter_queue(struct rpc_limits *l, const struct addr *from);
void limits_leave_queue(struct rpc_limits *l, const struct addr *from);
uint64_t limits_left(struct rpc_limits *l); /* how many times a place was freed so far */
void limits_count(struct rpc_limits *l, struct rpc_counts *out);

#endif
