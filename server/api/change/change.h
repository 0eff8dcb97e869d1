/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of the core, and their answers. */
#ifndef SERVER_API_CHANGE_CHANGE_H
#define SERVER_API_CHANGE_CHANGE_H

#include "api/request/endpoint.h"

/* Sends r->admin to the core and answers: on /api/v1 with the object, or {} if the row names no answer; on /api/headway
 * with {"event","version","result","inverse","text"}. */
enum http_flow change(struct rest_request *r, enum admin_op op);
enum http_flow change_id(struct rest_request *r,
                         enum admin_op op);         /* on the object whose id is the first parameter of the path */
enum http_flow change_done(struct rest_request *r); /* writes the answer; a continuation */
/* The same with additional members on /api/headway; more may be NULL. */
enum http_flow change_done_with(struct rest_request *r, void (*more)(struct json_out *o, struct rest_request *r));
/* The secret of a webhook that was made or rotated; caller frees. NULL: the change made none. */
char *change_secret(struct rest_request *r);
/* Writes the members of an answer that describe a change: event, events, version, inverse, text. */
void write_change(struct json_out *o, const struct core_admin *a);

#endif
