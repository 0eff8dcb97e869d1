/* SPDX-License-Identifier: BSD-3-Clause */
/* What several files say of a policy. */
#ifndef SERVER_API_RESOURCES_POLICY_H
#define SERVER_API_RESOURCES_POLICY_H

#include "api/request/endpoint.h"
#include "policy/policy.h"

/* Of a body that holds a policy: JSON may write a line's end and a quote in two bytes. */
#define POLICY_BODY_MAX ((size_t)2 * POLICY_TEXT_MAX + 4096)

void write_findings(struct json_out *o, const struct policy_problems *found); /* of a policy */
/* With the problems' own words; without an error among them like reply_error. */
enum http_flow reply_problems(struct rest_request *r, const struct err *e, const struct policy_problems *problems);
/* Reads and checks the text of r->admin over the request's snapshot; explain.c. Takes its time. */
void policy_examine(struct rest_request *r, struct policy_problems *problems, int *code);
enum http_flow policy_change(struct rest_request *r); /* policy.c: r->admin is filled */
const char *policy_mode(const struct config *c);      /* "file" or "database" */

#endif
