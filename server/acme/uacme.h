/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the program uacme, as a child that inherits no descriptors except a socket for its hook. */
#ifndef SERVER_ACME_UACME_H
#define SERVER_ACME_UACME_H

#include "acme/challenges.h"
#include "config/config.h"

struct uacme {
    const struct config *config;
    struct acme_challenges *challenges; /* filled by its hook */
    int wake;                           /* becomes readable when uacme must end at once */
};

/* Its path; caller frees. NULL: it is not installed. */
char *uacme_find(void);

/* Each runs it once and waits, ten minutes at most. ERR_MISSING: the authority does not know the account; ERR_BUSY: it
 * refused its own nonces, another try may work; ERR_GONE: ended by wake; ERR_UNAVAILABLE: not installed. e holds the
 * authority's or the program's own message. */
int uacme_new_account(struct uacme *u, struct err *e) WARN_UNUSED;
int uacme_update_account(struct uacme *u, struct err *e) WARN_UNUSED;
int uacme_issue(struct uacme *u, struct err *e) WARN_UNUSED;

/* The reason for a failure in its output, for people: the last "detail" from the authority, otherwise its last
 * complaint. Truncated to size. */
void uacme_reason(const char *output, char *out, size_t size);

#endif
