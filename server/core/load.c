/* SPDX-License-Identifier: BSD-3-Clause */
/* From the store to the first snapshot, and freeing everything at the end. */
#include "core/load.h"
#include "core/decide/nearest.h"

#include <ctype.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/admin/login.h"
#include "core/admin/operations.h"
#include "core/admin/policy_change.h"
#include "core/admin/repeated.h"
#include "core/commit.h"
#include "core/decide/pending.h"
#include "core/decide/reach.h"
#include "core/decide/settings.h"
#include "core/decide/ssh.h"
#include "core/policy_publish.h"
#include "core/publish.h"
#include "core/state/accounts.h"
#include "core/state/addresses.h"
#include "core/state/deleted.h"
#include "core/state/journal.h"
#include "core/state/past.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "model/hostinfo.h"

static void load_pairs(struct core_state *s, enum record_kind kind, void *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *r = records[i];
        struct record_pair *c = pair_of(s, kind, r->id, true);
        c->work = record_ref(r);
        c->published = record_ref(r);
    }
}

/* Repairs what earlier versions stored unchecked: data that other clients cannot read, a name in capitals. NULL:
 * nothing to repair. */
static struct node *repaired(const struct node *n)
{
    char *peer_hostinfo = peer_hostinfo_repair(n->peer_hostinfo);
    bool capitals = false;
    struct node *fresh = NULL;

