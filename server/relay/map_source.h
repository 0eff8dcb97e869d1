/* SPDX-License-Identifier: BSD-3-Clause */
/* External DERP maps, from files (YAML in headscale's form, or JSON) and from the network (JSON). */
#ifndef SERVER_RELAY_MAP_SOURCE_H
#define SERVER_RELAY_MAP_SOURCE_H

#include "json/json.h"

#define SOURCE_MAX (4u << 20)

/* Merges the regions of a document into regions (an object like DERPMap.Regions): whole regions replace those of the
 * same number, null removes one. Case of member names is ignored, and members unknown to clients are left out. On an
 * error (which names the member) regions is unchanged. */
int source_merge(json_t *regions, const char *text, size_t len, const char *what, struct err *e) WARN_UNUSED;

#endif
