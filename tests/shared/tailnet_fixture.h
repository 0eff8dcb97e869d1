/* SPDX-License-Identifier: BSD-3-Clause */
/* A tailnet without a core: tests and benchmarks make nodes and change them, and publish as the core does. */
#ifndef TESTS_SHARED_WORLD_H
#define TESTS_SHARED_WORLD_H

#include "base/vec.h"
#include "tailnet/publish.h"

struct world {
    struct tailnet *tailnet;
    struct tailnet_snapshot *next; /* under construction between two publications */
    VEC(struct change) changes;
    VEC(struct user *) users;
    uint64_t seq;
};

void world_start(struct world *w);
void world_stop(struct world *w);

struct user *world_user(struct world *w, uint64_t id, const char *name);

/* A node like a client's: keys, addresses 100.64.x.y and fd7a:115c:a1e0::n, Hostinfo, one endpoint. Not yet added. */
struct node *world_node(uint64_t id, const char *name, uint64_t user_id);
struct node_live world_live(uint64_t id);

/* Puts a node into a slot and notes the change; the record is taken over. serving: texts up to NULL, or NULL. */
void world_put(struct world *w, uint32_t slot, struct node *n, const struct node_live *live, const char *const *serving,
               uint32_t mask);
void world_remove(struct world *w, uint32_t slot);
void world_note(struct world *w, uint32_t mask); /* a change that is no node's */
void world_publish(struct world *w);

/* count nodes of one user, published. */
void world_fill(struct world *w, uint32_t count);

struct prefix world_prefix(const char *text);

#endif
