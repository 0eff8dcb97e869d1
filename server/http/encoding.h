/* SPDX-License-Identifier: BSD-3-Clause */
/* Long answers in less bytes, for who says that it can read them so (RFC 9110, section 12.5.3; RFC 8878). Nothing here
 * mixes a secret with what a stranger chooses: whoever is answered at length shows a key. */
#ifndef SERVER_HTTP_ENCODING_H
#define SERVER_HTTP_ENCODING_H

#include "http/http.h"

/* Whether Accept-Encoding (NULL: none) takes zstd. */
bool encoding_takes_zstd(const char *accept);

/* Compresses r->out where that is allowed and worth it, and says so in r->encoding. r->encoding_counts is set
 * where the answer depends on what the client takes. On a worker. */
void encoding_apply(struct http_request *r);

#endif
