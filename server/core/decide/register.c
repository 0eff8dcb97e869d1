/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration: a tailcfg.RegisterRequest is checked in this order: a logout, a known key, a followup, an auth key, a
 * person. */
#include "core/decide/register.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/decide/nearest.h"
#include "core/decide/nodes.h"
#include "core/decide/pending.h"
#include "core/decide/slow_key.h"
#include "core/state/accounts.h"
#include "core/state/addresses.h"
#include "core/state/journal.h"
#include "core/state/names.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "model/label.h"
#include "model/secret.h"

static void done(struct core_state *s, struct core_register *r, const struct node *n)
{
    r->result = REGISTER_DONE;
    r->node_id = n->r.id;
    r->user = record_ref(n->user_id ? find_user(s, n->user_id) : NULL);
    tx_answer(s, &r->call, 0);
}

static void refuse(struct core_state *s, struct core_register *r)
{
    r->result = REGISTER_REFUSED;
    tx_answer_soon(s, &r->call, 0);
}

static void expired(struct core_state *s, struct core_register *r)
{
    r->result = REGISTER_EXPIRED;
    tx_answer(s, &r->call, 0);
}

static void note_node(struct core_state *s, enum event_id id, const struct node *n, const char *actor, const char *text)
{
    journal(s,
            &(struct event_note){.id = id,
                                 .actor = actor,
                                 .object = "node",
                                 .object_id = n->r.id,
                                 .object_name = n->given_name,
                                 .caused_by = slot_by_id(s, n->r.id)},
            "%s %s (owner %s)", n->given_name, text, owner_name(s, n));
}

static void log_out(struct core_state *s, struct core_register *r, struct slot *slot)
{
    const struct node *old = slot->work;
    char *actor = mem_format("node %s", old->given_name);

    if (old->ephemeral) {
        slot_delete(s, slot, actor, "ephemeral and logged out");
    } else if (!old->logged_out) {
        struct node *n = node_edit(old);
        n->logged_out = true;
        note_node(s, EVENT_NODE_LOGGED_OUT, n, actor, "logged out");
        tx_put(s, n);
    }
    free(actor);
    expired(s, r);
}

/* A restarted daemon repeats what it asked for at login, whatever an administrator has changed since; `tailscale up
 * --advertise-tags` asks for something else. */
static bool asks_for_tags(const struct core_register *r, const struct node *n)
{
    const struct strs *asked = &r->info.request_tags;
    bool has_all = true;

    for (size_t i = 0; i < asked->len; i++)
        has_all = has_all && strs_has(&n->tags, asked->items[i]);
    return !has_all && !strs_eq(asked, &n->request_tags);
}

static void give_url(struct core_state *s, struct core_register *r, const struct pending *before);
static void follow_up(struct core_state *s, struct core_register *r);

/* A known node key without a new credential: a restarted daemon, a shortened expiry, an expired key, or other tags, for
 * which a person must log in. */
static void known_key(struct core_state *s, struct core_register *r, struct slot *slot)
{
    const struct node *old = slot->work;

    if (slot_is_expired(s, old)) {
        expired(s, r);
        return;
    }
    if (asks_for_tags(r, old)) {
        if (r->followup)
            follow_up(s, r);
        else
            give_url(s, r, NULL);
        return;
    }
    if (node_is_tagged(old)) { /* never expires, unless an administrator sets a time */
        done(s, r, old);
        return;
    }
    if (r->expiry_ns && (!old->expiry_ns || r->expiry_ns < old->expiry_ns)) {
        struct node *n = node_edit(old);
        n->expiry_ns = r->expiry_ns;
        tx_put(s, n);
        done(s, r, n);
        return;
    }
    if (r->expiry_ns > old->expiry_ns && old->expiry_ns) {
        err_set(&r->call.err, ERR_DENIED, "extending key is not allowed");
        refuse(s, r);
        return;
    }
    done(s, r, old);
}

/* ---- pre-auth keys ---- */

/* The secret is as random as headway's own keys: after its first use a fast hash suffices. */
static const struct preauth_key *with_fast_hash(struct core_state *s, const struct preauth_key *k, const char *secret)
{
    struct preauth_key *fast = preauth_key_edit(k);
    char hash[SECRET_HASH_MAX];

    secret_digest(secret, hash);
    mem_replace(&fast->secret_hash, hash);
    tx_put(s, fast);
    return fast;
}

