/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/state/past.h"

#include <stdio.h>

#include "base/clock.h"
#include "core/state/accounts.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "tailnet/past.h"

#define RETURN_MS 60000 /* how long after a start a previously online node is expected back */
#define LATE_MS   60000 /* a state that a client changes too often is kept once per minute */
/* What one node can cause: this many images at once, and one more every IMAGE_MS. */
#define IMAGES_MAX 300.0
#define IMAGE_MS   10000.0
/* Up to this many moved viewers are kept as moves; the images of all viewers that one prefix can cause. */
#define NEAREST_MOVES_MAX  64
#define NEAREST_IMAGES_MAX 20.0
#define NEAREST_IMAGE_MS   60000.0

/* An object's key in s->history: its kind and its key. */
static void name_object(enum history_kind kind, const char *key, struct buf *out)
{
    buf_clear(out);
    buf_addc(out, (char)('a' + kind));
    buf_adds(out, key);
}

static uintptr_t hash_of(const struct buf *image)
{
    uint64_t hash = image->len ? map_hash(image->data, image->len) : 0;

    return image->len && !hash ? 1 : (uintptr_t)hash;
}

static uintptr_t newest(struct core_state *s, enum history_kind kind, const char *key)
{
    struct buf name = BUF_INIT(0);

    name_object(kind, key, &name);
    uintptr_t hash = (uintptr_t)map_get(&s->history, name.data, name.len);
    buf_release(&name);
    return hash;
}

static void remember(struct core_state *s, enum history_kind kind, const char *key, uintptr_t hash)
{
    struct buf name = BUF_INIT(0);

    name_object(kind, key, &name);
    if (hash)
        map_put(&s->history, name.data, name.len, (void *)hash);
    else
        map_del(&s->history, name.data, name.len);
    buf_release(&name);
}

static void put_image(struct core_state *s, enum history_kind kind, const char *key, const struct buf *image)
{
    uintptr_t hash = hash_of(image);

    if (newest(s, kind, key) == hash)
        return;
    struct history *h = history_new();
    h->r.id = tx_new_id(s, RECORD_HISTORY);
    h->time_ns = s->history_ns;
    h->kind = kind;
    mem_replace(&h->key, key);
    mem_replace(&h->image, buf_text(image));
    remember(s, kind, key, hash);
    tx_put(s, h);
}

int64_t core_past_time(struct core_state *s)
{
    int64_t now = clock_wall_ns();

    /* If the clock was set back, count on from there; images with later times keep their order. */
    bool set_back = now + NS_PER_SECOND < s->history_ns;
    s->history_ns = now > s->history_ns || set_back ? now : s->history_ns + 1;
    return s->history_ns;
}

/* ---- nodes ---- */

static bool is_within(struct past_budget *b, double most, double each_ms)
{
    int64_t now = clock_mono_ms();
    double images = b->since_ms ? b->images + (double)(now - b->since_ms) / each_ms : most;

    b->images = images < most ? images : most;
    b->since_ms = now;
    if (b->images < 1.0)
        return false;
    b->images -= 1.0;
    return true;
}

static void wake_after(struct core_state *s, int64_t ms)
{
    timer_set(s, clock_mono_ms() + ms, TIMER_HISTORY, NULL);
}

static void wait_for(struct core_state *s, struct slot *slot, int64_t ms)
{
    slot->image_late = true;
    wake_after(s, ms);
}

bool core_past_is(struct core_state *s, const struct tailnet_node *now)
{
    struct buf image = BUF_INIT(0);
    char key[24];

    snprintf(key, sizeof(key), "%llu", (unsigned long long)now->record->r.id);
    past_node(now, &image);
    bool same = hash_of(&image) == newest(s, HISTORY_NODE, key);
    buf_release(&image);
    return same;
}

/* A start ends all sessions, and most nodes are soon back: this absence is not kept. */
static bool is_expected_back(struct core_state *s, const struct tailnet_node *now)
{
    struct tailnet_node back = *now;

    if (now->live.online || now->live.since_ns)
        return false;
    back.live.online = true;
    return core_past_is(s, &back);
}

