/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/sent.h"

#include "base/bits.h"

#define USER_BITS (1u << 20) /* profiles of users with higher ids are sent with each of their nodes */

static bool has_bit(const uint64_t *words, size_t len, uint64_t i)
{
    return i / 64 < len && bit_has(words, (uint32_t)i);
}

static void set_bit(uint64_t **words, size_t *len, uint32_t i, bool on)
{
    if (i / 64 >= *len) {
        if (!on)
            return;
        size_t more = (size_t)(i / 64) + 1;
        *words = mem_resize(*words, more, sizeof(**words));
        memset(*words + *len, 0, (more - *len) * sizeof(**words));
        *len = more;
    }
    if (on)
        bit_set(*words, i);
    else
        bit_clear(*words, i);
}

bool sent_peer(const struct netmap_session *s, uint32_t slot)
{
    return has_bit(s->peers.words, s->peers.len, slot);
}

void set_sent_peer(struct netmap_session *s, uint32_t slot, bool sent)
{
    set_bit(&s->peers.words, &s->peers.len, slot, sent);
    if (!sent)
        set_sent_view(s, slot, 0);
}

void set_sent_block(struct netmap_session *s, size_t block, uint64_t mask, size_t blocks)
{
    if (s->peers.len < blocks) {
        s->peers.words = mem_resize(s->peers.words, blocks, sizeof(*s->peers.words));
        memset(s->peers.words + s->peers.len, 0, (blocks - s->peers.len) * sizeof(*s->peers.words));
        s->peers.len = blocks;
    }
    s->peers.words[block] = mask;
}

bool sent_user(const struct netmap_session *s, uint64_t id)
{
    return id == TAGGED_USER_ID ? s->tagged_sent : has_bit(s->users.words, s->users.len, id);
}

void set_sent_user(struct netmap_session *s, uint64_t id)
{
    if (id == TAGGED_USER_ID)
        s->tagged_sent = true;
    else if (id < USER_BITS)
        set_bit(&s->users.words, &s->users.len, (uint32_t)id, true);
}

void nearest_sent(struct netmap_session *s, const struct tailnet_snapshot *snapshot)
{
    if (s->nearest == snapshot->nearest)
        return;
    tailnet_nearest_unref(s->nearest);
    s->nearest = tailnet_nearest_ref(snapshot->nearest);
}

uint64_t sent_view(const struct netmap_session *s, uint32_t slot)
{
    for (size_t i = 0; i < s->views.len; i++)
        if (s->views.items[i].slot == slot)
            return s->views.items[i].hash;
    return 0;
}

void set_sent_view(struct netmap_session *s, uint32_t slot, uint64_t hash)
{
    for (size_t i = 0; i < s->views.len; i++) {
        if (s->views.items[i].slot != slot)
            continue;
        s->views.items[i].hash = hash;
        if (!hash)
            vec_remove(&s->views, i);
        return;
    }
    if (hash)
        vec_push(&s->views, ((struct sent_view){slot, hash}));
}
