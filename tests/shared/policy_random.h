/* SPDX-License-Identifier: BSD-3-Clause */
/* A random policy over a random tailnet, generated and compiled. */
#ifndef TESTS_SHARED_POLICY_RANDOM_H
#define TESTS_SHARED_POLICY_RANDOM_H

#include "policy/policy.h"
#include "shared/policy_slow.h"
#include "json/json.h"

#define RANDOM_NODES 14
#define RANDOM_USERS 4

struct policy_random {
    struct slow s;
    struct policy *p;
    struct policy_view *v;
    struct policy_user users[RANDOM_USERS];
    size_t user_count;
    char names[RANDOM_USERS][2][32];
    struct buf text;
};

void random_setup(struct policy_random *b, uint64_t seed);
void random_teardown(struct policy_random *b);

/* Puts all nodes one by one, in a different order each time. */
void random_put_all(struct policy_random *b, struct policy_view *v);
/* A separate view of the same policy and nodes. */
struct policy_view *random_view(struct policy_random *b);

/* An address of a node, one behind a node, or another one. */
struct addr random_addr(struct slow *s);

/* Fails the test if it is not JSON. */
json_t *random_json(const struct buf *b);
/* Applies a filter as a client does: a list of tailcfg.FilterRule. */
bool random_rules_let(const json_t *rules, const struct addr *from, const struct addr *to, int proto, uint16_t port);

/* The number of runs: with SOAK=1 in the environment, as in make soak, fifteen times the usual number. */
uint64_t random_runs(uint64_t usual);

#endif
