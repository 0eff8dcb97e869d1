/* SPDX-License-Identifier: BSD-3-Clause */
/* The program uacme, as a child of this process with nothing of its descriptors but a socket for its hook. */
#ifndef SERVER_ACME_UACME_H
#define SERVER_ACME_UACME_H

#include "acme/challenges.h"
#include "config/config.h"

struct uacme {
    const struct config *config;
    struct acme_challenges *challenges; /* that its hook fills */
    int wake;                           /* readable once it must end at once */
};

/* Its path, the caller's; NULL where it is not installed. */
char *uacme_find(void);

/* Each runs it once and waits, ten minutes at most. ERR_MISSING: the authority does not know the account; ERR_BUSY: it
 * would not take its own nonces, another try may work; ERR_GONE: it was ended by wake; ERR_UNAVAILABLE: it is not
 * installed. e holds the authority's or the program's own words. */
int uacme_new_account(struct uacme *u, struct err *e) WARN_UNUSED;
int uacme_update_account(struct uacme *u, struct err *e) WARN_UNUSED;
int uacme_issue(struct uacme *u, struct err *e) WARN_UNUSED;

/* What its output says of a failure, for people: the last "detail" of the authority, else its last complaint. Cut to
 * size. */
void uacme_reason(const char *output, char *out, size_t size);

#endif
