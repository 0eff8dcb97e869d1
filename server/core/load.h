/* SPDX-License-Identifier: BSD-3-Clause */
/* From the store to the first snapshot. */
#ifndef SERVER_CORE_LOAD_H
#define SERVER_CORE_LOAD_H

#include "base/err.h"

struct core_state;

int state_load(struct core_state *s, struct err *e) WARN_UNUSED;
/* Frees everything that the state owns. */
void state_release(struct core_state *s);

#endif
