/* SPDX-License-Identifier: BSD-3-Clause */
/* From the state to what readers see: elections first, then one snapshot and its changes. */
#include "core/publish.h"
#include "base/clock.h"
#include "core/decide/exits.h"
#include "core/decide/nearest.h"
#include "core/policy_publish.h"
#include "core/readers.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/past.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"

#define COUNTED_MAX 4096 /* prefixes whose moves are counted */

static const char *name_of(struct core_state *s, uint64_t id)
{
    struct slot *slot = id ? map_getu(&s->by_id, id) : NULL;
    const struct node *n = slot ? (slot->published ? slot->published : slot->work) : NULL;

    return n ? n->given_name : id ? "a deleted node" : "nobody";
}

/* How often it moved between routers since the start. */
static uint64_t count_move(struct core_state *s, const struct route_move *m)
{
    uintptr_t count = (uintptr_t)map_get(&s->prefix_moves, &m->prefix, sizeof(m->prefix));

    if (!m->from || !m->to || (!count && s->prefix_moves.len >= COUNTED_MAX))
        return count;
    (void)map_put(&s->prefix_moves, &m->prefix, sizeof(m->prefix), (void *)(count + 1));
    return count + 1;
}

/* Stored durably: after a restart the same router serves. */
static void remember_primary(struct core_state *s, const struct route_move *m)
{
    size_t i = 0;

    while (i < s->primaries.len && prefix_cmp(&s->primaries.items[i]->prefix, &m->prefix) < 0)
        i++;
    bool known = i < s->primaries.len && prefix_cmp(&s->primaries.items[i]->prefix, &m->prefix) == 0;
    if (!m->to) {
        if (known) {
            tx_remove(s, s->primaries.items[i]);
            record_unref(s->primaries.items[i]);
            vec_remove(&s->primaries, i);
            s->primaries_dirty = true;
            core_past_primary(s, &m->prefix, NULL);
        }
        return;
    }
    struct primary *p = primary_new();
    p->r.id = m->to;
    p->prefix = m->prefix;
    mem_replace(&p->actor, m->actor ? m->actor : "");
    p->moves = count_move(s, m);
    p->since_ns = clock_wall_ns();
    p->chosen = routes_is_chosen(s->routes, &(struct route_place){&m->prefix, NULL});
    if (known) {
        record_unref(s->primaries.items[i]);
    } else {
        (void)vec_add(&s->primaries);
        memmove(&s->primaries.items[i + 1], &s->primaries.items[i], (s->primaries.len - 1 - i) * sizeof(p));
    }
    s->primaries.items[i] = record_ref(p);
    s->primaries_dirty = true;
    core_past_primary(s, &m->prefix, p);
    tx_put(s, p);
}

#define SINGLY_MAX 8 /* up to so many simultaneous moves of one kind get an entry each */

static enum event_id event_of_move(const struct route_move *m)
{
    return !m->to ? EVENT_ROUTE_UNSERVED : !m->from ? EVENT_ROUTE_SERVED : EVENT_ROUTE_FAILOVER;
}

/* Time from the router's last sign of life, or its first lost probe, until it was found gone; -1: it did not go away,
 * or the time is unknown. */
static int64_t detection_ms(struct core_state *s, const struct route_move *m)
{
    const struct slot *from = m->from ? map_getu(&s->by_id, m->from) : NULL;

    if (!from || !from->published)
        return -1;
    if (!from->live.online)
        return from->lost_ms ? clock_mono_ms() - from->lost_ms : -1;
    if (!from->live.healthy)
        return from->unhealthy_after_ms ? from->unhealthy_after_ms : -1;
    return prefixes_has(&from->live.unreachable, &m->prefix) && from->unreached_after_ms ? from->unreached_after_ms
                                                                                         : -1;
}

static void put_router(struct core_state *s, struct json_out *o, const char *id_member, const char *name_member,
                       uint64_t id)
{
    if (!id)
        return;
    json_put_id(o, id_member, id);
    json_put_str(o, name_member, name_of(s, id));
}

