/* SPDX-License-Identifier: BSD-3-Clause */
/* WebSocket (RFC 6455) as the server's side of a byte stream: binary messages, whose boundaries are meaningless. It is
 * the only way for clients in browsers to reach the control server and a relay. Nothing is collected: the part of a
 * frame that has arrived is passed on at once. */
#ifndef SERVER_LOOP_WEBSOCKET_H
#define SERVER_LOOP_WEBSOCKET_H

#include "base/buf.h"
#include "net/head.h"

#define WEBSOCKET_CONTROL_MAX 125   /* bytes of a ping, a pong or a close */
#define WEBSOCKET_GOING_AWAY  1001  /* status code of a close: section 7.4.1 */
#define WEBSOCKET_PIECE       32768 /* of a message sent: clients in browsers accept no longer ones */

struct websocket {
    /* input */
    uint8_t head[14]; /* of the frame, as much as has arrived */
    unsigned head_len;
    bool in_frame, in_message, fin;
    uint8_t opcode, mask[4];
    unsigned masked; /* bytes unmasked so far; only the last two bits matter */
    uint64_t left;   /* bytes of the frame still to arrive */
    uint8_t control[WEBSOCKET_CONTROL_MAX];
    unsigned control_len;
    const char *ended; /* why; NULL: it is open */
    /* output */
    struct buf out; /* frames not sent yet */
    size_t sent;    /* bytes of out already sent */
    uint8_t pong[WEBSOCKET_CONTROL_MAX];
    unsigned pong_len;
    bool pong_waits, close_sent;
};

/* Decodes the input in place: moves the payload of its frames to the front of bytes, and returns its length. Pings and
 * a close are answered in out; w->ended tells that no more input follows. */
size_t websocket_take(struct websocket *w, uint8_t *bytes, size_t len);

/* Puts a message of at most WEBSOCKET_PIECE bytes into out. */
void websocket_put(struct websocket *w, const void *bytes, size_t len);
/* The last frame of this side; sent once. code as in section 7.4 of the RFC. */
void websocket_put_close(struct websocket *w, unsigned code);
/* Call after len bytes of out were sent. Whether more is to be sent. */
bool websocket_sent(struct websocket *w, size_t len);

void websocket_release(struct websocket *w);

/* Writes the head of the answer to a request for a WebSocket that carries this protocol. On an error, which says what
 * is wrong, the content of out is useless. */
int websocket_answer(const struct head *h, const char *protocol, struct buf *out, struct err *e) WARN_UNUSED;

#endif
