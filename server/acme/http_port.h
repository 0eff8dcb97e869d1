/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_letsencrypt_listen: answers the challenges of HTTP-01, and sends everybody else to server_url. */
#ifndef SERVER_ACME_HTTP_PORT_H
#define SERVER_ACME_HTTP_PORT_H

#include "acme/challenges.h"

struct acme_port {
    struct acme_challenges *challenges;
    char *origin; /* "https://vpn.example.com" */
};

/* What front calls with a request (front_options.relay); arg: a struct acme_port. Takes the stream. */
void acme_port_accept(void *arg, struct stream *stream, const struct head *head);

/* The answer to a request, appended to out. */
void acme_port_answer(struct acme_port *p, const struct head *head, struct buf *out);

#endif
