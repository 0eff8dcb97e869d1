/* SPDX-License-Identifier: BSD-3-Clause */
/* How single prefixes are served: their settings, and the rules given to routes. */
#ifndef SERVER_CORE_STATE_PREFIXES_H
#define SERVER_CORE_STATE_PREFIXES_H

#include "model/record.h"

struct config;
struct core_state;

struct prefix_rule prefix_rule_configured(const struct config *config);

/* The working version; borrowed; NULL: the configured defaults. */
const struct prefix_settings *prefix_settings_find(struct core_state *s, const struct prefix *p);
/* Sets the working (remove: none) or the published settings; prefixes are served by the latter. */
void prefix_settings_work(struct core_state *s, const struct prefix_settings *settings, bool remove);
void prefix_settings_publish(struct core_state *s, const struct prefix_settings *settings, bool remove);
/* The published settings, by prefix; free() the array. */
const struct prefix_settings **prefix_settings_list(struct core_state *s, size_t *count);
/* Applies a reloaded configuration to routes. */
void prefix_settings_reload(struct core_state *s);
void prefix_settings_reset(struct core_state *s); /* work := published everywhere */
void prefix_settings_release(struct core_state *s);

#endif
