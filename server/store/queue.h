/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the store: the queue before the database. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include <pthread.h>

#include "base/map.h"
#include "base/thread.h"
#include "store/tables/sql.h"

struct store {
    char *path;
    struct engine *engine;
    uint64_t run, first_seq; /* first_seq: the journal entry after those of former runs */

    struct store_age age; /* the storage thread's */
    struct thread thread;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t wake;
    struct store_group *first, **last;
    uint64_t submitted, written;     /* groups, in their order */
    pthread_cond_t idle;             /* written rose */
    bool waited;                     /* somebody waits for a group in the queue */
    int64_t lazy_ms;                 /* when groups that nobody waits for are written at the latest; 0: none */
    struct map live;                 /* node id -> struct node_live *, to be written */
    int64_t live_ms;                 /* when; 0: nothing is there */
    int64_t prune_ms;                /* when to look at the retention next, mono_ms */
    uint64_t oldest_seq, newest_seq; /* of the journal entries submitted in this run; 0: none */
    bool stopping;
    /* Of a database that is reached over a connection. */
    bool away, lost;                 /* lost: for good */
    bool unreached;                  /* the storage thread's: the last try failed */
    bool reaching;                   /* the storage thread looks for the database, which may take long; */
    pthread_cond_t looks;            /* it began, or a group came meanwhile, */
    struct thread refuser;           /* which refuses who has waited long enough */
    int64_t reach_ms, retry_wait_ms; /* when to see whether it is there; the pause after the next failure */
    uint64_t newest_series;          /* of those submitted */
    struct store_group *doubtful;    /* refused with ERR_TIMEOUT: waits for its second answer */
    int trouble;                     /* the last write failed for a reason that concerns all writes: its code */
    struct err trouble_err;
};

/* One small step of the retention; on the storage thread. */
int store_prune(struct store *s, int64_t now_ns, int64_t mono_ms, bool *more, struct err *e) WARN_UNUSED;

#endif
