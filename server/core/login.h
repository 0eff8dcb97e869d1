/* SPDX-License-Identifier: BSD-3-Clause */
/* People whom an OpenID provider knows: what server/login asks the core once it has verified who somebody is. */
#ifndef SERVER_CORE_LOGIN_H
#define SERVER_CORE_LOGIN_H

#include "core/call.h"
#include "tailnet/tailnet.h"

enum core_login_step {
    LOGIN_IDENTIFY, /* somebody is there: their user is found or made, and follows what the provider says */
    LOGIN_CONFIRM,  /* the user of user_id says yes to what waits as auth_id */
    LOGIN_RENEWED,  /* the provider still knows whom identity_id names */
    LOGIN_REFUSED,  /* it does not any more, or the user may not log in there any more: it is suspended */
    LOGIN_TROUBLE,  /* it did not say: text is why */
    LOGIN_FORGET,   /* what groups it said the user is in is too old */
};

struct core_login {
    struct core_call call; /* ERR_DENIED: the user may not; ERR_GONE: nothing waits any more; ERR_CONFLICT */
    enum core_login_step step;
    const char *provider, *issuer, *subject;
    const char *username, *email, *display_name, *picture_url; /* "": not said; the address can be trusted */
    bool has_groups;
    struct strs groups;        /* as the provider calls them */
    const char *refresh_token; /* encrypted; NULL: none came */
    const char *auth_id, *text;
    const char *asked_with; /* the refresh token, as stored; ERR_PRECONDITION: a login brought another one since */
    uint64_t user_id;
    uint64_t identity_id; /* of LOGIN_CONFIRM: whom the provider said this is */
    int64_t expiry_ns;    /* of the node; 0: as configured */
    /* answers */
    const struct user *user; /* a reference, which is the caller's */
    uint64_t known_id;       /* of LOGIN_IDENTIFY: the identity */
    uint64_t node_id;        /* registered; 0: it was an SSH session */
};
void core_login(struct core *core, struct core_login *call);

#endif
