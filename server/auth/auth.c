/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth/auth.h"

#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "model/secret.h"

#define AUTH_HEADER_MAX 256 /* longer ones hold no key */
#define REMEMBERED_MAX  1024
#define WAITING_MAX     1  /* workers that wait while another key is hashed: the others must serve */
#define PAUSE           20 /* hash durations without another hash after a wrong secret */

/* Remembers verified secrets of keys with a slow hash (imported ones): SHA-256 of the secret and its stored hash, so
 * that a change of the record invalidates it. One hash is computed at a time; requests with the same key wait for
 * it. */
struct auth {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t judged;
    struct map verified, refused;
    struct map pauses; /* stored hash -> monotonic ms until which nothing is computed for it */
    uint8_t computing[CRYPTO_HASH_LEN];
    bool computes;
    size_t waiting; /* while another key is hashed */
};

struct auth *auth_new(void)
{
    struct auth *a = mem_alloc(sizeof(*a));

    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->judged, NULL);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    map_release(&a->verified);
    map_release(&a->refused);
    map_release(&a->pauses);
    pthread_cond_destroy(&a->judged);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void remember(struct map *m, const void *key, size_t len, void *value)
{
    if (m->len >= REMEMBERED_MAX)
        map_release(m);
    map_put(m, key, len, value);
}

/* Call with the lock held; it is released while the hash is computed. */
static bool compute(struct auth *a, const uint8_t digest[CRYPTO_HASH_LEN], const char *stored, const char *secret)
{
    memcpy(a->computing, digest, CRYPTO_HASH_LEN);
    a->computes = true;
    pthread_mutex_unlock(&a->lock);
    int64_t began = clock_mono_ms();
    bool fits = secret_fits(stored, secret);
    int64_t ended = clock_mono_ms();
    pthread_mutex_lock(&a->lock);
    a->computes = false;
    remember(fits ? &a->verified : &a->refused, digest, CRYPTO_HASH_LEN, a);
    if (!fits)
        remember(&a->pauses, stored, strlen(stored), (void *)(uintptr_t)(ended + PAUSE * (ended - began) + 1));
    pthread_cond_broadcast(&a->judged);
    return fits;
}

/* Call with the lock held. false: it cannot be judged now. */
static bool judge(struct auth *a, const uint8_t digest[CRYPTO_HASH_LEN], const char *stored, const char *secret,
                  bool *fits)
{
    for (;;) {
        *fits = map_has(&a->verified, digest, CRYPTO_HASH_LEN);
        if (*fits || map_has(&a->refused, digest, CRYPTO_HASH_LEN))
            return true;
        if (clock_mono_ms() < (int64_t)(uintptr_t)map_get(&a->pauses, stored, strlen(stored)))
            return false;
        if (!a->computes)
            break;
        bool same = memcmp(a->computing, digest, CRYPTO_HASH_LEN) == 0;
        if (!same && a->waiting >= WAITING_MAX)
            return false;
        a->waiting += !same;
        pthread_cond_wait(&a->judged, &a->lock);
        a->waiting -= !same;
    }
    *fits = compute(a, digest, stored, secret);
    return true;
}

static int fits_slowly(struct auth *a, const char *stored, const char *secret, bool *fits, struct err *e)
{
    uint8_t digest[CRYPTO_HASH_LEN];
    char *both = mem_format("%s %s", stored, secret);

    crypto_sha256(both, strlen(both), digest);
    crypto_wipe(both, strlen(both));
    free(both);
    pthread_mutex_lock(&a->lock);
    bool judged = judge(a, digest, stored, secret, fits);
    pthread_mutex_unlock(&a->lock);
    return judged ? 0 : err_set(e, ERR_BUSY, "keys are being verified: try again in a few seconds");
}

static bool fits(struct auth *a, const char *stored, const char *secret, char fast[SECRET_HASH_MAX], int *code,
                 struct err *e)
{
    bool yes = false;

    fast[0] = '\0';
    if (!secret_is_slow(stored))
        return secret_fits(stored, secret);
    *code = fits_slowly(a, stored, secret, &yes, e);
    if (yes)
        secret_digest(secret, fast);
    return yes;
}

/* fast: as in struct auth_who. */
static int find(struct auth *a, const struct tailnet_snapshot *s, const char *text, const struct api_key **out,
                char fast[SECRET_HASH_MAX], struct err *e)
{
    char prefix[SECRET_PREFIX_LEN + 1];
    const char *secret;
    int code = 0;

    *out = NULL;
    if (!secret_split(SECRET_API_KEY, text, prefix, &secret))
        return 0;
    for (size_t i = 0; i < s->api_key_count && !*out && code == 0; i++) {
        const struct api_key *k = s->api_keys[i];
        if (str_eq(k->prefix, prefix) && fits(a, k->secret_hash, secret, fast, &code, e))
            *out = k;
    }
    return code;
}

