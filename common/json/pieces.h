/* SPDX-License-Identifier: BSD-3-Clause */
/* A large JSON object, taken apart while it arrives: its members, and the elements of those that are arrays, one by one.
 * Whoever reads it needs the memory of one piece, and has the first before the last was sent. */
#ifndef COMMON_JSON_PIECES_H
#define COMMON_JSON_PIECES_H

#include "base/buf.h"
#include "base/err.h"

/* The value of a member, or an element of it where it is an array (an empty array has none): JSON text that is borrowed,
 * and of which only the brackets and quotes are known to match. A result other than 0 ends the reading with it. */
typedef int json_piece(void *arg, const char *member, const char *text, size_t len);

struct json_pieces {
    json_piece *piece;
    void *arg;
    int state; /* pieces.c */
    int depth; /* of brackets within the piece */
    bool quoted, escaped;
    struct buf member, text;
};

/* max: bytes of one piece. */
void json_pieces_init(struct json_pieces *p, size_t max, json_piece *piece, void *arg);
void json_pieces_release(struct json_pieces *p);
/* Bytes in pieces of any size. ERR_INVALID where it is no object, ERR_TOOBIG, or what piece returned: nothing can be fed
 * after that. */
int json_pieces_feed(struct json_pieces *p, const char *bytes, size_t len, struct err *e) WARN_UNUSED;
/* ERR_INVALID where the object is not at its end. */
int json_pieces_end(const struct json_pieces *p, struct err *e) WARN_UNUSED;

#endif
