/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates that sign themselves. */
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

void crypto_certificate_make(const char *const *names, size_t count, unsigned days, struct buf *pem)
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
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_bio_X509(bio, cert) == 1);
    append(pem, bio);
    X509_free(cert);
    EVP_PKEY_free(key);
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
    struct tm ends;

    *out = (struct crypto_certificate){0};
    if (!cert)
        return err_set(e, ERR_INVALID, "there is no certificate in it");
    int len = i2d_X509(cert, &der);
    int rc = len > 0 && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &ends) == 1
                 ? 0
                 : err_set(e, ERR_INVALID, "the certificate cannot be read");
    if (rc == 0) {
        crypto_sha256(der, (size_t)len, out->sha256);
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
