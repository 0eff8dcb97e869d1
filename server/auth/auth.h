/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks: an API key or an access token (model/secret.h says how they look), verified against a snapshot, or the
 * login name behind the unix socket; and what scopes allow. */
#ifndef SERVER_AUTH_AUTH_H
#define SERVER_AUTH_AUTH_H

#include "model/secret.h"
#include "tailnet/tailnet.h"

#define AUTH_ACTOR_MAX 256

struct auth;

/* What a call wants of an access token. The names are Tailscale's. A token with ":read" behind one may do what only
 * reads.
 */
enum auth_scope {
    SCOPE_NONE, /* of calls that need nothing */
    SCOPE_ALL,  /* only tokens that may do everything */
    SCOPE_AUTH_KEYS,
    SCOPE_OAUTH_KEYS,
    SCOPE_KEYS, /* one of these two, as the function decides */
    SCOPE_DEVICES_CORE,
    SCOPE_DEVICES_ROUTES,
    SCOPE_POLICY_FILE,
    SCOPE_FEATURE_SETTINGS,
    SCOPE_USERS,
    SCOPE_DNS,
    SCOPE_WEBHOOKS,
    SCOPE_ANY,   /* every token */
    SCOPE_NEVER, /* no token, whatever it may do else: what makes keys without limits, or who is whom */
    SCOPES
};
/* "devices:core", with read "devices:core:read"; what an error or a document calls it. */
const char *auth_scope_name(enum auth_scope scope, char text[64], bool read);
/* Whether granted scopes suffice: the scope itself, with read its ":read" too, "all", with read "all:read". */
bool auth_scope_granted(const struct strs *granted, enum auth_scope scope, bool read);
/* Whether each of the wanted is among what is granted or follows from it; else *missing is the first that is not. */
bool auth_scopes_within(const struct strs *granted, const struct strs *wanted, const char **missing);

struct auth *auth_new(void);
void auth_free(struct auth *a);

struct auth_who {
    uint64_t key_id; /* 0: no key (the unix socket); of a token a number that no key has */
    bool read_only;
    const struct oauth_token *token; /* NULL: it is none; a reference: auth_who_release */
    uint64_t user_id;                /* who owns the API key; 0: nobody */
    char fast_hash[SECRET_HASH_MAX]; /* what may take the place of the key's slow hash; "": it has none */
    char actor[AUTH_ACTOR_MAX];      /* for the journal: the key's description, else its prefix */
};

/* The value of an Authorization header ("Bearer KEY", or "Basic" with the key as user and any password) or NULL.
 * ERR_UNAUTHENTICATED, always with the same words, when it is missing, malformed, unknown, wrong or expired, or the
 * key's owner is suspended or gone. Any thread. A slow hash (of an imported key) is computed once and what it says of a
 * secret remembered; two are never computed at the same time, and after a wrong secret none for a while: ERR_BUSY for
 * whoever would have to wait for that. */
int auth_header(struct auth *a, const struct tailnet_snapshot *s, const char *header, int64_t now_ns,
                struct auth_who *out, struct err *e) WARN_UNUSED;

/* Whether what auth_header found is good still: answers that last ask again. Who came without a key is. */
bool auth_holds(const struct tailnet_snapshot *s, const struct auth_who *who, int64_t now_ns);

void auth_who_release(struct auth_who *who);

/* The client that a secret belongs to, as auth_header judges one. *slow: nothing was judged, because its hash takes
 * long; with may_be_slow that is computed. */
int auth_client(struct auth *a, const struct tailnet_snapshot *s, const char *secret, bool may_be_slow, bool *slow,
                const struct oauth_client **out, char fast_hash[SECRET_HASH_MAX], struct err *e) WARN_UNUSED;

/* The login name behind a unix socket's peer (SO_PEERCRED), "uid N" for one without a name. */
void auth_peer(int fd, struct auth_who *out);

#endif
