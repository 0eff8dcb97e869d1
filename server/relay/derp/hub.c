/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is connected under which key, who may connect, and who is notified when a client leaves. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "relay/derp/link.h"

#define LINKS_PER_KEY 8
#define FIGHT_TURNS   3    /* turns between two connections with one key before they are warned */
#define NOTIFY_SPARE  1024 /* this many closed links may remain in a peer's list */

/* ---- Admission ---- */

bool hub_allows(struct relay_hub *h, const uint8_t key[RELAY_KEY_LEN])
{
    if (!atomic_load(&h->verify))
        return true;
    uint32_t slot = tailnet_find_key(h->tailnet, key);
    if (slot == TAILNET_SLOT_NONE)
        return false;
    const struct tailnet_snapshot *s = tailnet_pin(h->tailnet);
    const struct tailnet_node *n = snapshot_node(s, slot);
    bool ok = n && !n->expired;
    tailnet_unpin(s);
    return ok;
}

static bool matters(struct relay_hub *h)
{
    static _Thread_local struct change changes[256];
    const struct tailnet_snapshot *s = tailnet_pin(h->tailnet);
    uint64_t now = s->seq;
    bool yes = false;

    tailnet_unpin(s);
    long n = tailnet_changes(h->tailnet, h->audited, now, changes, ARRAY_LEN(changes));
    /* fallen behind, or too many changes: check all links */
    if (n < 0 || n >= (long)(ARRAY_LEN(changes)))
        yes = true;
    for (long i = 0; i < n && !yes; i++)
        yes = changes[i].mask & (CHANGE_REMOVED | CHANGE_WHOLE | CHANGE_KEYS | CHANGE_SELF);
    h->audited = now;
    return yes;
}

static void audit(struct loop_task *task)
{
    struct relay_hub *h = CONTAINER_OF(task, struct relay_hub, audit);

    if (!matters(h))
        return;
    pthread_rwlock_rdlock(&h->lock);
    for (struct map_entry *m = map_first(&h->peers); m; m = map_next(&h->peers, m)) {
        struct relay_peer *p = m->value;
        if (!hub_allows(h, p->key))
            for (size_t i = 0; i < p->links.len; i++)
                link_kick(p->links.items[i]);
    }
    pthread_rwlock_unlock(&h->lock);
}

void hub_audit(struct relay_hub *h)
{
    loop_post_task(h->loop, &h->audit);
}

/* ---- Bookkeeping ---- */

void hub_init(struct relay_hub *h, const struct relay_keys *keys, struct tailnet *tailnet, struct loop *loop,
              bool verify)
{
    h->keys = *keys;
    h->tailnet = tailnet;
    h->loop = loop;
    atomic_init(&h->verify, verify);
    h->audit.run = audit;
    h->logins_max = file_share(LOGINS_MAX, 8);
    pthread_rwlock_init(&h->lock, NULL);
}

void hub_set_rate(struct relay_hub *h, int64_t rate, int64_t burst)
{
    /* must hold a packet of full size with its header */
    int64_t least = FRAME_HEADER + RELAY_KEY_LEN + FRAME_PACKET_MAX;

    atomic_store(&h->burst, burst > least ? burst : least);
    atomic_store(&h->rate, rate);
}

bool hub_enter(struct relay_hub *h, const struct addr *from, enum login_pool *pool)
{
    size_t len = addr_source_len(from);
    bool near_node = h->known && h->known(h->known_arg, from);

    *pool = addr_is_loopback(from) ? LOGIN_LOCAL : near_node ? LOGIN_NEAR_NODE : LOGIN_STRANGER;
    pthread_rwlock_wrlock(&h->lock);
    uintptr_t n = *pool == LOGIN_STRANGER ? (uintptr_t)map_get(&h->logins_by_source, from->bytes, len) : 0;
    bool in = h->logins[*pool] < h->logins_max && n < LOGINS_PER_SOURCE;
    h->logins[*pool] += in;
    if (in && *pool == LOGIN_STRANGER)
        map_put(&h->logins_by_source, from->bytes, len, (void *)(n + 1));
    pthread_rwlock_unlock(&h->lock);
    return in;
}