/* *later: the call is run again when its slow hash is computed; do nothing else for it now. */
static const struct preauth_key *find_key(struct core_state *s, struct core_register *r, bool *later, struct err *e)
{
    char prefix[SECRET_PREFIX_LEN + 1];
    const char *secret;
    bool whole = secret_split(SECRET_PREAUTH_KEY, r->auth_key, prefix, &secret);

    *later = false;
    for (struct map_entry *at = map_first(&s->preauth_keys); whole && at; at = map_next(&s->preauth_keys, at)) {
        const struct preauth_key *k = ((const struct record_pair *)at->value)->work;
        if (!k || !str_eq(k->prefix, prefix))
            continue;
        if (!secret_is_slow(k->secret_hash)) {
            if (secret_fits(k->secret_hash, secret))
                return k;
            continue;
        }
        enum slow_verdict verdict = slow_key_fits(s, r, k, secret, e);
        if (verdict == SLOW_FITS)
            return with_fast_hash(s, k, secret);
        *later = verdict == SLOW_LATER;
        if (verdict != SLOW_WRONG)
            return NULL;
    }
    err_set(e, ERR_UNAUTHENTICATED, "invalid pre auth key");
    return NULL;
}

static int key_is_valid(const struct preauth_key *k, struct err *e)
{
    if (k->revoked)
        return err_set(e, ERR_UNAUTHENTICATED, "authkey revoked");
    if (k->expiration_ns && k->expiration_ns <= clock_wall_ns())
        return err_set(e, ERR_UNAUTHENTICATED, "authkey expired");
    if (!k->reusable && k->used)
        return err_set(e, ERR_UNAUTHENTICATED, "authkey already used");
    return 0;
}

/* Which node of this machine a key refers to. A user's key: that user's node, else the tagged one. A tagged key: the
 * tagged one, else its user's, else the only one. */
static struct slot *node_of_key(struct core_state *s, const struct core_register *r, const struct preauth_key *k,
                                struct err *e)
{
    struct slot *tagged = NULL, *owned = NULL, *any = NULL;
    size_t of_users = 0;

    for (struct slot *x = slot_by_machine(s, r->machine_key); x; x = x->same_machine) {
        if (node_is_tagged(x->work)) {
            tagged = x;
        } else {
            of_users++;
            any = x;
            if (k->user_id && x->work->user_id == k->user_id)
                owned = x;
        }
    }
    if (!k->tags.len)
        return owned ? owned : tagged;
    if (tagged || owned)
        return tagged ? tagged : owned;
    if (of_users > 1)
        err_set(e, ERR_CONFLICT, "ambiguous ownership: this machine has nodes of several users; delete all but one");
    return of_users == 1 ? any : NULL;
}

static int64_t expiry_from_now(struct core_state *s)
{
    return s->config->node.expiry ? clock_wall_ns() + s->config->node.expiry : 0;
}

/* A client may ask for less than node.expiry, never for more. */
static int64_t expiry_for(struct core_state *s, const struct core_register *r)
{
    int64_t latest = expiry_from_now(s);

    return r->expiry_ns && (!latest || r->expiry_ns < latest) ? r->expiry_ns : latest;
}

static int take_node_key(struct core_state *s, struct node *n, const uint8_t node_key[KEY_LEN],
                         const uint8_t machine_key[KEY_LEN], struct err *e)
{
    struct slot *holder = slot_by_node_key(s, node_key);

    if (holder && holder->id != n->r.id)
        return err_set(e, ERR_CONFLICT, "node key already in use by %s", holder->work->given_name);
    memcpy(n->node_key, node_key, KEY_LEN);
    memcpy(n->machine_key, machine_key, KEY_LEN);
    return 0;
}

static struct node *new_node(struct core_state *s, struct err *e)
{
    struct node *n = node_new();

    n->created_ns = clock_wall_ns();
    n->authorized = !str_eq(s->config->node.approval, "on");
    if (address_allocate(s, &s->v4, &n->ipv4, e) < 0 || address_allocate(s, &s->v6, &n->ipv6, e) < 0) {
        record_unref(n);
        return NULL;
    }
    n->r.id = tx_new_id(s, RECORD_NODE);
    return n;
}

