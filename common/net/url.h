/* SPDX-License-Identifier: BSD-3-Clause */
/* Decoding of the target of a request (RFC 3986). */
#ifndef COMMON_NET_URL_H
#define COMMON_NET_URL_H

#include <stdbool.h>

#include "base/arena.h"

/* Decodes %XX; NULL for a bad escape, a NUL or invalid UTF-8. plus: '+' becomes a space. */
const char *url_unescape(struct arena *arena, const char *text, size_t len, bool plus);

/* The value of the first parameter of that name in "a=1&b=2"; NULL if absent or badly escaped. */
const char *url_parameter(struct arena *arena, const char *query, const char *name);

#endif
