/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the two halves of the core's policy: what is asked (policy.c) and how it changes (policy_set.c). */
#ifndef SERVER_CORE_POLICY_H
#define SERVER_CORE_POLICY_H

#include "core/private.h"

void policy_log_problems(const struct policy_problems *problems, const char *whose);
/* The text means p, whose reference is taken over. */
void policy_meaning_set(struct core_state *s, const struct policy_text *text, struct policy *p);
/* Decisions are by v from now on, which is taken over. */
void policy_decider_set(struct core_state *s, const struct policy *p, struct policy_view *v);
struct policy_view *policy_view_of_all(struct core_state *s, const struct policy *p, bool published);

/* What was compiled for the text, if that was not long ago: view (NULL: no policy) and base are the caller's. What is
 * older is dropped. */
bool policy_take_ready(struct core_state *s, const struct policy_text *text, struct policy_ready *out);
/* Lets both go, elsewhere. */
void policy_discard(struct core_state *s, struct policy *p, struct policy_view *v);

#endif
