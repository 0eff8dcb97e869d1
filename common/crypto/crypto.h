/* SPDX-License-Identifier: BSD-3-Clause */
/* Digests, X25519, ChaCha20-Poly1305 and comparison of secrets (libcrypto); hexadecimal and base64 (libsodium).
 * Failures that can only come from a lack of memory or of an algorithm in the library stop the process; failures that
 * untrusted input can cause are returned. */
#ifndef COMMON_CRYPTO_CRYPTO_H
#define COMMON_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CRYPTO_HASH_LEN   32 /* SHA-256, BLAKE2s-256 */
#define CRYPTO_SHA1_LEN   20
#define CRYPTO_SHA384_LEN 48
#define CRYPTO_KEY_LEN    32 /* X25519 and ChaCha20-Poly1305 */
#define CRYPTO_TAG_LEN    16

/* ---- Digests ---- */

struct crypto_part {
    const void *bytes;
    size_t len;
};

void crypto_sha256(const void *bytes, size_t len, uint8_t out[CRYPTO_HASH_LEN]);
bool crypto_sha384(const void *bytes, size_t len, uint8_t out[CRYPTO_SHA384_LEN]); /* false: see crypto_sha1 */
/* Only for protocols that require it, never for secrets. Returns false if the library does not offer it. */
bool crypto_sha1(const void *bytes, size_t len, uint8_t out[CRYPTO_SHA1_LEN]);

/* The digest of the concatenated parts; out may be one of them. */
void crypto_blake2s(const struct crypto_part *parts, size_t count, uint8_t out[CRYPTO_HASH_LEN]);
/* HMAC (RFC 2104) with BLAKE2s-256, as in Noise (not BLAKE2's own keyed mode); key_len is at most 64. */
void crypto_hmac_blake2s(const void *key, size_t key_len, const struct crypto_part *parts, size_t count,
                         uint8_t out[CRYPTO_HASH_LEN]);

/* HMAC-SHA256, with a key of any length. */
void crypto_hmac_sha256(const void *key, size_t key_len, const struct crypto_part *parts, size_t count,
                        uint8_t out[CRYPTO_HASH_LEN]);

/* ---- Bytes as text ---- */

void crypto_hex(struct buf *out, const void *bytes, size_t len); /* appends in lower case */
/* Reads exactly 2 * len hexadecimal digits of either case; false otherwise. */
bool crypto_unhex(const char *text, size_t digits, uint8_t *out, size_t len);
void crypto_random_hex(char *out, size_t bytes); /* that many random bytes as hexadecimal digits, and a NUL */

/* Standard padded base64. crypto_unbase64 returns the length, or -1 if the text is malformed or the result is longer
 * than max. */
void crypto_base64(struct buf *out, const void *bytes, size_t len);
long crypto_unbase64(const char *text, size_t len, uint8_t *out, size_t max);
/* Like crypto_unbase64(), for the URL-safe alphabet without padding (RFC 7515, 2). */
long crypto_unbase64url(const char *text, size_t len, uint8_t *out, size_t max);

/* ---- Secrets ---- */

bool crypto_equal(const void *a, const void *b, size_t len); /* takes time that depends only on len */
void crypto_wipe(void *secret, size_t len);

/* Does password match a hash of crypt(3) ("$2a$", "$2b$", "$2y$": bcrypt)? For records imported from headscale; takes
 * tens of milliseconds. Other kinds of hashes never match. */
bool crypto_bcrypt_fits(const char *password, const char *hash);

/* The same for Argon2id ("$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH"), as headscale 0.30 stores the secrets of
 * OAuth clients. A hash that needs more than 64 MiB or 16 passes never matches. */
bool crypto_argon2id_fits(const char *password, const char *hash);

/* ---- X25519 (RFC 7748) ---- */

void crypto_x25519_generate(uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN]);
void crypto_x25519_public(const uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN]);

/* A private key prepared for many exchanges; threads may share it. */
struct crypto_dh;
struct crypto_dh *crypto_dh_new(const uint8_t private_key[CRYPTO_KEY_LEN]);
struct crypto_dh *crypto_dh_generate(uint8_t public_key[CRYPTO_KEY_LEN]);
void crypto_dh_free(struct crypto_dh *dh);
/* ERR_INVALID if the result is all zeros, which a peer can force with a point of small order. */
int crypto_dh_shared(const struct crypto_dh *dh, const uint8_t public_key[CRYPTO_KEY_LEN],
                     uint8_t out[CRYPTO_KEY_LEN]) WARN_UNUSED;

/* ---- ChaCha20-Poly1305 (RFC 8439), no additional data unless given ---- */

/* A key for one direction, used by one thread at a time. */
struct crypto_aead;
struct crypto_aead *crypto_aead_new(const uint8_t key[CRYPTO_KEY_LEN], bool seal);
void crypto_aead_free(struct crypto_aead *a);

/* A message in pieces: begin, any number of updates (each writes as many bytes to out as in has; both may be the same
 * memory), end. A thread can seal one message and open one at a time: each must end before the next begins. Use nothing
 * of an opened message before open_end returned true. */
void crypto_aead_begin(struct crypto_aead *a, const uint8_t nonce[12], const void *aad, size_t aad_len);
void crypto_aead_update(struct crypto_aead *a, const uint8_t *in, size_t len, uint8_t *out);
void crypto_aead_seal_end(struct crypto_aead *a, uint8_t tag[CRYPTO_TAG_LEN]);
bool crypto_aead_open_end(struct crypto_aead *a, const uint8_t tag[CRYPTO_TAG_LEN]);

/* Encrypts text for a database ("v1:" and base64), and decrypts it; caller frees. NULL if it was encrypted with another
 * key. */
char *crypto_text_seal(const uint8_t key[CRYPTO_KEY_LEN], const char *text);
char *crypto_text_open(const uint8_t key[CRYPTO_KEY_LEN], const char *sealed);

/* ---- Certificates ---- */

/* Makes a key (P-256) and a self-signed certificate that is valid for that many days, beginning yesterday, for the
 * names (host names or addresses; the first is also the subject). Appends both to pem, which then contains a secret. */
void crypto_certificate_make(const char *const *names, size_t count, unsigned days, struct buf *pem);
/* The same for one name and one day, with the critical extension acmeIdentifier (RFC 8737, 3), which contains the
 * SHA-256 digest of a key authorization. */
void crypto_certificate_acme(const char *name, const uint8_t identifier[CRYPTO_HASH_LEN], struct buf *pem);

struct crypto_certificate {
    uint8_t sha256[CRYPTO_HASH_LEN]; /* of the DER form */
    char name[64];                   /* the common name of the subject, truncated; "" if it has none */
    int64_t begins, ends;            /* seconds since 1970 */
};
/* Describes the first certificate of a PEM text; ERR_INVALID if it contains none. */
int crypto_certificate_read(const char *pem, struct crypto_certificate *out, struct err *e) WARN_UNUSED;
/* Is the first certificate valid for this name? */
bool crypto_certificate_names(const char *pem, const char *name);
/* Does the first private key in key_pem belong to the first certificate in pem? Both may be the same text. */
bool crypto_certificate_fits(const char *pem, const char *key_pem);
/* Appends the private key of a PEM text in PKCS #8 form; ERR_INVALID if it contains none. */
int crypto_private_key_rewrite(const char *key_pem, struct buf *out, struct err *e) WARN_UNUSED;

#endif
