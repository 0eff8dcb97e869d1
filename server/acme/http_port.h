/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_letsencrypt_listen: answers HTTP-01's challenges, and redirects everybody else to server_url. */
#ifndef SERVER_ACME_HTTP_PORT_H
#define SERVER_ACME_HTTP_PORT_H

#include "acme/challenges.h"

struct acme_port {
    struct acme_challenges *challenges;
    char *origin; /* "https://vpn.example.com" */
};

/* Called by front with a request (front_options.relay); arg: a struct acme_port. Takes the stream. */
void acme_port_accept(void *arg, struct stream *stream, const struct head *head);

/* Appends the answer to a request to out. */
void acme_port_answer(struct acme_port *p, const struct head *head, struct buf *out);

#endif
