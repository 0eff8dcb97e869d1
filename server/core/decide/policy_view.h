/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core asks the policy. Without one nobody owns a tag and nothing is approved by itself. */
#ifndef SERVER_CORE_DECIDE_POLICY_VIEW_H
#define SERVER_CORE_DECIDE_POLICY_VIEW_H

#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;
struct slot;

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag);
/* Is the tag one of those that are held, or does the policy let one of these own it? */
bool core_policy_tags_own(struct core_state *s, const struct strs *held, const char *tag);
bool core_policy_knows_tag(struct core_state *s, const char *tag);
bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms);
/* What autoApprovers gives the node beyond what it has; out is released first. */
void core_policy_auto_approved(struct core_state *s, const struct node *n, struct prefixes *out);
void policy_log_problems(const struct policy_problems *problems, const char *whose);
/* What a text means, borrowed; NULL: everything is allowed. A text is read once: the two that matter are the published
 * one and the next. */
struct policy *policy_parsed(struct core_state *s, const struct policy_text *text);
/* Puts the node into the view; tells it the users: true if that changed what it says. */
void policy_view_put_node(struct core_state *s, struct policy_view *v, const struct slot *slot, const struct node *n);
bool policy_view_follow_users(struct core_state *s, struct policy_view *v, bool published);
/* The text means p, whose reference is taken over. */
void policy_parsed_set(struct core_state *s, const struct policy_text *text, struct policy *p);
/* Decisions are by v from now on, which is taken over. */
void policy_decider_set(struct core_state *s, const struct policy *p, struct policy_view *v);
struct policy_view *policy_view_of_all(struct core_state *s, const struct policy *p, bool published);

#endif
