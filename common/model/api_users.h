/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their OpenID identities in the API; model/api.h describes the conventions for members. */
#ifndef COMMON_MODEL_API_USERS_H
#define COMMON_MODEL_API_USERS_H

#include "base/str.h"

struct api_user {
    uint64_t id;
    const char *name, *display_name, *email, *provider_id, *provider, *picture_url;
    int64_t created_ns;
    int role; /* enum user_role */
    uint64_t version, node_count;
    int64_t suspended_ns; /* 0: not suspended */
    const char *suspended_by;
    int64_t login_ns; /* of the last login with an OpenID provider; 0: none */
    const char *login_provider;
    struct strs groups; /* "GROUP@PROVIDER" */
};

struct api_identity {
    uint64_t user_id;
    const char *user, *provider, *issuer, *subject;
    int64_t created_ns, login_ns, groups_ns; /* groups_ns: when the provider last reported the groups */
    bool refreshes;                          /* a refresh token is stored, with which the provider is asked again */
    int64_t refreshed_ns;
    const char *trouble; /* why the last refresh failed, "" if it did not */
    struct strs groups;  /* groups that the provider reports, under its own names */
};

#endif
