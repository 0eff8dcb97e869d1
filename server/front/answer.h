/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the answer to a request ends, as the plain HTTP server behind writes it. Answers pass unchanged. */
#ifndef SERVER_FRONT_ANSWER_H
#define SERVER_FRONT_ANSWER_H

#include "base/buf.h"
#include "front/framing.h"

struct answer {
    enum {
        ANSWER_NONE,   /* nothing was asked, or all was answered */
        ANSWER_HEAD,   /* head is what came of it */
        ANSWER_BODY,   /* left bytes follow */
        ANSWER_CHUNKS, /* in framing */
        ANSWER_OPEN,   /* to the end of the connection */
    } state;
    bool to_head; /* asked with HEAD: there is no body */
    uint64_t left;
    struct framing framing;
    struct buf head;
};

/* A request was passed on; the answer before was whole. */
void answer_expect(struct answer *a, const struct head *request);
/* Bytes of the server. true: the answer that was waited for is whole with them. */
bool answer_take(struct answer *a, const uint8_t *bytes, size_t len);
void answer_release(struct answer *a);

#endif
