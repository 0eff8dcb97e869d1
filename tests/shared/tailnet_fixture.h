/* SPDX-License-Identifier: BSD-3-Clause */
/* A tailnet without a core: tests and benchmarks create nodes, change them, and publish as the core does. */
#ifndef TESTS_SHARED_WORLD_H
#define TESTS_SHARED_WORLD_H

#include "base/vec.h"
#include "tailnet/publish.h"

struct test_tailnet {
    struct tailnet *tailnet;
    struct tailnet_snapshot *next; /* under construction between two publications */
    VEC(struct change) changes;
    VEC(struct user *) users;
    uint64_t seq;
};

void test_tailnet_start(struct test_tailnet *w);
void test_tailnet_stop(struct test_tailnet *w);

struct user *test_tailnet_user(struct test_tailnet *w, uint64_t id, const char *name);

/* A node like a real client's: keys, addresses 100.64.x.y and fd7a:115c:a1e0::n, Hostinfo, one endpoint. Not yet
 * added. */
struct node *test_tailnet_node(uint64_t id, const char *name, uint64_t user_id);
struct node_live test_tailnet_live(uint64_t id);

/* Puts a node into a slot and records the change; takes ownership of the record. serving: strings ending in NULL, or
 * NULL. */
void test_tailnet_put(struct test_tailnet *w, uint32_t slot, struct node *n, const struct node_live *live,
                      const char *const *serving, uint32_t mask);
/* Replaces a node as the core does: the change is derived from the differences. */
void test_tailnet_change(struct test_tailnet *w, uint32_t slot, struct node *n, const struct node_live *live,
                         const struct prefixes *serving, bool expired);
void test_tailnet_remove(struct test_tailnet *w, uint32_t slot);
void test_tailnet_note(struct test_tailnet *w, uint32_t mask); /* a change that does not concern a node */
void test_tailnet_publish(struct test_tailnet *w);

/* Adds count nodes of one user and publishes them. */
void test_tailnet_fill(struct test_tailnet *w, uint32_t count);

struct prefix test_tailnet_prefix(const char *text);

#endif
