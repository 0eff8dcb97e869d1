/* SPDX-License-Identifier: BSD-3-Clause */
/* Users, their identities at providers, keys, and OAuth clients. */

#include "core/state/accounts.h"
#include "base/mem.h"
#include "core/state/state.h"

struct map *pairs_of(struct core_state *s, enum record_kind kind)
{
    switch (kind) {
    case RECORD_USER:
        return &s->users;
    case RECORD_IDENTITY:
        return &s->identities;
    case RECORD_PREAUTH_KEY:
        return &s->preauth_keys;
    case RECORD_API_KEY:
        return &s->api_keys;
    case RECORD_OAUTH_CLIENT:
        return &s->oauth_clients;
    case RECORD_OAUTH_TOKEN:
        return &s->oauth_tokens;
    case RECORD_WEBHOOK:
        return &s->webhooks;
    default:
        return NULL;
    }
}

struct record_pair *pair_of(struct core_state *s, enum record_kind kind, uint64_t id, bool make)
{
    struct map *pairs = pairs_of(s, kind);
    struct record_pair *c = map_getu(pairs, id);

    if (!c && make) {
        c = mem_alloc(sizeof(*c));
        map_putu(pairs, id, c);
    }
    return c;
}

const struct user *find_user(struct core_state *s, uint64_t id)
{
    const struct record_pair *c = map_getu(&s->users, id);

    return c ? c->work : NULL;
}

const struct preauth_key *find_preauth_key(struct core_state *s, uint64_t id)
{
    const struct record_pair *c = map_getu(&s->preauth_keys, id);

    return c ? c->work : NULL;
}

const struct user *find_user_by_name(struct core_state *s, const char *name, size_t *hits)
{
    const struct user *found = NULL;

    *hits = 0;
    for (struct map_entry *e = map_first(&s->users); e; e = map_next(&s->users, e)) {
        const struct user *u = ((const struct record_pair *)e->value)->work;
        if (u && str_eq(u->name, name)) {
            found = u;
            ++*hits;
        }
    }
    return found;
}
