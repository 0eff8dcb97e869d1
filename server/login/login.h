/* SPDX-License-Identifier: BSD-3-Clause */
/* Login by people with OpenID Connect: the code flow with the providers of the configuration (OpenID Connect Core 1.0,
 * RFC 6749, 7636, 9207), on threads of its own. A visit is one request of a browser; whoever takes requests hands it
 * over and shows what comes out of it.
 *
 * What is under way (state, nonce, verifier, which login it is for) is kept in memory for 15 minutes, used once, and
 * bound to a cookie of the browser that began. What a person then confirms goes to the core. */
#ifndef SERVER_LOGIN_LOGIN_H
#define SERVER_LOGIN_LOGIN_H

#include "base/thread.h"
#include "config/config.h"
#include "core/core.h"
#include "crypto/crypto.h"
#include "tailnet/tailnet.h"

struct login;
struct provider;

/* *out stays NULL where no provider is configured. config is kept: a change of the providers needs a restart. An error
 * where a secret cannot be read, or where only_start_if_oidc_is_available is set and a provider does not answer. */
int login_start(const struct config *config, struct core *core, struct tailnet *tailnet, struct login **out,
                struct err *e) WARN_UNUSED;
/* No question to a provider goes on after this: visits end soon. NULL is allowed, here and below. */
void login_end_visits(struct login *l);
void login_stop(struct login *l); /* after the last visit */

/* Whether the secrets can be read and, to test, whether each provider answers: what is wrong is added to problems, or
 * to notes where a start would go on. */
void login_check(const struct config *c, bool test, struct strs *problems, struct strs *notes);

/* Why a provider is not reached, as sentences; "": all are, or there is none. */
void login_trouble(struct login *l, char *text, size_t size);

enum visit_kind {
    VISIT_BEGIN,    /* auth_id, and provider where one was chosen */
    VISIT_CALLBACK, /* state with code or refusal, issuer where it was given, and provider of the path, if any */
    VISIT_CONFIRM,  /* auth_id and form_token */
};
enum visit_outcome {
    VISIT_FAILED,   /* err: for people */
    VISIT_CHOOSE,   /* a provider of the configuration */
    VISIT_REDIRECT, /* to location */
    VISIT_ASK,      /* the user of user whether what waits as pending is theirs: form_token and cookie come back */
    VISIT_DONE,
};
struct login_visit {
    enum visit_kind kind;
    /* borrowed until done; NULL: not there */
    const char *auth_id, *provider, *state, *code, *refusal, *issuer, *form_token, *cookies, *peer;
    /* answers, released with login_visit_release */
    enum visit_outcome outcome;
    struct err err;
    char *location, *answer_token;
    char *set_cookies[2];
    const struct pending *pending;
    const struct user *user;
    void (*done)(struct login_visit *v); /* on a thread of this room */
    void *owner;
    /* the room's */
    struct work work;
    struct login *login;
    struct provider *turn_of; /* whose turn it has or waits for */
};
/* ERR_BUSY: too many are under way, and done is not called. */
int login_visit(struct login *l, struct login_visit *v, struct err *e) WARN_UNUSED;
void login_visit_release(struct login_visit *v);

#endif