int auth_client(struct auth *a, const struct tailnet_snapshot *s, const char *text, bool may_be_slow, bool *slow,
                const struct oauth_client **out, char fast[SECRET_HASH_MAX], struct err *e)
{
    char prefix[SECRET_PREFIX_LEN + 1];
    const struct oauth_client *c = NULL;
    const char *secret;
    int code = 0;

    *out = NULL;
    *slow = false;
    fast[0] = '\0';
    if (secret_split(SECRET_OAUTH_CLIENT, text, prefix, &secret))
        for (size_t i = 0; i < s->oauth_client_count && !c; i++)
            if (str_eq(s->oauth_clients[i]->client_id, prefix))
                c = s->oauth_clients[i];
    *slow = c && secret_is_slow(c->secret_hash) && !may_be_slow;
    if (*slow)
        return 0;
    if (c && fits(a, c->secret_hash, secret, fast, &code, e))
        *out = c;
    if (!*out && code == 0)
        code = err_set(e, ERR_UNAUTHENTICATED, "invalid client credentials");
    return code;
}

/* A user's key is worth no more than its owner. */
static bool key_holds(const struct tailnet_snapshot *s, const struct api_key *k, int64_t now_ns)
{
    const struct user *owner = k->user_id ? snapshot_user(s, k->user_id) : NULL;

    if (k->expiration_ns && k->expiration_ns <= now_ns)
        return false;
    return !k->user_id || (owner && !owner->suspended_ns);
}

static const struct oauth_token *find_token(const struct tailnet_snapshot *s, const char *text, int64_t now_ns)
{
    char prefix[SECRET_PREFIX_LEN + 1];
    const char *secret;

    if (!secret_split(SECRET_OAUTH_TOKEN, text, prefix, &secret))
        return NULL;
    for (size_t i = 0; i < s->oauth_token_count; i++) {
        const struct oauth_token *t = s->oauth_tokens[i];
        if (str_eq(t->prefix, prefix) && secret_fits(t->secret_hash, secret))
            return t->expiration_ns > now_ns ? t : NULL;
    }
    return NULL;
}

static bool take_token(const struct tailnet_snapshot *s, const struct oauth_token *t, struct auth_who *out)
{
    const struct oauth_client *c = snapshot_oauth_client(s, t->client);

    if (!c)
        return false;
    *out = (struct auth_who){.key_id = UINT64_C(1) << 63 | c->r.id, .token = record_ref(t)};
    snprintf(out->actor, sizeof(out->actor), "OAuth client %s%s%.200s%s", c->client_id, *c->description ? " (" : "",
             c->description, *c->description ? ")" : "");
    return true;
}

bool auth_holds(const struct tailnet_snapshot *s, const struct auth_who *who, int64_t now_ns)
{
    if (who->token) {
        for (size_t i = 0; i < s->oauth_token_count; i++)
            if (s->oauth_tokens[i]->r.id == who->token->r.id)
                return s->oauth_tokens[i]->expiration_ns > now_ns;
        return false;
    }
    const struct api_key *k = who->key_id ? snapshot_api_key(s, who->key_id) : NULL;
    return !who->key_id || (k && key_holds(s, k, now_ns));
}

void auth_who_release(struct auth_who *who)
{
    record_unref(who->token);
    who->token = NULL;
}

/* Copies the key of a header to out; false: it has none. */
static bool read_header(const char *header, char out[AUTH_HEADER_MAX])
{
    static const char bearer[] = "Bearer ", basic[] = "Basic ";

    out[0] = '\0';
    if (!header || strlen(header) >= AUTH_HEADER_MAX)
        return false;
    if (str_starts(header, bearer)) {
        str_copy(out, AUTH_HEADER_MAX, header + strlen(bearer));
    } else if (str_starts(header, basic)) {
        const char *text = header + strlen(basic);
        long len = crypto_unbase64(text, strlen(text), (uint8_t *)out, AUTH_HEADER_MAX - 1);
        out[len > 0 ? len : 0] = '\0';
        out[strcspn(out, ":")] = '\0';
    }
    return *out;
}

int auth_header(struct auth *a, const struct tailnet_snapshot *s, const char *header, int64_t now_ns,
                struct auth_who *out, struct err *e)
{
    char text[AUTH_HEADER_MAX];
    const struct api_key *k = NULL;
    char fast[SECRET_HASH_MAX] = "";
    const struct oauth_token *t = NULL;
    int code = 0;

    if (read_header(header, text) && !(t = find_token(s, text, now_ns)))
        code = find(a, s, text, &k, fast, e);
    crypto_wipe(text, sizeof(text));
    if (code < 0)
        return code;
    if (t && take_token(s, t, out))
        return 0;
    if (!k || !key_holds(s, k, now_ns))
        return err_set(e, ERR_UNAUTHENTICATED, "Unauthorized");
    *out = (struct auth_who){.key_id = k->r.id, .read_only = k->read_only, .user_id = k->user_id};
    memcpy(out->fast_hash, fast, sizeof(fast));
    if (*k->description)
        str_copy(out->actor, sizeof(out->actor), k->description);
    else
        snprintf(out->actor, sizeof(out->actor), "API key %llu", (unsigned long long)k->r.id);
    return 0;
}

void auth_peer(int fd, struct auth_who *out)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    struct passwd entry, *found = NULL;
    char names[4096];

    *out = (struct auth_who){0};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        str_copy(out->actor, sizeof(out->actor), "unix socket");
        return;
    }
    if (getpwuid_r(peer.uid, &entry, names, sizeof(names), &found) == 0 && found)
        str_copy(out->actor, sizeof(out->actor), found->pw_name);
    else
        snprintf(out->actor, sizeof(out->actor), "uid %u", (unsigned)peer.uid);
}
