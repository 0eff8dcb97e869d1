/* SPDX-License-Identifier: BSD-3-Clause */
/* The challenges of the order under way: what is answered to the authority, and nothing when there is none. */
#ifndef SERVER_ACME_CHALLENGES_H
#define SERVER_ACME_CHALLENGES_H

#include <pthread.h>

#include "acme/hook.h"
#include "loop/loop.h"

#define CHALLENGES_MAX      8
#define CHALLENGE_TOKEN_MAX 128 /* bytes; RFC 8555 asks for 22 at least, authorities send 43 */
#define CHALLENGE_TEXT_MAX  256 /* a token, a dot and a digest */
#define CHALLENGE_PATH      "/.well-known/acme-challenge/"

struct acme_challenges {
    const char *type; /* that is taken, "http-01" or "tls-alpn-01"; the owner's, as is host */
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

/* What uacme's hook said. 0: taken; else why not. */
int challenges_hear(struct acme_challenges *c, const struct hook_message *m, struct err *e) WARN_UNUSED;
void challenges_clear(struct acme_challenges *c); /* the order has ended */

/* What is answered below CHALLENGE_PATH for HTTP-01; false: nothing. Any thread. */
bool challenges_answer(struct acme_challenges *c, const char *token, char text[CHALLENGE_TEXT_MAX + 1]);

#endif
