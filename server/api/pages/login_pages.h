/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of logins with OpenID providers. */
#ifndef SERVER_API_PAGES_LOGIN_PAGES_H
#define SERVER_API_PAGES_LOGIN_PAGES_H

#include "api/request/endpoint.h"

/* Begins the login for what waits; id: without what it begins with. */
enum http_flow login_begin_page(struct rest_request *r, const char *id);

#endif
