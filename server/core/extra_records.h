/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of dns.extra_records_path. */
#ifndef SERVER_CORE_EXTRA_RECORDS_H
#define SERVER_CORE_EXTRA_RECORDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/thread.h"

#define EXTRA_RECORDS_MAX 4096

struct extra_records {
    struct thread thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool stopping;
    void (*changed)(void *arg, char *json); /* on the thread; json is its own from then on */
    void *arg;
    char *path; /* "": there is no file */
    struct stat seen;
};

/* The list of a file as the JSON of tailcfg.DNSConfig's ExtraRecords, the caller's. Records that clients cannot use are
 * appended to left_out (may be NULL), as "[INDEX] ... is left out: why"; an error names the place in a text that is no
 * list. */
int extra_records_parse(const char *text, size_t len, char **out, struct strs *left_out, struct err *e) WARN_UNUSED;

/* The first look: the records or NULL, the caller's. Then the thread, which calls changed for each change. */
char *extra_records_open(struct extra_records *r, const char *path, void (*changed)(void *arg, char *json), void *arg);
int extra_records_start(struct extra_records *r, struct err *e) WARN_UNUSED;
void extra_records_stop(struct extra_records *r);
void extra_records_close(struct extra_records *r);

#endif
