/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds which prefixes moved, for everybody or within a via group, and who sees them. */
#include "readback/moves.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "core/core.h"
#include "policy/policy.h"

static void move_free(struct readback_move *m)
{
    prefixes_release(&m->prefixes);
    vec_release(&m->followers);
    free(m->via);
    free(m->actor);
    free(m);
}

void moves_release(struct readback *r)
{
    for (size_t i = 0; i < r->moves.len; i++)
        move_free(r->moves.items[i]);
    vec_release(&r->moves);
    map_release(&r->primaries);
    tailnet_nearest_unref(r->nearest);
    map_release(&r->users);
}

struct readback_move *moves_find(struct readback *r, uint64_t number)
{
    for (size_t i = 0; i < r->moves.len; i++)
        if (r->moves.items[i]->number == number)
            return r->moves.items[i];
    return NULL;
}

/* ---- who sees them ---- */

/* A via group whose router is the new primary too leads the viewer: that it uses that router proves nothing about this
 * move. */
static bool is_led_there(const struct readback_move *m, const struct tailnet_snapshot *s, const struct policy_view *v,
                         const struct tailnet_node *viewer)
{
    const struct prefix *p = &m->prefixes.items[0];

    if (!v || !policy_leads(v, viewer->slot, p))
        return false;
    for (size_t i = 0; i < s->via_primary_count; i++)
        if (s->via_primaries[i]->r.id == m->to && prefix_cmp(&s->via_primaries[i]->prefix, p) == 0)
            return true;
    return false;
}

/* Whether the move affects the viewer at all. */
static bool concerns(const struct readback_move *m, const struct tailnet_snapshot *s, const struct policy_view *v,
                     const struct tailnet_node *viewer)
{
    if (m->via)
        return v && policy_leads(v, viewer->slot, &m->prefixes.items[0]);
    return !is_led_there(m, s, v, viewer);
}

static const struct tailnet_node *primary_of(const struct tailnet_snapshot *s, const struct prefix *p)
{
    for (size_t i = 0; i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, p) == 0)
            return snapshot_node_by_id(s, s->primaries[i]->r.id);
    return NULL;
}

uint64_t move_expects(const struct readback_move *m, const struct tailnet_snapshot *s, const struct policy_view *v,
                      const struct tailnet_node *viewer, struct prefixes *out)
{
    const struct prefix *p = &m->prefixes.items[0];
    const struct tailnet_node *primary = m->nearest ? primary_of(s, p) : snapshot_node_by_id(s, m->to);
    const struct nearest_prefix *near = m->via ? NULL : tailnet_nearest_find(s->nearest, p);
    uint32_t nearer = near ? tailnet_nearer_router(near, v, viewer->slot) : TAILNET_SLOT_NONE;
    struct prefixes shown = {0};

    prefixes_release(out);
    if (!primary || !concerns(m, s, v, viewer))
        return 0;
    if (v && policy_sees(v, viewer->slot, primary->slot))
        policy_routes(v, viewer->slot, primary->slot, &shown);
    else if (!v)
        prefixes_copy(&shown, &primary->serving);
    prefixes_and(out, &shown, &m->prefixes);
    prefixes_release(&shown);
    const struct tailnet_node *router = nearer == TAILNET_SLOT_NONE ? primary : snapshot_node(s, nearer);
    return router && out->len ? router->record->r.id : 0;
}

/* Each viewer has the same chance to be in the sample. */
void move_add_viewer(struct readback_move *m, uint64_t node, int64_t now_ms)
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

/* The policy is locked for a block at a time, so that a failover never waits for all of it. */
static void find_viewers(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m, int64_t now_ms)
{
    struct prefixes expected = {0};

    for (size_t b = 0; b < s->block_count; b++) {
        const struct policy_view *v = tailnet_policy_read(r->options.tailnet);
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            if (n && n->record->r.id != m->to && n->record->r.id != m->from && n->live.online &&
                n->record->authorized && move_expects(m, s, v, n, &expected) == m->to)
                move_add_viewer(m, n->record->r.id, now_ms);
        }
        tailnet_policy_done(r->options.tailnet);
    }
    prefixes_release(&expected);
}

/* ---- what moved ---- */

typedef VEC(struct readback_move *) move_list;

/* Moves within one group between the same routers, by the same administrator, are one move. The nearest router differs
 * by prefix. */
static struct readback_move *move_between(const move_list *fresh, const struct tailnet_snapshot *s,
                                          const struct prefix *p, const char *via, uint64_t from, uint64_t to,
                                          const char *actor)
{
    for (size_t i = 0; i < fresh->len && !tailnet_nearest_find(s->nearest, p); i++) {
        struct readback_move *m = fresh->items[i];
        if (m->from == from && m->to == to && str_eq(m->via ? m->via : "", via) &&
            str_eq(m->actor ? m->actor : "", actor) && !tailnet_nearest_find(s->nearest, &m->prefixes.items[0]))
            return m;
    }
    return NULL;
}

