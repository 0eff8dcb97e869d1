/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to requests that nobody gets. The connection ends with them. */
#ifndef SERVER_FRONT_REFUSAL_H
#define SERVER_FRONT_REFUSAL_H

#include "base/buf.h"
#include "net/addr.h"

void refusal_put(struct buf *out, const char *status, const char *why);
/* The status for what head_parse and framing_begin complain of. */
const char *refusal_status(const struct err *e);
void refusal_log(const struct addr_port *peer, const char *why);

#endif
