/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet's view of the policy, as published. */
#ifndef SERVER_CORE_POLICY_PUBLISH_H
#define SERVER_CORE_POLICY_PUBLISH_H

#include <stddef.h>

struct core_state;
struct via_primary;

/* The tailnet's view follows what is about to be published; with another policy or other users it is made anew. */
void core_policy_publish(struct core_state *s);
void core_policy_release(struct core_state *s);

/* At start: who served within groups of via when this was last written. Until core_policy_settled they count as there,
 * so that nobody takes their prefixes before they are back. */
void core_policy_restore_servers(struct core_state *s, struct via_primary *const *list, size_t count);
void core_policy_settled(struct core_state *s);

#endif
