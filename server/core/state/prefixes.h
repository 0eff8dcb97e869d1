/* SPDX-License-Identifier: BSD-3-Clause */
/* How single prefixes are served: their settings, and what routes are told of them. */
#ifndef SERVER_CORE_STATE_PREFIXES_H
#define SERVER_CORE_STATE_PREFIXES_H

#include "model/record.h"

struct config;
struct core_state;

struct prefix_rule prefix_rule_configured(const struct config *config);

/* As being decided on; borrowed; NULL: as configured for all. */
const struct prefix_settings *prefix_settings_find(struct core_state *s, const struct prefix *p);
/* Makes them what is worked with (remove: nothing is), or what is published, by which prefixes are served. */
void prefix_settings_work(struct core_state *s, const struct prefix_settings *settings, bool remove);
void prefix_settings_publish(struct core_state *s, const struct prefix_settings *settings, bool remove);
/* Those that are published, by prefix; free() the array. */
const struct prefix_settings **prefix_settings_list(struct core_state *s, size_t *count);
/* Routes follow another configuration. */
void prefix_settings_reload(struct core_state *s);
void prefix_settings_reset(struct core_state *s); /* work := published everywhere */
void prefix_settings_release(struct core_state *s);

#endif
