/* SPDX-License-Identifier: BSD-3-Clause */
#include "crypto/crypto.h"

#include <crypt.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define BLAKE2S_BLOCK 64

/* Fetched once: OpenSSL 3 searches its providers at each use of a name, which costs more than a short digest. */
static EVP_MD *sha256, *blake2s;
static EVP_CIPHER *chacha;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    log_error("crypto", "libcrypto refuses %s", what);
    abort();
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    blake2s = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
    chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    must(sha256 && blake2s && chacha, "SHA-256, BLAKE2s or ChaCha20-Poly1305");
}

/* Contexts per thread, because creating one costs as much as digesting a short text, or a fifth of an X25519
 * exchange. */
struct thread_contexts {
    EVP_MD_CTX *digest;
    EVP_PKEY_CTX *import; /* from raw bytes to X25519 keys */
    EVP_PKEY_CTX *generate;
    EVP_CIPHER_CTX *cipher[2];         /* for opening and sealing: a kilobyte each, too much to have one per key */
    const struct crypto_aead *user[2]; /* whose message is in progress */
};

static pthread_key_t contexts_key;
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;

static void contexts_drop(void *arg)
{
    struct thread_contexts *w = arg;

    EVP_MD_CTX_free(w->digest);
    EVP_PKEY_CTX_free(w->import);
    EVP_PKEY_CTX_free(w->generate);
    for (int seal = 0; seal < 2; seal++)
        EVP_CIPHER_CTX_free(w->cipher[seal]);
    free(w);
}

static void contexts_setup(void)
{
    must(pthread_key_create(&contexts_key, contexts_drop) == 0, "a thread's contexts");
}

static struct thread_contexts *contexts(void)
{
    pthread_once(&once, fetch);
    pthread_once(&contexts_once, contexts_setup);
    struct thread_contexts *w = pthread_getspecific(contexts_key);
    if (w)
        return w;
    w = mem_alloc(sizeof(*w));
    w->digest = EVP_MD_CTX_new();
    w->import = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    w->generate = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    for (int seal = 0; seal < 2; seal++) {
        w->cipher[seal] = EVP_CIPHER_CTX_new();
        must(w->cipher[seal] && EVP_CipherInit_ex2(w->cipher[seal], chacha, NULL, NULL, seal, NULL) == 1,
             "ChaCha20-Poly1305");
    }
    must(w->digest && w->import && w->generate && EVP_PKEY_fromdata_init(w->import) == 1 &&
             EVP_PKEY_keygen_init(w->generate) == 1 && pthread_setspecific(contexts_key, w) == 0,
         "a thread's contexts");
    return w;
}

static void digest(EVP_MD *md, const struct crypto_part *before, const struct crypto_part *parts, size_t count,
                   uint8_t out[CRYPTO_HASH_LEN])
{
    EVP_MD_CTX *ctx = contexts()->digest;
    bool ok = EVP_DigestInit_ex2(ctx, md, NULL) == 1;

    if (before)
        ok = ok && EVP_DigestUpdate(ctx, before->bytes, before->len) == 1;
    for (size_t i = 0; i < count; i++)
        ok = ok && EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len) == 1;
    must(ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1, "a digest");
}

