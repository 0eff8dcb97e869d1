/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins with OpenID Connect: the code flow with the configured providers (OpenID Connect Core 1.0, RFC 6749, 7636,
 * 9207), on threads of its own. A visit is one request of a browser; the HTTP side hands it over and shows the outcome.
 *
 * The state of a login (state, nonce, verifier, the request it is for) is kept in memory for 15 minutes, used once, and
 * bound to a cookie of the browser that began it. What a person then confirms goes to the core. */
#ifndef SERVER_LOGIN_LOGIN_H
#define SERVER_LOGIN_LOGIN_H

#include "base/map.h"
#include "base/thread.h"
#include "config/config.h"
#include "core/core.h"
#include "crypto/crypto.h"
#include "tailnet/tailnet.h"

struct login;
struct provider;

/* *out stays NULL if no provider is configured. Keeps config: a change of the providers needs a restart. Fails if a
 * secret cannot be read, or if only_start_if_oidc_is_available is set and a provider does not answer. */
int login_start(const struct config *config, struct core *core, struct tailnet *tailnet, struct login **out,
                struct err *e) WARN_UNUSED;
/* Ends requests to providers, and with them the visits. NULL is allowed, here and below. */
void login_end_visits(struct login *l);
void login_stop(struct login *l); /* after the last visit */

/* Checks that the secrets can be read and, with test, that each provider answers. Faults are added to problems, or to
 * notes if the daemon would start regardless. */
void login_check(const struct config *c, bool test, struct strs *problems, struct strs *notes);

/* Why providers cannot be reached, as sentences; "": all can, or there are none. */
void login_trouble(struct login *l, char *text, size_t size);

/* How far the login is for something that waits. */
struct login_progress {
    char provider[64];
    uint64_t user_id; /* who logged in and is asked to confirm; 0: nobody yet, a browser went to the provider */
    int64_t since_ns; /* wall clock */
};
/* Adds those of all logins that are under way to out: auth id -> struct login_progress, the furthest of each. */
void login_progresses(struct login *l, struct map *out);
void login_progresses_release(struct map *progresses);

enum visit_kind {
    VISIT_BEGIN,    /* needs auth_id, and provider if one was chosen */
    VISIT_CALLBACK, /* needs state with code or refusal; issuer if given; provider if the path names one */
    VISIT_CONFIRM,  /* needs auth_id and form_token */
};
enum visit_outcome {
    VISIT_FAILED,   /* err: for people */
    VISIT_CHOOSE,   /* among the configured providers */
    VISIT_REDIRECT, /* to location */
    VISIT_ASK,      /* ask the user of user whether pending is theirs: form_token and cookie must come back */
    VISIT_DONE,
};
struct login_visit {
    enum visit_kind kind;
    /* borrowed until done; NULL: absent */
    const char *auth_id, *provider, *state, *code, *refusal, *issuer, *form_token, *cookies, *peer;
    /* the outcome, released with login_visit_release */
    enum visit_outcome outcome;
    struct err err;
    char *location, *answer_token;
    char *set_cookies[2];
    const struct pending *pending;
    const struct user *user;
    void (*done)(struct login_visit *v); /* on a thread of this room */
    void *owner;
    /* private to the room */
    struct work work;
    struct login *login;
    struct provider *turn_of; /* whose turn it has or waits for */
};
/* ERR_BUSY: too many visits are in progress, and done is not called. */
int login_visit(struct login *l, struct login_visit *v, struct err *e) WARN_UNUSED;
void login_visit_release(struct login_visit *v);

#endif
