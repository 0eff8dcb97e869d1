/* SPDX-License-Identifier: BSD-3-Clause */
/* Users, and whom OpenID providers know them by, as the API has them; model/api.h describes the members' kinds. */
#ifndef COMMON_MODEL_API_USERS_H
#define COMMON_MODEL_API_USERS_H

#include "base/str.h"

struct api_user {
    uint64_t id;
    const char *name, *display_name, *email, *provider_id, *provider, *picture_url;
    int64_t created_ns;
    int role; /* enum user_role */
    uint64_t version, node_count;
    int64_t suspended_ns; /* 0: it is not */
    const char *suspended_by;
    int64_t login_ns; /* of the last login with an OpenID provider; 0: none */
    const char *login_provider;
    struct strs groups; /* "GROUP@PROVIDER" */
};

struct api_identity {
    uint64_t user_id;
    const char *user, *provider, *issuer, *subject;
    int64_t created_ns, login_ns, groups_ns; /* groups_ns: when the provider last said which groups */
    bool refreshes;                          /* it is asked again, by a refresh token */
    int64_t refreshed_ns;
    const char *trouble; /* why it last did not answer */
    struct strs groups;  /* of the user, that the provider said, as it calls them */
};

#endif
