/* SPDX-License-Identifier: BSD-3-Clause */
/* What the room keeps. */
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

/* A webhook as this room knows it: what it was told is known here before it is durable. */
struct target {
    struct work work; /* first: a delivery */
    struct webhooks *all;
    uint64_t id;
    const struct webhook *record;  /* the newest of the snapshots; a reference */
    const struct config *config;   /* of the delivery that is under way; a reference */
    bool news;                     /* there are new entries in the journal */
    bool busy;                     /* a worker has it: what follows is the worker's */
    uint64_t run, seq;             /* it was told everything up to here, or was not to be told */
    uint64_t noted_run, noted_seq; /* what the core was told of that */
    int64_t noted_ms;
    int64_t surveyed_ms;   /* when all that waits was last counted; 0: it is to be */
    uint64_t dropped_said; /* as in the record */
    uint64_t dropped;      /* likewise */
    uint32_t failures;     /* in a row */
    int64_t next_ns;       /* wall time of the next try; 0: any time */
    int64_t quiet_ms;      /* mono: no delivery before, so that what happens together is sent together */
    bool more;             /* there is more in the journal than was sent, or may be */
};

struct webhooks {
    struct webhooks_options with;
    uint8_t key[CRYPTO_KEY_LEN];
    struct thread scheduler;
    struct workers well, failing;
    atomic_bool stopping;
    atomic_uint_fast64_t deliveries, failures, events;
    pthread_mutex_t lock; /* of what follows, and of config */
    pthread_cond_t wake;
    bool news;         /* the journal has an entry that may be somebody's */
    bool look;         /* a worker is through with one */
    bool started_work; /* the workers run */
    VEC(struct target *) targets;
};

/* ---- compose.c: events as receivers get them ---- */

/* The type of an entry that this webhook is to be told of; NULL: it is not. */
const struct webhook_type *compose_type(const struct webhook *w, const struct event *e);
/* Whether an entry of that kind can be anybody's. */
bool compose_is_news(const char *kind);

#define COMPOSE_EVENTS_MAX 50
#define COMPOSE_BYTES_MAX  (256 * 1024)
#define COMPOSE_CHAT_MAX   1900 /* characters of a message: Discord takes 2000 */

struct composed {
    struct buf body;
    size_t events; /* of those that were given, from the first on, that found room: at least one */
};
struct compose_item {
    const struct event *event;
    const struct webhook_type *type;
};
/* dropped: how many it is told that it will not get; 0: none. */
void compose(const struct webhook *w, const struct config *c, const struct tailnet_snapshot *s,
             const struct compose_item *items, size_t count, uint64_t dropped, struct composed *out);

/* ---- address.c ---- */

/* Whether deliveries may go there: ERR_DENIED. */
int address_check(const struct config *c, const struct addr *a, struct err *e) WARN_UNUSED;

/* ---- deliver.c ---- */

void deliver_run(struct work *work);

/* ---- schedule.c ---- */

void *schedule_run(void *arg);
void schedule_wake(struct webhooks *w);
void target_free(struct target *t);

#endif
