/* SPDX-License-Identifier: BSD-3-Clause */
/* A small tailnet for tests of the policy: the routers r1 (older, primary) and r2 of 10.0.0.0/24 and the exit nodes x1
 * and x2 are tagged; c1 is alice's, c2 is bob's. */
#ifndef TESTS_SHARED_POLICY_FLEET_H
#define TESTS_SHARED_POLICY_FLEET_H

#include "policy/policy.h"

#define FLEET_TAGS "\"tagOwners\":{\"tag:router\":[],\"tag:exit1\":[],\"tag:exit2\":[]},"

enum { R1, R2, X1, X2, C1, C2, FLEET_NODES };
struct policy_fleet {
    struct policy_node nodes[FLEET_NODES];
    struct prefix routes[FLEET_NODES][2], serving[FLEET_NODES][1];
    struct policy_tailnet t;
};

void fleet_make(struct policy_fleet *f); /* points into itself: do not copy */
struct prefix fleet_prefix(const char *text);
struct policy *fleet_policy(const char *text); /* fails the test if the text is refused */
struct policy_view *fleet_view(const struct policy_fleet *f, const char *text);
/* want: the routes separated by blanks, "" for none, "no" for an invisible peer. */
void fleet_assert_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, const char *want);

#endif
