/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations and SSH sessions that wait for a person's decision. */
#ifndef SERVER_CORE_PENDING_H
#define SERVER_CORE_PENDING_H

#include "core/call.h"
#include "tailnet/publish.h"

struct core_state;

struct pending_request {
    struct pending *pending;
    struct core_call *calls; /* struct core_register or struct core_ssh, which wait for the decision */
    bool decided, accepted;
    int64_t left_ms;  /* SSH: when the last that asked went away; 0: somebody waits */
    uint64_t node_id; /* of a decided registration */
};

struct pending_request *pending_request_find(struct core_state *s, const char *auth_id);
struct pending_request *pending_request_new(struct core_state *s, const struct pending *fields, struct err *e);
void pending_request_decide(struct core_state *s, struct pending_request *w, bool accepted, uint64_t node_id);
void pending_request_expire(struct core_state *s);
/* The call waits for the decision. */
void pending_request_wait(struct core_state *s, struct pending_request *w, struct core_call *call);
void pending_request_cancel(struct core_state *s, uint64_t number); /* a call whose sender is gone */
void pending_request_release(struct core_state *s);

void ssh_run(struct core_state *s, struct core_call *call);
void ssh_remember(struct core_state *s, const struct pending_request *w);

#endif
