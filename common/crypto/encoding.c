/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes as text, using libsodium: anything but the exact encoding is refused, including stray trailing bits and
 * padding. */
#include <sodium.h>
#include <string.h>

#include "base/random.h"
#include "crypto/crypto.h"

void crypto_hex(struct buf *out, const void *bytes, size_t len)
{
    if (!buf_reserve(out, 2 * len))
        return;
    sodium_bin2hex(out->data + out->len, 2 * len + 1, bytes, len);
    out->len += 2 * len;
}

bool crypto_unhex(const char *text, size_t digits, uint8_t *out, size_t len)
{
    return digits == 2 * len && sodium_hex2bin(out, len, text, digits, NULL, NULL, NULL) == 0;
}

void crypto_random_hex(char *out, size_t bytes)
{
    uint8_t some[16];

    while (bytes) {
        size_t n = bytes < sizeof(some) ? bytes : sizeof(some);
        random_bytes(some, n);
        sodium_bin2hex(out, 2 * n + 1, some, n);
        out += 2 * n;
        bytes -= n;
    }
    crypto_wipe(some, sizeof(some));
}

void crypto_base64(struct buf *out, const void *bytes, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL); /* including the NUL */

    if (!buf_reserve(out, size - 1))
        return;
    sodium_bin2base64(out->data + out->len, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    out->len += size - 1;
}

long crypto_unbase64(const char *text, size_t len, uint8_t *out, size_t max)
{
    size_t n = 0;

    if (sodium_base642bin(out, max, text, len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) < 0)
        return -1;
    return (long)n;
}

long crypto_unbase64url(const char *text, size_t len, uint8_t *out, size_t max)
{
    size_t n = 0;

    if (sodium_base642bin(out, max, text, len, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
        return -1;
    return (long)n;
}
