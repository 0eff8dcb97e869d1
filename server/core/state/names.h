/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of nodes: DNS labels, unique in the tailnet. */
#ifndef SERVER_CORE_STATE_NAMES_H
#define SERVER_CORE_STATE_NAMES_H

#include <stdbool.h>

#include "base/err.h"

struct core_state;
struct slot;

void name_sanitise(const char *hostname, char out[64]); /* a DNS label, "node" when nothing is left */
void name_unique(struct core_state *s, const char *base, const struct slot *self, char out[64]);
int name_check(struct core_state *s, const char *name, const struct slot *self, struct err *e) WARN_UNUSED;
bool name_is_derived(const char *given_name, const char *hostname);

#endif
