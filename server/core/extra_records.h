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
    pthread_mutex_t lock; /* protects stopping */
    pthread_cond_t wake;
    bool stopping;
    void (*changed)(void *arg, char *json); /* on the thread; takes ownership of json */
    void *arg;
    char *path; /* "": no file */
    struct stat seen;
};

/* Converts the list of a file to the JSON of tailcfg.DNSConfig's ExtraRecords, owned by the caller. Records that
 * clients cannot use are appended to left_out (may be NULL), as "[INDEX] ... is left out: why"; if the text is not a
 * list, the error names the place. */
int extra_records_parse(const char *text, size_t len, char **out, struct strs *left_out, struct err *e) WARN_UNUSED;

/* Reads the file a first time and returns the records, owned by the caller, or NULL. Then starts the thread, which
 * calls changed for each change. */
char *extra_records_open(struct extra_records *r, const char *path, void (*changed)(void *arg, char *json), void *arg);
int extra_records_start(struct extra_records *r, struct err *e) WARN_UNUSED;
void extra_records_stop(struct extra_records *r);
void extra_records_close(struct extra_records *r);

#endif
