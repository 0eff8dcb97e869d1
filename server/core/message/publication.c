/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/message/publication.h"

#include <stdlib.h>

#include "base/map.h"

/* ---- lists of records ---- */

/* Each list has its own order, which the message keeps: it says which records stay, and where others are inserted. */
#define LISTS(X)                                                                                                       \
    X(users, user_count, RECORD_USER)                                                                                  \
    X(preauth_keys, preauth_key_count, RECORD_PREAUTH_KEY)                                                             \
    X(api_keys, api_key_count, RECORD_API_KEY)                                                                         \
    X(identities, identity_count, RECORD_IDENTITY)                                                                     \
    X(oauth_clients, oauth_client_count, RECORD_OAUTH_CLIENT)                                                          \
    X(oauth_tokens, oauth_token_count, RECORD_OAUTH_TOKEN)                                                             \
    X(webhooks, webhook_count, RECORD_WEBHOOK)                                                                         \
    X(pendings, pending_count, RECORD_PENDING)                                                                         \
    X(primaries, primary_count, RECORD_PRIMARY)                                                                        \
    X(via_primaries, via_primary_count, RECORD_VIA_PRIMARY)                                                            \
    X(prefix_settings, prefix_settings_count, RECORD_PREFIX_SETTINGS)

#define X(list, length, kind)                                                                                          \
    static void set_##list(struct tailnet_snapshot *s, const void *items, size_t count)                                \
    {                                                                                                                  \
        snapshot_set_##list(s, items, count);                                                                          \
    }
LISTS(X)
#undef X

static const struct list_row {
    const char *name;
    enum record_kind kind;
    size_t items, length; /* offsets in the snapshot */
    void (*set)(struct tailnet_snapshot *s, const void *items, size_t count);
} lists[] = {
#define X(list, count, kind)                                                                                           \
    {#list, kind, offsetof(struct tailnet_snapshot, list), offsetof(struct tailnet_snapshot, count), set_##list},
    LISTS(X)
#undef X
};

static const void *const *items_of(const struct tailnet_snapshot *s, const struct list_row *row, size_t *count)
{
    const void *const *items;

    memcpy(&items, (const char *)s + row->items, sizeof(items));
    memcpy(count, (const char *)s + row->length, sizeof(*count));
    return items;
}

static void add_item(struct publication_list *list, const void *record, size_t place)
{
    struct publication_item *last = list->items.len ? &list->items.items[list->items.len - 1] : NULL;

    if (!place)
        vec_push(&list->items, ((struct publication_item){.record = record_ref(record)}));
    else if (last && last->kept && last->from + last->kept == place - 1)
        last->kept++;
    else
        vec_push(&list->items, ((struct publication_item){.from = (uint32_t)(place - 1), .kept = 1}));
}

static void compare_list(const struct list_row *row, const struct tailnet_snapshot *before,
                         const struct tailnet_snapshot *now, struct publication *out)
{
    struct publication_list list = {.name = mem_strdup(row->name)};
    size_t old_count, count, last = 0;
    const void *const *old = items_of(before, row, &old_count), *const *items = items_of(now, row, &count);
    struct map places = {0}; /* record -> its previous place, from 1 */

    for (size_t i = 0; i < old_count; i++)
        (void)map_putu(&places, (uintptr_t)old[i], (void *)(uintptr_t)(i + 1));
    for (size_t i = 0; i < count; i++) {
        size_t place = (uintptr_t)map_getu(&places, (uintptr_t)items[i]);
        if (place <= last)
            place = 0; /* it moved towards the front: treated as new */
        last = place ? place : last;
        add_item(&list, items[i], place);
    }
    map_release(&places);
    vec_push(&out->lists, list);
}

static int apply_list(const struct publication_list *p, const struct list_row *row, const struct tailnet_snapshot *base,
                      struct tailnet_snapshot *next, struct err *e)
{
    VEC(const void *) items = {0};
    size_t old_count, last = 0;
    const void *const *old = items_of(base, row, &old_count);
    int code = 0;

    for (size_t i = 0; code == 0 && i < p->items.len; i++) {
        const struct publication_item *item = &p->items.items[i];
        const struct record *r = item->record;
        if (r && r->kind == row->kind) {
            vec_push(&items, item->record);
        } else if (!r && item->from >= last && item->from <= old_count && item->kept <= old_count - item->from) {
            for (size_t k = 0; k < item->kept; k++)
                vec_push(&items, old[item->from + k]);
            last = (size_t)item->from + item->kept;
        } else {
            code = err_set(e, ERR_INVALID, "a publication's list %s does not fit what was there", row->name);
        }
    }
    if (code == 0)
        row->set(next, items.items, items.len);
    vec_release(&items);
    return code;
}

static int apply_lists(const struct publication *p, const struct tailnet_snapshot *base, struct tailnet_snapshot *next,
                       struct err *e)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < p->lists.len; i++)
        for (size_t k = 0; code == 0 && k < ARRAY_LEN(lists); k++)
            if (str_eq(lists[k].name, p->lists.items[i].name))
                code = apply_list(&p->lists.items[i], &lists[k], base, next, e);
    return code;
}

