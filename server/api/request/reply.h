/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers. */
#ifndef SERVER_API_REQUEST_REPLY_H
#define SERVER_API_REQUEST_REPLY_H

#include "api/request/endpoint.h"

struct json_out reply_json(struct rest_request *r);  /* empties the answer: status 200, with JSON to be written */
enum http_flow reply_object(struct rest_request *r); /* {} */
enum http_flow reply_error(struct rest_request *r, const struct err *e); /* in the call's dialect */
enum http_flow reply_error_with(struct rest_request *r, const struct err *e,
                                const char *current); /* current: JSON, or NULL */
enum http_flow reply_code(struct rest_request *r, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Writes the body of an error. */
void error_write(struct buf *out, enum dialect dialect, int status, const struct err *e, const char *words,
                 const char *current); /* words NULL: the message of e */

#endif
