/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients hold. When prefixes move to another router, a sample of the nodes that see them is asked for its network
 * map (c2n /debug/netmap, from capability version 127) until all use the new router or a minute is over; those who stay
 * behind are named. Everything is bounded: a few questions at a time, some seconds and megabytes each. */
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

/* Owned by the caller, who keeps the options' objects alive until readback_stop; core and tailnet until readback_free.
 */
struct readback *readback_start(const struct readback_options *options);
void readback_reload(struct readback *r, const struct config *config);
/* Any thread. Figures in Prometheus' text form. */
void readback_metrics(struct readback *r, struct buf *out);
/* Asks nobody any more. Called while the loops still run, from another thread. */
void readback_stop(struct readback *r);
/* After control_free: no answer is on its way. NULL is allowed. */
void readback_free(struct readback *r);

/* Any thread. What is known since the prefix last moved, in memory of the arena; false: it did not move since the start
 * (or that was forgotten). */
bool readback_followers(struct readback *r, const struct prefix *p, struct arena *a, struct api_followers *out);
/* Of what moved away from a node: whether all nodes use other routers. */
struct readback_confirmation {
    bool confirmed;     /* they do, by their own word, or nothing moved away; false as long as that is not known */
    bool asking;        /* that may become known: clients are asked */
    size_t behind;      /* nodes that did not say so */
    size_t unsupported; /* with clients that cannot be asked */
};
/* Any thread. Up to the change seq. */
struct readback_confirmation readback_confirmed(struct readback *r, uint64_t node, uint64_t seq);

/* Whether nodes accept routes (tailscale set --accept-routes), as a sample of those that see one says; answers are an
 * hour old at most. */
enum accepts_routes { ACCEPTS_UNKNOWN, ACCEPTS_ROUTES, REFUSES_ROUTES };
/* Any thread. By node id, only what is known; out is released first, and empty where r is NULL. */
void readback_preferences(struct readback *r, struct map *out);

/* ---- what one node holds ---- */

#define READBACK_DIFF_MS 7000 /* less than who asks waits for the answer */

/* Asks the node's client for its network map; done is called once, on any thread, and must not block. Errors as those
 * of control_ask. */
int readback_ask(struct readback *r, uint64_t node, const char *actor,
                 void (*done)(void *arg, const struct control_answer *answer), void *arg, struct err *e) WARN_UNUSED;
/* Compares such an answer with what the node would be told now; in memory of the arena. Takes its time. */
int readback_compare(struct readback *r, uint64_t node, const char *text, size_t len, struct arena *a,
                     struct api_diff *out, struct err *e) WARN_UNUSED;

#endif