/* ---- nearest routers ---- */

static uint64_t id_of(const struct tailnet_snapshot *s, uint32_t slot)
{
    const struct tailnet_node *n = slot == TAILNET_SLOT_NONE ? NULL : snapshot_node(s, slot);

    return n ? n->record->r.id : 0;
}

static char *copy_of(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void add_nearest(const struct tailnet_snapshot *now, const struct nearest_prefix *p, struct publication *out)
{
    struct publication_nearest n = {
        .prefix = p->prefix, .primary = id_of(now, p->primary), .actor = copy_of(p->actor), .acted_ms = p->acted_ms};

    for (uint32_t slot = 0; slot < p->viewers; slot++) {
        struct publication_viewer v = {id_of(now, slot), id_of(now, p->routers[slot]),
                                       p->moved_ms ? p->moved_ms[slot] : INT64_MIN};
        if (v.viewer && (v.router || v.moved_ms != INT64_MIN))
            vec_push(&n.viewers, v);
    }
    vec_push(&out->nearest, n);
}

struct places {
    publication_slot *slot_of;
    void *arg;
};

static uint32_t slot_of(const struct places *at, uint64_t id)
{
    return id ? at->slot_of(at->arg, id) : TAILNET_SLOT_NONE;
}

static void apply_viewers(const struct publication_nearest *from, const struct places *at, struct nearest_prefix *to)
{
    for (size_t i = 0; i < from->viewers.len; i++) {
        uint32_t slot = slot_of(at, from->viewers.items[i].viewer);
        if (slot != TAILNET_SLOT_NONE && slot >= to->viewers)
            to->viewers = (size_t)slot + 1;
    }
    to->routers = mem_alloc((to->viewers + 1) * sizeof(*to->routers));
    to->moved_ms = mem_alloc((to->viewers + 1) * sizeof(*to->moved_ms));
    for (size_t i = 0; i < to->viewers; i++) {
        to->routers[i] = TAILNET_SLOT_NONE;
        to->moved_ms[i] = INT64_MIN;
    }
    for (size_t i = 0; i < from->viewers.len; i++) {
        const struct publication_viewer *v = &from->viewers.items[i];
        uint32_t slot = slot_of(at, v->viewer);
        if (slot == TAILNET_SLOT_NONE)
            continue;
        to->routers[slot] = slot_of(at, v->router);
        to->moved_ms[slot] = v->moved_ms;
    }
}

static void apply_nearest(const struct publication *p, const struct places *at, struct tailnet_snapshot *next)
{
    if (!p->is_nearest)
        return;
    struct tailnet_nearest *all = p->nearest.len || p->nearest_ended_by ? tailnet_nearest_new(p->nearest.len) : NULL;
    if (all)
        all->ended_by = copy_of(p->nearest_ended_by);
    for (size_t i = 0; all && i < p->nearest.len; i++) {
        const struct publication_nearest *from = &p->nearest.items[i];
        all->items[i] = (struct nearest_prefix){.prefix = from->prefix,
                                                .primary = slot_of(at, from->primary),
                                                .actor = copy_of(from->actor),
                                                .acted_ms = from->acted_ms};
        apply_viewers(from, at, &all->items[i]);
    }
    snapshot_set_nearest(next, all);
}

/* ---- nodes ---- */

static void add_node(const struct tailnet_node *before, const struct tailnet_node *now, struct publication_change *c)
{
    c->is_node = now != before;
    c->is_gone = before && !now;
    if (!now || !c->is_node)
        return;
    c->record = before && before->record == now->record ? NULL : record_ref(now->record);
    node_live_copy(&c->live, &now->live);
    prefixes_copy(&c->serving, &now->serving);
    c->expired = now->expired;
}

static void add_changes(const struct tailnet_snapshot *before, const struct tailnet_snapshot *now,
                        const struct change *changes, size_t count, struct publication *out)
{
    struct map known = {0};

    for (size_t i = 0; i < count; i++) {
        const struct change *from = &changes[i];
        struct publication_change c = {.node_id = from->node_id,
                                       .mask = from->mask,
                                       .route_moved = from->route_moved,
                                       .reachable = from->reachable};
        if (from->slot != TAILNET_SLOT_NONE) {
            add_node(snapshot_node(before, from->slot), snapshot_node(now, from->slot), &c);
            (void)map_putu(&known, from->slot, &known);
        }
        vec_push(&out->changes, c);
    }
    for (uint32_t slot = 0; slot < now->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *was = snapshot_node(before, slot), *is = snapshot_node(now, slot);
        if (was == is || map_getu(&known, slot))
            continue;
        struct publication_change c = {.node_id = (is ? is : was)->record->r.id};
        add_node(was, is, &c);
        vec_push(&out->changes, c);
    }
    map_release(&known);
}

static int apply_node(const struct publication_change *c, uint32_t slot, uint64_t seq, struct tailnet_snapshot *next,
                      struct err *e)
{
    const struct tailnet_node *before = snapshot_node(next, slot);
    const struct node *record = c->record ? c->record : before ? before->record : NULL;

    if (c->is_gone) {
        snapshot_set_node(next, slot, NULL, seq);
        return 0;
    }
    if (!record || record->r.kind != RECORD_NODE || record->r.id != c->node_id)
        return err_set(e, ERR_INVALID, "a publication tells of node %llu without its record",
                       (unsigned long long)c->node_id);
    struct tailnet_node *n =
        tailnet_node_new(slot, 0, record, record->user_id ? snapshot_user(next, record->user_id) : NULL, &c->live,
                         &c->serving, c->expired);
    n->version = c->mask || !before ? seq : before->version;
    snapshot_set_node(next, slot, n, n->version);
    return 0;
}

static void note_version(struct tailnet_snapshot *next, struct tailnet_settings *settings, uint32_t mask)
{
    if (mask == CHANGE_POLICY)
        next->policy_version = next->seq;
    else if (mask == CHANGE_USERS)
        next->users_version = next->seq;
    else if (mask == CHANGE_DNS && settings)
        settings->dns_version = next->seq;
    else if (mask == CHANGE_DERP && settings)
        settings->derp_version = next->seq;
}

static int apply_changes(const struct publication *p, const struct places *at, struct tailnet_snapshot *next,
                         struct tailnet_settings *settings, struct change *changes, size_t *count, struct err *e)
{
    int code = 0;

    *count = 0;
    for (size_t i = 0; code == 0 && i < p->changes.len; i++) {
        const struct publication_change *c = &p->changes.items[i];
        uint32_t slot = slot_of(at, c->node_id);
        if (c->node_id && slot == TAILNET_SLOT_NONE)
            return err_set(e, ERR_INVALID, "a publication tells of node %llu, which has no place",
                           (unsigned long long)c->node_id);
        if (c->mask)
            changes[(*count)++] = (struct change){.seq = ++next->seq,
                                                  .node_id = c->node_id,
                                                  .slot = slot,
                                                  .mask = c->mask,
                                                  .route_moved = c->route_moved,
                                                  .reachable = c->reachable};
        if (!c->node_id)
            note_version(next, settings, c->mask);
        else if (c->is_node)
            code = apply_node(c, slot, next->seq, next, e);
    }
    return code;
}

/* ---- whole publications ---- */

static const void *other(const void *before, const void *now)
{
    return before == now ? NULL : record_ref(now);
}

void publication_between(const struct tailnet_snapshot *before, const struct tailnet_snapshot *now,
                         const struct change *changes, size_t count, struct publication *out)
{
    *out = (struct publication){.wall_ns = now->wall_ns,
                                .event_run = now->event_run,
                                .event_seq = now->event_seq,
                                .policy = other(before->policy, now->policy),
                                .message = other(before->message, now->message),
                                .is_nearest = before->nearest != now->nearest};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        size_t length;
        if (items_of(before, &lists[i], &length) != items_of(now, &lists[i], &length))
            compare_list(&lists[i], before, now, out);
    }
    if (before->settings != now->settings) {
        struct tailnet_settings *copy = settings_edit(now->settings);
        vec_push(&out->settings, *copy); /* with all that it points to */
        free(copy);
    }
    if (out->is_nearest && now->nearest)
        out->nearest_ended_by = copy_of(now->nearest->ended_by);
    for (size_t i = 0; out->is_nearest && now->nearest && i < now->nearest->len; i++)
        add_nearest(now, &now->nearest->items[i], out);
    add_changes(before, now, changes, count, out);
}

