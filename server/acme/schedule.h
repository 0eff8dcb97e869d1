/* SPDX-License-Identifier: BSD-3-Clause */
/* When to order, and the state that must survive a restart: authorities count failures. Times are wall clock times, and
 * the clock may be set at any time: a time further ahead than possible is not trusted. */
#ifndef SERVER_ACME_SCHEDULE_H
#define SERVER_ACME_SCHEDULE_H

#include <stdint.h>

#include "base/err.h"

/* 30 days before the end, or in the last third of a shorter life. */
int64_t schedule_renewal(int64_t begins_ns, int64_t ends_ns);

/* How long to wait after this many failures in a row: 1, 5, 30 minutes, then 2 hours. */
int64_t schedule_back_off(unsigned failures);

/* Kept in a file beside the certificate. */
struct acme_record {
    char *url;         /* of the directory that issued the certificate; "": not known (headscale's) */
    char *email;       /* of the account */
    unsigned failures; /* in a row */
    int64_t first_ns;  /* the first of these */
    int64_t last_ns;   /* the last of these */
    char *error;       /* its message; "": none */
};
/* A missing or unreadable file is an empty record. */
void acme_record_read(const char *path, struct acme_record *out);
int acme_record_write(const char *path, const struct acme_record *r, struct err *e) WARN_UNUSED;
void acme_record_release(struct acme_record *r);
void acme_record_failed(struct acme_record *r, int64_t now_ns, const char *why);
void acme_record_worked(struct acme_record *r, const char *url, const char *email);

/* The earliest time for the next order after failures; 0: any time. */
int64_t schedule_after_failures(const struct acme_record *r, int64_t now_ns);

#endif
