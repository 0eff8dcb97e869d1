/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a node that is online: who says so, since when, and until when. */
#ifndef SERVER_CORE_DECIDE_WARNINGS_H
#define SERVER_CORE_DECIDE_WARNINGS_H

#include "core/core.h"

struct core_state;
struct slot;

/* All that the source says now, in place of what it said before. The items of now are those of that source. */
void slot_set_warnings(struct core_state *s, struct slot *slot, enum warning_source source,
                       const struct node_warnings *now);
/* The flags of a map request. */
void slot_take_flags(struct core_state *s, struct slot *slot, const struct strs *flags);
void node_warnings_run(struct core_state *s, uint64_t node_id, const struct node_warnings *now);

#endif
