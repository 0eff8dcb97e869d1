/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: the queue of groups for the database. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include <pthread.h>

#include "base/map.h"
#include "base/thread.h"
#include "store/tables/sql.h"

struct store {
    char *path;
    struct engine *engine;
    uint64_t run, first_seq; /* first_seq: the first journal entry after those of earlier runs */

    struct store_age age; /* the storage thread's */
    struct thread thread;
    pthread_mutex_t lock; /* protects all members below */
    pthread_cond_t wake;
    struct store_group *first, **last;
    uint64_t submitted, written;     /* groups, in order */
    pthread_cond_t idle;             /* written has increased */
    bool waited;                     /* someone waits for a group in the queue */
    int64_t lazy_ms;                 /* latest time to write groups that no one waits for; 0: none */
    struct map live;                 /* node id -> struct node_live *, to be written */
    int64_t live_ms;                 /* when to write live; 0: it is empty */
    int64_t prune_ms;                /* when to check the retention next, mono_ms */
    uint64_t oldest_seq, newest_seq; /* of the journal entries submitted in this run; 0: none */
    bool stopping;
    /* For a database reached over a connection. */
    bool away, lost;                 /* lost: permanently */
    bool unreached;                  /* the storage thread's: the last try failed */
    bool reaching;                   /* the storage thread is trying to reach the database, which may take long */
    pthread_cond_t looks;            /* that began, or a group arrived meanwhile */
    struct thread refuser;           /* refuses groups that have waited long enough meanwhile */
    int64_t reach_ms, retry_wait_ms; /* when to try to reach it; the pause after the next failure */
    uint64_t newest_series;          /* of the submitted ones */
    struct store_group *doubtful;    /* refused with ERR_TIMEOUT: waits for its second answer */
    int trouble; /* the code of the last write if that failed for a reason that affects all writes */
    struct err trouble_err;
};

/* One small step of retention; on the storage thread. */
int store_prune(struct store *s, int64_t now_ns, int64_t mono_ms, bool *more, struct err *e) WARN_UNUSED;

#endif
