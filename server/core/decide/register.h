/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration of nodes. */
#ifndef SERVER_CORE_DECIDE_REGISTER_H
#define SERVER_CORE_DECIDE_REGISTER_H

#include "core/core.h"

struct core_state;
struct pending_request;
struct slot;

void register_run(struct core_state *s, struct core_call *call);
/* Who approves a registration: an administrator, or the user in a browser. */
struct register_by {
    const char *actor;
    enum register_method method;
    int64_t expiry_ns; /* of the login; 0: as configured */
};
/* Registers the node of a request for the user. A dry run leaves *out unchanged. */
int register_complete(struct core_state *s, struct pending_request *w, const struct user *user,
                      const struct register_by *by, struct slot **out, struct err *e) WARN_UNUSED;

#endif
