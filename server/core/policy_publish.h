/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet's view of the policy, as published. */
#ifndef SERVER_CORE_POLICY_PUBLISH_H
#define SERVER_CORE_POLICY_PUBLISH_H

struct core_state;

/* The tailnet's view follows what is about to be published; with another policy or other users it is made anew. */
void core_policy_publish(struct core_state *s);
void core_policy_release(struct core_state *s);

#endif
