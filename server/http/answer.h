/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes answers to libmicrohttpd. MHD_NO: it refused the answer, and closes the connection. */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include <microhttpd.h>

#include "http/endless.h"

/* Answers with a text and closes the connection. */
enum MHD_Result answer_plain(struct MHD_Connection *c, unsigned status, const char *text);
/* Sends the request's answer; takes its bytes or its source, which endless watches the client of. */
enum MHD_Result answer_request(struct MHD_Connection *c, struct http_request *r, struct http_endless *endless);

#endif
