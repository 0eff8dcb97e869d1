/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks providers again, with refresh tokens, whether the people who logged in still belong to them, and retries
 * providers that could not be reached. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "login/claims.h"
#include "login/state.h"

#define LOOK_MS     30000
#define LOOK_MIN_MS 1000
#define AGAIN_NS    (300 * NS_PER_SECOND) /* after a failure that reveals nothing about the person */

#define ROUND_MAX 100 /* per provider */

/* An answer that could not be stored. The provider may have revoked the stored refresh token. */
struct unstored {
    uint64_t identity_id;
    enum core_login_step step;
    char *provider, *asked_with, *refresh_token, *text; /* text: NULL for none */
    bool has_groups;
    struct strs groups;
};

struct renewer {
    struct login *l;
    struct map failed;             /* identity -> wall time in seconds of the last failure */
    VEC(struct unstored) unstored; /* to be stored as soon as possible, before these identities are asked about again */
};

/* The work of one round. */
struct due {
    const struct identity *identity; /* a reference */
    struct provider *provider;
    bool forget; /* its groups are outdated */
};
struct round {
    VEC(struct due) items;
    size_t *of_provider; /* how many, by index of the provider */
    bool *away;          /* its last answer revealed nothing about the person */
    bool full;
};

/* False: it could not be stored. If a login or a deletion made it obsolete, it counts as stored. */
static bool is_stored(struct login *l, struct core_login *call, const char *provider)
{
    struct err e = {0};
    int rc = login_ask_core(l, call, &e);

    record_unref(call->user);
    if (rc == 0 || rc == ERR_PRECONDITION || rc == ERR_MISSING)
        return true;
    log_warn("login", "what %s says of a user was not stored: %s", provider, e.message);
    return false;
}

static bool tell(struct login *l, struct core_login *call, const struct identity *i)
{
    call->identity_id = i->r.id;
    call->asked_with = i->refresh_token;
    return is_stored(l, call, i->provider);
}

static char *copy_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void keep_unstored(struct renewer *r, const struct core_login *call, const struct identity *i)
{
    struct unstored *u = vec_add(&r->unstored);

    *u = (struct unstored){.identity_id = i->r.id,
                           .step = call->step,
                           .provider = mem_strdup(i->provider),
                           .asked_with = mem_strdup(i->refresh_token),
                           .refresh_token = mem_strdup(call->refresh_token),
                           .text = copy_or_null(call->text),
                           .has_groups = call->has_groups};
    strs_copy(&u->groups, &call->groups);
}

static void unstored_release(struct unstored *u)
{
    free(u->provider);
    free(u->asked_with);
    free(u->refresh_token);
    free(u->text);
    strs_release(&u->groups);
}

static void store_again(struct renewer *r)
{
    for (size_t i = r->unstored.len; i-- > 0;) {
        struct unstored *u = &r->unstored.items[i];
        struct core_login call = {.step = u->step,
                                  .identity_id = u->identity_id,
                                  .asked_with = u->asked_with,
                                  .refresh_token = u->refresh_token,
                                  .text = u->text,
                                  .has_groups = u->has_groups,
                                  .groups = u->groups};
        if (!is_stored(r->l, &call, u->provider))
            return; /* the others would fail too */
        unstored_release(u);
        vec_remove(&r->unstored, i);
    }
}

static bool is_unstored(const struct renewer *r, uint64_t identity_id)
{
    for (size_t i = 0; i < r->unstored.len; i++)
        if (r->unstored.items[i].identity_id == identity_id)
            return true;
    return false;
}

/* The subject of a refresh and their groups. ERR_MISSING: it does not name one. */
static int renewed_claims(struct provider *p, const struct identity *i, const struct provider_tokens *tokens,
                          struct login_claims *out, struct err *e)
{
    json_t *said = NULL;
    int rc = tokens->id_token ? provider_claims(p, tokens, NULL, &said, e) : provider_userinfo(p, tokens, &said, e);

    if (rc == 0)
        rc = claims_read(said, p->c, out, e);
    json_decref(said);
    if (rc == 0 && !str_eq(out->subject, i->subject))
        rc = err_set(e, ERR_UNAVAILABLE, "the provider answered about somebody else");
    return rc;
}

static void take_renewal(struct renewer *r, struct provider *p, const struct identity *i,
                         const struct provider_tokens *tokens)
{
    struct login_claims claims = {0};
    struct err e = {0};
    char *sealed = tokens->refresh_token ? crypto_text_seal(r->l->key, tokens->refresh_token) : NULL;
    struct core_login call = {.step = LOGIN_RENEWED, .refresh_token = sealed};
    int rc = renewed_claims(p, i, tokens, &claims, &e);

    if (rc == 0) {
        call.has_groups = true;
        call.groups = claims.groups;
        if (claims_still_allowed(p->c, &claims, &e) < 0) {
            call.step = LOGIN_REFUSED;
            call.text = e.message;
        }
    } else if (rc != ERR_MISSING) {
        call.text = e.message;
    }
    if (!tell(r->l, &call, i) && sealed)
        keep_unstored(r, &call, i);
    claims_release(&claims);
    free(sealed);
}

