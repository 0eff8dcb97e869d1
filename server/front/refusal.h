/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to requests that are served by no room. They end the connection. */
#ifndef SERVER_FRONT_REFUSAL_H
#define SERVER_FRONT_REFUSAL_H

#include "base/buf.h"
#include "net/addr.h"

void refusal_put(struct buf *out, const char *status, const char *why);
/* The status for an error of head_parse or framing_begin. */
const char *refusal_status(const struct err *e);
void refusal_log(const struct addr_port *peer, const char *why);

#endif
