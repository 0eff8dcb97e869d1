/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's own certificate from an authority that speaks ACME (RFC 8555), as headscale's tls_letsencrypt_* keys
 * configure it. The program uacme speaks the protocol: it runs as a child for the duration of an order; its hook, which
 * is headwayd itself, passes the challenges back through a socket that only that child has. They are answered on
 * tls_letsencrypt_listen (HTTP-01) or within the handshakes of the public listener (TLS-ALPN-01).
 *
 * A thread of its own orders, 30 days before the certificate ends or in the last third of its life, whichever is later.
 * Until the new one arrives the old one serves; before the first, a self-signed one. */
#ifndef SERVER_ACME_ACME_H
#define SERVER_ACME_ACME_H

#include "base/buf.h"
#include "config/config.h"

struct acme;
struct loops;
struct loop_tls;

/* Whether the configuration asks for such a certificate. */
bool acme_is_wanted(const struct config *c);

/* Reads the current certificate (from headscale's cache too) and listens for HTTP-01's challenges. Takes a reference of
 * the configuration. */
int acme_start(const struct config *config, struct loops *loops, struct acme **out, struct err *e) WARN_UNUSED;
/* Begins to order; call it once the listeners that answer challenges are running. */
int acme_begin(struct acme *a, struct err *e) WARN_UNUSED;
/* Ends an order in progress. Call while the loops still run; NULL is allowed. */
void acme_stop(struct acme *a);

/* TLS of the listeners that use the certificate; borrowed. */
struct loop_tls *acme_tls(struct acme *a);

struct acme_status {
    char name[256];              /* the host's */
    int64_t begins_ns, ends_ns;  /* 0: there is none yet */
    int64_t renews_ns;           /* when the next one is due; 0: at once */
    char trouble[240];           /* why the last order failed; "": it succeeded */
    int64_t trouble_ns, next_ns; /* when orders began to fail, and when the next one is made */
};
void acme_status(struct acme *a, struct acme_status *out); /* any thread */
void acme_metrics(struct acme *a, struct buf *out);        /* any thread */

/* Adds what would make an order fail. To problems: uacme is not installed; to notes: the authority connects to another
 * port. */
void acme_check(const struct config *c, struct strs *problems, struct strs *notes);

/* The other end, for a process that uacme started as its hook. acme_hook returns its exit status. */
bool acme_is_hook(void);
int acme_hook(int argc, char **argv);

#endif
