/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define PEM_MAX ((size_t)64 * 1024)

static void wipe(char *secret)
{
    if (secret)
        crypto_wipe(secret, strlen(secret));
    free(secret);
}

void acme_certificate_release(struct acme_certificate *c)
{
    wipe(c->pem);
    *c = (struct acme_certificate){0};
}

/* The whole file; NULL with e set if it cannot be read. */
static char *read_pem(const char *path, struct err *e)
{
    struct buf text = BUF_INIT(PEM_MAX);

    if (file_read(path, FILE_ANY, &text, e) == 0)
        return buf_take(&text);
    if (text.data)
        crypto_wipe(text.data, text.len);
    buf_release(&text);
    return NULL;
}

/* Takes pem. */
static int check(char *pem, const char *path, const char *host, struct acme_certificate *out, struct err *e)
{
    struct crypto_certificate is;
    int rc = crypto_certificate_read(pem, &is, e);

    if (rc < 0)
        err_prefix(e, "%s", path);
    else if (!crypto_certificate_fits(pem, pem))
        rc = err_set(e, ERR_INVALID, "%s: the private key in it is not that of the certificate", path);
    else if (!crypto_certificate_names(pem, host))
        rc = err_set(e, ERR_INVALID, "%s: the certificate is not for %s", path, host);
    if (rc < 0)
        wipe(pem);
    else
        *out = (struct acme_certificate){pem, is.begins * NS_PER_SECOND, is.ends * NS_PER_SECOND};
    return rc;
}

int cache_read(const char *dir, const char *host, struct acme_certificate *out, struct err *e)
{
    static const char *const endings[] = {"", "+rsa"};

    *out = (struct acme_certificate){0};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        char *path = mem_format("%s/%s%s", dir, host, endings[i]), *pem = NULL;
        struct acme_certificate found;
        struct err why = {0};
        int rc = access(path, F_OK) < 0 ? ERR_MISSING : (pem = read_pem(path, &why)) ? 0 : (int)why.code;
        if (rc == 0)
            rc = check(pem, path, host, &found, &why);
        if (rc == 0 && (!out->pem || found.ends_ns > out->ends_ns)) {
            acme_certificate_release(out);
            *out = found;
        } else if (rc == 0) {
            acme_certificate_release(&found);
        } else if (rc != ERR_MISSING) {
            log_warn("acme", "a certificate that cannot be used: %s", why.message);
        }
        free(path);
    }
    return out->pem ? 0 : err_set(e, ERR_MISSING, "there is no certificate for %s in %s", host, dir);
}

char *cache_uacme_dir(const char *dir)
{
    return mem_format("%s/+uacme", dir);
}

static char *account_path(const char *dir)
{
    return mem_format("%s/+uacme/private/key.pem", dir);
}

static int convert(const char *from, const char *to, struct err *e)
{
    char *pem = read_pem(from, e);
    struct buf key = BUF_INIT(0);

    if (!pem)
        return ERR_IO;
    int rc = crypto_private_key_rewrite(pem, &key, e);
    if (rc == 0)
        rc = file_make_parents(to, 0700, e);
    if (rc == 0)
        rc = file_create(to, key.data, key.len, 0400, e);
    if (key.data)
        crypto_wipe(key.data, key.len);
    buf_release(&key);
    wipe(pem);
    return rc;
}

bool cache_take_account(const char *dir)
{
    static const char *const names[] = {"acme_account+key", "acme_account.key"};
    char *to = account_path(dir);
    bool have = access(to, F_OK) == 0;

    for (size_t i = 0; i < ARRAY_LEN(names) && !have; i++) {
        char *from = mem_format("%s/%s", dir, names[i]);
        struct err e = {0};
        if (access(from, F_OK) == 0) {
            have = convert(from, to, &e) == 0;
            if (have)
                log_info("acme", "the account in %s is used", from);
            else
                log_warn("acme", "%s: the account in it cannot be used: %s", from, e.message);
        }
        free(from);
    }
    free(to);
    return have;
}

static char *issued_path(const char *dir, const char *host)
{
    return mem_format("%s/+uacme/%s/cert.pem", dir, host);
}

void cache_forget_issued(const char *dir, const char *host)
{
    char *path = issued_path(dir, host);

    if (unlink(path) < 0 && errno != ENOENT)
        log_warn("acme", "cannot remove %s: %s", path, strerror(errno));
    free(path);
}

int cache_take_issued(const char *dir, const char *host, struct acme_certificate *out, struct err *e)
{
    char *key_path = mem_format("%s/+uacme/private/%s/key.pem", dir, host), *path = mem_format("%s/%s", dir, host);
    char *cert_path = issued_path(dir, host);
    char *key = read_pem(key_path, e), *cert = key ? read_pem(cert_path, e) : NULL;
    int rc = ERR_IO;

    *out = (struct acme_certificate){0};
    if (cert) {
        rc = check(mem_format("%s\n%s", key, cert), cert_path, host, out, e);
        if (rc == 0)
            rc = file_replace(path, out->pem, strlen(out->pem), 0600, e);
        if (rc < 0)
            acme_certificate_release(out);
    }
    wipe(key);
    free(cert);
    free(key_path);
    free(cert_path);
    free(path);
    return rc;
}
