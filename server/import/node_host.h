/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: converts Hostinfo as headscale stored it to what a node's record keeps of it. */
#ifndef SERVER_IMPORT_NODE_HOST_H
#define SERVER_IMPORT_NODE_HOST_H

#include "model/record.h"
#include "json/json.h"

#define HOST_INFO_MAX (1u << 20) /* bytes of one */

/* A member of the wrong kind is left out: the client sends everything again when it connects. */
void node_host_read(const json_t *host, struct node *n, struct node_live *live);

#endif
