/* SPDX-License-Identifier: BSD-3-Clause */
/* The core's queries of the policy. Without a policy no one owns a tag and nothing is approved automatically. */
#ifndef SERVER_CORE_DECIDE_POLICY_VIEW_H
#define SERVER_CORE_DECIDE_POLICY_VIEW_H

#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;
struct slot;

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag);
/* Whether the tag is held already, or the policy lets one of the held tags own it. */
bool core_policy_tags_own(struct core_state *s, const struct strs *held, const char *tag);
bool core_policy_knows_tag(struct core_state *s, const char *tag);
bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms);
/* The routes that autoApprovers approves for the node and that are not approved yet; out is released first. */
void core_policy_auto_approved(struct core_state *s, const struct node *n, struct prefixes *out);
void policy_log_problems(const struct policy_problems *problems, const char *whose);
/* The policy of a text, borrowed; NULL: everything is allowed. Each text is parsed once: the two that matter are the
 * published and the next one. */
struct policy *policy_parsed(struct core_state *s, const struct policy_text *text);
/* Puts the node into the view; also updates the view's users, and returns true if that changed its answers. */
void policy_view_put_node(struct core_state *s, struct policy_view *v, const struct slot *slot, const struct node *n);
bool policy_view_follow_users(struct core_state *s, struct policy_view *v, bool published);
/* Records p as the parsed form of text; takes over the reference. */
void policy_parsed_set(struct core_state *s, const struct policy_text *text, struct policy *p);
/* Decisions use v from now on; takes it over. */
void policy_decider_set(struct core_state *s, const struct policy *p, struct policy_view *v);
struct policy_view *policy_view_of_all(struct core_state *s, const struct policy *p, bool published);

#endif
