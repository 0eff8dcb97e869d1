/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys and API keys. A secret leaves the server once, in the answer that creates it. */
#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "crypto/crypto.h"
#include "model/secret.h"

/* Fills the record's prefix and hash; the call's answer is the only place that has the whole key. */
static void make_key(struct core_state *s, struct core_admin *a, enum secret_kind kind, char **prefix, char **hash)
{
    struct secret secret;

    secret_make(kind, &secret);
    mem_replace(prefix, secret.prefix);
    mem_replace(hash, secret.hash);
    if (!s->dry)
        a->secret = mem_strdup(secret.text);
    crypto_wipe(&secret, sizeof(secret));
}

/* Deletes keys that were revoked long ago. */
void preauth_keys_reap(struct core_state *s)
{
    int64_t since = clock_wall_ns() - s->config->preauth_keys.revoked_retention;
    VEC(const struct preauth_key *) gone = {0};

    if (!s->config->preauth_keys.revoked_retention)
        return;
    for (struct map_entry *at = map_first(&s->preauth_keys); at; at = map_next(&s->preauth_keys, at)) {
        const struct preauth_key *k = ((const struct record_pair *)at->value)->work;
        if (k && k->revoked && k->revoked_ns && k->revoked_ns <= since)
            vec_push(&gone, k);
    }
    for (size_t i = 0; i < gone.len; i++)
        tx_remove(s, gone.items[i]);
    vec_release(&gone);
}

int admin_preauthkey_create(struct core_state *s, struct core_admin *a, struct err *e)
{
    if (a->user_id && !find_user(s, a->user_id))
        return err_field(e, ERR_MISSING, "user", "user not found: %llu", (unsigned long long)a->user_id);
    if (!a->user_id && !a->tags.len)
        return err_field(e, ERR_INVALID, "user", "auth-key must be either tagged or owned by user");
    for (size_t i = 0; i < a->tags.len; i++) {
        int rc = admin_check_tag(a->tags.items[i], "aclTags", e);
        if (rc < 0)
            return rc;
    }
    if (a->name) {
        int rc = str_check(a->name, 255, true, "description", e);
        if (rc < 0)
            return rc;
    }
    preauth_keys_reap(s);
    struct preauth_key *k = preauth_key_new();
    mem_replace(&k->description, a->name ? a->name : "");
    make_key(s, a, SECRET_PREAUTH_KEY, &k->prefix, &k->secret_hash);
    k->r.id = s->dry ? 0 : tx_new_id(s, RECORD_PREAUTH_KEY);
    k->user_id = a->user_id;
    strs_copy(&k->tags, &a->tags);
    strs_sort(&k->tags);
    k->reusable = a->reusable;
    k->ephemeral = a->ephemeral;
    k->preauthorized = !a->needs_approval;
    k->expiration_ns = a->time_ns;
    k->created_ns = clock_wall_ns();
    admin_result(a, k);
    const struct user *u = find_user(s, k->user_id);
    journal(s,
            &(struct event_note){
                .id = EVENT_PREAUTHKEY_CREATED, .object = "preauthkey", .object_id = k->r.id, .object_name = k->prefix},
            "Pre-auth key %llu was created for %s%s%s%s", (unsigned long long)k->r.id,
            u ? user_login(u) : k->tags.items[0], k->reusable ? ", reusable" : "", k->ephemeral ? ", ephemeral" : "",
            k->preauthorized ? "" : ", its machines need approval");
    admin_inverse(a, &(struct core_admin){.op = ADMIN_PREAUTHKEY_DELETE, .id = k->r.id});
    tx_put(s, k);
    return 0;
}

static int find_key(struct core_state *s, const struct core_admin *a, const struct preauth_key **out, struct err *e)
{
    *out = find_preauth_key(s, a->id);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "pre-auth key not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->r.version, e);
}

