/* SPDX-License-Identifier: BSD-3-Clause */
/* Allowances, refilled over time, for what a client may send without being useful. */
#ifndef SERVER_RPC_FLOOD_H
#define SERVER_RPC_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flood_kind {
    FLOOD_RESET,   /* RST_STREAM */
    FLOOD_CONTROL, /* SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA */
    FLOOD_UNKNOWN, /* frames of types that RFC 9113 says to ignore */
    FLOOD_WINDOW,  /* WINDOW_UPDATE, beyond those that the bytes sent to it account for */
    FLOOD_REQUEST, /* HEADERS */
    FLOOD_KINDS,
};

struct flood {
    int64_t at; /* mono ms of the last refill */
    uint16_t left[FLOOD_KINDS];
};

void flood_init(struct flood *f, int64_t now);
bool flood_spend(struct flood *f, enum flood_kind kind, int64_t now); /* false: used up */
void flood_sent(struct flood *f, size_t bytes); /* bytes sent to the client account for updates of its window */
const char *flood_name(enum flood_kind kind);

#endif