static void hmac(EVP_MD *md, const void *key, size_t key_len, const struct crypto_part *parts, size_t count,
                 uint8_t out[CRYPTO_HASH_LEN])
{
    uint8_t inner[BLAKE2S_BLOCK] = {0}, outer[BLAKE2S_BLOCK]; /* SHA-256 has the same block size */
    uint8_t hash[CRYPTO_HASH_LEN];

    if (key_len > sizeof(inner)) {
        digest(md, NULL, &(struct crypto_part){key, key_len}, 1, inner);
    } else if (key_len) {
        memcpy(inner, key, key_len);
    }
    for (size_t i = 0; i < sizeof(inner); i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    digest(md, &(struct crypto_part){inner, sizeof(inner)}, parts, count, hash);
    digest(md, &(struct crypto_part){outer, sizeof(outer)}, &(struct crypto_part){hash, sizeof(hash)}, 1, out);
    crypto_wipe(inner, sizeof(inner));
    crypto_wipe(outer, sizeof(outer));
}

void crypto_sha256(const void *bytes, size_t len, uint8_t out[CRYPTO_HASH_LEN])
{
    pthread_once(&once, fetch);
    digest(sha256, NULL, &(struct crypto_part){bytes, len}, 1, out);
}

bool crypto_sha384(const void *bytes, size_t len, uint8_t out[CRYPTO_SHA384_LEN])
{
    size_t size = CRYPTO_SHA384_LEN;

    return EVP_Q_digest(NULL, "SHA384", NULL, bytes, len, out, &size) == 1 && size == CRYPTO_SHA384_LEN;
}

bool crypto_sha1(const void *bytes, size_t len, uint8_t out[CRYPTO_SHA1_LEN])
{
    size_t size = CRYPTO_SHA1_LEN;

    return EVP_Q_digest(NULL, "SHA1", NULL, bytes, len, out, &size) == 1 && size == CRYPTO_SHA1_LEN;
}

void crypto_blake2s(const struct crypto_part *parts, size_t count, uint8_t out[CRYPTO_HASH_LEN])
{
    pthread_once(&once, fetch);
    digest(blake2s, NULL, parts, count, out);
}

void crypto_hmac_blake2s(const void *key, size_t key_len, const struct crypto_part *parts, size_t count,
                         uint8_t out[CRYPTO_HASH_LEN])
{
    pthread_once(&once, fetch);
    hmac(blake2s, key, key_len, parts, count, out);
}

void crypto_hmac_sha256(const void *key, size_t key_len, const struct crypto_part *parts, size_t count,
                        uint8_t out[CRYPTO_HASH_LEN])
{
    pthread_once(&once, fetch);
    hmac(sha256, key, key_len, parts, count, out);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wipe(void *secret, size_t len)
{
    OPENSSL_cleanse(secret, len);
}

bool crypto_bcrypt_fits(const char *password, const char *hash)
{
    if (!str_starts(hash, "$2a$") && !str_starts(hash, "$2b$") && !str_starts(hash, "$2y$"))
        return false;
    struct crypt_data *work = mem_alloc(sizeof(*work));
    const char *made = crypt_r(password, hash, work);
    bool fits = made && strlen(made) == strlen(hash) && crypto_equal(made, hash, strlen(hash));
    crypto_wipe(work, sizeof(*work));
    free(work);
    return fits;
}

struct crypto_dh {
    EVP_PKEY *key;
    EVP_PKEY_CTX *derive; /* initialised; each exchange duplicates it, so that threads can share it */
};

static struct crypto_dh *dh_wrap(EVP_PKEY *key)
{
    must(key != NULL, "an X25519 key");
    struct crypto_dh *dh = mem_alloc(sizeof(*dh));
    dh->key = key;
    dh->derive = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    must(dh->derive && EVP_PKEY_derive_init(dh->derive) == 1, "X25519");
    return dh;
}

struct crypto_dh *crypto_dh_new(const uint8_t private_key[CRYPTO_KEY_LEN])
{
    return dh_wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, CRYPTO_KEY_LEN));
}

struct crypto_dh *crypto_dh_generate(uint8_t public_key[CRYPTO_KEY_LEN])
{
    EVP_PKEY *key = NULL;
    size_t len = CRYPTO_KEY_LEN;

    must(EVP_PKEY_generate(contexts()->generate, &key) == 1 && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1,
         "a fresh key");
    return dh_wrap(key);
}

void crypto_dh_free(struct crypto_dh *dh)
{
    if (!dh)
        return;
    EVP_PKEY_CTX_free(dh->derive);
    EVP_PKEY_free(dh->key);
    free(dh);
}

static EVP_PKEY *import_public(const uint8_t public_key[CRYPTO_KEY_LEN])
{
    uint8_t copy[CRYPTO_KEY_LEN];
    EVP_PKEY *key = NULL;

    memcpy(copy, public_key, sizeof(copy));
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy)),
                           OSSL_PARAM_construct_end()};
    must(EVP_PKEY_fromdata(contexts()->import, &key, EVP_PKEY_PUBLIC_KEY, params) == 1, "a public key");
    return key;
}