/* Only those versions are new that the changes name. */
static struct tailnet_settings *apply_settings(const struct publication *p, const struct tailnet_snapshot *base)
{
    if (!p->settings.len)
        return NULL;
    struct tailnet_settings *settings = settings_edit(&p->settings.items[0]);
    settings->dns_version = base->settings ? base->settings->dns_version : 0;
    settings->derp_version = base->settings ? base->settings->derp_version : 0;
    return settings;
}

static bool is_record(const void *record, enum record_kind kind)
{
    return !record || ((const struct record *)record)->kind == kind;
}

int publication_apply(const struct publication *p, const struct tailnet_snapshot *base, publication_slot *find,
                      void *arg, struct tailnet_snapshot **next, struct change **changes, size_t *count, struct err *e)
{
    const struct places at = {find, arg};

    *next = NULL;
    *changes = NULL;
    if (!is_record(p->policy, RECORD_POLICY) || !is_record(p->message, RECORD_SERVER_MESSAGE))
        return err_set(e, ERR_INVALID, "a publication's policy or message is none");
    struct tailnet_snapshot *s = snapshot_edit(base);
    struct tailnet_settings *settings = apply_settings(p, base);
    struct change *list = mem_alloc((p->changes.len + 1) * sizeof(*list));
    s->seq = base->seq;
    s->wall_ns = p->wall_ns;
    s->event_run = p->event_run;
    s->event_seq = p->event_seq;
    int code = apply_lists(p, base, s, e);
    if (p->policy)
        snapshot_set_policy(s, p->policy);
    if (p->message)
        snapshot_set_message(s, p->message);
    if (code == 0)
        code = apply_changes(p, &at, s, settings, list, count, e);
    if (code == 0)
        apply_nearest(p, &at, s);
    if (settings)
        snapshot_set_settings(s, settings);
    settings_unref(settings);
    if (code < 0) {
        tailnet_unpin(s);
        free(list);
        return code;
    }
    *next = s;
    *changes = list;
    return 0;
}
