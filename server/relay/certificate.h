/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_CERTIFICATE_H
#define SERVER_RELAY_CERTIFICATE_H

#include "base/err.h"
#include "crypto/crypto.h"

/* The certificate that the relay makes for itself: no authority vouches for it, so clients are sent its hash. */
struct own_certificate {
    char *pem, *old_pem; /* key and certificate; old_pem: the previous one while it is valid, or NULL */
    struct crypto_certificate is, old;
};

/* Loads it from dir, or makes it: also if it expires within a year or lacks host. Files have mode 0600. */
int own_certificate_load(const char *dir, const char *host, struct own_certificate *out, struct err *e) WARN_UNUSED;
void own_certificate_release(struct own_certificate *c);

#endif
