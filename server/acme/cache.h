/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates in tls_letsencrypt_cache_dir, in the form of Go's autocert, which headscale uses: one file a host, named
 * like it, with the private key and the chain in PEM ("HOST+rsa" where the key is of RSA); the account's key in
 * acme_account+key. headway writes HOST in the same form, so that a tailnet moves in either direction without an order.
 * Beside it uacme has a folder of its own (uacme(1), --confdir). No host has a name with a +. */
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

/* The one for host that ends last. ERR_MISSING: there is none, or none that can be used. An end that has passed is no
 * reason. */
int cache_read(const char *dir, const char *host, struct acme_certificate *out, struct err *e) WARN_UNUSED;

/* Where uacme keeps its files; the caller's. */
char *cache_uacme_dir(const char *dir);
/* Gives uacme the account of headscale where it has none. True: it has one now. */
bool cache_take_account(const char *dir);
/* Before an order: what uacme left from the last one goes, of which it would keep a copy. */
void cache_forget_issued(const char *dir, const char *host);
/* What uacme left: checked, then kept as the certificate of host. */
int cache_take_issued(const char *dir, const char *host, struct acme_certificate *out, struct err *e) WARN_UNUSED;

#endif
