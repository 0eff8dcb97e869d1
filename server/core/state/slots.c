/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes, the indexes that find them, and how a stored record becomes what readers see. */
#include <ctype.h>

#include "base/clock.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"

#define REUSE_MS                                                                                                       \
    300000 /* a reader that cannot be written to is dropped after 90 s: no one remembers the slot by then */

struct slot *slot_new(struct core_state *s, uint64_t node_id)
{
    struct slot *slot = NULL;
    int64_t now = clock_mono_ms();

    for (size_t i = s->first_free; i < s->slots.len && !slot; i++) {
        struct slot *candidate = s->slots.items[i];
        if (candidate->id == 0 && candidate->free_ms + REUSE_MS < now)
            slot = candidate;
        if (candidate->id == 0)
            break;
        s->first_free = i + 1;
    }
    if (!slot) {
        slot = mem_alloc(sizeof(*slot));
        slot->index = (uint32_t)s->slots.len;
        vec_push(&s->slots, slot);
    }
    *slot = (struct slot){.index = slot->index, .id = node_id};
    slot->live.healthy = true;
    slot->live.net_info = mem_strdup("");
    slot->live.source = mem_strdup("");
    map_putu(&s->by_id, node_id, slot);
    return slot;
}

/* Detaches the streams of a removed node: their later ends affect no node. */
static void forget_sessions(struct core_state *s, struct slot *slot)
{
    for (struct node_session *x = slot->sessions, *next; x; x = next) {
        next = x->next;
        map_delu(&s->sessions, x->id);
        free(x);
    }
    slot->sessions = NULL;
}

void slot_free(struct core_state *s, struct slot *slot)
{
    forget_sessions(s, slot);
    timers_drop(s, slot);
    map_delu(&s->by_id, slot->id);
    node_live_release(&slot->live);
    relay_latencies_release(&slot->latencies);
    slot->measured = false;
    prefixes_release(&slot->serving);
    prefixes_release(&slot->learned);
    prefixes_release(&slot->proven);
    prefixes_release(&slot->confirmed);
    slot->id = 0;
    slot->free_ms = clock_mono_ms();
    if (slot->index < s->first_free)
        s->first_free = slot->index;
}

struct slot *slot_by_id(struct core_state *s, uint64_t id)
{
    struct slot *slot = map_getu(&s->by_id, id);

    return slot && slot->work ? slot : NULL;
}

struct slot *slot_by_node_key(struct core_state *s, const uint8_t key[KEY_LEN])
{
    return map_get(&s->by_node_key, key, KEY_LEN);
}

struct slot *slot_by_machine(struct core_state *s, const uint8_t key[KEY_LEN])
{
    return map_get(&s->by_machine_key, key, KEY_LEN);
}

