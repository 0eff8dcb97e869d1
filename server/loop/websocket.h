/* SPDX-License-Identifier: BSD-3-Clause */
/* WebSocket (RFC 6455) as the server's side of a byte stream: binary messages, whose boundaries mean nothing. Clients
 * in browsers have no other way to the control server and to a relay. Nothing is gathered: what has come of a frame is
 * handed on at once. */
#ifndef SERVER_LOOP_WEBSOCKET_H
#define SERVER_LOOP_WEBSOCKET_H

#include "base/buf.h"
#include "net/head.h"

#define WEBSOCKET_CONTROL_MAX 125   /* bytes of a ping, a pong or a close */
#define WEBSOCKET_GOING_AWAY  1001  /* why it is closed: section 7.4.1 */
#define WEBSOCKET_PIECE       32768 /* of a message that is sent: browsers' clients take no longer ones */

struct websocket {
    /* in */
    uint8_t head[14]; /* of the frame, as far as it is there */
    unsigned head_len;
    bool in_frame, in_message, fin;
    uint8_t opcode, mask[4];
    unsigned masked; /* bytes that were unmasked, of which only the last two bits count */
    uint64_t left;   /* bytes of the frame that are to come */
    uint8_t control[WEBSOCKET_CONTROL_MAX];
    unsigned control_len;
    const char *ended; /* why; NULL: it is open */
    /* out */
    struct buf out; /* frames that were not sent yet */
    size_t sent;    /* of these */
    uint8_t pong[WEBSOCKET_CONTROL_MAX];
    unsigned pong_len;
    bool pong_waits, close_sent;
};

/* Takes what came, and leaves at its beginning the bytes that the frames carry, whose number it returns. Pings are
 * answered and a close is answered in out; w->ended says that nothing more comes. */
size_t websocket_take(struct websocket *w, uint8_t *bytes, size_t len);

/* Puts a message of at most WEBSOCKET_PIECE bytes into out. */
void websocket_put(struct websocket *w, const void *bytes, size_t len);
/* The last frame of this side; once. code as in section 7.4 of the RFC. */
void websocket_put_close(struct websocket *w, unsigned code);
/* After len bytes of out were sent: whether something is still to be sent. */
bool websocket_sent(struct websocket *w, size_t len);

void websocket_release(struct websocket *w);

/* Writes the head of the answer to a request for a WebSocket that carries this protocol. On an error, which says what
 * is wrong, out is of no use. */
int websocket_answer(const struct head *h, const char *protocol, struct buf *out, struct err *e) WARN_UNUSED;

#endif