int admin_preauthkey_expire(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct preauth_key *old;
    int rc = find_key(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct preauth_key *k = preauth_key_edit(old);
    k->expiration_ns = clock_wall_ns();
    journal(s,
            &(struct event_note){
                .id = EVENT_PREAUTHKEY_EXPIRED, .object = "preauthkey", .object_id = k->r.id, .object_name = k->prefix},
            "Pre-auth key %llu was expired", (unsigned long long)k->r.id);
    admin_result(a, k);
    tx_put(s, k);
    return 0;
}

int admin_preauthkey_revoke(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct preauth_key *old;
    int rc = find_key(s, a, &old, e);

    if (rc == 0 && old->revoked)
        rc = err_field(e, ERR_MISSING, "id", "auth key not found: it was revoked before");
    if (rc < 0)
        return rc;
    struct preauth_key *k = preauth_key_edit(old);
    k->revoked = true;
    k->revoked_ns = clock_wall_ns();
    journal(s,
            &(struct event_note){
                .id = EVENT_PREAUTHKEY_REVOKED, .object = "preauthkey", .object_id = k->r.id, .object_name = k->prefix},
            "Pre-auth key %llu was revoked", (unsigned long long)k->r.id);
    admin_result(a, k);
    tx_put(s, k);
    preauth_keys_reap(s);
    return 0;
}

int admin_preauthkey_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct preauth_key *k;
    int rc = find_key(s, a, &k, e);

    if (rc < 0)
        return rc;
    admin_result(a, k);
    journal(s,
            &(struct event_note){
                .id = EVENT_PREAUTHKEY_DELETED, .object = "preauthkey", .object_id = k->r.id, .object_name = k->prefix},
            "Pre-auth key %llu was deleted", (unsigned long long)k->r.id);
    tx_remove(s, k);
    return 0;
}

int admin_apikey_create(struct core_state *s, struct core_admin *a, struct err *e)
{
    int rc = a->name ? str_check(a->name, 255, true, "description", e) : 0;

    if (rc == 0 && a->user_id && !find_user(s, a->user_id))
        rc = err_field(e, ERR_MISSING, "user", "user not found: %llu", (unsigned long long)a->user_id);
    if (rc < 0)
        return rc;
    struct api_key *k = api_key_new();
    make_key(s, a, SECRET_API_KEY, &k->prefix, &k->secret_hash);
    k->r.id = s->dry ? 0 : tx_new_id(s, RECORD_API_KEY);
    mem_replace(&k->description, a->name);
    k->read_only = a->read_only;
    k->user_id = a->user_id;
    k->expiration_ns = a->time_ns;
    k->created_ns = clock_wall_ns();
    admin_result(a, k);
    journal(s,
            &(struct event_note){
                .id = EVENT_APIKEY_CREATED, .object = "apikey", .object_id = k->r.id, .object_name = k->prefix},
            "API key %llu was created%s", (unsigned long long)k->r.id, k->read_only ? ", read-only" : "");
    admin_inverse(a, &(struct core_admin){.op = ADMIN_APIKEY_DELETE, .id = k->r.id});
    tx_put(s, k);
    return 0;
}

static int find_api_key(struct core_state *s, const struct core_admin *a, const struct api_key **out, struct err *e)
{
    *out = NULL;
    for (struct map_entry *at = map_first(&s->api_keys); at && !*out; at = map_next(&s->api_keys, at)) {
        const struct api_key *k = ((const struct record_pair *)at->value)->work;
        if (k && (a->prefix ? str_eq(k->prefix, a->prefix) : k->r.id == a->id))
            *out = k;
    }
    if (!*out && a->prefix)
        return err_field(e, ERR_MISSING, "prefix", "API key not found: %.40s", a->prefix);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "API key not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->r.version, e);
}

int admin_apikey_expire(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct api_key *old;
    int rc = find_api_key(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct api_key *k = api_key_edit(old);
    k->expiration_ns = clock_wall_ns();
    journal(s,
            &(struct event_note){
                .id = EVENT_APIKEY_EXPIRED, .object = "apikey", .object_id = k->r.id, .object_name = k->prefix},
            "API key %llu was expired", (unsigned long long)k->r.id);
    admin_result(a, k);
    tx_put(s, k);
    return 0;
}

int admin_apikey_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct api_key *k;
    int rc = find_api_key(s, a, &k, e);

    if (rc < 0)
        return rc;
    admin_result(a, k);
    journal(s,
            &(struct event_note){
                .id = EVENT_APIKEY_DELETED, .object = "apikey", .object_id = k->r.id, .object_name = k->prefix},
            "API key %llu was deleted", (unsigned long long)k->r.id);
    tx_remove(s, k);
    return 0;
}

/* The secret is as random as those generated here: once verified, a fast hash suffices. */
void apikey_seen_run(struct core_state *s, uint64_t id, const char *fast_hash)
{
    struct record_pair *c = map_getu(&s->api_keys, id);
    const struct api_key *old = c ? c->work : NULL;
    int64_t now = clock_wall_ns();

    bool faster = old && fast_hash && secret_is_slow(old->secret_hash);
    if (!old || (now - old->last_seen_ns < 60 * NS_PER_SECOND && !faster))
        return;
    struct api_key *k = api_key_edit(old);
    k->r.version = old->r.version;
    k->last_seen_ns = now;
    if (faster)
        mem_replace(&k->secret_hash, fast_hash);
    tx_put(s, k);
}
