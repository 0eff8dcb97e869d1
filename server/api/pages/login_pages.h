/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of OpenID logins. */
#ifndef SERVER_API_PAGES_LOGIN_PAGES_H
#define SERVER_API_PAGES_LOGIN_PAGES_H

#include "api/request/endpoint.h"

/* Begins the login for the pending request; id is without its prefix. */
enum http_flow login_begin_page(struct rest_request *r, const char *id);

#endif
