/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/noise.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char protocol[] = "Noise_IK_25519_ChaChaPoly_BLAKE2s";
static const uint8_t zero_nonce[12]; /* each handshake key seals one field */

static void put16(uint8_t *out, size_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static size_t get16(const uint8_t *in)
{
    return (size_t)in[0] << 8 | in[1];
}

/* ---- Handshake ---- */

void noise_mix_hash(struct noise_state *n, const void *bytes, size_t len)
{
    crypto_blake2s((struct crypto_part[]){{n->h, sizeof(n->h)}, {bytes, len}}, 2, n->h);
}

/* HKDF with two outputs: first = HMAC(prk, 1), second = HMAC(prk, first || 2). first may be ck. */
static void derive(const uint8_t ck[CRYPTO_HASH_LEN], const uint8_t *input, size_t len, uint8_t first[CRYPTO_HASH_LEN],
                   uint8_t second[CRYPTO_HASH_LEN])
{
    uint8_t prk[CRYPTO_HASH_LEN];

    crypto_hmac_blake2s(ck, CRYPTO_HASH_LEN, &(struct crypto_part){input, len}, 1, prk);
    crypto_hmac_blake2s(prk, sizeof(prk), &(struct crypto_part){"\x01", 1}, 1, first);
    crypto_hmac_blake2s(prk, sizeof(prk), (struct crypto_part[]){{first, CRYPTO_HASH_LEN}, {"\x02", 1}}, 2, second);
    crypto_wipe(prk, sizeof(prk));
}

int noise_mix_dh(struct noise_state *n, const struct crypto_dh *own, const uint8_t theirs[NOISE_KEY_LEN])
{
    uint8_t shared[CRYPTO_KEY_LEN];
    int rc = crypto_dh_shared(own, theirs, shared);

    if (rc < 0)
        return rc;
    derive(n->ck, shared, sizeof(shared), n->ck, n->k);
    crypto_wipe(shared, sizeof(shared));
    return 0;
}

void noise_start(struct noise_state *n, unsigned version, const uint8_t server_public[NOISE_KEY_LEN])
{
    char prologue[64];
    int len = snprintf(prologue, sizeof(prologue), "Tailscale Control Protocol v%u", version);

    crypto_blake2s(&(struct crypto_part){protocol, sizeof(protocol) - 1}, 1, n->h);
    memcpy(n->ck, n->h, sizeof(n->ck));
    noise_mix_hash(n, prologue, (size_t)len);
    noise_mix_hash(n, server_public, NOISE_KEY_LEN);
}

void noise_seal_field(struct noise_state *n, const uint8_t *text, size_t len, uint8_t *sealed)
{
    struct crypto_aead *a = crypto_aead_new(n->k, true);

    crypto_aead_begin(a, zero_nonce, n->h, sizeof(n->h));
    crypto_aead_update(a, text, len, sealed);
    crypto_aead_seal_end(a, sealed + len);
    crypto_aead_free(a);
    noise_mix_hash(n, sealed, len + CRYPTO_TAG_LEN);
}

int noise_open_field(struct noise_state *n, const uint8_t *sealed, size_t len, uint8_t *text)
{
    struct crypto_aead *a = crypto_aead_new(n->k, false);

    crypto_aead_begin(a, zero_nonce, n->h, sizeof(n->h));
    crypto_aead_update(a, sealed, len, text);
    bool good = crypto_aead_open_end(a, sealed + len);
    crypto_aead_free(a);
    noise_mix_hash(n, sealed, len + CRYPTO_TAG_LEN);
    return good ? 0 : ERR_INVALID;
}

void noise_split(struct noise_state *n, uint8_t to_server[NOISE_KEY_LEN], uint8_t to_client[NOISE_KEY_LEN])
{
    derive(n->ck, NULL, 0, to_server, to_client);
    crypto_wipe(n->ck, sizeof(n->ck));
    crypto_wipe(n->k, sizeof(n->k));
}

void noise_server_init(struct noise_server *s, const uint8_t private_key[NOISE_KEY_LEN])
{
    s->dh = crypto_dh_new(private_key);
    crypto_x25519_public(private_key, s->public_key);
}

void noise_server_release(struct noise_server *s)
{
    crypto_dh_free(s->dh);
    s->dh = NULL;
}

int noise_read_initiation(const struct noise_server *s, const uint8_t *message, size_t len, struct noise_handshake *out,
                          struct err *e)
{
    struct noise_handshake hs = {0};

    if (len != NOISE_INITIATION_LEN)
        return err_set(e, ERR_INVALID, "wrong handshake initiation size %zu", len);
    if (message[2] != NOISE_INITIATION)
        return err_set(e, ERR_INVALID, "unexpected handshake message type %u", message[2]);
    if (get16(message + 3) != NOISE_INITIATION_LEN - 5)
        return err_set(e, ERR_INVALID, "wrong handshake initiation length %zu", get16(message + 3));
    hs.version = (unsigned)get16(message);
    memcpy(hs.client_ephemeral, message + 5, NOISE_KEY_LEN);
    noise_start(&hs.state, hs.version, s->public_key);
    noise_mix_hash(&hs.state, hs.client_ephemeral, NOISE_KEY_LEN);
    if (noise_mix_dh(&hs.state, s->dh, hs.client_ephemeral) < 0 ||
        noise_open_field(&hs.state, message + 37, NOISE_KEY_LEN, hs.machine_key) < 0 ||
        noise_mix_dh(&hs.state, s->dh, hs.machine_key) < 0 || noise_open_field(&hs.state, message + 85, 0, NULL) < 0)
        return err_set(e, ERR_INVALID, "the handshake does not fit this server's key");
    *out = hs;
    return 0;
}

int noise_write_response(struct noise_handshake *hs, const struct crypto_dh *ephemeral,
                         const uint8_t ephemeral_public[NOISE_KEY_LEN], uint8_t message[NOISE_RESPONSE_LEN],
                         struct noise_keys *keys)
{
    message[0] = NOISE_RESPONSE;
    put16(message + 1, NOISE_RESPONSE_LEN - NOISE_HEAD_LEN);
    memcpy(message + NOISE_HEAD_LEN, ephemeral_public, NOISE_KEY_LEN);
    noise_mix_hash(&hs->state, ephemeral_public, NOISE_KEY_LEN);
    if (noise_mix_dh(&hs->state, ephemeral, hs->client_ephemeral) < 0 ||
        noise_mix_dh(&hs->state, ephemeral, hs->machine_key) < 0)
        return ERR_INVALID;
    noise_seal_field(&hs->state, NULL, 0, message + NOISE_HEAD_LEN + NOISE_KEY_LEN);
    memcpy(keys->hash, hs->state.h, sizeof(keys->hash));
    noise_split(&hs->state, keys->to_server, keys->to_client);
    return 0;
}

/* ---- Records ---- */

/* Four zero bytes and the counter, big-endian (plain Noise uses little-endian). */
static void begin_record(struct crypto_aead *a, uint64_t *counter)
{
    uint8_t nonce[12] = {0};

    assert(*counter != UINT64_MAX);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(*counter >> (56 - 8 * i));
    ++*counter;
    crypto_aead_begin(a, nonce, NULL, 0);
}

void noise_writer_init(struct noise_writer *w, const uint8_t key[NOISE_KEY_LEN])
{
    *w = (struct noise_writer){.aead = crypto_aead_new(key, true)};
}

void noise_writer_release(struct noise_writer *w)
{
    crypto_aead_free(w->aead);
    w->aead = NULL;
}

void noise_writer_begin(struct noise_writer *w, uint8_t *out, size_t cap)
{
    w->out = out;
    w->cap = cap;
    w->len = w->fill = 0;
}

size_t noise_writer_room(const struct noise_writer *w)
{
    size_t open = w->fill ? NOISE_PLAIN_MAX - w->fill : 0; /* what still fits into the open record */
    size_t left = w->cap - w->len - (w->fill ? CRYPTO_TAG_LEN : 0);

    if (left <= open)
        return left;
    left -= open;
    size_t records = left / NOISE_RECORD_MAX, rest = left % NOISE_RECORD_MAX;
    return open + records * NOISE_PLAIN_MAX + (rest > NOISE_OVERHEAD ? rest - NOISE_OVERHEAD : 0);
}

static void end_record(struct noise_writer *w)
{
    crypto_aead_seal_end(w->aead, w->out + w->len);
    w->len += CRYPTO_TAG_LEN;
    put16(w->out + w->record + 1, w->fill + CRYPTO_TAG_LEN);
    w->fill = 0;
}

void noise_writer_add(struct noise_writer *w, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;

    assert(len <= noise_writer_room(w));
    while (len) {
        if (!w->fill) {
            w->record = w->len;
            w->out[w->len] = NOISE_RECORD;
            w->len += NOISE_HEAD_LEN;
            begin_record(w->aead, &w->counter);
        }
        size_t n = NOISE_PLAIN_MAX - w->fill < len ? NOISE_PLAIN_MAX - w->fill : len;
        crypto_aead_update(w->aead, from, n, w->out + w->len);
        w->len += n;
        w->fill += n;
        from += n;
        len -= n;
        if (w->fill == NOISE_PLAIN_MAX)
            end_record(w);
    }
}

size_t noise_writer_end(struct noise_writer *w)
{
    if (w->fill)
        end_record(w);
    return w->len;
}

void noise_reader_init(struct noise_reader *r, const uint8_t key[NOISE_KEY_LEN])
{
    *r = (struct noise_reader){.aead = crypto_aead_new(key, false)};
}

void noise_reader_release(struct noise_reader *r)
{
    crypto_aead_free(r->aead);
    r->aead = NULL;
}

long noise_reader_open(struct noise_reader *r, uint8_t *bytes, size_t len, uint8_t **plain, size_t *plain_len,
                       struct err *e)
{
    if (!len)
        return 0;
    if (bytes[0] != NOISE_RECORD)
        return err_set(e, ERR_INVALID, "message type %u where a record was expected", bytes[0]);
    if (len < NOISE_HEAD_LEN)
        return 0;
    size_t sealed = get16(bytes + 1);
    if (sealed < CRYPTO_TAG_LEN || sealed > NOISE_RECORD_MAX - NOISE_HEAD_LEN)
        return err_set(e, ERR_INVALID, "a record of %zu bytes", sealed);
    if (len < NOISE_HEAD_LEN + sealed)
        return 0;
    if (r->counter == UINT64_MAX)
        return err_set(e, ERR_INVALID, "the record counter is used up");
    *plain = bytes + NOISE_HEAD_LEN;
    *plain_len = sealed - CRYPTO_TAG_LEN;
    begin_record(r->aead, &r->counter);
    crypto_aead_update(r->aead, *plain, *plain_len, *plain);
    if (!crypto_aead_open_end(r->aead, *plain + *plain_len))
        return err_set(e, ERR_INVALID, "a record that does not open");
    return (long)(NOISE_HEAD_LEN + sealed);
}
