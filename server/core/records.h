/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CORE_RECORDS_H
#define SERVER_CORE_RECORDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/thread.h"

#define RECORDS_MAX 4096

struct core;

struct records {
    struct thread thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool stopping;
    struct core *core;
    char *path; /* "": there is no file */
    struct stat seen;
};

/* The list of a file as the JSON of tailcfg.DNSConfig's ExtraRecords, the caller's; an error names the place. */
int records_parse(const char *text, size_t len, char **out, struct err *e) WARN_UNUSED;

/* The first look: the records or NULL, the caller's. Then the thread, which tells core_set_records of each change. */
char *records_open(struct records *r, struct core *core, const char *path);
int records_start(struct records *r, struct err *e) WARN_UNUSED;
void records_stop(struct records *r);
void records_close(struct records *r);

#endif
