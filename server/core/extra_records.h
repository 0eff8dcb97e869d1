/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CORE_RECORDS_H
#define SERVER_CORE_RECORDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/thread.h"

#define EXTRA_RECORDS_MAX 4096

struct core;

struct extra_records {
    struct thread thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool stopping;
    struct core *core;
    char *path; /* "": there is no file */
    struct stat seen;
};

/* The list of a file as the JSON of tailcfg.DNSConfig's ExtraRecords, the caller's; an error names the place. */
int extra_records_parse(const char *text, size_t len, char **out, struct err *e) WARN_UNUSED;

/* The first look: the records or NULL, the caller's. Then the thread, which tells core_set_extra_records of each
 * change. */
char *extra_records_open(struct extra_records *r, struct core *core, const char *path);
int extra_records_start(struct extra_records *r, struct err *e) WARN_UNUSED;
void extra_records_stop(struct extra_records *r);
void extra_records_close(struct extra_records *r);

#endif
