/* SPDX-License-Identifier: BSD-3-Clause */
/* A certificate of the daemon's own from an authority that speaks ACME (RFC 8555), as headscale's tls_letsencrypt_*
 * keys ask for it. The protocol is that of the program uacme, which runs as a child for as long as an order takes; its
 * hook, which is headwayd itself, hands the challenges back through a socket that only that child has. They are
 * answered on tls_letsencrypt_listen (HTTP-01) or within the handshakes of the public listener (TLS-ALPN-01).
 *
 * A thread of its own orders, 30 days before the certificate ends or in the last third of its time, whichever is
 * later. Until a new one is there the old one serves; until the first, one that signs itself. */
#ifndef SERVER_ACME_ACME_H
#define SERVER_ACME_ACME_H

#include "base/buf.h"
#include "config/config.h"

struct acme;
struct loops;
struct loop_tls;

/* Whether the configuration asks for such a certificate. */
bool acme_is_wanted(const struct config *c);

/* Reads the certificate that there is (headscale's cache too), listens for HTTP-01's challenges. A reference of the
 * configuration is taken. */
int acme_start(const struct config *config, struct loops *loops, struct acme **out, struct err *e) WARN_UNUSED;
/* From here on it orders: once the listeners that answer challenges are there. */
int acme_begin(struct acme *a, struct err *e) WARN_UNUSED;
/* Ends an order under way. While the loops still run; NULL is allowed. */
void acme_stop(struct acme *a);

/* Of the listeners that answer with the certificate; borrowed. */
struct loop_tls *acme_tls(struct acme *a);

struct acme_status {
    char name[256];              /* of the host */
    int64_t begins_ns, ends_ns;  /* 0: there is none yet */
    int64_t renews_ns;           /* when it is time to order the next one; 0: at once */
    char trouble[240];           /* why the last order failed; "": it did not */
    int64_t trouble_ns, next_ns; /* since when orders fail, and when the next one is made */
};
void acme_status(struct acme *a, struct acme_status *out); /* any thread */
void acme_metrics(struct acme *a, struct buf *out);        /* any thread */

/* What an order would stumble over. To problems: uacme is not installed; to notes: the authority connects to another
 * port. */
void acme_check(const struct config *c, struct strs *problems, struct strs *notes);

/* The other end: this process was started by uacme as its hook. acme_hook gives its exit status. */
bool acme_is_hook(void);
int acme_hook(int argc, char **argv);

#endif
