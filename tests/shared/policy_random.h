/* SPDX-License-Identifier: BSD-3-Clause */
/* A random policy over a random tailnet, made up and compiled. */
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

/* Puts all nodes one by one, in an order that is another one each time. */
void random_put_all(struct policy_random *b, struct policy_view *v);
/* The same policy and nodes in a view of its own. */
struct policy_view *random_view(struct policy_random *b);

/* An address of a node, behind one, or somewhere else. */
struct addr random_addr(struct slow *s);

/* Fails the test where it is no JSON. */
json_t *random_json(const struct buf *b);
/* What a client does with a filter: a list of tailcfg.FilterRule. */
bool random_rules_let(const json_t *rules, const struct addr *from, const struct addr *to, int proto, uint16_t port);

/* How many runs: SOAK=1 in the environment, as in make soak, takes fifteen times as many as usual. */
uint64_t random_runs(uint64_t usual);

#endif
