/* SPDX-License-Identifier: BSD-3-Clause */
/* Authenticates requests: an API key or an access token (model/secret.h describes their form), verified against a
 * snapshot, or the login name of the unix socket's peer; and what scopes allow. */
#ifndef SERVER_AUTH_AUTH_H
#define SERVER_AUTH_AUTH_H

#include "model/secret.h"
#include "tailnet/tailnet.h"

#define AUTH_ACTOR_MAX 256

struct auth;

/* The scope that a call requires of an access token. The names are Tailscale's. A token with ":read" appended may make
 * only calls that read. */
enum auth_scope {
    SCOPE_NONE, /* for calls that need nothing */
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
    SCOPE_NEVER, /* no token, whatever its scopes: calls that make unlimited keys or decide who is who */
    SCOPES
};
/* "devices:core", with read "devices:core:read"; for errors and documents. */
const char *auth_scope_name(enum auth_scope scope, char text[64], bool read);
/* Whether the granted scopes suffice: the scope itself, with read also its ":read", "all", with read also
 * "all:read". */
bool auth_scope_granted(const struct strs *granted, enum auth_scope scope, bool read);
/* Whether each wanted scope is granted or implied; otherwise *missing is the first that is not. */
bool auth_scopes_within(const struct strs *granted, const struct strs *wanted, const char **missing);

struct auth *auth_new(void);
void auth_free(struct auth *a);

struct auth_who {
    uint64_t key_id; /* 0: no key (the unix socket); for a token a number that no key has */
    bool read_only;
    const struct oauth_token *token; /* NULL: not a token; a reference: auth_who_release */
    uint64_t user_id;                /* owner of the API key; 0: none */
    char fast_hash[SECRET_HASH_MAX]; /* a fast hash to replace the key's slow one; "": none */
    char actor[AUTH_ACTOR_MAX];      /* for the journal: the key's description, else its prefix */
};

/* Authenticates the value of an Authorization header ("Bearer KEY", or "Basic" with the key as user and any password)
 * or NULL. ERR_UNAUTHENTICATED, always with the same message, if the key is missing, malformed, unknown, wrong or
 * expired, or its owner is suspended or deleted. Any thread. A slow hash (of an imported key) is computed once and its
 * result remembered; never two at the same time, and after a wrong secret none for a while: requests that would have to
 * wait for that get ERR_BUSY. */
int auth_header(struct auth *a, const struct tailnet_snapshot *s, const char *header, int64_t now_ns,
                struct auth_who *out, struct err *e) WARN_UNUSED;

/* Whether the result of auth_header is still valid: long-lived answers check again. Always true without a key. */
bool auth_holds(const struct tailnet_snapshot *s, const struct auth_who *who, int64_t now_ns);

void auth_who_release(struct auth_who *who);

/* The OAuth client that a secret belongs to, verified as in auth_header. *slow: not verified, because its hash is slow;
 * may_be_slow allows that. */
int auth_client(struct auth *a, const struct tailnet_snapshot *s, const char *secret, bool may_be_slow, bool *slow,
                const struct oauth_client **out, char fast_hash[SECRET_HASH_MAX], struct err *e) WARN_UNUSED;

/* The login name of a unix socket's peer (SO_PEERCRED), or "uid N" if it has none. */
void auth_peer(int fd, struct auth_who *out);

#endif
