/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "tailnet/publish.h"

/* A list that snapshots share: the public pointer points to its items. */
struct shared_list {
    atomic_uint refs;
    size_t len;
    const void *items[];
};

static struct shared_list *shared_list_of(const void *items)
{
    return items ? (struct shared_list *)(uintptr_t)((const char *)items - offsetof(struct shared_list, items)) : NULL;
}

static void shared_list_ref(const void *items)
{
    struct shared_list *list = shared_list_of(items);

    if (list)
        atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
}

static bool drop(atomic_uint *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static void shared_list_unref(const void *items, void (*unref)(const void *item))
{
    struct shared_list *list = shared_list_of(items);

    if (!list || !drop(&list->refs))
        return;
    for (size_t i = 0; i < list->len; i++)
        unref(list->items[i]);
    free(list);
}

static void *shared_list_new(const void *items, size_t count, void *(*ref)(const void *item))
{
    struct shared_list *list = mem_alloc(sizeof(*list) + count * sizeof(void *));

    atomic_init(&list->refs, 1);
    list->len = count;
    for (size_t i = 0; i < count; i++)
        list->items[i] = ref(((const void *const *)items)[i]);
    return list->items;
}

struct tailnet_settings *settings_new(void)
{
    struct tailnet_settings *s = mem_alloc(sizeof(*s));

    atomic_init(&s->refs, 1);
    s->server_url = mem_strdup("");
    s->domain = mem_strdup("");
    s->base_domain = mem_strdup("");
    s->dns_json = mem_strdup("{}");
    s->derp_json = mem_strdup("{\"Regions\":{}}");
    s->taildrop = true;
    return s;
}

struct tailnet_settings *settings_edit(const struct tailnet_settings *from)
{
    struct tailnet_settings *s = mem_dup_counted(from, sizeof(*from), sizeof(from->refs));

    atomic_init(&s->refs, 1);
    s->server_url = mem_strdup(from->server_url);
    s->domain = mem_strdup(from->domain);
    s->base_domain = mem_strdup(from->base_domain);
    s->dns_json = mem_strdup(from->dns_json);
    s->dns_own = record_ref(from->dns_own);
    s->derp_json = mem_strdup(from->derp_json);
    s->probes = from->probe_count ? mem_dup(from->probes, from->probe_count * sizeof(*from->probes)) : NULL;
    return s;
}

void settings_unref(struct tailnet_settings *s)
{
    if (!s || !drop(&s->refs))
        return;
    free(s->server_url);
    free(s->domain);
    free(s->base_domain);
    free(s->dns_json);
    record_unref(s->dns_own);
    free(s->derp_json);
    free(s->probes);
    free(s);
}

struct tailnet_node *tailnet_node_new(uint32_t slot, uint64_t version, const struct node *record,
                                      const struct user *user, const struct node_live *live,
                                      const struct prefixes *serving, bool expired)
{
    struct tailnet_node *n = mem_alloc(sizeof(*n));

    atomic_init(&n->refs, 1);
    n->slot = slot;
    n->version = version;
    n->record = record_ref(record);
    n->user = record_ref(user);
    node_live_copy(&n->live, live);
    prefixes_copy(&n->serving, serving);
    n->expired = expired;
    return n;
}

void tailnet_node_unref(const struct tailnet_node *node)
{
    struct tailnet_node *n = (struct tailnet_node *)(uintptr_t)node;

    if (!n || !drop(&n->refs))
        return;
    record_unref(n->record);
    record_unref(n->user);
    node_live_release(&n->live);
    prefixes_release(&n->serving);
    free(n);
}

static void block_unref(struct tailnet_block *b)
{
    if (!b || !drop(&b->refs))
        return;
    for (size_t i = 0; i < TAILNET_BLOCK; i++)
        tailnet_node_unref(b->nodes[i]);
    free(b);
}

struct tailnet_snapshot *snapshot_edit(const struct tailnet_snapshot *base)
{
    struct tailnet_snapshot *s;

    if (!base) {
        s = mem_alloc(sizeof(*s));
        atomic_init(&s->refs, 1);
        s->settings = settings_new();
        return s;
    }
    s = mem_dup_counted(base, sizeof(*base), sizeof(base->refs));
    atomic_init(&s->refs, 1);
    s->blocks = mem_dup(base->blocks, base->block_count * sizeof(*s->blocks));
    for (size_t i = 0; i < s->block_count; i++)
        atomic_fetch_add_explicit(&s->blocks[i]->refs, 1, memory_order_relaxed);
    shared_list_ref(s->users);
    shared_list_ref(s->preauth_keys);
    shared_list_ref(s->api_keys);
    shared_list_ref(s->identities);
    shared_list_ref(s->oauth_clients);
    shared_list_ref(s->oauth_tokens);
    shared_list_ref(s->webhooks);
    shared_list_ref(s->pendings);
    shared_list_ref(s->primaries);
    shared_list_ref(s->via_primaries);
    shared_list_ref(s->prefix_settings);
    tailnet_nearest_ref(s->nearest);
    atomic_fetch_add_explicit(&s->settings->refs, 1, memory_order_relaxed);
    record_ref(s->policy);
    record_ref(s->message);
    return s;
}

const struct tailnet_snapshot *tailnet_ref(const struct tailnet_snapshot *snapshot)
{
    struct tailnet_snapshot *s = (struct tailnet_snapshot *)(uintptr_t)snapshot;

    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void tailnet_unpin(const struct tailnet_snapshot *snapshot)
{
    struct tailnet_snapshot *s = (struct tailnet_snapshot *)(uintptr_t)snapshot;

    if (!s || !drop(&s->refs))
        return;
    for (size_t i = 0; i < s->block_count; i++)
        block_unref(s->blocks[i]);
    free(s->blocks);
    shared_list_unref(s->users, record_unref);
    shared_list_unref(s->preauth_keys, record_unref);
    shared_list_unref(s->api_keys, record_unref);
    shared_list_unref(s->oauth_clients, record_unref);
    shared_list_unref(s->oauth_tokens, record_unref);
    shared_list_unref(s->webhooks, record_unref);
    shared_list_unref(s->primaries, record_unref);
    shared_list_unref(s->via_primaries, record_unref);
    shared_list_unref(s->prefix_settings, record_unref);
    tailnet_nearest_unref(s->nearest);
    shared_list_unref(s->identities, record_unref);
    shared_list_unref(s->pendings, record_unref);
    settings_unref(s->settings);
    record_unref(s->policy);
    record_unref(s->message);
    free(s);
}

/* The block of a slot, made s's own first so that it may be changed. */
static struct tailnet_block *own_block(struct tailnet_snapshot *s, uint32_t slot)
{
    size_t i = slot / TAILNET_BLOCK;

    if (i >= s->block_count) {
        s->blocks = mem_resize(s->blocks, i + 1, sizeof(*s->blocks));
        for (size_t k = s->block_count; k <= i; k++) {
            s->blocks[k] = mem_alloc(sizeof(**s->blocks));
            atomic_init(&s->blocks[k]->refs, 1);
        }
        s->block_count = i + 1;
    }
    struct tailnet_block *b = s->blocks[i];
    if (atomic_load_explicit(&b->refs, memory_order_acquire) == 1)
        return b;
    struct tailnet_block *mine = mem_dup_counted(b, sizeof(*b), sizeof(b->refs));
    atomic_init(&mine->refs, 1);
    for (size_t k = 0; k < TAILNET_BLOCK; k++)
        if (mine->nodes[k])
            atomic_fetch_add_explicit(&((struct tailnet_node *)(uintptr_t)mine->nodes[k])->refs, 1,
                                      memory_order_relaxed);
    block_unref(b);
    s->blocks[i] = mine;
    return mine;
}

static bool is_ranked_exit(const struct tailnet_node *n)
{
    return n && n->record->priority != NODE_PRIORITY_DEFAULT && node_is_exit(n->record);
}

void snapshot_set_node(struct tailnet_snapshot *s, uint32_t slot, struct tailnet_node *n, uint64_t version)
{
    struct tailnet_block *b = own_block(s, slot);
    const struct tailnet_node *old = b->nodes[slot % TAILNET_BLOCK];

    s->node_count += (n != NULL) - (size_t)(old != NULL);
    s->online_count += (n && n->live.online) - (size_t)(old && old->live.online);
    b->nodes[slot % TAILNET_BLOCK] = n;
    s->ranked_exits += (size_t)is_ranked_exit(n) - (size_t)is_ranked_exit(old);
    b->exits &= ~(UINT64_C(1) << slot % TAILNET_BLOCK);
    if (n && node_is_exit(n->record))
        b->exits |= UINT64_C(1) << slot % TAILNET_BLOCK;
    assert(!n || n->version == version);
    if (n && old && version == old->version) {
        assert(tailnet_node_difference(old, n) == 0);
    } else {
        assert(version > b->version);
        b->version = version;
    }
    tailnet_node_unref(old);
}

#define SETTER(function, type, member, counter, reference, release)                                                    \
    void function(struct tailnet_snapshot *s, const struct type *const *items, size_t count)                           \
    {                                                                                                                  \
        const void *old = s->member;                                                                                   \
        s->member = shared_list_new(items, count, reference);                                                          \
        s->counter = count;                                                                                            \
        shared_list_unref(old, release);                                                                               \
    }

SETTER(snapshot_set_users, user, users, user_count, record_ref, record_unref)
SETTER(snapshot_set_preauth_keys, preauth_key, preauth_keys, preauth_key_count, record_ref, record_unref)
SETTER(snapshot_set_api_keys, api_key, api_keys, api_key_count, record_ref, record_unref)
SETTER(snapshot_set_identities, identity, identities, identity_count, record_ref, record_unref)
SETTER(snapshot_set_oauth_clients, oauth_client, oauth_clients, oauth_client_count, record_ref, record_unref)
SETTER(snapshot_set_oauth_tokens, oauth_token, oauth_tokens, oauth_token_count, record_ref, record_unref)
SETTER(snapshot_set_webhooks, webhook, webhooks, webhook_count, record_ref, record_unref)
SETTER(snapshot_set_via_primaries, via_primary, via_primaries, via_primary_count, record_ref, record_unref)
SETTER(snapshot_set_primaries, primary, primaries, primary_count, record_ref, record_unref)
SETTER(snapshot_set_pendings, pending, pendings, pending_count, record_ref, record_unref)
SETTER(snapshot_set_prefix_settings, prefix_settings, prefix_settings, prefix_settings_count, record_ref, record_unref)

void snapshot_set_settings(struct tailnet_snapshot *s, struct tailnet_settings *settings)
{
    atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
    settings_unref(s->settings);
    s->settings = settings;
}

void snapshot_set_policy(struct tailnet_snapshot *s, const struct policy_text *policy)
{
    const struct policy_text *old = s->policy;

    s->policy = record_ref(policy);
    record_unref(old);
}

void snapshot_set_message(struct tailnet_snapshot *s, const struct server_message *message)
{
    const struct server_message *old = s->message;

    s->message = record_ref(message);
    record_unref(old);
}

const struct tailnet_node *snapshot_node(const struct tailnet_snapshot *s, uint32_t slot)
{
    return slot / TAILNET_BLOCK < s->block_count ? s->blocks[slot / TAILNET_BLOCK]->nodes[slot % TAILNET_BLOCK] : NULL;
}

const struct tailnet_node *snapshot_node_by_id(const struct tailnet_snapshot *s, uint64_t id)
{
    for (size_t i = 0; i < s->block_count; i++)
        for (size_t k = 0; k < TAILNET_BLOCK; k++) {
            const struct tailnet_node *n = s->blocks[i]->nodes[k];
            if (n && n->record->r.id == id)
                return n;
        }
    return NULL;
}

const struct user *snapshot_user(const struct tailnet_snapshot *s, uint64_t id)
{
    return record_find(s->users, s->user_count, id, NULL);
}

const struct preauth_key *snapshot_preauth_key(const struct tailnet_snapshot *s, uint64_t id)
{
    return record_find(s->preauth_keys, s->preauth_key_count, id, NULL);
}

const struct api_key *snapshot_api_key(const struct tailnet_snapshot *s, uint64_t id)
{
    return record_find(s->api_keys, s->api_key_count, id, NULL);
}

const struct oauth_client *snapshot_oauth_client(const struct tailnet_snapshot *s, uint64_t id)
{
    return record_find(s->oauth_clients, s->oauth_client_count, id, NULL);
}

const struct webhook *snapshot_webhook(const struct tailnet_snapshot *s, uint64_t id)
{
    return record_find(s->webhooks, s->webhook_count, id, NULL);
}

static int compare_settings(const void *key, const void *item)
{
    const struct prefix_settings *const *settings = item;

    return prefix_cmp(key, &(*settings)->prefix);
}

const struct prefix_settings *snapshot_prefix_settings(const struct tailnet_snapshot *s, const struct prefix *p)
{
    bool found;
    size_t i = array_search(p, s->prefix_settings, s->prefix_settings_count, sizeof(void *), compare_settings, &found);

    return found ? s->prefix_settings[i] : NULL;
}

const struct pending *snapshot_pending(const struct tailnet_snapshot *s, const char *auth_id)
{
    for (size_t i = 0; i < s->pending_count; i++)
        if (str_eq(s->pendings[i]->auth_id, auth_id))
            return s->pendings[i];
    return NULL;
}

void snapshot_fqdn(const struct tailnet_snapshot *s, const struct node *n, struct buf *out)
{
    buf_adds(out, n->given_name);
    if (*s->settings->base_domain)
        buf_addf(out, ".%s.", s->settings->base_domain);
}

const char *tailnet_exit_end(const struct tailnet_node *n)
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
