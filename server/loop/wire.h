/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS over a socket without OpenSSL reading or writing it itself. */
#ifndef SERVER_LOOP_WIRE_H
#define SERVER_LOOP_WIRE_H

#include <openssl/ssl.h>

#include "loop/loop.h"

/* What is between TLS and a socket. Between begin and end at and len are what came and TLS has not taken. */
struct loop_wire {
    struct loop *loop;
    int fd;
    const uint8_t *at;
    size_t len;
    size_t out_len;          /* of the scratch, within an operation */
    bool tried, eof, broken; /* tried: the socket was asked in this operation */
    uint8_t *kept;           /* came, from one operation to the next; NULL: nothing */
    size_t kept_len, kept_at;
    uint8_t *unsent; /* what the socket did not take; NULL: nothing */
    size_t unsent_len, unsent_at;
};

BIO *loop_wire_bio(struct loop_wire *w); /* reads and writes w, which outlives it; NULL without memory */
/* Around each operation of TLS, which may write 64 KiB at most. */
void loop_wire_begin(struct loop_wire *w);
void loop_wire_end(struct loop_wire *w);
bool loop_wire_flush(struct loop_wire *w); /* true: nothing is unsent now, or never will be */
void loop_wire_release(struct loop_wire *w);

/* Why OpenSSL's last operation on this thread failed, in words for people; forgets all that it keeps of it. */
const char *loop_tls_reason(void);
/* The handshake is done, and was one of an authority that checks a challenge. */
bool loop_tls_is_challenge(const SSL *ssl);
void loop_tls_unref(struct loop_tls *tls);
SSL *loop_tls_session(struct loop_tls *tls, struct loop_wire *wire, struct err *e);

#endif
