/* SPDX-License-Identifier: BSD-3-Clause */
/* OAuth clients, and the access tokens that they fetch. */
#include <stdlib.h>

#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "crypto/crypto.h"
#include "model/secret.h"

#define CLIENTS_MAX     1000
#define TOKENS_MAX      32 /* per client: a new one replaces the one that expires first */
#define TOKENS_LOOK_MS  3600000
#define TOKENS_AGAIN_MS 60000
#define SCOPES_MAX      64
#define TAGS_MAX        256

/* Checks a client's scopes and tags. */
static int check_client(const struct core_admin *a, struct err *e)
{
    bool wants_tags = strs_has(&a->scopes, "devices:core") || strs_has(&a->scopes, "auth_keys");

    if (!a->scopes.len)
        return err_field(e, ERR_INVALID, "scopes", "an OAuth client must declare at least one scope");
    if (a->scopes.len > SCOPES_MAX || a->tags.len > TAGS_MAX)
        return err_field(e, ERR_INVALID, a->scopes.len > SCOPES_MAX ? "scopes" : "tags",
                         "an OAuth client has at most %d scopes and %d tags", SCOPES_MAX, TAGS_MAX);
    for (size_t i = 0; i < a->scopes.len; i++) {
        const char *scope = a->scopes.items[i];
        size_t len = strlen(scope);
        if (!len || len > 64 || strspn(scope, "abcdefghijklmnopqrstuvwxyz0123456789_:-") != len)
            return err_field(e, ERR_INVALID, "scopes", "'%.80s' is not a scope such as devices:core:read", scope);
    }
    if (wants_tags && !a->tags.len)
        return err_field(e, ERR_INVALID, "tags", "tags are required when scopes include devices:core or auth_keys");
    for (size_t i = 0; i < a->tags.len; i++) {
        int rc = admin_check_tag(a->tags.items[i], "tags", e);
        if (rc < 0)
            return rc;
    }
    return a->name ? str_check(a->name, 255, true, "description", e) : 0;
}

static void fill_client(struct oauth_client *c, const struct core_admin *a)
{
    mem_replace(&c->description, a->name ? a->name : "");
    strs_copy(&c->scopes, &a->scopes);
    strs_sort(&c->scopes);
    strs_copy(&c->tags, &a->tags);
    strs_sort(&c->tags);
}

int admin_oauth_client_create(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct secret secret;
    int rc = check_client(a, e);

    if (rc == 0 && s->oauth_clients.len >= CLIENTS_MAX)
        rc = err_set(e, ERR_CONFLICT, "there are %d OAuth clients already", CLIENTS_MAX);
    if (rc < 0)
        return rc;
    struct oauth_client *c = oauth_client_new();
    secret_make(SECRET_OAUTH_CLIENT, &secret);
    mem_replace(&c->client_id, secret.prefix);
    mem_replace(&c->secret_hash, secret.hash);
    if (!s->dry)
        a->secret = mem_strdup(secret.text);
    crypto_wipe(&secret, sizeof(secret));
    c->r.id = s->dry ? 0 : tx_new_id(s, RECORD_OAUTH_CLIENT);
    fill_client(c, a);
    c->created_ns = clock_wall_ns();
    admin_result(a, c);
    journal(s,
            &(struct event_note){.id = EVENT_OAUTHCLIENT_CREATED,
                                 .object = "oauthclient",
                                 .object_id = c->r.id,
                                 .object_name = c->client_id},
            "OAuth client %s was created%s%s", c->client_id, *c->description ? ": " : "", c->description);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_OAUTH_CLIENT_DELETE, .id = c->r.id});
    tx_put(s, c);
    return 0;
}

static const struct oauth_client *find_client(struct core_state *s, const struct core_admin *a)
{
    for (struct map_entry *at = map_first(&s->oauth_clients); at; at = map_next(&s->oauth_clients, at)) {
        const struct oauth_client *c = ((const struct record_pair *)at->value)->work;
        if (c && (a->prefix ? str_eq(c->client_id, a->prefix) : c->r.id == a->id))
            return c;
    }
    return NULL;
}

/* Removes all tokens of a client, or (client 0) expired ones, and returns their number. */
static size_t remove_tokens(struct core_state *s, uint64_t client, int64_t now_ns)
{
    VEC(const struct oauth_token *) gone = {0};

    for (struct map_entry *at = map_first(&s->oauth_tokens); at; at = map_next(&s->oauth_tokens, at)) {
        const struct oauth_token *t = ((const struct record_pair *)at->value)->work;
        if (t && (client ? t->client == client : t->expiration_ns <= now_ns))
            vec_push(&gone, t);
    }
    for (size_t i = 0; i < gone.len; i++)
        tx_remove(s, gone.items[i]);
    size_t count = gone.len;
    vec_release(&gone);
    return count;
}

/* The time of the next expiry is checked in between, as the clock may be set. What could not be written is due
 * again. */
