/* SPDX-License-Identifier: BSD-3-Clause */
/* Users, their identities at providers, pre-auth keys and API keys, by id. */
#ifndef SERVER_CORE_STATE_ACCOUNTS_H
#define SERVER_CORE_STATE_ACCOUNTS_H

#include "base/map.h"
#include "model/record.h"

struct core_state;

struct map *pairs_of(struct core_state *s, enum record_kind kind); /* id -> struct record_pair; NULL: another kind */
struct record_pair *pair_of(struct core_state *s, enum record_kind kind, uint64_t id, bool make);

/* The working version; borrowed; NULL: unknown. */
const struct user *find_user(struct core_state *s, uint64_t id);
const struct user *find_user_by_name(struct core_state *s, const char *name, size_t *hits);
const struct preauth_key *find_preauth_key(struct core_state *s, uint64_t id);

#endif
