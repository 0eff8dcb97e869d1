/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys, API keys, secrets of OAuth clients and access tokens as text: "hskey-auth-PREFIX-SECRET", and likewise
 * with "hskey-api-", "hskey-client-" and "hskey-oauthtok-", where the prefix has 12 and the secret 64 characters
 * (headscale's form; they are split by length, because imported ones may contain '-'). The secret is 256 random bits,
 * so only its SHA-256 digest is stored; slower hashes are only used to verify imported records. */
#ifndef COMMON_MODEL_SECRET_H
#define COMMON_MODEL_SECRET_H

#include <stdbool.h>

#include "base/err.h"

enum secret_kind { SECRET_PREAUTH_KEY, SECRET_API_KEY, SECRET_OAUTH_CLIENT, SECRET_OAUTH_TOKEN };

#define SECRET_PREFIX_LEN 12
#define SECRET_TEXT_MAX   96 /* the longest key and the NUL */
#define SECRET_HASH_MAX   80 /* "sha256:", 64 digits and the NUL */

struct secret {
    char text[SECRET_TEXT_MAX]; /* shown once; wipe it with crypto_wipe */
    char prefix[SECRET_PREFIX_LEN + 1];
    char hash[SECRET_HASH_MAX]; /* secret_hash in the record */
};

void secret_make(enum secret_kind kind, struct secret *out);

/* Splits a key into its prefix and its secret (within text). Legacy forms: an API key of 7 characters, '.' and 32, or
 * of 10, '.' and 43 (the prefix is the part before the '.'); a pre-auth key without "hskey-auth-" (the prefix is "",
 * the secret is the whole text). An OAuth client's secret may begin with "tskey-client-", by which Tailscale's command
 * line recognises it when it is used as a pre-auth key. Returns false for anything else. */
bool secret_split(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1], const char **secret);

/* Does the secret match a record's secret_hash: "sha256:HEX", "plain:TEXT", or bcrypt or Argon2id (tens of
 * milliseconds)? */
bool secret_fits(const char *secret_hash, const char *secret);
bool secret_is_slow(const char *secret_hash);
/* "sha256:HEX" of a secret. */
void secret_digest(const char *secret, char out[SECRET_HASH_MAX]);

/* The form for lists: "hskey-api-PREFIX-***", "abcdefg***" for a legacy API key, "abcdef***" for a legacy pre-auth key,
 * which has no prefix: never enough for a reader of the list to use the key. Returns text. */
char *secret_masked(enum secret_kind kind, const char *prefix, const char *secret_hash, char text[SECRET_TEXT_MAX]);

/* Parses a prefix in any form that people use: bare, preceded by "hskey-api-", followed by "-***" or "***", or the
 * whole key. ERR_INVALID names the value. */
int secret_prefix_parse(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1],
                        struct err *e) WARN_UNUSED;

#endif
