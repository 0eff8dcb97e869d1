/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands escaped in the target of a request (RFC 3986). */
#ifndef COMMON_NET_URL_H
#define COMMON_NET_URL_H

#include <stdbool.h>

#include "base/arena.h"

/* %XX in place of bytes; NULL for a bad escape, a NUL or invalid UTF-8. plus: '+' is a blank. */
const char *url_unescape(struct arena *arena, const char *text, size_t len, bool plus);

/* The value of the first parameter of that name in "a=1&b=2"; NULL: there is none, or it holds a bad escape. */
const char *url_parameter(struct arena *arena, const char *query, const char *name);

#endif
