/* SPDX-License-Identifier: BSD-3-Clause */
/* Does a router forward? A host behind the prefix is pinged by the clients of two other nodes, which go through the
 * router as everybody does. A standby is tested before a prefix moves to it, and while it is known to be bad: one
 * helper is led to the host through it. On the thread of one loop. */
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
/* Starts what is due. Once a second, or about so. config: in force now. */
void forwarding_tick(struct forwarding *f, const struct config *config, const struct tailnet_snapshot *s);
/* The router lost its control connection: its paths are tested at once. On the loop. */
void forwarding_contact_lost(struct forwarding *f, uint64_t router);
void forwarding_free(struct forwarding *f);                     /* no answer is on its way any more */
void forwarding_metrics(struct forwarding *f, struct buf *out); /* any thread */

#endif
