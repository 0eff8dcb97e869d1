/* SPDX-License-Identifier: BSD-3-Clause */
/* Noise_IK_25519_ChaChaPoly_BLAKE2s as Tailscale frames it: the server's half of the handshake, and the records of the
 * byte stream that follows. Sources: tailscale control/controlbase handshake.go, messages.go, conn.go. */
#ifndef SERVER_RPC_NOISE_H
#define SERVER_RPC_NOISE_H

#include "base/err.h"
#include "crypto/crypto.h"

#define NOISE_KEY_LEN        CRYPTO_KEY_LEN
#define NOISE_INITIATION_LEN 101
#define NOISE_RESPONSE_LEN   51
#define NOISE_HEAD_LEN       3    /* type, length of the ciphertext */
#define NOISE_RECORD_MAX     4096 /* with its header; the client drops the connection beyond it */
#define NOISE_OVERHEAD       (NOISE_HEAD_LEN + CRYPTO_TAG_LEN)
#define NOISE_PLAIN_MAX      (NOISE_RECORD_MAX - NOISE_OVERHEAD)

enum noise_type { NOISE_INITIATION = 1, NOISE_RESPONSE = 2, NOISE_ERROR = 3, NOISE_RECORD = 4 };

/* ---- What both ends of a handshake compute (the client's end is in the tests) ---- */

struct noise_state {
    uint8_t h[CRYPTO_HASH_LEN], ck[CRYPTO_HASH_LEN], k[CRYPTO_KEY_LEN];
};

void noise_start(struct noise_state *n, unsigned version, const uint8_t server_public[NOISE_KEY_LEN]);
void noise_mix_hash(struct noise_state *n, const void *bytes, size_t len);
int noise_mix_dh(struct noise_state *n, const struct crypto_dh *own, const uint8_t theirs[NOISE_KEY_LEN]) WARN_UNUSED;
/* A field of a handshake message: seals len bytes of text as len + CRYPTO_TAG_LEN, and opens them. */
void noise_seal_field(struct noise_state *n, const uint8_t *text, size_t len, uint8_t *sealed);
int noise_open_field(struct noise_state *n, const uint8_t *sealed, size_t len, uint8_t *text) WARN_UNUSED;
void noise_split(struct noise_state *n, uint8_t to_server[NOISE_KEY_LEN], uint8_t to_client[NOISE_KEY_LEN]);

/* ---- The server's end ---- */

struct noise_server {
    struct crypto_dh *dh;
    uint8_t public_key[NOISE_KEY_LEN];
};

void noise_server_init(struct noise_server *s, const uint8_t private_key[NOISE_KEY_LEN]);
void noise_server_release(struct noise_server *s);

struct noise_handshake {
    struct noise_state state;
    unsigned version; /* the client's tailcfg.CapabilityVersion */
    uint8_t client_ephemeral[NOISE_KEY_LEN];
    uint8_t machine_key[NOISE_KEY_LEN];
};

/* On success machine_key is known, and proven to be the sender's, or replayed from the sender; only records that
 * open prove that the sender is present. ERR_INVALID with the reason, also if the message was made for another
 * server's key. */
int noise_read_initiation(const struct noise_server *s, const uint8_t *message, size_t len, struct noise_handshake *out,
                          struct err *e) WARN_UNUSED;

struct noise_keys {
    uint8_t to_server[NOISE_KEY_LEN], to_client[NOISE_KEY_LEN];
    uint8_t hash[CRYPTO_HASH_LEN];
};

/* ephemeral: a fresh key for this handshake alone. */
int noise_write_response(struct noise_handshake *hs, const struct crypto_dh *ephemeral,
                         const uint8_t ephemeral_public[NOISE_KEY_LEN], uint8_t message[NOISE_RESPONSE_LEN],
                         struct noise_keys *keys) WARN_UNUSED;

/* ---- Records ---- */

/* One direction. Bytes are sealed directly into the caller's buffer; a record stays open while bytes are added. */
struct noise_writer {
    struct crypto_aead *aead;
    uint64_t counter;
    uint8_t *out; /* the caller's buffer */
    size_t cap, len;
    size_t record; /* where the open record begins; only if fill is not 0 */
    size_t fill;   /* plain bytes in the open record */
};

void noise_writer_init(struct noise_writer *w, const uint8_t key[NOISE_KEY_LEN]);
void noise_writer_release(struct noise_writer *w);
void noise_writer_begin(struct noise_writer *w, uint8_t *out, size_t cap);
size_t noise_writer_room(const struct noise_writer *w);                       /* plain bytes that are sure to fit */
void noise_writer_add(struct noise_writer *w, const void *bytes, size_t len); /* len must not exceed the room */
size_t noise_writer_end(struct noise_writer *w); /* closes the record; returns the number of bytes in the buffer */

struct noise_reader {
    struct crypto_aead *aead;
    uint64_t counter;
};

void noise_reader_init(struct noise_reader *r, const uint8_t key[NOISE_KEY_LEN]);
void noise_reader_release(struct noise_reader *r);
/* Opens the record at the front of bytes, in place. Returns its length, 0 if it is incomplete, or ERR_INVALID. *plain
 * then points into bytes; an empty record is valid. */
long noise_reader_open(struct noise_reader *r, uint8_t *bytes, size_t len, uint8_t **plain, size_t *plain_len,
                       struct err *e);

#endif