/* Call with the lock held. */
static void leave_login(struct relay_hub *h, const struct relay_link *l)
{
    const struct addr *from = &l->from.addr;
    size_t len = addr_source_len(from);

    h->logins[l->pool]--;
    if (l->pool != LOGIN_STRANGER)
        return;
    uintptr_t n = (uintptr_t)map_get(&h->logins_by_source, from->bytes, len);
    if (n > 1)
        map_put(&h->logins_by_source, from->bytes, len, (void *)(n - 1));
    else
        map_del(&h->logins_by_source, from->bytes, len);
}

void hub_add(struct relay_hub *h, struct relay_link *l)
{
    pthread_rwlock_wrlock(&h->lock);
    l->id = ++h->next_id;
    map_putu(&h->links, l->id, link_ref(l));
    pthread_rwlock_unlock(&h->lock);
}

/* An empty text withdraws an earlier message. */
static void tell_health(struct relay_peer *p, const char *text)
{
    for (size_t i = 0; i < p->links.len; i++)
        link_tell(p->links.items[i], FRAME_HEALTH, text, strlen(text));
}

/* A client that redials has two connections for a while, and the old one may still deliver data in transit. Two
 * connections that send by turns are two clients. */
static void judge_turns(struct relay_peer *p)
{
    static const char text[] = "another client is connected to the relay with the same key, so each gets some of the "
                               "other's packets; was this machine's state copied?";

    if (p->links.len > 1 && ++p->turns >= FIGHT_TURNS && !p->warned) {
        p->warned = true;
        tell_health(p, text);
    } else if (p->links.len <= 1) {
        p->turns = 0;
        if (p->warned)
            tell_health(p, "");
        p->warned = false;
    }
}

void hub_login(struct relay_hub *h, struct relay_link *l)
{
    pthread_rwlock_wrlock(&h->lock);
    struct relay_peer *p = map_get(&h->peers, l->key, RELAY_KEY_LEN);
    if (!p) {
        p = mem_alloc(sizeof(*p));
        memcpy(p->key, l->key, RELAY_KEY_LEN);
        pthread_mutex_init(&p->lock, NULL);
        map_put(&h->peers, l->key, RELAY_KEY_LEN, p);
    }
    /* A redialing client may leave one or two behind; more serve no purpose. */
    if (p->links.len >= LINKS_PER_KEY)
        link_kick(p->links.items[0]);
    vec_push(&p->links, l);
    l->peer = p;
    leave_login(h, l);
    atomic_fetch_add(&h->generation, 1);
    pthread_rwlock_unlock(&h->lock);
}

static void announce_gone(struct relay_hub *h, struct relay_peer *p)
{
    uint8_t payload[RELAY_KEY_LEN + 1];

    memcpy(payload, p->key, RELAY_KEY_LEN);
    payload[RELAY_KEY_LEN] = GONE_DISCONNECTED;
    for (struct map_entry *m = map_first(&p->notify); m; m = map_next(&p->notify, m)) {
        uint64_t id;
        memcpy(&id, m->key, sizeof(id));
        struct relay_link *l = map_getu(&h->links, id);
        if (l)
            link_tell(l, FRAME_PEER_GONE, payload, sizeof(payload));
    }
}

static void leave_peer(struct relay_hub *h, struct relay_link *l)
{
    struct relay_peer *p = l->peer;
    size_t i = 0;

    while (i < p->links.len && p->links.items[i] != l)
        i++;
    if (i < p->links.len)
        vec_remove(&p->links, i);
    l->peer = NULL;
    atomic_fetch_add(&h->generation, 1);
    if (p->links.len) {
        if (p->links.len == 1)
            judge_turns(p);
        return;
    }
    map_del(&h->peers, p->key, RELAY_KEY_LEN);
    announce_gone(h, p);
    map_release(&p->notify);
    pthread_mutex_destroy(&p->lock);
    vec_release(&p->links);
    free(p);
}

