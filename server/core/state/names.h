/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of nodes: DNS labels (model/label.h), unique in the tailnet. */
#ifndef SERVER_CORE_STATE_NAMES_H
#define SERVER_CORE_STATE_NAMES_H

#include <stdbool.h>

#include "base/err.h"

struct core_state;
struct slot;

void name_unique(struct core_state *s, const char *base, const struct slot *self, char out[64]);
/* A name that someone chose: out is the name as stored, in lower case. */
int name_check(struct core_state *s, const char *name, const struct slot *self, char out[64],
               struct err *e) WARN_UNUSED;

#endif
