/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients hold. When prefixes move to another router, a sample of the nodes that see them is asked for its network
 * map (c2n /debug/netmap, from capability version 127) until all use the new router or a minute has passed; those that
 * have not followed are named. Everything is bounded: a few questions at a time, some seconds and megabytes each. */
#ifndef SERVER_READBACK_READBACK_H
#define SERVER_READBACK_READBACK_H

#include "base/arena.h"
#include "base/map.h"
#include "model/api.h"

struct buf;
struct config;
struct control;
struct control_answer;
struct core;
struct loops;
struct netmap;
struct tailnet;

struct readback;

struct readback_options {
    struct loops *loops;
    struct core *core;
    struct control *control;
    struct netmap *netmap;
    struct tailnet *tailnet;
    const struct config *config;
};

/* The options' objects must live until readback_stop; core and tailnet until readback_free. */
struct readback *readback_start(const struct readback_options *options);
void readback_reload(struct readback *r, const struct config *config);
/* Metrics in Prometheus' text form. Any thread. */
void readback_metrics(struct readback *r, struct buf *out);
/* Stops asking. Call while the loops still run, from another thread. */
void readback_stop(struct readback *r);
/* Call after control_free: no more answers can arrive. NULL is allowed. */
void readback_free(struct readback *r);

/* What is known about the prefix's last move, in memory of the arena; false: it has not moved since the start (or the
 * move was forgotten). Any thread. */
bool readback_followers(struct readback *r, const struct prefix *p, struct arena *a, struct api_followers *out);
/* Whether all nodes use other routers for what moved away from a node. */
struct readback_confirmation {
    bool confirmed;     /* all nodes reported so, or nothing moved away; false while unknown */
    bool asking;        /* it may become known: clients are being asked */
    size_t behind;      /* nodes that have not reported so */
    size_t unsupported; /* whose clients cannot be asked */
};
/* Considers moves up to the change seq. Any thread. */
struct readback_confirmation readback_confirmed(struct readback *r, uint64_t node, uint64_t seq);

/* Whether nodes accept routes (tailscale set --accept-routes), from a sample of the nodes that see one; answers are at
 * most an hour old. */
enum accepts_routes { ACCEPTS_UNKNOWN, ACCEPTS_ROUTES, REFUSES_ROUTES };
/* By node id, only the known ones; out is released first, and empty if r is NULL. Any thread. */
void readback_preferences(struct readback *r, struct map *out);

/* ---- what one node holds ---- */

#define READBACK_DIFF_MS 7000 /* less than the caller waits for the answer */

/* Asks the node's client for its network map; done is called once, on any thread, and must not block. Errors as of
 * control_ask. */
int readback_ask(struct readback *r, uint64_t node, const char *actor,
                 void (*done)(void *arg, const struct control_answer *answer), void *arg, struct err *e) WARN_UNUSED;
/* Compares that answer with what the node would be sent now; in memory of the arena. May take long. */
int readback_compare(struct readback *r, uint64_t node, const char *text, size_t len, struct arena *a,
                     struct api_diff *out, struct err *e) WARN_UNUSED;

#endif
