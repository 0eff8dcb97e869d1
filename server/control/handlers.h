/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers that have a file of their own; their argument is the struct control. */
#ifndef SERVER_CONTROL_HANDLERS_H
#define SERVER_CONTROL_HANDLERS_H

#include "rpc/rpc.h"

rpc_handler handle_register, handle_map, handle_ssh_action, handle_ping_response;

#endif
