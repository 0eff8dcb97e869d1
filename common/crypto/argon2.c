/* SPDX-License-Identifier: BSD-3-Clause */
/* Argon2id, by libsodium. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"

#define ARGON2_KIB_MAX    65536
#define ARGON2_PASSES_MAX 16

bool crypto_argon2id_fits(const char *password, const char *hash)
{
    char padded[crypto_pwhash_STRBYTES] = "";
    unsigned kib, passes;
    int end = 0;

    if (strlen(hash) >= sizeof(padded) || sscanf(hash, "$argon2id$v=19$m=%5u,t=%2u,p=1$%n", &kib, &passes, &end) != 2 ||
        !end || kib > ARGON2_KIB_MAX || passes > ARGON2_PASSES_MAX)
        return false;
    memcpy(padded, hash, strlen(hash));
    return crypto_pwhash_str_verify(padded, password, strlen(password)) == 0;
}
