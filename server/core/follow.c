/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/follow.h"
#include "core/admin/operations.h"
#include "core/admin/repeated.h"
#include "core/decide/liveness.h"
#include "core/decide/pending.h"
#include "core/decide/settings.h"
#include "core/decide/ssh.h"
#include "core/state/accounts.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"

static void follow_node(struct core_state *s, const struct store_write *w)
{
    const struct node *n = w->record;
    struct slot *slot = map_getu(&s->by_id, n->r.id);

    if (!slot)
        return;
    slot->actor = s->follow_actor;
    slot_publish(s, slot, w->remove ? NULL : n);
    if (!w->remove)
        slot_follow_expiry(s, slot);
}

static void follow_pair(struct core_state *s, const struct store_write *w)
{
    const struct record *r = w->record;
    struct record_pair *c = pair_of(s, r->kind, r->id, true);

    record_unref(c->published);
    c->published = w->remove ? NULL : record_ref(r);
    if (!c->published && !c->work) {
        map_delu(pairs_of(s, r->kind), r->id);
        free(c);
    }
}

/* A suspended user's keys are invalid. */
static void follow_owner(struct core_state *s, struct slot *slot)
{
    bool expired = slot_is_expired(s, slot->published);

    slot_mark(s, slot, 0);
    if (expired == slot->expired)
        return;
    slot->expired = expired;
    routes_follow(s, slot);
    slot_follow_expiry(s, slot);
}

static void follow_user(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->users_dirty = true;
    s->tailnet_dirty |= CHANGE_USERS;
    for (size_t i = 0; i < s->slots.len; i++) {
        struct slot *slot = s->slots.items[i];
        if (slot->published && slot->published->user_id == ((const struct record *)w->record)->id)
            follow_owner(s, slot);
    }
}

static void follow_preauth_key(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->preauth_keys_dirty = true;
}

static void follow_api_key(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->api_keys_dirty = true;
}

static void follow_oauth(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->oauth_dirty = true;
}

static void follow_webhook(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->webhooks_dirty = true;
}

static void follow_identity(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->identities_dirty = true;
}

static void follow_policy(struct core_state *s, const struct store_write *w)
{
    record_unref(s->policy_published);
    s->policy_published = record_ref(w->record);
    s->policy_dirty = true;
    s->tailnet_dirty |= CHANGE_POLICY;
}

static void follow_prefix_settings(struct core_state *s, const struct store_write *w)
{
    s->rule_actor = s->follow_actor ? s->follow_actor : s->rule_actor;
    prefix_settings_publish(s, w->record, w->remove);
}

static void follow_message(struct core_state *s, const struct store_write *w)
{
    record_unref(s->message_published);
    s->message_published = record_ref(w->record);
    s->message_dirty = true;
    s->tailnet_dirty |= CHANGE_MESSAGE;
}

static void follow_dns(struct core_state *s, const struct store_write *w)
{
    record_unref(s->dns_published);
    s->dns_published = record_ref(w->record);
    settings_from_config(s);
}

static void follow_primary(struct core_state *s, const struct store_write *w)
{
    if (!w->remove && ((const struct primary *)w->record)->choice)
        primary_choose(s, w->record);
}

static void follow_pending(struct core_state *s, const struct store_write *w)
{
    if (!w->remove)
        pending_request_follow(s, w->record);
}

static void follow_admin_call(struct core_state *s, const struct store_write *w)
{
    if (!w->remove)
        repeated_follow(s, w->record);
}

static void follow_ssh_approval(struct core_state *s, const struct store_write *w)
{
    if (!w->remove)
        (void)ssh_approval_follow(s, w->record);
}

static void follow_via_primary(struct core_state *s, const struct store_write *w)
{
    if (!w->remove && ((const struct via_primary *)w->record)->choice)
        via_primary_choose(s, w->record);
}

void commit_follow(struct core_state *s, const struct store_write *w, const char *actor)
{
    static void (*const followers[RECORD_KINDS])(struct core_state * s, const struct store_write *w) = {
        [RECORD_USER] = follow_user,
        [RECORD_PREAUTH_KEY] = follow_preauth_key,
        [RECORD_API_KEY] = follow_api_key,
        [RECORD_IDENTITY] = follow_identity,
        [RECORD_OAUTH_CLIENT] = follow_oauth,
        [RECORD_OAUTH_TOKEN] = follow_oauth,
        [RECORD_WEBHOOK] = follow_webhook,
        [RECORD_NODE] = follow_node,
        [RECORD_POLICY] = follow_policy,
        [RECORD_PRIMARY] = follow_primary,
        [RECORD_VIA_PRIMARY] = follow_via_primary,
        [RECORD_PREFIX_SETTINGS] = follow_prefix_settings,
        [RECORD_SERVER_MESSAGE] = follow_message,
        [RECORD_DNS_SETTINGS] = follow_dns,
        [RECORD_PENDING] = follow_pending,
        [RECORD_ADMIN_CALL] = follow_admin_call,
        [RECORD_SSH_APPROVAL] = follow_ssh_approval,
    };
    enum record_kind kind = ((const struct record *)w->record)->kind;

    if (kind == RECORD_POLICY)
        mem_replace(&s->policy_actor, actor ? actor : "");
    routes_set_actor(s->routes, actor);
    s->follow_actor = actor;
    if (followers[kind])
        followers[kind](s, w);
    s->follow_actor = NULL;
    routes_set_actor(s->routes, NULL);
}
