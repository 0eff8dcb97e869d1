/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/tls_files.h"

#include <stdbool.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

int tls_files_write(const char *name, const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    FILE *cert_file = fopen(cert_path, "we"), *key_file = fopen(key_path, "we");
    bool ok = key && cert_file && key_file;

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    ok = ok && X509_sign(cert, key, EVP_sha256()) && PEM_write_X509(cert_file, cert) &&
         PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL);
    if (cert_file)
        ok = fclose(cert_file) == 0 && ok;
    if (key_file)
        ok = fclose(key_file) == 0 && ok;
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok ? 0 : -1;
}