    for (const char *c = n->given_name; *c; c++)
        capitals = capitals || (*c >= 'A' && *c <= 'Z');
    if (capitals || !str_eq(peer_hostinfo, n->peer_hostinfo)) {
        fresh = node_edit(n);
        fresh->r.version = n->r.version;
        mem_replace(&fresh->peer_hostinfo, peer_hostinfo);
        for (char *c = fresh->given_name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    free(peer_hostinfo);
    return fresh;
}

static void load_node(struct core_state *s, const struct node *n, const struct node_live *live)
{
    struct slot *slot = slot_new(s, n->r.id);
    struct node *fresh = repaired(n);

    n = fresh ? fresh : n;
    node_live_copy(&slot->live, live);
    slot->live.online = false;
    slot->live.healthy = true;
    slot->ended_ms = clock_mono_ms();
    slot_set_work(s, slot, n);
    slot_publish(s, slot, n);
    timer_for_ephemeral(s, slot);
    record_unref(fresh);
}

static void load_primaries(struct core_state *s, const struct store_image *image)
{
    for (size_t i = 0; i < image->primary_count; i++) {
        const struct primary *p = image->primaries[i];
        struct slot *slot = map_getu(&s->by_id, p->r.id);
        if (!slot)
            continue;
        routes_restore(s->routes, &p->prefix, &(struct route_served){p->r.id, p->since_ns, p->chosen});
        prefixes_add(&slot->serving, &p->prefix);
        size_t at = 0;
        while (at < s->primaries.len && prefix_cmp(&s->primaries.items[at]->prefix, &p->prefix) < 0)
            at++;
        (void)vec_add(&s->primaries);
        memmove(&s->primaries.items[at + 1], &s->primaries.items[at], (s->primaries.len - 1 - at) * sizeof(void *));
        s->primaries.items[at] = record_ref(p);
    }
    core_policy_restore_servers(s, image->via_primaries, image->via_primary_count);
    if (image->primary_count || image->via_primary_count)
        timer_set(s, clock_mono_ms() + s->config->node.ha.settle_time / 1000000, TIMER_SETTLE, NULL);
}

/* A file without a valid policy never replaces a working policy stored by an earlier start; without one the start
 * fails, since everything would be allowed. */
static int load_policy_file(struct core_state *s, struct err *e)
{
    struct err why = {0};
    char *text = NULL;

    if (!config_policy_is_file(s->config))
        return 0;
    int rc = core_policy_read_file(s->config, &text, &why);
    if (rc < 0)
        log_error("policy", "%s", why.message);
    else
        rc = core_policy_start_with_file(s, text);
    free(text);
    s->counters.policy_refused = rc < 0;
    if (rc < 0 && (!s->policy_work || !*s->policy_work->text))
        return err_field(e, (enum err_code)rc, "policy.path", "%.120s holds no policy that can be used%s%.80s",
                         s->config->policy.path, why.code ? ": " : ": see the log", why.message);
    return 0;
}

/* Call after the policy is published: approvals belong to one policy. */
static void load_ssh_approvals(struct core_state *s, const struct store_image *image)
{
    for (size_t i = 0; i < image->ssh_approval_count; i++)
        if (!ssh_approval_follow(s, image->ssh_approvals[i]))
            tx_remove(s, image->ssh_approvals[i]);
}

/* The first entry of the journal and the first snapshot. */
static int begin(struct core_state *s, const struct store_image *image, struct err *e)
{
    s->users_dirty = s->preauth_keys_dirty = s->api_keys_dirty = s->identities_dirty = true;
    s->primaries_dirty = s->policy_dirty = true;
    s->message_dirty = s->oauth_dirty = s->webhooks_dirty = true;
    s->tailnet_dirty |= CHANGE_DNS | CHANGE_DERP | CHANGE_USERS | CHANGE_POLICY;
    journal(s, &(struct event_note){.id = EVENT_SERVER_STARTED, .actor = "server", .object = "server"},
            "headwayd started with %zu nodes and %zu users", s->slots.len, s->users.len);
    struct store_past past;
    int rc = store_past(s->store, INT64_MAX, &past, e);
    if (rc < 0)
        return rc;
    core_past_load(s, &past);
    nearest_restore(s, past.items, past.count);
    store_past_release(&past);
    publish(s);
    load_ssh_approvals(s, image);
    preauth_keys_reap(s);
    oauth_tokens_expire(s);
    logins_forget(s);
    core_past_reconcile(s);
    tx_submit(s);
    return 0;
}

int state_load(struct core_state *s, struct err *e)
{
    struct store_image image = {0};
    int rc = store_load(s->store, &image, e);

    if (rc < 0)
        return rc;
    s->config = config_ref(s->config);
    struct prefix_rule configured = prefix_rule_configured(s->config);
    s->routes = routes_new(&configured);
    s->run = image.run;
    memcpy(s->next_id, image.next_id, sizeof(s->next_id));
    for (size_t i = 0; i < ARRAY_LEN(s->next_id); i++)
        if (!s->next_id[i])
            s->next_id[i] = 1;
    load_pairs(s, RECORD_USER, (void *const *)image.users, image.user_count);
    load_pairs(s, RECORD_PREAUTH_KEY, (void *const *)image.preauth_keys, image.preauth_key_count);
    load_pairs(s, RECORD_API_KEY, (void *const *)image.api_keys, image.api_key_count);
    load_pairs(s, RECORD_IDENTITY, (void *const *)image.identities, image.identity_count);
    load_pairs(s, RECORD_OAUTH_CLIENT, (void *const *)image.oauth_clients, image.oauth_client_count);
    load_pairs(s, RECORD_OAUTH_TOKEN, (void *const *)image.oauth_tokens, image.oauth_token_count);
    load_pairs(s, RECORD_WEBHOOK, (void *const *)image.webhooks, image.webhook_count);
    s->policy_work = record_ref(image.policy_count ? image.policies[0] : NULL);
    s->policy_published = record_ref(image.policy_count ? image.policies[0] : NULL);
    s->message_work = record_ref(image.message_count ? image.messages[0] : NULL);
    s->message_published = record_ref(s->message_work);
    s->dns_work = record_ref(image.dns_settings_count ? image.dns_settings[0] : NULL);
    s->dns_published = record_ref(s->dns_work);
    settings_from_config(s);
    for (size_t i = 0; i < image.node_count; i++)
        load_node(s, image.nodes[i], &image.lives[i]);
    /* Before primaries: a changed failback ends an administrator's choice. */
    for (size_t i = 0; i < image.prefix_settings_count; i++) {
        prefix_settings_work(s, image.prefix_settings[i], false);
        prefix_settings_publish(s, image.prefix_settings[i], false);
    }
    load_primaries(s, &image);
    reach_restore(s);
    address_set_ranges(s);
    repeated_load(s, image.admin_calls, image.admin_call_count);
    deleted_load(s, image.deleted_nodes, image.deleted_node_count);
    pending_requests_load(s, image.pendings, image.pending_count);
    rc = load_policy_file(s, e);
    if (rc == 0)
        rc = begin(s, &image, e);
    store_image_release(&image);
    return rc;
}

static void release_pairs(struct map *m)
{
    for (struct map_entry *e = map_first(m); e; e = map_next(m, e)) {
        struct record_pair *c = e->value;
        record_unref(c->work);
        record_unref(c->published);
        free(c);
    }
    map_release(m);
}

void state_release(struct core_state *s)
{
    release_pairs(&s->users);
    release_pairs(&s->preauth_keys);
    release_pairs(&s->api_keys);
    release_pairs(&s->identities);
    release_pairs(&s->oauth_clients);
    release_pairs(&s->oauth_tokens);
    release_pairs(&s->webhooks);
    prefix_settings_release(s);
    map_release(&s->prefix_moves);
    nearest_release(s);
    slots_release(s);
    pending_request_release(s);
    map_release(&s->by_id);
    map_release(&s->by_node_key);
    map_release(&s->by_machine_key);
    map_release(&s->by_name);
    map_release(&s->by_address);
    map_release(&s->sessions);
    map_release(&s->ssh_approved);
    core_past_release(s);
    deleted_release(s);
    repeated_release(s);
    map_release(&s->quarantine);
    for (size_t i = 0; i < s->primaries.len; i++)
        record_unref(s->primaries.items[i]);
    vec_release(&s->primaries);
    for (size_t i = 0; i < s->via_primaries.len; i++)
        record_unref(s->via_primaries.items[i]);
    vec_release(&s->via_primaries);
    vec_release(&s->dirty_slots);
    vec_release(&s->timers);
    vec_release(&s->listeners);
    vec_release(&s->exit_changes);
    core_policy_release(s);
    record_unref(s->policy_work);
    record_unref(s->policy_published);
    record_unref(s->message_work);
    record_unref(s->message_published);
    record_unref(s->dns_work);
    record_unref(s->dns_published);
    settings_unref(s->settings);
    free(s->records);
    tailnet_unpin(s->own);
    if (s->routes) {
        routes_free(s->routes);
        config_unref(s->config);
    }
}
