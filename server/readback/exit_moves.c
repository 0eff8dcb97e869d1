/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes that end while somebody uses them, and where their users go: they say it by themselves. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "model/events.h"
#include "readback/moves.h"

/* ---- which ended ---- */

/* Why the node is no exit node that may be used now; NULL: it is one. */
static const char *end_of(const struct tailnet_node *n)
{
    if (!n)
        return "was deleted";
    if (!n->record->authorized)
        return "is no longer approved as a device";
    if (!node_is_exit(n->record))
        return "is no exit node any more";
    if (n->expired)
        return "has an expired key";
    if (!n->live.online)
        return "went offline";
    if (!n->live.healthy)
        return "answers no probe";
    return n->record->draining ? "was drained" : NULL;
}

/* Who changed the node just now, and when; locked. NULL: an exit node that goes away by itself. */
static const struct node_change *change_of(const struct readback *r, const struct tailnet_node *n, uint64_t id)
{
    bool by_itself = n && n->record->authorized && node_is_exit(n->record) && !n->expired && !n->record->draining;
    int64_t newest = clock_mono_ms() - ACTOR_MS;
    const struct node_change *found = NULL;

    for (size_t i = 0; i < ACTORS_MAX && !by_itself; i++) {
        const struct node_change *c = &r->changes[i];
        if (c->actor && c->node == id && c->at_ms >= newest) {
            newest = c->at_ms;
            found = c;
        }
    }
    return found;
}

static void add_exit_routes(struct prefixes *out)
{
    static const char *const texts[] = {"0.0.0.0/0", "::/0"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct prefix p;
        if (prefix_parse(texts[i], &p, NULL, NULL) == 0)
            prefixes_add(out, &p);
    }
}

/* Of one look. before: of the look before it, whose users are known already; NULL: there was none. */
static void add_users(const struct map *users, const struct map *before, const struct tailnet_snapshot *s,
                      struct readback_move *m)
{
    for (const struct map_entry *e = map_first(users); e; e = map_next(users, e)) {
        uint64_t id;
        memcpy(&id, e->key, sizeof(id));
        const struct tailnet_node *n = snapshot_node_by_id(s, id);
        bool known = before && (uintptr_t)map_getu(before, id) == m->from;
        if ((uintptr_t)e->value == m->from && !known && n && n->live.online && n->record->authorized)
            move_add_viewer(m, id, m->moved_ms);
    }
}

/* now: who uses which one. Those that used it when it was last looked at count too: some have left it since. */
static void begin_move(struct readback *r, const struct tailnet_snapshot *s, const struct map *now, uint64_t id)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, id);
    struct readback_move found = {.from = id, .exit_end = end_of(n), .moved_ms = clock_mono_ms()};

    add_users(&r->users, NULL, s, &found);
    add_users(now, &r->users, s, &found);
    if (!found.followers.len)
        return;
    pthread_mutex_lock(&r->lock);
    const struct node_change *by = change_of(r, n, id);
    found.moved_ns = by ? by->at_ns : n && (!n->live.online || !n->live.healthy) ? n->live.since_ns : clock_wall_ns();
    found.actor = by ? mem_strdup(by->actor) : NULL;
    pthread_mutex_unlock(&r->lock);
    add_exit_routes(&found.prefixes);
    for (size_t i = 0; i < found.followers.len; i++)
        found.followers.items[i].silent = false;
    move_keep(r, mem_dup(&found, sizeof(found)));
}

void exits_look(struct readback *r, const struct tailnet_snapshot *s)
{
    int64_t now_ms = clock_mono_ms();
    bool first = !r->exits_ms;
    struct map usable = {0}, users = {0};

    if (!first && now_ms < r->exits_ms + EXITS_MS)
        return;
    r->exits_ms = now_ms;
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            if (n && !end_of(n))
                map_putu(&usable, n->record->r.id, r);
            if (n && n->record->exit_node_id && n->live.online)
                map_putu(&users, n->record->r.id, (void *)(uintptr_t)n->record->exit_node_id);
        }
    for (const struct map_entry *e = map_first(&r->exits); e && !first; e = map_next(&r->exits, e)) {
        uint64_t id;
        memcpy(&id, e->key, sizeof(id));
        if (!map_getu(&usable, id))
            begin_move(r, s, &users, id);
    }
    map_release(&r->exits);
    map_release(&r->users);
    r->exits = usable;
    r->users = users;
}

/* ---- who leaves them ---- */

void exit_follow(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m)
{
    bool back = !end_of(snapshot_node_by_id(s, m->from));

    for (size_t i = 0; i < m->followers.len; i++) {
        struct route_follower *f = &m->followers.items[i];
        const struct tailnet_node *n = snapshot_node_by_id(s, f->node);
        if (f->state != FOLLOWER_WAITING)
            continue;
        f->uses = n ? n->record->exit_node_id : 0;
        if (!n || !n->live.online || (back && f->uses == m->from)) {
            f->state = FOLLOWER_GONE;
        } else if (f->uses != m->from) {
            f->state = FOLLOWER_FOLLOWS;
            metrics_time(&r->leave_times, &metrics_seconds, (double)(clock_wall_ns() - m->moved_ns) / 1e9);
        }
    }
}

/* ---- by whom ---- */

void exits_note_change(void *arg, const struct event *e)
{
    struct readback *r = arg;

    if (!e->by_admin || !str_eq(e->object, "node"))
        return;
    pthread_mutex_lock(&r->lock);
    struct node_change *c = &r->changes[r->next_change++ % ACTORS_MAX];
    c->node = e->object_id;
    c->at_ms = clock_mono_ms();
    c->at_ns = e->time_ns;
    mem_replace(&c->actor, e->actor);
    pthread_mutex_unlock(&r->lock);
}
