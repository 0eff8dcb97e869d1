/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files about policies. */
#ifndef SERVER_API_RESOURCES_POLICY_H
#define SERVER_API_RESOURCES_POLICY_H

#include "api/request/endpoint.h"
#include "policy/policy.h"
#include "tailnet/policy_input.h"

/* Bytes of a body with a policy: JSON may escape a line end or a quote as two bytes. */
#define POLICY_BODY_MAX ((size_t)2 * POLICY_TEXT_MAX + 4096)

void write_findings(struct json_out *o, const struct policy_problems *found); /* findings about a policy */
/* Answers with the problems' own messages; if none is an error, like reply_error. */
enum http_flow reply_problems(struct rest_request *r, const struct err *e, const struct policy_problems *problems);
/* Parses and checks the text of r->admin over the request's snapshot (explain.c). May take long. */
void policy_examine(struct rest_request *r, struct policy_problems *problems, int *code);
/* In explain.c, all over the request's snapshot: the tailnet as policies see it; the policy in force (NULL: none); a
 * view of a policy, with the routers of via groups as in the view in use (NULL: too expensive, as the problems
 * report). */
void policy_input_init(struct tailnet_policy_input *w, struct rest_request *r);
struct policy *policy_in_force(const struct tailnet_snapshot *s);
struct policy_view *policy_view_now(struct rest_request *r, const struct policy *p,
                                    const struct tailnet_policy_input *w, struct policy_problems *problems);
/* The policy text in the body's member policy, at most POLICY_TEXT_MAX bytes; NULL: absent. */
int policy_arg(struct rest_request *r, const char **out) WARN_UNUSED;
enum http_flow policy_change(struct rest_request *r);     /* policy.c: r->admin is filled in */
enum http_flow reach_history_get(struct rest_request *r); /* reach_history.c */
const char *policy_mode(const struct config *c);          /* "file" or "database" */

#endif
