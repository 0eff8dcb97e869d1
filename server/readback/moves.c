/* SPDX-License-Identifier: BSD-3-Clause */
/* Which prefixes moved, and who sees them. */
#include "readback/moves.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/core.h"
#include "policy/policy.h"

static void move_free(struct readback_move *m)
{
    prefixes_release(&m->prefixes);
    vec_release(&m->followers);
    free(m);
}

void moves_release(struct readback *r)
{
    for (size_t i = 0; i < r->moves.len; i++)
        move_free(r->moves.items[i]);
    vec_release(&r->moves);
    map_release(&r->primaries);
}

struct readback_move *moves_find(struct readback *r, uint64_t number)
{
    for (size_t i = 0; i < r->moves.len; i++)
        if (r->moves.items[i]->number == number)
            return r->moves.items[i];
    return NULL;
}

/* ---- who sees them ---- */

static bool sees(const struct policy_view *v, const struct tailnet_node *n, const struct tailnet_node *router,
                 const struct prefixes *moved)
{
    struct prefixes shown = {0}, seen = {0};

    if (!v)
        return true;
    policy_routes(v, n->slot, router->slot, &shown);
    prefixes_and(&seen, &shown, moved);
    bool any = policy_sees(v, n->slot, router->slot) && seen.len;
    prefixes_release(&shown);
    prefixes_release(&seen);
    return any;
}

/* Each viewer has the same chance to be in the sample. */
static void add_viewer(struct readback_move *m, uint64_t node, int64_t now_ms)
{
    struct route_follower f = {.node = node, .silent = true, .due_ms = now_ms};

    m->viewers++;
    if (m->followers.len < SAMPLE_MAX) {
        vec_push(&m->followers, f);
        return;
    }
    uint64_t at = random_below(m->viewers);
    if (at < SAMPLE_MAX)
        m->followers.items[at] = f;
}

/* The policy is held for a block at a time: a failover never waits for all of it. */
static void find_viewers(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m, int64_t now_ms)
{
    const struct tailnet_node *router = snapshot_node_by_id(s, m->to);

    for (size_t b = 0; router && b < s->block_count; b++) {
        const struct policy_view *v = tailnet_policy_read(r->options.tailnet);
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            if (n && n != router && n->record->r.id != m->from && n->live.online && n->record->authorized &&
                sees(v, n, router, &m->prefixes))
                add_viewer(m, n->record->r.id, now_ms);
        }
        tailnet_policy_done(r->options.tailnet);
    }
}

/* ---- what moved ---- */

static struct readback_move *move_between(struct readback_move **fresh, size_t count, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < count; i++)
        if (fresh[i]->from == from && fresh[i]->to == to)
            return fresh[i];
    return NULL;
}

static void keep(struct readback *r, struct readback_move *m)
{
    pthread_mutex_lock(&r->lock);
    m->number = ++r->next_number;
    if (r->moves.len == MOVES_MAX) {
        move_free(r->moves.items[0]);
        vec_remove(&r->moves, 0);
    }
    vec_push(&r->moves, m);
    pthread_mutex_unlock(&r->lock);
}

void moves_look(struct readback *r, const struct tailnet_snapshot *s)
{
    VEC(struct readback_move *) fresh = {0};
    int64_t now_ms = clock_mono_ms();

    for (size_t i = 0; i < s->primary_count; i++) {
        const struct primary *p = s->primaries[i];
        uint64_t was =
            (uint64_t)(uintptr_t)map_put(&r->primaries, &p->prefix, sizeof(p->prefix), (void *)(uintptr_t)p->r.id);
        if (!r->looked || was == p->r.id)
            continue;
        struct readback_move *m = move_between(fresh.items, fresh.len, was, p->r.id);
        if (!m) {
            m = mem_alloc(sizeof(*m));
            *m = (struct readback_move){.from = was, .to = p->r.id, .moved_ns = p->since_ns, .moved_ms = now_ms};
            vec_push(&fresh, m);
        }
        prefixes_add(&m->prefixes, &p->prefix);
    }
    r->looked = true;
    for (size_t i = 0; i < fresh.len; i++) {
        find_viewers(r, s, fresh.items[i], now_ms);
        keep(r, fresh.items[i]);
    }
    vec_release(&fresh);
}

void move_settle(struct readback *r, struct readback_move *m, int64_t now_ms)
{
    size_t followed, unsupported, gone;
    struct buf text = BUF_INIT(0);

    move_counts(m, &followed, &unsupported, &gone);
    bool all = followed + unsupported + gone == m->followers.len;
    if (m->ended || (!all && now_ms < m->moved_ms + ENDS_MS))
        return;
    m->ended = true;
    if (followed == 0 && all)
        return; /* there was nobody to ask */
    move_say(r, m, &text);
    core_note_followers(r->options.core, m->to, &m->prefixes, all, now_ms - m->moved_ms, buf_text(&text));
    buf_release(&text);
}
