/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems of an online node: who reports them, since when and until when. */
#ifndef SERVER_CORE_DECIDE_WARNINGS_H
#define SERVER_CORE_DECIDE_WARNINGS_H

#include "core/core.h"

struct core_state;
struct slot;

/* Replaces all that the source reported earlier with now, whose items must be of that source. */
void slot_set_warnings(struct core_state *s, struct slot *slot, enum warning_source source,
                       const struct node_warnings *now);
/* The flags of a map request. */
void slot_take_flags(struct core_state *s, struct slot *slot, const struct strs *flags);
void node_warnings_run(struct core_state *s, uint64_t node_id, const struct node_warnings *now);

#endif
