/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks: an API key (model/secret.h says how one looks), verified against a snapshot, or the login name behind the
 * unix socket. */
#ifndef SERVER_AUTH_AUTH_H
#define SERVER_AUTH_AUTH_H

#include "model/secret.h"
#include "tailnet/tailnet.h"

#define AUTH_ACTOR_MAX 256

struct auth;

struct auth *auth_new(void);
void auth_free(struct auth *a);

struct auth_who {
    uint64_t key_id; /* 0: no key (the unix socket) */
    bool read_only;
    char fast_hash[SECRET_HASH_MAX]; /* what may take the place of the key's slow hash; "": it has none */
    char actor[AUTH_ACTOR_MAX];      /* for the journal: the key's description, else its prefix */
};

/* The value of an Authorization header ("Bearer KEY") or NULL. ERR_UNAUTHENTICATED, always with the same words, when
 * it is missing, malformed, unknown, wrong or expired. Any thread. A slow hash (of an imported key) is computed once
 * and what it says of a secret remembered; two are never computed at the same time, and after a wrong secret none for a
 * while: ERR_BUSY for whoever would have to wait for that. */
int auth_bearer(struct auth *a, const struct tailnet_snapshot *s, const char *header, int64_t now_ns,
                struct auth_who *out, struct err *e) WARN_UNUSED;

/* The login name behind a unix socket's peer (SO_PEERCRED), "uid N" for one without a name. */
void auth_peer(int fd, struct auth_who *out);

#endif
