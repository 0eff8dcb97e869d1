/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS over a socket that OpenSSL does not read or write itself. */
#ifndef SERVER_LOOP_WIRE_H
#define SERVER_LOOP_WIRE_H

#include <openssl/ssl.h>

#include "loop/loop.h"

/* The data between TLS and a socket. Between begin and end, at and len are input that TLS has not taken. */
struct loop_wire {
    struct loop *loop;
    int fd;
    const uint8_t *at;
    size_t len;
    size_t out_len;          /* in the scratch buffer, during an operation */
    bool tried, eof, broken; /* tried: the socket was read in this operation */
    uint8_t *kept;           /* input kept between operations; NULL: none */
    size_t kept_len, kept_at;
    uint8_t *unsent; /* output that the socket did not take; NULL: none */
    size_t unsent_len, unsent_at;
};

BIO *loop_wire_bio(struct loop_wire *w); /* reads and writes w, which must outlive it; NULL if out of memory */
/* Bracket each TLS operation, which may write at most 64 KiB. */
void loop_wire_begin(struct loop_wire *w);
void loop_wire_end(struct loop_wire *w);
bool loop_wire_flush(struct loop_wire *w); /* true: nothing is unsent now, or never will be sent */
void loop_wire_release(struct loop_wire *w);

/* Why OpenSSL's last operation on this thread failed, in words for people; clears its error queue. */
const char *loop_tls_reason(void);
/* Whether the handshake is done and was that of an authority validating a challenge. */
bool loop_tls_is_challenge(const SSL *ssl);
void loop_tls_unref(struct loop_tls *tls);
SSL *loop_tls_session(struct loop_tls *tls, struct loop_wire *wire, struct err *e);

#endif
