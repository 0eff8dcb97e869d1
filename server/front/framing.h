/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds where a request ends on a persistent connection, so that the head of the next one can be read. Strict: anything
 * that the server behind could interpret differently is refused, not passed on. */
#ifndef SERVER_FRONT_FRAMING_H
#define SERVER_FRONT_FRAMING_H

#include <stdint.h>

#include "net/head.h"

struct framing {
    enum {
        FRAMING_HEAD,      /* the next byte begins a head */
        FRAMING_BODY,      /* left bytes of it follow */
        FRAMING_SIZE,      /* the line before a chunk; left is its size so far */
        FRAMING_EXTENSION, /* what follows the size on that line */
        FRAMING_CHUNK,     /* left bytes of the chunk follow, */
        FRAMING_CHUNK_END, /* then a line end */
        FRAMING_TRAILER,   /* lines up to an empty one */
        FRAMING_BAD,       /* nobody can tell where it ends */
    } state;
    uint64_t left;
    size_t line, lines; /* bytes of the line so far; of all trailers */
    bool cr;            /* only a line feed may follow the last byte */
};

/* Begins after a complete head. ERR_INVALID, ERR_UNSUPPORTED (a coding): its fields do not tell where the request ends,
 * or do so twice. */
int framing_begin(struct framing *f, const struct head *h, struct err *e) WARN_UNUSED;
/* How many of the bytes belong to the same request; the state is FRAMING_BAD if what follows is malformed. */
size_t framing_take(struct framing *f, const uint8_t *bytes, size_t len);

#endif
