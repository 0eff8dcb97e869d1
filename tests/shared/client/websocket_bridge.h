/* SPDX-License-Identifier: BSD-3-Clause */
/* A bridge from a client that speaks ts2021 natively to a server that is to be reached by WebSocket, as browsers do:
 * it listens on a port of its own and sends what the client sends as masked frames of odd sizes, with pings between
 * them. */
#ifndef TESTS_SHARED_CLIENT_WEBSOCKET_BRIDGE_H
#define TESTS_SHARED_CLIENT_WEBSOCKET_BRIDGE_H

#include <stdint.h>

struct websocket_bridge;

/* Connects to 127.0.0.1:to. One client at a time. */
struct websocket_bridge *websocket_bridge_new(uint16_t to);
uint16_t websocket_bridge_port(const struct websocket_bridge *b);
unsigned websocket_bridge_pongs(struct websocket_bridge *b); /* received from the server */
void websocket_bridge_free(struct websocket_bridge *b);

#endif
