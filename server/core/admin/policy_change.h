/* SPDX-License-Identifier: BSD-3-Clause */
/* Replacing the policy in force. */
#ifndef SERVER_CORE_ADMIN_POLICY_CHANGE_H
#define SERVER_CORE_ADMIN_POLICY_CHANGE_H

#include "config/config.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;

/* Any thread. The caller owns the text in *out. */
int core_policy_read_file(const struct config *config, char **out, struct err *e) WARN_UNUSED;
/* Makes the file's text the policy unless it is invalid; its problems are logged. It is stored too: a later start that
 * finds the file broken continues with it. */
void core_policy_follow_file(struct core_state *s, const char *text);
int core_policy_start_with_file(struct core_state *s,
                                const char *text); /* before the worker exists; does not run the policy's tests */

void policy_drop_ready(struct core_state *s); /* what they were compiled for is no longer true */
/* Frees both, on the worker. */
void policy_discard(struct core_state *s, struct policy *p, struct policy_view *v);
void policy_approve_all(struct core_state *s);

#endif