static void lower(const char *name, char out[64])
{
    size_t i = 0;

    for (; name[i] && i < 63; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[i] = '\0';
}

/* Removes the entry only if it points to this slot and not to one that took the key over. */
static void drop(struct map *m, const void *key, size_t len, const struct slot *slot)
{
    if (map_get(m, key, len) == slot)
        map_del(m, key, len);
}

static void unlink_machine(struct core_state *s, struct slot *slot, const uint8_t key[KEY_LEN])
{
    struct slot *first = slot_by_machine(s, key);

    if (first == slot) {
        if (slot->same_machine)
            map_put(&s->by_machine_key, key, KEY_LEN, slot->same_machine);
        else
            map_del(&s->by_machine_key, key, KEY_LEN);
    } else {
        for (; first; first = first->same_machine)
            if (first->same_machine == slot) {
                first->same_machine = slot->same_machine;
                break;
            }
    }
    slot->same_machine = NULL;
}

static void unindex(struct core_state *s, struct slot *slot)
{
    const struct node *n = slot->work;
    char name[64];

    if (!n)
        return;
    lower(n->given_name, name);
    drop(&s->by_node_key, n->node_key, KEY_LEN, slot);
    drop(&s->by_name, name, strlen(name), slot);
    if (n->ipv4.bits)
        drop(&s->by_address, &n->ipv4, sizeof(n->ipv4), slot);
    if (n->ipv6.bits)
        drop(&s->by_address, &n->ipv6, sizeof(n->ipv6), slot);
    unlink_machine(s, slot, n->machine_key);
}

static void index_node(struct core_state *s, struct slot *slot)
{
    const struct node *n = slot->work;
    char name[64];

    if (!n)
        return;
    lower(n->given_name, name);
    map_put(&s->by_node_key, n->node_key, KEY_LEN, slot);
    map_put(&s->by_name, name, strlen(name), slot);
    if (n->ipv4.bits)
        map_put(&s->by_address, &n->ipv4, sizeof(n->ipv4), slot);
    if (n->ipv6.bits)
        map_put(&s->by_address, &n->ipv6, sizeof(n->ipv6), slot);
    slot->same_machine = slot_by_machine(s, n->machine_key);
    map_put(&s->by_machine_key, n->machine_key, KEY_LEN, slot);
}

void slot_set_work(struct core_state *s, struct slot *slot, const struct node *n)
{
    const struct node *old = slot->work;

    unindex(s, slot);
    slot->work = record_ref(n);
    index_node(s, slot);
    record_unref(old);
}

void slots_reset(struct core_state *s)
{
    for (size_t i = 0; i < s->slots.len; i++) {
        struct slot *slot = s->slots.items[i];
        if (!slot->id || slot->work == slot->published)
            continue;
        slot_set_work(s, slot, slot->published);
        if (!slot->published)
            slot_free(s, slot);
    }
}

void slots_release(struct core_state *s)
{
    for (size_t i = 0; i < s->slots.len; i++) {
        struct slot *slot = s->slots.items[i];
        record_unref(slot->work);
        record_unref(slot->published);
        for (struct node_session *x = slot->sessions, *next; x; x = next) {
            next = x->next;
            free(x);
        }
        node_live_release(&slot->live);
        relay_latencies_release(&slot->latencies);
        prefixes_release(&slot->serving);
        prefixes_release(&slot->learned);
        prefixes_release(&slot->proven);
        prefixes_release(&slot->confirmed);
        free(slot);
    }
    vec_release(&s->slots);
}

void slot_mark(struct core_state *s, struct slot *slot, uint32_t change_mask)
{
    if (!slot->dirty && !slot->rebuild)
        vec_push(&s->dirty_slots, slot);
    slot->dirty |= change_mask;
    slot->rebuild = true;
}

bool slot_is_expired(struct core_state *s, const struct node *n)
{
    const struct record_pair *owner = n->user_id ? map_getu(&s->users, n->user_id) : NULL;
    const struct user *u = owner ? owner->work : NULL;

    return node_is_expired(n, clock_wall_ns()) || (u && u->suspended_ns);
}

void routes_follow(struct core_state *s, struct slot *slot)
{
    const struct node *n = slot->published;

    s->elect = true;
    if (!n) {
        routes_remove_node(s->routes, slot->id);
        return;
    }
    struct routes_flags flags = routes_flags_of(n, &slot->live, slot_is_expired(s, n));
    routes_set_node(s->routes, n, &flags);
    routes_set_evidence(s->routes, slot->id, &slot->live.unreachable, &slot->live.carried);
}

void slot_publish(struct core_state *s, struct slot *slot, const struct node *n)
{
    const struct node *old = slot->published;

    if (n) {
        slot_mark(s, slot, old ? 0 : CHANGE_ADDED);
        slot->published = record_ref(n);
        slot->recorded = true;
        slot->expired = slot_is_expired(s, n);
        slot->key_end = tailnet_key_end(n, clock_wall_ns());
        slot->reachable |= old && key_is_zero(old->disco_key) && !key_is_zero(n->disco_key);
        if (!old || memcmp(old->node_key, n->node_key, KEY_LEN) != 0) {
            if (old)
                tailnet_set_key(s->tailnet, old->node_key, TAILNET_SLOT_NONE);
            tailnet_set_key(s->tailnet, n->node_key, slot->index);
        }
        if (!old)
            tailnet_count_machine(s->tailnet, n->machine_key, 1);
        timer_for_expiry(s, slot, n);
    } else {
        slot_mark(s, slot, CHANGE_REMOVED);
        slot->published = NULL;
        if (old) {
            tailnet_set_key(s->tailnet, old->node_key, TAILNET_SLOT_NONE);
            tailnet_count_machine(s->tailnet, old->machine_key, -1);
        }
    }
    if ((!old || !n) && s->nearest.len)
        vec_push(&s->nearest_viewers, slot);
    routes_follow(s, slot);
    record_unref(old);
}
