/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/takeover.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#define CLONE_TAKEOVERS 5 /* more than this many within WINDOW_MS, from two addresses */
#define WINDOW_MS       60000
#define CLONE_DELAY_MS  10000

struct stream_owner {
    uint64_t number; /* of the session whose map was written; 0: none has a stream */
    struct session_group *group;
    struct stream_ref newest;            /* the latest to begin, perhaps without a map yet; number 0: it ended */
    int64_t starts[CLONE_TAKEOVERS + 1]; /* mono ms of the latest ones, a ring */
    struct addr addresses[CLONE_TAKEOVERS + 1];
    unsigned next;
    bool reported;
};

static struct stream_owner *owner_of(struct control *c, uint64_t node_id)
{
    struct stream_owner *o = map_getu(&c->streams, node_id);

    if (!o) {
        o = mem_alloc(sizeof(*o));
        map_putu(&c->streams, node_id, o);
    }
    return o;
}

/* The other address from which the node connects, NULL: it is no clone. */
static const struct addr *other_place(const struct stream_owner *o, const struct addr *peer, int64_t now)
{
    const struct addr *other = NULL;

    for (unsigned i = 0; i <= CLONE_TAKEOVERS; i++) {
        if (!o->starts[i] || now - o->starts[i] > WINDOW_MS)
            return NULL;
        if (!addr_eq(&o->addresses[i], peer))
            other = &o->addresses[i];
    }
    return other;
}

static void report(struct control *c, uint64_t node_id, const struct addr *one, const struct addr *two)
{
    char a[PREFIX_TEXT_MAX], b[PREFIX_TEXT_MAX];
    char *where = mem_format("%s and %s", addr_format(one, a), addr_format(two, b));

    log_warn(
        "control",
        "node %llu is used by two machines at once, at %s, and changes hands more than %d times a minute: a copied "
        "disk? Delete tailscaled.state on one of them",
        (unsigned long long)node_id, where, CLONE_TAKEOVERS);
    core_node_cloned(c->options.core, node_id, where);
    free(where);
}

/* No stream, and no recent takeover that still matters: the node may be gone. */
static bool is_over(const struct stream_owner *o, int64_t now)
{
    int64_t last = o->starts[(o->next + CLONE_TAKEOVERS) % (CLONE_TAKEOVERS + 1)];

    return !o->number && !o->newest.number && (!last || now - last > WINDOW_MS);
}

/* Call with the lock held. */
static void forget_old(struct control *c, int64_t now)
{
    struct map kept = {0};

    if (now < c->streams_swept + WINDOW_MS)
        return;
    c->streams_swept = now;
    for (struct map_entry *e = map_first(&c->streams); e; e = map_next(&c->streams, e)) {
        if (is_over(e->value, now))
            free(e->value);
        else
            map_put(&kept, e->key, e->len, e->value);
    }
    map_release(&c->streams);
    c->streams = kept;
}

int64_t takeover_begin(struct control *c, uint64_t node_id, const struct stream_ref *stream,
                       const struct addr_port *peer, int64_t now)
{
    bool cloned = false, fresh = false;
    struct addr other = {0};

    pthread_mutex_lock(&c->lock);
    forget_old(c, now);
    struct stream_owner *o = owner_of(c, node_id);
    o->newest = *stream;
    if (o->number) {
        o->starts[o->next] = now;
        o->addresses[o->next] = peer->addr;
        o->next = (o->next + 1) % (CLONE_TAKEOVERS + 1);
        const struct addr *place = other_place(o, &peer->addr, now);
        cloned = place != NULL;
        if (place)
            other = *place;
        fresh = cloned && !o->reported;
        o->reported = cloned;
    }
    pthread_mutex_unlock(&c->lock);
    if (fresh)
        report(c, node_id, &other, &peer->addr);
    return cloned ? CLONE_DELAY_MS : 0;
}

bool takeover_claim(struct control *c, uint64_t node_id, uint64_t number, struct session_group *group,
                    struct stream_ref *loser)
{
    *loser = (struct stream_ref){0};
    pthread_mutex_lock(&c->lock);
    struct stream_owner *o = owner_of(c, node_id);
    bool mine = o->number <= number;
    if (mine) {
        if (o->number != number)
            *loser = (struct stream_ref){o->group, o->number};
        o->number = number;
        o->group = group;
    }
    pthread_mutex_unlock(&c->lock);
    return mine;
}

struct stream_ref takeover_stream(struct control *c, uint64_t node_id)
{
    struct stream_ref found = {0};

    pthread_mutex_lock(&c->lock);
    const struct stream_owner *o = map_getu(&c->streams, node_id);
    if (o)
        found = o->newest.number ? o->newest : (struct stream_ref){o->group, o->number};
    pthread_mutex_unlock(&c->lock);
    return found;
}

void takeover_release(struct control *c, uint64_t node_id, uint64_t number, int64_t now)
{
    pthread_mutex_lock(&c->lock);
    struct stream_owner *o = map_getu(&c->streams, node_id);
    if (o && o->number == number)
        o->number = 0;
    if (o && o->newest.number == number)
        o->newest.number = 0;
    if (o && is_over(o, now)) {
        map_delu(&c->streams, node_id);
        free(o);
    }
    pthread_mutex_unlock(&c->lock);
}

void takeover_release_all(struct control *c)
{
    for (struct map_entry *e = map_first(&c->streams); e; e = map_next(&c->streams, e))
        free(e->value);
    map_release(&c->streams);
}
