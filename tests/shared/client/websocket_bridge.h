/* SPDX-License-Identifier: BSD-3-Clause */
/* Between a client that speaks ts2021 natively and a server that it is to reach by WebSocket, as browsers do: a port of
 * its own, on which what the client says becomes masked frames of odd sizes with pings between them. */
#ifndef TESTS_SHARED_CLIENT_WEBSOCKET_BRIDGE_H
#define TESTS_SHARED_CLIENT_WEBSOCKET_BRIDGE_H

#include <stdint.h>

struct websocket_bridge;

/* To 127.0.0.1:to. One client after the other. */
struct websocket_bridge *websocket_bridge_new(uint16_t to);
uint16_t websocket_bridge_port(const struct websocket_bridge *b);
unsigned websocket_bridge_pongs(struct websocket_bridge *b); /* that the server sent */
void websocket_bridge_free(struct websocket_bridge *b);

#endif