int crypto_dh_shared(const struct crypto_dh *dh, const uint8_t public_key[CRYPTO_KEY_LEN], uint8_t out[CRYPTO_KEY_LEN])
{
    static const uint8_t zero[CRYPTO_KEY_LEN];
    size_t len = CRYPTO_KEY_LEN;
    EVP_PKEY *peer = import_public(public_key);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(dh->derive);

    must(ctx != NULL, "X25519");
    /* No check of the point: X25519 accepts any 32 bytes, and an all-zero result is refused below. */
    bool ok = EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, out, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    if (!ok)
        ERR_clear_error();
    return ok && !crypto_equal(out, zero, sizeof(zero)) ? 0 : ERR_INVALID;
}

void crypto_x25519_generate(uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN])
{
    struct crypto_dh *dh = crypto_dh_generate(public_key);
    size_t len = CRYPTO_KEY_LEN;

    must(EVP_PKEY_get_raw_private_key(dh->key, private_key, &len) == 1, "a private key");
    crypto_dh_free(dh);
    /* Clamped, so that the bytes in a file are the bytes in use. */
    private_key[0] &= 248;
    private_key[31] = (uint8_t)((private_key[31] & 127) | 64);
}

void crypto_x25519_public(const uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN])
{
    struct crypto_dh *dh = crypto_dh_new(private_key);
    size_t len = CRYPTO_KEY_LEN;

    must(EVP_PKEY_get_raw_public_key(dh->key, public_key, &len) == 1, "a public key");
    crypto_dh_free(dh);
}

struct crypto_aead {
    uint8_t key[CRYPTO_KEY_LEN];
    bool seal;
};

struct crypto_aead *crypto_aead_new(const uint8_t key[CRYPTO_KEY_LEN], bool seal)
{
    struct crypto_aead *a = mem_alloc(sizeof(*a));

    memcpy(a->key, key, sizeof(a->key));
    a->seal = seal;
    return a;
}

void crypto_aead_free(struct crypto_aead *a)
{
    if (!a)
        return;
    crypto_wipe(a, sizeof(*a));
    free(a);
}

/* The thread's context, which must be processing this message. */
static EVP_CIPHER_CTX *cipher_of(const struct crypto_aead *a)
{
    struct thread_contexts *w = contexts();

    must(w->user[a->seal] == a, "a message between the pieces of another");
    return w->cipher[a->seal];
}

void crypto_aead_begin(struct crypto_aead *a, const uint8_t nonce[12], const void *aad, size_t aad_len)
{
    struct thread_contexts *w = contexts();
    int n;

    w->user[a->seal] = a;
    must(EVP_CipherInit_ex2(w->cipher[a->seal], NULL, a->key, nonce, -1, NULL) == 1, "a key or nonce");
    if (aad_len)
        must(EVP_CipherUpdate(w->cipher[a->seal], NULL, &n, aad, (int)aad_len) == 1, "additional data");
}

void crypto_aead_update(struct crypto_aead *a, const uint8_t *in, size_t len, uint8_t *out)
{
    int n;

    if (len)
        must(EVP_CipherUpdate(cipher_of(a), out, &n, in, (int)len) == 1 && (size_t)n == len, "a message");
}

void crypto_aead_seal_end(struct crypto_aead *a, uint8_t tag[CRYPTO_TAG_LEN])
{
    EVP_CIPHER_CTX *ctx = cipher_of(a);
    uint8_t none[CRYPTO_TAG_LEN];
    int n;

    must(EVP_CipherFinal_ex(ctx, none, &n) == 1 &&
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_LEN, tag) == 1,
         "a tag");
}

bool crypto_aead_open_end(struct crypto_aead *a, const uint8_t tag[CRYPTO_TAG_LEN])
{
    EVP_CIPHER_CTX *ctx = cipher_of(a);
    uint8_t copy[CRYPTO_TAG_LEN], none[CRYPTO_TAG_LEN];
    int n;

    memcpy(copy, tag, sizeof(copy));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_LEN, copy) == 1, "a tag");
    return EVP_CipherFinal_ex(ctx, none, &n) == 1;
}
