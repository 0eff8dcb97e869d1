/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes that end while in use, and where their users go, as they report by themselves. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "model/events.h"
#include "readback/moves.h"

/* ---- which ended ---- */

static void add_exit_routes(struct prefixes *out)
{
    static const char *const texts[] = {"0.0.0.0/0", "::/0"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct prefix p;
        if (prefix_parse(texts[i], &p, NULL, NULL) == 0)
            prefixes_add(out, &p);
    }
}

/* Those that use it now have to leave it; call with the lock held. */
static void begin_move(struct readback *r, const struct core_exit_change *c)
{
    struct readback_move *m = mem_alloc(sizeof(*m));

    *m = (struct readback_move){.from = c->node,
                                .exit_end = c->end,
                                .actor = c->actor ? mem_strdup(c->actor) : NULL,
                                .moved_ms = clock_mono_ms(),
                                .moved_ns = c->since_ns};
    for (const struct map_entry *e = map_first(&r->users); e; e = map_next(&r->users, e)) {
        uint64_t user;
        memcpy(&user, e->key, sizeof(user));
        if ((uintptr_t)e->value == c->node)
            move_add_viewer(m, user, m->moved_ms);
    }
    if (!m->followers.len) {
        free(m->actor);
        free(m);
        return;
    }
    for (size_t i = 0; i < m->followers.len; i++)
        m->followers.items[i].silent = false;
    add_exit_routes(&m->prefixes);
    move_keep(r, m);
}

void exits_changed(void *arg, const struct core_exit_change *c)
{
    struct readback *r = arg;

    pthread_mutex_lock(&r->lock);
    if (c->end && r->on)
        begin_move(r, c);
    else if (!c->end && c->uses)
        map_putu(&r->users, c->node, (void *)(uintptr_t)c->uses);
    else if (!c->end)
        (void)map_delu(&r->users, c->node);
    pthread_mutex_unlock(&r->lock);
}

/* ---- who leaves them ---- */

static void follow(struct readback *r, const struct readback_move *m, struct route_follower *f,
                   const struct tailnet_node *n, bool back)
{
    uint64_t uses = n ? n->record->exit_node_id : 0;

    if (f->state == FOLLOWER_FOLLOWS && uses != m->from) {
        f->uses = uses; /* it may have chosen again since */
    } else if (f->state == FOLLOWER_WAITING) {
        f->uses = uses;
        if (!n || !n->live.online || (back && uses == m->from)) {
            f->state = FOLLOWER_GONE;
        } else if (uses != m->from) {
            f->state = FOLLOWER_FOLLOWS;
            metrics_time(&r->leave_times, &metrics_seconds, (double)(clock_wall_ns() - m->moved_ns) / 1e9);
        }
    }
}

void exit_follow(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m)
{
    bool back = !tailnet_exit_end(snapshot_node_by_id(s, m->from));

    for (size_t i = 0; i < m->followers.len; i++) {
        struct route_follower *f = &m->followers.items[i];
        follow(r, m, f, snapshot_node_by_id(s, f->node), back);
    }
}
