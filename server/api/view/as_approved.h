/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy as it would be if all routes that nodes advertise were approved, and each node served its own: whom it
 * lets use a route that does not count yet. */
#ifndef SERVER_API_VIEW_AS_APPROVED_H
#define SERVER_API_VIEW_AS_APPROVED_H

#include "policy/policy.h"
#include "tailnet/policy_input.h"

struct api;

struct as_approved {
    struct tailnet_policy_input input;
    struct prefixes *routes; /* of each of the input's nodes */
    struct policy *policy;
    struct policy_view *view; /* NULL: there is no policy, or it would cost too much */
    bool made, open;          /* open: there is no policy, everybody may use everything */
};

/* Makes it, unless that was done; it must be zeroed before. The snapshot must stay pinned until it is released. */
void as_approved_make(struct as_approved *x, struct api *api, const struct tailnet_snapshot *s);
void as_approved_release(struct as_approved *x);

#endif
