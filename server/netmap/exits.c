/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/exits.h"

static struct exit_choice *find(struct netmap_session *s, uint32_t slot)
{
    for (size_t i = 0; i < s->exits.len; i++)
        if (s->exits.items[i].slot == slot)
            return &s->exits.items[i];
    return NULL;
}

void exits_forget(struct netmap_session *s, uint32_t slot)
{
    struct exit_choice *known = find(s, slot);

    if (!known)
        return;
    vec_remove(&s->exits, (size_t)(known - s->exits.items));
    s->exits_changed = true;
}

static bool may_choose(const struct netmap_access *a, const struct tailnet_node *self, const struct tailnet_node *peer,
                       const struct peer_view *view)
{
    struct peer_view found = {0};

    if (!peer->live.online || peer->expired || !access_suggests(peer) || !node_is_exit(peer->record))
        return false;
    if (!view)
        access_peer(a, self, peer, &found);
    else if (view->hash)
        return prefixes_has_exit(&view->routes);
    bool may = !found.hash || prefixes_has_exit(&found.routes);
    prefixes_release(&found.routes);
    return may;
}

void exits_note(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                const struct tailnet_node *peer, const struct peer_view *view)
{
    struct exit_choice *known = find(s, peer->slot), now = {peer->slot, peer->record->r.id, peer->record->priority};

    if (!may_choose(a, self, peer, view)) {
        exits_forget(s, peer->slot);
        return;
    }
    if (known && known->id == now.id && known->priority == now.priority)
        return;
    if (known)
        *known = now;
    else
        vec_push(&s->exits, now);
    s->exits_changed = true;
}

void exits_first(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self)
{
    for (size_t b = 0; b < a->snapshot->block_count; b++) {
        uint64_t exits = a->snapshot->blocks[b]->exits;
        if (!exits)
            continue;
        exits &= access_block(a, self, b);
        for (unsigned k = 0; exits >> k && k < TAILNET_BLOCK; k++)
            if (exits >> k & 1)
                exits_note(s, a, self, a->snapshot->blocks[b]->nodes[k], NULL);
    }
    s->exits_changed = false;
}
