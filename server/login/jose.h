/* SPDX-License-Identifier: BSD-3-Clause */
/* Signed tokens (RFC 7515, 7517, 7518, 7519). The only file that knows cjose. The accepted algorithms are a list:
 * RS256, PS256, ES256 and ES384, each with a key of the matching kind and size. */
#ifndef SERVER_LOGIN_JOSE_H
#define SERVER_LOGIN_JOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

#define JOSE_TOKEN_MAX ((size_t)64 * 1024)  /* bytes of a token */
#define JOSE_KEYS_MAX  ((size_t)256 * 1024) /* of a key set */

struct jose_keys;
/* The verifying keys of a JSON Web Key Set; others are left out. ERR_INVALID: not a key set, or it has no such keys. */
int jose_keys_read(const char *text, size_t len, struct jose_keys **out, struct err *e) WARN_UNUSED;
void jose_keys_free(struct jose_keys *keys); /* NULL is allowed */

/* The claims of a token with a valid signature; caller frees (json_decref). ERR_MISSING: it names a key that is not in
 * the set, or names none and none fits: newer keys may. ERR_DENIED: it is not trustworthy; ERR_UNSUPPORTED: it is
 * encrypted, or signed in a way that is not accepted. *sha384: how its at_hash is made. */
int jose_verify(const struct jose_keys *keys, const char *token, json_t **claims, bool *sha384,
                struct err *e) WARN_UNUSED;

#endif
