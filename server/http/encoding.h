/* SPDX-License-Identifier: BSD-3-Clause */
/* Compresses long answers for clients that accept it (RFC 9110, section 12.5.3; RFC 8878). No answer mixes a secret
 * with text that a stranger chooses: only requests with a key get long answers. */
#ifndef SERVER_HTTP_ENCODING_H
#define SERVER_HTTP_ENCODING_H

#include "http/http.h"

/* Whether Accept-Encoding (NULL: none) allows zstd. */
bool encoding_takes_zstd(const char *accept);

/* Compresses r->out where that is allowed and worthwhile, and sets r->encoding. Sets r->encoding_counts where the
 * answer depends on what the client accepts. On a worker. */
void encoding_apply(struct http_request *r);

#endif
