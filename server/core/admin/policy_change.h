/* SPDX-License-Identifier: BSD-3-Clause */
/* How another policy takes the place of the one in force. */
#ifndef SERVER_CORE_ADMIN_POLICY_CHANGE_H
#define SERVER_CORE_ADMIN_POLICY_CHANGE_H

#include "config/config.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;

/* On any thread: *out is the text, the caller's. */
int core_policy_read_file(const struct config *config, char **out, struct err *e) WARN_UNUSED;
/* The file's text becomes the policy unless it is none; the problems are logged. Stored too: a later start that finds
 * the file broken goes on with it. */
void core_policy_follow_file(struct core_state *s, const char *text);
int core_policy_start_with_file(struct core_state *s, const char *text); /* before there is a worker; without tests */

void policy_drop_ready(struct core_state *s); /* what they were compiled for is not true */
/* Lets both go, on the worker. */
void policy_discard(struct core_state *s, struct policy *p, struct policy_view *v);
void policy_approve_all(struct core_state *s);

#endif
