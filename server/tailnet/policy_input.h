/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet as input to a policy, for callers that make their own policy view of a snapshot. */
#ifndef SERVER_TAILNET_POLICY_INPUT_H
#define SERVER_TAILNET_POLICY_INPUT_H

#include "base/vec.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"

/* Texts and sets are borrowed from the arguments; serving and live may be NULL. */
struct policy_user tailnet_policy_user(const struct user *u);
struct policy_node tailnet_policy_node(uint32_t slot, const struct node *n, const struct prefixes *effective,
                                       const struct prefixes *serving, const struct node_live *live);

struct tailnet_policy_input {
    struct policy_tailnet tailnet;
    struct policy_user *users;
    struct policy_node *nodes;
    const struct tailnet_node **from; /* parallel to nodes */
    struct prefixes *effective;       /* likewise */
    struct prefix pools[2];
};
/* The snapshot must stay pinned while *w is in use. v4 and v6 are the address pools (bits 0 in addr: not used). */
void tailnet_policy_input_init(struct tailnet_policy_input *w, const struct tailnet_snapshot *s,
                               const struct prefix *v4, const struct prefix *v6);
void tailnet_policy_input_release(struct tailnet_policy_input *w);

/* The advertised routes that autoApprovers approves for the node and that are not approved yet: exit routes as a pair,
 * and nothing that an administrator revoked. out is released first; slot is the node's in the view. */
void tailnet_auto_approved(const struct policy_view *v, uint32_t slot, const struct node *n, struct prefixes *out);
/* Adds such routes of all nodes to out and changes the view as if they were approved; the input is unchanged. */
void tailnet_policy_input_approve(const struct tailnet_policy_input *w, struct policy_view *v,
                                  struct policy_approvals *out);

#endif
