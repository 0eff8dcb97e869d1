/* SPDX-License-Identifier: BSD-3-Clause */
/* Forms and base64url, as OAuth writes them. */
#ifndef SERVER_LOGIN_ENCODING_H
#define SERVER_LOGIN_ENCODING_H

#include "base/buf.h"

void encode_base64url(struct buf *out, const void *bytes, size_t len); /* without a trailing '=' */
void encode_form(struct buf *out, const char *text);                   /* with the escapes of a form or query */
/* Appends "&name=value", the first one without the '&'. */
void encode_pair(struct buf *form, const char *name, const char *value);

#endif