/* A login that carries an administrator's approval approves a waiting machine, but never one whose approval was
 * revoked. */
static void authorize_by_login(struct node *n, const char *by)
{
    if (n->authorized || n->authorized_ns)
        return;
    n->authorized = true;
    n->authorized_ns = clock_wall_ns();
    mem_replace(&n->authorized_by, by);
}

static void note_waiting(struct core_state *s, const struct node *n)
{
    journal(s,
            &(struct event_note){.id = EVENT_NODE_WAITING,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = n->r.id,
                                 .object_name = n->given_name},
            "%s waits for approval: headway nodes approve %s", n->given_name, n->given_name);
}

static void keep_live(struct core_state *s, struct slot *slot, const struct client_info *info)
{
    if (info->net_info) {
        mem_replace(&slot->live.net_info, info->net_info);
        nearest_measured(s, slot);
    }
    if (info->home_derp)
        slot->live.home_derp = info->home_derp;
    slot->ended_ms = clock_mono_ms();
    timer_for_ephemeral(s, slot);
}

/* Puts the new or changed node and all that follows from what its client reports. */
static struct slot *put_node(struct core_state *s, const struct node *old, struct node *n,
                             const struct client_info *info, const char *actor)
{
    node_apply_info(s, n, info);
    if (!*n->given_name) {
        char base[64], name[64];
        label_of_host(n->hostname, base);
        name_unique(s, base, NULL, name);
        mem_replace(&n->given_name, name);
    }
    n->logged_out = false;
    note_node(s, old ? EVENT_NODE_REAUTHENTICATED : EVENT_NODE_REGISTERED, n, actor,
              old ? "logged in again" : "joined the tailnet");
    if (!old && !n->authorized)
        note_waiting(s, n);
    node_auto_approve(s, n);
    node_note_routes(s, old, n);
    uint64_t id = n->r.id;
    tx_put(s, n);
    struct slot *slot = map_getu(&s->by_id, id);
    keep_live(s, slot, info);
    return slot;
}

static void use_key(struct core_state *s, const struct preauth_key *k)
{
    if (k->reusable || k->used)
        return;
    struct preauth_key *used = preauth_key_edit(k);
    used->used = true;
    tx_put(s, used);
}

/* The tags from a login: those that the client asks for, else the key's; none: the node belongs to the key's user. */
static const struct strs *tags_of_login(const struct core_register *r, const struct preauth_key *k)
{
    return r->info.request_tags.len ? &r->info.request_tags : &k->tags;
}

/* The key that the node logged in with, and no other request: an administrator's later changes to the node stay. */
static bool is_same_login(const struct node *n, const struct core_register *r, const struct preauth_key *k)
{
    return n->preauth_key_id == k->r.id && strs_eq(&r->info.request_tags, &n->request_tags);
}

static void own_by_key(struct core_state *s, struct node *n, const struct core_register *r, const struct preauth_key *k)
{
    if (!is_same_login(n, r, k)) {
        strs_copy(&n->tags, tags_of_login(r, k));
        n->user_id = n->tags.len ? 0 : k->user_id;
    }
    n->expiry_ns = node_is_tagged(n) ? 0 : expiry_for(s, r);
    n->preauth_key_id = n->unseen_login = k->r.id;
    n->ephemeral = k->ephemeral || r->ephemeral;
    n->method = REGISTER_AUTH_KEY;
}

/* A restarted container: nothing new is requested, so the key, used up or deleted meanwhile, is not needed. */
static bool keeps_its_login(struct core_state *s, const struct node *n, const struct core_register *r,
                            const struct preauth_key *k)
{
    if (slot_is_expired(s, n))
        return false;
    if (!k)
        return !asks_for_tags(r, n);
    const struct strs *tags = tags_of_login(r, k);
    return is_same_login(n, r, k) || (strs_eq(&n->tags, tags) && (tags->len || n->user_id == k->user_id));
}

/* The answer to a login was lost, and the client returns with another node key: the key was used up by that same
 * login. */
static struct slot *lost_login(struct core_state *s, const struct core_register *r, const struct preauth_key *k)
{
    for (struct slot *x = slot_by_machine(s, r->machine_key); x && !k->revoked; x = x->same_machine)
        if (x->work->unseen_login == k->r.id && is_same_login(x->work, r, k) && !x->work->logged_out &&
            !slot_is_expired(s, x->work))
            return x;
    return NULL;
}

