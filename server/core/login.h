/* SPDX-License-Identifier: BSD-3-Clause */
/* People known to an OpenID provider: what server/login asks of the core once it has verified their identity. */
#ifndef SERVER_CORE_LOGIN_H
#define SERVER_CORE_LOGIN_H

#include "core/call.h"
#include "tailnet/tailnet.h"

enum core_login_step {
    LOGIN_IDENTIFY, /* someone logged in: finds or makes their user and updates it from the provider's claims */
    LOGIN_CONFIRM,  /* the user of user_id confirms what waits as auth_id */
    LOGIN_RENEWED,  /* the provider still knows the person of identity_id */
    LOGIN_REFUSED,  /* it no longer does, or the user may no longer log in there: it is suspended */
    LOGIN_TROUBLE,  /* it gave no answer: text has the reason */
    LOGIN_FORGET,   /* the groups that it reported for the user are too old */
};

struct core_login {
    struct core_call call; /* ERR_DENIED: the user may not; ERR_GONE: nothing waits any more; ERR_CONFLICT */
    enum core_login_step step;
    const char *provider, *issuer, *subject;
    const char *username, *email, *display_name, *picture_url; /* "": not sent; the address is trustworthy */
    bool has_groups;
    struct strs groups;        /* the provider's names */
    const char *refresh_token; /* encrypted; NULL: none was sent */
    const char *auth_id, *text;
    const char *asked_with; /* the refresh token, as stored; ERR_PRECONDITION: a login has brought another since */
    uint64_t user_id;
    uint64_t identity_id; /* LOGIN_CONFIRM: the identity that the provider reported */
    int64_t expiry_ns;    /* of the node; 0: as configured */
    /* answers */
    const struct user *user; /* a reference for the caller */
    uint64_t known_id;       /* LOGIN_IDENTIFY: the identity */
    uint64_t node_id;        /* registered; 0: it was an SSH session */
};
void core_login(struct core *core, struct core_login *call);

#endif
