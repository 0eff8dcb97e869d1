/* SPDX-License-Identifier: BSD-3-Clause */
/* DERP maps of others, from files (YAML as headscale has it, or JSON) and from the network (JSON). */
#ifndef SERVER_RELAY_MAP_SOURCE_H
#define SERVER_RELAY_MAP_SOURCE_H

#include "json/json.h"

#define SOURCE_MAX (4u << 20)

/* Puts the regions of a document into regions (an object, as DERPMap.Regions): whole regions replace those of the same
 * number, null removes one. Member names count in any case, members that no client knows are left out. On an error
 * (which names the member) regions is as it was. */
int source_merge(json_t *regions, const char *text, size_t len, const char *what, struct err *e) WARN_UNUSED;

#endif
