/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_MAP_H
#define SERVER_RELAY_MAP_H

#include "relay/state.h"

/* The clients' relay map: merges the files and URLs of the configuration and the own region, and passes the result to
 * the core at once and whenever it changes. */
struct relay_map *relay_map_new(struct relay *r, const struct config *c);
void relay_map_reload(struct relay_map *m, const struct config *c);
void relay_map_free(struct relay_map *m);

/* region.c: appends this relay's own member of Regions, as JSON text ("\"999\":{...}"); nothing if it is switched
 * off. */
void relay_region(const struct relay *r, const struct config *c, struct buf *out);

#endif
