/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client may do without being useful, as allowances that refill with time. */
#ifndef SERVER_RPC_FLOOD_H
#define SERVER_RPC_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flood_kind {
    FLOOD_RESET,   /* RST_STREAM */
    FLOOD_CONTROL, /* SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA */
    FLOOD_UNKNOWN, /* frames of types that RFC 9113 tells us to ignore */
    FLOOD_WINDOW,  /* WINDOW_UPDATE, beyond what the bytes that it was sent explain */
    FLOOD_REQUEST, /* HEADERS */
    FLOOD_KINDS,
};

struct flood {
    int64_t at; /* mono ms of the last refill */
    uint16_t left[FLOOD_KINDS];
};

void flood_init(struct flood *f, int64_t now);
bool flood_spend(struct flood *f, enum flood_kind kind, int64_t now); /* false: used up */
void flood_sent(struct flood *f, size_t bytes); /* bytes to the client explain updates of its window */
const char *flood_name(enum flood_kind kind);

#endif
