/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/control.h"
#include "login/state.h"

#define TWICE_MAX   15 /* up to this many providers, two visits each have their turn; beyond it, one each */
#define VISITS_MAX  256
#define BEGUN_MAX   4096
#define SOURCE_MAX  64
#define SITE_DIGITS 12 /* of an IPv6 address: its /48 */
#define ASKED_MAX   1024
#define USER_MAX    16
#define USED_MAX    4096

static bool is_stopping(void *arg)
{
    return atomic_load(&((struct login *)arg)->stopping);
}

/* ---- start and end ---- */

/* Kept beside the noise key, not in the database. */
static int load_key(struct login *l, struct err *e)
{
    const char *noise = l->config->noise.private_key_path, *slash = strrchr(noise, '/');
    char *path = mem_format("%.*slogin_private.key", slash ? (int)(slash + 1 - noise) : 0, noise);
    uint8_t public_key[CRYPTO_KEY_LEN];
    int rc = control_key_load(path, l->key, public_key, e);

    free(path);
    return rc;
}

static int init_providers(struct login *l, struct err *e)
{
    const struct config_provider *c;

    while (config_provider(l->config, l->provider_count))
        l->provider_count++;
    l->providers = mem_alloc((l->provider_count + 1) * sizeof(*l->providers));
    l->turns = l->provider_count <= TWICE_MAX ? 2 : 1;
    for (size_t i = 0; (c = config_provider(l->config, i)); i++)
        if (provider_init(&l->providers[i], c, is_stopping, l, e) < 0) {
            l->provider_count = i + 1;
            return (int)e->code;
        }
    return 0;
}

/* For a start that waits for the providers. */
static int discover_all(struct login *l, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < l->provider_count; i++) {
        struct err why = {0};
        if (provider_discover(&l->providers[i], &why) == 0)
            continue;
        if (rc == 0)
            rc = err_set(e, why.code, "oidc: %.230s", why.message);
    }
    return rc;
}

/* However many providers do not answer, two threads are left for work that needs none. */
static size_t threads_of(const struct login *l)
{
    return l->provider_count * l->turns + 2;
}

int login_start(const struct config *config, struct core *core, struct tailnet *tailnet, struct login **out,
                struct err *e)
{
    struct login *l;
    int rc;

    *out = NULL;
    if (!config_provider(config, 0))
        return 0;
    l = mem_alloc(sizeof(*l));
    l->config = config_ref(config);
    l->core = core;
    l->tailnet = tailnet;
    l->redirect_uri = mem_format("%s/oidc/callback", config->server_url);
    l->secure = str_starts(config->server_url, "https://");
    l->used = mem_alloc(USED_MAX * sizeof(*l->used));
    pthread_mutex_init(&l->lock, NULL);
    thread_cond_init(&l->wake);
    once_init(&l->begun, BEGUN_MAX, SOURCE_MAX, SITE_DIGITS);
    once_init(&l->asked, ASKED_MAX, USER_MAX, 0);
    if ((rc = load_key(l, e)) < 0 || (rc = init_providers(l, e)) < 0 ||
        (config->oidc.only_start_if_oidc_is_available && (rc = discover_all(l, e)) < 0) ||
        (rc = workers_start(&l->workers, "login", threads_of(l), e)) < 0 ||
        (rc = thread_start(&l->renewer, "login renewal", renewer_run, l, e)) < 0) {
        login_stop(l);
        return rc;
    }
    *out = l;
    return 0;
}

void login_end_visits(struct login *l)
{
    if (!l)
        return;
    atomic_store(&l->stopping, true);
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

void login_stop(struct login *l)
{
    if (!l)
        return;
    login_end_visits(l);
    thread_join(&l->renewer);
    workers_stop(&l->workers);
    for (size_t i = 0; i < l->provider_count; i++)
        provider_release(&l->providers[i]);
    free(l->providers);
    once_release(&l->begun);
    once_release(&l->asked);
    crypto_wipe(l->key, sizeof(l->key));
    config_unref(l->config);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l->redirect_uri);
    free(l->used);
    free(l);
}

int login_visit(struct login *l, struct login_visit *v, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    bool full = l->visits >= VISITS_MAX;
    l->visits += !full;
    pthread_mutex_unlock(&l->lock);
    if (full)
        return err_set(e, ERR_BUSY, "too many logins are under way: try again in a minute");
    v->login = l;
    v->work.run = visit_run;
    workers_add(&l->workers, &v->work);
    return 0;
}

/* ---- what others are told ---- */

void login_trouble(struct login *l, char *text, size_t size)
{
    struct buf all = BUF_INIT(0);

    for (size_t i = 0; l && i < l->provider_count; i++) {
        char one[240];
        provider_trouble(&l->providers[i], one, sizeof(one));
        if (*one)
            buf_addf(&all, "%s%s: %s", all.len ? "; " : "", l->providers[i].c->name, one);
    }
    str_copy(text, size, buf_text(&all));
    buf_release(&all);
}

/* Providers send people only to registered addresses. */
static void note_redirect_uri(const struct config *c, const struct config_provider *p, struct strs *notes)
{
    bool named = p != &c->oidc.flat;
    char *note = mem_format("%s: the redirect URI to register at the provider is %s/oidc/callback%s%s", p->name,
                            c->server_url, named ? "/" : "", named ? p->name : "");

    strs_push(notes, note);
    free(note);
}

void login_check(const struct config *c, bool test, struct strs *problems, struct strs *notes)
{
    const struct config_provider *p;

    for (size_t i = 0; (p = config_provider(c, i)); i++) {
        const char *key = p == &c->oidc.flat ? "oidc.issuer" : "oidc.providers";
        struct provider asked;
        struct err why = {0};
        bool secret = provider_init(&asked, p, NULL, NULL, &why) == 0;
        if (test)
            note_redirect_uri(c, p, notes);
        if (!secret || (test && provider_discover(&asked, &why) < 0))
            config_problem(c, !secret || c->oidc.only_start_if_oidc_is_available ? problems : notes, key, why.message);
        provider_release(&asked);
    }
}