void move_keep(struct readback *r, struct readback_move *m)
{
    m->number = ++r->next_number;
    if (r->moves.len == MOVES_MAX) {
        r->forgot |= !r->moves.items[0]->complete;
        move_free(r->moves.items[0]);
        vec_remove(&r->moves, 0);
    }
    vec_push(&r->moves, m);
}

/* A prefix within a group; via "": for everybody. */
struct served {
    struct prefix prefix;
    const char *via;
};

static void name_served(const struct prefix *p, const char *via, struct buf *out)
{
    buf_clear(out);
    buf_add(out, p, sizeof(*p));
    buf_adds(out, via);
}

/* Notes the router of the prefix, and a move if it was another one before. via "": for everybody. */
static void look_at(struct readback *r, const struct tailnet_snapshot *s, const struct prefix *p, const char *via,
                    uint64_t to, int64_t since_ns, const char *actor, move_list *fresh)
{
    struct buf key = BUF_INIT(0);

    name_served(p, via, &key);
    uint64_t was = (uint64_t)(uintptr_t)map_put(&r->primaries, buf_text(&key), key.len, (void *)(uintptr_t)to);
    buf_release(&key);
    if (!r->looked || was == to)
        return;
    struct readback_move *m = move_between(fresh, s, p, via, was, to, actor);
    if (!m) {
        m = mem_alloc(sizeof(*m));
        *m = (struct readback_move){.from = was,
                                    .to = to,
                                    .via = *via ? mem_strdup(via) : NULL,
                                    .actor = *actor ? mem_strdup(actor) : NULL,
                                    .moved_ns = since_ns,
                                    .moved_ms = clock_mono_ms()};
        vec_push(fresh, m);
    }
    prefixes_add(&m->prefixes, p);
}

/* ---- whose router is another one by nearness ---- */

/* One prefix before and now, of which one may be missing; the router of viewers without one of their own; and whose
 * change moved the viewers. */
struct nearest_step {
    const struct nearest_prefix *before, *now;
    uint32_t primary;
    const char *ended_by;
};

static uint32_t router_of(const struct nearest_prefix *n, uint32_t viewer)
{
    return n && viewer < n->viewers ? n->routers[viewer] : TAILNET_SLOT_NONE;
}

static uint64_t id_of(const struct tailnet_snapshot *s, uint32_t slot)
{
    const struct tailnet_node *n = snapshot_node(s, slot);

    return n ? n->record->r.id : 0;
}

/* NULL: nobody's. */
static const char *actor_of(const struct nearest_step *step, uint32_t viewer)
{
    const struct nearest_prefix *now = step->now;

    if (!now)
        return step->ended_by;
    return viewer < now->viewers && now->moved_ms && now->moved_ms[viewer] == now->acted_ms ? now->actor : NULL;
}

static struct readback_move *nearest_move(const struct nearest_step *step, uint64_t from, uint64_t to,
                                          const char *actor, move_list *fresh)
{
    const struct prefix *p = step->now ? &step->now->prefix : &step->before->prefix;

    for (size_t i = 0; i < fresh->len; i++) {
        struct readback_move *m = fresh->items[i];
        if (m->nearest && m->from == from && m->to == to && prefix_cmp(&m->prefixes.items[0], p) == 0 &&
            str_eq(m->actor ? m->actor : "", actor ? actor : ""))
            return m;
    }
    struct readback_move *m = mem_alloc(sizeof(*m));
    *m = (struct readback_move){.nearest = true,
                                .from = from,
                                .to = to,
                                .actor = actor ? mem_strdup(actor) : NULL,
                                .moved_ns = clock_wall_ns(),
                                .moved_ms = clock_mono_ms()};
    prefixes_add(&m->prefixes, p);
    vec_push(fresh, m);
    return m;
}

static void look_at_viewers(const struct tailnet_snapshot *s, const struct nearest_step *step, move_list *fresh)
{
    size_t before = step->before ? step->before->viewers : 0, now = step->now ? step->now->viewers : 0;

    for (uint32_t viewer = 0; viewer < (before > now ? before : now); viewer++) {
        uint32_t was = router_of(step->before, viewer), is = router_of(step->now, viewer);
        const struct tailnet_node *n = was != is ? snapshot_node(s, viewer) : NULL;
        if (!n || !n->live.online || !n->record->authorized)
            continue;
        if (was == TAILNET_SLOT_NONE)
            was = step->before ? step->before->primary : step->primary;
        if (is == TAILNET_SLOT_NONE)
            is = step->primary;
        if (was != is && n->slot != is)
            move_add_viewer(nearest_move(step, id_of(s, was), id_of(s, is), actor_of(step, viewer), fresh),
                            n->record->r.id, clock_mono_ms());
    }
}

