/* SPDX-License-Identifier: BSD-3-Clause */
/* The frames of DERP and the two sealed messages of its login (Tailscale's package derp). */
#ifndef SERVER_RELAY_DERP_FRAME_H
#define SERVER_RELAY_DERP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define FRAME_HEADER     5
#define RELAY_KEY_LEN    32
#define FRAME_PACKET_MAX 65536 /* bytes that one peer may send another at once */

enum frame_type {
    FRAME_SERVER_KEY = 0x01,
    FRAME_CLIENT_INFO = 0x02,
    FRAME_SERVER_INFO = 0x03,
    FRAME_SEND = 0x04,
    FRAME_RECV = 0x05,
    FRAME_KEEP_ALIVE = 0x06,
    FRAME_NOTE_PREFERRED = 0x07,
    FRAME_PEER_GONE = 0x08,
    FRAME_FORWARD = 0x0a,
    FRAME_WATCH = 0x10,
    FRAME_CLOSE_PEER = 0x11,
    FRAME_PING = 0x12,
    FRAME_PONG = 0x13,
    FRAME_HEALTH = 0x14,
    FRAME_RESTARTING = 0x15,
};

enum { GONE_DISCONNECTED = 0, GONE_NOT_HERE = 1 };

struct derp_frame {
    uint8_t type;
    uint32_t len; /* of the payload */
    bool discard; /* unused: its payload is skipped, whether it has arrived or not */
};

/* Reads a header. 1: *out is filled; 0: incomplete; ERR_INVALID: a kind or length that ends the connection, which
 * includes frames that only relays of a mesh may send. */
int frame_read(const uint8_t *in, size_t len, struct derp_frame *out, struct err *e) WARN_UNUSED;

/* Length of a whole frame, with its header. */
static inline size_t frame_len(const uint8_t *frame)
{
    return FRAME_HEADER + ((size_t)frame[1] << 24 | (size_t)frame[2] << 16 | (size_t)frame[3] << 8 | frame[4]);
}

void frame_put(struct buf *out, enum frame_type type, const void *payload, size_t len);

/* Whether a packet between clients looks like peer discovery (disco's magic, a key and a nonce). */
bool frame_is_disco(const uint8_t *packet, size_t len);

struct relay_keys {
    uint8_t private_key[RELAY_KEY_LEN], public_key[RELAY_KEY_LEN];
};

struct derp_login {
    uint8_t key[RELAY_KEY_LEN]; /* the client's node key */
    int64_t version;
    bool can_ack_pings, is_prober;
};

/* The claimed key of the login, before anything is decrypted; NULL if it is all zeros. */
const uint8_t *login_key(const uint8_t *payload, size_t len);
/* Decrypts the payload of a FRAME_CLIENT_INFO. */
int login_open(const struct relay_keys *keys, const uint8_t *payload, size_t len, struct derp_login *out,
               struct err *e) WARN_UNUSED;

void frame_put_server_key(struct buf *out, const struct relay_keys *keys);
/* ERR_INVALID for a client key that nothing can be encrypted to. With a rate above 0 the client is told to limit itself
 * to it (derp.ServerInfoMessage): it then drops the excess instead of delaying packets. */
int frame_put_server_info(struct buf *out, const struct relay_keys *keys, const uint8_t client[RELAY_KEY_LEN],
                          int64_t rate, int64_t burst, struct err *e) WARN_UNUSED;

#endif
