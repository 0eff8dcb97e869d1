/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages for people, documentation, metrics. */
#ifndef SERVER_API_PAGES_TABLES_H
#define SERVER_API_PAGES_TABLES_H

#include "http/http.h"

extern const struct http_table docs_table, pages_table, login_pages_table, devices_table, metrics_table, debug_table;

#endif
