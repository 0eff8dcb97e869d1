/* SPDX-License-Identifier: BSD-3-Clause */
/* A client's report about itself (GET /debug/health, tailscale health.State). Hostile input. */
#ifndef SERVER_HEALTH_CLIENT_HEALTH_H
#define SERVER_HEALTH_CLIENT_HEALTH_H

#include <stddef.h>

#include "base/err.h"
#include "model/warning.h"

#define CLIENT_HEALTH_MAX (256u << 10) /* bytes */

/* Appends the warnings that matter for a router: not those of low severity (a newer version, ...), nor those that this
 * server sent to the client (tailcfg.DisplayMessage). ERR_INVALID: not a health report. */
int client_health_read(const char *text, size_t len, struct node_warnings *out, struct err *e) WARN_UNUSED;

#endif
