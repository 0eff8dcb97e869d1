/* SPDX-License-Identifier: BSD-3-Clause */
/* Argon2id, using libsodium. */
#include <sodium.h>
#include <string.h>

#include "base/str.h"
#include "crypto/crypto.h"

#define ARGON2_KIB_MAX    65536
#define ARGON2_PASSES_MAX 16

/* Reads name, a number from 1 to max, and end, and moves *at past them. */
static bool read_cost(const char **at, const char *name, unsigned long max, char end)
{
    unsigned long value = 0;

    if (!str_starts(*at, name))
        return false;
    for (*at += strlen(name); **at >= '0' && **at <= '9' && value <= max; ++*at)
        value = 10 * value + (unsigned long)(**at - '0');
    return value > 0 && value <= max && *(*at)++ == end;
}

bool crypto_argon2id_fits(const char *password, const char *hash)
{
    static const char start[] = "$argon2id$v=19$";
    char padded[crypto_pwhash_STRBYTES] = "";
    const char *at = hash + strlen(start);

    if (strlen(hash) >= sizeof(padded) || !str_starts(hash, start) || !read_cost(&at, "m=", ARGON2_KIB_MAX, ',') ||
        !read_cost(&at, "t=", ARGON2_PASSES_MAX, ',') || !read_cost(&at, "p=", 1, '$'))
        return false;
    memcpy(padded, hash, strlen(hash));
    return crypto_pwhash_str_verify(padded, password, strlen(password)) == 0;
}