static void wait_for_tokens(struct core_state *s, int64_t now_ns, bool removed)
{
    int64_t left_ms = removed ? TOKENS_AGAIN_MS : INT64_MAX;

    for (struct map_entry *at = map_first(&s->oauth_tokens); at; at = map_next(&s->oauth_tokens, at)) {
        const struct oauth_token *t = ((const struct record_pair *)at->value)->work;
        int64_t ms = t ? (t->expiration_ns - now_ns) / 1000000 + 1 : INT64_MAX;
        if (t && ms > TOKENS_LOOK_MS)
            ms = TOKENS_LOOK_MS;
        left_ms = ms < left_ms ? ms : left_ms;
    }
    if (left_ms < INT64_MAX)
        timer_set(s, clock_mono_ms() + (left_ms > 0 ? left_ms : 0), TIMER_TOKENS, NULL);
}

void oauth_tokens_expire(struct core_state *s)
{
    int64_t now = clock_wall_ns();

    wait_for_tokens(s, now, remove_tokens(s, 0, now) > 0);
}

static int named_client(struct core_state *s, const struct core_admin *a, const struct oauth_client **out,
                        struct err *e)
{
    *out = find_client(s, a);
    if (!*out && a->prefix)
        return err_field(e, ERR_MISSING, "id", "OAuth client not found: %.40s", a->prefix);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "OAuth client not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->r.version, e);
}

/* Tokens hold the client's rights at their creation: a change of the client ends them. */
int admin_oauth_client_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct oauth_client *old;
    int rc = named_client(s, a, &old, e);

    if (rc == 0)
        rc = check_client(a, e);
    if (rc < 0)
        return rc;
    struct oauth_client *c = oauth_client_edit(old);
    fill_client(c, a);
    admin_result(a, c);
    journal(s,
            &(struct event_note){.id = EVENT_OAUTHCLIENT_CHANGED,
                                 .object = "oauthclient",
                                 .object_id = c->r.id,
                                 .object_name = c->client_id},
            "OAuth client %s was changed, its access tokens ended", c->client_id);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_OAUTH_CLIENT_SET,
                                          .id = c->r.id,
                                          .name = old->description,
                                          .scopes = old->scopes,
                                          .tags = old->tags});
    (void)remove_tokens(s, c->r.id, 0);
    tx_put(s, c);
    return 0;
}

int admin_oauth_client_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct oauth_client *c;
    int rc = named_client(s, a, &c, e);

    if (rc < 0)
        return rc;
    admin_result(a, c);
    journal(s,
            &(struct event_note){.id = EVENT_OAUTHCLIENT_DELETED,
                                 .object = "oauthclient",
                                 .object_id = c->r.id,
                                 .object_name = c->client_id},
            "OAuth client %s was deleted, its access tokens with it", c->client_id);
    (void)remove_tokens(s, c->r.id, 0);
    tx_remove(s, c);
    return 0;
}

static void make_room(struct core_state *s, uint64_t client)
{
    const struct oauth_token *first = NULL;
    size_t count = 0;

    for (struct map_entry *at = map_first(&s->oauth_tokens); at; at = map_next(&s->oauth_tokens, at)) {
        const struct oauth_token *t = ((const struct record_pair *)at->value)->work;
        if (!t || t->client != client)
            continue;
        count++;
        first = !first || t->expiration_ns < first->expiration_ns ? t : first;
    }
    if (count >= TOKENS_MAX)
        tx_remove(s, first);
}

/* The client keeps its version: its last use is no change. */
static void note_seen(struct core_state *s, const struct oauth_client *old, const char *fast_hash, int64_t now_ns)
{
    struct oauth_client *c = oauth_client_edit(old);

    c->r.version = old->r.version;
    c->last_seen_ns = now_ns;
    if (fast_hash && secret_is_slow(old->secret_hash))
        mem_replace(&c->secret_hash, fast_hash);
    tx_put(s, c);
}

int admin_oauth_token(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct oauth_client *c = find_client(s, a);
    uint64_t client = c ? c->r.id : 0;
    int64_t now = clock_wall_ns();
    struct secret secret;

    if (!c)
        return err_field(e, ERR_MISSING, "id", "OAuth client not found: %llu", (unsigned long long)a->id);
    (void)remove_tokens(s, 0, now);
    make_room(s, client);
    note_seen(s, c, a->text, now);
    struct oauth_token *t = oauth_token_new();
    secret_make(SECRET_OAUTH_TOKEN, &secret);
    mem_replace(&t->prefix, secret.prefix);
    mem_replace(&t->secret_hash, secret.hash);
    a->secret = mem_strdup(secret.text);
    crypto_wipe(&secret, sizeof(secret));
    t->r.id = tx_new_id(s, RECORD_OAUTH_TOKEN);
    t->client = client;
    strs_copy(&t->scopes, &a->scopes);
    strs_copy(&t->tags, &a->tags);
    t->expiration_ns = a->time_ns;
    t->created_ns = now;
    tx_put(s, t);
    wait_for_tokens(s, now, false);
    return 0;
}
