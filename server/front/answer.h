/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds where the answer to a request ends, as the plain HTTP server behind writes it. Answers pass unchanged. */
#ifndef SERVER_FRONT_ANSWER_H
#define SERVER_FRONT_ANSWER_H

#include "base/buf.h"
#include "front/framing.h"

struct answer {
    enum {
        ANSWER_NONE,   /* no request is open */
        ANSWER_HEAD,   /* head holds what has arrived of it */
        ANSWER_BODY,   /* left bytes follow */
        ANSWER_CHUNKS, /* tracked in framing */
        ANSWER_OPEN,   /* lasts to the end of the connection */
    } state;
    bool to_head; /* answers a HEAD request: there is no body */
    uint64_t left;
    struct framing framing;
    struct buf head;
};

/* A request was passed on; the answer before it was complete. */
void answer_expect(struct answer *a, const struct head *request);
/* Takes bytes from the server. Returns true if they complete the awaited answer. */
bool answer_take(struct answer *a, const uint8_t *bytes, size_t len);
void answer_release(struct answer *a);

#endif
