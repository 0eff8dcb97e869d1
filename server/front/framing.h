/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a request ends on a connection that is kept, so that the head of the next one can be looked at. */
#ifndef SERVER_FRONT_FRAMING_H
#define SERVER_FRONT_FRAMING_H

#include <stdint.h>

#include "net/head.h"

struct framing {
    enum {
        FRAMING_HEAD,    /* the next byte begins a head */
        FRAMING_BODY,    /* left bytes of it follow */
        FRAMING_SIZE,    /* the line before a chunk */
        FRAMING_CHUNK,   /* left bytes of it, with the line's end behind them */
        FRAMING_TRAILER, /* lines up to an empty one */
        FRAMING_UNKNOWN, /* to the end of the connection: nobody can tell where a request begins */
    } state;
    uint64_t left;
    size_t line; /* bytes of the line so far */
};

/* A whole head was passed on. */
void framing_begin(struct framing *f, const struct head *h);
/* How many of the bytes belong to the same request. */
size_t framing_take(struct framing *f, const uint8_t *bytes, size_t len);

#endif
