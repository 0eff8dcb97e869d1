/* SPDX-License-Identifier: BSD-3-Clause */
/* An operation of the core, and its answer. */
#ifndef SERVER_API_CHANGE_CHANGE_H
#define SERVER_API_CHANGE_CHANGE_H

#include "api/request/endpoint.h"

/* Sends r->admin and answers: on /api/v1 with the object, or {} where the row says nothing of an answer; on
 * /api/headway with {"event","version","result","inverse","text"}. */
enum http_flow change(struct rest_request *r, enum admin_op op);
enum http_flow change_id(struct rest_request *r,
                         enum admin_op op);         /* of the object whose id stands first in the path */
enum http_flow change_done(struct rest_request *r); /* the answer, as a continuation */
/* The same with further members on /api/headway; more may be NULL. */
enum http_flow change_done_with(struct rest_request *r, void (*more)(struct json_out *o, struct rest_request *r));
/* The secret of the webhook that was made, or given another one; the caller's. NULL: of nothing else. */
char *change_secret(struct rest_request *r);
/* The members of an answer that tell of a change: event, events, version, inverse, text. */
void write_change(struct json_out *o, const struct core_admin *a);

#endif