/* For the history of a prefix. */
static char *detail_of_move(struct core_state *s, const struct route_move *m, const struct prefixes *moved)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char text[PREFIX_TEXT_MAX];
    int64_t detected = detection_ms(s, m);

    json_open(&o, '{');
    json_key(&o, "prefixes");
    json_open(&o, '[');
    for (size_t i = 0; moved && i < moved->len; i++)
        json_str(&o, prefix_format(&moved->items[i], text));
    if (!moved)
        json_str(&o, prefix_format(&m->prefix, text));
    json_close(&o, ']');
    put_router(s, &o, "from", "fromName", m->from);
    put_router(s, &o, "to", "toName", m->to);
    json_put_str(&o, "cause", m->cause);
    if (m->via)
        json_put_str(&o, "via", m->via);
    if (detected >= 0)
        json_put_i64(&o, "detectionMs", detected);
    json_close(&o, '}');
    return buf_take(&b);
}

/* Writes the entry for moves with the same routers and cause; prefixes: their names. */
static void note_moves(struct core_state *s, const struct route_move *m, struct event_note *note, const char *prefixes,
                       bool many)
{
    char *names = m->via ? mem_format("%s via %s", prefixes, m->via) : mem_strdup(prefixes);

    note->id = event_of_move(m);
    note->actor = m->actor ? m->actor : "server";
    note->by_admin = m->actor != NULL;
    note->caused_by = m->actor ? NULL : map_getu(&s->by_id, m->from ? m->from : m->to);
    if (!m->to)
        journal(s, note, "Nobody serves %s any more: %s %s", names, name_of(s, m->from), m->cause);
    else if (!m->from)
        journal(s, note, "%s serves %s: it %s%s", name_of(s, m->to), names, str_eq(m->cause, "approved") ? "was " : "",
                m->cause);
    else
        journal(s, note, "%s moved from %s to %s%s: %s", names, name_of(s, m->from), name_of(s, m->to),
                many ? " together" : "", m->cause);
    free(names);
}

static bool same_kind(const struct route_move *a, const struct route_move *b)
{
    return a->from == b->from && a->to == b->to && str_eq(a->cause ? a->cause : "", b->cause ? b->cause : "") &&
           str_eq(a->via ? a->via : "", b->via ? b->via : "") &&
           str_eq(a->actor ? a->actor : "", b->actor ? b->actor : "");
}

static void note_move(struct core_state *s, const struct route_move *m)
{
    char text[PREFIX_TEXT_MAX];
    struct event_note note = {
        .object = "prefix", .object_name = prefix_format(&m->prefix, text), .detail = detail_of_move(s, m, NULL)};

    note_moves(s, m, &note, text, false);
}

/* Many simultaneous moves get one entry, on the router that serves them or did. */
static void note_together(struct core_state *s, const struct route_move *m, const struct prefixes *moved)
{
    uint64_t id = m->to ? m->to : m->from;
    char *names = text_of_prefixes(moved);

    note_moves(
        s, m,
        &(struct event_note){
            .object = "node", .object_id = id, .object_name = name_of(s, id), .detail = detail_of_move(s, m, moved)},
        names, true);
    free(names);
}

static void count_failover(struct core_state *s, const struct route_move *m)
{
    if (event_of_move(m) != EVENT_ROUTE_FAILOVER)
        return;
    int64_t detected = detection_ms(s, m);
    s->counters.failovers++;
    if (detected >= 0)
        metrics_time(&s->counters.detection, &metrics_seconds, (double)detected / 1000);
}

static void note_all(struct core_state *s, const struct route_moves *moves)
{
    bool *noted = mem_alloc(moves->len + 1);

    for (size_t i = 0; i < moves->len; i++) {
        const struct route_move *m = &moves->items[i];
        struct prefixes alike = {0};
        count_failover(s, m);
        if (noted[i] || !m->cause)
            continue;
        for (size_t k = i; k < moves->len; k++)
            if (same_kind(m, &moves->items[k]))
                prefixes_add(&alike, &moves->items[k].prefix);
        if (alike.len > SINGLY_MAX) {
            note_together(s, m, &alike);
            for (size_t k = i; k < moves->len; k++)
                noted[k] = noted[k] || same_kind(m, &moves->items[k]);
        } else {
            note_move(s, m);
        }
        prefixes_release(&alike);
    }
    free(noted);
}

static void move_serving(struct core_state *s, const struct route_move *m)
{
    struct slot *from = m->from ? map_getu(&s->by_id, m->from) : NULL;
    struct slot *to = m->to ? map_getu(&s->by_id, m->to) : NULL;

    if (from) {
        if (!m->via)
            prefixes_del(&from->serving, &m->prefix);
        slot_mark(s, from, from->published ? CHANGE_WHOLE | CHANGE_SELF : 0);
        from->route_moved = true;
    }
    if (to) {
        if (!m->via)
            prefixes_add(&to->serving, &m->prefix);
        slot_mark(s, to, CHANGE_WHOLE | CHANGE_SELF);
        to->route_moved = true;
    }
}

