/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers as libmicrohttpd takes them. MHD_NO: it does not, and closes the connection. */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include <microhttpd.h>

#include "http/http.h"

/* A text; the connection is closed after it. */
enum MHD_Result answer_plain(struct MHD_Connection *c, unsigned status, const char *text);
/* What the request's answer is; its bytes or its source are given away. */
enum MHD_Result answer_request(struct MHD_Connection *c, struct http_request *r);

#endif
