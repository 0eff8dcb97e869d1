/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of other origins (the Fetch standard's CORS protocol): a browser lets them read an answer only where the answer
 * permits it. Cookies are for logins in a browser only: everything but a page needs an API key. */
#ifndef SERVER_HTTP_ORIGIN_H
#define SERVER_HTTP_ORIGIN_H

#include <microhttpd.h>

#include "http/http.h"

/* The entry of origins that matches said, or "*"; NULL: none. */
const char *origin_find(const struct strs *origins, const char *said);

/* Whether the request is a CORS preflight. One with a body is not. */
bool origin_is_preflight(struct MHD_Connection *c, const struct http_request *r);
void origin_answer_preflight(struct http_request *r);

void origin_add_headers(struct MHD_Response *response, const struct http_request *r);

#endif
