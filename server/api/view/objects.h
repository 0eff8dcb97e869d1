/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes whole objects and lists into an answer. */
#ifndef SERVER_API_VIEW_OBJECTS_H
#define SERVER_API_VIEW_OBJECTS_H

#include "api/request/endpoint.h"
#include "api/view/view.h"

void write_node(struct json_out *o, struct api_view *v, const struct tailnet_node *n, enum api_scope scope);
void write_nodes(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_nodes_by_name(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_user(struct json_out *o, struct api_view *v, const struct user *u, enum api_scope scope);
void write_users(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_preauth_key(struct json_out *o, struct api_view *v, const struct preauth_key *k, const char *whole,
                       enum api_scope scope);
void write_preauth_keys(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_api_key(struct json_out *o, const struct api_key *k, const char *whole, enum api_scope scope);
void write_api_keys(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_oauth_client(struct json_out *o, const struct oauth_client *c, const char *whole, enum api_scope scope);
void write_oauth_clients(struct json_out *o, struct api_view *v, enum api_scope scope);
/* secret: in the answer to its creation; otherwise NULL. */
void write_webhook(struct json_out *o, const struct webhook *w, const char *secret, enum api_scope scope);
void write_webhooks(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_pending(struct json_out *o, struct api_view *v, const struct pending *p);
void write_pendings(struct json_out *o, struct api_view *v, enum api_scope scope);
/* The prefix as it is, or would be with these settings; NULL: none. */
void write_prefix(struct json_out *o, struct api_view *v, const struct prefix *p,
                  const struct prefix_settings *settings);
void write_prefixes(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_event(struct json_out *o, const struct event *e);
void write_message(struct json_out *o, const struct server_message *m, enum api_scope scope); /* NULL: none */
void write_dns(struct json_out *o, const struct config *c, const struct dns_settings *own); /* NULL: nothing was set */
void write_event_id(struct json_out *o, const char *key, uint64_t run, uint64_t seq);

/* Answers {"NAME": [...]} with the entries that write writes. */
typedef void write_list(struct json_out *o, struct api_view *v, enum api_scope scope);
enum http_flow reply_list(struct rest_request *r, const char *name, write_list *write);
enum api_scope scope_of(const struct rest_request *r);

#endif
