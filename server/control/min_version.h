/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CONTROL_MIN_VERSION_H
#define SERVER_CONTROL_MIN_VERSION_H

#include "rpc/rpc.h"

#define TOO_OLD_TEXT_MAX 128

/* The message for a client older than CONTROL_MIN_VERSION, by its connection or by its request (version; 0: not sent):
 * "Tailscale 1.78 is too old ...". NULL: it is not too old. */
const char *too_old(const struct rpc *rpc, unsigned version, char text[TOO_OLD_TEXT_MAX]);

#endif
