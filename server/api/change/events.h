/* SPDX-License-Identifier: BSD-3-Clause */
/* The event stream. */
#ifndef SERVER_API_CHANGE_EVENTS_H
#define SERVER_API_CHANGE_EVENTS_H

#include "api/request/endpoint.h"

int events_start(struct api *api, struct event_hub **out, struct err *e) WARN_UNUSED;
void events_end_streams(struct event_hub *hub); /* ends every stream and refuses new ones */
void events_stop(struct event_hub *hub);
void events_expect(struct event_hub *hub); /* a client took a snapshot and will soon follow from it */
size_t events_stream_count(struct event_hub *hub);
/* Answers with the event stream; since NULL or "": from now on. */
enum http_flow events_follow(struct rest_request *r, const char *since);

#endif
