/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of calls that a client may make, and their handlers. */
#ifndef SERVER_CONTROL_PATHS_H
#define SERVER_CONTROL_PATHS_H

#include "rpc/rpc.h"

extern const struct rpc_route control_paths[];
extern const size_t control_path_count;

#endif
