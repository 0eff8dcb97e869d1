/* SPDX-License-Identifier: BSD-3-Clause */
/* "v1:" and the base64 of nonce, ciphertext and tag: ChaCha20-Poly1305. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define NONCE_LEN 12
#define START     "v1:"
#define AROUND    (NONCE_LEN + CRYPTO_TAG_LEN)

char *crypto_text_seal(const uint8_t key[CRYPTO_KEY_LEN], const char *text)
{
    size_t len = strlen(text);
    uint8_t *bytes = mem_alloc(len + AROUND);
    struct crypto_aead *a = crypto_aead_new(key, true);
    struct buf out = BUF_INIT(0);

    random_bytes(bytes, NONCE_LEN);
    crypto_aead_begin(a, bytes, START, strlen(START));
    crypto_aead_update(a, (const uint8_t *)text, len, bytes + NONCE_LEN);
    crypto_aead_seal_end(a, bytes + NONCE_LEN + len);
    crypto_aead_free(a);
    buf_adds(&out, START);
    crypto_base64(&out, bytes, len + AROUND);
    free(bytes);
    return buf_take(&out);
}

char *crypto_text_open(const uint8_t key[CRYPTO_KEY_LEN], const char *sealed)
{
    size_t size = strlen(sealed) + AROUND;
    uint8_t *bytes;
    char *text = NULL;

    if (!str_starts(sealed, START))
        return NULL;
    bytes = mem_alloc(size);
    long len = crypto_unbase64(sealed + strlen(START), strlen(sealed) - strlen(START), bytes, size);
    if (len > AROUND) {
        size_t inner = (size_t)len - AROUND;
        struct crypto_aead *a = crypto_aead_new(key, false);
        text = mem_alloc(inner + 1);
        crypto_aead_begin(a, bytes, START, strlen(START));
        crypto_aead_update(a, bytes + NONCE_LEN, inner, (uint8_t *)text);
        if (!crypto_aead_open_end(a, bytes + NONCE_LEN + inner)) {
            free(text);
            text = NULL;
        }
        crypto_aead_free(a);
    }
    free(bytes);
    return text;
}