static void follow_node(struct core_state *s, struct slot *slot, const struct tailnet_node *now, bool in_time)
{
    struct buf image = BUF_INIT(0);
    char key[24];

    snprintf(key, sizeof(key), "%llu", (unsigned long long)slot->id);
    if (now)
        past_node(now, &image);
    if (hash_of(&image) == newest(s, HISTORY_NODE, key))
        slot->image_late = false;
    else if (now && in_time && is_expected_back(s, now))
        wait_for(s, slot, RETURN_MS);
    else if (now && in_time && !is_within(&slot->budget, IMAGES_MAX, IMAGE_MS))
        wait_for(s, slot, LATE_MS);
    else
        put_image(s, HISTORY_NODE, key, &image);
    buf_release(&image);
}

void core_past_node(struct core_state *s, struct slot *slot, const struct tailnet_node *now)
{
    follow_node(s, slot, now, true);
}

/* ---- nearest routers ---- */

static const struct buf no_image = BUF_INIT(0);

static void keep_move(struct nearest_state *n, uint64_t viewer, uint64_t router)
{
    for (size_t i = 0; i < n->kept_moves.len; i++)
        if (n->kept_moves.items[i].viewer == viewer) {
            n->kept_moves.items[i].router = router;
            return;
        }
    vec_push(&n->kept_moves, ((struct past_viewer){viewer, router}));
}

/* The nearest router that serves the viewer, as readers see it; 0: the primary, or there is no such viewer. */
static uint64_t kept_router(struct core_state *s, const struct nearest_state *n, uint64_t viewer)
{
    const struct slot *slot = map_getu(&s->by_id, viewer), *router = NULL;

    if (slot && slot->index < n->viewers.len && n->viewers.items[slot->index].id == viewer) {
        uint32_t at = n->viewers.items[slot->index].router;
        router = at < s->slots.len ? s->slots.items[at] : NULL;
    }
    return router ? router->id : 0;
}

static void put_all(struct core_state *s, struct nearest_state *n, const struct tailnet_snapshot *now)
{
    const struct nearest_prefix *p = tailnet_nearest_find(now->nearest, &n->prefix);
    struct buf image = BUF_INIT(0);
    char key[PREFIX_TEXT_MAX];

    prefix_format(&n->prefix, key);
    past_nearest(now, p, &image);
    put_image(s, HISTORY_NEAREST, key, &image);
    put_image(s, HISTORY_NEAREST_MOVES, key, &no_image);
    n->kept_moves.len = 0;
    buf_release(&image);
}

static void put_moves(struct core_state *s, struct nearest_state *n)
{
    struct buf image = BUF_INIT(0);
    char key[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < n->unkept.len; i++)
        keep_move(n, n->unkept.items[i], kept_router(s, n, n->unkept.items[i]));
    past_nearest_moves(n->kept_moves.items, n->kept_moves.len, &image);
    put_image(s, HISTORY_NEAREST_MOVES, prefix_format(&n->prefix, key), &image);
    buf_release(&image);
}

/* A few moves are kept as such; many, or many small ones over time, as an image of all viewers. */
static void follow_nearness(struct core_state *s, struct nearest_state *n, const struct tailnet_snapshot *now,
                            bool in_time)
{
    bool all = n->unkept_all || n->kept_moves.len + n->unkept.len > NEAREST_MOVES_MAX;

    if (!n->unkept.len && !n->unkept_all)
        return;
    if (all && in_time && (n->kept_late || !is_within(&n->budget, NEAREST_IMAGES_MAX, NEAREST_IMAGE_MS))) {
        n->unkept_all = n->kept_late = true;
        n->unkept.len = 0;
        wake_after(s, LATE_MS);
        return;
    }
    if (all)
        put_all(s, n, now);
    else
        put_moves(s, n);
    n->unkept.len = 0;
    n->unkept_all = n->kept_late = false;
}

void core_past_nearest(struct core_state *s, const struct tailnet_snapshot *now)
{
    for (size_t i = 0; i < s->nearest.len; i++)
        follow_nearness(s, &s->nearest.items[i], now, true);
}