void hub_remove(struct relay_hub *h, struct relay_link *l)
{
    pthread_rwlock_wrlock(&h->lock);
    map_delu(&h->links, l->id);
    if (l->peer)
        leave_peer(h, l);
    else
        leave_login(h, l);
    pthread_rwlock_unlock(&h->lock);
    link_unref(l);
}

void hub_active(struct relay_hub *h, struct relay_link *l)
{
    struct relay_peer *p = l->peer;

    pthread_rwlock_rdlock(&h->lock);
    bool already = p->links.items[p->links.len - 1] == l;
    pthread_rwlock_unlock(&h->lock);
    if (already)
        return;
    pthread_rwlock_wrlock(&h->lock);
    for (size_t i = 0; i < p->links.len; i++)
        if (p->links.items[i] == l) {
            vec_remove(&p->links, i);
            vec_push(&p->links, l);
            judge_turns(p);
            break;
        }
    atomic_fetch_add(&h->generation, 1);
    pthread_rwlock_unlock(&h->lock);
}

/* ---- Routing ---- */

/* Call with the hub's lock held for reading. */
static void remember_notify(struct relay_hub *h, struct relay_peer *from, uint64_t id)
{
    struct map *notify = &from->notify;

    pthread_mutex_lock(&from->lock);
    if (!map_getu(notify, id)) {
        if (notify->len > h->links.len + NOTIFY_SPARE) {
            struct map kept = {0};
            for (struct map_entry *m = map_first(notify); m; m = map_next(notify, m))
                if (map_has(&h->links, m->key, m->len))
                    map_put(&kept, m->key, m->len, h);
            map_release(notify);
            *notify = kept;
        }
        map_putu(notify, id, h);
    }
    pthread_mutex_unlock(&from->lock);
}

struct relay_link *hub_route(struct relay_hub *h, struct relay_link *l, const uint8_t key[RELAY_KEY_LEN])
{
    uint64_t generation = atomic_load(&h->generation);

    if (l->to && l->to_generation == generation && memcmp(l->to_key, key, RELAY_KEY_LEN) == 0)
        return l->to;
    link_unref(l->to);
    l->to = NULL;
    pthread_rwlock_rdlock(&h->lock);
    struct relay_peer *p = map_get(&h->peers, key, RELAY_KEY_LEN);
    if (p) {
        l->to = link_ref(p->links.items[p->links.len - 1]);
        remember_notify(h, l->peer, l->to->id);
    }
    pthread_rwlock_unlock(&h->lock);
    memcpy(l->to_key, key, RELAY_KEY_LEN);
    l->to_generation = generation;
    return l->to;
}

void hub_dropped(struct relay_hub *h, enum drop_reason why, bool disco, unsigned count)
{
    atomic_fetch_add(&h->counters.dropped[why][disco], count);
}

void hub_end(struct relay_hub *h)
{
    static const uint8_t soon[8] = {0, 0, 1, 0xf4, 0, 0, 0x13, 0x88}; /* back in 500 ms, for 5 s */

    atomic_store(&h->stopping, true);
    pthread_rwlock_rdlock(&h->lock);
    for (struct map_entry *m = map_first(&h->links); m; m = map_next(&h->links, m)) {
        link_tell(m->value, FRAME_RESTARTING, soon, sizeof(soon));
        link_kick(m->value);
    }
    pthread_rwlock_unlock(&h->lock);
}

void hub_release(struct relay_hub *h)
{
    map_release(&h->links);
    map_release(&h->peers);
    map_release(&h->logins_by_source);
    pthread_rwlock_destroy(&h->lock);
}
