/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of this room. */
#ifndef SERVER_WEBHOOK_STATE_H
#define SERVER_WEBHOOK_STATE_H

#include <stdatomic.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/vec.h"
#include "crypto/crypto.h"
#include "tailscale/tailscale.h"
#include "webhook/webhook.h"

/* A webhook as this room knows it: a delivery is known here before it is durable. */
struct target {
    struct work work; /* first: a delivery */
    struct webhooks *all;
    uint64_t id;
    const struct webhook *record;  /* of the newest snapshot; a reference */
    const struct config *config;   /* for the delivery in progress; a reference */
    bool news;                     /* there are new entries in the journal */
    bool busy;                     /* a worker has it: what follows belongs to the worker */
    uint64_t run, seq;             /* everything up to here was sent to it, or need not be */
    uint64_t noted_run, noted_seq; /* the same, as the core was last informed */
    int64_t noted_ms;
    int64_t surveyed_ms;   /* when all pending entries were last counted; 0: count them */
    uint64_t dropped_said; /* as in the record */
    uint64_t dropped;      /* likewise */
    uint32_t failures;     /* in a row */
    int64_t next_ns;       /* wall time of the next try; 0: any time */
    int64_t quiet_ms;      /* monotonic: no delivery before, so that simultaneous events are sent together */
    bool more;             /* the journal has, or may have, more to send */
};

struct webhooks {
    struct webhooks_options with;
    uint8_t key[CRYPTO_KEY_LEN];
    struct thread scheduler;
    struct workers well, failing;
    atomic_bool stopping;
    atomic_uint_fast64_t deliveries, failures, events;
    pthread_mutex_t lock; /* guards what follows, and config */
    pthread_cond_t wake;
    bool news;         /* the journal has an entry that a webhook may want */
    bool look;         /* a worker has finished one */
    bool started_work; /* the workers are running */
    VEC(struct target *) targets;
};

/* ---- compose.c: events as receivers get them ---- */

/* The event type of an entry for this webhook; NULL: it does not get the entry. */
const struct webhook_type *compose_type(const struct webhook *w, const struct event *e);
/* Whether entries of that kind can be sent to any webhook. */
bool compose_is_news(const char *kind);

#define COMPOSE_EVENTS_MAX 50
#define COMPOSE_BYTES_MAX  (256 * 1024)
#define COMPOSE_CHAT_MAX   1900 /* characters of a message: Discord takes 2000 */

struct composed {
    struct buf body;
    size_t events; /* how many of the given events fit, counted from the first: at least one */
};
struct compose_item {
    const struct event *event;
    const struct webhook_type *type;
};
/* dropped: number of events to be reported as lost; 0: none. */
void compose(const struct webhook *w, const struct config *c, const struct tailnet_snapshot *s,
             const struct compose_item *items, size_t count, uint64_t dropped, struct composed *out);

/* ---- address.c ---- */

/* Whether deliveries may go to an address: ERR_DENIED. */
int address_check(const struct config *c, const struct addr *a, struct err *e) WARN_UNUSED;

/* ---- deliver.c ---- */

void deliver_run(struct work *work);

/* ---- schedule.c ---- */

void *schedule_run(void *arg);
void schedule_wake(struct webhooks *w);
void target_free(struct target *t);

#endif
