/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of other origins (the Fetch standard's CORS protocol): a browser lets them read an answer where the answer says
 * so. Cookies are for logins in a browser
 * only: whoever asks for more than a page shows an API key. */
#ifndef SERVER_HTTP_ORIGIN_H
#define SERVER_HTTP_ORIGIN_H

#include <microhttpd.h>

#include "http/http.h"

/* The one of origins that said is, or "*"; NULL: none. */
const char *origin_find(const struct strs *origins, const char *said);

/* A browser's question whether it may ask something. Not with a body. */
bool origin_is_preflight(struct MHD_Connection *c, const struct http_request *r);
void origin_answer_preflight(struct http_request *r);

void origin_add_headers(struct MHD_Response *response, const struct http_request *r);

#endif