static void by_auth_key(struct core_state *s, struct core_register *r)
{
    struct err *e = &r->call.err;
    struct slot *same = slot_by_node_key(s, r->node_key);
    bool later;
    const struct preauth_key *k = find_key(s, r, &later, e);

    if (later)
        return;
    if (same && keeps_its_login(s, same->work, r, k)) {
        *e = (struct err){0};
        done(s, r, same->work);
        return;
    }
    if (!k && e->code == ERR_BUSY) {
        tx_answer_soon(s, &r->call, ERR_BUSY);
        return;
    }
    const struct user *owner = k && k->user_id ? find_user(s, k->user_id) : NULL;
    if (owner && owner->suspended_ns)
        err_set(e, ERR_DENIED, "the user of this authkey is suspended");
    struct slot *lost = k ? lost_login(s, r, k) : NULL;
    if (!k || e->code || (!lost && key_is_valid(k, e) < 0) ||
        node_check_tags(s, &r->info.request_tags, owner, k, e) < 0) {
        refuse(s, r);
        return;
    }
    struct slot *slot = lost ? lost : node_of_key(s, r, k, e);
    if (e->code == 0 && same && slot != same) {
        expired(s, r); /* the key is another node's: the client makes a new one and registers again */
        return;
    }
    struct node *n = e->code ? NULL : slot ? node_edit(slot->work) : new_node(s, e);
    if (!n || take_node_key(s, n, r->node_key, r->machine_key, e) < 0) {
        record_unref(n);
        refuse(s, r);
        return;
    }
    const struct node *old = slot ? record_ref(slot->work) : NULL;
    own_by_key(s, n, r, k);
    use_key(s, k);
    char *actor = mem_format("pre-auth key %llu", (unsigned long long)k->r.id);
    if (k->preauthorized)
        authorize_by_login(n, actor);
    slot = put_node(s, old, n, &r->info, actor);
    free(actor);
    record_unref(old);
    s->counters.registrations++;
    done(s, r, slot->work);
}

/* ---- decided by a person ---- */

/* before: the request that it waited for so far, whose fields from the first request are kept; or NULL. */
static void give_url(struct core_state *s, struct core_register *r, const struct pending *before)
{
    const struct strs *tags = before ? &before->request_tags : &r->info.request_tags;
    struct pending_request *w = NULL;

    /* The same machine asking again for the same gets its existing entry. */
    for (struct map_entry *e = map_first(&s->pendings); e && !w; e = map_next(&s->pendings, e)) {
        struct pending_request *x = e->value;
        if (!x->work->decided && !x->work->ssh && memcmp(x->work->node_key, r->node_key, KEY_LEN) == 0 &&
            memcmp(x->work->machine_key, r->machine_key, KEY_LEN) == 0 && strs_eq(&x->work->request_tags, tags))
            w = x;
    }
    if (!w) {
        struct pending fields = {.hostname = (char *)(uintptr_t)r->info.hostname,
                                 .os = (char *)(uintptr_t)r->info.os,
                                 .client_version = (char *)(uintptr_t)r->info.client_version,
                                 .source = (char *)(uintptr_t)(r->info.source ? r->info.source : ""),
                                 .ssh_user = (char *)(uintptr_t) "",
                                 .ephemeral = before ? before->ephemeral : r->ephemeral,
                                 .request_tags = *tags,
                                 .routes = before ? before->routes : r->info.routes};
        memcpy(fields.machine_key, r->machine_key, KEY_LEN);
        memcpy(fields.node_key, r->node_key, KEY_LEN);
        w = pending_request_new(s, &fields, &r->call.err);
    }
    if (!w) {
        refuse(s, r);
        return;
    }
    r->result = REGISTER_URL;
    str_copy(r->auth_id, sizeof(r->auth_id), w->work->auth_id);
    if (w->published)
        tx_answer_soon(s, &r->call, 0);
    else
        tx_answer(s, &r->call, 0); /* whoever has the link may wait for it over a restart */
}

