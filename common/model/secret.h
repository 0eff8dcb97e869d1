/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys, API keys, secrets of OAuth clients and access tokens as texts: "hskey-auth-PREFIX-SECRET", and
 * "hskey-api-", "hskey-client-", "hskey-oauthtok-" likewise, with 12 and 64 characters (headscale's form; both are cut
 * by length, because imported ones may hold '-' inside). The secret is 256 random bits, so its SHA-256 is all that is
 * stored; slower hashes only verify imported rows. */
#ifndef COMMON_MODEL_SECRET_H
#define COMMON_MODEL_SECRET_H

#include <stdbool.h>

#include "base/err.h"

enum secret_kind { SECRET_PREAUTH_KEY, SECRET_API_KEY, SECRET_OAUTH_CLIENT, SECRET_OAUTH_TOKEN };

#define SECRET_PREFIX_LEN 12
#define SECRET_TEXT_MAX   96 /* the longest whole key and a NUL */
#define SECRET_HASH_MAX   80 /* "sha256:", 64 digits and a NUL */

struct secret {
    char text[SECRET_TEXT_MAX]; /* shown once; wipe it with crypto_wipe */
    char prefix[SECRET_PREFIX_LEN + 1];
    char hash[SECRET_HASH_MAX]; /* what a record's secret_hash holds */
};

void secret_make(enum secret_kind kind, struct secret *out);

/* Cuts a key into its prefix and its secret (within text). Legacy forms: an API key of 7 characters, '.', 32, or of 10,
 * '.', 43 (the prefix is what stands before the '.'), a pre-auth key without "hskey-auth-" (prefix "", the secret is
 * the whole text). A client's secret may begin with "tskey-client-" (Tailscale's command line knows it by that when it
 * stands for a pre-auth key). False for anything else.
 */
bool secret_split(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1], const char **secret);

/* Does the secret fit a record's secret_hash: "sha256:HEX", "plain:TEXT", or bcrypt or Argon2id (tens of milliseconds)?
 */
bool secret_fits(const char *secret_hash, const char *secret);
bool secret_is_slow(const char *secret_hash);
/* "sha256:HEX" of a secret. */
void secret_digest(const char *secret, char out[SECRET_HASH_MAX]);

/* What lists show: "hskey-api-PREFIX-***", "abcdefg***" for a legacy API key, "abcdef***" for a legacy pre-auth key,
 * which has no prefix: never so much that somebody who may read lists can use it. */
char *secret_masked(enum secret_kind kind, const char *prefix, const char *secret_hash, char text[SECRET_TEXT_MAX]);

/* Reads a prefix as people give it: bare, with "hskey-api-" in front, with "-***" or "***" behind, or the whole key.
 * ERR_INVALID names the value. */
int secret_prefix_parse(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1],
                        struct err *e) WARN_UNUSED;

#endif
