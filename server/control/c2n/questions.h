/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to clients that await their answers. Each has an id of 128 random bits, which its URL carries: id, machine
 * key of the node and deadline determine which answer is accepted, and only one is. Any thread; nothing here calls
 * back. Source of the requests: tailcfg.PingRequest. */
#ifndef SERVER_CONTROL_C2N_QUESTIONS_H
#define SERVER_CONTROL_C2N_QUESTIONS_H

#include <pthread.h>

#include "base/map.h"
#include "control/control.h"
#include "tailnet/tailnet.h"

#define QUESTION_ID_LEN   16
#define QUESTIONS_NODE    4   /* open at a time, per node */
#define QUESTIONS_ACTOR   8   /* per administrator */
#define QUESTIONS_MAX     256 /* in all */
#define QUESTION_URL_PATH "/machine/c2n/"

struct question {
    struct question *next; /* for whoever holds it outside the table */
    uint8_t id[QUESTION_ID_LEN];
    uint64_t node_id;
    uint8_t machine_key[KEY_LEN];
    int64_t deadline;   /* mono ms */
    size_t max;         /* bytes of the answer's body */
    char *actor;        /* the administrator who asks, NULL: the server */
    bool answering;     /* its answer has begun to arrive */
    const char *ping;   /* "ICMP", ...: a ping of target; NULL: a c2n request */
    struct addr target; /* for a ping */
    char *payload;      /* for a c2n request, payload_len bytes */
    size_t payload_len;
    void (*done)(void *arg, const struct control_answer *answer);
    void *arg;
};

struct question_counts {
    uint64_t asked, answered, silent, unsupported, failed;
    unsigned open;
};

struct questions {
    pthread_mutex_t lock;
    struct map open;   /* id -> struct question */
    struct map nodes;  /* node id -> number of its open questions */
    struct map actors; /* administrator -> number of open questions */
    struct question_counts counts;
};

void questions_init(struct questions *qs);
void questions_release(struct questions *qs); /* must be empty */

/* Makes what the client is sent from q. ERR_INVALID: it cannot be asked in this way. The caller frees it with
 * question_free, unless questions_add takes it over. */
int question_new(const struct control_question *q, struct question **out, struct err *e) WARN_UNUSED;
void question_free(struct question *q);

/* Opens it. ERR_BUSY: too many are open, for the node, for the administrator or in all. */
int questions_add(struct questions *qs, struct question *q, struct err *e) WARN_UNUSED;
/* An answer begins to arrive: how many bytes of it are accepted. 0: no question awaits it from this machine, or an
 * answer has already begun. */
size_t questions_expect(struct questions *qs, const char *id, const uint8_t machine_key[KEY_LEN]);
/* Ends it and passes it to the caller; NULL if none is open (any more). machine_key NULL: the server's own decision. */
struct question *questions_take(struct questions *qs, const uint8_t id[QUESTION_ID_LEN],
                                const uint8_t machine_key[KEY_LEN]);
/* All with a deadline not after now, as a list; INT64_MAX: all. */
struct question *questions_overdue(struct questions *qs, int64_t now);
/* Counts the outcome of a question that was taken, calls done and frees it. */
void question_finish(struct questions *qs, struct question *q, const struct control_answer *answer);
void questions_count(struct questions *qs, struct question_counts *out);

bool question_id_read(const char *text, uint8_t id[QUESTION_ID_LEN]); /* 32 hexadecimal digits */

#endif