static void answer_followup(struct core_state *s, struct pending_request *w, struct core_call *call)
{
    struct core_register *r = (struct core_register *)call;
    struct slot *slot = w->work->accepted && w->work->node_id ? slot_by_id(s, w->work->node_id) : NULL;

    if (slot)
        done(s, r, slot->work);
    else
        give_url(s, r, w->work); /* rejected, expired, or approved without a user: ask again */
}

/* It may wait for long: frees what the pending request holds already. */
static void wait(struct core_state *s, struct pending_request *w, struct core_register *r)
{
    strs_release(&r->info.request_tags);
    prefixes_release(&r->info.routes);
    pending_request_wait(s, w, &r->call, answer_followup);
}

static void follow_up(struct core_state *s, struct core_register *r)
{
    struct pending_request *w = pending_request_find(s, r->followup);

    if (!w || w->work->ssh || memcmp(w->work->machine_key, r->machine_key, KEY_LEN) != 0)
        give_url(s, r, NULL);
    else if (w->work->decided)
        answer_followup(s, w, &r->call);
    else
        wait(s, w, r);
}

void register_run(struct core_state *s, struct core_call *call)
{
    struct core_register *r = (struct core_register *)call;
    struct slot *slot = slot_by_node_key(s, r->node_key);
    bool mine = slot && memcmp(slot->work->machine_key, r->machine_key, KEY_LEN) == 0;

    if (slot && !mine) {
        err_set(&call->err, ERR_DENIED, "this node key belongs to another machine");
        refuse(s, r);
    } else if (r->expiry_ns && r->expiry_ns <= clock_wall_ns()) {
        /* Also for a removed node: no key is used up for it and no person asked. */
        if (slot)
            log_out(s, r, slot);
        else
            expired(s, r);
    } else if (slot && !r->auth_key && !slot->work->logged_out) {
        known_key(s, r, slot);
    } else if (slot && !r->auth_key && !r->followup) {
        expired(s, r);
    } else if (r->followup) {
        follow_up(s, r);
    } else if (r->auth_key) {
        by_auth_key(s, r);
    } else {
        give_url(s, r, NULL);
    }
}

/* The node of the machine that a person's login refers to (one of that user, else the tagged one), or a new one. */
int register_complete(struct core_state *s, struct pending_request *w, const struct user *user,
                      const struct register_by *by, struct slot **out, struct err *e)
{
    const struct pending *p = w->work;
    struct slot *owned = NULL, *tagged = NULL, *of_others = NULL;

    for (struct slot *x = slot_by_machine(s, p->machine_key); x; x = x->same_machine) {
        if (node_is_tagged(x->work))
            tagged = x;
        else if (x->work->user_id == user->r.id)
            owned = x;
        else
            of_others = x;
    }
    if (tagged && (owned || of_others))
        return err_set(e, ERR_CONFLICT,
                       "ambiguous ownership: this machine has a tagged node and one of a user; delete one of them");
    if (node_check_tags(s, &p->request_tags, user, NULL, e) < 0)
        return e->code;
    struct slot *slot = owned ? owned : tagged;
    struct node *n = slot ? node_edit(slot->work) : new_node(s, e);
    if (!n || take_node_key(s, n, p->node_key, p->machine_key, e) < 0) {
        record_unref(n);
        return e->code;
    }
    bool becomes_tagged = p->request_tags.len > 0;
    strs_copy(&n->tags, &p->request_tags);
    n->user_id = becomes_tagged ? 0 : user->r.id;
    n->expiry_ns = becomes_tagged ? 0 : by->expiry_ns ? by->expiry_ns : expiry_from_now(s);
    n->ephemeral = p->ephemeral;
    n->unseen_login = 0;
    if (!slot || by->method == REGISTER_OIDC)
        n->method = by->method;
    struct client_info info = {.hostname = p->hostname,
                               .os = p->os,
                               .client_version = p->client_version,
                               .routes = p->routes,
                               .request_tags = p->request_tags,
                               .source = p->source};
    if (s->dry) {
        s->admin->record = n;
        return 0;
    }
    if (by->method == REGISTER_CLI)
        authorize_by_login(n,
                           by->actor ? by->actor : ""); /* an administrator who registers a machine also approves it */
    const struct node *old = slot ? record_ref(slot->work) : NULL;
    *out = put_node(s, old, n, &info, by->actor);
    record_unref(old);
    s->counters.registrations++;
    return 0;
}