/* Stores a choice that began or ended without a move. */
static void remember_choices(struct core_state *s)
{
    for (size_t i = 0; i < s->primaries.len; i++) {
        struct primary *old = s->primaries.items[i];
        bool chosen = routes_is_chosen(s->routes, &(struct route_place){&old->prefix, NULL});
        if (chosen == old->chosen)
            continue;
        struct primary *p = primary_new();
        p->r.id = old->r.id;
        p->prefix = old->prefix;
        p->since_ns = old->since_ns;
        p->moves = old->moves;
        mem_replace(&p->actor, old->actor);
        p->chosen = chosen;
        record_unref(old);
        s->primaries.items[i] = record_ref(p);
        s->primaries_dirty = true;
        tx_put(s, p);
    }
    core_policy_remember_choices(s);
}

static void elect(struct core_state *s, struct route_moves *moves)
{
    s->elect = false;
    routes_elect(s->routes, &(struct routes_time){clock_wall_ns(), clock_mono_ms()}, moves);
    if (routes_due(s->routes) != INT64_MAX)
        timer_set(s, routes_due(s->routes), TIMER_ROUTES, NULL);
    for (size_t i = 0; i < moves->len; i++) {
        move_serving(s, &moves->items[i]);
        if (moves->items[i].via)
            core_policy_remember(s, &moves->items[i]);
        else
            remember_primary(s, &moves->items[i]);
    }
    if (routes_choices_changed(s->routes))
        remember_choices(s);
    note_all(s, moves);
}

static int record_by_id(const void *a, const void *b)
{
    const struct record *x = *(const struct record *const *)a, *y = *(const struct record *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* The published records of a kind, by id; free the array. */
static const void **published(struct core_state *s, enum record_kind kind, size_t *count)
{
    struct map *pairs = pairs_of(s, kind);
    const void **items = mem_alloc((pairs->len + 1) * sizeof(*items));

    *count = 0;
    for (struct map_entry *e = map_first(pairs); e; e = map_next(pairs, e))
        if (((const struct record_pair *)e->value)->published)
            items[(*count)++] = ((const struct record_pair *)e->value)->published;
    qsort(items, *count, sizeof(*items), record_by_id);
    return items;
}

static int pending_by_age(const void *a, const void *b)
{
    const struct pending *x = *(const struct pending *const *)a, *y = *(const struct pending *const *)b;

    return x->created_ns < y->created_ns ? -1 : x->created_ns > y->created_ns;
}

static void publish_pendings(struct core_state *s, struct tailnet_snapshot *next)
{
    VEC(const struct pending *) list = {0};

    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e)) {
        const struct pending_request *w = e->value;
        if (w->published && !w->published->decided)
            vec_push(&list, w->published);
    }
    if (list.len)
        qsort(list.items, list.len, sizeof(*list.items), pending_by_age);
    snapshot_set_pendings(next, list.items, list.len);
    vec_release(&list);
}

static void publish_oauth(struct core_state *s, struct tailnet_snapshot *next)
{
    size_t count;
    const void **items = published(s, RECORD_OAUTH_CLIENT, &count);

    snapshot_set_oauth_clients(next, (const struct oauth_client *const *)items, count);
    free(items);
    items = published(s, RECORD_OAUTH_TOKEN, &count);
    snapshot_set_oauth_tokens(next, (const struct oauth_token *const *)items, count);
    free(items);
}

