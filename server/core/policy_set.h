/* SPDX-License-Identifier: BSD-3-Clause */
/* How another policy takes the place of the one in force. */
#ifndef SERVER_CORE_POLICY_SET_H
#define SERVER_CORE_POLICY_SET_H

#include "config/config.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"

struct core_state;

struct policy_ready { /* compiled, until the text is durable */
    const struct policy_text *text;
    struct policy *policy;               /* NULL: the text is empty */
    struct policy_view *view;            /* NULL: the text is empty */
    const struct tailnet_snapshot *base; /* what it was compiled over */
};

/* On any thread: *out is the text, the caller's. */
int core_policy_read_file(const struct config *config, char **out, struct err *e) WARN_UNUSED;
/* The file's text becomes the policy unless it is none; the problems are logged. Stored too: a later start that finds
 * the file broken goes on with it. */
void core_policy_follow_file(struct core_state *s, const char *text);
int core_policy_start_with_file(struct core_state *s, const char *text); /* before there is a worker; without tests */

/* What was compiled for the text, if that was not long ago: view (NULL: no policy) and base are the caller's. What is
 * older is dropped. */
bool policy_take_ready(struct core_state *s, const struct policy_text *text, struct policy_ready *out);
void policy_drop_ready(struct core_state *s); /* what they were compiled for is not true */
/* Lets both go, on the worker. */
void policy_discard(struct core_state *s, struct policy *p, struct policy_view *v);
void policy_approve_all(struct core_state *s);

#endif