void core_past_viewer(struct nearest_state *n, uint64_t viewer)
{
    if (n->unkept.len < NEAREST_MOVES_MAX)
        vec_push(&n->unkept, viewer);
    else
        n->unkept_all = true;
}

void core_past_nearest_ended(struct core_state *s, const struct prefix *p)
{
    char key[PREFIX_TEXT_MAX];

    prefix_format(p, key);
    put_image(s, HISTORY_NEAREST, key, &no_image);
    put_image(s, HISTORY_NEAREST_MOVES, key, &no_image);
}

static void follow_late_nearness(struct core_state *s, const struct tailnet_snapshot *now)
{
    for (size_t i = 0; i < s->nearest.len; i++)
        if (s->nearest.items[i].kept_late)
            follow_nearness(s, &s->nearest.items[i], now, false);
}

static struct nearest_state *find_nearness(struct core_state *s, const char *key)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < s->nearest.len; i++)
        if (str_eq(prefix_format(&s->nearest.items[i].prefix, text), key))
            return &s->nearest.items[i];
    return NULL;
}

static bool has_nearness(struct core_state *s, const char *key)
{
    return find_nearness(s, key) != NULL;
}

void core_past_due(struct core_state *s)
{
    const struct tailnet_snapshot *now = tailnet_pin(s->tailnet);

    core_past_time(s);
    for (size_t i = 0; i < s->slots.len; i++) {
        struct slot *slot = s->slots.items[i];
        const struct tailnet_node *n = slot->image_late && slot->id ? snapshot_node(now, slot->index) : NULL;
        slot->image_late = false;
        if (n && n->record->r.id == slot->id)
            follow_node(s, slot, n, false);
    }
    follow_late_nearness(s, now);
    tailnet_unpin(now);
}

/* ---- other objects ---- */

static void gather(struct core_state *s, enum history_kind kind, struct strs *keys)
{
    for (struct map_entry *e = map_first(&s->history); e; e = map_next(&s->history, e)) {
        const char *name = e->key;
        if (name[0] != (char)('a' + kind))
            continue;
        char *key = mem_format("%.*s", (int)e->len - 1, name + 1);
        strs_push(keys, key);
        free(key);
    }
}

static void forget_missing(struct core_state *s, enum history_kind kind,
                           bool (*is_there)(struct core_state *, const char *))
{
    struct strs keys = {0};
    const struct buf none = BUF_INIT(0);

    gather(s, kind, &keys);
    for (size_t i = 0; i < keys.len; i++)
        if (!is_there(s, keys.items[i]))
            put_image(s, kind, keys.items[i], &none);
    strs_release(&keys);
}

static uint64_t id_of(const char *key)
{
    uint64_t id = 0;

    return str_u64(key, 1, INT64_MAX, &id, "key", NULL) < 0 ? 0 : id;
}

static bool has_user(struct core_state *s, const char *key)
{
    const struct record_pair *pair = map_getu(&s->users, id_of(key));

    return pair && pair->published;
}

static bool has_node(struct core_state *s, const char *key)
{
    const struct slot *slot = map_getu(&s->by_id, id_of(key));

    return slot && slot->published;
}

static bool has_primary(struct core_state *s, const char *key)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < s->primaries.len; i++)
        if (str_eq(prefix_format(&s->primaries.items[i]->prefix, text), key))
            return true;
    return false;
}

static bool has_via_primary(struct core_state *s, const char *key)
{
    struct buf name = BUF_INIT(0);
    bool has = false;

    for (size_t i = 0; i < s->via_primaries.len && !has; i++) {
        past_via_key(&s->via_primaries.items[i]->prefix, s->via_primaries.items[i]->tags, &name);
        has = str_eq(buf_text(&name), key);
    }
    buf_release(&name);
    return has;
}

