/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a request ends on a connection that is kept, so that the head of the next one can be looked at. Strict: what
 * the server behind could understand differently is refused, not passed on. */
#ifndef SERVER_FRONT_FRAMING_H
#define SERVER_FRONT_FRAMING_H

#include <stdint.h>

#include "net/head.h"

struct framing {
    enum {
        FRAMING_HEAD,      /* the next byte begins a head */
        FRAMING_BODY,      /* left bytes of it follow */
        FRAMING_SIZE,      /* the line before a chunk; left is what it has said so far */
        FRAMING_EXTENSION, /* what follows the size in that line */
        FRAMING_CHUNK,     /* left bytes of it follow, */
        FRAMING_CHUNK_END, /* and the end of the line */
        FRAMING_TRAILER,   /* lines up to an empty one */
        FRAMING_BAD,       /* nobody can tell where it ends */
    } state;
    uint64_t left;
    size_t line, lines; /* bytes of the line so far; of all trailers */
    bool cr;            /* the last byte was one that only a line feed may follow */
};

/* A whole head was read. ERR_INVALID, ERR_UNSUPPORTED (a coding): its fields do not say where the request ends, or say
 * it twice. */
int framing_begin(struct framing *f, const struct head *h, struct err *e) WARN_UNUSED;
/* How many of the bytes belong to the same request; the state is FRAMING_BAD where what follows them does not. */
size_t framing_take(struct framing *f, const uint8_t *bytes, size_t len);

#endif
