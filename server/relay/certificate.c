/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define VALID_DAYS 1825
#define RENEW_DAYS 365
#define PEM_MAX    16384

static char *read_pem(const char *path, struct crypto_certificate *out)
{
    struct buf pem = BUF_INIT(PEM_MAX);

    if (file_read(path, FILE_ANY, &pem, NULL) == 0 && crypto_certificate_read(buf_text(&pem), out, NULL) == 0)
        return buf_take(&pem);
    buf_release(&pem);
    return NULL;
}

static int make(const char *path, const char *host, struct own_certificate *c, struct err *e)
{
    char tag[9], name[32];
    const char *names[] = {name, host};
    struct buf pem = BUF_INIT(0);

    crypto_random_hex(tag, 4);
    snprintf(name, sizeof(name), "r-%s.relay.invalid", tag);
    crypto_certificate_make(names, 2, VALID_DAYS, &pem);
    int rc = file_replace(path, pem.data, pem.len, 0600, e);
    if (rc == 0)
        rc = crypto_certificate_read(buf_text(&pem), &c->is, e);
    c->pem = buf_take(&pem);
    if (rc == 0)
        log_info("relay", "made a certificate for %s, kept in %s", name, path);
    return rc;
}

int own_certificate_load(const char *dir, const char *host, struct own_certificate *out, struct err *e)
{
    char *path = mem_format("%s/relay.pem", dir), *old_path = mem_format("%s/relay-old.pem", dir);
    int64_t now = clock_wall_ns() / NS_PER_SECOND;
    int rc = 0;

    *out = (struct own_certificate){0};
    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        rc = err_set(e, ERR_IO, "cannot make the directory %s: %s", dir, strerror(errno));
    out->pem = read_pem(path, &out->is);
    if (rc == 0 && (!out->pem || out->is.ends - now < RENEW_DAYS * INT64_C(86400) || !str_starts(out->is.name, "r-") ||
                    !crypto_certificate_names(out->pem, host))) {
        if (out->pem && rename(path, old_path) < 0)
            log_warn("relay", "cannot keep the certificate before: %s", strerror(errno));
        free(out->pem);
        rc = make(path, host, out, e);
    }
    out->old_pem = rc == 0 ? read_pem(old_path, &out->old) : NULL;
    if (out->old_pem && out->old.ends < now) {
        free(out->old_pem);
        out->old_pem = NULL;
    }
    free(path);
    free(old_path);
    return rc;
}

void own_certificate_release(struct own_certificate *c)
{
    if (c->pem)
        crypto_wipe(c->pem, strlen(c->pem));
    if (c->old_pem)
        crypto_wipe(c->old_pem, strlen(c->old_pem));
    free(c->pem);
    free(c->old_pem);
    *c = (struct own_certificate){0};
}