void core_past_users(struct core_state *s)
{
    struct buf image = BUF_INIT(0);
    char key[24];

    for (struct map_entry *e = map_first(&s->users); e; e = map_next(&s->users, e)) {
        const struct user *u = ((const struct record_pair *)e->value)->published;
        if (!u)
            continue;
        buf_clear(&image);
        past_user(u, &image);
        snprintf(key, sizeof(key), "%llu", (unsigned long long)u->r.id);
        put_image(s, HISTORY_USER, key, &image);
    }
    buf_release(&image);
    forget_missing(s, HISTORY_USER, has_user);
}

void core_past_primary(struct core_state *s, const struct prefix *prefix, const struct primary *now)
{
    struct buf image = BUF_INIT(0);
    char key[PREFIX_TEXT_MAX];

    if (now)
        past_primary(now, &image);
    put_image(s, HISTORY_PRIMARY, prefix_format(prefix, key), &image);
    buf_release(&image);
}

void core_past_via_primary(struct core_state *s, const struct prefix *prefix, const char *tags,
                           const struct via_primary *now)
{
    struct buf image = BUF_INIT(0), key = BUF_INIT(0);

    if (now)
        past_via_primary(now, &image);
    past_via_key(prefix, tags, &key);
    put_image(s, HISTORY_VIA_PRIMARY, buf_text(&key), &image);
    buf_release(&image);
    buf_release(&key);
}

void core_past_policy(struct core_state *s, const struct policy_text *now)
{
    struct buf image = BUF_INIT(0);

    if (now)
        buf_addf(&image, "%llu", (unsigned long long)now->r.id);
    put_image(s, HISTORY_POLICY, "", &image);
    buf_release(&image);
}

void core_past_dns(struct core_state *s)
{
    struct buf image = BUF_INIT(0);

    core_dns_image(s->config, s->dns_published, &image);
    put_image(s, HISTORY_DNS, "", &image);
    buf_release(&image);
}

/* ---- start and end ---- */

void core_past_load(struct core_state *s, const struct store_past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        const struct history *h = past->items[i];
        struct buf image = BUF_INIT(0);
        buf_adds(&image, h->image);
        remember(s, h->kind, h->key, hash_of(&image));
        buf_release(&image);
        if (h->time_ns > s->history_ns)
            s->history_ns = h->time_ns;
    }
}

void core_past_reconcile(struct core_state *s)
{
    forget_missing(s, HISTORY_NODE, has_node);
    forget_missing(s, HISTORY_PRIMARY, has_primary);
    for (size_t i = 0; i < s->primaries.len; i++)
        core_past_primary(s, &s->primaries.items[i]->prefix, s->primaries.items[i]);
    forget_missing(s, HISTORY_VIA_PRIMARY, has_via_primary);
    for (size_t i = 0; i < s->via_primaries.len; i++) {
        const struct via_primary *p = s->via_primaries.items[i];
        core_past_via_primary(s, &p->prefix, p->tags, p);
    }
    forget_missing(s, HISTORY_NEAREST, has_nearness);
    forget_missing(s, HISTORY_NEAREST_MOVES, has_nearness);
}

/* Makes the next image one of all viewers. */
static void lose_nearness(struct core_state *s, const char *key)
{
    struct nearest_state *n = find_nearness(s, key);

    if (!n)
        return;
    n->unkept_all = n->kept_late = true;
    wake_after(s, LATE_MS);
}

void core_past_lost(struct core_state *s, const struct commit_group *g)
{
    for (size_t i = 0; i < g->writes.len; i++) {
        const struct history *h = g->writes.items[i].record;
        struct slot *slot =
            h->r.kind == RECORD_HISTORY && h->kind == HISTORY_NODE ? map_getu(&s->by_id, id_of(h->key)) : NULL;
        if (h->r.kind == RECORD_HISTORY)
            remember(s, h->kind, h->key, 2); /* no image has this hash, so the next one differs */
        if (h->r.kind == RECORD_HISTORY && (h->kind == HISTORY_NEAREST || h->kind == HISTORY_NEAREST_MOVES))
            lose_nearness(s, h->key);
        if (slot)
            wait_for(s, slot, LATE_MS);
    }
}

void core_past_release(struct core_state *s)
{
    map_release(&s->history);
}