static void look_at_nearest(const struct readback *r, const struct tailnet_snapshot *s, move_list *fresh)
{
    for (size_t i = 0; s->nearest && i < s->nearest->len; i++) {
        const struct nearest_prefix *now = &s->nearest->items[i];
        look_at_viewers(
            s, &(struct nearest_step){tailnet_nearest_find(r->nearest, &now->prefix), now, now->primary, NULL}, fresh);
    }
    for (size_t i = 0; r->nearest && i < r->nearest->len; i++) {
        const struct nearest_prefix *before = &r->nearest->items[i];
        const struct tailnet_node *primary = primary_of(s, &before->prefix);
        if (primary && !tailnet_nearest_find(s->nearest, &before->prefix))
            look_at_viewers(
                s, &(struct nearest_step){before, NULL, primary->slot, s->nearest ? s->nearest->ended_by : NULL},
                fresh);
    }
}

/* ---- what nobody serves any more ---- */

/* Whether clients follow to the prefix no longer matters; a move of several prefixes continues without it. */
static void end_moves_of(struct readback *r, const struct prefix *p, const char *via)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->moves.len; i++) {
        struct readback_move *m = r->moves.items[i];
        if (m->exit_end || !prefixes_has(&m->prefixes, p) || !str_eq(m->via ? m->via : "", via))
            continue;
        if (m->prefixes.len > 1)
            prefixes_del(&m->prefixes, p);
        else
            m->unserved = m->ended = true;
    }
    pthread_mutex_unlock(&r->lock);
}

static bool is_served(const struct tailnet_snapshot *s, const struct prefix *p, const char *via)
{
    for (size_t i = 0; !*via && i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, p) == 0)
            return true;
    for (size_t i = 0; *via && i < s->via_primary_count; i++)
        if (prefix_cmp(&s->via_primaries[i]->prefix, p) == 0 && str_eq(s->via_primaries[i]->tags, via))
            return true;
    return false;
}

/* Call after everything that is served was examined. */
static void forget_unserved(struct readback *r, const struct tailnet_snapshot *s)
{
    VEC(struct served) gone = {0};
    struct buf key = BUF_INIT(0);

    if (r->primaries.len == s->primary_count + s->via_primary_count)
        return;
    for (struct map_entry *e = map_first(&r->primaries); e; e = map_next(&r->primaries, e)) {
        struct served of;
        memcpy(&of.prefix, e->key, sizeof(of.prefix));
        of.via = e->key + sizeof(of.prefix);
        if (is_served(s, &of.prefix, of.via))
            continue;
        of.via = mem_strdup(of.via);
        vec_push(&gone, of);
    }
    for (size_t i = 0; i < gone.len; i++) {
        const struct served *of = &gone.items[i];
        end_moves_of(r, &of->prefix, of->via);
        name_served(&of->prefix, of->via, &key);
        map_del(&r->primaries, buf_text(&key), key.len);
        free((void *)(uintptr_t)of->via);
    }
    buf_release(&key);
    vec_release(&gone);
}

void moves_look(struct readback *r, const struct tailnet_snapshot *s)
{
    move_list fresh = {0};

    r->looks++;
    for (size_t i = 0; i < s->primary_count; i++) {
        const struct primary *p = s->primaries[i];
        look_at(r, s, &p->prefix, "", p->r.id, p->since_ns, p->actor, &fresh);
    }
    for (size_t i = 0; i < s->via_primary_count; i++) {
        const struct via_primary *p = s->via_primaries[i];
        look_at(r, s, &p->prefix, p->tags, p->r.id, p->since_ns, p->actor, &fresh);
    }
    forget_unserved(r, s);
    for (size_t i = 0; i < fresh.len; i++)
        find_viewers(r, s, fresh.items[i], fresh.items[i]->moved_ms);
    if (r->looked && s->nearest != r->nearest)
        look_at_nearest(r, s, &fresh);
    tailnet_nearest_unref(r->nearest);
    r->nearest = tailnet_nearest_ref(s->nearest);
    r->looked = true;
    for (size_t i = 0; i < fresh.len; i++) {
        fresh.items[i]->look = r->looks;
        pthread_mutex_lock(&r->lock);
        move_keep(r, fresh.items[i]);
        pthread_mutex_unlock(&r->lock);
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
    m->complete = all && !unsupported;
    if (followed == 0 && all)
        return; /* there was nobody to ask */
    move_say(r, m, &text);
    core_note_followers(r->options.core, &(struct core_followers){.node = m->exit_end ? m->from : m->to,
                                                                  .prefixes = &m->prefixes,
                                                                  .all_follow = all,
                                                                  .after_ms = now_ms - m->moved_ms,
                                                                  .actor = m->actor,
                                                                  .text = buf_text(&text)});
    buf_release(&text);
}
