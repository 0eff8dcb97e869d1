/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy as it would apply if every advertised route were approved and served by the node that advertises it: who
 * could use a route that is not approved yet. */
#ifndef SERVER_API_VIEW_AS_APPROVED_H
#define SERVER_API_VIEW_AS_APPROVED_H

#include "policy/policy.h"
#include "tailnet/policy_input.h"

struct api;

struct as_approved {
    struct tailnet_policy_input input;
    struct prefixes *routes; /* one per node of the input */
    struct policy *policy;
    struct policy_view *view; /* NULL: no policy, or too expensive */
    bool made, open;          /* open: no policy, everybody may use everything */
};

/* Computes it once; must be zeroed before. The snapshot must stay pinned until the release. */
void as_approved_make(struct as_approved *x, struct api *api, const struct tailnet_snapshot *s);
void as_approved_release(struct as_approved *x);

#endif
