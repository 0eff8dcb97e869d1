/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client says of itself (GET /debug/health, tailscale health.State). Hostile input. */
#ifndef SERVER_HEALTH_CLIENT_HEALTH_H
#define SERVER_HEALTH_CLIENT_HEALTH_H

#include <stddef.h>

#include "base/err.h"
#include "model/warning.h"

#define CLIENT_HEALTH_MAX (256u << 10) /* bytes */

/* Appends what matters for a router; what is of low severity (a newer version, ...) does not, nor what this server has
 * told the client (tailcfg.DisplayMessage). ERR_INVALID: it is no
 * health. */
int client_health_read(const char *text, size_t len, struct node_warnings *out, struct err *e) WARN_UNUSED;

#endif
