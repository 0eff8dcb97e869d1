/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests whether routers forward. The clients of two other nodes ping a host behind the prefix through the router, as
 * everybody's packets go. A standby is tested before a prefix moves to it, and while it is known to be bad: one helper
 * is led to the host through it. On the thread of one loop. */
#ifndef SERVER_HEALTH_FORWARDING_H
#define SERVER_HEALTH_FORWARDING_H

#include "base/buf.h"
#include "config/config.h"

struct control;
struct core;
struct loop;
struct tailnet;
struct tailnet_snapshot;

struct forwarding;

struct forwarding_options {
    struct loop *loop;
    struct core *core;
    struct control *control;
    struct tailnet *tailnet;
};
struct forwarding *forwarding_new(const struct forwarding_options *options);
/* Starts what is due. Call about once a second. config: in force now. */
void forwarding_tick(struct forwarding *f, const struct config *config, const struct tailnet_snapshot *s);
/* The router lost its control connection: tests its paths at once. On the loop. */
void forwarding_contact_lost(struct forwarding *f, uint64_t router);
void forwarding_free(struct forwarding *f);                     /* no more answers can arrive */
void forwarding_metrics(struct forwarding *f, struct buf *out); /* any thread */

#endif
