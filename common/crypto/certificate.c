/* SPDX-License-Identifier: BSD-3-Clause */
/* Self-signed certificates. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "crypto/crypto.h"

static void must(bool ok)
{
    if (!ok) {
        log_error("crypto", "the library cannot make a certificate");
        abort();
    }
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(x && X509_add_ext(cert, x, -1) == 1);
    X509_EXTENSION_free(x);
}

static void add_names(X509 *cert, const char *const *names, size_t count)
{
    GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();

    for (size_t i = 0; i < count; i++) {
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(names[i]);
        GENERAL_NAME *one = GENERAL_NAME_new();
        if (address) {
            GENERAL_NAME_set0_value(one, GEN_IPADD, address);
        } else {
            ASN1_IA5STRING *text = ASN1_IA5STRING_new();
            must(ASN1_STRING_set(text, names[i], -1) == 1);
            GENERAL_NAME_set0_value(one, GEN_DNS, text);
        }
        must(sk_GENERAL_NAME_push(list, one) > 0);
    }
    must(X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, 0) == 1);
    GENERAL_NAMES_free(list);
    ERR_clear_error();
}

static void append(struct buf *pem, BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);

    buf_add(pem, bytes, len > 0 ? (size_t)len : 0);
    if (len > 0)
        crypto_wipe(bytes, (size_t)len);
    BIO_free(bio);
}

/* The value is an OCTET STRING inside the OCTET STRING of every extension (RFC 8737, 3). */
static void add_acme_identifier(X509 *cert, const uint8_t identifier[CRYPTO_HASH_LEN])
{
    uint8_t der[2 + CRYPTO_HASH_LEN] = {V_ASN1_OCTET_STRING, CRYPTO_HASH_LEN};
    ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    memcpy(der + 2, identifier, CRYPTO_HASH_LEN);
    must(id && value && ASN1_OCTET_STRING_set(value, der, sizeof(der)) == 1);
    X509_EXTENSION *x = X509_EXTENSION_create_by_OBJ(NULL, id, 1, value);
    must(x && X509_add_ext(cert, x, -1) == 1);
    X509_EXTENSION_free(x);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(id);
}

/* identifier: the digest for an ACME challenge; NULL if none. */
static void make(const char *const *names, size_t count, unsigned days, const uint8_t *identifier, struct buf *pem)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    uint8_t serial[16];

    must(key && cert && bio);
    random_bytes(serial, sizeof(serial));
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)));
    BN_free(number);
    X509_NAME *subject = X509_NAME_new();
    must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)names[0], -1, -1, 0) == 1);
    must(X509_set_version(cert, 2) == 1 && X509_set_subject_name(cert, subject) == 1 &&
         X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1);
    X509_NAME_free(subject);
    must(X509_gmtime_adj(X509_getm_notBefore(cert), -86400) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days));
    add_names(cert, names, count);
    add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, NID_ext_key_usage, "serverAuth");
    if (identifier)
        add_acme_identifier(cert, identifier);
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_bio_X509(bio, cert) == 1);
    append(pem, bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void crypto_certificate_make(const char *const *names, size_t count, unsigned days, struct buf *pem)
{
    make(names, count, days, NULL, pem);
}

void crypto_certificate_acme(const char *name, const uint8_t identifier[CRYPTO_HASH_LEN], struct buf *pem)
{
    make(&name, 1, 1, identifier, pem);
}

static X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    ERR_clear_error();
    return cert;
}

int crypto_certificate_read(const char *pem, struct crypto_certificate *out, struct err *e)
{
    X509 *cert = parse(pem);
    uint8_t *der = NULL;
    struct tm begins, ends;

    *out = (struct crypto_certificate){0};
    if (!cert)
        return err_set(e, ERR_INVALID, "there is no certificate in it");
    int len = i2d_X509(cert, &der);
    int rc = len > 0 && ASN1_TIME_to_tm(X509_get0_notBefore(cert), &begins) == 1 &&
                     ASN1_TIME_to_tm(X509_get0_notAfter(cert), &ends) == 1
                 ? 0
                 : err_set(e, ERR_INVALID, "the certificate cannot be read");
    if (rc == 0) {
        crypto_sha256(der, (size_t)len, out->sha256);
        out->begins = timegm(&begins);
        out->ends = timegm(&ends);
        if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out->name, sizeof(out->name)) < 0)
            out->name[0] = '\0';
    }
    OPENSSL_free(der);
    X509_free(cert);
    ERR_clear_error();
    return rc;
}

bool crypto_certificate_names(const char *pem, const char *name)
{
    X509 *cert = parse(pem);
    bool yes = cert && (X509_check_ip_asc(cert, name, 0) == 1 || X509_check_host(cert, name, 0, 0, NULL) == 1);

    X509_free(cert);
    ERR_clear_error();
    return yes;
}

static char no_passphrase[] = ""; /* nobody is there to type one */

static EVP_PKEY *parse_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase);

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

bool crypto_certificate_fits(const char *pem, const char *key_pem)
{
    X509 *cert = parse(pem);
    EVP_PKEY *key = parse_key(key_pem);
    bool yes = cert && key && X509_check_private_key(cert, key) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return yes;
}

int crypto_private_key_rewrite(const char *key_pem, struct buf *out, struct err *e)
{
    EVP_PKEY *key = parse_key(key_pem);
    BIO *bio = BIO_new(BIO_s_mem());

    must(bio);
    if (!key) {
        BIO_free(bio);
        return err_set(e, ERR_INVALID, "there is no private key in it");
    }
    must(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    append(out, bio);
    EVP_PKEY_free(key);
    return 0;
}
