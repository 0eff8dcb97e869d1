/* SPDX-License-Identifier: BSD-3-Clause */
/* The challenges of the order in progress: the answers for the authority, and none without an order. */
#ifndef SERVER_ACME_CHALLENGES_H
#define SERVER_ACME_CHALLENGES_H

#include <pthread.h>

#include "acme/hook.h"
#include "loop/loop.h"

#define CHALLENGES_MAX      8
#define CHALLENGE_TOKEN_MAX 128 /* bytes; RFC 8555 requires at least 22, authorities send 43 */
#define CHALLENGE_TEXT_MAX  256 /* a token, a dot and a digest */
#define CHALLENGE_PATH      "/.well-known/acme-challenge/"

struct acme_challenges {
    const char *type; /* the accepted type, "http-01" or "tls-alpn-01"; the owner's, as is host */
    const char *host;
    struct loop_tls *tls; /* the public listener's */
    pthread_mutex_t lock; /* guards what follows */
    struct {
        char token[CHALLENGE_TOKEN_MAX + 1], text[CHALLENGE_TEXT_MAX + 1];
    } items[CHALLENGES_MAX];
    size_t count;
};

void challenges_init(struct acme_challenges *c, const char *type, const char *host, struct loop_tls *tls);
void challenges_release(struct acme_challenges *c);

/* Handles a message from uacme's hook. 0: accepted; otherwise the reason why not. */
int challenges_hear(struct acme_challenges *c, const struct hook_message *m, struct err *e) WARN_UNUSED;
void challenges_clear(struct acme_challenges *c); /* the order has ended */

/* The answer below CHALLENGE_PATH for HTTP-01; false: none. Any thread. */
bool challenges_answer(struct acme_challenges *c, const char *token, char text[CHALLENGE_TEXT_MAX + 1]);

#endif
