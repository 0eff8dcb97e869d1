/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks providers again, by refresh tokens, whether the people who logged in are still theirs, and providers that were
 * not reached whether they are back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "login/claims.h"
#include "login/state.h"

#define LOOK_MS     30000
#define LOOK_MIN_MS 1000
#define AGAIN_NS    (300 * NS_PER_SECOND) /* after a failure that says nothing about the person */

struct renewer {
    struct login *l;
    struct map failed; /* identity -> wall time in seconds of the last failure */
};

static void tell(struct login *l, struct core_login *call, const struct identity *i)
{
    struct err e = {0};

    call->identity_id = i->r.id;
    if (login_ask_core(l, call, &e) < 0)
        log_warn("login", "what %s says of a user was not stored: %s", i->provider, e.message);
    record_unref(call->user);
}

/* Of whom a refresh speaks, and in which groups they are. ERR_MISSING: it does not say. */
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
    char *sealed = tokens->refresh_token ? seal_close(r->l->key, tokens->refresh_token) : NULL;
    struct core_login call = {.step = LOGIN_RENEWED, .refresh_token = sealed};
    int rc = renewed_claims(p, i, tokens, &claims, &e);

    if (rc == 0) {
        call.has_groups = true;
        call.groups = claims.groups;
    } else if (rc != ERR_MISSING) {
        call.text = e.message;
    }
    tell(r->l, &call, i);
    claims_release(&claims);
    free(sealed);
}

static void renew(struct renewer *r, struct provider *p, const struct identity *i)
{
    struct provider_tokens tokens = {0};
    struct err e = {0};
    char *token = seal_open(r->l->key, i->refresh_token);
    int rc = token ? provider_refresh(p, token, &tokens, &e)
                   : err_set(&e, ERR_UNAVAILABLE,
                             "the refresh token cannot be read: the key beside the noise key is "
                             "another one");

    if (rc == 0) {
        take_renewal(r, p, i, &tokens);
    } else if (rc == ERR_DENIED) {
        tell(r->l, &(struct core_login){.step = LOGIN_REFUSED, .text = e.message}, i);
    } else {
        map_putu(&r->failed, i->r.id, (void *)(intptr_t)(clock_wall_ns() / NS_PER_SECOND));
        if (!str_eq(i->trouble, e.message) && !atomic_load(&r->l->stopping))
            tell(r->l, &(struct core_login){.step = LOGIN_TROUBLE, .text = e.message}, i);
    }
    if (token)
        crypto_wipe(token, strlen(token));
    free(token);
    provider_tokens_release(&tokens);
}

static bool is_due(struct renewer *r, const struct config_provider *c, const struct identity *i, int64_t now)
{
    int64_t failed = (int64_t)(intptr_t)map_getu(&r->failed, i->r.id) * NS_PER_SECOND;
    int64_t again = AGAIN_NS < c->refresh_interval ? AGAIN_NS : c->refresh_interval;

    return c->refresh_interval && *i->refresh_token && now - i->refreshed_ns >= c->refresh_interval &&
           now - failed >= again;
}

static void look_at(struct renewer *r, const struct tailnet_snapshot *s, const struct identity *i)
{
    struct provider *p = login_provider(r->l, i->provider);
    const struct user *u = snapshot_user(s, i->user_id);
    int64_t now = clock_wall_ns();

    if (!p || !u)
        return;
    if (p->c->groups_max_age && i->groups_ns && now - i->groups_ns >= p->c->groups_max_age)
        tell(r->l, &(struct core_login){.step = LOGIN_FORGET}, i);
    else if (!u->suspended_ns && is_due(r, p->c, i, now))
        renew(r, p, i);
}

static void look(struct renewer *r)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->l->tailnet);

    for (size_t i = 0; i < s->identity_count && !atomic_load(&r->l->stopping); i++)
        look_at(r, s, s->identities[i]);
    tailnet_unpin(s);
    for (size_t i = 0; i < r->l->provider_count && !atomic_load(&r->l->stopping); i++) {
        struct provider *p = &r->l->providers[i];
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

/* As often as the shortest of the configured times wants, within bounds. */
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
        look(&r);
        int64_t until = clock_mono_ms() + pause_ms(l);
        pthread_mutex_lock(&l->lock);
        while (!atomic_load(&l->stopping) && thread_cond_wait(&l->wake, &l->lock, until))
            ;
        pthread_mutex_unlock(&l->lock);
    }
    map_release(&r.failed);
    return NULL;
}