/* Returns 0, ERR_DENIED, or an error that reveals nothing about the person. */
static int renew(struct renewer *r, struct provider *p, const struct identity *i)
{
    struct provider_tokens tokens = {0};
    struct err e = {0};
    char *token = crypto_text_open(r->l->key, i->refresh_token);
    int rc = token ? provider_refresh(p, token, &tokens, &e)
                   : err_set(&e, ERR_UNAVAILABLE,
                             "the refresh token cannot be read: the key beside the noise key is "
                             "another one");

    if (rc == 0 || rc == ERR_DENIED)
        map_delu(&r->failed, i->r.id);
    if (rc == 0) {
        take_renewal(r, p, i, &tokens);
    } else if (rc == ERR_DENIED) {
        (void)tell(r->l, &(struct core_login){.step = LOGIN_REFUSED, .text = e.message}, i);
    } else {
        map_putu(&r->failed, i->r.id, (void *)(intptr_t)(clock_wall_ns() / NS_PER_SECOND));
        if (!str_eq(i->trouble, e.message) && !atomic_load(&r->l->stopping))
            (void)tell(r->l, &(struct core_login){.step = LOGIN_TROUBLE, .text = e.message}, i);
    }
    if (token)
        crypto_wipe(token, strlen(token));
    free(token);
    provider_tokens_release(&tokens);
    return rc;
}

static bool is_due(struct renewer *r, const struct config_provider *c, const struct identity *i, int64_t now)
{
    int64_t failed = (int64_t)(intptr_t)map_getu(&r->failed, i->r.id) * NS_PER_SECOND;
    int64_t again = AGAIN_NS < c->refresh_interval ? AGAIN_NS : c->refresh_interval;

    return c->refresh_interval && *i->refresh_token && now - i->refreshed_ns >= c->refresh_interval &&
           now - failed >= again && !is_unstored(r, i->r.id);
}

static size_t place_of(const struct login *l, const struct provider *p)
{
    return (size_t)(p - l->providers);
}

static void collect_one(struct renewer *r, struct round *round, const struct tailnet_snapshot *s,
                        const struct identity *i, int64_t now)
{
    struct provider *p = login_provider(r->l, i->provider);
    const struct user *u = snapshot_user(s, i->user_id);

    if (!u || !p)
        return;
    bool forget = i->groups_ns && p->c->groups_max_age && now - i->groups_ns >= p->c->groups_max_age;
    if (!forget && (u->suspended_ns || !is_due(r, p->c, i, now)))
        return;
    if (round->of_provider[place_of(r->l, p)]++ >= ROUND_MAX)
        round->full = true;
    else
        vec_push(&round->items, ((struct due){record_ref(i), p, forget}));
}

/* No snapshot is held during requests to providers. */
static void collect(struct renewer *r, struct round *round)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->l->tailnet);
    int64_t now = clock_wall_ns();

    for (size_t i = 0; i < s->identity_count; i++)
        collect_one(r, round, s, s->identities[i], now);
    tailnet_unpin(s);
}

/* While an answer waits to be stored, no further token is exchanged: the database would refuse the new one too, and a
 * crash would lose it. */
static void look_at_people(struct renewer *r, struct round *round)
{
    for (size_t i = 0; i < round->items.len; i++) {
        const struct due *d = &round->items.items[i];
        bool *away = &round->away[place_of(r->l, d->provider)];
        if (atomic_load(&r->l->stopping) || r->unstored.len || (*away && !d->forget))
            continue;
        if (d->forget) {
            (void)tell(r->l, &(struct core_login){.step = LOGIN_FORGET}, d->identity);
        } else {
            int rc = renew(r, d->provider, d->identity);
            *away = rc < 0 && rc != ERR_DENIED;
        }
    }
}

static void look_at_providers(struct login *l)
{
    for (size_t i = 0; i < l->provider_count && !atomic_load(&l->stopping); i++) {
        struct provider *p = &l->providers[i];
        char trouble[240], now[240];
        provider_trouble(p, trouble, sizeof(trouble));
        int rc = *trouble ? provider_ask_again(p, NULL) : provider_discover(p, NULL);
        provider_trouble(p, now, sizeof(now));
        if (*trouble && rc == 0)
            log_info("login", "the provider %s answers again", p->c->name);
        else if (*now && !*trouble)
            log_warn("login", "people cannot log in with %s now: %s", p->c->name, now);
    }
}

/* False: there is more work right away. */
static bool look(struct renewer *r)
{
    struct round round = {.of_provider = mem_alloc(r->l->provider_count * sizeof(*round.of_provider)),
                          .away = mem_alloc(r->l->provider_count * sizeof(*round.away))};

    store_again(r);
    collect(r, &round);
    look_at_people(r, &round);
    for (size_t i = 0; i < round.items.len; i++)
        record_unref(round.items.items[i].identity);
    vec_release(&round.items);
    free(round.of_provider);
    free(round.away);
    look_at_providers(r->l);
    return !round.full || r->unstored.len;
}

/* As often as the shortest of the configured times needs, within bounds. */
static int64_t pause_ms(const struct login *l)
{
    int64_t pause = LOOK_MS;

    for (size_t i = 0; i < l->provider_count; i++) {
        const struct config_provider *c = l->providers[i].c;
        const int64_t times[] = {c->refresh_interval, c->groups_max_age};
        for (size_t k = 0; k < 2; k++)
            if (times[k] && times[k] / 2000000 < pause)
                pause = times[k] / 2000000;
    }
    return pause < LOOK_MIN_MS ? LOOK_MIN_MS : pause;
}

void *renewer_run(void *arg)
{
    struct login *l = arg;
    struct renewer r = {.l = l};

    while (!atomic_load(&l->stopping)) {
        int64_t until = look(&r) ? pause_ms(l) : LOOK_MIN_MS;
        until += clock_mono_ms();
        pthread_mutex_lock(&l->lock);
        while (!atomic_load(&l->stopping) && thread_cond_wait(&l->wake, &l->lock, until))
            ;
        pthread_mutex_unlock(&l->lock);
    }
    store_again(&r);
    for (size_t i = 0; i < r.unstored.len; i++)
        unstored_release(&r.unstored.items[i]);
    vec_release(&r.unstored);
    map_release(&r.failed);
    return NULL;
}
