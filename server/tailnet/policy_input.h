/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet as a policy looks at it, for views of one's own over a snapshot. */
#ifndef SERVER_TAILNET_POLICY_INPUT_H
#define SERVER_TAILNET_POLICY_INPUT_H

#include "base/vec.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"

/* Texts and sets are borrowed from what they are made of; serving and live may be NULL. */
struct policy_user tailnet_policy_user(const struct user *u);
struct policy_node tailnet_policy_node(uint32_t slot, const struct node *n, const struct prefixes *effective,
                                       const struct prefixes *serving, const struct node_live *live);

struct tailnet_policy_input {
    struct policy_tailnet tailnet;
    struct policy_user *users;
    struct policy_node *nodes;
    const struct tailnet_node **from; /* of each of nodes */
    struct prefixes *effective;       /* so */
    struct prefix pools[2];
};
/* The snapshot must stay pinned meanwhile. v4 and v6 are the address pools (bits 0 in addr: not used). */
void tailnet_policy_input_init(struct tailnet_policy_input *w, const struct tailnet_snapshot *s,
                               const struct prefix *v4, const struct prefix *v6);
void tailnet_policy_input_release(struct tailnet_policy_input *w);

/* What autoApprovers gives the node that it advertises and has not: exit routes as a pair, nothing that an
 * administrator took away. out is released first; the view knows the node by slot. */
void tailnet_auto_approved(const struct policy_view *v, uint32_t slot, const struct node *n, struct prefixes *out);
/* Adds that of all nodes to out, and changes the view as if it had happened; the input stays as it was. */
void tailnet_policy_input_approve(const struct tailnet_policy_input *w, struct policy_view *v,
                                  struct policy_approvals *out);

#endif