static void publish_lists(struct core_state *s, struct tailnet_snapshot *next)
{
    size_t count;
    const void **items;

    if (s->users_dirty) {
        items = published(s, RECORD_USER, &count);
        snapshot_set_users(next, (const struct user *const *)items, count);
        free(items);
        core_past_users(s);
    }
    if (s->preauth_keys_dirty) {
        items = published(s, RECORD_PREAUTH_KEY, &count);
        snapshot_set_preauth_keys(next, (const struct preauth_key *const *)items, count);
        free(items);
    }
    if (s->api_keys_dirty) {
        items = published(s, RECORD_API_KEY, &count);
        snapshot_set_api_keys(next, (const struct api_key *const *)items, count);
        free(items);
    }
    if (s->identities_dirty) {
        items = published(s, RECORD_IDENTITY, &count);
        snapshot_set_identities(next, (const struct identity *const *)items, count);
        free(items);
    }
    if (s->oauth_dirty)
        publish_oauth(s, next);
    if (s->webhooks_dirty) {
        items = published(s, RECORD_WEBHOOK, &count);
        snapshot_set_webhooks(next, (const struct webhook *const *)items, count);
        free(items);
    }
    if (s->pendings_dirty)
        publish_pendings(s, next);
    if (s->primaries_dirty)
        snapshot_set_primaries(next, (const struct primary *const *)s->primaries.items, s->primaries.len);
    if (s->via_primaries_dirty)
        snapshot_set_via_primaries(next, (const struct via_primary *const *)s->via_primaries.items,
                                   s->via_primaries.len);
    if (s->prefix_settings_dirty) {
        const struct prefix_settings **list = prefix_settings_list(s, &count);
        snapshot_set_prefix_settings(next, list, count);
        free(list);
    }
    if (s->policy_dirty) {
        snapshot_set_policy(next, s->policy_published);
        core_past_policy(s, s->policy_published);
    }
    if (s->message_dirty)
        snapshot_set_message(next, s->message_published);
    s->users_dirty = s->preauth_keys_dirty = s->api_keys_dirty = s->identities_dirty = s->pendings_dirty = false;
    s->primaries_dirty = s->via_primaries_dirty = s->policy_dirty = s->prefix_settings_dirty = s->message_dirty = false;
    s->oauth_dirty = s->webhooks_dirty = false;
}

static const struct user *published_user(struct core_state *s, uint64_t id)
{
    const struct record_pair *c = id ? map_getu(&s->users, id) : NULL;

    return c ? (c->published ? c->published : c->work) : NULL;
}

/* Whether lists show a change in what the client reports, beyond its routes and what peers see. */
static bool is_restated(const struct node *a, const struct node *b)
{
    return a->exit_node_id != b->exit_node_id || !str_eq(a->client_version, b->client_version) ||
           !str_eq(a->os_version, b->os_version);
}

/* Puts the slot's present node, or none. Readers are told what was marked and what differs from the previous node; if
 * neither applies, the node keeps its version. False: nothing to tell. */
static bool publish_slot(struct core_state *s, struct tailnet_snapshot *next, struct slot *slot, struct change *change)
{
    const struct tailnet_node *before = snapshot_node(next, slot->index);
    const struct node *n = slot->published;
    struct tailnet_node *now = n ? tailnet_node_new(slot->index, 0, n, published_user(s, n->user_id), &slot->live,
                                                    &slot->serving, slot->expired)
                                 : NULL;

    core_exits_note(s, slot, before, now);
    slot->restated = now && before && is_restated(before->record, now->record);
    if (now)
        slot->dirty |= before ? tailnet_node_difference(before, now) : CHANGE_ADDED;
    if (slot->dirty)
        *change = (struct change){.seq = ++s->change_seq,
                                  .node_id = slot->id,
                                  .slot = slot->index,
                                  .mask = slot->dirty,
                                  .route_moved = slot->route_moved,
                                  .reachable = slot->reachable};
    if (now) {
        now->version = slot->dirty ? s->change_seq : before->version;
        snapshot_set_node(next, slot->index, now, now->version);
    } else if (before) {
        snapshot_set_node(next, slot->index, NULL, s->change_seq);
    }
    if ((now || before) && slot->dirty != CHANGE_ENDPOINTS)
        core_past_node(s, slot, now);
    return slot->dirty != 0;
}

/* A removed node's slot is empty from here on; a new node's slot stays, as its record may still be on its way. */
static void settle_slot(struct core_state *s, struct slot *slot)
{
    slot->dirty = 0;
    slot->actor = NULL;
    slot->rebuild = slot->recorded = slot->route_moved = slot->reachable = slot->restated = false;
    if (!slot->published && !slot->work)
        slot_free(s, slot);
}

