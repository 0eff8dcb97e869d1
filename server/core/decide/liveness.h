/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, and whether a node is online and healthy. */
#ifndef SERVER_CORE_DECIDE_LIVENESS_H
#define SERVER_CORE_DECIDE_LIVENESS_H

#include "core/core.h"

struct core_state;
struct slot;

void session_open(struct core_state *s, struct slot *slot, const char *source, uint64_t *id);
void session_end_run(struct core_state *s, uint64_t id, enum session_end why);
void session_dead_run(struct core_state *s, uint64_t id, int64_t heard_ms);
void session_health_run(struct core_state *s, uint64_t id, bool healthy, int64_t asked_ms);
void node_cloned_run(struct core_state *s, uint64_t node_id, const char *where);
void node_asked_run(struct core_state *s, uint64_t node_id, const char *actor, const char *what);
void slot_end_damping(struct core_state *s, struct slot *slot); /* unless it has gone away again */
/* When its key expired or it logged out, or when that was reverted. */
void slot_follow_expiry(struct core_state *s, struct slot *slot);
void slot_offline(struct core_state *s, struct slot *slot, const char *why);
void note_followers_run(struct core_state *s, uint64_t node, bool all_follow, const char *actor, const char *text,
                        const char *detail);

#endif
