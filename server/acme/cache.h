/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates in tls_letsencrypt_cache_dir, in the form of Go's autocert, which headscale uses: one file per host,
 * named after it, with the private key and the chain in PEM ("HOST+rsa" for an RSA key); the account's key in
 * acme_account+key. headway writes HOST in the same form, so that a tailnet can move in either direction without an
 * order. uacme has a directory of its own beside them (uacme(1), --confdir). No host has a + in its name. */
#ifndef SERVER_ACME_CACHE_H
#define SERVER_ACME_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct acme_certificate {
    char *pem; /* key and chain, a secret */
    int64_t begins_ns, ends_ns;
};
void acme_certificate_release(struct acme_certificate *c);

/* The certificate for host that expires last. ERR_MISSING: none is usable. An expired one is still returned. */
int cache_read(const char *dir, const char *host, struct acme_certificate *out, struct err *e) WARN_UNUSED;

/* uacme's directory; caller frees. */
char *cache_uacme_dir(const char *dir);
/* Gives uacme headscale's account if it has none. True: it has one now. */
bool cache_take_account(const char *dir);
/* Before an order: removes what uacme left from the last one, which it would otherwise keep copies of. */
void cache_forget_issued(const char *dir, const char *host);
/* Checks the certificate that uacme left, then keeps it as that of host. */
int cache_take_issued(const char *dir, const char *host, struct acme_certificate *out, struct err *e) WARN_UNUSED;

#endif
