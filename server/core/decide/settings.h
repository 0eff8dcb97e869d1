/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings from the configuration that are the same for everyone. */
#ifndef SERVER_CORE_DECIDE_SETTINGS_H
#define SERVER_CORE_DECIDE_SETTINGS_H

struct config;
struct core_state;

void settings_from_config(struct core_state *s);
void settings_reload(struct core_state *s, const struct config *config);
void settings_set_derp(struct core_state *s, const char *json);

#endif
