/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth/auth.h"

#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/map.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "model/secret.h"

#define REMEMBERED_MAX 1024

/* Keys with a slow hash that were verified once: SHA-256 of the key and its stored hash. So a change of the record
 * forgets it. */
struct auth {
    pthread_mutex_t lock; /* of verified, and while a slow hash is computed */
    struct map verified;
};

struct auth *auth_new(void)
{
    struct auth *a = mem_alloc(sizeof(*a));

    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    map_release(&a->verified);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static bool fits_slowly(struct auth *a, const char *stored, const char *secret)
{
    uint8_t digest[CRYPTO_HASH_LEN];
    char *both = mem_format("%s %s", stored, secret);

    crypto_sha256(both, strlen(both), digest);
    crypto_wipe(both, strlen(both));
    free(both);
    pthread_mutex_lock(&a->lock);
    bool fits = map_has(&a->verified, digest, sizeof(digest));
    if (!fits && secret_fits(stored, secret)) {
        fits = true;
        if (a->verified.len >= REMEMBERED_MAX)
            map_release(&a->verified);
        map_put(&a->verified, digest, sizeof(digest), a);
    }
    pthread_mutex_unlock(&a->lock);
    return fits;
}

static const struct api_key *find(struct auth *a, const struct tailnet_snapshot *s, const char *text)
{
    char prefix[SECRET_PREFIX_LEN + 1];
    const char *secret;

    if (!secret_split(SECRET_API_KEY, text, prefix, &secret))
        return NULL;
    for (size_t i = 0; i < s->api_key_count; i++) {
        const struct api_key *k = s->api_keys[i];
        if (!str_eq(k->prefix, prefix))
            continue;
        bool fits = secret_is_slow(k->secret_hash) ? fits_slowly(a, k->secret_hash, secret)
                                                   : secret_fits(k->secret_hash, secret);
        if (fits)
            return k;
    }
    return NULL;
}

int auth_bearer(struct auth *a, const struct tailnet_snapshot *s, const char *header, int64_t now_ns,
                struct auth_who *out, struct err *e)
{
    static const char bearer[] = "Bearer ";
    const struct api_key *k = header && str_starts(header, bearer) ? find(a, s, header + strlen(bearer)) : NULL;

    if (!k || (k->expiration_ns && k->expiration_ns <= now_ns))
        return err_set(e, ERR_UNAUTHENTICATED, "Unauthorized");
    *out = (struct auth_who){.key_id = k->r.id, .read_only = k->read_only};
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
