/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations and SSH sessions that wait for a person's decision. */
#ifndef SERVER_CORE_DECIDE_PENDING_H
#define SERVER_CORE_DECIDE_PENDING_H

#include "core/core.h"
#include "tailnet/publish.h"

struct core_state;
struct pending_request;

#define AUTH_ID_PREFIX "hskey-authreq-"

struct pending_request *pending_request_find(struct core_state *s, const char *auth_id);
/* Before it is durable (w->published) no one may be told of it: see tx_answer. */
struct pending_request *pending_request_new(struct core_state *s, const struct pending *fields, struct err *e);
void pending_request_decide(struct core_state *s, struct pending_request *w, bool accepted, uint64_t node_id);
void pending_request_expire(struct core_state *s);
/* Answers a call that waited, after the decision. */
typedef void pending_answer(struct core_state *s, struct pending_request *w, struct core_call *call);
void pending_request_wait(struct core_state *s, struct pending_request *w, struct core_call *call,
                          pending_answer *answer);
void pending_request_cancel(struct core_state *s, uint64_t number); /* a call whose sender is gone */
/* At start, from the store; when durable; after a group was refused; at the end. */
void pending_requests_load(struct core_state *s, struct pending *const *items, size_t count);
void pending_request_follow(struct core_state *s, const struct pending *p);
void pending_requests_reset(struct core_state *s);
void pending_request_release(struct core_state *s);

#endif
