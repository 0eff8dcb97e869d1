/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core asks the policy. Without one nobody owns a tag and nothing is approved by itself. */
#ifndef SERVER_CORE_POLICY_H
#define SERVER_CORE_POLICY_H

#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;
struct slot;

struct parsed_policy { /* a policy's text, parsed */
    const struct policy_text *text;
    struct policy *policy;
};

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag);
bool core_policy_knows_tag(struct core_state *s, const char *tag);
/* A grant with via leads somebody to this router, and another one could take over. */
bool core_policy_steers(struct core_state *s, const struct slot *slot);
bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms);
/* What autoApprovers gives the node beyond what it has; out is released first. */
void core_policy_auto_approved(struct core_state *s, const struct node *n, struct prefixes *out);
/* The tailnet's view follows what is about to be published; with another policy or other users it is made anew. */
void core_policy_publish(struct core_state *s);
void core_policy_release(struct core_state *s);

void policy_log_problems(const struct policy_problems *problems, const char *whose);
/* The text means p, whose reference is taken over. */
void policy_parsed_set(struct core_state *s, const struct policy_text *text, struct policy *p);
/* Decisions are by v from now on, which is taken over. */
void policy_decider_set(struct core_state *s, const struct policy *p, struct policy_view *v);
struct policy_view *policy_view_of_all(struct core_state *s, const struct policy *p, bool published);

#endif
