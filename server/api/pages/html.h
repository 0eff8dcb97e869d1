/* SPDX-License-Identifier: BSD-3-Clause */
/* HTML pages: the caller writes the body into the answer; page_text escapes its argument. */
#ifndef SERVER_API_PAGES_HTML_H
#define SERVER_API_PAGES_HTML_H

#include "api/request/endpoint.h"

void html_escape(struct buf *out, const char *text);
void page_begin(struct rest_request *r, int status, const char *title);
void page_text(struct rest_request *r, const char *element, const char *text);
enum http_flow page_end(struct rest_request *r);

#endif
