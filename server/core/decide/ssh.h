/* SPDX-License-Identifier: BSD-3-Clause */
/* Tailscale SSH in check mode. */
#ifndef SERVER_CORE_DECIDE_SSH_H
#define SERVER_CORE_DECIDE_SSH_H

#include "core/core.h"

struct core_state;
struct pending_request;

void ssh_run(struct core_state *s, struct core_call *call);
/* An approved session is not questioned again during the period of its rule. */
void ssh_remember(struct core_state *s, const struct pending_request *w);
/* Such an approval is durable. False: it has expired, or was given under another policy. */
bool ssh_approval_follow(struct core_state *s, const struct ssh_approval *a);

#endif
