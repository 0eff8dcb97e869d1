/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration of nodes. */
#ifndef SERVER_CORE_DECIDE_REGISTER_H
#define SERVER_CORE_DECIDE_REGISTER_H

#include "core/core.h"

struct core_state;
struct pending_request;
struct slot;

void register_run(struct core_state *s, struct core_call *call);
/* A person logged in: registers the node of a request for the user. In a dry run *out stays as it was. */
int register_complete(struct core_state *s, struct pending_request *w, const struct user *user, struct slot **out,
                      struct err *e) WARN_UNUSED;

#endif
