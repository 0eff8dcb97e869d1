/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows when a record of a kind is durable. */
#ifndef SERVER_CORE_FOLLOW_H
#define SERVER_CORE_FOLLOW_H

struct core_state;
struct store_write;

/* actor: the administrator who caused the write, NULL: none did. */
void commit_follow(struct core_state *s, const struct store_write *w, const char *actor);

#endif