static size_t publish_tailnet_wide(struct core_state *s, struct tailnet_snapshot *next, struct change *changes)
{
    size_t count = 0;

    for (uint32_t bit = CHANGE_POLICY; bit <= CHANGE_MESSAGE; bit <<= 1) {
        if (!(s->tailnet_dirty & bit))
            continue;
        changes[count++] = (struct change){.seq = ++s->change_seq, .slot = TAILNET_SLOT_NONE, .mask = bit};
        if (bit == CHANGE_POLICY)
            next->policy_version = s->change_seq;
        else if (bit == CHANGE_USERS)
            next->users_version = s->change_seq;
        else if (bit == CHANGE_DNS)
            s->settings->dns_version = s->change_seq;
        else if (bit == CHANGE_DERP)
            s->settings->derp_version = s->change_seq;
    }
    if (s->tailnet_dirty & (CHANGE_DNS | CHANGE_DERP) || s->settings_dirty) {
        /* Snapshots hold a copy that is never modified. */
        struct tailnet_settings *copy = settings_edit(s->settings);
        snapshot_set_settings(next, copy);
        settings_unref(copy);
        core_past_dns(s);
    }
    s->tailnet_dirty = 0;
    s->settings_dirty = false;
    return count;
}

/* Steering of exit nodes, and which routers serve which viewers. */
static size_t publish_choices(struct core_state *s, struct tailnet_snapshot *next, bool steered, struct change *changes)
{
    size_t count = 0;

    if (s->nearest_dirty) {
        snapshot_set_nearest(next, nearest_publish(s, next->nearest));
        core_past_nearest(s, next);
        changes[count++] = (struct change){
            .seq = ++s->change_seq, .slot = TAILNET_SLOT_NONE, .mask = CHANGE_NEAREST, .route_moved = true};
        s->nearest_dirty = false;
    }
    if (steered != (next->ranked_exits > 0))
        changes[count++] = (struct change){.seq = ++s->change_seq, .slot = TAILNET_SLOT_NONE, .mask = CHANGE_STEERING};
    return count;
}

void publish(struct core_state *s)
{
    struct route_moves moves = {0};

    core_past_time(s);
    core_policy_prepare(s);
    bool elected = s->elect;
    if (elected)
        elect(s, &moves);
    nearest_follow(s, elected);
    s->rule_actor = NULL;
    int64_t reached = clock_mono_us();
    core_policy_publish(s, &moves);
    metrics_time(&s->counters.peers_times, &metrics_fractions, (double)(clock_mono_us() - reached) / 1e6);
    route_moves_release(&moves);
    bool lists = s->users_dirty || s->preauth_keys_dirty || s->api_keys_dirty || s->identities_dirty ||
                 s->oauth_dirty || s->webhooks_dirty || s->pendings_dirty || s->primaries_dirty ||
                 s->via_primaries_dirty || s->policy_dirty || s->prefix_settings_dirty || s->settings_dirty ||
                 s->message_dirty || s->nearest_dirty;
    if (!s->dirty_slots.len && !lists && !s->tailnet_dirty && s->event_delivered == s->event_published)
        return;
    int64_t began = clock_mono_us();
    const struct tailnet_snapshot *now = readers_last(s);
    struct tailnet_snapshot *next = snapshot_edit(now);
    bool steered = now->ranked_exits > 0;
    tailnet_unpin(now);
    struct change *changes = mem_alloc((s->dirty_slots.len + 7) * sizeof(*changes));
    next->wall_ns = s->history_ns;
    publish_lists(s, next);
    size_t count = publish_tailnet_wide(s, next, changes);
    for (size_t i = 0; i < s->dirty_slots.len; i++) {
        struct slot *slot = s->dirty_slots.items[i];
        count += publish_slot(s, next, slot, &changes[count]);
    }
    count += publish_choices(s, next, steered, &changes[count]);
    next->seq = s->change_seq;
    next->event_run = s->run;
    next->event_seq = s->event_published = s->event_delivered;
    s->counters.publishes++;
    readers_publish(s, next, changes, count);
    metrics_time(&s->counters.snapshot_times, &metrics_fractions, (double)(clock_mono_us() - began) / 1e6);
    for (size_t i = 0; i < s->dirty_slots.len; i++) {
        struct slot *slot = s->dirty_slots.items[i];
        bool tell = slot->dirty & CHANGE_VOLATILE || slot->restated;
        for (size_t k = 0; tell && k < s->listeners.len; k++)
            if (s->listeners.items[k].volatile_change)
                s->listeners.items[k].volatile_change(s->listeners.items[k].arg, slot->id);
        settle_slot(s, slot);
    }
    core_exits_tell(s);
    s->dirty_slots.len = 0;
    free(changes);
}
